/*
 * fiber.c - moving from one stack to another, on the metal's terms: what a C call preserves
 * is saved on the stack that is left.
 *
 * A thread's context is NULL exactly while a hart runs it, so a switch to a stack on which
 * another hart still stands is an assertion, at once, in whatever run it happens.
 *
 * AddressSanitizer is told of every move. A stack's end, for it, lies HOST_STACK_EXTRA below
 * stack_base. Only for x86-64: another machine needs its own dozen lines of host_swap.
 */
#include <sanitizer/common_interface_defs.h>
#include "arch/host/host_priv.h"

/* void host_swap(void **save_sp, void *sp) */
void host_swap(void **save_sp, void *sp);
#ifdef __x86_64__
__asm__(".text\n"
	".globl host_swap\n"
	".type host_swap, @function\n"
	"host_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size host_swap, . - host_swap\n");
#else
#error "arch/host knows how to switch stacks on x86-64 only"
#endif

#define SAVED_WORDS 6 /* what host_swap pops before it returns */

/* At the top of a stack that was not entered yet. */
struct fiber_start {
	struct arch_context context;
	noreturn void (*entry)(void *arg);
	void *arg;
};

/* Handed over the move itself, during which nothing else happens. */
static struct arch_context *entering;
static struct {
	struct arch_thread *from;
	arch_finish_fn *finish; /* NULL: from one hart to another */
} switching;

static const void *runner_bottom; /* the stack of host_run() */
static size_t runner_size;

/* On the other side of arch_switch(). */
static int fiber_finish(void)
{
	struct arch_thread *from = switching.from;
	arch_finish_fn *finish = switching.finish;
	switching.finish = NULL;
	return finish(from, arch_current());
}

static noreturn void fiber_first(void)
{
	const void *bottom;
	size_t size;
	__sanitizer_finish_switch_fiber(NULL, &bottom, &size);
	if (!runner_bottom) {
		runner_bottom = bottom;
		runner_size = size;
	}
	struct fiber_start *s = container_of(entering, struct fiber_start, context);
	if (switching.finish)
		fiber_finish();
	s->entry(s->arg);
}

struct arch_context *fiber_prepare(struct arch_thread *t, noreturn void (*entry)(void *arg), void *arg)
{
	struct fiber_start *s = (struct fiber_start *)t->stack_top - 1;
	/* Where fiber_first begins, sp is 8 below a multiple of 16, as behind a call. */
	void **sp = (void **)align_down((uintptr_t)s, 16) - 2;
	sp[0] = (void *)fiber_first;
	for (int i = 1; i <= SAVED_WORDS; i++)
		sp[-i] = NULL;
	*s = (struct fiber_start){
		.context = {.sp = sp - SAVED_WORDS}, .entry = entry, .arg = arg};
	return &s->context;
}

void fiber_enter(struct arch_context *from, struct arch_context *to, const struct arch_thread *t)
{
	uintptr_t bottom = t ? t->stack_base - HOST_STACK_EXTRA : 0;
	if (t)
		__sanitizer_start_switch_fiber(
			&from->fake_stack, (const void *)bottom, t->stack_top - bottom);
	else
		__sanitizer_start_switch_fiber(&from->fake_stack, runner_bottom, runner_size);
	entering = to;
	host_swap(&from->sp, to->sp);
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
}

void arch_thread_init(struct arch_thread *t, uintptr_t stack_base, uintptr_t stack_top,
	noreturn void (*entry)(void *arg), void *arg)
{
	assert(stack_top % 16 == 0);
	t->stack_base = stack_base;
	t->stack_top = stack_top;
	t->context = fiber_prepare(t, entry, arg);
}

int arch_switch(struct arch_thread *from, struct arch_thread *to, arch_finish_fn *finish)
{
	struct arch_context here = {0}, *there = to->context;
	assert(!arch_irqs_enabled() && from == arch_current() && !from->context);
	assert(there); /* else a hart stands on its stack */
	from->context = &here;
	to->context = NULL;
	arch_host_hart->current = to;
	switching.from = from;
	switching.finish = finish;
	fiber_enter(&here, there, to);
	return fiber_finish();
}
