/*
 * oracle.c - what must be true of a quiet machine, computed from the definitions and not
 * from the scheduler's own summaries: every list is walked, every priority recomputed.
 *
 * Quiet: no hart is in the middle of a decision and no IPI is under way (host_is_quiet).
 * Threads may still be between two of their own steps.
 */
#include <stdio.h>
#include "tests/sim/world.h"

uint64_t oracle_looks;

static struct thread *all[WORLD_THREADS_MAX];
static uint64_t effective[WORLD_THREADS_MAX];
static size_t all_count;

#define ORACLE(cond, t)                                                                            \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			oracle_print_threads();                                                    \
			test_fail(__FILE__, __LINE__, "%s; thread %.*s", #cond,                    \
				(int)(t)->name_len, (t)->name);                                    \
		}                                                                                  \
	} while (0)

static void oracle_print_rank(const struct thread *t)
{
	static const char *const states[] = {"idle", "active", "throttled"};
	const struct thread *owner = t->blocked_on ? t->blocked_on->owner : NULL;
	if (t->server)
		printf("            server %s, %lld left, deadline %lld%s\n", states[t->server->edf.state],
			(long long)t->server->edf.remaining_ns, (long long)edf_deadline(&t->server->edf).ns,
			edf_is_waiting(&t->server->edf) ? ", waits" : "");
	if (t->server || t->lender || t->parked || owner || t->run.domain)
		printf("            rank %llx, domain %u%s, lent %llx by %.*s, waits for %.*s\n",
			(unsigned long long)t->run.rank, t->run.domain, t->parked ? ", parked" : "",
			(unsigned long long)t->lent_rank, t->lender ? t->lender->name_len : 0,
			t->lender ? t->lender->name : "", owner ? owner->name_len : 0, owner ? owner->name : "");
}

void oracle_print_threads(void)
{
	struct thread *ts[WORLD_THREADS_MAX];
	size_t n = world_threads(ts);
	printf("\nat %lld ns:\n", (long long)arch_host_now.ns);
	for (size_t i = 0; i < n; i++) {
		const struct thread *t = ts[i];
		struct thread_info info = {.state = t->state, .running = t->hart->current == t, .throttled = t->parked};
		struct str state = thread_state_name(&info);
		printf("  %-9.*s %-9.*s hart %u priority %2u (base %2u) affinity %llx %s%s%.*s\n",
			(int)t->name_len, t->name, (int)state.len, state.ptr, t->hart->cpu,
			rank_priority(t->run.rank), t->base_priority, (unsigned long long)t->run.affinity,
			t->attention & THREAD_SUSPEND_DUE ? "suspend " : "",
			t->cancel_pending ? "cancel " : "",
			STR_ARG(thread_waits_for(t)));
		oracle_print_rank(t);
	}
}

static size_t oracle_index(const struct thread *t)
{
	for (size_t i = 0; i < all_count; i++)
		if (all[i] == t)
			return i;
	test_fail(__FILE__, __LINE__, "a hart knows a thread that is not there any more");
}

/* ---- harts, queues and states ---- */

/* How many queues hold it: no other than that of its hart. */
static unsigned oracle_queues_of(const struct thread *t)
{
	unsigned found = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct runq *q = &sched_hart[cpu].queue;
		for (unsigned p = 0; p < RUNQ_LEVELS; p++)
			for (const struct runq_node *n = runq_level_first(q, p); n; n = runq_level_next(q, n))
				if (n == &t->run) {
					found++;
					ORACLE(t->hart == &sched_hart[cpu] && t->run.rank == RANK_FIXED + p, t);
				}
		for (uint32_t i = 0; i < q->deadlines.count; i++)
			if (q->slots[i] == &t->run.deadline) {
				found++;
				ORACLE(t->hart == &sched_hart[cpu] && t->run.rank == (uint64_t)t->run.deadline.when.ns, t);
			}
	}
	return found;
}

static unsigned oracle_harts_of(const struct thread *t)
{
	unsigned found = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		found += cpu_of(arch_hart_template, cpu).current == &t->arch;
	return found;
}

/* What it has may not be used now, and nobody lends it anything. */
static bool oracle_barred(const struct thread *t)
{
	uint8_t bars = t->hart->spent | t->hart->suspended;
	bool own = bars >> t->run.domain & 1;
	if (t->server)
		own = t->server->edf.state != EDF_ACTIVE || (t->hart->high && domain_is_low(t->run.domain));
	bool lent = t->lender && (t->lender->server || !(bars >> t->lender->run.domain & 1));
	return own && !lent;
}

