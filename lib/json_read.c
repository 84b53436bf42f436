/*
 * json_read.c - pull reader for JSON (contract: lib/json_read.h).
 *
 * The grammar is a pushdown automaton: `expect` is its state, in_object and depth
 * its stack of one bit a level. Scanning functions leave r->at behind what they
 * took, or fail with it at the byte that cannot be.
 */
#include "lib/assert.h"
#include "lib/json_read.h"
#include "lib/utf8.h"

enum json_expect {
	JSON_EXPECT_VALUE,
	JSON_EXPECT_VALUE_OR_END, /* behind [ */
	JSON_EXPECT_KEY_OR_END,   /* behind { */
	JSON_EXPECT_COMMA_OR_END, /* behind a member */
	JSON_EXPECT_NOTHING,      /* behind the document's value */
};

struct json_reader json_reader_of(struct str text)
{
	return (struct json_reader){.text = text, .expect = JSON_EXPECT_VALUE};
}

/* The byte at r->at, or -1 at the end. */
static int json_peek(const struct json_reader *r)
{
	return r->at < r->text.len ? (uint8_t)r->text.ptr[r->at] : -1;
}

static bool json_take(struct json_reader *r, char c)
{
	if (json_peek(r) != c)
		return false;
	r->at++;
	return true;
}

static struct json_token json_error(struct json_reader *r, enum err err)
{
	r->err = err;
	return (struct json_token){.type = JSON_ERROR};
}

static void json_pass_blanks(struct json_reader *r)
{
	int c = json_peek(r);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		r->at++;
		c = json_peek(r);
	}
}

static int json_hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Behind a backslash. */
static bool json_scan_escape(struct json_reader *r)
{
	int c = json_peek(r);

	if (c == 'u') {
		r->at++;
		for (int i = 0; i < 4; i++) {
			if (json_hex_digit(json_peek(r)) < 0)
				return false;
			r->at++;
		}
		return true;
	}
	if (c < 0 || str_find_char(S("\"\\/bfnrt"), (char)c) == 8)
		return false;
	r->at++;
	return true;
}

static struct json_token json_scan_string(struct json_reader *r, enum json_type type)
{
	if (!json_take(r, '"'))
		return json_error(r, ERR_INVAL);
	size_t start = r->at;
	for (;;) {
		int c = json_peek(r);
		if (c == '"') {
			struct str text = str_slice(r->text, start, r->at++);
			return (struct json_token){type, text};
		}
		if (c == '\\') {
			r->at++;
			if (!json_scan_escape(r))
				return json_error(r, ERR_INVAL);
		} else if (c >= 0x80) {
			uint32_t code;
			size_t n = utf8_next(str_slice(r->text, r->at, r->text.len), &code);
			if (code == UTF8_INVALID)
				return json_error(r, ERR_INVAL);
			r->at += n;
		} else if (c >= 0x20) {
			r->at++;
		} else {
			return json_error(r, ERR_INVAL);
		}
	}
}

/* One digit or more. */
static bool json_scan_digits(struct json_reader *r)
{
	size_t start = r->at;
	while (json_peek(r) >= '0' && json_peek(r) <= '9')
		r->at++;
	return r->at > start;
}

static struct json_token json_scan_number(struct json_reader *r)
{
	size_t start = r->at;
	enum json_type type = JSON_INTEGER;

	json_take(r, '-');
	if (!json_take(r, '0') && !json_scan_digits(r))
		return json_error(r, ERR_INVAL);
	if (json_take(r, '.')) {
		type = JSON_NUMBER;
		if (!json_scan_digits(r))
			return json_error(r, ERR_INVAL);
	}
	if (json_take(r, 'e') || json_take(r, 'E')) {
		type = JSON_NUMBER;
		if (!json_take(r, '+'))
			json_take(r, '-');
		if (!json_scan_digits(r))
			return json_error(r, ERR_INVAL);
	}
	return (struct json_token){type, str_slice(r->text, start, r->at)};
}

static struct json_token json_scan_word(struct json_reader *r, struct str word, enum json_type type)
{
	size_t start = r->at;

	for (size_t i = 0; i < word.len; i++) {
		if (!json_take(r, word.ptr[i]))
			return json_error(r, ERR_INVAL);
	}
	return (struct json_token){type, str_slice(r->text, start, r->at)};
}

static bool json_in_object(const struct json_reader *r)
{
	return r->depth > 0 && (r->in_object >> (r->depth - 1) & 1);
}

static void json_value_done(struct json_reader *r)
{
	r->expect = r->depth == 0 ? JSON_EXPECT_NOTHING : JSON_EXPECT_COMMA_OR_END;
}

/* r->at is at the bracket. */
static struct json_token json_open(struct json_reader *r, bool object)
{
	if (r->depth == JSON_READ_DEPTH_MAX)
		return json_error(r, ERR_RANGE);
	uint64_t bit = UINT64_C(1) << r->depth++;
	r->in_object = object ? r->in_object | bit : r->in_object & ~bit;
	r->expect = object ? JSON_EXPECT_KEY_OR_END : JSON_EXPECT_VALUE_OR_END;
	r->at++;
	return (struct json_token){
		object ? JSON_OBJECT : JSON_ARRAY, str_slice(r->text, r->at - 1, r->at)};
}

static struct json_token json_close(struct json_reader *r)
{
	enum json_type type = json_in_object(r) ? JSON_OBJECT_END : JSON_ARRAY_END;

	assert(r->depth > 0);
	r->depth--;
	json_value_done(r);
	r->at++;
	return (struct json_token){type, str_slice(r->text, r->at - 1, r->at)};
}

