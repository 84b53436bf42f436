/*
 * http_core.c - the state machine of the request parser: one handler a state,
 * one byte at a time; only content is taken in larger pieces.
 *
 * A handler returns HTTP_MORE to go on, or the event to report. The lines of the
 * head and of a trailer go through the same states. http_target_core.c decodes
 * the target, http_head_core.c judges the complete head.
 *
 * Invariants: store_used <= store.len; `left` counts what is to come of the
 * content (HTTP_BODY_LENGTH) or of the chunk; after HTTP_FAIL the state stays
 * S_FAILED.
 */
#include "user/net/http_core.h"
#include "lib/assert.h"

enum {
	S_START,
	S_START_LF,
	S_METHOD,
	S_TARGET,
	S_VERSION,
	S_LINE_LF,
	S_FIELD_START,
	S_NAME,
	S_VALUE_START,
	S_VALUE,
	S_VALUE_LF,
	S_HEAD_LF,
	S_CHUNK_SIZE,
	S_CHUNK_BWS,
	S_CHUNK_EXT,
	S_CHUNK_SIZE_LF,
	S_CHUNK_DATA_CR,
	S_CHUNK_DATA_LF,
	S_BYTE_STATES,
	S_LENGTH_DATA = S_BYTE_STATES,
	S_CHUNK_DATA,
	S_BODY_END, /* nothing is left: reports HTTP_DONE without taking a byte */
	S_DONE,
	S_FAILED,
};

struct http_field_info {
	struct str name;
	bool is_list;
};

#define HTTP_FIELD_INFO(id, text, list) {STR_INIT(text), list},
static const struct http_field_info http_field_info[HTTP_FIELD_COUNT] = {
	HTTP_FIELD_LIST(HTTP_FIELD_INFO)};

static const struct str http_methods[HTTP_METHOD_COUNT] = {
	[HTTP_GET] = STR_INIT("GET"),
	[HTTP_HEAD_METHOD] = STR_INIT("HEAD"),
	[HTTP_POST] = STR_INIT("POST"),
	[HTTP_PUT] = STR_INIT("PUT"),
	[HTTP_PATCH] = STR_INIT("PATCH"),
	[HTTP_DELETE] = STR_INIT("DELETE"),
	[HTTP_OPTIONS] = STR_INIT("OPTIONS"),
};

struct str http_method_name(enum http_method method)
{
	assert((unsigned)method < HTTP_METHOD_COUNT);
	return http_methods[method];
}

/* tchar of RFC 9110 section 5.6.2 */
bool http_is_token_char(uint8_t c)
{
	static const uint64_t set[2] = {
		/* ! # $ % & ' * + - . 0-9 */
		UINT64_C(0x03ff6cfa00000000),
		/* A-Z ^ _ ` a-z | ~ */
		UINT64_C(0x57ffffffc7fffffe),
	};
	return c < 128 && (set[c >> 6] >> (c & 63) & 1);
}

static enum http_event http_fail(struct http_parser *p, uint16_t status)
{
	assert(status >= 400);
	p->status = status;
	p->state = S_FAILED;
	return HTTP_FAIL;
}

static enum http_event http_goto(struct http_parser *p, uint8_t state)
{
	p->state = state;
	return HTTP_MORE;
}

void http_parser_start(struct http_parser *p, const struct http_limits *limits, struct wbuf store)
{
	p->limits = *limits;
	http_parser_next(p, store);
}

void http_parser_next(struct http_parser *p, struct wbuf store)
{
	struct http_limits limits = p->limits;
	*p = (struct http_parser){.limits = limits, .store = store, .state = S_START, .field = -1};
}

/* Keeps a byte of the target or of a value. */
static bool http_store(struct http_parser *p, uint8_t c)
{
	if (p->store_used >= p->store.len)
		return false;
	p->store.ptr[p->store_used++] = c;
	return true;
}

/* Keeps a byte of a word; a word that is too long keeps its length at the maximum. */
static void http_word_add(struct http_parser *p, uint8_t c)
{
	if (p->word_len < HTTP_WORD_MAX)
		p->word[p->word_len++] = (char)c;
}

static struct str http_word(const struct http_parser *p)
{
	return str_of(p->word, p->word_len);
}

/* --- request line: RFC 9112 section 3 --- */

static enum http_event http_on_start_lf(struct http_parser *p, uint8_t c)
{
	return c == '\n' ? http_goto(p, S_START) : http_fail(p, 400);
}

