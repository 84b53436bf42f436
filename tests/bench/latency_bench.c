/*
 * latency_bench.c - the longest sections with interrupts off and with preemption off, under load.
 *
 * With CONFIG_LATENCY_TRACE every section is seen, in instructions: irq_off_max and preempt_off_max.
 * Without it (the image that all else is measured with) a timer goes off at random instants, and what it
 * finds is a lower bound, to a tick of the clock: irq_off_sampled and preempt_off_sampled.
 */
#include "kernel/diag/bench.h"
#include "kernel/diag/diag.h"
#include "kernel/sched/deadline.h"
#include "kernel/sync/waitq.h"
#include "tests/bench/load.h"

#define LOADED_NS  (500 * NS_PER_MS)
#define WARM_UP_NS (50 * NS_PER_MS)
#define SECTIONS_MAX 8
#define SAMPLE_NS  5000 /* between two samples, on average half of it and some */

static bool sampling; /* atomic */
static struct callout sampler;
static uint64_t samples, sampler_state;

static void bench_sample(unused void *arg)
{
	sampler_state = sampler_state * 6364136223846793005u + 1442695040888963407u;
	arch_need_resched_set(); /* what it finds with preemption off waits for that too */
	samples++;
	if (!__atomic_load_n(&sampling, __ATOMIC_RELAXED))
		return;
	enum err err = callout_start(&sampler,
		ktime_add(clock_now(), 1000 + (int64_t)(sampler_state >> 33) % SAMPLE_NS));
	assert(err == OK);
}

static void bench_sampling(bool on)
{
	__atomic_store_n(&sampling, on, __ATOMIC_RELAXED);
	if (!on) {
		callout_stop_wait(&sampler);
		return;
	}
	callout_init(&sampler, CALLOUT_HARD, bench_sample, NULL);
	enum err err = callout_start(&sampler, clock_now());
	assert(err == OK);
}

static void bench_line(
	const char *what, uint64_t value, uint64_t count, uintptr_t from, uintptr_t to)
{
	uint8_t text[KLOG_TEXT_MAX];
	struct abuf out = abuf_of(text, sizeof(text));
	fmt(&out, "%s %lu (%lu) ", what, value, count);
	symbol_describe_return(from, &out);
	fmt(&out, " .. ");
	symbol_describe_return(to, &out);
	klog(LOG_INFO, "bench: %.*s", STR_ARG(abuf_str(&out)));
}

/* What was seen of each kind: reporting is not part of the load. */
static struct bench_sections {
	size_t count;
	struct arch_section section[SECTIONS_MAX];
} bench_seen[SECTION_KINDS];

static void bench_see(void)
{
	irqflags flags = arch_irq_save();
	for (enum arch_section_kind kind = 0; kind < SECTION_KINDS; kind++) {
		struct bench_sections *b = &bench_seen[kind];
		b->count = 0;
		while (b->count < SECTIONS_MAX && arch_section_at(0, kind, b->count, &b->section[b->count]))
			b->count++;
	}
	arch_irq_restore(flags);
}

static void bench_section(const char *name, enum arch_section_kind kind)
{
	const struct bench_sections *b = &bench_seen[kind];
	uint64_t longest = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct arch_section *s = &b->section[i];
		bench_line(name, s->longest, s->count, s->from, s->to);
		longest = max(longest, s->longest);
	}
	bench_report(name, "instructions", &longest, 1);
}

static void bench_sampled(const char *name, enum latency_kind kind)
{
	struct latency_stats s;
	latency_stats(0, kind, &s);
	uint64_t longest = (uint64_t)s.ns.max_ns;
	bench_line(name, longest, histogram_total(&s.ns), s.longest.at, s.longest.at);
	bench_report(name, "ns", &longest, 1);
}

static void bench_reset(void)
{
	irqflags flags = arch_irq_save();
	arch_section_reset();
	arch_irq_restore(flags);
	latency_reset();
}

