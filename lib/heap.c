/*
 * heap.c - binary heap in an array (contract: lib/heap.h).
 *
 * Invariants: slots[i] is not due before slots[(i - 1) / 2]; slots[i]->index == i.
 * A node on its way is held in a variable while others move into the hole it
 * leaves; it is stored once, where it ends.
 */
#include "lib/assert.h"
#include "lib/heap.h"

static bool heap_before(const struct heap_node *a, const struct heap_node *b)
{
	return a->when.ns < b->when.ns || (a->when.ns == b->when.ns && a->sequence < b->sequence);
}

static inline void heap_place(struct heap *h, uint32_t i, struct heap_node *n)
{
	h->slots[i] = n;
	n->index = i;
}

/* n belongs into the hole at i or above it. */
static inline void heap_sift_up(struct heap *h, uint32_t i, struct heap_node *n)
{
	while (i > 0 && heap_before(n, h->slots[(i - 1) / 2])) {
		heap_place(h, i, h->slots[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_place(h, i, n);
}

/* n belongs into the hole at i or below it. */
static void heap_sift_down(struct heap *h, uint32_t i, struct heap_node *n)
{
	struct heap_node **slots = h->slots;
	size_t count = h->count, hole = i, child;
	while ((child = 2 * hole + 1) < count) {
		struct heap_node *next = slots[child];
		if (child + 1 < count && heap_before(slots[child + 1], next))
			next = slots[++child];
		if (!heap_before(next, n))
			break;
		slots[hole] = next;
		next->index = (uint32_t)hole;
		hole = child;
	}
	heap_place(h, (uint32_t)hole, n);
}

void heap_init(struct heap *h, struct heap_node **slots, uint32_t capacity)
{
	/* So that 2 * i + 1 fits. */
	assert(capacity <= UINT32_MAX / 2);
	*h = (struct heap){.slots = slots, .capacity = capacity};
}

void heap_add(struct heap *h, struct heap_node *n, ktime when)
{
	uint32_t i = h->count;
	debug_assert(!heap_is_linked(n));
	assert(i < h->capacity);
	h->count = i + 1;
	n->when = when;
	n->sequence = h->sequence++;
	heap_sift_up(h, i, n);
}

enum err heap_insert(struct heap *h, struct heap_node *n, ktime when)
{
	if (h->count == h->capacity)
		return ERR_NOSPC;
	heap_add(h, n, when);
	return OK;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	uint32_t hole = n->index;

	assert(hole < h->count && h->slots[hole] == n);
	struct heap_node *last = h->slots[--h->count];
	heap_node_init(n);
	if (last == n)
		return;
	if (hole > 0 && heap_before(last, h->slots[(hole - 1) / 2]))
		heap_sift_up(h, hole, last);
	else
		heap_sift_down(h, hole, last);
}

bool heap_check(const struct heap *h)
{
	if (h->count > h->capacity)
		return false;
	for (uint32_t i = 0; i < h->count; i++) {
		if (h->slots[i]->index != i)
			return false;
		if (i > 0 && heap_before(h->slots[i], h->slots[(i - 1) / 2]))
			return false;
	}
	return true;
}
