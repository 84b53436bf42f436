/* edf_core.c - constant-bandwidth servers and the jobs they serve; see edf_core.h. */
#include "kernel/sched/edf_core.h"
#include "lib/assert.h"

void edf_init(struct edf_server *s, const struct edf_params *p, ktime not_before)
{
	assert(p->runtime_ns > 0 && p->runtime_ns <= p->deadline_ns && p->deadline_ns <= p->period_ns);
	assert(p->period_ns <= EDF_PERIOD_MAX_NS);
	assert(p->high_runtime_ns == 0 ||
	       (p->runtime_ns <= p->high_runtime_ns && p->high_runtime_ns <= p->deadline_ns));
	*s = (struct edf_server){
		.p = *p,
		.state = EDF_IDLE,
		.start = {not_before.ns - p->period_ns},
		.virtual_ns = p->deadline_ns,
		.next_virtual_ns = p->deadline_ns,
	};
}

void edf_open(struct edf_server *s, ktime now)
{
	assert(edf_is_waiting(s));
	s->start = (ktime){now.ns - s->p.period_ns};
}

/* Both sides are products of two durations below 2^63. */
static bool edf_fits_bandwidth(const struct edf_server *s, ktime now)
{
	int64_t left = ktime_diff(edf_deadline(s), now);
	return (__int128)s->remaining_ns * s->p.period_ns <= (__int128)left * edf_budget(s);
}

void edf_go_on(struct edf_server *s, ktime release)
{
	bool strict = s->strict || s->virtual_ns != s->p.period_ns;
	if (s->remaining_ns <= 0)
		return;
	if (strict)
		edf_begin_instance(s, release);
	else if (!edf_fits_bandwidth(s, release))
		edf_begin_anew(s, release);
}

void edf_sleep(struct edf_server *s)
{
	assert(s->state != EDF_IDLE);
	s->state = EDF_IDLE;
}

void edf_consume(struct edf_server *s, int64_t ran_ns)
{
	assert(ran_ns >= 0);
	s->remaining_ns -= ran_ns;
}

enum edf_verdict edf_judge(struct edf_server *s)
{
	assert(s->state == EDF_ACTIVE);
	if (s->remaining_ns > 0)
		return EDF_GOES_ON;
	if (s->p.high_runtime_ns && !s->high)
		return EDF_SPENT_LOW;
	s->state = EDF_THROTTLED;
	return EDF_SPENT;
}

enum edf_verdict edf_charge(struct edf_server *s, int64_t ran_ns)
{
	edf_consume(s, ran_ns);
	return edf_judge(s);
}

bool edf_replenish(struct edf_server *s)
{
	assert(s->state == EDF_THROTTLED);
	edf_begin_instance(s, edf_replenish_at(s));
	s->remaining_ns = min(s->remaining_ns + edf_budget(s), edf_budget(s));
	if (s->remaining_ns > 0)
		s->state = EDF_ACTIVE;
	return s->state == EDF_ACTIVE;
}

static int64_t edf_extra(const struct edf_server *s)
{
	return s->p.high_runtime_ns ? s->p.high_runtime_ns - s->p.runtime_ns : 0;
}

void edf_raise(struct edf_server *s)
{
	assert(!s->high);
	s->high = true;
	s->remaining_ns += edf_extra(s);
	if (s->state == EDF_ACTIVE && s->remaining_ns <= 0)
		s->state = EDF_THROTTLED;
}

void edf_lower(struct edf_server *s)
{
	assert(s->high);
	s->high = false;
	/* What it used of the greater budget was its own, and is no debt. */
	if (s->remaining_ns > 0)
		s->remaining_ns = max(s->remaining_ns - edf_extra(s), INT64_C(0));
}

void edf_set_virtual(struct edf_server *s, int64_t virtual_ns)
{
	assert(virtual_ns > 0 && virtual_ns <= s->p.deadline_ns);
	s->next_virtual_ns = virtual_ns;
}

ktime edf_zero_lag(const struct edf_server *s, int64_t charge_ns)
{
	int64_t used = edf_budget(s) - s->remaining_ns + charge_ns, budget = edf_budget(s) + charge_ns;
	if (s->strict || s->virtual_ns != s->p.period_ns || used >= budget)
		return ktime_add(s->start, (used + budget - 1) / budget * s->p.period_ns);
	/* used / budget of a period, in steps of 2^-20, rounded up; neither product exceeds 2^62 (EDF_PERIOD_MAX_NS). */
	int64_t share = (used << 20) / budget + 1;
	return ktime_add(s->start, min((share * s->p.period_ns >> 20) + 1, s->p.period_ns));
}

bool edf_check(const struct edf_server *s)
{
	return s->remaining_ns <= edf_budget(s) && s->virtual_ns <= s->p.deadline_ns;
}

/* ---- jobs ---- */

void edf_job_init(struct edf_job *j)
{
	*j = (struct edf_job){.release = {INT64_MIN}, .stats = {.lateness_max_ns = INT64_MIN}};
}

void edf_job_put_off(struct edf_job *j, const struct edf_params *p, ktime at)
{
	j->release = ktime_max(j->release, j->going ? at : (ktime){at.ns - p->period_ns});
}

bool edf_job_overdue(struct edf_job *j, const struct edf_params *p, ktime now)
{
	if (!j->going || j->missed || !ktime_before(edf_job_deadline(j, p), now))
		return false;
	j->missed = true;
	j->stats.misses++;
	return true;
}

int64_t edf_job_end(struct edf_job *j, const struct edf_params *p, ktime now)
{
	assert(j->going);
	int64_t late = ktime_diff(now, edf_job_deadline(j, p));
	edf_job_overdue(j, p, now);
	j->going = false;
	j->stats.jobs++;
	j->stats.lateness_max_ns = max(j->stats.lateness_max_ns, late);
	return late;
}

ktime edf_job_next(struct edf_job *j, const struct edf_params *p, ktime now)
{
	assert(!j->going);
	ktime next = ktime_add(j->release, p->period_ns);
	int64_t late = ktime_diff(now, next);
	if (late < p->period_ns)
		return next;
	int64_t passed = late / p->period_ns;
	j->stats.misses += (uint64_t)passed;
	j->release = ktime_add(j->release, passed * p->period_ns);
	return ktime_add(j->release, p->period_ns);
}
