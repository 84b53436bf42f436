/*
 * bench.h - measurements inside the kernel: `bench` or `bench=NAME` on the command
 * line runs them in order of name in a thread that may sleep, and ends the machine.
 *
 *	BENCH(switch_yield) { ... bench_report("switch_yield", "instructions", samples, n); }
 *
 * scripts/bench.py reads the lines, and says under which conditions they were measured. What takes many
 * minutes is named long_* and runs only when asked for.
 */
#ifndef KERNEL_DIAG_BENCH_H
#define KERNEL_DIAG_BENCH_H

#include "lib/base.h"

struct bench {
	const char *name;
	void (*run)(void);
};

#define BENCH(id)                                                                                  \
	static void bench_##id(void);                                                              \
	static const struct bench bench_entry_##id section(".bench") = {.name = #id,               \
		.run = bench_##id};                                                                \
	static void bench_##id(void)

/* Prints "bench NAME UNIT N MIN MEDIAN P99 MAX"; sorts the samples. n is at least 1. */
void bench_report(const char *name, const char *unit, uint64_t *samples, size_t n);

/* The same of values that were counted: count[v] of value v, what is above in the last one; greatest is exact. */
void bench_report_counts(const char *name, const char *unit, const uint32_t *count, size_t n, uint64_t greatest);

/* Runs all whose name starts with the prefix, those named long_* only if it does too; how many. */
unsigned bench_run(const char *prefix, size_t prefix_len);

#endif
