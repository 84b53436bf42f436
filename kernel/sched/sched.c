/*
 * sched.c - blocking, waking and switching.
 *
 * Blocking and switching are one step: the thread leaves its queue, the guard is
 * dropped and the next thread is entered under one hold of the run queue's lock,
 * which is dropped on the other side (sched_switched_peers). So whoever wakes it, on any
 * hart, gets the lock only when the thread has left its stack. Without other harts, interrupts
 * that are off are all that this takes.
 *
 * A wake finds the thread BLOCKED under the lock of its hart and makes it READY in the
 * same hold, or does nothing: of a waker, a timeout and a cancellation exactly one wins,
 * and its result is the wait's.
 *
 * Locks: LOCK_RUNQ, one per hart, see sched_priv.h.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

struct hart sched_hart[CPU_MAX];

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
	if (h == hart_here()) {
		trace(TRACE_RESCHED, h->cpu, 0, 0, 0);
		arch_need_resched_set();
	} else {
		trace(TRACE_IPI_SENT, h->cpu, 0, 0, 0);
		arch_ipi_send(h->cpu, IPI_RESCHED);
	}
}

void hart_call(struct hart *h)
{
	h->queue.rare |= RUNQ_ERRAND;
	if (!h->peers) /* behind a switch need_resched is looked at then */
		h->finish = sched_switched_charged;
	hart_resched(h);
}

void hart_changed(struct hart *h)
{
	debug_assert(h->current);
	if (runq_outranks(&h->queue, h->current->run.rank))
		hart_resched(h);
	else
		quantum_update(h);
	if (h->peers)
		hart_publish(h);
}

/* With h locked: t, queued, does not run; it waits, or what would have run next does. */
static void hart_queued_waiting(struct hart *h, struct thread *t, struct thread *next)
{
	hart_changed(h);
	if (!h->peers)
		return;
	if (thread_of(runq_best(&h->queue)) != t)
		hart_kick(h, t);
	else if (next != h->current) /* that is kicked when it has been left */
		hart_kick(h, next);
}

void hart_enqueue(struct hart *h, struct thread *t)
{
	debug_assert(t->state == THREAD_READY && !t->parked && (t->run.affinity >> h->cpu & 1));
	if (t->hart != h)
		trace(TRACE_MIGRATE, h->cpu, t->id, t->hart->cpu, 0);
	__atomic_store_n(&t->hart, h, __ATOMIC_RELAXED);
	struct thread *next = thread_of(runq_best(&h->queue));
	hart_stand(h, t);
	if (!t->parked)
		hart_queued_waiting(h, t, next);
}

void hart_stand(struct hart *h, struct thread *t)
{
	if (unlikely(t->server && hart_bars(h, t))) {
		hart_park(h, t);
		return;
	}
	runq_push_back(&h->queue, &t->run);
	trace_enqueue(h, t);
}

void hart_enqueue_front(struct hart *h, struct thread *t)
{
	struct thread *next = thread_of(runq_best(&h->queue));
	runq_push_front(&h->queue, &t->run);
	trace_enqueue(h, t);
	if (t->run.rank == h->current->run.rank) { /* what runs stays the first */
		runq_remove(&h->queue, &h->current->run);
		runq_push_front(&h->queue, &h->current->run);
	}
	hart_queued_waiting(h, t, next);
}

bool hart_take(struct hart *h, struct thread *t)
{
	if (t->parked) {
		hart_unpark(h, t);
		return true;
	}
	if (!t->run.queued)
		return false;
	hart_dequeue(h, t);
	return true;
}

void hart_requeue(struct hart *h, struct thread *t, uint64_t rank, uint64_t affinity)
{
	bool falls = rank > t->run.rank;
	hart_dequeue(h, t);
	t->run.rank = rank;
	trace(TRACE_RANK, h->cpu, t->id, rank, 0);
	runq_set_affinity(&t->run, affinity);
	if (h->current != t) {
		if (falls)
			hart_enqueue_front(h, t);
		else
			hart_enqueue(h, t);
		return;
	}
	runq_push_front(&h->queue, &t->run);
	trace_enqueue(h, t);
	hart_changed(h);
	if (falls && h->peers)
		hart_resched(h); /* to pull */
}

