/*
 * tm_bench.c - the eight Thread-Metric tests, in instructions of one hart for each counted iteration: this
 * thread, more urgent, sleeps a period and reads the counters. And ipi_wake.
 */
#include "kernel/diag/bench.h"
#include "kernel/diag/diag.h"
#include "kernel/sync/sem.h"
#include "lib/assert.h"
#include "tests/metric/thread_metric.h"

#define PERIODS 5
#define PERIOD_NS                                                                                  \
	(40 * NS_PER_MS) /* 4,000 iterations of the longest: its figure is good to a quarter of a thousandth */

static uint64_t sample[200];

static void tm_measure(const struct tm_test *test)
{
	bool begun = tm_begin(test, 1);
	assert(begun);
	for (size_t i = 0; i < PERIODS; i++) {
		enum err slept = sleep_ns(NS_PER_MS);
		struct tm_reading before = tm_read();
		uint64_t begin = arch_instret();
		slept |= sleep_ns(PERIOD_NS);
		uint64_t end = arch_instret();
		struct tm_reading after = tm_read();
		uint64_t counted = after.counted - before.counted;
		if (slept != OK || counted == 0 || !tm_is_even(&after))
			panic("%s: %lu counted, %ld %ld %ld %ld %ld", test->name, counted,
				after.counter[0], after.counter[1], after.counter[2],
				after.counter[3], after.counter[4]);
		sample[i] = (end - begin + counted / 2) / counted;
	}
	tm_end();
	bench_report(test->name, "instructions", sample, PERIODS);
}

#define TM_BENCH(id, index)                                                                        \
	BENCH(id)                                                                                  \
	{                                                                                          \
		bench_urgent(tm_measure, &tm_tests[index]);                                        \
	}

static void bench_urgent(void (*measure)(const struct tm_test *), const struct tm_test *test)
{
	struct thread *self = thread_current();
	enum err err = thread_set_priority(self, TM_PRIORITY_MAX + 1, SCHED_FIFO);
	assert(err == OK);
	measure(test);
	err = thread_set_priority(self, PRIO_NORMAL, SCHED_FIFO);
	assert(err == OK);
}

TM_BENCH(tm_basic, TM_BASIC)
TM_BENCH(tm_cooperative, TM_COOPERATIVE)
TM_BENCH(tm_preemptive, TM_PREEMPTIVE)
TM_BENCH(tm_interrupt, TM_INTERRUPT)
TM_BENCH(tm_interrupt_preemption, TM_INTERRUPT_PREEMPTION)
TM_BENCH(tm_message, TM_MESSAGE)
TM_BENCH(tm_memory, TM_MEMORY)
TM_BENCH(tm_synchronization, TM_SYNCHRONIZATION)

/* ---- ipi_wake: from before a hart calls itself to the thread that the handler wakes ---- */

static struct sem woken;
static uint64_t sent_at;
static size_t wakes;

static void wake_handler(void)
{
	sem_post(&woken);
}

static void wake_body(unused void *arg)
{
	while (sem_wait(&woken, KTIME_NEVER) == OK) {
		sample[wakes++] = arch_instret() - sent_at;
		if (wakes == countof(sample))
			return;
	}
}

BENCH(ipi_wake)
{
	sem_init(&woken, 0, 1);
	wakes = 0;
	arch_on_ipi(IPI_TEST, wake_handler);
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("ipi_wake"),
		.entry = wake_body,
		.priority = PRIO_NORMAL + 1,
		.class = SCHED_FIFO,
		.affinity = 1,
	});
	assert(r.err == OK);
	for (size_t i = 0; i < countof(sample); i++) {
		sent_at = arch_instret();
		arch_ipi_send(0, IPI_TEST);
	}
	enum err err = thread_join(r.value, KTIME_NEVER);
	assert(err == OK && wakes == countof(sample));
	arch_on_ipi(IPI_TEST, NULL);
	bench_report("ipi_wake", "instructions", sample, countof(sample));
}
