/* columns_core_test.c - lines of words as a table. */
#include "tests/host/test.h"
#include "user/shell/columns_core.h"

static void table_is(const struct str *lines, size_t n, struct str wanted)
{
	struct columns c = {0};
	uint8_t bytes[512];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		columns_measure(&c, lines[i]);
	for (size_t i = 0; i < n; i++)
		columns_render(&c, lines[i], &out);
	CHECK(abuf_ok(&out));
	CHECK_STR(abuf_str(&out), wanted);
}

TEST(columns_numbers_right_words_left)
{
	const struct str lines[] = {S("tid name cpu"), S("1 idle 99.5"), S("120 net_rx 0.1"), S("7 a -")};
	table_is(lines, countof(lines),
		S("tid name    cpu\n"
		  "  1 idle   99.5\n"
		  "120 net_rx  0.1\n"
		  "  7 a         -\n"));
}

TEST(columns_ragged_and_empty_lines)
{
	const struct str lines[] = {S("a b"), S("x"), S(""), S("1 2 3 more")};
	table_is(lines, countof(lines), S("a b\nx\n\n1 2 3 more\n"));
}

TEST(columns_units_are_numbers_addresses_are_not)
{
	const struct str lines[] = {S("ip time size"), S("10.0.2.2 1.25ms 16K"), S("1.1.1.1 -3us 512")};
	table_is(lines, countof(lines),
		S("ip         time size\n"
		  "10.0.2.2 1.25ms  16K\n"
		  "1.1.1.1    -3us  512\n"));
}

TEST(columns_beyond_the_last_are_not_lost)
{
	struct columns c = {0};
	uint8_t line[2 * (COLUMNS_MAX + 3)], bytes[512];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = i % 2 ? ' ' : 'w';
	columns_measure(&c, str_of(line, sizeof(line)));
	columns_render(&c, str_of(line, sizeof(line)), &out);
	CHECK_EQ(out.len, sizeof(line));
}
