/* runq_core.c - one hart's queue of runnable threads; see runq_core.h. */
#include "kernel/sched/runq_core.h"
#include "lib/assert.h"

void runq_init(struct runq *q)
{
	*q = (struct runq){0};
	for (size_t i = 0; i < RUNQ_PRIORITIES; i++)
		list_init(&q->list[i]);
}

struct runq_node *runq_find_movable(const struct runq *q, const struct runq_node *running,
	unsigned cpu, int above)
{
	unsigned seen = 0;
	for (uint64_t left = q->movable; left != 0;) {
		int priority = 63 - __builtin_clzll(left);
		if (priority <= above)
			return NULL;
		list_for_each(it, &q->list[priority]) {
			struct runq_node *n = list_entry(it, struct runq_node, link);
			if (n->movable && n != running && (n->affinity >> cpu & 1))
				return n;
			if (++seen == RUNQ_SCAN_MAX)
				return NULL;
		}
		left &= ~(UINT64_C(1) << priority);
	}
	return NULL;
}

struct runq_node *runq_first_movable(const struct runq *q, const struct runq_node *running, int priority)
{
	unsigned seen = 0;
	list_for_each(it, &q->list[priority]) {
		struct runq_node *n = list_entry(it, struct runq_node, link);
		if (n->movable && n != running)
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
