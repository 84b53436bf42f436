/*
 * line_core.c - the line editor: see line_core.h.
 *
 * What most keys do, a character at the end or one less there, is shown by just that; everything else by drawing the
 * row anew. The last column is left free, so that no terminal wraps.
 *
 * Invariants: cursor <= len <= LINE_BYTES_MAX; left <= cursor; text is valid UTF-8 without control characters.
 */
#include "user/shell/line_core.h"
#include "lib/assert.h"
#include "lib/fmt.h"

#define ROW_LEAST   8   /* columns of text, or the prompt is not shown */
#define COLUMNS_MAX 512 /* more are not used */
#define ESCAPE_MAX  16  /* bytes of a sequence; a longer one is none */
#define BELL        '\a'

enum key {
	KEY_NONE,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_UP,
	KEY_DOWN,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_DELETE,
	KEY_BACKSPACE,
	KEY_CUT_END,
	KEY_CUT_BEGIN,
	KEY_CUT_WORD_LEFT,
	KEY_CUT_WORD_RIGHT,
	KEY_YANK,
	KEY_SWAP,
	KEY_CLEAR,
	KEY_SEARCH,
	KEY_ABANDON,
	KEY_ENTER,
	KEY_TAB,
	KEY_EOF,
	KEY_INTERRUPT,
};

/* ---- characters ---- */

struct code_range {
	uint32_t from, to;
};
static const struct code_range line_combining[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a},
	{0x64b, 0x65f}, {0xe31, 0xe31}, {0xe34, 0xe3a}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
	{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};
