/*
 * edf_sim.c - what admission_core.c admits, edf_core.c's servers keep; what it refuses, is missed.
 *
 * Sets: UUniFast on one hart; above one RandFixedSum (shares.h), placed by first fit. Periods
 * are log-uniform from 0.1 to 10 ms, overhead is charged, and every hart filled up to 95% through
 * admission_check(). In half of the sets nothing else is left but the reserve of 5%; in the others the reserve
 * is 4.9%, and deadlines are drawn in as far as admission allows, which it decides within its points.
 *
 * Environment: SEED=N or random; RUNS=N sets instead of the number given, DEPTH=N so many times that
 * number; JOBS=N jobs of each hart; HARTS=N only so many harts. Each set has a seed of its own, SEED and
 * up. `make sim` runs all of it long.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/host/shares.h"
#include "tests/sim/edf_world.h"

#define HARTS_MAX 4

#define FILL 0.95 /* of every hart */

static struct admission_limits limits = {
	.runtime_least_ns = 500,
	.period_least_ns = 10000,
	.period_greatest_ns = 100000000,
	.charge_ns = 2000,
	.reserve_permille = 50,
	.points_max = 2000,
};

struct admission_set {
	size_t count;
	struct admission_task task[ADMISSION_TASKS_MAX];
};

static struct admission_set sets[HARTS_MAX];
static struct admission_report report;
static struct world_hart hart; /* one at a time */
static struct test_rng rng;

static uint64_t env(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);
	return s ? strtoull(s, NULL, 0) : otherwise;
}

static uint64_t below(uint64_t n)
{
	return test_below(&rng, n);
}

static double unit(void)
{
	return shares_unit(&rng);
}

/* ---- sets ---- */

static int64_t some_period(void)
{
	return (int64_t)(1e5 * pow(100, unit()));
}

/* A LO task of that share, deadline = period; false if it would be too short. */
static bool task_make(struct admission_task *t, double share)
{
	int64_t period = some_period();
	int64_t runtime = (int64_t)(share * (double)period) - limits.charge_ns;
	*t = (struct admission_task){
		.runtime_ns = runtime, .deadline_ns = period, .period_ns = period};
	return admission_validate(t, &limits) == ADMISSION_ADMITTED;
}

static double set_share(const struct admission_set *s)
{
	long double sum = 0;
	for (size_t i = 0; i < s->count; i++)
		sum += (long double)(s->task[i].runtime_ns + limits.charge_ns) /
		       (long double)s->task[i].period_ns;
	return (double)sum;
}

static bool set_admits(const struct admission_set *s)
{
	return admission_check(s->task, s->count, &limits, &report);
}

/* With one more task, or a longer one, up to the capacity. */
static void set_fill(struct admission_set *s)
{
	double left = FILL - set_share(s) - 1e-9;
	if (task_make(&s->task[s->count], left)) {
		s->count++;
	} else if (s->count > 0 && left > 0) {
		struct admission_task *t = &s->task[below(s->count)];
		t->runtime_ns += (int64_t)(left * (double)t->period_ns);
	}
	CHECK(set_admits(s));
	CHECK(set_share(s) > 0.999 * FILL);
}

static void set_tighten(struct admission_set *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct admission_task *t = &s->task[i];
		int64_t least = t->runtime_ns + limits.charge_ns;
		int64_t deadline = least + (int64_t)below((uint64_t)max(t->period_ns - least, 1));
		for (int step = 0; step < 6; step++) {
			t->deadline_ns = min(deadline, t->period_ns);
			if (set_admits(s))
				break;
			deadline += (t->period_ns - deadline) / 2 + 1;
			t->deadline_ns = t->period_ns;
		}
	}
}

static enum err set_take(void *task, uint32_t cpu, struct admission_report *out)
{
	struct admission_set *s = &sets[cpu];
	if (s->count == ADMISSION_TASKS_MAX) {
		*out = (struct admission_report){.reason = ADMISSION_TASKS};
		return ERR_NOSPC;
	}
	s->task[s->count] = *(const struct admission_task *)task;
	if (!admission_check(s->task, s->count + 1, &limits, out))
		return ERR_NOSPC;
	s->count++;
	return OK;
}

