/*
 * callout_core.h - the queue of callouts of one hart and kind: what is pending, what
 * is running, and its figures. Pure: the lock, the clock and the calls are callout.c's.
 *
 *	callout_core_init(&q, slots, capacity);
 *	err = callout_core_start(&q, &c, at);          pending, whatever it was on this queue before
 *	c = callout_core_take(&q, now);                due and now running, or NULL
 *	callout_core_done(&q, ran_ns);                 that one has returned; it is not looked at again
 *	was_pending = callout_core_stop(&q, &c);
 *
 * A callout is pending when its node is in the heap and running when the queue says
 * so; it may be both, after it was started again while it ran. So nothing has to be
 * written into it when it returns, and it may have freed itself.
 *
 * Invariants: at most one runs; no callout is taken before its instant.
 */
#ifndef KERNEL_TIME_CALLOUT_CORE_H
#define KERNEL_TIME_CALLOUT_CORE_H

#include "lib/heap.h"
#include "lib/histogram.h"

enum callout_kind { CALLOUT_HARD, CALLOUT_SOFT };
#define CALLOUT_KINDS 2

struct callout {
	/* guarded by the lock of the queue of (cpu, kind); cpu changes under the lock of the old one */
	struct heap_node node;
	uint16_t cpu;
	/* constant */
	uint8_t kind;
	void (*fn)(void *arg);
	void *arg;
};

enum callout_state { CALLOUT_IDLE, CALLOUT_PENDING, CALLOUT_RUNNING, CALLOUT_RUNNING_PENDING };

struct callout_stats {
	uint64_t started, expired, refused;
	uint32_t pending, pending_max;
	struct histogram lateness;
	int64_t longest_ns;
};

struct callout_queue {
	struct heap heap;
	const struct callout *running; /* compared only */
	struct callout_stats stats;
};

void callout_core_init(struct callout_queue *q, struct heap_node **slots, uint32_t capacity);
/* ERR_NOSPC: full, counted, and c is not pending. */
must_check enum err callout_core_start(struct callout_queue *q, struct callout *c, ktime at);
bool callout_core_stop(struct callout_queue *q, struct callout *c);
struct callout *callout_core_take(struct callout_queue *q, ktime now);
void callout_core_done(struct callout_queue *q, int64_t ran_ns);
/* When the first is due; KTIME_NEVER: none. */
ktime callout_core_deadline(const struct callout_queue *q);
/* c was last started on this queue. */
enum callout_state callout_core_state(const struct callout_queue *q, const struct callout *c);

#endif