static enum http_event http_on_method(struct http_parser *p, uint8_t c)
{
	if (http_is_token_char(c)) {
		http_word_add(p, c);
		return HTTP_MORE;
	}
	if (c != ' ' || p->word_len == 0)
		return http_fail(p, 400);
	for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++) {
		if (str_eq(http_methods[i], http_word(p))) {
			p->req.method = (enum http_method)i;
			p->word_len = 0;
			return http_goto(p, S_TARGET);
		}
	}
	return http_fail(p, 501);
}

/* Empty lines before a request are skipped (section 2.2); they count as its line. */
static enum http_event http_on_start(struct http_parser *p, uint8_t c)
{
	if (c == '\r')
		return http_goto(p, S_START_LF);
	p->state = S_METHOD;
	return http_on_method(p, c);
}

static enum http_event http_on_target(struct http_parser *p, uint8_t c)
{
	if (c == ' ')
		return p->store_used ? http_goto(p, S_VERSION) : http_fail(p, 400);
	if (c <= ' ' || c >= 0x7f)
		return http_fail(p, 400);
	return http_store(p, c) ? HTTP_MORE : http_fail(p, 414);
}

#define HTTP_VERSION_CHARS 8 /* "HTTP/1.1" */

static uint16_t http_version_judge(struct http_parser *p)
{
	const char *v = p->word;
	if (p->word_len != HTTP_VERSION_CHARS || !str_starts(http_word(p), S("HTTP/")) || v[6] != '.')
		return 400;
	if (v[5] < '0' || v[5] > '9' || v[7] < '0' || v[7] > '9')
		return 400;
	if (v[5] != '1')
		return 505;
	/* A higher minor version is answered as the highest that is known. */
	p->req.minor = v[7] == '0' ? 0 : 1;
	return 0;
}

static enum http_event http_on_version(struct http_parser *p, uint8_t c)
{
	if (c == '\r') {
		uint16_t status = http_version_judge(p);
		return status ? http_fail(p, status) : http_goto(p, S_LINE_LF);
	}
	if (c <= ' ' || c >= 0x7f || p->word_len == HTTP_VERSION_CHARS)
		return http_fail(p, 400);
	http_word_add(p, c);
	return HTTP_MORE;
}

static enum http_event http_on_line_lf(struct http_parser *p, uint8_t c)
{
	struct http_target target;
	if (c != '\n')
		return http_fail(p, 400);
	uint16_t status = http_target_parse(
		(char *)p->store.ptr, p->store_used, p->req.method, &target);
	if (status)
		return http_fail(p, status);
	p->req.path = target.path;
	p->req.query = target.query;
	p->req.host = target.authority;
	return http_goto(p, S_FIELD_START);
}

/* --- field lines: RFC 9112 section 5 --- */

static int8_t http_field_find(struct str name)
{
	for (unsigned i = 0; i < HTTP_FIELD_COUNT; i++) {
		if (str_eq(http_field_info[i].name, name))
			return (int8_t)i;
	}
	return -1;
}

/* A kept field begins: a repeated list goes on behind a copy of what it has. */
static uint16_t http_value_begin(struct http_parser *p)
{
	p->field = p->in_trailer ? -1 : http_field_find(http_word(p));
	p->value_at = p->store_used;
	if (p->field < 0)
		return 0;
	struct str have = p->req.field[p->field];
	if (!have.ptr)
		return 0;
	if (!http_field_info[p->field].is_list)
		return 400;
	if (p->store.len - p->store_used < have.len + 2)
		return 431;
	memcpy(p->store.ptr + p->store_used, have.ptr, have.len);
	memcpy(p->store.ptr + p->store_used + have.len, ", ", 2);
	p->store_used += have.len + 2;
	return 0;
}

static void http_value_end(struct http_parser *p)
{
	if (p->field < 0)
		return;
	const char *value = (const char *)p->store.ptr + p->value_at;
	size_t len = p->store_used - p->value_at;
	while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	p->req.field[p->field] = str_of(value, len);
}

static uint8_t http_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static enum http_event http_on_name(struct http_parser *p, uint8_t c)
{
	if (http_is_token_char(c)) {
		http_word_add(p, http_lower(c));
		return HTTP_MORE;
	}
	if (c != ':' || p->word_len == 0)
		return http_fail(p, 400);
	uint16_t status = http_value_begin(p);
	return status ? http_fail(p, status) : http_goto(p, S_VALUE_START);
}

