/*
 * place.c - on which hart a thread runs: chosen at wake, corrected by pulling.
 *
 * No waiting thread outranks what runs on a hart that it may run on, beyond one
 * IPI. Two things can break that, and each is followed by its remedy:
 *
 *	a hart comes to run less		it publishes that and pulls (sched_pull)
 *	a thread comes to wait on a hart	that is published, and all that run less, of those
 *						that it may use, are made to pull (hart_kick)
 *
 * When both happen at once, a pair of barriers lets at least one of the two see the other. All
 * are asked, because the one that runs least may get something better before it looks. A thread
 * that a hart is about to enter does not wait, and nobody is asked for it; if a better one comes
 * first, it does (hart_enqueue).
 *
 * A walk over waiting threads ends after RUNQ_SCAN_MAX: with more of them pinned elsewhere
 * before the one to be found, it is found when those have gone.
 *
 * Locks: sched_pull takes two run queues, lower cpu first. All other walks are over harts.
 */
#include "kernel/sched/sched_priv.h"

static bool hart_allowed(const struct hart *h, uint64_t affinity)
{
	return (affinity >> h->cpu & 1) && __atomic_load_n(&h->online, __ATOMIC_ACQUIRE);
}

/* Of the harts in `affinity` that run less than `below`, the one that runs the least; NULL: none. */
static struct hart *sched_lowest(uint64_t affinity, int below)
{
	struct hart *best = NULL;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct hart *h = &sched_hart[cpu];
		if (hart_allowed(h, affinity) && hart_running_priority(h) < below) {
			below = hart_running_priority(h);
			best = h;
		}
	}
	return best;
}

struct hart *sched_place(const struct thread *t)
{
	struct hart *last = t->hart;
	bool may_stay = hart_allowed(last, t->run.affinity);
	int below = may_stay ? min(hart_running_priority(last), t->run.priority) : PRIO_COUNT;
	struct hart *better = sched_lowest(t->run.affinity, below);
	assert(better || may_stay);
	return better ? better : last;
}

/* The hart, not in `tried`, where the best waits that outranks what runs on h; NULL when there is none. */
static struct hart *sched_pull_from(const struct hart *h, uint64_t tried)
{
	struct hart *best = NULL;
	int above = hart_running_priority(h);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		int p = hart_waiting_priority(&sched_hart[cpu]);
		if (p > above && !(tried >> cpu & 1)) {
			above = p;
			best = &sched_hart[cpu];
		}
	}
	return best;
}

/* Takes from there what may run here and outranks all that is here. */
static bool sched_pull_one(struct hart *h, struct hart *from)
{
	hart_lock_pair(h, from);
	int above = runq_best(&h->queue)->priority;
	struct runq_node *n = runq_find_movable(&from->queue, &from->current->run, h->cpu, above);
	if (n) {
		runq_remove(&from->queue, n);
		hart_changed(from);
		h->migrations_in++;
		hart_enqueue(h, thread_of(n));
	}
	hart_unlock_pair(h, from);
	return n != NULL;
}

void sched_pull(void)
{
	struct hart *h = hart_here(), *from;
	uint64_t tried = UINT64_C(1) << h->cpu;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with hart_kick */
	while (unlikely((from = sched_pull_from(h, tried)) != NULL) && !sched_pull_one(h, from))
		tried |= UINT64_C(1) << from->cpu;
}

void hart_publish(struct hart *h)
{
	int waiting = runq_waiting_priority(&h->queue, &h->current->run);
	__atomic_store_n(&h->running_priority, h->current->run.priority, __ATOMIC_RELAXED);
	__atomic_store_n(&h->waiting_priority, (int8_t)waiting, __ATOMIC_RELAXED);
}

void hart_kick(const struct hart *h, const struct thread *t)
{
	uint64_t others = t->run.affinity & ~(UINT64_C(1) << h->cpu);
	if (!others)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with sched_pull */
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct hart *o = &sched_hart[cpu];
		if (hart_allowed(o, others) && hart_running_priority(o) < t->run.priority)
			hart_resched(o);
	}
}

void hart_kick_best(const struct hart *h)
{
	int waiting = hart_waiting_priority(h);
	struct runq_node *n = NULL;
	if (waiting >= 0)
		n = runq_first_movable(&h->queue, &h->current->run, waiting);
	if (n)
		hart_kick(h, thread_of(n));
}
