/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark's figures for TLS by whatever SSPI the program finds. Client and server are in this
 * process and talk over memory; an implementation that cannot be a server is measured as a client
 * of `bench_gnutls server` instead.
 */
#include "bench_tls.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEGS = 8, ORDERED = 64, TLS_KEPT = 2000 };

struct bench_pair {
    CtxtHandle client, server;
    bool have_client, have_server;
    SecPkgContext_StreamSizes sizes;
    /* In the place of both when the server is elsewhere: to the one it sends what is opened, the
     * other makes what nobody opens. */
    struct tls_remote receiving, sending;
    ULONG ordered; /* records that the server still has to send */
};

struct tls_options tls_options;
CredHandle tls_client, tls_server;

static WCHAR package[] = UNISP_NAME_W;

bool tls_report(const char *call, SECURITY_STATUS status)
{
    if (!FAILED(status)) return true;
    fprintf(stderr, "%s: 0x%08lx\n", call, (unsigned long)status);
    return false;
}

/* ---- credentials ---- */

static bool acquire_modern(ULONG use, const CERT_CONTEXT **certificate, DWORD flags,
                           CredHandle *out)
{
    DWORD disabled = use == SECPKG_CRED_OUTBOUND ? SP_PROT_CLIENTS & ~SP_PROT_TLS1_3_CLIENT
                                                 : SP_PROT_SERVERS & ~SP_PROT_TLS1_3_SERVER;
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = disabled};
    SCH_CREDENTIALS wish = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .cCreds = certificate ? 1 : 0,
                            .paCred = certificate,
                            .dwFlags = flags,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    return tls_report(
        "AcquireCredentialsHandle",
        AcquireCredentialsHandleW(NULL, package, use, NULL, &wish, NULL, NULL, out, NULL));
}

static bool acquire(ULONG use, const CERT_CONTEXT **certificate, DWORD flags, CredHandle *out)
{
    if (tls_options.modern) return acquire_modern(use, certificate, flags, out);
    SCHANNEL_CRED wish = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = certificate ? 1 : 0,
                          .paCred = certificate,
                          .grbitEnabledProtocols = use == SECPKG_CRED_OUTBOUND
                                                       ? SP_PROT_TLS1_2_CLIENT
                                                       : SP_PROT_TLS1_2_SERVER,
                          .dwFlags = flags};
    return tls_report(
        "AcquireCredentialsHandle",
        AcquireCredentialsHandleW(NULL, package, use, NULL, &wish, NULL, NULL, out, NULL));
}

static bool read_file(const WCHAR *path, CRYPT_DATA_BLOB *blob)
{
    static BYTE bytes[65536];
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    *blob = (CRYPT_DATA_BLOB){0, bytes};
    bool good = file != INVALID_HANDLE_VALUE &&
                ReadFile(file, bytes, sizeof(bytes), &blob->cbData, NULL) && blob->cbData;
    if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
    if (!good) fprintf(stderr, "the certificate's file cannot be read\n");
    return good;
}

static bool acquire_server(void)
{
    CRYPT_DATA_BLOB blob;
    if (!read_file(tls_options.pfx, &blob)) return false;
    HCERTSTORE store = PFXImportCertStore(&blob, L"", CRYPT_EXPORTABLE | CRYPT_USER_KEYSET);
    const CERT_CONTEXT *certificate = store ? CertEnumCertificatesInStore(store, NULL) : NULL;
    /* Without tickets all handshakes are full ones. */
    DWORD flags = tls_options.tickets ? 0 : SCH_CRED_DISABLE_RECONNECTS;
    bool good = certificate && acquire(SECPKG_CRED_INBOUND, &certificate, flags, &tls_server);
    if (!certificate) fprintf(stderr, "PFXImportCertStore: error %lu\n", GetLastError());
    if (certificate) CertFreeCertificateContext(certificate);
    if (store) CertCloseStore(store, 0);
    return good;
}

static bool tls_set_up(void)
{
    return acquire(SECPKG_CRED_OUTBOUND, NULL,
                   SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS, &tls_client) &&
           (!*tls_options.pfx || acquire_server());
}

/* ---- a pair over memory ---- */

/* What one end has said and the other has not heard. */
struct line {
    ULONG size;
    BYTE bytes[FLIGHT_ROOM];
};

