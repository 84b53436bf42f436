/* mm_priv.h - between the files of kernel/mm; self-tests look in too. */
#ifndef KERNEL_MM_MM_PRIV_H
#define KERNEL_MM_MM_PRIV_H

#include "kernel/mm/mm.h"

#define POOL_CHUNK_MAX 16
#define POOL_BATCH     8               /* objects between a magazine and the pool at once */
#define MAGAZINE_MAX   (2 * POOL_BATCH) /* a power of two: a full one is a bit of its counts */

/*
 * One hart's objects, linked by their first words; interrupts off. How many there are and how
 * many were ever handed out are one word, so that the fast paths count with one addition. moved is what
 * came from the pool less what went there: what is not here of it is in use.
 */
struct aligned_to(CACHE_LINE) magazine {
	void *head;
	uint64_t counts; /* MAGAZINE_ALLOC for each ever handed out, MAGAZINE_HERE for each that is here */
	struct pool *pool; /* constant */
	uint64_t moved;
};
#define MAGAZINE_HERE  UINT64_C(1)
#define MAGAZINE_ALLOC UINT64_C(0x100)
static_assert(sizeof(struct magazine) == CACHE_LINE, "arch_cpu_line() finds it");
static_assert(is_pow2(MAGAZINE_MAX) && MAGAZINE_MAX < MAGAZINE_ALLOC, "its bit is set when it is full only");

static inline uint64_t magazine_here(const struct magazine *m)
{
	return m->counts % MAGAZINE_ALLOC;
}

struct pool_chunk {
	uint8_t *objects;
	size_t count;
	void *pages;
	size_t page_count;
};

struct pool {
	struct magazine magazine[CPU_MAX];
	struct spinlock lock; /* LOCK_POOL; guards from here to chunk[] */
	void *free;
	size_t free_count;
	size_t free_min;
	uint64_t direct_allocs, direct_frees; /* past the magazines */
	uint64_t failures;
	/* constant after creation */
	struct str name;
	size_t size, stride, capacity, objects;
	unsigned flags;
	bool has_magazines;
	uint64_t *in_use; /* debug: bit per object; atomic */
	size_t chunk_count;
	struct pool_chunk chunk[POOL_CHUNK_MAX];
};

/* pool_check.c */
enum pool_verdict { POOL_FINE, POOL_FOREIGN, POOL_NOT_IN_USE, POOL_OVERRUN };
#define POOL_TAIL (config_on(CONFIG_DEBUG) ? sizeof(uint64_t) : 0) /* magic behind each object */

#ifdef CONFIG_DEBUG
void pool_check_made(struct pool *p, void *obj);
void pool_check_alloc(struct pool *p, void *obj);
void pool_check_free(struct pool *p, void *obj);
enum pool_verdict pool_judge_free(const struct pool *p, const void *obj);
#else
static inline void pool_check_made(unused struct pool *p, unused void *obj)
{
}
static inline void pool_check_alloc(unused struct pool *p, unused void *obj)
{
}
static inline void pool_check_free(unused struct pool *p, unused void *obj)
{
}
#endif

/* page.c: 2^order pages that are given back one by one; at boot */
must_check void *page_alloc_carved(unsigned order);

void stack_init(void);

#endif
