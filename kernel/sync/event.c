/* event.c - event flags; see event.h. */
#include "kernel/lock/lock.h"
#include "kernel/sync/event.h"

void event_init(struct event *e)
{
	e->flags = 0;
	waitq_init(&e->waiters);
}

void event_set(struct event *e, uint32_t flags)
{
	irqflags irq = spin_lock_irqsave(&e->waiters.lock);
	e->flags |= flags;
	waitq_wake_all_unlock(&e->waiters, irq);
}

void event_clear(struct event *e, uint32_t flags)
{
	irqflags irq = spin_lock_irqsave(&e->waiters.lock);
	e->flags &= ~flags;
	spin_unlock_irqrestore(&e->waiters.lock, irq);
}

struct event_result event_wait(struct event *e, uint32_t mask, ktime deadline)
{
	enum err err = OK;
	might_sleep();
	irqflags irq = spin_lock_irqsave(&e->waiters.lock);
	while (!(e->flags & mask) && err == OK) {
		err = waitq_wait_locked(&e->waiters, irq, deadline, S("event"));
		irq = spin_lock_irqsave(&e->waiters.lock);
	}
	uint32_t taken = e->flags & mask;
	e->flags &= ~taken;
	if (taken)
		thread_cancel_keep(err);
	spin_unlock_irqrestore(&e->waiters.lock, irq);
	return taken ? OK_RESULT(event_result, taken) : ERR_RESULT(event_result, err);
}
