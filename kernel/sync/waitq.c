/*
 * waitq.c - wait queues.
 *
 * A waiter leaves its queue in one of two ways, both under the queue's lock: a
 * waker unlinks it and marks it woken, and then it is woken, even when its deadline
 * passed meanwhile, so that nothing handed over is ever lost; or its thread, whose
 * wait ended otherwise, unlinks itself. Insertion walks past waiters of lower priority from the tail: at
 * most CONFIG_THREAD_MAX steps, none among equals.
 */
#include "kernel/lock/lock.h"
#include "kernel/sync/waitq.h"

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, LOCK_WAITQ);
	list_init(&q->waiters);
}

static struct waiter *waiter_of(struct list *node)
{
	return list_entry(node, struct waiter, node);
}

static void waitq_insert(struct waitq *q, struct waiter *w)
{
	struct thread *t = thread_current();
	*w = (struct waiter){.thread = t, .priority = t->run.priority};
	struct list *before = &q->waiters;
	while (before->prev != &q->waiters && waiter_of(before->prev)->priority < w->priority)
		before = before->prev;
	list_push_back(before, &w->node);
}

/* Lock held; dropped. */
static enum err waiter_block(struct waitq *q, struct waiter *w, irqflags flags, ktime deadline,
	struct str what, int32_t *count)
{
	enum err err = thread_block(&q->lock, flags, deadline, WAIT_CANCELLABLE, what);
	if (err == OK)
		return OK;
	flags = spin_lock_irqsave(&q->lock);
	if (w->woken) {
		thread_cancel_keep(err);
		err = OK;
	} else {
		list_remove(&w->node);
		if (count)
			__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return err;
}

enum err waitq_wait_locked(struct waitq *q, irqflags flags, ktime deadline, struct str what)
{
	struct waiter w;
	waitq_insert(q, &w);
	return waiter_block(q, &w, flags, deadline, what, NULL);
}

enum err waitq_wait_counted_locked(struct waitq *q, irqflags flags, ktime deadline, struct str what,
	int32_t *count)
{
	struct waiter w;
	waitq_insert(q, &w);
	return waiter_block(q, &w, flags, deadline, what, count);
}

void waitq_prepare(struct waitq *q, struct waiter *w)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	waitq_insert(q, w);
	spin_unlock_irqrestore(&q->lock, flags);
}

enum err waitq_commit(struct waitq *q, struct waiter *w, ktime deadline, struct str what)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	if (w->woken) {
		spin_unlock_irqrestore(&q->lock, flags);
		return OK;
	}
	return waiter_block(q, w, flags, deadline, what, NULL);
}

struct thread *waitq_wake_one_locked(struct waitq *q)
{
	struct list *first = list_pop_front(&q->waiters);
	if (!first)
		return NULL;
	struct waiter *w = waiter_of(first);
	struct thread *t = w->thread;
	w->woken = true;
	thread_wake(t, OK); /* false: its deadline has passed, and it will find itself woken all the same */
	return t;
}

unsigned waitq_wake_all_locked(struct waitq *q)
{
	unsigned woken = 0;
	while (waitq_wake_one_locked(q))
		woken++;
	return woken;
}

bool waitq_wake_one(struct waitq *q)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	bool woken = waitq_wake_one_locked(q) != NULL;
	spin_unlock_irqrestore(&q->lock, flags);
	return woken;
}

unsigned waitq_wake_all(struct waitq *q)
{
	irqflags flags = spin_lock_irqsave(&q->lock);
	unsigned woken = waitq_wake_all_locked(q);
	spin_unlock_irqrestore(&q->lock, flags);
	return woken;
}

enum err sleep_until(ktime when)
{
	might_sleep();
	irqflags flags = arch_irq_save();
	enum err err = thread_block(NULL, flags, when, WAIT_CANCELLABLE, S("sleep"));
	return err == ERR_TIMEDOUT ? OK : err;
}

enum err sleep_ns(int64_t ns)
{
	return sleep_until(ktime_add(clock_now(), ns));
}
