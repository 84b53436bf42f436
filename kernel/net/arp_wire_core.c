/*
 * arp_wire_core.c - ARP messages for IPv4 over Ethernet (RFC 826). Everything
 * else (other hardware, other protocols, operations beyond request and reply) is
 * malformed to us.
 */
#include "kernel/net/wire.h"
#include "lib/unaligned.h"

#define ARP_HARDWARE_ETHER 1

enum wire_verdict wire_arp_parse(struct rbuf bytes, struct wire_arp *out)
{
	const uint8_t *p = bytes.ptr;
	if (bytes.len < ARP_BYTES)
		return WIRE_SHORT;
	if (load_be16(p) != ARP_HARDWARE_ETHER || load_be16(p + 2) != ETHER_TYPE_IPV4 ||
		p[4] != ETHER_ADDR_BYTES || p[5] != 4)
		return WIRE_MALFORMED;
	uint16_t op = load_be16(p + 6);
	if (op != ARP_REQUEST && op != ARP_REPLY)
		return WIRE_MALFORMED;
	out->op = op;
	memcpy(out->sender_mac, p + 8, ETHER_ADDR_BYTES);
	out->sender_ip = load_be32(p + 14);
	memcpy(out->target_mac, p + 18, ETHER_ADDR_BYTES);
	out->target_ip = load_be32(p + 24);
	return WIRE_OK;
}

void wire_arp_build(uint8_t *out, const struct wire_arp *a)
{
	store_be16(out, ARP_HARDWARE_ETHER);
	store_be16(out + 2, ETHER_TYPE_IPV4);
	out[4] = ETHER_ADDR_BYTES;
	out[5] = 4;
	store_be16(out + 6, a->op);
	memcpy(out + 8, a->sender_mac, ETHER_ADDR_BYTES);
	store_be32(out + 14, a->sender_ip);
	memcpy(out + 18, a->target_mac, ETHER_ADDR_BYTES);
	store_be32(out + 24, a->target_ip);
}
