/* Host tests of parse_core.h. */
#include "tests/host/test.h"
#include "user/shell/parse_core.h"

static char shown_bytes[4096];
static struct abuf shown;

static struct str lookup(unused void *arg, struct str name)
{
	if (str_eq(name, S("A")))
		return S("value of a");
	if (str_eq(name, S("?")))
		return S("7");
	return STR_EMPTY;
}

static void show_word(struct str word)
{
	abuf_char_add(&shown, '[');
	if (!parse_expand(word, lookup, NULL, &shown))
		abuf_char_add(&shown, '~'); /* nothing */
	abuf_char_add(&shown, ']');
}

static void show_target(const char *what, struct str word)
{
	if (!word.ptr)
		return;
	abuf_str_add(&shown, str_of_cstr(what, 4));
	show_word(word);
}

static void show_stage(const struct parse_pipeline *p, const struct parse_stage *g)
{
	for (size_t i = 0; i < g->assigns; i++) {
		abuf_char_add(&shown, '=');
		show_word(p->words[g->first + i]);
	}
	for (size_t i = 0; i < g->words; i++)
		show_word(p->words[g->first + g->assigns + i]);
	show_target("<", g->in);
	show_target(g->append ? ">>" : ">", g->out);
	show_target(g->error_append ? "2>>" : "2>", g->error);
	if (g->error_to_out)
		abuf_str_add(&shown, S("2>&1"));
}

/* The line as it was understood, or what is wrong with it. */
static struct str parsed(struct str line)
{
	static struct parse_pipeline p;
	struct parse_failure f = {0};
	struct parse_cursor c = parse_begin(line);
	enum parse_result r;
	shown = abuf_of(shown_bytes, sizeof(shown_bytes));
	while ((r = parse_next(&c, &p, &f)) == PARSE_OK) {
		if (shown.len)
			abuf_str_add(&shown, p.join == PARSE_AND ? S(" && ") : p.join == PARSE_OR ? S(" || ") : S(" ; "));
		for (size_t i = 0; i < p.count; i++) {
			if (i)
				abuf_str_add(&shown, S(" | "));
			show_stage(&p, &p.stages[i]);
		}
		if (p.background)
			abuf_str_add(&shown, S(" &"));
	}
	if (r == PARSE_FAILED) {
		abuf_str_add(&shown, S("!"));
		abuf_str_add(&shown, f.why);
	}
	return abuf_str(&shown);
}

TEST(parse_words_and_quotes)
{
	CHECK_STR(parsed(S("")), S(""));
	CHECK_STR(parsed(S("  \t # nothing | here")), S(""));
	CHECK_STR(parsed(S("echo a  b\tc")), S("[echo][a][b][c]"));
	CHECK_STR(parsed(S("echo 'a  b' \"c  d\" e\\ f")), S("[echo][a  b][c  d][e f]"));
	CHECK_STR(parsed(S("e'c'h\"o\" x#y #z")), S("[echo][x#y]"));
	CHECK_STR(parsed(S("echo '' \"\" \\'")), S("[echo][][][']"));
	CHECK_STR(parsed(S("echo \"a\\\"b\\\\c\\d\\$A\" 'x\\y'")), S("[echo][a\"b\\c\\d$A][x\\y]"));
	CHECK_STR(parsed(S("echo \"a|b;c&d>e<f\" 'g&&h'")), S("[echo][a|b;c&d>e<f][g&&h]"));
}

TEST(parse_variables)
{
	CHECK_STR(parsed(S("echo $A ${A}x $?y")), S("[echo][value of a][value of ax][7y]"));
	CHECK_STR(parsed(S("echo \"$A\" '$A' \\$A")), S("[echo][value of a][$A][$A]"));
	CHECK_STR(parsed(S("echo $NONE \"$NONE\" x${NONE}")), S("[echo][~][][x]"));
	CHECK_STR(parsed(S("echo $ $1 a$ $-")), S("[echo][$][$1][a$][$-]"));
	CHECK_STR(parsed(S("X=1 Y='a b' echo Z=2")), S("=[X=1]=[Y=a b][echo][Z=2]"));
	CHECK_STR(parsed(S("X=$A")), S("=[X=value of a]"));
	CHECK_STR(parsed(S("1X=2 =3")), S("[1X=2][=3]"));
}

TEST(parse_redirections_and_pipelines)
{
	CHECK_STR(parsed(S("cat <in >out 2>err")), S("[cat]<[in]>[out]2>[err]"));
	CHECK_STR(parsed(S("cat >> out 2>> err a")), S("[cat][a]>>[out]2>>[err]"));
	CHECK_STR(parsed(S("> out")), S(">[out]"));
	CHECK_STR(parsed(S("x 2>&1|y")), S("[x]2>&1 | [y]"));
	CHECK_STR(parsed(S("x 2 >f y2>g")), S("!redirected twice"));
	CHECK_STR(parsed(S("x 2 y2>g")), S("[x][2][y2]>[g]"));
	CHECK_STR(parsed(S("a|b | c")), S("[a] | [b] | [c]"));
}

