/*
 * hart.c - per-hart data, the first hart's way in, and the start of the others.
 *
 * Locks: none; the first hart prepares everything before it starts another.
 */
#include "arch/riscv64/arch_priv.h"

aligned_to(CACHE_LINE) section(".percpu.first") struct arch_hart arch_hart_template;
/* What runs on a hart until the scheduler makes threads: its stack and its preempt_count. */
static PERCPU(struct arch_thread, boot_thread);

uintptr_t arch_percpu_base[CPU_MAX + 1]; /* ends with 0, where entry.S stops looking */

static void hart_prepare(uint32_t cpu, uintptr_t stack_base, uintptr_t stack_top)
{
	size_t size = (size_t)(percpu_load_end - percpu_load);
	arch_percpu_base[cpu] = (uintptr_t)percpu_area + cpu * size;
	memcpy((void *)arch_percpu_base[cpu], percpu_load, size);

	struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
	struct arch_thread *t = &cpu_of(boot_thread, cpu);
	*t = (struct arch_thread){
		.preempt_count = 1, .flags = ARCH_THREAD_BOOT, .stack_base = stack_base, .stack_top = stack_top};
	h->current = t;
	h->cpu = cpu;
	h->line = (uint64_t)cpu * CACHE_LINE;
	h->base = arch_percpu_base[cpu];
	h->emergency_top = (uintptr_t)emergency_stacks + (cpu + 1) * EMERGENCY_STACK_SIZE;
}

/* Traps and interrupts of this hart, from now on as the kernel wants them. */
static void hart_enable(struct arch_hart *h)
{
	__asm__ volatile("csrw stvec, %0" ::"r"((uintptr_t)arch_trap_vector | 1));
	__asm__ volatile("csrw scounteren, %0" ::"r"(7UL));
	__asm__ volatile("csrc sstatus, %0" ::"r"(SSTATUS_FS)); /* nobody saves it */
	arch_timer_init_hart(h);
	arch_paging_enable();
	__asm__ volatile("csrw sie, %0" ::"r"(SIP_SOFT | SIP_TIMER | SIP_EXT));
	__atomic_store_n(&h->online, 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with paging_flush_all */
	arch_flush_here();                       /* what was taken away while nobody would have told it */
}

void arch_entry_first(uint64_t hart_id, const void *fdt)
{
	uintptr_t top = (uintptr_t)boot_stack_top;
	hart_prepare(0, top - CONFIG_STACK_SIZE, top);
	machine.hart_id[0] = (uint32_t)hart_id;
	machine.cpu_count = 1;
	upcall_boot(fdt);
}

void arch_init(void)
{
	for (uint32_t cpu = 1; cpu < cpu_count(); cpu++)
		hart_prepare(cpu, 0, 0);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
		h->hart_id = machine.hart_id[cpu];
		h->ns_per_tick = (uint32_t)(NS_PER_S / machine.timebase_hz);
		h->sbi_timer = !machine.has_sstc;
		if (machine.sswi_base)
			h->sswi = (uint32_t *)machine.sswi_base + machine.sswi_index[cpu];
	}
	arch_paging_init();
	hart_enable(arch_hart());
}

enum err arch_cpu_start(uint32_t cpu, void *stack)
{
	assert(cpu > 0 && cpu < cpu_count());
	assert((uintptr_t)stack % (2 * CONFIG_STACK_SIZE) == 0);
	struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
	h->current->stack_base = (uintptr_t)stack;
	h->current->stack_top = (uintptr_t)stack + CONFIG_STACK_SIZE;
	__atomic_thread_fence(__ATOMIC_RELEASE); /* pairs with the fence in arch_entry_secondary */
	long r = sbi_call(SBI_EXT_HSM, 0, h->hart_id, (uintptr_t)arch_entry_secondary, 0);
	return r == 0 ? OK : ERR_IO;
}

bool arch_cpu_online(uint32_t cpu)
{
	return arch_percpu_base[cpu] && __atomic_load_n(&cpu_of(arch_hart_template, cpu).online, __ATOMIC_ACQUIRE);
}

void arch_entry_other(void)
{
	hart_enable(arch_hart());
	upcall_secondary();
}

void arch_thread_init(struct arch_thread *t, uintptr_t stack_base, uintptr_t stack_top,
	noreturn void (*entry)(void *arg), void *arg)
{
	assert(stack_base % (2 * CONFIG_STACK_SIZE) == 0 && stack_top % 16 == 0);
	struct arch_context *c = (struct arch_context *)stack_top;
	c[-1] = (struct arch_context){
		.ra = (uintptr_t)arch_thread_start,
		.s = {[1] = (uintptr_t)entry, [2] = (uintptr_t)arg},
	};
	t->context = c;
	t->stack_base = stack_base;
	t->stack_top = stack_top;
}

static void (*held_over)(ktime since, uintptr_t pc);

void arch_on_held(void (*held)(ktime since, uintptr_t pc))
{
	held_over = held;
}

ktime arch_held_since(void)
{
	const struct arch_hart *h = arch_hart();
	return h->resched_held ? (ktime){(int64_t)(h->held_since * h->ns_per_tick)} : KTIME_NEVER;
}

void arch_preempt_due(void)
{
	if (arch_in_interrupt() || !arch_irqs_enabled())
		return;
	arch_irq_disable();
	if (!arch_need_resched()) { /* an interrupt came first */
		arch_irq_enable();
		return;
	}
	if (unlikely(arch_hart()->resched_held) && held_over)
		held_over(arch_held_since(), (uintptr_t)__builtin_return_address(0));
	arch_current()->preempt_count = 1;
	do {
		upcall_preempt();
		arch_irq_disable();
		arch_trace(preempt_point);
	} while (arch_need_resched());
	arch_current()->preempt_count = 0;
	arch_irq_enable();
}

/* csrs sstatus, reg and csrsi sstatus, imm: how arch_irq_restore() and arch_irq_enable() end. */
uintptr_t arch_irq_enabler(void)
{
	uintptr_t pc;
	__asm__ volatile("csrr %0, sepc" : "=r"(pc));
	if (pc < (uintptr_t)__text_start + 4 || pc >= (uintptr_t)__text_end)
		return 0;
	uint32_t before = (uint32_t)((const uint16_t *)pc)[-1] << 16 | ((const uint16_t *)pc)[-2];
	before &= 0xfff07fff;
	return before == 0x10002073 || before == 0x10006073 ? pc : 0;
}

void arch_irq_window(void)
{
	struct arch_hart *h = arch_hart();
	uintptr_t irq_sp = h->irq_sp, pc;
	assert(irq_sp != 0);
	__asm__ volatile("csrr %0, sepc" : "=r"(pc));
	h->current->preempt_count++;
	arch_irq_enable();
	arch_irq_disable();
	h->current->preempt_count--;
	h->irq_sp = irq_sp;
	__asm__ volatile("csrw sepc, %0" ::"r"(pc));
	__asm__ volatile("csrs sstatus, %0" ::"r"(SSTATUS_SPP | SSTATUS_SPIE));
}

void arch_halt(void)
{
	arch_irq_disable();
	for (;;)
		__asm__ volatile("wfi");
}
