/* cmd_text.c - grep, head, wc. */
#include "kernel/fs/fs.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/pattern_core.h"
#include "user/shell/shell.h"

/* ---- grep ---- */

struct grep {
	struct shell_call *c;
	struct pattern pattern;
	bool invert, numbers, count, names, quiet;
	uint64_t found;
};

static enum err grep_show(const struct grep *g, const struct cmd_input *in, uint64_t number, struct str line)
{
	enum err err = OK;
	if (g->names)
		err = shell_printf(g->c, "%.*s:", STR_ARG(in->name));
	if (err == OK && g->numbers)
		err = shell_printf(g->c, "%llu:", (unsigned long long)number);
	if (err == OK)
		err = shell_write(g->c, rbuf_of_str(line));
	return err == OK ? shell_write(g->c, rbuf_of_str(S("\n"))) : err;
}

static int grep_each(struct cmd_input *in, void *arg)
{
	struct grep *g = arg;
	struct str line;
	uint64_t number = 0, found = 0;
	enum err err = OK;
	while (err == OK && !(g->quiet && found) && cmd_line(in, &line)) {
		number++;
		if (pattern_match(&g->pattern, line) == g->invert)
			continue;
		found++;
		if (!g->count && !g->quiet)
			err = grep_show(g, in, number, line);
	}
	g->found += found;
	if (err == OK && in->err == OK && g->count)
		err = g->names ? shell_printf(g->c, "%.*s:%llu\n", STR_ARG(in->name), (unsigned long long)found) :
				 shell_printf(g->c, "%llu\n", (unsigned long long)found);
	return cmd_status(err);
}

static int grep_run(struct shell_call *c)
{
	struct args a;
	struct grep g = {.c = c};
	if (!cmd_args(c, &a, "ivncqF", 1, SIZE_MAX))
		return 2;
	g.invert = args_has(&a, 'v');
	g.numbers = args_has(&a, 'n');
	g.count = args_has(&a, 'c');
	g.quiet = args_has(&a, 'q');
	g.names = a.operands > 2;
	unsigned flags = (args_has(&a, 'i') ? PATTERN_NOCASE : 0) | (args_has(&a, 'F') ? PATTERN_FIXED : 0);
	enum err err = pattern_parse(&g.pattern, args_operand(&a, 0), flags);
	if (err == ERR_RANGE)
		return shell_usage(c, "the pattern is longer than %d characters", PATTERN_ATOMS);
	if (err != OK)
		return shell_usage(c, "the pattern ends within [ or behind \\");
	int status = cmd_each_input(c, &a, 1, grep_each, &g);
	return status == 1 ? 2 : status ? status : g.found ? 0 : 1;
}
SHELL_COMMAND(grep, .name = STR_INIT("grep"), .summary = STR_INIT("show the lines that match a pattern"),
	.usage = STR_INIT("grep [-ivncqF] PATTERN [FILE]...\n"
			  "  -i  upper and lower case are the same      -v  the lines that do not match\n"
			  "  -n  with their numbers                     -c  only how many\n"
			  "  -q  only the exit status                   -F  PATTERN is plain text\n"
			  "PATTERN: . any character, [a-z] [^a-z] one of (not) these, * + ? behind one: any number, at least one,\n"
			  "at most one; ^ the beginning, $ the end of the line. Exit status: 0 found, 1 not found, 2 an error.\n"),
	.run = grep_run, .completes = SHELL_PATHS);

/* ---- head ---- */

struct head {
	struct shell_call *c;
	uint64_t lines, bytes; /* UINT64_MAX: not that way */
	bool names, later;
};

static enum err head_bytes(const struct head *h, struct cmd_input *in)
{
	struct rbuf piece;
	enum err err = OK;
	for (uint64_t left = h->bytes; err == OK && left && cmd_bytes(in, &piece); left -= piece.len) {
		piece = rbuf_slice(piece, 0, (size_t)min((uint64_t)piece.len, left));
		err = shell_write(h->c, piece);
	}
	return err;
}

