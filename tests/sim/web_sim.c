/*
 * web_sim.c - the web server over TCP, without a kernel: clients that pipeline, dawdle,
 * do not read, come in too great a number or end in the middle. Time is virtual,
 * so that every timeout is waited for.
 */
#include "tests/sim/web_world.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct client one;

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

static void ask(struct str request, int64_t ns)
{
	client_open(&one);
	client_say(&one, request);
	client_wait(&one, ns);
}

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

TEST(web_sim_without_pages_says_503)
{
	web_begin();
	uint64_t refused = web_counter(WEB_REFUSED_MEMORY);
	world_no_pages = true;
	ask(S(GET("/small")), NS_PER_S);
	world_no_pages = false;
	CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK_EQ(web_counter(WEB_REFUSED_MEMORY), refused + 1);
	client_close(&one);
	ask(S(GET("/small")), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	client_close(&one);
	web_end();
}

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