static void sets_draw(uint32_t harts, bool constrained)
{
	double share[WORLD_TASKS];
	size_t n = harts == 1 ? 1 + below(16) : harts * 2 + below(7 * harts);
	limits.reserve_permille = constrained ? 49 : 50;
	for (uint32_t h = 0; h < harts; h++)
		sets[h].count = 0;
	if (harts == 1)
		shares_uunifast(&rng, 0.97 * FILL, n, share);
	else
		shares_fixed_sum(&rng, 0.97 * FILL * harts, FILL, n, share);
	for (size_t i = 0; i < n; i++) {
		struct admission_task t;
		uint32_t hart_of;
		if (!task_make(&t, share[i]))
			continue;
		enum err err = admission_first_fit((1U << harts) - 1, set_take, &t, &report, &hart_of);
		CHECK(err == OK || err == ERR_NOSPC);
	}
	for (uint32_t h = 0; h < harts; h++) {
		set_fill(&sets[h]);
		if (constrained)
			set_tighten(&sets[h]);
		CHECK(set_admits(&sets[h]));
	}
}

static bool set_is_strict(const struct admission_set *s)
{
	bool strict = false;
	for (size_t i = 0; i < s->count; i++)
		strict |= s->task[i].deadline_ns != s->task[i].period_ns ||
			  s->task[i].high_runtime_ns;
	return strict;
}

/* The hart with that set, all first released at once or somewhen within a period. */
static void hart_start(const struct admission_set *s, uint64_t seed, uint64_t x)
{
	world_hart_init(&hart, &limits, seed);
	hart.strict = set_is_strict(s);
	hart.worst = world_chance(&hart, 2);
	bool together = hart.worst || world_chance(&hart, 2);
	for (size_t i = 0; i < s->count; i++) {
		int64_t period = s->task[i].period_ns * hart.time_unit;
		int64_t first = together ? 0 : (int64_t)world_below(&hart, (uint64_t)period);
		world_task_start(&hart, i, &s->task[i], 0, first, x);
	}
}

/* ---- the frame of each scenario: so many sets, each with its own seed ---- */

static struct {
	uint64_t sets, jobs, misses, first_seed;
} total;

static void failed(const char *what, uint64_t seed)
{
	for (size_t i = 0; i < hart.n; i++) {
		const struct world_task *t = &hart.t[i];
		printf("  %zu: runtime %" PRId64 " hi %" PRId64 " deadline %" PRId64
		       " period %" PRId64 " habit %d\n",
			i, t->admitted.runtime_ns, t->admitted.high_runtime_ns,
			t->admitted.deadline_ns, t->admitted.period_ns, t->habit);
	}
	test_fail(__FILE__, __LINE__,
		"%s at %" PRId64 " ns after %" PRIu64 " jobs, repeat with SEED=%" PRIu64 " RUNS=1",
		what, hart.first_miss / hart.time_unit, hart.jobs, seed);
}

static void hart_close(uint64_t seed)
{
	world_close(&hart);
	total.jobs += hart.jobs;
	total.misses += hart.misses;
	if (hart.misses)
		failed("a miss", seed);
	if (hart.server_misses)
		failed("a server missed its deadline", seed);
}

static void scenario(const char *name, uint64_t sets_default, void (*one)(uint64_t seed))
{
	uint64_t runs = env("RUNS", sets_default * env("DEPTH", 1));
	memset(&total, 0, sizeof(total));
	total.first_seed = test_seed();
	for (uint64_t i = 0; i < runs; i++) {
		uint64_t seed = test_seed() + i;
		rng = test_rng(seed);
		one(seed);
		total.sets++;
	}
	printf("%s: %" PRIu64 " sets, %" PRIu64 " jobs, %" PRIu64 " misses, seeds %" PRIu64
	       " to %" PRIu64 "\n",
		name, total.sets, total.jobs, total.misses, total.first_seed,
		total.first_seed + runs - 1);
	fflush(stdout);
}

