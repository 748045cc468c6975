/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timing loops of the benchmarks; see bench.h. A loop runs for a fixed time rather than a fixed
 * count, since what is compared differs by three orders of magnitude. tools/bench puts the figures
 * of several bursts and runs together.
 */
#include "bench.h"

#include "bench_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BURSTS = 7, MOVE_PAIRS = 8, MOVE_RUNS = 101, CONTEXTS = 10000, SIGNED_SIZE = 1024 };

static const double measure_seconds = 0.05;
static const double handshake_seconds = 0.2;
static const double memory_seconds = 30.0;
static const size_t sealed_sizes[] = {64, 1024, 16384};

void bench_print(const char *name, bool known, double value, const char *unit)
{
    if (known) {
        printf("%s %.6g %s\n", name, value, unit);
    } else {
        printf("%s - %s\n", name, unit);
    }
    fflush(stdout);
}

void bench_turn(const char *name)
{
    char line[16];
    printf("turn %s\n", name);
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin)) return; /* nobody else is there */
}

bool bench_figure(const char *name, bench_burst_fn *burst, void *state, double units,
                  const char *unit)
{
    double done = 1;
    for (unsigned i = 0; i < BURSTS && done > 0; i++) {
        bench_turn(name);
        done = burst(state);
        bench_print(name, done > 0, done * units, unit);
    }
    return done > 0;
}

void bench_slots_free(const struct bench_ops *ops, struct bench_slot *slots)
{
    for (unsigned i = 0; i < BENCH_SLOTS; i++) {
        ops->slot_clear(&slots[i]);
        free(slots[i].buffer);
    }
}

bool bench_slots_init(struct bench_slot *slots, size_t size)
{
    bool good = true;
    memset(slots, 0, BENCH_SLOTS * sizeof(*slots));
    for (unsigned i = 0; i < BENCH_SLOTS; i++) {
        slots[i].buffer = malloc(size + 2 * BENCH_SIGNATURE_ROOM);
        if (!slots[i].buffer) {
            good = false;
            continue;
        }
        slots[i].text = slots[i].buffer + BENCH_SIGNATURE_ROOM;
        slots[i].size = size;
        memset(slots[i].text, 'a' + (int)(i % 26), size);
    }
    return good;
}

/* What is done over and over to the messages of a pair. */
struct messages {
    const struct bench_ops *ops;
    struct bench_pair *pair;
    struct bench_slot slots[BENCH_SLOTS];
    bench_message_fn *make, *open;
};

static double burst_making(void *state)
{
    struct messages *messages = state;
    uint64_t count = 0;
    double start = bench_now(), elapsed;
    do {
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!messages->make(messages->pair, false, &messages->slots[0])) return 0;
        }
        count += BENCH_SLOTS;
        elapsed = bench_now() - start;
    } while (elapsed < measure_seconds);
    return (double)count / elapsed;
}

/* What the other end opens must have been made first, which is not timed. */
static double burst_opening(void *state)
{
    struct messages *messages = state;
    uint64_t count = 0;
    double elapsed = 0;
    do {
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!messages->make(messages->pair, true, &messages->slots[i])) return 0;
        }
        double start = bench_now();
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!messages->open(messages->pair, true, &messages->slots[i])) return 0;
        }
        elapsed += bench_now() - start;
        count += BENCH_SLOTS;
    } while (elapsed < measure_seconds);
    return (double)count / elapsed;
}

/* The speed of a seal that the other end cannot open is no figure. */
static bool opens(const struct bench_ops *ops, struct bench_pair *pair, struct bench_slot *slot)
{
    return ops->seal(pair, true, slot) && ops->unseal(pair, true, slot) && slot->text[0] == 'a' &&
           !memcmp(slot->text, slot->text + 1, slot->size - 1);
}

static bool verifies(const struct bench_ops *ops, struct bench_pair *pair, struct bench_slot *slot)
{
    return ops->sign(pair, true, slot) && ops->verify(pair, true, slot);
}

static void measure_sealing(struct messages *messages, size_t size)
{
    const struct bench_ops *ops = messages->ops;
    char sealed[32], unsealed[32];
    snprintf(sealed, sizeof(sealed), "seal_%u", (unsigned)size);
    snprintf(unsealed, sizeof(unsealed), "unseal_%u", (unsigned)size);
    messages->make = ops->seal;
    messages->open = ops->unseal;
    if (bench_slots_init(messages->slots, size) && opens(ops, messages->pair, messages->slots) &&
        bench_figure(sealed, burst_making, messages, (double)size / 1e6, "MB/s")) {
        bench_figure(unsealed, burst_opening, messages, (double)size / 1e6, "MB/s");
    } else {
        bench_print(sealed, false, 0, "MB/s");
        bench_print(unsealed, false, 0, "MB/s");
    }
    bench_slots_free(ops, messages->slots);
}

