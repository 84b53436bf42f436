/* units_core_test.c - durations and sizes, read and written. */
#include "tests/host/test.h"
#include "user/shell/units_core.h"

#define RENDERED(call)                                                                             \
	({                                                                                         \
		static uint8_t bytes[64];                                                          \
		struct abuf out = abuf_of(bytes, sizeof(bytes));                                   \
		call;                                                                              \
		CHECK(abuf_ok(&out));                                                              \
		abuf_str(&out);                                                                    \
	})

static void duration_is(struct str s, int64_t unit, int64_t ns)
{
	struct i64_result r = duration_parse(s, unit);
	CHECK_EQ(r.err, OK);
	CHECK_EQ(r.value, ns);
}

TEST(duration_units_and_fractions)
{
	duration_is(S("200us"), NS_PER_S, 200000);
	duration_is(S("1.5ms"), NS_PER_S, 1500000);
	duration_is(S("2"), NS_PER_S, 2 * NS_PER_S);
	duration_is(S("250"), 1, 250);
	duration_is(S(".5"), NS_PER_S, NS_PER_S / 2);
	duration_is(S("1."), NS_PER_MS, NS_PER_MS);
	duration_is(S("0.123456789s"), 1, 123456789);
	duration_is(S("1.9ns"), 1, 1);
	duration_is(S("0.1234us"), 1, 123);
	duration_is(S("1.5m"), 1, 90 * NS_PER_S);
	duration_is(S("2h"), 1, 7200 * NS_PER_S);
	duration_is(S("0"), NS_PER_S, 0);
	duration_is(S("9223372036854775807"), 1, INT64_MAX);
}

TEST(duration_what_is_none)
{
	static const struct str wrong[] = {STR_INIT(""), STR_INIT("ms"), STR_INIT("."), STR_INIT("-1"), STR_INIT("1 ms"),
		STR_INIT("1.2.3"), STR_INIT("1x"), STR_INIT("0x10"), STR_INIT("1e3")};
	for (size_t i = 0; i < countof(wrong); i++)
		CHECK_EQ(duration_parse(wrong[i], 1).err, ERR_INVAL);
	CHECK_EQ(duration_parse(S("9223372036854775808"), 1).err, ERR_RANGE);
	CHECK_EQ(duration_parse(S("9223372037s"), 1).err, ERR_RANGE);
	CHECK_EQ(duration_parse(S("99999999999999999999"), 1).err, ERR_RANGE);
}

TEST(duration_rendered_is_read_back)
{
	CHECK_STR(RENDERED(duration_render(&out, 0)), S("0"));
	CHECK_STR(RENDERED(duration_render(&out, 950)), S("950ns"));
	CHECK_STR(RENDERED(duration_render(&out, 1250000)), S("1.25ms"));
	CHECK_STR(RENDERED(duration_render(&out, 1001)), S("1.001us"));
	CHECK_STR(RENDERED(duration_render(&out, 90 * NS_PER_S)), S("90s"));
	CHECK_STR(RENDERED(duration_render(&out, -3000)), S("-3us"));
	CHECK_STR(RENDERED(duration_render(&out, 2500000)), S("2.5ms"));
	for (int64_t ns = 1; ns < 1000000; ns += 7) {
		struct i64_result r = duration_parse(RENDERED(duration_render(&out, ns)), 1);
		CHECK(r.err == OK && r.value == ns);
	}
}

TEST(numbers_with_a_point)
{
	CHECK_STR(RENDERED(thousandths_render(&out, 1250)), S("1.250"));
	CHECK_STR(RENDERED(thousandths_render(&out, -1)), S("-0.001"));
	CHECK_STR(RENDERED(tenths_render(&out, 123)), S("12.3"));
}

TEST(bytes_have_two_or_three_digits)
{
	CHECK_STR(RENDERED(bytes_render(&out, 0)), S("0"));
	CHECK_STR(RENDERED(bytes_render(&out, 1023)), S("1023"));
	CHECK_STR(RENDERED(bytes_render(&out, 1024)), S("1.0K"));
	CHECK_STR(RENDERED(bytes_render(&out, 1536)), S("1.5K"));
	CHECK_STR(RENDERED(bytes_render(&out, 10 * 1024)), S("10K"));
	CHECK_STR(RENDERED(bytes_render(&out, 253 << 20)), S("253M"));
	CHECK_STR(RENDERED(bytes_render(&out, UINT64_MAX)), S("15E"));
}

TEST(uptime_is_for_people)
{
	CHECK_STR(RENDERED(uptime_render(&out, 0)), S("0:00:00"));
	CHECK_STR(RENDERED(uptime_render(&out, (86400 + 3723) * NS_PER_S)), S("1 day, 1:02:03"));
	CHECK_STR(RENDERED(uptime_render(&out, (3 * 86400 + 59) * NS_PER_S)), S("3 days, 0:00:59"));
}
