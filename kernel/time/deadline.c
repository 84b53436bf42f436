/*
 * deadline.c - one hardware timer for everybody on a hart.
 *
 *	timer_source_register(TIMER_SCHED, quantum_expired);     once
 *	timer_source_set(TIMER_SCHED, at);                       this hart
 *	upcall_timer() -> quantum_expired(now)
 *
 * Locks: none. The table of a hart is touched by that hart alone, interrupts off.
 *
 * While expired functions run, wishes are only noted, and the hardware is set once
 * at the end. timer_window() lets other interrupts in between, so upcall_timer() may
 * nest in itself; before it does, the hardware is set to what is still wished, or the
 * spent deadline would interrupt again.
 *
 * One source in each interrupt, the earliest: where another is due too, the timer goes off again at once.
 *
 * Invariant: outside of upcall_timer(), `programmed` is the earliest of timer_due(), that of `first`, or earlier by what
 * other interrupts have taken since of a budget.
 *
 * An interrupt that comes late shows that interrupts were off (LATENCY_IRQS_OFF). It is measured from
 * `from`, the deadline, or the moment in which it was set to what had passed already.
 */
#include "kernel/diag/diag.h"
#include "kernel/time/time.h"
#include "lib/assert.h"

struct timer_hart {
	ktime at[TIMER_SOURCE_COUNT];
	enum timer_source first;
	ktime programmed;
	ktime from;
	bool collecting; /* in upcall_timer: it programs */
};

static PERCPU(struct timer_hart, timer_hart) = {
	.at = {{INT64_MAX}, {INT64_MAX}, {INT64_MAX}, {INT64_MAX}, {INT64_MAX}, {INT64_MAX}},
	.programmed = {INT64_MAX},
	.from = {INT64_MAX},
};
static_assert(TIMER_SOURCE_COUNT == 6, "an initial value for each");

/* Constant once the sources have begun. */
static void (*timer_expired[TIMER_SOURCE_COUNT])(ktime now);

void timer_source_register(enum timer_source s, void (*expired)(ktime now))
{
	assert(s < TIMER_SOURCE_COUNT && timer_expired[s] == NULL);
	timer_expired[s] = expired;
}

/* When source s is due, if no interrupt comes before. */
static inline ktime timer_due(const struct timer_hart *t, enum timer_source s)
{
	return s == TIMER_BUDGET ? ktime_add(t->at[s], this_cpu(interrupt_ns)) : t->at[s];
}

static inline void timer_program(struct timer_hart *t, enum timer_source s, ktime at)
{
	t->first = s;
	if (at.ns == t->programmed.ns)
		return;
	t->programmed = at;
	t->from = ktime_max(at, clock_now());
	arch_timer_set(at);
}

static void timer_program_first(struct timer_hart *t)
{
	enum timer_source first = 0;
	ktime at = timer_due(t, first);
#pragma GCC unroll 8
	for (enum timer_source s = 1; s < TIMER_SOURCE_COUNT; s++)
		if (ktime_before(timer_due(t, s), at)) {
			first = s;
			at = timer_due(t, s);
		}
	timer_program(t, first, at);
}

void timer_source_set(enum timer_source s, ktime at)
{
	debug_assert(!arch_irqs_enabled());
	debug_assert(timer_expired[s] != NULL);
	struct timer_hart *t = &this_cpu(timer_hart);
	t->at[s] = at;
	if (t->collecting)
		return;
	ktime due = timer_due(t, s);
	if (ktime_before(due, t->programmed))
		timer_program(t, s, due);
	else
		timer_program_first(t);
}

void timer_window(void)
{
	struct timer_hart *t = &this_cpu(timer_hart);
	assert(t->collecting);
	t->collecting = false;
	timer_program_first(t);
	arch_irq_window();
	t->collecting = true;
}

void upcall_timer(void)
{
	struct timer_hart *t = &this_cpu(timer_hart);
	ktime now;
	int64_t before = interrupt_begin(&now);
	trace_irq_enter();
	assert(!t->collecting);
	t->collecting = true;
	if (unlikely(ktime_diff(now, t->from) >= LATENCY_FLOOR_NS))
		latency_note(LATENCY_IRQS_OFF, ktime_diff(now, t->from), arch_irq_enabler());
	/*
	 * With nothing due the interrupt is a leftover of a deadline that was moved while it fired: by another
	 * interrupt, which TIMER_BUDGET does not count, or by a nap of arch_spin_relax (QEMU may then set the bit
	 * after the move). It stays pending until the timer is written again.
	 */
	enum timer_source s = t->first;
	if (likely(!ktime_before(now, timer_due(t, s)))) {
		t->at[s] = KTIME_NEVER;
		timer_expired[s](now);
	}
	t->programmed = (ktime){-1}; /* no deadline: it is written in any case */
	t->collecting = false;
	interrupt_end(before, now);
	timer_program_first(t); /* behind it: a budget lasts longer by what was counted */
	trace_irq_exit();
}
