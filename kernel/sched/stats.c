/* stats.c - the figures of a hart, as they are at this moment. */
#include "kernel/sched/sched_priv.h"

bool sched_cpu_online(uint32_t cpu)
{
	return __atomic_load_n(&sched_hart[cpu].online, __ATOMIC_ACQUIRE);
}

void sched_cpu_stats(uint32_t cpu, struct sched_cpu_stats *out)
{
	struct hart *h = &sched_hart[cpu];
	*out = (struct sched_cpu_stats){0};
	if (cpu >= cpu_count() || !sched_cpu_online(cpu))
		return;
	irqflags flags = spin_lock_irqsave(&h->lock);
	ktime now = clock_now();
	int64_t running = ktime_diff(now, h->switched_at);
	int64_t idle = h->idle->cpu_time_ns + (h->current == h->idle ? running : 0);
	*out = (struct sched_cpu_stats){
		.switches = h->switches,
		.preemptions = h->preemptions,
		.migrations_in = h->migrations_in,
		.idle_ns = idle,
		.busy_ns = ktime_diff(now, h->started_at) - idle,
		.ready = h->queue.ready - 1,
		.load_permille = load_permille(&h->load, now),
	};
	spin_unlock_irqrestore(&h->lock, flags);
}
