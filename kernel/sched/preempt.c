/*
 * preempt.c - where a running thread gives way: preemption, yield, and the
 * interrupt by which another hart asks for it.
 */
#include "kernel/sched/sched_priv.h"

/* With h locked: a running thread that has to stop here leaves the queue. */
static void sched_expel(struct hart *h)
{
	struct thread *t = h->current;
	if (unlikely(t->suspend_pending)) {
		t->suspend_pending = false;
		runq_remove(&h->queue, &t->run);
		thread_set_state(t, THREAD_SUSPENDED);
	} else if (unlikely(!(t->run.affinity >> h->cpu & 1))) {
		runq_remove(&h->queue, &t->run);
		thread_set_state(t, THREAD_READY); /* sched_switched() finds it homeless */
	}
}

void upcall_preempt(void)
{
	do {
		struct hart *h = hart_here();
		arch_need_resched_clear();
		if (cpu_count() > 1)
			sched_pull();
		spin_lock_raw(&h->lock);
		sched_expel(h);
		struct thread *t = h->current;
		h->preemptions += t->run.queued && runq_outranks(&h->queue, t->run.priority);
		sched_switch_unlock(h);
	} while (arch_need_resched() && thread_current()->arch.preempt_count == 0);
}

void upcall_ipi(unsigned reasons)
{
	if (reasons & 1u << IPI_RESCHED)
		arch_need_resched_set();
}

void sched_yield(void)
{
	debug_assert(preempt_is_enabled());
	arch_irq_disable();
	struct hart *h = hart_here();
	struct thread *t = h->current;
	spin_lock_raw(&h->lock);
	if (runq_has_equal(&h->queue, &t->run)) {
		if (h->queue.list[t->run.priority].next == &t->run.link)
			runq_rotate(&h->queue, &t->run);
		t->slice_ns = 0;
	}
	sched_switch_unlock(h);
	sched_leave(~(irqflags)0);
}
