/*
 * prng.h - pseudo-random numbers that repeat: xoshiro256**, for tests, jitter
 * and sampling. NOT for anything that a stranger must not guess: that is the
 * kernel's random source (lib/chacha20.h).
 *
 * The state is the caller's; equal seeds give equal sequences, also on the host.
 * Not locked. Reference: Blackman, Vigna, "Scrambled linear generators".
 */
#ifndef LIB_PRNG_H
#define LIB_PRNG_H

#include "lib/base.h"

struct prng {
	uint64_t s[4];
};

/* Any seed will do, 0 too. */
struct prng prng_of(uint64_t seed);
uint64_t prng_u64(struct prng *r);
/* Uniform in 0..n-1, without bias; n is at least 1. */
uint64_t prng_below(struct prng *r, uint64_t n);

#endif
