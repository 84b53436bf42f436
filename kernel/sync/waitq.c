/*
 * waitq.c - wait queues.
 *
 * A waiter leaves its queue in one of two ways, both under the queue's lock: a
 * waker unlinks and chooses it, and then it is woken, even when its deadline
 * passed meanwhile, so that nothing handed over is ever lost; or its thread, whose
 * wait ended otherwise, unlinks itself. Insertion walks past waiters of lower priority
 * from the tail: at most CONFIG_THREAD_MAX steps, none among equals.
 */
#include "kernel/lock/lock.h"
#include "kernel/sync/waitq.h"

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, LOCK_WAITQ);
	list_init(&q->waiters);
}

enum err waitq_give_up(struct waitq *q, enum err err, int32_t *count)
{
	struct thread *t = thread_current();
	irqflags flags = spin_lock_irqsave(&q->lock);
	if (waitq_is_chosen(t)) {
		thread_cancel_keep(err);
		err = OK;
	} else {
		list_remove(&t->wait_node);
		if (count)
			__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return err;
}

enum err waitq_wait_locked(struct waitq *q, irqflags flags, ktime deadline, struct str what)
{
	waitq_insert(q);
	enum err err = thread_block(&q->lock, flags, deadline, WAIT_CANCELLABLE, what);
	return likely(err == OK) ? OK : waitq_give_up(q, err, NULL);
}

void waitq_prepare(struct waitq *q)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	waitq_insert(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

enum err waitq_commit(struct waitq *q, ktime deadline, struct str what)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	if (waitq_is_chosen(thread_current())) {
		spin_unlock_irqrestore(&q->lock, flags);
		return OK;
	}
	enum err err = thread_block(&q->lock, flags, deadline, WAIT_CANCELLABLE, what);
	return likely(err == OK) ? OK : waitq_give_up(q, err, NULL);
}

/* The first of a list that the queue's lock guards leaves it, chosen; NULL: there is none. */
static inline struct thread *waitq_take(struct list *waiters)
{
	return list_is_empty(waiters) ? NULL : waitq_choose(waiters);
}

/* A wake that comes after the deadline has ended the wait changes nothing: the waiter finds itself chosen. */
void waitq_wake_one_locked(struct waitq *q)
{
	struct thread *t = waitq_take(&q->waiters);
	if (t)
		thread_wake(t, OK);
}

enum err waitq_wake_one_unlock(struct waitq *q, irqflags flags)
{
	if (likely(!list_is_empty(&q->waiters)))
		return thread_wake_unlock(&q->lock, waitq_choose(&q->waiters), flags);
	spin_unlock_irqrestore(&q->lock, flags);
	return OK;
}

void waitq_wake_one(struct waitq *q)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	waitq_wake_one_unlock(q, flags);
}

/* Those who wait now stand on a list of their own meanwhile, from which they may still leave by themselves. */
void waitq_wake_all_unlock(struct waitq *q, irqflags flags)
{
	struct list all = LIST_INIT(all);
	struct thread *t;
	unsigned woken = 0;
	list_splice_back(&all, &q->waiters);
	while ((t = waitq_take(&all)) != NULL) {
		thread_wake(t, OK);
		if (++woken % WAITQ_BATCH == 0) {
			spin_unlock_irqrestore(&q->lock, flags);
			flags = spin_lock_irqsave(&q->lock);
		}
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void waitq_wake_all(struct waitq *q)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	waitq_wake_all_unlock(q, flags);
}

static enum err sleep_give_up(unused void *none, enum err why)
{
	return why == ERR_TIMEDOUT ? OK : why;
}

enum err sleep_until(ktime when)
{
	static const struct wait_kind sleeps = {STR_INIT("sleep"), sleep_give_up};
	might_sleep();
	return thread_sleep_for(&sleeps, when, arch_irq_save());
}

enum err sleep_ns(int64_t ns)
{
	return sleep_until(ktime_add(clock_now(), ns));
}
