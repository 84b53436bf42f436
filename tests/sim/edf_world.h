/*
 * edf_world.h - harts on which edf_core.c's servers run, as events in virtual time, without threads.
 *
 * It does what the shell does: wakes, charges, throttles, replenishes, runs the earliest deadline.
 * Its oracle keeps a job's release and due instant by itself, never by a server's or job's counters.
 * Partitioned harts do not meet, so each is run alone.
 *
 * Units. The hart supplies k/1000 of its time. With g = gcd(k, 1000), times are counted in g/k ns and
 * work in g/1000 ns: then it does one unit of work in one unit of time, and nothing is rounded.
 *
 * Overhead is work of a job in front of its own that its server does not pay: one charge for each new
 * instance, at most one in a period. What wakes more often pays by itself. One that overruns is throttled
 * late by up to half a charge, out of that charge.
 *
 * No allocation; scans over the tasks of a hart, which are few.
 */
#ifndef TESTS_SIM_EDF_WORLD_H
#define TESTS_SIM_EDF_WORLD_H

#include "kernel/sched/admission_core.h"
#include "kernel/sched/edf_core.h"
#include "tests/host/test.h"

#define WORLD_TASKS 48
#define WORLD_NEVER INT64_MAX

enum habit {
	OBEYS,
	OVERRUNS, /* some jobs are several budgets long */
	NEVER_STOPS,
	WAKES_EARLY, /* and often, with jobs of any length */
	SAVES_UP,    /* takes a little, and the rest just before the server's deadline */
};

struct world_task {
	struct edf_server s;
	struct edf_job j;
	struct edf_params p;
	struct admission_task admitted; /* ns */
	enum habit habit;
	bool used_slot, hi;
	/* the job, by the oracle's account */
	bool going;
	bool excused; /* its deadline does not count: it was suspended */
	int64_t release, due, left, front;
	int64_t charged; /* when overhead was free last */
	int64_t late;    /* so much it runs on when its budget is spent */
	int64_t next;
	uint64_t jobs;
	int64_t lateness_max;
	/* what one that does not obey has used, at a few instants */
	int64_t used;
	struct {
		int64_t at, used;
	} sample[4];
};

struct world_hart {
	size_t n;
	int64_t now;
	int64_t key[WORLD_TASKS];   /* deadline of who may run */
	int64_t timer[WORLD_TASKS]; /* next release or replenishment */
	struct world_task t[WORLD_TASKS];
	struct test_rng rng;
	int64_t time_unit, work_unit; /* of a ns */
	int64_t charge;
	bool strict;
	bool worst; /* every job is as long as it may be and comes as soon as it may */
	bool high;
	int64_t quiet_until;
	bool stop_when_idle;
	uint64_t jobs, raised;
	/* the first miss of one that obeys; of any server */
	uint64_t misses, server_misses;
	int64_t first_miss;
};

static inline uint64_t world_below(struct world_hart *h, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)test_u64(&h->rng) * n) >> 64);
}

static inline bool world_chance(struct world_hart *h, unsigned one_in)
{
	return world_below(h, one_in) == 0;
}

static inline void world_hart_init(
	struct world_hart *h, const struct admission_limits *l, uint64_t seed)
{
	int64_t k = 1000 - l->reserve_permille, a = k, b = 1000;
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	*h = (struct world_hart){.rng = test_rng(seed), .time_unit = k / a, .work_unit = 1000 / a};
	h->charge = l->charge_ns * h->work_unit;
}

/* A task that has been admitted; its first release is at `first`, its server begins at `not_before`. */
static inline void world_task_start(struct world_hart *h, size_t i, const struct admission_task *a,
	int64_t not_before, int64_t first, uint64_t x)
{
	struct world_task *t = &h->t[i];
	int64_t period = a->period_ns * h->time_unit;
	*t = (struct world_task){
		.admitted = *a,
		.used_slot = true,
		.hi = a->high_runtime_ns != 0,
		.p = {.runtime_ns = a->runtime_ns * h->work_unit,
			.high_runtime_ns = a->high_runtime_ns * h->work_unit,
			.deadline_ns = a->deadline_ns * h->time_unit,
			.period_ns = period},
		.charged = not_before - period,
		.next = first,
		.lateness_max = INT64_MIN,
	};
	edf_init(&t->s, &t->p, (ktime){not_before});
	t->s.strict = h->strict;
	if (t->hi)
		edf_set_virtual(&t->s, admission_virtual_deadline(x, a->period_ns) * h->time_unit);
	edf_job_init(&t->j);
	h->key[i] = WORLD_NEVER;
	h->timer[i] = first;
	h->n = max(h->n, i + 1);
}

