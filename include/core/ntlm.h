/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM as MS-NLMP describes it, without a clock, a random source, names or accounts of its own:
 * those are arguments. Text is UTF-16LE unless it is called OEM. A context is a handshake that
 * ends in a session, both plain data, so that it can be written down at any stage
 * (ntlm_context_write). What may be weakened for an old peer is the caller's decision: nothing
 * here gives up what was asked for.
 */
#pragma once

#include "core/blob.h"
#include "core/crypto.h"
#include "core/message_part.h"
#include "core/rc4.h"
#include "core/writer.h"

/* MS-NLMP 2.2.2.5 */
#define NTLM_UNICODE 0x00000001u
#define NTLM_OEM 0x00000002u
#define NTLM_REQUEST_TARGET 0x00000004u
#define NTLM_SIGN 0x00000010u
#define NTLM_SEAL 0x00000020u
#define NTLM_DATAGRAM 0x00000040u
#define NTLM_LM_KEY 0x00000080u
#define NTLM_NTLM 0x00000200u
#define NTLM_ANONYMOUS 0x00000800u
#define NTLM_OEM_DOMAIN_SUPPLIED 0x00001000u
#define NTLM_OEM_WORKSTATION_SUPPLIED 0x00002000u
#define NTLM_LOCAL_CALL 0x00004000u
#define NTLM_ALWAYS_SIGN 0x00008000u
#define NTLM_TARGET_TYPE_DOMAIN 0x00010000u
#define NTLM_TARGET_TYPE_SERVER 0x00020000u
#define NTLM_ESS 0x00080000u
#define NTLM_IDENTIFY 0x00100000u
#define NTLM_NON_NT_SESSION_KEY 0x00400000u
#define NTLM_TARGET_INFO 0x00800000u
#define NTLM_VERSION 0x02000000u
#define NTLM_128 0x20000000u
#define NTLM_KEY_EXCH 0x40000000u
#define NTLM_56 0x80000000u

/* What today's clients offer and servers grant, whatever the application asks for besides. */
#define NTLM_STRONG (NTLM_UNICODE | NTLM_ESS | NTLM_128 | NTLM_56 | NTLM_KEY_EXCH)

/* Those of the required flags that are missing in flags. How long a key is matters only to a
 * session that signs or seals, so NTLM_128 and NTLM_56 are required of such a one only. */
uint32_t ntlm_flags_missing(uint32_t flags, uint32_t required);

/* MS-NLMP 2.2.2.1 */
enum ntlm_av {
    NTLM_AV_EOL = 0,
    NTLM_AV_NB_COMPUTER = 1,
    NTLM_AV_NB_DOMAIN = 2,
    NTLM_AV_DNS_COMPUTER = 3,
    NTLM_AV_DNS_DOMAIN = 4,
    NTLM_AV_DNS_TREE = 5,
    NTLM_AV_FLAGS = 6,
    NTLM_AV_TIMESTAMP = 7,
    NTLM_AV_SINGLE_HOST = 8,
    NTLM_AV_TARGET_NAME = 9,
    NTLM_AV_CHANNEL_BINDINGS = 10,
};
#define NTLM_AV_FLAG_CONSTRAINED 0x1u
#define NTLM_AV_FLAG_MIC 0x2u
#define NTLM_AV_FLAG_UNTRUSTED_TARGET 0x4u /* the SPN comes from an untrusted source */

#define NTLM_SIGNATURE_SIZE 16
#define NTLM_MACHINE_ID_SIZE 32
#define NTLM_MESSAGE_MAX 65535u /* longer tokens are refused */

/* ---- messages (MS-NLMP 2.2.1); decoded slices borrow from the token ---- */

struct ntlm_negotiate {
    uint32_t flags;
    struct slice domain, workstation; /* OEM bytes, empty unless supplied */
    uint8_t version[8];               /* zero unless NTLM_VERSION */
};

struct ntlm_challenge {
    uint32_t flags;
    uint8_t server_challenge[8];
    uint64_t local_ticket;    /* the Reserved field; meaningful with NTLM_LOCAL_CALL */
    struct slice target_name; /* OEM bytes unless NTLM_UNICODE */
    struct slice target_info; /* AV pairs with their terminator; empty when absent */
    uint8_t version[8];
};

