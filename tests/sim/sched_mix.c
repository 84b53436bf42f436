/*
 * sched_mix.c - everything at once: threads that wait, lock, sleep, yield, compute, and change, stop,
 * cancel and move each other at random, with children coming and going and interrupts that wake.
 *
 * A janitor resumes who was suspended and posts what somebody waits for, so that the
 * mix always ends; that no wake is lost is shown where nobody helps (the other files).
 * Here the oracle is what matters.
 */
#include "tests/sim/world.h"

#define WORKERS 6
#define STEPS   35

static struct condvar mix_condvar;
static struct event mix_event;

static void mix_irq(void)
{
	switch (sim_below(3)) {
	case 0:
		sem_post(&sim_sem[0]);
		break;
	case 1:
		event_set(&mix_event, 1u << sim_below(4));
		break;
	default:
		thread_resume(sim_threads[sim_below(WORKERS)].t);
	}
}

static bool mix_result_fits(enum err err, ktime deadline)
{
	return err == OK || err == ERR_INTR ||
	       (err == ERR_TIMEDOUT && !ktime_before(clock_now(), deadline));
}

static void mix_wait(void)
{
	ktime deadline = sim_some_deadline();
	enum err err;
	switch (sim_below(4)) {
	case 0:
		err = sem_wait(&sim_sem[sim_below(2)], deadline);
		break;
	case 1:
		err = event_wait(&mix_event, 1 + sim_below(15), deadline).err;
		break;
	case 2:
		sim_lock(&sim_mutex[0]);
		err = sim_cond_wait(&mix_condvar, &sim_mutex[0], deadline);
		sim_unlock(&sim_mutex[0]);
		break;
	default:
		deadline = sim_soon();
		err = sleep_until(deadline);
		CHECK(err != OK || !ktime_before(clock_now(), deadline));
	}
	CHECK(mix_result_fits(err, deadline));
}

static void mix_wake(void)
{
	switch (sim_below(4)) {
	case 0:
		sem_post(&sim_sem[sim_below(2)]);
		break;
	case 1:
		event_set(&mix_event, 1u << sim_below(4));
		break;
	case 2:
		condvar_signal(&mix_condvar);
		break;
	default:
		host_irq_raise(sim_below(cpu_count()));
	}
}

static void mix_change(void)
{
	struct thread *t = sim_threads[sim_below(WORKERS)].t;
	switch (sim_below(6)) {
	case 0:
		CHECK_EQ(thread_set_priority(t, sim_some_priority(), sim_some_class()), OK);
		break;
	case 1:
		CHECK_EQ(thread_set_affinity(t, sim_some_harts()), OK);
		break;
	case 2:
		thread_suspend(t);
		break;
	case 3:
		thread_resume(t);
		break;
	case 4:
		CHECK_EQ(thread_cancel(t), OK);
		break;
	default:
		sched_yield();
	}
}

static void mix_locks(void)
{
	struct sim_mutex *first = &sim_mutex[sim_below(2)], *second = &sim_mutex[2];
	sim_lock(first);
	if (sim_chance(2))
		mix_change();
	ktime deadline = sim_some_deadline();
	enum err err = sim_lock_until(second, deadline);
	CHECK(mix_result_fits(err, deadline));
	if (err == OK) {
		if (sim_chance(2))
			mix_change();
		else
			host_compute(sim_below(1000));
		sim_unlock(second);
	}
	sim_unlock(first);
}

static void mix_child_runs(unused void *arg)
{
	host_compute(500);
}

static void mix_child(void)
{
	struct thread_attr attr = {.name = S("child"), .entry = mix_child_runs,
		.priority = sim_some_priority(), .class = sim_some_class(), .affinity = sim_some_harts()};
	struct thread_result r = thread_create(&attr);
	CHECK_EQ(r.err, OK);
	if (sim_chance(2) || thread_join(r.value, sim_soon()) != OK)
		thread_detach(r.value);
}

static void mixes(struct sim_thread *self)
{
	for (int i = 0; i < STEPS; i++) {
		switch (sim_below(8)) {
		case 0:
		case 1:
			mix_wait();
			break;
		case 2:
			mix_wake();
			break;
		case 3:
			mix_locks();
			break;
		case 4:
		case 5:
			mix_change();
			break;
		case 6:
			mix_child();
			break;
		default:
			host_compute(sim_below(3000));
		}
		self->done++;
	}
}

static void janitor(unused struct sim_thread *self)
{
	while (sim_running_threads() > 1) {
		CHECK_EQ(sleep_ns(30000), OK);
		for (unsigned i = 0; i < WORKERS; i++)
			thread_resume(sim_threads[i].t);
		for (unsigned i = 0; i < 2; i++)
			sem_post(&sim_sem[i]);
		event_set(&mix_event, 15);
		condvar_broadcast(&mix_condvar);
	}
}

SIMULATION(everything_at_once, 150)
{
	sim_make_mutexes(3);
	sim_make_sem(0, 0, 1);
	sim_make_sem(1, 1, 2);
	condvar_init(&mix_condvar);
	event_init(&mix_event);
	for (unsigned i = 0; i < WORKERS; i++)
		sim_spawn(mixes, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_on_irq = mix_irq;
	sim_spawn(janitor, NULL, PRIO_MAX, SCHED_FIFO, 0);
}
