/* runq_core.c - one hart's queue of runnable threads; see runq_core.h. */
#include "kernel/sched/runq_core.h"
#include "lib/assert.h"

void runq_init(struct runq *q)
{
	*q = (struct runq){0};
	for (size_t i = 0; i < RUNQ_PRIORITIES; i++)
		list_init(&q->list[i]);
}

static void runq_count_in(struct runq *q, struct runq_node *n)
{
	debug_assert(!n->queued && n->priority < RUNQ_PRIORITIES);
	n->queued = true;
	n->movable = false;
	q->occupied |= UINT64_C(1) << n->priority;
	q->ready++;
	runq_set_waiting(q, n, true);
}

void runq_push_back(struct runq *q, struct runq_node *n)
{
	list_push_back(&q->list[n->priority], &n->link);
	runq_count_in(q, n);
}

void runq_push_front(struct runq *q, struct runq_node *n)
{
	list_push_front(&q->list[n->priority], &n->link);
	runq_count_in(q, n);
}

void runq_remove(struct runq *q, struct runq_node *n)
{
	debug_assert(n->queued);
	runq_set_waiting(q, n, false);
	list_remove(&n->link);
	n->queued = false;
	q->ready--;
	if (list_is_empty(&q->list[n->priority]))
		q->occupied &= ~(UINT64_C(1) << n->priority);
}

void runq_count_movable(struct runq *q, struct runq_node *n, bool movable)
{
	n->movable = movable;
	if (movable) {
		q->movable_count[n->priority]++;
		q->movable |= UINT64_C(1) << n->priority;
	} else if (--q->movable_count[n->priority] == 0) {
		q->movable &= ~(UINT64_C(1) << n->priority);
	}
}

struct runq_node *runq_find_movable(const struct runq *q, unsigned cpu, int above)
{
	unsigned seen = 0;
	for (uint64_t left = q->movable; left != 0;) {
		int priority = 63 - __builtin_clzll(left);
		if (priority <= above)
			return NULL;
		list_for_each(it, &q->list[priority]) {
			struct runq_node *n = list_entry(it, struct runq_node, link);
			if (n->movable && (n->affinity >> cpu & 1))
				return n;
			if (++seen == RUNQ_SCAN_MAX)
				return NULL;
		}
		left &= ~(UINT64_C(1) << priority);
	}
	return NULL;
}

struct runq_node *runq_best_movable(const struct runq *q)
{
	int priority = runq_movable_priority(q);
	unsigned seen = 0;
	if (priority < 0)
		return NULL;
	list_for_each(it, &q->list[priority]) {
		struct runq_node *n = list_entry(it, struct runq_node, link);
		if (n->movable)
			return n;
		if (++seen == RUNQ_SCAN_MAX)
			break;
	}
	return NULL;
}

static bool runq_check_list(const struct runq *q, size_t priority, uint32_t *total)
{
	uint32_t movable = 0;
	list_for_each(it, &q->list[priority]) {
		const struct runq_node *n = list_entry(it, struct runq_node, link);
		if (!n->queued || n->priority != priority)
			return false;
		movable += n->movable;
		(*total)++;
	}
	bool occupied = q->occupied >> priority & 1;
	bool has_movable = q->movable >> priority & 1;
	return occupied == !list_is_empty(&q->list[priority]) && has_movable == (movable != 0) &&
	       movable == q->movable_count[priority];
}

bool runq_check(const struct runq *q)
{
	uint32_t total = 0;
	for (size_t i = 0; i < RUNQ_PRIORITIES; i++) {
		if (!runq_check_list(q, i, &total))
			return false;
	}
	return total == q->ready;
}