static const struct code_range line_wide[] = {{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2e80, 0x303e}, {0x3041, 0x33ff},
	{0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
	{0x20000, 0x3fffd}};

static bool line_is_in(const struct code_range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	return false;
}

unsigned line_char_width(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (line_is_in(line_combining, countof(line_combining), code))
		return 0;
	return line_is_in(line_wide, countof(line_wide), code) ? 2 : 1;
}

unsigned line_width(struct str text)
{
	unsigned width = 0;
	uint32_t code;
	while (text.len) {
		text = str_slice(text, utf8_next(text, &code), text.len);
		width += line_char_width(code);
	}
	return width;
}

static bool line_begins_char(char byte)
{
	return ((uint8_t)byte & 0xc0) != 0x80;
}

/* The character before, behind the one at `at`; marks that combine go with what they stand on. */
static size_t line_before(const struct line *l, size_t at)
{
	uint32_t code;
	while (at > 0) {
		do
			at--;
		while (at > 0 && !line_begins_char(l->text[at]));
		utf8_next(str_of(l->text + at, l->len - at), &code);
		if (line_char_width(code) > 0)
			break;
	}
	return at;
}

static size_t line_behind(const struct line *l, size_t at)
{
	uint32_t code;
	if (at < l->len)
		at += utf8_next(str_of(l->text + at, l->len - at), &code);
	while (at < l->len) {
		size_t n = utf8_next(str_of(l->text + at, l->len - at), &code);
		if (line_char_width(code) > 0)
			break;
		at += n;
	}
	return at;
}

static size_t line_word_before(const struct line *l, size_t at)
{
	while (at > 0 && l->text[at - 1] == ' ')
		at--;
	while (at > 0 && l->text[at - 1] != ' ')
		at--;
	return at;
}

static size_t line_word_behind(const struct line *l, size_t at)
{
	while (at < l->len && l->text[at] == ' ')
		at++;
	while (at < l->len && l->text[at] != ' ')
		at++;
	return at;
}

/* ---- drawing ---- */

static void line_bell(struct abuf *out)
{
	abuf_char_add(out, BELL);
}

/* What stands before the text while the history is searched. */
static struct str line_search_lead(const struct line *l)
{
	return l->found || !l->search_len ? S("(search)`") : S("(no such)`");
}

static unsigned line_lead_width(const struct line *l)
{
	if (!l->searching)
		return l->prompt_width;
	return line_width(line_search_lead(l)) + line_width(str_of(l->search, l->search_len)) + 3;
}

static bool line_shows_lead(const struct line *l)
{
	return l->columns > line_lead_width(l) + ROW_LEAST;
}

/* Columns for text. */
static unsigned line_room(const struct line *l)
{
	unsigned columns = l->columns - (line_shows_lead(l) ? line_lead_width(l) : 0u);
	return columns > 1 ? columns - 1 : 0;
}

static unsigned line_width_between(const struct line *l, size_t from, size_t to)
{
	return line_width(str_of(l->text + from, to - from));
}

/* Chooses the part that is shown: the cursor is in it, and not at its edge where it can be helped. */
static void line_scroll(struct line *l)
{
	unsigned room = line_room(l), keep = room * 3 / 4;
	if (l->left > l->cursor)
		l->left = l->cursor;
	if (line_width_between(l, 0, l->len) <= room)
		l->left = 0;
	if (l->left <= l->cursor && line_width_between(l, l->left, l->cursor) <= room &&
		(l->left == 0 || l->left < l->cursor))
		return;
	l->left = l->cursor;
	while (l->left > 0) {
		size_t before = line_before(l, l->left);
		if (line_width_between(l, before, l->cursor) > keep)
			break;
		l->left = before;
	}
}

/* How far the row reaches from `left` on. */
static size_t line_right(const struct line *l)
{
	unsigned room = line_room(l), width = 0;
	size_t at = l->left;
	while (at < l->len) {
		size_t next = line_behind(l, at);
		width += line_width_between(l, at, next);
		if (width > room)
			break;
		at = next;
	}
	return at;
}

static void line_draw_lead(const struct line *l, struct abuf *out)
{
	if (!line_shows_lead(l))
		return;
	if (!l->searching) {
		abuf_bytes_add(out, l->prompt, l->prompt_len);
		return;
	}
	abuf_str_add(out, line_search_lead(l));
	abuf_bytes_add(out, l->search, l->search_len);
	abuf_str_add(out, S("': "));
}

static void line_draw(struct line *l, struct abuf *out)
{
	line_scroll(l);
	size_t right = line_right(l);
	abuf_char_add(out, '\r');
	line_draw_lead(l, out);
	abuf_bytes_add(out, l->text + l->left, right - l->left);
	abuf_str_add(out, S("\x1b[K"));
	unsigned back = line_width_between(l, l->cursor, right);
	if (!l->searching && back > 0)
		fmt(out, "\x1b[%uD", back); /* the row was drawn from its left once, so that it can be drawn again as it is */
}

void line_resize(struct line *l, uint16_t columns)
{
	l->columns = min(columns, (uint16_t)COLUMNS_MAX);
}

void line_redraw(struct line *l, uint16_t columns, struct abuf *out)
{
	line_resize(l, columns);
	line_draw(l, out);
}

/* ---- changes ---- */

static void line_insert(struct line *l, struct str text, struct abuf *out)
{
	if (text.len > sizeof(l->text) - l->len) {
		line_bell(out);
		return;
	}
	bool at_end = l->cursor == l->len;
	memmove(l->text + l->cursor + text.len, l->text + l->cursor, l->len - l->cursor);
	memcpy(l->text + l->cursor, text.ptr, text.len);
	l->cursor += text.len;
	l->len += text.len;
	if (at_end && line_width_between(l, l->left, l->len) <= line_room(l))
		abuf_str_add(out, text);
	else
		line_draw(l, out);
}

static void line_remove(struct line *l, size_t from, size_t to, struct abuf *out)
{
	unsigned width = line_width_between(l, from, to);
	bool at_end = to == l->len && l->cursor == to && (from > l->left || l->left == 0);
	memmove(l->text + from, l->text + to, l->len - to);
	l->len -= to - from;
	l->cursor = from;
	if (at_end && (width == 1 || width == 2)) {
		abuf_str_add(out, width == 1 ? S("\b") : S("\b\b"));
		abuf_str_add(out, S("\x1b[K"));
	} else {
		line_draw(l, out);
	}
}

static void line_cut(struct line *l, size_t from, size_t to, struct abuf *out)
{
	if (from == to) {
		line_bell(out);
		return;
	}
	l->cut_len = to - from;
	memcpy(l->cut, l->text + from, l->cut_len);
	line_remove(l, from, to, out);
}

static void line_delete(struct line *l, size_t from, size_t to, struct abuf *out)
{
	if (from == to)
		line_bell(out);
	else
		line_remove(l, from, to, out);
}

static void line_move(struct line *l, size_t to, struct abuf *out)
{
	if (to == l->cursor)
		return;
	l->cursor = to;
	line_draw(l, out);
}

static void line_set(struct line *l, struct str text)
{
	l->len = min(text.len, sizeof(l->text));
	memcpy(l->text, text.ptr, l->len);
	l->cursor = l->len;
	l->left = 0;
}

void line_replace(struct line *l, size_t from, size_t to, struct str text, struct abuf *out)
{
	assert(from <= to && to <= l->len);
	if (text.len > sizeof(l->text) - (l->len - (to - from))) {
		line_bell(out);
		return;
	}
	memmove(l->text + from, l->text + to, l->len - to);
	l->len -= to - from;
	memmove(l->text + from + text.len, l->text + from, l->len - from);
	memcpy(l->text + from, text.ptr, text.len);
	l->len += text.len;
	l->cursor = from + text.len;
	l->left = min(l->left, from);
	line_draw(l, out);
}

/* The character before the cursor changes places with the one at it, at the end of the line with the one before. */
static void line_swap(struct line *l, struct abuf *out)
{
	char first[64];
	size_t right = l->cursor == l->len ? line_before(l, l->cursor) : l->cursor;
	size_t left = line_before(l, right), end = line_behind(l, right), n = right - left;
	if (left == right || n > sizeof(first)) {
		line_bell(out);
		return;
	}
	memcpy(first, l->text + left, n);
	memmove(l->text + left, l->text + right, end - right);
	memcpy(l->text + end - n, first, n);
	l->cursor = end;
	l->left = min(l->left, left); /* it may have stood between the two */
	line_draw(l, out);
}

/* ---- history ---- */

static void line_recall(struct line *l, const struct history *h, uint32_t back, struct abuf *out)
{
	struct str text = str_of(l->kept, l->kept_len);
	if (back > 0 && !history_at(h, back, &text)) {
		line_bell(out);
		return;
	}
	if (l->back == 0) {
		memcpy(l->kept, l->text, l->len);
		l->kept_len = l->len;
		if (back == 0)
			return;
	}
	l->back = back;
	line_set(l, text);
	line_draw(l, out);
}

static void line_search(struct line *l, const struct history *h, uint32_t from)
{
	struct str line;
	l->found = history_search(h, from, str_of(l->search, l->search_len));
	if (l->found && history_at(h, l->found, &line))
		line_set(l, line);
}

static void line_search_begin(struct line *l, struct abuf *out)
{
	if (l->back == 0) {
		memcpy(l->kept, l->text, l->len);
		l->kept_len = l->len;
	}
	l->searching = true;
	l->left = 0;
	l->found = 0;
	l->search_len = 0;
	line_draw(l, out);
}

static void line_search_end(struct line *l)
{
	l->searching = false;
	l->back = l->found ? l->found : l->back;
}

static void line_search_text(struct line *l, const struct history *h, struct str text, struct abuf *out)
{
	if (text.len > sizeof(l->search) - l->search_len) {
		line_bell(out);
		return;
	}
	memcpy(l->search + l->search_len, text.ptr, text.len);
	l->search_len += text.len;
	line_search(l, h, 1);
	line_draw(l, out);
}

static void line_search_shorter(struct line *l, const struct history *h, struct abuf *out)
{
	while (l->search_len > 0 && !line_begins_char(l->search[--l->search_len]))
		;
	line_search(l, h, 1);
	line_draw(l, out);
}

/* True: the key was the search's; otherwise the search is over and the key is the line's. */
static bool line_search_key(struct line *l, const struct history *h, enum key key, struct abuf *out)
{
	switch (key) {
	case KEY_SEARCH: {
		uint32_t found = l->found;
		line_search(l, h, found + 1);
		if (!l->found && found) {
			l->found = found;
			line_bell(out);
		}
		line_draw(l, out);
		return true;
	}
	case KEY_BACKSPACE:
		line_search_shorter(l, h, out);
		return true;
	case KEY_NONE:
		return true;
	case KEY_ABANDON:
		l->searching = false;
		l->back = 0;
		line_set(l, str_of(l->kept, l->kept_len));
		line_draw(l, out);
		return true;
	default:
		line_search_end(l);
		line_draw(l, out);
		return false;
	}
}

/* ---- keys ---- */

static enum key line_control_key(uint8_t byte)
{
	static const uint8_t keys[32] = {
		[1] = KEY_HOME, [2] = KEY_LEFT, [3] = KEY_INTERRUPT, [4] = KEY_EOF, [5] = KEY_END, [6] = KEY_RIGHT,
		[7] = KEY_ABANDON, [8] = KEY_BACKSPACE, [9] = KEY_TAB, [10] = KEY_ENTER, [11] = KEY_CUT_END,
		[12] = KEY_CLEAR, [13] = KEY_ENTER, [14] = KEY_DOWN, [16] = KEY_UP, [18] = KEY_SEARCH, [20] = KEY_SWAP,
		[21] = KEY_CUT_BEGIN, [23] = KEY_CUT_WORD_LEFT, [25] = KEY_YANK,
	};
	return byte == 0x7f ? KEY_BACKSPACE : (enum key)keys[byte];
}

/* "\x1b[1;5C": Ctrl and an arrow, numbers 1 and 5. */
static enum key line_csi_key(struct line *l, uint8_t last)
{
	bool words = l->numbers[1] == 5 || l->numbers[1] == 3;
	switch (last) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return words ? KEY_WORD_RIGHT : KEY_RIGHT;
	case 'D':
		return words ? KEY_WORD_LEFT : KEY_LEFT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	case '~':
		break;
	default:
		return KEY_NONE;
	}
	switch (l->numbers[0]) {
	case 1:
	case 7:
		return KEY_HOME;
	case 4:
	case 8:
		return KEY_END;
	case 3:
		return KEY_DELETE;
	case 200:
	case 201:
		l->pasting = l->numbers[0] == 200;
		return KEY_NONE;
	default:
		return KEY_NONE;
	}
}

