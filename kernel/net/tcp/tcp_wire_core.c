/*
 * tcp_wire_core.c - TCP headers and options, from bytes and to bytes.
 *
 * Every byte that comes in is foreign: each read is bounded by the data offset,
 * which is bounded by the segment. A malformed option list makes the whole
 * segment malformed (RFC 9293 3.1, MUST-7): a peer that cannot count its options
 * is not to be trusted with its sequence numbers.
 *
 * Reference: RFC 9293 3.1 and 3.2, RFC 7323 2.2 and 3.2, RFC 2018 2 and 3.
 */
#include "kernel/net/tcp/tcp_seg.h"
#include "lib/assert.h"
#include "lib/unaligned.h"

enum tcp_option {
	TCP_OPT_END = 0,
	TCP_OPT_NOP = 1,
	TCP_OPT_MSS = 2,
	TCP_OPT_SCALE = 3,
	TCP_OPT_SACK_PERMITTED = 4,
	TCP_OPT_SACK = 5,
	TCP_OPT_TS = 8,
};

static uint8_t *tcp_put16(uint8_t *p, uint16_t v)
{
	store_be16(p, v);
	return p + 2;
}

static uint8_t *tcp_put32(uint8_t *p, uint32_t v)
{
	store_be32(p, v);
	return p + 4;
}

static bool tcp_parse_sack(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	if (len % 8 != 2 || len < 10)
		return false;
	o->sack_n = (uint8_t)((len - 2) / 8); /* at most 4, as len is at most 40 */
	for (unsigned i = 0; i < o->sack_n; i++) {
		o->sack[i].left.v = load_be32(p + 2 + 8 * i);
		o->sack[i].right.v = load_be32(p + 6 + 8 * i);
	}
	return true;
}

/* One option of `len` bytes, kind and length included; false if the length is wrong for it. */
static bool tcp_parse_option(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	switch (p[0]) {
	case TCP_OPT_MSS:
		o->mss = len == 4 ? load_be16(p + 2) : 0;
		return len == 4;
	case TCP_OPT_SCALE:
		if (len != 3)
			return false;
		o->has_scale = true;
		o->scale = min(p[2], TCP_SCALE_MAX);
		return true;
	case TCP_OPT_SACK_PERMITTED:
		o->sack_permitted = true;
		return len == 2;
	case TCP_OPT_SACK:
		return tcp_parse_sack(p, len, o);
	case TCP_OPT_TS:
		if (len != 10)
			return false;
		o->has_ts = true;
		o->tsval = load_be32(p + 2);
		o->tsecr = load_be32(p + 6);
		return true;
	default: /* unknown: skipped by its length (MUST-6) */
		return true;
	}
}

static bool tcp_parse_options(struct rbuf b, struct tcp_opts *o)
{
	size_t i = 0;
	while (i < b.len && b.ptr[i] != TCP_OPT_END) {
		if (b.ptr[i] == TCP_OPT_NOP) {
			i++;
			continue;
		}
		if (b.len - i < 2)
			return false;
		size_t len = b.ptr[i + 1];
		if (len < 2 || len > b.len - i || !tcp_parse_option(b.ptr + i, len, o))
			return false;
		i += len;
	}
	return true;
}

enum err tcp_wire_parse(struct rbuf bytes, size_t total, struct tcp_seg *seg)
{
	const uint8_t *p = bytes.ptr;
	if (bytes.len < TCP_HEADER_BYTES || total < bytes.len)
		return ERR_PROTO;
	size_t header = (size_t)(p[12] >> 4) * 4;
	if (header < TCP_HEADER_BYTES || header > bytes.len)
		return ERR_PROTO;
	*seg = (struct tcp_seg){
		.src_port = load_be16(p),
		.dst_port = load_be16(p + 2),
		.seq.v = load_be32(p + 4),
		.ack.v = load_be32(p + 8),
		.flags = p[13] & 0x3f,
		.wnd = load_be16(p + 14),
		.off = (uint32_t)header,
		.len = (uint32_t)(total - header),
	};
	if (seg->src_port == 0 || seg->dst_port == 0)
		return ERR_PROTO;
	/* The layout everybody sends: NOP NOP TS, and nothing else. */
	if (header == TCP_HEADER_BYTES + TCP_TS_OPTION_BYTES &&
		load_be32(p + TCP_HEADER_BYTES) == 0x0101080a) {
		seg->opt.has_ts = true;
		seg->opt.tsval = load_be32(p + 24);
		seg->opt.tsecr = load_be32(p + 28);
		return OK;
	}
	struct rbuf options = {p + TCP_HEADER_BYTES, header - TCP_HEADER_BYTES};
	return tcp_parse_options(options, &seg->opt) ? OK : ERR_PROTO;
}

size_t tcp_wire_header_bytes(const struct tcp_seg *seg)
{
	return TCP_HEADER_BYTES + (seg->opt.mss ? 4 : 0) + (seg->opt.has_scale ? 4 : 0) +
		(seg->opt.has_ts ? TCP_TS_OPTION_BYTES : 0);
}

static uint8_t *tcp_build_options(uint8_t *p, const struct tcp_opts *o)
{
	if (o->mss)
		p = tcp_put32(p, TCP_OPT_MSS << 24 | 4 << 16 | o->mss);
	if (o->has_scale)
		p = tcp_put32(p, TCP_OPT_NOP << 24 | TCP_OPT_SCALE << 16 | 3 << 8 | o->scale);
	if (o->has_ts) {
		p = tcp_put32(p, 0x0101080a); /* NOP NOP TS 10: the values stand aligned */
		p = tcp_put32(p, o->tsval);
		p = tcp_put32(p, o->tsecr);
	}
	return p;
}

size_t tcp_wire_build(struct wbuf room, const struct tcp_seg *seg)
{
	size_t header = tcp_wire_header_bytes(seg);
	assert(room.len >= header);
	uint8_t *p = room.ptr;
	p = tcp_put16(p, seg->src_port);
	p = tcp_put16(p, seg->dst_port);
	p = tcp_put32(p, seg->seq.v);
	p = tcp_put32(p, seg->flags & TCP_ACK ? seg->ack.v : 0);
	*p++ = (uint8_t)(header / 4 << 4);
	*p++ = seg->flags;
	p = tcp_put16(p, seg->wnd);
	p = tcp_put32(p, 0); /* checksum, urgent pointer */
	p = tcp_build_options(p, &seg->opt);
	assert(p == room.ptr + header);
	return header;
}

void tcp_wire_set_checksum(uint8_t *header, uint16_t sum)
{
	store_be16(header + 16, sum);
}

bool tcp_reset_reply(const struct tcp_seg *seg, struct tcp_seg *reply)
{
	if (seg->flags & TCP_RST)
		return false;
	*reply = (struct tcp_seg){.src_port = seg->dst_port, .dst_port = seg->src_port};
	if (seg->flags & TCP_ACK) {
		reply->seq = seg->ack;
		reply->flags = TCP_RST;
	} else {
		reply->ack = seq_add(seg->seq, tcp_seg_space(seg));
		reply->flags = TCP_RST | TCP_ACK;
	}
	return true;
}
