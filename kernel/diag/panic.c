/*
 * panic.c - the end after a bug: stops the other harts, then says why, where and
 * what every hart was doing.
 *
 * The first hart to panic is the owner and writes. It asks the others by IPI_STOP
 * to leave their backtrace in their per-hart record and to halt; one that does not
 * answer within STOP_PATIENCE is reported so. A fault inside of the report ends the
 * machine at once.
 *
 * Locks: console_lock, a leaf; ignored once panic is on.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/diag_priv.h"

#define BACKTRACE_MAX 24
#define STOP_PATIENCE (2 * NS_PER_S) /* a virtual machine may be without one of its processors for long */
#define REPORT_LINE   160

struct panic_record {
	uintptr_t pc[BACKTRACE_MAX];
	size_t count;
	bool exact;
	bool stopped; /* atomic, written last */
};

static PERCPU(struct panic_record, panic_record);
static uint32_t panic_owner; /* cpu + 1; atomic */
static bool panic_nested;
static void (*panic_describe)(const struct arch_thread *t, struct abuf *out);
static struct arch_lock console_lock;
static uint8_t report[2048]; /* the owner's */

bool panic_is_on(void)
{
	return __atomic_load_n(&panic_owner, __ATOMIC_ACQUIRE) != 0;
}

void panic_set_describe(void (*describe)(const struct arch_thread *t, struct abuf *out))
{
	panic_describe = describe;
}

void console_line(struct str s)
{
	if (panic_is_on()) {
		arch_console_write(s);
		return;
	}
	irqflags flags = arch_lock_irqsave(&console_lock);
	arch_console_write(s);
	arch_unlock_irqrestore(&console_lock, flags);
}

/* On each other hart, in the interrupt that stops it; also where a second hart panics. */
static void panic_stop(void)
{
	arch_irq_disable();
	struct panic_record *r = &this_cpu(panic_record);
	r->count = arch_backtrace(NULL, r->pc, BACKTRACE_MAX, &r->exact);
	__atomic_store_n(&r->stopped, true, __ATOMIC_RELEASE);
	arch_halt();
}

static void panic_stop_others(void)
{
	uint32_t here = arch_cpu();
	ktime until = ktime_add(arch_clock(), STOP_PATIENCE);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		if (cpu != here && arch_cpu_online(cpu))
			arch_ipi_send(cpu, IPI_STOP);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (cpu == here || !arch_cpu_online(cpu))
			continue;
		while (!__atomic_load_n(&cpu_of(panic_record, cpu).stopped, __ATOMIC_ACQUIRE) &&
			ktime_before(arch_clock(), until))
			arch_spin_relax(0);
	}
}

/* Takes the machine, or does not return. */
static void panic_begin(void)
{
	arch_irq_disable();
	uint32_t me = arch_cpu() + 1, nobody = 0;
	if (__atomic_compare_exchange_n(&panic_owner, &nobody, me, false, __ATOMIC_ACQ_REL,
		    __ATOMIC_ACQUIRE)) {
		panic_stop_others();
		klog_flush();
		return;
	}
	if (nobody != me)
		panic_stop();
	if (!panic_nested) {
		panic_nested = true;
		arch_console_write(S("panic: another fault while reporting the first\n"));
	}
	arch_exit(EXIT_PANIC);
}

static void panic_print_backtrace(uint32_t cpu, const struct panic_record *r)
{
	struct abuf out = abuf_of(report, sizeof(report));
	fmt(&out, "hart %u", cpu);
	if (panic_describe)
		panic_describe(cpu_of(arch_hart_template, cpu).current, &out);
	fmt(&out, r->exact ? ":\n" : " (without frame pointers, so some lines may be stale):\n");
	for (size_t i = 0; i < r->count; i++) {
		fmt(&out, r->exact ? "  " : "  ? ");
		symbol_describe_return(r->pc[i], &out);
		abuf_char_add(&out, '\n');
	}
	arch_console_write(abuf_str(&out));
}

static noreturn void panic_end(void)
{
	uint32_t here = arch_cpu();
	panic_print_backtrace(here, &cpu_of(panic_record, here));
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct panic_record *r = &cpu_of(panic_record, cpu);
		if (cpu == here || !arch_cpu_online(cpu))
			continue;
		if (r->stopped)
			panic_print_backtrace(cpu, r);
		else
			arch_console_write(S("another hart does not answer\n"));
	}
	arch_exit(EXIT_PANIC);
}

static void panic_print_reason(const struct abuf *reason)
{
	arch_console_write(S("\npanic: "));
	arch_console_write(abuf_str(reason));
	arch_console_write(S("\n"));
}

void panic(const char *format, ...)
{
	panic_begin();
	struct panic_record *r = &this_cpu(panic_record);
	uint8_t text[REPORT_LINE];
	struct abuf reason = abuf_of(text, sizeof(text));
	va_list ap;
	va_start(ap, format);
	fmt_v(&reason, format, ap);
	va_end(ap);
	panic_print_reason(&reason);
	r->count = arch_backtrace(NULL, r->pc, BACKTRACE_MAX, &r->exact);
	panic_end();
}

void assert_fail(const char *file, int line, const char *expr)
{
	panic("assertion failed at %s:%d: %s", file, line, expr);
}

void upcall_fault(struct trap_frame *frame)
{
	panic_begin();
	struct panic_record *r = &this_cpu(panic_record);
	struct abuf reason = abuf_of(report, sizeof(report));
	arch_frame_cause(frame, &reason);
	fmt(&reason, ", in ");
	symbol_describe(arch_frame_pc(frame), &reason);
	if (panic_describe)
		panic_describe(arch_current(), &reason);
	panic_print_reason(&reason);
	abuf_reset(&reason);
	arch_frame_describe(frame, &reason);
	arch_console_write(abuf_str(&reason));
	r->count = arch_backtrace(frame, r->pc, BACKTRACE_MAX, &r->exact);
	panic_end();
}

void boot_refuse(const char *format, ...)
{
	uint8_t text[256];
	struct abuf sentence = abuf_of(text, sizeof(text));
	va_list ap;
	va_start(ap, format);
	fmt_v(&sentence, format, ap);
	va_end(ap);
	arch_console_write(S("\nboot refused: "));
	arch_console_write(abuf_str(&sentence));
	arch_console_write(S("\n"));
	arch_exit(EXIT_REFUSED);
}

void diag_init(void)
{
	arch_on_ipi(IPI_STOP, panic_stop);
	latency_init();
	if (config_on(CONFIG_TRACE))
		trace_init();
}
