/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line that both programs of an interoperability test share. A client reads its
 * account and the password from two lines of standard input, in UTF-8, unless it is to use the
 * credentials that are there.
 */
#pragma once

#include "dialogue.h"

/* What a client asks for and a server expects; either end fails when it is otherwise. */
#define ASK_MUTUAL 0x1u
#define ASK_DELEGATE 0x2u
#define ASK_DCE_STYLE 0x4u

struct options {
    bool server;
    bool by_default;         /* with the credentials that are there */
    bool move;               /* change the process between rounds */
    uint32_t move_after_leg; /* change it when so many legs of the handshake are done; 0: do not */
    uint16_t port;           /* client: where to connect; a server takes a free one and prints it */
    char package[16];        /* NTLM, Kerberos, or Negotiate for SPNEGO */
    char inside[16];         /* what a foreign end has in SPNEGO: NTLM, Kerberos or both */
    char layer[16];          /* none, integrity or privacy */
    char target[64];         /* principal of the service */
    char bindings[64];       /* channel bindings' application data; empty: none */
    uint32_t ask;            /* ASK_ */
    char domain[16];
    char user[64];
    char password[64];
    bool sample;           /* the protocol of MIT's sample programs (sample.h) */
    bool key;              /* print the session key */
    const char *successor; /* the program that takes the context over; NULL is this one */
    uint32_t rounds;
    enum dialogue_tamper tamper;
};

/* What options_parse does for a client, for a server that needs an account as well. */
bool options_read_account(struct options *options, const char *program);

/* False, with a message on standard error, when the arguments make no sense. */
bool options_parse(struct options *options, int argc, char **argv);

/* Prints the verdict line that the script compares, and gives the exit status. */
int options_report(const struct dialogue *dialogue, const struct options *options);
