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

/* ---- opening ---- */

static size_t knock(uint32_t addr, uint16_t port)
{
	size_t before = world_answers;
	struct stranger p = stranger_at(addr, port);
	stranger_send(&p, TCP_SYN, 0, rbuf_of(NULL, 0));
	return world_answers - before;
}

/*
 * RFC 4987 3.4: a flood of SYNs costs the oldest of its own kind, and does not shut the door; but who came
 * a moment ago keeps his place, or a burst of clients would push each other out.
 */
TEST(tcp_limits_half_open_connections_give_way)
{
	struct tcp_stats st;
	for (int backlog = 20; backlog < 1000; backlog += 900) {
		struct tcp_listener *l = listener_open((uint16_t)backlog);
		uint64_t recycled = tcp_counter(TCP_HALF_OPEN_RECYCLED);
		size_t most = min((size_t)backlog, (size_t)CONFIG_TCP_HALF_OPEN);
		for (size_t i = 0; i < 1000; i++)
			CHECK_EQ(knock(ALIEN(i % 50), (uint16_t)(1000 + i)), i < most);
		CHECK_EQ(tcp_counter(TCP_HALF_OPEN_RECYCLED), recycled);
		world_settle(TCP_RTO_FIRST_NS + NS_PER_S / 2);
		(void)stranger_open(ALIEN(99), 999);
		tcp_close(accept_one(l));
		for (size_t i = 0; i < 1000; i++)
			CHECK_EQ(knock(ALIEN(i % 50), (uint16_t)(3000 + i)), i < most);
		tcp_stats(&st);
		CHECK_EQ(st.half_open, most);
		CHECK_EQ(tcp_counter(TCP_HALF_OPEN_RECYCLED), recycled + most);
		world_settle(70 * NS_PER_S);
		tcp_stats(&st);
		CHECK_EQ(st.half_open, 0);
		tcp_listener_close(l);
		end();
	}
}

/* Connections that wait for accept do not give way: the SYN is dropped, and comes again. */
TEST(tcp_limits_backlog_is_refused)
{
	struct tcp_listener *l = listener_open(4);
	uint64_t refused = tcp_counter(TCP_REFUSED_BACKLOG);
	for (uint16_t i = 0; i < 4; i++)
		(void)stranger_open(ALIEN(i), 1000);
	CHECK_EQ(knock(ALIEN(9), 1000), 0);
	CHECK_EQ(tcp_counter(TCP_REFUSED_BACKLOG), refused + 1);
	tcp_abort(accept_one(l));
	CHECK_EQ(knock(ALIEN(9), 1000), 1);
	tcp_listener_close(l);
	end();
}

TEST(tcp_limits_per_peer_is_refused)
{
	struct tcp_listener *l = listener_open(8);
	struct tcp_conn *c[CONFIG_TCP_PER_PEER];
	uint64_t refused = tcp_counter(TCP_REFUSED_PER_PEER);
	for (size_t i = 0; i < countof(c); i++) {
		(void)stranger_open(ALIEN(1), (uint16_t)(1000 + i));
		c[i] = accept_one(l);
	}
	CHECK_EQ(knock(ALIEN(1), 999), 0);
	CHECK_EQ(tcp_counter(TCP_REFUSED_PER_PEER), refused + 1);
	CHECK_EQ(knock(ALIEN(2), 999), 1);
	tcp_abort(c[0]);
	CHECK_EQ(knock(ALIEN(1), 999), 1);
	for (size_t i = 1; i < countof(c); i++)
		tcp_abort(c[i]);
	tcp_listener_close(l);
	end();
}

TEST(tcp_limits_no_route_back_is_counted)
{
	struct tcp_listener *l = listener_open(8);
	uint64_t refused = tcp_counter(TCP_REFUSED_NO_ROUTE);
	world_no_route = true;
	CHECK_EQ(knock(ALIEN(1), 1000), 0);
	world_no_route = false;
	CHECK_EQ(tcp_counter(TCP_REFUSED_NO_ROUTE), refused + 1);
	tcp_listener_close(l);
	end();
}

