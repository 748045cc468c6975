/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server of Kerberos, in one of two forms: established by a handshake with a service
 * that a KDC knows, when the program is given its name; or else imported into the module, which is
 * called as its host does it, with keys of the test's own. The second form needs no KDC and has all
 * encryption types; no program but a test can make such contexts.
 */
#pragma once

#include "loopback.h"

#include <ntsecapi.h>
#include <ntsecpkg.h>

struct kerberos_kind {
    const char *name;
    ULONG enctype;
    ULONG key;    /* bytes */
    ULONG mac;    /* bytes, of RFC 4121's tokens; 0 for those of RFC 4757, and of the library */
    bool library; /* its messages are the library's */
};

/* One end. The module's own number where there is no handle. */
struct kerberos_end {
    CtxtHandle context;
    LSA_SEC_HANDLE half;
};

/* That of the running cases. */
extern const struct kerberos_kind *kerberos_kind;

/* With the program's arguments. False when nothing can be tested. */
bool kerberos_begin(int argc, char **argv);
bool kerberos_has_module(void); /* the second form */
/* Ends a program that cannot begin: with one case, which is skipped. */
int kerberos_nothing(const char *program);

/* Takes the next encryption type, from NULL on; false behind the last. */
bool kerberos_next(void);

/* Runs a case, for each encryption type that there is. */
#define RUN_KINDS(function) kerberos_run(#function, function)
__attribute__((unused)) static void kerberos_run(const char *name, void (*function)(void))
{
    while (kerberos_next()) {
        char full[128];
        wsprintfA(full, "%s, %s", name, kerberos_kind->name);
        winetest_push_context("%s", kerberos_kind->name);
        test_run(full, function);
        winetest_pop_context();
    }
}

/* What a pair is imported with, beside its keys: those of the test, when they are set. */
struct kerberos_facts {
    const wchar_t *account, *domain;
    const BYTE *pac;
    size_t pac_size;
};
extern struct kerberos_facts kerberos_facts;

/* The pair of the running case. flags: ISC_REQ_ of the client, the server's follow. */
SECURITY_STATUS pair_connect(ULONG flags);
__attribute__((unused)) static bool pair_open(ULONG flags)
{
    SECURITY_STATUS status = pair_connect(flags);
    return ok(!status, "no contexts: %08lx", status);
}
SECURITY_STATUS pair_begin(ULONG flags); /* a client's first leg, and no server; needs a KDC */
void pair_close(void);
struct kerberos_end *pair_side(int i); /* even: the client, odd: the server */
bool pair_talks(void);                 /* one message each way of both kinds */

#define KERBEROS_USUAL                                                                           \
    (ISC_REQ_MUTUAL_AUTH | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_INTEGRITY | \
     ISC_REQ_CONFIDENTIALITY)

enum kerberos_call { SIGN, VERIFY, SEAL, OPEN };

SECURITY_STATUS kerberos_call(enum kerberos_call what, struct kerberos_end *end, SecBuffer *parts,
                              ULONG count);
SECURITY_STATUS kerberos_call_qop(enum kerberos_call what, struct kerberos_end *end,
                                  SecBufferDesc *desc, ULONG *qop);
SECURITY_STATUS kerberos_query(struct kerberos_end *end, ULONG attribute, void *buffer);

/* The module's functions and a body as bytes, for cases of the second form. */
SECPKG_USER_FUNCTION_TABLE *kerberos_module(void);

/* kerberos_body.c, apart because of the names of the portable library */
bool kerberos_crypto(void);
ULONG kerberos_body(bool server, ULONG flags, BYTE *room, ULONG size);
ULONG kerberos_server_flags(ULONG flags);

#define ETYPE_AES128_SHA256 19
#define ETYPE_AES256_SHA384 20
#define ETYPE_CAMELLIA256 26

/* ---- messages ---- */

#define TOKEN_ROOM 128
#define HEADER 16 /* of RFC 4121's tokens */

/* A message with room for its token, and what came of it. */
struct text {
    BYTE token[TOKEN_ROOM], padding[16], data[1024];
    ULONG token_size, padding_size, size;
};

void text_fill(BYTE *bytes, ULONG size, BYTE seed);
void text_set(struct text *text, const void *bytes, ULONG size);
SECURITY_STATUS text_call(enum kerberos_call what, struct kerberos_end *end, struct text *text);

/* From the client to the server in one piece: token, data and padding one after the other; 0 when
 * it could not be made. */
ULONG wire_make(BYTE *wire, const void *plain, ULONG size, bool encrypt);
SECURITY_STATUS wire_open(BYTE *wire, ULONG size, SecBuffer *data, ULONG *qop);
