/*
 * icmp_core.c - ICMP messages (RFC 792) and when an error may be sent about a
 * datagram (RFC 1122 section 3.2.2).
 */
#include "kernel/net/wire.h"
#include "lib/assert.h"
#include "lib/unaligned.h"

#define IP_PROTO_ICMP_NUMBER 1

enum wire_verdict wire_icmp_parse(struct rbuf bytes, struct wire_icmp *out)
{
	if (bytes.len < ICMP_HEADER_BYTES)
		return WIRE_SHORT;
	if (checksum_of(bytes.ptr, bytes.len) != 0)
		return WIRE_CHECKSUM;
	out->type = bytes.ptr[0];
	out->code = bytes.ptr[1];
	out->rest = load_be32(bytes.ptr + 4);
	return WIRE_OK;
}

void wire_icmp_build(uint8_t *out, size_t len, const struct wire_icmp *h)
{
	assert(len >= ICMP_HEADER_BYTES);
	out[0] = h->type;
	out[1] = h->code;
	store_be16(out + 2, 0);
	store_be32(out + 4, h->rest);
	store_be16(out + 2, checksum_of(out, len));
}

static bool icmp_is_query(uint8_t type)
{
	switch (type) {
	case 0: case 8:   /* echo */
	case 13: case 14: /* timestamp */
	case 15: case 16: /* information */
	case 17: case 18: /* address mask */
		return true;
	default:
		return false;
	}
}

bool wire_icmp_error_allowed(const struct wire_ipv4 *ip, struct rbuf transport)
{
	if (ipv4_is_multicast(ip->dst) || ipv4_is_reserved(ip->dst))
		return false;
	if (ipv4_is_multicast(ip->src) || ipv4_is_reserved(ip->src) || ipv4_is_loopback(ip->src))
		return false;
	if ((ip->frag & 0x1fff) != 0)
		return false;
	if (ip->proto == IP_PROTO_ICMP_NUMBER)
		return transport.len > 0 && icmp_is_query(transport.ptr[0]);
	return true;
}
