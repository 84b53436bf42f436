/*
 * exception.c - what to do about an exception in the kernel: nearly always a bug,
 * which goes up to diag. The exceptions are instructions that a table names, the
 * page that arch_probe_exec calls, and semihosting where nobody listens.
 */
#include "arch/riscv64/arch_priv.h"
#include "lib/fmt.h"

struct extable {
	uintptr_t at, next;
};
extern const struct extable extable_start[], extable_end[];
extern char arch_semihost_break[], arch_probe_call_failed[];
bool arch_probe_call(const void *at);

#define STACK_OVERFLOW_CAUSE 0x100 /* not a cause of the hardware */

bool arch_probe_exec(const void *at)
{
	preempt_disable();
	struct arch_hart *h = arch_hart();
	h->probe_pc = (uintptr_t)at;
	bool ran = arch_probe_call(at);
	h->probe_pc = 0;
	preempt_enable();
	return ran;
}

static bool exception_is_expected(struct trap_frame *f)
{
	if (f->pc == (uintptr_t)arch_semihost_break) {
		f->x[10] = UINT64_MAX;
		f->pc += 4;
		return true;
	}
	if (f->pc == arch_hart()->probe_pc && f->cause == CAUSE_FETCH_FAULT) {
		f->pc = (uintptr_t)arch_probe_call_failed;
		return true;
	}
	for (const struct extable *e = extable_start; e < extable_end; e++) {
		if (e->at == f->pc) {
			f->pc = e->next;
			return true;
		}
	}
	return false;
}

void arch_exception(struct trap_frame *f)
{
	if (!exception_is_expected(f))
		upcall_fault(f);
}

void arch_stack_overflow(struct trap_frame *f)
{
	f->cause = STACK_OVERFLOW_CAUSE;
	upcall_fault(f);
	arch_halt();
}

static const char *const cause_names[] = {"misaligned fetch", "fetch access fault",
	"illegal instruction", "breakpoint", "misaligned load", "load access fault",
	"misaligned store", "store access fault", "call from user mode", "call from the kernel",
	"reserved", "reserved", "fetch page fault", "load page fault", "reserved",
	"store page fault"};

/* The compilers' trap for undefined behaviour: ebreak (gcc), unimp (clang). */
static bool exception_is_ubsan(const struct trap_frame *f)
{
#ifdef CONFIG_UBSAN
	return f->cause == CAUSE_BREAKPOINT || f->cause == CAUSE_ILLEGAL;
#else
	(void)f;
	return false;
#endif
}

void arch_frame_cause(const struct trap_frame *f, struct abuf *out)
{
	if (f->cause == STACK_OVERFLOW_CAUSE)
		fmt(out, "kernel stack overflow, sp %p", (void *)f->x[2]);
	else if (exception_is_ubsan(f))
		fmt(out, "undefined behaviour");
	else if (f->cause < countof(cause_names))
		fmt(out, "%s at %p", cause_names[f->cause], (void *)f->value);
	else
		fmt(out, "trap %p", (void *)f->cause);
}

void arch_frame_describe(const struct trap_frame *f, struct abuf *out)
{
	static const char *const names[] = {"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0",
		"s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6",
		"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
	for (size_t i = 0; i < countof(names); i++)
		fmt(out, "%3s %016lx%s", names[i], i ? f->x[i] : f->pc, i % 4 == 3 ? "\n" : "  ");
	fmt(out, "status %lx cause %lx value %lx\n", f->status, f->cause, f->value);
}

uintptr_t arch_frame_pc(const struct trap_frame *f)
{
	return f->pc;
}
