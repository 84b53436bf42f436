/* event.h - 32 flags that threads wait for; set from any context. */
#ifndef KERNEL_SYNC_EVENT_H
#define KERNEL_SYNC_EVENT_H

#include "kernel/sync/waitq.h"

struct event {
	uint32_t flags; /* guarded by waiters.lock */
	struct waitq waiters;
};
RESULT(uint32_t, event_result);

void event_init(struct event *e);
void event_set(struct event *e, uint32_t flags); /* any context */
void event_clear(struct event *e, uint32_t flags);
/* Waits for any of `mask`, takes (clears) and returns those set. ERR_TIMEDOUT, ERR_INTR. */
must_check struct event_result event_wait(struct event *e, uint32_t mask, ktime deadline);

#endif
