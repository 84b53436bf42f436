/*
 * web_shell_sim.c - who may run something on the machine, and the shell over the network: terminals over WebSocket and
 * the polling API, with clients and commands that do not listen. Time is virtual.
 */
#include <stdio.h>
#include "tests/sim/web_world.h"

/* ---- access: without the token nothing runs ---- */

static char with_token[512];

/* The randomness of this world repeats: so that the token is not the cookie. */
static void shell_begin(void)
{
	web_begin();
	web_access.token.bytes[0] = 't';
}

/* The request with the token in it, or something like it: "...%s\r\n\r\n". */
static struct str request_with(const char *format, const char *name, const char *value, size_t len)
{
	char line[160];
	snprintf(line, sizeof(line), "%s%.*s\r\n", name, (int)len, value);
	int n = snprintf(with_token, sizeof(with_token), format, line);
	CHECK(n > 0 && (size_t)n < sizeof(with_token));
	return str_of(with_token, (size_t)n);
}

static struct str with_bearer(const char *format)
{
	struct str token = access_secret_text(&web_access.token);
	return request_with(format, "Authorization: Bearer ", token.ptr, token.len);
}

TEST(web_sim_shell_needs_the_token)
{
	static const struct str refused[] = {
		STR_INIT("GET /api/shell/in HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		STR_INIT("GET /api/shell/none HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		STR_INIT("OPTIONS /api/shell/in HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		STR_INIT("DELETE /api/shell/in HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		STR_INIT("POST /api/shell/in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nls"),
		STR_INIT("GET /api/shell/in HTTP/1.1\r\nHost: localhost\r\nCookie: mazu_token=x\r\n\r\n"),
		STR_INIT("GET /api/shell/ws HTTP/1.1\r\n" SOCKET_FIELDS),
	};
	shell_begin();
	for (size_t i = 0; i < countof(refused); i++) {
		ask(refused[i], NS_PER_S);
		CHECK_EQ(client_count(&one, S("HTTP/1.1 401 ")), 1);
		CHECK_EQ(client_count(&one, S("WWW-Authenticate: Bearer")), 1);
		client_close(&one);
	}
	CHECK(!world_shell());
	/* The cookie is not the token, nor is the token in another place. */
	struct str token = access_secret_text(&web_access.token);
	ask(request_with("GET /api/shell/in HTTP/1.1\r\nHost: localhost\r\n%s\r\n", "Cookie: mazu_token=", token.ptr, token.len),
		NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 401 ")), 1);
	client_close(&one);
	ask(with_bearer("GET /api/shell/in HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n%s\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 403 ")), 1);
	client_close(&one);
	CHECK(!world_shell());
	ask(with_bearer("DELETE /api/shell/in HTTP/1.1\r\nHost: localhost\r\n%s\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 405 ")), 1);
	CHECK_EQ(client_count(&one, S("Allow: GET, HEAD, OPTIONS, POST\r\n")), 1);
	client_close(&one);
	ask(with_bearer("HEAD /api/shell/in HTTP/1.1\r\nHost: localhost\r\n%s\r\n"), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 200 ")), 1);
	CHECK(!world_shell());
	client_close(&one);
	web_end();
}

/* Wrong ones beyond the limit are not told apart, and what was chosen is not looked at; the cookie always is. */
TEST(web_sim_wrong_tokens_are_limited)
{
	static const char access[] = "GET /api/shell/out HTTP/1.1\r\nHost: localhost\r\n%s\r\n";
	shell_begin();
	world_serve_for(300 * NS_PER_S);
	for (uint32_t i = 0; i < web_access_limits.peer_burst + 3; i++) {
		ask(request_with(access, "Authorization: Bearer ", "wrong", 5), 0);
		CHECK_EQ(client_count(&one, i < web_access_limits.peer_burst ? S("HTTP/1.1 401 ") : S("HTTP/1.1 429 ")), 1);
		client_close(&one);
	}
	for (int made = 0; made < 2; made++) {
		web_access.made = made;
		ask(with_bearer(access), 0);
		CHECK_EQ(client_count(&one, made ? S("HTTP/1.1 404 ") : S("HTTP/1.1 429 ")), 1);
		CHECK_EQ(client_count(&one, S("Retry-After: 1\r\n")), !made);
		client_close(&one);
		struct str cookie = access_secret_text(&web_access.cookie);
		ask(request_with(access, "Cookie: a=b; mazu_token=", cookie.ptr, cookie.len), 0);
		CHECK_EQ(client_count(&one, S("HTTP/1.1 404 ")), 1); /* let in; there is no such session */
		client_close(&one);
	}
	web_access.made = false;
	world_serve_for(2 * NS_PER_S);
	ask(with_bearer(access), 0);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 404 ")), 1);
	client_close(&one);
	web_access.made = true;
	web_end();
}

/* An image, a frame or a link of another page, another port among them: without the token, with its cookie, or with wrong ones. */
TEST(web_sim_other_pages_are_kept_away)
{
	static const struct {
		const char *path, *from;
		unsigned off, cookie; /* the status where no token is needed, and with the cookie */
	} cases[] = {
		{"/api/shell/in", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n", 403, 403},
		{"/api/shell/in", "Sec-Fetch-Site: same-site\r\nSec-Fetch-Dest: document\r\n", 403, 403},
		{"/api/shell/out", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: iframe\r\n", 403, 403},
		{"/api/shell/out", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Dest: empty\r\n", 404, 404},
		{"/api/shell/out", "Sec-Fetch-Site: none\r\nSec-Fetch-Dest: document\r\n", 404, 404},
		{"/api/shell/out", "", 404, 404},
		{"/api/events", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n", 403, 403},
		{"/api/events", "Sec-Fetch-Site: anything\r\n", 403, 403},
		{"/small", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n", 403, 403},
		{"/small", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document\r\n", 200, 200},
		{"/?token=wrong", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: iframe\r\n", 403, 403},
		{"/?token=wrong", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document\r\n", 303, 303},
	};
	shell_begin();
	uint64_t wrong = web_counter(WEB_TOKEN_WRONG), refused = web_counter(WEB_REFUSED_SITE), expected = 0;
	for (size_t i = 0; i < 2 * countof(cases); i++) {
		unsigned status = i % 2 ? cases[i / 2].off : cases[i / 2].cookie;
		char text[400], line[16];
		web_access.off = i % 2;
		int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n%sCookie: mazu_token=%.32s\r\n\r\n",
			cases[i / 2].path, cases[i / 2].from, i % 2 ? "x" : (const char *)web_access.cookie.bytes);
		ask(str_of(text, (size_t)n), NS_PER_S);
		n = snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
		CHECK_EQ(client_count(&one, str_of(line, (size_t)n)), 1);
		client_close(&one);
		expected += status == 403;
	}
	web_access.off = false;
	CHECK(!world_shell());
	CHECK_EQ(web_streams_open(), 0);
	CHECK_EQ(web_counter(WEB_REFUSED_SITE), refused + expected);
	CHECK_EQ(web_counter(WEB_TOKEN_WRONG), wrong);
	ask(S("GET /?token=wrong HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n\r\n"),
		NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 403 ")), 1);
	CHECK_EQ(web_counter(WEB_TOKEN_WRONG), wrong); /* no try of his */
	client_close(&one);
	web_end();
}

/* A file that cannot be used does not open the machine by what the next one says. */
TEST(web_sim_token_files)
{
	static const struct {
		struct str initrd, image;
		bool off;
		size_t len; /* 32: made */
	} cases[] = {
		{STR_INIT(""), STR_INIT(""), false, 32},
		{STR_INIT(""), STR_INIT("off\n"), true, 0},
		{STR_INIT("off"), STR_INIT("0123456789abcdefg"), true, 0},
		{STR_INIT("0123456789abcdefg\n"), STR_INIT("off"), false, 17},
		{STR_INIT("too short"), STR_INIT("off"), false, 32},
		{STR_INIT(""), STR_INIT("too short"), false, 32},
	};
	shell_begin();
	const typeof(web_access) before = web_access;
	for (size_t i = 0; i < countof(cases); i++) {
		memset(&web_access, 0, sizeof(web_access));
		world_tokens[0] = cases[i].initrd;
		world_tokens[1] = cases[i].image;
		web_access_init();
		CHECK_EQ(web_access_is_on(), !cases[i].off);
		CHECK_EQ(access_secret_text(&web_access.token).len, cases[i].len);
		CHECK_EQ(web_access.made, cases[i].len == 32);
	}
	world_tokens[0] = world_tokens[1] = STR_EMPTY;
	web_access = before;
	web_end();
}

/* ---- a terminal ---- */

#define SOCKET_GET_SHELL "GET /api/shell/ws HTTP/1.1\r\n%sHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static struct shell_session *terminal_open(void)
{
	ask(with_bearer(SOCKET_GET_SHELL), 100 * NS_PER_MS);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 101 ")), 1);
	socket_at = str_find(client_text(&one), S("\r\n\r\n")) + 4;
	return world_shell();
}

/* ---- where the token is told ---- */

static bool console_is_drained;
static char console_text[2000];
static size_t console_len;

static struct size_result console_take(unused struct chardev *c, struct rbuf from, unused ktime deadline)
{
	CHECK(console_is_drained); /* who comes before would wait for ever */
	size_t n = min(from.len, (size_t)7);
	memcpy(console_text + console_len, from.ptr, n);
	console_len += n;
	return OK_RESULT(size_result, n);
}

/* The boot goes on behind a console that takes nothing; as soon as it takes something, all is told. */
TEST(web_sim_token_is_told_when_the_console_takes_it)
{
	static const struct chardev_ops ops = {.write = console_take};
	static struct chardev console = {.name = STR_INIT("console"), .ops = &ops};
	web_begin();
	world_console = &console;
	unsigned detached = world_detached;
	ktime before = world_now;
	CHECK_EQ(web_access_tell(), OK);
	CHECK(ktime_diff(world_now, before) <= NS_PER_S);
	CHECK_EQ(world_detached, detached + 1);
	console_is_drained = true;
	world_thread.entry(world_thread.arg);
	CHECK(!world_thread.system); /* those do not end */
	struct str text = str_of(console_text, console_len), token = access_secret_text(&web_access.token);
	CHECK(str_starts(text, S("\nOpen http://localhost:8080/?token=")));
	CHECK(str_ends(text, S("\n")));
	CHECK_STR(str_slice(text, text.len - 1 - token.len, text.len - 1), token);
	world_console = NULL;
	web_end();
}

TEST(web_sim_terminal_carries_bytes_both_ways)
{
	struct rbuf content;
	shell_begin();
	struct shell_session *s = terminal_open();
	client_say(&one, S("\x82\x83" MASK "ls\r\x81\x9b" MASK "{\"columns\":132,\"rows\":43}\r\n"));
	client_wait(&one, NS_PER_MS);
	CHECK_STR(str_of(s->in, s->in_len), S("ls\r"));
	CHECK_EQ(s->columns, 132);
	CHECK_EQ(s->rows, 43);
	world_shell_says(s, S("hello"));
	client_wait(&one, NS_PER_MS); /* at once, not at the next sweep */
	CHECK_EQ(socket_frame(&content), 0x82);
	CHECK_STR(rbuf_str(content), S("hello"));
	world_shell_says(s, S("bye"));
	s->over = true;
	world_shell_notify(s);
	client_wait(&one, NS_PER_MS);
	CHECK_EQ(socket_frame(&content), 0x82);
	CHECK_STR(rbuf_str(content), S("bye"));
	CHECK_EQ(socket_frame(&content), 0x81);
	CHECK_STR(rbuf_str(content), S("{\"exited\":true}"));
	CHECK_EQ(socket_frame(&content), 0x88);
	CHECK_EQ(load_be16(content.ptr), 1000);
	client_say(&one, S("\x88\x82" MASK "\x03\xe8"));
	client_wait(&one, NS_PER_S);
	CHECK_EQ(one.err, ERR_PIPE);
	CHECK(!world_shell());
	client_close(&one);
	web_end();
}

TEST(web_sim_terminal_refuses_what_is_no_control)
{
	static const struct str texts[] = {STR_INIT("\x81\x80" MASK), STR_INIT("\x81\x82" MASK "[]"),
		STR_INIT("\x81\x82" MASK "{}"), STR_INIT("\x81\x8e" MASK "{\"columns\":80}"),
		STR_INIT("\x81\x98" MASK "{\"columns\":0,\"rows\":10} "),
		STR_INIT("\x81\x99" MASK "{\"columns\":80,\"rows\":1.5}"),
		STR_INIT("\x81\x9a" MASK "{\"columns\":80,\"rows\":2000}"),
		STR_INIT("\x81\x82" MASK "ls"), STR_INIT("\x81\xfe\0\x81" MASK)};
	struct rbuf content;
	shell_begin();
	for (size_t i = 0; i < countof(texts); i++) {
		(void)terminal_open();
		client_say(&one, texts[i]);
		if (i + 1 == countof(texts)) { /* too long for one: refused as soon as that shows */
			char spaces[129];
			memset(spaces, ' ', sizeof(spaces));
			client_say(&one, str_of(spaces, sizeof(spaces)));
		}
		client_wait(&one, NS_PER_MS);
		while (socket_frames(0x88, &content) == 0 && one.err == OK)
			client_wait(&one, NS_PER_S);
		CHECK_EQ(socket_frames(0x88, &content), 1);
		CHECK_EQ(load_be16(content.ptr), 1008);
		client_close(&one);
		world_serve_for(10 * NS_PER_S);
		CHECK(!world_shell());
	}
	web_end();
}

/* A session that takes slowly loses nothing; one that takes nothing is not waited for, and Ctrl-C gets through. */
TEST(web_sim_terminal_holds_what_is_typed)
{
	shell_begin();
	struct shell_session *s = terminal_open();
	uint64_t dropped = web_counter(WEB_TYPED_DROPPED);
	static uint8_t paste[8 + 1000] = {0x82, 0xfe, 0x03, 0xe8};
	for (size_t i = 0; i < 1000; i++)
		paste[8 + i] = (uint8_t)('a' + i % 26);
	s->in_room = 100;
	client_say(&one, str_of(paste, sizeof(paste)));
	size_t taken = 0;
	for (int i = 0; i < 10; i++) {
		client_wait(&one, 100 * NS_PER_MS);
		for (size_t k = 0; k < s->in_len; k++)
			CHECK_EQ(s->in[k], (char)('a' + (taken + k) % 26));
		taken += s->in_len;
		s->in_len = 0; /* the command has read it */
	}
	CHECK_EQ(taken, 1000);
	CHECK_EQ(web_counter(WEB_TYPED_DROPPED), dropped);
	s->in_room = 0; /* it does not listen any more */
	client_say(&one, str_of(paste, sizeof(paste)));
	client_say(&one, S("\x82\x81" MASK "\3"));
	client_wait(&one, NS_PER_S);
	CHECK_EQ(s->interrupts, 0);
	client_wait(&one, 2 * NS_PER_S);
	CHECK_EQ(s->interrupts, 1);
	CHECK_EQ(web_counter(WEB_TYPED_DROPPED), dropped + 1000);
	s->in_room = 100;
	client_say(&one, S("\x82\x82" MASK "ok"));
	client_wait(&one, 100 * NS_PER_MS);
	CHECK_STR(str_of(s->in, s->in_len), S("ok"));
	client_close(&one);
	web_end();
	CHECK(!world_shell());
}

/* A pong lies behind what was typed: while that is taken slowly nobody is silent. */
TEST(web_sim_terminal_that_is_taken_slowly)
{
	struct rbuf content;
	shell_begin();
	uint64_t silent = web_counter(WEB_SOCKETS_SILENT);
	struct shell_session *s = terminal_open();
	static const uint8_t paste[8 + 200] = {0x82, 0xfe, 0x00, 0xc8};
	s->in_room = 1;
	client_say(&one, str_of(paste, sizeof(paste)));
	for (int i = 0; i < 60; i++) {
		client_wait(&one, NS_PER_S);
		CHECK_EQ(s->in_len, 1);
		s->in_len = 0;
	}
	CHECK_EQ(web_sockets_open(), 1);
	s->in_room = SHELL_IN_BYTES;
	client_wait(&one, 5 * NS_PER_S);
	CHECK_EQ(web_sockets_open(), 1);
	CHECK_EQ(socket_frames(0x89, &content), 1);
	CHECK_EQ(web_counter(WEB_SOCKETS_SILENT), silent);
	client_wait(&one, 20 * NS_PER_S); /* no pong comes */
	CHECK_EQ(web_counter(WEB_SOCKETS_SILENT), silent + 1);
	client_close(&one);
	web_end();
}

/* Who does not read holds what he was sent and one buffer of the session; then he is reset. What is read slowly comes whole. */
TEST(web_sim_terminal_waits_for_a_slow_reader)
{
	shell_begin();
	static struct client slow;
	struct shell_session *s = terminal_open();
	size_t most = 0;
	uint64_t said = 0;
	char byte;
	for (int i = 0; i < 100; i++) {
		do
			byte = (char)('0' + said % 64);
		while (world_shell_says(s, str_of(&byte, 1)) && ++said);
		world_serve_for(10 * NS_PER_MS);
		most = max(most, world_pages);
	}
	CHECK(said < 65536 + 4 * SHELL_OUT_BYTES); /* his window, and what is on the way to it */
	CHECK(most <= 40);
	slow = one;
	for (int i = 0; i < 400 && slow.len < 300000; i++) {
		client_take(&slow, 2000);
		do
			byte = (char)('0' + said % 64);
		while (world_shell_says(s, str_of(&byte, 1)) && ++said);
		world_serve_for(100 * NS_PER_MS);
	}
	CHECK(slow.len >= 300000);
	one = slow;
	uint64_t seen = 0;
	struct rbuf content;
	for (uint8_t first; (first = socket_frame(&content));) {
		CHECK_EQ(first, first == 0x89 ? 0x89 : 0x82);
		for (size_t i = 0; first == 0x82 && i < content.len; i++)
			CHECK_EQ(content.ptr[i], '0' + seen++ % 64);
	}
	CHECK(seen > 250000);
	client_close(&one);
	world_serve_for(60 * NS_PER_S);
	CHECK(!world_shell());
	web_end();
}

TEST(web_sim_terminals_are_bounded)
{
	shell_begin();
	static struct tcp_conn *held[CONFIG_WEB_SOCKETS];
	uint64_t refused = web_counter(WEB_REFUSED_SHELLS);
	for (size_t i = 0; i < 5; i++)
		CHECK_EQ(shell_open(&(struct shell_carrier){.name = S("other")}).err, OK);
	for (size_t i = 0; i < WORLD_SHELLS - 5; i++) {
		(void)terminal_open();
		held[i] = one.tcp;
	}
	ask(with_bearer(SOCKET_GET_SHELL), NS_PER_S);
	CHECK_EQ(client_count(&one, S("HTTP/1.1 503 ")), 1);
	CHECK_EQ(web_counter(WEB_REFUSED_SHELLS), refused + 1);
	CHECK_EQ(web_sockets_open(), WORLD_SHELLS - 5);
	client_close(&one);
	for (size_t i = 0; i < WORLD_SHELLS; i++)
		if (world_shells[i].open && world_shells[i].ready)
			world_shell_says(&world_shells[i], S("to all"));
	for (size_t i = 0; i < WORLD_SHELLS - 5; i++)
		tcp_abort(held[i]);
	world_serve_for(NS_PER_S);
	for (size_t i = 0; i < WORLD_SHELLS; i++)
		if (world_shells[i].open) {
			CHECK(!world_shells[i].ready);
			shell_hang_up(&world_shells[i]);
		}
	web_end();
}

/* ---- the polling API ---- */

static char polled_name[33];

static void polled_ask(const char *format, int status)
{
	char text[400];
	int n = snprintf(text, sizeof(text), format, polled_name, "%s");
	CHECK(n > 0 && (size_t)n < sizeof(text));
	ask(with_bearer(text), 100 * NS_PER_MS);
	char line[32];
	n = snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	CHECK_EQ(client_count(&one, str_of(line, (size_t)n)), 1);
	client_close(&one);
}

static struct shell_session *polled_open(void)
{
	polled_name[0] = 0;
	polled_ask("GET /api/shell/in HTTP/1.1\r\nHost: localhost%s\r\n%s\r\n", 200);
	size_t at = str_find(client_text(&one), S("{\"session\":\""));
	CHECK(at < one.len);
	memcpy(polled_name, one.bytes + at + 12, 32);
	return world_shell();
}

static bool polled_said(struct str what)
{
	return str_find(client_text(&one), what) < one.len;
}

#define POLLED_TYPE(extra) "POST /api/shell/in?session=%s HTTP/1.1\r\nHost: localhost\r\n" extra
#define POLLED_OUT_REST(since) " /api/shell/out?session=%s&since=" since " HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
#define POLLED_OUT(since)      "GET" POLLED_OUT_REST(since)

TEST(web_sim_polled_shell)
{
	shell_begin();
	struct shell_session *s = polled_open();
	polled_ask(POLLED_TYPE("Content-Length: 2\r\n%s\r\nls"), 200);
	polled_ask(POLLED_TYPE("Transfer-Encoding: chunked\r\nContent-Type: text/plain; charset=utf-8\r\n%s\r\n"
			       "2\r\nec\r\n3\r\nho\n\r\n0\r\n\r\n"), 200);
	polled_ask(POLLED_TYPE("Content-Length: 0\r\n%s\r\n"), 200);
	CHECK_STR(str_of(s->in, s->in_len), S("ls\recho\n\r"));
	polled_ask(POLLED_TYPE("Content-Length: 1\r\n%s\r\n\3"), 200);
	CHECK_EQ(s->interrupts, 1);
	polled_ask(POLLED_TYPE("%s\r\n"), 411);
	polled_ask(POLLED_TYPE("Content-Type: application/json\r\nContent-Length: 2\r\n%s\r\n{}"), 415);
	polled_ask(POLLED_TYPE("Content-Encoding: gzip\r\nContent-Length: 2\r\n%s\r\n{}"), 415);
	polled_ask(POLLED_TYPE("Content-Length: 1025\r\nExpect: 100-continue\r\n%s\r\n"), 413);
	polled_ask("GET /api/shell/out?session=%s0 HTTP/1.1\r\nHost: localhost\r\n%s\r\n", 404);
	polled_ask(POLLED_OUT("x"), 400);
	polled_ask(POLLED_OUT("-1"), 400);
	CHECK_EQ(s->in_len, 0);
	world_shell_says(s, S("a\"\x1b[0m\xff\n\xe2\x82"));
	polled_ask(POLLED_OUT("0"), 200);
	CHECK(polled_said(S("{\"output\":\"a\\\"\\u001b[0m\xef\xbf\xbd\\n\",\"next\":8,\"exited\":false}")));
	polled_ask(POLLED_OUT("0"), 200); /* lost, asked for again */
	CHECK(polled_said(S("\"output\":\"a\\\"")));
	polled_ask("HEAD" POLLED_OUT_REST("8"), 200); /* takes nothing */
	CHECK(!polled_said(S("Content-Length")) && !polled_said(S("output")));
	polled_ask("HEAD" POLLED_OUT_REST("x"), 400);
	CHECK_EQ(s->dropped, 0);
	polled_ask(POLLED_OUT("8"), 200);
	CHECK(polled_said(S("{\"output\":\"\",\"next\":8,\"exited\":false}")));
	world_shell_says(s, S("\xac"));
	polled_ask(POLLED_OUT("8"), 200);
	CHECK(polled_said(S("{\"output\":\"\xe2\x82\xac\",\"next\":11,\"exited\":false}")));
	world_shell_says(s, S("\xc3"));
	s->over = true;
	polled_ask("HEAD" POLLED_OUT_REST("12"), 200);
	world_serve_for(WEB_POLLED_TOLD_NS + 2 * NS_PER_S); /* nor does it tell that the session is over */
	polled_ask(POLLED_OUT("11"), 200);
	CHECK(polled_said(S("{\"output\":\"\xef\xbf\xbd\",\"next\":12,\"exited\":true}")));
	polled_ask(POLLED_OUT("11"), 200); /* once more, for the reply may have been lost */
	CHECK(polled_said(S("\"exited\":true}")));
	world_serve_for(WEB_POLLED_TOLD_NS + 2 * NS_PER_S);
	CHECK_EQ(web_polled_open(), 0);
	CHECK(!world_shell());
	polled_ask(POLLED_OUT("12"), 404);
	web_end();
}

/* A session that is behind is not typed into; what was taken on is typed in the end, by itself. */
TEST(web_sim_polled_shell_that_is_behind)
{
	shell_begin();
	struct shell_session *s = polled_open();
	s->in_room = 1;
	polled_ask(POLLED_TYPE("Content-Length: 4\r\n%s\r\nlong"), 200);
	polled_ask(POLLED_TYPE("Content-Length: 4\r\n%s\r\nmore"), 503);
	CHECK_STR(str_of(s->in, s->in_len), S("l"));
	s->in_room = 100;
	world_serve_for(2 * NS_PER_S);
	CHECK_STR(str_of(s->in, s->in_len), S("long\r"));
	s->in_room = s->in_len;
	polled_ask(POLLED_TYPE("Content-Length: 4\r\n%s\r\nmore"), 200);
	polled_ask(POLLED_TYPE("Content-Length: 4\r\n%s\r\nmore"), 503);
	polled_ask(POLLED_TYPE("Content-Length: 3\r\n%s\r\n\3ls"), 200); /* what was typed before does not count */
	CHECK_EQ(s->interrupts, 1);
	CHECK_STR(str_of(s->in, s->in_len), S("ls\r"));
	world_serve_for(WEB_POLLED_IDLE_NS - 4 * NS_PER_S);
	CHECK_EQ(web_polled_open(), 1);
	polled_ask(POLLED_OUT("0"), 200); /* whoever asks keeps it */
	world_serve_for(WEB_POLLED_IDLE_NS - 2 * NS_PER_S);
	CHECK_EQ(web_polled_open(), 1);
	world_serve_for(4 * NS_PER_S);
	CHECK_EQ(web_polled_open(), 0);
	for (int i = 0; i < CONFIG_WEB_POLLED; i++)
		s = polled_open();
	polled_name[0] = 0;
	polled_ask("GET /api/shell/in HTTP/1.1\r\nHost: localhost%s\r\n%s\r\n", 503);
	s->over = true; /* one that is over gives way */
	(void)polled_open();
	CHECK_EQ(web_polled_open(), CONFIG_WEB_POLLED);
	world_serve_for(WEB_POLLED_IDLE_NS + 2 * NS_PER_S);
	CHECK_EQ(web_polled_open(), 0);
	web_end();
}
