/* Host tests of budget_core.h. */
#include "kernel/sched/budget_core.h"
#include "tests/host/test.h"

static ktime at(int64_t ns)
{
	return (ktime){ns};
}

TEST(budget_is_spent_and_comes_back)
{
	struct budget b = {0};
	budget_set(&b, 30, 100, at(0));
	CHECK(budget_charge(&b, 20, at(20)));
	CHECK_EQ(budget_spent_at(&b, at(50)).ns, 60);
	CHECK(!budget_charge(&b, 15, at(65)));
	CHECK_EQ(b.spent_count, 1);
	CHECK_EQ(b.next.ns, 100);
	CHECK(budget_charge(&b, 0, at(100)));
	CHECK_EQ(b.remaining_ns, 25); /* what was taken too much is owed */
	CHECK_EQ(b.next.ns, 200);
}

TEST(budget_does_not_pile_up)
{
	struct budget b = {0};
	budget_set(&b, 30, 100, at(0));
	CHECK(budget_charge(&b, 0, at(100000)));
	CHECK_EQ(b.remaining_ns, 30);
	CHECK_EQ(b.next.ns, 100100);
}

TEST(budget_splits_what_ran_over_the_end_of_a_period)
{
	struct budget b = {0};
	budget_set(&b, 30, 100, at(0));
	CHECK(budget_charge(&b, 20, at(110)));
	CHECK_EQ(b.remaining_ns, 20);
}

TEST(budget_debt_is_paid_by_whole_periods)
{
	struct budget b = {0};
	budget_set(&b, 10, 100, at(0));
	CHECK(!budget_charge(&b, 45, at(50)));
	CHECK(!budget_charge(&b, 0, at(100)));
	CHECK(!budget_charge(&b, 0, at(300)));
	CHECK_EQ(b.remaining_ns, -5);
	CHECK(budget_charge(&b, 0, at(400)));
	CHECK_EQ(b.remaining_ns, 5);
	CHECK_EQ(b.spent_count, 1);
}

TEST(budget_without_limit_only_counts)
{
	struct budget b = {0};
	CHECK(budget_charge(&b, 1000, at(5000)));
	CHECK(ktime_is_never(budget_spent_at(&b, at(1))));
	CHECK_EQ(b.used_ns, 1000);
}

/* Users that stop when it is spent take at most a budget more than their share in any stretch of periods. */
TEST(budget_bounds_what_is_taken)
{
	struct test_rng rng = test_rng(test_seed());
	enum { PERIODS = 500 };
	static int64_t taken[PERIODS + 2];
	struct budget b = {0};
	int64_t now = 0;
	budget_set(&b, 30, 100, at(0));
	while (now < PERIODS * 100) {
		if (!budget_charge(&b, 0, at(now))) {
			now = b.next.ns;
			continue;
		}
		now += (int64_t)test_below(&rng, 60);
		budget_charge(&b, 0, at(now));
		int64_t ran = b.remaining_ns > 0 ? min((int64_t)test_below(&rng, 40), b.remaining_ns + 3) : 0;
		for (int64_t k = 0; k < ran; k++)
			taken[min((now + k) / 100, (int64_t)PERIODS)]++;
		now += ran;
		budget_charge(&b, ran, at(now));
	}
	for (int i = 0; i < PERIODS; i++) {
		int64_t sum = 0;
		for (int k = i; k < PERIODS; k++) {
			sum += taken[k];
			CHECK(sum <= (k - i + 1) * 30 + 30);
		}
	}
}
