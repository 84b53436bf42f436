/*
 * Host tests of admission_core.c, against oracles that share no line with it: EDF executed in integers
 * on a hart of speed k/1000, and the demand summed at every deadline. admission_mixed_test.c has
 * mixed criticality, admission_report_core_test.c the words.
 */
#include "tests/host/admission_sets.h"

/* ---- oracle: EDF, executed ---- */

/*
 * Time is counted in units of which k/g make a nanosecond, work in units of 1000/g, g the greatest
 * common divisor: then the hart of speed k/1000 does one unit of work in one unit of time.
 */
struct edf_run {
	const struct set *s;
	int64_t per_ns, now;
	int64_t left[TASKS], due[TASKS], next[TASKS];
	int64_t work_scale;
};

static void edf_release(struct edf_run *r)
{
	for (size_t i = 0; i < r->s->n; i++) {
		const struct admission_task *t = &r->s->task[i];
		if (r->next[i] != r->now)
			continue;
		r->left[i] = (t->runtime_ns + r->s->limits.charge_ns) * r->work_scale;
		r->due[i] = r->now + t->deadline_ns * r->per_ns;
		r->next[i] += t->period_ns * r->per_ns;
	}
}

/* To the next event; -1, or the instant of a miss. */
static int64_t edf_step(struct edf_run *r)
{
	size_t runs = TASKS;
	int64_t until = INT64_MAX;
	for (size_t i = 0; i < r->s->n; i++) {
		until = min(until, r->next[i]);
		if (r->left[i] > 0 && (runs == TASKS || r->due[i] < r->due[runs]))
			runs = i;
	}
	if (runs == TASKS) {
		r->now = until;
		return -1;
	}
	until = min(min(until, r->due[runs]), r->now + r->left[runs]);
	r->left[runs] -= until - r->now;
	r->now = until;
	for (size_t i = 0; i < r->s->n; i++)
		if (r->left[i] > 0 && r->now == r->due[i])
			return r->now;
	return -1;
}

/* The first deadline that a synchronous release misses, in ns; 0: none, ever. */
static int64_t oracle_run(const struct set *s)
{
	int64_t k = 1000 - s->limits.reserve_permille, g = gcd(k, 1000);
	struct edf_run r = {.s = s, .per_ns = k / g, .work_scale = 1000 / g};
	int64_t end = hyperperiod(s) * r.per_ns;
	for (;;) {
		bool idle = true;
		for (size_t i = 0; i < s->n; i++)
			idle &= r.left[i] == 0;
		if (r.now == end && idle)
			return 0; /* as it was at 0 */
		edf_release(&r);
		int64_t missed = edf_step(&r);
		if (missed >= 0) {
			CHECK_EQ(missed % r.per_ns, 0);
			return missed / r.per_ns;
		}
	}
}

/* ---- small sets, exhaustively checked ---- */

static const int64_t small_periods[] = {2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40, 60, 120};
static const uint32_t reserves[] = {0, 0, 0, 50, 100, 250, 333, 500};

static int64_t pick_period(struct test_rng *rng)
{
	return small_periods[test_below(rng, countof(small_periods))];
}

static struct set small_set(struct test_rng *rng, bool implicit)
{
	struct set s = {.limits = limits_of(reserves[test_below(rng, countof(reserves))],
				(int64_t)test_below(rng, 4) / 3, 1000000)};
	size_t n = 1 + test_below(rng, 5);
	double share[TASKS], capacity = (1000 - s.limits.reserve_permille) / 1000.0;
	shares_uunifast(rng, capacity * (0.7 + (double)test_below(rng, 40) / 100), n, share);
	for (size_t i = 0; i < n; i++) {
		int64_t period = pick_period(rng);
		int64_t runtime = llround(share[i] * (double)period) - s.limits.charge_ns;
		runtime = min(max(runtime, 1), period);
		int64_t deadline = implicit || test_below(rng, 2)
					   ? period
					   : runtime + (int64_t)test_below(rng,
							       (uint64_t)(period - runtime) + 1);
		set_add(&s, runtime, deadline, period);
	}
	return s;
}