static enum key line_alt_key(uint8_t byte)
{
	switch (byte) {
	case 'b':
		return KEY_WORD_LEFT;
	case 'f':
		return KEY_WORD_RIGHT;
	case 'd':
		return KEY_CUT_WORD_RIGHT;
	case 0x7f:
	case 8:
		return KEY_CUT_WORD_LEFT;
	default:
		return KEY_NONE;
	}
}

/* A byte of an escape sequence; the key, once it is complete. */
static enum key line_escape(struct line *l, uint8_t byte)
{
	if (l->escape == ESCAPE_BEGUN) {
		l->escape = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : byte == 0x1b ? ESCAPE_BEGUN : ESCAPE_NONE;
		l->numbers[0] = l->numbers[1] = 0;
		l->number = 0;
		l->escape_len = 0;
		return l->escape == ESCAPE_NONE ? line_alt_key(byte) : KEY_NONE;
	}
	if (byte >= '0' && byte <= '9' && l->number < 2) {
		l->numbers[l->number] = (uint16_t)min(l->numbers[l->number] * 10 + (byte - '0'), 9999);
	} else if (byte == ';') {
		l->number = (uint8_t)min(l->number + 1, 2);
	} else if (byte >= 0x40 && byte <= 0x7e) {
		l->escape = ESCAPE_NONE;
		return line_csi_key(l, byte);
	}
	if (++l->escape_len == ESCAPE_MAX || byte < 0x20 || byte > 0x7e)
		l->escape = ESCAPE_NONE; /* none that we know: what was taken of it is gone */
	return KEY_NONE;
}

