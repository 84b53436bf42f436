/* stats.c - the figures of a hart, as they are at this moment. */
#include "kernel/sched/sched_priv.h"

/* The load at the end of idle's last turn, and busy from then on. */
static struct load hart_load_busy(const struct hart *h)
{
	struct load l = h->load;
	load_update(&l, true, ktime_add(h->idle_from, h->idle->cpu_time_ns - h->idle_ran_ns));
	return l;
}

void hart_idle_begins(struct hart *h)
{
	h->load = hart_load_busy(h);
	load_update(&h->load, false, h->switched_at);
	h->idle_from = h->switched_at;
	h->idle_ran_ns = h->idle->cpu_time_ns;
}

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
	uint32_t ready = h->peers ? __atomic_load_n(&h->queue.ready, __ATOMIC_RELAXED) : threads_ready();
	irqflags flags = spin_lock_irqsave(&h->lock);
	ktime now = clock_now();
	int64_t running = ktime_diff(now, h->switched_at);
	int64_t idle = h->idle->cpu_time_ns + (h->current == h->idle ? running : 0);
	struct load load = h->current == h->idle ? h->load : hart_load_busy(h);
	*out = (struct sched_cpu_stats){
		.switches = h->switches + h->preempted,
		.preemptions = h->preemptions + h->preempted,
		.migrations_in = h->migrations_in,
		.idle_ns = idle,
		.busy_ns = ktime_diff(now, h->started_at) - idle,
		.ready = ready - 1,
		.load_permille = load_permille(&load, now),
		.running_tid = h->current->id,
		.running_name_len = h->current->name_len,
		.running_class = thread_class(h->current),
		.running_priority = (uint8_t)rank_priority(h->current->run.rank),
		.published_priority = (uint8_t)rank_priority(h->peers ? hart_running_rank(h) : h->current->run.rank),
		.published_waiting = hart_waiting_rank(h) == RANK_NONE ? -1 : (int)rank_priority(hart_waiting_rank(h)),
	};
	memcpy(out->running_name, h->current->name, h->current->name_len);
	spin_unlock_irqrestore(&h->lock, flags);
}
