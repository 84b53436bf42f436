/*
 * backtrace.c - who called whom.
 *
 * With frame pointers (debug builds) a function keeps its return address at
 * fp - 8 and its caller's fp at fp - 16. Without them the words of the stack that
 * point behind a call instruction are listed; some of those are leftovers.
 * Nothing here trusts the stack: every address is checked before it is read.
 */
#include "arch/riscv64/arch_priv.h"

static bool backtrace_is_text(uintptr_t pc)
{
	return pc >= (uintptr_t)__text_start && pc < (uintptr_t)__text_end;
}

/*
 * The end of the stack that holds sp: the running thread's, with what overflowed
 * below it; else the one that the alignment of all stacks tells.
 */
static uintptr_t backtrace_stack_end(uintptr_t sp)
{
	const struct arch_thread *t = arch_current();
	if (sp <= t->stack_top && t->stack_top - sp < 2 * CONFIG_STACK_SIZE)
		return t->stack_top;
	return align_down(sp, 2 * CONFIG_STACK_SIZE) + CONFIG_STACK_SIZE;
}

static bool backtrace_readable(uintptr_t at, uintptr_t end)
{
	return at % 8 == 0 && at + 8 <= end && (arch_prot_at((vaddr){at}) & PROT_R);
}

#ifdef CONFIG_FRAME_POINTER
static size_t backtrace_walk(uintptr_t fp, uintptr_t sp, uintptr_t *out, size_t n, size_t max)
{
	uintptr_t end = backtrace_stack_end(sp);
	while (n < max && fp > sp && fp <= end && backtrace_readable(fp - 16, end) &&
		backtrace_readable(fp - 8, end)) {
		uintptr_t ra = ((const uintptr_t *)fp)[-1];
		uintptr_t next = ((const uintptr_t *)fp)[-2];
		if (!backtrace_is_text(ra))
			break;
		out[n++] = ra;
		if (next <= fp)
			break;
		fp = next;
	}
	return n;
}
#else
/* Does a call end at pc? jal or jalr with rd = ra, or their short forms. */
static bool backtrace_follows_call(uintptr_t pc)
{
	if (!backtrace_is_text(pc) || !backtrace_is_text(pc - 4) || pc % 2)
		return false;
	uint32_t half = ((const uint16_t *)pc)[-1];
	uint32_t word = half << 16 | ((const uint16_t *)pc)[-2];
	return (word & 0xfff) == 0x0ef || (word & 0x7fff) == 0x00e7 || (word & 0xf8f) == 0x087 ||
		((half & 0xf07f) == 0x9002 && (half & 0xf80) != 0);
}

static size_t backtrace_walk(uintptr_t fp, uintptr_t sp, uintptr_t *out, size_t n, size_t max)
{
	uintptr_t end = backtrace_stack_end(sp);
	(void)fp;
	for (uintptr_t at = align_up(sp, 8); n < max && backtrace_readable(at, end); at += 8)
		if (backtrace_follows_call(*(const uintptr_t *)at))
			out[n++] = *(const uintptr_t *)at;
	return n;
}
#endif

size_t arch_backtrace(uintptr_t pc, uintptr_t fp, uintptr_t sp, uintptr_t *out, size_t max,
	bool *exact)
{
	size_t n = 0;
#ifdef CONFIG_FRAME_POINTER
	*exact = true;
#else
	*exact = false;
#endif
	if (pc && n < max)
		out[n++] = pc;
	if (!fp)
		fp = (uintptr_t)__builtin_frame_address(0);
	if (!sp)
		sp = (uintptr_t)__builtin_frame_address(0) - 16;
	return backtrace_walk(fp, sp, out, n, max);
}
