/*
 * mm_bench.c - what memory and an uncontended lock cost, in instructions of one hart.
 *
 * tm_memory is Thread-Metric's: one iteration allocates and frees one block of 128
 * bytes and counts, the loop itself included.
 */
#include "kernel/diag/bench.h"
#include "kernel/lock/lock.h"
#include "kernel/mm/mm.h"

#define SAMPLES 200
#define BATCH   64

static uint64_t sample[SAMPLES];
static volatile uint64_t counter;

BENCH(tm_memory)
{
	struct pool *p = pool_create(S("tm_memory"), 128, 8, 256, 0);
	if (!p)
		return;
	for (size_t s = 0; s < SAMPLES; s++) {
		uint64_t begin = arch_instret();
		for (unsigned i = 0; i < BATCH; i++) {
			void *obj = pool_alloc(p);
			if (!obj)
				break;
			pool_free(p, obj);
			counter++;
		}
		sample[s] = (arch_instret() - begin) / BATCH;
	}
	bench_report("tm_memory", "instructions", sample, SAMPLES);
	pool_destroy(p);
}

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