TEST(tcp_limits_listeners_and_pollsets_are_refused)
{
	begin();
	struct tcp_listener *l[CONFIG_TCP_LISTENERS];
	struct tcp_pollset *set[CONFIG_TCP_POLLSETS];
	uint64_t listeners = tcp_counter(TCP_REFUSED_LISTENERS), sets = tcp_counter(TCP_REFUSED_POLLSETS);
	for (size_t i = 0; i < countof(l); i++) {
		struct tcp_listener_result r = tcp_listen(IPV4_ANY, (uint16_t)(80 + i), 1);
		CHECK_EQ(r.err, OK);
		l[i] = r.value;
	}
	CHECK_EQ(tcp_listen(IPV4_ANY, 8080, 1).err, ERR_NFILE);
	CHECK_EQ(tcp_counter(TCP_REFUSED_LISTENERS), listeners + 1);
	for (size_t i = 0; i < countof(set); i++)
		CHECK((set[i] = tcp_pollset_create()) != NULL);
	CHECK(tcp_pollset_create() == NULL);
	CHECK_EQ(tcp_counter(TCP_REFUSED_POLLSETS), sets + 1);
	tcp_listener_close(l[0]);
	tcp_pollset_destroy(set[0]);
	struct tcp_listener_result r = tcp_listen(IPV4_ANY, 8080, 1);
	CHECK_EQ(r.err, OK);
	CHECK((set[0] = tcp_pollset_create()) != NULL);
	l[0] = r.value;
	for (size_t i = 0; i < countof(l); i++)
		tcp_listener_close(l[i]);
	for (size_t i = 0; i < countof(set); i++)
		tcp_pollset_destroy(set[i]);
	end();
}

static struct tcp_listener *closing;
static void close_it(void)
{
	tcp_listener_close(closing);
}

/* Half-open, complete, reset in the queue, and one that is just being made: close waits for none. */
TEST(tcp_limits_listener_closes_in_the_middle_of_a_syn)
{
	closing = listener_open(100);
	for (uint16_t i = 0; i < 30; i++) {
		if (i % 3 == 0) {
			knock(ALIEN(i), 1000);
			continue;
		}
		struct stranger p = stranger_open(ALIEN(i), 1000);
		if (i % 3 == 1)
			stranger_send(&p, TCP_RST, 0, rbuf_of(NULL, 0));
	}
	world_on_route = close_it;
	knock(ALIEN(99), 1000);
	CHECK(world_on_route == NULL);
	struct tcp_stats st;
	tcp_stats(&st);
	CHECK_EQ(st.connections + st.half_open + st.listeners, 0);
	struct tcp_listener_result all[CONFIG_TCP_LISTENERS];
	for (size_t i = 0; i < countof(all); i++) { /* its place is free, and clean */
		all[i] = tcp_listen(IPV4_ANY, (uint16_t)(80 + i), 1);
		CHECK_EQ(all[i].err, OK);
		CHECK_EQ(tcp_accept(all[i].value, KTIME_ZERO).err, ERR_AGAIN);
	}
	for (size_t i = 0; i < countof(all); i++)
		tcp_listener_close(all[i].value);
	end();
}

/* ---- answers ---- */

TEST(tcp_limits_resets_for_nobody_are_rated)
{
	begin();
	world_settle(2 * NS_PER_S);
	uint64_t limited = tcp_counter(TCP_TX_RESETS_LIMITED);
	size_t answered = 0;
	for (size_t i = 0; i < CONFIG_TCP_RESETS_PER_S + 100; i++)
		answered += knock(ALIEN(1), (uint16_t)(1000 + i));
	CHECK_EQ(answered, CONFIG_TCP_RESETS_PER_S);
	CHECK_EQ(tcp_counter(TCP_TX_RESETS_LIMITED), limited + 100);
	world_settle(NS_PER_S);
	CHECK_EQ(knock(ALIEN(1), 999), 1);
	end();
}

