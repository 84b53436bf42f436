/*
 * tcp_limits_sim.c - what one peer, or many, may take of TCP: every limit refuses,
 * counts and recovers (lesson 15), and nobody's share is another's standstill.
 */
#include "tests/sim/tcp_world.h"

#define ALIEN(n) (0x0a000000u + (uint32_t)(n))

static uint8_t pattern[70000];

static struct tcp_listener *listener_open(uint16_t backlog)
{
	begin();
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 31 + (i >> 8) * 7);
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, 80, backlog);
	CHECK_EQ(l.err, OK);
	return l.value;
}

static struct tcp_conn *accept_one(struct tcp_listener *l)
{
	struct tcp_conn_result c = tcp_accept(l, KTIME_ZERO);
	CHECK_EQ(c.err, OK);
	return c.value;
}

/* Of the stranger's stream, as if it began at pattern[0]. */
static void stranger_piece(const struct stranger *p, size_t off, size_t len)
{
	CHECK(off + len <= sizeof(pattern));
	stranger_send(p, TCP_ACK, (int32_t)off, rbuf_of(pattern + off, len));
}

static void read_pattern(struct tcp_conn *c, size_t from, size_t upto)
{
	uint8_t b[2000];
	while (from < upto) {
		struct size_result n = tcp_recv(c, wbuf_of(b, min(sizeof(b), upto - from)), KTIME_ZERO);
		CHECK_EQ(n.err, OK);
		CHECK_MEM(b, pattern + from, n.value);
		from += n.value;
	}
}

static size_t rx_buffers(void)
{
	return world_pool_used(S("tcp_rx_buf"));
}

/* ---- reception ---- */

TEST(tcp_limits_small_pieces_share_buffers)
{
	struct tcp_listener *l = listener_open(8);
	struct stranger p = stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	for (size_t i = 0; i < 3000; i++) /* rising */
		stranger_piece(&p, 5000 + i, 1);
	CHECK(rx_buffers() <= 3);
	for (size_t i = 3000; i-- > 0;) /* falling */
		stranger_piece(&p, 10000 + i, 1);
	CHECK(rx_buffers() <= 7);
	for (size_t i = 0; i < 200; i++) /* each brings one byte more, and repeats the rest */
		stranger_piece(&p, 20000 + i, 1000);
	CHECK(rx_buffers() <= 8);
	/* In order at last: every second byte ahead of its turn, then the gap. */
	for (size_t i = 0; i < 2000; i += 2) {
		stranger_piece(&p, i + 1, 1);
		stranger_piece(&p, i, 1);
	}
	CHECK(rx_buffers() <= 10);
	read_pattern(c, 0, 2000);
	for (size_t i = 2000; i < 21199; i += 900)
		stranger_piece(&p, i, 900);
	read_pattern(c, 2000, 21199);
	tcp_close(c);
	tcp_listener_close(l);
	end();
}

/* Overlapping pieces of any length in any order, more than the window holds, read in between. */
TEST(tcp_limits_pieces_in_any_order_are_one_stream)
{
	struct test_rng r = test_rng(test_seed());
	for (int round = 0; round < 20; round++) {
		struct tcp_listener *l = listener_open(8);
		struct stranger p = stranger_open(ALIEN(1), (uint16_t)(1000 + round));
		struct tcp_conn *c = accept_one(l);
		size_t got = 0, total = 60000;
		while (got < total) {
			size_t at = got + test_below(&r, 9000), len = 1 + test_below(&r, test_below(&r, 3) ? 40 : 1460);
			at = test_below(&r, 4) ? at : got;
			if (at < total)
				stranger_piece(&p, at, min(len, total - at));
			uint8_t b[3000];
			struct size_result n = tcp_recv(c, wbuf_of(b, 1 + test_below(&r, sizeof(b))), KTIME_ZERO);
			CHECK(n.err == OK || n.err == ERR_AGAIN);
			if (n.err == OK) {
				CHECK_MEM(b, pattern + got, n.value);
				got += n.value;
			}
		}
		tcp_close(c);
		tcp_listener_close(l);
		end();
	}
}

#define GREEDY 120

/* Peers that send all but the first segment; the window's worth of each. */
static void greedy_fill(const struct stranger *p, size_t first)
{
	for (size_t at = first; at + 1000 < 64000; at += 1000)
		stranger_piece(p, at, 1000);
}

