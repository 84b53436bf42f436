/*
 * mm_selftest.c - pages, pools, arenas and stacks: what is handed out is whole and
 * nobody else's, what comes back is there again, what runs out is refused and counted.
 */
#include "kernel/diag/selftest.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/mm_priv.h"
#include "tests/kernel/sync_selftest.h"

#define MANY 300

static void *held[MANY];

static size_t free_bytes(void)
{
	struct mm_stats s;
	mm_stats(&s);
	return s.free_bytes;
}

SELFTEST(mm_pages_come_back)
{
	size_t before = free_bytes();
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
		uint8_t *p = page_alloc(order);
		ST_REQUIRE(p != NULL);
		ST_CHECK((uintptr_t)p % (PAGE_SIZE << order) == 0);
		ST_CHECK(arch_prot_at((vaddr){(uintptr_t)p}) == (PROT_R | PROT_W));
		p[0] = p[(PAGE_SIZE << order) - 1] = 1;
		ST_CHECK(free_bytes() == before - (PAGE_SIZE << order));
		page_free(p, order);
		ST_CHECK(free_bytes() == before);
	}
	for (size_t n = 0; n < MANY; n++) {
		held[n] = page_alloc(0);
		ST_CHECK(held[n] != NULL);
	}
	ST_CHECK(free_bytes() == before - MANY * PAGE_SIZE);
	for (size_t n = 0; n < MANY; n++)
		page_free(held[n], 0);
	ST_CHECK(free_bytes() == before);
}

SELFTEST(mm_pages_run_out_and_recover)
{
	struct mm_stats s, after;
	size_t before = free_bytes(), blocks = 0;
	mm_stats(&s);
	struct list got = LIST_INIT(got);
	for (void *p; (p = page_alloc(PAGE_ORDER_MAX)); blocks++)
		list_push_back(&got, p);
	mm_stats(&after);
	ST_CHECK(blocks > 0 && after.failures == s.failures + 1);
	ST_CHECK(page_alloc(PAGE_ORDER_MAX) == NULL);
	for (struct list *p; (p = list_pop_front(&got));)
		page_free(p, PAGE_ORDER_MAX);
	ST_CHECK(free_bytes() == before);
}

SELFTEST(mm_page_runs)
{
	size_t before = free_bytes();
	for (size_t pages = 1; pages < 100; pages += 7) {
		uint8_t *run = page_alloc_run(pages);
		ST_REQUIRE(run != NULL);
		ST_CHECK(free_bytes() == before - pages * PAGE_SIZE);
		memset(run, 0xff, pages * PAGE_SIZE);
		page_free_run(run, pages);
		ST_CHECK(free_bytes() == before);
	}
	ST_CHECK(page_alloc_run(((size_t)1 << PAGE_ORDER_MAX) + 1) == NULL);
}

static void pool_round(size_t capacity)
{
	size_t before = free_bytes(), n = 0;
	struct pool *p = pool_create(S("selftest"), 40, 8, capacity, POOL_IRQ);
	ST_REQUIRE(p != NULL);
	struct pool_stats s;
	while (n < MANY && (held[n] = pool_alloc(p))) {
		memset(held[n], (int)n, 40);
		n++;
	}
	ST_CHECK(n >= min(capacity, (size_t)MANY));
	pool_stats(p, &s);
	ST_CHECK(s.used == n && s.allocs == n && s.peak >= n && s.capacity == capacity);
	if (n < MANY)
		ST_CHECK(s.failures == 1);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *obj = held[i];
		ST_CHECK(obj[0] == (uint8_t)i && obj[39] == (uint8_t)i);
		pool_free(p, held[i]);
	}
	pool_stats(p, &s);
	ST_CHECK(s.used == 0);
	void *again = pool_alloc(p);
	ST_CHECK(again != NULL);
	pool_free(p, again);
	pool_destroy(p);
	ST_CHECK(free_bytes() == before);
}

SELFTEST(mm_pool_round_trip)
{
	pool_round(3);
	pool_round(100);
	pool_round(200);
	pool_round(5000);
}

