/*
 * web_echo_sim.c - /api/ws/test: what is said comes back, whole, bounded, also to clients that do not read. Time is
 * virtual.
 */
#include "tests/sim/web_world.h"

static void echo_begin(void)
{
	ask(S("GET /api/ws/test HTTP/1.1\r\n" SOCKET_FIELDS), 100 * NS_PER_MS);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 101 ")), 1);
	socket_at = str_find(client_text(&one), S("\r\n\r\n")) + 4;
}

TEST(web_sim_echo_gives_back_what_it_gets)
{
	struct rbuf content;
	web_begin();
	echo_begin();
	client_say(&one, S("\x81\x82" MASK "ab" "\x82\x80" MASK "\x01\x81" MASK "c\x89\x81" MASK "p\x80\x81" MASK "d"));
	client_wait(&one, 100 * NS_PER_MS);
	CHECK_EQ(socket_frame(&content), 0x81);
	CHECK_STR(rbuf_str(content), S("ab"));
	CHECK_EQ(socket_frame(&content), 0x82);
	CHECK_EQ(content.len, 0);
	CHECK_EQ(socket_frame(&content), 0x8a); /* before the message whose fragments it stood between */
	CHECK_EQ(socket_frame(&content), 0x81);
	CHECK_STR(rbuf_str(content), S("cd"));
	for (int i = 0; i < 5; i++) /* each ping is answered while its answers are taken */
		client_say(&one, S("\x89\x81" MASK "p"));
	client_wait(&one, 100 * NS_PER_MS);
	CHECK_EQ(socket_frames(0x8a, &content), 5);
	socket_at = one.len;
	uint8_t ping[6 + 125] = {0x89, 0x80 | 125};
	for (int i = 0; i < 20; i++) /* in one go, more than fit together: each all the same */
		client_say(&one, str_of(ping, sizeof(ping)));
	client_wait(&one, 100 * NS_PER_MS);
	CHECK_EQ(socket_frames(0x8a, &content), 20);
	client_say(&one, S("\x88\x82" MASK "\x03\xe8"));
	client_wait(&one, NS_PER_S);
	socket_closed_with(1000);
	web_end();
}

