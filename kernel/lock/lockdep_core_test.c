/* lockdep_core_test.c - each verdict by an example, and cycles against a model. */
#include "kernel/lock/lockdep_core.h"
#include "tests/host/test.h"

static int locks[LOCKDEP_CLASS_MAX]; /* an address for each class */

static struct lockdep_held taken(uint32_t class)
{
	return (struct lockdep_held){.class = class, .lock = &locks[class]};
}

static enum lockdep_verdict take(
	struct lockdep_core *d, const struct lockdep_held *held, size_t n, struct lockdep_held t)
{
	uint32_t culprit;
	return lockdep_core_check(d, held, n, &t, &culprit);
}

TEST(lockdep_static_order)
{
	struct lockdep_core d;
	lockdep_core_init(&d, 4, 0);
	struct lockdep_held h[] = {taken(1)};
	CHECK_EQ(take(&d, h, 1, taken(2)), LOCKDEP_NEW);
	CHECK_EQ(take(&d, h, 1, taken(2)), LOCKDEP_OK);
	CHECK_EQ(take(&d, h, 1, taken(0)), LOCKDEP_ORDER);
	CHECK_EQ(take(&d, h, 1, taken(0)), LOCKDEP_ORDER); /* a refusal teaches nothing */
	CHECK_EQ(take(&d, h, 1, taken(1)), LOCKDEP_RECURSION);
}

TEST(lockdep_learned_cycle_over_three)
{
	struct lockdep_core d;
	lockdep_core_init(&d, 0, 0);
	for (uint32_t c = 5; c < 7; c++) {
		struct lockdep_held h[] = {taken(c)};
		CHECK_EQ(take(&d, h, 1, taken(c + 1)), LOCKDEP_NEW);
	}
	struct lockdep_held h[] = {taken(7)};
	uint32_t culprit;
	struct lockdep_held t = taken(5);
	CHECK_EQ(lockdep_core_check(&d, h, 1, &t, &culprit), LOCKDEP_CYCLE);
	CHECK_EQ(culprit, 7);
}

TEST(lockdep_nesting_by_address)
{
	struct lockdep_core d;
	lockdep_core_init(&d, 4, 1u << 2);
	struct lockdep_held low = {.class = 2, .lock = &locks[0]}, high = {.class = 2, .lock = &locks[1]};
	CHECK_EQ(take(&d, &low, 1, high), LOCKDEP_NEW);
	CHECK_EQ(take(&d, &high, 1, low), LOCKDEP_SAME_CLASS);
	low.class = high.class = 1;
	CHECK_EQ(take(&d, &low, 1, high), LOCKDEP_SAME_CLASS);
}

TEST(lockdep_irq_usage_and_chain)
{
	struct lockdep_core d;
	lockdep_core_init(&d, 8, 0);
	struct lockdep_held in_irq = taken(1), on = taken(1);
	in_irq.in_irq = true;
	on.irqs_on = true;
	CHECK_EQ(take(&d, NULL, 0, in_irq), LOCKDEP_NEW);
	CHECK_EQ(take(&d, NULL, 0, on), LOCKDEP_IRQ_USAGE);
	on = taken(3);
	on.irqs_on = true;
	CHECK_EQ(take(&d, NULL, 0, on), LOCKDEP_NEW);
	struct lockdep_held h[] = {taken(1)};
	CHECK_EQ(take(&d, h, 1, taken(2)), LOCKDEP_NEW);
	h[0] = taken(2);
	CHECK_EQ(take(&d, h, 1, taken(3)), LOCKDEP_IRQ_CHAIN);
}

TEST(lockdep_handler_is_not_bound_by_what_it_interrupted)
{
	struct lockdep_core d;
	lockdep_core_init(&d, 8, 0);
	struct lockdep_held h[] = {taken(4), taken(2)};
	h[1].in_irq = true;
	struct lockdep_held t = taken(3);
	t.in_irq = true;
	CHECK_EQ(take(&d, h, 1, t), LOCKDEP_NEW);
	t.class = 1;
	t.lock = &locks[1];
	CHECK_EQ(take(&d, h, 2, t), LOCKDEP_ORDER);
}

TEST(lockdep_sleeping_under_spinning)
{
	struct lockdep_core d;
	lockdep_core_init(&d, 0, 0);
	struct lockdep_held h[] = {taken(1)}, t = taken(2);
	t.sleeps = true;
	CHECK_EQ(take(&d, h, 1, t), LOCKDEP_SLEEP_SPIN);
	h[0].sleeps = true;
	CHECK_EQ(take(&d, h, 1, t), LOCKDEP_NEW);
}

/* Transitive closure by Warshall: is there a way from a to b? */
static bool model_reaches(bool edge[16][16], unsigned a, unsigned b)
{
	bool way[16][16];
	memcpy(way, edge, sizeof(way));
	for (unsigned k = 0; k < 16; k++)
		for (unsigned i = 0; i < 16; i++)
			for (unsigned j = 0; j < 16; j++)
				way[i][j] |= way[i][k] && way[k][j];
	return way[a][b];
}

TEST(lockdep_refuses_exactly_what_closes_a_cycle)
{
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 200; round++) {
		struct lockdep_core d;
		bool edge[16][16] = {{false}};
		lockdep_core_init(&d, 0, 0);
		for (int step = 0; step < 60; step++) {
			unsigned a = (unsigned)test_below(&rng, 16), b = (unsigned)test_below(&rng, 16);
			if (a == b)
				continue;
			struct lockdep_held h[] = {taken(a)};
			bool bad = model_reaches(edge, b, a);
			CHECK_EQ(take(&d, h, 1, taken(b)) == LOCKDEP_CYCLE, bad);
			if (!bad)
				edge[a][b] = true;
		}
	}
}
