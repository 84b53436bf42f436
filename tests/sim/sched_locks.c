/*
 * sched_locks.c - mutexes: exclusion, handover, and inherited priorities, which the oracle
 * recomputes from what is held and waited for whenever the machine is quiet.
 */
#include "tests/sim/world.h"

#define LOCKERS 7

static bool takes_one(struct sim_mutex *m)
{
	switch (sim_below(4)) {
	case 0:
		return sim_try_lock(m);
	case 1: {
		enum err err = sim_lock_until(m, sim_soon());
		CHECK(err == OK || err == ERR_TIMEDOUT || err == ERR_INTR);
		return err == OK;
	}
	default:
		sim_lock(m);
		return true;
	}
}

/* What may happen while something is held. */
static void meanwhile(void)
{
	switch (sim_below(5)) {
	case 0: {
		enum err err = sleep_until(sim_soon());
		CHECK(err == OK || err == ERR_INTR);
		break;
	}
	case 1:
		sched_yield();
		break;
	default:
		host_compute(sim_below(3000));
	}
}

/* Several at once, in order, released in any order. */
static void locks(struct sim_thread *self)
{
	struct sim_mutex *held[SIM_HELD_MAX];
	for (int i = 0; i < 15; i++) {
		uint32_t n = 0;
		for (uint32_t m = sim_below(2); m < sim_mutex_count; m += 1 + sim_below(3)) {
			if (n < SIM_HELD_MAX && takes_one(&sim_mutex[m]))
				held[n++] = &sim_mutex[m];
			meanwhile();
		}
		while (n > 0) {
			uint32_t k = sim_below(n);
			sim_unlock(held[k]);
			held[k] = held[--n];
			if (sim_chance(3))
				meanwhile();
		}
		self->done++;
	}
}

