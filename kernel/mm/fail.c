/* fail.c - a lack of memory on request, for tests. Atomic, any context. */
#include "kernel/mm/mm.h"

static uint32_t fail_every, fail_count;

void mm_fail_every(uint32_t n)
{
	__atomic_store_n(&fail_count, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&fail_every, n, __ATOMIC_RELAXED);
}

bool mm_should_fail(void)
{
	uint32_t every = __atomic_load_n(&fail_every, __ATOMIC_RELAXED);
	return every && __atomic_add_fetch(&fail_count, 1, __ATOMIC_RELAXED) % every == 0;
}
