/*
 * json_write.c - streaming JSON writer (contract: lib/json_write.h).
 *
 * Invariant: what has been written is a beginning of a JSON document, which
 * in_object, depth, comma, has_key and done describe. They go on after an error,
 * so that a bug in the calls shows whether there was room or not.
 */
#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/json_write.h"
#include "lib/utf8.h"

static void json_fail(struct json_writer *w, enum err err)
{
	w->err = err;
	if (w->sink == NULL) {
		w->out->len = w->start;
		w->out->overflow = true;
	}
}

static void json_flush(struct json_writer *w)
{
	enum err err = w->sink(w->context, abuf_bytes(w->out));
	abuf_reset(w->out);
	if (err != OK)
		json_fail(w, err);
}

/* Piece by piece, through the sink; or an overflow. */
static void json_put_slow(struct json_writer *w, struct str s)
{
	while (w->err == OK) {
		size_t fits = min(s.len, abuf_room(w->out));
		abuf_str_add(w->out, str_slice(s, 0, fits));
		s = str_slice(s, fits, s.len);
		if (s.len == 0)
			return;
		if (w->sink == NULL)
			json_fail(w, ERR_NOSPC);
		else
			json_flush(w);
	}
}

static void json_put(struct json_writer *w, struct str s)
{
	if (w->err == OK && s.len <= abuf_room(w->out))
		abuf_str_add(w->out, s);
	else
		json_put_slow(w, s);
}

static void json_put_char(struct json_writer *w, char c)
{
	struct abuf *out = w->out;

	if (w->err == OK && out->len < out->cap)
		out->ptr[out->len++] = (uint8_t)c;
	else
		json_put(w, str_of(&c, 1));
}

static void json_put_escaped(struct json_writer *w, uint8_t c)
{
	char bytes[6];
	struct abuf escape = abuf_of(bytes, sizeof(bytes));

	switch (c) {
	case '"':
		return json_put(w, S("\\\""));
	case '\\':
		return json_put(w, S("\\\\"));
	case '\b':
		return json_put(w, S("\\b"));
	case '\f':
		return json_put(w, S("\\f"));
	case '\n':
		return json_put(w, S("\\n"));
	case '\r':
		return json_put(w, S("\\r"));
	case '\t':
		return json_put(w, S("\\t"));
	default:
		fmt(&escape, "\\u%04x", c);
		return json_put(w, abuf_str(&escape));
	}
}

static bool json_is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* How much of the front of s is written as it is. */
static size_t json_plain_run(struct str s)
{
	size_t i = 0;

	while (i < s.len) {
		uint32_t code;
		if (json_is_plain((uint8_t)s.ptr[i])) {
			i++;
			continue;
		}
		if ((uint8_t)s.ptr[i] < 0x80)
			break;
		size_t taken = utf8_next(str_slice(s, i, s.len), &code);
		if (code == UTF8_INVALID)
			break;
		i += taken;
	}
	return i;
}

static void json_put_string(struct json_writer *w, struct str s)
{
	json_put_char(w, '"');
	while (w->err == OK) {
		size_t taken = json_plain_run(s);
		json_put(w, str_slice(s, 0, taken));
		s = str_slice(s, taken, s.len);
		if (s.len == 0)
			break;
		if ((uint8_t)s.ptr[0] < 0x80) {
			json_put_escaped(w, (uint8_t)s.ptr[0]);
			taken = 1;
		} else {
			uint32_t code;
			taken = utf8_next(s, &code);
			json_put(w, S(UTF8_REPLACEMENT_TEXT));
		}
		s = str_slice(s, taken, s.len);
	}
	json_put_char(w, '"');
}

static bool json_in_object(const struct json_writer *w)
{
	return w->depth > 0 && (w->in_object >> (w->depth - 1) & 1);
}

/* What stands before a value of any kind. */
static void json_value_begin(struct json_writer *w)
{
	assert(!w->done);
	assert(w->has_key == json_in_object(w));
	if (w->comma && !w->has_key)
		json_put_char(w, ',');
	w->has_key = false;
}

static void json_value_end(struct json_writer *w)
{
	w->comma = true;
	w->done = w->depth == 0;
}

static void json_open(struct json_writer *w, bool object)
{
	json_value_begin(w);
	assert(w->depth < JSON_WRITE_DEPTH_MAX);
	uint64_t bit = UINT64_C(1) << w->depth++;
	w->in_object = object ? w->in_object | bit : w->in_object & ~bit;
	w->comma = false;
	json_put_char(w, object ? '{' : '[');
}

static void json_close(struct json_writer *w, bool object)
{
	assert(w->depth > 0 && json_in_object(w) == object && !w->has_key);
	w->depth--;
	json_put_char(w, object ? '}' : ']');
	json_value_end(w);
}

void json_write_to_buf(struct json_writer *w, struct abuf *out)
{
	*w = (struct json_writer){.out = out, .start = out->len};
	if (!abuf_ok(out))
		w->err = ERR_NOSPC;
}

void json_write_to_sink(
	struct json_writer *w, struct abuf *stage, json_sink_fn *sink, void *context)
{
	assert(stage->cap > 0 && stage->len == 0 && abuf_ok(stage));
	*w = (struct json_writer){.out = stage, .sink = sink, .context = context};
}

enum err json_finish(struct json_writer *w)
{
	assert(w->done);
	if (w->err == OK && w->sink != NULL && w->out->len > 0)
		json_flush(w);
	return w->err;
}

void json_object_open(struct json_writer *w)
{
	json_open(w, true);
}

void json_object_close(struct json_writer *w)
{
	json_close(w, true);
}

void json_array_open(struct json_writer *w)
{
	json_open(w, false);
}

void json_array_close(struct json_writer *w)
{
	json_close(w, false);
}

void json_key(struct json_writer *w, struct str key)
{
	assert(json_in_object(w) && !w->has_key);
	if (w->comma)
		json_put_char(w, ',');
	json_put_string(w, key);
	json_put_char(w, ':');
	w->has_key = true;
}

void json_u64(struct json_writer *w, uint64_t value)
{
	char digits[20];
	struct abuf text = abuf_of(digits, sizeof(digits));

	json_value_begin(w);
	fmt_u64(&text, value);
	json_put(w, abuf_str(&text));
	json_value_end(w);
}

void json_i64(struct json_writer *w, int64_t value)
{
	char digits[20];
	struct abuf text = abuf_of(digits, sizeof(digits));

	json_value_begin(w);
	fmt_i64(&text, value);
	json_put(w, abuf_str(&text));
	json_value_end(w);
}

void json_bool(struct json_writer *w, bool value)
{
	json_value_begin(w);
	json_put(w, value ? S("true") : S("false"));
	json_value_end(w);
}

void json_null(struct json_writer *w)
{
	json_value_begin(w);
	json_put(w, S("null"));
	json_value_end(w);
}

void json_str(struct json_writer *w, struct str value)
{
	json_value_begin(w);
	json_put_string(w, value);
	json_value_end(w);
}
