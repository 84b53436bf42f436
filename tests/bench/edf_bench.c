/*
 * edf_bench.c - how late a deadline thread runs after its timer: in instructions, on an idle hart and with
 * the load of load.h beside it.
 *
 * A sample is from the instant the timer was set to, to the first instruction of the thread behind its wait. The
 * instant is known to an instruction although the clock is coarse: every instant that is waited for here is the
 * beginning of a tick, and under icount the clock is the count of instructions divided by a constant. (QEMU adds whole ticks
 * to the instant at which an alarm is set, so it comes late by as much as that was behind the beginning of a tick.) wake_calibrate() reads both at once in every phase of a tick, and so finds
 * what the count was when the clock was 0; it asserts that the two go together.
 *
 * On an idle hart the thread waits for its periods. Under load it waits for random instants, a few in each period, so that
 * the timer meets the load in every phase of its work. What was above the target is listed with what latency.c knows about
 * it: where interrupts or preemption came on again, and how late that was.
 */
#include "kernel/diag/bench.h"
#include "kernel/diag/diag.h"
#include "kernel/sched/deadline.h"
#include "kernel/sync/waitq.h"
#include "lib/prng.h"
#include "tests/bench/load.h"

#define WAKES      100000
#define WAKES_LONG 1000000
#define VALUES     8192 /* instructions; a sample above is counted in the last */

#define IDLE_TARGET   400
#define LOADED_TARGET 1000

#define TICK_NS     100
#define GAP_LEAST   100 /* ticks between the end of one wake and the next instant, under load */
#define GAP_SPREAD  200
#define WARM_UP_NS  (20 * NS_PER_MS)

static struct {
	size_t wakes;
	bool loaded;
	uint64_t target;
	int64_t offset; /* of the count of instructions against the clock in ns */
	uint32_t count[VALUES];
	uint64_t greatest;
	enum err err;
} wake;

/* ---- what was late, and why ---- */

#define PLACES 16
static struct wake_place {
	enum latency_kind kind; /* LATENCY_WAKE: neither of the two was seen */
	uintptr_t at;
	uint64_t count, greatest;
} wake_places[PLACES];

/* The last that latency.c noted; this hart, in its context. */
static volatile struct {
	ktime when;
	enum latency_kind kind;
	uintptr_t at;
} wake_noted;

static void wake_note(enum latency_kind kind, unused int64_t ns, uintptr_t at)
{
	if (kind == LATENCY_WAKE)
		return;
	wake_noted.when = clock_now();
	wake_noted.kind = kind;
	wake_noted.at = at;
}

static void wake_place_late(ktime due, uint64_t late)
{
	bool seen = !ktime_before(wake_noted.when, due);
	enum latency_kind kind = seen ? wake_noted.kind : LATENCY_WAKE;
	uintptr_t at = seen ? wake_noted.at : 0;
	size_t i = 0;
	while (i < PLACES - 1 && wake_places[i].count > 0 &&
		(wake_places[i].at != at || wake_places[i].kind != kind))
		i++;
	struct wake_place *p = &wake_places[i];
	if (late > p->greatest)
		*p = (struct wake_place){kind, at, p->count, late};
	p->count++;
}

static void wake_places_print(const char *name)
{
	for (size_t i = 0; i < PLACES && wake_places[i].count > 0; i++) {
		const struct wake_place *p = &wake_places[i];
		uint8_t text[80];
		struct abuf out = abuf_of(text, sizeof(text));
		if (p->at)
			symbol_describe_return(p->at, &out);
		klog(LOG_INFO, "bench: %s: late %lu times, at most %lu: %.*s %.*s", name, p->count, p->greatest,
			STR_ARG(p->kind == LATENCY_WAKE ? S("-") : latency_name(p->kind)),
			STR_ARG(abuf_str(&out)));
	}
}

/* ---- the waits ---- */

/* The count when the clock was 0: over all phases of a tick, the least difference of the two. */
static int64_t wake_calibrate(void)
{
	int64_t least = INT64_MAX, greatest = INT64_MIN;
	struct prng rng = prng_of(1);
	for (unsigned i = 0; i < 40 * TICK_NS; i++) {
		irqflags flags = arch_irq_save();
		int64_t count = (int64_t)arch_instret();
		int64_t now = clock_now().ns; /* the next instruction */
		arch_irq_restore(flags);
		for (uint64_t wait = prng_below(&rng, 2 * TICK_NS); wait > 0; wait--)
			__asm__ volatile("" ::"r"(wait));
		if (i & 1) /* so that no phase is left out */
			__asm__ volatile("nop");
		least = min(least, count + 1 - now);
		greatest = max(greatest, count + 1 - now);
	}
	/* Otherwise this is no machine whose clock counts instructions, and no sample would mean anything. */
	if (greatest - least != TICK_NS - 1)
		panic("bench: clock and instructions do not go together: %ld to %ld", least, greatest);
	return least;
}

