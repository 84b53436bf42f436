/*
 * quantum.c - round robin: a turn is CONFIG_SCHED_QUANTUM_US of the thread's own time,
 * over preemptions and waits; when it is over and an equal waits, the equal is next.
 *
 * The timer belongs to its hart, and is wanted only while an equal waits. It is never later
 * than the end of the running thread's turn, but may be earlier, left from another thread's:
 * then it is set anew when it goes off. Another hart that queues an equal here sends an IPI,
 * and the timer is set on the way through upcall_preempt(), where a turn that is over is
 * also acted upon.
 */
#include "kernel/sched/sched_priv.h"

#define QUANTUM_NS (CONFIG_SCHED_QUANTUM_US * NS_PER_US)

static bool quantum_matters(const struct hart *h)
{
	return (h->current->attention & THREAD_RR) && runq_has_equal(&h->current->run);
}

/* What is left of the running thread's turn. */
static int64_t quantum_left(const struct hart *h, ktime now)
{
	const struct thread *t = h->current;
	if (t->turn_began_ns == TURN_OVER)
		return 0;
	return QUANTUM_NS - (t->cpu_time_ns + ktime_diff(now, h->switched_at) - t->turn_began_ns);
}

void quantum_update(struct hart *h)
{
	if (!quantum_matters(h))
		return;
	if (h != hart_here()) {
		hart_resched(h);
		return;
	}
	ktime now = clock_now();
	ktime end = ktime_add(now, quantum_left(h, now));
	if (ktime_before(end, h->quantum_at)) {
		h->quantum_at = end;
		sched_timer_update(h);
	}
}

void quantum_begin(const struct hart *h, struct thread *t)
{
	t->turn_began_ns =
		h->current == t ? t->cpu_time_ns + ktime_diff(clock_now(), h->switched_at) : TURN_OVER;
}

void quantum_update_rare(void *hart, unused uintptr_t none)
{
	quantum_update(hart);
}

void quantum_expired(struct hart *h, ktime now)
{
	h->quantum_at = KTIME_NEVER;
	if (quantum_matters(h) && quantum_left(h, now) <= 0) {
		h->current->turn_began_ns = TURN_OVER;
		h->current->watch_rotated = true;
		arch_need_resched_set();
	} else {
		quantum_update(h);
	}
}
