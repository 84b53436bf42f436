/*
 * preempt.c - where a running thread gives way: preemption and yield.
 *
 * upcall_preempt() is called with interrupts and preemption off. Where something is not plain it opens interrupts for an
 * instant before it begins, and behind the end of a wait, so what it has looked at before may have changed.
 *
 * Invariants: need_resched is cleared before what it asks for is looked at. The timer may be held (timer_hold): every
 * way out says timer_release(), or enters a thread for which somebody pays, and then account_enter() says it.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

/* With h locked: a running thread that has to stop here leaves the queue, and its hart. */
static void sched_expel(struct hart *h, struct thread *t)
{
	bool suspend = t->attention & THREAD_SUSPEND_DUE;
	timer_release();
	t->attention &= (uint8_t)~THREAD_EXPEL;
	hart_dequeue(h, t);
	if (suspend)
		thread_set_state(t, THREAD_SUSPENDED);
	sched_switch_away(h, t, suspend ? h->finish : sched_switched_homeless);
}

/* With h locked: t, which runs here, may not go on, whatever else there is to run. */
static inline bool sched_must_leave(const struct hart *h, const struct thread *t)
{
	return (t->attention & THREAD_EXPEL) || (t->server && unlikely(hart_bars(h, t)));
}

/* With h locked: so it is. Drops the lock. */
static noinline void sched_leave_running(struct hart *h, struct thread *t)
{
	if (t->attention & THREAD_EXPEL) {
		sched_expel(h, t);
		return;
	}
	timer_release();
	hart_dequeue(h, t);
	t->run.rank = thread_effective_rank(t); /* whatever rank it still stood there with */
	hart_park(h, t);
	sched_switch_away(h, t, h->finish);
}

/* With h locked: who runs from now on, t again perhaps. `woken` may be NULL. */
static struct thread *sched_choose(struct hart *h, struct thread *t, struct thread *woken)
{
	if ((t->attention & THREAD_RR) && t->turn_began_ns == TURN_OVER && runq_has_equal(&t->run))
		runq_rotate(&h->queue, &t->run);
	if (woken)
		return woken;
	struct thread *to = hart_best(h);
	if (to != t || !(t->attention & THREAD_CHARGED))
		return to;
	account_review(h);
	return hart_best(h); /* what pays for it may be spent */
}

/* With h locked: t goes on. */
static noinline void sched_preempt_not(struct hart *h)
{
	trace_decision(TRACE_STAY, h, h->current, 0);
	timer_release();
	hart_changed(h);
	if (h->peers)
		hart_kick_best(h); /* if it was to run here and is outranked again */
	spin_unlock_raw(&h->lock);
	if (h->peers)
		sched_pull(); /* what the first one found may have been taken away since */
}

/* Interrupts are on meanwhile: the graph of who waits for whom is walked with interrupts off for one thread at a time. */
static noinline void sched_run_errand(struct hart *h, struct thread *t)
{
	struct errand errand;
	timer_release();
	spin_lock_raw(&h->lock);
	bool more = server_take_errand(h, &errand), note = notes_wait(h);
	h->queue.rare &= ~(uint32_t)RUNQ_ERRAND;
	if (!list_is_empty(&h->errands))
		hart_call(h);
	spin_unlock_raw(&h->lock);
	trace(TRACE_WINDOW, h->cpu, 0, 1, 0);
	preempt_disable();
	arch_irq_enable();
	if (t->lender && t->loan_left_ns <= 0)
		pi_loan_spent(t);
	if (more)
		server_run_errand(&errand);
	if (note)
		notes_send(h);
	arch_irq_disable();
	preempt_enable_irqs_off();
	trace(TRACE_WINDOW, h->cpu, 0, 0, 0);
}

/* Interrupts get in, but no switch: preemption is off. */
static inline void preempt_window(const struct hart *h)
{
	trace(TRACE_WINDOW, h->cpu, 0, 1, 0);
	arch_irq_enable();
	arch_irq_disable();
	trace(TRACE_WINDOW, h->cpu, 0, 0, 0);
}