/* The last task fills the set to its capacity exactly, where the numbers allow. */
static void small_fill(struct set *s)
{
	int64_t left = (1000 - (int64_t)s->limits.reserve_permille) * 120;
	for (size_t i = 0; i + 1 < s->n; i++)
		left -= (s->task[i].runtime_ns + s->limits.charge_ns) * 1000 * 120 /
			s->task[i].period_ns;
	struct admission_task *last = &s->task[s->n - 1];
	int64_t runtime = left / 1000 - s->limits.charge_ns;
	if (left % 1000 != 0 || runtime < 1 || runtime > 120)
		return;
	int64_t deadline =
		last->deadline_ns == last->period_ns ? 120 : max(runtime, 120 - runtime / 2);
	*last = (struct admission_task){
		.runtime_ns = runtime, .deadline_ns = deadline, .period_ns = 120};
}

static bool set_is_implicit(const struct set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->task[i].deadline_ns != s->task[i].period_ns)
			return false;
	return true;
}

static void check_small(const struct set *s, unsigned *count)
{
	struct admission_report r;
	bool ok = set_check(s, &r);
	int64_t missed = oracle_run(s), h = hyperperiod(s);
	bool fits = true;
	for (int64_t t = 1; t <= h; t++) /* within one hyperperiod, demand behind it included */
		fits &= !oracle_short(s, t);
	int64_t work = 0;
	for (size_t i = 0; i < s->n; i++)
		work += (s->task[i].runtime_ns + s->limits.charge_ns) * (h / s->task[i].period_ns);
	bool above = work * 1000 > h * (1000 - (int64_t)s->limits.reserve_permille);
	CHECK_SET(s, ok == (missed == 0));
	CHECK_SET(s, ok == (fits && !above));
	CHECK_SET(s, r.reason == (ok             ? ADMISSION_ADMITTED
					 : above ? ADMISSION_UTILIZATION
						 : ADMISSION_DEMAND));
	CHECK_SET(s, r.instant_ns == missed && r.first == !ok);
	CHECK_SET(s, ok || oracle_demand(s, missed) == r.demand_ns);
	CHECK_SET(s,
		ok || missed * (1000 - (int64_t)s->limits.reserve_permille) / 1000 == r.supply_ns);
	count[(ok ? 0 : 1) +
		(work * 1000 == h * (1000 - (int64_t)s->limits.reserve_permille) ? 2 : 0)]++;
}

TEST(admission_is_exact_for_small_sets)
{
	struct test_rng rng = test_rng(test_seed());
	unsigned count[2][4] = {{0}};
	for (int i = 0; i < 150000; i++) {
		struct set s = small_set(&rng, i & 1);
		if (i % 3 == 0)
			small_fill(&s);
		check_small(&s, count[set_is_implicit(&s)]);
	}
	for (int implicit = 0; implicit < 2; implicit++) {
		CHECK(count[implicit][0] > 5000 && count[implicit][1] > 5000);
		CHECK(count[implicit][2] > 3000); /* admitted at capacity */
	}
	CHECK(count[0][3] > 1000); /* refused at capacity, for a deadline */
	CHECK_EQ(count[1][3], 0);
}

/* With few points a verdict may be "too complex", never another; an instant that is named is missed. */
TEST(admission_gives_up_rather_than_guess)
{
	struct test_rng rng = test_rng(test_seed() + 1);
	unsigned complex = 0, not_first = 0;
	for (int i = 0; i < 30000; i++) {
		struct set s = small_set(&rng, i & 1);
		struct admission_report all, few;
		bool ok = set_check(&s, &all);
		s.limits.points_max = 1 + (uint32_t)test_below(&rng, 4);
		bool ok_few = set_check(&s, &few);
		CHECK_SET(&s, ok_few == ok || few.reason == ADMISSION_COMPLEX);
		CHECK_SET(&s, few.reason == all.reason || few.reason == ADMISSION_COMPLEX);
		complex += few.reason == ADMISSION_COMPLEX;
		if (few.reason == ADMISSION_COMPLEX || ok_few) {
			CHECK_SET(&s, few.instant_ns == 0 && !few.first);
			continue;
		}
		CHECK_SET(&s, few.instant_ns > 0 && oracle_short(&s, few.instant_ns));
		CHECK_SET(&s, few.demand_ns == oracle_demand(&s, few.instant_ns));
		CHECK_SET(&s, few.first ? few.instant_ns == all.instant_ns
					: few.instant_ns >= all.instant_ns);
		not_first += !few.first;
	}
	CHECK(complex > 300);
	CHECK(not_first > 300);
}