struct ntlm_authenticate {
    uint32_t flags;
    struct slice lm_response, nt_response;
    struct slice domain, user, workstation; /* OEM bytes unless NTLM_UNICODE */
    struct slice encrypted_key;
    uint8_t version[8];
    bool has_mic; /* MsvAvFlags of the NTLMv2 response says so */
    uint8_t mic[16];
    /* out of the NTLMv2 response and its AV pairs; empty when absent or not NTLMv2 */
    uint64_t time;      /* when the client made the response */
    uint64_t timestamp; /* the server's time that the client repeats */
    uint32_t av_flags;  /* NTLM_AV_FLAG_ bits */
    struct slice target_name, channel_bindings;
    struct slice machine_id; /* of the single-host pair: NTLM_MACHINE_ID_SIZE bytes */
};

/* How an AUTHENTICATE tries to prove its user: told from the sizes of its responses (MS-NLMP
 * 2.2.2.3 to 2.2.2.8, 3.2.5.1.2) and from flags, the agreed ones (ntlm_server_flags). */
enum ntlm_response {
    NTLM_RESPONSE_OTHER, /* nothing that anybody accepts */
    NTLM_RESPONSE_V2,
    NTLM_RESPONSE_V1,
    NTLM_RESPONSE_V1_ESS,
    NTLM_RESPONSE_LM, /* no NT response beside it */
    NTLM_RESPONSE_ANONYMOUS,
};
enum ntlm_response ntlm_authenticate_response(const struct ntlm_authenticate *message,
                                              uint32_t flags);

#define NTLM_MIC_OFFSET 72u

/* SEC_E_INVALID_TOKEN for anything that is not exactly such a message. */
status_t ntlm_negotiate_decode(struct slice token, struct ntlm_negotiate *out);
status_t ntlm_challenge_decode(struct slice token, struct ntlm_challenge *out);
status_t ntlm_authenticate_decode(struct slice token, struct ntlm_authenticate *out);

/* Append to w; the writer keeps the error. authenticate_encode leaves room for the MIC, filled
 * with message->mic, when has_mic is set. */
void ntlm_negotiate_encode(struct writer *w, const struct ntlm_negotiate *message);
void ntlm_challenge_encode(struct writer *w, const struct ntlm_challenge *message);
void ntlm_authenticate_encode(struct writer *w, const struct ntlm_authenticate *message);

/* Looks a pair up; false when it is not there. SEC_E_INVALID_TOKEN is given by ntlm_av_check for
 * a list without terminator, with a pair that overruns, or with a known pair twice or ill-sized. */
bool ntlm_av_find(struct slice pairs, enum ntlm_av id, struct slice *value);
status_t ntlm_av_check(struct slice pairs);
/* The server's clock among the pairs; false, and *time as it was, when it is not told. */
bool ntlm_av_time(struct slice pairs, uint64_t *time);
void ntlm_av_write(struct writer *w, enum ntlm_av id, struct slice value);

/* ---- key derivation (MS-NLMP 3.3, 3.4.5) ---- */

status_t ntlm_nt_hash(struct slice password, uint8_t hash[16]);          /* NTOWFv1 */
status_t ntlm_lm_hash(const uint8_t password_oem[14], uint8_t hash[16]); /* upper case, padded */
/* NTOWFv2; user is upper case already, domain is not. */
status_t ntlm_v2_hash(const uint8_t nt_hash[16], struct slice upper_user, struct slice domain,
                      uint8_t hash[16]);
status_t ntlm_v1_response(const uint8_t hash[16], const uint8_t challenge[8], uint8_t out[24]);
/* What takes the place of the server's challenge in NTLMv1 with ESS. */
status_t ntlm_v1_ess_challenge(const uint8_t server_challenge[8], const uint8_t client_challenge[8],
                               uint8_t out[8]);
status_t ntlm_v1_ess_response(const uint8_t nt_hash[16], const uint8_t server_challenge[8],
                              const uint8_t client_challenge[8], uint8_t out[24]);
status_t ntlm_v2_proof(const uint8_t v2_hash[16], const uint8_t server_challenge[8],
                       struct slice temp, uint8_t proof[16]);
status_t ntlm_v2_lm_response(const uint8_t v2_hash[16], const uint8_t server_challenge[8],
                             const uint8_t client_challenge[8], uint8_t out[24]);
/* An NTLMv2 response (MS-NLMP 3.3.2: the proof, then temp) into a writer that is empty: what stands
 * before the AV pairs, and when those are written, the end and the proof of it all. */
