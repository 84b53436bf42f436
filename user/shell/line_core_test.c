/* Host tests of line_core.h: keys by example, and what a terminal shows against what it should, after random keys. */
#include "tests/host/test.h"
#include "user/shell/line_core.h"

/* ---- a terminal: the row in which the cursor stands, as code points; a wide one is followed by 0 ---- */

#define CELLS 600
struct screen {
	uint32_t cell[CELLS];
	size_t at, columns;
	unsigned rows, bells; /* newlines, bells so far */
	bool wrapped;         /* something was written beyond the last column */
};

static void screen_put(struct screen *t, uint32_t code)
{
	unsigned width = line_char_width(code);
	if (width == 0)
		return;
	if (t->at + width > t->columns) {
		t->wrapped = true;
		return;
	}
	t->cell[t->at++] = code;
	if (width == 2)
		t->cell[t->at++] = 0;
}

static size_t screen_escape(struct screen *t, struct str s)
{
	size_t n = 2;
	unsigned number = 0;
	CHECK(s.len >= 3 && s.ptr[1] == '[');
	for (; n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9'; n++)
		number = number * 10 + (unsigned)(s.ptr[n] - '0');
	switch (s.ptr[n]) {
	case 'K':
		memset(t->cell + t->at, 0, (CELLS - t->at) * sizeof(t->cell[0]));
		break;
	case 'D':
		CHECK(t->at >= number && number > 0);
		t->at -= number;
		break;
	case 'H':
		t->at = 0;
		break;
	case 'J':
		memset(t->cell, 0, sizeof(t->cell));
		break;
	default:
		test_fail(__FILE__, __LINE__, "the terminal does not know ESC [ %c", s.ptr[n]);
	}
	return n + 1;
}

static void screen_show(struct screen *t, struct str s)
{
	while (s.len) {
		uint32_t code;
		size_t n = utf8_next(s, &code);
		CHECK(code != UTF8_INVALID);
		if (code == 0x1b) {
			n = screen_escape(t, s);
		} else if (code == '\r') {
			t->at = 0;
		} else if (code == '\n') {
			t->at = 0;
			t->rows++;
			memset(t->cell, 0, sizeof(t->cell));
		} else if (code == '\b') {
			CHECK(t->at > 0);
			t->at--;
		} else if (code == '\a') {
			t->bells++;
		} else {
			CHECK(code >= 0x20);
			screen_put(t, code);
		}
		s = str_slice(s, n, s.len);
	}
}

/* ---- a session ---- */

static struct line l;
static struct history h;
static struct screen screen;
static enum line_event last;

static void begin(unsigned columns)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	screen = (struct screen){.columns = columns};
	line_init(&l);
	history_init(&h);
	line_begin(&l, S("$ "), (uint16_t)columns, &out);
	screen_show(&screen, abuf_str(&out));
}

static void type(struct str keys)
{
	for (size_t i = 0; i < keys.len; i++) {
		uint8_t bytes[LINE_OUT_MAX];
		struct abuf out = abuf_of(bytes, sizeof(bytes));
		last = line_input(&l, &h, (uint8_t)keys.ptr[i], &out);
		CHECK(abuf_ok(&out));
		screen_show(&screen, abuf_str(&out));
		if (last == LINE_ENTERED || last == LINE_INTERRUPTED || last == LINE_END)
			break;
	}
}

/* The line that comes of it. */
static struct str typed(struct str keys)
{
	begin(80);
	type(keys);
	return line_text(&l);
}

#define LEFT  "\x1b[D"
#define RIGHT "\x1b[C"
#define UP    "\x1b[A"
#define DOWN  "\x1b[B"

TEST(line_is_typed_and_entered)
{
	CHECK_STR(typed(S("echo hi\r")), S("echo hi"));
	CHECK_EQ(last, LINE_ENTERED);
	CHECK_STR(typed(S("echo hi\n")), S("echo hi"));
	CHECK_EQ(last, LINE_ENTERED);
	CHECK_STR(typed(S("h\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80\r")), S("h\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80"));
	typed(S("\x04"));
	CHECK_EQ(last, LINE_END);
	typed(S("abc\x03"));
	CHECK_EQ(last, LINE_INTERRUPTED);
	typed(S("ab\t"));
	CHECK_EQ(last, LINE_COMPLETE);
	CHECK_EQ(l.tabs, 1);
	type(S("\t"));
	CHECK_EQ(l.tabs, 2);
	type(S("x\t"));
	CHECK_EQ(l.tabs, 1);
}

