/* http_response_core_test.c - responses of every kind, whole and byte by byte. */
#include "lib/fmt.h"
#include "tests/host/test.h"
#include "user/net/http_response_core.h"

static struct http_response p;
static uint8_t got_body[4096], got_lines[4096];
static struct abuf body, lines;
static unsigned heads;

/* Everything in pieces of that size; what the last event was. */
static enum http_response_event run(struct str text, bool head, size_t piece)
{
	http_response_start(&p, head);
	body = abuf_of(got_body, sizeof(got_body));
	lines = abuf_of(got_lines, sizeof(got_lines));
	heads = 0;
	enum http_response_event event = RESPONSE_MORE;
	for (size_t at = 0; at < text.len && event != RESPONSE_END && event != RESPONSE_FAIL;) {
		struct rbuf bytes = rbuf_of_str(str_slice(text, at, at + piece));
		struct http_response_step s = http_response_input(&p, bytes);
		CHECK(s.used <= bytes.len);
		at += s.used;
		event = s.event;
		heads += event == RESPONSE_HEAD;
		if (event == RESPONSE_BODY)
			abuf_bytes_add(&body, s.body.ptr, s.body.len);
		if (event == RESPONSE_LINE)
			fmt(&lines, "%.*s\n", STR_ARG(s.line));
	}
	if (event != RESPONSE_FAIL && event != RESPONSE_END)
		event = http_response_input(&p, rbuf_of("", 0)).event;
	return event;
}

static void response_is(struct str text, bool head, uint16_t status, struct str wanted)
{
	for (size_t piece = 1; piece <= text.len; piece++) {
		CHECK_EQ(run(text, head, piece), RESPONSE_END);
		CHECK_EQ(p.status, status);
		CHECK_STR(abuf_str(&body), wanted);
		CHECK_EQ(heads, 1);
		CHECK(http_response_end(&p) == NULL);
	}
}

TEST(response_by_length)
{
	response_is(S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"), false, 200, S("hello"));
	CHECK_STR(abuf_str(&lines), S("HTTP/1.1 200 OK\nContent-Length: 5\nX: y\n"));
	response_is(S("HTTP/1.1 200 gr\xfc\xdf\tdich\r\nContent-Length: 0\r\n\r\n"), false, 200, S(""));
	response_is(S("HTTP/1.0 404 Not Found\ncontent-LENGTH:0\n\n"), false, 404, S(""));
	response_is(S("HTTP/1.1 200\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok"), false, 200, S("ok"));
}

TEST(response_chunked)
{
	response_is(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\n\r\n"), false, 200,
		S("hello, world"));
	response_is(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n000\r\nT: u\r\n\r\n"), false, 200,
		S("0123456789"));
}

TEST(response_without_a_body)
{
	response_is(S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), true, 200, S(""));
	response_is(S("HTTP/1.1 204 No Content\r\n\r\n"), false, 204, S(""));
	response_is(S("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), false, 304, S(""));
}

TEST(response_interim_ones_are_gone_past)
{
	response_is(S("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
		      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
		false, 200, S("ok"));
	CHECK_STR(abuf_str(&lines), S("HTTP/1.1 200 OK\nContent-Length: 2\n"));
}

/* However many there are, they are one head. */
TEST(response_interim_ones_are_bounded)
{
	struct str interim = S("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n");
	enum http_response_event event = RESPONSE_MORE;
	size_t n = 0;
	http_response_start(&p, false);
	while (event == RESPONSE_MORE && n <= HTTP_RESPONSE_HEAD_MAX) {
		event = http_response_input(&p, rbuf_of_str(interim)).event;
		n += interim.len;
	}
	CHECK_EQ(event, RESPONSE_FAIL);
	CHECK_EQ(n, HTTP_RESPONSE_HEAD_MAX - HTTP_RESPONSE_HEAD_MAX % interim.len + interim.len);
}

TEST(response_up_to_the_end)
{
	CHECK_EQ(run(S("HTTP/1.1 200 OK\r\n\r\nall of it"), false, 3), RESPONSE_MORE);
	CHECK_STR(abuf_str(&body), S("all of it"));
	CHECK(http_response_end(&p) == NULL && p.state == RESPONSE_DONE);
}

/* What comes behind it is not its own. */
TEST(response_ends_where_it_ends)
{
	struct str text = S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200");
	http_response_start(&p, false);
	size_t at = 0;
	enum http_response_event e = RESPONSE_MORE;
	while (e != RESPONSE_END) {
		struct http_response_step s = http_response_input(&p, rbuf_of_str(str_slice(text, at, text.len)));
		at += s.used;
		e = s.event;
		CHECK(e != RESPONSE_FAIL);
	}
	CHECK_STR(str_slice(text, at, text.len), S("HTTP/1.1 200"));
}

TEST(response_cut_off_is_told)
{
	static const struct str cut[] = {STR_INIT(""), STR_INIT("HTTP/1.1 2"), STR_INIT("HTTP/1.1 200 OK\r\nA: b\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")};
	for (size_t i = 0; i < countof(cut); i++) {
		CHECK_EQ(run(cut[i], false, 7), RESPONSE_MORE);
		CHECK(http_response_end(&p) != NULL);
	}
}

TEST(response_refusals)
{
	static const struct str wrong[] = {
		STR_INIT("HTTP/2 200 OK\r\n"), STR_INIT("ICY 200 OK\r\n"), STR_INIT("HTTP/1.1 2000 OK\r\n"),
		STR_INIT("HTTP/1.1 099 OK\r\n"), STR_INIT("HTTP/1.1  200 OK\r\n"), STR_INIT("\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nA b\r\n"), STR_INIT("HTTP/1.1 200 OK\r\nA : b\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n"), STR_INIT("HTTP/1.1 200 OK\rX"),
		STR_INIT("HTTP/1.1 404 \x1b[2J\r\n"), STR_INIT("HTTP/1.1 200 OK\r\nA: b\x07\r\n"), STR_INIT("HTTP/1.1 200 \x7f\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n"), STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\n"),
		STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"),
	};
	for (size_t i = 0; i < countof(wrong); i++)
		for (size_t piece = 1; piece < 9; piece += 7) {
			if (run(wrong[i], false, piece) != RESPONSE_FAIL || !p.wrong)
				test_fail(__FILE__, __LINE__, "taken: %.*s", STR_ARG(wrong[i]));
			CHECK_EQ(http_response_input(&p, rbuf_of("x", 1)).event, RESPONSE_FAIL);
		}
}

TEST(response_head_is_bounded)
{
	static char text[HTTP_RESPONSE_HEAD_MAX + 100];
	struct abuf out = abuf_of(text, sizeof(text));
	fmt(&out, "HTTP/1.1 200 OK\r\nA: ");
	while (out.len < HTTP_RESPONSE_LINE_MAX + 40)
		abuf_char_add(&out, 'a');
	CHECK_EQ(run(abuf_str(&out), false, 100), RESPONSE_FAIL);
	out.len = 17;
	while (out.len < HTTP_RESPONSE_HEAD_MAX + 20)
		fmt(&out, "A: bcdefghijklmn\r\n");
	CHECK_EQ(run(abuf_str(&out), false, 100), RESPONSE_FAIL);
}