static void measure_signing(struct messages *messages)
{
    const struct bench_ops *ops = messages->ops;
    messages->make = ops->sign;
    messages->open = ops->verify;
    if (bench_slots_init(messages->slots, SIGNED_SIZE) &&
        verifies(ops, messages->pair, messages->slots) &&
        bench_figure("sign_1024", burst_making, messages, 1, "1/s")) {
        bench_figure("verify_1024", burst_opening, messages, 1, "1/s");
    } else {
        bench_print("sign_1024", false, 0, "1/s");
        bench_print("verify_1024", false, 0, "1/s");
    }
    bench_slots_free(ops, messages->slots);
}

/* A pair for each size: what was made ahead of one is not in the way of the next. */
static void measure_messages(const struct bench_ops *ops)
{
    struct messages messages = {.ops = ops};
    for (unsigned i = 0; i < sizeof(sealed_sizes) / sizeof(sealed_sizes[0]); i++) {
        messages.pair = ops->pair_create();
        if (!messages.pair) return;
        measure_sealing(&messages, sealed_sizes[i]);
        ops->pair_free(messages.pair);
    }
    messages.pair = ops->sign ? ops->pair_create() : NULL;
    if (!messages.pair) return;
    measure_signing(&messages);
    ops->pair_free(messages.pair);
}

static double burst_handshakes(void *state)
{
    const struct bench_ops *ops = state;
    uint64_t count = 0;
    double start = bench_now(), elapsed;
    do {
        struct bench_pair *pair = ops->pair_create();
        if (!pair) return 0;
        ops->pair_free(pair);
        count++;
        elapsed = bench_now() - start;
    } while (elapsed < handshake_seconds);
    return (double)count / elapsed;
}

static int compare_doubles(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;
    return (l > r) - (l < r);
}

double bench_median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[count / 2];
}

static bool move_all(const struct bench_ops *ops, struct bench_pair **pairs,
                     struct bench_blob *blobs, double *exported, double *imported)
{
    double start = bench_now();
    for (unsigned i = 0; i < MOVE_PAIRS; i++) {
        if (!ops->export_server(pairs[i], &blobs[i])) return false;
    }
    double middle = bench_now();
    for (unsigned i = 0; i < MOVE_PAIRS; i++) {
        if (!ops->import_server(pairs[i], &blobs[i])) return false;
    }
    *exported = (middle - start) / MOVE_PAIRS;
    *imported = (bench_now() - middle) / MOVE_PAIRS;
    return true;
}

static void print_move(const char *prefix, const char *name, bool known, double value,
                       const char *unit)
{
    char text[32];
    snprintf(text, sizeof(text), "%s%s", prefix, name);
    bench_print(text, known, value, unit);
}

/* Medians, because one interruption weighs more than a hundred exports. */
static bool burst_moves(const struct bench_ops *ops, struct bench_pair **pairs,
                        struct bench_blob *blobs, const char *prefix)
{
    double exports[MOVE_RUNS], imports[MOVE_RUNS];
    bool good = true;
    for (unsigned i = 0; good && i < MOVE_RUNS; i++) {
        good = move_all(ops, pairs, blobs, &exports[i], &imports[i]);
    }
    double exported = good ? bench_median(exports, MOVE_RUNS) : 0;
    double imported = good ? bench_median(imports, MOVE_RUNS) : 0;
    print_move(prefix, "export", good, exported * 1e6, "us");
    print_move(prefix, "import", good, imported * 1e6, "us");
    print_move(prefix, "move", good, (exported + imported) * 1e6, "us");
    print_move(prefix, "blob", good, (double)blobs[0].size, "bytes");
    return good;
}

