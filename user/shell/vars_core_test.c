/* Host tests of vars_core.h. */
#include "tests/host/test.h"
#include "user/shell/vars_core.h"

static struct vars v;

static struct str get(struct str name)
{
	struct str value;
	return vars_get(&v, name, &value) ? value : S("(none)");
}

TEST(vars_are_set_changed_and_forgotten)
{
	vars_init(&v);
	CHECK_EQ(vars_set(&v, S("A"), S("1")), OK);
	CHECK_EQ(vars_set(&v, S("AB"), S("")), OK);
	CHECK_EQ(vars_set(&v, S("A"), S("another")), OK);
	CHECK_STR(get(S("A")), S("another"));
	CHECK_STR(get(S("AB")), S(""));
	vars_unset(&v, S("A"));
	vars_unset(&v, S("A"));
	CHECK_STR(get(S("A")), S("(none)"));
	CHECK_STR(get(S("AB")), S(""));
	CHECK_EQ(vars_set(&v, S(""), S("1")), ERR_NAMETOOLONG);
}

TEST(vars_full_changes_nothing)
{
	static char value[VARS_BYTES];
	vars_init(&v);
	CHECK_EQ(vars_set(&v, S("A"), S("1")), OK);
	CHECK_EQ(vars_set(&v, S("B"), str_of(value, VARS_BYTES - 5 - 4)), OK);
	CHECK_EQ(v.len, VARS_BYTES);
	CHECK_EQ(vars_set(&v, S("C"), S("")), ERR_NOSPC);
	CHECK_EQ(vars_set(&v, S("A"), S("12")), ERR_NOSPC);
	CHECK_STR(get(S("A")), S("1"));
	CHECK_EQ(vars_set(&v, S("A"), S("2")), OK); /* its own room counts as free */
	CHECK_STR(get(S("A")), S("2"));
	CHECK_EQ(vars_set(&v, S("A"), str_of(value, VARS_BYTES + 1)), ERR_NOSPC);
}

TEST(vars_against_a_model)
{
	static char model[26][40];
	static size_t lens[26]; /* SIZE_MAX: none */
	struct test_rng r = test_rng(test_seed());
	vars_init(&v);
	memset(lens, 0xff, sizeof(lens));
	for (int round = 0; round < 20000; round++) {
		size_t n = test_below(&r, 26), len = test_below(&r, 40);
		char name = (char)('A' + n), value[40];
		for (size_t i = 0; i < len; i++)
			value[i] = (char)test_below(&r, 256);
		if (test_below(&r, 4) == 0) {
			vars_unset(&v, str_of(&name, 1));
			lens[n] = SIZE_MAX;
		} else if (vars_set(&v, str_of(&name, 1), str_of(value, len)) == OK) {
			memcpy(model[n], value, len);
			lens[n] = len;
		}
		for (size_t i = 0; i < 26; i++) {
			char at = (char)('A' + i);
			CHECK_STR(get(str_of(&at, 1)), lens[i] == SIZE_MAX ? S("(none)") : str_of(model[i], lens[i]));
		}
	}
}
