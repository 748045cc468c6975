/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private keys of curves, in containers of the system's key storage or, since Wine 8.0 keeps no
 * such keys, where the packages of this project look for them.
 */
#pragma once

#include <stdbool.h>

#include <windows.h>

/* Keeps the key (a BCRYPT_ECCPRIVATE_BLOB) in the system's storage. */
bool curve_key_import(wchar_t *name, BYTE *blob, DWORD size);

/* Keeps it where the packages look: in the registry, sealed for the user (ssp_schannel/key.c). */
bool curve_key_seal(const wchar_t *name, BYTE *blob, DWORD size);

/* Removes the key of that name, wherever it is. */
void curve_key_remove(const wchar_t *name);
