/* Host tests of lib/json_write.h. What it writes is read back in json_read_test.c. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/json_write.h"

static void write_example(struct json_writer *w)
{
	json_object_open(w);
	json_key_str(w, S("name"), S("mazu"));
	json_key(w, S("cpus"));
	json_array_open(w);
	json_u64(w, 0);
	json_object_open(w);
	json_object_close(w);
	json_array_open(w);
	json_array_close(w);
	json_i64(w, INT64_MIN);
	json_array_close(w);
	json_key_u64(w, S("max"), UINT64_MAX);
	json_key_i64(w, S("less"), -1);
	json_key_bool(w, S("on"), true);
	json_key_bool(w, S("off"), false);
	json_key(w, S("none"));
	json_null(w);
	json_object_close(w);
}

static const struct str example = STR_INIT(
	"{\"name\":\"mazu\",\"cpus\":[0,{},[],-9223372036854775808],"
	"\"max\":18446744073709551615,\"less\":-1,\"on\":true,\"off\":false,\"none\":null}");

TEST(json_write_objects_and_arrays)
{
	char bytes[256];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct json_writer w;
	json_write_to_buf(&w, &out);
	write_example(&w);
	CHECK_EQ(json_finish(&w), OK);
	CHECK_STR(abuf_str(&out), example);
}

TEST(json_write_plain_values)
{
	static const struct str expected[] = {STR_INIT("1"), STR_INIT("-1"), STR_INIT("true"),
		STR_INIT("null"), STR_INIT("\"\"")};
	for (size_t i = 0; i < countof(expected); i++) {
		char bytes[8];
		struct abuf out = abuf_of(bytes, sizeof(bytes));
		struct json_writer w;
		json_write_to_buf(&w, &out);
		if (i == 0)
			json_u64(&w, 1);
		else if (i == 1)
			json_i64(&w, -1);
		else if (i == 2)
			json_bool(&w, true);
		else if (i == 3)
			json_null(&w);
		else
			json_str(&w, STR_EMPTY);
		CHECK_EQ(json_finish(&w), OK);
		CHECK_STR(abuf_str(&out), expected[i]);
	}
}

TEST(json_write_escapes)
{
	static const struct {
		struct str text, expected;
	} cases[] = {
		{STR_INIT("a\"b\\c/d"), STR_INIT("\"a\\\"b\\\\c/d\"")},
		{STR_INIT("\b\f\n\r\t"), STR_INIT("\"\\b\\f\\n\\r\\t\"")},
		{STR_INIT("\0\x01\x1f\x7f"), STR_INIT("\"\\u0000\\u0001\\u001f\x7f\"")},
		{STR_INIT("z\xc3\xbcrich \xf0\x9f\x8c\x8a"),
			STR_INIT("\"z\xc3\xbcrich \xf0\x9f\x8c\x8a\"")},
		{STR_INIT("a\xff\xe2\x82"
			  "b\xed\xa0\x80"),
			STR_INIT("\"a\xef\xbf\xbd\xef\xbf\xbd"
				 "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		char bytes[64];
		struct abuf out = abuf_of(bytes, sizeof(bytes));
		struct json_writer w;
		json_write_to_buf(&w, &out);
		json_str(&w, cases[i].text);
		CHECK_EQ(json_finish(&w), OK);
		CHECK_STR(abuf_str(&out), cases[i].expected);
	}
}

/* At every size that is too small nothing is left behind, and what was there before stays. */
TEST(json_write_overflow_leaves_nothing)
{
	for (size_t room = 0; room <= example.len; room++) {
		char bytes[256];
		memset(bytes, '#', sizeof(bytes));
		struct abuf out = abuf_of(bytes, 5 + room);
		struct json_writer w;
		abuf_str_add(&out, S("head "));
		json_write_to_buf(&w, &out);
		write_example(&w);
		CHECK_EQ(json_finish(&w), room < example.len ? ERR_NOSPC : OK);
		CHECK_EQ(abuf_ok(&out), room == example.len);
		CHECK_EQ(out.len, room < example.len ? 5 : 5 + example.len);
		CHECK_STR(str_slice(abuf_str(&out), 0, 5), S("head "));
		CHECK_EQ(bytes[5 + room], '#');
	}
	struct abuf full = abuf_of(NULL, 0);
	struct json_writer w;
	abuf_char_add(&full, 'x');
	json_write_to_buf(&w, &full);
	json_null(&w);
	CHECK_EQ(json_finish(&w), ERR_NOSPC);
}

