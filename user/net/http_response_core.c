/* http_response_core.c - reads a response, as a client; see http_response_core.h. */
#include "user/net/http_response_core.h"
#include "lib/assert.h"

void http_response_start(struct http_response *p, bool head)
{
	p->state = RESPONSE_STATUS_LINE;
	p->head = head;
	p->status = 0;
	p->has_length = p->chunked = p->cr = false;
	p->length = p->left = p->body = 0;
	p->wrong = NULL;
	p->lines = p->line_len = 0;
}

static bool response_fail(struct http_response *p, const char *wrong)
{
	p->state = RESPONSE_FAILED;
	p->wrong = wrong;
	return false;
}

/* ---- lines ---- */

/* Takes bytes up to the end of a line. True: there is one, in p->line; false: all was used, or it failed. */
static bool response_line(struct http_response *p, struct rbuf bytes, size_t *used)
{
	for (*used = 0; *used < bytes.len;) {
		char c = (char)bytes.ptr[(*used)++];
		if (++p->lines > HTTP_RESPONSE_HEAD_MAX)
			return response_fail(p, "the head is too long");
		if (c == '\n') {
			p->cr = false;
			return true;
		}
		bool control = (uint8_t)c < ' ' && c != '\t' && c != '\r';
		if (p->cr || control || c == 0x7f)
			return response_fail(p, "a character that must not stand in the head");
		if (c == '\r') {
			p->cr = true;
			continue;
		}
		if (p->line_len == HTTP_RESPONSE_LINE_MAX)
			return response_fail(p, "a line of the head is too long");
		p->line[p->line_len++] = c;
	}
	return false;
}

static bool response_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the space behind the status may be missing where the reason is. */
static bool response_status(struct http_response *p, struct str line)
{
	bool fits = line.len >= 12 && str_starts(line, S("HTTP/1.")) && response_digit(line.ptr[7]) && line.ptr[8] == ' ' &&
		(line.len == 12 || line.ptr[12] == ' ');
	struct u64_result status = str_to_u64(str_slice(line, 9, 12), 10);
	if (!fits || status.err != OK || status.value < 100 || status.value > 599)
		return response_fail(p, "what came is no HTTP/1 response");
	p->status = (uint16_t)status.value;
	p->state = RESPONSE_FIELDS;
	return true;
}

static bool response_is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
			return false;
	return s.len > 0;
}

static bool response_length(struct http_response *p, struct str value)
{
	struct u64_result n = str_to_u64(value, 10);
	if (n.err != OK || (p->has_length && n.value != p->length))
		return response_fail(p, "its Content-Length is none, or there are two");
	p->has_length = true;
	p->length = n.value;
	return true;
}

static bool response_field(struct http_response *p, struct str line)
{
	struct str value = line, name = str_cut(&value, ':');
	if (name.len == line.len || !response_is_name(name))
		return response_fail(p, "a line of the head is no field");
	value = str_trim(value);
	if (str_eq_nocase(name, S("content-length")))
		return response_length(p, value);
	if (!str_eq_nocase(name, S("transfer-encoding")))
		return true;
	if (p->chunked || !str_eq_nocase(value, S("chunked")))
		return response_fail(p, "its Transfer-Encoding is not known here");
	p->chunked = true;
	return true;
}

/* Behind the head: what comes next. */
static void response_begin_body(struct http_response *p)
{
	if (p->status < 200) {
		size_t lines = p->lines;
		http_response_start(p, p->head); /* the response proper follows */
		p->lines = lines; /* without end there is none */
		return;
	}
	p->left = p->length;
	if (p->chunked && p->has_length)
		(void)response_fail(p, "it has both Content-Length and Transfer-Encoding");
	else if (p->head || p->status == 204 || p->status == 304)
		p->state = RESPONSE_DONE;
	else if (p->chunked)
		p->state = RESPONSE_CHUNK_SIZE;
	else if (p->has_length)
		p->state = p->length ? RESPONSE_LENGTH : RESPONSE_DONE;
	else
		p->state = RESPONSE_TO_CLOSE;
}

