/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mechanisms: every listed package that says it can be negotiated and has an object
 * identifier. Those of Kerberos and NTLM are known (MS-SPNG 1.9, MS-KILE 1.9); any other package
 * is given one by a string value of its name, with the identifier in dots, under
 * HKLM\SOFTWARE\winesspi\Mechanisms (64-bit view). Kerberos is preferred to everything else and
 * everything else to NTLM. Omitted: NEGOEX, the mechanism of mechanisms (MS-NEGOEX).
 */
#include "negotiate_package.h"

#include "core/der.h"
#include "ssp/policy.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("negotiate");

#define MECHANISMS_KEY PREFIX_REGISTRY_KEY L"\\Mechanisms"
#define OID_TEXT_MAX 128u

/* ---- identifiers ---- */

bool oid_set(struct oid *out, struct slice bytes)
{
    if (!bytes.size || bytes.size > sizeof(out->bytes)) return false;
    memcpy(out->bytes, bytes.data, bytes.size);
    out->size = bytes.size;
    return true;
}

bool oid_is(const struct oid *oid, struct slice bytes)
{
    return oid->size == bytes.size && bytes.size && !memcmp(oid->bytes, bytes.data, bytes.size);
}

bool mech_list_has(struct slice mech_list, struct slice oid)
{
    struct reader r, list;
    reader_init(&r, mech_list.data, mech_list.size);
    der_enter(&r, DER_SEQUENCE, &list);
    while (reader_left(&list)) {
        struct slice one = der_bytes(&list, DER_OID);
        if (!reader_ok(&list)) return false;
        if (one.size == oid.size && !memcmp(one.data, oid.data, oid.size)) return true;
    }
    return false;
}

static bool oid_is_known(const struct oid *oid)
{
    return oid_is(oid, spnego_oid_ntlm) || oid_is(oid, spnego_oid_kerberos) ||
           oid_is(oid, spnego_oid_ms_kerberos);
}

static bool oid_parse(const wchar_t *wide, struct oid *out)
{
    char text[OID_TEXT_MAX];
    struct writer w;
    size_t length = wcslen(wide);
    if (length >= OID_TEXT_MAX) return false;
    for (size_t i = 0; i <= length; i++) text[i] = wide[i] < 128 ? (char)wide[i] : '?';
    writer_init_fixed(&w, out->bytes, sizeof(out->bytes));
    if (!spnego_oid_parse(text, &w) || !status_ok(writer_status(&w))) return false;
    out->size = writer_view(&w).size;
    return true;
}

/* What the registry says, for a package that is neither of the two known ones. Their identifiers
 * are not given away, whichever is listed first. *status is a failure when it cannot be read. */
static bool oid_configured(const wchar_t *package, struct oid *out, status_t *status)
{
    DWORD type;
    HKEY key = policy_key_open(HKEY_LOCAL_MACHINE, MECHANISMS_KEY, status);
    wchar_t *text = policy_strings_get(key, package, &type, status);
    if (key) RegCloseKey(key);
    if (!text) return false;
    bool parsed = type == REG_SZ && oid_parse(text, out);
    free(text);
    if (!parsed) {
        WARN("the object identifier configured for %ls is none\n", package);
        return false;
    }
    if (oid_is_known(out)) WARN("%ls has the object identifier of another package\n", package);
    return !oid_is_known(out);
}

/* ---- the list ---- */

static bool name_is(const wchar_t *name, const wchar_t *other, int other_length)
{
    return CompareStringOrdinal(name, -1, other, other_length, TRUE) == CSTR_EQUAL;
}

/* The lower, the more it is preferred. */
static int mech_rank(const struct mech *mech)
{
    if (oid_is(&mech->oids[0], spnego_oid_ms_kerberos)) return 0;
    return oid_is(&mech->oids[0], spnego_oid_ntlm) ? 2 : 1;
}

static bool mech_make(const SecPkgInfoW *info, struct mech *out, status_t *status)
{
    if (!(info->fCapabilities & SECPKG_FLAG_NEGOTIABLE)) return false;
    if (wcslen(info->Name) > SPNEGO_PACKAGE_CHARS || name_is(info->Name, L"Negotiate", -1))
        return false;
    memset(out, 0, sizeof(*out));
    wcscpy(out->name, info->Name);
    out->token_max = info->cbMaxToken;
    out->oid_count = 1;
    if (name_is(info->Name, L"NTLM", -1)) return oid_set(&out->oids[0], spnego_oid_ntlm);
    if (!name_is(info->Name, L"Kerberos", -1))
        return oid_configured(info->Name, &out->oids[0], status);
    /* Windows offers the identifier with the old mistake in it first. */
    out->oid_count = 2;
    return oid_set(&out->oids[0], spnego_oid_ms_kerberos) &&
           oid_set(&out->oids[1], spnego_oid_kerberos);
}

