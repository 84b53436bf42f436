/*
 * memmap_core.h - which memory may be handed out: all that there is, less what is
 * reserved, in whole pages, sorted.
 */
#ifndef KERNEL_MM_MEMMAP_CORE_H
#define KERNEL_MM_MEMMAP_CORE_H

#include "lib/base.h"

struct memrange {
	uintptr_t base;
	size_t size;
};

/*
 * Writes the free ranges to out, rising and apart; how many, at most `max` (the rest
 * is left out). Ranges may overlap, touch, be empty or reach the end of the address
 * space. `page` is a power of two.
 */
size_t memmap_free(const struct memrange *memory, size_t memory_count,
	const struct memrange *reserved, size_t reserved_count, size_t page, struct memrange *out,
	size_t max);

#endif
