/*
 * hart.c - virtual harts: their start, their interrupts, waiting, and the end of the machine.
 *
 * A hart's interrupts are its IPI bits, its timer (due and not yet served), and its line
 * from the interrupt controller. They are served on the stack of the code that they
 * interrupt, at its point, one after another, and leave through upcall_preempt() when
 * need_resched is set and preempt_count is 0, like the metal's.
 *
 * Each hart's copy of the section percpu is made before it starts, as arch/riscv64 does.
 */
#include <stdlib.h>
#include "arch/host/host_priv.h"

aligned_to(CACHE_LINE) section("percpu") struct arch_hart arch_hart_template;
/* What runs on a hart until the scheduler makes threads: its stack and its preempt_count. */
static PERCPU(struct arch_thread, boot_thread);

extern const uint8_t __stop_percpu[];

struct arch_hart *arch_host_hart;
uintptr_t arch_percpu_base[CPU_MAX];

static uint8_t first_stack[HOST_STACK_EXTRA + CONFIG_STACK_SIZE] aligned_to(16);
static struct arch_context runner;
static int exit_status;
static bool exited;
static void (*ipi_handler[IPI_COUNT])(void);

/* ---- start and end ---- */

static void hart_prepare(uint32_t cpu)
{
	size_t size = (size_t)(__stop_percpu - __start_percpu);
	/* The copy lies as the section does, so that what is aligned there is aligned here. */
	uint8_t *copy = aligned_alloc(CACHE_LINE, align_up(size, (size_t)CACHE_LINE) + CACHE_LINE);
	assert(copy);
	arch_percpu_base[cpu] = (uintptr_t)copy + (uintptr_t)__start_percpu % CACHE_LINE;
	memcpy((void *)arch_percpu_base[cpu], __start_percpu, size);

	struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
	struct arch_thread *t = &cpu_of(boot_thread, cpu);
	*t = (struct arch_thread){.preempt_count = 1, .flags = ARCH_THREAD_BOOT};
	*h = (struct arch_hart){.current = t, .cpu = cpu, .timer = KTIME_NEVER};
}

/* Where the hart's code begins, on a stack of its own. */
static void hart_set_entry(struct arch_hart *h, uintptr_t stack, noreturn void (*entry)(void *arg))
{
	struct arch_thread *t = h->current;
	t->stack_base = stack;
	t->stack_top = stack + CONFIG_STACK_SIZE;
	h->left_at = fiber_prepare(t, entry, NULL);
}

static noreturn void hart_first(unused void *arg)
{
	upcall_boot(NULL);
}

static noreturn void hart_other(unused void *arg)
{
	arch_host_hart->online = true;
	upcall_secondary();
}

int host_run(const struct host_options *o)
{
	assert(!arch_host_hart && o->harts > 0 && o->harts <= CPU_MAX);
	hart_prepare(0);
	arch_host_hart = &cpu_of(arch_hart_template, 0);
	hart_set_entry(arch_host_hart, (uintptr_t)first_stack + HOST_STACK_EXTRA, hart_first);
	struct arch_context *begin = arch_host_hart->left_at;
	arch_host_hart->left_at = NULL;
	explore_start(o);
	fiber_enter(&runner, begin, arch_host_hart->current);
	assert(exited);
	return exit_status;
}

void arch_init(void)
{
	for (uint32_t cpu = 1; cpu < cpu_count(); cpu++)
		hart_prepare(cpu);
	arch_host_hart->online = true;
}

enum err arch_cpu_start(uint32_t cpu, void *stack)
{
	assert(cpu > 0 && cpu < cpu_count());
	struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
	assert(!h->left_at && !h->online);
	hart_set_entry(h, (uintptr_t)stack, hart_other);
	return OK;
}

bool arch_cpu_online(uint32_t cpu)
{
	return arch_percpu_base[cpu] && cpu_of(arch_hart_template, cpu).online;
}

void arch_exit(int status)
{
	exit_status = status;
	exited = true;
	arch_host_countdown = UINT64_MAX; /* whatever host_run()'s caller does is no point */
	struct arch_context here;
	fiber_enter(&here, &runner, NULL);
	unreachable();
}

void arch_halt(void)
{
	arch_irq_disable();
	arch_host_hart->timer = KTIME_NEVER;
	for (;;)
		explore_wait();
}

/* ---- from one hart to another ---- */

