/*
 * timer.c - the hardware deadline of a hart, and waiting.
 *
 * The time CSR is the clock; stimecmp (Sstc) or the firmware the alarm. An alarm
 * is rounded up to the next tick, so it is never early.
 *
 * arch_spin_relax(): on an emulator a waiting hart may hold the host's core that
 * the lock's owner needs. After SPIN_PATIENCE rounds it naps in wfi until a short
 * alarm, and then sets the alarm back to what it was.
 */
#include "arch/riscv64/arch_priv.h"

#define SPIN_PATIENCE 1000 /* rounds; 200 made two harts slower, see docs/internals.md */
#define NAP_NS        20000

static void timer_program(const struct arch_hart *h, uint64_t ticks)
{
	if (unlikely(h->sbi_timer))
		sbi_call(SBI_EXT_TIME, 0, ticks, 0, 0);
	else
		__asm__ volatile("csrw 0x14d, %0" ::"r"(ticks) : "memory"); /* stimecmp */
}

void arch_timer_init_hart(struct arch_hart *h)
{
	h->timer_ticks = UINT64_MAX;
	timer_program(h, UINT64_MAX);
}

void arch_timer_set(ktime deadline)
{
	struct arch_hart *h = arch_hart();
	uint64_t ticks = 0;
	if (likely(deadline.ns > 0)) /* KTIME_NEVER: in 292 years */
		ticks = ((uint64_t)deadline.ns + h->ns_per_tick - 1) / h->ns_per_tick;
	h->timer_ticks = ticks;
	timer_program(h, ticks);
}

static noinline void spin_nap(void)
{
	irqflags flags = arch_irq_save();
	const struct arch_hart *h = arch_hart();
	if (h->online) {
		uint64_t now;
		__asm__ volatile("rdtime %0" : "=r"(now));
		uint64_t until = now + NAP_NS / h->ns_per_tick;
		timer_program(h, min(until, h->timer_ticks));
		arch_idle();
		timer_program(h, h->timer_ticks);
	}
	arch_irq_restore(flags);
}

void arch_spin_relax(uint32_t n)
{
	if (n >= SPIN_PATIENCE)
		spin_nap();
	else
		__asm__ volatile(".word 0x0100000f"); /* pause */
}

/* Who sleeps keeps nobody waiting: for the tracer, interrupts are on meanwhile. */
void arch_idle(void)
{
	arch_trace(irqs_on);
	__asm__ volatile("wfi" ::: "memory");
	arch_trace(irqs_off);
}
