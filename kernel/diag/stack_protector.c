/*
 * stack_protector.c - the canary that functions with buffers keep below their
 * return address (-fstack-protector-strong), and what happens when it is gone.
 */
#include "kernel/diag/diag.h"

extern uintptr_t __stack_chk_guard;
noreturn void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = 0x5a17c0de9d3f7b00;

/* The lowest byte stays 0, so that text that runs over cannot copy the canary. */
void stack_protector_seed(uint64_t seed)
{
	__stack_chk_guard = seed & ~0xffUL;
}

void __stack_chk_fail(void)
{
	uint8_t text[96];
	struct abuf where = abuf_of(text, sizeof(text));
	symbol_describe_return((uintptr_t)__builtin_return_address(0), &where);
	panic("stack overwritten: the canary is gone at the return of %.*s", STR_ARG(abuf_str(&where)));
}
