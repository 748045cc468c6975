/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the benchmarks measure, the same for every implementation: how messages and contexts are
 * timed lives here, how they are made is a table. Each figure is a line, "NAME VALUE UNIT"; what an
 * implementation cannot give is "NAME - UNIT", with the reason on standard error.
 *
 * Implementations that are compared take turns within a figure, because machines change their speed
 * within seconds: a program says "turn NAME" before each burst of work and waits for a line on its
 * standard input, or for the end of it. bench_turns starts such programs and hands turns around.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_pair; /* a client's and a server's context of one handshake */

/* One message on its way: the implementation decides what it keeps beside the text. */
struct bench_slot {
    uint8_t *buffer; /* room for a signature before and after the text */
    uint8_t *text;
    size_t size;
    void *sealed, *signature; /* of the implementation, if it allocates these, */
    uint32_t token_size;      /* and what else it keeps of either */
};

enum { BENCH_SIGNATURE_ROOM = 320 }; /* Wine's Schannel asks for 256 bytes behind a text */

struct bench_blob {
    void *data; /* of the implementation */
    size_t size;
};

/*
 * What one end makes and the other opens. A direction has its own keys and state, so that a
 * message may be made and never opened as long as none of its direction is opened later.
 */
typedef bool bench_message_fn(struct bench_pair *pair, bool from_server, struct bench_slot *slot);

/* Each false is final for the figure; the implementation has said why on standard error. The client
 * makes messages that are never opened, the server those that are. */
struct bench_ops {
    bool (*set_up)(void); /* credentials, once */
    struct bench_pair *(*pair_create)(void);
    struct bench_pair *(*pair_begin)(void); /* the server has made its first answer, no more */
    /* A pair of the package that does the work inside the measured one; NULL when none does. */
    struct bench_pair *(*inner_create)(void);
    void (*pair_free)(struct bench_pair *pair);
    bool (*keep_half_open)(bool server); /* makes one more and never frees it */
    unsigned kept;                       /* contexts that memory is measured with; 0: the usual */
    bench_message_fn *seal;
    bench_message_fn *unseal;
    bench_message_fn *sign; /* NULL: nothing is signed without being sealed */
    bench_message_fn *verify;
    void (*slot_clear)(struct bench_slot *slot);
    /* The server's context: export takes it away, import brings it back and frees the blob. */
    bool (*export_server)(struct bench_pair *pair, struct bench_blob *blob);
    bool (*import_server)(struct bench_pair *pair, struct bench_blob *blob);
    void (*packages)(void);          /* NULL when there is nothing to ask */
    bool (*more)(const char *group); /* prints the figures of a group of its own; NULL for none */
    /* Does work(items[0]) to work(items[count - 1]) each in a thread of its own. */
    bool (*together)(unsigned count, void (*work)(void *), void **items);
};

void bench_print(const char *name, bool known, double value, const char *unit);

/* Waits until it is this program's turn to measure that. */
void bench_turn(const char *name);

/* A burst of work, of which it says how much was done in a second; 0: it cannot be done. */
typedef double bench_burst_fn(void *state);

/* A figure in several bursts, with a line for each; one that fails is the last. Units are of so
 * much work. */
bool bench_figure(const char *name, bench_burst_fn *burst, void *state, double units,
                  const char *unit);

/* ---- bench_system.c ---- */

double bench_now(void); /* seconds */

uint64_t bench_private_bytes(void);

/* Keeps the calling thread to one of the processors that the program may use, counted from 0. On a
 * machine that others share, one processor may be half as fast as the next. */
void bench_stay_on(unsigned processor);

/* The main function: argv names groups of figures. */
int bench_run(const struct bench_ops *ops, int argc, char **argv);