/* ---- exactly at capacity ---- */

TEST(admission_at_capacity_by_utilization)
{
	struct set s = {.limits = limits_of(0, 0, 1000)};
	struct admission_report r;
	for (int i = 0; i < 3; i++)
		set_add(&s, 1, 3, 3);
	CHECK(set_check(&s, &r)); /* 1/3 + 1/3 + 1/3 */
	CHECK_EQ(r.utilization_ppm, 1000000);
	set_add(&s, 1, ADMISSION_CEILING_NS, ADMISSION_CEILING_NS);
	CHECK(!set_check(&s, &r));
	CHECK_EQ(r.reason, ADMISSION_UTILIZATION);
	CHECK(r.utilization_ppm > r.capacity_ppm);
	struct set t = {.limits = limits_of(0, 0, 1000)};
	static const int64_t halves[] = {2, 3, 7, 43, 1807, 1806};
	for (size_t i = 0; i < countof(halves); i++)
		set_add(&t, 1, halves[i], halves[i]); /* 1/2 + 1/3 + 1/7 + 1/43 + 1/1807 + 1/1806 */
	CHECK(!set_check(&t, &r));
	t.task[5].deadline_ns = t.task[5].period_ns = INT64_C(1807) * 1806;
	CHECK(set_check(&t, &r)); /* exactly 1 */
	t.task[5].deadline_ns = --t.task[5].period_ns;
	CHECK(!set_check(&t, &r));
}

/* 32 pairs a/(32 T) + (T - a)/(32 T): exactly 1, with all periods near the ceiling and none alike. */
TEST(admission_of_64_great_periods_exactly_at_capacity)
{
	struct test_rng rng = test_rng(test_seed() + 2);
	for (int round = 0; round < 200; round++) {
		struct set s = {.limits = limits_of(0, 0, 1000)};
		for (int i = 0; i < 32; i++) {
			int64_t third =
				ADMISSION_CEILING_NS / 32 - (int64_t)test_below(&rng, 1000000000);
			int64_t part = 2 + (int64_t)test_below(&rng, (uint64_t)third - 3);
			set_add(&s, part, third * 32, third * 32);
			set_add(&s, third - part, third * 32, third * 32);
		}
		struct admission_report r;
		CHECK_SET(&s, set_check(&s, &r));
		CHECK_EQ(r.utilization_ppm, 1000000);
		struct admission_task *any = &s.task[test_below(&rng, s.n)];
		any->deadline_ns = --any->period_ns; /* by 10^-26 or so too much */
		CHECK_SET(&s, !set_check(&s, &r));
		CHECK_EQ(r.reason, ADMISSION_UTILIZATION);
		any->deadline_ns = any->period_ns += 2;
		CHECK_SET(&s, set_check(&s, &r));
	}
}

/* Utilization 1 - a/b + c/d with ad - bc = 1: beside 1 by 2^-79, far less than 2^-64. */
TEST(admission_beside_capacity_by_less_than_its_fractions)
{
	struct test_rng rng = test_rng(test_seed() + 3);
	for (int round = 0; round < 2000; round++) {
		int64_t b = ADMISSION_CEILING_NS - (int64_t)test_below(&rng, 1000000000);
		int64_t a = 2 + (int64_t)test_below(&rng, (uint64_t)b - 4);
		/* Extended Euclid: x a + y b = 1, so c/d = -y/x is beside a/b */
		int64_t r0 = a, r1 = b, x0 = 1, x1 = 0;
		while (r1) {
			int64_t q = r0 / r1, r2 = r0 - q * r1, x2 = x0 - q * x1;
			r0 = r1, r1 = r2, x0 = x1, x1 = x2;
		}
		int64_t d = x0 < 0 ? x0 + b : x0; /* a d = 1 modulo b */
		if (r0 != 1 || d < 4)
			continue;
		int64_t c = (int64_t)(((__int128)a * d - 1) / b); /* c/d < a/b */
		if (c < 1)
			continue;
		struct set s = {.limits = limits_of(0, 0, 1000)};
		struct admission_report r;
		set_add(&s, b - a, b, b);
		set_add(&s, c, d, d);
		CHECK_SET(&s, set_check(&s, &r));
		s.task[1].runtime_ns = d - c; /* a/b - c/d > 0 from the other side */
		s.task[0].runtime_ns = a;
		CHECK_SET(&s, !set_check(&s, &r));
		CHECK_EQ(r.reason, ADMISSION_UTILIZATION);
		CHECK_SET(&s, r.instant_ns == 0 || oracle_short(&s, r.instant_ns));
	}
}

