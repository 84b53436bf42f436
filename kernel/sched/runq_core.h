/*
 * runq_core.h - one hart's queue of runnable threads: which runs next.
 *
 * 64 lists and a bitmap of those that are not empty. The running thread stays at
 * the head of its list, so that a yield moves the head and "must preempt" is one
 * compare. Policies that outrank fixed priorities are further fields, asked
 * before the bitmap in runq_best().
 *
 * A second count, per priority, of the threads that may run elsewhere too tells
 * other harts what there is to pull.
 *
 * Pure: the caller holds the lock of the queue. All operations are O(1), except
 * the two that look for a movable node, which visit at most RUNQ_SCAN_MAX.
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

/* What the queue knows of a thread. Priority and affinity change only while not queued. */
struct runq_node {
	struct list link;
	uint64_t affinity; /* bit per cpu */
	uint8_t priority;
	bool queued;
	bool movable; /* allowed on more than one hart */
};

struct runq {
	uint64_t occupied;
	uint64_t movable;
	uint32_t ready; /* queued, the running one included */
	struct list list[RUNQ_PRIORITIES];
	uint16_t movable_count[RUNQ_PRIORITIES];
};

void runq_init(struct runq *q);

/* Where n may run; while not queued. */
static inline void runq_set_affinity(struct runq_node *n, uint64_t affinity)
{
	debug_assert(!n->queued);
	n->affinity = affinity;
	n->movable = (affinity & (affinity - 1)) != 0;
}

static inline void runq_count_in(struct runq *q, struct runq_node *n)
{
	uint64_t bit = UINT64_C(1) << n->priority;
	debug_assert(!n->queued && n->priority < RUNQ_PRIORITIES);
	n->queued = true;
	q->occupied |= bit;
	q->ready++;
	if (unlikely(n->movable)) {
		q->movable_count[n->priority]++;
		q->movable |= bit;
	}
}

/* Behind or before its equals. Not queued before. */
static inline void runq_push_back(struct runq *q, struct runq_node *n)
{
	list_push_back(&q->list[n->priority], &n->link);
	runq_count_in(q, n);
}

static inline void runq_push_front(struct runq *q, struct runq_node *n)
{
	list_push_front(&q->list[n->priority], &n->link);
	runq_count_in(q, n);
}

static inline void runq_remove(struct runq *q, struct runq_node *n)
{
	uint64_t bit = UINT64_C(1) << n->priority;
	debug_assert(n->queued);
	struct list *prev = n->link.prev, *next = n->link.next;
	prev->next = next;
	next->prev = prev;
	n->queued = false;
	q->ready--;
	if (prev == next) /* the head */
		q->occupied &= ~bit;
	if (unlikely(n->movable) && --q->movable_count[n->priority] == 0)
		q->movable &= ~bit;
}

/* The head of the highest priority. Not empty. */
static inline struct runq_node *runq_best(const struct runq *q)
{
	debug_assert(q->occupied != 0);
	unsigned top = 63 - (unsigned)__builtin_clzll(q->occupied);
	return container_of(q->list[top].next, struct runq_node, link);
}

/* True when something queued outranks `priority`. */
static inline bool runq_outranks(const struct runq *q, unsigned priority)
{
	return q->occupied >> priority > 1;
}

/* n, queued, is not alone in its list. */
static inline bool runq_has_equal(const struct runq_node *n)
{
	return n->link.next != n->link.prev;
}

/* Moves n, which heads its list and is not alone there, behind its equals; the new head. */
static inline struct runq_node *runq_rotate(struct runq_node *n)
{
	/* In the circle, that is to move the list's head behind n. */
	struct list *head = n->link.prev, *second = n->link.next, *last = head->prev;
	debug_assert(n->queued && head->next == &n->link && second != head);
	last->next = &n->link;
	n->link.prev = last;
	n->link.next = head;
	head->prev = &n->link;
	head->next = second;
	second->prev = head;
	return container_of(second, struct runq_node, link);
}

/* The highest priority of what may move, `running` not counted; -1 for none. */
static inline int runq_waiting_priority(const struct runq *q, const struct runq_node *running)
{
	uint64_t movable = q->movable;
	if (running->movable && q->movable_count[running->priority] == 1)
		movable &= ~(UINT64_C(1) << running->priority);
	return movable == 0 ? -1 : 63 - __builtin_clzll(movable);
}

/*
 * The best node but `running` that may run on `cpu` and has a priority above `above`;
 * NULL when there is none among the first RUNQ_SCAN_MAX candidates.
 */
struct runq_node *runq_find_movable(const struct runq *q, const struct runq_node *running,
	unsigned cpu, int above);

/* The first movable node but `running` of that priority; NULL: none among RUNQ_SCAN_MAX. */
struct runq_node *runq_first_movable(const struct runq *q, const struct runq_node *running, int priority);

/* The invariants, for debug builds and tests; O(threads). */
bool runq_check(const struct runq *q);

#endif
