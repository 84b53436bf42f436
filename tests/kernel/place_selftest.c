/*
 * place_selftest.c - no thread waits for less than itself: what happens on other harts
 * when a priority falls, when the first candidate may not come, when equals pile up.
 *
 * Spinners of high priority hold the harts; each test waits until what must happen has
 * happened, and gives up only after PATIENCE_NS, far above what any machine needs.
 */
#include "kernel/diag/selftest.h"
#include "tests/kernel/sync_selftest.h"

#define PATIENCE_NS (60 * NS_PER_S)

static bool stop;
static uint32_t ran;

static void place_spin(unused void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		;
}

static void place_ran(unused void *arg)
{
	__atomic_store_n(&ran, 1, __ATOMIC_RELEASE);
}

static void place_begin(void)
{
	stop = false;
	ran = 0;
	ST_CHECK(thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO) == OK);
}

static void place_end(struct thread **t, size_t n)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < n; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
}

/* True once `*flag` is set. */
static bool place_wait(const uint32_t *flag)
{
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE) && ktime_before(clock_now(), until))
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static struct thread *place_spinner(uint8_t priority, uint64_t cpus)
{
	struct thread *t = st_thread(S("spin"), place_spin, NULL, priority, cpus);
	ST_CHECK(t);
	return t;
}

static void place_lower(void *arg)
{
	ST_CHECK(sleep_ns(20 * NS_PER_MS) == OK);
	ST_CHECK(thread_set_priority(arg, 10, SCHED_FIFO) == OK);
}

/* One waits for a hart at 60 and may use one at 50: when that falls to 10 it goes there. */
SELFTEST(place_fall_of_priority_pulls)
{
	if (cpu_count() < 3)
		return;
	place_begin();
	struct thread *t[] = {place_spinner(50, 1), place_spinner(60, 2), NULL, NULL};
	t[2] = st_thread(S("waits"), place_ran, NULL, 40, 2);
	ST_CHECK(thread_set_affinity(t[2], 3) == OK);
	t[3] = st_thread(S("lowers"), place_lower, t[0], 62, 4);
	ST_CHECK(place_wait(&ran));
	place_end(t, countof(t));
}

static void place_idle_soon(unused void *arg)
{
	ktime until = ktime_add(clock_now(), 30 * NS_PER_MS);
	while (ktime_before(clock_now(), until))
		;
}

/* Hart 0 becomes idle: the best that waits may not come there, the next best may. */
SELFTEST(place_pull_tries_the_next_hart)
{
	if (cpu_count() < 4)
		return;
	place_begin();
	struct thread *t[] = {place_spinner(60, 2), place_spinner(60, 4), place_spinner(60, 8),
		st_thread(S("idles"), place_idle_soon, NULL, 55, 1), place_spinner(50, 6), NULL};
	t[5] = st_thread(S("waits"), place_ran, NULL, 40, 8);
	ST_CHECK(thread_set_affinity(t[5], 15) == OK);
	ST_CHECK(place_wait(&ran));
	place_end(t, countof(t));
}

/* Round-robin equals that all wait on one hart: some come to run on another, which runs one too. */
SELFTEST(place_balance_evens_out_equals)
{
	enum { N = 5 };
	struct thread *t[N];
	uint32_t moved = 0;
	if (cpu_count() < 2)
		return;
	place_begin();
	for (int i = 0; i < N; i++) {
		struct thread_attr a = {.name = S("equal"), .entry = place_spin, .priority = 5,
			.class = SCHED_RR, .affinity = i == 0 ? 2 : 1};
		struct thread_result r = thread_create(&a);
		ST_REQUIRE(r.err == OK);
		t[i] = r.value;
	}
	for (int i = 1; i < N; i++)
		ST_CHECK(thread_set_affinity(t[i], 3) == OK);
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (moved < 1 && ktime_before(clock_now(), until)) {
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		moved = 0;
		for (int i = 1; i < N; i++)
			moved += thread_cpu(t[i]) == 1;
	}
	ST_CHECK(moved >= 1);
	place_end(t, N);
}

/* A thread that is to be suspended and yields before it is asked to: it stops all the same. */
static uint64_t yields;

static void place_yields(unused void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&yields, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
}

SELFTEST(place_suspend_reaches_a_thread_that_yields)
{
	place_begin();
	uint64_t last = UINT64_C(1) << (cpu_count() - 1);
	struct thread *t[] = {st_thread(S("a"), place_yields, NULL, 5, last),
		st_thread(S("b"), place_yields, NULL, 5, last)};
	ST_REQUIRE(t[0] && t[1]);
	for (int i = 0; i < 200; i++) {
		thread_suspend(t[0]);
		thread_suspend(t[1]);
		ktime until = ktime_add(clock_now(), PATIENCE_NS);
		while ((t[0]->state != THREAD_SUSPENDED || t[1]->state != THREAD_SUSPENDED) &&
			ktime_before(clock_now(), until))
			ST_CHECK(sleep_ns(10 * NS_PER_US) == OK);
		uint64_t before = __atomic_load_n(&yields, __ATOMIC_RELAXED);
		ST_CHECK(sleep_ns(10 * NS_PER_US) == OK);
		ST_CHECK(before == __atomic_load_n(&yields, __ATOMIC_RELAXED));
		thread_resume(t[0]);
		thread_resume(t[1]);
		ST_CHECK(sleep_ns(50 * NS_PER_US) == OK);
	}
	place_end(t, countof(t));
}