/* ---- who is next ---- */

#define PARK_MAX 4 /* in one stretch; then idle is entered for a moment, so that interrupts get in */

static noinline struct thread *hart_find_best(struct hart *h)
{
	for (unsigned n = 0; n < PARK_MAX; n++) {
		struct thread *t = thread_of(runq_best(&h->queue));
		uint64_t rank = t->server ? thread_effective_rank(t) : t->run.rank;
		bool bars = hart_bars(h, t);
		if (t == h->idle) /* who is barred by himself has no better rank than this, and stands before it */
			h->queue.rare &= ~(uint32_t)RUNQ_STALE;
		if (likely(!bars && rank == t->run.rank))
			return t;
		hart_dequeue(h, t);
		t->run.rank = rank;
		if (bars) {
			hart_park(h, t);
		} else {
			runq_push_back(&h->queue, &t->run); /* goes on by what it has inherited only */
			trace_enqueue(h, t);
		}
	}
	arch_need_resched_set();
	trace(TRACE_PUT_OFF, h->cpu, 0, 0, 0);
	return h->idle;
}

struct thread *hart_best(struct hart *h)
{
	if (unlikely(h->queue.rare & (RUNQ_DEADLINE | RUNQ_BARRED | RUNQ_STALE))) {
		struct thread *t = thread_of(runq_best(&h->queue));
		if (likely(t->server && !hart_bars_own(h, t) && t->run.rank == server_rank(t->server)))
			return t; /* what is lent to it is less */
		return hart_find_best(h);
	}
	return thread_of(runq_best_fixed(&h->queue));
}

void hart_leave_rare(void *hart, uintptr_t thread)
{
	struct hart *h = hart;
	hart_dequeue(h, (struct thread *)thread);
	h->best = hart_best(h);
}

/* ---- the other side of a switch ---- */

/* Interrupts get in, but no switch. The lock is held where there are peers. */
static always_inline void sched_window(struct hart *h, bool peers)
{
	if (peers)
		spin_unlock_raw(&h->lock);
	preempt_disable();
	arch_irq_enable();
	arch_irq_disable();
	preempt_enable_irqs_off();
	if (peers)
		spin_lock_raw(&h->lock);
}

static noinline void sched_attend_rare(struct hart *h, struct thread *t)
{
	if (t->attention & THREAD_EXPEL)
		arch_need_resched_set();
	if (t->attention & THREAD_IDLE)
		hart_idle_begins(h);
	if (t->attention & THREAD_WATCHED)
		watchdog_enter(h);
	if (t->turn_began_ns == TURN_OVER)
		t->turn_began_ns = t->cpu_time_ns;
	if (t->attention & THREAD_RR)
		quantum_update(h);
}

/* The plain case is a FIFO thread that nobody wants to stop. */
static inline void sched_attend(struct hart *h, struct thread *t)
{
	t->attention &= (uint8_t)~THREAD_TIMED;
	if (t->attention & THREAD_ATTEND_RARE)
		sched_attend_rare(h, t);
}

/*
 * Between the account of the thread that was left and that of the one entered there is a window. Drops the lock, which
 * is held where there are peers; interrupts are off.
 */
static void sched_arrive(struct hart *h, struct thread *left)
{
	struct thread *t = h->current;
	account_leave(h, left);
	sched_check(h);
	if (h->peers) {
		hart_publish(h);
		if (left->run.queued)
			hart_kick(h, left);
	}
	if (t->attention & THREAD_IDLE) /* whose beginning is as long as an account's */
		sched_window(h, h->peers);
	sched_attend(h, t);
	if (t->attention & THREAD_CHARGED) {
		sched_window(h, h->peers);
		account_enter(h, t);
	}
	if (h->peers) {
		spin_unlock_raw(&h->lock);
		balance_update(h);
		sched_pull();
	}
}

