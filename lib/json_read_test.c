/* Host tests of lib/json_read.h: cases from the grammar of RFC 8259, and against the writer. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/json_read.h"
#include "lib/json_write.h"
#include "lib/utf8.h"

/* Reads to the end: OK, or why not. */
static enum err read_all(struct str text)
{
	struct json_reader r = json_reader_of(text);
	for (;;) {
		struct json_token t = json_next(&r);
		CHECK(r.at <= text.len);
		if (t.type == JSON_END) {
			CHECK_EQ(json_next(&r).type, JSON_END);
			return OK;
		}
		if (t.type == JSON_ERROR) {
			CHECK(r.err != OK);
			CHECK_EQ(json_next(&r).type, JSON_ERROR);
			return r.err;
		}
	}
}

static const struct str accepted[] = {
	/* values alone, blanks around */
	STR_INIT("0"), STR_INIT("-0"), STR_INIT("null"), STR_INIT("true"), STR_INIT("false"),
	STR_INIT("\"\""), STR_INIT("{}"), STR_INIT("[]"), STR_INIT(" \t\r\n[ \t\r\n] \t\r\n"),
	STR_INIT(" { } "), STR_INIT("[[],{}]"), STR_INIT("\n1\n"),
	/* numbers */
	STR_INIT("-1"), STR_INIT("10"), STR_INIT("123456789012345678901234567890"),
	STR_INIT("0.0"), STR_INIT("-0.5"), STR_INIT("1e1"), STR_INIT("1E+10"), STR_INIT("1e-10"),
	STR_INIT("0e0"), STR_INIT("0.1e00"), STR_INIT("1.5E5"), STR_INIT("[1,2 , 3]"),
	/* strings */
	STR_INIT("\"a\""), STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\u0000\""),
	STR_INIT("\"\\uAbCd\""), STR_INIT("\"\\ud83d\\ude00\""), STR_INIT("\"\\ud800\""),
	STR_INIT("\"\x7f\""), STR_INIT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
	STR_INIT("\"//no comment\""), STR_INIT("\"\xe2\x80\xa8\""),
	/* objects */
	STR_INIT("{\"a\":1}"), STR_INIT("{\"\":0}"), STR_INIT("{\"a\":1,\"a\":2}"),
	STR_INIT("{ \"a\" : [ { \"b\" : null } ] , \"c\" : \"d\" }"), STR_INIT("{\"\\u0061\":1}"),
};

static const struct str refused[] = {
	/* nothing, too much, too little */
	STR_INIT(""), STR_INIT(" "), STR_INIT("1 2"), STR_INIT("[] []"), STR_INIT("{}}"),
	STR_INIT("[]]"), STR_INIT("["), STR_INIT("{"), STR_INIT("]"), STR_INIT("}"), STR_INIT(","),
	STR_INIT(":"), STR_INIT("[1"), STR_INIT("[1,"), STR_INIT("{\"a\""), STR_INIT("{\"a\":"),
	STR_INIT("{\"a\":1"), STR_INIT("{\"a\":1,"), STR_INIT("\0"), STR_INIT("1\0"),
	/* blanks that are none, byte order mark, other encodings, comments */
	STR_INIT("\f1"), STR_INIT("1\v"), STR_INIT("\xc2\xa0" "1"), STR_INIT("\xef\xbb\xbf" "1"),
	STR_INIT("\xff\xfe" "1\0"), STR_INIT("/**/1"), STR_INIT("1//"), STR_INIT("#\n1"),
	/* words */
	STR_INIT("nul"), STR_INIT("nulll"), STR_INIT("True"), STR_INIT("NULL"), STR_INIT("truefalse"),
	STR_INIT("undefined"), STR_INIT("NaN"), STR_INIT("Infinity"), STR_INIT("-Infinity"),
	/* numbers */
	STR_INIT("-"), STR_INIT("+1"), STR_INIT("01"), STR_INIT("-01"), STR_INIT("00"), STR_INIT("1."),
	STR_INIT(".1"), STR_INIT("-.1"), STR_INIT("1e"), STR_INIT("1e+"), STR_INIT("1.e1"),
	STR_INIT("1ee1"), STR_INIT("1e1.5"), STR_INIT("0x1"), STR_INIT("1_000"), STR_INIT("--1"),
	STR_INIT("1a"), STR_INIT("- 1"), STR_INIT("1 .5"), STR_INIT("\xef\xbc\x91"), STR_INIT("1,"),
	/* strings */
	STR_INIT("\""), STR_INIT("\"a"), STR_INIT("\"\\\""), STR_INIT("\"\\"), STR_INIT("'a'"),
	STR_INIT("a"), STR_INIT("\"\n\""), STR_INIT("\"\t\""), STR_INIT("\"\0\""), STR_INIT("\"\x1f\""),
	STR_INIT("\"\\a\""), STR_INIT("\"\\x41\""), STR_INIT("\"\\'\""), STR_INIT("\"\\0\""),
	STR_INIT("\"\\u\""), STR_INIT("\"\\u12\""), STR_INIT("\"\\u123\""), STR_INIT("\"\\u123g\""),
	STR_INIT("\"\\U0041\""), STR_INIT("\"\\u+041\""), STR_INIT("\"\\u 041\""),
	STR_INIT("\"\xff\""), STR_INIT("\"\xc0\x80\""), STR_INIT("\"\xed\xa0\x80\""),
	STR_INIT("\"\xe2\x82\""), STR_INIT("\"\xf4\x90\x80\x80\""), STR_INIT("\"\xe2\x82"),
	STR_INIT("\"\\\xc3\xa9\""), STR_INIT("\"a\" \"b\""),
	/* arrays */
	STR_INIT("[,]"), STR_INIT("[1,]"), STR_INIT("[,1]"), STR_INIT("[1,,2]"), STR_INIT("[1 2]"),
	STR_INIT("[1:2]"), STR_INIT("[1}"), STR_INIT("[\"a\":1]"), STR_INIT("[1;2]"),
	/* objects */
	STR_INIT("{,}"), STR_INIT("{\"a\":1,}"), STR_INIT("{1:1}"), STR_INIT("{a:1}"),
	STR_INIT("{\"a\" 1}"), STR_INIT("{\"a\"}"), STR_INIT("{\"a\":}"), STR_INIT("{\"a\"::1}"),
	STR_INIT("{\"a\":1 \"b\":2}"), STR_INIT("{\"a\":1]"), STR_INIT("{\"a\",1}"),
	STR_INIT("{null:1}"), STR_INIT("{[]:1}"), STR_INIT("{\"a\":1,,\"b\":2}"), STR_INIT("{'a':1}"),
};