SELFTEST(mm_pool_of_many_chunks)
{
	size_t before = free_bytes();
	struct pool *p = pool_create(S("chunks"), 2048, 64, 5000, 0);
	ST_REQUIRE(p != NULL);
	size_t n = 0;
	struct list got = LIST_INIT(got);
	for (void *obj; (obj = pool_alloc(p)); n++) {
		ST_CHECK((uintptr_t)obj % 64 == 0);
		list_push_back(&got, obj);
	}
	ST_CHECK(n >= 5000);
	for (struct list *obj; (obj = list_pop_front(&got));)
		pool_free(p, obj);
	pool_destroy(p);
	ST_CHECK(free_bytes() == before);
}

#ifdef CONFIG_DEBUG
SELFTEST(mm_pool_judges_what_comes_back)
{
	struct pool *p = pool_create(S("selftest"), 24, 8, 10, 0);
	ST_REQUIRE(p != NULL);
	uint8_t *obj = pool_alloc(p);
	ST_CHECK(pool_judge_free(p, obj) == POOL_FINE);
	ST_CHECK(pool_judge_free(p, obj + 8) == POOL_FOREIGN);
	ST_CHECK(pool_judge_free(p, p) == POOL_FOREIGN);
	ST_CHECK(pool_judge_free(p, NULL) == POOL_FOREIGN);
	uint8_t behind = obj[24];
	obj[24] ^= 1;
	ST_CHECK(pool_judge_free(p, obj) == POOL_OVERRUN);
	obj[24] = behind;
	pool_free(p, obj);
	ST_CHECK(pool_judge_free(p, obj) == POOL_NOT_IN_USE);
	pool_destroy(p);
}
#endif

#ifdef CONFIG_FAIL_ALLOC
SELFTEST(mm_injected_failures_are_counted)
{
	struct pool *p = pool_create(S("selftest"), 24, 8, 10, 0);
	ST_REQUIRE(p != NULL);
	mm_fail_every(3);
	unsigned refused = 0;
	for (int i = 0; i < 9; i++) {
		void *obj = pool_alloc(p);
		refused += !obj;
		if (obj)
			pool_free(p, obj);
	}
	mm_fail_every(0);
	struct pool_stats s;
	pool_stats(p, &s);
	ST_CHECK(refused == 3 && s.failures == 3);
	pool_destroy(p);
}
#endif

SELFTEST(mm_arena)
{
	static uint8_t memory[256] aligned_to(64);
	struct arena a;
	arena_init(&a, memory, sizeof(memory));
	memory[3] = 9;
	uint8_t *p = arena_alloc(&a, 3, 1), *q = arena_alloc(&a, 8, 64);
	ST_CHECK(p == memory && q == memory + 64 && memory[3] == 9 && p[0] == 0);
	ST_CHECK(arena_alloc(&a, 185, 1) == NULL);
	ST_CHECK(arena_alloc(&a, SIZE_MAX, 1) == NULL);
	ST_CHECK(arena_alloc(&a, 184, 1) == memory + 72);
	ST_CHECK(arena_alloc(&a, 1, 1) == NULL);
	arena_reset(&a);
	ST_CHECK(arena_alloc(&a, 256, 1) == memory);
}

SELFTEST(mm_allocator_interface)
{
	size_t before = free_bytes();
	void *p = alloc_from(&page_allocator, 10000, 8);
	ST_CHECK(p != NULL && free_bytes() == before - 3 * PAGE_SIZE);
	free_to(&page_allocator, p, 10000);
	ST_CHECK(free_bytes() == before);

	struct pool *pool = pool_create(S("selftest"), 64, 8, 4, 0);
	ST_REQUIRE(pool != NULL);
	struct pool_allocator pa;
	pool_allocator_init(&pa, pool);
	p = alloc_from(&pa.a, 64, 8);
	ST_CHECK(p != NULL && alloc_from(&pa.a, 65, 8) == NULL);
	free_to(&pa.a, p, 64);
	pool_destroy(pool);
}