/* With h locked: ends the wait that is due. What timeout_end_due() gives, if nothing has come in between. */
static inline struct thread *sched_end_due(struct hart *h, const struct thread *t)
{
	struct thread *woken = timeout_end_due(h);
	if (t->attention & THREAD_IDLE)
		return woken;
	/* It took as long as what comes now, if t is left. */
	spin_unlock_raw(&h->lock);
	preempt_window(h);
	spin_lock_raw(&h->lock);
	return NULL;
}

/* A wait is over, and has met the idle thread of a hart where nothing else is to be looked at. */
static noinline void sched_preempt_idle(struct hart *h, struct thread *idle)
{
	spin_lock_raw(&h->lock);
	struct thread *woken = timeout_end_due(h);
	struct thread *to = likely(woken) ? woken : hart_best(h);
	if (unlikely(to == idle)) {
		sched_preempt_not(h);
		return;
	}
	if (!(to->attention & THREAD_CHARGED)) /* as below */
		timer_release();
	h->preempted++;
	spin_unlock_raw(&h->lock);
	sched_switch_counted(h, idle, to, h->finish);
}

/* What is done here belongs to the interrupt that led to it, and not to the thread that it met. */
static noinline void sched_preempt_slow(struct hart *h, struct thread *t)
{
	bool charged = t->attention & THREAD_CHARGED;
	ktime began = KTIME_ZERO;
	int64_t before = charged ? interrupt_begin(&began) : 0;
	if (unlikely(h->queue.rare & RUNQ_ERRAND))
		sched_run_errand(h, t);
	if (h->peers)
		sched_pull();
	spin_lock_raw(&h->lock);
	if (h->peers) { /* another hart may have asked for that */
		sched_timer_update(h);
		timeout_arm(h);
	}
	struct thread *woken = h->due ? sched_end_due(h, t) : NULL;
	bool leaves = sched_must_leave(h, t);
	struct thread *to = leaves ? NULL : sched_choose(h, t, woken);
	if (charged)
		interrupt_end(before, began);
	if (leaves) {
		sched_leave_running(h, t);
		return;
	}
	if (to == t) {
		sched_preempt_not(h);
		return;
	}
	h->preemptions += to->run.rank < t->run.rank;
	if (!(to->attention & THREAD_CHARGED)) /* or what pays for it may have a wish too: account_enter() */
		timer_release();
	sched_switch(h, t, to, h->finish);
}

void upcall_preempt(void)
{
	struct thread *t = thread_current();
	struct hart *h = t->hart;
	arch_need_resched_clear();
	if (unlikely((uint64_t)h->queue.rare | t->attention | h->due)) { /* without peers nobody changes them meanwhile */
		preempt_window(h); /* for what has come since that interrupt */
		arch_need_resched_clear();
		if (t->attention == THREAD_IDLE && h->queue.rare == 0 && h->due)
			sched_preempt_idle(h, t);
		else
			sched_preempt_slow(h, t);
		return;
	}
	struct thread *to = thread_of(runq_best_fixed(&h->queue));
	if (unlikely(to == t)) {
		spin_lock_raw(&h->lock);
		sched_preempt_not(h);
		return;
	}
	hart_lock_alone(h);
	sched_preempt_alone(h, t, to);
}

/* Not the plain case; interrupts are off. */
static noinline void sched_yield_slow(struct hart *h, struct thread *t, irqflags flags)
{
	struct thread *to = t;
	spin_lock_raw(&h->lock);
	if (runq_has_equal(&t->run)) {
		t->turn_began_ns = TURN_OVER;
		runq_rotate(&h->queue, &t->run);
		to = hart_best(h);
	} else { /* what outranks it has asked for the switch already */
		watchdog_gave_way(t);
	}
	if (to != t) {
		sched_switch(h, t, to, h->finish);
		return;
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

void sched_yield(void)
{
	debug_assert(preempt_is_enabled());
	irqflags flags = arch_irq_save();
	struct thread *t = thread_current();
	struct hart *h = t->hart;
	/* Where need_resched is not set, nothing outranks it. */
	if (unlikely(h->queue.rare || arch_need_resched() || !runq_has_equal_fixed(&t->run))) {
		sched_yield_slow(h, t, flags);
		return;
	}
	hart_lock_alone(h);
	t->turn_began_ns = TURN_OVER; /* a whole quantum when its turn comes */
	sched_switch_alone(h, t, thread_of(runq_rotate(&h->queue, &t->run)));
}
