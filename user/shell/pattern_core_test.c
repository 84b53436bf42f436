/* pattern_core_test.c - against the cases that people write, and against trying everything. */
#include "tests/host/test.h"
#include "user/shell/pattern_core.h"

static bool match(struct str pattern, unsigned flags, struct str line)
{
	struct pattern p;
	CHECK_EQ(pattern_parse(&p, pattern, flags), OK);
	return pattern_match(&p, line);
}

TEST(pattern_what_people_write)
{
	static const struct {
		struct str pattern, line;
		bool found;
	} cases[] = {
		{STR_INIT("err"), STR_INIT("an error"), true}, {STR_INIT("err"), STR_INIT("an ERROR"), false},
		{STR_INIT(""), STR_INIT(""), true}, {STR_INIT(""), STR_INIT("x"), true},
		{STR_INIT("^net"), STR_INIT("net: up"), true}, {STR_INIT("^net"), STR_INIT("the net"), false},
		{STR_INIT("up$"), STR_INIT("net: up"), true}, {STR_INIT("up$"), STR_INIT("up now"), false},
		{STR_INIT("^$"), STR_INIT(""), true}, {STR_INIT("^$"), STR_INIT("x"), false},
		{STR_INIT("a.c"), STR_INIT("xabcx"), true}, {STR_INIT("a.c"), STR_INIT("ac"), false},
		{STR_INIT("ab*c"), STR_INIT("ac"), true}, {STR_INIT("ab*c"), STR_INIT("abbbc"), true},
		{STR_INIT("ab+c"), STR_INIT("ac"), false}, {STR_INIT("ab+c"), STR_INIT("abbc"), true},
		{STR_INIT("ab?c"), STR_INIT("abbc"), false}, {STR_INIT("ab?c"), STR_INIT("abc"), true},
		{STR_INIT("[0-9]+ us"), STR_INIT("took 150 us"), true}, {STR_INIT("[^0-9]"), STR_INIT("123"), false},
		{STR_INIT("[]]"), STR_INIT("]"), true}, {STR_INIT("[a-]"), STR_INIT("-"), true},
		{STR_INIT("1\\.5"), STR_INIT("1.5"), true}, {STR_INIT("1\\.5"), STR_INIT("1x5"), false},
		{STR_INIT("a$b"), STR_INIT("a$b"), true}, {STR_INIT("*a"), STR_INIT("*a"), true},
		{STR_INIT("^.*x$"), STR_INIT("abx"), true}, {STR_INIT("a*a*a*a*b"), STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaa"), false},
	};
	for (size_t i = 0; i < countof(cases); i++)
		if (match(cases[i].pattern, 0, cases[i].line) != cases[i].found)
			test_fail(__FILE__, __LINE__, "%.*s in %.*s", STR_ARG(cases[i].pattern), STR_ARG(cases[i].line));
}

TEST(pattern_without_case_and_fixed)
{
	CHECK(match(S("Err"), PATTERN_NOCASE, S("an eRROR")));
	CHECK(match(S("[A-F]x"), PATTERN_NOCASE, S("cX")));
	CHECK(!match(S("[^a]"), PATTERN_NOCASE, S("A")));
	CHECK(match(S("a.c*"), PATTERN_FIXED, S("xa.c*")) && !match(S("a.c"), PATTERN_FIXED, S("abc")));
	CHECK(match(S("A.C"), PATTERN_FIXED | PATTERN_NOCASE, S("xa.c")));
}

TEST(pattern_refusals)
{
	struct pattern p;
	char many[PATTERN_ATOMS + 1];
	memset(many, 'a', sizeof(many));
	CHECK_EQ(pattern_parse(&p, S("["), 0), ERR_INVAL);
	CHECK_EQ(pattern_parse(&p, S("[a"), 0), ERR_INVAL);
	CHECK_EQ(pattern_parse(&p, S("[]"), 0), ERR_INVAL);
	CHECK_EQ(pattern_parse(&p, S("[^]"), 0), ERR_INVAL);
	CHECK_EQ(pattern_parse(&p, S("a\\"), 0), ERR_INVAL);
	CHECK_EQ(pattern_parse(&p, str_of(many, sizeof(many)), 0), ERR_RANGE);
	CHECK_EQ(pattern_parse(&p, str_of(many, sizeof(many)), PATTERN_FIXED), ERR_RANGE);
	CHECK_EQ(pattern_parse(&p, str_of(many, PATTERN_ATOMS), 0), OK);
	CHECK(pattern_match(&p, str_of(many, PATTERN_ATOMS)) && !pattern_match(&p, str_of(many, PATTERN_ATOMS - 1)));
}

/* The same language by trying everything, for patterns of a . * ? + over a and b. */
static bool try_here(struct str p, struct str s)
{
	if (p.len == 0)
		return true;
	char c = p.ptr[0], more = p.len > 1 ? p.ptr[1] : 0;
	bool repeated = more == '*' || more == '+' || more == '?';
	struct str rest = str_slice(p, repeated ? 2 : 1, p.len);
	if ((more == '*' || more == '?') && try_here(rest, s))
		return true;
	if (s.len == 0 || (c != '.' && c != s.ptr[0]))
		return false;
	struct str tail = str_slice(s, 1, s.len);
	return try_here(rest, tail) || ((more == '*' || more == '+') && try_here(p, tail)) ||
		(more == '+' && try_here(rest, tail));
}

TEST(pattern_agrees_with_trying_everything)
{
	struct test_rng r = test_rng(test_seed());
	for (int n = 0; n < 20000; n++) {
		char pattern[8], line[8];
		size_t len = 0, size = test_below(&r, sizeof(line) + 1);
		while (len < sizeof(pattern) - 1 && test_below(&r, 5)) {
			pattern[len++] = "ab."[test_below(&r, 3)];
			if (test_below(&r, 2))
				pattern[len++] = "*+?"[test_below(&r, 3)];
		}
		for (size_t i = 0; i < size; i++)
			line[i] = "ab"[test_below(&r, 2)];
		struct str p = str_of(pattern, len), s = str_of(line, size);
		bool found = false;
		for (size_t at = 0; at <= size && !found; at++)
			found = try_here(p, str_slice(s, at, size));
		if (match(p, 0, s) != found)
			test_fail(__FILE__, __LINE__, "%.*s in %.*s", STR_ARG(p), STR_ARG(s));
	}
}