TEST(line_newline_behind_a_return_is_the_same)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	typed(S("a\r"));
	line_begin(&l, S("$ "), 80, &out);
	CHECK_EQ(line_input(&l, &h, '\n', &out), LINE_NONE);
	CHECK_EQ(line_input(&l, &h, '\n', &out), LINE_ENTERED);
}

TEST(line_moves)
{
	CHECK_STR(typed(S("ac" LEFT "b")), S("abc"));
	CHECK_STR(typed(S("bc\x01" "a\x05" "d")), S("abcd"));
	CHECK_STR(typed(S("bc\x1b[Ha\x1b[Fd")), S("abcd"));
	CHECK_STR(typed(S("bc\x1b[1~a\x1b[4~d")), S("abcd"));
	CHECK_STR(typed(S("bc\x1bOHa\x1bOFd")), S("abcd"));
	CHECK_STR(typed(S("ac\x02" "b\x06" "d")), S("abcd"));
	CHECK_STR(typed(S("\xc3\xa4\xe4\xb8\xad" LEFT LEFT "x" RIGHT "y")), S("x\xc3\xa4y\xe4\xb8\xad"));
	CHECK_STR(typed(S("one two\x1b" "bX\x1b" "bY\x1b" "fZ")), S("one YXtwoZ"));
	CHECK_STR(typed(S("one two\x1b[1;5DX")), S("one Xtwo"));
	CHECK_STR(typed(S(LEFT RIGHT "a" LEFT LEFT LEFT "b")), S("ba"));
}

TEST(line_deletes_and_inserts_again)
{
	CHECK_STR(typed(S("abc\x7f\x08" "d")), S("ad"));
	CHECK_STR(typed(S("abc" LEFT LEFT "\x1b[3~")), S("ac"));
	CHECK_STR(typed(S("abc" LEFT LEFT "\x04")), S("ac"));
	CHECK_STR(typed(S("a\xe4\xb8\xad\x7f" "b")), S("ab"));
	CHECK_STR(typed(S("e\xcc\x81x\x7f\x7f")), S("")); /* a mark goes with its letter */
	CHECK_STR(typed(S("one two" LEFT LEFT LEFT "\x0b" "x")), S("one x"));
	CHECK_STR(typed(S("one two" LEFT LEFT LEFT "\x15")), S("two"));
	CHECK_STR(typed(S("one two \x17\x17" "x\x19")), S("xone "));
	CHECK_STR(typed(S("one two\x01\x1b" "d\x05\x19")), S(" twoone"));
	CHECK_STR(typed(S("ab\x14")), S("ba"));
	CHECK_STR(typed(S("abc" LEFT LEFT "\x14")), S("bac"));
	CHECK_STR(typed(S("a\x14")), S("a"));
}

TEST(line_goes_through_the_history)
{
	begin(80);
	history_add(&h, S("one"));
	history_add(&h, S("two"));
	type(S("three" UP));
	CHECK_STR(line_text(&l), S("two"));
	type(S("\x10"));
	CHECK_STR(line_text(&l), S("one"));
	type(S(UP));
	CHECK_STR(line_text(&l), S("one"));
	type(S(DOWN "\x0e"));
	CHECK_STR(line_text(&l), S("three"));
	type(S(DOWN UP "!\r"));
	CHECK_STR(line_text(&l), S("two!"));
}

TEST(line_searches_the_history)
{
	begin(80);
	history_add(&h, S("cat one"));
	history_add(&h, S("echo two"));
	history_add(&h, S("cat three"));
	type(S("x\x12" "cat"));
	CHECK_STR(line_text(&l), S("cat three"));
	type(S("\x12"));
	CHECK_STR(line_text(&l), S("cat one"));
	type(S("\x12"));
	CHECK_STR(line_text(&l), S("cat one"));
	type(S("\x7f\x7f\x7f" "two\x05!\r"));
	CHECK_STR(line_text(&l), S("echo two!"));
	begin(80);
	history_add(&h, S("cat one"));
	type(S("x\x12" "one\x07y"));
	CHECK_STR(line_text(&l), S("xy"));
	type(S("\x12" "one\r"));
	CHECK_STR(line_text(&l), S("cat one"));
	CHECK_EQ(last, LINE_ENTERED);
}

