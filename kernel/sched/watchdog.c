/*
 * watchdog.c - names who keeps others from running (contract: sched.h).
 *
 * A thread's limit is of its own processor time since it last blocked or yielded. Nothing is written where
 * it does so: whoever blocks overwrites wait_deadline, in which the watchdog has left its mark, and a yield
 * says TURN_OVER. Both are looked at where the thread is switched to, behind its `attention`, and where
 * the timer goes off. So the plain paths know nothing of all this.
 *
 * A hart's heart-beat is its timer source's: CONFIG_WATCHDOG_BEAT_MS apart, idle or not. At each the hart looks
 * at its neighbour's, and counts its own beats since that one last moved, so that a machine that was stopped as
 * a whole accuses nobody. It also looks whether a switch has been waiting for preemption for too long.
 *
 * What interrupts and preemption were kept off for comes from latency.c, when it is over.
 *
 * Locks: the fields of a thread, LOCK_RUNQ; struct watchdog_hart, its hart, interrupts off; reports, a leaf.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

#define WATCH_MARK      ((ktime){INT64_MIN})
#define FRAMES          16
#define REPORT_EVERY_NS NS_PER_S /* so much of each kind is written, the rest counted */

struct watchdog_hart {
	ktime beat;    /* atomic: its last one */
	ktime beat_at; /* when the next is due */
	ktime at;      /* what the timer source is set to */
	ktime neighbour_beat;
	uint32_t silent;    /* own beats since that was another */
	bool held_reported; /* of the switch that waits at present */
};

static PERCPU(struct watchdog_hart, watchdog_hart) = {.at = {INT64_MAX}, .beat_at = {INT64_MAX}};

static struct watchdog_limits watchdog_limits = {
	.thread_ns = CONFIG_WATCHDOG_THREAD_MS * NS_PER_MS,
	.beat_ns = CONFIG_WATCHDOG_BEAT_MS * NS_PER_MS,
	.hart_beats = CONFIG_WATCHDOG_HART_BEATS,
	.irqs_off_ns = CONFIG_WATCHDOG_IRQS_OFF_US * NS_PER_US,
	.preempt_off_ns = CONFIG_WATCHDOG_PREEMPT_OFF_US * NS_PER_US,
	.panics = config_on(CONFIG_WATCHDOG_PANIC),
};

static struct arch_lock report_lock;
static struct watchdog_stats watchdog_figures[WATCHDOG_KINDS]; /* report_lock */
static ktime report_next[WATCHDOG_KINDS];                      /* report_lock */

struct str watchdog_name(enum watchdog_kind kind)
{
	static const struct str names[WATCHDOG_KINDS] = {STR_INIT("thread"), STR_INIT("hart"),
		STR_INIT("irqs_off"), STR_INIT("preempt_off")};
	return names[kind];
}

/* ---- reports ---- */

struct report {
	enum watchdog_kind kind;
	uint32_t cpu;
	const struct thread *thread; /* read while it may change: what is read is bounded */
	int64_t ns;
	uintptr_t pc[FRAMES];
	size_t count;
	bool exact;
};

/* Counts it; true when it is to be written. */
static bool report_count(const struct report *r)
{
	const struct thread *t = r->thread;
	struct watchdog_stats *s = &watchdog_figures[r->kind];
	irqflags flags = arch_lock_irqsave(&report_lock);
	ktime now = clock_now();
	bool write = !ktime_before(now, report_next[r->kind]);
	if (write)
		report_next[r->kind] = ktime_add(now, REPORT_EVERY_NS);
	s->count++;
	s->written += write;
	s->last_at = now;
	s->last_ns = r->ns;
	s->last_pc = r->count ? r->pc[0] : 0;
	s->last_cpu = r->cpu;
	s->last_tid = t->id;
	s->last_name_len = min((size_t)t->name_len, (size_t)THREAD_NAME_MAX);
	memcpy(s->last_name, t->name, s->last_name_len);
	arch_unlock_irqrestore(&report_lock, flags);
	return write;
}

static void report_line(const struct report *r, struct abuf *out)
{
	static const char *const what[WATCHDOG_KINDS] = {
		[WATCHDOG_THREAD] = "has run without waiting or yielding for",
		[WATCHDOG_HART] = "has kept its hart from taking interrupts for",
		[WATCHDOG_IRQS_OFF] = "has kept interrupts off for",
		[WATCHDOG_PREEMPT_OFF] = "has kept preemption off, and a switch waiting, for",
	};
	const struct thread *t = r->thread;
	fmt(out, "watchdog: hart %u: thread %u \"%.*s\" %s %lld us", r->cpu, t->id,
		(int)min((size_t)t->name_len, (size_t)THREAD_NAME_MAX), t->name, what[r->kind],
		(long long)(r->ns / NS_PER_US));
	if (r->kind == WATCHDOG_HART)
		lockdep_describe(r->cpu, &t->arch, out);
}

