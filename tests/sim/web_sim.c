/*
 * web_sim.c - the web server over TCP, without a kernel: clients that pipeline, dawdle,
 * do not read, come in too great a number or end in the middle. Time is virtual,
 * so that every timeout is waited for.
 */
#include "tests/sim/web_world.h"

TEST(web_sim_answers_and_keeps_the_connection)
{
	web_begin();
	client_open(&one);
	for (size_t i = 1; i < 4; i++) {
		client_say(&one, S(GET("/small")));
		client_wait(&one, NS_PER_S);
		CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), i);
	}
	client_say(&one, S("GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
	client_wait(&one, 5 * NS_PER_S);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK(one.len > WORLD_FILE_BYTES);
	CHECK_MEM(one.bytes + one.len - WORLD_FILE_BYTES, world_file, WORLD_FILE_BYTES);
	client_close(&one);
	web_end();
}

/* More than a turn's worth in one segment: the worker comes back to the rest by itself. */
TEST(web_sim_pipelined_requests_are_all_answered)
{
	web_begin();
	client_open(&one);
	for (int i = 0; i < 10 * WEB_TURN_REQUESTS; i++)
		client_say(&one, i % 10 == 7 ? S(GET("/api/klog")) : S(GET("/small")));
	client_wait(&one, 2 * NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), 10 * WEB_TURN_REQUESTS);
	client_close(&one);
	web_end();
}

/* ---- a full server ---- */

TEST(web_sim_full_server_says_503)
{
	web_begin();
	static struct tcp_conn *held[CONFIG_WEB_CONNECTIONS];
	uint64_t refused = web_counter(WEB_REFUSED_FULL);
	for (size_t i = 0; i < countof(held); i++) {
		client_open(&one);
		client_say(&one, S("GET"));
		held[i] = one.tcp;
	}
	for (int late = 0; late < 2; late++) {
		struct tcp_conn_result r = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, KTIME_ZERO);
		CHECK_EQ(r.err, OK);
		one.tcp = r.value;
		one.err = OK;
		one.len = 0;
		/* The request is there before the server looks, or comes behind its answer. */
		if (late)
			world_serve_for(NS_PER_MS);
		else
			while (world_turn(world_now))
				;
		client_say(&one, S(GET("/large")));
		client_wait(&one, NS_PER_S);
		CHECK_EQ(one.err, ERR_PIPE);
		CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
		CHECK_EQ(client_count(&one, S("\r\nDate: ")), 1);
		client_close(&one);
	}
	CHECK_EQ(web_counter(WEB_REFUSED_FULL), refused + 2);
	for (size_t i = 0; i < countof(held); i++)
		tcp_abort(held[i]);
	world_serve_for(NS_PER_S);
	client_open(&one);
	client_say(&one, S(GET("/small")));
	client_wait(&one, NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), 1);
	client_close(&one);
	web_end();
}

/* Whoever comes for each file anew is not refused because his last one is on its way still. */
TEST(web_sim_last_replies_on_their_way_take_no_place)
{
	web_begin();
	static struct tcp_conn *held[CONFIG_WEB_CONNECTIONS];
	uint64_t refused = web_counter(WEB_REFUSED_FULL);
	for (size_t i = 0; i < countof(held); i++) {
		client_open(&one);
		client_say(&one, S("GET /large HTTP/1.0\r\n\r\n"));
		world_serve_for(10 * NS_PER_MS);
		held[i] = one.tcp;
	}
	client_open(&one);
	client_say(&one, S(GET("/small")));
	client_wait(&one, NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), 1);
	CHECK_EQ(web_counter(WEB_REFUSED_FULL), refused);
	client_close(&one);
	for (size_t i = 0; i < countof(held); i++)
		tcp_abort(held[i]);
	web_end();
}

/* ---- clients that do not read, or slowly ---- */

TEST(web_sim_clients_that_do_not_read_are_reset)
{
	web_begin();
	uint64_t timeouts = web_counter(WEB_TIMEOUTS);
	struct stranger p[64];
	struct str request = S(GET("/api/klog"));
	for (uint16_t i = 0; i < countof(p); i++) {
		p[i] = stranger_open(0x0a000001, (uint16_t)(2000 + i));
		world_serve_for(0);
		p[i].wnd = 0;
		stranger_send(&p[i], TCP_ACK, 0, rbuf_of_str(request));
		world_serve_for(0);
	}
	CHECK(world_pages > 0);
	/* Each probe is answered: the window is still shut. */
	for (int s = 0; s < 30; s++) {
		world_serve_for(NS_PER_S);
		for (size_t i = 0; i < countof(p); i++)
			stranger_send(&p[i], TCP_ACK, (int32_t)request.len, rbuf_of(NULL, 0));
	}
	struct tcp_stats st;
	tcp_stats(&st);
	CHECK_EQ(st.connections, 0);
	CHECK_EQ(world_pages, 0);
	CHECK_EQ(web_counter(WEB_TIMEOUTS), timeouts + countof(p));
	web_end();
}

