/*
 * ether_core.c - Ethernet headers.
 * Reference: RFC 894; IEEE 802.3 for what a type below 0x600 means.
 */
#include "kernel/net/wire.h"
#include "lib/unaligned.h"

enum wire_verdict wire_ether_parse(struct rbuf frame, struct wire_ether *out)
{
	if (frame.len < ETHER_HEADER_BYTES)
		return WIRE_SHORT;
	memcpy(out->dst, frame.ptr, ETHER_ADDR_BYTES);
	memcpy(out->src, frame.ptr + 6, ETHER_ADDR_BYTES);
	out->type = load_be16(frame.ptr + 12);
	return WIRE_OK;
}

void wire_ether_build(uint8_t *out, const struct wire_ether *e)
{
	memcpy(out, e->dst, ETHER_ADDR_BYTES);
	memcpy(out + 6, e->src, ETHER_ADDR_BYTES);
	store_be16(out + 12, e->type);
}

bool ether_is_zero(const uint8_t *mac)
{
	return (load_u32(mac) | load_u16(mac + 4)) == 0;
}
