/*
 * callout_selftest.c - callouts on the metal: never early, in order, stopped, refused
 * when the heap is full. They need no thread: each test keeps its hart and opens
 * interrupts. Those with several harts are in callout_thread_selftest.c.
 */
#include "kernel/diag/selftest.h"
#include "kernel/time/time.h"
#include "lib/prng.h"

#define HOUR (3600 * NS_PER_S)

enum { MANY = 64, TOTAL = 20000, BURST = 3 * CONFIG_CALLOUT_STRETCH + 1 };

/* Written in interrupt context on the test's hart, read by the test. */
static uint32_t ran, started, early, refused;

/* From here on this hart, with interrupts: what they were. */
static bool callout_test_begin(void)
{
	ran = started = early = refused = 0;
	preempt_disable();
	bool on = arch_irqs_enabled();
	arch_irq_enable();
	return on;
}

static void callout_test_end(bool on)
{
	if (!on)
		arch_irq_disable();
	preempt_enable();
}

/* Waits until so many ran; false when that takes a minute. */
static bool callout_ran(uint32_t want)
{
	ktime limit = ktime_add(clock_now(), 60 * NS_PER_S);
	while (__atomic_load_n(&ran, __ATOMIC_ACQUIRE) < want)
		if (ktime_before(limit, clock_now()))
			return false;
	return __atomic_load_n(&ran, __ATOMIC_ACQUIRE) == want;
}

static void callout_delay(int64_t ns)
{
	ktime until = ktime_add(clock_now(), ns);
	while (ktime_before(clock_now(), until))
		;
}

static void count_run(unused void *arg)
{
	ran++;
}

/* ---- lesson 18: never early ---- */

static struct callout many[MANY];
static ktime many_at[MANY];
static struct prng many_rng;

static void many_start(size_t i)
{
	started++;
	many_at[i] = ktime_add(clock_now(), (int64_t)prng_below(&many_rng, 50000) - 1000);
	if (callout_start(&many[i], many_at[i]) != OK)
		refused++;
}

static void many_run(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	if (ktime_before(clock_now(), many_at[i]))
		early++;
	ran++;
	if (started < TOTAL)
		many_start(i);
}

SELFTEST(callout_never_early)
{
	bool on = callout_test_begin();
	many_rng = prng_of(18);
	for (size_t i = 0; i < MANY; i++)
		callout_init(&many[i], CALLOUT_HARD, many_run, (void *)(uintptr_t)i);
	/* Together: the first few alone may keep a slow machine busy until all have run. */
	irqflags flags = arch_irq_save();
	for (size_t i = 0; i < MANY; i++)
		many_start(i);
	arch_irq_restore(flags);
	ST_CHECK(callout_ran(TOTAL));
	ST_CHECK(early == 0);
	ST_CHECK(refused == 0);
	for (size_t i = 0; i < MANY; i++)
		ST_CHECK(!callout_stop(&many[i]));
	callout_test_end(on);
}

/* ---- order, more than one interrupt's worth of them ---- */

static struct callout burst[BURST];
static ktime burst_at[BURST];
static uint8_t burst_order[BURST];
static_assert(BURST <= 255, "a place fits a byte");

static void burst_run(void *arg)
{
	burst_order[ran++ % BURST] = (uint8_t)(uintptr_t)arg;
}

SELFTEST(callout_order)
{
	bool on = callout_test_begin();
	struct prng rng = prng_of(7);
	irqflags flags = arch_irq_save();
	ktime base = ktime_add(clock_now(), NS_PER_MS);
	for (size_t i = 0; i < BURST; i++) {
		callout_init(&burst[i], CALLOUT_HARD, burst_run, (void *)(uintptr_t)i);
		burst_at[i] = ktime_add(base, (int64_t)prng_below(&rng, 4) * 1000);
		ST_CHECK(callout_start(&burst[i], burst_at[i]) == OK);
	}
	callout_delay(2 * NS_PER_MS);
	ST_CHECK(ran == 0);
	arch_irq_restore(flags);
	ST_CHECK(callout_ran(BURST));
	for (size_t i = 1; i < BURST; i++) {
		uint8_t a = burst_order[i - 1], b = burst_order[i];
		ST_CHECK(burst_at[a].ns < burst_at[b].ns ||
			(burst_at[a].ns == burst_at[b].ns && a < b));
	}
	callout_test_end(on);
}

/* ---- stop, and start again ---- */

SELFTEST(callout_stop)
{
	bool on = callout_test_begin();
	struct callout c;
	callout_init(&c, CALLOUT_HARD, count_run, NULL);
	ST_CHECK(!callout_stop(&c));
	ST_CHECK(callout_start(&c, ktime_add(clock_now(), HOUR)) == OK);
	ST_CHECK(callout_stop(&c));
	ST_CHECK(!callout_stop(&c));
	ST_CHECK(callout_start(&c, ktime_add(clock_now(), HOUR)) == OK);
	ST_CHECK(callout_start(&c, ktime_add(clock_now(), NS_PER_MS)) == OK);
	ST_CHECK(callout_ran(1));
	ST_CHECK(!callout_stop(&c));
	/*
	 * A later instant takes the place of an earlier one; the timer's first alarm finds nothing. However
	 * long the host stops this hart between the two, it is not taken before the second.
	 */
	irqflags flags = arch_irq_save();
	ST_CHECK(callout_start(&c, ktime_add(clock_now(), 2 * NS_PER_MS)) == OK);
	ST_CHECK(callout_start(&c, ktime_add(clock_now(), HOUR)) == OK);
	arch_irq_restore(flags);
	callout_delay(5 * NS_PER_MS);
	ST_CHECK(ran == 1);
	callout_stop_wait(&c);
	ST_CHECK(!callout_stop(&c));
	callout_test_end(on);
}

/* ---- lesson 15: a full heap refuses, is counted, and recovers ---- */

static struct callout crowd[CONFIG_CALLOUT_MAX + 1];

SELFTEST(callout_full)
{
	bool on = callout_test_begin();
	struct callout_stats before, after;
	ktime at = ktime_add(clock_now(), HOUR);
	size_t n = 0;
	for (size_t i = 0; i < countof(crowd); i++)
		callout_init(&crowd[i], CALLOUT_HARD, count_run, NULL);
	callout_stats(arch_cpu(), CALLOUT_HARD, &before);
	while (n < countof(crowd) && callout_start(&crowd[n], at) == OK)
		n++;
	ST_CHECK(n < countof(crowd) && n > CONFIG_CALLOUT_MAX / 2);
	callout_stats(arch_cpu(), CALLOUT_HARD, &after);
	ST_CHECK(after.refused >= before.refused + 1);
	ST_CHECK(after.pending <= CONFIG_CALLOUT_MAX);
	/* One that has a place keeps it when it is started again. */
	ST_CHECK(callout_start(&crowd[0], ktime_add(at, 1)) == OK);
	for (size_t i = 0; i < n; i++)
		ST_CHECK(callout_stop(&crowd[i]));
	ST_CHECK(callout_start(&crowd[0], clock_now()) == OK);
	ST_CHECK(callout_ran(1));
	callout_test_end(on);
}
