/*
 * buddy_core.c - see the header. A page's state byte is FREE | order or USED |
 * order for the first page of a block, 0 for all others.
 */
#include "lib/assert.h"
#include "kernel/mm/buddy_core.h"

#define STATE_FREE 0x80
#define STATE_USED 0x40

static size_t buddy_index(const struct buddy *b, const void *p)
{
	return ((uintptr_t)p - b->base) >> BUDDY_PAGE_SHIFT;
}

static struct list *buddy_node(const struct buddy *b, size_t page)
{
	return (struct list *)(b->base + (page << BUDDY_PAGE_SHIFT));
}

static void buddy_link(struct buddy *b, size_t page, unsigned order)
{
	b->state[page] = (uint8_t)(STATE_FREE | order);
	list_push_front(&b->free[order], buddy_node(b, page));
	b->nonempty |= 1u << order;
}

static void buddy_unlink(struct buddy *b, size_t page, unsigned order)
{
	debug_assert(b->state[page] == (STATE_FREE | order));
	b->state[page] = 0;
	list_remove(buddy_node(b, page));
	if (list_is_empty(&b->free[order]))
		b->nonempty &= ~(1u << order);
}

void buddy_init(struct buddy *b, uintptr_t base, size_t pages, uint8_t *state)
{
	assert(base % ((size_t)1 << (BUDDY_PAGE_SHIFT + BUDDY_ORDER_MAX)) == 0);
	*b = (struct buddy){.base = base, .pages = pages, .state = state};
	for (unsigned order = 0; order <= BUDDY_ORDER_MAX; order++)
		list_init(&b->free[order]);
	memset(state, 0, pages);
}

/* Frees a block that belongs to nobody, merging upward. */
static void buddy_give(struct buddy *b, size_t page, unsigned order)
{
	b->free_pages += (size_t)1 << order;
	while (order < BUDDY_ORDER_MAX) {
		size_t other = page ^ ((size_t)1 << order);
		if (other >= b->pages || b->state[other] != (STATE_FREE | order))
			break;
		buddy_unlink(b, other, order);
		page &= other;
		order++;
	}
	buddy_link(b, page, order);
}

/* The largest order of a block that starts at page and ends by `end`. */
static unsigned buddy_fit(size_t page, size_t end)
{
	unsigned order = 0;
	while (order < BUDDY_ORDER_MAX && page % ((size_t)2 << order) == 0 &&
		page + ((size_t)2 << order) <= end)
		order++;
	return order;
}

void buddy_add(struct buddy *b, uintptr_t address, size_t pages)
{
	size_t page = buddy_index(b, (void *)address), end = page + pages;
	assert(address % ((size_t)1 << BUDDY_PAGE_SHIFT) == 0 && end <= b->pages);
	while (page < end) {
		unsigned order = buddy_fit(page, end);
		buddy_give(b, page, order);
		page += (size_t)1 << order;
	}
	b->free_pages_min = b->free_pages;
}

void *buddy_alloc(struct buddy *b, unsigned order)
{
	assert(order <= BUDDY_ORDER_MAX);
	uint32_t enough = b->nonempty >> order << order;
	if (!enough)
		return NULL;
	unsigned from = (unsigned)__builtin_ctz(enough);
	struct list *node = b->free[from].next;
	size_t page = buddy_index(b, node);
	buddy_unlink(b, page, from);
	while (from > order) {
		from--;
		buddy_link(b, page + ((size_t)1 << from), from);
	}
	b->state[page] = (uint8_t)(STATE_USED | order);
	b->free_pages -= (size_t)1 << order;
	b->free_pages_min = min(b->free_pages_min, b->free_pages);
	return node;
}

static bool buddy_is_used(const struct buddy *b, const void *block, unsigned order)
{
	uintptr_t at = (uintptr_t)block;
	size_t page = buddy_index(b, block);
	return at >= b->base && at % ((size_t)1 << BUDDY_PAGE_SHIFT) == 0 && page < b->pages &&
		order <= BUDDY_ORDER_MAX && b->state[page] == (STATE_USED | order);
}

enum err buddy_free(struct buddy *b, void *block, unsigned order)
{
	if (!buddy_is_used(b, block, order))
		return ERR_INVAL;
	size_t page = buddy_index(b, block);
	b->state[page] = 0;
	buddy_give(b, page, order);
	return OK;
}

void *buddy_alloc_run(struct buddy *b, size_t pages)
{
	if (pages == 0 || pages > (size_t)1 << BUDDY_ORDER_MAX)
		return NULL;
	unsigned order = pages == 1 ? 0 : 64 - (unsigned)__builtin_clzl(pages - 1);
	void *block = buddy_alloc(b, order);
	if (!block)
		return NULL;
	size_t page = buddy_index(b, block), end = page + pages;
	size_t beyond = page + ((size_t)1 << order);
	b->state[page] = 0;
	while (page < end) {
		unsigned part = buddy_fit(page, end);
		b->state[page] = (uint8_t)(STATE_USED | part);
		page += (size_t)1 << part;
	}
	while (page < beyond) {
		unsigned part = buddy_fit(page, beyond);
		buddy_give(b, page, part);
		page += (size_t)1 << part;
	}
	return block;
}

enum err buddy_free_run(struct buddy *b, void *run, size_t pages)
{
	size_t first = buddy_index(b, run), end = first + pages;
	for (size_t page = first; page < end; page += (size_t)1 << buddy_fit(page, end))
		if (!buddy_is_used(b, buddy_node(b, page), buddy_fit(page, end)))
			return ERR_INVAL;
	for (size_t page = first; page < end;) {
		unsigned order = buddy_fit(page, end);
		b->state[page] = 0;
		buddy_give(b, page, order);
		page += (size_t)1 << order;
	}
	return OK;
}

enum err buddy_carve(struct buddy *b, void *block, unsigned order)
{
	if (!buddy_is_used(b, block, order))
		return ERR_INVAL;
	memset(b->state + buddy_index(b, block), STATE_USED, (size_t)1 << order);
	return OK;
}

bool buddy_check(const struct buddy *b)
{
	size_t sum = 0, listed = 0;
	for (unsigned order = 0; order <= BUDDY_ORDER_MAX; order++) {
		if (list_is_empty(&b->free[order]) == (b->nonempty >> order & 1))
			return false;
		list_for_each (it, &b->free[order]) {
			size_t page = buddy_index(b, it), other = page ^ ((size_t)1 << order);
			if (b->state[page] != (STATE_FREE | order))
				return false;
			if (order < BUDDY_ORDER_MAX && other < b->pages &&
				b->state[other] == (STATE_FREE | order))
				return false;
			sum += (size_t)1 << order;
			listed++;
		}
	}
	for (size_t page = 0; page < b->pages; page++)
		listed -= (b->state[page] & STATE_FREE) != 0;
	return listed == 0 && sum == b->free_pages;
}
