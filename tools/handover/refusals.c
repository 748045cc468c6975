/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Imports that have to fail, each with the status that says why. Damage is tried on a fresh blob
 * that nobody has imported, and that blob is imported at the end: what was refused before was
 * refused for the damage alone.
 */
#include "refusals.h"

#include "narrate.h"
#include "session.h"

#include "../sspictl/loopback.h"
#include "../sspictl/names.h"
#include "../sspictl/transfer.h"

#include <string.h>

#define STATUSES_MAX 6

/* How often each status came. */
struct tally {
    struct {
        SECURITY_STATUS status;
        unsigned count;
    } seen[STATUSES_MAX];
    unsigned kinds, total, unexpected;
};

/* What is accepted against expectation is deleted again; the caller says so. */
static SECURITY_STATUS refusal_import(const wchar_t *package_name, struct slice blob)
{
    wchar_t package[64];
    wcscpy(package, package_name);
    CtxtHandle context;
    SECURITY_STATUS status = transfer_import(package, blob, &context);
    if (status == SEC_E_OK) DeleteSecurityContext(&context);
    return status;
}

static bool refusal_expect(const char *what, SECURITY_STATUS status, SECURITY_STATUS expected)
{
    if (status != expected)
        return narrate_failure("%s: %s, not %s", what, status_text(status).text,
                               status_text(expected).text);
    const char *reason = status_import_reason(status);
    narrate("%s: %s%s%s", what, status_text(status).text, reason ? ", " : "", reason ? reason : "");
    return true;
}

static void tally_add(struct tally *tally, SECURITY_STATUS status, bool expected)
{
    tally->total++;
    if (!expected) tally->unexpected++;
    for (unsigned i = 0; i < tally->kinds; i++) {
        if (tally->seen[i].status != status) continue;
        tally->seen[i].count++;
        return;
    }
    if (tally->kinds == STATUSES_MAX) return;
    tally->seen[tally->kinds].status = status;
    tally->seen[tally->kinds++].count = 1;
}

static bool tally_show(const struct tally *tally, const char *what)
{
    narrate("%s: %u of %u refused as they must be", what, tally->total - tally->unexpected,
            tally->total);
    for (unsigned i = 0; i < tally->kinds; i++)
        narrate("  %6u times %s", tally->seen[i].count, status_text(tally->seen[i].status).text);
    return !tally->unexpected || narrate_failure("%u were not", tally->unexpected);
}

/* In the sealed half only MESSAGE_ALTERED will do. In front stand plain fields that say what the
 * blob is and which secret sealed it: there, not being readable or not being ours is right too. */
static bool bit_refusal_fits(SECURITY_STATUS status, size_t offset, size_t size)
{
    if (status == SEC_E_MESSAGE_ALTERED) return true;
    if (offset >= size / 2) return false;
    return status == SEC_E_INVALID_TOKEN || status == SEC_E_NOT_OWNER;
}

static bool refusals_bits(uint8_t *blob, size_t size)
{
    struct tally tally = {.kinds = 0};
    for (size_t bit = 0; bit < 8 * size; bit++) {
        blob[bit / 8] ^= (uint8_t)(1u << bit % 8);
        SECURITY_STATUS status = refusal_import(SESSION_PACKAGE, (struct slice){blob, size});
        blob[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tally_add(&tally, status, bit_refusal_fits(status, bit / 8, size));
    }
    return tally_show(&tally, "one bit changed, each bit in turn");
}

static bool refusals_lengths(const uint8_t *blob, size_t size)
{
    struct tally tally = {.kinds = 0};
    /* A buffer of no bytes is left out: that is a wrong call, not a wrong blob. */
    for (size_t length = 1; length < size; length++) {
        SECURITY_STATUS status = refusal_import(SESSION_PACKAGE, (struct slice){blob, length});
        tally_add(&tally, status, status == SEC_E_INVALID_TOKEN);
    }
    return tally_show(&tally, "cut short, to each shorter length");
}

static bool refusals_damage(void)
{
    struct writer blob;
    writer_init(&blob);
    bool result = refusals_make_blob(&blob);
    if (!result) goto done;
    narrate("made a fresh blob to damage: %lu bytes", (unsigned long)blob.size);
    struct slice whole = writer_view(&blob);
    /* All of them are tried even after one has failed. */
    result &= refusals_bits(blob.data, blob.size);
    result &= refusals_lengths(blob.data, blob.size);
    result &= refusal_expect("under an unknown package's name",
                             refusal_import(L"No such package", whole), SEC_E_SECPKG_NOT_FOUND);
    result &= refusal_expect("undamaged: is imported", refusal_import(SESSION_PACKAGE, whole),
                             SEC_E_OK);
    result &= refusal_expect("the same again", refusal_import(SESSION_PACKAGE, whole),
                             SEC_E_CONTEXT_EXPIRED);
done:
    writer_free(&blob);
    return result;
}

bool refusals_make_blob(struct writer *blob)
{
    wchar_t package[] = SESSION_PACKAGE;
    struct loopback_request request = {.package = package};
    struct loopback l;
    SECURITY_STATUS status = loopback_run(&request, &l);
    if (status != SEC_E_OK)
        return narrate_failure("a handshake with oneself failed at %s: %s", l.step,
                               status_text(status).text);
    status = transfer_export(&l.server.context, blob);
    loopback_clear(&l);
    return status == SEC_E_OK ||
           narrate_failure("exporting the context: %s", status_text(status).text);
}

bool refusals_run(const struct refusals *refusals)
{
    bool result = true;
    for (size_t i = 0; i < refusals->used_count; i++) {
        char what[64];
        snprintf(what, sizeof(what), "the blob of hand-over %u again", (unsigned)i + 1);
        result &= refusal_expect(what,
                                 refusal_import(SESSION_PACKAGE, writer_view(&refusals->used[i])),
                                 SEC_E_CONTEXT_EXPIRED);
    }
    result &= refusals_damage();
    if (refusals->foreign.size)
        result &= refusal_expect("a blob from another Wine prefix",
                                 refusal_import(SESSION_PACKAGE, writer_view(&refusals->foreign)),
                                 SEC_E_NOT_OWNER);
    else narrate("a blob from another Wine prefix: not tried, none was given");
    return result;
}
