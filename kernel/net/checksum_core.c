/*
 * checksum_core.c - the Internet checksum (RFC 1071), eight bytes at a time.
 *
 * The ones' complement sum does not depend on the byte order of the machine: the
 * words are added as they lie in memory and the result is swapped once, at the
 * end. A piece that begins at an odd offset has its sum swapped.
 *
 * Invariant: `sum` stays below 2^63: a piece adds less than 2^17 after folding.
 */
#include "kernel/net/wire.h"
#include "lib/assert.h"
#include "lib/unaligned.h"

static uint64_t checksum_fold16(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Two 32-bit halves are added into 64 bits: no carry is lost below 2^31 words, 8 GiB. */
static uint64_t checksum_of(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word = load_u64(p);
		sum += (word & UINT32_MAX) + (word >> 32);
	}
	if (len >= 4) {
		sum += load_u32(p);
		p += 4;
		len -= 4;
	}
	if (len >= 2) {
		sum += load_u16(p);
		p += 2;
		len -= 2;
	}
	if (len != 0)
		sum += *p; /* the low byte of a little-endian word whose high byte is 0 */
	return sum;
}

void wire_sum_add(struct wire_sum *s, struct rbuf bytes)
{
	uint64_t piece = checksum_fold16(checksum_of(bytes.ptr, bytes.len));
	if (s->odd)
		piece = __builtin_bswap16((uint16_t)piece);
	s->sum += piece;
	s->odd ^= bytes.len & 1;
}

void wire_sum_pseudo(struct wire_sum *s, uint32_t src, uint32_t dst, uint8_t proto, size_t len)
{
	assert(len <= UINT16_MAX);
	uint8_t pseudo[12];
	store_be32(pseudo, src);
	store_be32(pseudo + 4, dst);
	store_be16(pseudo + 8, proto);
	store_be16(pseudo + 10, (uint16_t)len);
	wire_sum_add(s, rbuf_of(pseudo, sizeof(pseudo)));
}

uint16_t wire_sum_fold(const struct wire_sum *s)
{
	return __builtin_bswap16((uint16_t)checksum_fold16(s->sum));
}
