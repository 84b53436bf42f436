/*
 * watchdog_selftest.c - each thing that the watchdog finds, provoked: it is counted, and the
 * log names the function that did it.
 *
 * A machine may be stopped at any moment: that ends an offence early, or is what is found and logged in its place.
 * It is not so TRIES times in a row.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "tests/kernel/sync_selftest.h"

#define LIMIT_NS    (10 * NS_PER_MS)
#define OFFENCE_NS  (50 * NS_PER_MS)
#define PATIENCE_NS (20 * NS_PER_S)
#define TRIES       20

static bool released; /* atomic */

/* Called by the offenders, so that their frames are on the stack. */
static noinline bool watchdog_test_goes_on(ktime until)
{
	arch_spin_relax(0);
	return ktime_before(clock_now(), until) && !__atomic_load_n(&released, __ATOMIC_ACQUIRE);
}

static ktime after(int64_t ns)
{
	return ktime_add(clock_now(), ns);
}

static uint64_t watchdog_count(enum watchdog_kind kind)
{
	struct watchdog_stats s;
	watchdog_stats(kind, &s);
	return s.count;
}

/* Whether a record behind `since` contains the words. */
static bool log_names(uint64_t since, struct str words)
{
	struct klog_entry e;
	for (; klog_read(since, LOG_ERR, &e); since = e.seq)
		for (size_t i = 0; i + words.len <= e.len; i++)
			if (str_starts(str_of(e.text + i, e.len - i), words))
				return true;
	return false;
}

static struct watchdog_limits limits_before;
static uint64_t log_before;

static void watchdog_start_here(unused void *arg)
{
	watchdog_start();
}

static void watchdog_test_begin(struct watchdog_limits *l)
{
	watchdog_get_limits(&limits_before);
	if (l->hart_beats == 0)
		l->hart_beats = limits_before.hart_beats;
	__atomic_store_n(&released, false, __ATOMIC_RELEASE);
	log_before = klog_last_seq();
	watchdog_set_limits(l);
	ST_CHECK(st_on_every_hart(watchdog_start_here)); /* no beat of the old period comes in between */
}

static void watchdog_test_end(void)
{
	watchdog_set_limits(&limits_before);
	ST_CHECK(st_on_every_hart(watchdog_start_here));
}

static void watchdog_test_run(void (*entry)(void *), enum sched_class class, int64_t watchdog_ns)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("offender"),
		.entry = entry,
		.priority = PRIO_NORMAL,
		.class = class,
		.affinity = 1,
		.watchdog_ns = watchdog_ns,
	});
	ST_REQUIRE(r.err == OK);
	ST_CHECK(thread_join(r.value, after(PATIENCE_NS)) == OK);
}

static bool watchdog_test_succeeds(bool (*attempt)(void))
{
	for (int i = 0; i < TRIES; i++)
		if (attempt())
			return true;
	return false;
}

/* ---- threads ---- */

static noinline void watchdog_test_runaway(unused void *arg)
{
	for (ktime until = after(OFFENCE_NS); watchdog_test_goes_on(until);)
		;
}

static bool watchdog_finds_a_runaway(void)
{
	struct watchdog_limits none = {0};
	uint64_t before = watchdog_count(WATCHDOG_THREAD);
	watchdog_test_begin(&none);
	watchdog_test_run(watchdog_test_runaway, SCHED_FIFO, LIMIT_NS);
	watchdog_test_end();
	return watchdog_count(WATCHDOG_THREAD) > before &&
	       log_names(log_before, S("\"offender\" has run without waiting")) &&
	       log_names(log_before, S("watchdog_test_runaway"));
}

SELFTEST(watchdog_names_a_runaway_thread)
{
	ST_CHECK(watchdog_test_succeeds(watchdog_finds_a_runaway));
}

/* That others have their turn in between is not its doing. */
static void watchdog_test_equal(unused void *arg)
{
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		arch_spin_relax(0);
}

static bool watchdog_finds_a_runaway_among_equals(void)
{
	struct watchdog_limits none = {0};
	uint64_t before = watchdog_count(WATCHDOG_THREAD);
	watchdog_test_begin(&none);
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("equal"),
		.entry = watchdog_test_equal,
		.priority = PRIO_NORMAL,
		.class = SCHED_RR,
		.affinity = 1,
	});
	if (r.err != OK)
		return false;
	watchdog_test_run(watchdog_test_runaway, SCHED_RR, 2 * CONFIG_SCHED_QUANTUM_US * NS_PER_US);
	__atomic_store_n(&released, true, __ATOMIC_RELEASE);
	ST_CHECK(thread_join(r.value, after(PATIENCE_NS)) == OK);
	watchdog_test_end();
	return watchdog_count(WATCHDOG_THREAD) > before;
}

SELFTEST(watchdog_names_a_runaway_among_equals)
{
	ST_CHECK(watchdog_test_succeeds(watchdog_finds_a_runaway_among_equals));
}

