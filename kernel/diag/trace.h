/*
 * trace.h - the trace of one machine: which events a hart records, and who reads them.
 *
 *	trace(TRACE_DEQUEUE, cpu, tid, 0, 0);   any context, any lock held
 *
 * With CONFIG_TRACE off a call is nothing at all, its arguments included where they have no side effect. With it on, a
 * record is some 50 instructions (bench metric trace_event), without a lock, interrupts off for that long.
 * What the events and their fields are: trace_core.h. `/proc/trace` shows them.
 */
#ifndef KERNEL_DIAG_TRACE_H
#define KERNEL_DIAG_TRACE_H

#include "arch/arch.h"
#include "kernel/diag/trace_core.h"

/* In what trace_event() is told: the event, and its detail. */
#define TRACE_DETAIL(event, detail) ((unsigned)(event) | (unsigned)(detail) << 8)

void trace_event(unsigned what, uint32_t cpu, uint32_t tid, uint64_t a, uint64_t b);

static inline void trace(unsigned what, uint32_t cpu, uint32_t tid, uint64_t a, uint64_t b)
{
	if (config_on(CONFIG_TRACE))
		trace_event(what, cpu, tid, a, b);
}

/* A handler begins; it has ended, and on the way out it is looked whether a switch is due. */
static inline void trace_irq_enter(void)
{
	if (config_on(CONFIG_TRACE))
		trace_event(TRACE_IRQ_ENTER, arch_cpu(), 0, 0, 0);
}

static inline void trace_irq_exit(void)
{
	if (config_on(CONFIG_TRACE))
		trace_event(TRACE_IRQ_EXIT, arch_cpu(), 0, arch_current()->preempt_count, 0);
}

/*
 * ON, from boot on: the oldest record gives way. ONCE: when one hart's ring is full, all harts stop recording, and the
 * sequence has no gap before that place.
 */
enum trace_mode { TRACE_OFF, TRACE_ON, TRACE_ONCE };

/* One caller at a time. Returns a sequence number up to which everything was recorded under the mode before. */
uint64_t trace_set_mode(enum trace_mode mode);
/* The share of the fullest ring that has been used since, in percent; more than 100 where the oldest gave way. */
unsigned trace_fill(void);
/* From where the present mode, OFF excepted, began. */
void trace_read_begin(struct trace_merge *m);
/* How many records of all harts were overwritten, read or not. */
uint64_t trace_overwritten(void);

#endif
