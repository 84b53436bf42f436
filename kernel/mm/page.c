/*
 * page.c - pages for everybody: the buddy core under its lock, a cache of single
 * pages per hart in front.
 *
 * Locks: buddy_lock (LOCK_BUDDY), preemption off, never in interrupts. A hart's cache is
 * guarded by preemption off. At most PAGE_BATCH single pages move at once.
 *
 * What lies in the caches of other harts is not found when pages run out: at most
 * PAGE_CACHE_MAX pages each.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/buddy_core.h"
#include "kernel/mm/memmap_core.h"
#include "kernel/mm/mm_priv.h"

#define PAGE_BATCH     8
#define PAGE_CACHE_MAX (2 * PAGE_BATCH)
#define RANGE_MAX      (2 * MACHINE_MEMORY_MAX)
#define POISON         0x5a
#define LEAST_BYTES    (4 * 1024 * 1024) /* less is no machine to run on */

static_assert(PAGE_ORDER_MAX == BUDDY_ORDER_MAX && PAGE_SHIFT == BUDDY_PAGE_SHIFT, "one geometry");

struct page_cache {
	uint32_t count;
	void *page[PAGE_CACHE_MAX];
};

static PERCPU(struct page_cache, page_cache);

static struct spinlock buddy_lock = SPINLOCK_INIT(LOCK_BUDDY);
static struct buddy buddy;     /* under buddy_lock */
static uint64_t page_failures; /* atomic */
static size_t total_bytes, reserved_bytes;

static void *page_count_failure(void *page)
{
	if (!page)
		__atomic_fetch_add(&page_failures, 1, __ATOMIC_RELAXED);
	return page;
}

static void page_poison(void *page, size_t pages)
{
	if (config_on(CONFIG_DEBUG_POISON))
		memset(page, POISON, pages << PAGE_SHIFT);
}

static noinline void page_cache_refill(struct page_cache *c)
{
	spin_lock(&buddy_lock);
	for (void *p; c->count < PAGE_BATCH && (p = buddy_alloc(&buddy, 0));)
		c->page[c->count++] = p;
	spin_unlock(&buddy_lock);
}

static noinline void page_cache_flush(struct page_cache *c)
{
	enum err err = OK;
	spin_lock(&buddy_lock);
	while (c->count > PAGE_BATCH && err == OK)
		err = buddy_free(&buddy, c->page[--c->count], 0);
	spin_unlock(&buddy_lock);
	assert(err == OK); /* freed twice, or never handed out */
}

static void *page_alloc_one(void)
{
	preempt_disable();
	struct page_cache *c = &this_cpu(page_cache);
	if (c->count == 0)
		page_cache_refill(c);
	void *page = c->count ? c->page[--c->count] : NULL;
	preempt_enable();
	return page;
}

static void page_free_one(void *page)
{
	assert((uintptr_t)page - buddy.base < buddy.pages << PAGE_SHIFT);
	assert((uintptr_t)page % PAGE_SIZE == 0);
	preempt_disable();
	struct page_cache *c = &this_cpu(page_cache);
	for (uint32_t i = 0; config_on(CONFIG_DEBUG) && i < c->count; i++)
		assert(c->page[i] != page);
	if (c->count == PAGE_CACHE_MAX)
		page_cache_flush(c);
	c->page[c->count++] = page;
	preempt_enable();
}

void *page_alloc(unsigned order)
{
	debug_assert(!arch_in_interrupt());
	if (mm_should_fail())
		return page_count_failure(NULL);
	if (order == 0)
		return page_count_failure(page_alloc_one());
	spin_lock(&buddy_lock);
	void *page = buddy_alloc(&buddy, order);
	spin_unlock(&buddy_lock);
	return page_count_failure(page);
}

void page_free(void *page, unsigned order)
{
	debug_assert(!arch_in_interrupt());
	page_poison(page, (size_t)1 << order);
	if (order == 0) {
		page_free_one(page);
		return;
	}
	spin_lock(&buddy_lock);
	enum err err = buddy_free(&buddy, page, order);
	spin_unlock(&buddy_lock);
	assert(err == OK);
}

