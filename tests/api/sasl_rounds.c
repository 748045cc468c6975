/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The security layer of SASL's GSSAPI: what both ends agree on, what the context lets through
 * afterwards, and what each end must refuse. [RFC4752] RFC 4752 3.1 to 3.3; [D] the pages of the
 * Sasl functions. The mechanism is mapped to NTLM and to Negotiate, which are there everywhere.
 */
#include "sasl_peer.h"

static struct account account;
static bool have_account;
static struct loopback loop;

#define INTEGRITY ISC_REQ_INTEGRITY
#define PRIVACY ISC_REQ_CONFIDENTIALITY
#define S_INTEGRITY ASC_REQ_INTEGRITY
#define S_PRIVACY ASC_REQ_CONFIDENTIALITY

static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};

static bool rounds_open(const wchar_t *package, ULONG client_flags, ULONG server_flags)
{
    const wchar_t *const pairs[][2] = {{L"GSSAPI", package}};
    if (!ok(profiles_set(pairs, 1), "the profiles cannot be set")) return false;
    SECURITY_STATUS status = loopback_open(&loop, package, have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return false;
    loop.client_flags = client_flags;
    loop.server_flags = server_flags;
    return true;
}

/* The client takes the weakest layer that both are content with [ours]; attributes, messages and
 * sizes are those of the layer */
static void check_messages(unsigned row, ULONG layer, CtxtHandle *from, CtxtHandle *to)
{
    static const struct {
        ULONG qop, layer; /* that it goes through in */
    } ways[] = {{0, LAYER_PRIVACY}, {SECQOP_WRAP_NO_ENCRYPT, LAYER_INTEGRITY}};
    for (unsigned i = 0; i < 2; i++) {
        SECURITY_STATUS status = message_pass(from, to, ways[i].qop, 100);
        SECURITY_STATUS expected = layer == ways[i].layer ? SEC_E_OK : SEC_E_QOP_NOT_SUPPORTED;
        ok(status == expected, "row %u: way %u: %08lx", row, i, status);
    }
    struct message message;
    message_set(&message, "text", 4);
    SECURITY_STATUS status = message_sign(from, &message);
    if (layer == LAYER_NONE) {
        ok(status == SEC_E_QOP_NOT_SUPPORTED, "row %u: signed: %08lx", row, status);
        message.token_size = 16;
        status = message_open(to, &message);
        ok(status == SEC_E_QOP_NOT_SUPPORTED, "row %u: opened: %08lx", row, status);
        status = message_verify(to, &message);
        ok(status == SEC_E_QOP_NOT_SUPPORTED, "row %u: verified: %08lx", row, status);
    } else {
        ok(!status && !message_verify(to, &message), "row %u: not signed: %08lx", row, status);
    }
}

static void check_agreed(unsigned row, ULONG layer)
{
    ULONG both = ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY;
    ULONG expected = layer == LAYER_PRIVACY ? both
                                            : (layer == LAYER_INTEGRITY ? ISC_RET_INTEGRITY : 0);
    ok((loop.client_attrs & both) == expected, "row %u: client %lx", row, loop.client_attrs);
    both = ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY;
    expected = layer == LAYER_PRIVACY ? both : (layer == LAYER_INTEGRITY ? ASC_RET_INTEGRITY : 0);
    ok((loop.server_attrs & both) == expected, "row %u: server %lx", row, loop.server_attrs);
    ULONG sequences = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT;
    if (layer == LAYER_NONE) ok(!(loop.client_attrs & sequences), "row %u: sequences", row);
    check_messages(row, layer, &loop.client, &loop.server);
    check_messages(row, layer, &loop.server, &loop.client);
}

static void test_layers(void)
{
    static const struct {
        ULONG client, server, layer; /* 0: they do not agree */
    } rows[] = {
        {0, 0, LAYER_NONE},
        {INTEGRITY, 0, LAYER_INTEGRITY},
        {ISC_REQ_SEQUENCE_DETECT, 0, LAYER_INTEGRITY},
        {PRIVACY, 0, LAYER_PRIVACY},
        {PRIVACY | INTEGRITY, 0, LAYER_PRIVACY},
        {0, S_INTEGRITY, LAYER_INTEGRITY},
        {INTEGRITY, S_INTEGRITY, LAYER_INTEGRITY},
        {PRIVACY, S_INTEGRITY, LAYER_PRIVACY},
        {PRIVACY, S_PRIVACY, LAYER_PRIVACY},
        {INTEGRITY, S_PRIVACY, 0},
        {0, S_PRIVACY, 0},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < 2 * ARRAYSIZE(rows); i++) {
        unsigned row = i / 2;
        if (!rounds_open(packages[i % 2], rows[row].client, rows[row].server)) return;
        SECURITY_STATUS status = sasl_connect(&loop);
        if (rows[row].layer) {
            if (ok(!status, "row %u, %ls: %08lx", row, packages[i % 2], status))
                check_agreed(row, rows[row].layer);
        } else {
            ok(status == SEC_E_QOP_NOT_SUPPORTED, "row %u: agreed: %08lx", row, status);
        }
        loopback_close(&loop);
    }
}

static ULONG get_number(CtxtHandle *context, ULONG option)
{
    ULONG value = 0, needed = 0;
    SECURITY_STATUS status = SaslGetContextOption(context, option, &value, sizeof(value), &needed);
    return ok(!status && needed == sizeof(value), "option %lu: %08lx", option, status) ? value : 0;
}

/* [D SaslGetContextOption] what may be sent is what the other takes, less what protection adds;
 * [RFC4752 3.1] what the other takes is in its message */
static void test_sizes(void)
{
    if (!ours_only() || !rounds_open(L"NTLM", PRIVACY, S_PRIVACY)) return;
    ULONG takes = 1000;
    SECURITY_STATUS status = sasl_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status);
    ok(get_number(&loop.client, SASL_OPTION_SEND_SIZE) == 0xffff, "default");
    ok(get_number(&loop.client, SASL_OPTION_RECV_SIZE) == 0xffff, "default");
    status = SaslSetContextOption(&loop.client, SASL_OPTION_RECV_SIZE, &takes, sizeof(takes));
    ok(!status, "not set: %08lx", status);
    status = sasl_server_leg(&loop);
    takes = 2000;
    ok(!SaslSetContextOption(&loop.server, SASL_OPTION_RECV_SIZE, &takes, sizeof(takes)), "set");
    if (!status) status = SEC_E_INTERNAL_ERROR;
    while (status == SEC_I_CONTINUE_NEEDED) {
        SECURITY_STATUS client = sasl_client_leg(&loop);
        ok(client >= 0, "client: %08lx", client);
        status = sasl_server_leg(&loop);
    }
    if (ok(!status, "server: %08lx", status)) {
        ok(get_number(&loop.server, SASL_OPTION_SEND_SIZE) == 1000 - 16, "server sends");
        ok(get_number(&loop.client, SASL_OPTION_SEND_SIZE) == 2000 - 16, "client sends");
        ok(!message_pass(&loop.client, &loop.server, 0, 2000 - 16), "the largest");
        ok(!message_pass(&loop.server, &loop.client, 0, 1000 - 16), "the largest back");
        status = message_pass(&loop.client, &loop.server, 0, 2000 - 15);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "larger: %08lx", status);
        status = message_pass(&loop.server, &loop.client, 0, 1000 - 15);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "larger back: %08lx", status);
        static BYTE large[1001];
        SecBuffer parts[] = {{sizeof(large), SECBUFFER_STREAM, large}, {0, SECBUFFER_DATA, NULL}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        status = DecryptMessage(&loop.client, &desc, 0, NULL);
        ok(status == SEC_E_INVALID_TOKEN, "received larger: %08lx", status);
        ok(contexts_talk(&loop.client, &loop.server), "hurt");
        status = SaslSetContextOption(&loop.client, SASL_OPTION_RECV_SIZE, &takes, sizeof(takes));
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "too late: %08lx", status);
    }
    loopback_close(&loop);
}

