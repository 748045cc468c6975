/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the clients that foreign tokens stand for (ssp/foreign.h). */
#pragma once

#include "package.h"

/* Remembers whom a token stands for, if it is a foreign one. */
void token_name_set(HANDLE token, const WCHAR *name);

/* The same of a log-on's token, and which session it is of. */
void token_name_set_logon(HANDLE token, const WCHAR *name, const LUID *session);

/* The same for one that a context has given out: it is asked for its client. */
void token_name_learn(struct package *package, struct provider_context *context, HANDLE token);

/* And for the one that the thread acts with now. */
void token_name_learn_thread(struct package *package, struct provider_context *context);

/* The session of a foreign token that a log-on has ended in; false for any other. */
bool token_logon_get(HANDLE token, LUID *out);

/* The client of a foreign token, in the process heap; ERROR_NONE_MAPPED when it is not known. */
DWORD token_name_get(HANDLE token, WCHAR **out);
