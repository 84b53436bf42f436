/*
 * trace.c - what the trace needs of the scheduler beyond its hooks: the arrival of IPIs, and how a hart stands
 * when a reader begins in the middle (sched_trace_begin).
 *
 * Locks: the hart's, for all records about how it stands; so they are one piece.
 */
#include "kernel/sched/sched_priv.h"

static void trace_ipi_received(void)
{
	trace(TRACE_IPI_RECEIVED, arch_cpu(), 0, arch_current()->preempt_count, 0);
	arch_need_resched_set();
}

void sched_trace_init(void)
{
	arch_on_ipi(IPI_RESCHED, trace_ipi_received);
}

/* With h locked. */
static void trace_queue(const struct hart *h)
{
	const struct runq *q = &h->queue;
	for (uint32_t i = 0; i < q->deadlines.count; i++)
		trace_enqueue(h, thread_of(container_of(q->deadlines.slots[i], struct runq_node, deadline)));
	for (unsigned level = 0; level < RUNQ_LEVELS; level++)
		for (struct runq_node *n = runq_level_first(q, level); n; n = runq_level_next(q, n))
			trace_enqueue(h, thread_of(n));
}

/* With h locked: those that a domain bars. */
static void trace_parked(const struct hart *h)
{
	for (uint8_t d = 0; d < DOMAIN_MAX; d++)
		list_for_each(it, &h->domain[d].parked)
			trace(TRACE_DETAIL(TRACE_PARK, d), h->cpu, thread_of(list_entry(it, struct runq_node, link))->id, 0, 0);
}

static void trace_hart(struct hart *h)
{
	irqflags flags = spin_lock_irqsave(&h->lock);
	trace(TRACE_BEGIN, h->cpu, h->current->id, 0, 0);
	trace(TRACE_BARS, h->cpu, 0, h->spent | h->suspended, 0);
	list_for_each(it, &h->servers)
		server_trace(h, list_entry(it, struct server, node));
	trace_parked(h);
	trace_queue(h);
	hart_resched(h); /* from its next decision on it can be judged */
	spin_unlock_irqrestore(&h->lock, flags);
}

void sched_trace_begin(void)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		if (sched_cpu_online(cpu))
			trace_hart(&sched_hart[cpu]);
}