/* [D SaslSetContextOption], [RFC4752 3.1]: who the client acts for reaches the server */
static SECURITY_STATUS connect_for(const char *name, ULONG size, ULONG processing, bool at_server)
{
    SECURITY_STATUS status = sasl_client_leg(&loop);
    if (status < 0) return status;
    status = SaslSetContextOption(&loop.client, SASL_OPTION_AUTHZ_STRING, (void *)name, size);
    if (status) return status;
    status = sasl_server_leg(&loop);
    if (status < 0) return status;
    CtxtHandle *where = at_server ? &loop.server : &loop.client;
    status = SaslSetContextOption(where, SASL_OPTION_AUTHZ_PROCESSING, &processing,
                                  sizeof(processing));
    if (status) return status;
    do {
        SECURITY_STATUS client = sasl_client_leg(&loop);
        if (client < 0) return client;
        status = sasl_server_leg(&loop);
    } while (status == SEC_I_CONTINUE_NEEDED);
    return status;
}

static void test_authorization(void)
{
    static const char name[] = "Gr\xc3\xbcn@example";
    char back[64];
    ULONG needed;
    if (!ours_only() || !rounds_open(L"NTLM", INTEGRITY, 0)) return;
    SECURITY_STATUS status = connect_for(name, sizeof(name), Sasl_AuthZIDProcessed, true);
    if (ok(!status, "not connected: %08lx", status)) {
        status = SaslGetContextOption(&loop.server, SASL_OPTION_AUTHZ_STRING, back, sizeof(back),
                                      &needed);
        ok(!status && needed == sizeof(name) - 1 && !memcmp(back, name, needed), "the name");
        memset(back, '#', sizeof(back));
        needed = 0;
        status = SaslGetContextOption(&loop.server, SASL_OPTION_AUTHZ_STRING, back, 5, &needed);
        ok(status == SEC_E_BUFFER_TOO_SMALL && needed == sizeof(name) - 1, "short: %08lx", status);
        ok(back[0] == '#', "written all the same");
    }
    loopback_close(&loop);

    static const char plain[] = "bob";
    for (int at_server = 0; at_server < 2; at_server++) {
        if (!rounds_open(L"NTLM", INTEGRITY, 0)) return;
        status = connect_for(plain, 3, Sasl_AuthZIDForbidden, at_server);
        ok(status == SEC_E_ALGORITHM_MISMATCH, "forbidden: %08lx", status); /* [D] */
        CtxtHandle *where = at_server ? &loop.server : &loop.client;
        status = SaslGetContextOption(where, SASL_OPTION_AUTHZ_STRING, back, sizeof(back), NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "asked for: %08lx", status); /* [D] */
        status = SaslSetContextOption(where, SASL_OPTION_AUTHZ_STRING, (void *)plain, 3);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "set: %08lx", status); /* [D] */
        loopback_close(&loop);
        if (!rounds_open(L"NTLM", INTEGRITY, 0)) return;
        status = connect_for("", 0, Sasl_AuthZIDForbidden, at_server);
        ok(!status, "forbidden and not there: %08lx", status);
        loopback_close(&loop);
    }
    if (!rounds_open(L"NTLM", INTEGRITY, 0)) return;
    status = connect_for("a\xff", 2, Sasl_AuthZIDProcessed, true);
    ok(status == SEC_E_INVALID_PARAMETER, "not UTF-8: %08lx", status);
    loopback_close(&loop);
}

