/* Host tests of lib/fmt.c: by example, and against the C library's printf. */
#include <stdio.h>
#include <string.h>
#include "tests/host/test.h"
#include "lib/fmt.h"

#define CHECK_FMT(expected, ...)                                                                   \
	do {                                                                                       \
		char check_bytes[128];                                                             \
		struct abuf check_a = abuf_of(check_bytes, sizeof(check_bytes));                   \
		fmt(&check_a, __VA_ARGS__);                                                        \
		CHECK(abuf_ok(&check_a));                                                          \
		CHECK(str_eq(abuf_str(&check_a), S(expected)));                                    \
	} while (0)

TEST(fmt_plain_text)
{
	CHECK_FMT("hello", "hello");
	CHECK_FMT("100%", "100%%");
	CHECK_FMT("a%b", "a%%b");
}

TEST(fmt_integers)
{
	CHECK_FMT("0", "%d", 0);
	CHECK_FMT("-2147483648", "%d", INT32_MIN);
	CHECK_FMT("-9223372036854775808", "%ld", INT64_MIN);
	CHECK_FMT("18446744073709551615", "%lu", UINT64_MAX);
	CHECK_FMT("4294967295", "%u", UINT32_MAX);
	CHECK_FMT("ffffffffffffffff", "%llx", ~0ull);
	CHECK_FMT("DEADBEEF", "%X", 0xdeadbeefu);
	CHECK_FMT("-1 255", "%hhd %hhu", (signed char)-1, (unsigned char)255);
	CHECK_FMT("-1 65535", "%hd %hu", (short)-1, (unsigned short)65535);
	CHECK_FMT("12 -3", "%zu %td", (size_t)12, (ptrdiff_t)-3);
}

TEST(fmt_integers_alone)
{
	char bytes[64];
	struct abuf a = abuf_of(bytes, sizeof(bytes));
	fmt_u64(&a, UINT64_MAX);
	fmt_i64(&a, INT64_MIN);
	fmt_i64(&a, 7);
	CHECK_STR(abuf_str(&a), S("18446744073709551615-92233720368547758087"));
	a = abuf_of(bytes, 3);
	fmt_i64(&a, -1234);
	CHECK_STR(abuf_str(&a), S("-12"));
	CHECK(!abuf_ok(&a));
}

TEST(fmt_width_and_flags)
{
	CHECK_FMT("[   42]", "[%5d]", 42);
	CHECK_FMT("[42   ]", "[%-5d]", 42);
	CHECK_FMT("[00042]", "[%05d]", 42);
	CHECK_FMT("[-0042]", "[%05d]", -42);
	CHECK_FMT("[  -42]", "[%5d]", -42);
	CHECK_FMT("[123456]", "[%3d]", 123456);
	CHECK_FMT("[  x][x  ]", "[%3c][%-3c]", 'x', 'x');
	CHECK_FMT("000000000000002a", "%016lx", 42ul);
}

TEST(fmt_text)
{
	CHECK_FMT("[abc]", "[%s]", "abc");
	CHECK_FMT("[ab]", "[%.*s]", STR_ARG(str_slice(S("abc"), 0, 2)));
	CHECK_FMT("[  ab]", "[%4.*s]", STR_ARG(S("ab")));
	CHECK_FMT("[ab  ]", "[%-4.*s]", STR_ARG(S("ab")));
	const struct str *volatile empty = &STR_EMPTY;
	CHECK_FMT("[]", "[%.*s]", STR_ARG(*empty));
	/* A str is its length: a NUL inside is text too. */
	CHECK_FMT("[a\0b]", "[%.*s]", STR_ARG(S("a\0b")));
}

TEST(fmt_pointers)
{
	CHECK_FMT("0x80200000", "%p", (void *)0x80200000ul);
	CHECK_FMT("0x0", "%p", NULL);
	CHECK_FMT("[      0x10]", "[%10p]", (void *)16);
}

/* The compiler would refuse these: they reach fmt() by way of a variable only. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
TEST(fmt_survives_what_the_compiler_would_refuse)
{
	static const char *const endings[] = {"%", "%5", "%-", "%l", "%h", "%.", "%.*", "%q", "%f",
		"%.3d", "%*d", "%n", "%05", "%i", "%+d", "%.*d"};
	for (size_t i = 0; i < countof(endings); i++) {
		char format[32], bytes[64];
		struct abuf a = abuf_of(bytes, sizeof(bytes));
		snprintf(format, sizeof(format), "<%%d>%s tail", endings[i]);
		fmt(&a, format, 7, 8, 9);
		CHECK(str_starts(abuf_str(&a), S("<7>")));
		if (endings[i][1] != '\0')
			CHECK(str_find(abuf_str(&a), S("tail")) < abuf_str(&a).len);
	}
	const char *volatile null = NULL;
	const char *text = "%s", *bounded = "%.*s";
	char bytes[64];
	struct abuf a = abuf_of(bytes, sizeof(bytes));
	fmt(&a, text, null);
	fmt(&a, bounded, 5, null);
	fmt(&a, bounded, 0, null);
	fmt(&a, bounded, -5, "never read");
	CHECK(str_eq(abuf_str(&a), S("(null)(null)")));
}

TEST(fmt_width_is_bounded)
{
	char bytes[8192];
	struct abuf a = abuf_of(bytes, sizeof(bytes));
	const char *volatile wide = "%99999999999999999999999999d";
	fmt(&a, wide, 1);
	CHECK_EQ(a.len, 4096u);
}

TEST(fmt_appends_what_fits)
{
	char bytes[8];
	memset(bytes, '#', sizeof(bytes));
	struct abuf a = abuf_of(bytes, 7);
	fmt(&a, "abc%d%s", 12345, "tail");
	CHECK(!abuf_ok(&a));
	CHECK(str_eq(abuf_str(&a), S("abc1234")));
	CHECK_EQ(bytes[7], '#');
	fmt(&a, "more");
	CHECK_EQ(a.len, 7u);

	struct abuf none = abuf_of(NULL, 0);
	fmt(&none, "%20d", 1);
	CHECK(!abuf_ok(&none));
	CHECK_EQ(none.len, 0u);
}

/* Random conversions of random values into buffers of random size, against snprintf. */
TEST(fmt_agrees_with_printf)
{
	static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "t"};
	static const char conversions[] = "duxX";
	struct test_rng rng = test_rng(test_seed());

	for (int round = 0; round < 100000; round++) {
		char format[64], flags[4] = "", width[8] = "";
		char expected[256], bytes[256];
		if (test_below(&rng, 3) == 0)
			strcat(flags, "-");
		if (test_below(&rng, 3) == 0)
			strcat(flags, "0");
		if (test_below(&rng, 2) == 0)
			snprintf(width, sizeof(width), "%u", (unsigned)test_below(&rng, 40) + 1);
		const char *length = lengths[test_below(&rng, countof(lengths))];
		snprintf(format, sizeof(format), "a%%%s%s%s%cb", flags, width, length,
			conversions[test_below(&rng, 4)]);
		uint64_t value = test_u64(&rng) >> test_below(&rng, 64);
		if (test_below(&rng, 2))
			value = -value;
		int len = snprintf(expected, sizeof(expected), format, value);
		size_t cap = test_below(&rng, 64);
		struct abuf a = abuf_of(bytes, cap);
		fmt(&a, format, value);
		CHECK_EQ(abuf_ok(&a), (size_t)len <= cap);
		CHECK(str_eq(abuf_str(&a), str_of(expected, min((size_t)len, cap))));
	}
}
