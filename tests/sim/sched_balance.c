/*
 * sched_balance.c - when the balancer moves one of several equals, and when it does not.
 *
 * Equals spin on hart 0, and one on hart 1: all of them, the body too, are bound where they begin, so what arms
 * hart 0's balancer is that some of its waiters are let go elsewhere. From then on it looks once in a period; the body looks
 * between two looks of it, and sleeps meanwhile. Whatever other harts there are may not be used.
 */
#include "tests/sim/world.h"

#define PERIOD_NS (CONFIG_SCHED_BALANCE_MS * NS_PER_MS)
#define EQUALS    6 /* on hart 0: one runs */

static_assert(6 * PERIOD_NS < NS_PER_S, "a simulation lasts no longer");

static bool equals_end;
static ktime equals_begun; /* when they were let go */

static void spins(struct sim_thread *self)
{
	self->done = 1;
	while (!equals_end)
		host_compute(100 * NS_PER_US);
}

/* The first `n` of the table wait or run on hart 0; the one behind runs on hart 1. All but the first may go there. */
static void equals_begin(uint32_t n)
{
	host_even();
	CHECK_EQ(thread_set_affinity(thread_current(), 1), OK);
	CHECK_EQ(sleep_ns(2 * PERIOD_NS), OK); /* what booting has armed is over */
	for (uint32_t i = 0; i < n; i++)
		sim_spawn(spins, NULL, 10, SCHED_FIFO, 1);
	const struct sim_thread *other = sim_spawn(spins, NULL, 10, SCHED_FIFO, 2);
	sim_begin();
	sim_wait_for(sim_threads[0].done && other->done);
	equals_begun = clock_now();
	for (uint32_t i = 1; i < n; i++)
		CHECK_EQ(thread_set_affinity(sim_threads[i].t, 3), OK);
}

/* On hart 0, between the balancer's look of that number and the next. */
static void equals_sleep_past(unsigned look)
{
	CHECK_EQ(sleep_until(ktime_add(equals_begun, look * PERIOD_NS + PERIOD_NS / 2)), OK);
}

static uint32_t equals_moved(uint32_t n)
{
	uint32_t moved = 0;
	for (uint32_t i = 0; i < n; i++)
		moved += thread_cpu(sim_threads[i].t) == 1;
	return moved;
}

/* Two more are too few to be moved where they are seen for the first time. */
SIMULATION(balance_moves_what_was_there_twice, 5)
{
	if (cpu_count() == 1)
		return;
	equals_begin(3);
	equals_sleep_past(1);
	CHECK_EQ(equals_moved(3), 0);
	equals_sleep_past(2);
	CHECK_EQ(equals_moved(3), 1);
	equals_end = true;
}

/* What it decides by is what there was. When all but two have stopped since, the one that waits would only wait elsewhere. */
SIMULATION(balance_moves_nobody_for_those_who_have_gone, 5)
{
	if (cpu_count() == 1)
		return;
	equals_begin(EQUALS);
	equals_sleep_past(1);
	CHECK_EQ(equals_moved(EQUALS), 1);
	for (uint32_t i = 1; i < EQUALS - 1; i++)
		CHECK_EQ(thread_suspend(sim_threads[i].t), OK);
	equals_sleep_past(2);
	CHECK_EQ(balance_target(sched_hart[0].balance_seen, 2, 0, 3), 1);
	CHECK_EQ(thread_cpu(sim_threads[EQUALS - 1].t), 0);
	equals_end = true;
	for (uint32_t i = 1; i < EQUALS - 1; i++)
		thread_resume(sim_threads[i].t);
}
