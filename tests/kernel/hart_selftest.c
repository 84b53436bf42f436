/*
 * hart_selftest.c - what several harts promise each other: one clock, calls that are
 * not lost, per-hart data that is one's own. One thread is pinned to each hart.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "tests/kernel/sync_selftest.h"

#define ROUNDS      2000
#define PATIENCE_NS (60 * NS_PER_S) /* ends what hangs */

static PERCPU(uint64_t, test_count);
static int64_t last_ns;     /* atomic: the latest instant that any hart has seen */
static uint32_t went_back;  /* atomic */
static uint32_t wrong_hart; /* atomic */

/* What one hart publishes, another must not find in its own future. */
static void clock_watch(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		int64_t seen = __atomic_load_n(&last_ns, __ATOMIC_ACQUIRE);
		/* The clock is read behind the load: the CSR read waits for it by this dependency. */
		__asm__ volatile("fence r, rw" ::: "memory");
		int64_t now = arch_clock().ns;
		if (now < seen)
			__atomic_fetch_add(&went_back, 1, __ATOMIC_RELAXED);
		while (seen < now && !__atomic_compare_exchange_n(&last_ns, &seen, now, true,
					     __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			;
	}
}

SELFTEST(hart_clock_is_one_for_all)
{
	last_ns = 0;
	went_back = 0;
	ST_REQUIRE(st_on_every_hart(clock_watch));
	ST_CHECK(went_back == 0);
}

static void count_own(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		preempt_disable();
		if (arch_cpu() != (uint32_t)(uintptr_t)arg)
			__atomic_fetch_add(&wrong_hart, 1, __ATOMIC_RELAXED);
		this_cpu(test_count)++;
		preempt_enable();
	}
}

SELFTEST(hart_data_is_its_own)
{
	wrong_hart = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		cpu_of(test_count, cpu) = 0;
	ST_REQUIRE(st_on_every_hart(count_own));
	ST_CHECK(wrong_hart == 0);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		ST_CHECK(cpu_of(test_count, cpu) == ROUNDS);
}

/* Every hart asks all others to flush, again and again; each asks is answered. */
static void flush_others(void *arg)
{
	(void)arg;
	static uint8_t page[CPU_MAX][PAGE_SIZE] aligned_to(PAGE_SIZE);
	uintptr_t mine = (uintptr_t)page[arch_cpu()];
	for (unsigned i = 0; i < 50; i++) {
		if (arch_protect((vaddr){mine}, PAGE_SIZE, i % 2 ? PROT_R | PROT_W : PROT_R) != OK)
			__atomic_fetch_add(&wrong_hart, 1, __ATOMIC_RELAXED);
		uint64_t generation = arch_flush_generation();
		ktime until = ktime_add(arch_clock(), PATIENCE_NS);
		for (uint32_t n = 0; !arch_flush_reached(generation); n++) {
			if (ktime_before(until, arch_clock())) {
				__atomic_fetch_add(&wrong_hart, 1, __ATOMIC_RELAXED);
				return;
			}
			arch_spin_relax(n);
		}
	}
}

/* Also of what was unmapped while a hart was on its way: the guards of the stacks of those after it. */
SELFTEST(hart_flushes_what_was_before_it)
{
	uint64_t generation = arch_flush_generation();
	ktime until = ktime_add(arch_clock(), PATIENCE_NS);
	for (uint32_t n = 0; !arch_flush_reached(generation) && ktime_before(arch_clock(), until); n++)
		arch_spin_relax(n);
	ST_CHECK(arch_flush_reached(generation));
}

SELFTEST(hart_calls_are_not_lost)
{
	wrong_hart = 0;
	ST_REQUIRE(st_on_every_hart(flush_others));
	ST_CHECK(wrong_hart == 0);
}
