/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing handshake tokens on their way; for dialogue.c. */
#pragma once

#include "dialogue.h"

enum { TAMPER_TOKEN_GROWTH = 16 }; /* room that the frame needs behind the token */

/* Leaves a token alone that has nothing to change of that kind. */
void tamper_token(enum dialogue_tamper tamper, struct octets *frame);
