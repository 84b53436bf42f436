/* Host tests of metrics_core.c. */
#include "tests/host/test.h"
#include "lib/fmt.h"
#include "user/net/metrics_core.h"

static uint8_t buffer[8192];
static struct abuf out;
static const struct metrics_labels none;

static struct str number(uint64_t value, unsigned decimals)
{
	out = abuf_of(buffer, sizeof(buffer));
	metrics_sample(&out, S("x"), &none, value, decimals);
	CHECK(abuf_ok(&out));
	return str_slice(abuf_str(&out), 2, out.len - 1);
}

TEST(metrics_family_has_help_and_type)
{
	out = abuf_of(buffer, sizeof(buffer));
	metrics_family(&out, S("a_total"), METRICS_COUNTER, S("What it is."));
	metrics_family(&out, S("b"), METRICS_GAUGE, S("B."));
	metrics_family(&out, S("c_seconds"), METRICS_HISTOGRAM, S("C."));
	CHECK_STR(abuf_str(&out), S("# HELP a_total What it is.\n# TYPE a_total counter\n"
				    "# HELP b B.\n# TYPE b gauge\n# HELP c_seconds C.\n# TYPE c_seconds histogram\n"));
}

TEST(metrics_numbers_have_a_point_put_in)
{
	CHECK_STR(number(0, 0), S("0"));
	CHECK_STR(number(0, 9), S("0"));
	CHECK_STR(number(UINT64_MAX, 0), S("18446744073709551615"));
	CHECK_STR(number(UINT64_MAX, 9), S("18446744073.709551615"));
	CHECK_STR(number(127, 9), S("0.000000127"));
	CHECK_STR(number(1500, 3), S("1.5"));
	CHECK_STR(number(1001, 3), S("1.001"));
	CHECK_STR(number(7000000000, 9), S("7"));
	CHECK_STR(number(50000, 6), S("0.05"));
}

TEST(metrics_labels_are_escaped)
{
	struct metrics_labels l = {.of = {{S("cpu"), S("0")}, {S("name"), S("a\"b\\c\nd\xff\xc3\xbc")}}, .n = 2};
	out = abuf_of(buffer, sizeof(buffer));
	metrics_sample(&out, S("x_total"), &l, 5, 0);
	CHECK_STR(abuf_str(&out), S("x_total{cpu=\"0\",name=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xbc\"} 5\n"));
}

/* The line of the bucket with that end. */
static struct str bucket(struct str le)
{
	uint8_t bytes[64];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	fmt(&text, "h_seconds_bucket{cpu=\"1\",le=\"%.*s\"} ", STR_ARG(le));
	struct str all = abuf_str(&out), line = abuf_str(&text);
	size_t at = str_find(all, line);
	CHECK(at < all.len);
	all = str_slice(all, at + line.len, all.len);
	return str_slice(all, 0, str_find_char(all, '\n'));
}

TEST(metrics_histogram_adds_its_buckets_up)
{
	struct metrics_labels l = {.of = {{S("cpu"), S("1")}}, .n = 1};
	struct histogram h = {0};
	histogram_add(&h, 0);
	histogram_add(&h, 127);
	histogram_add(&h, 128);
	histogram_add(&h, 255);
	histogram_add(&h, 256);
	histogram_add(&h, INT64_MAX);
	out = abuf_of(buffer, sizeof(buffer));
	metrics_histogram(&out, S("h_seconds"), &l, &h);
	CHECK(abuf_ok(&out));
	CHECK_STR(bucket(S("0.000000127")), S("2"));
	CHECK_STR(bucket(S("0.000000255")), S("4"));
	CHECK_STR(bucket(S("0.000000511")), S("5"));
	CHECK_STR(bucket(S("0.536870911")), S("5")); /* the last that has an end */
	CHECK_STR(bucket(S("+Inf")), S("6"));
	CHECK(str_ends(abuf_str(&out), S("\nh_seconds_count{cpu=\"1\"} 6\n")));
	size_t lines = 0;
	for (size_t i = 0; i < out.len; i++)
		lines += out.ptr[i] == '\n';
	CHECK_EQ(lines, HISTOGRAM_BUCKETS + 1);
}

TEST(metrics_what_does_not_fit_says_so)
{
	struct histogram h = {0};
	out = abuf_of(buffer, 100);
	metrics_histogram(&out, S("h_seconds"), &none, &h);
	CHECK(!abuf_ok(&out));
}
