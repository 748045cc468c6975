/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a child of hosting.h states of the packages that it has. */
#pragma once

#include "hosting.h"
#include "loopback.h"

static inline void expect_listed(const wchar_t *name, int times)
{
    int found = hosting_times_listed(name);
    ok(found == times, "%ls is listed %d times, not %d", name, found, times);
}

/* Whatever the others do. */
static inline void expect_ntlm_works(void)
{
    static struct loopback loop;
    expect_listed(L"NTLM", 1);
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "NTLM: %08lx", status)) return;
    ok(contexts_talk(&loop.client, &loop.server), "NTLM does not talk");
    loopback_close(&loop);
}
