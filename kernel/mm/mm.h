/*
 * mm.h - memory: pages, pools, arenas, stacks, and one interface to all of them.
 *
 * Pages come from a buddy allocator with a small cache per hart. Pools hold
 * objects of one size, O(1), with a bound and magazines per hart. An arena lives
 * as long as one request. Code that does not care takes a struct allocator.
 *
 * No allocation in the scheduler or in interrupt handlers, except pool_alloc on a
 * pool made with POOL_IRQ. An allocator's only failure is lack of memory, so it
 * returns NULL then, counted, and the caller must check.
 */
#ifndef KERNEL_MM_MM_H
#define KERNEL_MM_MM_H

#include "arch/arch.h"
#include "kernel/lock/lock.h"
#include "lib/list.h"

/* ---- alloc.c ---- */

struct allocator {
	void *(*alloc)(struct allocator *a, size_t size, size_t align);
	void (*free)(struct allocator *a, void *ptr, size_t size);
};
extern struct allocator page_allocator; /* whole pages; for large or rare things */

/* ---- page.c, buddy_core.c: 2^order pages, naturally aligned, not zeroed. Any context but interrupts ---- */

#define PAGE_ORDER_MAX 10
must_check void *page_alloc(unsigned order);
void page_free(void *page, unsigned order);

struct mm_stats {
	size_t total_bytes, free_bytes, free_min_bytes, kernel_bytes;
	uint64_t failures;
};
void mm_stats(struct mm_stats *out);

/* ---- pool.c ---- */

enum pool_flags { POOL_IRQ = 1 }; /* may be used by interrupt handlers */

struct pool; /* public struct in pool section of the owner's final header */

struct pool_stats {
	struct str name;
	size_t object_bytes, capacity, used, peak;
	uint64_t allocs, failures;
};

/* A pool of `capacity` objects, all memory taken now. May sleep: no; any context at boot. */
must_check struct pool *pool_create(struct str name, size_t size, size_t align, size_t capacity, unsigned flags);
void pool_destroy(struct pool *p); /* all objects must be back */
must_check void *pool_alloc(struct pool *p); /* not zeroed; NULL when empty, counted */
void pool_free(struct pool *p, void *obj);
/* The i-th pool's figures; false when there are no more. */
bool pool_stats_at(size_t i, struct pool_stats *out);

/* ---- arena.c ---- */

struct arena {
	uint8_t *base;
	size_t used, cap;
};
static inline void arena_init(struct arena *a, void *mem, size_t cap)
{
	*a = (struct arena){mem, 0, cap};
}
must_check void *arena_alloc(struct arena *a, size_t size, size_t align); /* zeroed; NULL when full */
static inline void arena_reset(struct arena *a)
{
	a->used = 0;
}

/* ---- stack.c: kernel stacks from a pool split once, a permanent guard page below each ---- */

must_check void *stack_alloc(void); /* lowest byte; STACK_SIZE long */
void stack_free(void *stack);
#define STACK_SIZE ((size_t)CONFIG_STACK_SIZE)

#endif
