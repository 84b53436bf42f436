/*
 * runq_core.h - one hart's queue of runnable threads: which runs next.
 *
 * A rank says who goes first: the less, the more urgent. A deadline is its own rank, in
 * nanoseconds; the 64 fixed priorities come behind all deadlines. Threads with a deadline stand in a
 * heap, the others in 64 circles with a bitmap of those that are not empty. The running thread stays
 * queued, as the first, so that a yield makes its neighbour the first and "must preempt" is one compare.
 *
 * A second count, per priority, of the threads that may run elsewhere too tells
 * other harts what there is to pull.
 *
 * Pure: the caller holds the lock of the queue. All operations are O(1), or O(log n) where there
 * are deadlines, except the two that look for a movable node: RUNQ_SCAN_MAX steps, and a walk over
 * those with a deadline if one of them may move.
 *
 * What concerns a node with a fixed priority is inline; what concerns a deadline is a call, which a caller in
 * a hurry keeps out of his path (sched_priv.h).
 *
 * How many are queued is counted for the balance between queues only: with RUNQ_PEERS. Without, the functions of
 * the plain case leave it out.
 *
 * Invariants (runq_check): bit l is set if and only if circle l has a node; the
 * movable bitmap equals the movable counts; with RUNQ_PEERS, counts add up to `ready`; RUNQ_DEADLINE
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
#define RUNQ_DEADLINES CONFIG_THREAD_MAX /* in one queue at once: whoever lends a deadline, all may have one */

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

/* Why the first of the circles is not simply the next to run. */
enum {
	RUNQ_DEADLINE = 1, /* some have a deadline */
	/* the caller's: */
	RUNQ_BARRED = 2, /* those of some domains may not run for now */
	RUNQ_STALE = 4,  /* one that may not run for another reason may be queued still */
	RUNQ_PEERS = 8,  /* other queues are to be asked too */
	RUNQ_ERRAND = 16, /* something is to be done first */
};

