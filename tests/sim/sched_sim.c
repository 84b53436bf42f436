/*
 * sched_sim.c - kernel/sched, kernel/sync, kernel/time and kernel/lock on 1 to 4 virtual harts.
 *
 * This file: where threads run and when. sched_locks.c: mutexes and priorities; sched_waits.c:
 * what is waited for and handed over; sched_mix.c: everything at once. world.h says how a
 * run is repeated, oracle.c what must be true whenever the machine is quiet.
 *
 * Lessons are those of what users of such systems suffered; each test names its own.
 */
#include "tests/sim/world.h"

/* Lesson 18: an absolute sleep that ends early. */

static void sleeps(struct sim_thread *self)
{
	for (int i = 0; i < 40; i++) {
		ktime until = ktime_add(clock_now(), 1000 + (int64_t)i * 100);
		CHECK_EQ(sleep_until(until), OK);
		CHECK(!ktime_before(clock_now(), until));
		self->done++;
	}
}

SIMULATION(sleep_is_never_early, 40)
{
	for (unsigned i = 0; i < 8; i++)
		sim_spawn(sleeps, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
}

/*
 * Lesson 4: a lost IPI leaves a hart idle for ever. A token goes round threads that are each
 * bound to a hart; nobody has a timeout that would cover up for a lost wake.
 */

#define RING_ROUNDS 40

static struct sem ring[4];

static void ring_station(struct sim_thread *self)
{
	for (int i = 0; i < RING_ROUNDS; i++) {
		CHECK_EQ(sem_wait(&ring[self->index], KTIME_NEVER), OK);
		if (sim_chance(3))
			host_compute(sim_below(3000));
		CHECK_EQ(sem_post(&ring[(self->index + 1) % countof(ring)]), OK);
	}
}

SIMULATION(wake_finds_an_idle_hart, 50)
{
	for (uint32_t i = 0; i < countof(ring); i++)
		sem_init(&ring[i], 0, 1);
	for (uint32_t i = 0; i < countof(ring); i++)
		sim_spawn(ring_station, NULL, sim_some_priority(), sim_some_class(),
			UINT64_C(1) << i % cpu_count());
	CHECK_EQ(sem_post(&ring[0]), OK);
	sim_join_all();
	CHECK_EQ(ring[0].count, 1);
}

/*
 * Lesson 12: an affinity change that does not reschedule. Whoever returns from changing his own
 * stands on an allowed hart; for those of others the oracle looks.
 */

static void roams(unused struct sim_thread *self)
{
	for (int i = 0; i < 40; i++) {
		uint64_t cpus = sim_some_harts();
		struct sim_thread *other = &sim_threads[sim_below(sim_thread_count)];
		if (sim_chance(2)) {
			CHECK_EQ(thread_set_affinity(other->t, cpus), OK);
		} else {
			irqflags flags = arch_irq_save(); /* nobody on this hart comes in between */
			CHECK_EQ(thread_set_affinity(thread_current(), UINT64_C(1) << arch_cpu()), OK);
			arch_irq_restore(flags);
			host_compute(sim_below(500));
		}
		host_compute(sim_below(2000));
		if (sim_chance(4))
			CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

static void moves_itself(unused struct sim_thread *self)
{
	for (int i = 0; i < 60; i++) {
		uint64_t cpus = sim_some_harts();
		CHECK_EQ(thread_set_affinity(thread_current(), cpus), OK);
		preempt_disable();
		CHECK(cpus >> arch_cpu() & 1);
		preempt_enable();
		host_compute(sim_below(1000));
	}
}

SIMULATION(affinity_change_moves_at_once, 40)
{
	for (unsigned i = 0; i < 4; i++)
		sim_spawn(moves_itself, NULL, sim_some_priority(), sim_some_class(), 0);
}

SIMULATION(affinity_of_others_changes, 40)
{
	for (unsigned i = 0; i < 6; i++)
		sim_spawn(roams, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
}

/* A suspended thread does nothing until it is resumed, whatever it was doing; then it goes on. */

static struct sem suspended_sem;

static void does_things(struct sim_thread *self)
{
	for (int i = 0; i < 60; i++) {
		switch (sim_below(5)) {
		case 0:
			CHECK_EQ(sleep_until(sim_soon()), OK);
			break;
		case 1:
			sched_yield();
			break;
		case 2:
			if (sem_wait(&suspended_sem, sim_soon()) == OK)
				CHECK_EQ(sem_post(&suspended_sem), OK);
			break;
		default:
			host_compute(sim_below(2000));
		}
		self->done++;
	}
}

static void suspends(struct sim_thread *self)
{
	struct sim_thread *victim = self->arg;
	while (!victim->ended) {
		thread_suspend(victim->t);
		sim_settle();
		uint64_t done = victim->done;
		host_compute(sim_below(5000));
		CHECK(victim->done == done || victim->ended);
		thread_resume(victim->t);
		CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

static void suspends_itself(struct sim_thread *self)
{
	for (int i = 0; i < 20; i++) {
		self->done = 1;
		thread_suspend(thread_current());
		CHECK_EQ(self->done, 0); /* by whoever resumed it */
	}
}

static void resumes(struct sim_thread *self)
{
	struct sim_thread *sleeper = self->arg;
	while (!sleeper->ended) {
		sim_wait_for(sleeper->ended || sleeper->t->state == THREAD_SUSPENDED);
		sleeper->done = 0;
		thread_resume(sleeper->t);
		CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

SIMULATION(suspended_thread_stands_still, 40)
{
	sem_init(&suspended_sem, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct sim_thread *s = sim_spawn(does_things, NULL, (uint8_t)(10 + sim_below(3)), SCHED_RR, 0);
		sim_spawn(suspends, s, (uint8_t)(20 + sim_below(2)), SCHED_RR, 0);
	}
	struct sim_thread *s = sim_spawn(suspends_itself, NULL, 30, SCHED_FIFO, 0);
	sim_spawn(resumes, s, 20, SCHED_RR, 0);
}

/* Suspensions are not counted: one resume lets it go on, also when somebody else suspended it while it did so itself. */

static void suspends_itself_again(unused struct sim_thread *self)
{
	for (int i = 0; i < 30; i++) {
		host_compute(sim_below(1000));
		thread_suspend(thread_current());
	}
}

static void suspends_and_resumes(struct sim_thread *self)
{
	struct sim_thread *other = self->arg;
	while (!other->ended) {
		host_compute(sim_below(1000));
		thread_suspend(other->t);
		sim_wait_for(other->ended || other->t->state == THREAD_SUSPENDED);
		int64_t ran = other->t->cpu_time_ns;
		thread_resume(other->t);
		sim_wait_for(other->ended || other->t->cpu_time_ns != ran);
	}
}

SIMULATION(suspended_twice_is_resumed_once, 40)
{
	struct sim_thread *s = sim_spawn(suspends_itself_again, NULL, 20, sim_some_class(), 0);
	sim_spawn(suspends_and_resumes, s, 20, SCHED_RR, 0);
}

/* Lesson 3: another hart runs a thread that still stands on its stack; and every stack comes back. */

static uint32_t children_ended;

static void child(void *arg)
{
	if (arg)
		host_compute((int64_t)(uintptr_t)arg);
	__atomic_fetch_add(&children_ended, 1, __ATOMIC_RELAXED);
}

static void joins_somehow(struct thread *t)
{
	enum err err = ERR_TIMEDOUT;
	while (err == ERR_TIMEDOUT) {
		ktime deadline = sim_some_deadline();
		err = thread_join(t, deadline);
		CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
	}
	CHECK_EQ(err, OK);
}

static void parent(unused struct sim_thread *self)
{
	for (int i = 0; i < 12; i++) {
		struct thread_attr attr = {
			.name = S("child"),
			.entry = child,
			.arg = (void *)(uintptr_t)sim_below(2000),
			.priority = sim_some_priority(),
			.class = sim_some_class(),
			.affinity = sim_some_harts(),
		};
		struct thread_result r = thread_create(&attr);
		CHECK_EQ(r.err, OK);
		uint32_t id = thread_id(r.value);
		struct thread *again = thread_find(id);
		CHECK(again == r.value);
		if (sim_chance(4))
			thread_detach(r.value);
		else
			joins_somehow(r.value);
		thread_detach(again);
	}
}

SIMULATION(stacks_are_left_before_they_are_used, 40)
{
	for (unsigned i = 0; i < 4; i++)
		sim_spawn(parent, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_join_all();
	sim_wait_for(children_ended == 4 * 12);
}

/* ---- round robin ---- */

#define RR_EQUALS  3
#define RR_QUANTA  8 /* each */
#define QUANTUM_NS (CONFIG_SCHED_QUANTUM_US * NS_PER_US)
#define RR_STEP_NS (20 * NS_PER_US)

struct rr_group {
	ktime end;
	uint32_t last; /* index of who ran last */
	uint32_t turns;
	uint32_t turn[RR_EQUALS * RR_QUANTA * 4];
	int64_t ran_ns[RR_EQUALS];
	uint32_t first; /* index of its first thread */
};

static struct rr_group rr_group[4];

static void rr_equal(struct sim_thread *self)
{
	struct rr_group *g = self->arg;
	while (ktime_before(clock_now(), g->end)) {
		if (g->last != self->index) {
			g->last = self->index;
			CHECK(g->turns < countof(g->turn));
			g->turn[g->turns++] = self->index;
		}
		ktime before = clock_now();
		host_compute(RR_STEP_NS);
		int64_t ran = ktime_diff(clock_now(), before); /* first: the turn may end between the two */
		if (g->last == self->index)
			g->ran_ns[self->index - g->first] += ran;
	}
}

static void rr_disturbs(struct sim_thread *self)
{
	const struct rr_group *g = self->arg;
	while (ktime_before(clock_now(), g->end)) {
		CHECK_EQ(sleep_ns(100000 + sim_below(3000000)), OK);
		host_compute(sim_below(20000));
	}
}

static void rr_check(const struct rr_group *g)
{
	int64_t least = g->ran_ns[0], most = least;
	for (uint32_t i = 1; i < RR_EQUALS; i++) {
		least = min(least, g->ran_ns[i]);
		most = max(most, g->ran_ns[i]);
	}
	/* One hart: alike but for a quantum that the end cut off. Several: a hart may be late for its own timer. */
	CHECK(cpu_count() > 1 || most - least <= QUANTUM_NS + QUANTUM_NS / 4);
	CHECK(least > RR_QUANTA / 2 * QUANTUM_NS && most < RR_QUANTA * 2 * QUANTUM_NS);
	/* Nobody has two turns before each of the others has had one, once all have come. */
	for (uint32_t i = 3 * RR_EQUALS; i < g->turns; i++)
		CHECK_EQ(g->turn[i], g->turn[i - RR_EQUALS]);
}

SIMULATION(equals_take_turns, 3)
{
	host_even();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct rr_group *g = &rr_group[cpu];
		*g = (struct rr_group){.last = UINT32_MAX, .first = sim_thread_count,
			.end = ktime_add(clock_now(), RR_EQUALS * RR_QUANTA * QUANTUM_NS)};
		for (unsigned i = 0; i < RR_EQUALS; i++)
			sim_spawn(rr_equal, g, 10, SCHED_RR, UINT64_C(1) << cpu);
		sim_spawn(rr_disturbs, g, 30, SCHED_FIFO, sim_some_harts());
	}
	CHECK_EQ(thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO), OK);
	sim_begin(); /* all together, on one hart */
	CHECK_EQ(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO), OK);
	sim_join_all();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		rr_check(&rr_group[cpu]);
}

static int64_t rr_ran_ns(void)
{
	irqflags flags = arch_irq_save();
	const struct thread *t = thread_current();
	int64_t ran = t->cpu_time_ns + ktime_diff(clock_now(), t->hart->switched_at);
	arch_irq_restore(flags);
	return ran;
}

/* Also the first one, and that of who takes turns only from now on: none is over before a quantum of his own time. */
static void rr_first_turn(struct sim_thread *self)
{
	struct rr_group *g = self->arg;
	if (sim_chance(2)) {
		CHECK_EQ(thread_set_priority(thread_current(), 10, SCHED_FIFO), OK);
		host_compute(2 * QUANTUM_NS);
		CHECK_EQ(thread_set_priority(thread_current(), 10, SCHED_RR), OK);
	}
	int64_t began = rr_ran_ns();
	g->last = self->index;
	while (g->last == self->index && rr_ran_ns() - began < 2 * QUANTUM_NS) {
		self->done = (uint64_t)(rr_ran_ns() - began);
		host_compute(RR_STEP_NS);
	}
	CHECK(self->done >= QUANTUM_NS - 3 * RR_STEP_NS);
}

SIMULATION(first_turn_is_whole, 3)
{
	host_even();
	for (uint32_t i = 0; i < RR_EQUALS; i++)
		sim_spawn(rr_first_turn, &rr_group[0], 10, SCHED_RR, 1);
	CHECK_EQ(thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO), OK);
	sim_begin();
	CHECK_EQ(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO), OK);
}

/* Who is preempted stays before his equals, whatever there is to be noted about him at each switch. */
static uint8_t fifo_domain;

static void fifo_preempted(struct sim_thread *self)
{
	struct rr_group *g = self->arg;
	sched_yield(); /* which ends a turn */
	CHECK(g->last == UINT32_MAX);
	g->last = self->index;
	CHECK_EQ(thread_set_domain(thread_current(), fifo_domain), OK); /* from now on there is something to be noted */
	for (unsigned i = 0; i < 20; i++) {
		host_compute(20 * NS_PER_US);
		CHECK_EQ(g->last, self->index);
	}
	g->last = UINT32_MAX;
}

static void fifo_preempts(struct sim_thread *self)
{
	const struct sim_thread *last = self->arg;
	while (!last->ended) {
		CHECK_EQ(sleep_ns(10000 + sim_below(30000)), OK);
		host_compute(1000);
	}
}

SIMULATION(fifo_preempted_goes_on_before_its_equals, 5)
{
	struct domain_attr attr = {.budget_ns = NS_PER_S, .period_ns = NS_PER_S};
	struct domain_result charged = domain_create(S("charged"), &attr);
	CHECK_EQ(charged.err, OK);
	rr_group[0].last = UINT32_MAX;
	struct sim_thread *s = NULL;
	fifo_domain = charged.value;
	for (unsigned i = 0; i < RR_EQUALS; i++)
		s = sim_spawn(fifo_preempted, &rr_group[0], 10, SCHED_FIFO, 1);
	sim_spawn(fifo_preempts, s, 30, SCHED_FIFO, 1);
}

/* First in, first out: an equal waits until the one before it has ended. */
static void fifo_equal(struct sim_thread *self)
{
	struct rr_group *g = self->arg;
	CHECK(g->last == UINT32_MAX);
	g->last = self->index;
	host_compute(3 * QUANTUM_NS);
	CHECK_EQ(g->last, self->index);
	g->last = UINT32_MAX;
}

SIMULATION(fifo_equals_do_not_rotate, 3)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		rr_group[cpu].last = UINT32_MAX;
		for (unsigned i = 0; i < RR_EQUALS; i++)
			sim_spawn(fifo_equal, &rr_group[cpu], 10, SCHED_FIFO, UINT64_C(1) << cpu);
	}
}
