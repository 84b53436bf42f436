/*
 * sched.c - blocking, waking and switching.
 *
 * Blocking and switching are one step: the thread leaves its queue, the guard is
 * dropped and the next thread is entered under one hold of the run queue's lock,
 * which is dropped on the other side (sched_switched). So whoever wakes it, on any
 * hart, gets the lock only when the thread has left its stack.
 *
 * A wake finds the thread BLOCKED under the lock of its hart, or does nothing: of
 * a waker, a timeout and a cancellation exactly one wins, and its result is the wait's.
 *
 * Locks: LOCK_RUNQ, one per hart, see sched_priv.h. Callouts are armed before it.
 */
#include "kernel/sched/sched_priv.h"

struct hart sched_hart[CPU_MAX];

struct hart *thread_lock(struct thread *t)
{
	for (;;) {
		struct hart *h = &sched_hart[__atomic_load_n(&t->cpu, __ATOMIC_RELAXED)];
		spin_lock_raw(&h->lock);
		if (likely(h == &sched_hart[t->cpu]))
			return h;
		spin_unlock_raw(&h->lock);
	}
}

void hart_lock_pair(struct hart *a, struct hart *b)
{
	spin_lock_raw(&min(a, b)->lock);
	if (a != b)
		spin_lock_raw(&max(a, b)->lock);
}

void hart_unlock_pair(struct hart *a, struct hart *b)
{
	if (a != b)
		spin_unlock_raw(&max(a, b)->lock);
	spin_unlock_raw(&min(a, b)->lock);
}

void hart_resched(struct hart *h)
{
	if (h == hart_here())
		arch_need_resched_set();
	else
		arch_ipi_send(h->cpu, IPI_RESCHED);
}

/* With h locked: tells the others what there is to pull. */
static inline void hart_publish(struct hart *h)
{
	int movable = runq_movable_priority(&h->queue);
	__atomic_store_n(&h->movable_priority, (int8_t)movable, __ATOMIC_RELAXED);
	if (unlikely(movable >= 0) && cpu_count() > 1)
		sched_kick(h);
}

void hart_changed(struct hart *h)
{
	struct thread *t = h->current;
	if (runq_outranks(&h->queue, t->run.priority))
		hart_resched(h);
	else if (!h->quantum_armed && quantum_wanted(h))
		quantum_set(h);
	hart_publish(h);
}

void hart_enqueue(struct hart *h, struct thread *t)
{
	debug_assert(t->state == THREAD_READY && (t->run.affinity >> h->cpu & 1));
	__atomic_store_n(&t->cpu, h->cpu, __ATOMIC_RELAXED);
	runq_push_back(&h->queue, &t->run);
}

void hart_requeue(struct hart *h, struct thread *t, uint8_t priority, uint64_t affinity)
{
	bool running = h->current == t;
	runq_remove(&h->queue, &t->run);
	t->run.priority = priority;
	t->run.affinity = affinity;
	if (running) {
		runq_push_front(&h->queue, &t->run);
		runq_set_waiting(&h->queue, &t->run, false);
		__atomic_store_n(&h->running_priority, priority, __ATOMIC_RELAXED);
	} else {
		runq_push_back(&h->queue, &t->run);
	}
}

/* ---- switching ---- */

static void hart_account(struct hart *h, struct thread *from, struct thread *to)
{
	ktime now = clock_now();
	int64_t ran = ktime_diff(now, h->switched_at);
	from->cpu_time_ns += ran;
	from->slice_ns -= ran;
	h->switched_at = now;
	h->switches++;
	to->switches++;
	if (from == h->idle || to == h->idle)
		load_update(&h->load, to != h->idle, now);
}

void sched_switch_unlock(struct hart *h)
{
	struct thread *from = h->current;
	struct thread *to = thread_of(runq_best(&h->queue));
	if (from == to) {
		hart_changed(h);
		sched_check(h);
		spin_unlock_raw(&h->lock);
		return;
	}
	hart_account(h, from, to);
	if (from->run.queued) {
		thread_set_state(from, THREAD_READY);
		runq_set_waiting(&h->queue, &from->run, true);
	}
	thread_set_state(to, THREAD_RUNNING);
	runq_set_waiting(&h->queue, &to->run, false);
	h->current = to;
	__atomic_store_n(&h->running_priority, to->run.priority, __ATOMIC_RELAXED);
	if (to->slice_ns <= 0)
		to->slice_ns = CONFIG_SCHED_QUANTUM_US * NS_PER_US;
	quantum_update(h);
	hart_publish(h);
	sched_switched((struct thread *)arch_switch(&from->arch, &to->arch));
}