static inline void world_task_stop(struct world_hart *h, size_t i)
{
	h->key[i] = h->timer[i] = WORLD_NEVER;
	h->t[i].used_slot = false;
}

/* What its server's state says about when it is looked at again. */
static inline void world_place(struct world_hart *h, size_t i)
{
	struct world_task *t = &h->t[i];
	bool active = t->s.state == EDF_ACTIVE, throttled = t->s.state == EDF_THROTTLED;
	h->key[i] = active ? edf_deadline(&t->s).ns : WORLD_NEVER;
	h->timer[i] = active ? WORLD_NEVER : throttled ? edf_replenish_at(&t->s).ns : t->next;
	if (h->high && !t->hi)
		h->key[i] = h->timer[i] = WORLD_NEVER;
}

/* ---- jobs ---- */

static inline int64_t world_length(struct world_hart *h, const struct world_task *t)
{
	int64_t budget = t->p.runtime_ns;
	if (t->habit == OBEYS && t->hi && world_chance(h, 8))
		budget = t->p.high_runtime_ns;
	if (t->habit == NEVER_STOPS)
		return INT64_MAX / 4;
	if (t->habit == OVERRUNS && world_chance(h, 2))
		return budget * 5 / 2 + (int64_t)world_below(h, (uint64_t)budget * 3);
	if (t->habit >= WAKES_EARLY && world_chance(h, 2))
		budget = budget / 50 + 1;
	if (h->worst || world_chance(h, 2))
		return budget;
	return 1 + (int64_t)world_below(h, (uint64_t)budget);
}

static inline int64_t world_overhead(struct world_hart *h)
{
	return h->worst || world_chance(h, 2) ? h->charge
					      : (int64_t)world_below(h, (uint64_t)h->charge + 1);
}

/* A wake or a replenishment: is the overhead of it a part of what was admitted? */
static inline void world_switch_cost(struct world_hart *h, struct world_task *t)
{
	if (t->s.start.ns == h->now && h->now - t->charged >= t->p.period_ns) {
		t->late = t->habit == OBEYS ? 0
					    : (int64_t)world_below(h, (uint64_t)h->charge / 2 + 1);
		t->front = max(world_overhead(h) - t->late, 0);
		t->charged = h->now;
	} else {
		t->left += h->charge;
		t->late = 0;
	}
}

static inline void world_release(struct world_hart *h, size_t i)
{
	struct world_task *t = &h->t[i];
	t->going = true;
	t->excused = false;
	t->release = h->now;
	t->due = h->now + t->p.deadline_ns;
	t->left = world_length(h, t);
	edf_job_begin(&t->j, &t->p, (ktime){h->now});
	bool active = edf_wake(&t->s, (ktime){h->now}, (ktime){h->now});
	CHECK(active || t->habit != OBEYS);
	world_switch_cost(h, t);
	world_place(h, i);
}

static inline int64_t world_next_release(struct world_hart *h, const struct world_task *t)
{
	int64_t period = t->p.period_ns, next = t->release + period;
	if (t->habit == SAVES_UP && world_chance(h, 2))
		return max(h->now,
			edf_deadline(&t->s).ns -
				(int64_t)(world_below(h, (uint64_t)period) >> world_below(h, 8)));
	if (t->habit >= WAKES_EARLY)
		return h->now + (int64_t)(world_below(h, (uint64_t)period) >> world_below(h, 12));
	if (!h->worst && world_chance(h, 4))
		next += (int64_t)(world_below(h, (uint64_t)period) >> world_below(h, 8));
	if (t->excused)
		next = max(next, edf_replenish_at(&t->s).ns);
	return t->habit == OBEYS ? next : max(next, h->now);
}

static inline void world_missed(struct world_hart *h, int64_t due)
{
	if (h->misses++ == 0)
		h->first_miss = due;
}

static inline void world_end(struct world_hart *h, size_t i)
{
	struct world_task *t = &h->t[i];
	int64_t late = edf_job_end(&t->j, &t->p, (ktime){h->now});
	h->jobs++;
	if (t->habit == OBEYS && !t->excused) {
		CHECK_EQ(late, h->now - t->due);
		t->jobs++;
		t->lateness_max = max(t->lateness_max, h->now - t->due);
		if (h->now > t->due)
			world_missed(h, t->due);
	}
	t->going = false;
	t->next = world_next_release(h, t);
	edf_sleep(&t->s);
	world_place(h, i);
}

static inline void world_fire(struct world_hart *h, size_t i)
{
	struct world_task *t = &h->t[i];
	if (t->s.state == EDF_IDLE) {
		world_release(h, i);
		return;
	}
	if (edf_replenish(&t->s))
		world_switch_cost(h, t);
	world_place(h, i);
}

