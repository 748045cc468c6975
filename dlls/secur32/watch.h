/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Being told when a key of HKEY_LOCAL_MACHINE changes. */
#pragma once

#include "ssp/abi.h"

struct watch;

/*
 * Calls changed(argument) on a thread of the pool after each change of the key or of what is below
 * it, until watch_free; changes that come together may be told once. Of a key that does not exist,
 * the nearest one above it is watched. NULL when there is no way.
 */
struct watch *watch_create(const WCHAR *key, void (*changed)(void *argument), void *argument);

/* Waits for a call that is under way, which must not be the one that calls this. NULL is fine. */
void watch_free(struct watch *watch);
