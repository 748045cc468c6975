/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import in sspictl check-provider: established contexts with and without the old one,
 * half-open ones at each stage. A package may leave it out, but must not do it by half.
 */
#include "exchange.h"
#include "names.h"
#include "provider_check.h"
#include "provider_talk.h"

#include <string.h>

static const char *const side_names[] = {"the client", "the server"};

/* Exports and imports; on success *context is the imported one, and the old one, if it lives on, is
 * deleted. *what says where it failed. */
static SECURITY_STATUS context_move(const struct check *check, CtxtHandle *context, ULONG flags,
                                    const char **what)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    CtxtHandle imported;
    *what = "export";
    SECURITY_STATUS status = ExportSecurityContext(context, flags, &packed, NULL);
    if (status != SEC_E_OK) return status;
    *what = "import";
    status = ImportSecurityContextW(check->name, &packed, NULL, &imported);
    if (packed.pvBuffer) SecureZeroMemory(packed.pvBuffer, packed.cbBuffer);
    FreeContextBuffer(packed.pvBuffer);
    if (status != SEC_E_OK) return status;
    DeleteSecurityContext(context);
    *context = imported;
    return SEC_E_OK;
}

static bool talk(const struct check *check, struct pair *pair)
{
    struct exchange exchange = {0, 0, NULL, SEC_E_OK};
    if (!(check->capabilities & SECPKG_FLAG_PRIVACY)) return true;
    if (exchange_run(&pair->contexts[CLIENT], &pair->contexts[SERVER], 2, &exchange)) return true;
    provider_breach("%s: %s", exchange.problem, status_text(exchange.status).text);
    return false;
}

/* Both sides, one with and one without DELETE_OLD, and on with the messages. */
static bool sides_move(const struct check *check, struct pair *pair)
{
    for (int i = 0; i < 4; i++) {
        const char *what;
        ULONG flags = i < 2 ? 0 : SECPKG_CONTEXT_EXPORT_DELETE_OLD;
        SECURITY_STATUS status = context_move(check, &pair->contexts[i % 2], flags, &what);
        if (status == SEC_E_UNSUPPORTED_FUNCTION && !i) {
            provider_absent("%s", what);
            return false;
        }
        if (status != SEC_E_OK) {
            provider_breach("%s of %s: %s", what, side_names[i % 2], status_text(status).text);
            return false;
        }
        if (!talk(check, pair)) return false;
    }
    return true;
}

void check_export(const struct check *check)
{
    struct pair pair;
    provider_begin("export and import");
    SECURITY_STATUS status = check_connect(check, &pair);
    if (status != SEC_E_OK) return provider_breach("%s", status_text(status).text);
    if (talk(check, &pair) && sides_move(check, &pair))
        provider_kept("client and server live on, with all flags");
    pair_close(&pair);
}

/* After each leg, the side that made it is moved and the handshake goes on. Where export is
 * refused, the context has to be as it was. */
static bool stage_move(const struct check *check, unsigned legs, bool *refused)
{
    struct pair pair;
    const char *what = "handshake";
    SECURITY_STATUS status = check_open(check, &pair);
    while (status >= 0 && pair.legs < legs) status = pair_leg(&pair);
    int side = (legs - 1) % 2 ? SERVER : CLIENT;
    SECURITY_STATUS moved = status;
    if (status >= 0)
        moved = context_move(check, &pair.contexts[side], SECPKG_CONTEXT_EXPORT_DELETE_OLD, &what);
    *refused = *refused || moved != SEC_E_OK;
    if (status >= 0)
        status = moved != SEC_E_OK && !strcmp(what, "import") ? moved : pair_finish(&pair);
    if (status != SEC_E_OK)
        provider_breach("%s after leg %u: %s", moved == SEC_E_OK ? "going on" : what, legs,
                        status_text(status).text);
    bool good = status == SEC_E_OK && talk(check, &pair);
    pair_close(&pair);
    return good;
}

void check_half_open(const struct check *check)
{
    bool refused = false;
    provider_begin("half-open export");
    for (unsigned legs = 1; legs < check->legs; legs++)
        if (!stage_move(check, legs, &refused)) return;
    if (refused) provider_absent("refused, and the handshake goes on");
    else provider_kept("at each of %u stages", check->legs - 1);
}
