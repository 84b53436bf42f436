/*
 * world.h - the scheduler and all that sleeps, on virtual harts, and what is watched there.
 *
 *	SIMULATION(sem_loses_nothing, 20)             20 seeds, each at 1, 2, 3 and 4 harts
 *	{
 *		...prepare, sim_spawn(...), sim_join_all();
 *	}
 *
 * A simulation's body is the thread "boot" on hart 0; behind it the oracle looks for the last
 * time. Everything below kernel/sched that is not kernel/lock, kernel/time or arch is a stand-in
 * (world.c): stacks, pools, log, panic. Memory that is given back is poisoned.
 *
 * Environment: SEED=N or random, RUNS=N seeds instead of the number given, HARTS=N only so
 * many harts, DEPTH=N so many times the seeds.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "arch/host/host.h"
#include "kernel/sched/sched_priv.h"
#include "kernel/sync/condvar.h"
#include "kernel/sync/event.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/sem.h"
#include "tests/host/test.h"

#define SIMULATION(id, seeds)                                                                      \
	static void sim_##id(void);                                                                \
	TEST(id)                                                                                   \
	{                                                                                          \
		sim_run(sim_##id, (seeds));                                                        \
	}                                                                                          \
	static void sim_##id(void)

void sim_run(void (*body)(void), unsigned seeds);

/* Choices of the scenario, apart from those of the machine. */
extern struct test_rng sim_rng;
static inline uint32_t sim_below(uint32_t n)
{
	return (uint32_t)test_below(&sim_rng, n);
}
static inline bool sim_chance(uint32_t one_in)
{
	return sim_below(one_in) == 0;
}
static inline uint64_t sim_all_harts(void)
{
	return (UINT64_C(1) << cpu_count()) - 1;
}
uint64_t sim_some_harts(void); /* at least one */
uint8_t sim_some_priority(void);
enum sched_class sim_some_class(void);
ktime sim_soon(void);          /* within 20 us */
ktime sim_some_deadline(void); /* soon, or never */

/* Of one that has a deadline. */
static inline struct deadline_info sim_deadline_info(struct thread *t)
{
	struct deadline_info info;
	CHECK(thread_deadline_info(t, &info));
	return info;
}

static inline struct deadline_attr sim_periodic(int64_t runtime_ns, int64_t period_ns)
{
	return (struct deadline_attr){.params = {
		.runtime_ns = runtime_ns, .deadline_ns = period_ns, .period_ns = period_ns}};
}

/* ---- threads of the scenario ---- */

#define SIM_THREADS_MAX 40
#define SIM_HELD_MAX    4

struct sim_thread {
	struct thread *t; /* valid until all are joined */
	void (*fn)(struct sim_thread *self);
	void *arg;
	uint32_t index;
	bool ended; /* its function has returned */
	uint64_t done; /* operations, or what the scenario counts */
	/* what it holds and waits for, by its own account: for the oracle */
	const struct sim_mutex *waits_for;
	const struct sim_mutex *held[SIM_HELD_MAX];
	uint32_t held_count;
};

extern struct sim_thread sim_threads[SIM_THREADS_MAX];
extern uint32_t sim_thread_count;

struct sim_thread *sim_spawn(void (*fn)(struct sim_thread *), void *arg, uint8_t priority,
	enum sched_class class, uint64_t affinity);
void sim_begin(void); /* lets them run: what was spawned waits until then */
void sim_join_all(void);
uint32_t sim_running_threads(void); /* those that have not ended */
struct sim_thread *sim_self(void);
/* Waits until `cond` is true, for at most a virtual second. */
#define sim_wait_for(cond)                                                                         \
	do {                                                                                       \
		ktime sim_limit = ktime_add(clock_now(), NS_PER_S);                                \
		while (!(cond)) {                                                                  \
			CHECK(ktime_before(clock_now(), sim_limit));                               \
			CHECK_EQ(sleep_ns(2000), OK);                                              \
		}                                                                                  \
	} while (0)
/* Until the machine has been seen quiet once more. */
void sim_settle(void);

/* The handler of the next interrupts that are raised; interrupt context. */
extern void (*sim_on_irq)(void);

/* Called with each line of the log, where it is written. */
extern void (*sim_on_log)(struct str line);

/* ---- objects that the oracle watches ---- */

#define SIM_MUTEXES_MAX 8
#define SIM_SEMS_MAX    4

struct sim_mutex {
	struct mutex m;
	uint32_t inside; /* threads between lock and unlock */
};

extern struct sim_mutex sim_mutex[SIM_MUTEXES_MAX]; /* locked in this order by who holds several */
extern struct sem sim_sem[SIM_SEMS_MAX];
extern uint32_t sim_mutex_count, sim_sem_count;
void sim_make_mutexes(uint32_t n);
void sim_make_sem(uint32_t i, int32_t count, int32_t max);

void sim_lock(struct sim_mutex *m);
must_check enum err sim_lock_until(struct sim_mutex *m, ktime deadline);
must_check bool sim_try_lock(struct sim_mutex *m);
void sim_unlock(struct sim_mutex *m);
/* condvar_wait() with the accounts kept. */
must_check enum err sim_cond_wait(struct condvar *c, struct sim_mutex *m, ktime deadline);

/* ---- oracle.c ---- */

/* The machine is quiet: everything that must be true of it now. */
void oracle_look(void);
/* No thread of the scenario is left: all of them have given back what they had. */
void oracle_last_look(void);
extern uint64_t oracle_looks;
void oracle_print_threads(void);

/* Every thread that exists, those of the kernel included. */
#define WORLD_THREADS_MAX (1 + CPU_MAX + CONFIG_THREAD_MAX)
size_t world_threads(struct thread **out);
size_t world_stacks_used(void);
struct sim_thread *sim_of(const struct thread *t); /* NULL: the kernel's own */

#endif