static void report(const struct report *r)
{
	uint8_t text[KLOG_TEXT_MAX];
	struct abuf out = abuf_of(text, sizeof(text));
	if (!report_count(r))
		return;
	report_line(r, &out);
	klog(LOG_ERR, "%.*s", STR_ARG(abuf_str(&out)));
	for (size_t i = 0; i < r->count; i++) {
		struct abuf line = abuf_of(text, sizeof(text));
		symbol_describe_return(r->pc[i], &line);
		klog(LOG_ERR, "watchdog:   %s%.*s", r->exact ? "" : "? ", STR_ARG(abuf_str(&line)));
	}
	if (watchdog_limits.panics)
		panic("watchdog: %.*s", STR_ARG(watchdog_name(r->kind)));
}

/* This hart's, interrupts off; not on the stack, which may be looked through for addresses. */
static PERCPU(struct report, report_record);
static PERCPU(uintptr_t, report_frames)[2 * FRAMES];

static struct report *report_begin(enum watchdog_kind kind, int64_t ns)
{
	struct report *r = &this_cpu(report_record);
	r->kind = kind;
	r->cpu = arch_cpu();
	r->thread = thread_current();
	r->ns = ns;
	r->count = 0;
	r->exact = false;
	return r;
}

/* In an interrupt: with what it interrupted. */
static void report_interrupted(enum watchdog_kind kind, int64_t ns)
{
	struct report *r = report_begin(kind, ns);
	r->count = arch_backtrace_interrupted(r->pc, FRAMES, &r->exact);
	report(r);
}

/* Not in one: from the frame of `at` on. */
static void report_caller(enum watchdog_kind kind, int64_t ns, uintptr_t at)
{
	struct report *r = report_begin(kind, ns);
	uintptr_t *pc = this_cpu(report_frames);
	size_t n = arch_backtrace(NULL, pc, 2 * FRAMES, &r->exact), first = 0;
	while (first < n && pc[first] != at)
		first++;
	r->pc[r->count++] = at;
	for (size_t i = first + 1; i < n && r->count < FRAMES; i++)
		r->pc[r->count++] = pc[i];
	report(r);
}

/* ---- interrupts and preemption, behind latency.c ---- */

/* What was not held by code (at 0) was held by a handler, which irq.c times, or by the machine. */
static void watchdog_late(enum latency_kind kind, int64_t ns, uintptr_t at)
{
	if (kind == LATENCY_IRQS_OFF && at != 0)
		report_interrupted(WATCHDOG_IRQS_OFF, ns);
	if (kind != LATENCY_PREEMPT_OFF)
		return;
	struct watchdog_hart *w = &this_cpu(watchdog_hart);
	if (!w->held_reported)
		report_caller(WATCHDOG_PREEMPT_OFF, ns, at);
	w->held_reported = false;
}

/* A switch that still waits. */
static void watchdog_check_held(struct watchdog_hart *w, ktime now)
{
	ktime since = arch_held_since();
	int64_t limit = watchdog_limits.preempt_off_ns;
	if (ktime_is_never(since) || limit == 0 || ktime_diff(now, since) <= limit) {
		w->held_reported = w->held_reported && !ktime_is_never(since);
	} else if (!w->held_reported) {
		w->held_reported = true;
		report_interrupted(WATCHDOG_PREEMPT_OFF, ktime_diff(now, since));
	}
}

/* ---- harts ---- */

static uint32_t watchdog_neighbour(uint32_t cpu)
{
	do
		cpu = (cpu + 1) % cpu_count();
	while (!sched_cpu_online(cpu));
	return cpu;
}

static void report_silent(uint32_t cpu, ktime beat, ktime now)
{
	struct report *r = report_begin(WATCHDOG_HART, ktime_diff(now, beat));
	r->cpu = cpu;
	r->thread = sched_hart[cpu].current;
	r->count = arch_backtrace_stack(&r->thread->arch, r->pc, FRAMES);
	report(r);
}

static void watchdog_look(struct watchdog_hart *w, ktime now)
{
	uint32_t here = arch_cpu(), cpu = watchdog_neighbour(here);
	if (cpu == here)
		return;
	ktime beat = {__atomic_load_n(&cpu_of(watchdog_hart, cpu).beat.ns, __ATOMIC_ACQUIRE)};
	if (beat.ns != w->neighbour_beat.ns) {
		w->neighbour_beat = beat;
		w->silent = 0;
	} else if (++w->silent >= watchdog_limits.hart_beats && beat.ns != 0) {
		w->silent = 0;
		report_silent(cpu, beat, now);
	}
}