static enum http_event http_on_field_start(struct http_parser *p, uint8_t c)
{
	if (c == '\r')
		return http_goto(p, S_HEAD_LF);
	if (++p->fields > p->limits.fields_max)
		return http_fail(p, 431);
	p->word_len = 0;
	p->state = S_NAME;
	return http_on_name(p, c); /* a space here, obs-fold, is no name */
}

static enum http_event http_on_value(struct http_parser *p, uint8_t c)
{
	if (c == '\r')
		return http_goto(p, S_VALUE_LF);
	if ((c < ' ' && c != '\t') || c == 0x7f)
		return http_fail(p, 400);
	if (p->field >= 0 && !http_store(p, c))
		return http_fail(p, 431);
	return HTTP_MORE;
}

static enum http_event http_on_value_start(struct http_parser *p, uint8_t c)
{
	if (c == ' ' || c == '\t')
		return HTTP_MORE;
	p->state = S_VALUE;
	return http_on_value(p, c);
}

static enum http_event http_on_value_lf(struct http_parser *p, uint8_t c)
{
	if (c != '\n')
		return http_fail(p, 400);
	http_value_end(p);
	return http_goto(p, S_FIELD_START);
}

static enum http_event http_on_head_lf(struct http_parser *p, uint8_t c)
{
	if (c != '\n')
		return http_fail(p, 400);
	if (p->in_trailer) {
		p->state = S_DONE;
		return HTTP_DONE;
	}
	uint16_t status = http_head_judge(&p->req, p->limits.body_max);
	if (status)
		return http_fail(p, status);
	p->chunk_digits = 0;
	p->left = p->req.body == HTTP_BODY_LENGTH ? p->req.content_length : 0;
	p->state = p->req.body == HTTP_BODY_CHUNKED ? S_CHUNK_SIZE
		   : p->left                        ? S_LENGTH_DATA
						    : S_BODY_END;
	return HTTP_HEAD;
}

/* --- chunked coding: RFC 9112 section 7.1 --- */

int http_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_event http_on_chunk_size(struct http_parser *p, uint8_t c)
{
	int digit = http_hex_digit((char)c);
	if (digit >= 0) {
		if (++p->chunk_digits > 16)
			return http_fail(p, 400);
		p->left = p->left << 4 | (unsigned)digit;
		return HTTP_MORE;
	}
	if (p->chunk_digits == 0)
		return http_fail(p, 400);
	if (p->left > p->limits.body_max - p->body_bytes)
		return http_fail(p, 413);
	if (c == '\r')
		return http_goto(p, S_CHUNK_SIZE_LF);
	if (c == ';')
		return http_goto(p, S_CHUNK_EXT);
	return c == ' ' || c == '\t' ? http_goto(p, S_CHUNK_BWS) : http_fail(p, 400);
}

/* Space after the size is allowed before an extension only. */
static enum http_event http_on_chunk_bws(struct http_parser *p, uint8_t c)
{
	if (c == ' ' || c == '\t')
		return HTTP_MORE;
	return c == ';' ? http_goto(p, S_CHUNK_EXT) : http_fail(p, 400);
}

/* Extensions are dropped; all of them together count against the field block. */
static enum http_event http_on_chunk_ext(struct http_parser *p, uint8_t c)
{
	if (c == '\r')
		return http_goto(p, S_CHUNK_SIZE_LF);
	if ((c < ' ' && c != '\t') || c == 0x7f)
		return http_fail(p, 400);
	return HTTP_MORE;
}

static enum http_event http_on_chunk_size_lf(struct http_parser *p, uint8_t c)
{
	if (c != '\n')
		return http_fail(p, 400);
	p->in_trailer = p->left == 0;
	return http_goto(p, p->left ? S_CHUNK_DATA : S_FIELD_START);
}

static enum http_event http_on_chunk_data_cr(struct http_parser *p, uint8_t c)
{
	return c == '\r' ? http_goto(p, S_CHUNK_DATA_LF) : http_fail(p, 400);
}

static enum http_event http_on_chunk_data_lf(struct http_parser *p, uint8_t c)
{
	if (c != '\n')
		return http_fail(p, 400);
	p->chunk_digits = 0;
	return http_goto(p, S_CHUNK_SIZE);
}

typedef enum http_event http_byte_fn(struct http_parser *p, uint8_t c);