/* A byte now and then is no download. */
TEST(web_sim_a_reply_has_an_end)
{
	web_begin();
	struct stranger p = stranger_open(0x0a000001, 2000);
	struct str request = S(GET("/api/klog"));
	world_serve_for(0);
	p.wnd = 1;
	stranger_send(&p, TCP_ACK, 0, rbuf_of_str(request));
	ktime began = world_now;
	struct tcp_stats st;
	do {
		world_serve_for(10 * NS_PER_S);
		p.ack = seq_add(p.ack, 1);
		stranger_send(&p, TCP_ACK, (int32_t)request.len, rbuf_of(NULL, 0));
		tcp_stats(&st);
		CHECK(ktime_diff(world_now, began) < 600 * NS_PER_S);
	} while (st.connections > 0);
	CHECK_EQ(world_pages, 0);
	web_end();
}

/* Far longer than any timeout, and the connection goes on behind it. */
TEST(web_sim_slow_download_is_not_cut)
{
	web_begin();
	for (int close = 0; close < 2; close++) {
		client_open(&one);
		client_say(&one, close ? S("GET /large HTTP/1.0\r\n\r\n") : S(GET("/large")));
		for (int s = 0; s < 120 && one.len <= WORLD_FILE_BYTES; s++) {
			world_serve_for(NS_PER_S);
			client_take(&one, 6000); /* the last 64 KiB lie in his window within WEB_IDLE_NS */
		}
		client_wait(&one, 2 * NS_PER_S);
		CHECK(one.len > WORLD_FILE_BYTES);
		CHECK_MEM(one.bytes + one.len - WORLD_FILE_BYTES, world_file, WORLD_FILE_BYTES);
		CHECK_EQ(one.err, close ? ERR_PIPE : OK);
		if (!close) {
			client_say(&one, S(GET("/small")));
			client_wait(&one, NS_PER_S);
			CHECK_EQ(client_count(&one, S("HTTP/1.1 200 OK\r\n")), 2);
		}
		client_close(&one);
	}
	web_end();
}

/* ---- clients that do not speak ---- */

TEST(web_sim_silence_has_its_timeouts)
{
	web_begin();
	uint64_t timeouts = web_counter(WEB_TIMEOUTS);
	client_open(&one); /* says nothing: closed in silence */
	client_wait(&one, WEB_IDLE_NS - 2 * NS_PER_S);
	CHECK_EQ(one.err, OK);
	client_wait(&one, 4 * NS_PER_S);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(one.len, 0);
	client_close(&one);
	client_open(&one); /* a byte now and then is no request: 408 */
	for (int s = 0; s < 8; s++) {
		client_say(&one, S("G"));
		client_wait(&one, NS_PER_S);
		CHECK_EQ(one.len, 0);
	}
	client_wait(&one, 5 * NS_PER_S);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 408 ")), 1);
	CHECK_EQ(web_counter(WEB_TIMEOUTS), timeouts + 1);
	client_close(&one);
	web_end();
}

/* ---- what a request may be, and what its client still gets ---- */

