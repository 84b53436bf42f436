/* control.c - what one thread does to another: suspend, resume, cancel, move. */
#include "kernel/sched/sched_priv.h"

void thread_suspend(struct thread *t)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	if (t->state == THREAD_READY && t->run.queued) {
		runq_remove(&h->queue, &t->run);
		thread_set_state(t, THREAD_SUSPENDED);
		hart_changed(h);
	} else if (t->state != THREAD_SUSPENDED && t->state != THREAD_DEAD) {
		t->suspend_pending = true;
		if (t->state == THREAD_RUNNING)
			hart_resched(h);
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

void thread_resume(struct thread *t)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	t->suspend_pending = false;
	if (t->state == THREAD_SUSPENDED)
		sched_make_ready_unlock(h, t);
	else
		spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

enum err thread_cancel(struct thread *t)
{
	if (t->system)
		return ERR_PERM;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool waits = t->state == THREAD_BLOCKED && t->wait_cancellable && !t->wait_over;
	t->cancel_pending = !waits;
	spin_unlock_raw(&h->lock);
	/* A wait that ended in between was not cancelled: the next one is. */
	if (waits && !thread_wake(t, ERR_INTR)) {
		h = thread_lock(t);
		t->cancel_pending = true;
		spin_unlock_raw(&h->lock);
	}
	sched_leave(flags);
	return OK;
}

void thread_cancel_keep(enum err err)
{
	if (err != ERR_INTR)
		return;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(thread_current());
	thread_current()->cancel_pending = true;
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

enum err thread_set_affinity(struct thread *t, uint64_t cpus)
{
	uint64_t present = cpu_count() == 64 ? UINT64_MAX : (UINT64_C(1) << cpu_count()) - 1;
	cpus &= present;
	if (cpus == 0)
		return ERR_INVAL;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool stays = cpus >> h->cpu & 1;
	if (!t->run.queued) {
		t->run.affinity = cpus;
		spin_unlock_raw(&h->lock);
	} else if (stays || h->current == t) {
		hart_requeue(h, t, t->run.priority, cpus);
		hart_changed(h);
		if (!stays)
			hart_resched(h);
		spin_unlock_raw(&h->lock);
	} else {
		runq_remove(&h->queue, &t->run);
		t->run.affinity = cpus;
		hart_changed(h);
		sched_make_ready_unlock(h, t);
	}
	sched_leave(flags);
	return OK;
}
