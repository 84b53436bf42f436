/*
 * absent.c - what of arch.h has no meaning on the host, and says so when it is called.
 *
 * There are no page tables, no addresses that may be probed, no firmware to reboot through and
 * no user mode. A trap frame never exists, so nobody can ask what is in one. Of the console
 * there is the writing side.
 */
#include <stdio.h>
#include "arch/arch.h"

#define absent() assert_fail(__FILE__, __LINE__, "not on the host")

void arch_console_write(struct str s)
{
	fwrite(s.ptr, 1, s.len, stderr);
}

void arch_console_uart(unused uintptr_t base)
{
	absent();
}

void arch_reboot(void)
{
	absent();
}

/* The sanitizers and a debugger print better ones: none is found, exactly. */
size_t arch_backtrace(
	unused const struct trap_frame *frame, unused uintptr_t *out, unused size_t max, bool *exact)
{
	*exact = true;
	return 0;
}

size_t arch_backtrace_interrupted(unused uintptr_t *out, unused size_t max, bool *exact)
{
	*exact = true;
	return 0;
}

size_t arch_backtrace_stack(unused const struct arch_thread *t, unused uintptr_t *out, unused size_t max)
{
	return 0;
}

void arch_paging_set_allocator(unused void *(*page_alloc)(void))
{
	absent();
}

enum err arch_map(unused vaddr va, unused paddr pa, unused size_t size, unused unsigned prot)
{
	absent();
}

enum err arch_protect(unused vaddr va, unused size_t size, unused unsigned prot)
{
	absent();
}

void arch_unmap(unused vaddr va, unused size_t size)
{
	absent();
}

unsigned arch_prot_at(unused vaddr va)
{
	absent();
}

void arch_rights(unused struct arch_rights *out)
{
	absent();
}

uint64_t arch_flush_generation(void)
{
	absent();
}

bool arch_flush_reached(unused uint64_t generation)
{
	absent();
}

bool arch_probe_read(unused const void *at, unused uint8_t *out)
{
	absent();
}

bool arch_probe_write(unused void *at, unused uint8_t value)
{
	absent();
}

bool arch_probe_exec(unused const void *at)
{
	absent();
}

void arch_frame_describe(unused const struct trap_frame *frame, unused struct abuf *out)
{
	absent();
}

uintptr_t arch_frame_pc(unused const struct trap_frame *frame)
{
	absent();
}

void arch_frame_cause(unused const struct trap_frame *frame, unused struct abuf *out)
{
	absent();
}
