/* tcp_wire_core_test.c - headers and options: what is written is read, what is malformed is refused. */
#include "kernel/net/tcp/tcp_timewait.h"
#include "tests/host/test.h"

TEST(tcp_wire_round_trip)
{
	uint8_t b[TCP_HEADER_MAX_BYTES];
	struct tcp_seg in = {.seq = {1}, .ack = {2}, .flags = TCP_SYN | TCP_ACK, .wnd = 3,
		.src_port = 4, .dst_port = 5,
		.opt = {.mss = 1460, .has_scale = true, .scale = 7, .has_ts = true, .tsval = 8, .tsecr = 9}};
	struct tcp_seg out;
	size_t n = tcp_wire_build(wbuf_of(b, sizeof(b)), &in);
	CHECK_EQ(n, 40);
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, n), n + 100, &out), OK);
	CHECK(out.seq.v == 1 && out.ack.v == 2 && out.flags == in.flags && out.wnd == 3);
	CHECK(out.len == 100 && out.off == 40 && out.src_port == 4 && out.dst_port == 5);
	CHECK(out.opt.mss == 1460 && out.opt.scale == 7 && out.opt.tsval == 8 && out.opt.tsecr == 9);
}

TEST(tcp_wire_refuses_malformed)
{
	uint8_t b[24] = {0, 1, 0, 2, [12] = 6 << 4};
	struct tcp_seg s;
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 19), 19, &s), ERR_PROTO);
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), OK);
	b[20] = 2; /* MSS of length 0, 5, and 3 */
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), ERR_PROTO);
	b[21] = 5;
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), ERR_PROTO);
	b[21] = 3;
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), ERR_PROTO);
	b[20] = 77; /* unknown, whole: skipped */
	b[21] = 4;
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), OK);
	b[12] = 4 << 4; /* a header shorter than a header */
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), ERR_PROTO);
	b[12] = 7 << 4; /* longer than the segment */
	CHECK_EQ(tcp_wire_parse(rbuf_of(b, 24), 24, &s), ERR_PROTO);
}

TEST(tcp_reass_merges_and_refuses)
{
	struct tcp_reass q = {0};
	tcp_seq base = {0xfffffff0}; /* across the wrap */
	for (uint32_t i = 0; i < TCP_OOO_RANGES; i++)
		CHECK_EQ(tcp_reass_add(&q, seq_add(base, 10 + 20 * i), seq_add(base, 20 + 20 * i)), 10);
	CHECK_EQ(tcp_reass_add(&q, seq_add(base, 1000), seq_add(base, 1001)), 0); /* no range is free */
	CHECK_EQ(tcp_reass_add(&q, seq_add(base, 12), seq_add(base, 18)), 0);     /* known */
	CHECK_EQ(tcp_reass_add(&q, seq_add(base, 20), seq_add(base, 30)), 10);    /* joins two */
	CHECK_EQ(q.n, TCP_OOO_RANGES - 1);
	CHECK_EQ(tcp_reass_advance(&q, seq_add(base, 5)).v, seq_add(base, 5).v);
	CHECK_EQ(tcp_reass_advance(&q, seq_add(base, 10)).v, seq_add(base, 40).v);
	CHECK_EQ(q.n, TCP_OOO_RANGES - 2);
}

TEST(tcp_rtt_follows_rfc_6298)
{
	struct tcp_rtt r;
	tcp_rtt_init(&r);
	CHECK_EQ(tcp_rto_ns(&r), NS_PER_S);
	tcp_rtt_sample(&r, 400 * NS_PER_MS);
	CHECK_EQ(r.srtt_ns, 400 * NS_PER_MS);
	CHECK_EQ(tcp_rto_ns(&r), 1200 * NS_PER_MS);
	tcp_rtt_backoff(&r);
	CHECK_EQ(tcp_rto_ns(&r), 2400 * NS_PER_MS);
	for (int i = 0; i < 100; i++)
		tcp_rtt_backoff(&r);
	CHECK_EQ(tcp_rto_ns(&r), TCP_RTO_MAX_NS);
	for (int i = 0; i < 100; i++)
		tcp_rtt_sample(&r, NS_PER_MS);
	CHECK_EQ(tcp_rto_ns(&r), TCP_RTO_MIN_NS);
}

/* RFC 6191: a newer SYN reopens, an older one does not; a reset ends nothing (RFC 1337). */
TEST(tcp_timewait_reopens_for_newer)
{
	struct tcp_core c = {.state = TCP_TIME_WAIT, .snd_max = {100}, .rcv_nxt = {200},
		.rcv_adv = {300}, .has_ts = true, .ts_recent = 50};
	struct tcp_timewait tw;
	struct tcp_seg tx, seg = {.seq = {10}, .flags = TCP_SYN, .opt = {.has_ts = true, .tsval = 51}};
	tcp_timewait_start(&tw, &c, KTIME_ZERO);
	CHECK_EQ(tcp_timewait_input(&tw, &seg, KTIME_ZERO, &tx), TCP_TW_REOPEN);
	seg.opt.tsval = 49;
	CHECK_EQ(tcp_timewait_input(&tw, &seg, KTIME_ZERO, &tx), TCP_TW_ACK);
	CHECK(tx.seq.v == 100 && tx.ack.v == 200 && tx.flags == TCP_ACK);
	seg.flags = TCP_RST;
	CHECK_EQ(tcp_timewait_input(&tw, &seg, KTIME_ZERO, &tx), TCP_TW_DROP);
}
