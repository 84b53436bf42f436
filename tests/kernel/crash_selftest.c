/*
 * crash_selftest.c - bugs on purpose, one a boot: tests/system/boot_test.py asks for
 * each and looks at how the machine ends.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"

static volatile int zero;

/* Not a tail call, and every level has a frame that is used. */
static noinline int crash_recurse(volatile int *below)
{
	volatile int here[64];
	here[0] = *below + 1;
	if (zero)
		return 0;
	return crash_recurse(here) + here[0];
}

SELFTEST(crash_overflow)
{
	volatile int first = 0;
	ST_CHECK(crash_recurse(&first) == 0);
}

SELFTEST(crash_assert)
{
	assert(zero == 1);
}

SELFTEST(crash_null_write)
{
	uintptr_t at = 8;
	__asm__("" : "+r"(at));
	*(volatile int *)at = 1;
}

SELFTEST(crash_text_write)
{
	uintptr_t at = (uintptr_t)klog;
	__asm__("" : "+r"(at));
	*(volatile uint16_t *)at = 0;
}

static noinline void crash_smash(volatile char *buffer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buffer[i] = 'x';
}

static noinline void crash_smashed(void)
{
	char buffer[16];
	crash_smash(buffer, sizeof(buffer) + 16);
}

SELFTEST(crash_canary)
{
	crash_smashed();
}

SELFTEST(crash_undefined)
{
	volatile int big = INT32_MAX;
	big = big + 1 + zero;
	ST_CHECK(big == INT32_MIN);
}
