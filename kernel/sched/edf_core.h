/*
 * edf_core.h - a deadline thread's constant-bandwidth server: when it may run, with which
 * deadline, and what it has left. Pure: who calls it holds the lock, knows the time and orders by
 * edf_deadline().
 *
 *	edf_init(&s, &params, not_before);
 *	may_run = edf_wake(&s, now);          it has work again; false: throttled
 *	verdict = edf_charge(&s, ran_ns);     it has run; EDF_SPENT: throttled
 *	edf_replenish(&s);                    at edf_replenish_at(&s), when throttled
 *	edf_sleep(&s);                        it waits by itself for something
 *
 * An instance of the server begins at `start`, holds a budget, and has the deadline start +
 * relative deadline; the next one begins a period later at the earliest. So in any interval the
 * server takes no more than a sporadic task with these parameters, whatever its thread does:
 *
 *	wakes a period after start or later	a new instance, with a whole budget
 *	wakes before that, not strict		the instance goes on if what remains fits into its bandwidth up to
 *						its deadline, else a new one begins (Abeni and Buttazzo, RTSS 1998)
 *	wakes before that, otherwise		the instance begins again now, with what remains of the budget:
 *						its deadline and the next instance are put off by as much
 *	has spent its budget			throttled until a period after start; the next budget is added
 *						to what remains, so that what it took too much is paid back
 *
 * The rule for those that are not strict bounds what a server takes by its bandwidth. That suffices where all
 * servers of a hart have deadline = period, so that utilization decides about them; where one has not,
 * processor demand does, and all must be strict.
 *
 * A HI thread has a greater budget too, and a virtual, earlier deadline that it keeps to until its
 * hart's mode is raised (Baruah et al., ECRTS 2012): spending the lesser budget does that.
 *
 * The second half of this file keeps account of jobs, which is what the user sees: a job is
 * released when its thread wakes, or when a new server begins to serve that thread, if that is later, and to be done
 * a relative deadline later.
 *
 * Invariants (edf_check): remaining_ns never exceeds the budget in force; the deadline is never later than
 * the user's. A deadline never goes back but by a change of mode.
 */
#ifndef KERNEL_SCHED_EDF_CORE_H
#define KERNEL_SCHED_EDF_CORE_H

#include "lib/assert.h"
#include "lib/base.h"
#include "lib/ktime.h"

#define EDF_PERIOD_MAX_NS (INT64_C(1) << 40) /* 18 minutes */

/* As admitted. 0 < runtime <= deadline <= period; ranges: admission_core.h. */
struct edf_params {
	int64_t runtime_ns;
	int64_t high_runtime_ns; /* 0: a LO thread; else runtime <= it <= deadline, and deadline = period */
	int64_t deadline_ns;     /* relative */
	int64_t period_ns;
};

enum edf_state {
	EDF_IDLE,      /* its thread waits by itself */
	EDF_ACTIVE,    /* competes with its deadline */
	EDF_THROTTLED, /* its thread would run; until edf_replenish_at() it may not */
};

enum edf_verdict {
	EDF_GOES_ON,
	EDF_SPENT,      /* now throttled */
	EDF_SPENT_LOW,  /* a HI thread has spent its LO budget: to be answered by raising the mode, edf_raise() */
};

struct edf_server {
	struct edf_params p;
	enum edf_state state;
	bool strict;             /* the hart's servers were admitted by processor demand */
	bool high;               /* the hart's mode is HI: the HI budget and the real deadline are in force */
	int64_t remaining_ns;
	ktime start;             /* of the instance */
	int64_t virtual_ns;      /* relative deadline of the instance while not high */
	int64_t next_virtual_ns; /* of those to come */
};

static inline int64_t edf_budget(const struct edf_server *s)
{
	return s->high && s->p.high_runtime_ns ? s->p.high_runtime_ns : s->p.runtime_ns;
}

/* Neither exceeds a ktime: an instance begins a period before KTIME_NEVER at the latest. */
static inline ktime edf_deadline(const struct edf_server *s)
{
	return (ktime){s->start.ns + (s->high ? s->p.deadline_ns : s->virtual_ns)};
}

/* When the next instance may begin. */
static inline ktime edf_replenish_at(const struct edf_server *s)
{
	return (ktime){s->start.ns + s->p.period_ns};
}

/* Idle; its first instance begins at `not_before` or later; KTIME_NEVER: when edf_open() allows it. */
void edf_init(struct edf_server *s, const struct edf_params *p, ktime not_before);
static inline bool edf_is_waiting(const struct edf_server *s)
{
	return ktime_is_never(edf_replenish_at(s));
}
void edf_open(struct edf_server *s, ktime now);
static inline void edf_begin_instance(struct edf_server *s, ktime at)
{
	s->start = at;
	s->virtual_ns = s->next_virtual_ns;
}

