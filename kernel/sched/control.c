/* control.c - what one thread does to another: suspend, resume, cancel, move. */
#include "kernel/sched/sched_priv.h"

/* With h, t's hart, locked: at once where t only waits for its turn, else at the next chance. Drops the lock. */
static noinline void thread_suspend_other_unlock(struct hart *h, struct thread *t, irqflags flags)
{
	if (h->current != t && hart_take(h, t)) {
		t->attention &= (uint8_t)~THREAD_SUSPEND_DUE; /* from when it ran, if it yielded before */
		thread_set_state(t, THREAD_SUSPENDED);
		if (t->server)
			server_sleep(t, clock_now());
		hart_changed(h);
	} else if (t->state != THREAD_SUSPENDED && t->state != THREAD_DEAD) {
		t->attention |= THREAD_SUSPEND_DUE;
		if (h->current == t)
			hart_resched(h);
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

/* Not the plain case: another thread, or where the caller cannot be stopped, or has something that matters then. */
static noinline enum err thread_suspend_slow(struct thread *t, irqflags flags)
{
	if (t->attention & THREAD_IDLE) {
		arch_irq_restore(flags);
		return ERR_PERM;
	}
	struct hart *h = thread_lock(t);
	if (h->current == t && t == thread_current() && irqflags_enabled(flags) && t->arch.preempt_count == 0) {
		hart_dequeue(h, t);
		t->attention &= (uint8_t)~THREAD_SUSPEND_DUE; /* somebody else may have wanted that too */
		thread_set_state(t, THREAD_SUSPENDED);
		sched_switch_away(h, t, h->finish);
	} else {
		thread_suspend_other_unlock(h, t, flags);
	}
	return OK;
}

enum err thread_suspend(struct thread *t)
{
	irqflags flags = arch_irq_save();
	if (unlikely(t != thread_current() || t->arch.preempt_count > 0 || !irqflags_enabled(flags)))
		return thread_suspend_slow(t, flags);
	struct hart *h = t->hart;
	if (unlikely(h->queue.rare || t->attention)) /* without peers nobody changes them meanwhile */
		return thread_suspend_slow(t, flags);
	hart_lock_alone(h);
	thread_set_state(t, THREAD_SUSPENDED);
	return (enum err)sched_switch_alone(h, t, hart_leave_plain(h, t));
}

static noinline void thread_resume_slow(struct thread *t, irqflags flags)
{
	struct hart *h = thread_lock(t);
	if (likely(t->state == THREAD_SUSPENDED)) {
		debug_assert(!(t->attention & THREAD_SUSPEND_DUE)); /* or it would be suspended again at once */
		thread_set_state(t, THREAD_READY);
		sched_ready_unlock(h, t, flags);
		return;
	}
	t->attention &= (uint8_t)~THREAD_SUSPEND_DUE;
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

void thread_resume(struct thread *t)
{
	irqflags flags = arch_irq_save();
	struct thread *running = thread_current();
	struct hart *h = running->hart;
	if (unlikely(!thread_is_plain(h, t, THREAD_SUSPENDED))) {
		thread_resume_slow(t, flags);
		return;
	}
	hart_lock_alone(h);
	thread_set_state(t, THREAD_READY);
	sched_ready_alone(h, running, t, hart_stand_alone(h, t), flags);
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

uint64_t cpus_present(void)
{
	return cpu_count() == 64 ? UINT64_MAX : (UINT64_C(1) << cpu_count()) - 1;
}

enum err thread_move(struct thread *t, uint64_t cpus, bool admitting)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool stays = cpus >> h->cpu & 1, runs = h->current == t;
	if (t->server || __atomic_load_n(&t->admitting, __ATOMIC_RELAXED) != admitting) { /* it stays where it was admitted */
		enum err err = cpus == t->run.affinity ? OK : ERR_BUSY;
		spin_unlock_raw(&h->lock);
		sched_leave(flags);
		return err;
	}
	t->attention &= (uint8_t)~THREAD_LEAVE_DUE;
	if (t->run.queued && (stays || runs)) {
		hart_requeue(h, t, t->run.rank, cpus);
		if (!stays) {
			t->attention |= THREAD_LEAVE_DUE;
			hart_resched(h);
		}
	} else if (hart_take(h, t)) {
		runq_set_affinity(&t->run, cpus);
		hart_changed(h);
		sched_ready_unlock(h, t, flags);
		return OK;
	} else {
		runq_set_affinity(&t->run, cpus);
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
	return OK;
}
