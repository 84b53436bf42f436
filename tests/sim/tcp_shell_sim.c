/*
 * tcp_shell_sim.c - the TCP shell without a kernel: queues, readiness, references,
 * many bytes and many connections, in the world of tcp_world.h.
 */
#include "tests/sim/tcp_world.h"

TEST(tcp_shell_connects_and_closes)
{
	begin();
	struct pair p = pair_open();
	CHECK_EQ(tcp_remote(p.server).port, tcp_local(p.client).port);
	struct size_result n = tcp_send(p.client, rbuf_of_str(S("hello")), 0, KTIME_NEVER);
	CHECK(n.err == OK && n.value == 5);
	uint8_t b[16];
	n = tcp_recv(p.server, wbuf_of(b, sizeof(b)), KTIME_NEVER);
	CHECK(n.err == OK && n.value == 5);
	CHECK_MEM(b, "hello", 5);
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 1), KTIME_ZERO).err, ERR_AGAIN);
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 1), ktime_add(world_now, NS_PER_S)).err, ERR_TIMEDOUT);
	CHECK_EQ(tcp_shutdown(p.client), OK);
	n = tcp_recv(p.server, wbuf_of(b, sizeof(b)), KTIME_NEVER);
	CHECK(n.err == OK && n.value == 0);
	CHECK_EQ(tcp_send(p.client, rbuf_of_str(S("x")), 0, KTIME_NEVER).err, ERR_PIPE);
	n = tcp_send(p.server, rbuf_of_str(S("bye")), 0, KTIME_NEVER);
	CHECK(n.err == OK && n.value == 3);
	struct rbuf part;
	CHECK_EQ(tcp_peek(p.client, &part, KTIME_NEVER), OK);
	CHECK_STR(rbuf_str(part), S("bye"));
	tcp_consume(p.client, 3);
	tcp_close(p.server);
	tcp_close(p.client);
	tcp_listener_close(p.l);
	end();
}

/* Who is cancelled when a part has gone is told of the part, and is cancelled in his next wait. */
TEST(tcp_shell_keeps_a_cancellation_behind_a_part)
{
	static uint8_t bytes[4 * CONFIG_TCP_TX_BYTES];
	begin();
	struct pair p = pair_open();
	world_cancel_in = 1;
	CHECK_EQ(tcp_recv(p.client, wbuf_of(bytes, 1), KTIME_NEVER).err, ERR_INTR);
	CHECK_EQ(world_cancels_kept, 0);
	world_cancel_in = 1;
	struct size_result n = tcp_send(p.client, rbuf_of(bytes, sizeof(bytes)), 0, KTIME_NEVER);
	CHECK(n.err == OK && n.value > 0 && n.value < sizeof(bytes));
	CHECK_EQ(world_cancels_kept, 1);
	tcp_abort(p.client);
	tcp_close(p.server);
	tcp_listener_close(p.l);
	end();
}

TEST(tcp_shell_refuses_and_aborts)
{
	begin();
	CHECK_EQ(tcp_connect(IPV4_LOOPBACK, 81, KTIME_NEVER).err, ERR_CONNREFUSED);
	struct pair p = pair_open();
	CHECK_EQ(tcp_listen(IPV4_ANY, 80, 1).err, ERR_ADDRINUSE);
	tcp_abort(p.client);
	uint8_t b[4];
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 4), KTIME_NEVER).err, ERR_CONNRESET);
	CHECK_EQ(tcp_send(p.server, rbuf_of(b, 4), 0, KTIME_NEVER).err, ERR_CONNRESET);
	tcp_close(p.server);
	/* Not accepted, then the listener goes. */
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_NEVER);
	CHECK_EQ(c.err, OK);
	world_settle(NS_PER_S);
	tcp_listener_close(p.l);
	CHECK_EQ(tcp_recv(c.value, wbuf_of(b, 4), KTIME_NEVER).err, ERR_CONNRESET);
	tcp_close(c.value);
	end();
}

static size_t mem_freed;
static void mem_free(unused struct packet_mem *m)
{
	mem_freed++;
}