static void bench_latency(bool (*more)(void))
{
	struct load_figures f = {0};
	bool ok = load_start() && more() && sleep_ns(WARM_UP_NS) == OK;
	bench_reset();
	if (!config_on(CONFIG_LATENCY_TRACE))
		bench_sampling(true);
	ok = ok && sleep_ns(LOADED_NS) == OK;
	bench_see();
	if (!config_on(CONFIG_LATENCY_TRACE))
		bench_sampling(false);
	load_stop(&f);
	if (config_on(CONFIG_LATENCY_TRACE)) {
		bench_section("irq_off_max", SECTION_IRQS_OFF);
		bench_section("preempt_off_max", SECTION_PREEMPT_OFF);
		bench_section("preempt_held_max", SECTION_PREEMPT_HELD);
		bench_section("firmware_max", SECTION_FIRMWARE);
	} else {
		bench_sampled("irq_off_sampled", LATENCY_IRQS_OFF);
		bench_sampled("preempt_off_sampled", LATENCY_PREEMPT_OFF);
	}
	klog(LOG_INFO,
		"bench: load: %lu requests, %lu failed, %lu bytes, %lu handovers, %lu pings, %lu files, %lu samples",
		f.requests, f.failed, f.bytes, f.handovers, f.pings, f.files, samples);
	if (!ok || f.failed != 0 || f.requests == 0 || f.bytes == 0 || f.handovers == 0)
		panic("bench: the load has failed");
}

static bool bench_no_more(void)
{
	return true;
}

BENCH(latency_loaded)
{
	bench_latency(bench_no_more);
}

BENCH(latency_loaded_crowd)
{
	bench_latency(load_start_crowd);
}

#ifdef CONFIG_LATENCY_TRACE
/* A section of 100 instructions, and what turns it off and on: that the tracing takes itself off. */
BENCH(latency_section_of_100)
{
	uint64_t longest = 0;
	struct arch_section s;
	irqflags flags = arch_irq_save();
	arch_section_reset();
	arch_irq_restore(flags);
	flags = arch_irq_save();
	irqflags inner = arch_irq_save();
	preempt_disable();
	__asm__ volatile(".rept 100\n\tnop\n\t.endr" ::: "memory");
	preempt_enable();
	arch_irq_restore(inner);
	arch_irq_restore(flags);
	uintptr_t here = (uintptr_t)bench_latency_section_of_100;
	for (size_t i = 0; arch_section_at(0, SECTION_IRQS_OFF, i, &s); i++)
		if (s.from > here && s.from < here + 1024 && s.to > s.from + 200)
			longest = max(longest, s.longest);
	bench_report("section_of_100", "instructions", &longest, 1);
}

/* ---- many servers, and a change of mode up and down, which walks them all ---- */

#define MODE_THREADS 48 /* there are stacks for 64 */
#define MODE_PERIOD  (50 * NS_PER_MS)
#define MODE_LOW     (20 * NS_PER_US)

static bool mode_stop; /* atomic */

static void mode_body(void *exceeds)
{
	struct deadline_attr a = {.params = {MODE_LOW, 4 * MODE_LOW, MODE_PERIOD, MODE_PERIOD}};
	enum err err = thread_set_deadline(thread_current(), &a, NULL);
	while (err == OK && !__atomic_load_n(&mode_stop, __ATOMIC_RELAXED)) {
		ktime until = ktime_add(clock_now(), exceeds ? 2 * MODE_LOW : 0);
		while (ktime_before(clock_now(), until))
			;
		err = thread_wait_period();
	}
	assert(err == OK);
}

BENCH(latency_mode)
{
	static struct thread *thread[MODE_THREADS];
	static bool exceeds;
	mode_stop = false;
	for (size_t i = 0; i < MODE_THREADS; i++) {
		struct thread_result r = thread_create(&(struct thread_attr){
			.name = S("mode"),
			.entry = mode_body,
			.arg = i == 0 ? &exceeds : NULL,
			.priority = PRIO_NORMAL,
			.class = SCHED_FIFO,
		});
		assert(r.err == OK);
		thread[i] = r.value;
	}
	bench_reset();
	enum err err = sleep_ns(2 * MODE_PERIOD);
	__atomic_store_n(&mode_stop, true, __ATOMIC_RELAXED);
	err |= sleep_ns(MODE_PERIOD + 2 * CONFIG_SCHED_MODE_QUIET_MS * NS_PER_MS);
	bench_see();
	bench_section("irq_off_mode", SECTION_IRQS_OFF);
	for (size_t i = 0; i < MODE_THREADS; i++)
		err |= thread_join(thread[i], KTIME_NEVER);
	assert(err == OK);
}
#endif
