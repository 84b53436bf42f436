/*
 * load_core.h - decayed load of a hart, and what the balancer does about it.
 *
 * Load is the share of time not idle, in permille, decayed exponentially with a
 * time constant of LOAD_TAU_NS. It is brought up to date at each change between
 * idle and busy and at each reading, so no tick is needed.
 */
#ifndef KERNEL_SCHED_LOAD_CORE_H
#define KERNEL_SCHED_LOAD_CORE_H

#include "lib/base.h"
#include "lib/ktime.h"

#define LOAD_TAU_NS (INT64_C(1000) * NS_PER_MS)

struct load {
	uint32_t value; /* fixed point: LOAD_ONE is always busy */
	bool busy;
	ktime since;
};
#define LOAD_ONE (UINT32_C(1) << 30)

void load_init(struct load *l, ktime now);
/* Brings the load to `now`, from which on the hart is busy or idle. */
void load_update(struct load *l, bool busy, ktime now);
/* As it would be at `now`. */
uint32_t load_permille(const struct load *l, ktime now);

/*
 * How many threads are ready on a hart, decayed: half of what it was, half of what is now, so
 * that what comes and goes between two looks moves nobody. In units of 1 / BALANCE_ONE.
 */
#define BALANCE_ONE 256U
static inline uint32_t balance_decay(uint32_t average, uint32_t ready)
{
	return (average + ready * BALANCE_ONE) / 2;
}

/*
 * Where one waiting thread should go from hart `from`: the hart with the least average, if moving one
 * makes the two more equal, which takes a difference of one and a half; otherwise `from`.
 */
uint32_t balance_target(const uint32_t *average, uint32_t cpus, uint32_t from, uint64_t allowed);

#endif
