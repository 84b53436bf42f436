/*
 * cmd_ls.c - ls: what is in a directory, by name.
 *
 * Names are collected in a run of pages and sorted; a directory that does not fit is shown in parts, each sorted.
 */
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "lib/civil.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

#define LS_ORDER     2
#define LS_NAMES_MAX 512
#define LS_NAME_MAX  255

/* In a run of 2^LS_ORDER pages. */
struct ls_part {
	uint16_t count;
	uint16_t order[LS_NAMES_MAX]; /* indices */
	struct str name[LS_NAMES_MAX];
	bool dir[LS_NAMES_MAX];
	size_t used;
	char text[];
};
#define LS_TEXT_MAX ((PAGE_SIZE << LS_ORDER) - sizeof(struct ls_part))
static_assert(sizeof(struct ls_part) + LS_NAME_MAX < PAGE_SIZE << LS_ORDER, "there is room for names");

struct ls {
	struct shell_call *c;
	bool details, all, one; /* -l -a -1 */
	struct ls_part *part;
};

static enum err ls_details(const struct ls *ls, const struct file_stat *s)
{
	char bytes[40];
	struct abuf time = abuf_of(bytes, sizeof(bytes));
	static const char letters[] = "rwxrwxrwx";
	static const char types[] = {[FILE_REGULAR] = '-', [FILE_DIR] = 'd', [FILE_DEVICE] = 'c'};
	char mode[11] = {types[s->type]};
	for (unsigned i = 0; i < 9; i++)
		mode[1 + i] = s->mode & 0400u >> i ? letters[i] : '-';
	mode[10] = s->secret ? 'S' : ' ';
	if (s->mtime_ns)
		civil_render(&time, (int64_t)(s->mtime_ns / (uint64_t)NS_PER_S));
	else
		abuf_char_add(&time, '-');
	return shell_printf(ls->c, "%.*s %9llu %20.*s ", (int)sizeof(mode), mode, (unsigned long long)s->size_bytes,
		STR_ARG(abuf_str(&time)));
}

static enum err ls_one(const struct ls *ls, struct str dir, struct str name, bool is_dir)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	enum err err = OK;
	if (ls->details) {
		struct file_stat s = {0};
		abuf_str_add(&path, dir);
		if (dir.len && dir.ptr[dir.len - 1] != '/')
			abuf_char_add(&path, '/');
		abuf_str_add(&path, name);
		if (abuf_ok(&path) && vfs_stat(abuf_str(&path), &s) == OK)
			err = ls_details(ls, &s);
	}
	return err == OK ? shell_printf(ls->c, "%.*s%s\n", STR_ARG(name), is_dir && !ls->details ? "/" : "") : err;
}

static void ls_sort(struct ls_part *p)
{
	for (uint16_t i = 0; i < p->count; i++) {
		uint16_t at = i;
		for (; at > 0 && str_cmp(p->name[i], p->name[p->order[at - 1]]) < 0; at--)
			p->order[at] = p->order[at - 1];
		p->order[at] = i;
	}
}

static enum err ls_cell(const struct ls *ls, uint16_t i, size_t width)
{
	char bytes[LS_NAME_MAX + 4];
	struct abuf cell = abuf_of(bytes, sizeof(bytes));
	abuf_str_add(&cell, ls->part->name[i]);
	if (ls->part->dir[i])
		abuf_char_add(&cell, '/');
	while (cell.len < width && abuf_ok(&cell))
		abuf_char_add(&cell, ' ');
	if (width == 0)
		abuf_char_add(&cell, '\n');
	return shell_write(ls->c, abuf_bytes(&cell));
}