static enum line_event line_enter(struct abuf *out)
{
	abuf_char_add(out, '\n');
	return LINE_ENTERED;
}

static void line_up_down(struct line *l, const struct history *h, enum key key, struct abuf *out)
{
	if (key == KEY_UP)
		line_recall(l, h, l->back + 1, out);
	else if (l->back > 0)
		line_recall(l, h, l->back - 1, out);
	else
		line_bell(out);
}

static void line_edit(struct line *l, const struct history *h, enum key key, struct abuf *out)
{
	switch (key) {
	case KEY_LEFT:
		line_move(l, line_before(l, l->cursor), out);
		break;
	case KEY_RIGHT:
		line_move(l, line_behind(l, l->cursor), out);
		break;
	case KEY_HOME:
		line_move(l, 0, out);
		break;
	case KEY_END:
		line_move(l, l->len, out);
		break;
	case KEY_WORD_LEFT:
		line_move(l, line_word_before(l, l->cursor), out);
		break;
	case KEY_WORD_RIGHT:
		line_move(l, line_word_behind(l, l->cursor), out);
		break;
	case KEY_UP:
	case KEY_DOWN:
		line_up_down(l, h, key, out);
		break;
	case KEY_EOF:
	case KEY_DELETE:
		line_delete(l, l->cursor, line_behind(l, l->cursor), out);
		break;
	case KEY_BACKSPACE:
		line_delete(l, line_before(l, l->cursor), l->cursor, out);
		break;
	case KEY_CUT_END:
		line_cut(l, l->cursor, l->len, out);
		break;
	case KEY_CUT_BEGIN:
		line_cut(l, 0, l->cursor, out);
		break;
	case KEY_CUT_WORD_LEFT:
		line_cut(l, line_word_before(l, l->cursor), l->cursor, out);
		break;
	case KEY_CUT_WORD_RIGHT:
		line_cut(l, l->cursor, line_word_behind(l, l->cursor), out);
		break;
	case KEY_YANK:
		line_insert(l, str_of(l->cut, l->cut_len), out);
		break;
	case KEY_SWAP:
		line_swap(l, out);
		break;
	case KEY_CLEAR:
		abuf_str_add(out, S("\x1b[H\x1b[2J"));
		line_draw(l, out);
		break;
	case KEY_SEARCH:
		line_search_begin(l, out);
		break;
	default:
		break;
	}
}