TEST(json_read_accepts_json)
{
	for (size_t i = 0; i < countof(accepted); i++) {
		CHECK_STR(read_all(accepted[i]) == OK ? STR_EMPTY : accepted[i], STR_EMPTY);
		/* From memory of the exact size: the sanitizer sees a look beyond. */
		char copy[128];
		char *exact = copy + sizeof(copy) - accepted[i].len;
		memcpy(exact, accepted[i].ptr, accepted[i].len);
		CHECK_EQ(read_all(str_of(exact, accepted[i].len)), OK);
	}
}

TEST(json_read_refuses_what_is_not_json)
{
	for (size_t i = 0; i < countof(refused); i++) {
		char copy[128];
		char *exact = copy + sizeof(copy) - refused[i].len;
		memcpy(exact, refused[i].ptr, refused[i].len);
		struct str text = str_of(exact, refused[i].len);
		CHECK_STR(read_all(text) == ERR_INVAL ? STR_EMPTY : text, STR_EMPTY);
	}
}

/* A document in brackets is none while its last byte is missing. */
TEST(json_read_refuses_every_beginning)
{
	struct str text = S("{\"a\":[1,-2.5e3,true,null,{\"b\":\"\\u00e9\xc3\xa9\"}],\"c\":{}}");
	CHECK_EQ(read_all(text), OK);
	for (size_t n = 0; n < text.len; n++)
		CHECK_EQ(read_all(str_slice(text, 0, n)), ERR_INVAL);
}

TEST(json_read_depth_is_bounded)
{
	char text[2 * JSON_READ_DEPTH_MAX + 2];
	memset(text, '[', JSON_READ_DEPTH_MAX);
	memset(text + JSON_READ_DEPTH_MAX, ']', JSON_READ_DEPTH_MAX);
	CHECK_EQ(read_all(str_of(text, 2 * JSON_READ_DEPTH_MAX)), OK);
	memset(text, '[', JSON_READ_DEPTH_MAX + 1);
	memset(text + JSON_READ_DEPTH_MAX + 1, ']', JSON_READ_DEPTH_MAX + 1);
	CHECK_EQ(read_all(str_of(text, sizeof(text))), ERR_RANGE);
}

TEST(json_read_says_where_the_error_is)
{
	struct json_reader r = json_reader_of(S("[1, x]"));
	CHECK_EQ(json_next(&r).type, JSON_ARRAY);
	CHECK_EQ(json_next(&r).type, JSON_INTEGER);
	CHECK_EQ(json_next(&r).type, JSON_ERROR);
	CHECK_EQ(r.at, 4u);
}

