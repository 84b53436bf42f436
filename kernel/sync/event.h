/*
 * event.h - 32 flags that threads wait for; set from any context. A waiter takes
 * the flags of its mask that are set; each setting is taken by one waiter.
 */
#ifndef KERNEL_SYNC_EVENT_H
#define KERNEL_SYNC_EVENT_H

#include "kernel/sync/waitq.h"

struct event {
	uint32_t flags; /* guarded by waiters.lock */
	struct waitq waiters;
};
RESULT(uint32_t, event_result);

void event_init(struct event *e);
/* Any context. Wakes all, who look for theirs; who finds none waits on, behind his equals. */
void event_set(struct event *e, uint32_t flags);
void event_clear(struct event *e, uint32_t flags);
/* Waits for any of `mask`, takes (clears) and returns those set. ERR_TIMEDOUT, ERR_INTR. Threads. */
must_check struct event_result event_wait(struct event *e, uint32_t mask, ktime deadline);

#endif
