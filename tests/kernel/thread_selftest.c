/* thread_selftest.c - life, control and order of threads. */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/deadline.h"
#include "tests/kernel/sync_selftest.h"

static uint32_t counter;

static void count_up(void *arg)
{
	__atomic_fetch_add(&counter, (uint32_t)(uintptr_t)arg, __ATOMIC_RELAXED);
}

SELFTEST(thread_create_join)
{
	counter = 0;
	for (uint32_t i = 1; i <= 300; i++) {
		struct thread *t = st_thread(S("child"), count_up, (void *)(uintptr_t)i, PRIO_NORMAL + i % 3, 0);
		ST_REQUIRE(t);
		ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	}
	ST_CHECK(counter == 300 * 301 / 2);
}

SELFTEST(thread_attributes_are_refused)
{
	struct thread_attr good = {.name = S("x"), .entry = count_up, .priority = PRIO_NORMAL, .class = SCHED_FIFO};
	struct thread_attr a = good;
	a.priority = 64;
	ST_CHECK(thread_create(&a).err == ERR_INVAL);
	a = good;
	a.priority = PRIO_IDLE;
	ST_CHECK(thread_create(&a).err == ERR_INVAL);
	a = good;
	a.class = SCHED_IDLE;
	ST_CHECK(thread_create(&a).err == ERR_INVAL);
	a = good;
	a.affinity = UINT64_C(1) << cpu_count();
	ST_CHECK(cpu_count() == 64 || thread_create(&a).err == ERR_INVAL);
	a = good;
	a.entry = NULL;
	ST_CHECK(thread_create(&a).err == ERR_INVAL);
}

static struct thread_info info_of(const struct thread *wanted)
{
	struct thread_info t = {0};
	while (thread_info_next(t.tid, &t))
		if (t.tid == thread_id(wanted))
			return t;
	return (struct thread_info){0};
}

static noinline void stand_on(size_t bytes)
{
	volatile uint8_t deep[6000];
	for (size_t i = 0; i < min(bytes, sizeof(deep)); i++)
		deep[i] = (uint8_t)i;
}

/* Also of the threads on whose stacks the harts began: boot's, and the idle ones of the others. */
SELFTEST(thread_stack_peak_is_true)
{
	struct thread_info t = {0};
	unsigned idle = 0;
	while (thread_info_next(t.tid, &t)) {
		ST_CHECK(t.stack_bytes == CONFIG_STACK_SIZE);
		bool plausible = t.stack_peak_bytes > 0 && t.stack_peak_bytes < t.stack_bytes;
		if (!plausible)
			klog(LOG_ERR, "thread %u %.*s: %zu bytes of its stack were used", t.tid, (int)t.name_len,
				t.name, t.stack_peak_bytes);
		ST_CHECK(plausible);
		idle += t.class == SCHED_IDLE;
	}
	ST_CHECK(idle == cpu_count());
	stand_on(6000);
	ST_CHECK(info_of(thread_current()).stack_peak_bytes > 6000);
}

static struct sem gate;

static void wait_gate(void *arg)
{
	enum err err = sem_wait(&gate, KTIME_NEVER);
	*(enum err *)arg = err;
}

/* Whichever gives out first counts it. */
static uint64_t thread_refusals(void)
{
	struct pool_stats pool;
	struct stack_stats stacks;
	stack_stats(&stacks);
	for (size_t i = 0; pool_stats_at(i, &pool); i++)
		if (str_eq(pool.name, S("thread")))
			return stacks.failures + pool.failures;
	return 0;
}

