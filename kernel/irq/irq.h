/*
 * irq.h - interrupt descriptors and the interface to interrupt controllers.
 *
 * A hard handler runs with interrupts off on the hart that took the interrupt,
 * acknowledges its device and wakes somebody; threaded handlers are in kernel/dev.
 * Interrupt 0 does not exist.
 */
#ifndef KERNEL_IRQ_IRQ_H
#define KERNEL_IRQ_IRQ_H

#include "arch/arch.h"

#define IRQ_MAX CONFIG_IRQ_MAX

struct irqchip_ops {
	void (*enable)(uint32_t irq, uint32_t cpu);
	void (*disable)(uint32_t irq);
	uint32_t (*claim)(void);        /* this hart; 0: none */
	void (*complete)(uint32_t irq); /* this hart */
	void (*cpu_init)(void);         /* on each hart as it comes up */
};

void irqchip_register(const struct irqchip_ops *ops);
void irqchip_cpu_init(void);

/* handler: interrupt context. ERR_BUSY when taken, ERR_RANGE when out of range. */
must_check enum err irq_request(uint32_t irq, struct str name, void (*handler)(void *arg), void *arg);
void irq_enable(uint32_t irq);
void irq_disable(uint32_t irq); /* any context; the handler may still be running on another hart */
void irq_set_affinity(uint32_t irq, uint32_t cpu);

struct irq_stats {
	uint32_t irq;
	struct str name;
	uint64_t count[CPU_MAX];
	uint64_t spurious;
	int64_t longest_ns;
};
/* Figures of the i-th requested interrupt; false when there are no more. */
bool irq_stats_at(size_t i, struct irq_stats *out);

#endif
