/*
 * waitq.h - the one wait queue on which all that blocks stands: ordered by
 * effective priority, then arrival; absolute deadlines; cancellation.
 */
#ifndef KERNEL_SYNC_WAITQ_H
#define KERNEL_SYNC_WAITQ_H

#include "kernel/sched/sched.h"

struct waitq {
	struct spinlock lock; /* LOCK_WAITQ */
	struct list waiters;
};

void waitq_init(struct waitq *q);
/*
 * With q->lock held (by the irqsave form; flags are passed): blocks the caller, drops the lock in the same
 * step. Returns with the lock dropped: OK when woken, ERR_TIMEDOUT, ERR_INTR. `what` is shown in thread lists.
 */
must_check enum err waitq_wait_locked(struct waitq *q, irqflags flags, ktime deadline, struct str what);
/* Wakes the best waiter or all; with q->lock held. Whom, or NULL / how many. Any context. */
struct thread *waitq_wake_one_locked(struct waitq *q);
unsigned waitq_wake_all_locked(struct waitq *q);
/* The same, taking the lock. */
bool waitq_wake_one(struct waitq *q);
unsigned waitq_wake_all(struct waitq *q);

/* Waits until cond is true, re-checked with q->lock held; whoever makes it true calls waitq_wake_*. */
#define waitq_wait_until(q, cond, deadline, what)                                                  \
	({                                                                                         \
		enum err wq_err = OK;                                                              \
		irqflags wq_flags = spin_lock_irqsave(&(q)->lock);                                 \
		while (!(cond) && wq_err == OK) {                                                  \
			wq_err = waitq_wait_locked((q), wq_flags, (deadline), (what));             \
			wq_flags = spin_lock_irqsave(&(q)->lock);                                  \
		}                                                                                  \
		if (cond)                                                                          \
			wq_err = OK;                                                               \
		spin_unlock_irqrestore(&(q)->lock, wq_flags);                                      \
		wq_err;                                                                            \
	})

/* Sleeps until the instant; never early. ERR_INTR when cancelled. */
enum err sleep_until(ktime when);
enum err sleep_ns(int64_t ns);

#endif
