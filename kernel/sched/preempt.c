/*
 * preempt.c - where a running thread gives way: preemption and yield.
 */
#include "kernel/sched/sched_priv.h"

/* With h locked: a running thread that has to stop here leaves the queue, and its hart. */
static void sched_expel(struct hart *h, struct thread *t)
{
	bool suspend = t->attention & THREAD_SUSPEND_DUE;
	t->attention &= (uint8_t)~THREAD_EXPEL;
	runq_remove(&h->queue, &t->run);
	if (suspend)
		thread_set_state(t, THREAD_SUSPENDED);
	sched_switch_away(h, t, 0, suspend ? h->finish : sched_switched_homeless);
}

/* With h locked: acts on what is not plain about the running thread. True: it has left, and the lock is dropped. */
static noinline bool sched_attend_running(struct hart *h, struct thread *t)
{
	if (t->attention & THREAD_EXPEL) {
		sched_expel(h, t);
		return true;
	}
	account_changed(h, t);
	if (t->server && unlikely(hart_bars(h, t))) { /* whatever rank it still stands there with */
		runq_remove(&h->queue, &t->run);
		t->run.rank = thread_effective_rank(t);
		hart_park(h, t);
		sched_switch_away(h, t, 0, h->finish);
		return true;
	}
	if (t->turn_began_ns == TURN_OVER && runq_has_equal(&t->run))
		runq_rotate(&t->run);
	return false;
}

void upcall_preempt(void)
{
	struct thread *t = thread_current();
	struct hart *h = t->hart;
	arch_need_resched_clear();
	if (h->peers)
		sched_pull();
	spin_lock_raw(&h->lock);
	if (h->peers)
		sched_timer_update(h); /* another hart may have asked for that */
	if (unlikely(t->attention) && sched_attend_running(h, t))
		return;
	struct thread *to = hart_best(h);
	if (to != t) {
		h->preemptions += to->run.rank < t->run.rank;
		sched_switch(h, t, to, 0, h->finish);
		return;
	}
	hart_changed(h);
	if (h->peers)
		hart_kick_best(h); /* if it was to run here and is outranked again */
	spin_unlock_raw(&h->lock);
	if (h->peers)
		sched_pull(); /* what the first one found may have been taken away since */
}

void sched_yield(void)
{
	debug_assert(preempt_is_enabled());
	irqflags flags = arch_irq_save();
	struct thread *t = thread_current();
	struct hart *h = t->hart;
	spin_lock_raw(&h->lock);
	if (unlikely(!runq_has_equal(&t->run))) { /* what outranks it has asked for the switch already */
		watchdog_gave_way(t);
		spin_unlock_raw(&h->lock);
		sched_leave(flags);
		return;
	}
	t->turn_began_ns = TURN_OVER; /* a whole quantum when its turn comes */
	struct thread *to = thread_of(runq_rotate(&t->run));
	if (unlikely(h->queue.rare || runq_outranks(&h->queue, t->run.rank))) {
		to = hart_best(h);
		if (to == t) {
			spin_unlock_raw(&h->lock);
			sched_leave(flags);
			return;
		}
	}
	sched_switch(h, t, to, flags, h->finish);
}
