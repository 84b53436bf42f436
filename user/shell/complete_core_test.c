/* Host tests of complete_core.h. */
#include "tests/host/test.h"
#include "lib/fmt.h"
#include "user/shell/complete_core.h"
#include "user/shell/parse_core.h"

/* "KIND from prefix" and, for an argument, of what and which. */
static struct str found(struct str line)
{
	static char bytes[256];
	static const char *const kinds[] = {"nothing", "command", "argument", "file", "variable"};
	char prefix_bytes[128];
	struct abuf out = abuf_of(bytes, sizeof(bytes)), prefix = abuf_of(prefix_bytes, sizeof(prefix_bytes));
	struct complete c;
	complete_find(line, line.len, &prefix, &c);
	fmt(&out, "%s %zu [%.*s]", kinds[c.kind], c.from, (int)prefix.len, (const char *)prefix.ptr);
	if (c.kind == COMPLETE_ARGUMENT)
		fmt(&out, " %zu of %.*s", c.argument, STR_ARG(c.command));
	return abuf_str(&out);
}

TEST(complete_finds_what_stands_at_the_cursor)
{
	CHECK_STR(found(S("")), S("command 0 []"));
	CHECK_STR(found(S("ca")), S("command 0 [ca]"));
	CHECK_STR(found(S("cat ")), S("argument 4 [] 0 of cat"));
	CHECK_STR(found(S("cat a /b/c")), S("argument 6 [/b/c] 1 of cat"));
	CHECK_STR(found(S("cat a | wc")), S("command 8 [wc]"));
	CHECK_STR(found(S("cat a | wc x")), S("argument 11 [x] 0 of wc"));
	CHECK_STR(found(S("a&&b;c")), S("command 5 [c]"));
	CHECK_STR(found(S("cat > /de")), S("file 6 [/de]"));
	CHECK_STR(found(S("cat 2> /de")), S("file 7 [/de]"));
	CHECK_STR(found(S("cat a 2>b c")), S("argument 10 [c] 1 of cat"));
	CHECK_STR(found(S("A=1 ec")), S("command 4 [ec]"));
	CHECK_STR(found(S("echo $HO")), S("variable 5 [HO]"));
	CHECK_STR(found(S("echo $")), S("variable 5 []"));
	CHECK_STR(found(S("echo $A/b")), S("nothing 5 [$A/b]"));
	CHECK_STR(found(S("cat 'a b")), S("argument 4 [a b] 0 of cat"));
	CHECK_STR(found(S("cat \"a b")), S("argument 4 [a b] 0 of cat"));
	CHECK_STR(found(S("cat a\\ b")), S("argument 4 [a b] 0 of cat"));
	CHECK_STR(found(S("cat # a")), S("nothing 4 []"));
}

TEST(complete_takes_what_all_have_in_common)
{
	struct complete_set s;
	complete_begin(&s, S("he"));
	CHECK(complete_offer(&s, S("hello.txt")));
	CHECK(!complete_offer(&s, S("other")));
	CHECK(!complete_offer(&s, S("he\x1b[2J")));
	CHECK(!complete_offer(&s, S("he\xff")));
	CHECK_STR(str_of(s.common, s.common_len), S("hello.txt"));
	CHECK(complete_offer(&s, S("help")));
	CHECK_STR(str_of(s.common, s.common_len), S("hel"));
	CHECK(complete_offer(&s, S("he")));
	CHECK_STR(str_of(s.common, s.common_len), S("he"));
	CHECK_EQ(s.count, 3);
	complete_begin(&s, S("")); /* in the middle of a character they have nothing in common */
	CHECK(complete_offer(&s, S("x\xc3\xa4")) && complete_offer(&s, S("x\xc3\xb6")));
	CHECK_STR(str_of(s.common, s.common_len), S("x"));
}

/* What is written is, read by the parser, what was meant; for every quote. */
TEST(complete_writes_what_the_parser_reads)
{
	struct test_rng r = test_rng(test_seed());
	static const char quotes[] = {0, '"', '\''};
	for (int round = 0; round < 30000; round++) {
		char text[24], bytes[128], back_bytes[128];
		size_t n = 1 + test_below(&r, sizeof(text) - 1);
		static const char odd[] = " 'a\"\\$`|&;<>#b/.=*~!(){}";
		for (size_t i = 0; i < n; i++)
			text[i] = odd[test_below(&r, sizeof(odd) - 1)];
		struct complete c = {.kind = COMPLETE_FILE, .quote = quotes[test_below(&r, 3)]};
		struct abuf out = abuf_of(bytes, sizeof(bytes)), back = abuf_of(back_bytes, sizeof(back_bytes));
		complete_write(&c, str_of(text, n), true, &out);
		struct str word = abuf_str(&out);
		char open;
		CHECK(str_ends(word, S(" ")));
		CHECK_EQ(parse_word(word, &open), word.len - 1);
		CHECK_EQ(open, 0);
		CHECK(parse_expand(str_slice(word, 0, word.len - 1), NULL, NULL, &back));
		CHECK_STR(abuf_str(&back), str_of(text, n));
	}
}