/* ---- what each end must refuse: [RFC4752 3.1, 3.2] ---- */

/* What the client answers to these octets. */
static SECURITY_STATUS answer_to(const void *offer, ULONG size, ULONG flags, BYTE *choice,
                                 ULONG *choice_size)
{
    if (!rounds_open(L"NTLM", flags, SERVER_SEAL_FLAGS)) return SEC_E_INTERNAL_ERROR;
    SECURITY_STATUS status = sasl_half_connect(&loop, false);
    if (ok(!status, "half connected: %08lx", status)) {
        status = text_wrap(&loop, &loop.server, offer, size);
        ok(!status, "wrapped: %08lx", status);
        status = sasl_client_leg(&loop);
        if (!status) status = text_unwrap(&loop, &loop.server, choice, choice_size);
    }
    loopback_close(&loop);
    return status;
}

static void test_offers(void)
{
    static const struct {
        const char *offer;
        ULONG size, flags;
        SECURITY_STATUS status;
        const char *choice; /* four octets */
    } rows[] = {
        {"\x07\x00\xff\xff", 4, PRIVACY, SEC_E_OK, "\x04\x00\xff\xff"},
        {"\x07\x00\xff\xff", 4, INTEGRITY, SEC_E_OK, "\x02\x00\xff\xff"},
        {"\x07\x00\xff\xff", 4, 0, SEC_E_OK, "\x01\x00\x00\x00"},
        {"\x01\x00\x00\x00", 4, 0, SEC_E_OK, "\x01\x00\x00\x00"},
        {"\x09\x00\x10\x00", 4, 0, SEC_E_OK, "\x01\x00\x00\x00"},
        {"\x06\x00\x00\x10", 4, INTEGRITY, SEC_E_QOP_NOT_SUPPORTED, NULL}, /* no room */
        {"\x01\x00\x00\x00", 4, INTEGRITY, SEC_E_QOP_NOT_SUPPORTED, NULL},
        {"\x03\x00\xff\xff", 4, PRIVACY, SEC_E_QOP_NOT_SUPPORTED, NULL},
        {"\x08\x00\xff\xff", 4, 0, SEC_E_QOP_NOT_SUPPORTED, NULL},
        {"\x01\x00\x00\x01", 4, 0, SEC_E_INVALID_TOKEN, NULL},
        {"\x00\x00\x00\x00", 4, 0, SEC_E_QOP_NOT_SUPPORTED, NULL},
        {"\x07\x00\xff", 3, 0, SEC_E_INVALID_TOKEN, NULL},
        {"\x07\x00\xff\xff\x00", 5, 0, SEC_E_INVALID_TOKEN, NULL},
        {"", 0, 0, SEC_E_INVALID_TOKEN, NULL},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(rows); i++) {
        BYTE choice[64];
        ULONG size = 0;
        SECURITY_STATUS status = answer_to(rows[i].offer, rows[i].size, rows[i].flags, choice,
                                           &size);
        ok(status == rows[i].status, "row %u: %08lx", i, status);
        if (!status && rows[i].choice)
            ok(size == 4 && !memcmp(choice, rows[i].choice, 4), "row %u: choice", i);
    }
}