/* Who is parked is so for a reason, and something will end that. */
static void oracle_check_parked(const struct thread *t)
{
	const struct hart *h = t->hart;
	ORACLE(t->state == THREAD_READY && !t->run.queued && h->current != t, t);
	bool server = t->server && t->server->edf.state == EDF_THROTTLED;
	const struct domain_hart *d = &h->domain[t->run.domain];
	if (server)
		ORACLE(heap_is_linked(&t->server->refill.node), t);
	else
		ORACLE(((t->server ? h->dropped : h->suspended) >> t->run.domain & 1) || heap_is_linked(&d->refill.node), t);
}

/* Where one has a deadline before the end of its period, or two runtimes, the others keep to its rules. */
static void oracle_check_servers(const struct hart *h)
{
	bool strict = false;
	uint32_t active = 0;
	list_for_each(it, &h->servers) {
		const struct edf_params *p = &list_entry(it, struct server, node)->edf.p;
		active += list_entry(it, struct server, node)->edf.state == EDF_ACTIVE;
		strict |= p->high_runtime_ns != 0 || p->deadline_ns != p->period_ns;
	}
	list_for_each(it, &h->servers) {
		const struct server *s = list_entry(it, struct server, node);
		ORACLE(s->edf.strict || !strict, s->thread);
		ORACLE(s->low == domain_is_low(s->thread->run.domain), s->thread);
	}
	ORACLE(h->active == active, h->current);
}

static void oracle_check_hart(uint32_t cpu)
{
	const struct hart *h = &sched_hart[cpu];
	const struct thread *t = (struct thread *)cpu_of(arch_hart_template, cpu).current;
	ORACLE(h->current == t && t->state == THREAD_READY, t);
	ORACLE(t->hart == h && t->run.affinity >> cpu & 1, t);
	ORACLE(!(t->attention & THREAD_EXPEL), t);
	ORACLE(cpu_count() == 1 || h->running_rank == t->run.rank, t);
	unsigned queued = 0;
	for (unsigned p = 0; p < RUNQ_LEVELS; p++) {
		for (const struct runq_node *n = runq_level_first(&h->queue, p); n; n = runq_level_next(&h->queue, n))
			oracle_index(thread_of((struct runq_node *)n)), queued++;
	}
	ORACLE(!h->peers || queued + h->queue.deadlines.count == h->queue.ready, t);
	ORACLE(!(h->queue.rare & RUNQ_BARRED) == !(h->spent | h->suspended), t);
	ORACLE(!oracle_barred(t), t);
	oracle_check_servers(h);
}

static void oracle_check_state(const struct thread *t)
{
	bool queued = t->state == THREAD_READY && !t->parked;
	if (t->parked)
		oracle_check_parked(t);
	ORACLE(oracle_queues_of(t) == queued && t->run.queued == queued, t);
	ORACLE(oracle_harts_of(t) == (t->hart->current == t), t);
	if (t->state == THREAD_BLOCKED) {
		/* What is to end it will come: its timer is there, and it was not overlooked. */
		ORACLE(ktime_is_never(t->wait_deadline) || heap_is_linked(&t->timeout), t);
		ORACLE(!((thread_wait_flags(t) & WAIT_CANCELLABLE) && t->cancel_pending), t);
	}
}

/* No waiting thread outranks what runs on a hart that it may use. */
static void oracle_check_rank(const struct thread *t)
{
	if (t->state != THREAD_READY || t->parked || t->hart->current == t)
		return;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		if ((t->run.affinity >> cpu & 1) && !((sched_hart[cpu].spent | sched_hart[cpu].suspended) >> t->run.domain & 1))
			ORACLE(t->run.rank >= sched_hart[cpu].current->run.rank, t);
}

/* ---- priorities ---- */

static struct thread *oracle_owner(const struct sim_mutex *m)
{
	return (struct thread *)(m->m.owner & ~MUTEX_CONTENDED);
}

/*
 * Whether t waits for m. Its own word is enough while it is blocked; one whose wait has
 * ended otherwise takes its priority back when it runs, and the graph says until when.
 */
static bool oracle_waits(const struct thread *t, const struct sim_mutex *m)
{
	const struct sim_thread *s = sim_of(t);
	if (!s || s->waits_for != m)
		return false;
	bool in_graph = t->blocked_on == &m->m.queue;
	ORACLE(in_graph || t->state != THREAD_BLOCKED || thread_waits_for(t).len != S("mutex").len, t);
	return in_graph;
}