TEST(json_read_tokens)
{
	static const struct {
		enum json_type type;
		struct str text;
	} expected[] = {
		{JSON_OBJECT, STR_INIT("{")}, {JSON_KEY, STR_INIT("a\\n")}, {JSON_ARRAY, STR_INIT("[")},
		{JSON_INTEGER, STR_INIT("-1")}, {JSON_NUMBER, STR_INIT("1.0")},
		{JSON_NUMBER, STR_INIT("1e3")}, {JSON_TRUE, STR_INIT("true")},
		{JSON_FALSE, STR_INIT("false")}, {JSON_NULL, STR_INIT("null")},
		{JSON_ARRAY_END, STR_INIT("]")}, {JSON_KEY, STR_INIT("b")},
		{JSON_STRING, STR_INIT("c d")}, {JSON_KEY, STR_INIT("e")}, {JSON_OBJECT, STR_INIT("{")},
		{JSON_OBJECT_END, STR_INIT("}")}, {JSON_OBJECT_END, STR_INIT("}")},
		{JSON_END, STR_INIT("")},
	};
	struct json_reader r = json_reader_of(
		S("{\"a\\n\":[-1,1.0,1e3,true, false,null], \"b\" : \"c d\",\"e\":{}}"));
	for (size_t i = 0; i < countof(expected); i++) {
		struct json_token t = json_next(&r);
		CHECK_EQ(t.type, expected[i].type);
		CHECK_STR(t.text, expected[i].text);
	}
}

TEST(json_read_skips_values)
{
	struct json_reader r = json_reader_of(S("{\"a\":[1,[{\"x\":[]}]],\"b\":2,\"c\":{}}"));
	CHECK_EQ(json_next(&r).type, JSON_OBJECT);
	CHECK(json_text_eq(json_next(&r), S("a")));
	CHECK_EQ(json_skip(&r, json_next(&r)), OK);
	CHECK(json_text_eq(json_next(&r), S("b")));
	CHECK_EQ(json_skip(&r, json_next(&r)), OK);
	CHECK(json_text_eq(json_next(&r), S("c")));
	CHECK_EQ(json_skip(&r, json_next(&r)), OK);
	CHECK_EQ(json_next(&r).type, JSON_OBJECT_END);
	CHECK_EQ(json_next(&r).type, JSON_END);

	r = json_reader_of(S("[[1,2"));
	CHECK_EQ(json_next(&r).type, JSON_ARRAY);
	CHECK_EQ(json_skip(&r, json_next(&r)), ERR_INVAL);
}

static struct json_token token_of(struct str text)
{
	struct json_reader r = json_reader_of(text);
	return json_next(&r);
}

TEST(json_read_integers)
{
	CHECK_EQ(json_to_u64(token_of(S("18446744073709551615"))).value, UINT64_MAX);
	CHECK_EQ(json_to_u64(token_of(S("18446744073709551616"))).err, ERR_RANGE);
	CHECK_EQ(json_to_u64(token_of(S("-0"))).err, OK);
	CHECK_EQ(json_to_u64(token_of(S("-0"))).value, 0u);
	CHECK_EQ(json_to_u64(token_of(S("-1"))).err, ERR_RANGE);
	CHECK_EQ(json_to_u64(token_of(S("1.0"))).err, ERR_INVAL);
	CHECK_EQ(json_to_u64(token_of(S("1e3"))).err, ERR_INVAL);
	CHECK_EQ(json_to_u64(token_of(S("\"1\""))).err, ERR_INVAL);
	CHECK_EQ(json_to_u64(token_of(S("x"))).err, ERR_INVAL);
	CHECK_EQ(json_to_i64(token_of(S("-9223372036854775808"))).value, INT64_MIN);
	CHECK_EQ(json_to_i64(token_of(S("9223372036854775808"))).err, ERR_RANGE);
	CHECK_EQ(json_to_i64(token_of(S("null"))).err, ERR_INVAL);
}

