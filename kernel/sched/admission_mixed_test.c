/* Host tests of admission_core.c with HI tasks: every behaviour of small sets, and the theorem. */
#include <stdlib.h>
#include "tests/host/admission_sets.h"

/* ---- mixed criticality: every behaviour of a small set ---- */

/*
 * A state is what each task's latest job has done: its age and what it executed, or that it has ended.
 * In a tick the world chooses who releases, who of equals runs, whether what ran has ended, and, at an
 * idle instant, whether the mode is lowered. A LO task is gone while the mode is HI.
 */
#define VD_TASKS 3

struct vd_task {
	bool hi;
	int lower, higher, deadline, period; /* ticks */
	int64_t key;                         /* relative deadline in LO mode, ns */
};

struct vd_job {
	int8_t age;  /* since release, at most the period */
	int8_t done; /* ticks; -1: it has ended */
};

struct vd_state {
	struct vd_job job[VD_TASKS];
	int8_t high;
};

static struct {
	struct vd_task task[VD_TASKS];
	int n;
	int64_t tick; /* ns */
	uint8_t *seen;
	struct vd_state *stack;
	size_t depth, room, states;
	bool missed;
} vd;

#define VD_SPAN 16

static size_t vd_index(const struct vd_state *s)
{
	size_t index = (size_t)s->high;
	for (int i = 0; i < vd.n; i++)
		index = (index * VD_SPAN + (size_t)s->job[i].age) * VD_SPAN +
			(size_t)(s->job[i].done + 1);
	return index;
}

static void vd_push(const struct vd_state *s)
{
	size_t index = vd_index(s);
	if (vd.seen[index])
		return;
	vd.seen[index] = 1;
	vd.states++;
	if (vd.depth == vd.room) {
		vd.room = vd.room ? vd.room * 2 : 1024;
		vd.stack = realloc(vd.stack, vd.room * sizeof(*vd.stack));
	}
	vd.stack[vd.depth++] = *s;
}

static bool vd_present(const struct vd_state *s, int i)
{
	return vd.task[i].hi || !s->high;
}

static int64_t vd_key(const struct vd_state *s, int i)
{
	int64_t relative = s->high ? (int64_t)vd.task[i].deadline * vd.tick : vd.task[i].key;
	return relative - (int64_t)s->job[i].age * vd.tick;
}

/* A tick has passed in which `ran` ran (or nobody, -1) and ended or not. */
static void vd_tick(struct vd_state s, int ran, bool ends)
{
	for (int i = 0; i < vd.n; i++)
		s.job[i].age = (int8_t)min(s.job[i].age + 1, vd.task[i].period);
	if (ran >= 0)
		s.job[ran].done = ends ? -1 : (int8_t)(s.job[ran].done + 1);
	for (int i = 0; i < vd.n; i++)
		if (vd_present(&s, i) && s.job[i].done >= 0 && s.job[i].age >= vd.task[i].deadline)
			vd.missed = true;
	if (ran >= 0 && !ends && !s.high && vd.task[ran].hi &&
		s.job[ran].done == vd.task[ran].lower) {
		s.high = 1;
		for (int i = 0; i < vd.n; i++)
			if (!vd.task[i].hi)
				s.job[i].done = -1;
	}
	vd_push(&s);
}

static void vd_run(const struct vd_state *s)
{
	int64_t first = INT64_MAX;
	for (int i = 0; i < vd.n; i++)
		if (vd_present(s, i) && s->job[i].done >= 0)
			first = min(first, vd_key(s, i));
	if (first == INT64_MAX)
		vd_tick(*s, -1, false);
	for (int i = 0; i < vd.n; i++) {
		const struct vd_task *t = &vd.task[i];
		if (!vd_present(s, i) || s->job[i].done < 0 || vd_key(s, i) != first)
			continue;
		vd_tick(*s, i, true);
		if (s->job[i].done + 1 < (t->hi ? t->higher : t->lower))
			vd_tick(*s, i, false);
	}
}

/* Everybody who may release does or does not. */
static void vd_release(struct vd_state s, int from)
{
	if (from == vd.n) {
		vd_run(&s);
		return;
	}
	vd_release(s, from + 1);
	if (vd_present(&s, from) && s.job[from].done < 0 &&
		s.job[from].age == vd.task[from].period) {
		s.job[from] = (struct vd_job){0, 0};
		vd_release(s, from + 1);
	}
}