/* The result of a wait that has not ended by a wake: the thread gives it up. It is asked for once. */
static inline enum err sched_give_up(struct thread *t, enum err why)
{
	return t->wait_kind ? t->wait_kind->give_up(t->wait_object, why) : why;
}

static noinline enum err sched_wait_failed(struct thread *t, enum err why)
{
	if (likely(why == ERR_TIMEDOUT))
		latency_note_wake(t->timeout.when);
	return sched_give_up(t, why);
}

/* To where the thread had switched, with the result of its wait. */
static int sched_return(struct thread *t)
{
	enum err result = t->wait_result;
	debug_assert(!timer_is_held());
	t->wait_result = OK;
	arch_irq_enable();
	if (unlikely(arch_need_resched()))
		spin_preempt();
	return likely(result == OK) ? OK : (int)sched_wait_failed(t, result);
}

static noinline int sched_switched_attend(struct thread *t)
{
	struct hart *h = hart_here();
	sched_attend(h, t);
	if (t->attention & THREAD_CHARGED) {
		account_arrive(h);
		sched_window(h, false);
		account_enter(h, t);
	}
	return sched_return(t);
}

/*
 * The plain case. need_resched is not looked at: nothing outranks the thread that was entered, because the best one
 * was (or in a yield, need_resched was not set), and what else asks for a switch is in `attention`, or has had another
 * `finish` put in this one's place: hart_call(), timeout_expired().
 */
int sched_switched(unused struct arch_thread *left, struct arch_thread *entered)
{
	struct thread *t = (struct thread *)entered;
	sched_check(t->hart);
	if (unlikely(t->attention))
		return sched_switched_attend(t);
	debug_assert(!timer_is_held());
	arch_irq_enable();
	return OK;
}

int sched_switched_charged(struct arch_thread *left, struct arch_thread *entered)
{
	struct hart *h = hart_here();
	h->finish = sched_switched;
	sched_arrive(h, (struct thread *)left);
	return sched_return((struct thread *)entered);
}

int sched_switched_peers(struct arch_thread *left, struct arch_thread *entered)
{
	struct thread *t = (struct thread *)left;
	struct hart *h = hart_here();
	/* It yielded before it was expelled: nobody would find it here, where it may not run. */
	if (unlikely(t->run.queued && t->attention & THREAD_LEAVE_DUE)) {
		t->attention &= (uint8_t)~THREAD_LEAVE_DUE;
		hart_dequeue(h, t);
		return sched_switched_homeless(left, entered);
	}
	sched_arrive(h, t);
	return sched_return((struct thread *)entered);
}

int sched_switched_dead(struct arch_thread *left, struct arch_thread *entered)
{
	sched_arrive(hart_here(), (struct thread *)left);
	thread_put((struct thread *)left);
	return sched_return((struct thread *)entered);
}

int sched_switched_homeless(struct arch_thread *left, struct arch_thread *entered)
{
	struct thread *t = (struct thread *)left;
	sched_arrive(hart_here(), t);
	sched_ready_awake(thread_lock(t), t, 0);
	return sched_return((struct thread *)entered);
}

/* ---- blocking and waking ---- */

enum err sched_ready_awake(struct hart *h, struct thread *t, irqflags flags)
{
	for (;;) {
		struct hart *to = h->peers ? sched_place(t) : h;
		if (to != h) {
			spin_unlock_raw(&h->lock);
			hart_lock_pair(h, to);
		}
		debug_assert(t->hart == h && t->state == THREAD_READY && !t->run.queued);
		if (t->attention & THREAD_SUSPEND_DUE) {
			t->attention &= (uint8_t)~THREAD_EXPEL;
			thread_set_state(t, THREAD_SUSPENDED);
			if (t->server)
				server_sleep(t, clock_now());
			hart_unlock_pair(h, to);
			break;
		}
		if (t->run.affinity >> to->cpu & 1) {
			t->attention &= (uint8_t)~THREAD_LEAVE_DUE; /* it blocked before it was expelled */
			to->migrations_in += to != h;
			hart_enqueue(to, t);
			hart_unlock_pair(h, to);
			balance_update(to);
			break;
		}
		if (to != h) /* its affinity has changed since it was placed */
			spin_unlock_raw(&to->lock);
	}
	return sched_leave_ok(flags);
}

