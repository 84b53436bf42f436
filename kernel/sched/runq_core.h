/*
 * runq_core.h - one hart's queue of runnable threads: which runs next.
 *
 * 64 lists and a bitmap of those that are not empty. The running thread stays at
 * the head of its list, so that a yield moves the head and "must preempt" is one
 * compare. Policies that outrank fixed priorities are further fields, asked
 * before the bitmap in runq_best().
 *
 * A second count, per priority, of the threads that wait here and may run
 * elsewhere tells other harts what there is to pull.
 *
 * Pure: the caller holds the lock of the queue. All operations are O(1), except
 * runq_find_movable, which visits at most RUNQ_SCAN_MAX nodes.
 *
 * Invariants (runq_check): bit p is set if and only if list p has a node; the
 * movable bitmap equals the movable counts; counts add up to `ready`.
 */
#ifndef KERNEL_SCHED_RUNQ_CORE_H
#define KERNEL_SCHED_RUNQ_CORE_H

#include "lib/assert.h"
#include "lib/base.h"
#include "lib/list.h"

#define RUNQ_PRIORITIES 64
#define RUNQ_SCAN_MAX   32

/* What the queue knows of a thread. `priority` changes only while not queued. */
struct runq_node {
	struct list link;
	uint64_t affinity; /* bit per cpu */
	uint8_t priority;
	bool queued;
	bool movable; /* counted as waiting here and allowed elsewhere */
};

struct runq {
	uint64_t occupied;
	uint64_t movable;
	struct list list[RUNQ_PRIORITIES];
	uint16_t movable_count[RUNQ_PRIORITIES];
	uint32_t ready; /* queued, the running one included */
};

void runq_init(struct runq *q);

/* Behind or before its equals. Not queued before. */
void runq_push_back(struct runq *q, struct runq_node *n);
void runq_push_front(struct runq *q, struct runq_node *n);
void runq_remove(struct runq *q, struct runq_node *n);

/* The head of the highest priority; NULL when empty. */
static inline struct runq_node *runq_best(const struct runq *q)
{
	if (unlikely(q->occupied == 0))
		return NULL;
	unsigned top = 63 - (unsigned)__builtin_clzll(q->occupied);
	return container_of(q->list[top].next, struct runq_node, link);
}

/* True when something queued outranks `priority`. */
static inline bool runq_outranks(const struct runq *q, unsigned priority)
{
	return q->occupied > (UINT64_C(2) << priority) - 1;
}

/* Moves the head of n's list, which is n, behind its equals. */
static inline void runq_rotate(struct runq *q, struct runq_node *n)
{
	struct list *head = &q->list[n->priority];
	debug_assert(n->queued && head->next == &n->link);
	/* In a circle the head moves behind its first node. */
	struct list *second = n->link.next, *last = head->prev;
	head->next = second;
	second->prev = head;
	list_insert_between(&n->link, last == &n->link ? head : last, head);
}

static inline bool runq_has_equal(const struct runq *q, const struct runq_node *n)
{
	const struct list *head = &q->list[n->priority];
	return head->next->next != head;
}

/* Tells whether n, queued, now waits (and may be pulled) or runs. */
void runq_count_movable(struct runq *q, struct runq_node *n, bool movable);
static inline void runq_set_waiting(struct runq *q, struct runq_node *n, bool waiting)
{
	bool movable = waiting && (n->affinity & (n->affinity - 1)) != 0;
	if (movable != n->movable)
		runq_count_movable(q, n, movable);
}

/* The highest priority of what waits and may move; -1 for none. */
static inline int runq_movable_priority(const struct runq *q)
{
	return q->movable == 0 ? -1 : 63 - __builtin_clzll(q->movable);
}

/*
 * The best waiting node that may run on `cpu` and has a priority above `above`;
 * NULL when there is none among the first RUNQ_SCAN_MAX candidates.
 */
struct runq_node *runq_find_movable(const struct runq *q, unsigned cpu, int above);

/* The first movable node of the highest priority that has one; NULL: none among RUNQ_SCAN_MAX. */
struct runq_node *runq_best_movable(const struct runq *q);

/* The invariants, for debug builds and tests; O(threads). */
bool runq_check(const struct runq *q);

#endif
