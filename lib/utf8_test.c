/* Host tests of lib/utf8.h. */
#include "tests/host/test.h"
#include "lib/utf8.h"

TEST(utf8_every_code_point_comes_back)
{
	for (uint32_t code = 0; code <= 0x110000; code++) {
		char bytes[4];
		uint32_t back;
		size_t n = utf8_encode(code, bytes);
		bool exists = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
		CHECK_EQ(utf8_next(str_of(bytes, n), &back), n);
		CHECK_EQ(back, exists ? code : UTF8_REPLACEMENT);
		CHECK(utf8_is_valid(str_of(bytes, n)));
		/* Cut short it is one broken piece. */
		if (n > 1) {
			CHECK_EQ(utf8_next(str_of(bytes, n - 1), &back), n - 1);
			CHECK_EQ(back, UTF8_INVALID);
			CHECK(!utf8_is_valid(str_of(bytes, n - 1)));
		}
	}
}

/* Every sequence of three bytes is a character only if encoding gives it back. */
TEST(utf8_only_the_shortest_form)
{
	for (uint32_t i = 0; i < 1u << 24; i += 1 + i % 3) {
		char bytes[3] = {(char)(i >> 16), (char)(i >> 8), (char)i}, again[4];
		uint32_t code;
		size_t n = utf8_next(str_of(bytes, 3), &code);
		CHECK(n >= 1 && n <= 3);
		if (code == UTF8_INVALID) {
			CHECK(!utf8_is_valid(str_of(bytes, 3)));
			continue;
		}
		CHECK_EQ(utf8_encode(code, again), n);
		CHECK(str_eq(str_of(again, n), str_of(bytes, n)));
	}
}

/* The pieces of Unicode's tables 3-8 to 3-11: how many U+FFFD each text becomes. */
TEST(utf8_invalid_pieces)
{
	static const struct {
		struct str text;
		int pieces;
	} cases[] = {
		{STR_INIT("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82"), 8},
		{STR_INIT("\xed\xa0\x80\xed\xbf\xbf\xed\xaf"), 8},
		{STR_INIT("\xf4\x91\x92\x93\xff\x80\xbf"), 7},
		{STR_INIT("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"), 4},
		{STR_INIT("\xf8\x88\x80\x80\x80"), 5},
		{STR_INIT("\xe2\x82"), 1},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str s = cases[i].text;
		int pieces = 0;
		while (s.len > 0) {
			uint32_t code;
			size_t n = utf8_next(s, &code);
			CHECK(n > 0);
			CHECK_EQ(code, UTF8_INVALID);
			pieces++;
			s = str_slice(s, n, s.len);
		}
		CHECK_EQ(pieces, cases[i].pieces);
		CHECK(!utf8_is_valid(cases[i].text));
	}
	CHECK(utf8_is_valid(STR_EMPTY));
	uint32_t code;
	CHECK_EQ(utf8_next(STR_EMPTY, &code), 0u);
}
