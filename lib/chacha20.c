/*
 * chacha20.c - ChaCha20 block function (contract: lib/chacha20.h; RFC 8439, section 2.3).
 */
#include "lib/chacha20.h"
#include "lib/unaligned.h"

static always_inline uint32_t chacha20_rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static always_inline void chacha20_quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = chacha20_rotate(*d ^ *a, 16);
	*c += *d;
	*b = chacha20_rotate(*b ^ *c, 12);
	*a += *b;
	*d = chacha20_rotate(*d ^ *a, 8);
	*c += *d;
	*b = chacha20_rotate(*b ^ *c, 7);
}

void chacha20_block(const uint8_t key[CHACHA20_KEY_BYTES],
	const uint8_t nonce[CHACHA20_NONCE_BYTES], uint32_t counter,
	uint8_t out[CHACHA20_BLOCK_BYTES])
{
	uint32_t initial[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, [12] = counter};
	uint32_t x[16];

	for (int i = 0; i < 8; i++)
		initial[4 + i] = load_le32(key + 4 * i);
	for (int i = 0; i < 3; i++)
		initial[13 + i] = load_le32(nonce + 4 * i);
	for (int i = 0; i < 16; i++)
		x[i] = initial[i];
	for (int i = 0; i < 10; i++) {
		chacha20_quarter(&x[0], &x[4], &x[8], &x[12]);
		chacha20_quarter(&x[1], &x[5], &x[9], &x[13]);
		chacha20_quarter(&x[2], &x[6], &x[10], &x[14]);
		chacha20_quarter(&x[3], &x[7], &x[11], &x[15]);
		chacha20_quarter(&x[0], &x[5], &x[10], &x[15]);
		chacha20_quarter(&x[1], &x[6], &x[11], &x[12]);
		chacha20_quarter(&x[2], &x[7], &x[8], &x[13]);
		chacha20_quarter(&x[3], &x[4], &x[9], &x[14]);
	}
	for (int i = 0; i < 16; i++)
		store_le32(out + 4 * i, x[i] + initial[i]);
}
