/*
 * exhaust_selftest.c - lesson 15: every pool that a peer or a program can empty is
 * emptied; the refusal is an error and is counted, and afterwards all is as before.
 * Here: files, connections, their buffers, clients of the web server. Threads, stacks,
 * pages, packets and callouts have theirs beside their other tests.
 */
#include "kernel/diag/selftest.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "tests/kernel/sync_selftest.h"

#define PORT        7
#define PORT_CLOSED 9
#define SPARE       (32 * CPU_MAX) /* what a pool may have beyond its capacity */
#define HANDLES     (CONFIG_TCP_CONNECTIONS + SPARE)
#define PAIRS       (2 * CONFIG_TCP_TX_BUFFERS * 2048 / CONFIG_TCP_TX_BYTES)

static struct tcp_conn *exhaust_conn[HANDLES];

static ktime in_seconds(int64_t s)
{
	return ktime_add(clock_now(), s * NS_PER_S);
}

static struct pool_stats exhaust_pool(struct str name)
{
	struct pool_stats s;
	for (size_t i = 0; pool_stats_at(i, &s); i++)
		if (str_eq(s.name, name))
			return s;
	ST_CHECK(false);
	return (struct pool_stats){0};
}

/* What is still on its way out comes back by itself. */
static bool exhaust_is_back(struct str pool, size_t used)
{
	ktime until = in_seconds(60);
	while (exhaust_pool(pool).used > used) {
		if (ktime_before(until, clock_now()))
			return false;
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
	}
	return true;
}

SELFTEST(exhaust_files)
{
	static struct file *held[CONFIG_FILES_MAX + SPARE];
	struct pool_stats before = exhaust_pool(S("file"));
	for (int round = 0; round < 2; round++) {
		struct file_result f = {0};
		size_t n = 0;
		while (n < countof(held) && (f = vfs_open(S("/dev/null"), OPEN_READ)).err == OK)
			held[n++] = f.value;
		ST_CHECK(f.err == ERR_NFILE && n + before.used >= CONFIG_FILES_MAX);
		ST_CHECK(exhaust_pool(S("file")).failures > before.failures + (uint64_t)round);
		while (n)
			vfs_close(held[--n]);
		ST_CHECK(exhaust_pool(S("file")).used == before.used);
	}
}

static bool echo_works(void)
{
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, PORT, 1);
	if (l.err != OK)
		return false;
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, PORT, in_seconds(60));
	struct tcp_conn_result s = tcp_accept(l.value, in_seconds(c.err == OK ? 60 : 0));
	bool ok = c.err == OK && s.err == OK;
	if (ok) {
		uint8_t got[5];
		ok = tcp_send(c.value, rbuf_of_str(S("hello")), 0, in_seconds(60)).value == 5 &&
			tcp_recv(s.value, wbuf_of(got, 5), in_seconds(60)).value == 5 &&
			memcmp(got, "hello", 5) == 0;
	}
	if (c.err == OK)
		tcp_close(c.value);
	if (s.err == OK)
		tcp_close(s.value);
	tcp_listener_close(l.value);
	return ok;
}

/* Each handle is kept, whatever has become of its connection. */
SELFTEST(exhaust_tcp_connections)
{
	size_t used = exhaust_pool(S("tcp_conn")).used;
	uint64_t refused = tcp_counter(TCP_REFUSED_CONNECTIONS);
	struct tcp_conn_result c = {0};
	size_t n = 0;
	while (n < HANDLES) {
		c = tcp_connect(IPV4_LOOPBACK, PORT_CLOSED, KTIME_ZERO);
		if (c.err != OK)
			break;
		exhaust_conn[n++] = c.value;
	}
	ST_CHECK(n < HANDLES && c.err == ERR_NFILE);
	ST_CHECK(n + used >= CONFIG_TCP_CONNECTIONS);
	ST_CHECK(tcp_counter(TCP_REFUSED_CONNECTIONS) > refused);
	while (n)
		tcp_abort(exhaust_conn[--n]);
	ST_CHECK(exhaust_is_back(S("tcp_conn"), used));
	ST_CHECK(echo_works());
}

