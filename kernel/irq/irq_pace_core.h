/*
 * irq_pace_core.h - how often one source may interrupt: a bucket of CONFIG_IRQ_BURST interrupts, which fills by
 * CONFIG_IRQ_STORM_MAX a second. So in any time t there are at most IRQ_BURST + t * IRQ_STORM_MAX of them.
 *
 * A source that has emptied its bucket is to be masked until it is full again. One that goes on so for
 * IRQ_STORM_NS storms: it is masked for IRQ_STORM_NS, and then for twice as long each time, up to
 * CONFIG_IRQ_STORM_MASK_MS, until it has been quiet for as long as it was masked last.
 *
 * Pure. Reference: ITU-T I.371, the generic cell rate algorithm, in its form of virtual scheduling.
 */
#ifndef KERNEL_IRQ_IRQ_PACE_CORE_H
#define KERNEL_IRQ_IRQ_PACE_CORE_H

#include "lib/ktime.h"

#define IRQ_PACE_NS  max(NS_PER_S / CONFIG_IRQ_STORM_MAX, INT64_C(1))
#define IRQ_STORM_NS (10 * NS_PER_MS)

struct irq_pace {
	ktime full_at;       /* when the bucket is full, if nothing comes before */
	ktime masked_until;  /* it is to be, or was */
	int64_t mask_ns;     /* for how long it was to be, last; 0: never yet */
	uint32_t in_a_row;   /* so often, without a rest between */
};

/* It has interrupted. True: once too often. */
bool irq_pace_note(struct irq_pace *p, ktime now);
/* What follows from that: sets masked_until, which is later than now. True: it storms. */
bool irq_pace_mask(struct irq_pace *p, ktime now);
/* It is not masked any more: perhaps too early, or a busy machine was late. */
void irq_pace_let_in(struct irq_pace *p, ktime now);

#endif
