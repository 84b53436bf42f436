/* sem_selftest.c - semaphores, events, condition variables and sleeping. */
#include "kernel/diag/selftest.h"
#include "tests/kernel/sync_selftest.h"

static struct sem ping, pong;
static char woken[8];
static uint32_t woken_len;

SELFTEST(sem_counts_and_refuses)
{
	sem_init(&ping, 1, 2);
	ST_CHECK(sem_try(&ping) && !sem_try(&ping));
	ST_CHECK(sem_post(&ping) == OK && sem_post(&ping) == OK && sem_post(&ping) == ERR_RANGE);
	ST_CHECK(sem_wait(&ping, KTIME_NEVER) == OK && sem_wait(&ping, KTIME_NEVER) == OK);
	ktime until = ktime_add(clock_now(), 3 * NS_PER_MS);
	ST_CHECK(sem_wait(&ping, until) == ERR_TIMEDOUT);
	ST_CHECK(!ktime_before(clock_now(), until) && ping.count == 0);
}

static void pong_body(void *arg)
{
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++) {
		ST_CHECK(sem_wait(&ping, KTIME_NEVER) == OK);
		ST_CHECK(sem_post(&pong) == OK);
	}
}

/* Over every pair of harts: a lost wake-up would hang (lesson 4). */
SELFTEST(sem_ping_pong_across_harts)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		sem_init(&ping, 0, 1);
		sem_init(&pong, 0, 1);
		struct thread *t = st_thread(S("pong"), pong_body, (void *)500, 20, UINT64_C(1) << cpu);
		ST_REQUIRE(t);
		for (int i = 0; i < 500; i++) {
			ST_CHECK(sem_post(&ping) == OK);
			ST_CHECK(sem_wait(&pong, KTIME_NEVER) == OK);
		}
		ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	}
}

static void wait_and_note(void *arg)
{
	ST_CHECK(sem_wait(&ping, KTIME_NEVER) == OK);
	woken[woken_len++] = (char)(uintptr_t)arg;
}

/* By priority, then arrival; and what a post hands over no newcomer takes. */
SELFTEST(sem_wakes_in_order)
{
	struct thread *t[4];
	static const uint8_t priority[4] = {20, 30, 20, 30};
	sem_init(&ping, 0, 4);
	woken_len = 0;
	for (size_t i = 0; i < 4; i++)
		t[i] = st_thread(S("waiter"), wait_and_note, (void *)('a' + i), priority[i], 1);
	for (size_t i = 0; i < 4; i++) {
		ST_CHECK(sem_post(&ping) == OK);
		ST_CHECK(!sem_try(&ping));
	}
	for (size_t i = 0; i < 4; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(woken_len == 4 && memcmp(woken, "bdac", 4) == 0);
}

#define STRESS_THREADS 6
#define STRESS_ROUNDS  300
static uint32_t tokens_in, tokens_out;

static void stress_body(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 7919;
	for (int i = 0; i < STRESS_ROUNDS; i++) {
		uint64_t r = st_random(&seed);
		ktime until = r & 1 ? KTIME_NEVER : ktime_add(clock_now(), (int64_t)(r % NS_PER_MS));
		if (sem_wait(&ping, until) == OK)
			__atomic_fetch_add(&tokens_out, 1, __ATOMIC_RELAXED);
		else
			continue;
		if (r & 2)
			sched_yield();
		__atomic_fetch_add(&tokens_in, 1, __ATOMIC_RELAXED);
		ST_CHECK(sem_post(&ping) == OK);
	}
}

/* Timeouts and cancellations lose no unit and make none. */
SELFTEST(sem_stress_keeps_every_unit)
{
	struct thread *t[STRESS_THREADS];
	sem_init(&ping, 2, 2);
	tokens_in = tokens_out = 0;
	for (size_t i = 0; i < STRESS_THREADS; i++) {
		t[i] = st_thread(S("stress"), stress_body, (void *)(i + 1), (unsigned)(10 + i % 3), 0);
		ST_REQUIRE(t[i]);
	}
	uint64_t seed = 7;
	for (int i = 0; i < 50; i++) {
		ST_CHECK(thread_cancel(t[st_random(&seed) % STRESS_THREADS]) == OK);
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	}
	for (size_t i = 0; i < STRESS_THREADS; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(tokens_in == tokens_out && ping.count == 2);
}

static struct event ev;
static uint32_t event_got;

static void event_body(void *arg)
{
	struct event_result r = event_wait(&ev, (uint32_t)(uintptr_t)arg, KTIME_NEVER);
	ST_CHECK(r.err == OK);
	__atomic_fetch_or(&event_got, r.value, __ATOMIC_RELAXED);
}

SELFTEST(event_flags_go_to_who_wants_them)
{
	event_init(&ev);
	event_got = 0;
	struct thread *a = st_thread(S("a"), event_body, (void *)6, 20, 1);
	struct thread *b = st_thread(S("b"), event_body, (void *)1, 20, 1);
	event_set(&ev, 4 | 8);
	ST_CHECK(thread_join(a, KTIME_NEVER) == OK && event_got == 4);
	event_set(&ev, 1);
	ST_CHECK(thread_join(b, KTIME_NEVER) == OK && event_got == 5);
	struct event_result r = event_wait(&ev, 15, KTIME_NEVER);
	ST_CHECK(r.err == OK && r.value == 8);
	ST_CHECK(event_wait(&ev, 15, ktime_add(clock_now(), NS_PER_MS)).err == ERR_TIMEDOUT);
}

static struct mutex cm;
static struct condvar cv;
static int items, consumed;

static void consume(void *arg)
{
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++) {
		mutex_lock(&cm);
		while (items == 0)
			ST_CHECK(condvar_wait(&cv, &cm, KTIME_NEVER) == OK);
		items--;
		consumed++;
		mutex_unlock(&cm);
	}
}

SELFTEST(condvar_hands_out_every_item)
{
	struct thread *t[4];
	mutex_init(&cm, LOCK_TEST_MUTEX);
	condvar_init(&cv);
	items = consumed = 0;
	for (size_t i = 0; i < 4; i++)
		t[i] = st_thread(S("consumer"), consume, (void *)200, (unsigned)(12 + 4 * i), 0);
	for (int i = 0; i < 800; i++) {
		mutex_lock(&cm);
		items++;
		mutex_unlock(&cm);
		condvar_signal(&cv);
	}
	for (size_t i = 0; i < 4; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(items == 0 && consumed == 800);
	mutex_lock(&cm);
	ST_CHECK(condvar_wait(&cv, &cm, ktime_add(clock_now(), NS_PER_MS)) == ERR_TIMEDOUT);
	ST_CHECK(mutex_is_held(&cm));
	mutex_unlock(&cm);
}

/* Lesson 18: never early. */
SELFTEST(sleep_is_never_early)
{
	uint64_t seed = 99;
	for (int i = 0; i < 300; i++) {
		ktime until = ktime_add(clock_now(), (int64_t)(st_random(&seed) % (300 * NS_PER_US)));
		ST_CHECK(sleep_until(until) == OK);
		ST_CHECK(!ktime_before(clock_now(), until));
	}
}
