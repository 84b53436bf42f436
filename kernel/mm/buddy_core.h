/*
 * buddy_core.h - the page allocator's pure part: blocks of 2^order pages, each
 * aligned to its size, split and merged with their buddies.
 *
 *	buddy_init(&b, base, pages, state);     nothing is free yet
 *	buddy_add(&b, address, pages);          what may be handed out; boot only, linear
 *	void *p = buddy_alloc(&b, order);       NULL: no block of that order is left
 *	err = buddy_free(&b, p, order);         ERR_INVAL: not a block of that order in use
 *
 * `state` has a byte for each page: of the first page of a block whether it is
 * free or in use, and its order; all others are inner or foreign pages. So a
 * double free, a wrong order and a foreign pointer are refused, in release too.
 * Free blocks are linked through their own first bytes.
 *
 * Bounded: alloc splits and free merges at most BUDDY_ORDER_MAX times; finding
 * the order is one count-trailing-zeros.
 *
 * Locks: the caller's. Invariant (buddy_check): no two free buddies of one order
 * stand side by side, and free_pages is the sum over the lists.
 */
#ifndef KERNEL_MM_BUDDY_CORE_H
#define KERNEL_MM_BUDDY_CORE_H

#include "lib/base.h"
#include "lib/list.h"

#define BUDDY_ORDER_MAX  10
#define BUDDY_PAGE_SHIFT 12

struct buddy {
	uintptr_t base; /* aligned to the largest block */
	size_t pages;
	uint8_t *state;
	struct list free[BUDDY_ORDER_MAX + 1];
	uint32_t nonempty; /* bit per order */
	size_t free_pages;
	size_t free_pages_min;
};

void buddy_init(struct buddy *b, uintptr_t base, size_t pages, uint8_t *state);
void buddy_add(struct buddy *b, uintptr_t address, size_t pages);

must_check void *buddy_alloc(struct buddy *b, unsigned order);
must_check enum err buddy_free(struct buddy *b, void *block, unsigned order);

/*
 * A run of `pages` pages (at most the largest block), aligned to the power of two above;
 * what the block has beyond is free again. At most 2 * BUDDY_ORDER_MAX steps.
 */
must_check void *buddy_alloc_run(struct buddy *b, size_t pages);
must_check enum err buddy_free_run(struct buddy *b, void *run, size_t pages);

/* Turns a block in use into 2^order single pages in use. Linear; at boot. */
must_check enum err buddy_carve(struct buddy *b, void *block, unsigned order);

/* The invariant, by walking everything: tests and debug. */
bool buddy_check(const struct buddy *b);

#endif