static http_byte_fn *const http_on[S_BYTE_STATES] = {
	[S_START] = http_on_start,
	[S_START_LF] = http_on_start_lf,
	[S_METHOD] = http_on_method,
	[S_TARGET] = http_on_target,
	[S_VERSION] = http_on_version,
	[S_LINE_LF] = http_on_line_lf,
	[S_FIELD_START] = http_on_field_start,
	[S_NAME] = http_on_name,
	[S_VALUE_START] = http_on_value_start,
	[S_VALUE] = http_on_value,
	[S_VALUE_LF] = http_on_value_lf,
	[S_HEAD_LF] = http_on_head_lf,
	[S_CHUNK_SIZE] = http_on_chunk_size,
	[S_CHUNK_BWS] = http_on_chunk_bws,
	[S_CHUNK_EXT] = http_on_chunk_ext,
	[S_CHUNK_SIZE_LF] = http_on_chunk_size_lf,
	[S_CHUNK_DATA_CR] = http_on_chunk_data_cr,
	[S_CHUNK_DATA_LF] = http_on_chunk_data_lf,
};

/* How many bytes at the front a line in this state only keeps, judged one by one. */
static size_t http_run_length(uint8_t state, struct rbuf in)
{
	size_t n = 0;
	if (state == S_NAME)
		while (n < in.len && http_is_token_char(in.ptr[n]))
			n++;
	else if (state == S_TARGET)
		while (n < in.len && in.ptr[n] > ' ' && in.ptr[n] < 0x7f)
			n++;
	else if (state == S_VALUE)
		while (n < in.len && (in.ptr[n] >= ' ' || in.ptr[n] == '\t') && in.ptr[n] != 0x7f)
			n++;
	return n;
}

/*
 * Takes such bytes as long as no limit is near; what http_byte would do with each, but in one go. 0: the next
 * byte is http_byte's, which knows what to answer.
 */
static size_t http_run(struct http_parser *p, struct rbuf in)
{
	bool in_line = p->state == S_TARGET;
	bool kept = in_line || (p->state == S_VALUE && p->field >= 0);
	uint32_t *bytes = in_line ? &p->line_bytes : &p->head_bytes;
	size_t room = (in_line ? p->limits.line_max : p->limits.head_max) - *bytes;
	if (kept)
		room = min(room, p->store.len - p->store_used);
	size_t n = http_run_length(p->state, rbuf_of(in.ptr, min(in.len, room)));
	*bytes += (uint32_t)n;
	if (kept) {
		memcpy(p->store.ptr + p->store_used, in.ptr, n);
		p->store_used += n;
	} else if (p->state == S_NAME) {
		for (size_t i = 0; i < n; i++)
			http_word_add(p, http_lower(in.ptr[i]));
	}
	return n;
}

/* Takes one byte of a line, within the limits of the line or of the field block. */
static enum http_event http_byte(struct http_parser *p, uint8_t c)
{
	p->started = true;
	if (p->state <= S_LINE_LF) {
		/* CR LF do not count */
		if (++p->line_bytes > p->limits.line_max && c != '\r' && p->state != S_LINE_LF)
			return http_fail(p, 414);
	} else if (p->state <= S_HEAD_LF || p->state == S_CHUNK_EXT || p->state == S_CHUNK_BWS) {
		if (++p->head_bytes > p->limits.head_max)
			return http_fail(p, 431);
	}
	return http_on[p->state](p, c);
}

/* Content: as much as the input has, in one piece. */
static struct http_step http_content(struct http_parser *p, struct rbuf in)
{
	size_t n = min((uint64_t)in.len, p->left);
	p->left -= n;
	p->body_bytes += n;
	if (p->left == 0)
		p->state = p->state == S_CHUNK_DATA ? S_CHUNK_DATA_CR : S_BODY_END;
	return (struct http_step){HTTP_BODY, n, rbuf_of(in.ptr, n)};
}

struct http_step http_input(struct http_parser *p, struct rbuf in)
{
	struct http_step step = {.event = HTTP_MORE};
	assert(p->state != S_DONE);
	if (p->state == S_FAILED)
		step.event = HTTP_FAIL;
	while (step.event == HTTP_MORE) {
		if (p->state == S_BODY_END) {
			p->state = S_DONE;
			step.event = HTTP_DONE;
			break;
		}
		if (step.used == in.len)
			break;
		if (p->state >= S_BYTE_STATES) {
			struct http_step piece =
				http_content(p, rbuf_of(in.ptr + step.used, in.len - step.used));
			piece.used += step.used;
			return piece;
		}
		size_t n = http_run(p, rbuf_of(in.ptr + step.used, in.len - step.used));
		step.used += n;
		if (n == 0)
			step.event = http_byte(p, in.ptr[step.used++]);
	}
	return step;
}
