/*
 * http_core_test.c - the request parser: a table of requests with the answer of
 * each, what is kept of a head, and that no way of cutting the input into pieces
 * changes anything.
 */
#include "tests/host/test.h"
#include "lib/fmt.h"
#include "user/net/http_core.h"

static const struct http_limits limits = {HTTP_LINE_MAX, HTTP_HEAD_MAX, HTTP_FIELDS_MAX, 65536};
static uint8_t store[HTTP_LINE_MAX + HTTP_HEAD_MAX];

struct run {
	struct http_parser p;
	uint16_t status; /* 0: complete; 1: incomplete */
	size_t used;
	uint8_t body[65536];
	size_t body_len;
	unsigned heads;
};
static struct run run_a, run_b;

/* Feeds text in pieces of at most `piece` bytes (0: random sizes). */
static void run_request(struct run *r, struct str text, size_t piece, struct test_rng *rng)
{
	size_t end = 0;
	http_parser_start(&r->p, &limits, wbuf_of(store, sizeof(store)));
	r->used = r->body_len = r->heads = 0;
	r->status = 1;
	for (;;) {
		if (r->used == end) {
			if (end == text.len)
				return;
			size_t n = piece ? piece : 1 + test_below(rng, 40);
			end = min(end + n, text.len);
		}
		/* a copy of its own, so that ASan sees a read beyond the piece */
		size_t n = end - r->used;
		uint8_t *copy = __builtin_malloc(n);
		memcpy(copy, text.ptr + r->used, n);
		struct http_step s = http_input(&r->p, rbuf_of(copy, n));
		CHECK(s.used <= n);
		r->used += s.used;
		r->heads += s.event == HTTP_HEAD;
		if (s.event == HTTP_BODY) {
			CHECK(r->body_len + s.body.len <= sizeof(r->body));
			memcpy(r->body + r->body_len, s.body.ptr, s.body.len);
			r->body_len += s.body.len;
		}
		__builtin_free(copy);
		if (s.event == HTTP_DONE || s.event == HTTP_FAIL) {
			r->status = s.event == HTTP_FAIL ? r->p.status : 0;
			return;
		}
		/* what has no bytes to take reports by itself */
		if (r->used == end && end == text.len && s.event != HTTP_MORE) {
			s = http_input(&r->p, rbuf_of(NULL, 0));
			if (s.event == HTTP_DONE)
				r->status = 0;
			return;
		}
	}
}

#define H "Host: a\r\n"
#define G "GET / HTTP/1.1\r\n"
#define P "POST / HTTP/1.1\r\n" H
#define C P "Transfer-Encoding: chunked\r\n\r\n"

struct request_case {
	struct str text;
	uint16_t status;
};
#define CASE(text, status) {STR_INIT(text), status}