/* ---- admitted sets never miss ---- */

static void admitted_one(uint64_t seed)
{
	uint32_t harts = (uint32_t)env("HARTS", 1 + seed % HARTS_MAX);
	CHECK(harts <= HARTS_MAX);
	sets_draw(harts, below(2));
	for (uint32_t h = 0; h < harts; h++) {
		hart_start(&sets[h], seed * HARTS_MAX + h, ADMISSION_X_ONE);
		world_run(&hart, WORLD_NEVER, env("JOBS", 500));
		hart_close(seed);
	}
}

TEST(edf_admitted_sets_never_miss)
{
	scenario("admitted", 600, admitted_one);
}

/* ---- refused sets miss, at the instant that the report names ---- */

static void refused_one(unused uint64_t seed)
{
	struct admission_set *s = &sets[0];
	double share[WORLD_TASKS];
	size_t n = 1 + below(12);
	s->count = 0;
	limits.reserve_permille = 50;
	shares_uunifast(&rng, FILL * (0.85 + 0.3 * unit()), n, share);
	for (size_t i = 0; i < n; i++)
		s->count += task_make(&s->task[s->count], share[i]);
	for (size_t i = 0; i < s->count; i++) {
		struct admission_task *t = &s->task[i];
		if (below(2))
			t->deadline_ns -=
				(int64_t)(unit() * unit() * (double)(t->period_ns - t->runtime_ns));
	}
	if (set_admits(s) || report.instant_ns == 0)
		return;
	for (size_t i = 0; i < s->count;
		i++) /* not even alone: edf_core takes no such parameters */
		if (s->task[i].runtime_ns * 1000 >
			s->task[i].deadline_ns * (1000 - limits.reserve_permille))
			return;
	world_hart_init(&hart, &limits, 0);
	hart.strict = set_is_strict(s);
	hart.worst = true;
	for (size_t i = 0; i < s->count; i++)
		world_task_start(&hart, i, &s->task[i], 0, 0, ADMISSION_X_ONE);
	world_run(&hart, WORLD_NEVER, UINT64_MAX);
	CHECK_EQ(hart.misses, 1);
	total.jobs++; /* here: sets that were refused */
	if (report.first)
		CHECK_EQ(hart.first_miss, report.instant_ns * hart.time_unit);
	CHECK(hart.first_miss <= report.instant_ns * hart.time_unit);
}

TEST(edf_refused_sets_miss_where_it_was_said)
{
	scenario("refused (so many as jobs)", 4000, refused_one);
	CHECK(total.jobs > total.sets / 4);
}

/* ---- who does not obey harms nobody else ---- */

#define ROGUES_NS (NS_PER_S / 2) /* some of them never end a job */

static void isolation_one(uint64_t seed)
{
	sets_draw(1, below(2));
	hart_start(&sets[0], seed, ADMISSION_X_ONE);
	size_t rogues = 1 + below(3);
	for (size_t k = 0; k < rogues; k++)
		hart.t[below(hart.n)].habit = (enum habit)(1 + below(4));
	world_run(&hart, ROGUES_NS * hart.time_unit, env("JOBS", 500));
	hart_close(seed);
}

TEST(edf_isolates_who_does_not_obey)
{
	scenario("isolation", 1000, isolation_one);
}

/* ---- tasks leave, come and change ---- */

/* Bandwidth that is not free yet: of one that has left, or had other parameters. */
struct hold {
	struct admission_task task;
	int64_t until;
	size_t slot; /* of the one that changed, else WORLD_TASKS */
};
static struct hold holds[WORLD_TASKS];
static size_t hold_count;

static double task_share(const struct admission_task *t)
{
	return (double)(t->runtime_ns + limits.charge_ns) / (double)t->period_ns;
}

static void holds_expire(void)
{
	for (size_t k = 0; k < hold_count;)
		if (holds[k].until <= hart.now)
			holds[k] = holds[--hold_count];
		else
			k++;
}