/* The longest that one went without: where the machine itself was stopped for so long, a report is right. */
static int64_t longest_ns;

static void watchdog_test_note(ktime *last)
{
	ktime now = clock_now();
	longest_ns = max(longest_ns, ktime_diff(now, *last));
	*last = now;
}

static void watchdog_test_waits(unused void *arg)
{
	ktime last = clock_now();
	for (ktime until = after(OFFENCE_NS); watchdog_test_goes_on(until); watchdog_test_note(&last))
		ST_CHECK(sleep_ns(100 * NS_PER_US) == OK);
}

static void watchdog_test_yields(unused void *arg)
{
	ktime last = clock_now();
	for (ktime until = after(OFFENCE_NS); watchdog_test_goes_on(until); watchdog_test_note(&last))
		sched_yield();
}

SELFTEST(watchdog_spares_who_waits_or_yields)
{
	struct watchdog_limits none = {0};
	uint64_t before = watchdog_count(WATCHDOG_THREAD);
	watchdog_test_begin(&none);
	longest_ns = 0;
	watchdog_test_run(watchdog_test_waits, SCHED_FIFO, OFFENCE_NS / 2);
	watchdog_test_run(watchdog_test_yields, SCHED_FIFO, OFFENCE_NS / 2);
	ST_CHECK(watchdog_count(WATCHDOG_THREAD) == before || longest_ns >= OFFENCE_NS / 2);
	before = watchdog_count(WATCHDOG_THREAD);
	watchdog_test_run(watchdog_test_runaway, SCHED_FIFO, -1);
	ST_CHECK(watchdog_count(WATCHDOG_THREAD) == before);
	watchdog_test_end();
}

/* ---- interrupts and preemption ---- */

static void watchdog_test_nothing(unused void *arg)
{
}

/* How long the offence took at most: what is longer was the machine's, which may be stopped. */
static int64_t held_ns;

static noinline void watchdog_test_irqs_off(unused void *arg)
{
	struct callout due;
	ktime begin = clock_now();
	callout_init(&due, CALLOUT_HARD, watchdog_test_nothing, NULL);
	irqflags flags = arch_irq_save();
	ktime at;
	do { /* one that is past when it is set does not count, and a machine may be stopped in between */
		at = after(NS_PER_MS);
		ST_CHECK(callout_start(&due, at) == OK);
	} while (!ktime_before(clock_now(), at));
	for (ktime until = after(OFFENCE_NS); watchdog_test_goes_on(until);)
		;
	arch_irq_restore(flags);
	held_ns = ktime_diff(clock_now(), begin);
	callout_stop_wait(&due);
}

static bool stats_name(const struct latency_stats *s, struct str function)
{
	if (s->ns.max_ns > held_ns)
		return true;
	uint8_t text[100];
	struct abuf out = abuf_of(text, sizeof(text));
	symbol_describe_return(s->longest.at, &out);
	return str_eq(str_of(s->longest.name, s->longest.name_len), S("offender")) && str_starts(abuf_str(&out), function);
}

static bool watchdog_finds_interrupts_off(void)
{
	struct watchdog_limits l = {.irqs_off_ns = LIMIT_NS};
	struct latency_stats s;
	uint64_t before = watchdog_count(WATCHDOG_IRQS_OFF);
	watchdog_test_begin(&l);
	latency_reset();
	watchdog_test_run(watchdog_test_irqs_off, SCHED_FIFO, -1);
	latency_stats(0, LATENCY_IRQS_OFF, &s);
	watchdog_test_end();
	return watchdog_count(WATCHDOG_IRQS_OFF) > before &&
	       log_names(log_before, S("\"offender\" has kept interrupts off")) &&
	       log_names(log_before, S("watchdog_test_irqs_off")) && s.ns.max_ns >= OFFENCE_NS / 2 &&
	       histogram_total(&s.ns) > 0 && stats_name(&s, S("watchdog_test_irqs_off"));
}

SELFTEST(watchdog_names_who_keeps_interrupts_off)
{
	ST_CHECK(watchdog_test_succeeds(watchdog_finds_interrupts_off));
}

/* More urgent, on the same hart: that an interrupt wakes it wants a switch. */
static struct sem urgent_due;

static void watchdog_test_urgent(unused void *arg)
{
	ST_CHECK(sem_wait(&urgent_due, after(PATIENCE_NS)) == OK);
}

static void watchdog_test_wake_urgent(void *arg)
{
	sem_post(&urgent_due);
	__atomic_store_n((bool *)arg, true, __ATOMIC_RELAXED);
}

static bool offence_was_seen; /* before it ended */
static int64_t offence_ns;    /* from the interrupt on: a machine may be stopped before it */

