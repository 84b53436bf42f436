/*
 * time.h - the clock and callouts.
 *
 * A callout is a function to be called at an instant. HARD ones run in interrupt
 * context, bounded, and only wake or replenish; SOFT ones run in a thread per
 * hart and may take mutexes. Never early. One hardware deadline per hart: the
 * earliest of its sources. No tick.
 */
#ifndef KERNEL_TIME_TIME_H
#define KERNEL_TIME_TIME_H

#include "arch/arch.h"
#include "lib/heap.h"

static inline ktime clock_now(void)
{
	return arch_clock();
}

/* ---- deadline.c: what may want the hardware timer of this hart ---- */

enum timer_source { TIMER_CALLOUT, TIMER_SCHED, TIMER_WATCHDOG, TIMER_SOURCE_COUNT };
/* This hart, interrupts off. Reprograms the hardware only when the earliest changes. */
void timer_source_set(enum timer_source s, ktime at);
/* expired(now): interrupt context, sets its source anew if it wants another. */
void timer_source_register(enum timer_source s, void (*expired)(ktime now));

/* ---- callout.c ---- */

enum callout_kind { CALLOUT_HARD, CALLOUT_SOFT };

struct callout {
	struct heap_node node; /* guarded by the heap's lock */
	void (*fn)(void *arg);
	void *arg;
	uint16_t cpu;
	uint8_t kind;
	uint8_t state;
};

void callout_init(struct callout *c, enum callout_kind kind, void (*fn)(void *), void *arg);
/*
 * (Re)arms for `at`, on this hart. ERR_NOSPC when the hart's heap (CONFIG_CALLOUT_MAX) is full, counted.
 * Any context for HARD; thread context for SOFT.
 */
must_check enum err callout_start(struct callout *c, ktime at);
/* True when it was pending and now will not run. It may still be running elsewhere. Any context. */
bool callout_stop(struct callout *c);
/* After return it neither is pending nor runs. Thread context; not from the callout itself. */
void callout_stop_wait(struct callout *c);

#define CALLOUT_BUCKETS 24
struct callout_stats {
	uint64_t started, expired, refused;
	uint32_t pending, pending_max;
	uint64_t lateness[CALLOUT_BUCKETS]; /* bucket i: lateness < 2^i * 128 ns */
	int64_t lateness_max_ns, longest_ns;
};
void callout_stats(uint32_t cpu, enum callout_kind kind, struct callout_stats *out);

/* Soft expiry: the thread in kernel/sync registers its wake-up and runs what is due. */
void callout_soft_set_wake(void (*wake)(uint32_t cpu));
/* Runs what is due on this hart's soft heap, unlocked; the next deadline. Thread context. */
ktime callout_soft_run(uint32_t cpu);

#endif
