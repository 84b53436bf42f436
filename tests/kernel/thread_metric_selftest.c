/*
 * thread_metric_selftest.c - the eight Thread-Metric tests on all harts there are, as one of them deadlocked on SMP
 * elsewhere (lesson 6). Every counter must go on, however slowly; on one hart they stay within one of each other.
 */
#include "kernel/diag/selftest.h"
#include "kernel/sync/waitq.h"
#include "tests/metric/thread_metric.h"

#define PERIODS    3
#define PATIENCE_S 60

static bool all_went_on(const struct tm_test *test, const struct tm_reading *from)
{
	struct tm_reading now = tm_read();
	for (size_t i = 0; i < test->counters; i++)
		if (now.counter[i] <= from->counter[i])
			return false;
	return true;
}

static void metric_run(const struct tm_test *test, uint64_t affinity)
{
	ST_REQUIRE(tm_begin(test, affinity));
	bool one_hart = affinity != 0 || cpu_count() == 1;
	for (int period = 0; period < PERIODS; period++) {
		struct tm_reading from = tm_read();
		ktime limit = ktime_add(clock_now(), PATIENCE_S * NS_PER_S);
		do
			ST_CHECK(sleep_ns(3 * NS_PER_MS) == OK);
		while (!all_went_on(test, &from) && ktime_before(clock_now(), limit));
		ST_CHECK(all_went_on(test, &from));
		struct tm_reading now = tm_read();
		ST_CHECK(!one_hart || tm_is_even(&now));
	}
	tm_end();
}

/* Free to move, and bound to this thread's hart: only there does it stop them while it reads. */
static void metric_test(enum tm_id id)
{
	struct thread *self = thread_current();
	ST_REQUIRE(thread_set_priority(self, TM_PRIORITY_MAX + 1, SCHED_FIFO) == OK);
	metric_run(&tm_tests[id], 0);
	metric_run(&tm_tests[id], 1);
	ST_CHECK(thread_set_priority(self, PRIO_NORMAL, SCHED_FIFO) == OK);
}

SELFTEST(thread_metric_basic)
{
	metric_test(TM_BASIC);
}

SELFTEST(thread_metric_cooperative)
{
	metric_test(TM_COOPERATIVE);
}

SELFTEST(thread_metric_preemptive)
{
	metric_test(TM_PREEMPTIVE);
}

SELFTEST(thread_metric_interrupt)
{
	metric_test(TM_INTERRUPT);
}

SELFTEST(thread_metric_interrupt_preemption)
{
	metric_test(TM_INTERRUPT_PREEMPTION);
}

SELFTEST(thread_metric_message)
{
	metric_test(TM_MESSAGE);
}

SELFTEST(thread_metric_memory)
{
	metric_test(TM_MEMORY);
}

SELFTEST(thread_metric_synchronization)
{
	metric_test(TM_SYNCHRONIZATION);
}