/* The table full: refused with ERR_NOMEM, and everything comes back. */
SELFTEST(thread_exhaustion_recovers)
{
	static struct thread *t[CONFIG_THREAD_MAX];
	static enum err result[CONFIG_THREAD_MAX];
	uint64_t refused = thread_refusals();
	sem_init(&gate, 0, CONFIG_THREAD_MAX);
	for (int round = 0; round < 2; round++) {
		size_t n = 0;
		struct thread_result r = {0};
		while (n < CONFIG_THREAD_MAX) {
			struct thread_attr a = {.name = S("filler"), .entry = wait_gate,
				.arg = &result[n], .priority = PRIO_NORMAL, .class = SCHED_FIFO};
			r = thread_create(&a);
			if (r.err != OK)
				break;
			t[n++] = r.value;
		}
		ST_CHECK(r.err == ERR_NOMEM && n > 8);
		ST_CHECK(thread_refusals() > refused);
		refused = thread_refusals();
		for (size_t i = 0; i < n; i++)
			ST_CHECK(sem_post(&gate) == OK);
		for (size_t i = 0; i < n; i++)
			ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK && result[i] == OK);
	}
}

SELFTEST(thread_cancel_ends_a_wait)
{
	enum err result = OK;
	sem_init(&gate, 0, 1);
	struct thread *t = st_thread(S("waiter"), wait_gate, &result, PRIO_NORMAL, 0);
	ST_REQUIRE(t);
	ST_CHECK(thread_cancel(t) == OK);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	ST_CHECK(result == ERR_INTR && gate.count == 0);
	ST_CHECK(thread_cancel(thread_current()) == ERR_PERM); /* boot is a system thread */
}

static bool spinning_on, spinning_stop;
static uint64_t spins;

static void spin_body(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&spinning_stop, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&spinning_on, true, __ATOMIC_RELEASE);
		__atomic_fetch_add(&spins, 1, __ATOMIC_RELAXED);
	}
}

/* Looks for as long as that; a hart whose host is busy may need more than one look. */
static bool spins_advance_within(int64_t ns)
{
	uint64_t before = __atomic_load_n(&spins, __ATOMIC_RELAXED);
	ktime until = ktime_add(clock_now(), ns);
	bool advanced = false;
	while (!advanced && ktime_before(clock_now(), until)) {
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		advanced = __atomic_load_n(&spins, __ATOMIC_RELAXED) != before;
	}
	return advanced;
}

SELFTEST(thread_suspend_resume)
{
	spinning_stop = spinning_on = false;
	struct thread *t = st_thread(S("spinner"), spin_body, NULL, PRIO_MIN, 0);
	ST_REQUIRE(t);
	for (int i = 0; i < 20; i++) {
		ST_CHECK(spins_advance_within(60 * NS_PER_S));
		thread_suspend(t);
		while (t->state != THREAD_SUSPENDED)
			ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		ST_CHECK(!spins_advance_within(NS_PER_MS));
		thread_resume(t);
	}
	spinning_stop = true;
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
}

/* Lesson 12: a change of affinity moves a running thread at once, and a waiting one. */
SELFTEST(thread_affinity_moves_at_once)
{
	spinning_stop = spinning_on = false;
	struct thread *t = st_thread(S("mover"), spin_body, NULL, PRIO_MIN, 0);
	ST_REQUIRE(t);
	for (uint32_t i = 0; i < 40; i++) {
		uint32_t cpu = i % cpu_count();
		ST_CHECK(thread_set_affinity(t, UINT64_C(1) << cpu) == OK);
		ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
		while (thread_cpu(t) != cpu && ktime_before(clock_now(), until))
			ST_CHECK(sleep_ns(100 * NS_PER_US) == OK);
		ST_CHECK(thread_cpu(t) == cpu);
		if (cpu_count() == 1)
			break;
	}
	ST_CHECK(thread_set_affinity(t, UINT64_C(1) << cpu_count()) == ERR_INVAL);
	spinning_stop = true;
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
}

static char order[16];
static uint32_t order_len;

static void record(void *arg)
{
	order[order_len++] = (char)(uintptr_t)arg;
	sched_yield();
	order[order_len++] = (char)(uintptr_t)arg;
}