struct runq {
	uint64_t occupied;
	uint32_t rare; /* RUNQ_* */
	uint32_t ready; /* queued, the running one included; of no meaning without RUNQ_PEERS */
	struct list *first[RUNQ_LEVELS]; /* in a circle of nodes, by link; of no meaning where there is none */
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

/* Where the first of those with n's fixed priority is kept. RANK_FIXED falls out of the product. */
static inline struct list **runq_first_of(struct runq *q, const struct runq_node *n)
{
	return (struct list **)((uintptr_t)q->first + n->rank * sizeof(q->first[0]));
}

/* The first of a level, or NULL; the one behind n, or NULL: a walk in order. */
static inline struct runq_node *runq_level_first(const struct runq *q, unsigned level)
{
	return q->occupied >> level & 1 ? container_of(q->first[level], struct runq_node, link) : NULL;
}

static inline struct runq_node *runq_level_next(const struct runq *q, const struct runq_node *n)
{
	struct list *next = n->link.next;
	return next == q->first[rank_level(n->rank)] ? NULL : container_of(next, struct runq_node, link);
}

/* Not queued before, with a fixed priority: behind its equals. True: there are any. */
static inline bool runq_push_back_fixed(struct runq *q, struct runq_node *n)
{
	unsigned level = rank_level(n->rank);
	struct list **first = runq_first_of(q, n);
	bool equals = q->occupied >> level & 1;
	debug_assert(!n->queued && n->rank != RANK_NONE && !rank_is_deadline(n->rank));
	n->queued = true;
	q->ready++;
	if (unlikely(n->movable)) {
		q->movable_count[level]++;
		q->movable |= UINT64_C(1) << level;
	}
	if (equals) {
		list_insert_between(&n->link, (*first)->prev, *first);
	} else {
		list_init(&n->link);
		*first = &n->link;
		q->occupied |= UINT64_C(1) << level;
	}
	return equals;
}

/* Queued, with a fixed priority. */
static inline void runq_remove_fixed(struct runq *q, struct runq_node *n)
{
	unsigned level = rank_level(n->rank);
	struct list *next = n->link.next, *prev = n->link.prev;
	debug_assert(n->queued && !rank_is_deadline(n->rank));
	n->queued = false;
	q->ready--;
	if (next == &n->link) {
		q->occupied &= ~(UINT64_C(1) << level);
	} else {
		next->prev = prev;
		prev->next = next;
		if (*runq_first_of(q, n) == &n->link)
			*runq_first_of(q, n) = next;
	}
	if (unlikely(n->movable) && --q->movable_count[level] == 0)
		q->movable &= ~(UINT64_C(1) << level);
}

/*
 * The same in the plain case, on the paths of a switch: there is nowhere to move to, and nothing has a deadline.
 */
static inline void runq_push_plain(struct runq *q, struct runq_node *n)
{
	struct list **first = runq_first_of(q, n);
	uint64_t occupied = q->occupied, own = UINT64_C(1) << rank_level(n->rank);
	debug_assert(!n->queued && !n->movable && !rank_is_deadline(n->rank) && !(q->rare & RUNQ_PEERS));
	n->queued = true;
	if (occupied & own) {
		list_insert_between(&n->link, (*first)->prev, *first);
	} else {
		list_init(&n->link);
		*first = &n->link;
		q->occupied = occupied | own;
	}
}

/* n, the first with its fixed priority, leaves; who is the best then. */
static inline struct runq_node *runq_leave_plain(struct runq *q, struct runq_node *n)
{
	struct list *next = n->link.next, *prev = n->link.prev;
	uint64_t occupied = q->occupied, own = UINT64_C(1) << rank_level(n->rank);
	debug_assert(n->queued && !n->movable && !(q->rare & (RUNQ_DEADLINE | RUNQ_PEERS)));
	debug_assert(*runq_first_of(q, n) == &n->link);
	n->queued = false;
	if (likely(next == &n->link)) {
		occupied &= ~own;
		q->occupied = occupied;
	} else {
		next->prev = prev;
		prev->next = next;
		*runq_first_of(q, n) = next;
	}
	return container_of(q->first[__builtin_ctzll(occupied)], struct runq_node, link);
}

/* Behind or before its equals, where it has a fixed priority. Not queued before. */
static inline void runq_push_back(struct runq *q, struct runq_node *n)
{
	if (unlikely(rank_is_deadline(n->rank)))
		runq_push_deadline(q, n);
	else
		runq_push_back_fixed(q, n);
}

static inline void runq_push_front(struct runq *q, struct runq_node *n)
{
	runq_push_back(q, n);
	if (!rank_is_deadline(n->rank)) /* in the circle, the last is before the first */
		*runq_first_of(q, n) = &n->link;
}

static inline void runq_remove(struct runq *q, struct runq_node *n)
{
	if (unlikely(rank_is_deadline(n->rank)))
		runq_remove_deadline(q, n);
	else
		runq_remove_fixed(q, n);
}

/* The first of the highest priority that is not empty. */
static inline struct runq_node *runq_best_fixed(const struct runq *q)
{
	debug_assert(q->occupied != 0);
	return container_of(q->first[__builtin_ctzll(q->occupied)], struct runq_node, link);
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

/* n, queued, has a fixed priority and is not alone with it. */
static inline bool runq_has_equal_fixed(const struct runq_node *n)
{
	debug_assert(n->queued && !rank_is_deadline(n->rank));
	return n->link.next != &n->link;
}

static inline bool runq_has_equal(const struct runq_node *n)
{
	return !rank_is_deadline(n->rank) && runq_has_equal_fixed(n);
}

/* n, the first with its fixed priority, goes behind its equals; who is first now. */
static inline struct runq_node *runq_rotate(struct runq *q, struct runq_node *n)
{
	struct list *second = n->link.next;
	debug_assert(n->queued && *runq_first_of(q, n) == &n->link);
	*runq_first_of(q, n) = second;
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
