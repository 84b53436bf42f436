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

/* The harts on which t may run and has something to run on; a hint. */
static uint64_t thread_unbarred(const struct thread *t)
{
	uint64_t cpus = t->run.affinity;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		if (domain_is_barred(&sched_hart[cpu], t->run.domain))
			cpus &= ~(UINT64_C(1) << cpu);
	return cpus ? cpus : t->run.affinity;
}

/* Of the harts in `affinity` whose rank is above `above`, the one that runs the least; NULL: none. */
static struct hart *sched_lowest(uint64_t affinity, uint64_t above)
{
	struct hart *best = NULL;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct hart *h = &sched_hart[cpu];
		if (hart_allowed(h, affinity) && hart_running_rank(h) > above) {
			above = hart_running_rank(h);
			best = h;
		}
	}
	return best;
}

struct hart *sched_place(const struct thread *t)
{
	struct hart *last = t->hart;
	uint64_t cpus = thread_unbarred(t);
	bool may_stay = hart_allowed(last, cpus);
	uint64_t above = may_stay ? max(hart_running_rank(last), t->run.rank) : 0;
	struct hart *better = sched_lowest(cpus, above);
	if (!better && !may_stay) /* none of those is online */
		better = sched_lowest(t->run.affinity, 0);
	assert(better || may_stay);
	return better ? better : last;
}

/* The hart, not in `tried`, where the best waits that outranks what runs on h; NULL when there is none. */
static struct hart *sched_pull_from(const struct hart *h, uint64_t tried)
{
	struct hart *best = NULL;
	uint64_t than = hart_running_rank(h);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		uint64_t rank = hart_waiting_rank(&sched_hart[cpu]);
		if (rank < than && !(tried >> cpu & 1)) {
			than = rank;
			best = &sched_hart[cpu];
		}
	}
	return best;
}

/* Takes from there what may run here and outranks all that is here. */
static bool sched_pull_one(struct hart *h, struct hart *from)
{
	hart_lock_pair(h, from);
	uint64_t than = runq_best(&h->queue)->rank;
	struct runq_node *n = runq_find_movable(&from->queue, &from->current->run, h->cpu,
		h->spent | h->suspended, than);
	if (n) {
		hart_dequeue(from, thread_of(n));
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
	trace(TRACE_PULLED, h->cpu, 0, 0, 0);
}

void hart_publish(struct hart *h)
{
	uint64_t waiting = runq_waiting_rank(&h->queue, &h->current->run);
	__atomic_store_n(&h->running_rank, h->current->run.rank, __ATOMIC_RELAXED);
	__atomic_store_n(&h->waiting_rank, waiting, __ATOMIC_RELAXED);
}

void hart_kick(const struct hart *h, const struct thread *t)
{
	uint64_t others = t->run.affinity & ~(UINT64_C(1) << h->cpu);
	if (!others)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with sched_pull */
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct hart *o = &sched_hart[cpu];
		if (hart_allowed(o, others) && hart_running_rank(o) > t->run.rank)
			hart_resched(o);
	}
}

void hart_kick_best(const struct hart *h)
{
	uint64_t waiting = hart_waiting_rank(h);
	struct runq_node *n = NULL;
	if (waiting != RANK_NONE)
		n = runq_first_movable(&h->queue, &h->current->run, waiting);
	if (n)
		hart_kick(h, thread_of(n));
}
