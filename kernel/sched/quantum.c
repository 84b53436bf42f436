/*
 * quantum.c - round robin: the timer runs only while an equal waits.
 *
 * The timer belongs to its hart. Another hart that queues an equal here sends an
 * IPI instead, and the hart arms its timer on the way through upcall_preempt().
 */
#include "kernel/sched/sched_priv.h"

void quantum_set(struct hart *h)
{
	struct thread *t = h->current;
	bool wanted = quantum_wanted(h);
	if (h != hart_here()) {
		if (wanted)
			hart_resched(h);
		return;
	}
	h->quantum_armed = wanted;
	timer_source_set(TIMER_SCHED, wanted ? ktime_add(h->switched_at, t->slice_ns) : KTIME_NEVER);
}

static void quantum_expired(ktime now)
{
	struct hart *h = hart_here();
	spin_lock_raw(&h->lock);
	struct thread *t = h->current;
	h->quantum_armed = false;
	int64_t left = t->slice_ns - ktime_diff(now, h->switched_at);
	if (left > 0) {
		quantum_update(h);
	} else if (quantum_wanted(h)) {
		if (h->queue.list[t->run.priority].next == &t->run.link)
			runq_rotate(&h->queue, &t->run);
		arch_need_resched_set();
	}
	spin_unlock_raw(&h->lock);
}

void quantum_init(void)
{
	timer_source_register(TIMER_SCHED, quantum_expired);
}
