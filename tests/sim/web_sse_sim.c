/*
 * web_sse_sim.c - streams of events over TCP, without a kernel: what is pushed and when, coming again,
 * heartbeats, ends, clients that do not read. Time is virtual.
 */
#include "tests/sim/web_world.h"

/* What has come without the framing of chunks, which must be whole; the last chunk is taken for nothing. */
static struct str stream_text(const struct client *c)
{
	static char text[sizeof(one.bytes)];
	size_t len = 0;
	struct str rest = client_text(c);
	rest = str_slice(rest, str_find(rest, S("\r\n\r\n")) + 4, rest.len);
	while (rest.len) {
		size_t line = str_find(rest, S("\r\n"));
		struct u64_result size = str_to_u64(str_slice(rest, 0, line), 16);
		CHECK_EQ(size.err, OK);
		rest = str_slice(rest, line + 2, rest.len);
		memcpy(text + len, rest.ptr, size.value);
		len += size.value;
		CHECK(str_starts(str_slice(rest, size.value, rest.len), S("\r\n")));
		rest = str_slice(rest, size.value + 2, rest.len);
	}
	return str_of(text, len);
}

static size_t stream_count(const struct client *c, struct str what)
{
	size_t n = 0;
	struct str text = stream_text(c);
	for (size_t i = 0; i + what.len <= text.len; i++)
		n += str_starts(str_slice(text, i, text.len), what);
	return n;
}

TEST(web_sim_stream_pushes_once_a_second)
{
	web_begin();
	world_records = 10;
	ask(S(GET("/api/events")), 10 * NS_PER_S);
	CHECK(str_starts(stream_text(&one), S("retry: 1000\nid: 10\n\n")));
	size_t n = stream_count(&one, S("event: stats\ndata: {0123456789"));
	CHECK(n >= 9 && n <= 10);
	CHECK_EQ(stream_count(&one, S("event: log\n")), 0);
	world_records = 13;
	client_wait(&one, 2 * NS_PER_S);
	CHECK_EQ(stream_count(&one, S("event: log\n")), 2);
	CHECK_EQ(stream_count(&one, S("\n\nid: 11\nevent: log\ndata: {\"seq\":11,\"text\":\"")), 1);
	CHECK_EQ(stream_count(&one, S("id: 12\n")), 0); /* beyond the level */
	client_close(&one);
	world_serve_for(2 * NS_PER_S);
	CHECK_EQ(web_streams_open(), 0);
	web_end();
}