void ntlm_v2_response_begin(struct writer *w, uint64_t time, const uint8_t client_challenge[8]);
status_t ntlm_v2_response_end(struct writer *w, const uint8_t v2_hash[16],
                              const uint8_t server_challenge[8]);
status_t ntlm_v1_session_base_key(const uint8_t nt_hash[16], uint8_t key[16]);
status_t ntlm_v2_session_base_key(const uint8_t v2_hash[16], const uint8_t proof[16],
                                  uint8_t key[16]);
/* KXKEY for NTLMv1: flags choose among ESS, LM_KEY, NON_NT_SESSION_KEY and the plain form. */
status_t ntlm_v1_exchange_key(uint32_t flags, const uint8_t base_key[16], const uint8_t lm_hash[16],
                              const uint8_t server_challenge[8], const uint8_t lm_response[24],
                              uint8_t key[16]);
status_t ntlm_sign_key(const uint8_t session_key[16], bool to_server, uint8_t key[16]);
status_t ntlm_seal_key(uint32_t flags, const uint8_t session_key[16], bool to_server,
                       uint8_t key[16]);
/* SEALKEY without ESS is shorter or the key itself; *size receives 8 or 16. */
void ntlm_seal_key_v1(uint32_t flags, const uint8_t session_key[16], uint8_t key[16], size_t *size);
status_t ntlm_mic(const uint8_t session_key[16], struct slice negotiate, struct slice challenge,
                  struct slice authenticate_with_zero_mic, uint8_t mic[16]);
/* The fields of RFC 2744 3.11; addresses are usually empty and of type 0. */
struct ntlm_channel_bindings {
    uint32_t initiator_type, acceptor_type;
    struct slice initiator, acceptor;
    struct slice application_data;
};
/* Their MD5 (MS-NLMP 3.1.1.2, RFC 4121 4.1.1.2). */
status_t ntlm_channel_binding_hash(const struct ntlm_channel_bindings *bindings, uint8_t hash[16]);

/* The stand-in for NTOWFv2 in a local call: only who knows the prefix's secret can make it, and it
 * holds for one ticket and one challenge. */
status_t ntlm_local_hash(const uint8_t secret[32], uint64_t ticket,
                         const uint8_t server_challenge[8], struct slice user, struct slice domain,
                         uint8_t hash[16]);

/* ---- session: message protection with explicit state (MS-NLMP 3.4) ---- */

struct ntlm_direction {
    uint8_t sign_key[16];
    uint8_t seal_key[16];
    uint8_t seal_key_size; /* 16, or 8 for the short keys without ESS */
    struct rc4 rc4;
    uint32_t sequence;
    uint32_t start;      /* of the application's messages: a mechListMIC counts before them */
    struct hasher *hmac; /* made at the first message; never written down */
};

struct ntlm_session {
    uint32_t flags;
    uint8_t session_key[16]; /* ExportedSessionKey */
    /* Without ESS both directions share the stream and the counter of `send`. */
    struct ntlm_direction send, receive;
};

/* client: which end this is. */
status_t ntlm_session_init(struct ntlm_session *session, uint32_t flags,
                           const uint8_t session_key[16], bool client);
/* Back to the state at handshake completion: streams and counters. */
void ntlm_session_rewind(struct ntlm_session *session);
/* MS-SPNG 3.3.5.1: new streams, counters go on. Without ESS either direction is both. After the
 * second one this is the state at handshake completion for that direction. */
void ntlm_session_restart_streams(struct ntlm_session *session);
void ntlm_session_restart_stream(struct ntlm_session *session, bool send);
void ntlm_session_clear(struct ntlm_session *session);

/* On failure (SEC_E_MESSAGE_ALTERED, SEC_E_OUT_OF_SEQUENCE, no memory) streams, counters and data
 * are as they were. sign and verify read the parts only. With nothing but ALWAYS_SIGN negotiated
 * sign gives the dummy signature, and verify takes it. send and receive may be used by two
 * threads at once only with ESS. sequence is the application's number of the message in a session
 * with NTLM_DATAGRAM, where each message is on its own and no number may be used twice; others
 * count themselves and ignore it. Datagrams without ESS can be signed only: sealing them is
 * SEC_E_UNSUPPORTED_FUNCTION. */
status_t ntlm_sign(struct ntlm_session *session, uint32_t sequence,
                   const struct message_part *parts, size_t count,
                   uint8_t signature[NTLM_SIGNATURE_SIZE]);
status_t ntlm_verify(struct ntlm_session *session, uint32_t sequence,
                     const struct message_part *parts, size_t count,
                     const uint8_t signature[NTLM_SIGNATURE_SIZE]);