/* The highest of the base and of all that wait for what it holds, to a fixed point. */
static void oracle_recompute(void)
{
	bool changed = true;
	for (size_t i = 0; i < all_count; i++)
		effective[i] = all[i]->server ? server_rank(all[i]->server) : rank_of_priority(all[i]->base_priority);
	while (changed) {
		changed = false;
		for (uint32_t m = 0; m < sim_mutex_count; m++)
			for (size_t i = 0; i < all_count; i++) {
				if (!oracle_waits(all[i], &sim_mutex[m]))
					continue;
				ORACLE(oracle_owner(&sim_mutex[m]), all[i]); /* never free while one waits */
				size_t owner = oracle_index(oracle_owner(&sim_mutex[m]));
				if (effective[owner] > effective[i]) {
					effective[owner] = effective[i];
					changed = true;
				}
			}
	}
}

/* A mutex of the kernel's own, for which others wait: that of a hart's soft callouts. */
static bool oracle_holds_unwatched(const struct thread *t)
{
	list_for_each(it, &t->held) {
		const struct pi_queue *q = list_entry(it, struct pi_queue, held_node);
		bool watched = false;
		for (uint32_t m = 0; m < sim_mutex_count; m++)
			watched |= q == &sim_mutex[m].m.queue;
		if (!watched)
			return true;
	}
	return false;
}

/* Nobody's chain is longer than he knows: the links behind each, counted from the other end. */
static void oracle_check_heights(void)
{
	static unsigned height[WORLD_THREADS_MAX];
	memset(height, 0, sizeof(height));
	for (size_t i = 0; i < all_count; i++) {
		unsigned links = 0;
		for (const struct pi_queue *q = all[i]->blocked_on; q; q = q->owner->blocked_on) {
			size_t owner = oracle_index(q->owner);
			height[owner] = max(height[owner], ++links);
		}
	}
	for (size_t i = 0; i < all_count; i++)
		ORACLE(all[i]->height == height[i] && height[i] <= PI_CHAIN_MAX, all[i]);
}

static void oracle_check_mutex(const struct sim_mutex *m)
{
	bool waited_for = false;
	const struct thread *owner = oracle_owner(m);
	for (size_t i = 0; i < all_count; i++) {
		const struct sim_thread *s = sim_of(all[i]);
		waited_for |= oracle_waits(all[i], m);
		for (uint32_t k = 0; s && k < s->held_count; k++)
			ORACLE(s->held[k] != m || owner == all[i], all[i]);
	}
	if (waited_for)
		ORACLE(m->m.owner & MUTEX_CONTENDED && m->m.queue.owner == owner, owner);
}

/* ---- semaphores ---- */

static void oracle_check_sem(const struct sem *s)
{
	int32_t waiters = 0;
	list_for_each(it, &s->waiters.waiters)
		waiters++;
	CHECK(s->count <= s->max);
	CHECK_EQ(waiters, s->count < 0 ? -s->count : 0);
}

void oracle_look(void)
{
	oracle_looks++;
	all_count = world_threads(all);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		oracle_check_hart(cpu);
	for (size_t i = 0; i < all_count; i++) {
		oracle_check_state(all[i]);
		oracle_check_rank(all[i]);
	}
	bool errands = false;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		errands |= !list_is_empty(&sched_hart[cpu].errands);
	oracle_recompute();
	for (size_t i = 0; i < all_count; i++) {
		const struct thread *t = all[i];
		bool lent = oracle_holds_unwatched(t);
		/* What waits by itself, or is parked, has no rank of its own; a change of mode is told one by one. */
		if (errands || (t->server && t->server->edf.state == EDF_IDLE))
			continue;
		/* It was spent when a better one came: that is noticed when its turn comes. */
		if (t->server && t->server->edf.state == EDF_THROTTLED && t->run.queued && t->hart->current != t)
			continue;
		ORACLE(t->run.rank == effective[i] || (lent && t->run.rank < effective[i]), t);
	}
	oracle_check_heights();
	for (uint32_t i = 0; i < sim_mutex_count; i++)
		oracle_check_mutex(&sim_mutex[i]);
	for (uint32_t i = 0; i < sim_sem_count; i++)
		oracle_check_sem(&sim_sem[i]);
}

void oracle_last_look(void)
{
	size_t stacks = 1 + cpu_count(); /* hart 0's idle thread, the harts' own, softcall's */
	sim_wait_for(world_stacks_used() == stacks + cpu_count() - 1);
	sim_settle();
	for (uint32_t i = 0; i < sim_mutex_count; i++)
		CHECK(!oracle_owner(&sim_mutex[i]) && sim_mutex[i].inside == 0);
	for (uint32_t i = 0; i < sim_sem_count; i++)
		CHECK(sim_sem[i].count >= 0);
	CHECK_EQ(thread_current()->run.rank, rank_of_priority(PRIO_NORMAL));
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct callout_stats c;
		callout_stats(cpu, CALLOUT_HARD, &c);
		CHECK_EQ(c.refused, 0);
	}
}
