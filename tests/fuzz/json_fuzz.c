/*
 * json_fuzz.c - any bytes into the JSON reader; what it accepts goes through the
 * writer and back, and must come out as the same tokens. The same bytes as a text
 * value must be written as JSON that reads back.
 */
#include <stdlib.h>
#include "lib/assert.h"
#include "lib/json_read.h"
#include "lib/json_write.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, OUTPUT_MAX = 6 * INPUT_MAX + 16 };

/* Numbers that are no integers are written as null: the writer has no others. */
static void copy_token(struct json_writer *w, struct json_token t)
{
	static uint8_t bytes[INPUT_MAX];
	struct abuf text = abuf_of(bytes, sizeof(bytes));

	if (t.type == JSON_KEY || t.type == JSON_STRING) {
		assert(json_unescape(t, &text) == OK);
		assert(text.len <= t.text.len && utf8_is_valid(abuf_str(&text)));
		assert(json_text_eq(t, abuf_str(&text)));
	}
	switch (t.type) {
	case JSON_OBJECT:
		return json_object_open(w);
	case JSON_OBJECT_END:
		return json_object_close(w);
	case JSON_ARRAY:
		return json_array_open(w);
	case JSON_ARRAY_END:
		return json_array_close(w);
	case JSON_KEY:
		return json_key(w, abuf_str(&text));
	case JSON_STRING:
		return json_str(w, abuf_str(&text));
	case JSON_INTEGER:
		if (json_to_u64(t).err == OK)
			return json_u64(w, json_to_u64(t).value);
		if (json_to_i64(t).err == OK)
			return json_i64(w, json_to_i64(t).value);
		return json_null(w);
	case JSON_TRUE:
	case JSON_FALSE:
		return json_bool(w, t.type == JSON_TRUE);
	default:
		return json_null(w);
	}
}

/* Token by token: equal, or a number on one side and its stand-in on the other. */
static void check_same(struct str a, struct str b)
{
	static uint8_t bytes[INPUT_MAX];
	struct json_reader ra = json_reader_of(a);
	struct json_reader rb = json_reader_of(b);

	for (;;) {
		struct json_token ta = json_next(&ra);
		struct json_token tb = json_next(&rb);
		if (ta.type == JSON_KEY || ta.type == JSON_STRING) {
			struct abuf text = abuf_of(bytes, sizeof(bytes));
			assert(json_unescape(ta, &text) == OK);
			assert(ta.type == tb.type && json_text_eq(tb, abuf_str(&text)));
		} else if (ta.type == JSON_INTEGER && json_to_i64(ta).err == OK) {
			assert(json_to_i64(ta).value == json_to_i64(tb).value);
		} else if (ta.type == JSON_NUMBER || ta.type == JSON_INTEGER) {
			assert(tb.type == JSON_NULL || tb.type == JSON_INTEGER);
		} else {
			assert(ta.type == tb.type && ta.type != JSON_ERROR);
		}
		if (ta.type == JSON_END)
			return;
	}
}

static void check_copy(struct str text)
{
	static uint8_t bytes[OUTPUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct json_reader r = json_reader_of(text);
	struct json_writer w;

	json_write_to_buf(&w, &out);
	for (;;) {
		struct json_token t = json_next(&r);
		if (t.type == JSON_ERROR)
			return;
		if (t.type == JSON_END)
			break;
		copy_token(&w, t);
	}
	assert(json_finish(&w) == OK);
	assert(utf8_is_valid(abuf_str(&out)));
	check_same(text, abuf_str(&out));
}

static void check_as_text(struct str text)
{
	static uint8_t bytes[OUTPUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct json_writer w;

	json_write_to_buf(&w, &out);
	json_str(&w, text);
	assert(json_finish(&w) == OK);
	struct json_reader r = json_reader_of(abuf_str(&out));
	struct json_token t = json_next(&r);
	assert(t.type == JSON_STRING);
	assert(!utf8_is_valid(text) || json_text_eq(t, text));
	assert(json_next(&r).type == JSON_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		return 0;
	check_copy(str_of(data, size));
	check_as_text(str_of(data, size));
	return 0;
}
