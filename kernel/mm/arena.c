/* arena.c - memory that goes back all at once. No lock: an arena has one owner. */
#include "kernel/mm/mm.h"
#include "lib/assert.h"

void *arena_alloc(struct arena *a, size_t size, size_t align)
{
	assert(is_pow2(align));
	uintptr_t base = (uintptr_t)a->base, at = align_up(base + a->used, align);
	size_t offset = at - base;
	if (offset > a->cap || size > a->cap - offset)
		return NULL;
	a->used = offset + size;
	return memset((void *)at, 0, size);
}
