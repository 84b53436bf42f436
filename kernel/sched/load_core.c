/* load_core.c - decayed load; see load_core.h. */
#include "kernel/sched/load_core.h"

/*
 * 2^-x for x in 1/16ths, as a 16-bit fraction: e^(-t/tau) = 2^(-t / (tau ln 2)).
 * Between two entries the function is taken as straight: an error under 0.1%.
 */
static const uint32_t load_pow2[17] = {
	65536, 62757, 60097, 57549, 55109, 52773, 50535, 48393, 46341,
	44376, 42495, 40693, 38968, 37316, 35734, 34219, 32768,
};

#define LOAD_HALF_LIFE_NS (LOAD_TAU_NS * 693147 / 1000000)

/* e^(-elapsed/tau) as a 32-bit fraction. */
static uint64_t load_decay(int64_t elapsed_ns)
{
	uint64_t x = ((uint64_t)elapsed_ns << 20) / (uint64_t)LOAD_HALF_LIFE_NS; /* half lives */
	uint64_t halves = x >> 20;
	uint64_t i = x >> 16 & 15, f = x & 0xffff;
	uint64_t factor = ((uint64_t)load_pow2[i] << 16) - (load_pow2[i] - load_pow2[i + 1]) * f;
	return halves < 32 ? factor >> halves : 0;
}

static uint32_t load_at(const struct load *l, ktime now)
{
	int64_t elapsed = min(ktime_diff(now, l->since), 64 * LOAD_TAU_NS);
	if (elapsed <= 0)
		return l->value;
	uint64_t gap = l->busy ? LOAD_ONE - l->value : l->value;
	uint32_t left = (uint32_t)(gap * load_decay(elapsed) >> 32);
	return l->busy ? LOAD_ONE - left : left;
}

void load_init(struct load *l, ktime now)
{
	*l = (struct load){.since = now};
}

void load_update(struct load *l, bool busy, ktime now)
{
	l->value = load_at(l, now);
	l->busy = busy;
	l->since = now;
}

uint32_t load_permille(const struct load *l, ktime now)
{
	return (uint32_t)((uint64_t)load_at(l, now) * 1000 / LOAD_ONE);
}

uint32_t balance_target(const uint32_t *average, uint32_t cpus, uint32_t from, uint64_t allowed)
{
	uint32_t best = from;
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		if ((allowed >> cpu & 1) && average[cpu] < average[best])
			best = cpu;
	}
	return average[from] >= average[best] + BALANCE_ONE * 3 / 2 ? best : from;
}