static void watchdog_beat(struct watchdog_hart *w, ktime now)
{
	if (ktime_before(now, w->beat_at))
		return;
	__atomic_store_n(&w->beat.ns, now.ns, __ATOMIC_RELEASE);
	w->beat_at =
		watchdog_limits.beat_ns ? ktime_add(now, watchdog_limits.beat_ns) : KTIME_NEVER;
	watchdog_look(w, now);
	watchdog_check_held(w, now);
}

/* ---- threads ---- */

static void watchdog_arm(ktime at)
{
	struct watchdog_hart *w = &this_cpu(watchdog_hart);
	if (ktime_before(at, w->at)) {
		w->at = at;
		timer_source_set(TIMER_WATCHDOG, at);
	}
}

static int64_t thread_ran(const struct thread *t, ktime since, ktime now)
{
	return t->cpu_time_ns + ktime_diff(now, since);
}

void watchdog_enter(struct hart *h)
{
	struct thread *t = h->current;
	bool yielded = t->turn_began_ns == TURN_OVER && !t->watch_rotated;
	if (yielded || t->wait_deadline.ns != WATCH_MARK.ns) {
		t->watch_began_ns = t->cpu_time_ns;
		t->wait_deadline = WATCH_MARK;
	}
	t->watch_rotated = false;
	watchdog_arm(ktime_add(h->switched_at, t->watch_ns - (t->cpu_time_ns - t->watch_began_ns)));
}

/* For how long the running thread is over its limit, then a new interval begins; 0: it is not. */
static int64_t watchdog_overrun(struct hart *h, ktime now)
{
	struct thread *t = h->current;
	int64_t over = 0, ran = thread_ran(t, h->switched_at, now);
	if (!(t->attention & THREAD_WATCHED))
		return 0;
	if (t->wait_deadline.ns !=
		WATCH_MARK.ns) { /* it gave way, and there was nobody to give way to */
		t->watch_began_ns = ran;
		t->wait_deadline = WATCH_MARK;
	} else if (ran - t->watch_began_ns >= t->watch_ns) {
		over = ran - t->watch_began_ns;
		t->watch_began_ns = ran;
	}
	watchdog_arm(ktime_add(now, t->watch_ns - (ran - t->watch_began_ns)));
	return over;
}

static void watchdog_expired(ktime now)
{
	struct watchdog_hart *w = &this_cpu(watchdog_hart);
	struct hart *h = hart_here();
	w->at = KTIME_NEVER;
	watchdog_beat(w, now);
	spin_lock_raw(&h->lock);
	int64_t over = watchdog_overrun(h, now);
	spin_unlock_raw(&h->lock);
	if (over != 0)
		report_interrupted(WATCHDOG_THREAD, over);
	watchdog_arm(w->beat_at);
}

/* ---- beginning, limits, figures ---- */

int64_t watchdog_thread_limit(int64_t wanted_ns)
{
	return wanted_ns > 0 ? wanted_ns : wanted_ns < 0 ? 0 : watchdog_limits.thread_ns;
}

void watchdog_start(void)
{
	irqflags flags = arch_irq_save();
	struct watchdog_hart *w = &this_cpu(watchdog_hart);
	ktime now = clock_now();
	w->silent = 0;
	w->beat_at =
		watchdog_limits.beat_ns ? ktime_add(now, watchdog_limits.beat_ns) : KTIME_NEVER;
	__atomic_store_n(&w->beat.ns, now.ns, __ATOMIC_RELEASE);
	watchdog_arm(w->beat_at);
	arch_irq_restore(flags);
}

void watchdog_get_limits(struct watchdog_limits *out)
{
	*out = watchdog_limits;
}

void watchdog_set_limits(const struct watchdog_limits *l)
{
	const int64_t ns[LATENCY_KINDS] = {
		[LATENCY_IRQS_OFF] = l->irqs_off_ns, [LATENCY_PREEMPT_OFF] = l->preempt_off_ns};
	watchdog_limits = *l;
	for (enum watchdog_kind kind = 0; kind < WATCHDOG_KINDS; kind++)
		report_next[kind] = KTIME_ZERO;
	latency_set_limits(ns, watchdog_late);
}

void watchdog_stats(enum watchdog_kind kind, struct watchdog_stats *out)
{
	irqflags flags = arch_lock_irqsave(&report_lock);
	*out = watchdog_figures[kind];
	arch_unlock_irqrestore(&report_lock, flags);
}

static uint32_t watchdog_namer(const struct arch_thread *at, struct str *name)
{
	const struct thread *t = (const struct thread *)at;
	*name = thread_name(t);
	return t->id;
}

void watchdog_init(void)
{
	struct watchdog_limits l = watchdog_limits;
	diag_set_namer(watchdog_namer);
	watchdog_set_limits(&l);
	timer_source_register(TIMER_WATCHDOG, watchdog_expired);
	watchdog_start();
}