/* In columns, as many as fit into the window, each from top to bottom. */
static enum err ls_columns(const struct ls *ls)
{
	const struct ls_part *p = ls->part;
	uint16_t columns, rows;
	size_t width = 1;
	enum err err = OK;
	shell_window(ls->c, &columns, &rows);
	for (size_t i = 0; i < p->count; i++)
		width = max(width, p->name[i].len + p->dir[i] + 2);
	size_t across = max((size_t)columns / width, (size_t)1), down = div_up(p->count, across);
	for (size_t line = 0; line < down && err == OK; line++)
		for (size_t at = line; at < p->count && err == OK; at += down) {
			bool last = at + down >= p->count;
			err = ls_cell(ls, p->order[at], last ? 0 : width);
		}
	return err;
}

static enum err ls_flush(const struct ls *ls, struct str dir)
{
	struct ls_part *p = ls->part;
	enum err err = OK;
	ls_sort(p);
	if (!ls->details && !ls->one && shell_is_terminal(ls->c))
		err = ls_columns(ls);
	else
		for (size_t at = 0; at < p->count && err == OK; at++)
			err = ls_one(ls, dir, p->name[p->order[at]], p->dir[p->order[at]]);
	p->count = 0;
	p->used = 0;
	return err;
}

static enum err ls_directory(const struct ls *ls, struct str dir, struct file *f)
{
	struct ls_part *p = ls->part;
	struct file_stat s;
	enum err err = OK;
	p->count = 0;
	p->used = 0;
	for (size_t i = 0; err == OK; i++) {
		if (p->count == LS_NAMES_MAX || p->used + LS_NAME_MAX > LS_TEXT_MAX)
			err = ls_flush(ls, dir);
		struct abuf name = abuf_of(p->text + p->used, LS_NAME_MAX);
		if (err == OK)
			err = vfs_readdir(f, i, &name, &s);
		if (err != OK || (name.len && name.ptr[0] == '.' && !ls->all))
			continue;
		p->name[p->count] = abuf_str(&name);
		p->dir[p->count++] = s.type == FILE_DIR;
		p->used += name.len;
	}
	return err == ERR_NOENT ? ls_flush(ls, dir) : err;
}

static int ls_operand(const struct ls *ls, struct str operand, bool heading)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct file_stat s = {0};
	enum err err = shell_path(ls->c, operand, &path);
	if (err == OK)
		err = vfs_stat(abuf_str(&path), &s);
	if (err != OK)
		return cmd_failed(ls->c, operand, err);
	if (s.type != FILE_DIR) {
		err = ls->details ? ls_details(ls, &s) : OK;
		return cmd_status(err == OK ? shell_printf(ls->c, "%.*s\n", STR_ARG(operand)) : err);
	}
	if (heading && shell_printf(ls->c, "%.*s:\n", STR_ARG(operand)) != OK)
		return 1;
	struct file_result f = vfs_open(abuf_str(&path), OPEN_READ);
	if (f.err != OK)
		return cmd_failed(ls->c, operand, f.err);
	err = ls_directory(ls, abuf_str(&path), f.value);
	vfs_close(f.value);
	return err == OK || err == ERR_PIPE ? cmd_status(err) : cmd_failed(ls->c, operand, err);
}

static int ls_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "la1", 0, SIZE_MAX))
		return 2;
	struct ls ls = {.c = c, .details = args_has(&a, 'l'), .all = args_has(&a, 'a'), .one = args_has(&a, '1'),
		.part = page_alloc(LS_ORDER)};
	int status = ls.part ? 0 : shell_fail(c, "no memory");
	for (size_t i = 0; ls.part && i < max(a.operands, (size_t)1) && status != SHELL_CANCELLED; i++)
		status = cmd_worse(status, ls_operand(&ls, i < a.operands ? args_operand(&a, i) : S("."), a.operands > 1));
	if (ls.part)
		page_free(ls.part, LS_ORDER);
	return status;
}
SHELL_COMMAND(ls, .name = STR_INIT("ls"), .summary = STR_INIT("list a directory"),
	.usage = STR_INIT("ls [-l] [-a] [-1] [PATH]...\n"
			  "  -l  with type (d directory, c device), rights, size and time; S marks what the network never shows\n"
			  "  -a  names that begin with . too      -1  one name a line\n"),
	.run = ls_run, .completes = SHELL_PATHS);
