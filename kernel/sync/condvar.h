/* condvar.h - condition variable on a mutex. */
#ifndef KERNEL_SYNC_CONDVAR_H
#define KERNEL_SYNC_CONDVAR_H

#include "kernel/sync/mutex.h"

struct condvar {
	struct waitq waiters;
};

void condvar_init(struct condvar *c);
/* Drops m and waits in one step; holds m again on return. ERR_TIMEDOUT, ERR_INTR. */
must_check enum err condvar_wait(struct condvar *c, struct mutex *m, ktime deadline);
void condvar_signal(struct condvar *c);
void condvar_broadcast(struct condvar *c);

#endif
