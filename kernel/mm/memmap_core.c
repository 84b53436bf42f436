/* memmap_core.c - see the header. The cost is the product of the counts, which are small. */
#include "kernel/mm/memmap_core.h"

/* One past the end, or the top of the address space. */
static uintptr_t memrange_end(const struct memrange *r)
{
	uintptr_t end;
	return __builtin_add_overflow(r->base, r->size, &end) ? UINTPTR_MAX : end;
}

/* The first address from `at` on that lies in some range; *end is the farthest end of those there. */
static uintptr_t memmap_next(const struct memrange *r, size_t n, uintptr_t at, uintptr_t *end)
{
	uintptr_t first = UINTPTR_MAX;
	*end = UINTPTR_MAX;
	for (size_t i = 0; i < n; i++) {
		if (r[i].size == 0 || memrange_end(&r[i]) <= at)
			continue;
		uintptr_t from = r[i].base > at ? r[i].base : at;
		if (from < first || (from == first && memrange_end(&r[i]) > *end)) {
			first = from;
			*end = memrange_end(&r[i]);
		}
	}
	return first;
}

size_t memmap_free(const struct memrange *memory, size_t memory_count,
	const struct memrange *reserved, size_t reserved_count, size_t page, struct memrange *out,
	size_t max)
{
	size_t count = 0;
	uintptr_t at = 0, end, hole_end;
	while ((at = memmap_next(memory, memory_count, at, &end)) != UINTPTR_MAX) {
		uintptr_t hole = memmap_next(reserved, reserved_count, at, &hole_end);
		uintptr_t stop = hole < end ? hole : end;
		uintptr_t from = align_up(at, page), to = align_down(stop, page);
		if (from >= at && from < to) {
			if (count > 0 && out[count - 1].base + out[count - 1].size == from)
				out[count - 1].size += to - from;
			else if (count < max)
				out[count++] = (struct memrange){from, to - from};
			else
				break;
		}
		at = hole < end ? hole_end : end;
	}
	return count;
}