/* On one hart: the higher priority first, equals by turns at each yield. */
SELFTEST(sched_priority_then_yield_order)
{
	order_len = 0;
	ST_CHECK(thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO) == OK);
	struct thread *a = st_thread(S("a"), record, (void *)'a', 10, 1);
	struct thread *b = st_thread(S("b"), record, (void *)'b', 10, 1);
	struct thread *c = st_thread(S("c"), record, (void *)'c', 11, 1);
	ST_CHECK(order_len == 0);
	ST_CHECK(thread_join(a, KTIME_NEVER) == OK);
	ST_CHECK(thread_join(b, KTIME_NEVER) == OK);
	ST_CHECK(thread_join(c, KTIME_NEVER) == OK);
	ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
	ST_CHECK(order_len == 6 && memcmp(order, "ccabab", 6) == 0);
}

/* Two round-robin spinners on one hart share it without yielding. */
static uint64_t shares[2];

static void share_body(void *arg)
{
	uint64_t *mine = arg;
	while (!__atomic_load_n(&spinning_stop, __ATOMIC_ACQUIRE))
		__atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
}

SELFTEST(sched_quantum_rotates_equals)
{
	struct thread *t[2];
	spinning_stop = false;
	for (int i = 0; i < 2; i++) {
		struct thread_attr a = {.name = S("share"), .entry = share_body, .arg = &shares[i],
			.priority = 5, .class = SCHED_RR, .affinity = 1};
		shares[i] = 0;
		struct thread_result r = thread_create(&a);
		ST_REQUIRE(r.err == OK);
		t[i] = r.value;
	}
	for (int i = 0; i < 1000; i++) {
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
		if (__atomic_load_n(&shares[0], __ATOMIC_RELAXED) && __atomic_load_n(&shares[1], __ATOMIC_RELAXED))
			break;
	}
	spinning_stop = true;
	for (int i = 0; i < 2; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(shares[0] && shares[1]);
}

/* One spinner a hart: all run at once, or one after the other through balancing. */
SELFTEST(sched_spreads_over_harts)
{
	struct thread *t[CPU_MAX];
	uint32_t cpus = cpu_count();
	spinning_stop = false;
	for (uint32_t i = 0; i < cpus; i++) {
		t[i] = st_thread(S("load"), spin_body, NULL, 5, 0);
		ST_REQUIRE(t[i]);
	}
	ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
	uint64_t harts = 0, all = (UINT64_C(1) << cpus) - 1;
	while (harts != all && ktime_before(clock_now(), until)) {
		harts = 0;
		for (uint32_t i = 0; i < cpus; i++)
			harts |= UINT64_C(1) << thread_cpu(t[i]);
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
	}
	ST_CHECK(harts == all);
	spinning_stop = true;
	for (uint32_t i = 0; i < cpus; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
}

/* Soft callouts run on the hart that they were started on. */
SELFTEST(thread_of_a_hart_stays_there)
{
	struct thread_info t = {0};
	unsigned found = 0;
	while (thread_info_next(t.tid, &t)) {
		if (!str_eq(str_of(t.name, t.name_len), S("softcall")))
			continue;
		struct thread *it = thread_find(t.tid);
		ST_REQUIRE(it);
		ST_CHECK(thread_set_affinity(it, UINT64_MAX) == ERR_PERM && thread_set_affinity(it, t.affinity) == ERR_PERM);
		thread_detach(it);
		found++;
	}
	ST_CHECK(found == cpu_count());
}

/* Without its idle thread a hart has nothing to enter. */
SELFTEST(thread_idle_is_left_alone)
{
	struct thread_info t = {0};
	unsigned idle = 0;
	while (thread_info_next(t.tid, &t)) {
		if (t.class != SCHED_IDLE)
			continue;
		struct thread *it = thread_find(t.tid);
		ST_REQUIRE(it);
		ST_CHECK(thread_suspend(it) == ERR_PERM && thread_cancel(it) == ERR_PERM);
		ST_CHECK(thread_set_priority(it, PRIO_NORMAL, SCHED_FIFO) == ERR_PERM);
		ST_CHECK(thread_set_affinity(it, UINT64_MAX) == ERR_PERM && thread_set_affinity(it, 1) == ERR_PERM);
		ST_CHECK(thread_set_domain(it, DOMAIN_SYSTEM) == ERR_PERM);
		thread_detach(it);
		idle++;
	}
	ST_CHECK(idle == cpu_count());
}
