/*
 * tcp_selftest.c - TCP over loopback inside the kernel: real threads, locks,
 * callouts and the receive thread. The protocol itself is tested on the host
 * (tests/sim/tcp_sim.c, tcp_shell_sim.c).
 */
#include "kernel/diag/selftest.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/sched/sched.h"
#include "kernel/time/time.h"

#define PORT        7
#define BULK        (2 * 1024 * 1024)
#define CONNECTIONS 200
#define POLLED      16

static struct tcp_listener *listener;
static bool stopping; /* atomic */

static ktime in_seconds(int64_t s)
{
	return ktime_add(clock_now(), s * NS_PER_S);
}

static uint8_t byte_at(size_t pos)
{
	return (uint8_t)(pos * 31 + (pos >> 8) * 7);
}

/* Serves connections one after another: sends back what comes, until the end. */
static void echo_server(unused void *arg)
{
	static uint8_t buf[3000];
	for (;;) {
		struct tcp_conn_result c = tcp_accept(listener, KTIME_NEVER);
		if (c.err != OK)
			return;
		if (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
			tcp_close(c.value);
			return;
		}
		struct size_result n;
		while ((n = tcp_recv(c.value, wbuf_of(buf, sizeof(buf)), in_seconds(30))).err == OK &&
			n.value > 0) {
			n = tcp_send(c.value, rbuf_of(buf, n.value), 0, in_seconds(30));
			if (n.err != OK)
				break;
		}
		tcp_close(c.value);
	}
}

static struct thread *server_start(void)
{
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, PORT, 32);
	ST_CHECK(l.err == OK);
	listener = l.value;
	__atomic_store_n(&stopping, false, __ATOMIC_RELEASE);
	struct thread_attr attr = {
		.name = S("echo"), .entry = echo_server, .priority = PRIO_NORMAL, .class = SCHED_RR};
	struct thread_result t = thread_create(&attr);
	ST_CHECK(t.err == OK);
	return t.value;
}

static void server_stop(struct thread *t)
{
	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	struct tcp_conn_result last = tcp_connect(IPV4_LOOPBACK, PORT, in_seconds(30));
	ST_CHECK(last.err == OK);
	if (last.err == OK)
		tcp_close(last.value);
	ST_CHECK(thread_join(t, in_seconds(60)) == OK);
	tcp_listener_close(listener);
}

SELFTEST(tcp_short_connections)
{
	struct thread *t = server_start();
	for (int i = 0; i < CONNECTIONS; i++) {
		uint8_t b[8];
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, PORT, in_seconds(30));
		ST_REQUIRE(c.err == OK);
		ST_CHECK(tcp_send(c.value, rbuf_of_str(S("hello")), 0, in_seconds(30)).value == 5);
		struct size_result n = tcp_recv(c.value, wbuf_of(b, sizeof(b)), in_seconds(30));
		ST_CHECK(n.err == OK && n.value == 5 && memcmp(b, "hello", 5) == 0);
		tcp_close(c.value);
	}
	server_stop(t);
}

static struct tcp_conn *bulk_conn;

static void bulk_sender(unused void *arg)
{
	static uint8_t buf[5000];
	for (size_t pos = 0; pos < BULK;) {
		size_t n = min(sizeof(buf), (size_t)BULK - pos);
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(pos + i);
		struct size_result r = tcp_send(bulk_conn, rbuf_of(buf, n), 0, in_seconds(60));
		if (r.err != OK)
			return;
		pos += r.value;
	}
	(void)!tcp_shutdown(bulk_conn);
}

SELFTEST(tcp_bulk_is_byte_exact)
{
	struct thread *t = server_start();
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, PORT, in_seconds(30));
	ST_REQUIRE(c.err == OK);
	bulk_conn = c.value;
	struct thread_attr attr = {
		.name = S("bulk"), .entry = bulk_sender, .priority = PRIO_NORMAL, .class = SCHED_RR};
	struct thread_result s = thread_create(&attr);
	ST_REQUIRE(s.err == OK);
	size_t pos = 0;
	bool same = true;
	for (;;) {
		struct rbuf part;
		enum err e = tcp_peek(bulk_conn, &part, in_seconds(60));
		ST_REQUIRE(e == OK);
		if (part.len == 0)
			break;
		for (size_t i = 0; i < part.len; i++)
			same = same && part.ptr[i] == byte_at(pos + i);
		pos += part.len;
		tcp_consume(bulk_conn, part.len);
	}
	ST_CHECK(same && pos == BULK);
	ST_CHECK(thread_join(s.value, in_seconds(60)) == OK);
	tcp_close(bulk_conn);
	server_stop(t);
}

SELFTEST(tcp_refused_and_timed_out)
{
	ST_CHECK(tcp_connect(IPV4_LOOPBACK, 9, in_seconds(30)).err == ERR_CONNREFUSED);
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, PORT, 2);
	ST_REQUIRE(l.err == OK);
	ktime deadline = ktime_add(clock_now(), 20 * NS_PER_MS);
	ST_CHECK(tcp_accept(l.value, deadline).err == ERR_TIMEDOUT);
	ST_CHECK(!ktime_before(clock_now(), deadline));
	ST_CHECK(tcp_accept(l.value, KTIME_ZERO).err == ERR_AGAIN);
	tcp_listener_close(l.value);
}

/* One thread, many connections, each echoed by this same thread when the set says so. */
SELFTEST(tcp_pollset_serves_many)
{
	static struct tcp_conn *clients[POLLED], *served[POLLED];
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, PORT, POLLED);
	ST_REQUIRE(l.err == OK);
	struct tcp_pollset *set = tcp_pollset_create();
	ST_REQUIRE(set != NULL);
	tcp_pollset_add_listener(set, l.value, NULL);
	for (int i = 0; i < POLLED; i++) {
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, PORT, in_seconds(30));
		ST_REQUIRE(c.err == OK);
		clients[i] = c.value;
		ST_CHECK(tcp_send(c.value, rbuf_of_str(S("x")), 0, in_seconds(30)).value == 1);
	}
	int accepted = 0, echoed = 0;
	while (echoed < POLLED) {
		struct tcp_ready r[4];
		struct size_result n = tcp_pollset_wait(set, r, 4, in_seconds(30));
		ST_REQUIRE(n.err == OK);
		for (size_t i = 0; i < n.value; i++) {
			uint8_t b;
			if (!r[i].cookie) {
				struct tcp_conn_result c = tcp_accept(l.value, KTIME_ZERO);
				ST_REQUIRE(c.err == OK && accepted < POLLED);
				served[accepted++] = c.value;
				tcp_pollset_add(set, c.value, TCP_READY_IN, c.value);
			} else if (tcp_recv(r[i].cookie, wbuf_of(&b, 1), KTIME_ZERO).err == OK) {
				ST_CHECK(tcp_send(r[i].cookie, rbuf_of(&b, 1), 0, KTIME_ZERO).value == 1);
				echoed++;
			}
		}
	}
	for (int i = 0; i < POLLED; i++) {
		uint8_t b = 0;
		ST_CHECK(tcp_recv(clients[i], wbuf_of(&b, 1), in_seconds(30)).value == 1 && b == 'x');
		tcp_close(clients[i]);
		tcp_close(served[i]);
	}
	tcp_listener_close(l.value);
	tcp_pollset_destroy(set);
}