/* Can any behaviour make a HI job late, or a LO job while the mode is LO? */
static bool vd_can_miss(void)
{
	struct vd_state s = {.high = 0};
	size_t size = 2;
	for (int i = 0; i < vd.n; i++, size *= (size_t)VD_SPAN * VD_SPAN)
		s.job[i] = (struct vd_job){(int8_t)vd.task[i].period, -1};
	vd.seen = calloc(size, 1);
	vd.depth = 0;
	vd.missed = false;
	vd_push(&s);
	while (vd.depth > 0 && !vd.missed) {
		s = vd.stack[--vd.depth];
		bool idle = true;
		for (int i = 0; i < vd.n; i++)
			idle &= s.job[i].done < 0;
		vd_release(s, 0);
		if (idle && s.high) {
			s.high = 0;
			vd_release(s, 0);
		}
	}
	free(vd.seen);
	return vd.missed;
}

/* Ticks become ns such that a job of so many ticks needs them all on a hart of that speed. */
static struct set vd_set(struct test_rng *rng)
{
	static const uint32_t speeds[] = {0, 0, 500, 200};
	struct set s = {.limits = limits_of(speeds[test_below(rng, countof(speeds))],
				(int64_t)test_below(rng, 2) * 7, 1000)};
	vd.tick = 1000;
	if (test_below(rng, 3) == 0) { /* where virtual deadlines are rounded by much */
		s.limits = limits_of(0, 0, 1000);
		vd.tick = 1;
	}
	int64_t tick = vd.tick * (1000 - (int64_t)s.limits.reserve_permille) / 1000;
	vd.n = 2 + (int)test_below(rng, 5) / 3;
	for (int i = 0; i < vd.n; i++) {
		struct vd_task *t = &vd.task[i];
		t->hi = i == 0 || (i > 1 && test_below(rng, 2));
		t->period = 2 + (int)test_below(rng, vd.n == 2 ? 10 : 6);
		t->higher = 1 + (int)test_below(rng, (uint64_t)t->period);
		t->lower =
			t->hi ? 1 + (int)test_below(rng, (uint64_t)t->higher) : (t->higher + 1) / 2;
		t->deadline = t->hi || test_below(rng, 3)
				      ? t->period
				      : t->lower + (int)test_below(rng,
							   (uint64_t)(t->period - t->lower) + 1);
		s.task[s.n++] = (struct admission_task){
			.runtime_ns = t->lower * tick - s.limits.charge_ns,
			.high_runtime_ns = t->hi ? t->higher * tick - s.limits.charge_ns : 0,
			.deadline_ns = t->deadline * vd.tick,
			.period_ns = t->period * vd.tick,
		};
	}
	return s;
}

/* The two conditions of the theorem hold for the virtual deadlines as they are, in whole ns. */
static bool vd_conditions_hold(const struct set *s, uint64_t x)
{
	long double lo = 0, hi = 0, hi_hi = 0, scale = 0,
		    cap = (1000 - s->limits.reserve_permille) / 1000.0L;
	for (size_t i = 0; i < s->n; i++) {
		const struct admission_task *t = &s->task[i];
		long double period = (long double)t->period_ns;
		long double lower = (long double)(t->runtime_ns + s->limits.charge_ns);
		if (!t->high_runtime_ns) {
			lo += lower / (long double)t->deadline_ns;
			continue;
		}
		long double virtual = (long double)admission_virtual_deadline(x, t->period_ns);
		hi += lower / virtual;
		hi_hi += (long double)(t->high_runtime_ns + s->limits.charge_ns) / period;
		scale = fmaxl(scale, virtual / period);
	}
	return lo + hi <= cap + 1e-15L && scale * lo + hi_hi <= cap + 1e-15L;
}