/* Both ways at once, copied and by reference, under loss; every byte compared. */
static void transfer(uint32_t lose, size_t total, size_t write_max)
{
	static uint8_t data[100000], got[8000];
	struct test_rng r = test_rng(test_seed());
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)test_u64(&r);
	struct pair p = pair_open();
	struct packet_mem mem;
	packet_mem_init(&mem, mem_free);
	mem_freed = 0;
	world_lose = lose;
	size_t sent = 0, received = 0;
	bool shut = false;
	while (received < total) {
		size_t at = sent % sizeof(data), want = min(sizeof(data) - at, 1 + test_below(&r, write_max));
		want = min(want, total - sent);
		if (want && test_below(&r, 2)) {
			enum err e = tcp_send_ref(p.client, &mem, rbuf_of(data + at, want), 0, KTIME_ZERO);
			CHECK(e == OK || e == ERR_AGAIN);
			sent += e == OK ? want : 0;
		} else if (want) {
			struct size_result n = tcp_send(p.client, rbuf_of(data + at, want),
				test_below(&r, 4) == 0 ? TCP_MORE : 0, KTIME_ZERO);
			CHECK(n.err == OK || n.err == ERR_AGAIN);
			sent += n.err == OK ? n.value : 0;
		} else if (!shut) {
			shut = true;
			CHECK_EQ(tcp_shutdown(p.client), OK);
		}
		for (uint64_t k = test_below(&r, 20); k > 0; k--)
			world_turn(ktime_add(world_now, 1));
		at = received % sizeof(data);
		size_t room = min(sizeof(got), sizeof(data) - at);
		bool wait = shut || sent - received >= CONFIG_TCP_TX_BYTES;
		struct size_result n = tcp_recv(p.server, wbuf_of(got, room), wait ? KTIME_NEVER : KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN);
		if (n.err == OK) {
			CHECK_MEM(got, data + at, n.value);
			received += n.value;
		}
	}
	world_lose = 0;
	tcp_close(p.server);
	tcp_close(p.client);
	tcp_listener_close(p.l);
	end();
	CHECK_EQ(mem_freed, 0);
	packet_mem_put(&mem);
	CHECK_EQ(mem_freed, 1);
}

TEST(tcp_shell_moves_bytes)
{
	begin();
	transfer(0, 3000000, 9000);
}

TEST(tcp_shell_moves_bytes_with_loss)
{
	begin();
	transfer(200, 1000000, 9000);
	transfer(1000, 200000, 9000);
}

/* A segment over more pieces than a packet has fragments; sent again, it has them all at once. */
TEST(tcp_shell_moves_bytes_in_small_pieces)
{
	begin();
	transfer(0, 1000000, 150);
	transfer(300, 300000, 150);
}

/* Lesson 16: many short connections in a row, TIME_WAIT in between. */
TEST(tcp_shell_10000_short_connections)
{
	begin();
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, 80, 64);
	CHECK_EQ(l.err, OK);
	for (int i = 0; i < 10000; i++) {
		uint8_t b[8];
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_NEVER);
		CHECK_EQ(c.err, OK);
		struct tcp_conn_result s = tcp_accept(l.value, KTIME_NEVER);
		CHECK_EQ(s.err, OK);
		CHECK_EQ(tcp_send(c.value, rbuf_of_str(S("get")), 0, KTIME_NEVER).value, 3);
		CHECK_EQ(tcp_recv(s.value, wbuf_of(b, 8), KTIME_NEVER).value, 3);
		CHECK_EQ(tcp_send(s.value, rbuf_of_str(S("reply")), 0, KTIME_NEVER).value, 5);
		tcp_close(s.value);
		CHECK_EQ(tcp_recv(c.value, wbuf_of(b, 8), KTIME_NEVER).value, 5);
		tcp_close(c.value);
	}
	world_settle(0);
	struct tcp_stats st;
	tcp_stats(&st);
	CHECK_EQ(st.time_waits, CONFIG_TCP_TIME_WAITS);
	tcp_listener_close(l.value);
	end();
}

/* Lesson 15: every limit refuses, counts and recovers. */
TEST(tcp_shell_limits_recover)
{
	begin();
	static struct tcp_conn *conns[CONFIG_TCP_CONNECTIONS];
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, 80, 8);
	CHECK_EQ(l.err, OK);
	size_t n = 0;
	struct tcp_conn_result c;
	while (n < 100 && (c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO)).err == OK)
		conns[n++] = c.value;
	world_settle(NS_PER_MS);
	CHECK(tcp_counter(TCP_REFUSED_BACKLOG) > 0);
	while (n < countof(conns) && (c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO)).err == OK)
		conns[n++] = c.value;
	CHECK_EQ(tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO).err, ERR_NFILE);
	CHECK(tcp_counter(TCP_REFUSED_CONNECTIONS) > 0);
	size_t cursor = 0, seen = 0;
	struct tcp_info info;
	while (tcp_info_next(&cursor, &info))
		seen++;
	CHECK(seen + 100 >= n); /* of the first hundred some gave way, and were reset */
	while (n > 0)
		tcp_abort(conns[--n]);
	world_settle(NS_PER_S);
	tcp_listener_close(l.value);
	struct pair p = pair_open();
	tcp_abort(p.client);
	tcp_close(p.server);
	tcp_listener_close(p.l);
	end();
}

