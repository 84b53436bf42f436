/*
 * siphash.c - SipHash-2-4 (contract: lib/siphash.h).
 */
#include "lib/siphash.h"
#include "lib/unaligned.h"

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static always_inline uint64_t siphash_rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static always_inline void siphash_round(struct siphash *h)
{
	h->v0 += h->v1;
	h->v2 += h->v3;
	h->v1 = siphash_rotate(h->v1, 13) ^ h->v0;
	h->v3 = siphash_rotate(h->v3, 16) ^ h->v2;
	h->v0 = siphash_rotate(h->v0, 32) + h->v3;
	h->v2 += h->v1;
	h->v3 = siphash_rotate(h->v3, 21) ^ h->v0;
	h->v1 = siphash_rotate(h->v1, 17) ^ h->v2;
	h->v2 = siphash_rotate(h->v2, 32);
}

static always_inline void siphash_word(struct siphash *h, uint64_t m)
{
	h->v3 ^= m;
	siphash_round(h);
	siphash_round(h);
	h->v0 ^= m;
}

uint64_t siphash(const struct siphash_key *key, const void *ptr, size_t len)
{
	const uint8_t *p = ptr;
	struct siphash h = {
		.v0 = key->k[0] ^ 0x736f6d6570736575,
		.v1 = key->k[1] ^ 0x646f72616e646f6d,
		.v2 = key->k[0] ^ 0x6c7967656e657261,
		.v3 = key->k[1] ^ 0x7465646279746573,
	};

	size_t left = len;
	for (; left >= 8; left -= 8) {
		siphash_word(&h, load_le64(p));
		p += 8;
	}
	uint64_t last = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	siphash_word(&h, last);

	h.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		siphash_round(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}