/* ---- sets as they are in use ---- */

TEST(admission_of_large_sets_by_utilization)
{
	struct test_rng rng = test_rng(test_seed() + 4);
	unsigned admitted = 0, named = 0;
	for (int i = 0; i < 20000; i++) {
		double high = i & 1 ? 1e7 : 1e11;
		struct set s = large_set(&rng, true, 2 + test_below(&rng, 63), 1e5, high);
		s.limits.points_max = 200;
		struct admission_report r;
		bool ok = set_check(&s, &r);
		long double over =
			set_utilization(&s) - (1000 - s.limits.reserve_permille) / 1000.0L;
		if (fabsl(over) > 1e-15L)
			CHECK_SET(&s, ok == (over < 0));
		CHECK_SET(&s, ok || r.instant_ns == 0 || oracle_short(&s, r.instant_ns));
		CHECK_SET(&s, fabsl(set_utilization(&s) * 1e6L - r.utilization_ppm) < 1.01L);
		admitted += ok;
		named += r.instant_ns != 0;
	}
	CHECK(admitted > 5000 && named > 1000 && admitted + named == 20000);
}

/* The first instant that is missed, by looking at every deadline up to Baruah's bound. */
static int64_t oracle_scan(const struct set *s)
{
	long double sum = 0,
		    left = (1000 - s->limits.reserve_permille) / 1000.0L - set_utilization(s);
	int64_t next[TASKS];
	for (size_t i = 0; i < s->n; i++) {
		const struct admission_task *t = &s->task[i];
		next[i] = t->deadline_ns;
		sum += (long double)(t->runtime_ns + s->limits.charge_ns) /
		       (long double)t->period_ns * (long double)(t->period_ns - t->deadline_ns);
	}
	int64_t end = (int64_t)(sum / left * (1 + 1e-9L)) + 1, t = 0;
	__int128 demand = 0;
	while (t <= end) {
		t = INT64_MAX;
		for (size_t i = 0; i < s->n; i++)
			t = min(t, next[i]);
		for (size_t i = 0; i < s->n; i++)
			while (next[i] == t) {
				demand += s->task[i].runtime_ns + s->limits.charge_ns;
				next[i] += s->task[i].period_ns;
			}
		if (demand * 1000 > (__int128)t * (1000 - s->limits.reserve_permille))
			return t;
	}
	return 0;
}

TEST(admission_of_large_sets_by_demand)
{
	struct test_rng rng = test_rng(test_seed() + 5);
	unsigned admitted = 0, refused = 0;
	for (int i = 0; i < 5000; i++) {
		struct set s = large_set(&rng, false, 2 + test_below(&rng, 30), 1e5, 1e7);
		if ((double)set_utilization(&s) >
			(1000 - s.limits.reserve_permille) / 1000.0 - 0.005)
			continue;
		struct admission_report r;
		bool ok = set_check(&s, &r);
		int64_t missed = oracle_scan(&s);
		CHECK_SET(&s, ok == (missed == 0));
		CHECK_SET(&s, r.instant_ns == missed && r.first == !ok);
		admitted += ok;
		refused += !ok;
	}
	CHECK(admitted > 1000 && refused > 300);
}

/* ---- parameters, limits, the ends of the ranges ---- */

