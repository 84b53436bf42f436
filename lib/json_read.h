/*
 * json_read.h - JSON (RFC 8259) as a sequence of tokens, pulled by the caller.
 *
 *	struct json_reader r = json_reader_of(body);
 *	for (;;) {
 *		struct json_token t = json_next(&r);
 *		if (t.type == JSON_KEY && json_text_eq(t, S("priority"))) {
 *			struct u64_result v = json_to_u64(json_next(&r));
 *			...
 *		} else if (t.type == JSON_END || t.type == JSON_ERROR)
 *			break;
 *	}
 *
 * Strict: one value and nothing but blanks around it, in valid UTF-8 without a
 * byte order mark. A document is good only once JSON_END has come; what was
 * pulled before an error is not to be acted on. At the first error the reader
 * stops for good with the reason in r.err, ERR_INVAL for what is not JSON and
 * ERR_RANGE for nesting deeper than JSON_READ_DEPTH_MAX, and the place in r.at.
 *
 * Nothing is copied: tokens point into the text, which must stay. Each byte is
 * looked at once. Context: any; linear in the text: bound its length.
 */
#ifndef LIB_JSON_READ_H
#define LIB_JSON_READ_H

#include "lib/buf.h"
#include "lib/str.h"

#define JSON_READ_DEPTH_MAX 64

enum json_type {
	JSON_ERROR,
	JSON_END,
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY,     /* text between the quotes, escapes in place; its value comes next */
	JSON_STRING,  /* likewise */
	JSON_INTEGER, /* digits, perhaps with a minus */
	JSON_NUMBER,  /* one with a fraction or an exponent, which nothing here interprets */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_token {
	enum json_type type;
	struct str text;
};

struct json_reader {
	struct str text;
	size_t at;
	uint64_t in_object; /* bit i: container i from the outside is an object */
	unsigned depth;
	unsigned expect; /* of enum json_expect in json_read.c */
	enum err err;
};

struct json_reader json_reader_of(struct str text);
must_check struct json_token json_next(struct json_reader *r);

/* Passes the rest of the value that t began: all of an object or array, nothing of others. */
must_check enum err json_skip(struct json_reader *r, struct json_token t);

/* ERR_INVAL unless t is a JSON_INTEGER, ERR_RANGE if its value does not fit. */
must_check struct u64_result json_to_u64(struct json_token t);
must_check struct i64_result json_to_i64(struct json_token t);

/*
 * Of a JSON_KEY or JSON_STRING: the text with its escapes resolved. An escaped
 * half of a surrogate pair alone becomes U+FFFD; \u0000 is a byte like others.
 * json_unescape() appends all of it, at most t.text.len bytes, or nothing and
 * says ERR_NOSPC. json_text_eq() is false for other tokens.
 */
must_check enum err json_unescape(struct json_token t, struct abuf *out);
bool json_text_eq(struct json_token t, struct str s);

#endif