/* Refused with its body read, or before it comes: the next request on the connection is understood. */
TEST(web_sim_refused_bodies_do_not_become_requests)
{
	web_begin();
	ask(S("POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
	      "10\r\nGET / HTTP/1.1\r\n\r\n0\r\n\r\n" GET("/small")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 405 ")), 1);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 ")), 2);
	client_close(&one);
	ask(S("POST /small HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
		NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 100 ")), 0);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 405 ")), 1);
	CHECK_EQ(one.err, ERR_PIPE); /* whether the body comes is not known */
	client_close(&one);
	ask(S("GET /small HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
		NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 100 Continue\r\n\r\n")), 1);
	client_say(&one, S("12345" GET("/none")));
	client_wait(&one, NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 404 ")), 1);
	client_close(&one);
	web_end();
}

/* 413 while the client goes on sending: it gets the answer, whole, and an end in order. */
TEST(web_sim_too_large_is_answered_while_it_comes)
{
	web_begin();
	ask(S("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"), 0);
	for (size_t sent = 0; sent < 200000;) {
		struct size_result n = tcp_send(one.tcp, rbuf_of(world_file + sent, 200000 - sent), 0, KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN);
		sent += n.err == OK ? n.value : 0;
		world_serve_for(NS_PER_MS);
	}
	client_wait(&one, NS_PER_S);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 413 ")), 1);
	CHECK(one.bytes[one.len - 1] == '\n' && one.bytes[one.len - 2] == '}');
	client_close(&one);
	web_end();
}

/* A reply to HEAD ends with its head, whatever it says. */
TEST(web_sim_head_has_no_content)
{
	static const struct str requests[] = {
		STR_INIT("HEAD /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
		STR_INIT("HEAD /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
		STR_INIT("HEAD /small HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n"),
		STR_INIT("HEAD /small HTTP/1.1\r\n\r\n"),
		STR_INIT("HEAD /small HTTP/1.1\r\nHost: loc"), /* and no more: 408 */
	};
	web_begin();
	for (size_t i = 0; i < countof(requests); i++) {
		ask(requests[i], 2 * WEB_HEAD_NS);
		CHECK_EQ(client_count(&one, S("HTTP/1.1 ")), 1);
		CHECK_STR(str_of((char *)one.bytes + one.len - 4, 4), S("\r\n\r\n"));
		client_close(&one);
	}
	web_end();
}

/* Of a file that is not what was asked for: why, instead of its content. */
TEST(web_sim_failed_conditions_are_problems)
{
	web_begin();
	size_t pages = world_pages;
	ask(S("GET /small HTTP/1.1\r\nHost: localhost\r\nIf-Match: \"a\"\r\nConnection: close\r\n\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 412 ")), 1);
	CHECK_EQ(client_count(&one, S("\"status\":412")), 1);
	CHECK_EQ(client_count(&one, S("Content-Type: application/problem+json\r\n")), 1);
	client_close(&one);
	ask(S("GET /small HTTP/1.1\r\nHost: localhost\r\nRange: bytes=100-\r\nConnection: close\r\n\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 416 ")), 1);
	CHECK_EQ(client_count(&one, S("\"status\":416")), 1);
	CHECK_EQ(client_count(&one, S("Content-Range: bytes */100\r\n")), 1);
	client_close(&one);
	ask(S("GET /api/stats HTTP/1.1\r\nHost: localhost\r\nIf-Match: \"a\"\r\n\r\n"
	      "GET /api/stats HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("\"status\":412")), 1);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 304 ")), 1);
	client_close(&one);
	world_serve_for(TCP_DRAIN_NS + NS_PER_S);
	CHECK_EQ(world_pages, pages);
	CHECK_EQ(world_file_mem.refs, 1);
	web_end();
}

static unsigned renderings(struct str request)
{
	unsigned before = world_klog_rendered;
	ask(request, NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	client_close(&one);
	return world_klog_rendered - before;
}

/* How large a block it takes shows the first time; a smaller one does not go on taking the room of a large one. */
TEST(web_sim_documents_are_rendered_once)
{
	static const struct str small = STR_INIT("GET /api/klog?100 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	web_begin();
	for (int i = 0; i < 4; i++) /* whatever was asked for before */
		(void)renderings(small);
	CHECK_EQ(renderings(S(GET("/api/klog"))), 3);
	CHECK_EQ(renderings(S(GET("/api/klog"))), 1);
	CHECK_EQ(client_count(&one, S("Content-Length: 50000\r\n")), 1);
	CHECK_EQ(renderings(small), 1);
	CHECK_EQ(renderings(small), 1);
	CHECK_EQ(*web_route_hint(web_route_find(S("/api/klog"))), 0);
	CHECK_EQ(renderings(S(GET("/api/klog"))), 3);
	web_end();
}

/* Who has said all and still reads gets all. */
TEST(web_sim_half_closed_client_gets_its_reply)
{
	web_begin();
	client_open(&one);
	client_say(&one, S(GET("/small") GET("/large")));
	CHECK_EQ(tcp_shutdown(one.tcp), OK);
	for (int s = 0; s < 60 && one.err == OK; s++) {
		world_serve_for(NS_PER_S);
		client_take(&one, 6000);
	}
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 2);
	CHECK_MEM(one.bytes + one.len - WORLD_FILE_BYTES, world_file, WORLD_FILE_BYTES);
	client_close(&one);
	web_end();
}

/* Both windows shut: a client that asks on and on and reads nothing holds a bounded amount, and not for long. */
TEST(web_sim_client_that_only_asks)
{
	web_begin();
	client_open(&one);
	size_t most = 0, peak = 0;
	for (int i = 0; i < 5000; i++) {
		struct size_result n = tcp_send(one.tcp, rbuf_of_str(S(GET("/api/klog"))), 0, KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN);
		world_serve_for(NS_PER_MS);
		most = max(most, world_pages);
		peak = max(peak, world_pools_used());
	}
	CHECK(most <= 4);
	CHECK(peak < 200);
	world_serve_for(WEB_SEND_NS);
	client_take(&one, SIZE_MAX);
	CHECK_EQ(one.err, ERR_CONNRESET);
	client_close(&one);
	web_end();
}

/* ---- a machine short of memory ---- */

/* Not even one send buffer: the reply waits for better times, without turning; without them it ends. */
TEST(web_sim_without_send_buffers_waits)
{
	web_begin();
	for (int better = 0; better < 2; better++) {
		client_open(&one);
		client_say(&one, S(GET("/small")));
		world_dry_pool = S("tcp_tx_buf");
		client_wait(&one, 3 * NS_PER_S);
		CHECK_EQ(one.len, 0);
		CHECK_EQ(one.err, OK);
		if (better)
			world_dry_pool = STR_EMPTY;
		client_wait(&one, better ? 2 * NS_PER_S : WEB_SEND_NS);
		world_dry_pool = STR_EMPTY;
		CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), (size_t)better);
		CHECK_EQ(one.err, better ? OK : ERR_CONNRESET);
		client_close(&one);
	}
	web_end();
}