TEST(line_takes_a_paste_and_ignores_what_it_does_not_know)
{
	CHECK_STR(typed(S("\x1b[200~a\tb\x1b[201~c")), S("a bc"));
	CHECK_EQ(last, LINE_NONE);
	CHECK_STR(typed(S("a\x1b[99;99;99xb\x1b[5~c\x1bQd\x1bOPe\x1f")), S("abcde"));
	CHECK_STR(typed(S("a\x1b[1234567890123456789b")), S("a789b")); /* longer than any sequence: what follows is text */
	CHECK_STR(typed(S("a\xff\xc3" "b\xe4\xb8" "c\xc2\x9b")), S("abc"));
	CHECK(screen.bells == 3);
}

TEST(line_is_bounded)
{
	begin(80);
	for (int i = 0; i < LINE_BYTES_MAX + 10; i++)
		type(S("x"));
	CHECK_EQ(l.len, LINE_BYTES_MAX);
	CHECK(screen.bells == 10);
	type(S("\x01y\x0b\x19\x19"));
	CHECK_EQ(l.len, LINE_BYTES_MAX);
}

/* What the row shows is what it would show if it were drawn anew; the line is as wide as can be, and never wraps. */
static void check_screen(void)
{
	static struct screen fresh;
	static struct line copy;
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	copy = l;
	fresh = (struct screen){.columns = screen.columns};
	line_redraw(&copy, (uint16_t)screen.columns, &out);
	CHECK(abuf_ok(&out));
	screen_show(&fresh, abuf_str(&out));
	CHECK(!screen.wrapped && !fresh.wrapped);
	if (copy.left != l.left)
		return; /* it would have chosen another part */
	CHECK_EQ(screen.at, fresh.at);
	CHECK_MEM((const char *)screen.cell, (const char *)fresh.cell, sizeof(fresh.cell));
}

static struct str random_key(struct test_rng *r)
{
	static const struct str keys[] = {
		STR_INIT("a"), STR_INIT("b "), STR_INIT(" "), STR_INIT("\xc3\xa4"), STR_INIT("\xe4\xb8\xad"), STR_INIT("\xcc\x81"),
		STR_INIT("\xf0\x9f\x98\x80"), STR_INIT(LEFT), STR_INIT(RIGHT), STR_INIT(UP), STR_INIT(DOWN), STR_INIT("\x01"),
		STR_INIT("\x05"), STR_INIT("\x7f"), STR_INIT("\x1b[3~"), STR_INIT("\x04"), STR_INIT("\x0b"), STR_INIT("\x15"),
		STR_INIT("\x17"), STR_INIT("\x19"), STR_INIT("\x14"), STR_INIT("\x0c"), STR_INIT("\x12"), STR_INIT("\x07"),
		STR_INIT("\x1b" "b"), STR_INIT("\x1b" "f"), STR_INIT("\x1b[200~"), STR_INIT("\x1b[201~"), STR_INIT("\xff"),
		STR_INIT("long enough to scroll "),
	};
	size_t n = test_below(r, 2) ? test_below(r, 8) : test_below(r, countof(keys));
	return keys[n];
}

TEST(line_shows_what_it_is)
{
	struct test_rng r = test_rng(test_seed());
	static const unsigned widths[] = {1, 2, 9, 10, 12, 20, 80, 200};
	for (int round = 0; round < 1500; round++) {
		begin(widths[test_below(&r, countof(widths))]);
		history_add(&h, S("an old line that is rather long, so that it does not fit into the narrower ones"));
		history_add(&h, S("b \xe4\xb8\xad"));
		for (int i = 0; i < 60; i++) {
			struct str key = random_key(&r);
			if (l.len == 0 && key.ptr[0] == 4)
				continue;
			type(key);
			CHECK(utf8_is_valid(line_text(&l)));
			CHECK(l.cursor <= l.len && l.left <= l.cursor);
			if (!l.searching)
				check_screen();
		}
	}
}

TEST(line_is_replaced_by_a_completion)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	begin(80);
	type(S("cat he x" LEFT LEFT));
	line_replace(&l, 4, 6, S("hello.txt "), &out);
	CHECK_STR(line_text(&l), S("cat hello.txt  x"));
	CHECK_EQ(l.cursor, 14);
	screen_show(&screen, abuf_str(&out));
	check_screen();
}