status_t ntlm_seal(struct ntlm_session *session, uint32_t sequence, struct message_part *parts,
                   size_t count, uint8_t signature[NTLM_SIGNATURE_SIZE]);
status_t ntlm_unseal(struct ntlm_session *session, uint32_t sequence, struct message_part *parts,
                     size_t count, const uint8_t signature[NTLM_SIGNATURE_SIZE]);

/* ---- context: handshake, then session ---- */

enum ntlm_role { NTLM_CLIENT = 1, NTLM_SERVER = 2 };
enum ntlm_stage {
    NTLM_STAGE_START = 0,
    NTLM_STAGE_NEGOTIATE_SENT = 1, /* client; a datagram client has sent nothing */
    NTLM_STAGE_CHALLENGE_SENT = 2, /* server */
    NTLM_STAGE_ESTABLISHED = 3,
};

struct ntlm_context {
    enum ntlm_role role;
    enum ntlm_stage stage;
    uint32_t requested;  /* ISC_REQ or ASC_REQ bits of the application, for the provider */
    uint32_t attributes; /* ISC_RET or ASC_RET bits so far, for the provider */
    bool local;          /* authenticated by a local call */
    /* handshake; empty once established */
    uint32_t negotiate_flags; /* client: offered, server: granted */
    uint32_t required;        /* those without which the handshake fails */
    uint8_t server_challenge[8];
    uint64_t local_ticket;     /* server: issued with the challenge; 0 when none */
    uint64_t challenge_ticket; /* server: the provider's own, to have each challenge used once */
    struct blob negotiate, challenge;
    /* either stage; UTF-16LE, may be empty */
    struct blob user, domain; /* who authenticated (server: the peer, client: we) */
    struct blob target_name;  /* client: the SPN asked for; server: what the client named */
    uint64_t start_time;      /* FILETIME of establishment */
    struct ntlm_session session;
};

enum ntlm_proof {
    NTLM_PROOF_V2,        /* NTLMv2, with a MIC when our client makes it */
    NTLM_PROOF_LOCAL,     /* the same with ntlm_local_hash in place of the hash */
    NTLM_PROOF_V1,        /* NTLMv1 with or without ESS, as agreed; LM as the caller allows */
    NTLM_PROOF_ANONYMOUS, /* nobody: no names, a session key that everybody knows */
    NTLM_PROOF_AUTHORITY, /* server: somebody else has verified the responses */
};

struct ntlm_client_start {
    /* To offer: any of UNICODE, OEM, SIGN, SEAL, DATAGRAM, LM_KEY, ESS, ANONYMOUS, IDENTIFY,
     * NON_NT_SESSION_KEY, 128, 56, KEY_EXCH; usually NTLM_STRONG and more. REQUEST_TARGET, NTLM
     * and ALWAYS_SIGN always go along; KEY_EXCH only where something will use the key. */
    uint32_t flags;
    uint32_t required;                        /* SIGN and SEAL are, once offered; more may be */
    bool offer_local;                         /* default credentials: names go along, no version */
    struct slice oem_domain, oem_workstation; /* with offer_local */
    uint8_t version[8];
    struct slice target_name; /* SPN, may be empty */
};

struct ntlm_client_finish {
    enum ntlm_proof proof;
    uint8_t v2_hash[16]; /* V2: NTOWFv2. LOCAL, which the server must have offered: its hash */
    uint8_t nt_hash[16]; /* V1 */
    uint8_t lm_hash[16]; /* V1, with send_lm, or when LM_KEY or NON_NT_SESSION_KEY was offered */
    bool send_lm;        /* V1 without ESS: the LM response too, else the NT one in its place */
    struct slice user, domain, workstation; /* as the hash was made with them (user not upper) */
    struct slice oem_user, oem_domain, oem_workstation; /* the same, where OEM was offered */
    uint8_t client_challenge[8], random_session_key[16];
    uint64_t now;                    /* FILETIME, used when the challenge has no timestamp */
    const uint8_t *channel_bindings; /* 16-byte hash or NULL */
    const uint8_t *machine_id;       /* for the single-host pair, or NULL */
    bool untrusted_target;           /* NTLM_AV_FLAG_UNTRUSTED_TARGET */
    bool no_extended_protection;     /* neither the target's name nor bindings are sent */
    uint8_t version[8];
};