TEST(web_sim_stream_of_what_is_no_kind)
{
	web_begin();
	ask(S(GET("/api/events?only=nothing") GET("/api/events?only=log%") GET("/api/events?only=log%zz")
	      GET("/api/events?only=loglogloglogloglogloglog") GET("/api/events?only=")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 400 ")), 5);
	CHECK_EQ(web_streams_open(), 0);
	client_close(&one);
	web_end();
}

/* Who comes again hears each record once, in order, and how many the ring has lost. */
TEST(web_sim_stream_resumes_and_tells_a_gap)
{
	web_begin();
	world_records = 1000;
	ask(S("GET /api/events?only=log&last=1 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 700\r\n\r\n"), 3 * NS_PER_S);
	CHECK(str_starts(stream_text(&one), S("retry: 1000\nid: 700\n\nid: 744\nevent: gap\ndata: {\"since\":700,\"lost\":44}\n\nid: 745\n")));
	CHECK_EQ(stream_count(&one, S("event: gap\n")), 1);
	CHECK_EQ(stream_count(&one, S("event: stats\n")), 0);
	size_t at = 0;
	struct str text = stream_text(&one);
	for (uint64_t seq = 745; seq <= 1000; seq++) {
		uint8_t bytes[32];
		struct abuf id = abuf_of(bytes, sizeof(bytes));
		fmt(&id, "id: %llu\nevent: log\n", (unsigned long long)seq);
		size_t found = str_find(str_slice(text, at, text.len), abuf_str(&id));
		CHECK_EQ(found < text.len - at, seq % 4 != 0);
		at += seq % 4 ? found : 0;
	}
	client_close(&one);
	world_records = 5; /* a restart: his ids are from another life */
	ask(S("GET /api/events?only=log HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 700\r\n\r\n"), 2 * NS_PER_S);
	CHECK_EQ(stream_count(&one, S("event: log\n")), 4);
	CHECK_EQ(stream_count(&one, S("event: gap\n")), 0);
	client_close(&one);
	web_end();
}

TEST(web_sim_quiet_stream_has_heartbeats)
{
	web_begin();
	world_records = 0;
	ask(S(GET("/api/events?only=log")), WEB_STREAM_BEAT_NS - 2 * NS_PER_S);
	CHECK_STR(stream_text(&one), S("retry: 1000\n\n"));
	client_wait(&one, 4 * NS_PER_S);
	CHECK_STR(stream_text(&one), S("retry: 1000\n\n:\n\n"));
	client_wait(&one, 100 * NS_PER_S);
	size_t n = stream_count(&one, S("\n:\n\n"));
	CHECK(n >= 9 && n <= 11);
	CHECK_EQ(one.err, OK);
	client_close(&one);
	web_end();
}

/* Counted to its end the connection goes on, with what was asked behind the stream. */
TEST(web_sim_stream_that_ends)
{
	web_begin();
	ask(S(GET("/api/sse/test?count=1000") GET("/small")), 2 * NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), 2);
	CHECK_EQ(client_count(&one, S("id: 1000\ndata: 1000\n\n\r\n0\r\n\r\nHTTP/1.1 200 ")), 1);
	CHECK_EQ(client_count(&one, S("\ndata: ")), 1000);
	CHECK_EQ(one.err, OK);
	client_close(&one);
	ask(S("GET /api/sse/test?count=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("\r\n\r\nretry: 1000\n\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n")), 1);
	CHECK_EQ(client_count(&one, S("Connection: close\r\n")), 1);
	CHECK_EQ(one.err, ERR_PIPE);
	client_close(&one);
	ask(S("HEAD /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n" GET("/api/sse/test?count=3&last=3")
	      GET("/small")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), 2);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 204 ")), 1);
	CHECK_EQ(web_streams_open(), 0);
	client_close(&one);
	web_end();
}

/* For lack of references it ends in a sweep, which goes on with another one: the one that was asked for behind it. */
TEST(web_sim_stream_that_ends_in_a_sweep)
{
	web_begin();
	client_open(&one);
	world_dry_pool = S("tcp_ref");
	client_say(&one, S(GET("/api/sse/test?count=100") GET("/api/sse/test")));
	client_wait(&one, 3 * NS_PER_S);
	CHECK_EQ(client_count(&one, S("data: ")), 0);
	CHECK_EQ(web_streams_open(), 1);
	world_dry_pool = STR_EMPTY;
	client_wait(&one, 5 * NS_PER_S);
	CHECK_EQ(client_count(&one, S("id: 100\ndata: 100\n\n\r\n0\r\n\r\nHTTP/1.1 200 ")), 1);
	CHECK_EQ(client_count(&one, S("id: 3\n")), 2);
	CHECK_EQ(web_streams_open(), 1);
	client_close(&one);
	web_end();
}

/* Half closed he hears on; gone, the heartbeat that answers his end finds it out, however quiet the stream is. */
TEST(web_sim_stream_of_a_half_closed_client)
{
	web_begin();
	client_open(&one);
	client_say(&one, S(GET("/api/sse/test")));
	CHECK_EQ(tcp_shutdown(one.tcp), OK);
	client_wait(&one, 5 * NS_PER_S);
	CHECK_EQ(one.err, OK);
	CHECK(stream_count(&one, S("data: ")) >= 5);
	CHECK_EQ(stream_count(&one, S("\n:\n\n")), 1);
	tcp_abort(one.tcp);
	world_serve_for(NS_PER_MS);
	CHECK_EQ(web_streams_open(), 0);
	world_records = 0;
	for (int asks_more = 0; asks_more < 2; asks_more++) {
		ask(asks_more ? S(GET("/api/events?only=log") GET("/small")) : S(GET("/api/events?only=log")), NS_PER_S);
		CHECK_EQ(web_streams_open(), 1);
		client_close(&one);
		world_serve_for(asks_more ? WEB_STREAM_BEAT_NS : 10 * NS_PER_MS);
		CHECK_EQ(web_streams_open(), 0);
	}
	web_end();
}

#define SOCKET_GET                                                                                 \
	"GET /api/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"  \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

TEST(web_sim_streams_and_sockets_share_a_document)
{
	web_begin();
	static struct tcp_conn *held[CONFIG_WEB_STREAMS];
	uint64_t refused = web_counter(WEB_REFUSED_STREAMS);
	size_t most = 0;
	for (size_t i = 0; i < countof(held); i++) {
		ask(S(GET("/api/events")), NS_PER_MS);
		held[i] = one.tcp;
	}
	CHECK_EQ(web_streams_open(), CONFIG_WEB_STREAMS);
	ask(S(GET("/api/events") GET("/small")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	CHECK_EQ(web_counter(WEB_REFUSED_STREAMS), refused + 1);
	client_close(&one);
	ask(S(SOCKET_GET), NS_PER_MS);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 101 ")), 1);
	for (int i = 0; i < 300; i++) {
		world_serve_for(10 * NS_PER_MS);
		most = max(most, world_pages);
	}
	CHECK(most <= 3 * CONFIG_WEB_WORKERS);
	for (size_t i = 0; i < countof(held); i++)
		tcp_abort(held[i]);
	client_close(&one);
	world_serve_for(NS_PER_S);
	CHECK_EQ(web_streams_open(), 0);
	web_end();
}

/* Whoever opens a socket, or comes back to it, is shown figures without waiting for the next sweep. */
TEST(web_sim_socket_pushes_at_once)
{
	struct rbuf content;
	web_begin();
	ask(S(GET("/small")), NS_PER_MS); /* the first connection of an idle worker is followed by a sweep */
	client_close(&one);
	uint64_t sent = web_counter(WEB_SOCKET_PUSHED);
	ask(S(SOCKET_GET), 20 * NS_PER_MS);
	socket_at = str_find(client_text(&one), S("\r\n\r\n")) + 4;
	CHECK_EQ(socket_frames(0x81, &content), 1);
	CHECK_EQ(content.len, 9002);
	CHECK_EQ(web_counter(WEB_SOCKET_PUSHED), sent + 1);
	client_close(&one);
	web_end();
}

/* Behind, he gets fewer pushes and nothing is queued; deaf, he is reset. */
TEST(web_sim_stream_that_is_not_read_is_reset)
{
	web_begin();
	uint64_t timeouts = web_counter(WEB_TIMEOUTS), skipped = web_counter(WEB_STREAM_SKIPPED);
	struct str request = S(GET("/api/events"));
	struct stranger p = stranger_open(0x0a000001, 2000);
	world_records = 0;
	world_serve_for(0);
	p.wnd = 1000;
	stranger_send(&p, TCP_ACK, 0, rbuf_of_str(request));
	world_serve_for(0);
	CHECK_EQ(web_streams_open(), 1);
	size_t most = 0;
	int s = 0;
	for (; s < 60 && web_streams_open(); s++) {
		p.wnd = 0;
		stranger_send(&p, TCP_ACK, (int32_t)request.len, rbuf_of(NULL, 0));
		world_records += 20;
		world_serve_for(NS_PER_S);
		most = max(most, world_pages);
	}
	CHECK(s > 15 && s < 30);
	CHECK(most <= 3);
	CHECK_EQ(web_counter(WEB_TIMEOUTS), timeouts + 1);
	CHECK(web_counter(WEB_STREAM_SKIPPED) > skipped + 10);
	web_end();
}

/* Lack of memory costs pushes and time, no record and not the stream. */
TEST(web_sim_stream_outlives_a_lack_of_memory)
{
	web_begin();
	world_records = 0;
	ask(S(GET("/api/events")), 2 * NS_PER_S);
	world_no_pages = true;
	world_records = 3;
	client_wait(&one, 5 * NS_PER_S);
	size_t n = stream_count(&one, S("event: stats\n"));
	CHECK_EQ(stream_count(&one, S("event: log\n")), 0);
	world_no_pages = false;
	client_wait(&one, 3 * NS_PER_S);
	CHECK_EQ(stream_count(&one, S("event: log\n")), 3);
	CHECK(stream_count(&one, S("event: stats\n")) >= n + 2);
	CHECK_EQ(one.err, OK);
	client_close(&one);
	web_end();
}
