/* http_reply_core_test.c - heads, chunks, problems, and the judgements behind a reply. */
#include "tests/host/test.h"
#include "user/net/http_reply_core.h"

static char buffer[2048];

static struct str head_of(const struct http_reply *r)
{
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	http_reply_head(&out, r);
	CHECK(abuf_ok(&out));
	CHECK(out.len < HTTP_REPLY_HEAD_MAX);
	CHECK(str_ends(abuf_str(&out), S("\r\n\r\n")));
	return abuf_str(&out);
}

static bool has(struct str text, struct str line)
{
	return str_find(text, line) < text.len;
}

TEST(reply_head_of_a_file)
{
	struct str h = head_of(&(struct http_reply){.status = 200, .type = S("text/css"), .length = 12,
		.etag = S("\"0123456789abcdef\""), .gzip = true, .vary = true, .ranges = true});
	CHECK(str_starts(h, S("HTTP/1.1 200 OK\r\n")));
	CHECK(has(h, S("Content-Length: 12\r\n")));
	CHECK(has(h, S("ETag: \"0123456789abcdef\"\r\n")));
	CHECK(has(h, S("Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n")));
	CHECK(!has(h, S("Connection:")));
	CHECK(has(h, S("nosniff")));
}

TEST(reply_head_of_chunks_and_connections)
{
	struct str h = head_of(&(struct http_reply){
		.status = 200, .type = S("a/b"), .length = HTTP_LENGTH_CHUNKED, .close = true});
	CHECK(has(h, S("Transfer-Encoding: chunked\r\n")) && !has(h, S("Content-Length")));
	CHECK(has(h, S("Connection: close\r\n")));
	h = head_of(&(struct http_reply){.status = 200, .type = S("a/b"), .length = 1, .minor0 = true});
	CHECK(has(h, S("Connection: keep-alive\r\n")));
}

TEST(reply_head_without_content)
{
	struct str h = head_of(&(struct http_reply){.status = 304, .etag = S("\"x\"")});
	CHECK(!has(h, S("Content-")) || !has(h, S("Content-Length")));
	h = head_of(&(struct http_reply){.status = 405, .allow = S("GET, HEAD")});
	CHECK(has(h, S("Allow: GET, HEAD\r\n")) && has(h, S("Content-Length: 0\r\n")));
	h = head_of(&(struct http_reply){.status = 503});
	CHECK(has(h, S("Retry-After: 1\r\n")));
	h = head_of(&(struct http_reply){.status = 426, .upgrade = true});
	CHECK(has(h, S("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")));
}

/* RFC 9110 section 6.6.1: with a clock, and only then; the example is that of section 5.6.7. */
TEST(reply_head_says_when)
{
	struct str h = head_of(&(struct http_reply){.status = 304, .date_s = 784111777});
	CHECK(has(h, S("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n")));
	h = head_of(&(struct http_reply){.status = 200, .type = S("a/b"), .length = 1, .date_s = 1732924799});
	CHECK(has(h, S("\r\nDate: Fri, 29 Nov 2024 23:59:59 GMT\r\n")));
	h = head_of(&(struct http_reply){.status = 200, .type = S("a/b"), .length = 1});
	CHECK(!has(h, S("Date:")));
}

TEST(reply_head_at_its_longest)
{
	static const uint16_t statuses[] = {206, 401, 416, 431, 503};
	for (size_t i = 0; i < countof(statuses); i++)
		head_of(&(struct http_reply){.status = statuses[i], .close = true, .gzip = true, .vary = true,
			.ranges = true, .upgrade = true, .type = HTTP_PROBLEM_TYPE, .length = HTTP_LENGTH_CLOSE - 1,
			.date_s = INT64_MAX / 1000000000, .etag = S("\"0123456789abcdef\""), .location = S("/"),
			.allow = S("GET, HEAD, POST, OPTIONS"), .retry_s = UINT32_MAX, .range_size = UINT64_MAX});
}

TEST(reply_head_of_ranges)
{
	struct str h = head_of(&(struct http_reply){
		.status = 206, .type = S("a/b"), .length = 5, .range_from = 10, .range_size = 100});
	CHECK(has(h, S("Content-Range: bytes 10-14/100\r\n")));
	h = head_of(&(struct http_reply){.status = 416, .range_size = 100});
	CHECK(has(h, S("Content-Range: bytes */100\r\n")));
}

