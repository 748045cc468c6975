/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Figures that are ratios by their nature; see bench.h. What is compared takes turns within
 * milliseconds, and each figure is the median of many such ratios: the differences are smaller than
 * those between two runs.
 */
#include "bench_private.h"

#include <stdio.h>
#include <string.h>

enum { COST_ROUNDS = 301, THREAD_ROUNDS = 41, THREADS = 2, SEALED_SIZE = 1024, STEPS = 4096 };

static const double thread_seconds = 0.05;
static const size_t cost_sizes[] = {64, 1024, 16384};

/* ---- what a package adds to the one inside it ---- */

/* Seconds for so many messages, or 0. */
static double time_messages(struct bench_pair *pair, struct bench_slot *slot,
                            bench_message_fn *make)
{
    double start = bench_now();
    for (unsigned i = 0; i < BENCH_SLOTS; i++) {
        if (!make(pair, true, slot)) return 0;
    }
    return bench_now() - start;
}

static bool compare_messages(struct bench_pair *const pairs[2], struct bench_slot *slot,
                             bench_message_fn *make, double *ratio)
{
    double ratios[COST_ROUNDS];
    for (unsigned round = 0; round < COST_ROUNDS; round++) {
        double times[2];
        const unsigned first = round % 2;
        times[first] = time_messages(pairs[first], slot, make);
        times[1 - first] = time_messages(pairs[1 - first], slot, make);
        if (times[0] <= 0 || times[1] <= 0) return false;
        ratios[round] = times[1] / times[0];
    }
    *ratio = bench_median(ratios, COST_ROUNDS);
    return true;
}

static void measure_cost(const struct bench_ops *ops, struct bench_pair *const pairs[2],
                         size_t size, bench_message_fn *make, const char *what)
{
    struct bench_slot slots[BENCH_SLOTS];
    char name[32];
    double ratio = 0;
    snprintf(name, sizeof(name), "cost_%s_%u", what, (unsigned)size);
    bench_turn(name);
    bool good = bench_slots_init(slots, size) && compare_messages(pairs, &slots[0], make, &ratio);
    bench_slots_free(ops, slots);
    bench_print(name, good, (ratio - 1) * 100, "%");
}

void bench_cost(const struct bench_ops *ops)
{
    struct bench_pair *pairs[2] = {ops->inner_create(), ops->pair_create()};
    for (unsigned i = 0; pairs[0] && pairs[1] && i < sizeof(cost_sizes) / sizeof(*cost_sizes);
         i++) {
        measure_cost(ops, pairs, cost_sizes[i], ops->seal, "seal");
        measure_cost(ops, pairs, cost_sizes[i], ops->sign, "sign");
    }
    for (unsigned i = 0; i < 2; i++) {
        if (pairs[i]) ops->pair_free(pairs[i]);
    }
}

/* ---- two threads against one ---- */

struct worker {
    const struct bench_ops *ops;
    unsigned processor;
    struct bench_pair *pair;
    struct bench_slot slots[BENCH_SLOTS];
    double rate; /* per second; 0 when something failed */
};

static void work_handshakes(void *item)
{
    struct worker *worker = item;
    const struct bench_ops *ops = worker->ops;
    uint64_t count = 0;
    bench_stay_on(worker->processor);
    double start = bench_now(), elapsed;
    worker->rate = 0;
    do {
        struct bench_pair *pair = ops->pair_create();
        if (!pair) return;
        ops->pair_free(pair);
        count++;
        elapsed = bench_now() - start;
    } while (elapsed < thread_seconds);
    worker->rate = (double)count / elapsed;
}

static void work_seal(void *item)
{
    struct worker *worker = item;
    const struct bench_ops *ops = worker->ops;
    uint64_t count = 0;
    bench_stay_on(worker->processor);
    double start = bench_now(), elapsed;
    worker->rate = 0;
    do {
        for (unsigned i = 0; i < BENCH_SLOTS; i++) {
            if (!ops->seal(worker->pair, true, &worker->slots[0])) return;
        }
        count += BENCH_SLOTS;
        elapsed = bench_now() - start;
    } while (elapsed < thread_seconds);
    worker->rate = (double)count / elapsed;
}

/* What two threads can do here that have nothing to do with each other: the most that the others
 * may reach. */
static void work_arithmetic(void *item)
{
    struct worker *worker = item;
    uint64_t count = 0;
    bench_stay_on(worker->processor);
    volatile uint64_t result;
    double start = bench_now(), elapsed;
    do {
        uint64_t value = count;
        for (unsigned i = 0; i < STEPS; i++) value = value * 6364136223846793005u + i;
        result = value;
        count++;
        elapsed = bench_now() - start;
    } while (elapsed < thread_seconds);
    worker->rate = (double)(count + (result & 0)) / elapsed;
}

/* Per second, of so many threads, each on its processor; 0 when something failed. */
static double rate_of(struct worker *workers, unsigned count, void (*work)(void *))
{
    void *items[THREADS];
    double rate = 0;
    for (unsigned i = 0; i < count; i++) items[i] = &workers[i];
    if (!workers->ops->together(count, work, items)) return 0;
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].rate <= 0) return 0;
        rate += workers[i].rate;
    }
    return rate;
}

/* What one thread does is the mean of what it does on each processor. */
static bool compare_threads(struct worker *workers, void (*work)(void *), bool both_first,
                            double *ratio)
{
    double alone = 0, both = both_first ? rate_of(workers, THREADS, work) : 0;
    for (unsigned i = 0; i < THREADS; i++) {
        double rate = rate_of(&workers[i], 1, work);
        if (rate <= 0) return false;
        alone += rate / THREADS;
    }
    if (!both_first) both = rate_of(workers, THREADS, work);
    *ratio = both / alone;
    return both > 0;
}

static void measure_threads(struct worker *workers)
{
    static const struct {
        const char *name;
        void (*work)(void *);
    } figures[] = {{"threads_arithmetic", work_arithmetic},
                   {"threads_handshakes", work_handshakes},
                   {"threads_seal", work_seal}};
    enum { FIGURES = sizeof(figures) / sizeof(*figures) };
    static double ratios[FIGURES][THREAD_ROUNDS];
    bool good[FIGURES] = {true, true, true};
    bench_turn("threads");
    for (unsigned round = 0; round < THREAD_ROUNDS; round++) {
        for (unsigned i = 0; i < FIGURES; i++)
            good[i] = good[i] &&
                      compare_threads(workers, figures[i].work, round % 2, &ratios[i][round]);
    }
    for (unsigned i = 0; i < FIGURES; i++)
        bench_print(figures[i].name, good[i], good[i] ? bench_median(ratios[i], THREAD_ROUNDS) : 0,
                    "times");
}

void bench_threads(const struct bench_ops *ops)
{
    static struct worker workers[THREADS];
    bool good = true;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].ops = ops;
        workers[i].processor = i;
        workers[i].pair = ops->pair_create();
        good = bench_slots_init(workers[i].slots, SEALED_SIZE) && workers[i].pair && good;
    }
    if (good) measure_threads(workers);
    for (unsigned i = 0; i < THREADS; i++) {
        if (workers[i].pair) ops->pair_free(workers[i].pair);
        bench_slots_free(ops, workers[i].slots);
    }
}