enum err sched_ready_slow(struct hart *h, struct thread *t, irqflags flags)
{
	timeout_stop(t);
	if (t->server)
		server_wake_now(t);
	return sched_ready_awake(h, t, flags);
}

enum err sched_preempt_ok(void)
{
	spin_preempt();
	return OK;
}

enum err sched_ready_unlock(struct hart *h, struct thread *t, irqflags flags)
{
	if (h->queue.rare || t->attention & THREAD_READY_RARE || rank_is_deadline(t->run.rank))
		return sched_ready_slow(h, t, flags);
	spin_unlock_raw(&h->lock); /* there is nobody to take it */
	hart_lock_alone(h);
	return sched_ready_alone(h, thread_current(), t, hart_stand_alone(h, t), flags);
}

/* With h, its hart, locked and t blocked: ends the wait; drops the lock. */
static inline void sched_end_wait_unlock(struct hart *h, struct thread *t, enum err result, irqflags flags)
{
	t->wait_result = result;
	if (result != OK)
		t->attention |= THREAD_TIMED;
	thread_set_state(t, THREAD_READY);
	sched_ready_unlock(h, t, flags);
}

static noinline enum err thread_wake_slow(struct spinlock *guard, struct thread *t, irqflags flags)
{
	struct hart *h = thread_lock(t);
	spin_unlock_raw(guard);
	if (likely(t->state == THREAD_BLOCKED)) {
		thread_set_state(t, THREAD_READY);
		return sched_ready_unlock(h, t, flags);
	}
	spin_unlock_raw(&h->lock);
	return sched_leave_ok(flags);
}

enum err thread_wake_unlock(struct spinlock *guard, struct thread *t, irqflags flags)
{
	struct thread *running = thread_current();
	struct hart *h = running->hart;
	if (unlikely(!thread_is_plain(h, t, THREAD_BLOCKED)))
		return thread_wake_slow(guard, t, flags);
	hart_lock_alone(h);
	thread_set_state(t, THREAD_READY);
	uint64_t rank = hart_stand_alone(h, t);
	spin_unlock_raw(guard);
	return sched_ready_alone(h, running, t, rank, flags);
}

bool thread_wake(struct thread *t, enum err result)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool blocked = t->state == THREAD_BLOCKED;
	if (blocked) {
		sched_end_wait_unlock(h, t, result, flags);
	} else {
		spin_unlock_raw(&h->lock);
		sched_leave(flags);
	}
	return blocked;
}

enum err thread_cancel(struct thread *t)
{
	if (t->system)
		return ERR_PERM;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	if (t->state == THREAD_BLOCKED && (thread_wait_flags(t) & WAIT_CANCELLABLE)) {
		sched_end_wait_unlock(h, t, ERR_INTR, flags);
	} else {
		t->cancel_pending = true;
		spin_unlock_raw(&h->lock);
		sched_leave(flags);
	}
	return OK;
}

static noinline enum err thread_block_refuse(struct spinlock *guard, irqflags flags, enum err why)
{
	if (guard)
		spin_unlock_raw(guard);
	sched_leave(flags);
	return sched_give_up(thread_current(), why);
}

/*
 * What the caller waits for is set, and nobody but itself looks at that before it is BLOCKED. Of wait_flags, a
 * wait_kind says the same (thread_wait_flags).
 */