static enum line_event line_key(struct line *l, const struct history *h, enum key key, struct abuf *out)
{
	if (key == KEY_TAB && l->pasting) {
		line_insert(l, S(" "), out);
		return LINE_NONE;
	}
	if (l->searching && line_search_key(l, h, key, out))
		return LINE_NONE;
	if (key != KEY_NONE && key != KEY_TAB)
		l->tabs = 0;
	switch (key) {
	case KEY_ENTER:
		return line_enter(out);
	case KEY_INTERRUPT:
		abuf_str_add(out, S("^C\n"));
		return LINE_INTERRUPTED;
	case KEY_EOF:
		if (l->len == 0)
			return LINE_END;
		break;
	case KEY_TAB:
		l->tabs = (uint8_t)min(l->tabs + 1, 2);
		return LINE_COMPLETE;
	default:
		break;
	}
	line_edit(l, h, key, out);
	return LINE_NONE;
}

/* A whole character, or the beginning of one that is none. */
static void line_char(struct line *l, const struct history *h, uint32_t code, struct abuf *out)
{
	char bytes[4];
	struct str text = str_of(bytes, utf8_encode(code, bytes));
	l->tabs = 0;
	if (code < 0xa0 && code >= 0x80) /* control characters too */
		return;
	if (l->searching)
		line_search_text(l, h, text, out);
	else
		line_insert(l, text, out);
}

enum line_event line_input(struct line *l, const struct history *h, uint8_t byte, struct abuf *out)
{
	bool second = l->after_cr && byte == '\n';
	l->after_cr = byte == '\r';
	if (second)
		return LINE_NONE;
	if (l->escape != ESCAPE_NONE)
		return line_key(l, h, line_escape(l, byte), out);
	enum utf8_step step = utf8_step(&l->utf8, byte);
	if (step == UTF8_BROKEN) {
		line_bell(out);
		step = utf8_step(&l->utf8, byte);
	}
	if (step == UTF8_BAD)
		line_bell(out);
	if (step != UTF8_CHAR)
		return LINE_NONE;
	if (byte == 0x1b) {
		l->escape = ESCAPE_BEGUN;
		return LINE_NONE;
	}
	if (byte < 0x20 || byte == 0x7f)
		return line_key(l, h, line_control_key(byte), out);
	line_char(l, h, l->utf8.code, out);
	return LINE_NONE;
}

void line_forget(struct line *l)
{
	l->utf8 = (struct utf8_decoder){0};
	l->escape = ESCAPE_NONE;
	l->pasting = false;
}

/* ---- a line from its beginning ---- */

void line_init(struct line *l)
{
	*l = (struct line){.columns = 80};
}

void line_begin(struct line *l, struct str prompt, uint16_t columns, struct abuf *out)
{
	l->len = l->cursor = l->left = 0;
	l->back = 0;
	l->searching = false;
	l->tabs = 0;
	l->prompt_len = min(prompt.len, sizeof(l->prompt));
	while (l->prompt_len < prompt.len && l->prompt_len > 0 && !line_begins_char(prompt.ptr[l->prompt_len]))
		l->prompt_len--;
	memcpy(l->prompt, prompt.ptr, l->prompt_len);
	l->prompt_width = (uint16_t)line_width(str_of(l->prompt, l->prompt_len));
	line_resize(l, columns);
	line_draw_lead(l, out);
}
