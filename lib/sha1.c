/*
 * sha1.c - SHA-1 (contract: lib/sha1.h).
 *
 * Whole blocks are read where they lie; the rest, the padding and the length make
 * one or two more. The schedule keeps the last 16 words (RFC 3174 section 6.2).
 */
#include "lib/sha1.h"
#include "lib/unaligned.h"

#define SHA1_BLOCK 64
#define SHA1_LENGTH_BYTES 8 /* at the end of the last block: the text's bits */

struct sha1_state {
	uint32_t h[5];
};

static always_inline uint32_t sha1_rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t sha1_function(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	switch (t / 20) {
	case 0:
		return ((b & c) | (~b & d)) + 0x5a827999;
	case 1:
		return (b ^ c ^ d) + 0x6ed9eba1;
	case 2:
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	default:
		return (b ^ c ^ d) + 0xca62c1d6;
	}
}

static void sha1_block(struct sha1_state *s, const uint8_t *block)
{
	uint32_t w[16];
	uint32_t a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];
	for (unsigned t = 0; t < 80; t++) {
		if (t < 16)
			w[t] = load_be32(block + 4 * t);
		else
			w[t & 15] = sha1_rotate(
				w[(t - 3) & 15] ^ w[(t - 8) & 15] ^ w[(t - 14) & 15] ^ w[t & 15], 1);
		uint32_t next = sha1_rotate(a, 5) + sha1_function(t, b, c, d) + e + w[t & 15];
		e = d;
		d = c;
		c = sha1_rotate(b, 30);
		b = a;
		a = next;
	}
	s->h[0] += a;
	s->h[1] += b;
	s->h[2] += c;
	s->h[3] += d;
	s->h[4] += e;
}

void sha1(struct rbuf text, uint8_t out[SHA1_BYTES])
{
	struct sha1_state s = {{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
	uint8_t last[2 * SHA1_BLOCK] = {0};
	size_t at = 0;
	for (; text.len - at >= SHA1_BLOCK; at += SHA1_BLOCK)
		sha1_block(&s, text.ptr + at);
	size_t rest = text.len - at;
	size_t blocks = rest + 1 + SHA1_LENGTH_BYTES <= SHA1_BLOCK ? 1 : 2;
	if (rest)
		memcpy(last, text.ptr + at, rest);
	last[rest] = 0x80;
	store_be64(last + blocks * SHA1_BLOCK - SHA1_LENGTH_BYTES, (uint64_t)text.len * 8);
	for (size_t i = 0; i < blocks; i++)
		sha1_block(&s, last + i * SHA1_BLOCK);
	for (size_t i = 0; i < countof(s.h); i++)
		store_be32(out + 4 * i, s.h[i]);
}