void hart_enter(struct arch_hart *to)
{
	struct arch_hart *from = arch_host_hart;
	struct arch_context here, *there = to->left_at;
	assert(to != from && there && !from->left_at);
	from->left_at = &here;
	to->left_at = NULL;
	arch_host_hart = to;
	fiber_enter(&here, there, to->current);
	assert(arch_host_hart == from && !from->left_at);
}

bool hart_has_interrupt(const struct arch_hart *h)
{
	return h->ipi_pending || h->irq_pending || h->timer_leftover || !ktime_before(arch_host_now, h->timer);
}

bool hart_can_run(const struct arch_hart *h)
{
	if (h != arch_host_hart && !h->left_at)
		return false;
	return !h->waiting || hart_has_interrupt(h);
}

bool host_is_quiet(void)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
		bool settled = h->waiting || (h->irqs_on && h->current->preempt_count == 0);
		if (!h->online || !settled || h->in_interrupt || h->need_resched || h->ipi_pending)
			return false;
	}
	return true;
}

/* ---- interrupts ---- */

static void hart_take_ipi(struct arch_hart *h)
{
	unsigned reasons = __atomic_exchange_n(&h->ipi_pending, 0, __ATOMIC_ACQ_REL);
	assert(!(reasons & 1u << IPI_FLUSH)); /* nobody sends it: there are no page tables */
	if (reasons & 1u << IPI_RESCHED)
		h->need_resched = true;
	for (unsigned i = IPI_STOP; i < IPI_COUNT; i++)
		if (reasons >> i & 1 && ipi_handler[i])
			ipi_handler[i]();
}

/* One of those that are pending, which there is. */
static void hart_serve(struct arch_hart *h)
{
	h->in_interrupt = true;
	if (h->ipi_pending) {
		hart_take_ipi(h);
	} else if (h->irq_pending) {
		h->irq_pending = false;
		upcall_irq();
	} else {
		h->timer_leftover = false;
		upcall_timer();
	}
	assert(h == arch_host_hart && !h->irqs_on);
	h->in_interrupt = false;
}

/* A preempted thread may come back on another hart: there is no `h` behind the upcall. Interrupts are off on return. */
static void hart_preempt(void)
{
	arch_current()->preempt_count = 1;
	do {
		upcall_preempt();
		arch_irq_disable();
	} while (arch_host_hart->need_resched);
	arch_current()->preempt_count = 0;
}

void hart_interrupt(void)
{
	while (arch_host_hart->irqs_on && hart_has_interrupt(arch_host_hart)) {
		arch_host_hart->irqs_on = false;
		hart_serve(arch_host_hart);
		if (arch_host_hart->need_resched && arch_current()->preempt_count == 0)
			hart_preempt();
		assert(!arch_host_hart->irqs_on && !arch_host_hart->in_interrupt);
		arch_host_hart->irqs_on = true;
	}
}

void arch_irq_window(void)
{
	struct arch_hart *h = arch_host_hart;
	assert(h->in_interrupt && !h->irqs_on);
	h->current->preempt_count++;
	h->irqs_on = true;
	hart_interrupt();
	h->irqs_on = false;
	h->current->preempt_count--;
	h->in_interrupt = true;
}

void arch_ipi_send(uint32_t cpu, enum ipi reason)
{
	__atomic_fetch_or(&cpu_of(arch_hart_template, cpu).ipi_pending, 1u << reason, __ATOMIC_ACQ_REL);
}

void host_irq_raise(uint32_t cpu)
{
	cpu_of(arch_hart_template, cpu).irq_pending = true;
}

void arch_on_ipi(enum ipi reason, void (*handler)(void))
{
	ipi_handler[reason] = handler;
}

/* An interrupt that finds preemption off leaves no mark here. */
void arch_on_held(unused void (*held)(ktime since, uintptr_t pc))
{
}

ktime arch_held_since(void)
{
	return KTIME_NEVER;
}

uintptr_t arch_irq_enabler(void)
{
	return 0;
}

void arch_preempt_due(void)
{
	if (arch_in_interrupt() || !arch_irqs_enabled())
		return;
	arch_irq_disable();
	if (arch_need_resched())
		hart_preempt();
	arch_irq_enable();
}

/* ---- waiting and time ---- */

void arch_idle(void)
{
	assert(!arch_irqs_enabled());
	explore_wait();
}

void arch_timer_set(ktime deadline)
{
	assert(!arch_irqs_enabled());
	if (ktime_before(arch_host_hart->timer, deadline)) /* it may go off while it is moved, as QEMU's does */
		arch_host_hart->timer_leftover = explore_leaves_interrupt();
	arch_host_hart->timer = deadline;
}