static void test_choices(void)
{
    static const struct {
        const char *choice;
        ULONG size, flags;
        SECURITY_STATUS status;
    } rows[] = {
        {"\x01\x00\x00\x00", 4, 0, SEC_E_OK},
        {"\x04\x00\xff\xff", 4, S_PRIVACY, SEC_E_OK},
        {"\x02\x00\x10\x00name", 8, 0, SEC_E_OK},
        {"\x01\x00\x00\x00", 4, S_INTEGRITY, SEC_E_INVALID_TOKEN}, /* not offered */
        {"\x02\x00\x10\x00", 4, S_PRIVACY, SEC_E_INVALID_TOKEN},
        {"\x03\x00\x10\x00", 4, 0, SEC_E_INVALID_TOKEN},
        {"\x08\x00\x10\x00", 4, 0, SEC_E_INVALID_TOKEN},
        {"\x00\x00\x10\x00", 4, 0, SEC_E_INVALID_TOKEN},
        {"\x01\x00\x00\x01", 4, 0, SEC_E_INVALID_TOKEN},
        {"\x02\x00\x00\x10", 4, 0, SEC_E_QOP_NOT_SUPPORTED}, /* no room */
        {"\x02\x00\x10\x00name\x00", 9, 0, SEC_E_INVALID_TOKEN},
        {"\x02\x00\x10\x00\xc3", 5, 0, SEC_E_INVALID_TOKEN},
        {"\x02\x00\x10", 3, 0, SEC_E_INVALID_TOKEN},
        {"", 0, 0, SEC_E_INVALID_TOKEN},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(rows); i++) {
        if (!rounds_open(L"NTLM", SEAL_FLAGS, rows[i].flags)) return;
        SECURITY_STATUS status = sasl_half_connect(&loop, true);
        if (ok(!status, "row %u: half connected: %08lx", i, status)) {
            BYTE offer[64];
            ULONG size = 0;
            ok(!text_unwrap(&loop, &loop.client, offer, &size) && size == 4, "row %u: offer", i);
            BYTE layers = rows[i].flags == S_PRIVACY ? 4 : (rows[i].flags == S_INTEGRITY ? 6 : 7);
            ok(!memcmp(offer + 1, "\x00\xff\xff", 3) && offer[0] == layers, "row %u: %02x", i,
               offer[0]);
            ok(!text_wrap(&loop, &loop.client, rows[i].choice, rows[i].size), "row %u: wrap", i);
            status = sasl_server_leg(&loop);
            ok(status == rows[i].status, "row %u: %08lx", i, status);
            SECURITY_STATUS again = sasl_server_leg(&loop);
            ok(again < 0, "row %u: twice: %08lx", i, again);
        }
        loopback_close(&loop);
    }
}