/* Counters and what is open now are members of one object: no name may come twice. */
TEST(tcp_shell_counters_have_names_of_their_own)
{
	static const struct str now[] = {
		STR_INIT("connections"), STR_INIT("half_open"), STR_INIT("time_waits"), STR_INIT("listeners")};
	for (enum tcp_counter i = 0; i < TCP_COUNTER_COUNT; i++) {
		struct str name = tcp_counter_name(i);
		for (size_t k = 0; k < countof(now); k++)
			CHECK(!str_eq(name, now[k]));
		for (enum tcp_counter k = 0; k < i; k++)
			CHECK(!str_eq(name, tcp_counter_name(k)));
	}
}

TEST(tcp_shell_pollset_is_by_level)
{
	begin();
	struct pair p = pair_open();
	struct tcp_pollset *set = tcp_pollset_create();
	CHECK(set != NULL);
	struct tcp_ready r[4];
	tcp_pollset_add_listener(set, p.l, p.l);
	tcp_pollset_add(set, p.server, TCP_READY_IN, p.server);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	CHECK_EQ(tcp_send(p.client, rbuf_of_str(S("ab")), 0, KTIME_NEVER).value, 2);
	for (int i = 0; i < 2; i++) { /* it stays ready until read */
		struct size_result n = tcp_pollset_wait(set, r, 4, KTIME_NEVER);
		CHECK(n.err == OK && n.value == 1 && r[0].cookie == p.server);
		CHECK_EQ(r[0].ready, TCP_READY_IN);
	}
	uint8_t b[4];
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 4), KTIME_ZERO).value, 2);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO);
	CHECK_EQ(c.err, OK);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_NEVER).value, 1);
	CHECK(r[0].cookie == p.l);
	struct tcp_conn_result s = tcp_accept(p.l, KTIME_ZERO);
	CHECK_EQ(s.err, OK);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	tcp_pollset_add(set, p.server, TCP_READY_IN | TCP_READY_OUT, p.server);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).value, 1);
	CHECK_EQ(r[0].ready, TCP_READY_OUT);
	tcp_pollset_wake(set);
	tcp_abort(p.client);
	world_settle(NS_PER_S);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).value, 1);
	CHECK(r[0].ready & TCP_READY_END);
	tcp_close(p.server);
	tcp_close(c.value);
	tcp_close(s.value);
	tcp_listener_close(p.l);
	tcp_pollset_destroy(set);
	end();
}

/* Its own port by chance: both ends are one, opened at once; what it says it hears. */
TEST(tcp_shell_connects_to_itself)
{
	begin();
	uint16_t next = (uint16_t)(49152 + (world_port + 1u) % 16384);
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, next, KTIME_NEVER);
	CHECK_EQ(c.err, OK);
	uint8_t b[8];
	CHECK_EQ(tcp_send(c.value, rbuf_of_str(S("echo")), 0, KTIME_NEVER).value, 4);
	CHECK_EQ(tcp_recv(c.value, wbuf_of(b, 8), KTIME_NEVER).value, 4);
	tcp_close(c.value);
	end();
}

/* Closed in the moment in which it is ready: it is in no list any more, and comes up nowhere. */
TEST(tcp_shell_ready_connection_is_closed)
{
	begin();
	struct pair p = pair_open(), q;
	struct tcp_pollset *set = tcp_pollset_create();
	struct tcp_ready r[4];
	CHECK(set != NULL);
	q.client = tcp_connect(IPV4_LOOPBACK, 80, KTIME_NEVER).value;
	q.server = tcp_accept(p.l, KTIME_NEVER).value;
	tcp_pollset_add(set, p.server, TCP_READY_IN, p.server);
	tcp_pollset_add(set, q.server, TCP_READY_IN, q.server);
	CHECK_EQ(tcp_send(p.client, rbuf_of_str(S("a")), 0, KTIME_NEVER).value, 1);
	CHECK_EQ(tcp_send(q.client, rbuf_of_str(S("b")), 0, KTIME_NEVER).value, 1);
	world_settle(NS_PER_MS);
	tcp_close(p.server); /* unread: a reset */
	struct size_result n = tcp_pollset_wait(set, r, 4, KTIME_ZERO);
	CHECK(n.err == OK && n.value == 1 && r[0].cookie == q.server);
	tcp_abort(q.client);
	world_settle(NS_PER_MS);
	tcp_drain(q.server); /* over already */
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	tcp_pollset_destroy(set);
	tcp_close(p.client);
	tcp_listener_close(p.l);
	end();
}
