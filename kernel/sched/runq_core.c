/* runq_core.c - one hart's queue of runnable threads; see runq_core.h. */
#include "kernel/sched/runq_core.h"
#include "lib/assert.h"

void runq_init(struct runq *q)
{
	*q = (struct runq){0};
	heap_init(&q->deadlines, q->slots, RUNQ_DEADLINES);
}

void runq_push_deadline(struct runq *q, struct runq_node *n)
{
	debug_assert(!n->queued);
	n->queued = true;
	q->ready++;
	q->movable_deadlines += n->movable;
	q->rare |= RUNQ_DEADLINE;
	heap_add(&q->deadlines, &n->deadline, (ktime){(int64_t)n->rank});
}

void runq_remove_deadline(struct runq *q, struct runq_node *n)
{
	heap_remove(&q->deadlines, &n->deadline);
	n->queued = false;
	q->ready--;
	q->movable_deadlines -= n->movable;
	if (q->deadlines.count == 0)
		q->rare &= ~(uint32_t)RUNQ_DEADLINE;
}

/* The best with a deadline that may move, to one of `cpus`, is not barred, and outranks `than`. */
static struct runq_node *runq_movable_deadline(const struct runq *q, const struct runq_node *running,
	uint64_t cpus, uint8_t barred, uint64_t than)
{
	struct runq_node *best = NULL;
	for (uint32_t i = 0; q->movable_deadlines > 0 && i < q->deadlines.count; i++) {
		struct runq_node *n = container_of(q->deadlines.slots[i], struct runq_node, deadline);
		if (n->movable && n != running && (n->affinity & cpus) && n->rank < than &&
			!(barred >> n->domain & 1)) {
			best = n;
			than = n->rank;
		}
	}
	return best;
}

uint64_t runq_waiting_rank(const struct runq *q, const struct runq_node *running)
{
	if (unlikely(q->movable_deadlines > 0)) {
		const struct runq_node *n = runq_movable_deadline(q, running, UINT64_MAX, 0, RANK_NONE);
		if (n)
			return n->rank;
	}
	uint64_t movable = q->movable;
	if (running->movable && !rank_is_deadline(running->rank) &&
		q->movable_count[rank_level(running->rank)] == 1)
		movable &= ~(UINT64_C(1) << rank_level(running->rank));
	return movable == 0 ? RANK_NONE : RANK_FIXED + (unsigned)__builtin_ctzll(movable);
}

struct runq_node *runq_find_movable(const struct runq *q, const struct runq_node *running,
	unsigned cpu, uint8_t barred, uint64_t than)
{
	struct runq_node *urgent = runq_movable_deadline(q, running, UINT64_C(1) << cpu, barred, than);
	if (urgent)
		return urgent;
	unsigned seen = 0;
	for (uint64_t left = q->movable; left != 0; left &= left - 1) {
		unsigned level = (unsigned)__builtin_ctzll(left);
		if (RANK_FIXED + level >= than)
			return NULL;
		for (struct runq_node *n = runq_level_first(q, level); n; n = runq_level_next(q, n)) {
			if (n->movable && n != running && (n->affinity >> cpu & 1) && !(barred >> n->domain & 1))
				return n;
			if (++seen == RUNQ_SCAN_MAX)
				return NULL;
		}
	}
	return NULL;
}

struct runq_node *runq_first_movable(const struct runq *q, const struct runq_node *running, uint64_t rank)
{
	unsigned seen = 0;
	if (rank_is_deadline(rank))
		return runq_movable_deadline(q, running, UINT64_MAX, 0, rank + 1);
	for (struct runq_node *n = runq_level_first(q, rank_level(rank)); n; n = runq_level_next(q, n)) {
		if (n->movable && n != running)
			return n;
		if (++seen == RUNQ_SCAN_MAX)
			break;
	}
	return NULL;
}

static bool runq_check_level(const struct runq *q, unsigned level, uint32_t *total)
{
	uint32_t movable = 0;
	for (const struct runq_node *n = runq_level_first(q, level); n; n = runq_level_next(q, n)) {
		if (!n->queued || n->rank != RANK_FIXED + level || n->link.next->prev != &n->link)
			return false;
		movable += n->movable;
		(*total)++;
	}
	bool has_movable = q->movable >> level & 1;
	return has_movable == (movable != 0) && movable == q->movable_count[level];
}

static bool runq_check_deadlines(const struct runq *q, uint32_t *total)
{
	uint32_t movable = 0;
	for (uint32_t i = 0; i < q->deadlines.count; i++) {
		const struct runq_node *n = container_of(q->deadlines.slots[i], struct runq_node, deadline);
		if (!n->queued || n->rank != (uint64_t)n->deadline.when.ns)
			return false;
		movable += n->movable;
		(*total)++;
	}
	return movable == q->movable_deadlines && heap_check(&q->deadlines) &&
	       (q->deadlines.count != 0) == ((q->rare & RUNQ_DEADLINE) != 0);
}

bool runq_check(const struct runq *q)
{
	uint32_t total = 0;
	for (unsigned i = 0; i < RUNQ_LEVELS; i++) {
		if (!runq_check_level(q, i, &total))
			return false;
	}
	return runq_check_deadlines(q, &total) && (total == q->ready || !(q->rare & RUNQ_PEERS));
}
