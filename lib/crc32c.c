/*
 * crc32c.c - CRC-32C, a byte at a time (contract: lib/crc32c.h).
 *
 * The crc of a xor is the xor of the crcs: the table is made by the compiler from
 * the crcs of the eight bits of a byte (polynomial 0x1EDC6F41, bits reversed).
 */
#include "lib/crc32c.h"

#define CRC_BYTE(n)                                                                                \
	((((n)&1) ? 0xf26b8303u : 0) ^ (((n)&2) ? 0xe13b70f7u : 0) ^ (((n)&4) ? 0xc79a971fu : 0) ^ \
		(((n)&8) ? 0x8ad958cfu : 0) ^ (((n)&16) ? 0x105ec76fu : 0) ^                       \
		(((n)&32) ? 0x20bd8edeu : 0) ^ (((n)&64) ? 0x417b1dbcu : 0) ^                      \
		(((n)&128) ? 0x82f63b78u : 0))
#define CRC_4(n)  CRC_BYTE(n), CRC_BYTE((n) + 1), CRC_BYTE((n) + 2), CRC_BYTE((n) + 3)
#define CRC_16(n) CRC_4(n), CRC_4((n) + 4), CRC_4((n) + 8), CRC_4((n) + 12)
#define CRC_64(n) CRC_16(n), CRC_16((n) + 16), CRC_16((n) + 32), CRC_16((n) + 48)

static const uint32_t crc32c_table[256] = {CRC_64(0), CRC_64(64), CRC_64(128), CRC_64(192)};

uint32_t crc32c(uint32_t crc, const void *ptr, size_t len)
{
	const uint8_t *p = ptr;

	crc = ~crc;
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ crc32c_table[(crc ^ p[i]) & 0xff];
	return ~crc;
}