TEST(tcp_limits_out_of_order_bytes_keep_nobody_from_receiving)
{
	struct tcp_listener *l = listener_open(200);
	struct stranger p[GREEDY];
	struct tcp_conn *c[GREEDY];
	for (size_t i = 0; i < GREEDY; i++) {
		p[i] = stranger_open(ALIEN(i % 4), (uint16_t)(1000 + i));
		c[i] = accept_one(l);
		greedy_fill(&p[i], 1000);
	}
	/* Somebody else can still send, */
	struct stranger q = stranger_open(ALIEN(99), 999);
	struct tcp_conn *d = accept_one(l);
	for (size_t i = 0; i < 60; i++) {
		stranger_piece(&q, i * 1000, 1000);
		read_pattern(d, i * 1000, i * 1000 + 1000);
	}
	tcp_close(d);
	/* and each of them: the byte that is missing is always taken, and what had to go comes again. */
	for (size_t i = 0; i < GREEDY; i++) {
		for (size_t got = 0; got < 60000;) {
			stranger_piece(&p[i], got, 1000);
			struct rbuf part;
			CHECK_EQ(tcp_peek(c[i], &part, KTIME_ZERO), OK);
			while (tcp_peek(c[i], &part, KTIME_ZERO) == OK) {
				CHECK_MEM(part.ptr, pattern + got, part.len);
				got += part.len;
				tcp_consume(c[i], part.len);
			}
		}
		tcp_close(c[i]);
	}
	tcp_listener_close(l);
	end();
}

/* The same with bytes in order that nobody reads. */
TEST(tcp_limits_unread_bytes_keep_nobody_from_receiving)
{
	struct tcp_listener *l = listener_open(200);
	struct stranger p[GREEDY];
	struct tcp_conn *c[GREEDY];
	for (size_t i = 0; i < GREEDY; i++) {
		p[i] = stranger_open(ALIEN(i % 4), (uint16_t)(1000 + i));
		c[i] = accept_one(l);
		greedy_fill(&p[i], 0);
	}
	CHECK(tcp_counter(TCP_RX_NO_ROOM) > 0);
	struct stranger q = stranger_open(ALIEN(99), 999);
	struct tcp_conn *d = accept_one(l);
	for (size_t i = 0; i < 60; i++) {
		stranger_piece(&q, i * 1000, 1000);
		read_pattern(d, i * 1000, i * 1000 + 1000);
	}
	tcp_close(d);
	for (size_t i = 0; i < GREEDY; i++)
		tcp_abort(c[i]);
	tcp_listener_close(l);
	end();
}

/* ---- sending ---- */

static void mem_never_freed(unused struct packet_mem *m)
{
	CHECK(false);
}

/* Peers that acknowledge nothing take their share of buffers and references; the next one still sends. */
TEST(tcp_limits_peers_who_do_not_read_keep_nobody_from_sending)
{
	struct tcp_listener *l = listener_open(200);
	struct tcp_pollset *set = tcp_pollset_create();
	struct tcp_conn *c[GREEDY];
	struct packet_mem mem;
	struct tcp_ready ready[4];
	packet_mem_init(&mem, mem_never_freed);
	uint64_t refused = tcp_counter(TCP_REFUSED_TX_BUFFERS);
	for (size_t i = 0; i < GREEDY; i++) {
		(void)stranger_open(ALIEN(i % 4), (uint16_t)(1000 + i));
		c[i] = accept_one(l);
		struct size_result n;
		while ((n = tcp_send(c[i], rbuf_of(pattern, 60000), 0, KTIME_ZERO)).err == OK)
			CHECK(n.value > 0);
		CHECK_EQ(n.err, ERR_AGAIN);
	}
	for (size_t i = 0; i < GREEDY; i++)
		while (tcp_send_ref(c[i], &mem, rbuf_of(pattern, 1), 0, KTIME_ZERO) == OK)
			;
	CHECK(tcp_counter(TCP_REFUSED_TX_BUFFERS) > refused);
	/* Refused is not ready: nobody turns around it. */
	tcp_pollset_add(set, c[GREEDY - 1], TCP_READY_OUT, c[GREEDY - 1]);
	CHECK_EQ(tcp_pollset_wait(set, ready, 4, KTIME_ZERO).err, ERR_AGAIN);
	struct stranger q = stranger_open(ALIEN(99), 999);
	struct tcp_conn *d = accept_one(l);
	for (size_t i = 0; i < 40; i++) {
		size_t before = world_answers;
		CHECK_EQ(tcp_send_ref(d, &mem, rbuf_of(pattern, 100), TCP_MORE, KTIME_ZERO), OK);
		CHECK_EQ(tcp_send(d, rbuf_of(pattern, 100), 0, KTIME_ZERO).value, 100);
		CHECK(world_answers > before);
		q.ack = seq_add(q.ack, 200);
		stranger_send(&q, TCP_ACK, 0, rbuf_of(NULL, 0));
	}
	tcp_abort(d);
	for (size_t i = 0; i < GREEDY; i++)
		tcp_abort(c[i]);
	tcp_pollset_destroy(set);
	tcp_listener_close(l);
	end();
	CHECK_EQ(mem.refs, 1);
}

