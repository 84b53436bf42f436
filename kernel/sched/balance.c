/*
 * balance.c - evens out how many threads wait on each hart, periodically.
 *
 * A hart with a movable waiter keeps a callout armed; each time it moves at most
 * one thread, to the hart with the fewest ready ones (decayed), and only where it waits for
 * equals: priority order is place.c's business and is never changed here. Whoever
 * leaves a waiter behind arms it (balance_update), on whatever hart that happens.
 */
#include "kernel/sched/sched_priv.h"

static bool balance_online(const struct hart *h)
{
	return __atomic_load_n(&h->online, __ATOMIC_ACQUIRE);
}

static bool balance_move(struct hart *from, struct hart *to)
{
	hart_lock_pair(from, to);
	uint64_t running = to->current->run.rank;
	struct runq_node *n = runq_find_movable(&from->queue, &from->current->run, to->cpu,
		to->spent | to->suspended, running + 1);
	bool moves = n && n->rank == running && !rank_is_deadline(running) && from->queue.ready >= to->queue.ready + 2;
	if (moves) {
		hart_dequeue(from, thread_of(n));
		hart_changed(from);
		to->migrations_in++;
		hart_enqueue(to, thread_of(n));
	}
	hart_unlock_pair(from, to);
	return moves;
}

/* A period is over: what each hart has, and who may be asked to take something. */
static void balance_look(struct hart *h)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		uint32_t ready = __atomic_load_n(&sched_hart[cpu].queue.ready, __ATOMIC_RELAXED);
		h->balance_seen[cpu] = balance_decay(h->balance_seen[cpu], ready);
		h->balance_tries |= (uint64_t)balance_online(&sched_hart[cpu]) << cpu;
	}
}

/* One hart is asked in each run; the next, when none that waits may go there, or is an equal there, in the next interrupt. */
static void balance_run(void *arg)
{
	struct hart *h = arg;
	if (h->balance_tries == 0)
		balance_look(h);
	irqflags flags = arch_irq_save();
	uint32_t to = balance_target(h->balance_seen, cpu_count(), h->cpu, h->balance_tries);
	bool again = to != h->cpu && !balance_move(h, &sched_hart[to]);
	h->balance_tries = again ? h->balance_tries & ~(UINT64_C(1) << to) : 0;
	if (again && callout_start(&h->balance, clock_now()) != OK)
		h->balance_tries = 0;
	if (h->balance_tries == 0)
		__atomic_store_n(&h->balance_armed, 0, __ATOMIC_RELAXED);
	arch_irq_restore(flags);
	balance_arm(h);
}

void balance_init(struct hart *h)
{
	callout_init(&h->balance, CALLOUT_HARD, balance_run, h);
}

void balance_arm(struct hart *h)
{
	if (hart_waiting_rank(h) == RANK_NONE)
		return;
	if (__atomic_exchange_n(&h->balance_armed, 1, __ATOMIC_RELAXED))
		return;
	ktime at = ktime_add(clock_now(), CONFIG_SCHED_BALANCE_MS * NS_PER_MS);
	if (callout_start(&h->balance, at) != OK)
		__atomic_store_n(&h->balance_armed, 0, __ATOMIC_RELAXED);
}
