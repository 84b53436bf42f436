/*
 * rng_core.h - fast key erasure for several at once: a block is computed from a copy of the key, so that
 * whoever guards the key does so for the time of a copy.
 *
 *	rng_begin(&r, &t)                     guarded
 *	rng_block(&t, salt, block, &next)
 *	rng_end(&r, &next, t.epoch)           guarded
 *
 * The first half of a block is `next`: it replaces the key, or, when that has changed since the copy, is folded into
 * it. The second half is for the caller. The old key is gone when all have ended that began with it.
 *
 * Invariant: no two blocks are made from the same key and number.
 * Bound: each guarded function moves CHACHA20_KEY_BYTES, by words.
 */
#ifndef KERNEL_DEV_RNG_CORE_H
#define KERNEL_DEV_RNG_CORE_H

#include "lib/chacha20.h"

struct rng_key {
	uint64_t word[CHACHA20_KEY_BYTES / sizeof(uint64_t)];
};

struct rng_core {
	struct rng_key key;
	uint64_t number; /* of blocks begun */
	uint64_t epoch;  /* how often the key has changed */
};

struct rng_ticket {
	struct rng_key key;
	uint64_t number;
	uint64_t epoch;
};

/* Adds to the key; a rng_begin() follows in the same hold, and its block hashes what was added. */
void rng_fold(struct rng_core *r, const struct rng_key *k);
void rng_begin(struct rng_core *r, struct rng_ticket *t);
/* Unguarded. The salt need not be secret, nor differ. */
void rng_block(const struct rng_ticket *t, uint64_t salt, uint8_t block[CHACHA20_BLOCK_BYTES],
	struct rng_key *next);
void rng_end(struct rng_core *r, const struct rng_key *next, uint64_t epoch);

#endif
