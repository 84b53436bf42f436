/*
 * contention_selftest.c - spinlocks, pools and pages under all harts at once.
 *
 * Sized for a host with fewer cores than the guest has harts, where a saturated
 * ticket lock makes a few thousand acquires a second: see docs/internals.md.
 */
#include "kernel/diag/selftest.h"
#include "kernel/mm/mm.h"
#include "lib/prng.h"
#include "tests/kernel/sync_selftest.h"

#define LOCK_ROUNDS 4000
#define POOL_ROUNDS 4000
#define PAGE_ROUNDS 3000
#define KEPT        12

static struct spinlock outer = SPINLOCK_INIT(LOCK_TEST_OUTER);
static struct spinlock inner = SPINLOCK_INIT(LOCK_TEST_INNER);
static uint64_t under_outer, under_inner, under_outer_copy; /* plain: the locks guard them */

/* Both forms, nested and alone, and a try that may fail. */
static void lock_contender(unused void *arg)
{
	for (unsigned i = 0; i < LOCK_ROUNDS; i++) {
		if (i % 3 == 0) {
			for (uint32_t n = 0; !spin_try(&outer); n++)
				arch_spin_relax(n);
		} else {
			spin_lock(&outer);
		}
		under_outer++;
		if (i % 4 == 0) {
			irqflags flags = spin_lock_irqsave(&inner);
			under_inner++;
			spin_unlock_irqrestore(&inner, flags);
		}
		under_outer_copy++;
		spin_unlock(&outer);
	}
}

SELFTEST(lock_contention_loses_nothing)
{
	under_outer = under_inner = under_outer_copy = 0;
	ST_REQUIRE(st_on_every_hart(lock_contender));
	ST_CHECK(under_outer == (uint64_t)LOCK_ROUNDS * cpu_count());
	ST_CHECK(under_outer_copy == under_outer);
	ST_CHECK(under_inner == (uint64_t)LOCK_ROUNDS / 4 * cpu_count());
	ST_CHECK(!config_on(CONFIG_SMP) || (outer.serving == outer.next && !spin_is_held(&outer)));
}

static struct seqcount sequence;
static volatile uint64_t pair_a, pair_b;
static uint32_t torn, writers_left;

/* Hart 0 writes pairs; all others must never see halves of two. */
static void seq_contender(void *arg)
{
	for (unsigned i = 1; arg == NULL && i <= LOCK_ROUNDS; i++) {
		preempt_disable();
		seq_write_begin(&sequence);
		pair_a = i;
		pair_b = ~(uint64_t)i;
		seq_write_end(&sequence);
		preempt_enable();
	}
	if (arg == NULL)
		__atomic_store_n(&writers_left, 0, __ATOMIC_RELEASE);
	while (__atomic_load_n(&writers_left, __ATOMIC_ACQUIRE)) {
		uint32_t begin;
		uint64_t a, b;
		do {
			begin = seq_read_begin(&sequence);
			a = pair_a;
			b = pair_b;
		} while (seq_read_retry(&sequence, begin));
		if (a != ~b)
			__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
	}
}

SELFTEST(lock_seqcount_is_never_torn)
{
	pair_a = 0;
	pair_b = ~UINT64_C(0);
	torn = 0;
	writers_left = 1;
	ST_REQUIRE(st_on_every_hart(seq_contender));
	ST_CHECK(torn == 0 && pair_a == LOCK_ROUNDS);
}

static struct pool *shared;
static uint32_t damaged;

/* Keeps some objects for a while, each marked with its owner; an object that two own loses its mark. */
static void pool_contender(void *arg)
{
	uint64_t mark = (uint64_t)(uintptr_t)arg + 1, *kept[KEPT] = {NULL};
	struct prng rng = prng_of(mark);
	for (unsigned i = 0; i < POOL_ROUNDS; i++) {
		uint64_t **slot = &kept[prng_below(&rng, KEPT)];
		if (!*slot) {
			*slot = pool_alloc(shared);
			if (*slot)
				(*slot)[1] = (*slot)[2] = mark;
			continue;
		}
		if ((*slot)[1] != mark || (*slot)[2] != mark)
			__atomic_fetch_add(&damaged, 1, __ATOMIC_RELAXED);
		pool_free(shared, *slot);
		*slot = NULL;
	}
	for (size_t i = 0; i < KEPT; i++)
		if (kept[i])
			pool_free(shared, kept[i]);
}

static void pool_contention(size_t capacity)
{
	struct pool_stats s;
	shared = pool_create(S("contended"), 24, 8, capacity, 0);
	ST_REQUIRE(shared != NULL);
	damaged = 0;
	ST_REQUIRE(st_on_every_hart(pool_contender));
	pool_stats(shared, &s);
	ST_CHECK(damaged == 0 && s.used == 0 && s.allocs > POOL_ROUNDS / 3);
	ST_CHECK(s.failures == 0 || capacity < (size_t)KEPT * cpu_count());
	/* Whatever lies in other harts' magazines, one hart gets the capacity. */
	struct list got = LIST_INIT(got);
	size_t n = 0;
	for (void *obj; n < capacity && (obj = pool_alloc(shared)); n++)
		list_push_back(&got, obj);
	ST_CHECK(n == capacity);
	for (struct list *obj; (obj = list_pop_front(&got));)
		pool_free(shared, obj);
	pool_destroy(shared);
}

SELFTEST(mm_pool_contention_small)
{
	pool_contention(5);
}

SELFTEST(mm_pool_contention_large)
{
	pool_contention(500);
}

static void page_contender(void *arg)
{
	uint64_t mark = (uint64_t)(uintptr_t)arg + 1, *kept[KEPT] = {NULL};
	unsigned order[KEPT];
	struct prng rng = prng_of(mark + 100);
	for (unsigned i = 0; i < PAGE_ROUNDS; i++) {
		uint64_t k = prng_below(&rng, KEPT);
		if (!kept[k]) {
			order[k] = prng_below(&rng, 3) ? 0 : (unsigned)prng_below(&rng, 5);
			kept[k] = page_alloc(order[k]);
			if (kept[k])
				*kept[k] = mark;
			continue;
		}
		if (*kept[k] != mark)
			__atomic_fetch_add(&damaged, 1, __ATOMIC_RELAXED);
		page_free(kept[k], order[k]);
		kept[k] = NULL;
	}
	for (size_t k = 0; k < KEPT; k++)
		if (kept[k])
			page_free(kept[k], order[k]);
}

SELFTEST(mm_page_contention)
{
	struct mm_stats before, after;
	mm_stats(&before);
	damaged = 0;
	ST_REQUIRE(st_on_every_hart(page_contender));
	mm_stats(&after);
	ST_CHECK(damaged == 0 && after.free_bytes == before.free_bytes);
	ST_CHECK(after.failures == before.failures);
}

static void short_life(unused void *arg)
{
}

/* 200 threads one after another: every stack and table entry comes back. */
SELFTEST(mm_stacks_return_from_threads)
{
	struct stack_stats before, after;
	stack_stats(&before);
	for (int i = 0; i < 200; i++)
		ST_REQUIRE(st_on_every_hart(short_life));
	/* A dead thread's stack is free once its hart has left it. */
	ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
	for (stack_stats(&after); after.used > before.used && ktime_before(clock_now(), until); stack_stats(&after))
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
	ST_CHECK(after.used <= before.used && after.failures == before.failures);
}