/* ---- WebSocket ---- */

#define SOCKET_GET "GET /api/ws HTTP/1.1\r\n" SOCKET_FIELDS

static void socket_open(void)
{
	ask(S(SOCKET_GET), NS_PER_MS);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 101 ")), 1);
	socket_at = str_find(client_text(&one), S("\r\n\r\n")) + 4;
	CHECK(str_ends(str_of(one.bytes, socket_at), S("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")));
}

TEST(web_sim_socket_pushes_once_a_second)
{
	struct rbuf content;
	web_begin();
	uint64_t sent = web_counter(WEB_SOCKET_PUSHED);
	socket_open();
	client_wait(&one, 10 * NS_PER_S);
	size_t n = socket_frames(0x81, &content);
	CHECK(n >= 9 && n <= 11);
	CHECK_EQ(web_counter(WEB_SOCKET_PUSHED), sent + n);
	CHECK_EQ(content.len, 9002);
	CHECK(content.ptr[0] == '{' && content.ptr[9001] == '}');
	client_say(&one, S("\x89\x85" MASK "hello\x81\x83" MASK "abc"));
	client_wait(&one, 100 * NS_PER_MS);
	CHECK_EQ(socket_frames(0x8a, &content), 1);
	CHECK_STR(rbuf_str(content), S("hello"));
	client_say(&one, S("\x88\x82" MASK "\x03\xe8"));
	client_wait(&one, NS_PER_S);
	socket_closed_with(1000);
	web_end();
}

/* No close, no reset: he is counted, and what he was sent arrives. */
TEST(web_sim_socket_half_closed_ends_in_order)
{
	struct rbuf content;
	web_begin();
	uint64_t broken = web_counter(WEB_BROKEN);
	socket_open();
	client_say(&one, S("\x89\x81" MASK "a\x81\xfe\x01"));
	CHECK_EQ(tcp_shutdown(one.tcp), OK);
	client_wait(&one, 5 * NS_PER_S);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(socket_frames(0x8a, &content), 1);
	CHECK_EQ(web_counter(WEB_BROKEN), broken + 1);
	client_close(&one);
	web_end();
}

