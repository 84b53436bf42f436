/* mutex_selftest.c - PI mutexes: exclusion, inheritance, handover, timeouts, stress. */
#include "kernel/diag/selftest.h"
#include "tests/kernel/sync_selftest.h"

static struct mutex m[8];
static uint32_t inside, total;

static void mutexes_init(void)
{
	for (size_t i = 0; i < countof(m); i++)
		mutex_init(&m[i], LOCK_TEST_MUTEX);
}

static uint8_t effective(const struct thread *t)
{
	return (uint8_t)rank_priority(__atomic_load_n(&t->run.rank, __ATOMIC_RELAXED));
}

static void lock_first(void *arg)
{
	(void)arg;
	mutex_lock(&m[0]);
	total++;
	mutex_unlock(&m[0]);
}

SELFTEST(mutex_try_and_owner)
{
	mutexes_init();
	ST_CHECK(mutex_try(&m[0]) && mutex_is_held(&m[0]));
	ST_CHECK(!mutex_try(&m[0]));
	mutex_unlock(&m[0]);
	ST_CHECK(!mutex_is_held(&m[0]) && m[0].owner == 0);
}

SELFTEST(mutex_inherits_and_restores)
{
	mutexes_init();
	struct thread *self = thread_current();
	total = 0;
	mutex_lock(&m[0]);
	struct thread *a = st_thread(S("a"), lock_first, NULL, 30, 1);
	struct thread *b = st_thread(S("b"), lock_first, NULL, 40, 1);
	ST_CHECK(effective(self) == 40 && self->base_priority == PRIO_NORMAL);
	mutex_unlock(&m[0]);
	ST_CHECK(effective(self) == PRIO_NORMAL && total == 2);
	ST_CHECK(thread_join(a, KTIME_NEVER) == OK && thread_join(b, KTIME_NEVER) == OK);
}

static enum err timed_result;
static ktime timed_until;

static void lock_timed(void *arg)
{
	timed_until = ktime_add(clock_now(), *(int64_t *)arg);
	timed_result = mutex_lock_until(&m[0], timed_until);
	if (timed_result == OK)
		mutex_unlock(&m[0]);
}

/* The boost may be gone before it is looked at only where the time is over: then it is given longer. */
SELFTEST(mutex_timeout_takes_the_boost_back)
{
	bool boosted = false;
	mutexes_init();
	for (int64_t ns = 5 * NS_PER_MS; !boosted; ns *= 2) {
		mutex_lock(&m[0]);
		struct thread *t = st_thread(S("timed"), lock_timed, &ns, 30, 1);
		ST_REQUIRE(t);
		boosted = effective(thread_current()) == 30;
		ST_CHECK(boosted || !ktime_before(clock_now(), timed_until));
		ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
		ST_CHECK(timed_result == ERR_TIMEDOUT && effective(thread_current()) == PRIO_NORMAL);
		mutex_unlock(&m[0]);
		ST_CHECK(m[0].owner == 0);
	}
}

/* A cancelled wait gives the boost back too. */
SELFTEST(mutex_cancel_takes_the_boost_back)
{
	int64_t ns = 3600 * NS_PER_S;
	mutexes_init();
	mutex_lock(&m[0]);
	struct thread *t = st_thread(S("timed"), lock_timed, &ns, 30, 1);
	ST_CHECK(effective(thread_current()) == 30);
	ST_CHECK(thread_cancel(t) == OK);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	ST_CHECK(timed_result == ERR_INTR && effective(thread_current()) == PRIO_NORMAL);
	mutex_unlock(&m[0]);
}

static enum err deadlock_result;

static void lock_other_way(void *arg)
{
	(void)arg;
	mutex_lock(&m[0]);
	deadlock_result = mutex_lock_until(&m[1], ktime_add(clock_now(), 60 * NS_PER_S));
	if (deadlock_result == OK)
		mutex_unlock(&m[1]);
	mutex_unlock(&m[0]);
}

SELFTEST(mutex_deadlock_is_found)
{
	mutexes_init();
	mutex_lock(&m[1]);
	struct thread *t = st_thread(S("other"), lock_other_way, NULL, 30, 1);
	ST_CHECK(mutex_lock_until(&m[1], ktime_add(clock_now(), NS_PER_MS)) == ERR_DEADLK);
	ST_CHECK(mutex_lock_until(&m[0], ktime_add(clock_now(), 60 * NS_PER_S)) == ERR_DEADLK);
	mutex_unlock(&m[1]);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK && deadlock_result == OK);
	ST_CHECK(effective(thread_current()) == PRIO_NORMAL);
}

#define STRESS_THREADS 8
#define STRESS_ROUNDS  250

static uint32_t owners[countof(m)];
static uint32_t stress_bad;

/* Takes some of the mutexes in order, with timeouts now and then; lesson 7 at the end of each round. */
static void stress_body(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 1000003;
	for (int round = 0; round < STRESS_ROUNDS; round++) {
		bool held[countof(m)] = {0};
		for (size_t i = 0; i < countof(m); i++) {
			uint64_t r = st_random(&seed);
			if (r % 3)
				continue;
			int64_t ns = (int64_t)(r >> 8) % (2 * NS_PER_MS);
			held[i] = mutex_lock_until(&m[i], r & 1 ? KTIME_NEVER :
				ktime_add(clock_now(), ns)) == OK;
			if (held[i] && __atomic_fetch_add(&owners[i], 1, __ATOMIC_RELAXED) != 0)
				__atomic_fetch_add(&stress_bad, 1, __ATOMIC_RELAXED);
		}
		if (st_random(&seed) % 4 == 0)
			sched_yield();
		for (size_t i = countof(m); i-- > 0;) {
			if (!held[i])
				continue;
			__atomic_fetch_sub(&owners[i], 1, __ATOMIC_RELAXED);
			mutex_unlock(&m[i]);
		}
		struct thread *self = thread_current();
		if (effective(self) != self->base_priority || !list_is_empty(&self->held))
			__atomic_fetch_add(&stress_bad, 1, __ATOMIC_RELAXED);
	}
}

SELFTEST(mutex_stress_restores_every_priority)
{
	struct thread *t[STRESS_THREADS];
	mutexes_init();
	stress_bad = 0;
	memset(owners, 0, sizeof(owners));
	for (size_t i = 0; i < STRESS_THREADS; i++) {
		t[i] = st_thread(S("stress"), stress_body, (void *)(i + 1), (unsigned)(8 + 3 * i), 0);
		ST_REQUIRE(t[i]);
	}
	uint64_t seed = 42;
	for (int i = 0; i < 100; i++) {
		ST_CHECK(thread_cancel(t[st_random(&seed) % STRESS_THREADS]) == OK);
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	}
	for (size_t i = 0; i < STRESS_THREADS; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(stress_bad == 0 && inside == 0);
	for (size_t i = 0; i < countof(m); i++)
		ST_CHECK(m[i].owner == 0 && list_is_empty(&m[i].queue.waiters));
}