/* What is admitted now: of one that changed, the greater until the older's time is over. */
static void set_now(struct admission_set *s)
{
	s->count = 0;
	for (size_t i = 0; i < hart.n; i++) {
		if (!hart.t[i].used_slot)
			continue;
		s->task[s->count] = hart.t[i].admitted;
		for (size_t k = 0; k < hold_count; k++)
			if (holds[k].slot == i &&
				task_share(&holds[k].task) > task_share(&s->task[s->count]))
				s->task[s->count] = holds[k].task;
		s->count++;
	}
	for (size_t k = 0; k < hold_count; k++)
		if (holds[k].slot == WORLD_TASKS)
			s->task[s->count++] = holds[k].task;
}

static size_t slot_free(void)
{
	for (size_t i = 0; i < hart.n; i++)
		if (!hart.t[i].used_slot)
			return i;
	return hart.n;
}

static bool slot_of_some(size_t *slot)
{
	size_t i = below(hart.n);
	*slot = i;
	for (size_t k = 0; k < hold_count; k++)
		if (holds[k].slot == i)
			return false; /* it has just changed */
	return hart.t[i].used_slot;
}

/* Somebody new, as great as there is room for, at once. */
static void change_arrive(void)
{
	struct admission_set *s = &sets[0];
	set_now(s);
	double left = FILL - set_share(s) - 1e-9;
	if (s->count >= 24 || !task_make(&s->task[s->count], below(3) ? left : left * unit()))
		return;
	s->count++;
	CHECK(set_admits(s));
	world_task_start(
		&hart, slot_free(), &s->task[s->count - 1], hart.now, hart.now, ADMISSION_X_ONE);
}

static int64_t zero_lag(const struct world_task *t)
{
	return max(edf_zero_lag(&t->s, hart.charge).ns, hart.now);
}

static void change_leave(void)
{
	size_t i;
	if (!slot_of_some(&i))
		return;
	holds[hold_count++] = (struct hold){hart.t[i].admitted, zero_lag(&hart.t[i]), WORLD_TASKS};
	world_task_stop(&hart, i);
}

static void change_parameters(void)
{
	size_t i;
	struct admission_task changed;
	struct admission_set *s = &sets[0];
	if (!slot_of_some(&i))
		return;
	set_now(s);
	double left = FILL - set_share(s) + task_share(&hart.t[i].admitted) - 1e-9;
	if (!task_make(&changed, left * (below(2) ? 1 : unit())))
		return;
	int64_t from = zero_lag(&hart.t[i]);
	holds[hold_count++] = (struct hold){hart.t[i].admitted, from, i};
	world_task_start(&hart, i, &changed, from, from, ADMISSION_X_ONE);
	set_now(s);
	CHECK(set_admits(s));
}

/* Many, one behind the other, each of which runs for a moment and leaves. */
static void change_flashes(uint64_t jobs)
{
	for (int k = 0; k < 12; k++) {
		size_t slot = slot_free();
		holds_expire();
		change_arrive();
		if (slot >= hart.n || !hart.t[slot].used_slot)
			return;
		world_run(&hart, hart.now + hart.charge + (int64_t)below(3000) * hart.time_unit,
			jobs);
		holds[hold_count++] =
			(struct hold){hart.t[slot].admitted, zero_lag(&hart.t[slot]), WORLD_TASKS};
		world_task_stop(&hart, slot);
		world_run(&hart, max(holds[hold_count - 1].until, hart.now + 1), jobs);
	}
}

static void changes_one(uint64_t seed)
{
	uint64_t jobs = env("JOBS", 500);
	sets_draw(1, false);
	hart_start(&sets[0], seed, ADMISSION_X_ONE);
	hold_count = 0;
	while (hart.jobs < jobs && hart.misses == 0) {
		int64_t next = hart.now + (int64_t)below(2000000) * hart.time_unit;
		for (size_t k = 0; k < hold_count; k++)
			next = min(next, holds[k].until);
		world_run(&hart, max(next, hart.now + 1), jobs);
		holds_expire();
		change_arrive();
		if (below(20) == 0)
			change_flashes(jobs);
		if (below(3) == 0)
			change_leave();
		else if (below(2))
			change_parameters();
	}
	hart_close(seed);
}

