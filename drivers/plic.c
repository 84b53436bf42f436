/*
 * plic.c - the platform-level interrupt controller.
 *
 * Each hart's supervisor mode is a context, whose number boot took from the device
 * tree (machine.plic_context). An interrupt is enabled in one context, that of the
 * hart it is sent to; masked and unmasked by its priority, 0 and 1: an interrupt whose
 * enable bit is cleared between claim and complete would never be completed.
 *
 * Locks: LOCK_IRQCHIP guards the enable words, each shared by 32 interrupts; the
 * caller holds the lock of one interrupt descriptor.
 * Reference: RISC-V Platform-Level Interrupt Controller Specification 1.0.0.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/irq/irq.h"
#include "lib/assert.h"

#define PLIC_ENABLE           0x2000
#define PLIC_ENABLE_STRIDE    0x80
#define PLIC_CONTEXT          0x200000
#define PLIC_CONTEXT_STRIDE   0x1000
#define PLIC_CONTEXT_CLAIM    4
#define PLIC_SOURCE_MAX       1023

static uintptr_t plic_base;
static uint32_t plic_sources; /* 1..plic_sources; the kernel takes those below IRQ_MAX */
static struct spinlock plic_lock = SPINLOCK_INIT(LOCK_IRQCHIP);

static volatile uint32_t *plic_reg(size_t offset)
{
	return (volatile uint32_t *)(plic_base + offset);
}

/* What one hart told the controller reaches it before what the next one does, behind the caller's lock. */
static void plic_told(void)
{
	__asm__ volatile("fence o, w" ::: "memory");
}

static volatile uint32_t *plic_context_reg(uint32_t cpu, size_t offset)
{
	return plic_reg(PLIC_CONTEXT + (size_t)machine.plic_context[cpu] * PLIC_CONTEXT_STRIDE + offset);
}

static volatile uint32_t *plic_enable_word(uint32_t cpu, uint32_t irq)
{
	return plic_reg(PLIC_ENABLE + (size_t)machine.plic_context[cpu] * PLIC_ENABLE_STRIDE +
		irq / 32 * 4);
}

static void plic_route(uint32_t irq, uint32_t to)
{
	uint32_t bit = UINT32_C(1) << irq % 32;
	irqflags flags = spin_lock_irqsave(&plic_lock);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		volatile uint32_t *word = plic_enable_word(cpu, irq);
		*word = cpu == to ? *word | bit : *word & ~bit;
	}
	spin_unlock_irqrestore(&plic_lock, flags);
}

static void plic_enable(uint32_t irq, uint32_t cpu)
{
	assert(irq > 0 && irq <= plic_sources && cpu < cpu_count());
	if ((*plic_enable_word(cpu, irq) & UINT32_C(1) << irq % 32) == 0)
		plic_route(irq, cpu);
	*plic_reg((size_t)irq * 4) = 1;
	plic_told();
}

static void plic_disable(uint32_t irq)
{
	assert(irq > 0 && irq <= plic_sources);
	*plic_reg((size_t)irq * 4) = 0;
	plic_told();
}

static uint32_t plic_claim(void)
{
	return *plic_context_reg(arch_cpu(), PLIC_CONTEXT_CLAIM);
}

static bool plic_waiting(void)
{
	return arch_irq_external();
}

static void plic_complete(uint32_t irq)
{
	*plic_context_reg(arch_cpu(), PLIC_CONTEXT_CLAIM) = irq;
}

/* Takes every priority above 0; what the firmware left enabled is cleared. */
static void plic_cpu_init(void)
{
	uint32_t cpu = arch_cpu();
	for (uint32_t irq = 0; irq <= plic_sources; irq += 32)
		*plic_enable_word(cpu, irq) = 0;
	*plic_context_reg(cpu, 0) = 0;
}

static const struct irqchip_ops plic_ops = {
	.enable = plic_enable,
	.disable = plic_disable,
	.claim = plic_claim,
	.waiting = plic_waiting,
	.complete = plic_complete,
	.cpu_init = plic_cpu_init,
};

static enum err plic_probe(const struct machine_device *d)
{
	if (plic_base != 0)
		return ERR_BUSY; /* one controller serves the machine */
	if (d->size < PLIC_CONTEXT + PLIC_CONTEXT_STRIDE)
		return ERR_INVAL;
	plic_base = d->base;
	plic_sources = min(d->first_param, (uint32_t)PLIC_SOURCE_MAX);
	for (uint32_t irq = 1; irq <= plic_sources; irq++)
		plic_disable(irq);
	irqchip_register(&plic_ops);
	klog(LOG_INFO, "plic: %u interrupts", plic_sources);
	return OK;
}
DRIVER(plic, .compatible = "riscv,plic0", .early = true, .probe = plic_probe);