static void wake_take(ktime due, uint64_t at)
{
	uint64_t late = at - (uint64_t)(due.ns + wake.offset);
	wake.count[min(late, (uint64_t)VALUES - 1)]++;
	wake.greatest = max(wake.greatest, late);
	if (unlikely(late > wake.target))
		wake_place_late(due, late);
}

static void wake_periods(const struct edf_params *p)
{
	struct deadline_info info;
	wake.err = thread_wait_period();
	bool has = thread_deadline_info(thread_current(), &info);
	assert(has);
	ktime due = info.deadline; /* of this job, which is the release of the next */
	for (size_t i = 0; i < wake.wakes && wake.err == OK; i++, due = ktime_add(due, p->period_ns)) {
		wake.err = thread_wait_period();
		wake_take(due, arch_instret());
	}
}

static void wake_instants(void)
{
	struct prng rng = prng_of(1);
	for (size_t i = 0; i < wake.wakes && wake.err == OK; i++) {
		int64_t gap = GAP_LEAST + (int64_t)prng_below(&rng, GAP_SPREAD);
		ktime due = ktime_add(clock_now(), gap * TICK_NS);
		wake.err = sleep_until(due);
		wake_take(due, arch_instret());
	}
}

/*
 * Under load a wake begins an instance again only when the last has ended; those within one are charged to it, so that it
 * gets a runtime in which they have room.
 */
static void wake_body(unused void *arg)
{
	struct deadline_attr a = {.params = {20 * NS_PER_US, 0, 50 * NS_PER_US, 50 * NS_PER_US}};
	if (wake.loaded)
		a.params = (struct edf_params){800 * NS_PER_US, 0, NS_PER_MS, NS_PER_MS};
	wake.err = thread_set_deadline(thread_current(), &a, NULL);
	if (wake.err != OK)
		return;
	if (wake.loaded)
		wake_instants();
	else
		wake_periods(&a.params);
}

static void wake_measure(const char *name, size_t wakes)
{
	static const int64_t noted[LATENCY_KINDS] = {1, 1, 0};
	struct watchdog_limits limits;
	struct load_figures f = {0};
	memset(wake.count, 0, sizeof(wake.count));
	memset(wake_places, 0, sizeof(wake_places));
	wake.wakes = wakes;
	wake.greatest = 0;
	wake.offset = wake_calibrate();
	bool ok = !wake.loaded || (load_start() && sleep_ns(WARM_UP_NS) == OK);
	watchdog_get_limits(&limits);
	latency_set_limits(noted, wake_note);
	struct thread_result t = thread_create(&(struct thread_attr){
		.name = S("edf_wake"),
		.entry = wake_body,
		.priority = PRIO_NORMAL,
		.class = SCHED_FIFO,
	});
	assert(t.err == OK);
	ok = thread_join(t.value, KTIME_NEVER) == OK && ok && wake.err == OK;
	watchdog_set_limits(&limits);
	if (wake.loaded)
		load_stop(&f);
	if (!ok || f.failed != 0)
		panic("bench: %s has failed: %u, %lu of the load", name, wake.err, f.failed);
	wake_places_print(name);
	bench_report_counts(name, "instructions", wake.count, VALUES, wake.greatest);
}

static void wake_idle(size_t wakes)
{
	wake.loaded = false;
	wake.target = IDLE_TARGET;
	wake_measure("edf_wake_idle", wakes);
}

static void wake_loaded(size_t wakes)
{
	wake.loaded = true;
	wake.target = LOADED_TARGET;
	wake_measure("edf_wake_loaded", wakes);
}

BENCH(edf_wake_idle)
{
	wake_idle(WAKES);
}

BENCH(edf_wake_loaded)
{
	wake_loaded(WAKES);
}

BENCH(long_edf_wake_idle)
{
	wake_idle(WAKES_LONG);
}

BENCH(long_edf_wake_loaded)
{
	wake_loaded(WAKES_LONG);
}
