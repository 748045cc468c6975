/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections to the LSA: the handles of LsaConnectUntrusted and LsaRegisterLogonProcess. They are
 * made to look like no kernel object's, so that closing one by mistake closes nothing.
 */
#pragma once

#include "ssp/abi.h"

struct lsa_connection {
    bool trusted; /* opened as a logon process */
};

/* A copy of what the handle stands for; false when it is none. Any thread. */
bool lsa_connection_find(HANDLE handle, struct lsa_connection *out);