TEST(reply_that_does_not_fit_says_so)
{
	struct abuf out = abuf_of(buffer, 40);
	http_reply_head(&out, &(struct http_reply){.status = 200, .type = S("a/b")});
	CHECK(!abuf_ok(&out));
}

TEST(reply_chunks_are_head_content_end)
{
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	http_chunk_head(&out, 1);
	abuf_str_add(&out, S("a"));
	http_chunk_end(&out);
	http_chunk_head(&out, 0x1abcd);
	http_chunk_last(&out);
	CHECK_STR(abuf_str(&out), S("1\r\na\r\n1abcd\r\n0\r\n\r\n"));
}

/* Taken apart again by section 7.1 of RFC 9112. */
TEST(reply_random_chunks_are_read_as_they_were)
{
	struct test_rng rng = test_rng(test_seed());
	for (int n = 0; n < 200; n++) {
		uint8_t content[600];
		size_t len = 1 + test_below(&rng, sizeof(content)), at = 0, read = 0;
		for (size_t i = 0; i < len; i++)
			content[i] = (uint8_t)test_u64(&rng);
		uint8_t bytes[8192];
		struct abuf out = abuf_of(bytes, sizeof(bytes));
		while (at < len) {
			size_t piece = 1 + test_below(&rng, len - at);
			http_chunk_head(&out, piece);
			abuf_bytes_add(&out, content + at, piece);
			http_chunk_end(&out);
			at += piece;
		}
		http_chunk_last(&out);
		CHECK(abuf_ok(&out));
		struct str rest = abuf_str(&out);
		for (;;) {
			size_t line = str_find(rest, S("\r\n"));
			struct u64_result size = str_to_u64(str_slice(rest, 0, line), 16);
			CHECK_EQ(size.err, OK);
			rest = str_slice(rest, line + 2, rest.len);
			if (!size.value)
				break;
			CHECK_MEM(rest.ptr, content + read, size.value);
			read += size.value;
			CHECK(str_starts(str_slice(rest, size.value, rest.len), S("\r\n")));
			rest = str_slice(rest, size.value + 2, rest.len);
		}
		CHECK_EQ(read, len);
		CHECK_STR(rest, S("\r\n"));
	}
}

TEST(reply_up_to_the_end_of_the_connection_has_no_length)
{
	struct str h = head_of(&(struct http_reply){.status = 200, .length = HTTP_LENGTH_CLOSE, .close = true});
	CHECK(!has(h, S("Content-Length")));
	CHECK(!has(h, S("Transfer-Encoding")));
	CHECK(has(h, S("Connection: close\r\n")));
}

TEST(reply_problem_is_json)
{
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	http_problem(&out, 404, S("no \"x\" here"));
	CHECK_STR(abuf_str(&out), S("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
				    "\"detail\":\"no \\\"x\\\" here\"}\n"));
}

TEST(etag_lists)
{
	struct str tag = S("\"a\"");
	CHECK(http_etag_matches(S("\"a\""), tag, true));
	CHECK(http_etag_matches(S("\"b\", \"a\""), tag, true));
	CHECK(http_etag_matches(S("W/\"a\""), tag, true));
	CHECK(!http_etag_matches(S("W/\"a\""), tag, false));
	CHECK(http_etag_matches(S(" * "), tag, false));
	CHECK(!http_etag_matches(S("\"b\""), tag, true));
	CHECK(!http_etag_matches(S("a"), tag, true));
	CHECK(!http_etag_matches(S(""), tag, true));
}

TEST(accept_encoding)
{
	CHECK(!http_accepts_gzip(S("")));
	CHECK(http_accepts_gzip(S("gzip")));
	CHECK(http_accepts_gzip(S("deflate, GZIP;q=0.5")));
	CHECK(!http_accepts_gzip(S("gzip;q=0")));
	CHECK(!http_accepts_gzip(S("gzip; q=0.000, *")));
	CHECK(http_accepts_gzip(S("br, *;q=0.1")));
	CHECK(!http_accepts_gzip(S("br, *;q=0")));
	CHECK(!http_accepts_gzip(S("gzipped")));
}

