/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SASL contexts for tests, see sasl_peer.h. */
#include "sasl_peer.h"

#include <wchar.h>

#define MAX_ROUNDS 8
#define PROFILES L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SaslProfiles"

/* ---- legs ---- */

struct leg_buffers {
    BYTE made[16384];
    SecBuffer in, out;
    SecBufferDesc in_desc, out_desc;
};

static void buffers_open(struct leg_buffers *leg, struct loopback *loop)
{
    leg->in = (SecBuffer){loop->token_size, SECBUFFER_TOKEN, loop->token};
    leg->out = (SecBuffer){sizeof(leg->made), SECBUFFER_TOKEN, leg->made};
    leg->in_desc = (SecBufferDesc){SECBUFFER_VERSION, 1, &leg->in};
    leg->out_desc = (SecBufferDesc){SECBUFFER_VERSION, 1, &leg->out};
}

static SECURITY_STATUS buffers_close(struct leg_buffers *leg, struct loopback *loop,
                                     SECURITY_STATUS status)
{
    if (status < 0) return status;
    loop->token_size = leg->out.cbBuffer;
    memcpy(loop->token, leg->made, loop->token_size);
    return status;
}

SECURITY_STATUS sasl_client_leg(struct loopback *loop)
{
    struct leg_buffers leg;
    bool first = !context_present(&loop->client);
    buffers_open(&leg, loop);
    SECURITY_STATUS status = SaslInitializeSecurityContextW(
        &loop->client_cred, first ? NULL : &loop->client, (wchar_t *)loop->target,
        loop->client_flags, 0, SECURITY_NATIVE_DREP, first ? NULL : &leg.in_desc, 0, &loop->client,
        &leg.out_desc, &loop->client_attrs, &loop->client_expiry);
    return buffers_close(&leg, loop, status);
}

SECURITY_STATUS sasl_server_leg(struct loopback *loop)
{
    struct leg_buffers leg;
    bool first = !context_present(&loop->server);
    buffers_open(&leg, loop);
    SECURITY_STATUS status = SaslAcceptSecurityContext(
        &loop->server_cred, first ? NULL : &loop->server, &leg.in_desc, loop->server_flags,
        SECURITY_NATIVE_DREP, &loop->server, &leg.out_desc, &loop->server_attrs,
        &loop->server_expiry);
    return buffers_close(&leg, loop, status);
}

SECURITY_STATUS sasl_connect(struct loopback *loop)
{
    SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED, server = SEC_I_CONTINUE_NEEDED;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        if (client == SEC_I_CONTINUE_NEEDED) client = sasl_client_leg(loop);
        if (client < 0) return client;
        if (server == SEC_I_CONTINUE_NEEDED) server = sasl_server_leg(loop);
        if (server < 0) return server;
        if (client == SEC_E_OK && server == SEC_E_OK) return SEC_E_OK;
    }
    return SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS sasl_half_connect(struct loopback *loop, bool sasl_server)
{
    bool waiting = true; /* the end that is not SASL's has something to do */
    for (int round = 0; round < MAX_ROUNDS; round++) {
        SECURITY_STATUS status = SEC_E_OK;
        if (!sasl_server || waiting) {
            status = sasl_server ? loopback_client_leg(loop) : sasl_client_leg(loop);
            if (status < 0) return status;
            if (sasl_server) waiting = status == SEC_I_CONTINUE_NEEDED;
        } else {
            loop->token_size = 0; /* nothing to say to the last token: the offer is due */
        }
        if (!sasl_server && !waiting) return SEC_E_OK;
        status = sasl_server ? sasl_server_leg(loop) : loopback_server_leg(loop);
        if (status < 0) return status;
        if (!sasl_server) waiting = status == SEC_I_CONTINUE_NEEDED;
        if (sasl_server && !waiting && loop->token_size) return SEC_E_OK;
        if (!sasl_server && !waiting && !loop->token_size) return SEC_E_OK;
    }
    return SEC_E_INTERNAL_ERROR;
}

/* ---- messages ---- */