/* Clients that send and servers that do not read, until both kinds of buffers were refused to somebody. */
static bool exhaust_buffers_refused(size_t pairs)
{
	static uint8_t bytes[4096];
	uint64_t tx = tcp_counter(TCP_REFUSED_TX_BUFFERS), rx = tcp_counter(TCP_REFUSED_RX_BUFFERS);
	ktime until = in_seconds(60);
	while (tcp_counter(TCP_REFUSED_TX_BUFFERS) == tx || tcp_counter(TCP_REFUSED_RX_BUFFERS) == rx) {
		for (size_t i = 0; i < pairs; i++) {
			struct size_result n =
				tcp_send(exhaust_conn[2 * i], rbuf_of(bytes, sizeof(bytes)), 0, KTIME_ZERO);
			ST_CHECK(n.err == OK || n.err == ERR_AGAIN || n.err == ERR_NOBUFS);
		}
		if (ktime_before(until, clock_now()) || sleep_ns(NS_PER_MS) != OK)
			return false;
	}
	return true;
}

SELFTEST(exhaust_tcp_buffers)
{
	size_t rx = exhaust_pool(S("tcp_rx_buf")).used, tx = exhaust_pool(S("tcp_tx_buf")).used;
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, PORT, PAIRS);
	ST_REQUIRE(l.err == OK);
	size_t n = 0;
	for (; n < PAIRS; n++) {
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, PORT, in_seconds(60));
		struct tcp_conn_result s = tcp_accept(l.value, in_seconds(60));
		ST_REQUIRE(c.err == OK && s.err == OK);
		exhaust_conn[2 * n] = c.value;
		exhaust_conn[2 * n + 1] = s.value;
	}
	ST_CHECK(exhaust_buffers_refused(n));
	while (n--) {
		tcp_abort(exhaust_conn[2 * n]);
		tcp_abort(exhaust_conn[2 * n + 1]);
	}
	tcp_listener_close(l.value);
	ST_CHECK(exhaust_is_back(S("tcp_rx_buf"), rx) && exhaust_is_back(S("tcp_tx_buf"), tx));
	ST_CHECK(echo_works());
}

#ifdef CONFIG_WEB
static bool web_says(struct tcp_conn *c, struct str beginning, ktime deadline)
{
	uint8_t bytes[32];
	struct size_result n = tcp_recv(c, wbuf_of(bytes, sizeof(bytes)), deadline);
	return n.err == OK && str_starts(str_of((const char *)bytes, n.value), beginning);
}

static bool web_serves(void)
{
	static const char request[] = "GET /api/arp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, in_seconds(60));
	if (c.err != OK)
		return false;
	bool ok = tcp_send(c.value, rbuf_of(request, sizeof(request) - 1), 0, in_seconds(60)).err == OK &&
		web_says(c.value, S("HTTP/1.1 200 "), in_seconds(60));
	tcp_close(c.value);
	return ok;
}

static bool web_refused_one(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (web_says(exhaust_conn[i], S("HTTP/1.1 503 "), KTIME_ZERO))
			return true;
	return false;
}

/* Clients that say nothing hold all places: the next one is told so, and they cost nobody anything later. */
SELFTEST(exhaust_web_clients)
{
	size_t used = exhaust_pool(S("http_conn")).used;
	size_t n = 0, places = CONFIG_WEB_CONNECTIONS + SPARE;
	while (n < min(places, (size_t)CONFIG_TCP_PER_PEER - 1)) {
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, in_seconds(60));
		ST_REQUIRE(c.err == OK);
		exhaust_conn[n++] = c.value;
	}
	ktime until = in_seconds(60);
	bool told = false;
	while (!(told = web_refused_one(n)) && ktime_before(clock_now(), until))
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
	ST_CHECK(told && n > CONFIG_WEB_CONNECTIONS);
	while (n)
		tcp_close(exhaust_conn[--n]);
	ST_CHECK(exhaust_is_back(S("http_conn"), used));
	ST_CHECK(web_serves());
}
#endif