/* After a call: what it left of its input stays, what it made goes to the other line. */
static bool carry(SECURITY_STATUS status, struct line *in, const SecBuffer *spare, SecBuffer *made,
                  struct line *out)
{
    ULONG left = spare->BufferType == SECBUFFER_EXTRA ? spare->cbBuffer : 0;
    if (status != SEC_E_INCOMPLETE_MESSAGE) {
        memmove(in->bytes, in->bytes + in->size - left, left);
        in->size = left;
    }
    bool fits = made->cbBuffer <= FLIGHT_ROOM - out->size;
    if (made->pvBuffer && fits) {
        memcpy(out->bytes + out->size, made->pvBuffer, made->cbBuffer);
        out->size += made->cbBuffer;
    }
    if (made->pvBuffer) FreeContextBuffer(made->pvBuffer);
    return fits && (status == SEC_E_INCOMPLETE_MESSAGE || !FAILED(status));
}

static SECURITY_STATUS initiate(struct bench_pair *pair, struct line *in, struct line *out)
{
    static WCHAR target[] = L"localhost";
    SecBuffer given[2] = {{in->size, SECBUFFER_TOKEN, in->bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer made = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, given}, output = {SECBUFFER_VERSION, 1, &made};
    ULONG flags;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &tls_client, pair->have_client ? &pair->client : NULL, target,
        ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_STREAM | ISC_REQ_CONFIDENTIALITY |
            ISC_REQ_MANUAL_CRED_VALIDATION,
        0, 0, pair->have_client ? &input : NULL, 0, &pair->client, &output, &flags, NULL);
    pair->have_client |= !FAILED(status);
    if (!carry(status, in, &given[1], &made, out) && !FAILED(status)) status = SEC_E_INTERNAL_ERROR;
    return status;
}

static SECURITY_STATUS answer(struct bench_pair *pair, struct line *in, struct line *out)
{
    SecBuffer given[2] = {{in->size, SECBUFFER_TOKEN, in->bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer made = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, given}, output = {SECBUFFER_VERSION, 1, &made};
    ULONG flags;
    SECURITY_STATUS status = AcceptSecurityContext(
        &tls_server, pair->have_server ? &pair->server : NULL, &input,
        ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_STREAM | ASC_REQ_CONFIDENTIALITY, 0, &pair->server,
        &output, &flags, NULL);
    pair->have_server |= !FAILED(status);
    if (!carry(status, in, &given[1], &made, out) && !FAILED(status)) status = SEC_E_INTERNAL_ERROR;
    return status;
}

/* The tickets that a server of TLS 1.3 sends last are the client's to take, too. */
static bool shake_hands(struct bench_pair *pair)
{
    static struct line to_client, to_server;
    SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED, server = SEC_I_CONTINUE_NEEDED;
    to_client.size = to_server.size = 0;
    for (unsigned leg = 0; leg < LEGS; leg++) {
        if (!leg || to_client.size) client = initiate(pair, &to_client, &to_server);
        if (!tls_report("InitializeSecurityContext", client)) return false;
        if (to_server.size) server = answer(pair, &to_server, &to_client);
        if (!tls_report("AcceptSecurityContext", server)) return false;
        if (client == SEC_E_OK && server == SEC_E_OK && !to_client.size) return true;
    }
    return false;
}

static void tls_pair_free(struct bench_pair *pair)
{
    if (pair->have_client) DeleteSecurityContext(&pair->client);
    if (pair->have_server) DeleteSecurityContext(&pair->server);
    tls_remote_close(&pair->receiving);
    tls_remote_close(&pair->sending);
    free(pair);
}

static bool pair_open(struct bench_pair *pair)
{
    if (tls_options.server) {
        bool good = tls_remote_open(&pair->receiving, tls_options.server) &&
                    tls_remote_open(&pair->sending, tls_options.server);
        pair->sizes = pair->sending.sizes;
        return good;
    }
    return shake_hands(pair) &&
           tls_report(
               "QueryContextAttributes",
               QueryContextAttributesW(&pair->client, SECPKG_ATTR_STREAM_SIZES, &pair->sizes));
}

static struct bench_pair *tls_pair_create(void)
{
    struct bench_pair *pair = calloc(1, sizeof(*pair));
    if (!pair) return NULL;
    pair->receiving.socket = pair->sending.socket = INVALID_SOCKET;
    if (pair_open(pair)) return pair;
    tls_pair_free(pair);
    return NULL;
}

/* ---- messages ---- */

static BYTE *slot_text(const struct bench_slot *slot)
{
    return slot->buffer + BENCH_SIGNATURE_ROOM;
}

/* The server elsewhere is told to send a number of records at once; each seal takes one. */
static bool fetch(struct bench_pair *pair, struct bench_slot *slot)
{
    BYTE *record;
    ULONG size, order[2] = {(ULONG)slot->size, ORDERED};
    if (!pair->ordered && !tls_remote_say(&pair->receiving, order, sizeof(order))) return false;
    if (!pair->ordered) pair->ordered = ORDERED;
    pair->ordered--;
    if (!tls_remote_record(&pair->receiving, &record, &size) ||
        size > slot->size + BENCH_SIGNATURE_ROOM)
        return false;
    memcpy(slot_text(slot) - pair->sizes.cbHeader, record, size);
    pair->receiving.size -= size;
    memmove(record, record + size, pair->receiving.size);
    return true;
}

static bool tls_seal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    bool remote = pair->sending.have;
    if (remote && from_server) return fetch(pair, slot);
    CtxtHandle *context = from_server ? &pair->server : &pair->client;
    if (remote) context = &pair->sending.context;
    BYTE *text = slot_text(slot);
    const ULONG header = pair->sizes.cbHeader;
    SecBuffer buffers[4] = {{header, SECBUFFER_STREAM_HEADER, text - header},
                            {(ULONG)slot->size, SECBUFFER_DATA, text},
                            {pair->sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, text + slot->size},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    return tls_report("EncryptMessage", EncryptMessage(context, 0, &desc, 0));
}

static bool tls_unseal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    CtxtHandle *context = pair->receiving.have ? &pair->receiving.context
                          : from_server        ? &pair->client
                                               : &pair->server;
    BYTE *start = slot_text(slot) - pair->sizes.cbHeader;
    SecBuffer buffers[4] = {{5u + start[3] * 256u + start[4], SECBUFFER_DATA, start}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = DecryptMessage(context, &desc, 0, NULL);
    if (!tls_report("DecryptMessage", status) || status != SEC_E_OK) return false;
    slot->text = buffers[1].pvBuffer;
    return buffers[1].BufferType == SECBUFFER_DATA && buffers[1].cbBuffer == slot->size;
}

static void tls_slot_clear(struct bench_slot *slot)
{
    (void)slot; /* everything is in its buffer */
}

/* ---- moves ---- */

static bool tls_export_server(struct bench_pair *pair, struct bench_blob *blob)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    if (!tls_report(
            "ExportSecurityContext",
            ExportSecurityContext(&pair->server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL)))
        return false;
    pair->have_server = false;
    *blob = (struct bench_blob){packed.pvBuffer, packed.cbBuffer};
    return true;
}

