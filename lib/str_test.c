/* Host tests of lib/str.c. */
#include "tests/host/test.h"
#include "lib/str.h"

TEST(str_of_cstr_stops_at_nul_and_at_max)
{
	CHECK(str_eq(str_of_cstr("abc", 10), S("abc")));
	CHECK(str_eq(str_of_cstr("abc", 2), S("ab")));
	CHECK_EQ(str_of_cstr("", 10).len, 0u);
	/* Not a byte beyond max is read. */
	char exact[3] = {'x', 'y', 'z'};
	CHECK_EQ(str_of_cstr(exact, 3).len, 3u);
}

TEST(str_eq_compares_bytes)
{
	CHECK(str_eq(S(""), STR_EMPTY));
	CHECK(str_eq(S("a\0b"), S("a\0b")));
	CHECK(!str_eq(S("a\0b"), S("a\0c")));
	CHECK(!str_eq(S("ab"), S("abc")));
	CHECK(str_eq_nocase(S("Content-LENGTH"), S("content-length")));
	CHECK(!str_eq_nocase(S("a["), S("a{"))); /* they differ by the case bit only */
	CHECK(!str_eq_nocase(S("@"), S("`")));
}

TEST(str_cmp_orders_bytewise_shorter_first)
{
	CHECK(str_cmp(S("a"), S("b")) < 0);
	CHECK(str_cmp(S("b"), S("a")) > 0);
	CHECK(str_cmp(S("ab"), S("abc")) < 0);
	CHECK(str_cmp(S("abc"), S("ab")) > 0);
	CHECK(str_cmp(S("abc"), S("abc")) == 0);
	CHECK(str_cmp(STR_EMPTY, S("")) == 0);
	CHECK(str_cmp(STR_EMPTY, S("a")) < 0);
	CHECK(str_cmp(S("\x80"), S("\x7f")) > 0); /* bytes are unsigned */
}

TEST(str_starts_and_ends)
{
	CHECK(str_starts(S("/net/tcp"), S("/net")));
	CHECK(str_starts(S("x"), S("")));
	CHECK(!str_starts(S("/ne"), S("/net")));
	CHECK(str_ends(S("index.html"), S(".html")));
	CHECK(str_ends(STR_EMPTY, STR_EMPTY));
	CHECK(!str_ends(S("html"), S(".html")));
}

TEST(str_slice_clamps)
{
	CHECK(str_eq(str_slice(S("abcdef"), 2, 4), S("cd")));
	CHECK(str_eq(str_slice(S("abc"), 1, 99), S("bc")));
	CHECK(str_eq(str_slice(S("abc"), 5, 9), S("")));
	CHECK(str_eq(str_slice(S("abc"), 2, 1), S("")));
	CHECK(str_eq(str_slice(STR_EMPTY, 1, 2), S("")));
	CHECK(str_eq(str_slice(S("abc"), SIZE_MAX, SIZE_MAX), S("")));
}

TEST(str_trim_both_ends)
{
	CHECK(str_eq(str_trim(S(" \t a b\r\n")), S("a b")));
	CHECK(str_eq(str_trim(S(" \r\n\t")), S("")));
	CHECK(str_eq(str_trim(STR_EMPTY), S("")));
	CHECK(str_eq(str_trim(S("\0 ")), S("\0")));
}

TEST(str_find_first)
{
	CHECK_EQ(str_find_char(S("a=b=c"), '='), 1u);
	CHECK_EQ(str_find_char(S("abc"), '='), 3u);
	CHECK_EQ(str_find_char(STR_EMPTY, '='), 0u);
	CHECK_EQ(str_find(S("aab\r\n\r\nx"), S("\r\n\r\n")), 3u);
	CHECK_EQ(str_find(S("aaab"), S("aab")), 1u);
	CHECK_EQ(str_find(S("abc"), S("d")), 3u);
	CHECK_EQ(str_find(S("abc"), S("")), 0u);
	CHECK_EQ(str_find(STR_EMPTY, S("")), 0u);
	CHECK_EQ(str_find(S("ab"), S("abc")), 2u);
	CHECK_EQ(str_find(S("abc"), S("abc")), 0u);
	CHECK_EQ(str_find(S("xabc"), S("abc")), 1u);
}

