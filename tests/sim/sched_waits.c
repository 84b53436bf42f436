/*
 * sched_waits.c - what is waited for and handed over: semaphores, condition variables, events,
 * cancellations, callouts. Every count adds up, no timeout is early, and nothing is lost: a wait
 * without a deadline that nobody ends leaves the machine stuck, which is a failure.
 */
#include <stdlib.h>
#include "tests/sim/world.h"

/*
 * ---- semaphores: what was posted is taken, once; from threads and from interrupts ----
 */

#define POSTERS 3
#define POSTS   20

static uint32_t sem_irq_posts; /* accepted, from interrupts */

static void sem_irq(void)
{
	sem_irq_posts += sem_post(&sim_sem[0]) == OK;
}

static void posts(unused struct sim_thread *self)
{
	for (int n = 0; n < POSTS;) {
		if (sim_chance(4)) {
			host_irq_raise(sim_below(cpu_count()));
			host_compute(sim_below(2000));
		}
		enum err err = sem_post(&sim_sem[0]);
		CHECK(err == OK || err == ERR_RANGE);
		n += err == OK;
		if (err == ERR_RANGE || sim_chance(4))
			CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

static bool posting_ended;

static void takes(struct sim_thread *self)
{
	for (;;) {
		ktime deadline = sim_some_deadline();
		enum err err = sem_wait(&sim_sem[0], deadline);
		CHECK(err == OK || err == ERR_TIMEDOUT || err == ERR_INTR);
		CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
		self->done += err == OK;
		if (posting_ended)
			return;
		if (sim_chance(3))
			host_compute(sim_below(2000));
	}
}

static uint64_t taken(uint32_t first)
{
	uint64_t sum = 0;
	for (uint32_t i = first; i < sim_thread_count; i++)
		sum += sim_threads[i].done;
	return sum;
}

SIMULATION(semaphore_loses_and_makes_nothing, 80)
{
	sim_make_sem(0, 0, 1 + (int32_t)sim_below(3));
	sim_on_irq = sem_irq;
	for (unsigned i = 0; i < POSTERS; i++)
		sim_spawn(posts, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	for (unsigned i = 0; i < 3; i++)
		sim_spawn(takes, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_begin();
	for (unsigned i = 0; i < POSTERS; i++)
		while (!sim_threads[i].ended)
			CHECK_EQ(sleep_ns(20000), OK);
	posting_ended = true;
	CHECK_EQ(sleep_ns(100000), OK); /* interrupts that were raised have come */
	for (unsigned i = POSTERS; i < sim_thread_count; i++)
		while (!sim_threads[i].ended) {
			CHECK_EQ(thread_cancel(sim_threads[i].t), OK);
			CHECK_EQ(sleep_ns(20000), OK);
		}
	CHECK_EQ(taken(POSTERS) + (uint64_t)sim_sem[0].count, POSTERS * POSTS + sem_irq_posts);
}

/*
 * A cancellation ends exactly one wait: the present one, or the next when it came between two or
 * met one that succeeded.
 */

#define CANCELS 25

static struct sem cancel_sem;
static uint32_t cancels_seen;

static void is_cancelled(struct sim_thread *self)
{
	while (cancels_seen < CANCELS) {
		ktime deadline = sim_some_deadline();
		enum err err = sim_chance(2) ? sem_wait(&cancel_sem, deadline) : sleep_until(deadline);
		CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
		cancels_seen += err == ERR_INTR;
		self->done++;
	}
}

static void cancels(struct sim_thread *self)
{
	const struct sim_thread *victim = self->arg;
	for (uint32_t n = 0; n < CANCELS; n++) {
		if (sim_chance(2))
			host_compute(sim_below(3000));
		CHECK_EQ(thread_cancel(victim->t), OK);
		while (cancels_seen == n)
			CHECK_EQ(sleep_ns(1000 + sim_below(2000)), OK);
		CHECK_EQ(cancels_seen, n + 1);
	}
}

static void keeps_posting(struct sim_thread *self)
{
	const struct sim_thread *victim = self->arg;
	while (!victim->ended) {
		sem_post(&cancel_sem);
		CHECK_EQ(sleep_until(sim_soon()), OK);
	}
}

SIMULATION(cancellation_ends_one_wait, 50)
{
	sem_init(&cancel_sem, 0, 2);
	struct sim_thread *victim =
		sim_spawn(is_cancelled, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_spawn(cancels, victim, sim_some_priority(), sim_some_class(), 0);
	for (unsigned i = 0; i < 2; i++)
		sim_spawn(keeps_posting, victim, sim_some_priority(), sim_some_class(), 0);
}

/*
 * A timeout belongs to its own wait. Short waits that are ended about when their time is over
 * are followed by long ones, which only a timeout that is late for its own wait could end early.
 */

static struct sem short_sem, long_sem;

static void waits_short_then_long(struct sim_thread *self)
{
	for (int i = 0; i < 25; i++) {
		ktime soon = ktime_add(clock_now(), 500 + sim_below(2500));
		enum err err = sem_wait(&short_sem, soon);
		CHECK(err == OK || (err == ERR_TIMEDOUT && !ktime_before(clock_now(), soon)));
		ktime far = ktime_add(clock_now(), 500 * NS_PER_MS);
		CHECK_EQ(sem_post(self->arg), OK);
		CHECK_EQ(sem_wait(&long_sem, far), OK);
	}
}

static struct sem asks_long;

static void ends_waits(struct sim_thread *self)
{
	const struct sim_thread *victim = self->arg;
	while (!victim->ended) {
		host_compute(sim_below(3000));
		sem_post(&short_sem);
		enum err err = sem_wait(&asks_long, sim_soon());
		CHECK(err == OK || err == ERR_TIMEDOUT);
		if (err == OK) {
			host_compute(sim_below(10000));
			CHECK_EQ(sem_post(&long_sem), OK);
		}
	}
}

SIMULATION(timeout_hits_no_later_wait, 80)
{
	sem_init(&short_sem, 0, 1);
	sem_init(&long_sem, 0, 1);
	sem_init(&asks_long, 0, 1);
	struct sim_thread *victim = sim_spawn(
		waits_short_then_long, &asks_long, sim_some_priority(), sim_some_class(), sim_some_harts());
	sim_spawn(ends_waits, victim, sim_some_priority(), sim_some_class(), sim_some_harts());
}

/* ---- condition variables: a bounded queue ---- */

#define QUEUE_ITEMS 40

static struct condvar queue_changed[2]; /* not empty, not full */
static uint32_t queue_used, queue_put, queue_taken;

static void queue_wait(struct condvar *c)
{
	enum err err = sim_cond_wait(c, &sim_mutex[0], sim_some_deadline());
	CHECK(err == OK || err == ERR_TIMEDOUT || err == ERR_INTR);
}

static void queue_tell(struct condvar *c)
{
	if (sim_chance(8))
		condvar_broadcast(c);
	else
		condvar_signal(c);
}

static void puts_items(unused struct sim_thread *self)
{
	for (;;) {
		sim_lock(&sim_mutex[0]);
		while (queue_used == 2 && queue_put < QUEUE_ITEMS)
			queue_wait(&queue_changed[1]);
		bool more = queue_put < QUEUE_ITEMS;
		queue_used += more;
		queue_put += more;
		if (more)
			queue_tell(&queue_changed[0]);
		else
			condvar_broadcast(&queue_changed[1]);
		sim_unlock(&sim_mutex[0]);
		if (!more)
			return;
		host_compute(sim_below(1000));
	}
}

static void takes_items(unused struct sim_thread *self)
{
	for (;;) {
		sim_lock(&sim_mutex[0]);
		while (queue_used == 0 && queue_taken < QUEUE_ITEMS)
			queue_wait(&queue_changed[0]);
		bool more = queue_taken < QUEUE_ITEMS;
		queue_used -= more;
		queue_taken += more;
		if (more)
			queue_tell(&queue_changed[1]);
		if (queue_taken == QUEUE_ITEMS)
			condvar_broadcast(&queue_changed[0]);
		sim_unlock(&sim_mutex[0]);
		if (!more)
			return;
		host_compute(sim_below(1000));
	}
}

SIMULATION(condition_is_never_missed, 60)
{
	sim_make_mutexes(1);
	for (unsigned i = 0; i < 2; i++)
		condvar_init(&queue_changed[i]);
	for (unsigned i = 0; i < 3; i++) {
		sim_spawn(puts_items, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
		sim_spawn(takes_items, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
	}
	sim_join_all();
	CHECK_EQ(queue_used, 0);
	CHECK_EQ(queue_taken, QUEUE_ITEMS);
}

/* ---- events: every setting is taken by one waiter ---- */

#define EVENT_BITS 3
#define EVENT_SETS 20

static struct event event;
static struct sem event_taken[EVENT_BITS];
static uint32_t event_due; /* bits that the interrupt sets */

static void event_irq(void)
{
	event_set(&event, __atomic_exchange_n(&event_due, 0, __ATOMIC_RELAXED));
}

static void sets_events(struct sim_thread *self)
{
	uint32_t bit = (uint32_t)(uintptr_t)self->arg;
	for (int i = 0; i < EVENT_SETS; i++) {
		if (sim_chance(2)) {
			event_set(&event, 1u << bit);
		} else {
			__atomic_fetch_or(&event_due, 1u << bit, __ATOMIC_RELAXED);
			host_irq_raise(sim_below(cpu_count()));
		}
		CHECK_EQ(sem_wait(&event_taken[bit], KTIME_NEVER), OK);
	}
}

/* One of them takes every bit, so that somebody waits for each. */
static void takes_events(struct sim_thread *self)
{
	for (;;) {
		uint32_t mask = 1u << EVENT_BITS | sim_below(1u << EVENT_BITS);
		if (self->arg)
			mask = UINT32_MAX;
		ktime deadline = sim_some_deadline();
		struct event_result r = event_wait(&event, mask, deadline);
		CHECK(r.err == OK || (r.err == ERR_TIMEDOUT && !ktime_before(clock_now(), deadline)));
		if (r.err != OK)
			continue;
		CHECK((r.value & ~mask) == 0 && r.value != 0);
		for (uint32_t bit = 0; bit < EVENT_BITS; bit++)
			if (r.value >> bit & 1)
				CHECK_EQ(sem_post(&event_taken[bit]), OK);
		if (r.value >> EVENT_BITS & 1) {
			event_set(&event, 1u << EVENT_BITS); /* the end, for the others too */
			return;
		}
	}
}

SIMULATION(event_is_taken_once, 40)
{
	event_init(&event);
	sim_on_irq = event_irq;
	for (unsigned i = 0; i < EVENT_BITS; i++) {
		sem_init(&event_taken[i], 0, 1);
		sim_spawn(sets_events, (void *)(uintptr_t)i, sim_some_priority(), sim_some_class(),
			sim_some_harts());
	}
	for (unsigned i = 0; i < 3; i++)
		sim_spawn(takes_events, i == 0 ? &event : NULL, sim_some_priority(), sim_some_class(),
			sim_some_harts());
	sim_begin();
	for (unsigned i = 0; i < EVENT_BITS; i++)
		while (!sim_threads[i].ended)
			CHECK_EQ(sleep_ns(20000), OK);
	event_set(&event, 1u << EVENT_BITS);
}

/*
 * ---- callouts: never early, never behind a stop, in memory that is given back at once ----
 * Lesson 10: they run unlocked; a hard one that wakes, a soft one that takes a mutex.
 */

struct shot {
	struct callout c;
	ktime due;
	struct sem fired;
	bool soft;
};

static void shot_fires(void *arg)
{
	struct shot *s = arg;
	CHECK(!ktime_before(clock_now(), s->due));
	CHECK_EQ(arch_in_interrupt(), !s->soft);
	if (s->soft) {
		sim_lock(&sim_mutex[0]);
		host_compute(sim_below(500));
		sim_unlock(&sim_mutex[0]);
	}
	CHECK_EQ(sem_post(&s->fired), OK);
}

static void shoots(unused struct sim_thread *self)
{
	for (int i = 0; i < 15; i++) {
		struct shot *s = malloc(sizeof(*s));
		s->soft = sim_chance(2);
		sem_init(&s->fired, 0, 1);
		callout_init(&s->c, s->soft ? CALLOUT_SOFT : CALLOUT_HARD, shot_fires, s);
		s->due = sim_soon();
		CHECK_EQ(callout_start(&s->c, s->due), OK);
		if (sim_chance(2))
			host_compute(sim_below(20000));
		bool fired = false;
		if (sim_chance(2)) {
			CHECK_EQ(sem_wait(&s->fired, KTIME_NEVER), OK);
			fired = true;
		}
		bool stopped = callout_stop(&s->c);
		callout_stop_wait(&s->c);
		CHECK(!(fired && stopped));
		if (!fired)
			CHECK_EQ(sem_try(&s->fired), !stopped);
		free(s);
	}
}

SIMULATION(callout_is_not_early_nor_late_for_a_stop, 40)
{
	sim_make_mutexes(1);
	for (unsigned i = 0; i < 5; i++)
		sim_spawn(shoots, NULL, sim_some_priority(), sim_some_class(), sim_some_harts());
}
