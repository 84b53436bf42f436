/*
 * callout_thread_selftest.c - callouts with threads and several harts: the soft ones
 * may sleep, waiting for the end of one that runs, a start that moves it to another hart.
 */
#include "kernel/diag/selftest.h"
#include "kernel/sync/mutex.h"

static struct callout callout;
/* Atomic: written by callouts and threads on any hart. */
static uint32_t runs, running, overlaps, watched, returned, ran_on, refused;

static void counters_clear(void)
{
	runs = running = overlaps = watched = returned = ran_on = refused = 0;
}

static uint32_t get(const uint32_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

static void add(uint32_t *v, uint32_t n)
{
	__atomic_fetch_add(v, n, __ATOMIC_ACQ_REL);
}

static bool reaches(const uint32_t *v, uint32_t want)
{
	ktime limit = ktime_add(clock_now(), 60 * NS_PER_S);
	while (get(v) < want) {
		if (ktime_before(limit, clock_now()))
			return false;
		sleep_ns(100 * NS_PER_US);
	}
	return true;
}

static void delay(int64_t ns)
{
	ktime until = ktime_add(clock_now(), ns);
	while (ktime_before(clock_now(), until))
		;
}

/* Runs entry on that hart, and waits for its end. */
static bool on_hart(uint32_t cpu, void (*entry)(void *))
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("callouts"),
		.entry = entry,
		.priority = PRIO_NORMAL,
		.class = SCHED_RR,
		.affinity = UINT64_C(1) << cpu,
	});
	return r.err == OK && thread_join(r.value, ktime_add(clock_now(), 60 * NS_PER_S)) == OK;
}

static void start_in(int64_t ns)
{
	if (callout_start(&callout, ktime_add(clock_now(), ns)) != OK)
		add(&refused, 1);
}

/* ---- waiting for the end ---- */

static void slow_hard(unused void *arg)
{
	add(&runs, 1);
	delay(NS_PER_MS / 2);
	add(&returned, 1);
}

/* Not through before the test has seen it. */
static void slow_soft(unused void *arg)
{
	add(&runs, 1);
	(void)reaches(&watched, 1);
	sleep_ns(3 * NS_PER_MS);
	add(&returned, 1);
}

static void start_soon(unused void *arg)
{
	start_in(200 * NS_PER_US);
}

static void stop_wait_rounds(unsigned rounds)
{
	uint32_t other = cpu_count() - 1;
	for (unsigned i = 0; i < rounds; i++) {
		counters_clear();
		ST_REQUIRE(on_hart(other, start_soon));
		ST_CHECK(reaches(&runs, 1));
		ST_CHECK(callout.kind == CALLOUT_HARD || get(&returned) == 0);
		add(&watched, 1);
		callout_stop_wait(&callout);
		ST_CHECK(get(&returned) == 1);
		ST_CHECK(get(&refused) == 0);
	}
}

SELFTEST(callout_stop_wait_hard)
{
	callout_init(&callout, CALLOUT_HARD, slow_hard, NULL);
	stop_wait_rounds(20);
}

SELFTEST(callout_stop_wait_soft)
{
	callout_init(&callout, CALLOUT_SOFT, slow_soft, NULL);
	stop_wait_rounds(20);
}

/* Starts itself again for ever: stop_wait ends it all the same. */
static void periodic(unused void *arg)
{
	add(&runs, 1);
	start_in(50 * NS_PER_US);
}

static void stop_wait_periodic(enum callout_kind kind)
{
	counters_clear();
	callout_init(&callout, kind, periodic, NULL);
	ST_REQUIRE(on_hart(cpu_count() - 1, start_soon));
	ST_CHECK(reaches(&runs, 10));
	callout_stop_wait(&callout);
	uint32_t then = get(&runs);
	sleep_ns(5 * NS_PER_MS);
	ST_CHECK(get(&runs) == then);
	ST_CHECK(!callout_stop(&callout));
}

