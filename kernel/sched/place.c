/*
 * place.c - on which hart a thread runs: chosen at wake, corrected by pulling.
 *
 * No waiting thread outranks what runs on a hart that it may run on, beyond one
 * IPI. Both sides of the race are covered by a pair of barriers: the hart whose
 * running priority falls publishes it and then looks at what waits elsewhere
 * (sched_pull); the hart where something comes to wait publishes that and then
 * looks at what runs elsewhere (sched_kick). One of the two sees the other.
 *
 * Locks: sched_pull takes two run queues, lower cpu first. All walks are over harts.
 */
#include "kernel/sched/sched_priv.h"

/* Of the harts in `allowed`, the one that runs the lowest priority; `first` among equals. */
static uint32_t sched_lowest(uint64_t allowed, uint32_t first)
{
	uint32_t best = first;
	unsigned lowest = UINT32_MAX;
	if (allowed >> first & 1)
		lowest = hart_running_priority(&sched_hart[first]);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct hart *h = &sched_hart[cpu];
		if (!(allowed >> cpu & 1) || !__atomic_load_n(&h->online, __ATOMIC_ACQUIRE))
			continue;
		unsigned running = hart_running_priority(h);
		if (running < lowest) {
			lowest = running;
			best = cpu;
		}
	}
	assert(lowest != UINT32_MAX);
	return best;
}

uint32_t sched_place(const struct thread *t)
{
	uint32_t last = t->cpu;
	if (cpu_count() == 1)
		return 0;
	if (hart_running_priority(&sched_hart[last]) == PRIO_IDLE && (t->run.affinity >> last & 1))
		return last;
	uint32_t best = sched_lowest(t->run.affinity, last);
	bool gains = hart_running_priority(&sched_hart[best]) < t->run.priority;
	return gains || !(t->run.affinity >> last & 1) ? best : last;
}

/* The hart where the best waits that outranks what runs on h; NULL when there is none. */
static struct hart *sched_pull_from(const struct hart *h)
{
	struct hart *best = NULL;
	int above = hart_running_priority(h);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		int p = hart_movable_priority(&sched_hart[cpu]);
		if (p > above && &sched_hart[cpu] != h) {
			above = p;
			best = &sched_hart[cpu];
		}
	}
	return best;
}

void sched_pull(void)
{
	struct hart *h = hart_here();
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with sched_kick */
	struct hart *from = sched_pull_from(h);
	if (likely(!from))
		return;
	hart_lock_pair(h, from);
	int above = runq_best(&h->queue)->priority;
	struct runq_node *n = runq_find_movable(&from->queue, h->cpu, above);
	if (n) {
		runq_remove(&from->queue, n);
		hart_enqueue(h, thread_of(n));
		h->migrations_in++;
		hart_changed(from);
		hart_changed(h);
	}
	hart_unlock_pair(h, from);
}

void sched_kick(struct hart *h)
{
	if (cpu_count() == 1)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with sched_pull */
	int p = h->movable_priority;
	struct runq_node *n = runq_best_movable(&h->queue);
	if (!n)
		return;
	uint64_t others = n->affinity & ~(UINT64_C(1) << h->cpu);
	uint32_t best = h->cpu;
	int lowest = p;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct hart *o = &sched_hart[cpu];
		if ((others >> cpu & 1) && __atomic_load_n(&o->online, __ATOMIC_ACQUIRE) &&
			hart_running_priority(o) < lowest) {
			lowest = hart_running_priority(o);
			best = cpu;
		}
	}
	if (best != h->cpu)
		hart_resched(&sched_hart[best]);
}
