/* Host tests of irq_pace_core.h. */
#include "kernel/irq/irq_pace_core.h"
#include "tests/host/test.h"

#define BURST CONFIG_IRQ_BURST

static ktime at(int64_t ns)
{
	return (ktime){ns};
}

TEST(irq_pace_lets_a_burst_pass)
{
	struct irq_pace p = {0};
	for (int i = 1; i < BURST; i++)
		CHECK(!irq_pace_note(&p, at(1000)));
	CHECK(irq_pace_note(&p, at(1000)));
	CHECK(!irq_pace_mask(&p, at(1000)));
	CHECK_EQ(p.masked_until.ns, 1000 + BURST * IRQ_PACE_NS);
	/* And then as many again. */
	for (int i = 1; i < BURST; i++)
		CHECK(!irq_pace_note(&p, p.masked_until));
	CHECK(irq_pace_note(&p, p.masked_until));
}

TEST(irq_pace_leaves_alone_who_keeps_to_it)
{
	struct irq_pace p = {0};
	for (int64_t i = 0; i < 100000; i++)
		CHECK(!irq_pace_note(&p, at(i * IRQ_PACE_NS)));
}

/* Whenever it interrupts while it is not masked: in any time no more than a burst and the rate. */
TEST(irq_pace_bounds_every_interval)
{
	enum { EVENTS = 2000 };
	static int64_t when[EVENTS];
	struct test_rng rng = test_rng(test_seed());
	struct irq_pace p = {0};
	int64_t now = 0;
	for (int i = 0; i < EVENTS; i++) {
		now += (int64_t)test_below(&rng, test_below(&rng, 4) == 0 ? 4 * IRQ_PACE_NS : 200);
		when[i] = now;
		if (irq_pace_note(&p, at(now))) {
			irq_pace_mask(&p, at(now));
			now = p.masked_until.ns;
		}
	}
	for (int i = 0; i < EVENTS; i++)
		for (int j = i; j < EVENTS; j++)
			CHECK((j - i + 1 - BURST) * IRQ_PACE_NS <= when[j] - when[i]);
}

/* One that never rests: for 10 ms it is only paced, then masked for longer and longer. */
TEST(irq_pace_masks_a_storm_for_longer_each_time)
{
	struct irq_pace p = {0};
	int64_t now = 0, last = 0;
	bool storms = false;
	while (!storms) {
		while (!irq_pace_note(&p, at(now)))
			now += 100;
		storms = irq_pace_mask(&p, at(now));
		if (!storms) {
			CHECK(p.mask_ns <= BURST * IRQ_PACE_NS);
			now = p.masked_until.ns;
		}
	}
	CHECK(now >= IRQ_STORM_NS - 2 * BURST * IRQ_PACE_NS && now <= 2 * IRQ_STORM_NS);
	CHECK_EQ(p.mask_ns, IRQ_STORM_NS);
	for (int i = 0; i < 40; i++) {
		last = p.mask_ns;
		now = p.masked_until.ns;
		while (!irq_pace_note(&p, at(now)))
			;
		CHECK(irq_pace_mask(&p, at(now)));
		CHECK_EQ(p.mask_ns, min(2 * last, CONFIG_IRQ_STORM_MASK_MS * NS_PER_MS));
	}
	/* It rests for as long, and is like any other. */
	now = p.masked_until.ns + p.mask_ns;
	while (!irq_pace_note(&p, at(now)))
		;
	CHECK(!irq_pace_mask(&p, at(now)));
	CHECK_EQ(p.mask_ns, BURST * IRQ_PACE_NS);
}

/* That it is let in late is no rest. */
TEST(irq_pace_knows_a_storm_by_what_follows_at_once)
{
	struct irq_pace p = {0};
	int64_t now = 0;
	bool storms = false;
	for (int i = 0; i < 1000 && !storms; i++) {
		while (!irq_pace_note(&p, at(now)))
			;
		storms = irq_pace_mask(&p, at(now));
		now = p.masked_until.ns + NS_PER_MS;
		irq_pace_let_in(&p, at(now));
	}
	CHECK(storms);
}