/* ---- connections whose user is gone ---- */

/* However slowly the peer takes what was sent: it ends. */
TEST(tcp_limits_orphans_end_in_time)
{
	struct tcp_listener *l = listener_open(8);
	struct tcp_stats st;
	uint64_t given_up = tcp_counter(TCP_ORPHANS_GIVEN_UP);
	struct stranger p = stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	p.wnd = 1;
	stranger_send(&p, TCP_ACK, 0, rbuf_of(NULL, 0));
	CHECK_EQ(tcp_send(c, rbuf_of(pattern, 60000), 0, KTIME_ZERO).value, 60000);
	ktime began = world_now;
	tcp_close(c);
	tcp_stats(&st);
	CHECK_EQ(st.orphans, 1);
	do { /* it takes a byte now and then */
		world_settle(10 * NS_PER_S);
		p.ack = seq_add(p.ack, 1);
		stranger_send(&p, TCP_ACK, 0, rbuf_of(NULL, 0));
		tcp_stats(&st);
		CHECK(ktime_diff(world_now, began) <= TCP_ORPHAN_NS + 10 * NS_PER_S);
	} while (st.connections > 0);
	CHECK_EQ(st.orphans, 0);
	CHECK_EQ(tcp_counter(TCP_ORPHANS_GIVEN_UP), given_up + 1);
	tcp_listener_close(l);
	end();
}

TEST(tcp_limits_many_orphans_are_hurried)
{
	struct tcp_listener *l = listener_open(8);
	struct tcp_stats st;
	uint64_t hurried = tcp_counter(TCP_ORPHANS_HURRIED);
	for (size_t i = 0; i < CONFIG_TCP_ORPHANS + 50; i++) {
		(void)stranger_open(ALIEN(1), (uint16_t)(1000 + i));
		struct tcp_conn *c = accept_one(l);
		CHECK_EQ(tcp_send(c, rbuf_of(pattern, 1000), 0, KTIME_ZERO).value, 1000);
		tcp_close(c);
	}
	CHECK_EQ(tcp_counter(TCP_ORPHANS_HURRIED), hurried + 50);
	world_settle(3 * NS_PER_S);
	tcp_stats(&st);
	CHECK_EQ(st.orphans, CONFIG_TCP_ORPHANS);
	world_settle(TCP_ORPHAN_NS);
	tcp_stats(&st);
	CHECK_EQ(st.connections + st.orphans, 0);
	tcp_listener_close(l);
	end();
}

/* tcp_drain: what comes is dropped, up to a bound; what was sent arrives; then it is over soon. */
TEST(tcp_limits_drain_is_bounded)
{
	struct tcp_listener *l = listener_open(8);
	struct tcp_stats st;
	for (int too_much = 0; too_much < 2; too_much++) {
		struct stranger p = stranger_open(ALIEN(1), (uint16_t)(1000 + too_much));
		struct tcp_conn *c = accept_one(l);
		stranger_piece(&p, 0, 1000);    /* unread */
		stranger_piece(&p, 3000, 1000); /* ahead of its turn */
		CHECK_EQ(tcp_send(c, rbuf_of(pattern, 100), 0, KTIME_ZERO).value, 100);
		uint64_t resets = tcp_counter(TCP_TX_RESETS);
		tcp_drain(c);
		CHECK_EQ(rx_buffers(), 0);
		p.ack = seq_add(p.ack, 101); /* all that was sent, and the FIN */
		size_t most = too_much ? 300 : 100, i;
		for (i = 0; i < most && tcp_counter(TCP_TX_RESETS) == resets; i++) {
			stranger_piece(&p, 1000, 1000);
			p.seq = seq_add(p.seq, 1000);
			CHECK_EQ(rx_buffers(), 0);
		}
		CHECK_EQ(tcp_counter(TCP_TX_RESETS), resets + (too_much ? 1 : 0));
		CHECK(!too_much || i * 1000 > TCP_DRAIN_BYTES);
		world_settle(TCP_DRAIN_NS);
		tcp_stats(&st);
		CHECK_EQ(st.connections, 0);
	}
	tcp_listener_close(l);
	end();
}
