/*
 * mutex.h - mutual exclusion between threads, with priority inheritance and direct
 * handover: while anybody waits, the mutex is never free, and no newcomer gets in
 * before the best waiter. Not recursive. Uncontended lock and unlock are one
 * atomic instruction each.
 *
 * Context: threads; may sleep. Only the owner unlocks.
 */
#ifndef KERNEL_SYNC_MUTEX_H
#define KERNEL_SYNC_MUTEX_H

#include "kernel/sync/waitq.h"

struct mutex {
	uintptr_t owner;       /* atomic: struct thread *, MUTEX_CONTENDED or'ed in; 0: free */
	struct pi_queue queue; /* pi_lock; its owner is valid while contended */
	uint16_t class;        /* enum lock_class */
};

#define MUTEX_CONTENDED ((uintptr_t)1)

void mutex_init(struct mutex *m, enum lock_class class);

/* Slow paths; not to be called directly. */
noinline enum err mutex_lock_slow(struct mutex *m, ktime deadline, unsigned wait_flags);
noinline void mutex_unlock_slow(struct mutex *m);

static inline bool mutex_take(struct mutex *m)
{
	uintptr_t free = 0;
	return __atomic_compare_exchange_n(&m->owner, &free, (uintptr_t)arch_current(), false,
		__ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/*
 * Waits as long as it takes; cannot be cancelled. Asserted: that the caller does not wait for itself, directly
 * or in a circle, nor in a chain of more than PI_CHAIN_MAX of them, each of which waits for the next.
 */
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
must_check bool mutex_try(struct mutex *m);
/* ERR_TIMEDOUT, ERR_INTR when cancelled, ERR_DEADLK for what mutex_lock() asserts. */
must_check enum err mutex_lock_until(struct mutex *m, ktime deadline);
bool mutex_is_held(const struct mutex *m); /* by the caller */

#endif