/* A wrapped message with any byte changed, or cut short, is refused, and does no harm: the message
 * as it was is taken afterwards. The input is as it was, too. */
static void damage(SECURITY_STATUS (*leg)(struct loopback *loop))
{
    BYTE whole[64];
    ULONG size = loop.token_size;
    if (!ok(size && size <= sizeof(whole), "%lu bytes", size)) return;
    memcpy(whole, loop.token, size);
    for (ULONG i = 0; i < 2 * size; i++) {
        loop.token_size = i < size ? size : i - size;
        memcpy(loop.token, whole, size);
        if (i < size) loop.token[i] ^= 0x10;
        BYTE given[64];
        memcpy(given, loop.token, size);
        SECURITY_STATUS status = leg(&loop);
        ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN ||
               status == SEC_E_OUT_OF_SEQUENCE,
           "change %lu: %08lx", i, status);
        ok(!memcmp(given, loop.token, size), "change %lu: the input was changed", i);
    }
    memcpy(loop.token, whole, size);
    loop.token_size = size;
    SECURITY_STATUS status = leg(&loop);
    ok(!status, "as it was: %08lx", status);
}

static void test_damage(void)
{
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        if (!rounds_open(packages[i], PRIVACY, S_PRIVACY)) return;
        SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED;
        bool offered = false;
        for (int leg = 0; leg < 4 && !offered && client >= 0; leg++) {
            client = sasl_client_leg(&loop);
            SECURITY_STATUS server = sasl_server_leg(&loop);
            offered = server == SEC_I_CONTINUE_NEEDED && loop.token_size == 20;
        }
        if (ok(offered, "%ls: no offer", packages[i])) {
            damage(sasl_client_leg);
            damage(sasl_server_leg);
            ok(contexts_talk(&loop.client, &loop.server), "%ls: hurt", packages[i]);
        }
        loopback_close(&loop);
    }
}

/* ---- calls ---- */