SECURITY_STATUS text_wrap(struct loopback *loop, CtxtHandle *context, const void *text, ULONG size)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes);
    if (status) return status;
    SecBuffer parts[] = {
        {sizes.cbSecurityTrailer, SECBUFFER_TOKEN, loop->token},
        {size, SECBUFFER_DATA, loop->token + sizes.cbSecurityTrailer},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    if (size) memcpy(parts[1].pvBuffer, text, size);
    status = EncryptMessage(context, 0, &desc, 0);
    loop->token_size = sizes.cbSecurityTrailer + size;
    return status;
}

SECURITY_STATUS text_unwrap(struct loopback *loop, CtxtHandle *context, BYTE *text, ULONG *size)
{
    SecBuffer parts[] = {{loop->token_size, SECBUFFER_STREAM, loop->token},
                         {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    SECURITY_STATUS status = DecryptMessage(context, &desc, 0, NULL);
    if (status) return status;
    *size = parts[1].cbBuffer;
    memcpy(text, parts[1].pvBuffer, *size);
    return SEC_E_OK;
}

SECURITY_STATUS message_pass(CtxtHandle *from, CtxtHandle *to, ULONG qop, ULONG size)
{
    static BYTE whole[0x20000], expected[0x20000];
    SecBuffer parts[] = {{16, SECBUFFER_TOKEN, whole}, {size, SECBUFFER_DATA, whole + 16}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    if (size + 16 > sizeof(whole)) return SEC_E_INTERNAL_ERROR;
    for (ULONG i = 0; i < size; i++) whole[16 + i] = expected[i] = (BYTE)(i * 7 + 1);
    SECURITY_STATUS status = EncryptMessage(from, qop, &desc, 0);
    if (status) return status;
    SecBuffer back[] = {{16 + size, SECBUFFER_STREAM, whole}, {0, SECBUFFER_DATA, NULL}};
    desc = (SecBufferDesc){SECBUFFER_VERSION, 2, back};
    status = DecryptMessage(to, &desc, 0, NULL);
    if (status) return status;
    bool same = back[1].cbBuffer == size && !memcmp(back[1].pvBuffer, expected, size);
    return same ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

/* ---- profiles ---- */

static struct {
    bool saved, existed;
    unsigned count;
    struct {
        wchar_t name[64], data[64];
    } values[32];
} machine;

static void profiles_save(void)
{
    HKEY key;
    machine.saved = true;
    machine.existed = !RegOpenKeyExW(HKEY_LOCAL_MACHINE, PROFILES, 0, KEY_QUERY_VALUE, &key);
    if (!machine.existed) return;
    while (machine.count < ARRAYSIZE(machine.values)) {
        wchar_t *data = machine.values[machine.count].data;
        DWORD length = 64, size = sizeof(machine.values[0].data) - sizeof(wchar_t);
        if (RegEnumValueW(key, machine.count, machine.values[machine.count].name, &length, NULL,
                          NULL, (BYTE *)data, &size))
            break;
        data[size / sizeof(wchar_t)] = 0;
        machine.count++;
    }
    RegCloseKey(key);
}

static bool key_delete(void)
{
    LSTATUS error = RegDeleteKeyW(HKEY_LOCAL_MACHINE, PROFILES);
    return !error || error == ERROR_FILE_NOT_FOUND;
}

static bool key_open(HKEY *key)
{
    return !RegCreateKeyExW(HKEY_LOCAL_MACHINE, PROFILES, 0, NULL, 0, KEY_SET_VALUE, NULL, key,
                            NULL);
}

static bool key_add(HKEY key, const wchar_t *name, const wchar_t *data)
{
    DWORD size = (DWORD)((wcslen(data) + 1) * sizeof(*data));
    return !RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)data, size);
}

bool profiles_set(const wchar_t *const (*pairs)[2], unsigned count)
{
    HKEY key;
    if (!machine.saved) profiles_save();
    if (!key_delete() || !key_open(&key)) return false;
    bool good = true;
    for (unsigned i = 0; i < count; i++) good &= key_add(key, pairs[i][0], pairs[i][1]);
    RegCloseKey(key);
    return good;
}

bool profiles_restore(void)
{
    HKEY key;
    if (!machine.saved) return true;
    if (!key_delete()) return false;
    if (!machine.existed) return true;
    if (!key_open(&key)) return false;
    bool good = true;
    for (unsigned i = 0; i < machine.count; i++)
        good &= key_add(key, machine.values[i].name, machine.values[i].data);
    RegCloseKey(key);
    return good;
}