/* Cancels their waits, changes their priorities and harts. */
static void meddles(unused struct sim_thread *self)
{
	while (sim_running_threads() > 1) {
		struct thread *t = sim_threads[sim_below(LOCKERS)].t;
		switch (sim_below(4)) {
		case 0:
			CHECK_EQ(thread_cancel(t), OK);
			break;
		case 1:
			CHECK_EQ(thread_set_affinity(t, sim_some_harts()), OK);
			break;
		default:
			CHECK_EQ(thread_set_priority(t, sim_some_priority(), sim_some_class()), OK);
		}
		CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

/*
 * Lesson 7: a wrong priority after releasing one of several mutexes. Lesson 8: a boost that races
 * with a thread's way into a queue. At the end nobody has more than his own.
 */
SIMULATION(priority_is_that_of_all_that_is_held, 80)
{
	sim_make_mutexes(4);
	for (unsigned i = 0; i < LOCKERS; i++)
		sim_spawn(locks, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	if (sim_chance(2))
		sim_spawn(meddles, NULL, 60, SCHED_FIFO, 0);
}

/* The same free to run anywhere, so that every fall of a priority is another hart's chance. */
SIMULATION(fall_of_a_priority_lets_others_run, 60)
{
	sim_make_mutexes(2);
	for (unsigned i = 0; i < LOCKERS; i++)
		sim_spawn(locks, NULL, sim_some_priority(), sim_some_class(), 0);
	sim_spawn(meddles, NULL, 60, SCHED_FIFO, 0);
}

/* ---- a chain as long as there are mutexes ---- */

#define LINKS SIM_MUTEXES_MAX

static struct sem chain_end;

/* Holds the mutex of its index and waits for the one behind; the last waits for the signal. */
static void link_of_chain(struct sim_thread *self)
{
	sim_lock(&sim_mutex[self->index]);
	self->done = 1;
	if (self->index + 1 < LINKS) {
		sim_wait_for(sim_threads[self->index + 1].done);
		sim_lock(&sim_mutex[self->index + 1]);
		sim_unlock(&sim_mutex[self->index + 1]);
	} else {
		CHECK_EQ(sem_wait(&chain_end, KTIME_NEVER), OK);
	}
	sim_unlock(&sim_mutex[self->index]);
}

static void at_the_head(struct sim_thread *self)
{
	while (!sim_threads[0].done)
		CHECK_EQ(sleep_ns(5000), OK);
	CHECK_EQ(sim_lock_until(&sim_mutex[0], ktime_add(clock_now(), 3 * NS_PER_MS)), ERR_TIMEDOUT);
	self->done = 1;
}

SIMULATION(chain_lends_to_its_end_and_takes_back, 30)
{
	sem_init(&chain_end, 0, 1);
	sim_make_mutexes(LINKS);
	CHECK_EQ(thread_set_priority(thread_current(), 60, SCHED_FIFO), OK);
	for (unsigned i = 0; i < LINKS; i++)
		sim_spawn(link_of_chain, NULL, (uint8_t)(1 + i), SCHED_FIFO, sim_some_harts());
	struct sim_thread *head = sim_spawn(at_the_head, NULL, 50, SCHED_FIFO, 0);
	const struct thread *last = sim_threads[LINKS - 1].t;
	uint8_t most = 0;
	sim_begin();
	while (!head->done) {
		CHECK_EQ(sleep_ns(5000), OK);
		most = max(most, (uint8_t)rank_priority(last->run.rank));
	}
	CHECK_EQ(most, 50);
	CHECK_EQ(rank_priority(last->run.rank), LINKS);
	CHECK_EQ(sem_post(&chain_end), OK);
	CHECK_EQ(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO), OK);
}

/* lockdep sees the order broken, which is the point. */
static void circle_report(unused struct str what)
{
}

/* ---- two chains, and who joins them in the middle ---- */

#define JOINED_MAX (PI_CHAIN_MAX + 2)
#define JOINT      (JOINED_MAX / 2) /* waits last */

static struct mutex joined[JOINED_MAX]; /* the oracle knows the graph only */
static struct sem joined_end;
static uint32_t joined_links;
static enum err joined_err;

/* Who stands in the graph. */
static uint32_t joined_waiting(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < joined_links; i++)
		n += sim_threads[i].t->blocked_on != NULL;
	return n;
}

static enum err joined_wait(uint32_t next, ktime deadline)
{
	enum err err = mutex_lock_until(&joined[next], deadline);
	if (err == OK)
		mutex_unlock(&joined[next]);
	return err;
}

/* Each holds the mutex of its index and waits for the next. Of the first ones the wait ends before that of the others. */
static void link_of_joined(struct sim_thread *self)
{
	uint32_t i = self->index;
	mutex_lock(&joined[i]);
	self->done = 1;
	if (i < joined_links)
		sim_wait_for(sim_threads[i + 1].done);
	if (i == JOINT) {
		sim_wait_for(joined_waiting() == joined_links - 1);
		joined_err = joined_wait(i + 1, KTIME_NEVER);
		CHECK_EQ(joined_err, joined_links > PI_CHAIN_MAX ? ERR_DEADLK : OK);
	} else if (i < joined_links) {
		enum err err = joined_wait(i + 1, i < 3 ? ktime_add(clock_now(), 20 * NS_PER_MS) : KTIME_NEVER);
		CHECK(err == OK || (i < 3 && err == ERR_TIMEDOUT));
	} else {
		CHECK_EQ(sem_wait(&joined_end, KTIME_NEVER), OK);
	}
	mutex_unlock(&joined[i]);
}

/* Joined, they would be longer than a change of rank is carried: who timed out at one end would be lender at the other. */
SIMULATION(chains_joined_in_the_middle_are_bounded, 10)
{
	joined_links = PI_CHAIN_MAX + sim_below(2);
	sem_init(&joined_end, 0, 1);
	lockdep_set_hook(circle_report);
	CHECK_EQ(thread_set_priority(thread_current(), 60, SCHED_FIFO), OK);
	for (uint32_t i = 0; i <= joined_links; i++)
		mutex_init(&joined[i], LOCK_TEST_MUTEX);
	for (uint32_t i = 0; i <= joined_links; i++)
		sim_spawn(link_of_joined, NULL, i == 0 ? 50 : 10, SCHED_FIFO, sim_some_harts());
	const struct thread *last = sim_threads[joined_links].t;
	bool fits = joined_links <= PI_CHAIN_MAX, lent = false;
	uint64_t refused = pi_chains_refused();
	sim_begin();
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(sleep_ns(5 * NS_PER_MS), OK);
		lent |= rank_priority(last->run.rank) == 50;
	}
	CHECK_EQ(lent, fits);
	CHECK_EQ(rank_priority(last->run.rank), 10);
	CHECK_EQ(pi_chains_refused() - refused, !fits);
	CHECK_EQ(sem_post(&joined_end), OK);
	CHECK_EQ(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO), OK);
}

/* Whoever would close a circle is told, and has waited for nothing. */

static bool circle_refused;

static void closes_circle(struct sim_thread *self)
{
	struct sim_mutex *mine = &sim_mutex[self->index], *other = &sim_mutex[1 - self->index];
	sim_lock(mine);
	self->done = 1;
	sim_wait_for(sim_threads[1 - self->index].done);
	enum err err = sim_lock_until(other, KTIME_NEVER);
	CHECK(err == OK || (err == ERR_DEADLK && !circle_refused));
	circle_refused |= err == ERR_DEADLK;
	if (err == OK)
		sim_unlock(other);
	sim_unlock(mine);
}

SIMULATION(circle_is_refused, 20)
{
	lockdep_set_hook(circle_report);
	sim_make_mutexes(2);
	for (unsigned i = 0; i < 2; i++)
		sim_spawn(closes_circle, NULL, 10, SCHED_RR, UINT64_C(1) << i % cpu_count());
	sim_join_all();
	CHECK(circle_refused);
}