static void measure_moves(const struct bench_ops *ops, struct bench_pair *(*create)(void),
                          const char *prefix)
{
    struct bench_pair *pairs[MOVE_PAIRS] = {NULL};
    struct bench_blob blobs[MOVE_PAIRS] = {{NULL, 0}};
    bool good = true;
    for (unsigned i = 0; good && i < MOVE_PAIRS; i++) {
        pairs[i] = create();
        good = pairs[i] != NULL;
    }
    for (unsigned i = 0; good && i < BURSTS; i++) {
        bench_turn(*prefix ? "half_move" : "move");
        good = burst_moves(ops, pairs, blobs, prefix);
    }
    for (unsigned i = 0; i < MOVE_PAIRS; i++) {
        if (pairs[i]) ops->pair_free(pairs[i]);
    }
}

enum kept { KEPT_HALF_OPEN_CLIENT, KEPT_HALF_OPEN_SERVER, KEPT_ESTABLISHED };

/* Makes what is never freed. An established pair has used its four streams, because what a
 * context needs for messages may come late. */
static bool keep(const struct bench_ops *ops, enum kept kept, struct bench_slot *slot)
{
    if (kept != KEPT_ESTABLISHED) return ops->keep_half_open(kept == KEPT_HALF_OPEN_SERVER);
    struct bench_pair *pair = ops->pair_create();
    return pair && ops->seal(pair, false, slot) && ops->unseal(pair, false, slot) &&
           ops->seal(pair, true, slot) && ops->unseal(pair, true, slot);
}

/* For a process of its own: what other figures have freed would be used again. An implementation
 * that starts a process for every context is stopped before it fills the machine. */
static void measure_memory(const struct bench_ops *ops, enum kept kept, const char *name)
{
    struct bench_slot slots[BENCH_SLOTS];
    bool good = bench_slots_init(slots, SIGNED_SIZE) && keep(ops, kept, &slots[0]);
    const unsigned wanted = ops->kept ? ops->kept : CONTEXTS;
    uint64_t before = bench_private_bytes();
    double end = bench_now() + memory_seconds;
    unsigned count = 0;
    while (good && count < wanted && bench_now() < end) {
        good = keep(ops, kept, &slots[0]);
        count += kept == KEPT_ESTABLISHED ? 2 : 1;
    }
    if (good && count < wanted) fprintf(stderr, "%s: too slow to be measured\n", name);
    good = good && count >= wanted;
    bench_print(name, good, (double)(bench_private_bytes() - before) / wanted, "bytes");
    bench_slots_free(ops, slots);
}

static bool run_group(const struct bench_ops *ops, const char *group)
{
    if (!strcmp(group, "packages")) {
        if (ops->packages) ops->packages();
    } else if (!strcmp(group, "handshakes")) {
        bench_figure(group, burst_handshakes, (void *)(uintptr_t)ops, 1, "1/s");
    } else if (!strcmp(group, "messages")) {
        measure_messages(ops);
    } else if (!strcmp(group, "moves")) {
        measure_moves(ops, ops->pair_create, "");
    } else if (!strcmp(group, "half-open-moves")) {
        measure_moves(ops, ops->pair_begin, "half_");
    } else if (!strcmp(group, "cost")) {
        if (ops->inner_create) bench_cost(ops);
    } else if (!strcmp(group, "threads")) {
        bench_threads(ops);
    } else if (!strcmp(group, "half-open-client")) {
        measure_memory(ops, KEPT_HALF_OPEN_CLIENT, "half_open_client");
    } else if (!strcmp(group, "half-open-server")) {
        measure_memory(ops, KEPT_HALF_OPEN_SERVER, "half_open_server");
    } else if (!strcmp(group, "established")) {
        measure_memory(ops, KEPT_ESTABLISHED, "established");
    } else {
        return ops->more && ops->more(group);
    }
    return true;
}

int bench_run(const struct bench_ops *ops, int argc, char **argv)
{
    bool ready = false;
    bench_stay_on(0);
    for (int i = 1; i < argc; i++) {
        if (!ready && strcmp(argv[i], "packages")) {
            if (!ops->set_up()) return EXIT_FAILURE;
            ready = true;
        }
        if (run_group(ops, argv[i])) continue;
        fprintf(stderr, "%s: unknown group of figures: %s\n", argv[0], argv[i]);
        return 2;
    }
    if (argc > 1) {
        bench_turn("end"); /* others may use what this program takes away */
        return EXIT_SUCCESS;
    }
    fprintf(stderr,
            "usage: %s GROUP...\n"
            "groups: packages handshakes messages moves half-open-moves cost threads\n"
            "memory, one per process: half-open-client half-open-server established\n"
            "and those of one implementation alone\n",
            argv[0]);
    return 2;
}