TEST(json_read_unescapes)
{
	static const struct {
		struct str json, text;
	} cases[] = {
		{STR_INIT("\"\""), STR_INIT("")},
		{STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\/\b\f\n\r\t")},
		{STR_INIT("\"a\\u0000b\""), STR_INIT("a\0b")},
		{STR_INIT("\"\\u00e9\\u20AC\""), STR_INIT("\xc3\xa9\xe2\x82\xac")},
		{STR_INIT("\"\\ud83d\\ude00!\""), STR_INIT("\xf0\x9f\x98\x80!")},
		/* halves of pairs: alone, twice the first, the second first, before another escape */
		{STR_INIT("\"\\ud83d\""), STR_INIT(UTF8_REPLACEMENT_TEXT)},
		{STR_INIT("\"\\ud83d\\ud83d\\ude00\""),
			STR_INIT(UTF8_REPLACEMENT_TEXT "\xf0\x9f\x98\x80")},
		{STR_INIT("\"\\ude00\\ud83d\""), STR_INIT(UTF8_REPLACEMENT_TEXT UTF8_REPLACEMENT_TEXT)},
		{STR_INIT("\"\\ud83d\\u0041\\ud83d\\n\""),
			STR_INIT(UTF8_REPLACEMENT_TEXT "A" UTF8_REPLACEMENT_TEXT "\n")},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct json_token t = token_of(cases[i].json);
		CHECK_EQ(t.type, JSON_STRING);
		char bytes[64] = "=";
		for (size_t room = 0; room <= cases[i].text.len; room++) {
			struct abuf out = abuf_of(bytes, 1 + room);
			out.len = 1;
			bool fits = room == cases[i].text.len;
			CHECK_EQ(json_unescape(t, &out), fits ? OK : ERR_NOSPC);
			CHECK_EQ(out.len, fits ? 1 + room : 1);
			CHECK(!fits || str_eq(str_slice(abuf_str(&out), 1, 64), cases[i].text));
		}
		CHECK(json_text_eq(t, cases[i].text));
		CHECK(!json_text_eq(t, S("something else")));
		if (cases[i].text.len > 0)
			CHECK(!json_text_eq(t, str_slice(cases[i].text, 0, cases[i].text.len - 1)));
	}
	CHECK(!json_text_eq(token_of(S("null")), S("null")));
}

/* A random value, written; `expect` gets what the tokens are to be, one character each. */
static void write_random(
	struct json_writer *w, struct test_rng *rng, unsigned depth, struct abuf *expect)
{
	char bytes[24];
	size_t n = test_below(rng, sizeof(bytes) + 1);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)test_u64(rng);
	switch (test_below(rng, depth < 6 ? 7 : 5)) {
	case 0:
		abuf_char_add(expect, 'i');
		return json_u64(w, test_u64(rng) >> test_below(rng, 64));
	case 1:
		abuf_char_add(expect, 'i');
		return json_i64(w, (int64_t)test_u64(rng) >> test_below(rng, 64));
	case 2:
		abuf_char_add(expect, 's');
		return json_str(w, str_of(bytes, n));
	case 3:
		abuf_char_add(expect, 'n');
		return json_null(w);
	case 4:
		abuf_char_add(expect, 't');
		return json_bool(w, true);
	case 5:
		abuf_char_add(expect, '[');
		json_array_open(w);
		for (uint64_t i = test_below(rng, 5); i > 0; i--)
			write_random(w, rng, depth + 1, expect);
		abuf_char_add(expect, ']');
		return json_array_close(w);
	default:
		abuf_char_add(expect, '{');
		json_object_open(w);
		for (uint64_t i = test_below(rng, 5); i > 0; i--) {
			abuf_char_add(expect, 'k');
			json_key(w, str_of(bytes, n));
			write_random(w, rng, depth + 1, expect);
		}
		abuf_char_add(expect, '}');
		return json_object_close(w);
	}
}

TEST(json_read_what_was_written)
{
	static const char letters[] = "?.{}[]ksi#tfn";
	static char document[1 << 20], expected[1 << 16];
	struct test_rng rng = test_rng(test_seed());

	for (int round = 0; round < 2000; round++) {
		struct abuf out = abuf_of(document, sizeof(document));
		struct abuf expect = abuf_of(expected, sizeof(expected));
		struct json_writer w;
		json_write_to_buf(&w, &out);
		write_random(&w, &rng, 0, &expect);
		CHECK_EQ(json_finish(&w), OK);
		CHECK(abuf_ok(&expect));
		CHECK(utf8_is_valid(abuf_str(&out)));
		struct json_reader r = json_reader_of(abuf_str(&out));
		for (size_t i = 0; i < expect.len; i++)
			CHECK_EQ(letters[json_next(&r).type], expected[i]);
		CHECK_EQ(json_next(&r).type, JSON_END);
	}
}

/* One byte of a document changed: it is read or refused, and nothing else happens. */
TEST(json_read_survives_damage)
{
	struct test_rng rng = test_rng(test_seed());
	struct str text = S("{\"a\":[1,-2.5e3,true,null,{\"b\":\"\\u00e9\xc3\xa9\"}],\"c\":{}}");
	char copy[64];
	for (int round = 0; round < 50000; round++) {
		memcpy(copy, text.ptr, text.len);
		for (uint64_t i = 1 + test_below(&rng, 3); i > 0; i--)
			copy[test_below(&rng, text.len)] = (char)test_u64(&rng);
		enum err err = read_all(str_of(copy, text.len));
		CHECK(err == OK || err == ERR_INVAL);
	}
}