void *page_alloc_run(size_t pages)
{
	debug_assert(!arch_in_interrupt());
	if (mm_should_fail())
		return page_count_failure(NULL);
	spin_lock(&buddy_lock);
	void *run = buddy_alloc_run(&buddy, pages);
	spin_unlock(&buddy_lock);
	return page_count_failure(run);
}

void page_free_run(void *run, size_t pages)
{
	debug_assert(!arch_in_interrupt());
	page_poison(run, pages);
	spin_lock(&buddy_lock);
	enum err err = buddy_free_run(&buddy, run, pages);
	spin_unlock(&buddy_lock);
	assert(err == OK);
}

void *page_alloc_carved(unsigned order)
{
	spin_lock(&buddy_lock);
	void *block = buddy_alloc(&buddy, order);
	if (block && buddy_carve(&buddy, block, order) != OK)
		unreachable();
	spin_unlock(&buddy_lock);
	return block;
}

void mm_stats(struct mm_stats *out)
{
	spin_lock(&buddy_lock);
	size_t pages = buddy.free_pages, least = buddy.free_pages_min;
	spin_unlock(&buddy_lock);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		pages += __atomic_load_n(&cpu_of(page_cache, cpu).count, __ATOMIC_RELAXED);
	*out = (struct mm_stats){
		.total_bytes = total_bytes,
		.free_bytes = pages << PAGE_SHIFT,
		.free_min_bytes = least << PAGE_SHIFT,
		.kernel_bytes = reserved_bytes,
		.failures = __atomic_load_n(&page_failures, __ATOMIC_RELAXED),
	};
}

/* ---- at boot ---- */

static size_t ranges_copy(const struct machine_region *r, size_t n, struct memrange *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (struct memrange){r[i].base, r[i].size};
	return n;
}

static size_t mm_free_ranges(struct memrange *out)
{
	struct memrange memory[MACHINE_MEMORY_MAX], reserved[MACHINE_MEMORY_MAX];
	size_t m = ranges_copy(machine.memory, machine.memory_count, memory);
	size_t r = ranges_copy(machine.reserved, machine.reserved_count, reserved);
	for (size_t i = 0; i < m; i++)
		reserved_bytes += memory[i].size;
	return memmap_free(memory, m, reserved, r, PAGE_SIZE, out, RANGE_MAX);
}

/* Takes the table of page states from the first range that has room for it. */
static uint8_t *mm_take_table(struct memrange *range, size_t n, size_t bytes)
{
	bytes = align_up(bytes, PAGE_SIZE);
	for (size_t i = 0; i < n; i++) {
		if (range[i].size < bytes)
			continue;
		uintptr_t at = range[i].base;
		range[i].base += bytes;
		range[i].size -= bytes;
		return (uint8_t *)at;
	}
	boot_refuse("no range of memory has the %zu bytes that the page table of mm needs", bytes);
}

static void *page_for_paging(void)
{
	return page_alloc(0);
}

void mm_init(void)
{
	struct memrange range[RANGE_MAX];
	size_t n = mm_free_ranges(range);
	for (size_t i = 0; i < n; i++)
		total_bytes += range[i].size;
	if (total_bytes < LEAST_BYTES)
		boot_refuse("no memory: %zu KiB are free, %d are needed", total_bytes / 1024,
			LEAST_BYTES / 1024);

	uintptr_t base = align_down(range[0].base, PAGE_SIZE << PAGE_ORDER_MAX);
	size_t pages = (range[n - 1].base + range[n - 1].size - base) >> PAGE_SHIFT;
	uint8_t *table = mm_take_table(range, n, pages);
	total_bytes -= align_up(pages, PAGE_SIZE);
	reserved_bytes -= total_bytes;
	buddy_init(&buddy, base, pages, table);
	for (size_t i = 0; i < n; i++)
		buddy_add(&buddy, range[i].base, range[i].size >> PAGE_SHIFT);
	arch_paging_set_allocator(page_for_paging);
	stack_init();
	klog(LOG_INFO, "mm: %zu MiB free", total_bytes >> 20);
}
