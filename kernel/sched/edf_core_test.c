/* Host tests of edf_core.h: each rule by itself, and the bandwidth bound under random behaviour. */
#include "kernel/sched/edf_core.h"
#include "tests/host/test.h"

static const struct edf_params implicit = {.runtime_ns = 30, .deadline_ns = 100, .period_ns = 100};
static const struct edf_params constrained = {.runtime_ns = 30, .deadline_ns = 60, .period_ns = 100};
static const struct edf_params critical = {
	.runtime_ns = 20, .high_runtime_ns = 50, .deadline_ns = 100, .period_ns = 100};

static ktime at(int64_t ns)
{
	return (ktime){ns};
}

static bool wake(struct edf_server *s, int64_t ns)
{
	return edf_wake(s, at(ns), at(ns));
}

TEST(edf_first_instance_waits_until_it_may)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(50));
	CHECK(!wake(&s, 20));
	CHECK_EQ(edf_replenish_at(&s).ns, 50);
	CHECK(edf_replenish(&s));
	CHECK_EQ(edf_deadline(&s).ns, 150);
	CHECK_EQ(s.remaining_ns, 30);
	edf_init(&s, &implicit, at(50));
	CHECK(wake(&s, 70));
	CHECK_EQ(edf_deadline(&s).ns, 170);
}

TEST(edf_late_notice_does_not_move_the_period)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	CHECK(edf_wake(&s, at(10), at(14)));
	CHECK_EQ(edf_deadline(&s).ns, 110);
}

TEST(edf_early_wake_keeps_the_instance_where_it_fits)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_charge(&s, 20), EDF_GOES_ON);
	edf_sleep(&s);
	CHECK(wake(&s, 60)); /* 10 of 40 <= 30 of 100 */
	CHECK_EQ(edf_deadline(&s).ns, 100);
	CHECK_EQ(s.remaining_ns, 10);
	edf_sleep(&s);
	CHECK(wake(&s, 67)); /* 10 of 33 > 30 of 100 */
	CHECK_EQ(edf_deadline(&s).ns, 167);
	CHECK_EQ(s.remaining_ns, 30);
}

TEST(edf_early_wake_of_a_constrained_one_puts_it_off)
{
	struct edf_server s;
	edf_init(&s, &constrained, at(0));
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_charge(&s, 20), EDF_GOES_ON);
	edf_sleep(&s);
	CHECK(wake(&s, 50));
	CHECK_EQ(edf_deadline(&s).ns, 110);
	CHECK_EQ(s.remaining_ns, 10);
	CHECK_EQ(edf_charge(&s, 10), EDF_SPENT);
	CHECK_EQ(edf_replenish_at(&s).ns, 150);
}

TEST(edf_early_wake_of_a_strict_one_puts_it_off)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	s.strict = true;
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_charge(&s, 20), EDF_GOES_ON);
	edf_sleep(&s);
	CHECK(wake(&s, 60));
	CHECK_EQ(edf_deadline(&s).ns, 160);
	CHECK_EQ(s.remaining_ns, 10);
}

TEST(edf_spent_budget_throttles_and_is_paid_back)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_charge(&s, 35), EDF_SPENT);
	CHECK_EQ(s.state, EDF_THROTTLED);
	CHECK(edf_replenish(&s));
	CHECK_EQ(s.remaining_ns, 25);
	CHECK_EQ(edf_deadline(&s).ns, 200);
	CHECK_EQ(edf_charge(&s, 60), EDF_SPENT); /* more than a budget too much */
	CHECK(!edf_replenish(&s));
	CHECK(edf_replenish(&s));
	CHECK_EQ(s.remaining_ns, 25);
	CHECK_EQ(edf_deadline(&s).ns, 400);
}

TEST(edf_sleep_with_nothing_left_does_not_escape)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_charge(&s, 30), EDF_SPENT);
	edf_sleep(&s);
	CHECK(!wake(&s, 50));
	CHECK_EQ(edf_replenish_at(&s).ns, 100);
	edf_sleep(&s);
	CHECK(wake(&s, 120));
	CHECK_EQ(s.remaining_ns, 30);
}