TEST(parse_lists)
{
	CHECK_STR(parsed(S("a; b;;")), S("[a] ; [b]!a command is missing"));
	CHECK_STR(parsed(S("a; b;")), S("[a] ; [b]"));
	CHECK_STR(parsed(S("a && b || c; d")), S("[a] && [b] || [c] ; [d]"));
	CHECK_STR(parsed(S("a & b &")), S("[a] & ; [b] &"));
	CHECK_STR(parsed(S("a\nb # c\n\nd")), S("[a] ; [b] ; [d]"));
	CHECK_STR(parsed(S("a\r\n")), S("[a]"));
}

TEST(parse_says_what_is_wrong)
{
	CHECK_STR(parsed(S("echo 'a")), S("!a quote is not closed"));
	CHECK_STR(parsed(S("echo \"a")), S("!a quote is not closed"));
	CHECK_STR(parsed(S("echo a\\")), S("!nothing behind the backslash"));
	CHECK_STR(parsed(S("echo a\\\\")), S("[echo][a\\]"));
	CHECK_STR(parsed(S("|a")), S("!a command is missing"));
	CHECK_STR(parsed(S("a |")), S("!a command is missing"));
	CHECK_STR(parsed(S("a || ")), S("!a command is missing"));
	CHECK_STR(parsed(S("a && # b")), S("!a command is missing"));
	CHECK_STR(parsed(S("a | X=1")), S("!a command is missing"));
	CHECK_STR(parsed(S("a | >f")), S("!a command is missing"));
	CHECK_STR(parsed(S("a >")), S("!a file name is missing"));
	CHECK_STR(parsed(S("a > > b")), S("!a file name is missing"));
	CHECK_STR(parsed(S("a <b <c")), S("!redirected twice"));
	CHECK_STR(parsed(S("a <<b")), S("!there are no here-documents"));
	CHECK_STR(parsed(S("echo $(a)")), S("!commands cannot be substituted"));
	CHECK_STR(parsed(S("echo \"`a`\"")), S("!commands cannot be substituted"));
	CHECK_STR(parsed(S("echo '`a`' \\`a")), S("[echo][`a`][`a]"));
	CHECK_STR(parsed(S("echo ${A")), S("!${NAME} wants a name"));
	CHECK_STR(parsed(S("echo ${A-b}")), S("!${NAME} wants a name"));
	CHECK_STR(parsed(S("a && b &")), S("[a]!& goes with a single pipeline, not behind && or ||"));
}

TEST(parse_is_bounded)
{
	static char line[4096];
	for (size_t n = 60; n < 70; n++) {
		for (size_t i = 0; i < n; i++)
			memcpy(line + 2 * i, "a ", 2);
		CHECK_EQ(str_starts(parsed(str_of(line, 2 * n)), S("!too many words")), n > PARSE_WORDS_MAX);
	}
	for (size_t n = 1; n < 20; n++) {
		for (size_t i = 0; i < n; i++)
			memcpy(line + 2 * i, "a|", 2);
		struct str said = parsed(str_of(line, 2 * n - 1));
		CHECK_EQ(str_starts(said, S("!too many commands")), n > PARSE_STAGES_MAX);
	}
}

/* Whatever a text is: quoted it comes back. */
TEST(parse_quoting_round_trip)
{
	struct test_rng r = test_rng(test_seed());
	for (int round = 0; round < 20000; round++) {
		char text[40], line[200], out_bytes[200];
		size_t n = test_below(&r, sizeof(text)), at = 0;
		static const char odd[] = " \t'\"\\$`|&;<>#ab=A{}?";
		for (size_t i = 0; i < n; i++)
			text[i] = odd[test_below(&r, sizeof(odd) - 1)];
		bool single = test_below(&r, 2);
		line[at++] = single ? '\'' : '"';
		for (size_t i = 0; i < n; i++) {
			if (single && text[i] == '\'') {
				memcpy(line + at, "'\\''", 4);
				at += 4;
				continue;
			}
			if (!single && str_find_char(S("\"\\$`"), text[i]) < 4)
				line[at++] = '\\';
			line[at++] = text[i];
		}
		line[at++] = single ? '\'' : '"';
		static struct parse_pipeline p;
		struct parse_failure f;
		struct parse_cursor c = parse_begin(str_of(line, at));
		struct abuf out = abuf_of(out_bytes, sizeof(out_bytes));
		CHECK_EQ(parse_next(&c, &p, &f), PARSE_OK);
		CHECK_EQ(p.stages[0].words + p.stages[0].assigns, 1);
		CHECK(parse_expand(p.words[0], lookup, NULL, &out));
		CHECK_STR(abuf_str(&out), str_of(text, n));
		CHECK_EQ(parse_next(&c, &p, &f), PARSE_END);
	}
}
