/*
 * checksum.c - Internet checksum, 64 bits at a time (contract: lib/checksum.h).
 *
 * A sum modulo 2^16 - 1 does not mind in which order the bytes of the words are,
 * as long as it is the same everywhere, nor how wide the words are, as long as
 * carries come back in at the bottom: so words of the machine are added and
 * folded at the end (RFC 1071, section 2). A piece that begins at an odd offset
 * has its bytes in the other halves: its sum is swapped.
 */
#include "lib/checksum.h"
#include "lib/unaligned.h"

/* Adds with carries counted apart: four instructions a word. */
#define CHECKSUM_WORD(sum, carry, word)                                                            \
	do {                                                                                       \
		uint64_t checksum_word = (word);                                                   \
		(sum) += checksum_word;                                                            \
		(carry) += (sum) < checksum_word;                                                  \
	} while (0)

static uint64_t checksum_fold32(uint64_t sum)
{
	return (sum & UINT32_MAX) + (sum >> 32);
}

static uint16_t checksum_fold16(uint64_t sum)
{
	sum = checksum_fold32(checksum_fold32(sum));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t checksum_sum(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	uint64_t carry = 0;

	for (; n >= 32; n -= 32) {
		CHECKSUM_WORD(sum, carry, load_u64(p));
		CHECKSUM_WORD(sum, carry, load_u64(p + 8));
		CHECKSUM_WORD(sum, carry, load_u64(p + 16));
		CHECKSUM_WORD(sum, carry, load_u64(p + 24));
		p += 32;
	}
	for (; n >= 8; n -= 8) {
		CHECKSUM_WORD(sum, carry, load_u64(p));
		p += 8;
	}
	if (n & 4) {
		CHECKSUM_WORD(sum, carry, load_u32(p));
		p += 4;
	}
	if (n & 2) {
		CHECKSUM_WORD(sum, carry, load_u16(p));
		p += 2;
	}
	if (n & 1)
		CHECKSUM_WORD(sum, carry, *p);
	return checksum_fold32(sum) + carry;
}

void checksum_add(struct checksum *c, const void *ptr, size_t len)
{
	uint64_t sum = checksum_sum(ptr, len);

	if (c->odd)
		sum = __builtin_bswap16(checksum_fold16(sum));
	c->sum = checksum_fold32(c->sum) + sum;
	c->odd ^= len & 1;
}

uint16_t checksum_finish(const struct checksum *c)
{
	return __builtin_bswap16((uint16_t)~checksum_fold16(c->sum));
}

uint16_t checksum_of(const void *ptr, size_t len)
{
	struct checksum c = CHECKSUM_INIT;
	checksum_add(&c, ptr, len);
	return checksum_finish(&c);
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
uint16_t checksum_update16(uint16_t checksum, uint16_t from, uint16_t to)
{
	return (uint16_t)~checksum_fold16(
		(uint64_t)(uint16_t)~checksum + (uint16_t)~from + (uint64_t)to);
}

uint16_t checksum_update32(uint16_t checksum, uint32_t from, uint32_t to)
{
	return (uint16_t)~checksum_fold16(
		(uint64_t)(uint16_t)~checksum + (uint32_t)~from + (uint64_t)to);
}