/* It left having taken too much, before anybody could judge it. */
TEST(edf_debt_is_taken_off_a_new_instance)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	CHECK(wake(&s, 0));
	edf_consume(&s, 40);
	edf_sleep(&s);
	CHECK(wake(&s, 250));
	CHECK_EQ(edf_deadline(&s).ns, 350);
	CHECK_EQ(s.remaining_ns, 20);
	edf_consume(&s, 60); /* more than a whole budget */
	edf_sleep(&s);
	CHECK(!wake(&s, 400));
	CHECK_EQ(s.remaining_ns, -10);
}

TEST(edf_mode_changes_budget_and_deadline)
{
	struct edf_server s;
	edf_init(&s, &critical, at(0));
	edf_set_virtual(&s, 40);
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_deadline(&s).ns, 40);
	CHECK_EQ(edf_charge(&s, 21), EDF_SPENT_LOW);
	edf_raise(&s);
	CHECK_EQ(s.state, EDF_ACTIVE);
	CHECK_EQ(edf_deadline(&s).ns, 100);
	CHECK_EQ(s.remaining_ns, 29);
	CHECK_EQ(edf_charge(&s, 29), EDF_SPENT);
	CHECK(edf_replenish(&s));
	CHECK_EQ(s.remaining_ns, 50);
	CHECK_EQ(edf_charge(&s, 10), EDF_GOES_ON);
	edf_sleep(&s);
	edf_lower(&s);
	CHECK_EQ(s.remaining_ns, 10);
	CHECK(wake(&s, 150));
	CHECK_EQ(edf_deadline(&s).ns, 190);
}

TEST(edf_virtual_deadline_holds_from_the_next_instance)
{
	struct edf_server s;
	edf_init(&s, &critical, at(0));
	CHECK(wake(&s, 0));
	edf_set_virtual(&s, 40);
	CHECK_EQ(edf_deadline(&s).ns, 100);
	edf_sleep(&s);
	CHECK(wake(&s, 100));
	CHECK_EQ(edf_deadline(&s).ns, 140);
}

TEST(edf_zero_lag_is_when_its_share_has_caught_up)
{
	struct edf_server s;
	edf_init(&s, &implicit, at(0));
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_charge(&s, 10), EDF_GOES_ON);
	CHECK(edf_zero_lag(&s, 0).ns >= 34 && edf_zero_lag(&s, 0).ns <= 35); /* 10 of 30 per 100, rounded up */
	CHECK(edf_zero_lag(&s, 10).ns >= 50 && edf_zero_lag(&s, 10).ns <= 51);
	s.strict = true;
	CHECK_EQ(edf_zero_lag(&s, 0).ns, 100);
	CHECK_EQ(edf_charge(&s, 25), EDF_SPENT);
	CHECK_EQ(edf_zero_lag(&s, 0).ns, 200); /* it owes 5 */
	edf_init(&s, &constrained, at(0));
	CHECK(wake(&s, 0));
	CHECK_EQ(edf_zero_lag(&s, 1).ns, 100);
}

/*
 * Whatever the thread does, in no interval whose ends are a release and a deadline of instances
 * is more consumed than a sporadic task has a right to: runtime for each period begun, and one more
 * once the relative deadline fits. Implicit: bandwidth times length.
 */
enum { INSTANCES = 400 };

struct instance {
	int64_t start, deadline, used;
};

static size_t live(struct edf_server *s, struct test_rng *rng, struct instance *log)
{
	size_t n = 0;
	int64_t now = 0;
	log[0] = (struct instance){.start = INT64_MIN};
	for (unsigned step = 0; n + 1 < INSTANCES; step++) {
		now += (int64_t)test_below(rng, 40);
		if (s->state == EDF_IDLE)
			wake(s, now);
		if (s->state == EDF_THROTTLED) {
			now = max(now, edf_replenish_at(s).ns);
			edf_replenish(s);
			continue;
		}
		if (log[n].start != s->start.ns)
			log[++n] = (struct instance){s->start.ns, edf_deadline(s).ns, 0};
		int64_t ran = min((int64_t)test_below(rng, 20), s->remaining_ns);
		log[n].used += ran;
		now += ran;
		if (edf_charge(s, ran) == EDF_GOES_ON && test_below(rng, 3) == 0)
			edf_sleep(s);
		CHECK(edf_check(s));
	}
	return n;
}