struct sink {
	struct abuf got;
	int calls;
	int fail_at;
};

static enum err sink_take(void *context, struct rbuf bytes)
{
	struct sink *s = context;
	CHECK(bytes.len > 0);
	if (++s->calls == s->fail_at)
		return ERR_PIPE;
	CHECK(s->fail_at == 0 || s->calls < s->fail_at);
	abuf_bytes_add(&s->got, bytes.ptr, bytes.len);
	return OK;
}

TEST(json_write_through_a_sink)
{
	for (size_t room = 1; room < 200; room++) {
		char bytes[256], stage_bytes[200];
		struct sink sink = {.got = abuf_of(bytes, sizeof(bytes))};
		struct abuf stage = abuf_of(stage_bytes, room);
		struct json_writer w;
		json_write_to_sink(&w, &stage, sink_take, &sink);
		write_example(&w);
		CHECK_EQ(json_finish(&w), OK);
		CHECK_STR(abuf_str(&sink.got), example);
		CHECK_EQ(sink.calls, div_up(example.len, room));
	}
}

TEST(json_write_stops_at_the_sinks_error)
{
	char bytes[256], stage_bytes[16];
	for (int fail_at = 1; fail_at <= (int)div_up(example.len, 16); fail_at++) {
		struct sink sink = {.got = abuf_of(bytes, sizeof(bytes)), .fail_at = fail_at};
		struct abuf stage = abuf_of(stage_bytes, 16);
		struct json_writer w;
		json_write_to_sink(&w, &stage, sink_take, &sink);
		write_example(&w);
		CHECK_EQ(json_finish(&w), ERR_PIPE);
		CHECK_EQ(sink.calls, fail_at);
	}
}

/* The call on w, a writer in the given state, is a bug. */
#define CHECK_REFUSES(state, call)                                                                 \
	do {                                                                                       \
		struct json_writer w = (state);                                                    \
		CHECK_ASSERTS(call);                                                               \
	} while (0)

TEST(json_write_asserts_what_is_not_json)
{
	char bytes[256];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct json_writer start, object, keyed, array, done;
	json_write_to_buf(&start, &out);
	object = start;
	json_object_open(&object);
	keyed = object;
	json_key(&keyed, S("k"));
	array = start;
	json_array_open(&array);
	done = start;
	json_null(&done);
	CHECK_REFUSES(start, json_key(&w, S("k")));
	CHECK_REFUSES(start, json_object_close(&w));
	CHECK_REFUSES(start, (void)!json_finish(&w));
	CHECK_REFUSES(object, json_u64(&w, 1));
	CHECK_REFUSES(object, json_object_open(&w));
	CHECK_REFUSES(object, json_array_close(&w));
	CHECK_REFUSES(object, (void)!json_finish(&w));
	CHECK_REFUSES(keyed, json_key(&w, S("k")));
	CHECK_REFUSES(keyed, json_object_close(&w));
	CHECK_REFUSES(array, json_key(&w, S("k")));
	CHECK_REFUSES(array, json_object_close(&w));
	CHECK_REFUSES(done, json_null(&w));
	CHECK_REFUSES(done, json_array_open(&w));
}

TEST(json_write_depth_is_bounded)
{
	char bytes[256];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct json_writer w;
	json_write_to_buf(&w, &out);
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_array_open(&w);
	struct json_writer deep = w;
	CHECK_ASSERTS(json_array_open(&deep));
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_array_close(&w);
	CHECK_EQ(json_finish(&w), OK);
}
