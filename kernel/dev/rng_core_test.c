/* rng_core_test.c - blocks made one after another and at the same time. */
#include "tests/host/test.h"
#include "kernel/dev/rng_core.h"
#include "lib/unaligned.h"

static bool key_eq(const struct rng_key *a, const struct rng_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

TEST(rng_key_is_the_first_half_of_the_block)
{
	struct rng_core r = {.key.word = {1, 2, 3, 4}, .number = UINT64_C(7) << 32 | 5};
	struct rng_key was = r.key, next;
	struct rng_ticket t;
	uint8_t block[CHACHA20_BLOCK_BYTES], expected[CHACHA20_BLOCK_BYTES], nonce[CHACHA20_NONCE_BYTES];
	rng_begin(&r, &t);
	rng_block(&t, 99, block, &next);
	rng_end(&r, &next, t.epoch);
	store_le64(nonce, 99);
	store_le32(nonce + 8, 7);
	chacha20_block((const uint8_t *)was.word, nonce, 5, expected);
	CHECK(memcmp(block, expected, sizeof(block)) == 0);
	CHECK(memcmp(&r.key, expected, sizeof(r.key)) == 0);
	CHECK_EQ(r.number, (UINT64_C(7) << 32) + 6);
}

/* With the same salt too. */
TEST(rng_blocks_begun_together_differ)
{
	struct rng_core r = {.key.word = {1, 2, 3, 4}};
	struct rng_ticket t[3];
	struct rng_key next;
	uint8_t block[3][CHACHA20_BLOCK_BYTES];
	for (size_t i = 0; i < 3; i++)
		rng_begin(&r, &t[i]);
	for (size_t i = 0; i < 3; i++)
		rng_block(&t[i], 0, block[i], &next);
	CHECK(memcmp(block[0], block[1], sizeof(block[0])) != 0);
	CHECK(memcmp(block[0], block[2], sizeof(block[0])) != 0);
	CHECK(memcmp(block[1], block[2], sizeof(block[0])) != 0);
}

/* Who ends second neither brings back what the first has replaced nor undoes it: both halves are in the key. */
TEST(rng_second_of_two_folds)
{
	struct rng_core r = {.key.word = {1, 2, 3, 4}};
	struct rng_key was = r.key, next[2], both;
	struct rng_ticket t[2];
	uint8_t block[CHACHA20_BLOCK_BYTES];
	rng_begin(&r, &t[0]);
	rng_begin(&r, &t[1]);
	rng_block(&t[0], 0, block, &next[0]);
	rng_block(&t[1], 0, block, &next[1]);
	rng_end(&r, &next[1], t[1].epoch);
	CHECK(key_eq(&r.key, &next[1]));
	rng_end(&r, &next[0], t[0].epoch);
	for (size_t i = 0; i < countof(both.word); i++)
		both.word[i] = next[0].word[i] ^ next[1].word[i];
	CHECK(key_eq(&r.key, &both));
	CHECK(!key_eq(&r.key, &was));
}

/* Entropy that comes while a block is made changes what the key becomes. */
TEST(rng_entropy_in_between_is_kept)
{
	const struct rng_key added = {{5, 6, 7, 8}};
	struct rng_key key[2];
	for (size_t with = 0; with < 2; with++) {
		struct rng_core r = {.key.word = {1, 2, 3, 4}};
		struct rng_ticket t;
		struct rng_key next;
		uint8_t block[CHACHA20_BLOCK_BYTES];
		rng_begin(&r, &t);
		if (with)
			rng_fold(&r, &added);
		rng_block(&t, 0, block, &next);
		rng_end(&r, &next, t.epoch);
		key[with] = r.key;
		CHECK_EQ(r.epoch, 1 + with);
	}
	CHECK(!key_eq(&key[0], &key[1]));
}
