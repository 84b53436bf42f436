/*
 * admission_sets.h - sets of deadline threads for tests: made, printed, and their demand summed
 * without a line of admission_core.c.
 */
#ifndef TESTS_HOST_ADMISSION_SETS_H
#define TESTS_HOST_ADMISSION_SETS_H

#include <math.h>
#include <stdio.h>
#include "kernel/sched/admission_core.h"
#include "tests/host/shares.h"
#include "tests/host/test.h"

#define TASKS 64

struct set {
	struct admission_task task[TASKS];
	size_t n;
	struct admission_limits limits;
};

static inline struct admission_limits limits_of(uint32_t reserve, int64_t charge, uint32_t points)
{
	return (struct admission_limits){.runtime_least_ns = 1,
		.period_least_ns = 1,
		.period_greatest_ns = ADMISSION_CEILING_NS,
		.charge_ns = charge,
		.reserve_permille = reserve,
		.points_max = points};
}

static inline void set_add(struct set *s, int64_t runtime, int64_t deadline, int64_t period)
{
	s->task[s->n++] = (struct admission_task){
		.runtime_ns = runtime, .deadline_ns = deadline, .period_ns = period};
}

static inline bool set_check(const struct set *s, struct admission_report *r)
{
	return admission_check(s->task, s->n, &s->limits, r);
}

static inline void set_print(const struct set *s)
{
	printf("reserve %u charge %lld points %u:", s->limits.reserve_permille,
		(long long)s->limits.charge_ns, s->limits.points_max);
	for (size_t i = 0; i < s->n; i++)
		printf(" (%lld,%lld,%lld,%lld)", (long long)s->task[i].runtime_ns,
			(long long)s->task[i].high_runtime_ns, (long long)s->task[i].deadline_ns,
			(long long)s->task[i].period_ns);
	printf("\n");
}

#define CHECK_SET(s, cond)                                                                         \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			set_print(s);                                                              \
			test_fail(__FILE__, __LINE__, "%s", #cond);                                \
		}                                                                                  \
	} while (0)

/* ---- oracle: demand at an instant ---- */

static inline __int128 oracle_demand(const struct set *s, int64_t t)
{
	__int128 sum = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->task[i].deadline_ns <= t)
			sum += ((__int128)(t - s->task[i].deadline_ns) / s->task[i].period_ns + 1) *
			       (s->task[i].runtime_ns + s->limits.charge_ns);
	return sum;
}

static inline bool oracle_short(const struct set *s, int64_t t)
{
	return oracle_demand(s, t) * 1000 > (__int128)t * (1000 - s->limits.reserve_permille);
}

static inline int64_t gcd(int64_t a, int64_t b)
{
	return b ? gcd(b, a % b) : a;
}

static inline int64_t hyperperiod(const struct set *s)
{
	int64_t h = 1;
	for (size_t i = 0; i < s->n; i++)
		h = h / gcd(h, s->task[i].period_ns) * s->task[i].period_ns;
	return h;
}

static inline int64_t log_uniform(struct test_rng *rng, double low, double high)
{
	double u = (double)(test_u64(rng) >> 11) / 9007199254740992.0;
	return (int64_t)(low * pow(high / low, u));
}

static inline struct set large_set(
	struct test_rng *rng, bool implicit, size_t n, double low, double high)
{
	struct set s = {.limits = limits_of(50 * (uint32_t)test_below(rng, 3),
				(int64_t)test_below(rng, 5000), 1000000)};
	double share[TASKS], capacity = (1000 - s.limits.reserve_permille) / 1000.0;
	shares_uunifast(rng, capacity * (0.6 + (double)test_below(rng, 430) / 1000), n, share);
	for (size_t i = 0; i < n; i++) {
		int64_t period = log_uniform(rng, low, high);
		int64_t runtime = (int64_t)(share[i] * (double)period) - s.limits.charge_ns;
		runtime = min(max(runtime, 1), period);
		int64_t deadline = period;
		if (!implicit && test_below(rng, 3))
			deadline -=
				(int64_t)test_below(rng, (uint64_t)(period - runtime) * 9 / 10 + 1);
		set_add(&s, runtime, deadline, period);
	}
	return s;
}

static inline long double set_utilization(const struct set *s)
{
	long double sum = 0;
	for (size_t i = 0; i < s->n; i++)
		sum += (long double)(s->task[i].runtime_ns + s->limits.charge_ns) /
		       (long double)s->task[i].period_ns;
	return sum;
}

#endif
