/*
 * line_core.h - a line editor: bytes of a terminal in; the line, bytes to show and events out.
 *
 *	line_begin(l, prompt, columns, &out);
 *	event = line_input(l, history, byte, &out);     for each byte; what is in `out` is shown
 *	line_text(l)                                    at LINE_ENTERED, until the next line_begin()
 *
 * Emacs' keys: Ctrl-A E B F (Home, End, arrows), Alt-B F and Ctrl with arrows by words; Ctrl-D H (Delete, Backspace);
 * Ctrl-K U W and Alt-D cut, Ctrl-Y inserts what was cut; Ctrl-T swaps; Ctrl-P N (arrows) go through the history,
 * Ctrl-R searches it; Ctrl-L clears the screen; Tab is an event. The markers of a bracketed paste are taken away, and a
 * Tab inside is a space. Other control characters and sequences do nothing.
 *
 * A line is UTF-8, as far as the terminal sends it: what is not is dropped with a bell. It stays in one row of the
 * screen, as wide as the terminal: of a longer line a part is shown that has the cursor in it.
 *
 * What is appended to `out` by one call is at most LINE_OUT_MAX bytes.
 */
#ifndef USER_SHELL_LINE_CORE_H
#define USER_SHELL_LINE_CORE_H

#include "lib/buf.h"
#include "lib/utf8.h"
#include "user/shell/history_core.h"

#define LINE_BYTES_MAX  1024
#define LINE_PROMPT_MAX 128
#define LINE_SEARCH_MAX 48
#define LINE_OUT_MAX    (LINE_BYTES_MAX + LINE_PROMPT_MAX + LINE_SEARCH_MAX + 96)

enum line_event {
	LINE_NONE,
	LINE_ENTERED,     /* the newline is shown */
	LINE_END,         /* Ctrl-D on an empty line */
	LINE_COMPLETE,    /* Tab */
	LINE_INTERRUPTED, /* Ctrl-C: the line is given up, "^C" and a newline are shown */
};

enum line_escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI, ESCAPE_SS3 };

struct line {
	size_t len, cursor; /* bytes; the cursor stands at the beginning of a character */
	size_t left;        /* the first byte that is shown */
	uint16_t columns, prompt_width;
	uint8_t tabs; /* how often in a row Tab was the last key: at LINE_COMPLETE 1, 2... */
	bool pasting;
	bool after_cr; /* a newline now belongs to it */
	struct utf8_decoder utf8;

	/* an escape sequence under way */
	uint8_t escape; /* enum line_escape */
	uint8_t escape_len;
	uint16_t numbers[2];
	uint8_t number;

	uint32_t back;   /* in the history; 0: the line that is being written */
	size_t kept_len; /* of that line, while another is shown */

	bool searching;
	uint32_t found; /* in the history; 0: nowhere */
	size_t search_len;

	size_t cut_len;
	size_t prompt_len;
	char prompt[LINE_PROMPT_MAX];
	char search[LINE_SEARCH_MAX];
	char text[LINE_BYTES_MAX];
	char kept[LINE_BYTES_MAX];
	char cut[LINE_BYTES_MAX];
};

void line_init(struct line *l);
/* An empty line behind the prompt, which is copied (cut at LINE_PROMPT_MAX) and shown. */
void line_begin(struct line *l, struct str prompt, uint16_t columns, struct abuf *out);
enum line_event line_input(struct line *l, const struct history *h, uint8_t byte, struct abuf *out);
/* The rest of what was begun, a character, a sequence of bytes or a text that is pasted, will not come. */
void line_forget(struct line *l);
static inline struct str line_text(const struct line *l)
{
	return str_of(l->text, l->len);
}
/* The bytes from..to of the line become `text`, behind which the cursor stands. Too long: a bell. */
void line_replace(struct line *l, size_t from, size_t to, struct str text, struct abuf *out);
/* From the next key on; what is shown stays until the row is drawn again. */
void line_resize(struct line *l, uint16_t columns);
/* Shows prompt and line once more: on a row of which nothing is known, or in a terminal of another width. */
void line_redraw(struct line *l, uint16_t columns, struct abuf *out);

/* Columns of the terminal that a character takes: 0, 1 or 2. */
unsigned line_char_width(uint32_t code);
unsigned line_width(struct str text);

#endif