/* One document for all sockets of a worker, and nothing of it is left. */
TEST(web_sim_sockets_share_a_document)
{
	web_begin();
	static struct tcp_conn *held[CONFIG_WEB_SOCKETS];
	uint64_t refused = web_counter(WEB_REFUSED_SOCKETS);
	size_t most = 0;
	for (size_t i = 0; i < countof(held); i++) {
		socket_open();
		held[i] = one.tcp;
	}
	CHECK_EQ(web_sockets_open(), CONFIG_WEB_SOCKETS);
	ask(S(SOCKET_GET GET("/small")), NS_PER_S); /* the connection goes on */
	CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	CHECK_EQ(web_counter(WEB_REFUSED_SOCKETS), refused + 1);
	client_close(&one);
	for (int i = 0; i < 300; i++) {
		world_serve_for(10 * NS_PER_MS);
		most = max(most, world_pages);
	}
	CHECK(most <= 3 * CONFIG_WEB_WORKERS); /* nobody reads: what was pushed last, and the one before */
	for (size_t i = 0; i < countof(held); i++)
		tcp_abort(held[i]);
	world_serve_for(NS_PER_S);
	CHECK_EQ(web_sockets_open(), 0);
	socket_open();
	client_close(&one);
	web_end();
}

TEST(web_sim_silent_socket_is_left)
{
	struct rbuf content;
	web_begin();
	uint64_t silent = web_counter(WEB_SOCKETS_SILENT);
	for (int answers = 0; answers < 2; answers++) {
		socket_open();
		client_wait(&one, WEB_SOCKET_PING_NS - 2 * NS_PER_S);
		CHECK_EQ(socket_frames(0x89, &content), 0);
		client_wait(&one, 4 * NS_PER_S);
		CHECK_EQ(socket_frames(0x89, &content), 1);
		if (answers) {
			client_say(&one, S("\x8a\x80" MASK));
			client_wait(&one, WEB_SOCKET_PING_NS + WEB_SOCKET_PONG_NS - 2 * NS_PER_S);
			CHECK_EQ(socket_frames(0x89, &content), 2);
			CHECK_EQ(socket_frames(0x88, &content), 0);
		}
		/* Talk is no answer. */
		client_say(&one, S("\x81\x81" MASK "x\x89\x80" MASK));
		for (int i = 0; i < 12 && !socket_frames(0x88, &content); i++)
			client_wait(&one, NS_PER_S);
		CHECK_EQ(socket_frames(0x88, &content), 1);
		CHECK_EQ(one.err, OK); /* his close may come */
		if (answers)
			client_say(&one, S("\x88\x82" MASK "\x03\xe9"));
		client_wait(&one, answers ? NS_PER_S : WEB_SOCKET_LEAVE_NS + 2 * NS_PER_S);
		socket_closed_with(1001);
	}
	CHECK_EQ(web_counter(WEB_SOCKETS_SILENT), silent + 2);
	web_end();
}

/* His window is shut, or he pings and reads nothing: bounded, fewer pushes, then a reset. */
TEST(web_sim_socket_that_is_not_read_is_reset)
{
	web_begin();
	uint64_t timeouts = web_counter(WEB_TIMEOUTS), skipped = web_counter(WEB_SOCKET_SKIPPED);
	struct str request = S(SOCKET_GET);
	struct stranger p = stranger_open(0x0a000001, 2000);
	world_serve_for(0);
	p.wnd = 1000;
	stranger_send(&p, TCP_ACK, 0, rbuf_of_str(request));
	world_serve_for(0);
	CHECK_EQ(web_sockets_open(), 1);
	size_t most = 0, s = 0;
	for (; s < 60 && web_sockets_open(); s++) {
		p.wnd = 0;
		stranger_send(&p, TCP_ACK, (int32_t)request.len, rbuf_of(NULL, 0));
		world_serve_for(NS_PER_S);
		most = max(most, world_pages);
	}
	CHECK(s > 15 && s < 30);
	CHECK(most <= 2);
	CHECK_EQ(web_counter(WEB_TIMEOUTS), timeouts + 1);
	CHECK(web_counter(WEB_SOCKET_SKIPPED) > skipped + 10);
	web_end();
}

/* Our close finds no way out: it waits without turning, and the end of the connection is seen all the same. */
TEST(web_sim_socket_closes_behind_a_backlog)
{
	web_begin();
	struct str request = S(SOCKET_GET);
	for (uint16_t by_reset = 0; by_reset < 2; by_reset++) {
		struct stranger p = stranger_open(0x0a000001, (uint16_t)(2000 + by_reset));
		world_serve_for(0);
		p.wnd = 1000;
		stranger_send(&p, TCP_ACK, 0, rbuf_of_str(request));
		world_serve_for(3 * NS_PER_S);
		stranger_send(&p, TCP_ACK, (int32_t)request.len, rbuf_of_str(S("\xff\xff")));
		world_serve_for(3 * NS_PER_S);
		CHECK_EQ(web_sockets_open(), 1);
		if (by_reset)
			stranger_send(&p, TCP_RST, (int32_t)request.len + 2, rbuf_of(NULL, 0));
		world_serve_for(by_reset ? NS_PER_MS : WEB_SEND_NS);
		CHECK_EQ(web_sockets_open(), 0);
	}
	web_end();
}

