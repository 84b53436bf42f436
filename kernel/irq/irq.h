/*
 * irq.h - interrupt descriptors and the interface to interrupt controllers.
 *
 *	err = irq_request(irq, S("virtio0"), handler, arg);
 *	irq_set_affinity(irq, 1);      the boot hart otherwise
 *	irq_enable(irq);
 *
 * A hard handler runs with interrupts off on the hart that took the interrupt,
 * acknowledges its device and wakes somebody; threaded handlers are in kernel/dev.
 * One source's handler never runs twice at once. Interrupt 0 does not exist.
 *
 * A trap serves at most CONFIG_IRQ_BATCH interrupts. A source that nobody asked for,
 * is masked and logged until irq_enable(). One that interrupts more than CONFIG_IRQ_BURST times in a row and oftener than
 * CONFIG_IRQ_STORM_MAX times a second is masked for a while, and one that goes on so for longer and longer
 * (irq_pace_core.h); irq_enable() ends that, irq_unmask() does not.
 *
 * Locks: LOCK_IRQ for enabling and disabling. Handlers run under none.
 */
#ifndef KERNEL_IRQ_IRQ_H
#define KERNEL_IRQ_IRQ_H

#include "arch/arch.h"

#define IRQ_MAX CONFIG_IRQ_MAX

/*
 * enable and disable are called one at a time, interrupts off, and never for a source between its claim and
 * its completion, with one exception: a source that was disabled just when it was claimed is enabled for its
 * completion, since a PLIC ignores that of a disabled one.
 */
struct irqchip_ops {
	void (*enable)(uint32_t irq, uint32_t cpu); /* on that hart, and no other */
	void (*disable)(uint32_t irq);
	uint32_t (*claim)(void);        /* this hart; 0: none */
	bool (*waiting)(void);          /* this hart: whether a claim would find one, from what the hart has heard; cheap */
	void (*complete)(uint32_t irq); /* this hart */
	void (*cpu_init)(void);         /* on each hart as it comes up */
};

/* By the controller's driver, before the first irq_enable(); cpu_init is called here for this hart. */
void irqchip_register(const struct irqchip_ops *ops);
/* On every other hart as it comes up; without a controller, nothing. */
void irqchip_cpu_init(void);
/* The one in use, or NULL. For tests, which put another in its place. */
const struct irqchip_ops *irqchip_swap(const struct irqchip_ops *ops);

/*
 * handler: interrupt context. ERR_BUSY when taken, ERR_RANGE when out of range. The name's bytes live as
 * long as the kernel. The source stays disabled. Thread context.
 */
must_check enum err irq_request(uint32_t irq, struct str name, void (*handler)(void *arg), void *arg);
/* Takes back a request whose source was never enabled. Thread context. */
void irq_release(uint32_t irq);
/* Any context. */
void irq_enable(uint32_t irq);
void irq_disable(uint32_t irq); /* any context; the handler may still be running on another hart */
void irq_unmask(uint32_t irq);  /* ends an irq_disable() by the handler, but not the masking of one that comes too often */
void irq_set_affinity(uint32_t irq, uint32_t cpu);

/*
 * arm(at) is called with every instant at which irq_pace_expired() has something to do next. Interrupt
 * context, bounded; it may call irq_pace_expired(). That unmasks one source that is due and says when the next is, which may be
 * at once; interrupt context. By kernel/dev, once.
 */
void irq_pace_set_timer(void (*arm)(ktime at));
ktime irq_pace_expired(ktime now);

/*
 * start() has irq_log_write() called, in thread context: a source was masked, which is to be logged. Interrupt context,
 * bounded. By kernel/dev, once.
 */
void irq_set_log(void (*start)(void));
void irq_log_write(void);

struct irq_stats {
	uint32_t irq;
	struct str name;
	uint64_t count[CPU_MAX];
	uint64_t spurious; /* claimed while disabled */
	uint64_t storms;   /* so often it was masked for one */
	bool masked;       /* because it came too often, at present */
	int64_t masked_ns; /* for that, all together, the present time to its end */
	int64_t longest_ns;
};
/* Figures of the i-th requested interrupt; false when there are no more. Any context. */
bool irq_stats_at(size_t i, struct irq_stats *out);

/* Traps of a hart with nothing to claim, and claims of sources that nobody requested. */
struct irq_spurious {
	uint64_t empty, unclaimed;
};
void irq_spurious_stats(uint32_t cpu, struct irq_spurious *out);

#endif
