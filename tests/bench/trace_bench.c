/* trace_bench.c - what a record of the trace costs, in instructions of one hart. */
#include "kernel/diag/bench.h"
#include "kernel/diag/trace.h"

#define SAMPLES 200
#define BATCH   16

BENCH(trace_event)
{
	static uint64_t sample[SAMPLES];
	if (!config_on(CONFIG_TRACE))
		return;
	uint64_t empty = arch_instret();
	for (volatile unsigned i = 0; i < BATCH; i++)
		;
	empty = arch_instret() - empty;
	for (size_t s = 0; s < SAMPLES; s++) {
		uint64_t begin = arch_instret();
		for (volatile unsigned i = 0; i < BATCH; i++)
			trace(TRACE_EVENT_COUNT, 0, i, s, begin);
		sample[s] = (arch_instret() - begin - empty) / BATCH;
	}
	bench_report("trace_event", "instructions", sample, SAMPLES);
}
