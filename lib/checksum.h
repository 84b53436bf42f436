/*
 * checksum.h - the Internet checksum of RFC 1071: IPv4, ICMP, UDP, TCP.
 *
 *	struct checksum c = CHECKSUM_INIT;
 *	checksum_add_be32(&c, src);                   the pseudo-header, field by field
 *	checksum_add(&c, fragment, len);              the bytes, in as many pieces as
 *	checksum_add(&c, next_fragment, next_len);    they come, of even or odd length
 *	store_be16(&tcp->checksum, checksum_finish(&c));
 *
 * Values are in host order; store_be16() writes them. Over data that contain
 * their right checksum, checksum_finish() gives 0. Data may be at any address.
 * That UDP sends 0xffff for a checksum of 0 is the caller's business.
 *
 * Context: any. Linear in the data: bound it where interrupts are off.
 */
#ifndef LIB_CHECKSUM_H
#define LIB_CHECKSUM_H

#include "lib/assert.h"
#include "lib/base.h"

struct checksum {
	uint64_t sum; /* of 16-bit words in the machine's order, carries not yet added */
	bool odd;     /* an odd number of bytes has gone in */
};

#define CHECKSUM_INIT ((struct checksum){0})

void checksum_add(struct checksum *c, const void *ptr, size_t len);

/* A field in host order, as it would stand in the data; behind an even number of bytes. */
static inline void checksum_add_be16(struct checksum *c, uint16_t value)
{
	debug_assert(!c->odd);
	c->sum += __builtin_bswap16(value);
}

static inline void checksum_add_be32(struct checksum *c, uint32_t value)
{
	debug_assert(!c->odd);
	c->sum += __builtin_bswap32(value);
}

/* What goes into the checksum field; 0 over data with a right one. May be asked at any time. */
uint16_t checksum_finish(const struct checksum *c);

/* The checksum of one piece. */
uint16_t checksum_of(const void *ptr, size_t len);

/* RFC 1624: the checksum after a field of the data changed from `from` to `to`. */
uint16_t checksum_update16(uint16_t checksum, uint16_t from, uint16_t to);
uint16_t checksum_update32(uint16_t checksum, uint32_t from, uint32_t to);

#endif