TEST(admission_of_mixed_criticality_survives_every_behaviour)
{
	struct test_rng rng = test_rng(test_seed() + 6);
	unsigned by_edf = 0, by_vd = 0, refused = 0, misses = 0;
	while (by_vd < 600 || by_edf < 300) {
		struct set s = vd_set(&rng);
		struct admission_report r;
		bool ok = set_check(&s, &r);
		if (ok && (r.x < ADMISSION_X_ONE ? by_vd++ >= 600 : by_edf++ >= 300))
			continue;
		if (!ok && refused++ >= 400)
			continue;
		for (int i = 0; i < vd.n; i++)
			vd.task[i].key =
				vd.task[i].hi ? admission_virtual_deadline(r.x, s.task[i].period_ns)
					      : s.task[i].deadline_ns;
		bool can_miss = vd_can_miss();
		CHECK_SET(&s, !ok || !can_miss);
		CHECK_SET(&s, !ok || r.x == ADMISSION_X_ONE || vd_conditions_hold(&s, r.x));
		misses += can_miss;
	}
	CHECK(misses > 200); /* the search finds what there is */
	free(vd.stack);
	vd.stack = NULL;
	vd.room = 0;
}

/* All deadlines equal to periods: the theorem, in floating point. 0: refused; NAN: too near to say. */
static long double vd_formula(const struct set *s)
{
	long double lo = 0, hi_lo = 0, hi_hi = 0,
		    cap = (1000 - s->limits.reserve_permille) / 1000.0L;
	for (size_t i = 0; i < s->n; i++) {
		const struct admission_task *t = &s->task[i];
		long double period = (long double)t->period_ns;
		if (!t->high_runtime_ns) {
			lo += (long double)(t->runtime_ns + s->limits.charge_ns) / period;
			continue;
		}
		hi_lo += (long double)(t->runtime_ns + s->limits.charge_ns) / period;
		hi_hi += (long double)(t->high_runtime_ns + s->limits.charge_ns) / period;
	}
	long double x = hi_lo / (cap - lo),
		    least = fminl(fabsl(lo + hi_hi - cap), fabsl(lo + hi_lo - cap));
	if (least < 1e-4L || fabsl(x * lo + hi_hi - cap) < 1e-4L)
		return NAN;
	if (lo + hi_hi < cap)
		return 1;
	return lo + hi_lo < cap && x * lo + hi_hi < cap ? x : 0;
}

TEST(admission_of_mixed_criticality_follows_the_theorem)
{
	struct test_rng rng = test_rng(test_seed() + 7);
	unsigned by_vd = 0, refused = 0, named_high = 0;
	for (int i = 0; i < 20000; i++) {
		struct set s = large_set(&rng, true, 2 + test_below(&rng, 20), 1e5, 1e7);
		for (size_t j = 0; j < s.n; j++) {
			struct admission_task *t = &s.task[j];
			t->runtime_ns = max(t->runtime_ns * 2 / 3, 1);
			if (test_below(&rng, 3) == 0)
				t->high_runtime_ns =
					min(t->runtime_ns + (int64_t)test_below(&rng,
								    (uint64_t)t->runtime_ns * 3),
						t->period_ns);
		}
		struct admission_report r;
		bool ok = set_check(&s, &r);
		long double x = vd_formula(&s);
		if (isnan(x) || r.hi_utilization_ppm == 0)
			continue;
		CHECK_SET(&s, ok == (x > 0));
		CHECK_SET(&s, fabsl((long double)r.x / ADMISSION_X_ONE - x) < 1e-6L);
		CHECK_SET(&s, !ok || (long double)r.x / ADMISSION_X_ONE >= x - 1e-15L);
		by_vd += ok && x < 1;
		refused += !ok;
		named_high += r.high;
		if (r.instant_ns == 0)
			continue;
		struct set seen = s; /* with the budgets that the report speaks of */
		for (size_t j = 0; j < seen.n; j++)
			if (r.high)
				seen.task[j].runtime_ns = s.task[j].high_runtime_ns
								  ? s.task[j].high_runtime_ns
								  : -s.limits.charge_ns;
		CHECK_SET(&s, oracle_short(&seen, r.instant_ns));
		CHECK_SET(&s, oracle_demand(&seen, r.instant_ns) == r.demand_ns);
	}
	CHECK(by_vd > 500 && refused > 500 && named_high > 50);
}

TEST(admission_virtual_deadlines_round_up)
{
	CHECK_EQ(admission_virtual_deadline(ADMISSION_X_ONE, ADMISSION_CEILING_NS),
		ADMISSION_CEILING_NS);
	CHECK_EQ(admission_virtual_deadline(ADMISSION_X_ONE / 2, 11), 6);
	CHECK_EQ(admission_virtual_deadline(1, 5), 1);
}
