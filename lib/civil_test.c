/* civil_test.c - dates: known ones, and that each day is the one after the day before. */
#include "lib/civil.h"
#include "tests/host/test.h"

static struct str rendered(int64_t unix_s)
{
	static uint8_t bytes[64];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	civil_render(&out, unix_s);
	CHECK(abuf_ok(&out));
	return abuf_str(&out);
}

TEST(civil_known_instants)
{
	CHECK_STR(rendered(0), S("1970-01-01T00:00:00Z"));
	CHECK_STR(rendered(951782400), S("2000-02-29T00:00:00Z"));
	CHECK_STR(rendered(1709251199), S("2024-02-29T23:59:59Z"));
	CHECK_STR(rendered(4102444800), S("2100-01-01T00:00:00Z"));
	CHECK_STR(rendered(-1), S("1969-12-31T23:59:59Z"));
	CHECK_EQ(civil_of(0).weekday, 4);          /* a Thursday */
	CHECK_EQ(civil_of(951782400).weekday, 2);  /* a Tuesday */
	CHECK_EQ(civil_of(1709251199).weekday, 4); /* a Thursday */
}

/* Every day of eight centuries follows the one before. */
TEST(civil_days_follow_each_other)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	struct civil c = civil_of(-135140 * INT64_C(86400)); /* 1600-01-01 */
	CHECK(c.year == 1600 && c.month == 1 && c.day == 1);
	for (int64_t day = -135139; day < 157000; day++) {
		bool leap = c.year % 4 == 0 && (c.year % 100 != 0 || c.year % 400 == 0);
		struct civil next = civil_of(day * 86400);
		CHECK_EQ(next.weekday, (c.weekday + 1) % 7);
		uint8_t last = (uint8_t)(days[c.month - 1] + (c.month == 2 && leap));
		if (c.day < last)
			CHECK(next.day == c.day + 1 && next.month == c.month && next.year == c.year);
		else
			CHECK(next.day == 1 && next.month == c.month % 12 + 1 && next.year == c.year + c.month / 12);
		c = next;
	}
}
