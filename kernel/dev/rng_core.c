/* rng_core.c - the key of the random source (contract: rng_core.h). */
#include "kernel/dev/rng_core.h"
#include "lib/unaligned.h"

void rng_fold(struct rng_core *r, const struct rng_key *k)
{
	for (size_t i = 0; i < countof(k->word); i++)
		r->key.word[i] ^= k->word[i];
	r->epoch++;
}

void rng_begin(struct rng_core *r, struct rng_ticket *t)
{
	t->key = r->key;
	t->number = r->number++;
	t->epoch = r->epoch;
}

void rng_block(const struct rng_ticket *t, uint64_t salt, uint8_t block[CHACHA20_BLOCK_BYTES],
	struct rng_key *next)
{
	uint8_t nonce[CHACHA20_NONCE_BYTES];
	store_le64(nonce, salt);
	store_le32(nonce + 8, (uint32_t)(t->number >> 32));
	chacha20_block((const uint8_t *)t->key.word, nonce, (uint32_t)t->number, block);
	memcpy(next, block, sizeof(*next));
}

void rng_end(struct rng_core *r, const struct rng_key *next, uint64_t epoch)
{
	if (unlikely(epoch != r->epoch)) {
		rng_fold(r, next);
		return;
	}
	r->key = *next;
	r->epoch++;
}
