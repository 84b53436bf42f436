/*
 * wire.h - the formats of Ethernet, ARP, IPv4 and ICMP: parsers that trust
 * nothing, and builders.
 *
 * A parser takes the received bytes and fills its struct only when it returns
 * WIRE_OK; any other verdict is the reason to drop, and the caller counts it.
 * Nothing here keeps a pointer, and every read is inside the bytes given.
 *
 * Context: any.
 * Reference: RFC 894, 826, 791, 792, 1122, 1191, 7126.
 */
#ifndef KERNEL_NET_WIRE_H
#define KERNEL_NET_WIRE_H

#include "lib/buf.h"
#include "lib/checksum.h"

enum wire_verdict {
	WIRE_OK,
	WIRE_SHORT,    /* fewer bytes than the header */
	WIRE_VERSION,
	WIRE_HEADER,   /* a header length that cannot be */
	WIRE_LENGTH,   /* a total length that cannot be, or exceeds what came */
	WIRE_CHECKSUM,
	WIRE_FRAGMENT,
	WIRE_OPTIONS,  /* malformed, or a source route */
	WIRE_MALFORMED,
};

/* The pseudo-header of TCP and UDP; len: transport header and payload. ipv4_core.c */
void wire_checksum_pseudo(struct checksum *c, uint32_t src, uint32_t dst, uint8_t proto, size_t len);

/* ---- ether_core.c ---- */

#define ETHER_HEADER_BYTES 14
#define ETHER_ADDR_BYTES   6
#define ETHER_TYPE_IPV4    0x0800
#define ETHER_TYPE_ARP     0x0806

struct wire_ether {
	uint8_t dst[ETHER_ADDR_BYTES];
	uint8_t src[ETHER_ADDR_BYTES];
	uint16_t type; /* below 0x600: a length (802.3), a type nobody here knows */
};
must_check enum wire_verdict wire_ether_parse(struct rbuf frame, struct wire_ether *out);
void wire_ether_build(uint8_t *out, const struct wire_ether *e);
static inline bool ether_is_multicast(const uint8_t *mac) /* broadcast included */
{
	return (mac[0] & 1) != 0;
}
bool ether_is_zero(const uint8_t *mac);

/* ---- arp_wire_core.c ---- */

#define ARP_BYTES 28
enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };
struct wire_arp {
	uint16_t op;
	uint8_t sender_mac[ETHER_ADDR_BYTES];
	uint8_t target_mac[ETHER_ADDR_BYTES];
	uint32_t sender_ip;
	uint32_t target_ip;
};
must_check enum wire_verdict wire_arp_parse(struct rbuf bytes, struct wire_arp *out);
void wire_arp_build(uint8_t *out, const struct wire_arp *a);

/* ---- ipv4_core.c ---- */

#define IPV4_BYTES_MIN 20
#define IPV4_BYTES_MAX 60
#define IPV4_DF        0x4000

struct wire_ipv4 {
	uint32_t src;
	uint32_t dst;
	uint16_t total_len;
	uint16_t id;
	uint16_t frag; /* flags and offset as on the wire */
	uint8_t header_len; /* bytes */
	uint8_t tos;
	uint8_t ttl;
	uint8_t proto;
};
/*
 * The header of a received datagram, in the order in which a drop is counted:
 * length, version, header length, total length, checksum, options, fragment.
 * On WIRE_FRAGMENT and WIRE_OPTIONS *out is filled too.
 */
must_check enum wire_verdict wire_ipv4_parse(struct rbuf bytes, struct wire_ipv4 *out);
/* The 20 bytes of a header without options, with its checksum; header_len is ignored. */
void wire_ipv4_build(uint8_t *out, const struct wire_ipv4 *h);

/* Address classes; host order. */
static inline bool ipv4_is_multicast(uint32_t a)
{
	return a >> 28 == 14;
}
static inline bool ipv4_is_loopback(uint32_t a)
{
	return a >> 24 == 127;
}
/* 0.0.0.0/8 and 240.0.0.0/4, the limited broadcast included. */
static inline bool ipv4_is_reserved(uint32_t a)
{
	return a >> 24 == 0 || a >> 28 == 15;
}
static inline uint32_t ipv4_mask(uint8_t prefix_len)
{
	return prefix_len == 0 ? 0 : UINT32_MAX << (32 - prefix_len);
}

/* ---- icmp_core.c; the quote in ipv4_core.c ---- */

#define ICMP_HEADER_BYTES 8
enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
};
enum icmp_code_unreachable {
	ICMP_NET = 0,
	ICMP_HOST = 1,
	ICMP_PROTOCOL = 2,
	ICMP_PORT = 3,
	ICMP_FRAG_NEEDED = 4,
	ICMP_PROHIBITED_NET = 9,
	ICMP_PROHIBITED_HOST = 10,
	ICMP_PROHIBITED = 13,
};
struct wire_icmp {
	uint8_t type;
	uint8_t code;
	uint32_t rest; /* the second word: identifier and sequence, or the next hop's MTU */
};
/* SHORT or CHECKSUM, or OK; bytes is the whole message. */
must_check enum wire_verdict wire_icmp_parse(struct rbuf bytes, struct wire_icmp *out);
/* Header over a message whose data stands behind it already; computes the checksum over all `len` bytes. */
void wire_icmp_build(uint8_t *out, size_t len, const struct wire_icmp *h);

struct wire_icmp_quote {
	struct wire_ipv4 ip;
	struct rbuf transport; /* at least 8 bytes */
};
/* The datagram quoted by an error message (what follows the ICMP header). Its lengths may lie beyond the quote. */
must_check enum wire_verdict wire_icmp_quote_parse(struct rbuf bytes, struct wire_icmp_quote *out);
/* Whether an error may be sent about this datagram (RFC 1122 3.2.2): no error about an error, a
 * broadcast, a multicast, another fragment than the first. `transport` is what follows the header. */
must_check bool wire_icmp_error_allowed(const struct wire_ipv4 *ip, struct rbuf transport);

#endif