static enum err head_lines(const struct head *h, struct cmd_input *in)
{
	struct str line;
	enum err err = OK;
	for (uint64_t left = h->lines; err == OK && left && cmd_line(in, &line); left -= !in->cut) {
		err = shell_write(h->c, rbuf_of_str(line));
		if (err == OK && !in->cut)
			err = shell_write(h->c, rbuf_of_str(S("\n")));
	}
	return err;
}

static int head_each(struct cmd_input *in, void *arg)
{
	struct head *h = arg;
	enum err err = OK;
	if (h->names)
		err = shell_printf(h->c, "%s==> %.*s <==\n", h->later ? "\n" : "", STR_ARG(in->name));
	h->later = true;
	if (err == OK)
		err = h->bytes == UINT64_MAX ? head_lines(h, in) : head_bytes(h, in);
	return cmd_status(err);
}

static int head_run(struct shell_call *c)
{
	struct args a;
	struct head h = {.c = c, .lines = 10, .bytes = UINT64_MAX};
	if (!cmd_args(c, &a, "n:c:#", 0, SIZE_MAX) || !cmd_number(c, &a, 'n', 0, INT64_MAX, &h.lines) ||
		!cmd_number(c, &a, 'c', 0, INT64_MAX, &h.bytes))
		return 2;
	h.names = a.operands > 1;
	return cmd_each_input(c, &a, 0, head_each, &h);
}
SHELL_COMMAND(head, .name = STR_INIT("head"), .summary = STR_INIT("show the beginning of files"),
	.usage = STR_INIT("head [-n LINES] [-c BYTES] [FILE]...\n"
			  "  -n LINES  so many lines (10); -LINES means the same      -c BYTES  so many bytes\n"),
	.run = head_run, .completes = SHELL_PATHS);

/* ---- wc ---- */

struct wc_counts {
	uint64_t lines, words, bytes;
};

struct wc {
	struct shell_call *c;
	bool lines, words, bytes;
	struct wc_counts total;
};

static enum err wc_show(const struct wc *w, const struct wc_counts *n, struct str name)
{
	const struct {
		bool wanted;
		uint64_t value;
	} columns[] = {{w->lines, n->lines}, {w->words, n->words}, {w->bytes, n->bytes}};
	char bytes[PATH_BYTES_MAX + 80];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	for (size_t i = 0; i < countof(columns); i++)
		if (columns[i].wanted)
			fmt(&out, out.len ? " %7llu" : "%7llu", (unsigned long long)columns[i].value);
	if (name.len)
		fmt(&out, " %.*s", STR_ARG(name));
	return shell_printf(w->c, "%.*s\n", STR_ARG(abuf_str(&out)));
}

static bool wc_is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int wc_each(struct cmd_input *in, void *arg)
{
	struct wc *w = arg;
	struct wc_counts n = {0};
	struct rbuf piece;
	bool word = false;
	while (cmd_bytes(in, &piece)) {
		n.bytes += piece.len;
		for (size_t i = 0; i < piece.len; i++) {
			bool space = wc_is_space(piece.ptr[i]);
			n.lines += piece.ptr[i] == '\n';
			n.words += !space && !word;
			word = !space;
		}
	}
	w->total.lines += n.lines;
	w->total.words += n.words;
	w->total.bytes += n.bytes;
	return in->err == OK ? cmd_status(wc_show(w, &n, in->file ? in->name : S(""))) : 0;
}

static int wc_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "lwc", 0, SIZE_MAX))
		return 2;
	bool all = !args_has(&a, 'l') && !args_has(&a, 'w') && !args_has(&a, 'c');
	struct wc w = {.c = c, .lines = all || args_has(&a, 'l'), .words = all || args_has(&a, 'w'),
		.bytes = all || args_has(&a, 'c')};
	int status = cmd_each_input(c, &a, 0, wc_each, &w);
	if (a.operands > 1 && status != SHELL_CANCELLED)
		status = cmd_worse(status, cmd_status(wc_show(&w, &w.total, S("total"))));
	return status;
}
SHELL_COMMAND(wc, .name = STR_INIT("wc"), .summary = STR_INIT("count lines, words and bytes"),
	.usage = STR_INIT("wc [-lwc] [FILE]...\n"
			  "  -l  lines      -w  words      -c  bytes; without any of them all three\n"),
	.run = wc_run, .completes = SHELL_PATHS);
