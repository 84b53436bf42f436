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

/* RESCHED has none: it is one store. */
static void (*ipi_handler[IPI_COUNT])(void) = {
	[IPI_FLUSH] = arch_flush_here,
	[IPI_STOP] = ipi_nothing,
	[IPI_CALL] = ipi_nothing,
	[IPI_TEST] = ipi_nothing,
};

void arch_on_ipi(enum ipi reason, void (*handler)(void))
{
	__atomic_store_n(&ipi_handler[reason], handler ? handler : ipi_nothing, __ATOMIC_RELEASE);
}

void arch_ipi_send(uint32_t cpu, enum ipi reason)
{
	/* Its struct arch_hart is the first thing in the hart's copy. */
	struct arch_hart *h = (struct arch_hart *)arch_percpu_base[cpu];
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

static noinline void ipi_taken_several(unsigned reasons)
{
	for (; reasons; reasons &= reasons - 1)
		ipi_handler[__builtin_ctz(reasons)]();
}

void arch_ipi_taken(void)
{
	struct arch_hart *h = arch_hart();
	__asm__ volatile("csrci sip, %0" ::"i"(SIP_SOFT) : "memory");
	__asm__ volatile("fence iorw, iorw" ::: "memory"); /* silenced before the bits are taken */
	unsigned reasons = __atomic_exchange_n(&h->ipi_pending, 0, __ATOMIC_ACQ_REL);
	if (reasons & 1u << IPI_RESCHED) {
		arch_need_resched_set();
		reasons &= ~(1u << IPI_RESCHED);
		if (likely(reasons == 0))
			return;
	}
	if (unlikely(!is_pow2(reasons)))
		ipi_taken_several(reasons);
	else
		ipi_handler[__builtin_ctz(reasons)]();
}
