/*
 * runq_core.h - one hart's queue of runnable threads: which runs next.
 *
 * A rank says who goes first: the less, the more urgent. A deadline is its own rank, in
 * nanoseconds; the 64 fixed priorities come behind all deadlines. Threads with a deadline stand in a
 * heap, the others in 64 lists with a bitmap of those that are not empty. The running thread stays
 * queued, at the head, so that a yield moves the head and "must preempt" is one compare.
 *
 * A second count, per priority, of the threads that may run elsewhere too tells
 * other harts what there is to pull.
 *
 * Pure: the caller holds the lock of the queue. All operations are O(1), or O(log n) where there
 * are deadlines, except the two that look for a movable node: RUNQ_SCAN_MAX steps, and a walk over
 * those with a deadline if one of them may move.
 *
 * Invariants (runq_check): bit l is set if and only if list l has a node; the
 * movable bitmap equals the movable counts; counts add up to `ready`; RUNQ_DEADLINE
 * is set if and only if the heap is not empty.
 */
#ifndef KERNEL_SCHED_RUNQ_CORE_H
#define KERNEL_SCHED_RUNQ_CORE_H

#include "lib/assert.h"
#include "lib/base.h"
#include "lib/heap.h"
#include "lib/list.h"

#define RUNQ_LEVELS    64 /* level 0 is priority 63 */
#define RUNQ_SCAN_MAX  32
#define RUNQ_DEADLINES 128 /* in one queue at once */

#define RANK_FIXED (UINT64_C(1) << 63)
#define RANK_LAST  (RANK_FIXED + RUNQ_LEVELS - 1) /* the idle thread's */
#define RANK_NONE  UINT64_MAX

static inline uint64_t rank_of_priority(unsigned priority)
{
	return RANK_FIXED + (RUNQ_LEVELS - 1) - priority;
}

static inline uint64_t rank_of_deadline(ktime deadline)
{
	debug_assert(deadline.ns >= 0);
	return (uint64_t)deadline.ns;
}

static inline bool rank_is_deadline(uint64_t rank)
{
	return rank < RANK_FIXED;
}

static inline unsigned rank_level(uint64_t rank)
{
	return rank & (RUNQ_LEVELS - 1);
}

/* The fixed priority; of a deadline, one more than the highest. */
static inline unsigned rank_priority(uint64_t rank)
{
	return rank_is_deadline(rank) ? RUNQ_LEVELS : RUNQ_LEVELS - 1 - rank_level(rank);
}

/* What the queue knows of a thread. Rank and affinity change only while not queued. A domain is a number below 8. */
struct runq_node {
	struct list link;
	uint64_t rank;
	bool queued;
	bool movable; /* allowed on more than one hart */
	uint8_t domain;
	uint64_t affinity; /* bit per cpu */
	struct heap_node deadline;
};

/* Why the first of the lists is not simply the next to run. */
enum {
	RUNQ_DEADLINE = 1, /* some have a deadline */
	RUNQ_BARRED = 2,   /* some that are queued may not run for now; the caller's, who knows which */
	RUNQ_PEERS = 4,    /* other queues are to be asked too; the caller's */
};

struct runq {
	uint64_t occupied;
	uint32_t rare; /* RUNQ_* */
	uint32_t ready; /* queued, the running one included */
	struct list list[RUNQ_LEVELS];
	uint64_t movable;
	uint16_t movable_count[RUNQ_LEVELS];
	uint32_t movable_deadlines;
	struct heap deadlines;
	struct heap_node *slots[RUNQ_DEADLINES];
};

void runq_init(struct runq *q);

/* Before all else. */
static inline void runq_node_init(struct runq_node *n)
{
	heap_node_init(&n->deadline);
}

/* Where n may run; while not queued. */
static inline void runq_set_affinity(struct runq_node *n, uint64_t affinity)
{
	debug_assert(!n->queued);
	n->affinity = affinity;
	n->movable = (affinity & (affinity - 1)) != 0;
}