TEST(admission_validates_each_parameter)
{
	static const struct admission_limits l = {.runtime_least_ns = 10,
		.period_least_ns = 100,
		.period_greatest_ns = 1000,
		.points_max = 10};
	static const struct {
		struct admission_task t;
		enum admission_reason why;
	} cases[] = {
		{{10, 0, 10, 100}, ADMISSION_ADMITTED},
		{{1000, 0, 1000, 1000}, ADMISSION_ADMITTED},
		{{10, 100, 100, 100}, ADMISSION_ADMITTED},
		{{9, 0, 10, 100}, ADMISSION_RUNTIME_SHORT},
		{{-5, 0, 10, 100}, ADMISSION_RUNTIME_SHORT},
		{{INT64_MIN, 0, INT64_MIN, 100}, ADMISSION_RUNTIME_SHORT},
		{{11, 0, 10, 100}, ADMISSION_RUNTIME_LONG},
		{{10, 0, 101, 100}, ADMISSION_DEADLINE_LONG},
		{{10, 0, 0, 100}, ADMISSION_RUNTIME_LONG},
		{{10, 0, 99, 99}, ADMISSION_PERIOD_SHORT},
		{{10, 0, 1001, 1001}, ADMISSION_PERIOD_LONG},
		{{10, 0, 10, INT64_MAX}, ADMISSION_PERIOD_LONG},
		{{10, 0, 10, INT64_MIN}, ADMISSION_PERIOD_SHORT},
		{{20, 19, 100, 100}, ADMISSION_HI_RUNTIME_SHORT},
		{{20, -1, 100, 100}, ADMISSION_HI_RUNTIME_SHORT},
		{{20, 101, 100, 100}, ADMISSION_HI_RUNTIME_LONG},
		{{20, 30, 99, 100}, ADMISSION_HI_DEADLINE},
	};
	struct admission_report r;
	for (size_t i = 0; i < countof(cases); i++) {
		CHECK_EQ(admission_validate(&cases[i].t, &l), cases[i].why);
		if (cases[i].why == ADMISSION_ADMITTED)
			continue;
		struct admission_task two[2] = {{10, 0, 100, 100}, cases[i].t};
		CHECK(!admission_check(two, 2, &l, &r));
		CHECK_EQ(r.reason, cases[i].why);
		CHECK_EQ(r.task, 1);
	}
}

TEST(admission_asserts_its_configuration)
{
	struct admission_report r;
	struct admission_task t = {10, 0, 100, 100};
	struct admission_limits l = limits_of(1000, 0, 10);
	CHECK_ASSERTS((void)!admission_check(&t, 1, &l, &r));
	l = limits_of(0, -1, 10);
	CHECK_ASSERTS((void)!admission_check(&t, 1, &l, &r));
	l = limits_of(0, 0, 0);
	CHECK_ASSERTS((void)!admission_check(&t, 1, &l, &r));
	l = limits_of(0, 0, 10);
	l.period_greatest_ns++;
	CHECK_ASSERTS((void)!admission_check(&t, 1, &l, &r));
}

TEST(admission_at_the_ends_of_the_ranges)
{
	struct set s = {.limits = limits_of(999, ADMISSION_CEILING_NS, ADMISSION_POINTS_CEILING)};
	struct admission_report r;
	CHECK(set_check(&s, &r)); /* nothing to do */
	CHECK_EQ(r.utilization_ppm, 0);
	for (size_t i = 0; i < TASKS; i++)
		set_add(&s, 1, 1, 1);
	CHECK(!set_check(&s, &r));
	CHECK(r.first && r.instant_ns == 1 && r.supply_ns == 0);
	CHECK_EQ(r.demand_ns, (ADMISSION_CEILING_NS + 1) * TASKS);
	CHECK_EQ(r.utilization_ppm, UINT32_MAX);
	s.limits.points_max = 1;
	for (size_t i = 0; i < TASKS; i++)
		s.task[i] = (struct admission_task){ADMISSION_CEILING_NS, ADMISSION_CEILING_NS,
			ADMISSION_CEILING_NS, ADMISSION_CEILING_NS};
	CHECK(!set_check(&s, &r));
	CHECK_EQ(r.instant_ns, ADMISSION_CEILING_NS);
	CHECK_EQ(r.demand_ns, ADMISSION_CEILING_NS * 2 * TASKS);
	s.limits = limits_of(0, 0, 1);
	for (size_t i = 0; i < TASKS; i++)
		s.task[i] = (struct admission_task){ADMISSION_CEILING_NS / TASKS, 0,
			ADMISSION_CEILING_NS, ADMISSION_CEILING_NS};
	CHECK(set_check(&s, &r)); /* exactly 1 */
	s.task[7].deadline_ns--;
	CHECK(!set_check(&s, &r)); /* one point is not enough to say so */
	CHECK_EQ(r.reason, ADMISSION_COMPLEX);
	s.limits.points_max = 100;
	CHECK(set_check(&s, &r)); /* 63 jobs are due a moment later than that one */
	s.task[7].deadline_ns = ADMISSION_CEILING_NS / TASKS - 1;
	CHECK_EQ(admission_validate(&s.task[7], &s.limits), ADMISSION_RUNTIME_LONG);
	struct admission_task many[TASKS + 1];
	for (size_t i = 0; i <= TASKS; i++)
		many[i] = (struct admission_task){1, 0, 1000, 1000};
	CHECK(!admission_check(many, TASKS + 1, &s.limits, &r));
	CHECK_EQ(r.reason, ADMISSION_TASKS);
}