static noinline void watchdog_test_preempt_off(unused void *arg)
{
	uint64_t before = watchdog_count(WATCHDOG_PREEMPT_OFF);
	bool woken = false;
	struct callout due;
	ktime begin = clock_now();
	sem_init(&urgent_due, 0, 1);
	callout_init(&due, CALLOUT_HARD, watchdog_test_wake_urgent, &woken);
	struct thread *t = st_thread(S("urgent"), watchdog_test_urgent, NULL, PRIO_NORMAL + 1, 1);
	ST_REQUIRE(t);
	preempt_disable();
	ST_CHECK(callout_start(&due, after(NS_PER_MS)) == OK);
	while (!__atomic_load_n(&woken, __ATOMIC_RELAXED))
		arch_spin_relax(0);
	for (ktime until = after(offence_ns); watchdog_test_goes_on(until) && !offence_was_seen;)
		offence_was_seen = watchdog_count(WATCHDOG_PREEMPT_OFF) != before;
	preempt_enable();
	held_ns = ktime_diff(clock_now(), begin);
	callout_stop_wait(&due);
	ST_CHECK(thread_join(t, after(PATIENCE_NS)) == OK);
}

static bool watchdog_finds_preemption_off(void)
{
	struct watchdog_limits l = {.preempt_off_ns = LIMIT_NS};
	struct latency_stats s;
	uint64_t before = watchdog_count(WATCHDOG_PREEMPT_OFF);
	watchdog_test_begin(&l);
	latency_reset();
	offence_was_seen = false;
	offence_ns = OFFENCE_NS;
	watchdog_test_run(watchdog_test_preempt_off, SCHED_FIFO, -1);
	latency_stats(0, LATENCY_PREEMPT_OFF, &s);
	watchdog_test_end();
	return !offence_was_seen && watchdog_count(WATCHDOG_PREEMPT_OFF) > before &&
	       log_names(log_before, S("\"offender\" has kept preemption off")) &&
	       log_names(log_before, S("watchdog_test_preempt_off")) && s.ns.max_ns >= OFFENCE_NS / 2 &&
	       stats_name(&s, S("watchdog_test_preempt_off"));
}

SELFTEST(watchdog_names_who_keeps_preemption_off)
{
	ST_CHECK(watchdog_test_succeeds(watchdog_finds_preemption_off));
}

/* The heart-beat finds one that does not end. */
static bool watchdog_finds_preemption_left_off(void)
{
	struct watchdog_limits l = {.preempt_off_ns = LIMIT_NS, .beat_ns = LIMIT_NS};
	uint64_t before = watchdog_count(WATCHDOG_PREEMPT_OFF);
	watchdog_test_begin(&l);
	offence_was_seen = false;
	offence_ns = PATIENCE_NS;
	watchdog_test_run(watchdog_test_preempt_off, SCHED_FIFO, -1);
	watchdog_test_end();
	return offence_was_seen && watchdog_count(WATCHDOG_PREEMPT_OFF) > before &&
	       log_names(log_before, S("watchdog_test_preempt_off"));
}

SELFTEST(watchdog_names_who_leaves_preemption_off)
{
	ST_CHECK(watchdog_test_succeeds(watchdog_finds_preemption_left_off));
}

/* ---- harts ---- */

static struct spinlock held_meanwhile = SPINLOCK_INIT(LOCK_TEST_A);

static noinline void watchdog_test_stuck(unused void *arg)
{
	irqflags flags = spin_lock_irqsave(&held_meanwhile);
	for (ktime until = after(PATIENCE_NS); watchdog_test_goes_on(until);)
		;
	spin_unlock_irqrestore(&held_meanwhile, flags);
}

/*
 * Others may be accused as well, and written down first, where the machine stops single harts for long: reports are
 * counted, and written each second, for as long as it goes on.
 */
SELFTEST(watchdog_names_a_hart_that_takes_no_interrupts)
{
	struct watchdog_limits l = {.beat_ns = 20 * NS_PER_MS, .hart_beats = 3};
	bool counted = false, written = false;
	if (cpu_count() == 1)
		return;
	watchdog_test_begin(&l);
	struct thread *t = st_thread(S("stuck"), watchdog_test_stuck, NULL, PRIO_NORMAL, 2);
	ST_REQUIRE(t);
	for (ktime until = after(PATIENCE_NS); !(counted && written) && ktime_before(clock_now(), until);) {
		struct watchdog_stats s;
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		watchdog_stats(WATCHDOG_HART, &s);
		counted |= s.last_cpu == 1 && s.last_tid == thread_id(t);
		written |= log_names(log_before, S("watchdog_test_stuck"));
	}
	__atomic_store_n(&released, true, __ATOMIC_RELEASE);
	ST_CHECK(thread_join(t, after(PATIENCE_NS)) == OK);
	ST_CHECK(counted && written && log_names(log_before, S("\"stuck\" has kept its hart from taking interrupts")));
	if (config_on(CONFIG_LOCKDEP))
		ST_CHECK(log_names(log_before, S("holding TEST_A")));
	watchdog_test_end();
}
