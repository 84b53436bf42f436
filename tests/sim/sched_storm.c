/*
 * sched_storm.c - deadline threads, domains and modes, everything at once: threads that change each
 * other's class, parameters, affinity and domain, stop each other and hold mutexes, at random.
 *
 * A janitor resumes who was suspended, so that the storm ends. The oracle is what matters.
 */
#include "tests/sim/world.h"

#define WORKERS 7
#define STEPS   40

static uint8_t storm_domain[3];

static struct deadline_attr storm_params(void)
{
	int64_t period = 50000 + sim_below(400000);
	struct deadline_attr a = sim_periodic(5000 + sim_below((uint32_t)period / 6), period);
	if (sim_chance(3))
		a.params.deadline_ns -= sim_below((uint32_t)(period - a.params.runtime_ns));
	else if (sim_chance(20)) /* each overrun costs the quiet time of virtual time, and there is a second in all */
		a.params.high_runtime_ns = min(2 * a.params.runtime_ns, period);
	return a;
}

static void storm_change(struct thread *t)
{
	struct deadline_attr a = storm_params();
	struct deadline_info info;
	switch (sim_below(8)) {
	case 0:
	case 1:
	case 2: {
		enum err err = thread_set_deadline(t, &a, NULL);
		CHECK(err == OK || err == ERR_NOSPC || err == ERR_BUSY || err == ERR_INVAL);
		break;
	}
	case 3:
		CHECK_EQ(thread_set_priority(t, sim_some_priority(), sim_some_class()), OK);
		break;
	case 4: {
		enum err err = thread_set_affinity(t, sim_some_harts());
		CHECK(err == OK || err == ERR_NOSPC || err == ERR_BUSY || err == ERR_INVAL);
		break;
	}
	case 5: {
		enum err err = thread_set_domain(t, storm_domain[sim_below(3)]);
		CHECK(err == OK || err == ERR_BUSY);
		break;
	}
	case 6:
		thread_suspend(t);
		break;
	default:
		thread_deadline_info(t, &info);
		thread_resume(t);
	}
}

static void storm_lock(void)
{
	uint32_t i = sim_below(sim_mutex_count), k = i + 1 + sim_below(2);
	if (sim_lock_until(&sim_mutex[i], sim_soon()) != OK)
		return;
	host_compute(sim_below(20000));
	if (k < sim_mutex_count && sim_lock_until(&sim_mutex[k], sim_soon()) == OK) {
		host_compute(sim_below(20000));
		sim_unlock(&sim_mutex[k]);
	}
	sim_unlock(&sim_mutex[i]);
}

static void storms(unused struct sim_thread *self)
{
	for (int i = 0; i < STEPS; i++) {
		enum err err = OK;
		switch (sim_below(6)) {
		case 0:
			err = thread_wait_period();
			CHECK(err == OK || err == ERR_INVAL);
			break;
		case 1:
			CHECK_EQ(sleep_until(sim_soon()), OK);
			break;
		case 2:
			storm_change(thread_current());
			break;
		case 3:
			storm_change(sim_threads[sim_below(WORKERS)].t);
			break;
		case 4:
			storm_lock();
			break;
		default:
			host_compute(sim_below(50000));
		}
	}
}

static bool storm_goes_on(void)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		if (sim_threads[i].t->state != THREAD_DEAD)
			return true;
	return false;
}

/* Nobody stays suspended. */
static void storm_janitor(unused struct sim_thread *self)
{
	while (storm_goes_on()) {
		for (uint32_t i = 0; i < WORKERS; i++)
			thread_resume(sim_threads[i].t);
		CHECK_EQ(sleep_ns(200000), OK);
	}
}

SIMULATION(deadlines_domains_and_modes_in_a_storm, 60)
{
	struct domain_attr low = {.budget_ns = 100 * NS_PER_US, .period_ns = 1 * NS_PER_MS, .low = true},
			   degraded = {.low = true, .period_ns = 1 * NS_PER_MS, .degraded_ns = 200 * NS_PER_US};
	struct domain_result a = domain_create(S("low"), &low), b = domain_create(S("degraded"), &degraded);
	CHECK(a.err == OK && b.err == OK);
	storm_domain[1] = a.value;
	storm_domain[2] = b.value;
	sim_make_mutexes(4);
	for (unsigned i = 0; i < WORKERS; i++)
		sim_spawn(storms, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_spawn(storm_janitor, NULL, 60, SCHED_FIFO, 0);
	sim_join_all();
}
