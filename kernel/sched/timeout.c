/*
 * timeout.c - waits that end at an instant.
 *
 * A thread that waits with a deadline stands in its hart's heap of timeouts, under the lock that guards its state. So
 * whoever ends the wait takes it out in the same hold, and nothing is left to be stopped, or to come too late.
 *
 * The timer interrupt touches nothing of that: it notes that the first is due, and asks for a switch; the timer is
 * set behind that, once for both (timer_hold).
 * upcall_preempt() ends the wait before it chooses who runs next, and opens interrupts in between if it has met a
 * thread; while preemption is off, that could not be the one that waited anyhow. One wait each time: where the next is
 * due too, the timer goes off again as soon as interrupts are on. So those who had a server when they began to wait
 * stand in a heap of their own, which goes first: of many waits that end at once none but theirs keeps them waiting.
 *
 * Locks: the hart's lock for all but `due`, which is the hart's own.
 *
 * Invariants: a thread stands there if and only if it is BLOCKED with a deadline; then THREAD_TIMED is set. Unless `due`
 * is set, the timer source is not later than the first.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

static inline ktime timeout_first_time(const struct hart *h)
{
	return ktime_min(heap_first_time(&h->releases), heap_first_time(&h->timeouts));
}

/* The first to be ended if it is due then, or NULL. */
static inline struct heap_node *timeout_first_due(const struct hart *h, ktime now)
{
	struct heap_node *first = heap_first(&h->releases);
	if (!first || ktime_before(now, first->when))
		first = heap_first(&h->timeouts);
	return first && !ktime_before(now, first->when) ? first : NULL;
}

static inline void timeout_arm_at(struct hart *h, ktime at)
{
	h->timeout_at = at;
	timer_source_set(TIMER_TIMEOUT, at);
}

void timeout_arm(struct hart *h)
{
	ktime at = timeout_first_time(h);
	if (!ktime_before(at, h->timeout_at))
		return;
	if (h == hart_here())
		timeout_arm_at(h, at);
	else
		hart_resched(h);
}

void timeout_start(struct hart *h, struct thread *t, ktime at)
{
	t->timeouts = t->server ? &h->releases : &h->timeouts;
	heap_add(t->timeouts, &t->timeout, at);
	t->attention |= THREAD_TIMED;
	timeout_arm(h);
}

void timeout_move(struct hart *to, struct thread *t)
{
	if (!heap_is_linked(&t->timeout))
		return;
	heap_remove(t->timeouts, &t->timeout);
	timeout_start(to, t, t->timeout.when);
}

/* Its wait is over: it stands in the queue, on whatever hart, with h locked again. What timeout_end_due() gives. */
static inline struct thread *timeout_end(struct hart *h, struct thread *t, ktime now)
{
	t->wait_result = ERR_TIMEDOUT;
	thread_set_state(t, THREAD_READY);
	if (t->server)
		server_wake(t, t->timeout.when, now);
	if (unlikely(h->peers || t->attention & THREAD_SUSPEND_DUE)) {
		sched_ready_awake(h, t, 0);
		spin_lock_raw(&h->lock);
		return NULL;
	}
	hart_stand(h, t);
	return t->server && heap_is_first(&t->run.deadline) ? t : NULL;
}

struct thread *timeout_end_due(struct hart *h)
{
	ktime now = clock_now(); /* later, perhaps, than what the timer saw */
	struct heap_node *first = timeout_first_due(h, now);
	struct thread *t = NULL;
	h->due = false;
	if (likely(first)) {
		t = container_of(first, struct thread, timeout);
		heap_remove(t->timeouts, first);
		t = timeout_end(h, t, now);
	}
	timeout_arm_at(h, timeout_first_time(h));
	if (likely(!(h->queue.rare & RUNQ_ERRAND))) /* the choice is still to be made, but not the errand done before it */
		arch_need_resched_clear();
	return t;
}

static void timeout_expired(unused ktime now)
{
	struct hart *h = hart_here();
	h->timeout_at = KTIME_NEVER;
	h->due = true;
	arch_need_resched_set();
	if (likely(thread_current()->arch.preempt_count == 0))
		timer_hold();
	else if (!h->peers) /* if there is a switch before anybody looks, need_resched is looked at behind it */
		h->finish = sched_switched_charged;
}

void timeout_init(void)
{
	timer_source_register(TIMER_TIMEOUT, timeout_expired);
}
