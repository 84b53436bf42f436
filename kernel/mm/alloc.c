/* alloc.c - pages, pools and arenas behind one interface. */
#include "kernel/mm/mm.h"
#include "kernel/mm/mm_priv.h"
#include "lib/assert.h"

static void *page_allocator_alloc(unused struct allocator *a, size_t size, size_t align)
{
	size_t pages = max(div_up(size, PAGE_SIZE), (size_t)1);
	/* A run is aligned to the power of two above its length; nothing here needs more. */
	return align <= max(PAGE_SIZE, pages << PAGE_SHIFT) ? page_alloc_run(pages) : NULL;
}

static void page_allocator_free(unused struct allocator *a, void *ptr, size_t size)
{
	page_free_run(ptr, max(div_up(size, PAGE_SIZE), (size_t)1));
}

struct allocator page_allocator = {page_allocator_alloc, page_allocator_free};

static void *pool_allocator_alloc(struct allocator *a, size_t size, size_t align)
{
	struct pool *p = container_of(a, struct pool_allocator, a)->pool;
	bool fits = size <= p->size && (align <= 8 || p->stride % align == 0);
	return fits ? pool_alloc(p) : NULL;
}

static void pool_allocator_free(struct allocator *a, void *ptr, unused size_t size)
{
	pool_free(container_of(a, struct pool_allocator, a)->pool, ptr);
}

void pool_allocator_init(struct pool_allocator *a, struct pool *p)
{
	*a = (struct pool_allocator){{pool_allocator_alloc, pool_allocator_free}, p};
}

static void *arena_allocator_alloc(struct allocator *a, size_t size, size_t align)
{
	return arena_alloc(container_of(a, struct arena_allocator, a)->arena, size, align);
}

static void arena_allocator_free(unused struct allocator *a, unused void *ptr, unused size_t size)
{
}

void arena_allocator_init(struct arena_allocator *a, struct arena *arena)
{
	*a = (struct arena_allocator){{arena_allocator_alloc, arena_allocator_free}, arena};
}