static const struct request_case cases[] = {
	/* request line */
	CASE(G H "\r\n", 0),
	CASE("\r\n\r\n" G H "\r\n", 0),
	CASE("\n" G H "\r\n", 400),
	CASE("\r" G H "\r\n", 400),
	CASE(" GET / HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET  / HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /  HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET / HTTP/1.1 \r\n" H "\r\n", 400),
	CASE("GET\t/ HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /\r\n" H "\r\n", 400),
	CASE("GET / \r\n" H "\r\n", 400),
	CASE("GET HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET / HTTP/1.1\n" H "\r\n", 400),
	CASE("GET / HTTP/1.1\r" H "\r\n", 400),
	CASE("GET / http/1.1\r\n" H "\r\n", 400),
	CASE("GET / HTTP/1.10\r\n" H "\r\n", 400),
	CASE("GET / HTTP/11\r\n" H "\r\n", 400),
	CASE("GET / HTTP/1.x\r\n" H "\r\n", 400),
	CASE("GET / HTTP/x.1\r\n" H "\r\n", 400),
	CASE("GET / HTTP-1.1\r\n" H "\r\n", 400),
	CASE("GET / HTTP/1,1\r\n" H "\r\n", 400),
	CASE("GET / HTTP/2.0\r\n" H "\r\n", 505),
	CASE("GET / HTTP/1.1\n" H "\r\n", 400),
	CASE("GET / HTTP/1.1 \r\n" H "\r\n", 400),
	CASE("GET / HTTP/1.11", 400),
	CASE("GET / HTTP\x80", 400),
	CASE("GET / HTTP/3.0\r\n" H "\r\n", 505),
	CASE("GET / HTTP/0.9\r\n" H "\r\n", 505),
	CASE("GET / HTTP/1.9\r\n" H "\r\n", 0),
	CASE("GET / HTTP/1.0\r\n\r\n", 0),
	CASE("HEAD / HTTP/1.1\r\n" H "\r\n", 0),
	CASE("POST / HTTP/1.1\r\n" H "\r\n", 0),
	CASE("PUT / HTTP/1.1\r\n" H "\r\n", 0),
	CASE("PATCH / HTTP/1.1\r\n" H "\r\n", 0),
	CASE("DELETE / HTTP/1.1\r\n" H "\r\n", 0),
	CASE("OPTIONS / HTTP/1.1\r\n" H "\r\n", 0),
	CASE("OPTIONS * HTTP/1.1\r\n" H "\r\n", 0),
	CASE("GET * HTTP/1.1\r\n" H "\r\n", 400),
	CASE("get / HTTP/1.1\r\n" H "\r\n", 501),
	CASE("GE / HTTP/1.1\r\n" H "\r\n", 501),
	CASE("GETT / HTTP/1.1\r\n" H "\r\n", 501),
	CASE("CONNECT a:1 HTTP/1.1\r\n" H "\r\n", 501),
	CASE("TRACE / HTTP/1.1\r\n" H "\r\n", 501),
	CASE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n", 501),
	CASE("G@T / HTTP/1.1\r\n" H "\r\n", 400),
	CASE("G\0T / HTTP/1.1\r\n" H "\r\n", 400),
	CASE("\x16\x03\x01\x02", 400),
	/* targets */
	CASE("GET a HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET ?a HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%00b HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%2fb HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%2Fb HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%0ab HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%7f HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a% HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%4 HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%4g HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a%g4 HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /.. HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /../etc HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a/../../etc HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /%2e%2e/etc HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /%2E./etc HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a\"b HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a\\b HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /a<b HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /?a=<b> HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /?a={b}|c HTTP/1.1\r\n" H "\r\n", 0),
	CASE("GET /\x7f HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET /\0 HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET http://a/ HTTP/1.1\r\n" H "\r\n", 0),
	CASE("GET HTTP://a:80?x HTTP/1.1\r\n" H "\r\n", 0),
	CASE("GET https://a/ HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET http:///x HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET http://u@a/ HTTP/1.1\r\n" H "\r\n", 400),
	CASE("GET http://a:b/ HTTP/1.1\r\n" H "\r\n", 400),
	/* Host */
	CASE(G "\r\n", 400),
	CASE(G H H "\r\n", 400),
	CASE(G "Host: a\r\nHost: b\r\n\r\n", 400),
	CASE(G "Host:\r\n\r\n", 400),
	CASE(G "Host: a b\r\n\r\n", 400),
	CASE(G "Host: a, b\r\n\r\n", 400),
	CASE(G "Host: a/b\r\n\r\n", 400),
	CASE(G "Host: a@b\r\n\r\n", 400),
	CASE(G "Host: a:80x\r\n\r\n", 400),
	CASE(G "Host: :80\r\n\r\n", 400),
	CASE(G "Host: a:\r\n\r\n", 0),
	CASE(G "Host: [::1]:80\r\n\r\n", 0),
	CASE(G "Host: [::1\r\n\r\n", 400),
	CASE(G "Host: []\r\n\r\n", 400),
	CASE(G "Host: [::1]x\r\n\r\n", 400),
	CASE("GET / HTTP/1.0\r\n" H H "\r\n", 400),
	CASE("GET http://a/ HTTP/1.1\r\n\r\n", 400),
	/* field lines */
	CASE(G "Host : a\r\n\r\n", 400),
	CASE(G "Host\t: a\r\n\r\n", 400),
	CASE(G " Host: a\r\n\r\n", 400),
	CASE(G H "X: a\r\n b\r\n\r\n", 400),
	CASE(G H "X: a\r\n\tb\r\n\r\n", 400),
	CASE(G H ": a\r\n\r\n", 400),
	CASE(G H "X\r\n\r\n", 400),
	CASE(G H "X Y: a\r\n\r\n", 400),
	CASE(G H "X(: a\r\n\r\n", 400),
	CASE(G H "X\x80: a\r\n\r\n", 400),
	CASE(G H "X:\r\n\r\n", 0),
	CASE(G H "X: \x80\xff\t\"\r\n\r\n", 0),
	CASE(G H "X: a\0b\r\n\r\n", 400),
	CASE(G H "X: a\x01\r\n\r\n", 400),
	CASE(G H "X: a\x7f\r\n\r\n", 400),
	CASE(G H "X: a\nY: b\r\n\r\n", 400),
	CASE(G H "X: a\rY: b\r\n\r\n", 400),
	CASE(G H "X: a\r\r\n\r\n", 400),
	CASE(G "Host: a\n\r\n", 400),
	CASE(G H "\n", 400),
	CASE(G H "\r\r\n", 400),
	CASE(G H "\rX", 400),
	/* Content-Length */
	CASE(P "Content-Length: 3\r\n\r\nabc", 0),
	CASE(P "Content-Length: 0\r\n\r\n", 0),
	CASE(P "Content-Length: 003\r\n\r\nabc", 0),
	CASE(P "Content-Length: 3\r\n\r\nab", 1),
	CASE(P "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
	CASE(P "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
	CASE(P "content-length: 3\r\nCONTENT-LENGTH: 4\r\n\r\nabc", 400),
	CASE(P "Content-Length: 3, 3\r\n\r\nabc", 400),
	CASE(P "Content-Length: 3,\r\n\r\nabc", 400),
	CASE(P "Content-Length:\r\n\r\n", 400),
	CASE(P "Content-Length: +3\r\n\r\nabc", 400),
	CASE(P "Content-Length: -3\r\n\r\nabc", 400),
	CASE(P "Content-Length: 0x3\r\n\r\nabc", 400),
	CASE(P "Content-Length: 3 3\r\n\r\nabc", 400),
	CASE(P "Content-Length: 3.0\r\n\r\nabc", 400),
	CASE(P "Content-Length: a\r\n\r\nabc", 400),
	CASE(P "Content-Length: 65537\r\n\r\n", 413),
	CASE(P "Content-Length: 18446744073709551619\r\n\r\nabc", 413),
	CASE(P "Content-Length: 99999999999999999999999999999999999999999\r\n\r\n", 413),
	CASE(P "Content-Length : 3\r\n\r\nabc", 400),
	/* Transfer-Encoding */
	CASE(P "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
	CASE(P "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	CASE(P "Content-Length: 3\r\nTransfer-Encoding: identity\r\n\r\nabc", 400),
	CASE(P "Transfer-Encoding: identity\r\n\r\n", 501),
	CASE(P "Transfer-Encoding: gzip\r\n\r\n", 501),
	CASE(P "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
	CASE(P "Transfer-Encoding: xchunked\r\n\r\n", 501),
	CASE(P "Transfer-Encoding: \"chunked\"\r\n\r\n", 501),
	CASE(P "Transfer-Encoding: chunked;q=1\r\n\r\n", 501),
	CASE(P "Transfer-Encoding: \x0b" "chunked\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400),
	CASE(P "Transfer-Encoding:\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked, ,\r\n\r\n0\r\n\r\n", 400),
	CASE(P "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 400),
	CASE(P "Transfer-Encoding : chunked\r\n\r\n", 400),
	CASE("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	CASE(P "tRANSFER-eNCODING: \tChUnKeD \t\r\n\r\n0\r\n\r\n", 0),
	/* chunks */
	CASE(C "0\r\n\r\n", 0),
	CASE(C "3\r\nabc\r\n0\r\n\r\n", 0),
	CASE(C "0000000000000003\r\nabc\r\n0\r\n\r\n", 0),
	CASE(C "00000000000000003\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "3;x=y\r\nabc\r\n0;z\r\n\r\n", 0),
	CASE(C "3 ;x\r\nabc\r\n0\r\n\r\n", 0),
	CASE(C "3 \r\nabc\r\n0\r\n\r\n", 400),
	CASE(C " 3\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "\r\n0\r\n\r\n", 400),
	CASE(C "0x3\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "+3\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "-3\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "g\r\n", 400),
	CASE(C ";\r\n", 400),
	CASE(C "3\nabc\r\n0\r\n\r\n", 400),
	CASE(C "3\rabc\r\n0\r\n\r\n", 400),
	CASE(C "3;\n\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "3;\x01\r\nabc\r\n0\r\n\r\n", 400),
	CASE(C "3\r\nabcd\r\n0\r\n\r\n", 400),
	CASE(C "3\r\nabc\n0\r\n\r\n", 400),
	CASE(C "3\r\nabc\rx", 400),
	CASE(C "3\r\nabc0\r\n\r\n", 400),
	CASE(C "10001\r\n", 413),
	CASE(C "ffffffffffffffff\r\n", 413),
	CASE(C "1\r\na\r\nffffffffffffffff\r\n", 413),
	CASE(C "0\r\nX: y\r\n\r\n", 0),
	CASE(C "0\r\nHost: b\r\nContent-Length: 9\r\n\r\n", 0),
	CASE(C "0\r\n X: y\r\n\r\n", 400),
	CASE(C "0\r\nX : y\r\n\r\n", 400),
	CASE(C "0\r\nX: y\n\r\n", 400),
	CASE(C "0\r\n\n", 400),
	CASE(C "0\r\n", 1),
	CASE(C "3\r\nab", 1),
	/* Expect */
	CASE(P "Expect: 100-continue\r\nContent-Length: 1\r\n\r\na", 0),
	CASE(P "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", 417),
	CASE(P "Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\na", 417),
	CASE(P "Expect: x,\r\nContent-Length: 1\r\n\r\na", 417),
	CASE(P "Expect:\r\nContent-Length: 1\r\n\r\na", 0),
	CASE("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na", 0),
	/* incomplete */
	CASE("", 1),
	CASE("G", 1),
	CASE(G, 1),
	CASE(G H, 1),
	CASE(G H "\r", 1),
};

static void check_same(struct str text)
{
	if (run_a.status == run_b.status && run_a.used == run_b.used &&
		run_a.body_len == run_b.body_len && run_a.heads == run_b.heads &&
		memcmp(run_a.body, run_b.body, run_a.body_len) == 0)
		return;
	test_fail(__FILE__, __LINE__, "pieces change %.*s: status %u %u, used %zu %zu", STR_ARG(text),
		run_a.status, run_b.status, run_a.used, run_b.used);
}

TEST(http_every_case_has_its_status)
{
	for (size_t i = 0; i < countof(cases); i++) {
		run_request(&run_a, cases[i].text, 100000, NULL);
		if (run_a.status != cases[i].status)
			test_fail(__FILE__, __LINE__, "%.*s: status %u, expected %u",
				STR_ARG(cases[i].text), run_a.status, cases[i].status);
	}
}

TEST(http_bytewise_is_the_same)
{
	for (size_t i = 0; i < countof(cases); i++) {
		run_request(&run_a, cases[i].text, 100000, NULL);
		run_request(&run_b, cases[i].text, 1, NULL);
		check_same(cases[i].text);
	}
}

TEST(http_random_pieces_are_the_same)
{
	struct test_rng rng = test_rng(test_seed());
	for (unsigned round = 0; round < 200; round++) {
		for (size_t i = 0; i < countof(cases); i++) {
			run_request(&run_a, cases[i].text, 100000, NULL);
			run_request(&run_b, cases[i].text, 0, &rng);
			check_same(cases[i].text);
		}
	}
}

/* Damaged requests: whatever they give, they give in any pieces. */
TEST(http_random_damage_is_the_same_in_pieces)
{
	struct test_rng rng = test_rng(test_seed());
	char text[1024];
	for (unsigned round = 0; round < 20000; round++) {
		struct str from = cases[test_below(&rng, countof(cases))].text;
		if (from.len == 0)
			continue;
		memcpy(text, from.ptr, from.len);
		for (unsigned k = 0; k <= test_below(&rng, 3); k++)
			text[test_below(&rng, from.len)] = "\r\n :;,09afGx/%\0\x80."[test_below(&rng, 18)];
		run_request(&run_a, str_of(text, from.len), 100000, NULL);
		run_request(&run_b, str_of(text, from.len), 0, &rng);
		check_same(str_of(text, from.len));
	}
}

static const struct http_request *parsed(struct str text)
{
	run_request(&run_a, text, 7, NULL);
	CHECK_EQ(run_a.status, 0);
	CHECK_EQ(run_a.heads, 1);
	return &run_a.p.req;
}

static struct str path_of(const char *target, char *buffer, size_t cap)
{
	struct abuf text = abuf_of(buffer, cap);
	fmt(&text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	return parsed(abuf_str(&text))->path;
}

TEST(http_path_is_decoded_and_squeezed)
{
	static const struct {
		const char *target;
		struct str path;
	} paths[] = {
		{"/", STR_INIT("/")},
		{"//", STR_INIT("/")},
		{"/.", STR_INIT("/")},
		{"/./", STR_INIT("/")},
		{"/a", STR_INIT("/a")},
		{"/a/", STR_INIT("/a/")},
		{"/a//b", STR_INIT("/a/b")},
		{"/a/./b", STR_INIT("/a/b")},
		{"/a/.", STR_INIT("/a/")},
		{"/a/..", STR_INIT("/")},
		{"/a/../", STR_INIT("/")},
		{"/a/b/..", STR_INIT("/a/")},
		{"/a/b/../c", STR_INIT("/a/c")},
		{"/a/b/../../c", STR_INIT("/c")},
		{"/a/%2e%2e/c", STR_INIT("/c")},
		{"/a/%2e/c", STR_INIT("/a/c")},
		{"/...", STR_INIT("/...")},
		{"/..a", STR_INIT("/..a")},
		{"/a..", STR_INIT("/a..")},
		{"/%41%62", STR_INIT("/Ab")},
		{"/%252e", STR_INIT("/%2e")},
		{"/a%20b", STR_INIT("/a b")},
		{"/a%3Fb", STR_INIT("/a?b")},
		{"/%C3%A4", STR_INIT("/\xc3\xa4")},
		{"/a;b=c", STR_INIT("/a;b=c")},
		{"/a?b/../c", STR_INIT("/a")},
		{"http://h/a/../b", STR_INIT("/b")},
		{"http://h", STR_INIT("/")},
		{"http://h?q", STR_INIT("/")},
	};
	char buffer[256];
	for (size_t i = 0; i < countof(paths); i++)
		CHECK_STR(path_of(paths[i].target, buffer, sizeof(buffer)), paths[i].path);
}

TEST(http_random_paths_stay_below_the_root)
{
	static const char *const parts[] = {"/", "..", ".", "a", "%2e", "%2E%2e", "//", "b%20", "%"};
	struct test_rng rng = test_rng(test_seed());
	for (unsigned round = 0; round < 100000; round++) {
		char raw[128] = "/";
		size_t len = 1;
		for (unsigned k = 0; k < test_below(&rng, 12); k++) {
			const char *part = parts[test_below(&rng, countof(parts))];
			for (; *part; part++)
				raw[len++] = *part;
		}
		struct http_target t;
		if (http_target_parse(raw, len, HTTP_GET, &t) != 0)
			continue;
		CHECK(t.path.len >= 1 && t.path.ptr[0] == '/');
		struct str rest = t.path;
		while (rest.len) {
			struct str segment = str_cut(&rest, '/');
			CHECK(!str_eq(segment, S("..")) && !str_eq(segment, S(".")));
		}
		CHECK_EQ(str_find(t.path, S("//")), t.path.len);
	}
}

TEST(http_query_is_kept_raw)
{
	CHECK_STR(parsed(S("GET /a?b=%20&c=?/.. HTTP/1.1\r\n" H "\r\n"))->query, S("b=%20&c=?/.."));
	CHECK_STR(parsed(S("GET /a? HTTP/1.1\r\n" H "\r\n"))->query, S(""));
	CHECK_STR(parsed(S("GET http://h?q=1 HTTP/1.1\r\n" H "\r\n"))->query, S("q=1"));
}

TEST(http_fields_are_kept_trimmed)
{
	const struct http_request *r = parsed(
		S(G "X-Unknown: 1\r\nhOST:\t localhost:80 \t\r\nRange:bytes=0-1\r\nIf-Range: \"a b\"\r\n\r\n"));
	CHECK_STR(r->host, S("localhost:80"));
	CHECK_STR(r->field[HTTP_RANGE], S("bytes=0-1"));
	CHECK_STR(r->field[HTTP_IF_RANGE], S("\"a b\""));
	CHECK(!r->field[HTTP_ORIGIN].ptr);
}

TEST(http_repeated_lists_are_joined)
{
	const struct http_request *r = parsed(S(
		G H "If-None-Match: \"a\"\r\nX: y\r\nIf-None-Match: \"b\"\r\nif-none-match: \"c\"\r\n\r\n"));
	CHECK_STR(r->field[HTTP_IF_NONE_MATCH], S("\"a\", \"b\", \"c\""));
}

TEST(http_repeated_singles_are_refused)
{
	run_request(&run_a, S(G H "Range: a\r\nRange: a\r\n\r\n"), 9, NULL);
	CHECK_EQ(run_a.status, 400);
	run_request(&run_a, S(G H "Origin: a\r\nOrigin: a\r\n\r\n"), 9, NULL);
	CHECK_EQ(run_a.status, 400);
}

TEST(http_authority_of_the_target_stands_above_host)
{
	CHECK_STR(parsed(S("GET http://b:1/ HTTP/1.1\r\n" H "\r\n"))->host, S("b:1"));
}

TEST(http_keep_alive_of_both_versions)
{
	CHECK(parsed(S(G H "\r\n"))->keep_alive);
	CHECK(!parsed(S(G H "Connection: close\r\n\r\n"))->keep_alive);
	CHECK(!parsed(S(G H "Connection: x, CLOSE\r\n\r\n"))->keep_alive);
	CHECK(!parsed(S(G H "Connection: keep-alive\r\nConnection: close\r\n\r\n"))->keep_alive);
	CHECK(parsed(S(G H "Connection: closed\r\n\r\n"))->keep_alive);
	CHECK(!parsed(S("GET / HTTP/1.0\r\n\r\n"))->keep_alive);
	CHECK(parsed(S("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"))->keep_alive);
}

TEST(http_expect_is_for_bodies_only)
{
	CHECK(parsed(S(P "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na"))->expect_continue);
	CHECK(!parsed(S(P "Expect: 100-continue\r\n\r\n"))->expect_continue);
	CHECK(parsed(S(P "Expect: , 100-continue ,\r\nContent-Length: 1\r\n\r\na"))->expect_continue);
	CHECK(!parsed(S(P "Expect: ,\r\nContent-Length: 1\r\n\r\na"))->expect_continue);
}

TEST(http_bodies_arrive_whole)
{
	parsed(S(P "Content-Length: 11\r\n\r\nhello world"));
	CHECK_STR(str_of(run_a.body, run_a.body_len), S("hello world"));
	parsed(S(C "5;a=b\r\nhello\r\n1\r\n \r\n05\r\nworld\r\n0\r\nT: x\r\n\r\n"));
	CHECK_STR(str_of(run_a.body, run_a.body_len), S("hello world"));
}

TEST(http_pipelined_requests_are_separate)
{
	struct str text = S(P "Content-Length: 2\r\n\r\nab" C "1\r\nc\r\n0\r\n\r\n" G H "\r\n");
	struct http_parser p;
	unsigned done = 0, bytes = 0;
	http_parser_start(&p, &limits, wbuf_of(store, sizeof(store)));
	CHECK(http_parser_is_idle(&p));
	while (text.len || !http_parser_is_idle(&p)) {
		struct http_step s = http_input(&p, rbuf_of_str(text));
		CHECK(s.event != HTTP_FAIL);
		text = str_slice(text, s.used, text.len);
		bytes += s.body.len;
		if (s.event == HTTP_DONE) {
			done++;
			http_parser_next(&p, wbuf_of(store, sizeof(store)));
		}
	}
	CHECK_EQ(done, 3);
	CHECK_EQ(bytes, 3);
}

static uint8_t large[40000];

/* A request of `before`, then n times c, then `after`: its status. */
static uint16_t status_of_long(struct str before, size_t n, char c, struct str after)
{
	struct abuf text = abuf_of(large, sizeof(large));
	abuf_str_add(&text, before);
	for (size_t i = 0; i < n; i++)
		abuf_char_add(&text, c);
	abuf_str_add(&text, after);
	CHECK(abuf_ok(&text));
	run_request(&run_a, abuf_str(&text), 100000, NULL);
	run_request(&run_b, abuf_str(&text), 777, NULL);
	check_same(before);
	return run_a.status;
}

TEST(http_request_line_is_bounded)
{
	struct str end = S(" HTTP/1.1\r\n" H "\r\n");
	/* "GET /" and " HTTP/1.1" are 14 bytes of it */
	CHECK_EQ(status_of_long(S("GET /"), HTTP_LINE_MAX - 14, 'a', end), 0);
	CHECK_EQ(status_of_long(S("GET /"), HTTP_LINE_MAX - 13, 'a', end), 414);
	CHECK_EQ(status_of_long(S("GET /"), 30000, 'a', end), 414);
	CHECK_EQ(status_of_long(S("GET / HTTP/1.1"), 30000, '1', S("")), 400);
}

TEST(http_field_block_is_bounded)
{
	/* "Host: a\r\nX:" + "\r\n\r\n" are 15 bytes of it */
	CHECK_EQ(status_of_long(S(G H "X:"), HTTP_HEAD_MAX - 15, 'a', S("\r\n\r\n")), 0);
	CHECK_EQ(status_of_long(S(G H "X:"), HTTP_HEAD_MAX - 14, 'a', S("\r\n\r\n")), 431);
	CHECK_EQ(status_of_long(S(G H), 30000, 'a', S("")), 431);
	CHECK_EQ(status_of_long(S(G H "X:"), 30000, ' ', S("")), 431);
	CHECK_EQ(status_of_long(S(C "1;"), 30000, 'a', S("")), 431);
	CHECK_EQ(status_of_long(S(C "0\r\nX:"), 30000, 'a', S("")), 431);
}

TEST(http_fields_are_counted)
{
	for (unsigned n = HTTP_FIELDS_MAX - 1; n <= HTTP_FIELDS_MAX + 1; n++) {
		struct abuf text = abuf_of(large, sizeof(large));
		abuf_str_add(&text, S(G H));
		for (unsigned i = 1; i < n; i++)
			abuf_str_add(&text, S("X: y\r\n"));
		abuf_str_add(&text, S("\r\n"));
		run_request(&run_a, abuf_str(&text), 100, NULL);
		CHECK_EQ(run_a.status, n > HTTP_FIELDS_MAX ? 431 : 0);
	}
}

TEST(http_small_store_refuses_and_never_overruns)
{
	struct str text = S("GET /abcdef HTTP/1.1\r\nHost: abcdef\r\nConnection: a\r\nConnection: b\r\n\r\n");
	for (size_t cap = 0; cap < 40; cap++) {
		uint8_t *small = __builtin_malloc(cap + 1);
		struct http_parser p;
		http_parser_start(&p, &limits, wbuf_of(small, cap));
		struct http_step s = http_input(&p, rbuf_of_str(text));
		/* the target 7, Host 6, "a", "a, b" */
		CHECK_EQ(s.event, cap < 18 ? HTTP_FAIL : HTTP_HEAD);
		if (cap < 18)
			CHECK_EQ(p.status, cap < 7 ? 414 : 431);
		__builtin_free(small);
	}
}

TEST(http_a_failed_parser_takes_nothing_more)
{
	run_request(&run_a, S("BAD\n"), 100, NULL);
	struct http_step s = http_input(&run_a.p, rbuf_of("GET", 3));
	CHECK_EQ(s.event, HTTP_FAIL);
	CHECK_EQ(s.used, 0);
}