static bool tls_import_server(struct bench_pair *pair, struct bench_blob *blob)
{
    SecBuffer packed = {(ULONG)blob->size, SECBUFFER_TOKEN, blob->data};
    SECURITY_STATUS status = ImportSecurityContextW(package, &packed, NULL, &pair->server);
    FreeContextBuffer(blob->data);
    pair->have_server = !FAILED(status);
    return tls_report("ImportSecurityContext", status);
}

static const struct bench_ops tls_ops = {
    .set_up = tls_set_up,
    .pair_create = tls_pair_create,
    .pair_free = tls_pair_free,
    .kept = TLS_KEPT,
    .seal = tls_seal,
    .unseal = tls_unseal,
    .slot_clear = tls_slot_clear,
    .export_server = tls_export_server,
    .import_server = tls_import_server,
    .more = tls_handshakes,
};

/* name=value before the groups; false when it is none of these. */
static bool take_option(const char *argument)
{
    const char *value = strchr(argument, '=');
    if (!value) return false;
    size_t name = (size_t)(value++ - argument);
    if (!strncmp(argument, "protocol", name)) tls_options.modern = !strcmp(value, "1.3");
    else if (!strncmp(argument, "tickets", name)) tls_options.tickets = *value == '1';
    else if (!strncmp(argument, "server", name)) tls_options.server = (unsigned)atoi(value);
    else if (!strncmp(argument, "full", name)) tls_options.full = (unsigned)atoi(value);
    else if (!strncmp(argument, "resumable", name)) tls_options.resumable = (unsigned)atoi(value);
    else if (!strncmp(argument, "pfx", name))
        MultiByteToWideChar(CP_UTF8, 0, value, -1, tls_options.pfx, MAX_PATH);
    else return false;
    return true;
}

int main(int argc, char **argv)
{
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data)) return 1;
    while (argc > 1 && take_option(argv[1])) {
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return bench_run(&tls_ops, argc, argv);
}
