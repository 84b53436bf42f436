/*
 * ipv4_core.c - IPv4 headers (RFC 791, RFC 1122 section 3.2.1).
 *
 * Options: a datagram with well-formed ones is taken and they are ignored, except
 * source routes, which are refused (RFC 7126 section 4.3: they exist to get past
 * filters). Fragments are refused: reassembly would be memory that strangers fill.
 */
#include "kernel/net/wire.h"
#include "lib/assert.h"
#include "lib/unaligned.h"

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK    0x1fff

enum ipv4_option { IPV4_OPT_END = 0, IPV4_OPT_NOP = 1, IPV4_OPT_LSRR = 131, IPV4_OPT_SSRR = 137 };

static bool ipv4_options_ok(struct rbuf options)
{
	size_t i = 0;
	while (i < options.len) {
		uint8_t kind = options.ptr[i];
		if (kind == IPV4_OPT_END)
			return true;
		if (kind == IPV4_OPT_NOP) {
			i++;
			continue;
		}
		if (kind == IPV4_OPT_LSRR || kind == IPV4_OPT_SSRR)
			return false;
		if (options.len - i < 2)
			return false;
		uint8_t len = options.ptr[i + 1];
		if (len < 2 || len > options.len - i)
			return false;
		i += len;
	}
	return true;
}

/* What a datagram and the beginning of one in an ICMP error have in common. */
static enum wire_verdict ipv4_header(struct rbuf bytes, struct wire_ipv4 *out)
{
	const uint8_t *p = bytes.ptr;
	if (bytes.len < IPV4_BYTES_MIN)
		return WIRE_SHORT;
	if (p[0] >> 4 != 4)
		return WIRE_VERSION;
	out->header_len = (uint8_t)((p[0] & 15) * 4);
	out->tos = p[1];
	out->total_len = load_be16(p + 2);
	out->id = load_be16(p + 4);
	out->frag = load_be16(p + 6);
	out->ttl = p[8];
	out->proto = p[9];
	out->src = load_be32(p + 12);
	out->dst = load_be32(p + 16);
	return out->header_len < IPV4_BYTES_MIN ? WIRE_HEADER : WIRE_OK;
}

enum wire_verdict wire_ipv4_parse(struct rbuf bytes, struct wire_ipv4 *out)
{
	struct wire_ipv4 h;
	enum wire_verdict verdict = ipv4_header(bytes, &h);
	if (verdict != WIRE_OK)
		return verdict;
	if (h.header_len > bytes.len)
		return WIRE_HEADER;
	if (h.total_len < h.header_len || h.total_len > bytes.len)
		return WIRE_LENGTH;
	if (checksum_of(bytes.ptr, h.header_len) != 0)
		return WIRE_CHECKSUM;
	*out = h;
	if (!ipv4_options_ok(rbuf_slice(bytes, IPV4_BYTES_MIN, h.header_len)))
		return WIRE_OPTIONS;
	if ((h.frag & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) != 0)
		return WIRE_FRAGMENT;
	return WIRE_OK;
}

void wire_ipv4_build(uint8_t *out, const struct wire_ipv4 *h)
{
	out[0] = 0x45;
	out[1] = h->tos;
	store_be16(out + 2, h->total_len);
	store_be16(out + 4, h->id);
	store_be16(out + 6, h->frag);
	out[8] = h->ttl;
	out[9] = h->proto;
	store_be16(out + 10, 0);
	store_be32(out + 12, h->src);
	store_be32(out + 16, h->dst);
	store_be16(out + 10, checksum_of(out, IPV4_BYTES_MIN));
}

void wire_checksum_pseudo(struct checksum *c, uint32_t src, uint32_t dst, uint8_t proto, size_t len)
{
	assert(len <= UINT16_MAX);
	checksum_add_be32(c, src);
	checksum_add_be32(c, dst);
	checksum_add_be16(c, proto);
	checksum_add_be16(c, (uint16_t)len);
}

/* ---- quoted by ICMP errors ---- */

enum wire_verdict wire_icmp_quote_parse(struct rbuf bytes, struct wire_icmp_quote *out)
{
	struct wire_ipv4 h;
	enum wire_verdict verdict = ipv4_header(bytes, &h);
	if (verdict != WIRE_OK)
		return verdict;
	if (bytes.len < (size_t)h.header_len + 8)
		return WIRE_SHORT;
	if ((h.frag & IPV4_OFFSET_MASK) != 0)
		return WIRE_FRAGMENT;
	out->ip = h;
	out->transport = rbuf_slice(bytes, h.header_len, bytes.len);
	return WIRE_OK;
}