static bool mechs_have(const struct mechs *mechs, const struct mech *mech)
{
    for (size_t i = 0; i < mechs->count; i++)
        for (size_t j = 0; j < mechs->items[i].oid_count; j++)
            if (oid_is(&mechs->items[i].oids[j], oid_slice(&mech->oids[0]))) return true;
    return false;
}

/* False when there is none for this one. The two that everybody knows are never left out. */
static bool mechs_make_room(struct mechs *mechs, const struct mech *mech)
{
    if (mechs->count < MECHS_MAX) return true;
    size_t last = MECHS_MAX - 1;
    if (mech_rank(&mechs->items[last]) > 1) last--;
    const struct mech *dropped = mech_rank(mech) == 1 ? mech : &mechs->items[last];
    WARN("there are too many mechanisms: without %ls\n", dropped->name);
    if (dropped == mech) return false;
    memmove(&mechs->items[last], &mechs->items[last + 1],
            (MECHS_MAX - 1 - last) * sizeof(*mechs->items));
    mechs->count--;
    return true;
}

/* Behind those that are preferred as much. */
static void mechs_insert(struct mechs *mechs, const struct mech *mech)
{
    if (!mechs_make_room(mechs, mech)) return;
    size_t place = mechs->count;
    while (place && mech_rank(&mechs->items[place - 1]) > mech_rank(mech)) place--;
    memmove(&mechs->items[place + 1], &mechs->items[place],
            (mechs->count - place) * sizeof(*mechs->items));
    mechs->items[place] = *mech;
    mechs->count++;
}

status_t mechs_find(struct mechs *out)
{
    ULONG count;
    SecPkgInfoW *infos;
    struct mech mech;
    status_t status = EnumerateSecurityPackagesW(&count, &infos);
    if (!status_ok(status)) return status;
    out->count = 0;
    for (ULONG i = 0; i < count; i++)
        if (mech_make(&infos[i], &mech, &status) && !mechs_have(out, &mech))
            mechs_insert(out, &mech);
    FreeContextBuffer(infos);
    return status;
}

/* ---- the package list of an identity ---- */

struct entry {
    bool excludes;
    const wchar_t *name;
    int length;
};

/* The entry at *next, which moves behind it; false at the end. Blanks around a name and empty
 * entries do not count. */
static bool entry_next(const wchar_t **next, struct entry *out)
{
    static const wchar_t blanks[] = L" \t";
    while (**next) {
        const wchar_t *name = *next + wcsspn(*next, blanks);
        size_t length = wcscspn(name, L",");
        *next = name[length] ? name + length + 1 : name + length;
        out->excludes = length && name[0] == '!';
        if (out->excludes) {
            size_t skipped = 1 + wcsspn(name + 1, blanks);
            name += skipped;
            length -= skipped;
        }
        while (length && wcschr(blanks, name[length - 1])) length--;
        out->name = name;
        out->length = (int)length;
        if (length) return true;
    }
    return false;
}

static bool list_allows(const wchar_t *package_list, const wchar_t *name)
{
    struct entry entry;
    bool any_included = false, included = false;
    for (const wchar_t *next = package_list; entry_next(&next, &entry);) {
        bool named = name_is(name, entry.name, entry.length);
        if (entry.excludes && named) return false;
        any_included = any_included || !entry.excludes;
        included = included || named;
    }
    return included || !any_included;
}

void mechs_select(struct mechs *mechs, const wchar_t *package_list, bool *sole)
{
    struct entry entry;
    size_t kept = 0, included = 0;
    if (!package_list) package_list = L"";
    for (const wchar_t *next = package_list; entry_next(&next, &entry);)
        if (!entry.excludes) included++;
    for (size_t i = 0; i < mechs->count; i++)
        if (list_allows(package_list, mechs->items[i].name)) mechs->items[kept++] = mechs->items[i];
    mechs->count = kept;
    *sole = included == 1;
}
