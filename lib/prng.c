/*
 * prng.c - xoshiro256** seeded by splitmix64 (contract: lib/prng.h).
 */
#include "lib/assert.h"
#include "lib/prng.h"

struct prng prng_of(uint64_t seed)
{
	struct prng r;

	/* splitmix64 never gives four zeros in a row, the one state that is forbidden. */
	for (size_t i = 0; i < countof(r.s); i++) {
		seed += 0x9e3779b97f4a7c15;
		uint64_t z = seed;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		r.s[i] = z ^ (z >> 31);
	}
	return r;
}

static uint64_t prng_rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

uint64_t prng_u64(struct prng *r)
{
	uint64_t result = prng_rotate(r->s[1] * 5, 7) * 9;
	uint64_t shifted = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= shifted;
	r->s[3] = prng_rotate(r->s[3], 45);
	return result;
}

/*
 * The high half of x * n is below n; it is fair if the low half is not among the
 * first 2^64 mod n values, which are drawn again (Lemire, "Fast random integer
 * generation in an interval"). At most one draw in two is wasted.
 */
uint64_t prng_below(struct prng *r, uint64_t n)
{
	assert(n > 0);
	uint64_t unfair = -n % n;
	for (;;) {
		unsigned __int128 product = (unsigned __int128)prng_u64(r) * n;
		if ((uint64_t)product >= unfair)
			return (uint64_t)(product >> 64);
	}
}