static struct json_token json_read_key(struct json_reader *r)
{
	struct json_token key = json_scan_string(r, JSON_KEY);
	if (key.type == JSON_ERROR)
		return key;
	json_pass_blanks(r);
	if (!json_take(r, ':'))
		return json_error(r, ERR_INVAL);
	r->expect = JSON_EXPECT_VALUE;
	return key;
}

static struct json_token json_read_value(struct json_reader *r)
{
	struct json_token t;

	switch (json_peek(r)) {
	case '{':
		return json_open(r, true);
	case '[':
		return json_open(r, false);
	case '"':
		t = json_scan_string(r, JSON_STRING);
		break;
	case 't':
		t = json_scan_word(r, S("true"), JSON_TRUE);
		break;
	case 'f':
		t = json_scan_word(r, S("false"), JSON_FALSE);
		break;
	case 'n':
		t = json_scan_word(r, S("null"), JSON_NULL);
		break;
	default:
		t = json_scan_number(r);
		break;
	}
	if (t.type != JSON_ERROR)
		json_value_done(r);
	return t;
}

struct json_token json_next(struct json_reader *r)
{
	if (r->err != OK)
		return (struct json_token){.type = JSON_ERROR};
	json_pass_blanks(r);

	bool closes = json_peek(r) == (json_in_object(r) ? '}' : ']');
	switch ((enum json_expect)r->expect) {
	case JSON_EXPECT_VALUE:
		return json_read_value(r);
	case JSON_EXPECT_VALUE_OR_END:
		return closes ? json_close(r) : json_read_value(r);
	case JSON_EXPECT_KEY_OR_END:
		return closes ? json_close(r) : json_read_key(r);
	case JSON_EXPECT_COMMA_OR_END:
		if (closes)
			return json_close(r);
		if (!json_take(r, ','))
			return json_error(r, ERR_INVAL);
		json_pass_blanks(r);
		return json_in_object(r) ? json_read_key(r) : json_read_value(r);
	case JSON_EXPECT_NOTHING:
		break;
	}
	if (r->at < r->text.len)
		return json_error(r, ERR_INVAL);
	return (struct json_token){.type = JSON_END};
}

enum err json_skip(struct json_reader *r, struct json_token t)
{
	if (t.type != JSON_OBJECT && t.type != JSON_ARRAY)
		return r->err;
	/* Its end is where the depth is lower than inside it. */
	for (unsigned inside = r->depth; r->err == OK && r->depth >= inside;)
		(void)json_next(r).type;
	return r->err;
}

struct u64_result json_to_u64(struct json_token t)
{
	if (t.type != JSON_INTEGER)
		return ERR_RESULT(u64_result, ERR_INVAL);
	if (!str_starts(t.text, S("-")))
		return str_to_u64(t.text, 10);
	return str_eq(t.text, S("-0")) ? OK_RESULT(u64_result, 0)
				       : ERR_RESULT(u64_result, ERR_RANGE);
}

struct i64_result json_to_i64(struct json_token t)
{
	if (t.type != JSON_INTEGER)
		return ERR_RESULT(i64_result, ERR_INVAL);
	return str_to_i64(t.text);
}

/* The four digits at s.ptr[at]; the token has been scanned, so they are there. */
static uint32_t json_hex4(struct str s, size_t at)
{
	uint32_t value = 0;
	for (size_t i = at; i < at + 4; i++)
		value = value << 4 | (uint32_t)json_hex_digit((uint8_t)s.ptr[i]);
	return value;
}

/* Takes the \uXXXX at *at, and the other half of a pair with it. */
static uint32_t json_decode_unicode(struct str s, size_t *at)
{
	uint32_t code = json_hex4(s, *at + 2);

	*at += 6;
	if (code < 0xd800 || code > 0xdbff || !str_starts(str_slice(s, *at, s.len), S("\\u")))
		return code;
	uint32_t low = json_hex4(s, *at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return code;
	*at += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* The next character of a scanned string: its bytes, at most 4, how many. Moves *at behind it. */
static size_t json_decode(struct str s, size_t *at, char out[4])
{
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";

	out[0] = s.ptr[*at];
	if (out[0] != '\\') {
		++*at;
		return 1;
	}
	if (s.ptr[*at + 1] == 'u')
		return utf8_encode(json_decode_unicode(s, at), out);
	out[0] = s.ptr[*at + 1];
	*at += 2;
	for (size_t i = 0; i < sizeof(letters) - 1; i++) {
		if (letters[i] == out[0]) {
			out[0] = meanings[i];
			break;
		}
	}
	return 1;
}

static bool json_is_text(struct json_token t)
{
	return t.type == JSON_KEY || t.type == JSON_STRING;
}

enum err json_unescape(struct json_token t, struct abuf *out)
{
	size_t start = out->len;
	char bytes[4];

	assert(json_is_text(t));
	for (size_t at = 0; at < t.text.len;) {
		size_t n = json_decode(t.text, &at, bytes);
		abuf_bytes_add(out, bytes, n);
	}
	if (abuf_ok(out))
		return OK;
	out->len = start;
	return ERR_NOSPC;
}

bool json_text_eq(struct json_token t, struct str s)
{
	char bytes[4];

	if (!json_is_text(t))
		return false;
	for (size_t at = 0; at < t.text.len;) {
		size_t n = json_decode(t.text, &at, bytes);
		if (!str_starts(s, str_of(bytes, n)))
			return false;
		s = str_slice(s, n, s.len);
	}
	return s.len == 0;
}
