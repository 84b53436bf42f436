/*
 * latency_selftest.c - who waited for a lock and how late a timed wait ended: counted where it
 * happened, with the name of whose it was.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "tests/kernel/sync_selftest.h"

#define HELD_NS (20 * NS_PER_MS)

static bool lock_figures(enum lock_class class, struct lock_stats *out)
{
	return lock_stats_at(class, out) && str_eq(out->name, lock_class_name(class));
}

static struct spinlock spun = SPINLOCK_INIT(LOCK_TEST_B);
static struct mutex slept;
static bool is_held; /* atomic */

static void latency_test_spin(int64_t ns)
{
	for (ktime until = ktime_add(clock_now(), ns); ktime_before(clock_now(), until);)
		arch_spin_relax(0);
}

static void latency_test_holder(unused void *arg)
{
	spin_lock(&spun);
	uint32_t mine = __atomic_load_n(&spun.next, __ATOMIC_RELAXED);
	__atomic_store_n(&is_held, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&spun.next, __ATOMIC_RELAXED) == mine) /* nobody waits yet */
		arch_spin_relax(0);
	latency_test_spin(HELD_NS);
	spin_unlock(&spun);
}

/* Waits for it once behind a holder on the other hart; for how long at most. */
static int64_t latency_test_wait(void)
{
	__atomic_store_n(&is_held, false, __ATOMIC_RELAXED);
	struct thread *t = st_thread(S("holder"), latency_test_holder, NULL, PRIO_NORMAL, 2);
	ST_CHECK(t != NULL);
	while (t && !__atomic_load_n(&is_held, __ATOMIC_ACQUIRE))
		arch_spin_relax(0);
	ktime begin = clock_now();
	spin_lock(&spun);
	spin_unlock(&spun);
	int64_t most = ktime_diff(clock_now(), begin);
	ST_CHECK(t && thread_join(t, KTIME_NEVER) == OK);
	return most;
}

/*
 * Each wait is counted, with what it took. The holder goes by the ticket that was drawn, and a machine that is stopped
 * between that and the waiter's first look at the clock makes it short: then there is another, which is not.
 */
SELFTEST(latency_of_spinlocks_is_counted)
{
	struct lock_stats before, last, after;
	if (cpu_count() == 1)
		return;
	ST_REQUIRE(lock_figures(LOCK_TEST_B, &before));
	last = before;
	ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
	do {
		int64_t most = latency_test_wait();
		ST_REQUIRE(lock_figures(LOCK_TEST_B, &after));
		uint64_t waited = after.wait_total_ns - last.wait_total_ns;
		ST_CHECK(after.contended == last.contended + 1 && waited > 0 && waited <= (uint64_t)most);
		last = after;
	} while (after.wait.ns < HELD_NS / 2 && ktime_before(clock_now(), until));
	ST_CHECK(after.wait.ns >= HELD_NS / 2 && after.wait.tid == thread_id(thread_current()));
	ST_CHECK(str_eq(
		str_of(after.wait.name, after.wait.name_len), thread_name(thread_current())));
	ST_CHECK(after.holds == config_on(CONFIG_LOCK_STATS));
	if (after.holds)
		ST_CHECK(after.hold.ns >= HELD_NS &&
			 str_eq(str_of(after.hold.name, after.hold.name_len), S("holder")));
}

static void latency_test_sleeper(unused void *arg)
{
	mutex_lock(&slept);
	mutex_unlock(&slept);
}

SELFTEST(latency_of_mutexes_is_counted)
{
	struct lock_stats before, after;
	mutex_init(&slept, LOCK_TEST_MUTEX);
	ST_REQUIRE(lock_figures(LOCK_TEST_MUTEX, &before));
	mutex_lock(&slept);
	struct thread *t = st_thread(S("sleeper"), latency_test_sleeper, NULL, PRIO_NORMAL + 1, 1);
	ST_REQUIRE(t);
	int64_t held_ns = before.wait.ns + HELD_NS; /* longer than any before */
	ST_CHECK(sleep_ns(held_ns) == OK);
	mutex_unlock(&slept);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	ST_REQUIRE(lock_figures(LOCK_TEST_MUTEX, &after));
	ST_CHECK(after.contended == before.contended + 1);
	ST_CHECK(after.wait.ns >= held_ns / 2);
	ST_CHECK(after.wait_total_ns - before.wait_total_ns == after.wait.ns);
	ST_CHECK(str_eq(str_of(after.wait.name, after.wait.name_len), S("sleeper")));
}

static bool late_is_awake; /* atomic */

static void latency_test_late(unused void *arg)
{
	ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	__atomic_store_n(&late_is_awake, true, __ATOMIC_RELEASE);
}

/* Begins to sleep; the caller is more urgent then, and it sleeps still. */
static struct thread *latency_test_begin_late(void)
{
	for (;;) {
		__atomic_store_n(&late_is_awake, false, __ATOMIC_RELAXED);
		struct thread *t = st_thread(S("late"), latency_test_late, NULL, PRIO_NORMAL + 1, 1);
		ST_CHECK(t != NULL);
		latency_reset();
		ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL + 2, SCHED_FIFO) == OK);
		if (!t || !__atomic_load_n(&late_is_awake, __ATOMIC_ACQUIRE))
			return t;
		/* The machine was stopped for so long that its sleep was over before. */
		ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
		ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
	}
}

/* A more urgent one runs when the sleep is over. */
SELFTEST(latency_of_timed_waits_is_counted)
{
	struct latency_stats s;
	ST_REQUIRE(arch_cpu() == 0); /* pinned there, as "boot" */
	struct thread *t = latency_test_begin_late();
	ST_REQUIRE(t);
	latency_test_spin(HELD_NS);
	ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	latency_stats(0, LATENCY_WAKE, &s);
	ST_CHECK(histogram_total(&s.ns) >= 1);
	ST_CHECK(s.ns.max_ns >= HELD_NS / 2 && s.ns.max_ns <= clock_now().ns);
	if (histogram_total(&s.ns) == 1) /* another thread's timeout may have come in between */
		ST_CHECK(str_eq(str_of(s.longest.name, s.longest.name_len), S("late")));
}
