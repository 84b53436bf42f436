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
 * spent deadline would interrupt again. timer_hold() moves the end behind the switch that follows: what that
 * wishes is collected too. Meanwhile the hardware is stopped.
 *
 * One source in each interrupt, the earliest, of equal ones the first in the enum: where another is due too, the timer
 * goes off again at once. So none is put off by one that is due again whenever the timer has been set.
 *
 * Invariant: while nobody collects, `programmed` is timer_first(), or earlier by what
 * other interrupts have taken since of a budget.
 *
 * An interrupt that comes late shows that interrupts were off (LATENCY_IRQS_OFF). It is measured from
 * `from`, the deadline, or the moment in which it was set to what had passed already.
 */
#include "kernel/diag/diag.h"
#include "kernel/time/time.h"
#include "lib/assert.h"

#define TIMER_NEVER ((uint64_t)INT64_MAX)
#define TIMER_STALE UINT64_MAX /* no deadline: the hardware is to be set in any case */

PERCPU_NEAR(struct timer_hart, timer_hart) = {
	.at = {TIMER_NEVER, TIMER_NEVER, TIMER_NEVER, TIMER_NEVER, TIMER_NEVER, TIMER_NEVER},
	.programmed = TIMER_NEVER,
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
static inline uint64_t timer_due(const struct timer_hart *t, enum timer_source s)
{
	return s == TIMER_BUDGET ? t->at[s] + (uint64_t)this_cpu_near(interrupt_ns) : t->at[s];
}

static inline uint64_t timer_first(const struct timer_hart *t)
{
	uint64_t first = TIMER_NEVER;
#pragma GCC unroll 8
	for (enum timer_source s = 0; s < TIMER_SOURCE_COUNT; s++)
		first = min(first, timer_due(t, s));
	return first;
}

static inline void timer_program(struct timer_hart *t)
{
	uint64_t first = timer_first(t);
	if (first == t->programmed)
		return;
	ktime at = {(int64_t)first};
	t->programmed = first;
	t->from = ktime_max(at, clock_now());
	arch_timer_set(at);
}

void timer_wishes_changed(struct timer_hart *t)
{
	debug_assert(!arch_irqs_enabled());
	timer_program(t);
}

/* What has gone off stays pending until it is written again. */
static void timer_end_collecting(struct timer_hart *t)
{
	t->collects = TIMER_PROGRAMS;
	t->programmed = TIMER_STALE;
	timer_program(t);
}

void timer_window(void)
{
	struct timer_hart *t = &this_cpu_near(timer_hart);
	assert(t->collects == TIMER_COLLECTS);
	timer_end_collecting(t);
	arch_irq_window();
	t->collects = TIMER_COLLECTS;
}

void timer_release_held(void)
{
	timer_end_collecting(&this_cpu_near(timer_hart));
}

/* Held, it has been stopped: what comes all the same is from before, as below. */
static cold noinline void timer_leftover(const struct timer_hart *t)
{
	assert(t->collects == TIMER_HELD);
	arch_timer_stop();
}

/*
 * With nothing due the interrupt is a leftover of a deadline that was moved while it fired: by another
 * interrupt, which TIMER_BUDGET does not count, or by a nap of arch_spin_relax (QEMU may then set the bit
 * after the move).
 */
static inline void timer_expire_one(struct timer_hart *t, ktime now)
{
	uint64_t earliest = min((uint64_t)now.ns, t->programmed);
#pragma GCC unroll 8
	for (enum timer_source s = 0; s < TIMER_SOURCE_COUNT; s++)
		if (timer_due(t, s) <= earliest) {
			t->at[s] = TIMER_NEVER;
			timer_expired[s](now);
			return;
		}
}

void upcall_timer(void)
{
	struct timer_hart *t = &this_cpu_near(timer_hart);
	ktime now;
	if (unlikely(t->collects != TIMER_PROGRAMS)) {
		timer_leftover(t);
		return;
	}
	int64_t before = interrupt_begin(&now);
	trace_irq_enter();
	t->collects = TIMER_COLLECTS;
	if (unlikely(ktime_diff(now, t->from) >= LATENCY_FLOOR_NS))
		latency_note(LATENCY_IRQS_OFF, ktime_diff(now, t->from), arch_irq_enabler());
	timer_expire_one(t, now);
	interrupt_end(before, now);
	if (t->collects == TIMER_HELD)
		arch_timer_stop();
	else
		timer_end_collecting(t); /* behind the end: a budget lasts longer by what was counted */
	trace_irq_exit();
}
