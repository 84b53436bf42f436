/*
 * mutex.h - priority-inheritance mutex with direct handover. Not recursive.
 */
#ifndef KERNEL_SYNC_MUTEX_H
#define KERNEL_SYNC_MUTEX_H

#include "kernel/sync/waitq.h"

struct mutex {
	uintptr_t owner; /* struct thread * | 1 when somebody waits; 0 free */
	struct waitq waiters;
	struct list held; /* on the owner's list while contended */
	uint16_t class;   /* lockdep */
};

void mutex_init(struct mutex *m, enum lock_class class);
/* Thread context; may sleep. Not cancellable, no deadline. */
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m); /* by the owner */
must_check bool mutex_try(struct mutex *m);
/* ERR_TIMEDOUT, ERR_INTR, ERR_DEADLK. */
must_check enum err mutex_lock_until(struct mutex *m, ktime deadline);
bool mutex_is_held(const struct mutex *m); /* by the caller */

#endif