static inline void edf_begin_anew(struct edf_server *s, ktime at)
{
	edf_begin_instance(s, at);
	s->remaining_ns = min(s->remaining_ns, INT64_C(0)) + edf_budget(s); /* what it owes it owes */
}

void edf_go_on(struct edf_server *s, ktime release); /* out of edf_wake(): the instance is not over */
/*
 * Idle before; work came at the instant `release`, which is not after `now`. False: throttled. A release that was
 * noticed late counts from its instant, so that a period does not drift.
 */
static inline bool edf_wake(struct edf_server *s, ktime release, unused ktime now)
{
	debug_assert(s->state == EDF_IDLE && !ktime_before(now, release));
	if (unlikely(ktime_before(release, edf_replenish_at(s))))
		edf_go_on(s, release);
	else
		edf_begin_anew(s, release);
	s->state = s->remaining_ns > 0 ? EDF_ACTIVE : EDF_THROTTLED;
	return s->state == EDF_ACTIVE;
}
/* Active or throttled before. After a pause in which it was not allowed to run at all: edf_sleep() and edf_wake(). */
void edf_sleep(struct edf_server *s);
/* Active, and has run for ran_ns. The same in two steps: takes it off, and draws the consequence. */
enum edf_verdict edf_charge(struct edf_server *s, int64_t ran_ns);
void edf_consume(struct edf_server *s, int64_t ran_ns); /* any state */
enum edf_verdict edf_judge(struct edf_server *s);       /* active */
/* A HI thread that has used up its LO runtime, where the mode is HI already and lets it go on. */
static inline bool edf_exceeds_low(const struct edf_server *s)
{
	return s->high && s->p.high_runtime_ns && s->remaining_ns <= s->p.high_runtime_ns - s->p.runtime_ns;
}
/* Throttled, and edf_replenish_at() has come. True: active; false: the debt is greater than a budget, once more. */
bool edf_replenish(struct edf_server *s);
/* The hart's mode changes; for every server there. */
void edf_raise(struct edf_server *s);
void edf_lower(struct edf_server *s);
/* The virtual deadline of the instances to come. */
void edf_set_virtual(struct edf_server *s, int64_t virtual_ns);
/*
 * When its bandwidth may be given to others, if it never runs again: the instant at which it would have
 * no lead over its share (the 0-lag time), which may have passed. charge_ns was admitted with each budget.
 */
ktime edf_zero_lag(const struct edf_server *s, int64_t charge_ns);

bool edf_check(const struct edf_server *s);

/* ---- jobs ---- */

struct edf_stats {
	uint64_t jobs;     /* ended */
	uint64_t misses;   /* of them, or of those that still go on, after their deadline; and releases passed over */
	uint64_t overruns; /* budgets spent */
	int64_t lateness_max_ns; /* of an end, against the deadline; negative: always early. INT64_MIN: no job yet */
};

struct edf_job {
	ktime release; /* as contracted: at least a period after the one before */
	bool going;
	bool missed;   /* and counted */
	struct edf_stats stats;
};

static inline ktime edf_job_deadline(const struct edf_job *j, const struct edf_params *p)
{
	return ktime_add(j->release, p->deadline_ns);
}

void edf_job_init(struct edf_job *j);
static inline void edf_job_begin(struct edf_job *j, const struct edf_params *p, ktime release)
{
	debug_assert(!j->going);
	/* The first has none before it: that is an instant before all others. */
	j->release = ktime_max(release, (ktime){j->release.ns + p->period_ns});
	j->going = true;
	j->missed = false;
}
/*
 * A new server of its thread begins at that instant, and no job of it is released before: neither the one that goes on,
 * nor the next. So the job behind that one does not come before the server's next instance.
 */
void edf_job_put_off(struct edf_job *j, const struct edf_params *p, ktime at);
/* Gives the lateness; greater than 0 is a miss. */
int64_t edf_job_end(struct edf_job *j, const struct edf_params *p, ktime now);
/* While the job goes on: true, once, when its deadline has passed, which is counted. */
bool edf_job_overdue(struct edf_job *j, const struct edf_params *p, ktime now);
/*
 * When a periodic thread's next job is released: a period after the last, or, when that is so long ago that
 * the one behind it is due too, the latest that has come; those passed over are counted as misses.
 */
ktime edf_job_next(struct edf_job *j, const struct edf_params *p, ktime now);

#endif