/* A thread that may not run here any more has left: to a hart where it may. */
static void sched_migrate(struct thread *t)
{
	struct hart *h = thread_lock(t);
	if (t->run.queued) /* back here already: its affinity was changed again */
		spin_unlock_raw(&h->lock);
	else
		sched_make_ready_unlock(h, t);
}

/* What was left is dead, or has no place on this hart any more. */
static noinline void sched_left(struct thread *t, enum thread_state state)
{
	if (state == THREAD_DEAD)
		thread_put(t);
	else
		sched_migrate(t);
}

void sched_switched(struct thread *left)
{
	struct hart *h = hart_here();
	enum thread_state state = left->state;
	bool gone = !left->run.queued && (state == THREAD_DEAD || state == THREAD_READY);
	sched_check(h);
	spin_unlock_raw(&h->lock);
	if (unlikely(gone))
		sched_left(left, state);
	if (cpu_count() > 1)
		sched_pull();
}

/* ---- blocking and waking ---- */

void sched_make_ready_unlock(struct hart *h, struct thread *t)
{
	for (;;) {
		struct hart *to = &sched_hart[sched_place(t)];
		if (to != h) {
			enum thread_state state = t->state;
			spin_unlock_raw(&h->lock);
			hart_lock_pair(h, to);
			/* Between the two holds somebody else may have made it ready, or changed it. */
			if (&sched_hart[t->cpu] != h || t->state != state || t->run.queued) {
				hart_unlock_pair(h, to);
				return;
			}
		}
		if (unlikely(t->suspend_pending)) {
			t->suspend_pending = false;
			thread_set_state(t, THREAD_SUSPENDED);
			hart_unlock_pair(h, to);
			return;
		}
		if (t->run.affinity >> to->cpu & 1) {
			if (t->state != THREAD_READY)
				thread_set_state(t, THREAD_READY);
			to->migrations_in += to != h;
			hart_enqueue(to, t);
			hart_changed(to);
			hart_unlock_pair(h, to);
			return;
		}
		if (to != h)
			spin_unlock_raw(&to->lock);
	}
}

bool thread_wake(struct thread *t, enum err result)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool blocked = t->state == THREAD_BLOCKED && !t->wait_over;
	if (!blocked) {
		spin_unlock_raw(&h->lock);
	} else {
		t->wait_over = true;
		t->wait_result = result;
		sched_make_ready_unlock(h, t);
	}
	sched_leave(flags);
	return blocked;
}

/* Hard callout. It may be late for a wait that is over: only the deadline of the present one counts. */
void thread_timeout(void *arg)
{
	struct thread *t = arg;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool due = t->state == THREAD_BLOCKED && !ktime_before(clock_now(), t->wait_deadline);
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	if (due)
		thread_wake(t, ERR_TIMEDOUT);
}

static enum err thread_block_refuse(struct spinlock *guard, irqflags flags, enum err why)
{
	if (guard)
		spin_unlock_raw(guard);
	sched_leave(flags);
	return why;
}

enum err thread_block(struct spinlock *guard, irqflags flags, ktime deadline, unsigned wait_flags,
	struct str what)
{
	struct thread *t = thread_current();
	assert(t->arch.preempt_count == 0 && !arch_in_interrupt());
	bool timed = !ktime_is_never(deadline);
	if (timed) {
		if (!ktime_before(clock_now(), deadline))
			return thread_block_refuse(guard, flags, ERR_TIMEDOUT);
		if (callout_start(&t->timeout, deadline) != OK)
			return thread_block_refuse(guard, flags, ERR_NOSPC);
	}
	struct hart *h = hart_here();
	spin_lock_raw(&h->lock);
	bool cancellable = wait_flags & WAIT_CANCELLABLE;
	if (unlikely(cancellable && t->cancel_pending)) {
		t->cancel_pending = false;
		spin_unlock_raw(&h->lock);
		if (timed)
			callout_stop(&t->timeout);
		return thread_block_refuse(guard, flags, ERR_INTR);
	}
	t->wait_over = false;
	t->wait_cancellable = cancellable;
	t->wait_deadline = deadline;
	t->wait_what = what;
	thread_set_state(t, THREAD_BLOCKED);
	runq_remove(&h->queue, &t->run);
	if (guard)
		spin_unlock_raw(guard);
	sched_switch_unlock(h);
	sched_leave(flags);
	if (timed)
		callout_stop(&t->timeout);
	return t->wait_result;
}
