/*
 * ipi.c - one hart calls another.
 *
 * The reason is a bit in the receiver's ipi_pending, set before the bell rings;
 * the receiver clears the bell before it takes the bits. So a bit that is set
 * while another is being taken rings again, and none is lost. Only the first bit
 * rings: the others find the receiver on its way.
 */
#include "arch/riscv64/arch_priv.h"

static void ipi_nothing(void)
{
}

static void ipi_resched(void)
{
	arch_need_resched_set();
}

/* By the word of reasons, so that one reason alone, the usual case, is a jump. NULL: several. */
static void (*ipi_handler[1 << IPI_COUNT])(void) = {
	[0] = ipi_nothing, /* the bell of a bit that was taken with an earlier one */
	[1 << IPI_RESCHED] = ipi_resched,
	[1 << IPI_FLUSH] = arch_flush_here,
	[1 << IPI_STOP] = ipi_nothing,
	[1 << IPI_CALL] = ipi_nothing,
	[1 << IPI_TEST] = ipi_nothing,
};

void arch_on_ipi(enum ipi reason, void (*handler)(void))
{
	__atomic_store_n(&ipi_handler[1 << reason], handler ? handler : ipi_nothing, __ATOMIC_RELEASE);
}

void arch_ipi_send(uint32_t cpu, enum ipi reason)
{
	/* Its struct arch_hart is the first thing in the hart's copy. */
	struct arch_hart *h = (struct arch_hart *)arch_percpu_base[cpu];
	uint32_t *bell = h->sswi;
	/* Pairs with the exchange in arch_ipi_taken: what was written before is seen there. */
	long before;
	__asm__ volatile("amoor.w.aqrl %0, %2, %1"
			 : "=r"(before), "+A"(h->ipi_pending)
			 : "r"(1L << reason)
			 : "memory");
	if (before)
		return;
	if (likely(bell != NULL))
		__asm__ volatile("fence rw, ow\n\tsw %1, %0" : "=m"(*bell) : "r"(1) : "memory");
	else
		sbi_call(SBI_EXT_IPI, 0, 1, h->hart_id, 0);
}

static noinline void ipi_taken_several(unsigned reasons)
{
	for (; reasons; reasons &= reasons - 1)
		ipi_handler[reasons & -reasons]();
}

void arch_ipi_taken(void)
{
	unsigned long reasons;
	/* Silenced before the bits are taken. */
	__asm__ volatile("csrci	sip, %1\n\t"
			 "addi	%0, gp, %2\n\t"
			 "fence	iorw, iorw\n\t"
			 "amoswap.w.aq %0, zero, (%0)"
			 : "=r"(reasons)
			 : "i"(SIP_SOFT), HART(ipi_pending)
			 : "memory");
	void (*handler)(void) = ipi_handler[reasons];
	if (unlikely(!handler))
		ipi_taken_several((unsigned)reasons);
	else
		handler();
}