TEST(edf_changes_of_the_set_harm_nobody)
{
	scenario("changes", 1000, changes_one);
}

/* With a deadline before its period nothing less than an idle instant will do. */
static void strict_changes_one(uint64_t seed)
{
	uint64_t jobs = env("JOBS", 500);
	sets_draw(1, true);
	hart_start(&sets[0], seed, ADMISSION_X_ONE);
	hart.worst = false;
	hart.strict = true;
	for (size_t i = 0; i < hart.n; i++)
		hart.t[i].s.strict = true;
	while (hart.jobs < jobs && hart.misses == 0) {
		hart.stop_when_idle = false;
		world_run(&hart, hart.now + (int64_t)below(1000000) * hart.time_unit, jobs);
		size_t i;
		hold_count = 0;
		bool leaves = slot_of_some(&i);
		if (leaves)
			world_task_stop(&hart, i);
		hart.stop_when_idle = true;
		world_run(&hart, WORLD_NEVER, jobs);
		if (!leaves || hart.jobs >= jobs || hart.misses)
			continue;
		struct admission_set *s = &sets[0];
		set_now(s);
		double left = FILL - set_share(s) - 1e-9;
		struct admission_task *t = &s->task[s->count];
		if (!task_make(t, left))
			continue;
		s->count++;
		t->deadline_ns -= (int64_t)(unit() * (double)(t->period_ns - t->runtime_ns -
							      limits.charge_ns));
		if (!set_admits(s))
			t->deadline_ns = t->period_ns;
		if (set_admits(s))
			world_task_start(
				&hart, slot_free(), t, hart.now, hart.now, ADMISSION_X_ONE);
	}
	hart_close(seed);
}

TEST(edf_changes_with_constrained_deadlines_at_idle_instants)
{
	scenario("strict changes", 300, strict_changes_one);
}

/* ---- criticality ---- */

/* Some become HI, with budgets as great as admission allows. */
static bool set_make_critical(struct admission_set *s, uint64_t *x)
{
	double load = 0.5 + 0.45 * unit(), factor = 1 + 4 * unit();
	struct admission_task plain[WORLD_TASKS];
	memcpy(plain, s->task, s->count * sizeof(*plain));
	size_t hi = below(s->count);
	for (int step = 0; step < 12; step++, factor = 1 + (factor - 1) * 0.75) {
		bool any = false;
		for (size_t i = 0; i < s->count; i++) {
			struct admission_task *t = &s->task[i];
			*t = plain[i];
			t->runtime_ns = max(
				(int64_t)((double)t->runtime_ns * load), limits.runtime_least_ns);
			if (i != hi && (i * 7 + hi) % 3)
				continue;
			any = true;
			t->deadline_ns = t->period_ns;
			t->high_runtime_ns =
				min((int64_t)((double)t->runtime_ns * factor), t->period_ns);
		}
		if (any && set_admits(s)) {
			*x = report.x;
			return true;
		}
	}
	return false;
}

static uint64_t with_virtual_deadlines, raised;

static void criticality_one(uint64_t seed)
{
	uint64_t x;
	sets_draw(1, below(2));
	if (!set_make_critical(&sets[0], &x))
		return;
	with_virtual_deadlines += x < ADMISSION_X_ONE;
	hart_start(&sets[0], seed, x);
	hart.worst = false;
	size_t rogues = below(3);
	for (size_t k = 0; k < rogues; k++)
		hart.t[below(hart.n)].habit = (enum habit)(1 + below(4));
	world_run(&hart, ROGUES_NS * hart.time_unit, env("JOBS", 500));
	raised += hart.raised;
	hart_close(seed);
}

TEST(edf_critical_threads_never_miss)
{
	with_virtual_deadlines = raised = 0;
	scenario("criticality", 1000, criticality_one);
	printf("criticality: mode raised %" PRIu64 " times, %" PRIu64
	       " sets with virtual deadlines\n",
		raised, with_virtual_deadlines);
	CHECK(raised > total.sets && with_virtual_deadlines > total.sets / 10);
}
