/*
 * backtrace.c - who called whom.
 *
 * With frame pointers (debug builds) a function keeps its return address at
 * fp - 8 and its caller's fp at fp - 16. Without them the words of the stack that
 * point behind a call instruction are listed; some of those are leftovers.
 * Nothing here trusts the stack: every address is checked before it is read.
 */
#include "arch/riscv64/arch_priv.h"

extern char arch_trap_end[];

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

static bool backtrace_is_trap(uintptr_t pc)
{
	return pc >= (uintptr_t)arch_trap_vector && pc < (uintptr_t)arch_trap_end;
}

struct walk {
	uintptr_t *out;
	size_t n, max;
	uintptr_t fp, sp, end;
};

static void backtrace_add(struct walk *w, uintptr_t pc)
{
	if (w->n < w->max)
		w->out[w->n++] = pc;
	/* Behind the call in trap.S stands what the interrupt stopped. */
	uintptr_t sepc;
	__asm__ volatile("csrr %0, sepc" : "=r"(sepc));
	if (backtrace_is_trap(pc) && w->n < w->max)
		w->out[w->n++] = sepc;
}

/* Does a call end at pc? jal or jalr with rd = ra, or their short forms. */
static bool backtrace_follows_call(uintptr_t pc)
{
	if (!backtrace_is_text(pc) || !backtrace_is_text(pc - 4) || pc % 2)
		return false;
	uint32_t half = ((const uint16_t *)pc)[-1];
	uint32_t word = half << 16 | ((const uint16_t *)pc)[-2];
	return (word & 0xfff) == 0x0ef || (word & 0xfff) == 0x0e7 ||
		((half & 0xf07f) == 0x9002 && (half & 0xf80) != 0);
}

#ifdef CONFIG_FRAME_POINTER
#define BACKTRACE_EXACT true

/* A function that calls nobody keeps only its caller's fp, at fp - 8; ra is where it returns to. */
static void backtrace_leave_leaf(struct walk *w, uintptr_t ra)
{
	if (!backtrace_readable(w->fp - 8, w->end) || w->fp < w->sp)
		return;
	uintptr_t saved = ((const uintptr_t *)w->fp)[-1];
	if (saved > w->fp && saved <= w->end && backtrace_is_text(ra)) {
		backtrace_add(w, ra);
		w->fp = saved;
	}
}

static void backtrace_walk(struct walk *w, const struct trap_frame *f)
{
	if (f)
		backtrace_leave_leaf(w, f->x[1]);
	while (w->n < w->max && w->fp >= w->sp && w->fp <= w->end &&
		backtrace_readable(w->fp - 16, w->end) && backtrace_readable(w->fp - 8, w->end)) {
		uintptr_t ra = ((const uintptr_t *)w->fp)[-1];
		uintptr_t next = ((const uintptr_t *)w->fp)[-2];
		if (!backtrace_is_text(ra))
			break;
		backtrace_add(w, ra);
		if (next <= w->fp)
			break;
		w->fp = next;
	}
}

/* The handler's frames lead to the trap's, which keeps the fp of what it interrupted. */
static void backtrace_walk_interrupted(struct walk *w)
{
	uintptr_t sp = arch_hart()->irq_sp, pc;
	__asm__ volatile("csrr %0, sepc" : "=r"(pc));
	w->out[w->n++] = pc;
	while (w->fp <= sp && backtrace_readable(w->fp - 16, w->end)) {
		uintptr_t next = ((const uintptr_t *)w->fp)[-2];
		if (next <= w->fp)
			return;
		w->fp = next;
	}
	w->sp = sp;
	uintptr_t ra = *(const uintptr_t *)sp;
	size_t n = w->n;
	backtrace_leave_leaf(w, ra);
	/* In a prologue it is the caller, of which fp knows nothing yet; else the last call that was made from here. */
	if (w->n == n && backtrace_follows_call(ra))
		backtrace_add(w, ra);
	backtrace_walk(w, NULL);
}
#else
#define BACKTRACE_EXACT false

static void backtrace_walk(struct walk *w, const struct trap_frame *f)
{
	if (f && backtrace_follows_call(f->x[1]))
		backtrace_add(w, f->x[1]);
	for (uintptr_t at = align_up(w->sp, 8); w->n < w->max && at < w->end; at += 8)
		if (backtrace_readable(at, w->end) && backtrace_follows_call(*(const uintptr_t *)at))
			backtrace_add(w, *(const uintptr_t *)at);
}

/* From the saved registers on, of which ra may be the caller of a function that calls nobody. */
static void backtrace_walk_interrupted(struct walk *w)
{
	uintptr_t pc;
	__asm__ volatile("csrr %0, sepc" : "=r"(pc));
	w->sp = arch_hart()->irq_sp;
	w->out[w->n++] = pc;
	backtrace_walk(w, NULL);
}
#endif

noinline size_t arch_backtrace(const struct trap_frame *f, uintptr_t *out, size_t max, bool *exact)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct walk w = {.out = out,
		.max = max,
		.fp = f ? f->x[8] : here,
		.sp = f ? f->x[2] : here - 16};
	w.end = backtrace_stack_end(w.sp);
	*exact = BACKTRACE_EXACT;
	if (f)
		backtrace_add(&w, f->pc);
	backtrace_walk(&w, f);
	return w.n;
}

noinline size_t arch_backtrace_interrupted(uintptr_t *out, size_t max, bool *exact)
{
	struct walk w = {.out = out, .max = max, .fp = (uintptr_t)__builtin_frame_address(0)};
	w.sp = w.fp - 16;
	w.end = backtrace_stack_end(w.sp);
	*exact = BACKTRACE_EXACT;
	backtrace_walk_interrupted(&w);
	return w.n;
}

size_t arch_backtrace_stack(const struct arch_thread *t, uintptr_t *out, size_t max)
{
	size_t n = 0;
	for (uintptr_t at = align_down(t->stack_top, 8); n < max && at >= t->stack_base + 8; at -= 8) {
		uintptr_t pc;
		if (!backtrace_readable(at - 8, t->stack_top))
			break;
		pc = __atomic_load_n((const uintptr_t *)(at - 8), __ATOMIC_RELAXED);
		if (backtrace_follows_call(pc))
			out[n++] = pc;
	}
	for (size_t i = 0; i < n / 2; i++) {
		uintptr_t other = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = other;
	}
	return n;
}