/* An output that is too small is said before anything happens */
static SECURITY_STATUS leg_with_room(bool server, BYTE *made, ULONG *room, ULONG more_flags)
{
    SecBuffer in = {loop.token_size, SECBUFFER_TOKEN, loop.token};
    SecBuffer out = {*room, SECBUFFER_TOKEN, more_flags ? NULL : made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status;
    if (server)
        status = SaslAcceptSecurityContext(&loop.server_cred, &loop.server, &in_desc,
                                           loop.server_flags | more_flags, SECURITY_NATIVE_DREP,
                                           &loop.server, &out_desc, &loop.server_attrs, NULL);
    else
        status = SaslInitializeSecurityContextA(
            NULL, &loop.client, NULL, loop.client_flags | more_flags, 0, SECURITY_NATIVE_DREP,
            &in_desc, 0, NULL, &out_desc, &loop.client_attrs, NULL);
    if (status < 0) ok(out.cbBuffer == *room, "the output was changed: %lu", out.cbBuffer);
    else *room = out.cbBuffer;
    if (status >= 0 && more_flags && ok(out.pvBuffer != NULL, "nothing allocated")) {
        memcpy(made, out.pvBuffer, out.cbBuffer);
        FreeContextBuffer(out.pvBuffer);
    }
    return status;
}

static void test_outputs(void)
{
    BYTE made[64];
    if (!ours_only()) return;
    for (int allocate = 0; allocate < 2; allocate++) {
        ULONG flag = allocate ? ISC_REQ_ALLOCATE_MEMORY : 0;
        if (!rounds_open(L"NTLM", PRIVACY, S_PRIVACY)) return;
        ok(sasl_client_leg(&loop) > 0 && sasl_server_leg(&loop) > 0, "first legs");
        ok(sasl_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "AUTHENTICATE");
        ULONG room = 19;
        SECURITY_STATUS status;
        if (!allocate) {
            status = leg_with_room(true, made, &room, 0);
            ok(status == SEC_E_BUFFER_TOO_SMALL, "offer: %08lx", status);
            loop.token_size = 0; /* AUTHENTICATE has been taken */
        }
        room = allocate ? 0 : 20;
        status = leg_with_room(true, made, &room, flag);
        ok(status == SEC_I_CONTINUE_NEEDED && room == 20, "offer: %08lx, %lu", status, room);
        ok(!(loop.server_attrs & ASC_RET_ALLOCATED_MEMORY) == !allocate, "attributes");
        memcpy(loop.token, made, loop.token_size = 20);
        if (!allocate) {
            room = 19;
            status = leg_with_room(false, made, &room, 0);
            ok(status == SEC_E_BUFFER_TOO_SMALL, "choice: %08lx", status);
        }
        room = allocate ? 0 : 20;
        BYTE given[20];
        memcpy(given, loop.token, sizeof(given));
        status = leg_with_room(false, made, &room, flag);
        ok(!status && room == 20, "choice: %08lx, %lu", status, room);
        ok(!memcmp(given, loop.token, sizeof(given)), "the input was changed");
        ok(!(loop.client_attrs & ISC_RET_ALLOCATED_MEMORY) == !allocate, "attributes");
        memcpy(loop.token, made, loop.token_size = 20);
        room = allocate ? 0 : sizeof(made);
        status = sasl_server_leg(&loop);
        ok(!status && !loop.token_size, "end: %08lx, %lu", status, loop.token_size);
        ok(contexts_talk(&loop.client, &loop.server), "they do not talk");
        loopback_close(&loop);
    }
}

/* [RFC4752 3.2] to the package's last token the client says nothing; and without integrity anybody
 * could have said the rest [ours] */
static void test_order(void)
{
    BYTE last[1024];
    if (!ours_only() || !rounds_open(L"Negotiate", PRIVACY, S_PRIVACY)) return;
    ok(sasl_client_leg(&loop) > 0 && sasl_server_leg(&loop) > 0, "first legs");
    ok(sasl_client_leg(&loop) > 0 && sasl_server_leg(&loop) > 0, "second legs");
    ULONG size = loop.token_size;
    if (ok(size && size <= sizeof(last), "the package's last token: %lu", size)) {
        memcpy(last, loop.token, size);
        SECURITY_STATUS status = sasl_server_leg(&loop);
        ok(status == SEC_E_INVALID_TOKEN, "its own token: %08lx", status);
        memcpy(loop.token, last, loop.token_size = size);
        status = sasl_connect(&loop);
        ok(!status, "afterwards: %08lx", status);
        ok(contexts_talk(&loop.client, &loop.server), "hurt");
    }
    loopback_close(&loop);

    if (!rounds_open(L"NTLM", 0, 0)) return;
    SECURITY_STATUS status = sasl_half_connect(&loop, true);
    ok(status == SEC_E_QOP_NOT_SUPPORTED, "no integrity: %08lx", status);
    loopback_close(&loop);
}

/* A SASL context in the middle belongs to the Sasl functions, and protects nothing yet */
static void test_in_between(void)
{
    struct message message;
    struct blob blob;
    if (!ours_only() || !rounds_open(L"NTLM", PRIVACY, S_PRIVACY)) return;
    ok(sasl_client_leg(&loop) > 0 && sasl_server_leg(&loop) > 0, "first legs");
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_E_INVALID_HANDLE, "the other function: %08lx", status);
    status = context_export(&loop.server, 0, &blob, NULL);
    ok(status == SEC_E_NOT_SUPPORTED && !blob.size, "exported: %08lx", status);
    loopback_close(&loop);

    if (!rounds_open(L"NTLM", PRIVACY, S_PRIVACY)) return;
    ok(!sasl_half_connect(&loop, false), "not connected");
    message_set(&message, "early", 5);
    status = message_seal(&loop.client, &message);
    ok(status == SEC_E_INVALID_HANDLE, "sealed: %08lx", status);
    status = message_open(&loop.client, &message);
    ok(status == SEC_E_INVALID_HANDLE, "opened: %08lx", status);
    status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(status == SEC_E_NOT_SUPPORTED, "exported: %08lx", status);
    status = SaslInitializeSecurityContextW(&loop.client_cred, &loop.server, NULL, 0, 0, 0, NULL, 0,
                                            NULL, NULL, NULL, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "not SASL's: %08lx", status);
    status = SaslAcceptSecurityContext(&loop.server_cred, &loop.client, NULL, 0, 0, NULL, NULL,
                                       NULL, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "the other end's: %08lx", status);
    loopback_close(&loop);
}