/* A miss behind more points than may be looked at: utilization still names one. */
TEST(admission_names_a_late_instant)
{
	struct set s = {.limits = limits_of(0, 0, 10)};
	struct admission_report r;
	set_add(&s, 499, 1000, 1000);
	set_add(&s, 501002, 1000003,
		1000003); /* 0.499 + 0.5010005: beyond 1 by less than a millionth */
	CHECK(!set_check(&s, &r));
	CHECK_EQ(r.reason, ADMISSION_UTILIZATION);
	CHECK(!r.first && r.instant_ns > 1000003);
	CHECK(oracle_short(&s, r.instant_ns));
	s.limits.points_max = ADMISSION_POINTS_CEILING;
	int64_t late = r.instant_ns;
	CHECK(!set_check(&s, &r));
	CHECK(r.first && r.instant_ns <= late);
}

/* Figures are given of what would not be admitted too, and are those of a verdict. */
TEST(admission_shares_need_no_verdict)
{
	struct set s = {.limits = limits_of(50, 10, 100)};
	struct admission_report r, shares;
	set_add(&s, 600, 1000, 1000);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(set_check(&s, &r), i == 0);
		admission_shares(s.task, s.n, &s.limits, &shares);
		CHECK_EQ(shares.utilization_ppm, 610000 * (i + 1));
		CHECK(shares.utilization_ppm == r.utilization_ppm && shares.capacity_ppm == r.capacity_ppm);
		set_add(&s, 600, 1000, 1000);
	}
}

/* ---- placement ---- */

static struct set fit[3];

static enum err fit_take(void *task, uint32_t hart, struct admission_report *out)
{
	const struct admission_task *t = task;
	struct set *s = &fit[hart];
	if (t->runtime_ns == 1)
		return ERR_BUSY;
	set_add(s, t->runtime_ns, t->deadline_ns, t->period_ns);
	if (set_check(s, out))
		return OK;
	s->n--;
	return ERR_NOSPC;
}

TEST(admission_first_fit_takes_the_first_that_can)
{
	struct admission_report r;
	struct admission_task half = {50, 0, 100, 100}, most = {90, 0, 100, 100}, other = {1, 0, 100, 100};
	uint32_t hart;
	for (uint32_t i = 0; i < 3; i++)
		fit[i] = (struct set){.limits = limits_of(0, 0, 100)};
	for (uint32_t i = 0; i < 6; i++) {
		CHECK_EQ(admission_first_fit(7, fit_take, &half, &r, &hart), OK);
		CHECK_EQ(hart, i / 2);
	}
	CHECK_EQ(admission_first_fit(7, fit_take, &half, &r, &hart), ERR_NOSPC);
	CHECK_EQ(hart, 2);
	CHECK_EQ(r.reason, ADMISSION_UTILIZATION);
	fit[1].n = 0;
	CHECK_EQ(admission_first_fit(5, fit_take, &most, &r, &hart), ERR_NOSPC);
	CHECK_EQ(admission_first_fit(7, fit_take, &most, &r, &hart), OK);
	CHECK_EQ(hart, 1);
	CHECK_EQ(r.reason, ADMISSION_ADMITTED);
	/* Another answer ends the search. */
	CHECK_EQ(admission_first_fit(6, fit_take, &other, &r, &hart), ERR_BUSY);
	CHECK_EQ(hart, 1);
	CHECK_EQ(admission_first_fit(0, fit_take, &most, &r, &hart), ERR_NOSPC);
	CHECK_EQ(hart, ADMISSION_NOWHERE);
}