TEST(str_cut_at_separator)
{
	struct str s = S("a=b=c");
	CHECK(str_eq(str_cut(&s, '='), S("a")));
	CHECK(str_eq(str_cut(&s, '='), S("b")));
	CHECK(str_eq(str_cut(&s, '='), S("c")));
	CHECK_EQ(s.len, 0u);
	CHECK(str_eq(str_cut(&s, '='), S("")));
	s = S("=x");
	CHECK(str_eq(str_cut(&s, '='), S("")));
	CHECK(str_eq(s, S("x")));
	s = S("x=");
	CHECK(str_eq(str_cut(&s, '='), S("x")));
	CHECK_EQ(s.len, 0u);
}

TEST(str_cut_without_separator)
{
	struct str s = S("whole");
	CHECK(str_eq(str_cut(&s, '='), S("whole")));
	CHECK_EQ(s.len, 0u);
	s = STR_EMPTY;
	CHECK_EQ(str_cut(&s, '=').len, 0u);
}

TEST(str_word_by_word)
{
	struct str s = S("  deadline\t100 200  ");
	CHECK(str_eq(str_word(&s), S("deadline")));
	CHECK(str_eq(str_word(&s), S("100")));
	CHECK(str_eq(str_word(&s), S("200")));
	CHECK_EQ(str_word(&s).len, 0u);
	CHECK_EQ(str_word(&s).len, 0u);
}

TEST(str_to_u64_takes_digits_only)
{
	CHECK_EQ(str_to_u64(S("0"), 10).value, 0u);
	CHECK_EQ(str_to_u64(S("18446744073709551615"), 10).value, UINT64_MAX);
	CHECK_EQ(str_to_u64(S("18446744073709551616"), 10).err, ERR_RANGE);
	CHECK_EQ(str_to_u64(S("99999999999999999999999999"), 10).err, ERR_RANGE);
	CHECK_EQ(str_to_u64(S("99999999999999999999999999x"), 10).err, ERR_INVAL);
	CHECK_EQ(str_to_u64(S("00000000000000000000000000000012"), 10).value, 12u);
	CHECK_EQ(str_to_u64(S("fFfFfFfFfFfFfFfF"), 16).value, UINT64_MAX);
	CHECK_EQ(str_to_u64(S("10000000000000000"), 16).err, ERR_RANGE);
	CHECK_EQ(str_to_u64(S("1a"), 16).value, 26u);
	CHECK_EQ(str_to_u64(S("1a"), 10).err, ERR_INVAL);
	CHECK_EQ(str_to_u64(S("0x10"), 16).err, ERR_INVAL);
	CHECK_EQ(str_to_u64(S("g"), 16).err, ERR_INVAL);
	const char *refused[] = {"", " 1", "1 ", "+1", "-1", "1.0", "1e3", "\xff"};
	for (size_t i = 0; i < countof(refused); i++)
		CHECK_EQ(str_to_u64(str_of_cstr(refused[i], 9), 10).err, ERR_INVAL);
	CHECK_EQ(str_to_u64(STR_EMPTY, 10).err, ERR_INVAL);
}

TEST(str_to_i64_at_its_limits)
{
	CHECK_EQ(str_to_i64(S("-1")).value, -1);
	CHECK_EQ(str_to_i64(S("-0")).value, 0);
	CHECK_EQ(str_to_i64(S("9223372036854775807")).value, INT64_MAX);
	CHECK_EQ(str_to_i64(S("9223372036854775808")).err, ERR_RANGE);
	CHECK_EQ(str_to_i64(S("-9223372036854775808")).value, INT64_MIN);
	CHECK_EQ(str_to_i64(S("-9223372036854775809")).err, ERR_RANGE);
	CHECK_EQ(str_to_i64(S("-")).err, ERR_INVAL);
	CHECK_EQ(str_to_i64(S("--1")).err, ERR_INVAL);
	CHECK_EQ(str_to_i64(STR_EMPTY).err, ERR_INVAL);
}