/* "1a2b", perhaps with ";extension". 0: the last chunk. */
static bool response_chunk_size(struct http_response *p, struct str line)
{
	struct u64_result size = str_to_u64(str_trim(str_cut(&line, ';')), 16);
	if (size.err != OK)
		return response_fail(p, "a chunk has no size");
	p->left = size.value;
	p->state = size.value ? RESPONSE_CHUNK : RESPONSE_TRAILERS;
	p->lines = 0; /* bounds each chunk's line, not their number */
	return true;
}

/* ---- events ---- */

/* A whole line has come in one of the states that read lines. */
static struct http_response_step response_take_line(struct http_response *p, size_t used)
{
	struct http_response_step s = {.event = RESPONSE_MORE, .used = used, .line = str_of(p->line, p->line_len)};
	bool fine = true;
	p->line_len = 0;
	if (p->state == RESPONSE_STATUS_LINE) {
		fine = response_status(p, s.line);
		s.event = fine && p->status >= 200 ? RESPONSE_LINE : RESPONSE_MORE;
	} else if (p->state == RESPONSE_FIELDS && s.line.len) {
		fine = response_field(p, s.line);
		s.event = fine && p->status >= 200 ? RESPONSE_LINE : RESPONSE_MORE;
	} else if (p->state == RESPONSE_FIELDS) {
		bool interim = p->status < 200;
		response_begin_body(p);
		fine = p->state != RESPONSE_FAILED;
		s.event = interim ? RESPONSE_MORE : RESPONSE_HEAD;
	} else if (p->state == RESPONSE_CHUNK_SIZE) {
		fine = response_chunk_size(p, s.line);
	} else if (p->state == RESPONSE_CHUNK_END) {
		fine = s.line.len == 0 || response_fail(p, "a chunk is longer than its size");
		p->state = fine ? RESPONSE_CHUNK_SIZE : RESPONSE_FAILED;
	} else if (s.line.len == 0) { /* trailers are not looked at */
		p->state = RESPONSE_DONE;
	}
	if (!fine)
		s.event = RESPONSE_FAIL;
	return s;
}

static struct http_response_step response_take_body(struct http_response *p, struct rbuf bytes)
{
	bool endless = p->state == RESPONSE_TO_CLOSE;
	size_t n = endless ? bytes.len : (size_t)min((uint64_t)bytes.len, p->left);
	struct http_response_step s = {.event = n ? RESPONSE_BODY : RESPONSE_MORE, .used = n, .body = rbuf_of(bytes.ptr, n)};
	p->body += n;
	if (endless)
		return s;
	p->left -= n;
	if (p->left == 0)
		p->state = p->state == RESPONSE_LENGTH ? RESPONSE_DONE : RESPONSE_CHUNK_END;
	return s;
}

struct http_response_step http_response_input(struct http_response *p, struct rbuf bytes)
{
	size_t all = 0;
	for (;;) {
		if (p->state == RESPONSE_FAILED)
			return (struct http_response_step){.event = RESPONSE_FAIL, .used = all};
		if (p->state == RESPONSE_DONE)
			return (struct http_response_step){.event = RESPONSE_END, .used = all};
		struct http_response_step s;
		size_t used = 0;
		struct rbuf rest = rbuf_slice(bytes, all, bytes.len);
		if (p->state == RESPONSE_LENGTH || p->state == RESPONSE_TO_CLOSE || p->state == RESPONSE_CHUNK)
			s = response_take_body(p, rest);
		else if (response_line(p, rest, &used))
			s = response_take_line(p, used);
		else
			s = (struct http_response_step){.event = p->wrong ? RESPONSE_FAIL : RESPONSE_MORE, .used = used};
		all += s.used;
		s.used = all;
		if (s.event != RESPONSE_MORE || (all == bytes.len && p->state != RESPONSE_DONE))
			return s;
	}
}

const char *http_response_end(struct http_response *p)
{
	switch (p->state) {
	case RESPONSE_DONE:
		return NULL;
	case RESPONSE_TO_CLOSE:
		p->state = RESPONSE_DONE;
		return NULL;
	case RESPONSE_FAILED:
		return p->wrong;
	case RESPONSE_STATUS_LINE:
		return p->lines ? "the connection ended within the head" : "the connection ended without a response";
	case RESPONSE_FIELDS:
		return "the connection ended within the head";
	default:
		return "the connection ended before the body was complete";
	}
}
