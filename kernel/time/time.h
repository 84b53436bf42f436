/*
 * time.h - the clock and callouts.
 *
 *	callout_init(&c, CALLOUT_HARD, fn, arg);
 *	err = callout_start(&c, ktime_add(clock_now(), 5 * NS_PER_MS));
 *	callout_stop(&c);  or  callout_stop_wait(&c);    before its memory goes
 *
 * A callout is a function to be called at an instant. HARD ones run in interrupt
 * context, bounded, and only wake or replenish; SOFT ones run in a thread per
 * hart and may take mutexes. Never early; those of one hart and kind run in the
 * order of their instants, equal ones in the order in which they were started. A
 * callout never runs on two harts at once. It may start itself again, and may free
 * its own memory: it is not looked at after its function was called.
 *
 * One hardware deadline per hart: the earliest of its sources. No tick.
 *
 * Locks: LOCK_CALLOUT, one for each hart and kind; no function runs under it. So
 * callouts may be started and stopped under any lock that stands before it in order.h.
 */
#ifndef KERNEL_TIME_TIME_H
#define KERNEL_TIME_TIME_H

#include "arch/arch.h"
#include "kernel/time/callout_core.h"

static inline ktime clock_now(void)
{
	return arch_clock();
}

/* ---- wall.c: the time of day ---- */

/* Nanoseconds since 1970, UTC; 0: nobody knows. It goes on with the clock, from what the real-time clock said at boot. */
int64_t clock_wall(void);
void clock_wall_set(int64_t unix_ns, ktime at); /* it was so late at that instant */

/* ---- deadline.c: what may want the hardware timer of this hart ---- */

enum timer_source {
	TIMER_TIMEOUT,
	TIMER_BUDGET, /* its `at` is on a clock that stands still in interrupts: clock_now() less interrupt_ns */
	TIMER_SCHED,
	TIMER_CALLOUT_HARD,
	TIMER_CALLOUT_SOFT,
	TIMER_WATCHDOG,
	TIMER_SOURCE_COUNT
};
/*
 * expired(now): interrupt context, no lock held; its source's wish is spent, it sets it anew if it wants
 * another. One in each interrupt, the earliest. Once for each source, before its first timer_source_set().
 */
void timer_source_register(enum timer_source s, void (*expired)(ktime now));
/* In expired(), between two pieces of bounded work: opens interrupts, the timer's included, for a moment. */
void timer_window(void);

/* deadline.c's own, but for what stands here inline. */
struct timer_hart {
	enum {
		TIMER_PROGRAMS, /* each wish at once */
		TIMER_COLLECTS, /* in upcall_timer(): it programs at its end */
		TIMER_HELD,     /* behind it: timer_release() programs */
	} collects;
	uint64_t programmed;
	ktime from; /* later than this is late */
	uint64_t at[TIMER_SOURCE_COUNT]; /* ns, unsigned: so a sum with KTIME_NEVER is later still */
};
PERCPU_DECLARE(struct timer_hart, timer_hart);

void timer_wishes_changed(struct timer_hart *t); /* deadline.c's own too: timer_source_set() */
/*
 * This hart, interrupts off, any lock held; KTIME_NEVER: no wish. Reprograms the hardware only when the
 * earliest of the sources changes; in upcall_timer() once, behind the expired() function or where it is released.
 */
static inline void timer_source_set(enum timer_source s, ktime at)
{
	struct timer_hart *t = &this_cpu_near(timer_hart);
	t->at[s] = (uint64_t)max(at.ns, INT64_C(0));
	if (t->collects == TIMER_PROGRAMS)
		timer_wishes_changed(t);
}

/*
 * In expired(), with need_resched set and the interrupted thread's preempt_count 0, so that upcall_preempt() follows (in
 * a window of another interrupt it is not 0). The hardware is not set before that says timer_release(). Up to then no
 * source goes off, so it says that soon.
 */
static inline void timer_hold(void)
{
	debug_assert(this_cpu_near(timer_hart).collects == TIMER_COLLECTS);
	this_cpu_near(timer_hart).collects = TIMER_HELD;
}

static inline bool timer_is_held(void)
{
	return this_cpu_near(timer_hart).collects == TIMER_HELD;
}

void timer_release_held(void);
/* This hart, interrupts off. */
static inline void timer_release(void)
{
	if (timer_is_held())
		timer_release_held();
}

/* ---- callout.c ---- */

/* struct callout is in callout_core.h: nobody but kernel/time looks into it. */
void callout_init(struct callout *c, enum callout_kind kind, void (*fn)(void *), void *arg);
/*
 * (Re)arms for `at`, on this hart even if it was pending on another; when it is just running on another hart,
 * there, for after that run. An instant in the past is due at once. ERR_NOSPC when the hart's heap
 * (CONFIG_CALLOUT_MAX) is full, counted: then it is not pending any more. Any context.
 */
must_check enum err callout_start(struct callout *c, ktime at);
/* True when it was pending and now will not run. It may still be running elsewhere. Any context. */
bool callout_stop(struct callout *c);
/*
 * After return it neither is pending nor runs, whoever started it meanwhile excepted. Thread context, no
 * spinlock held, not from the callout itself. For a SOFT one no mutex either (LOCK_SOFTCALL is the outermost):
 * its function might wait for that.
 */
void callout_stop_wait(struct callout *c);

/* Figures of one hart since boot. Any context. */
void callout_stats(uint32_t cpu, enum callout_kind kind, struct callout_stats *out);

/* ---- soft expiry: what the threads in kernel/sync need ---- */

struct callout_soft_ops {
	void (*wake)(uint32_t cpu);  /* this hart's thread, because something is due; interrupt context */
	void (*enter)(uint32_t cpu); /* around every soft callout of a hart, by its thread; and by whoever waits */
	void (*leave)(uint32_t cpu); /* for the end of the one that runs: a mutex with inheritance. Thread context */
};
/* Once. What was due before is found by the first callout_soft_run(). */
void callout_soft_set_ops(const struct callout_soft_ops *ops);
/* Runs what is due on this hart's soft heap, unlocked. By the hart's thread, pinned to it. */
void callout_soft_run(uint32_t cpu);

#endif