TEST(edf_demand_is_bounded_whatever_its_thread_does)
{
	struct test_rng rng = test_rng(test_seed());
	static struct instance log[INSTANCES];
	for (unsigned round = 0; round < 200; round++) {
		const struct edf_params *p = round % 2 ? &implicit : &constrained;
		struct edf_server s;
		edf_init(&s, p, at(0));
		s.strict = round % 4 == 2;
		size_t n = live(&s, &rng, log);
		for (size_t i = 1; i <= n; i++) {
			int64_t used = 0;
			for (size_t k = i; k <= n; k++) {
				used += log[k].used;
				int64_t length = log[k].deadline - log[i].start;
				if (p == &implicit && !s.strict)
					CHECK(used * p->period_ns <= length * p->runtime_ns);
				else
					CHECK(used <= ((length - p->deadline_ns) / p->period_ns + 1) * p->runtime_ns);
			}
		}
	}
}

TEST(edf_jobs_are_counted_against_their_own_deadlines)
{
	struct edf_job j;
	edf_job_init(&j);
	edf_job_begin(&j, &constrained, at(10));
	CHECK(!edf_job_overdue(&j, &constrained, at(70)));
	CHECK_EQ(edf_job_end(&j, &constrained, at(70)), 0);
	CHECK_EQ(j.stats.misses, 0);
	CHECK_EQ(edf_job_next(&j, &constrained, at(80)).ns, 110);
	edf_job_begin(&j, &constrained, at(110));
	CHECK(edf_job_overdue(&j, &constrained, at(171)));
	CHECK(!edf_job_overdue(&j, &constrained, at(172)));
	CHECK_EQ(edf_job_end(&j, &constrained, at(180)), 10);
	CHECK_EQ(j.stats.misses, 1);
	CHECK_EQ(j.stats.jobs, 2);
	CHECK_EQ(j.stats.lateness_max_ns, 10);
}

TEST(edf_job_released_too_early_counts_from_when_it_was_due)
{
	struct edf_job j;
	edf_job_init(&j);
	edf_job_begin(&j, &implicit, at(0));
	CHECK_EQ(edf_job_end(&j, &implicit, at(5)), -95);
	edf_job_begin(&j, &implicit, at(20));
	CHECK_EQ(edf_job_deadline(&j, &implicit).ns, 200);
}

/* The one that follows finds a whole budget. */
TEST(edf_job_is_put_off_to_when_its_server_begins)
{
	struct edf_server s;
	struct edf_job j;
	edf_init(&s, &constrained, KTIME_NEVER);
	edf_job_init(&j);
	CHECK(!wake(&s, 10));
	edf_job_begin(&j, &constrained, at(10));
	edf_open(&s, at(90));
	edf_job_put_off(&j, &constrained, at(90));
	CHECK(edf_replenish(&s));
	CHECK(!edf_job_overdue(&j, &constrained, at(150)));
	CHECK_EQ(edf_charge(&s, 20), EDF_GOES_ON);
	edf_sleep(&s);
	CHECK_EQ(edf_job_end(&j, &constrained, at(120)), -30);
	CHECK(wake(&s, edf_job_next(&j, &constrained, at(120)).ns));
	CHECK_EQ(s.remaining_ns, 30);
	edf_job_begin(&j, &constrained, at(190));
	edf_job_put_off(&j, &constrained, at(100)); /* it never goes back */
	CHECK_EQ(edf_job_deadline(&j, &constrained).ns, 250);
}

TEST(edf_job_to_come_is_put_off_too)
{
	struct edf_job j;
	edf_job_init(&j);
	edf_job_put_off(&j, &constrained, at(90));
	edf_job_begin(&j, &constrained, at(10));
	CHECK_EQ(edf_job_deadline(&j, &constrained).ns, 150);
	CHECK_EQ(edf_job_end(&j, &constrained, at(100)), -50);
	edf_job_put_off(&j, &constrained, at(300));
	edf_job_begin(&j, &constrained, at(310));
	CHECK_EQ(edf_job_deadline(&j, &constrained).ns, 370);
}

TEST(edf_releases_passed_over_are_misses)
{
	struct edf_job j;
	edf_job_init(&j);
	edf_job_begin(&j, &implicit, at(0));
	CHECK_EQ(edf_job_end(&j, &implicit, at(350)), 250);
	CHECK_EQ(edf_job_next(&j, &implicit, at(350)).ns, 300); /* those of 100 and 200 are gone */
	CHECK_EQ(j.stats.misses, 3);
	edf_job_begin(&j, &implicit, at(300));
	CHECK_EQ(edf_job_deadline(&j, &implicit).ns, 400);
}