/* What was agreed moves along */
static void check_moved(ULONG layer, ULONG flags)
{
    struct blob blob;
    CtxtHandle moved;
    char name[16];
    ULONG needed, qop = layer == LAYER_INTEGRITY ? SECQOP_WRAP_NO_ENCRYPT : 0;
    SECURITY_STATUS status = context_export(&loop.server, flags, &blob, NULL);
    if (!ok(!status && blob.size, "not exported: %08lx", status)) return;
    status = context_import(L"NTLM", blob.bytes, blob.size, &moved);
    if (!ok(!status, "not imported: %08lx", status)) return;
    status = message_pass(&moved, &loop.client, qop, 100);
    ok(status == (layer == LAYER_NONE ? SEC_E_QOP_NOT_SUPPORTED : SEC_E_OK), "sent: %08lx", status);
    status = message_pass(&moved, &loop.client, qop ? 0 : SECQOP_WRAP_NO_ENCRYPT, 100);
    ok(status == SEC_E_QOP_NOT_SUPPORTED, "in the other way: %08lx", status);
    if (layer != LAYER_NONE) {
        status = message_pass(&moved, &loop.client, qop, 0xffff);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "large: %08lx", status);
        ok(get_number(&moved, SASL_OPTION_SEND_SIZE) == 0xffff - 16, "size");
    }
    status = SaslGetContextOption(&moved, SASL_OPTION_AUTHZ_STRING, name, sizeof(name), &needed);
    ok(!status && needed == 3 && !memcmp(name, "bob", 3), "name: %08lx", status);
    loop.token_size = 0;
    status = SaslAcceptSecurityContext(&loop.server_cred, &moved, NULL, 0, 0, NULL, NULL, NULL,
                                       NULL);
    ok(status == SEC_E_OUT_OF_SEQUENCE, "once more: %08lx", status);
    DeleteSecurityContext(&moved);
}

static void test_export(void)
{
    static const struct {
        ULONG client, layer;
    } rows[] = {{0, LAYER_NONE}, {INTEGRITY, LAYER_INTEGRITY}, {PRIVACY, LAYER_PRIVACY}};
    if (!ours_only()) return;
    for (unsigned i = 0; i < 2 * ARRAYSIZE(rows); i++) {
        if (!rounds_open(L"NTLM", rows[i / 2].client, 0)) return;
        SECURITY_STATUS status = connect_for("bob", 3, Sasl_AuthZIDProcessed, true);
        if (ok(!status, "row %u: %08lx", i, status))
            check_moved(rows[i / 2].layer, i % 2 ? SECPKG_CONTEXT_EXPORT_DELETE_OLD : 0);
        loopback_close(&loop);
    }
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_layers);
    RUN(test_sizes);
    RUN(test_authorization);
    RUN(test_offers);
    RUN(test_choices);
    RUN(test_damage);
    RUN(test_outputs);
    RUN(test_order);
    RUN(test_in_between);
    RUN(test_export);
    ok(profiles_restore(), "the profiles are not as they were");
    if (have_account) account_remove(&account);
    return test_end("api_sasl_rounds");
}
