/* invariant.c - what is true of a hart after every switch; debug builds check it. */
#include "kernel/sched/sched_priv.h"

#define CHECK_WHOLE_QUEUE 64 /* every so many switches the whole queue is walked */

void sched_check(const struct hart *h)
{
	const struct thread *t = h->current;
	assert(h == hart_here() && t == thread_current());
	assert(t->state == THREAD_READY && t->run.queued && t->hart == h);
	assert(rank_is_deadline(t->run.rank) || h->queue.first[rank_level(t->run.rank)] == &t->run.link);
	assert(!heap_is_linked(&t->timeout));
	assert(!arch_irqs_enabled());
	assert(h->idle->run.queued && h->idle->run.rank == rank_of_priority(PRIO_IDLE));
	/* What outranks the running thread has asked for a switch. */
	assert(!runq_outranks(&h->queue, t->run.rank) || arch_need_resched());
	if ((h->switches + h->preempted) % CHECK_WHOLE_QUEUE == 0)
		assert(runq_check(&h->queue));
}