/* What is due goes out when the client has taken enough, not only at the next sweep. */
TEST(web_sim_socket_answers_when_its_backlog_is_taken)
{
	web_begin();
	struct str request = S(SOCKET_GET), ping = S("\x89\x81" MASK "a");
	struct stranger p = stranger_open(0x0a000001, 2000);
	uint64_t before = web_counter(WEB_SENT_BYTES);
	world_serve_for(0);
	p.wnd = 1000;
	stranger_send(&p, TCP_ACK, 0, rbuf_of_str(request));
	world_serve_for(2500 * NS_PER_MS);
	stranger_send(&p, TCP_ACK, (int32_t)request.len, rbuf_of_str(ping));
	world_serve_for(NS_PER_MS);
	uint64_t sent = web_counter(WEB_SENT_BYTES) - before;
	CHECK(sent > 9000);
	p.wnd = 60000;
	for (int i = 0; i < 20; i++) { /* what has come until then */
		p.ack = seq_add(world_answer.seq, world_answer.len);
		stranger_send(&p, TCP_ACK, (int32_t)(request.len + ping.len), rbuf_of(NULL, 0));
		world_serve_for(NS_PER_MS);
	}
	CHECK_EQ(web_counter(WEB_SENT_BYTES) - before, sent + 3);
	stranger_send(&p, TCP_RST, (int32_t)(request.len + ping.len), rbuf_of(NULL, 0));
	web_end();
}

TEST(web_sim_socket_that_only_pings)
{
	web_begin();
	uint64_t timeouts = web_counter(WEB_TIMEOUTS);
	socket_open();
	size_t peak = 0;
	ktime began = world_now;
	while (web_sockets_open() && ktime_diff(world_now, began) < 600 * NS_PER_S) {
		struct size_result n = tcp_send(one.tcp, rbuf_of_str(S("\x89\x84" MASK "ping")), 0, KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN || n.err == ERR_CONNRESET);
		world_serve_for(20 * NS_PER_MS);
		peak = max(peak, world_pools_used());
	}
	CHECK_EQ(web_counter(WEB_TIMEOUTS), timeouts + 1);
	CHECK(peak < 200);
	client_take(&one, SIZE_MAX);
	CHECK_EQ(one.err, ERR_CONNRESET);
	client_close(&one);
	web_end();
}

TEST(web_sim_what_is_no_frame_ends_the_socket)
{
	web_begin();
	uint64_t failed = web_counter(WEB_SOCKETS_FAILED);
	/* Behind the request in one segment; not a byte of what comes later counts. */
	ask(S(SOCKET_GET "\x89\x81" MASK "a\x81\x01" "b\x89\x81" MASK "c"), NS_PER_S);
	struct rbuf content;
	socket_at = str_find(client_text(&one), S("\r\n\r\n")) + 4;
	CHECK_EQ(socket_frames(0x8a, &content), 1);
	CHECK_STR(rbuf_str(content), S("a"));
	socket_closed_with(1002);
	socket_open();
	client_say(&one, S("\x82\xfe\x10\x01" MASK));
	client_wait(&one, NS_PER_S);
	socket_closed_with(1009);
	CHECK_EQ(web_counter(WEB_SOCKETS_FAILED), failed + 2);
	web_end();
}

/* No memory for the document, or for a byte of it: no push, and later there are again. */
TEST(web_sim_socket_outlives_a_lack_of_memory)
{
	struct rbuf content;
	web_begin();
	for (int buffers = 0; buffers < 2; buffers++) {
		socket_open();
		client_wait(&one, 2 * NS_PER_S);
		size_t before = socket_frames(0x81, &content);
		world_no_pages = !buffers;
		world_dry_pool = buffers ? S("tcp_tx_buf") : STR_EMPTY;
		client_wait(&one, 5 * NS_PER_S);
		CHECK(socket_frames(0x81, &content) <= before + 1);
		world_no_pages = false;
		world_dry_pool = STR_EMPTY;
		client_wait(&one, 4 * NS_PER_S);
		CHECK(socket_frames(0x81, &content) >= before + 3);
		client_close(&one);
	}
	web_end();
}
