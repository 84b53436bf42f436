/*
 * heap.h - what is due first: a binary heap of intrusive nodes in an array.
 *
 *	struct heap_node *slots[CAPACITY];
 *	heap_init(&h, slots, CAPACITY);
 *	err = heap_insert(&h, &callout->node, when);    or heap_add(), where there is room
 *	struct heap_node *n = heap_first(&h);           the earliest, or NULL
 *	heap_remove(&h, n);                             any node, not only the first
 *
 * Nodes with the same time leave in the order in which they came. Insertion and
 * removal are O(log n): at most two compares a level, so a bound for the code
 * that holds interrupts off follows from the capacity. A full heap refuses with
 * ERR_NOSPC and changes nothing. The key may not change while a node is in a
 * heap: remove it and insert it again.
 *
 * Not locked: the structure that embeds the heap says which lock guards it.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include "lib/base.h"
#include "lib/ktime.h"

#define HEAP_NOWHERE UINT32_MAX

struct heap_node {
	ktime when;
	uint64_t sequence; /* of the insertion: orders equals */
	uint32_t index;    /* in slots, or HEAP_NOWHERE */
};

struct heap {
	struct heap_node **slots;
	uint32_t count;
	uint32_t capacity;
	uint64_t sequence;
};

/* The array is the caller's and lives as long as the heap. */
void heap_init(struct heap *h, struct heap_node **slots, uint32_t capacity);

/* A new node is in no heap: needed once, before all else; heap_remove() leaves it so. */
static inline void heap_node_init(struct heap_node *n)
{
	n->index = HEAP_NOWHERE;
}

static inline bool heap_is_linked(const struct heap_node *n)
{
	return n->index != HEAP_NOWHERE;
}

must_check enum err heap_insert(struct heap *h, struct heap_node *n, ktime when);
/* The same where there is a place for each: a full heap is a bug. */
void heap_add(struct heap *h, struct heap_node *n, ktime when);
void heap_remove(struct heap *h, struct heap_node *n);

static inline struct heap_node *heap_first(const struct heap *h)
{
	return h->count == 0 ? NULL : h->slots[0];
}

static inline bool heap_is_first(const struct heap_node *n)
{
	return n->index == 0;
}

/* When the first is due; KTIME_NEVER for an empty heap. */
static inline ktime heap_first_time(const struct heap *h)
{
	return h->count == 0 ? KTIME_NEVER : h->slots[0]->when;
}

/* True if the order and every index are as they must be. Linear: for tests and debug builds. */
bool heap_check(const struct heap *h);

#endif
