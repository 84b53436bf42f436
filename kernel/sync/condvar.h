/*
 * condvar.h - waiting for a condition that a mutex guards. The mutex is released
 * and the wait begun as one step seen by whoever signals. No spurious wake-ups by
 * the implementation; still, the condition is looked at again after each wait.
 */
#ifndef KERNEL_SYNC_CONDVAR_H
#define KERNEL_SYNC_CONDVAR_H

#include "kernel/sync/mutex.h"

struct condvar {
	struct waitq waiters;
};

void condvar_init(struct condvar *c);
/* Releases m, waits, and holds m again on return, whatever the result: ERR_TIMEDOUT, ERR_INTR. Threads. */
must_check enum err condvar_wait(struct condvar *c, struct mutex *m, ktime deadline);
/* Wakes the best waiter, or all. Any context. c must outlive a broadcast, not only who is woken by it. */
void condvar_signal(struct condvar *c);
void condvar_broadcast(struct condvar *c);

#endif
