/*
 * tcp_seg.h - sequence numbers, and a segment as the core sees it.
 *
 * tcp_wire_parse() makes a struct tcp_seg of the bytes that came in; the core
 * makes one for each segment to go out and tcp_wire_build() writes its header.
 * Payload never appears: only its length, and where it lies.
 *
 * Context: any; nothing here allocates, locks or keeps a pointer.
 * Reference: RFC 9293 sections 3.1, 3.2 and 3.4; RFC 7323 (scale, timestamps);
 * RFC 2018 (the SACK options are understood by the parser; the core does not
 * yet offer them, so none comes from a peer that obeys the standard).
 */
#ifndef KERNEL_NET_TCP_TCP_SEG_H
#define KERNEL_NET_TCP_TCP_SEG_H

#include "lib/base.h"
#include "lib/buf.h"

/* A sequence number: modulo 2^32, compared by distance (RFC 9293 3.4). */
typedef struct {
	uint32_t v;
} tcp_seq;

static inline tcp_seq seq_add(tcp_seq s, uint32_t n)
{
	return (tcp_seq){s.v + n};
}

static inline tcp_seq seq_sub(tcp_seq s, uint32_t n)
{
	return (tcp_seq){s.v - n};
}

/* a - b: positive when a is later. Meaningful for distances below 2^31. */
static inline int32_t seq_diff(tcp_seq a, tcp_seq b)
{
	return (int32_t)(a.v - b.v);
}

static inline bool seq_eq(tcp_seq a, tcp_seq b)
{
	return a.v == b.v;
}

static inline bool seq_lt(tcp_seq a, tcp_seq b)
{
	return seq_diff(a, b) < 0;
}

static inline bool seq_le(tcp_seq a, tcp_seq b)
{
	return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(tcp_seq a, tcp_seq b)
{
	return seq_diff(a, b) > 0;
}

static inline bool seq_ge(tcp_seq a, tcp_seq b)
{
	return seq_diff(a, b) >= 0;
}

static inline tcp_seq seq_max(tcp_seq a, tcp_seq b)
{
	return seq_lt(a, b) ? b : a;
}

static inline tcp_seq seq_min(tcp_seq a, tcp_seq b)
{
	return seq_lt(a, b) ? a : b;
}

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

#define TCP_HEADER_BYTES     20
#define TCP_HEADER_MAX_BYTES 60
#define TCP_SACK_BLOCKS_MAX  4  /* what fits 40 bytes of options */
#define TCP_TS_OPTION_BYTES  12 /* timestamps with their padding, in every segment */
#define TCP_SCALE_MAX        14 /* RFC 7323 2.3: a larger shift counts as 14 */

struct tcp_sack_block {
	tcp_seq left;
	tcp_seq right;
};

struct tcp_opts {
	uint32_t tsval;
	uint32_t tsecr;
	uint16_t mss; /* 0: absent */
	uint8_t scale;
	bool has_scale;
	bool has_ts;
	bool sack_permitted;
	uint8_t sack_n;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
};

struct tcp_seg {
	tcp_seq seq;
	tcp_seq ack;
	uint32_t len; /* bytes of payload */
	/*
	 * Where the payload lies. Incoming: bytes from the start of the TCP
	 * header. Outgoing: bytes from the head of the send queue.
	 */
	uint32_t off;
	uint16_t src_port;
	uint16_t dst_port;
	uint16_t wnd; /* as on the wire, not scaled */
	uint8_t flags;
	/* Incoming: the shell cannot keep the payload; the core then refuses it. */
	bool no_room;
	struct tcp_opts opt;
};

/* The sequence space a segment takes: payload, SYN and FIN. */
static inline uint32_t tcp_seg_space(const struct tcp_seg *s)
{
	return s->len + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
}

/* tcp_wire_core.c */

/*
 * Reads header and options of `bytes`, a whole segment or its beginning, of
 * which the segment has `total` bytes. ERR_PROTO: too short, a data offset
 * outside the segment, an option that overruns, a port of 0. The checksum is
 * not looked at.
 */
must_check enum err tcp_wire_parse(struct rbuf bytes, size_t total, struct tcp_seg *seg);

/*
 * Writes the header of `seg` with its options, checksum zero; returns its
 * length, a multiple of 4, at most TCP_HEADER_MAX_BYTES, which `room` must hold.
 */
size_t tcp_wire_build(struct wbuf room, const struct tcp_seg *seg);

/* Length of the header that tcp_wire_build() will write. */
size_t tcp_wire_header_bytes(const struct tcp_seg *seg);

/* Stores the finished checksum, as net checksums go: already complemented. */
void tcp_wire_set_checksum(uint8_t *header, uint16_t sum);

/*
 * The answer to a segment that belongs to no connection (RFC 9293 3.10.7.1);
 * false when there is none to give, because it was itself a reset.
 */
must_check bool tcp_reset_reply(const struct tcp_seg *seg, struct tcp_seg *reply);

#endif
