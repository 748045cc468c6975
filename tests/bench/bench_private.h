/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bench.c and bench_compare.c share. */
#pragma once

#include "bench.h"

enum { BENCH_SLOTS = 64 }; /* messages made, or opened, between two looks at the clock */

/* Texts of that size; to be freed also when false. */
bool bench_slots_init(struct bench_slot *slots, size_t size);
void bench_slots_free(const struct bench_ops *ops, struct bench_slot *slots);

/* Sorts them. */
double bench_median(double *values, unsigned count);

/* Groups of figures. */
void bench_cost(const struct bench_ops *ops);
void bench_threads(const struct bench_ops *ops);
