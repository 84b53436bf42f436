/*
 * chacha20.h - the ChaCha20 block function of RFC 8439: 64 bytes that only who
 * has the key can predict. The kernel's random source is built on it.
 *
 * A key, nonce and counter may be used together once. Context: any; its time
 * does not depend on its input.
 */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include "lib/base.h"

#define CHACHA20_KEY_BYTES   32
#define CHACHA20_NONCE_BYTES 12
#define CHACHA20_BLOCK_BYTES 64

void chacha20_block(const uint8_t key[CHACHA20_KEY_BYTES],
	const uint8_t nonce[CHACHA20_NONCE_BYTES], uint32_t counter,
	uint8_t out[CHACHA20_BLOCK_BYTES]);

#endif
