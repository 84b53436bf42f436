/* args_core_test.c - options and operands. */
#include "tests/host/test.h"
#include "user/shell/args_core.h"

#define WORDS(...) const struct str w[] = {__VA_ARGS__}

TEST(args_flags_together_and_behind_operands)
{
	struct args a;
	WORDS(S("ls"), S("/proc"), S("-la1"), S("/net"), S("-"));
	CHECK(args_parse(&a, w, countof(w), "laR126z"));
	CHECK(args_has(&a, 'l') && args_has(&a, 'a') && args_has(&a, '1') && !args_has(&a, 'R') && !args_has(&a, '2') &&
		!args_has(&a, '6') && !args_has(&a, 'z'));
	CHECK_EQ(a.operands, 3);
	CHECK_STR(args_operand(&a, 0), S("/proc"));
	CHECK_STR(args_operand(&a, 2), S("-"));
}

TEST(args_values_in_the_same_word_or_the_next)
{
	struct args a;
	WORDS(S("head"), S("-n5"), S("x"), S("-c"), S("7"), S("-vn"), S("-3"));
	CHECK(args_parse(&a, w, countof(w), "n:c:v"));
	CHECK_STR(args_value(&a, 'n'), S("-3")); /* the last counts, whatever it looks like */
	CHECK_STR(args_value(&a, 'c'), S("7"));
	CHECK(args_has(&a, 'v') && args_value(&a, 'x').ptr == NULL);
	CHECK_EQ(a.operands, 1);
}

TEST(args_number_alone_is_a_value)
{
	struct args a;
	WORDS(S("head"), S("-12"), S("f"));
	CHECK(args_parse(&a, w, countof(w), "n:#"));
	CHECK_STR(args_value(&a, 'n'), S("12"));
	CHECK(!args_parse(&a, w, countof(w), "n:"));
}

TEST(args_double_dash_ends_the_options)
{
	struct args a;
	WORDS(S("rm"), S("-f"), S("--"), S("-r"), S("--"));
	CHECK(args_parse(&a, w, countof(w), "rf"));
	CHECK(args_has(&a, 'f') && !args_has(&a, 'r'));
	CHECK_EQ(a.operands, 2);
	CHECK_STR(args_operand(&a, 1), S("--"));
}

TEST(args_what_is_wrong_is_named)
{
	struct args a;
	WORDS(S("x"), S("-lz"), S("f"));
	CHECK(!args_parse(&a, w, countof(w), "l") && a.wrong == ARGS_UNKNOWN);
	CHECK_STR(a.bad, S("-lz"));
	CHECK(!args_parse(&a, w, 2, "lz:") && a.wrong == ARGS_NO_VALUE);
	const struct str odd[] = {S("x"), S("-#"), S("-:"), S("--long")};
	for (size_t i = 1; i < countof(odd); i++) {
		const struct str two[] = {odd[0], odd[i]};
		CHECK(!args_parse(&a, two, 2, "n:#") && a.wrong == ARGS_UNKNOWN);
	}
}