/* ---- the mode of the hart ---- */

static inline void world_raise(struct world_hart *h)
{
	h->high = true;
	h->raised++;
	h->quiet_until = h->now + (int64_t)world_below(h, 2) * (int64_t)world_below(h, 1000000);
	for (size_t i = 0; i < h->n; i++) {
		edf_raise(&h->t[i].s);
		h->t[i].excused |= !h->t[i].hi;
		world_place(h, i);
	}
}

static inline void world_lower(struct world_hart *h)
{
	h->high = false;
	for (size_t i = 0; i < h->n; i++) {
		struct world_task *t = &h->t[i];
		edf_lower(&t->s);
		if (!t->hi && t->s.state != EDF_IDLE) {
			edf_sleep(&t->s);
			edf_wake(&t->s, (ktime){h->now}, (ktime){h->now});
		}
		if (!t->hi)
			t->next = max(max(t->next, h->now), edf_replenish_at(&t->s).ns);
		world_place(h, i);
	}
}

/* ---- one that does not obey takes no more than was given to it ---- */

static inline void world_check_bandwidth(struct world_hart *h, struct world_task *t, int64_t ran)
{
	if (ran > 0 && edf_deadline(&t->s).ns < h->now)
		h->server_misses++;
	for (size_t k = 0; k < countof(t->sample); k++) {
		__int128 used = t->used - t->sample[k].used;
		__int128 length = h->now - t->sample[k].at, period = t->p.period_ns;
		__int128 budget = max(t->p.runtime_ns, t->p.high_runtime_ns) + h->charge / 2;
		if (h->strict) /* budgets that can be used within so long, each up to its deadline */
			CHECK(used <= (length + t->p.deadline_ns + period - 1) / period * budget);
		CHECK(used * period <= budget * (length + 2 * period));
	}
	if (world_chance(h, 8)) {
		size_t k = 1 + world_below(h, countof(t->sample) -
						      1); /* the first stays at the beginning */
		t->sample[k].at = h->now;
		t->sample[k].used = t->used;
	}
}

/* ---- running ---- */

static inline size_t world_first(const int64_t *when, size_t n)
{
	size_t first = 0;
	for (size_t i = 1; i < n; i++)
		if (when[i] < when[first])
			first = i;
	return first;
}

/* Task i runs up to `until` at most. */
static inline void world_slice(struct world_hart *h, size_t i, int64_t until)
{
	struct world_task *t = &h->t[i];
	int64_t end = min(until, h->now + t->front + min(t->left, t->s.remaining_ns + t->late));
	int64_t front = min(t->front, end - h->now), ran = end - h->now - front;
	t->front -= front;
	t->left -= ran;
	h->now = end;
	enum edf_verdict verdict = EDF_GOES_ON;
	edf_consume(&t->s, ran);
	if (t->s.remaining_ns <= -t->late) /* else its timer has not come yet */
		verdict = edf_judge(&t->s);
	if (t->habit != OBEYS) {
		t->used += ran;
		world_check_bandwidth(h, t, ran);
	}
	if (t->left == 0)
		world_end(h, i);
	else if (verdict == EDF_SPENT_LOW)
		world_raise(h);
	else if (verdict == EDF_SPENT)
		world_place(h, i);
}

/* Up to an instant, a number of jobs in all, the first miss, or, if so wished, the first idle instant. */
static inline void world_run(struct world_hart *h, int64_t until, uint64_t jobs)
{
	while (h->now < until && h->jobs < jobs && h->misses == 0) {
		size_t fires = world_first(h->timer, h->n), runs = world_first(h->key, h->n);
		if (h->timer[fires] <= h->now) {
			world_fire(h, fires);
			continue;
		}
		int64_t next = min(until, h->timer[fires]);
		if (h->key[runs] != WORLD_NEVER) {
			world_slice(h, runs, next);
			continue;
		}
		if (h->stop_when_idle)
			return;
		if (h->high && h->now >= h->quiet_until)
			world_lower(h);
		else
			h->now = h->high ? min(next, h->quiet_until) : next;
	}
}

/* What still goes on is not late, and edf_core's counters say what the oracle saw. */
static inline void world_close(struct world_hart *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct world_task *t = &h->t[i];
		if (!t->used_slot || t->habit != OBEYS)
			continue;
		if (t->going && !t->excused && t->due < h->now)
			world_missed(h, t->due);
		if (h->raised || h->misses)
			continue;
		CHECK_EQ(t->j.stats.jobs, t->jobs);
		CHECK_EQ(t->j.stats.misses, 0);
		CHECK_EQ(t->j.stats.lateness_max_ns, t->lateness_max);
		CHECK(edf_check(&t->s));
	}
}

#endif
