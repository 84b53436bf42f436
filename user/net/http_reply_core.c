/*
 * http_reply_core.c - heads of replies, chunks and problem documents.
 *
 * The security fields are on every reply: nothing is sniffed, framed or run that did
 * not come from this server as a file of its own, no other origin reads a reply, and
 * no address of a page, in which a token may stand, is told to another.
 *
 * Reference: RFC 9110 sections 5.6.7, 6.6.1, 8, 14, 15; RFC 9112 section 7.1; RFC 9457.
 */
#include "user/net/http_reply_core.h"
#include "lib/assert.h"
#include "lib/civil.h"
#include "lib/fmt.h"
#include "lib/mem.h"

static const struct {
	uint16_t status;
	struct str text;
} http_statuses[] = {
	{200, STR_INIT("OK")},
	{204, STR_INIT("No Content")},
	{206, STR_INIT("Partial Content")},
	{303, STR_INIT("See Other")},
	{304, STR_INIT("Not Modified")},
	{308, STR_INIT("Permanent Redirect")},
	{400, STR_INIT("Bad Request")},
	{401, STR_INIT("Unauthorized")},
	{403, STR_INIT("Forbidden")},
	{404, STR_INIT("Not Found")},
	{405, STR_INIT("Method Not Allowed")},
	{408, STR_INIT("Request Timeout")},
	{411, STR_INIT("Length Required")},
	{412, STR_INIT("Precondition Failed")},
	{413, STR_INIT("Content Too Large")},
	{414, STR_INIT("URI Too Long")},
	{415, STR_INIT("Unsupported Media Type")},
	{416, STR_INIT("Range Not Satisfiable")},
	{417, STR_INIT("Expectation Failed")},
	{426, STR_INIT("Upgrade Required")},
	{429, STR_INIT("Too Many Requests")},
	{431, STR_INIT("Request Header Fields Too Large")},
	{500, STR_INIT("Internal Server Error")},
	{501, STR_INIT("Not Implemented")},
	{503, STR_INIT("Service Unavailable")},
	{505, STR_INIT("HTTP Version Not Supported")},
};

struct str http_status_text(uint16_t status)
{
	for (size_t i = 0; i < countof(http_statuses); i++) {
		if (http_statuses[i].status == status)
			return http_statuses[i].text;
	}
	return STR_EMPTY;
}

static void http_two_digits(char *at, uint32_t n)
{
	at[0] = (char)('0' + n / 10 % 10);
	at[1] = (char)('0' + n % 10);
}

/* IMF-fixdate, RFC 9110 section 5.6.7. In every reply: filled in by hand, it costs a seventh of what fmt() would. */
static void http_date(struct abuf *out, int64_t unix_s)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char line[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
	struct civil c = civil_of(unix_s);
	memcpy(line + 6, days + 3 * c.weekday, 3);
	http_two_digits(line + 11, c.day);
	memcpy(line + 14, months + 3 * (c.month - 1), 3);
	http_two_digits(line + 18, (uint32_t)(c.year / 100));
	http_two_digits(line + 20, (uint32_t)c.year);
	http_two_digits(line + 23, c.hour);
	http_two_digits(line + 26, c.minute);
	http_two_digits(line + 29, c.second);
	abuf_bytes_add(out, line, sizeof(line) - 1);
}

/* The last of every head: one piece, so that it costs a copy. */
static const struct str http_security_fields = STR_INIT(
	"X-Content-Type-Options: nosniff\r\n"
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"\r\n");

static void http_reply_content(struct abuf *out, const struct http_reply *r)
{
	if (r->type.len)
		fmt(out, "Content-Type: %.*s\r\n", STR_ARG(r->type));
	if (r->status == 304 || r->status == 204)
		return;
	if (r->length == HTTP_LENGTH_CHUNKED)
		abuf_str_add(out, S("Transfer-Encoding: chunked\r\n"));
	else if (r->length != HTTP_LENGTH_CLOSE)
		fmt(out, "Content-Length: %llu\r\n", (unsigned long long)r->length);
	if (r->status == 206)
		fmt(out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)r->range_from,
			(unsigned long long)(r->range_from + r->length - 1),
			(unsigned long long)r->range_size);
	if (r->status == 416)
		fmt(out, "Content-Range: bytes */%llu\r\n", (unsigned long long)r->range_size);
}

void http_reply_head(struct abuf *out, const struct http_reply *r)
{
	assert(r->status >= 200 && http_status_text(r->status).len > 0);
	fmt(out, "HTTP/1.1 %u %.*s\r\n", r->status, STR_ARG(http_status_text(r->status)));
	if (r->date_s > 0)
		http_date(out, r->date_s);
	http_reply_content(out, r);
	if (r->gzip)
		abuf_str_add(out, S("Content-Encoding: gzip\r\n"));
	if (r->vary)
		abuf_str_add(out, S("Vary: Accept-Encoding\r\n"));
	if (r->etag.len)
		fmt(out, "ETag: %.*s\r\n", STR_ARG(r->etag));
	if (r->ranges)
		abuf_str_add(out, S("Accept-Ranges: bytes\r\n"));
	if (r->allow.len)
		fmt(out, "Allow: %.*s\r\n", STR_ARG(r->allow));
	if (r->location.len)
		fmt(out, "Location: %.*s\r\n", STR_ARG(r->location));
	if (r->cookie.len)
		fmt(out, "Set-Cookie: %.*s; Path=/; HttpOnly; SameSite=Strict\r\n", STR_ARG(r->cookie));
	if (r->status == 401)
		abuf_str_add(out, S("WWW-Authenticate: Bearer realm=\"mazu\"\r\n"));
	if (r->status == 429 || r->status == 503)
		fmt(out, "Retry-After: %u\r\n", max(r->retry_s, 1u));
	abuf_str_add(out, r->no_store ? S("Cache-Control: no-store\r\n") : S("Cache-Control: no-cache\r\n"));
	if (r->upgrade)
		abuf_str_add(out, S("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"));
	if (r->close)
		abuf_str_add(out, S("Connection: close\r\n"));
	else if (r->minor0)
		abuf_str_add(out, S("Connection: keep-alive\r\n"));
	abuf_str_add(out, http_security_fields);
}

void http_continue(struct abuf *out)
{
	abuf_str_add(out, S("HTTP/1.1 100 Continue\r\n\r\n"));
}

void http_chunk_head(struct abuf *out, size_t len)
{
	assert(len > 0); /* a chunk of no bytes would be the last one */
	fmt(out, "%zx\r\n", len);
}

void http_chunk_end(struct abuf *out)
{
	abuf_str_add(out, S("\r\n"));
}

void http_chunk_last(struct abuf *out)
{
	abuf_str_add(out, S("0\r\n\r\n"));
}

void http_problem(struct abuf *out, uint16_t status, struct str detail)
{
	fmt(out, "{\"type\":\"about:blank\",\"title\":\"%.*s\",\"status\":%u,\"detail\":\"",
		STR_ARG(http_status_text(status)), status);
	for (size_t i = 0; i < detail.len; i++) {
		if (detail.ptr[i] == '"' || detail.ptr[i] == '\\')
			abuf_char_add(out, '\\');
		abuf_char_add(out, detail.ptr[i]);
	}
	abuf_str_add(out, S("\"}\n"));
}