static always_inline void thread_set_blocked(struct thread *t, ktime deadline, unsigned wait_flags, bool kind)
{
	debug_assert(t->wait_result == OK);
	if (!kind)
		t->wait_flags = (uint8_t)wait_flags;
	t->wait_deadline = deadline;
	thread_set_state(t, THREAD_BLOCKED);
}

static always_inline enum err thread_block_now(struct spinlock *guard, irqflags flags, ktime deadline,
	unsigned wait_flags, bool timed)
{
	struct thread *t = thread_current();
	struct hart *h = t->hart;
	spin_lock_raw(&h->lock);
	if (unlikely((wait_flags & WAIT_CANCELLABLE) && t->cancel_pending)) {
		t->cancel_pending = false;
		spin_unlock_raw(&h->lock);
		return thread_block_refuse(guard, flags, ERR_INTR);
	}
	thread_set_blocked(t, deadline, wait_flags, false);
	if (timed)
		timeout_start(h, t, deadline);
	struct thread *to = hart_leave(h, t);
	if (guard)
		spin_unlock_raw(guard);
	return (enum err)sched_switch(h, t, to, h->finish);
}

static noinline enum err thread_block_slow(struct spinlock *guard, irqflags flags, unsigned wait_flags)
{
	return thread_block_now(guard, flags, KTIME_NEVER, wait_flags, false);
}

/* Without a timeout, as `deadline` says. With `kind`, the wait is for a wait_kind, and there is a guard. */
static always_inline enum err thread_block_untimed(struct spinlock *guard, irqflags flags, ktime deadline,
	unsigned wait_flags, bool kind)
{
	struct thread *t = thread_current();
	struct hart *h = t->hart;
	if (unlikely(h->queue.rare || ((wait_flags & WAIT_CANCELLABLE) && t->cancel_pending)))
		return thread_block_slow(guard, flags, wait_flags);
	hart_lock_alone(h);
	thread_set_blocked(t, deadline, wait_flags, kind);
	struct thread *to = hart_leave_plain(h, t);
	if (guard || kind)
		spin_unlock_raw(guard);
	return (enum err)sched_switch_alone(h, t, to);
}

static noinline enum err thread_block_until(struct spinlock *guard, irqflags flags, ktime deadline, unsigned wait_flags)
{
	if (!ktime_before(clock_now(), deadline)) {
		thread_current()->timeout.when = deadline;
		return thread_block_refuse(guard, flags, ERR_TIMEDOUT);
	}
	return thread_block_now(guard, flags, deadline, wait_flags, true);
}

static inline void thread_check_may_block(unused irqflags flags)
{
	debug_assert(thread_current()->arch.preempt_count == 0 && !arch_in_interrupt() && irqflags_enabled(flags));
}

enum err thread_block(struct spinlock *guard, irqflags flags, ktime deadline, unsigned wait_flags,
	struct str what)
{
	struct thread *t = thread_current();
	thread_check_may_block(flags);
	t->wait_kind = NULL;
	t->wait_what = what;
	if (ktime_is_never(deadline))
		return thread_block_untimed(guard, flags, deadline, wait_flags, false);
	return thread_block_until(guard, flags, deadline, wait_flags);
}

enum err thread_block_for(const struct wait_kind *kind, void *object, ktime deadline, struct spinlock *guard,
	irqflags flags)
{
	struct thread *t = thread_current();
	thread_check_may_block(flags);
	t->wait_kind = kind;
	t->wait_object = object;
	if (likely(ktime_is_never(deadline)))
		return thread_block_untimed(guard, flags, deadline, WAIT_CANCELLABLE, true);
	return thread_block_until(guard, flags, deadline, WAIT_CANCELLABLE);
}

enum err thread_sleep_for(const struct wait_kind *kind, ktime deadline, irqflags flags)
{
	struct thread *t = thread_current();
	thread_check_may_block(flags);
	t->wait_kind = kind;
	return thread_block_until(NULL, flags, deadline, WAIT_CANCELLABLE);
}
