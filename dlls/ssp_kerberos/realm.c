/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Realms, as the host knows them: what the default one is, and which has no KDC to be asked. Like
 * policies they are looked at once a second at the most. By Negotiate every handshake of an account
 * that only its server knows comes by here before it uses NTLM, and asking the host may mean asking
 * its name server.
 */
#include "kerberos_package.h"

#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("kerberos");

#define KEPT_MILLISECONDS 1000u
#define ABSENT_REALMS 4u
#define REALM_MAX sizeof(((struct kerberos_call_library *)0)->realm)

struct kept_realm {
    char name[REALM_MAX];
    size_t size;
    ULONGLONG until; /* 0: nothing is known yet */
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct kept_realm the_default, absent[ABSENT_REALMS];
static volatile LONG next_absent; /* place */

static void realm_keep(struct kept_realm *place, struct slice name)
{
    if (name.size > sizeof(place->name)) return;
    AcquireSRWLockExclusive(&lock);
    if (name.size) memcpy(place->name, name.data, name.size);
    place->size = name.size;
    place->until = GetTickCount64() + KEPT_MILLISECONDS;
    ReleaseSRWLockExclusive(&lock);
}

status_t realm_default(struct blob *out)
{
    struct kept_realm realm;
    AcquireSRWLockShared(&lock);
    realm = the_default;
    ReleaseSRWLockShared(&lock);
    if (GetTickCount64() >= realm.until) {
        struct kerberos_call_library call = {.name = ""};
        status_t status = library_call(KERBEROS_CALL_LIBRARY, &call);
        if (!status_ok(status)) return status;
        memcpy(realm.name, call.realm, sizeof(realm.name));
        realm.size = strnlen(realm.name, sizeof(realm.name));
        realm_keep(&the_default, (struct slice){(const uint8_t *)realm.name, realm.size});
    }
    return utf16_make((struct slice){(const uint8_t *)realm.name, realm.size}, out);
}

/* Of a principal in UTF-8; empty for that of the default realm. */
static struct slice realm_of(struct slice principal)
{
    for (size_t at = principal.size; at-- > 0;)
        if (principal.data[at] == '@' && (!at || principal.data[at - 1] != '\\'))
            return slice_rest(principal, at + 1);
    return (struct slice){NULL, 0};
}

static bool realm_is(const struct kept_realm *realm, struct slice name)
{
    return GetTickCount64() < realm->until && realm->size == name.size &&
           (!name.size || !memcmp(realm->name, name.data, name.size));
}

bool realm_is_absent(struct slice principal)
{
    struct slice name = realm_of(principal);
    bool found = false;
    AcquireSRWLockShared(&lock);
    for (size_t i = 0; i < ARRAYSIZE(absent); i++) found = found || realm_is(&absent[i], name);
    ReleaseSRWLockShared(&lock);
    if (found) TRACE("no KDC a moment ago: %.*s\n", (int)name.size, (const char *)name.data);
    return found;
}

void realm_note_absent(struct slice principal)
{
    ULONG place = (ULONG)InterlockedIncrement(&next_absent) % ABSENT_REALMS;
    realm_keep(&absent[place], realm_of(principal));
}
