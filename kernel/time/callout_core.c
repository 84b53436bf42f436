/* callout_core.c - the queue of callouts (contract: callout_core.h). */
#include "kernel/time/callout_core.h"
#include "lib/assert.h"

void callout_core_init(struct callout_queue *q, struct heap_node **slots, uint32_t capacity)
{
	*q = (struct callout_queue){0};
	heap_init(&q->heap, slots, capacity);
}

enum err callout_core_start(struct callout_queue *q, struct callout *c, ktime at)
{
	callout_core_stop(q, c);
	enum err err = heap_insert(&q->heap, &c->node, at);
	if (err != OK) {
		q->stats.refused++;
		return err;
	}
	q->stats.started++;
	q->stats.pending_max = max(q->stats.pending_max, q->heap.count);
	return OK;
}

bool callout_core_stop(struct callout_queue *q, struct callout *c)
{
	if (!heap_is_linked(&c->node))
		return false;
	heap_remove(&q->heap, &c->node);
	return true;
}

struct callout *callout_core_take(struct callout_queue *q, ktime now)
{
	struct heap_node *n = heap_first(&q->heap);
	assert(q->running == NULL);
	if (!n || ktime_before(now, n->when))
		return NULL;
	/* An instant before the clock's zero is possible, so the difference may not fit. */
	int64_t late;
	if (__builtin_sub_overflow(now.ns, n->when.ns, &late))
		late = INT64_MAX;
	heap_remove(&q->heap, n);
	struct callout *c = container_of(n, struct callout, node);
	q->running = c;
	q->stats.expired++;
	histogram_add(&q->stats.lateness, late);
	return c;
}

void callout_core_done(struct callout_queue *q, int64_t ran_ns)
{
	assert(q->running != NULL);
	q->running = NULL;
	q->stats.longest_ns = max(q->stats.longest_ns, ran_ns);
}

ktime callout_core_deadline(const struct callout_queue *q)
{
	return heap_first_time(&q->heap);
}

enum callout_state callout_core_state(const struct callout_queue *q, const struct callout *c)
{
	bool pending = heap_is_linked(&c->node);
	if (q->running == c)
		return pending ? CALLOUT_RUNNING_PENDING : CALLOUT_RUNNING;
	return pending ? CALLOUT_PENDING : CALLOUT_IDLE;
}
