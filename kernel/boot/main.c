/*
 * main.c - from the firmware's handing over to the running system: the machine is
 * read, then memory, the page table and the scheduler begin, then this context is
 * the boot thread, which starts the other harts and runs every init function.
 */
#include "kernel/boot/boot_priv.h"
#include "kernel/boot/options_core.h"
#include "kernel/dev/dev.h"
#include "kernel/diag/bench.h"
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "lib/initcall.h"
#include "generated/version.h"

#define HART_PATIENCE (10 * NS_PER_S)

static void boot_loglevel(struct str wanted)
{
	for (enum log_level l = LOG_ERR; l <= LOG_DEBUG; l++) {
		if (str_eq(wanted, log_level_name(l))) {
			klog_set_console_level(l);
			return;
		}
	}
	if (wanted.len > 0)
		klog(LOG_WARN, "boot: loglevel=%.*s is no level: error, warning, info, debug", STR_ARG(wanted));
}

/* The bootloader's random bytes, mixed; without any the time has to do. */
static uint64_t boot_canary(void)
{
	uint64_t seed = (uint64_t)arch_clock().ns * 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < machine.rng_seed.len; i++)
		seed = (seed << 7 | seed >> 57) ^ machine.rng_seed.ptr[i];
	return seed;
}

/* A hart that does not come up is a broken machine: the sentence beats a system that is half there. */
static void boot_start_harts(void)
{
	ktime until = ktime_add(arch_clock(), HART_PATIENCE);
	for (uint32_t cpu = 1; cpu < cpu_count(); cpu++) {
		char *stack = machine_idle_stack(cpu);
		stack_paint(stack);
		arch_unmap((vaddr){(uintptr_t)stack - PAGE_SIZE}, PAGE_SIZE);
		/* The firmware refuses a hart that has not come to rest in it yet. */
		for (uint32_t n = 0; arch_cpu_start(cpu, stack) != OK; n++) {
			if (ktime_before(until, arch_clock()))
				boot_refuse("the firmware does not start hart %u", machine.hart_id[cpu]);
			arch_spin_relax(n);
		}
	}
	for (uint32_t cpu = 1; cpu < cpu_count(); cpu++)
		for (uint32_t n = 0; !sched_cpu_online(cpu); n++) {
			if (ktime_before(until, arch_clock()))
				boot_refuse("hart %u does not come up", machine.hart_id[cpu]);
			arch_spin_relax(n);
		}
}

static void boot_mode(const struct boot_options *o)
{
	if (o->unknown.len)
		klog(LOG_WARN, "boot: the option %.*s means nothing", STR_ARG(o->unknown));
	if (o->mode == MODE_SELFTEST) {
#ifdef CONFIG_SELFTEST
		arch_exit(selftest_run(o->what.ptr, o->what.len) != 0);
#else
		boot_refuse("this build has no self-tests (CONFIG_SELFTEST)");
#endif
	} else if (o->mode == MODE_BENCH) {
#ifdef CONFIG_BENCH
		arch_exit(bench_run(o->what.ptr, o->what.len) == 0);
#else
		boot_refuse("this build has no benchmarks (CONFIG_BENCH)");
#endif
	} else if (o->mode == MODE_RUN) {
		boot_refuse("run=%.*s: this kernel has no user programs", STR_ARG(o->what));
	}
}

/* What is up before the first init function, under the names by which others need it. */
static enum err boot_is_up(void)
{
	return OK;
}
INITCALL(irq, boot_is_up, NULL);
INITCALL(sched, boot_is_up, "callout", "softcall");

/* The thread "boot": from here on the scheduler runs. */
static noreturn noinline void boot_thread(const struct boot_options *options)
{
	boot_start_harts();
	initcalls_run(options->mode == MODE_NORMAL);
	mm_fail_every((uint32_t)options->fail_alloc);
	boot_mode(options);
	for (;;)
		thread_suspend(thread_current());
}

void upcall_boot(const void *fdt)
{
	stack_paint_below();
	machine_read(fdt);
	struct boot_options options = options_parse(machine.cmdline);
	boot_loglevel(options.loglevel);
	if (options.mode == MODE_SELFTEST || options.mode == MODE_BENCH)
		klog_set_polled();
	stack_protector_seed(boot_canary());
	arch_init();
	diag_init();
	klog(LOG_INFO, "Mazu %s on %.*s, %u harts", MAZU_VERSION, STR_ARG(machine.model), cpu_count());
	if (machine_harts_left_out())
		klog(LOG_WARN, "boot: %u harts more than CONFIG_CPU_MAX stay stopped",
			machine_harts_left_out());
	mm_init();
	drivers_probe(true);
	sched_boot_init();
	if (options.idle_busy)
		sched_idle_busy();
	watchdog_init();
	boot_thread(&options);
}

void upcall_secondary(void)
{
	irqchip_cpu_init();
	watchdog_start();
	sched_secondary_start();
}
