/* Host tests of load_core.c. */
#include "kernel/sched/load_core.h"
#include "tests/host/test.h"

static ktime at_ms(int64_t ms)
{
	return (ktime){ms * NS_PER_MS};
}

TEST(load_rises_to_full_and_falls_to_nothing)
{
	struct load l;
	load_init(&l, at_ms(0));
	load_update(&l, true, at_ms(0));
	CHECK_EQ(load_permille(&l, at_ms(0)), 0);
	uint32_t one_tau = load_permille(&l, at_ms(1000));
	CHECK(one_tau >= 630 && one_tau <= 634); /* 1 - 1/e */
	CHECK_EQ(load_permille(&l, at_ms(60000)), 1000);
	load_update(&l, false, at_ms(60000));
	uint32_t fallen = load_permille(&l, at_ms(61000));
	CHECK(fallen >= 366 && fallen <= 370);
	CHECK_EQ(load_permille(&l, at_ms(100000000)), 0);
}

TEST(load_does_not_depend_on_how_often_it_is_updated)
{
	struct load once, often;
	load_init(&once, at_ms(0));
	load_update(&once, true, at_ms(0));
	often = once;
	for (int ms = 1; ms <= 2000; ms++)
		load_update(&often, true, at_ms(ms));
	int32_t gap = (int32_t)load_permille(&once, at_ms(2000)) -
		      (int32_t)load_permille(&often, at_ms(2000));
	CHECK(gap >= -20 && gap <= 20);
}

TEST(load_never_leaves_its_range)
{
	struct test_rng rng = test_rng(test_seed());
	struct load l;
	ktime now = at_ms(0);
	load_init(&l, now);
	for (int i = 0; i < 100000; i++) {
		now = ktime_add(now, (int64_t)test_below(&rng, 1000 * 1000 * 1000));
		load_update(&l, test_below(&rng, 2), now);
		CHECK(l.value <= LOAD_ONE);
	}
}

TEST(balance_moves_only_where_it_evens_out)
{
	uint32_t ready[4] = {3 * BALANCE_ONE, 2 * BALANCE_ONE, 1 * BALANCE_ONE, 4 * BALANCE_ONE};
	CHECK_EQ(balance_target(ready, 4, 0, 15), 2);
	CHECK_EQ(balance_target(ready, 4, 0, 2), 0); /* 3 and 2: nothing gained */
	CHECK_EQ(balance_target(ready, 4, 3, 3), 1);
	CHECK_EQ(balance_target(ready, 4, 2, 15), 2);
	CHECK_EQ(balance_target(ready, 1, 0, 15), 0);
}

/* Two more that stay are seen the second time, four that come and go are not. */
TEST(balance_waits_for_what_stays)
{
	uint32_t average[2] = {0, 0};
	average[0] = balance_decay(average[0], 2);
	CHECK_EQ(balance_target(average, 2, 0, 3), 0);
	average[0] = balance_decay(average[0], 2);
	CHECK_EQ(balance_target(average, 2, 0, 3), 1);
	average[0] = 0;
	for (unsigned i = 0; i < 20; i++) {
		average[0] = balance_decay(average[0], i % 4 ? 0 : 2);
		CHECK_EQ(balance_target(average, 2, 0, 3), 0);
	}
}
