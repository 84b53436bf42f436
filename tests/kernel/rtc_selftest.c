/*
 * rtc_selftest.c - the clock against the real-time clock, while every hart is sent interrupts by the others
 * (lesson 13): a clock that a second source of interrupts drives, or that is taken for one, runs fast or slow.
 *
 * Between two readings the host may take the hart away, so each is bounded from both sides by the clock, and the
 * comparison is as exact as the readings were. A clock that is a hundredth wrong is found whatever the host does.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/selftest.h"
#include "kernel/time/time.h"
#include "tests/kernel/sync_selftest.h"

#define RTC_INTERVAL_NS (300 * NS_PER_MS)
#define RTC_TRIES       50

/* The device's time, and the clock just before and after it was read. */
struct rtc_reading {
	int64_t unix_ns;
	ktime before, after;
};

/* The closest of some. */
static bool rtc_read_closely(struct rtc_reading *out)
{
	out->before = KTIME_ZERO;
	out->after = KTIME_NEVER;
	for (unsigned i = 0; i < RTC_TRIES; i++) {
		struct rtc_reading r = {.before = clock_now()};
		struct i64_result now = rtc_now();
		r.after = clock_now();
		if (now.err != OK)
			return false;
		r.unix_ns = now.value;
		if (ktime_diff(r.after, r.before) < ktime_diff(out->after, out->before))
			*out = r;
	}
	return true;
}

static bool rtc_quiet; /* atomic */

/* Interrupts to all other harts, until told to stop. */
static void rtc_disturb(unused void *arg)
{
	while (!__atomic_load_n(&rtc_quiet, __ATOMIC_ACQUIRE)) {
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			arch_ipi_send(cpu, IPI_TEST);
		if (sleep_ns(NS_PER_MS / 20) != OK)
			return;
	}
}

static void rtc_ipi(void)
{
}

SELFTEST(rtc_and_clock_agree_under_interrupts)
{
	struct rtc_reading first = {0}, last = {0};
	struct thread *t[CPU_MAX] = {0};
	if (rtc_now().err != OK)
		return; /* a board without one */
	arch_on_ipi(IPI_TEST, rtc_ipi);
	__atomic_store_n(&rtc_quiet, false, __ATOMIC_RELEASE);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		t[cpu] = st_thread(S("ipis"), rtc_disturb, NULL, PRIO_NORMAL, UINT64_C(1) << cpu);
	ST_CHECK(rtc_read_closely(&first));
	ST_CHECK(sleep_ns(RTC_INTERVAL_NS) == OK);
	ST_CHECK(rtc_read_closely(&last));
	__atomic_store_n(&rtc_quiet, true, __ATOMIC_RELEASE);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		ST_CHECK(t[cpu] && thread_join(t[cpu], ktime_add(clock_now(), 100 * NS_PER_S)) == OK);
	int64_t passed = last.unix_ns - first.unix_ns, margin = passed / 100 + 10 * NS_PER_US;
	ST_CHECK(passed >= ktime_diff(last.before, first.after) - margin);
	ST_CHECK(passed <= ktime_diff(last.after, first.before) + margin);
}

/* The wall clock is the device's time, as it was at boot and as it is now. */
SELFTEST(rtc_gives_the_wall_clock)
{
	struct i64_result before = rtc_now();
	int64_t wall = clock_wall();
	struct i64_result after = rtc_now();
	if (before.err != OK) {
		ST_CHECK(wall == 0);
		return;
	}
	int64_t margin = NS_PER_S / 10 + clock_now().ns / 100;
	ST_CHECK(wall >= before.value - margin && wall <= after.value + margin);
}