/* RFC 5961 7, of a connection and of a time-wait record. */
TEST(tcp_limits_challenges_are_rated)
{
	struct tcp_listener *l = listener_open(8);
	struct stranger p = stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	for (int timewait = 0; timewait < 2; timewait++) {
		world_settle(2 * NS_PER_S);
		uint64_t limited = tcp_counter(TCP_TX_CHALLENGES_LIMITED);
		size_t before = world_answers;
		for (size_t i = 0; i < TCP_CHALLENGES_PER_S + 5; i++)
			stranger_send(&p, TCP_SYN, timewait ? -1000 : 100, rbuf_of(NULL, 0));
		CHECK_EQ(world_answers - before, TCP_CHALLENGES_PER_S);
		CHECK_EQ(tcp_counter(TCP_TX_CHALLENGES_LIMITED), limited + 5);
		if (timewait)
			break;
		tcp_close(c);
		p.ack = seq_add(p.ack, 1);
		stranger_send(&p, TCP_FIN | TCP_ACK, 0, rbuf_of(NULL, 0));
		p.seq = seq_add(p.seq, 1);
	}
	tcp_listener_close(l);
	end();
}

/* ---- silence ---- */

TEST(tcp_limits_user_timeout_ends_a_silent_connection)
{
	struct tcp_listener *l = listener_open(8);
	(void)stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	ktime began = world_now;
	uint8_t b;
	CHECK_EQ(tcp_send(c, rbuf_of(pattern, 10), 0, KTIME_ZERO).value, 10);
	CHECK_EQ(tcp_recv(c, wbuf_of(&b, 1), KTIME_NEVER).err, ERR_TIMEDOUT);
	CHECK(ktime_diff(world_now, began) >= TCP_USER_TIMEOUT_NS);
	CHECK(ktime_diff(world_now, began) < TCP_USER_TIMEOUT_NS + TCP_RTO_MAX_NS);
	tcp_close(c);
	tcp_listener_close(l);
	end();
}

TEST(tcp_limits_fin_wait_2_ends)
{
	struct tcp_listener *l = listener_open(8);
	struct tcp_stats st;
	struct stranger p = stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	tcp_close(c);
	p.ack = seq_add(p.ack, 1);
	stranger_send(&p, TCP_ACK, 0, rbuf_of(NULL, 0));
	world_settle(TCP_FIN_WAIT_2_NS - NS_PER_S);
	tcp_stats(&st);
	CHECK_EQ(st.connections, 1);
	world_settle(2 * NS_PER_S);
	tcp_stats(&st);
	CHECK_EQ(st.connections, 0);
	tcp_listener_close(l);
	end();
}

TEST(tcp_limits_buffers_ahead_are_refused)
{
	struct tcp_listener *l = listener_open(8);
	struct stranger p = stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	uint64_t refused = tcp_counter(TCP_REFUSED_AHEAD);
	for (size_t i = CONFIG_TCP_AHEAD + 1; i > 0; i--) /* falling: no two fit one buffer */
		stranger_piece(&p, i * 1000 - 500, 1000);
	CHECK_EQ(tcp_counter(TCP_REFUSED_AHEAD), refused + 1);
	CHECK_EQ(rx_buffers(), CONFIG_TCP_AHEAD);
	for (size_t i = 0; i < 3; i++)
		stranger_piece(&p, i * 500, 500);
	read_pattern(c, 0, CONFIG_TCP_AHEAD * 1000);
	tcp_close(c);
	tcp_listener_close(l);
	end();
}

/* No timer is free: counted, and made up for when next something happens. */
TEST(tcp_limits_connection_without_a_timer_goes_on)
{
	struct tcp_listener *l = listener_open(8);
	struct stranger p = stranger_open(ALIEN(1), 1000);
	struct tcp_conn *c = accept_one(l);
	world_settle(NS_PER_S);
	uint64_t refused = tcp_counter(TCP_REFUSED_CALLOUT);
	world_no_callouts = true;
	CHECK_EQ(tcp_send(c, rbuf_of(pattern, 2000), 0, KTIME_ZERO).value, 2000);
	CHECK(tcp_counter(TCP_REFUSED_CALLOUT) > refused);
	world_no_callouts = false;
	p.ack = seq_add(p.ack, 536);
	stranger_send(&p, TCP_ACK, 0, rbuf_of(NULL, 0));
	size_t before = world_answers;
	world_settle(TCP_RTO_FIRST_NS);
	CHECK(world_answers > before); /* what is left goes again */
	tcp_abort(c);
	tcp_listener_close(l);
	end();
}
