/*
 * mm_bench.c - what pages and an uncontended lock cost, in instructions of one hart,
 * the loop itself included. Blocks are in tm_bench.c.
 */
#include "kernel/diag/bench.h"
#include "kernel/lock/lock.h"
#include "kernel/mm/mm.h"

#define SAMPLES 200
#define BATCH   64

static uint64_t sample[SAMPLES];
static volatile uint64_t counter;

BENCH(page_pair)
{
	for (size_t s = 0; s < SAMPLES; s++) {
		uint64_t begin = arch_instret();
		for (unsigned i = 0; i < BATCH; i++) {
			void *page = page_alloc(0);
			if (!page)
				return;
			page_free(page, 0);
		}
		sample[s] = (arch_instret() - begin) / BATCH;
	}
	bench_report("page_pair", "instructions", sample, SAMPLES);
}

BENCH(spinlock_pair)
{
	static struct spinlock l = SPINLOCK_INIT(LOCK_TEST_INNER);
	for (size_t s = 0; s < SAMPLES; s++) {
		uint64_t begin = arch_instret();
		for (unsigned i = 0; i < BATCH; i++) {
			irqflags flags = spin_lock_irqsave(&l);
			counter++;
			spin_unlock_irqrestore(&l, flags);
		}
		sample[s] = (arch_instret() - begin) / BATCH;
	}
	bench_report("spinlock_pair", "instructions", sample, SAMPLES);
}
