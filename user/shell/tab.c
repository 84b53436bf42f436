/*
 * tab.c - completion, by the session's thread: of commands, variables, files. The first Tab adds what all that fit have
 * in common; when that is nothing, the next one lists them.
 *
 * A directory is read as its file server gives it, TAB_ENTRIES_MAX entries at most.
 */
#include "lib/assert.h"
#include "user/shell/complete_core.h"
#include "user/shell/shell_priv.h"

#define TAB_ENTRIES_MAX 2000
#define TAB_SHOWN_MAX   200

/* Candidates are walked as often as needed: counted first, then shown. */
struct tab {
	struct shell_session *s;
	struct complete c;
	struct str prefix;    /* as it is in the line, unquoted */
	struct str dir, base; /* of a path: what stands before the name, and its beginning */
	struct complete_set set;
	bool only_is_dir; /* of the last that fits */
	bool show;
	unsigned column, shown;
};

static void tab_show(struct tab *t, struct str name)
{
	unsigned width = line_width(name) + 2;
	if (++t->shown > TAB_SHOWN_MAX)
		return;
	if (t->column > 0 && t->column + width > t->s->columns) {
		session_say(t->s, "\n");
		t->column = 0;
	}
	session_say(t->s, "%.*s  ", STR_ARG(name));
	t->column += width;
}

static void tab_offer(struct tab *t, struct str name, bool dir)
{
	if (!complete_offer(&t->set, name))
		return;
	t->only_is_dir = dir;
	if (t->show)
		tab_show(t, name);
}

static void tab_commands(struct tab *t)
{
	const struct shell_command *c;
	for (size_t i = 0; (c = shell_command_at(i)) != NULL; i++)
		tab_offer(t, c->name, false);
}

static void tab_words(struct tab *t, struct str words)
{
	while (words.len)
		tab_offer(t, str_word(&words), false);
}

static void tab_variables(struct tab *t)
{
	struct str name, value;
	for (size_t i = 0; vars_at(&t->s->vars, i, &name, &value); i++)
		tab_offer(t, name, false);
}

static void tab_entries(struct tab *t, struct file *f)
{
	for (size_t i = 0; i < TAB_ENTRIES_MAX && !session_is_over(t->s); i++) {
		char bytes[COMPLETE_NAME_MAX];
		struct abuf name = abuf_of(bytes, sizeof(bytes) - 1);
		struct file_stat stat;
		if (vfs_readdir(f, i, &name, &stat) != OK)
			return;
		bool dir = stat.type == FILE_DIR;
		if (dir)
			bytes[name.len++] = '/';
		tab_offer(t, abuf_str(&name), dir);
	}
}

static void tab_files(struct tab *t)
{
	struct shell_session *s = t->s;
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	if (!str_starts(t->dir, S("/"))) {
		abuf_str_add(&path, str_of(s->cwd, s->cwd_len));
		abuf_char_add(&path, '/');
	}
	abuf_str_add(&path, t->dir);
	if (!abuf_ok(&path))
		return;
	struct file_result f = vfs_open(abuf_str(&path), OPEN_READ);
	if (f.err != OK)
		return;
	if (f.value->type == FILE_DIR)
		tab_entries(t, f.value);
	vfs_close(f.value);
}

/* dir and base are the prefix's two parts where files are meant; otherwise base is all of it. */
static void tab_split(struct tab *t, bool files)
{
	size_t n = files ? t->prefix.len : 0;
	while (n > 0 && t->prefix.ptr[n - 1] != '/')
		n--;
	t->dir = str_slice(t->prefix, 0, n);
	t->base = str_slice(t->prefix, n, t->prefix.len);
}

static void tab_argument(struct tab *t)
{
	const struct shell_command *c = run_find(t->c.command);
	enum shell_completes what = c ? (enum shell_completes)c->completes : SHELL_PATHS;
	if (what == SHELL_WORDS && t->c.argument > 0)
		what = SHELL_PATHS;
	tab_split(t, what == SHELL_PATHS);
	complete_begin(&t->set, t->base);
	if (what == SHELL_COMMANDS)
		tab_commands(t);
	else if (what == SHELL_WORDS)
		tab_words(t, c->words);
	else if (what == SHELL_PATHS)
		tab_files(t);
}

static void tab_walk(struct tab *t)
{
	tab_split(t, t->c.kind == COMPLETE_FILE);
	complete_begin(&t->set, t->base);
	switch (t->c.kind) {
	case COMPLETE_COMMAND:
		tab_commands(t);
		break;
	case COMPLETE_VARIABLE:
		tab_variables(t);
		break;
	case COMPLETE_FILE:
		tab_files(t);
		break;
	case COMPLETE_ARGUMENT:
		tab_argument(t);
		break;
	case COMPLETE_NOTHING:
		break;
	}
}

static void tab_list(struct tab *t)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	session_say(t->s, "\n");
	t->show = true;
	tab_walk(t);
	if (t->shown > TAB_SHOWN_MAX)
		session_say(t->s, "and %u more", t->shown - TAB_SHOWN_MAX);
	session_say(t->s, "\n");
	line_redraw(&t->s->line, t->s->columns, &out);
	(void)terminal_write(t->s, NULL, abuf_bytes(&out)); /* nobody reads: the session finds out by itself */
}

/* The word as far as it is known becomes that of the line. */
static void tab_replace(struct tab *t)
{
	char text_bytes[LINE_BYTES_MAX], word_bytes[LINE_BYTES_MAX];
	uint8_t out_bytes[LINE_OUT_MAX];
	struct abuf text = abuf_of(text_bytes, sizeof(text_bytes)), word = abuf_of(word_bytes, sizeof(word_bytes));
	struct abuf out = abuf_of(out_bytes, sizeof(out_bytes));
	bool final = t->set.count == 1 && !t->only_is_dir;
	abuf_str_add(&text, t->dir);
	abuf_str_add(&text, str_of(t->set.common, t->set.common_len));
	complete_write(&t->c, abuf_str(&text), final, &word);
	if (abuf_ok(&text) && abuf_ok(&word))
		line_replace(&t->s->line, t->c.from, t->s->line.cursor, abuf_str(&word), &out);
	(void)terminal_write(t->s, NULL, abuf_bytes(&out)); /* as above */
}

void tab_complete(struct shell_session *s)
{
	char bytes[LINE_BYTES_MAX];
	struct abuf prefix = abuf_of(bytes, sizeof(bytes));
	struct tab t = {.s = s};
	complete_find(line_text(&s->line), s->line.cursor, &prefix, &t.c);
	t.prefix = abuf_str(&prefix);
	if (!abuf_ok(&prefix))
		return;
	tab_walk(&t);
	if (t.set.count == 0)
		session_say(s, "\a");
	else if (t.set.count == 1 || t.set.common_len > t.base.len)
		tab_replace(&t);
	else if (s->line.tabs > 1)
		tab_list(&t);
	else
		session_say(s, "\a");
}