SELFTEST(callout_stop_wait_periodic)
{
	stop_wait_periodic(CALLOUT_HARD);
	stop_wait_periodic(CALLOUT_SOFT);
}

/* ---- a mutex in a soft callout ---- */

static struct mutex guard;

static void takes_mutex(unused void *arg)
{
	mutex_lock(&guard);
	add(&runs, 1);
	mutex_unlock(&guard);
}

SELFTEST(callout_soft_takes_a_mutex)
{
	counters_clear();
	mutex_init(&guard, LOCK_TEST_MUTEX);
	callout_init(&callout, CALLOUT_SOFT, takes_mutex, NULL);
	mutex_lock(&guard);
	start_in(0);
	sleep_ns(2 * NS_PER_MS);
	ST_CHECK(get(&runs) == 0);
	mutex_unlock(&guard);
	ST_CHECK(reaches(&runs, 1));
	callout_stop_wait(&callout);
	ST_CHECK(get(&refused) == 0);
}

/* ---- a start moves it here ---- */

static void note_hart(unused void *arg)
{
	__atomic_store_n(&ran_on, arch_cpu() + 1, __ATOMIC_RELEASE);
	add(&runs, 1);
}

static void start_late(unused void *arg)
{
	start_in(3600 * NS_PER_S);
}

static void moves(enum callout_kind kind)
{
	counters_clear();
	callout_init(&callout, kind, note_hart, NULL);
	ST_REQUIRE(on_hart(cpu_count() - 1, start_late));
	ST_REQUIRE(on_hart(0, start_soon));
	ST_CHECK(reaches(&runs, 1));
	ST_CHECK(get(&ran_on) == 1);
	callout_stop_wait(&callout);
	ST_CHECK(get(&runs) == 1 && get(&refused) == 0);
}

SELFTEST(callout_start_moves_it)
{
	moves(CALLOUT_HARD);
	moves(CALLOUT_SOFT);
}

/* ---- every hart starts and stops the same one: never twice at once ---- */

static void contended_run(unused void *arg)
{
	if (__atomic_exchange_n(&running, 1, __ATOMIC_ACQ_REL))
		add(&overlaps, 1);
	delay(2000);
	__atomic_store_n(&running, 0, __ATOMIC_RELEASE);
	add(&runs, 1);
}

static void contend(unused void *arg)
{
	for (unsigned i = 0; i < 500; i++) {
		start_in((int64_t)(i % 7) * 5000);
		if (i % 5 == 0)
			callout_stop(&callout);
		if (i % 50 == 0)
			callout_stop_wait(&callout);
		delay((int64_t)(i % 3) * 4000);
	}
}

static void contended(enum callout_kind kind)
{
	struct thread *t[CPU_MAX];
	uint32_t n = 0;
	counters_clear();
	callout_init(&callout, kind, contended_run, NULL);
	for (; n < cpu_count(); n++) {
		struct thread_result r = thread_create(&(struct thread_attr){
			.name = S("contend"),
			.entry = contend,
			.priority = PRIO_NORMAL,
			.class = SCHED_RR,
			.affinity = UINT64_C(1) << n,
		});
		if (r.err != OK)
			break;
		t[n] = r.value;
	}
	ST_CHECK(n == cpu_count());
	while (n-- > 0)
		ST_CHECK(thread_join(t[n], ktime_add(clock_now(), 60 * NS_PER_S)) == OK);
	ST_CHECK(callout_start(&callout, clock_now()) == OK);
	ST_CHECK(reaches(&runs, 1));
	callout_stop_wait(&callout);
	ST_CHECK(get(&overlaps) == 0);
	ST_CHECK(get(&running) == 0);
	ST_CHECK(get(&refused) == 0);
}

SELFTEST(callout_contended)
{
	contended(CALLOUT_HARD);
	contended(CALLOUT_SOFT);
}
