/*
 * ipi.c - one hart calls another.
 *
 * The reason is a bit in the receiver's ipi_pending, set before the bell rings;
 * the receiver clears the bell before it takes the bits. So a bit that is set
 * while another is being taken rings again, and none is lost. Only the first bit
 * rings: the others find the receiver on its way.
 */
#include "arch/riscv64/arch_priv.h"

static void (*ipi_stop)(void);
static void (*ipi_call)(void);

void arch_ipi_send(uint32_t cpu, enum ipi reason)
{
	struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
	/* Pairs with the exchange in arch_ipi_taken: what was written before is seen there. */
	if (__atomic_fetch_or(&h->ipi_pending, 1u << reason, __ATOMIC_ACQ_REL))
		return;
	if (likely(h->sswi != NULL)) {
		__asm__ volatile("fence rw, ow" ::: "memory");
		*(volatile uint32_t *)h->sswi = 1;
	} else {
		sbi_call(SBI_EXT_IPI, 0, 1, h->hart_id, 0);
	}
}

void arch_on_stop(void (*stop)(void))
{
	ipi_stop = stop;
}

void arch_on_call(void (*call)(void))
{
	ipi_call = call;
}

/* The reasons that concern arch and diag; the rest is the scheduler's. */
static noinline void ipi_taken_rare(unsigned reasons)
{
	if (reasons & 1u << IPI_FLUSH)
		arch_flush_here();
	if (reasons & 1u << IPI_STOP && ipi_stop)
		ipi_stop();
	if (reasons & 1u << IPI_CALL && ipi_call)
		ipi_call();
}

void arch_ipi_taken(void)
{
	struct arch_hart *h = arch_hart();
	__asm__ volatile("csrc sip, %0" ::"r"(SIP_SOFT) : "memory");
	__asm__ volatile("fence iorw, iorw" ::: "memory"); /* silenced before the bits are taken */
	unsigned reasons = __atomic_exchange_n(&h->ipi_pending, 0, __ATOMIC_ACQ_REL);
	if (unlikely(reasons & (1u << IPI_FLUSH | 1u << IPI_STOP | 1u << IPI_CALL)))
		ipi_taken_rare(reasons);
	upcall_ipi(reasons);
}