static void check_range(struct str text, enum http_range_kind kind, uint64_t from, uint64_t len)
{
	struct http_range r = http_range_parse(text, 100);
	CHECK_EQ(r.kind, kind);
	if (kind != HTTP_RANGE_ONE)
		return;
	CHECK_EQ(r.from, from);
	CHECK_EQ(r.len, len);
}

TEST(ranges)
{
	check_range(S("bytes=0-0"), HTTP_RANGE_ONE, 0, 1);
	check_range(S("bytes=10-19"), HTTP_RANGE_ONE, 10, 10);
	check_range(S("bytes=90-"), HTTP_RANGE_ONE, 90, 10);
	check_range(S("bytes=90-1000"), HTTP_RANGE_ONE, 90, 10);
	check_range(S("bytes=-5"), HTTP_RANGE_ONE, 95, 5);
	check_range(S("bytes=-500"), HTTP_RANGE_ONE, 0, 100);
	check_range(S("bytes=-0"), HTTP_RANGE_UNSATISFIABLE, 0, 0);
	check_range(S("bytes=100-"), HTTP_RANGE_UNSATISFIABLE, 0, 0);
	check_range(S("bytes=5-4"), HTTP_RANGE_NONE, 0, 0);
	check_range(S("bytes=-"), HTTP_RANGE_NONE, 0, 0);
	check_range(S("bytes=5"), HTTP_RANGE_NONE, 0, 0);
	check_range(S("bytes=a-b"), HTTP_RANGE_NONE, 0, 0);
	check_range(S("bytes=1-2,4-5"), HTTP_RANGE_NONE, 0, 0);
	check_range(S("items=1-2"), HTTP_RANGE_NONE, 0, 0);
	check_range(S("bytes=99999999999999999999-"), HTTP_RANGE_UNSATISFIABLE, 0, 0);
	check_range(S("bytes=10-99999999999999999999"), HTTP_RANGE_ONE, 10, 90);
	check_range(S("bytes=-99999999999999999999"), HTTP_RANGE_ONE, 0, 100);
	CHECK_EQ(http_range_parse(S("bytes=0-"), 0).kind, HTTP_RANGE_UNSATISFIABLE);
	CHECK_EQ(http_range_parse(S("bytes=-1"), 0).kind, HTTP_RANGE_UNSATISFIABLE);
}

TEST(query_parameters)
{
	struct abuf v = abuf_of(buffer, 8);
	CHECK_EQ(http_query_param(S("a=1&path=%2Fx+y&b"), S("path"), &v), OK);
	CHECK_STR(abuf_str(&v), S("/x y"));
	v = abuf_of(buffer, 8);
	CHECK_EQ(http_query_param(S("b"), S("b"), &v), OK);
	CHECK_EQ(v.len, 0);
	CHECK_EQ(http_query_param(S("ab=1"), S("a"), &v), ERR_NOENT);
	CHECK_EQ(http_query_param(S(""), S("a"), &v), ERR_NOENT);
	CHECK_EQ(http_query_param(S("a=%0"), S("a"), &v), ERR_INVAL);
	CHECK_EQ(http_query_param(S("a=%zz"), S("a"), &v), ERR_INVAL);
	CHECK_EQ(http_query_param(S("a=%00"), S("a"), &v), ERR_INVAL);
	v = abuf_of(buffer, 8);
	CHECK_EQ(http_query_param(S("a=123456789"), S("a"), &v), ERR_NOSPC);
}

TEST(mime_types_and_host_names)
{
	CHECK_STR(http_mime_type(S("/index.html")), S("text/html; charset=utf-8"));
	CHECK_STR(http_mime_type(S("/a.js")), S("text/javascript; charset=utf-8"));
	CHECK_STR(http_mime_type(S("/a")), S("application/octet-stream"));
	CHECK_STR(http_host_name(S("localhost:8080")), S("localhost"));
	CHECK_STR(http_host_name(S("[::1]:80")), S("::1"));
	CHECK_STR(http_host_name(S("a")), S("a"));
	CHECK_STR(http_host_name(S("")), S(""));
}
