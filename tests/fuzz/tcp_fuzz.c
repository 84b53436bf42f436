/*
 * tcp_fuzz.c - foreign bytes against the TCP core and its header parser.
 *
 * The first bytes choose the opening; then each record drives a raw segment, a
 * segment near what the connection expects, time, or a call of the user. The
 * invariants are the core's own; on top, what it accepts lies in its window and
 * what it sends in its queue. The end of the input closes: after enough time
 * without an answer every connection is over.
 */
#include <stddef.h>
#include <stdint.h>
#include "kernel/net/tcp/tcp_timewait.h"
#include "lib/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

struct peer {
	struct tcp_core c;
	struct tcp_timewait tw;
	ktime now;
	uint32_t readable, sendable;
	bool in_tw;
};

static uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t v = 0;
	for (; bytes > 0 && in->left > 0; bytes--, in->left--)
		v = v << 8 | *in->p++;
	return v;
}

static void look(struct peer *x, const struct tcp_out *out)
{
	x->readable += out->readable;
	assert(x->readable <= x->c.cfg.rcv_buf);
	assert(out->acked <= x->sendable);
	x->sendable -= out->acked;
	if (out->send) {
		uint8_t header[TCP_HEADER_MAX_BYTES];
		struct tcp_seg tx = out->tx, back;
		tx.src_port = 1;
		tx.dst_port = 2;
		assert(tx.len == 0 || tx.off + tx.len <= x->sendable);
		size_t n = tcp_wire_build(wbuf_of(header, sizeof(header)), &tx);
		assert(tcp_wire_parse(rbuf_of(header, n), n + tx.len, &back) == OK);
		assert(seq_eq(back.seq, tx.seq) && back.flags == tx.flags && back.len == tx.len);
	}
	if (out->events & TCP_EV_TIME_WAIT) {
		tcp_timewait_start(&x->tw, &x->c, x->now);
		x->in_tw = true;
	}
}

static void settle(struct peer *x)
{
	struct tcp_out out;
	int bound = 5000;
	do {
		if (x->c.state == TCP_CLOSED)
			return;
		tcp_poll(&x->c, x->now, &out);
		look(x, &out);
		assert(--bound > 0);
	} while (out.send);
}

static void arrive(struct peer *x, const struct tcp_seg *seg)
{
	struct tcp_out out;
	struct tcp_seg reply;
	if (x->in_tw) {
		if (tcp_timewait_input(&x->tw, seg, x->now, &reply) == TCP_TW_REOPEN)
			x->in_tw = false;
		return;
	}
	if (tcp_is_done(&x->c))
		return;
	uint32_t window = (uint32_t)seq_diff(x->c.rcv_adv, x->c.rcv_nxt);
	bool ordered = x->c.state >= TCP_SYN_RECEIVED;
	tcp_input(&x->c, seg, x->now, &out);
	assert(out.data_skip + out.data_len <= seg->len);
	assert(!ordered || out.data_len == 0 || out.data_pos + out.data_len <= window);
	look(x, &out);
	settle(x);
}

static void near(struct peer *x, struct input *in)
{
	uint32_t f = take(in, 1), shape = take(in, 1);
	struct tcp_seg seg = {.src_port = 2, .dst_port = 1, .flags = f & 0x3f};
	seg.no_room = f & 0x80;
	seg.len = shape & 1 ? take(in, 2) % 1461 : 0;
	seg.seq = seq_add(x->c.rcv_nxt, shape & 2 ? (uint32_t)(int16_t)take(in, 2) : 0);
	seg.ack = seq_add(shape & 4 ? x->c.snd_una : x->c.snd_max,
		shape & 8 ? (uint32_t)(int8_t)take(in, 1) : 0);
	seg.wnd = shape & 16 ? (uint16_t)take(in, 2) : 0xffff;
	seg.opt.has_ts = !(shape & 32);
	seg.opt.tsval = x->c.ts_recent + (shape & 64 ? (uint32_t)(int8_t)take(in, 1) : 1);
	if (seg.flags & TCP_SYN) {
		seg.opt.mss = (uint16_t)take(in, 2);
		seg.opt.has_scale = shape & 128;
		seg.opt.scale = take(in, 1) % 15;
	}
	arrive(x, &seg);
}

static void user(struct peer *x, struct input *in)
{
	struct tcp_out out = {0};
	uint32_t op = take(in, 1), n;
	switch (op % 7) {
	case 0:
		n = take(in, 2);
		if (x->sendable + n < 1 << 20 &&
			tcp_user_send(&x->c, n, op & 64, x->now) == OK)
			x->sendable += n;
		break;
	case 1:
		n = min(take(in, 2), x->readable);
		x->readable -= n;
		tcp_user_recv(&x->c, n);
		break;
	case 2:
		if (tcp_user_shutdown(&x->c, x->now, &out) != OK)
			return;
		break;
	case 3:
		tcp_user_close(&x->c, x->now, &out);
		break;
	case 4:
		tcp_set_mtu(&x->c, take(in, 2), x->now);
		break;
	case 5:
		tcp_user_abort(&x->c, x->now, &out);
		break;
	case 6:
		tcp_user_drain(&x->c, take(in, 2), x->now, &out);
		x->readable = 0;
		break;
	}
	look(x, &out);
	settle(x);
}

static void finish(struct peer *x)
{
	struct tcp_out out;
	tcp_user_close(&x->c, x->now, &out);
	look(x, &out);
	settle(x);
	for (int i = 0; !tcp_is_done(&x->c); i++) {
		assert(i < 10000 && !ktime_is_never(tcp_deadline(&x->c)));
		x->now = ktime_max(x->now, tcp_deadline(&x->c));
		settle(x);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t buffers[] = {4096, 65535, 65536, 1 << 20};
	struct input in = {data, size};
	struct peer x = {.now = {NS_PER_S}};
	struct tcp_seg seg;
	uint32_t how = take(&in, 1);
	struct tcp_config cfg = {
		.cong = &tcp_cong_reno,
		.mss = how & 1 ? 1460 : 64,
		.rcv_buf = buffers[how >> 1 & 3],
		.no_ts = how & 8,
		.no_scale = how & 16,
		.no_delay = how & 32,
		.keep_idle_ns = how & 64 ? 10 * NS_PER_S : 0,
		.keep_interval_ns = NS_PER_S,
		.keep_count = 3,
	};
	tcp_seq iss = {take(&in, 4)};
	if (how & 128)
		tcp_open_active(&x.c, &cfg, iss, x.now);
	else
		tcp_open_passive(&x.c, &cfg, iss, x.now);
	settle(&x);
	while (in.left > 0) {
		uint32_t kind = take(&in, 1) % 8;
		size_t n;
		switch (kind) {
		case 0: /* raw bytes */
			n = min(in.left, (size_t)60);
			if (tcp_wire_parse(rbuf_of(in.p, n), n, &seg) == OK)
				arrive(&x, &seg);
			in.p += n;
			in.left -= n;
			break;
		case 1:
			x.now = ktime_add(x.now, (int64_t)take(&in, 2) * 10 * NS_PER_MS);
			settle(&x);
			break;
		case 2:
		case 3:
			user(&x, &in);
			break;
		default:
			near(&x, &in);
		}
	}
	finish(&x);
	return 0;
}
