/*
 * waitq.h - the one wait queue on which all that blocks stands (mutexes have the
 * priority-inheritance queue of kernel/sched): ordered by effective priority at
 * arrival, then arrival; absolute deadlines; cancellation.
 *
 * The pattern, with the object's state guarded by q->lock:
 *
 *	flags = spin_lock_irqsave(&q->lock);
 *	if (nothing there)
 *		err = waitq_wait_locked(q, flags, deadline, S("object"));     drops the lock
 *
 * A waker takes the lock, changes the state and wakes: whom it wakes has been
 * chosen under the lock, so what it hands over cannot be taken by a newcomer. A
 * waiter chosen in the moment in which its deadline passes counts as woken.
 *
 * Bound: who comes to wait goes past those of lower priority who wait already, with interrupts off.
 */
#ifndef KERNEL_SYNC_WAITQ_H
#define KERNEL_SYNC_WAITQ_H

#include "kernel/sched/sched.h"

struct waitq {
	struct spinlock lock; /* LOCK_WAITQ */
	struct list waiters;  /* threads, by thread.wait_node */
};

void waitq_init(struct waitq *q);

/* ---- inside, on the way of whoever waits and wakes ---- */

static inline struct thread *waitq_thread(struct list *node)
{
	return list_entry(node, struct thread, wait_node);
}

/* With q->lock held: the caller stands in the queue. */
static inline void waitq_insert(struct waitq *q)
{
	struct thread *t = thread_current();
	uint64_t rank = t->run.rank;
	struct list *before = q->waiters.prev;
	while (unlikely(before != &q->waiters) && waitq_thread(before)->wait_rank > rank)
		before = before->prev;
	t->wait_rank = rank;
	list_insert_between(&t->wait_node, before, before->next);
}

/* With the lock held, and not empty: the first leaves, and finds itself chosen. */
static inline struct thread *waitq_choose(struct list *waiters)
{
	struct list *first = waiters->next, *second = first->next;
	debug_assert(first != waiters);
	waiters->next = second;
	second->prev = waiters;
	first->next = first;
	return waitq_thread(first);
}

/* Asked by itself, with the lock held, since it has come. */
static inline bool waitq_is_chosen(const struct thread *self)
{
	return !list_is_linked(&self->wait_node);
}

/* ---- waiting ---- */

/*
 * Blocks the caller and drops q->lock, taken with the irqsave form that gave
 * `flags`, in the same step. OK when woken, ERR_TIMEDOUT (never early), ERR_INTR when
 * cancelled. `what` is shown in thread lists.
 * Thread context; may sleep.
 */
must_check enum err waitq_wait_locked(struct waitq *q, irqflags flags, ktime deadline, struct str what);

/*
 * The same for who has nothing to do behind it but what kind->give_up(object, why) does when the wait ends otherwise
 * than by a wake; which ends with waitq_give_up(q, why, count).
 */
must_check static inline enum err waitq_wait_for_locked(const struct wait_kind *kind, void *object, ktime deadline,
	struct waitq *q, irqflags flags)
{
	waitq_insert(q);
	return thread_block_for(kind, object, deadline, &q->lock, flags);
}

/*
 * Leaves the queue and gives `why`, or OK if a waker was faster. With `count`, which may be NULL, one is added to it in
 * the same step as leaving.
 */
must_check enum err waitq_give_up(struct waitq *q, enum err why, int32_t *count);

/*
 * The same in two steps, for who must do something between queueing and blocking
 * (a condition variable releases its mutex) that does not itself wait. Each takes
 * q->lock; a wake between the two counts.
 */
void waitq_prepare(struct waitq *q);
must_check enum err waitq_commit(struct waitq *q, ktime deadline, struct str what);

/* ---- waking ---- */

/* With q->lock held: wakes the best waiter, if there is one. Any context. */
void waitq_wake_one_locked(struct waitq *q);
/* The same, and drops the lock, taken with the irqsave form: whoever is to preempt the caller does so at once. */
enum err waitq_wake_one_unlock(struct waitq *q, irqflags flags); /* OK */
/* The same, taking the lock. */
void waitq_wake_one(struct waitq *q);
/*
 * Wakes all who wait at this moment, WAITQ_BATCH in one hold of the lock, which it drops at the end.
 * Any context, but with interrupts off they stay off for all of them.
 */
#define WAITQ_BATCH 4
void waitq_wake_all_unlock(struct waitq *q, irqflags flags);
void waitq_wake_all(struct waitq *q);

/* Waits until cond is true, evaluated with q->lock held; whoever makes it true wakes. */
#define waitq_wait_until(q, cond, deadline, what)                                                  \
	({                                                                                         \
		enum err wq_err = OK;                                                              \
		might_sleep();                                                                     \
		irqflags wq_flags = spin_lock_irqsave(&(q)->lock);                                 \
		while (!(cond) && wq_err == OK) {                                                  \
			wq_err = waitq_wait_locked((q), wq_flags, (deadline), (what));             \
			wq_flags = spin_lock_irqsave(&(q)->lock);                                  \
		}                                                                                  \
		if (cond) {                                                                        \
			thread_cancel_keep(wq_err);                                                \
			wq_err = OK;                                                               \
		}                                                                                  \
		spin_unlock_irqrestore(&(q)->lock, wq_flags);                                      \
		wq_err;                                                                            \
	})

/* Sleeps until the instant; never early. ERR_INTR when cancelled. */
enum err sleep_until(ktime when);
enum err sleep_ns(int64_t ns);

#endif
