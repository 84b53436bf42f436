/*
 * mm.h - memory: pages, pools, arenas, stacks, and one interface to all of them.
 *
 * Pages come from a buddy allocator with a small cache per hart. Pools hold
 * objects of one size, O(1), with a bound and magazines per hart. An arena lives
 * as long as one request. Code that does not care takes a struct allocator.
 *
 * No allocation in the scheduler or in interrupt handlers, except pool_alloc on a
 * pool made with POOL_IRQ. An allocator's only failure is lack of memory, so it
 * returns NULL then, counted, and the caller must check. Giving back what was not
 * handed out is a bug: a panic that names the place.
 *
 * mm_init() comes after arch_init() and before everything that allocates.
 */
#ifndef KERNEL_MM_MM_H
#define KERNEL_MM_MM_H

#include "arch/arch.h"
#include "kernel/lock/lock.h"
#include "lib/list.h"

/* ---- page.c, buddy_core.c: 2^order pages, naturally aligned, not zeroed. Any context but interrupts ---- */

/* On the boot hart, alone. Refuses the boot when there is no memory to work with. */
void mm_init(void);

#define PAGE_ORDER_MAX 10
must_check void *page_alloc(unsigned order);
void page_free(void *page, unsigned order);
/* A run of pages, 2^PAGE_ORDER_MAX at most, aligned to the power of two above its length. */
must_check void *page_alloc_run(size_t pages);
void page_free_run(void *run, size_t pages);

struct mm_stats {
	size_t total_bytes;    /* that mm was given */
	size_t free_bytes;     /* free pages, those in the caches of the harts among them */
	size_t free_min_bytes; /* the least there ever was, without those caches */
	size_t kernel_bytes;   /* reserved: firmware, image, device tree, initrd; and mm's own table */
	uint64_t failures;     /* refused for lack of pages */
};
void mm_stats(struct mm_stats *out);

/* ---- pool.c ---- */

enum pool_flags { POOL_IRQ = 1 }; /* may be used by interrupt handlers */

struct pool;

struct pool_stats {
	struct str name;
	size_t object_bytes, capacity;
	size_t used; /* exact when no other hart is just allocating */
	size_t peak; /* most objects that were out, those in the magazines of the harts among them */
	uint64_t allocs, failures;
};

/*
 * A pool of `capacity` objects (at least: with several harts, large pools have a few more, so
 * that what lies in the magazines of idle harts does not count), all memory taken now. size and
 * align: at most a page; `name` lives as long as the pool. NULL: no memory, or CONFIG_POOL_MAX
 * pools exist. Any context at boot, threads later.
 */
must_check struct pool *pool_create(struct str name, size_t size, size_t align, size_t capacity,
	unsigned flags);
void pool_destroy(struct pool *p);           /* all objects must be back */
must_check void *pool_alloc(struct pool *p); /* not zeroed; NULL when empty, counted. Never waits */
/*
 * The object's first word is overwritten. Debug builds find a double free, a foreign pointer
 * and writes behind the object; with DEBUG=2 also writes after the free.
 */
void pool_free(struct pool *p, void *obj);
/* This pool's figures, or those of the i-th; false when there are no more. */
void pool_stats(const struct pool *p, struct pool_stats *out);
bool pool_stats_at(size_t i, struct pool_stats *out);

/* ---- arena.c: memory that goes back all at once; not locked, one owner ---- */

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

/* ---- alloc.c: one interface ---- */

struct allocator {
	void *(*alloc)(struct allocator *a, size_t size, size_t align); /* not zeroed; NULL: none */
	void (*free)(struct allocator *a, void *ptr, size_t size);      /* the size of the alloc */
};
extern struct allocator page_allocator; /* whole pages; for large or rare things */

struct pool_allocator { /* objects of one pool; asked for a larger one it has none */
	struct allocator a;
	struct pool *pool;
};
void pool_allocator_init(struct pool_allocator *a, struct pool *p);

struct arena_allocator { /* free does nothing: the arena goes back as a whole */
	struct allocator a;
	struct arena *arena;
};
void arena_allocator_init(struct arena_allocator *a, struct arena *arena);

static inline void *alloc_from(struct allocator *a, size_t size, size_t align)
{
	return a->alloc(a, size, align);
}
static inline void free_to(struct allocator *a, void *ptr, size_t size)
{
	a->free(a, ptr, size);
}

/* ---- stack.c: kernel stacks, made once at boot, a permanent guard page below each ---- */

#define STACK_SIZE ((size_t)CONFIG_STACK_SIZE) /* a power of two; aligned to twice that */

must_check void *stack_alloc(void); /* lowest byte; NULL: CONFIG_STACK_MAX in use, counted. Threads */
void stack_free(void *stack);       /* nobody stands on it any more. Any context but interrupts */
/* Bytes that were in use at most; with CONFIG_STACK_PAINT by its present thread, else by any so far. */
size_t stack_peak(const void *stack);

/* A stack that somebody else made, STACK_SIZE bytes on which nobody stands. Any context. */
void stack_paint(void *stack);
/* The calling hart's, from its lowest byte to a little below here. Interrupts off. */
noinline void stack_paint_below(void);

struct stack_stats {
	size_t total, used, peak;
	uint64_t failures;
};
void stack_stats(struct stack_stats *out);

/* ---- fail.c: debug builds only; for tests ---- */

#ifdef CONFIG_FAIL_ALLOC
/* From now on every n-th allocation of pages, objects and stacks fails; 0: none. Also `failalloc=N`. */
void mm_fail_every(uint32_t n);
must_check bool mm_should_fail(void);
#else
static inline void mm_fail_every(unused uint32_t n)
{
}
must_check static inline bool mm_should_fail(void)
{
	return false;
}
#endif

#endif