struct ntlm_server_start {
    /* May be granted, where the client asks for it: any of UNICODE, OEM, SIGN, SEAL, LM_KEY, ESS,
     * IDENTIFY, NON_NT_SESSION_KEY, 128, 56, KEY_EXCH. With DATAGRAM and an empty token they are
     * what the server proposes, and the client chooses. */
    uint32_t flags;
    uint32_t required;
    uint8_t server_challenge[8];
    uint64_t now;          /* FILETIME for the Timestamp pair */
    uint64_t local_ticket; /* 0: no local call offered. Used only when the client offered one with
                              names equal to ours */
    uint64_t challenge_ticket;                                     /* kept in the context, or 0 */
    struct slice nb_computer, nb_domain, dns_computer, dns_domain; /* UTF-16LE */
    struct slice oem_target; /* nb_computer for a client that knows OEM strings only */
    uint8_t version[8];
};

struct ntlm_server_finish {
    enum ntlm_proof proof;
    uint8_t v2_hash[16];          /* V2, LOCAL */
    uint8_t nt_hash[16];          /* V1 */
    uint8_t lm_hash[16];          /* V1, where has_lm */
    uint8_t session_base_key[16]; /* AUTHORITY */
    uint8_t lm_session_key[8];    /* AUTHORITY for NTLMv1 and LM, where has_lm */
    bool has_lm;                  /* without it no LM_KEY, NON_NT_SESSION_KEY or LM response */
    bool accept_lm;               /* V1: an LM response alone will do */
    bool require_mic;             /* so that NTLMv1 and nobody are refused too */
    uint64_t timestamp_window;    /* between now and the response's time, either way; 0: any */
    uint64_t now;
    struct slice user, domain; /* as the context will have them; data NULL: the message's own, which
                                  are taken from Unicode messages only */
};

void ntlm_context_init(struct ntlm_context *ctx, enum ntlm_role role);
void ntlm_context_clear(struct ntlm_context *ctx);

/* The four steps. Each appends its token to a writer, and on failure leaves ctx as it was. A step
 * out of order is SEC_E_OUT_OF_SEQUENCE; flags that cannot be agreed on, required ones above all,
 * are SEC_E_UNSUPPORTED_FUNCTION. The finishing steps take the decoded message of the token so that
 * the caller can look up names in between. A datagram client's first step appends nothing. */
status_t ntlm_client_start(struct ntlm_context *ctx, const struct ntlm_client_start *params,
                           struct writer *token);
status_t ntlm_client_finish(struct ntlm_context *ctx, struct slice challenge_token,
                            const struct ntlm_challenge *challenge,
                            const struct ntlm_client_finish *params, struct writer *token);
/* True when the client of this message may be offered a local call by a server of these names. */
bool ntlm_negotiate_is_local(const struct ntlm_negotiate *message, struct slice nb_computer,
                             struct slice nb_domain);
/* negotiate_token is empty for a datagram context. */
status_t ntlm_server_start(struct ntlm_context *ctx, struct slice negotiate_token,
                           const struct ntlm_server_start *params, struct writer *token);
/* The length of a session's sealing key by its flags (MS-NLMP 3.4.5.3). */
unsigned ntlm_key_bits(uint32_t flags);
/* The flags that a waiting server and this client agree on. */
uint32_t ntlm_server_flags(const struct ntlm_context *ctx, const struct ntlm_authenticate *message);
/* All that ntlm_server_finish says of a message before it looks at the proof: of params, nothing is
 * looked at that comes from a password. Whoever has a proof judged elsewhere asks this first, or
 * the status would tell a right password from a wrong one. */
status_t ntlm_server_check(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                           const struct ntlm_server_finish *params);
/* SEC_E_LOGON_DENIED for a wrong proof, one of another kind than asked for, a wrong or missing
 * MIC, a wrong time: never which. */
status_t ntlm_server_finish(struct ntlm_context *ctx, struct slice authenticate_token,
                            const struct ntlm_authenticate *message,
                            const struct ntlm_server_finish *params);

/* The body of an exported context: versioned, little endian, the same on 32 and 64 bit. reset
 * writes an established session as it was when the handshake completed. */
void ntlm_context_write(const struct ntlm_context *ctx, bool reset, struct writer *w);
/* Creates ctx (uninitialised storage) from a body; SEC_E_INVALID_TOKEN for anything that
 * ntlm_context_write cannot have written. */
status_t ntlm_context_read(struct ntlm_context *ctx, struct slice body);
