/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timing loops of the benchmarks; see bench.h. A loop runs for a fixed time rather than a fixed
 * count, since what is compared differs by three orders of magnitude. Medians over several runs are
 * taken by tools/bench.
 */
#include "bench.h"

#include "bench_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOVE_PAIRS = 8, MOVE_RUNS = 501, CONTEXTS = 10000, SIGNED_SIZE = 1024 };

static const double measure_seconds = 0.25;
static const double handshake_seconds = 1.0;
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

/* One message over and over: calls per second, or 0. */
static double repeat(const struct bench_ops *ops, struct bench_pair *pair, struct bench_slot *slots,
                     bench_message_fn *make)
{
    uint64_t count = 0;
    double start = ops->now(), elapsed;
    do {
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!make(pair, false, &slots[0])) return 0;
        }
        count += BENCH_SLOTS;
        elapsed = ops->now() - start;
    } while (elapsed < measure_seconds);
    return (double)count / elapsed;
}

/* What the other end opens must have been made first, which is not timed. */
static double repeat_opening(const struct bench_ops *ops, struct bench_pair *pair,
                             struct bench_slot *slots, bench_message_fn *make,
                             bench_message_fn *open)
{
    uint64_t count = 0;
    double elapsed = 0;
    do {
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!make(pair, true, &slots[i])) return 0;
        }
        double start = ops->now();
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!open(pair, true, &slots[i])) return 0;
        }
        elapsed += ops->now() - start;
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

static void measure_sealing(const struct bench_ops *ops, struct bench_pair *pair, size_t size)
{
    struct bench_slot slots[BENCH_SLOTS];
    char name[32];
    double sealed = 0, unsealed = 0;
    if (bench_slots_init(slots, size) && opens(ops, pair, &slots[0])) {
        sealed = repeat(ops, pair, slots, ops->seal);
        if (sealed > 0) unsealed = repeat_opening(ops, pair, slots, ops->seal, ops->unseal);
    }
    bench_slots_free(ops, slots);
    snprintf(name, sizeof(name), "seal_%u", (unsigned)size);
    bench_print(name, sealed > 0, sealed * (double)size / 1e6, "MB/s");
    snprintf(name, sizeof(name), "unseal_%u", (unsigned)size);
    bench_print(name, unsealed > 0, unsealed * (double)size / 1e6, "MB/s");
}

static void measure_signing(const struct bench_ops *ops, struct bench_pair *pair)
{
    struct bench_slot slots[BENCH_SLOTS];
    double made = 0, verified = 0;
    if (bench_slots_init(slots, SIGNED_SIZE) && verifies(ops, pair, &slots[0])) {
        made = repeat(ops, pair, slots, ops->sign);
        if (made > 0) verified = repeat_opening(ops, pair, slots, ops->sign, ops->verify);
    }
    bench_slots_free(ops, slots);
    bench_print("sign_1024", made > 0, made, "1/s");
    bench_print("verify_1024", verified > 0, verified, "1/s");
}

/* A pair for each size: what was made ahead of one is not in the way of the next. */
static void measure_messages(const struct bench_ops *ops)
{
    for (unsigned i = 0; i < sizeof(sealed_sizes) / sizeof(sealed_sizes[0]); i++) {
        struct bench_pair *pair = ops->pair_create();
        if (!pair) return;
        measure_sealing(ops, pair, sealed_sizes[i]);
        ops->pair_free(pair);
    }
    struct bench_pair *pair = ops->sign ? ops->pair_create() : NULL;
    if (!pair) return;
    measure_signing(ops, pair);
    ops->pair_free(pair);
}

static void measure_handshakes(const struct bench_ops *ops)
{
    uint64_t count = 0;
    double start = ops->now(), elapsed;
    do {
        struct bench_pair *pair = ops->pair_create();
        if (!pair) {
            count = 0;
            elapsed = 1;
            break;
        }
        ops->pair_free(pair);
        count++;
        elapsed = ops->now() - start;
    } while (elapsed < handshake_seconds);
    bench_print("handshakes", count > 0, (double)count / elapsed, "1/s");
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
    double start = ops->now();
    for (unsigned i = 0; i < MOVE_PAIRS; i++) {
        if (!ops->export_server(pairs[i], &blobs[i])) return false;
    }
    double middle = ops->now();
    for (unsigned i = 0; i < MOVE_PAIRS; i++) {
        if (!ops->import_server(pairs[i], &blobs[i])) return false;
    }
    *exported = (middle - start) / MOVE_PAIRS;
    *imported = (ops->now() - middle) / MOVE_PAIRS;
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
static void measure_moves(const struct bench_ops *ops, struct bench_pair *(*create)(void),
                          const char *prefix)
{
    struct bench_pair *pairs[MOVE_PAIRS] = {NULL};
    struct bench_blob blobs[MOVE_PAIRS] = {{NULL, 0}};
    double exports[MOVE_RUNS], imports[MOVE_RUNS];
    bool good = true;
    for (unsigned i = 0; good && i < MOVE_PAIRS; i++) {
        pairs[i] = create();
        good = pairs[i] != NULL;
    }
    for (unsigned i = 0; good && i < MOVE_RUNS; i++) {
        good = move_all(ops, pairs, blobs, &exports[i], &imports[i]);
    }
    for (unsigned i = 0; i < MOVE_PAIRS; i++) {
        if (pairs[i]) ops->pair_free(pairs[i]);
    }
    double exported = good ? bench_median(exports, MOVE_RUNS) : 0;
    double imported = good ? bench_median(imports, MOVE_RUNS) : 0;
    print_move(prefix, "export", good, exported * 1e6, "us");
    print_move(prefix, "import", good, imported * 1e6, "us");
    print_move(prefix, "move", good, (exported + imported) * 1e6, "us");
    print_move(prefix, "blob", good, (double)blobs[0].size, "bytes");
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
    uint64_t before = ops->private_bytes();
    double end = ops->now() + memory_seconds;
    unsigned count = 0;
    while (good && count < wanted && ops->now() < end) {
        good = keep(ops, kept, &slots[0]);
        count += kept == KEPT_ESTABLISHED ? 2 : 1;
    }
    if (good && count < wanted) fprintf(stderr, "%s: too slow to be measured\n", name);
    good = good && count >= wanted;
    bench_print(name, good, (double)(ops->private_bytes() - before) / wanted, "bytes");
    bench_slots_free(ops, slots);
}

static bool run_group(const struct bench_ops *ops, const char *group)
{
    if (!strcmp(group, "packages")) {
        if (ops->packages) ops->packages();
    } else if (!strcmp(group, "handshakes")) {
        measure_handshakes(ops);
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
    for (int i = 1; i < argc; i++) {
        if (!ready && strcmp(argv[i], "packages")) {
            if (!ops->set_up()) return EXIT_FAILURE;
            ready = true;
        }
        if (run_group(ops, argv[i])) continue;
        fprintf(stderr, "%s: unknown group of figures: %s\n", argv[0], argv[i]);
        return 2;
    }
    if (argc > 1) return EXIT_SUCCESS;
    fprintf(stderr,
            "usage: %s GROUP...\n"
            "groups: packages handshakes messages moves half-open-moves cost threads\n"
            "memory, one per process: half-open-client half-open-server established\n"
            "and those of one implementation alone\n",
            argv[0]);
    return 2;
}
