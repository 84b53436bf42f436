/* irq_pace_core.c - how often one source may interrupt; see irq_pace_core.h. */
#include "kernel/irq/irq_pace_core.h"

#define BUCKET_NS    (CONFIG_IRQ_BURST * IRQ_PACE_NS)
#define STORM_ROW    (IRQ_STORM_NS / BUCKET_NS)
#define STORM_MASK_NS (CONFIG_IRQ_STORM_MASK_MS * NS_PER_MS)

bool irq_pace_note(struct irq_pace *p, ktime now)
{
	p->full_at = ktime_add(ktime_max(p->full_at, now), IRQ_PACE_NS);
	return ktime_diff(p->full_at, now) > BUCKET_NS - IRQ_PACE_NS;
}

bool irq_pace_mask(struct irq_pace *p, ktime now)
{
	bool rested = p->mask_ns == 0 || ktime_diff(now, p->masked_until) >= p->mask_ns;
	p->in_a_row = rested ? 1 : p->in_a_row + 1;
	bool storms = p->in_a_row > STORM_ROW;
	if (storms)
		p->mask_ns = min(max(2 * p->mask_ns, IRQ_STORM_NS), STORM_MASK_NS);
	else
		p->mask_ns = ktime_diff(p->full_at, now);
	p->masked_until = ktime_add(now, p->mask_ns);
	return storms;
}

void irq_pace_let_in(struct irq_pace *p, ktime now)
{
	p->masked_until = now;
}