/* A dead thread's stack comes back when its hart has left it: where another thread runs, that has happened. */
static struct thread *guest[CPU_MAX];
static struct sem guest_came, guests_go;

static void guest_stays(unused void *arg)
{
	ST_CHECK(sem_post(&guest_came) == OK);
	ST_CHECK(sem_wait(&guests_go, KTIME_NEVER) == OK);
}

static void stacks_settle(struct stack_stats *out)
{
	sem_init(&guest_came, 0, CPU_MAX);
	sem_init(&guests_go, 0, CPU_MAX);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		guest[cpu] = st_thread(S("guest"), guest_stays, NULL, PRIO_NORMAL, UINT64_C(1) << cpu);
		ST_CHECK(guest[cpu] && sem_wait(&guest_came, KTIME_NEVER) == OK);
	}
	stack_stats(out);
}

static void stacks_settled_end(void)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		ST_CHECK(sem_post(&guests_go) == OK);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		ST_CHECK(thread_join(guest[cpu], KTIME_NEVER) == OK);
}

SELFTEST(mm_stacks_have_guards)
{
	struct stack_stats before, s;
	stacks_settle(&before);
	uint8_t *stack = stack_alloc(), byte;
	ST_REQUIRE(stack != NULL);
	ST_CHECK((uintptr_t)stack % (2 * STACK_SIZE) == 0);
	ST_CHECK(arch_prot_at((vaddr){(uintptr_t)stack - 1}) == PROT_NONE);
	ST_CHECK(!arch_probe_read(stack - 1, &byte) && !arch_probe_write(stack - PAGE_SIZE, 1));
	ST_CHECK(arch_probe_write(stack, stack[0]));
	ST_CHECK(arch_probe_write(stack + STACK_SIZE - 1, stack[STACK_SIZE - 1]));
	memset(stack + STACK_SIZE - 1000, 1, 1000);
	ST_CHECK(stack_peak(stack) >= 1000);
	if (config_on(CONFIG_STACK_PAINT))
		ST_CHECK(stack_peak(stack) == 1000);
	stack_stats(&s);
	ST_CHECK(s.used == before.used + 1);
	stack_free(stack);
	stacks_settled_end();
}

/* It leaves most of its frame unwritten. */
static void leaves_a_hole(unused void *arg)
{
	volatile uint8_t deep[5900];
	deep[0] = 1;
	ST_CHECK(sleep_ns(1) == OK && deep[0] == 1);
}

/* However deep, and with whatever holes, the threads before went that stood on it. */
SELFTEST(mm_stacks_are_taken_clean)
{
	struct stack_stats s;
	struct list got = LIST_INIT(got);
	size_t unclean = 0;
	if (!config_on(CONFIG_STACK_PAINT))
		return;
	stacks_settle(&s);
	struct thread *t = st_thread(S("hole"), leaves_a_hole, NULL, PRIO_NORMAL, 1);
	ST_CHECK(t && thread_join(t, KTIME_NEVER) == OK);
	for (void *p; (p = stack_alloc());) {
		unclean += stack_peak(p) != 0;
		list_push_back(&got, p);
	}
	ST_CHECK(unclean == 0);
	for (struct list *p; (p = list_pop_front(&got));) {
		stack_paint(p); /* its lowest bytes were written, where no thread comes */
		stack_free(p);
	}
	stacks_settled_end();
}

SELFTEST(mm_stacks_run_out)
{
	struct stack_stats before, s;
	stacks_settle(&before);
	struct list got = LIST_INIT(got);
	for (void *p; (p = stack_alloc());)
		list_push_back(&got, p);
	stack_stats(&s);
	ST_CHECK(s.used == s.total && s.failures == before.failures + 1);
	for (struct list *p; (p = list_pop_front(&got));) {
		stack_paint(p); /* its lowest bytes were written, where no thread comes */
		stack_free(p);
	}
	stack_stats(&s);
	ST_CHECK(s.used == before.used);
	stacks_settled_end();
}
