/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See ssp/kept.h. */
#include "ssp/kept.h"

#include <string.h>

void kept_get(struct kept *kept, void *out)
{
    struct lock *lock = shared_lock_read(&kept->lock);
    bool fresh = GetTickCount64() < kept->expires;
    if (fresh) memcpy(out, kept->value, kept->size);
    lock_give(lock);
    if (fresh) return;

    memset(out, 0, kept->size);
    kept->read(out);
    shared_lock_take(&kept->lock);
    memcpy(kept->value, out, kept->size);
    kept->expires = GetTickCount64() + KEPT_MILLISECONDS;
    shared_lock_give(&kept->lock);
}