/* The largest message there and back, and one byte more. */
TEST(web_sim_echo_is_bounded)
{
	static uint8_t message[14 + 65536] = "\x82\xff\0\0\0\0\0\1\0\0" MASK;
	web_begin();
	echo_begin();
	for (size_t i = 14; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7 + (i >> 8));
	for (size_t sent = 0; sent < sizeof(message);) {
		struct size_result n = tcp_send(one.tcp, rbuf_of(message + sent, sizeof(message) - sent), 0, KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN);
		sent += n.err == OK ? n.value : 0;
		world_serve_for(NS_PER_MS);
	}
	client_wait(&one, NS_PER_S);
	CHECK_EQ(one.len - socket_at, 10 + 65536);
	CHECK_MEM(one.bytes + socket_at, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
	CHECK_MEM(one.bytes + socket_at + 10, message + 14, 65536);
	socket_at = one.len;
	client_say(&one, S("\x81\xff\0\0\0\0\0\1\0\1" MASK));
	client_wait(&one, NS_PER_S);
	socket_closed_with(1009);
	web_end();
}

/* Says it, and lets the server work. */
static void stranger_says(struct stranger *p, struct rbuf what, int64_t ns)
{
	stranger_send(p, TCP_ACK, 0, what);
	p->seq = seq_add(p->seq, (uint32_t)what.len);
	world_serve_for(ns);
}

static struct stranger stranger_echo(uint16_t wnd)
{
	struct stranger p = stranger_open(0x0a000001, 2000);
	world_serve_for(0);
	p.wnd = wnd;
	stranger_says(&p, rbuf_of_str(S("GET /api/ws/test HTTP/1.1\r\n" SOCKET_FIELDS)), 0);
	CHECK_EQ(web_sockets_open(), 1);
	return p;
}

/* Who takes a long message slowly is not silent: his ping waits behind it. When it has gone and he says nothing, he is. */
TEST(web_sim_echo_to_a_slow_reader)
{
	web_begin();
	static const uint8_t head[14] = "\x82\xff\0\0\0\0\0\1\0\0" MASK, part[1024];
	uint64_t silent = web_counter(WEB_SOCKETS_SILENT);
	struct stranger p = stranger_echo(1400);
	const tcp_seq from = p.ack;
	stranger_says(&p, rbuf_of(head, sizeof(head)), 0);
	for (int i = 0; i < 64; i++)
		stranger_says(&p, rbuf_of(part, sizeof(part)), NS_PER_MS);
	int s = 0;
	for (; s < 100 && seq_diff(p.ack, from) < 65546; s++) {
		CHECK_EQ(web_counter(WEB_SOCKETS_SILENT), silent);
		p.ack = seq_add(world_answer.seq, world_answer.len);
		stranger_says(&p, rbuf_of(NULL, 0), NS_PER_S);
	}
	CHECK(s > 35 && s < 100);
	CHECK_EQ(web_sockets_open(), 1);
	world_serve_for(20 * NS_PER_S);
	CHECK_EQ(web_counter(WEB_SOCKETS_SILENT), silent + 1);
	web_end();
}

/* Answers of a few bytes that are not taken cost what their bytes cost, not a page and a reference each. */
TEST(web_sim_echo_of_little_takes_little)
{
	web_begin();
	static const char messages[] = "\x82\x81" MASK "a\x82\x81" MASK "b\x82\x81" MASK "c\x82\x81" MASK "d";
	struct stranger p = stranger_echo(0);
	size_t most = 0, most_used = 0, used = world_pools_used();
	for (int i = 0; i < 400; i++) {
		stranger_says(&p, rbuf_of(messages, sizeof(messages) - 1), NS_PER_MS);
		most = max(most, world_pages);
		most_used = max(most_used, world_pools_used());
	}
	CHECK(most <= 2);
	CHECK(most_used <= used + 10);
	stranger_send(&p, TCP_RST, 0, rbuf_of(NULL, 0));
	web_end();
}

/* All that such sockets hold together has a bound, beyond which they are told to come later; then there is room again. */
TEST(web_sim_echoes_together_are_bounded)
{
	static struct tcp_conn *held[CONFIG_WEB_SOCKETS];
	static uint8_t begun[14 + 65530] = "\x82\xff\0\0\0\0\0\1\0\0" MASK;
	struct rbuf content;
	size_t left = 0, most = 0;
	web_begin();
	for (size_t i = 0; i < countof(held); i++) {
		echo_begin();
		for (size_t sent = 0; sent < sizeof(begun);) {
			struct size_result n = tcp_send(one.tcp, rbuf_of(begun + sent, sizeof(begun) - sent), 0, KTIME_ZERO);
			CHECK(n.err == OK || n.err == ERR_AGAIN);
			sent += n.err == OK ? n.value : 0;
			world_serve_for(NS_PER_MS);
		}
		client_wait(&one, 10 * NS_PER_MS);
		bool told = socket_frames(0x88, &content) == 1;
		CHECK(!told || load_be16(content.ptr) == 1013);
		left += told;
		CHECK_EQ(web_echo_budget.used, 32 * (i + 1 - left)); /* who is told holds nothing any more */
		most = max(most, world_single_pages);
		held[i] = one.tcp;
	}
	CHECK(most <= WEB_ECHO_PAGES + 10);
	CHECK(left >= countof(held) - WEB_ECHO_PAGES / 32 && left <= countof(held) - WEB_ECHO_PAGES / 48);
	for (size_t i = 0; i < countof(held); i++)
		tcp_abort(held[i]);
	world_serve_for(NS_PER_S);
	echo_begin();
	client_say(&one, S("\x81\x82" MASK "ab"));
	client_wait(&one, 100 * NS_PER_MS);
	CHECK_EQ(socket_frame(&content), 0x81);
	CHECK_STR(rbuf_str(content), S("ab"));
	client_close(&one);
	web_end();
	CHECK_EQ(web_echo_budget.used, 0);
}

/* Whoever talks and does not listen is no longer listened to; what he left in the middle is given back. */
TEST(web_sim_echo_to_who_does_not_read)
{
	web_begin();
	uint64_t timeouts = web_counter(WEB_TIMEOUTS);
	static const uint8_t message[8 + 8000] = {0x82, 0xfe, 0x1f, 0x40};
	echo_begin();
	size_t most = 0, said = 0;
	ktime began = world_now;
	while (web_sockets_open() && ktime_diff(world_now, began) < 600 * NS_PER_S) {
		size_t at = said % sizeof(message);
		struct size_result n = tcp_send(one.tcp, rbuf_of(message + at, sizeof(message) - at), 0, KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN || n.err == ERR_CONNRESET);
		said += n.err == OK ? n.value : 0;
		world_serve_for(20 * NS_PER_MS);
		most = max(most, world_pages);
	}
	CHECK_EQ(web_counter(WEB_TIMEOUTS), timeouts + 1);
	CHECK(said > 100000 && said < 400000);
	CHECK(most <= 24); /* what lies in his window and what waits behind it, by reference */
	client_take(&one, SIZE_MAX);
	CHECK_EQ(one.err, ERR_CONNRESET);
	client_close(&one);
	for (int part = 0; part < 2; part++) {
		echo_begin();
		client_say(&one, part ? S("\x02\x82" MASK "ab\x80\xfe\x01") : S("\x02\x80" MASK));
		client_wait(&one, 100 * NS_PER_MS);
		CHECK_EQ(web_sockets_open(), 1);
		tcp_abort(one.tcp);
		world_serve_for(NS_PER_S);
		CHECK_EQ(web_sockets_open(), 0);
	}
	web_end();
}