/* Those with a deadline: by deadline, then arrival. */
void runq_push_deadline(struct runq *q, struct runq_node *n);
void runq_remove_deadline(struct runq *q, struct runq_node *n);

static inline void runq_count_in(struct runq *q, struct runq_node *n)
{
	unsigned level = rank_level(n->rank);
	debug_assert(!n->queued && n->rank != RANK_NONE);
	n->queued = true;
	q->occupied |= UINT64_C(1) << level;
	q->ready++;
	if (unlikely(n->movable)) {
		q->movable_count[level]++;
		q->movable |= UINT64_C(1) << level;
	}
}

/* Behind or before its equals, where it has a fixed priority. Not queued before. */
static inline void runq_push_back(struct runq *q, struct runq_node *n)
{
	if (unlikely(rank_is_deadline(n->rank))) {
		runq_push_deadline(q, n);
		return;
	}
	list_push_back(&q->list[rank_level(n->rank)], &n->link);
	runq_count_in(q, n);
}

static inline void runq_push_front(struct runq *q, struct runq_node *n)
{
	if (unlikely(rank_is_deadline(n->rank))) {
		runq_push_deadline(q, n);
		return;
	}
	list_push_front(&q->list[rank_level(n->rank)], &n->link);
	runq_count_in(q, n);
}

static inline void runq_remove(struct runq *q, struct runq_node *n)
{
	debug_assert(n->queued);
	if (unlikely(rank_is_deadline(n->rank))) {
		runq_remove_deadline(q, n);
		return;
	}
	unsigned level = rank_level(n->rank);
	struct list *prev = n->link.prev, *next = n->link.next;
	prev->next = next;
	next->prev = prev;
	n->queued = false;
	q->ready--;
	if (prev == next) /* the head */
		q->occupied &= ~(UINT64_C(1) << level);
	if (unlikely(n->movable) && --q->movable_count[level] == 0)
		q->movable &= ~(UINT64_C(1) << level);
}

/* The head of the highest priority that is not empty. */
static inline struct runq_node *runq_best_fixed(const struct runq *q)
{
	debug_assert(q->occupied != 0);
	return container_of(q->list[__builtin_ctzll(q->occupied)].next, struct runq_node, link);
}

/* The one with the least rank; with a fixed priority at least there is one. */
static inline struct runq_node *runq_best(const struct runq *q)
{
	if (unlikely(q->rare & RUNQ_DEADLINE))
		return container_of(heap_first(&q->deadlines), struct runq_node, deadline);
	return runq_best_fixed(q);
}

/* True when something queued outranks `rank`. */
static inline bool runq_outranks(const struct runq *q, uint64_t rank)
{
	if (unlikely(q->rare & RUNQ_DEADLINE))
		return runq_best(q)->rank < rank;
	return !rank_is_deadline(rank) && (q->occupied & ((UINT64_C(1) << rank_level(rank)) - 1)) != 0;
}

/* n, queued, has a fixed priority and is not alone in its list. */
static inline bool runq_has_equal(const struct runq_node *n)
{
	return !rank_is_deadline(n->rank) && n->link.next != n->link.prev;
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

/* The rank of the best that may move, `running` not counted; RANK_NONE: there is none. */
uint64_t runq_waiting_rank(const struct runq *q, const struct runq_node *running);

/*
 * The best node but `running` that may run on `cpu`, is of no domain whose bit `barred` has, and outranks `than`;
 * NULL when there is none among the first RUNQ_SCAN_MAX candidates with a fixed priority.
 */
struct runq_node *runq_find_movable(const struct runq *q, const struct runq_node *running,
	unsigned cpu, uint8_t barred, uint64_t than);

/* The first movable node but `running` of that rank; NULL: none among RUNQ_SCAN_MAX. */
struct runq_node *runq_first_movable(const struct runq *q, const struct runq_node *running, uint64_t rank);

/* The invariants, for debug builds and tests; O(threads). */
bool runq_check(const struct runq *q);

#endif
