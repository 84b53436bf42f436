/*
 * thread_metric.h - the eight Thread-Metric tests: what tests/bench measures on one hart and tests/kernel runs
 * on several. Each has up to TM_COUNTERS counters, one for each thread and one for the interrupt handler.
 *
 *	tm_begin(&tm_tests[i], affinity); ... sleep, tm_read() ...; tm_end();
 *
 * Context: one thread that is more urgent than TM_PRIORITY_MAX; one test at a time.
 */
#ifndef TESTS_METRIC_THREAD_METRIC_H
#define TESTS_METRIC_THREAD_METRIC_H

#include "kernel/sched/sched.h"

#define TM_COUNTERS     5
#define TM_PRIORITY     20
#define TM_PRIORITY_MAX (TM_PRIORITY + TM_COUNTERS)

enum tm_id {
	TM_BASIC,
	TM_COOPERATIVE,
	TM_PREEMPTIVE,
	TM_INTERRUPT,
	TM_INTERRUPT_PREEMPTION,
	TM_MESSAGE,
	TM_MEMORY,
	TM_SYNCHRONIZATION,
	TM_COUNT
};

struct tm_test {
	const char *name;
	void (*prepare)(void);      /* may be NULL */
	void (*entry)(void *index); /* each thread, with its number */
	void (*on_interrupt)(void); /* may be NULL */
	uint8_t threads;            /* their counters come first */
	uint8_t counters;
	uint8_t counted_from; /* this and those behind it are the result */
	uint8_t rise;         /* of priority from one thread to the next */
	uint8_t lead[TM_COUNTERS]; /* how far ahead of the first a counter is from the beginning on */
};

extern const struct tm_test tm_tests[TM_COUNT];

struct tm_reading {
	int64_t counter[TM_COUNTERS];
	uint64_t counted; /* iterations */
};

/* Makes the threads, which begin when the caller sleeps. False: no memory. */
must_check bool tm_begin(const struct tm_test *test, uint64_t affinity);
struct tm_reading tm_read(void);
/* On one hart: the counters are within one of each other, their leads aside. */
must_check bool tm_is_even(const struct tm_reading *r);
/* Ends and joins the threads, however long that takes. */
void tm_end(void);

#endif
