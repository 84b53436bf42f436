/*
 * cmd_files.c - cp, mv, rm, mkdir.
 *
 * A tree is walked by one thread with one path that grows and shrinks; it may be CMD_DEPTH_MAX deep, for the
 * stack's sake. Nothing is undone when a command stops half way: what it has done so far stays, as people know it.
 */
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "user/shell/cmd.h"
#include "user/shell/lines_core.h"
#include "user/shell/shell.h"

#define CMD_DEPTH_MAX 16
#define CMD_NAME_MAX  255

struct cmd_path {
	struct abuf text; /* absolute */
	char bytes[PATH_BYTES_MAX];
};

static enum err path_begin(struct shell_call *c, struct cmd_path *p, struct str operand)
{
	p->text = abuf_of(p->bytes, sizeof(p->bytes));
	return shell_path(c, operand, &p->text);
}

/* One name more; path_back() with the length before takes it away again. */
static enum err path_add(struct cmd_path *p, struct str name)
{
	if (p->text.len && p->bytes[p->text.len - 1] != '/')
		abuf_char_add(&p->text, '/');
	abuf_str_add(&p->text, name);
	return abuf_ok(&p->text) ? OK : ERR_NAMETOOLONG;
}

static void path_back(struct cmd_path *p, size_t len)
{
	p->text.len = len;
	p->text.overflow = false;
}

static struct str path_str(const struct cmd_path *p)
{
	return abuf_str(&p->text);
}

static struct str path_name(struct str path)
{
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	size_t at = path.len;
	while (at > 0 && path.ptr[at - 1] != '/')
		at--;
	return str_slice(path, at, path.len);
}

static enum err path_stat(const struct cmd_path *p, bool *is_dir)
{
	struct file_stat s = {0};
	enum err err = vfs_stat(path_str(p), &s);
	*is_dir = s.type == FILE_DIR;
	return err;
}

/* The i-th name of the directory p, by opening it: entries come and go between two calls. */
static enum err path_entry(const struct cmd_path *p, size_t i, struct abuf *name, struct file_stat *stat)
{
	struct file_result f = vfs_open(path_str(p), OPEN_READ);
	enum err err = f.err;
	if (err != OK)
		return err;
	for (size_t n = 0; n <= i && err == OK; n++) {
		abuf_reset(name);
		err = vfs_readdir(f.value, n, name, stat);
	}
	vfs_close(f.value);
	return err;
}

/* ---- cp ---- */

struct cmd_copy {
	struct shell_call *c;
	bool tree;
	uint8_t *page;
	struct cmd_path from, to;
};

/* With the reason that the file itself gives, if it does. */
static int copy_refused(const struct cmd_copy *k, struct file *to, enum err err)
{
	char bytes[240];
	if (err == ERR_INTR)
		return SHELL_CANCELLED;
	struct str reason = vfs_reason(to, err, wbuf_of((uint8_t *)bytes, sizeof(bytes)));
	return shell_fail(k->c, "%.*s: %.*s", STR_ARG(path_str(&k->to)), STR_ARG(reason));
}

/* By whole lines, as the shell writes into files: some take lines. */
static int copy_bytes(const struct cmd_copy *k, struct file *from, struct file *to)
{
	struct lines l = lines_of(k->page, PAGE_SIZE);
	uint64_t read = 0, written = 0;
	for (;;) {
		if (shell_is_cancelled(k->c))
			return SHELL_CANCELLED;
		struct size_result n = vfs_read(from, read, lines_room(&l));
		if (n.err != OK)
			return cmd_failed(k->c, path_str(&k->from), n.err);
		lines_add(&l, n.value);
		read += n.value;
		struct rbuf ready = lines_ready(&l, n.value == 0);
		enum err err = cmd_write(k->c, to, written, ready);
		if (err != OK)
			return copy_refused(k, to, err);
		if (n.value == 0)
			return 0;
		written += ready.len;
		lines_take(&l, ready.len);
	}
}

static int copy_file(const struct cmd_copy *k)
{
	struct file_result from = vfs_open(path_str(&k->from), OPEN_READ);
	if (from.err != OK)
		return cmd_failed(k->c, path_str(&k->from), from.err);
	struct file_result to = vfs_open(path_str(&k->to), OPEN_WRITE | OPEN_CREATE | OPEN_TRUNC | OPEN_ANSWER);
	int status = to.err == OK ? 0 : cmd_failed(k->c, path_str(&k->to), to.err);
	if (to.err == OK) {
		status = copy_bytes(k, from.value, to.value);
		vfs_close(to.value);
	}
	vfs_close(from.value);
	return status;
}

static int copy_tree(struct cmd_copy *k, unsigned depth);

/* Makes the directory and copies what is in it. */
static int copy_directory(struct cmd_copy *k, unsigned depth)
{
	size_t from_len = k->from.text.len, to_len = k->to.text.len;
	char bytes[CMD_NAME_MAX];
	struct file_stat s;
	int status = 0;
	enum err err = vfs_mkdir(path_str(&k->to));
	if (err != OK && err != ERR_EXIST)
		return cmd_failed(k->c, path_str(&k->to), err);
	for (size_t i = 0; status != SHELL_CANCELLED; i++) {
		struct abuf name = abuf_of(bytes, sizeof(bytes));
		err = path_entry(&k->from, i, &name, &s);
		if (err != OK)
			break;
		err = path_add(&k->from, abuf_str(&name));
		if (err == OK)
			err = path_add(&k->to, abuf_str(&name));
		status = cmd_worse(status, err == OK ? copy_tree(k, depth + 1) : cmd_failed(k->c, abuf_str(&name), err));
		path_back(&k->from, from_len);
		path_back(&k->to, to_len);
	}
	return err == OK || err == ERR_NOENT ? status : cmd_failed(k->c, path_str(&k->from), err);
}

static int copy_tree(struct cmd_copy *k, unsigned depth)
{
	bool is_dir;
	enum err err = path_stat(&k->from, &is_dir);
	if (err != OK)
		return cmd_failed(k->c, path_str(&k->from), err);
	if (!is_dir)
		return copy_file(k);
	if (!k->tree)
		return shell_fail(k->c, "%.*s: is a directory; cp -r copies it with all that is in it", STR_ARG(path_str(&k->from)));
	if (depth == CMD_DEPTH_MAX)
		return shell_fail(k->c, "%.*s: more than %d directories deep", STR_ARG(path_str(&k->from)), CMD_DEPTH_MAX);
	return copy_directory(k, depth);
}

/* Where `operand` goes when `target` is an existing directory or not; both paths are set. */
static enum err target_of(struct shell_call *c, struct str operand, struct str target, bool into, struct cmd_path *from,
	struct cmd_path *to)
{
	enum err err = path_begin(c, from, operand);
	if (err == OK)
		err = path_begin(c, to, target);
	return err == OK && into ? path_add(to, path_name(path_str(from))) : err;
}

/* True: it is a directory; several operands need one. */
static bool target_is_dir(struct shell_call *c, struct str target)
{
	struct cmd_path p;
	bool is_dir = false;
	return path_begin(c, &p, target) == OK && path_stat(&p, &is_dir) == OK && is_dir;
}

/* Is `to` the same as `from`, or within it? */
static bool path_within(struct str from, struct str to)
{
	return str_starts(to, from) && (to.len == from.len || to.ptr[from.len] == '/' || from.len == 1);
}

typedef int cmd_each_fn(struct cmd_copy *k, struct str operand);

/* each(operand) with k->from and k->to set, for all operands but the last, the target. */
static int each_to_target(struct cmd_copy *k, const struct args *a, cmd_each_fn *each)
{
	struct str target = args_operand(a, a->operands - 1);
	bool into = target_is_dir(k->c, target);
	int status = 0;
	if (a->operands > 2 && !into)
		return shell_fail(k->c, "%.*s: is not a directory, and there are several to go there", STR_ARG(target));
	for (size_t i = 0; i + 1 < a->operands && status != SHELL_CANCELLED; i++) {
		struct str operand = args_operand(a, i);
		enum err err = target_of(k->c, operand, target, into, &k->from, &k->to);
		if (err != OK)
			status = cmd_worse(status, cmd_failed(k->c, operand, err));
		else if (str_eq(path_str(&k->from), path_str(&k->to)))
			status = cmd_worse(status, shell_fail(k->c, "%.*s: both names are the same file", STR_ARG(operand)));
		else
			status = cmd_worse(status, each(k, operand));
	}
	return status;
}

static int cp_each(struct cmd_copy *k, struct str operand)
{
	if (k->tree && path_within(path_str(&k->from), path_str(&k->to)))
		return shell_fail(k->c, "%.*s: a directory cannot be copied into itself", STR_ARG(operand));
	return copy_tree(k, 0);
}

static int copy_run(struct shell_call *c, const char *options, cmd_each_fn *each)
{
	struct args a;
	struct cmd_copy k = {.c = c};
	if (!cmd_args(c, &a, options, 2, SIZE_MAX))
		return 2;
	k.tree = args_has(&a, 'r') || args_has(&a, 'R');
	k.page = page_alloc(0);
	if (!k.page)
		return shell_fail(c, "no memory");
	int status = each_to_target(&k, &a, each);
	page_free(k.page, 0);
	return status;
}

static int cp_run(struct shell_call *c)
{
	return copy_run(c, "rR", cp_each);
}
SHELL_COMMAND(cp, .name = STR_INIT("cp"), .summary = STR_INIT("copy files"),
	.usage = STR_INIT("cp [-r] FROM TO\ncp [-r] FROM... DIRECTORY\n  -r  directories too, with all that is in them\n"),
	.run = cp_run, .completes = SHELL_PATHS);

/* ---- mv ---- */

/* Within one server it is renamed; a file to another one is copied and removed. */
static int mv_each(struct cmd_copy *k, struct str operand)
{
	bool is_dir;
	enum err err = vfs_rename(path_str(&k->from), path_str(&k->to));
	if (err == OK)
		return 0;
	if (err != ERR_XDEV) /* what is there is not what is missing */
		return cmd_failed(k->c, err == ERR_NOENT && path_stat(&k->from, &is_dir) == OK ? path_str(&k->to) : operand, err);
	err = path_stat(&k->from, &is_dir);
	if (err != OK)
		return cmd_failed(k->c, operand, err);
	if (is_dir)
		return shell_fail(k->c, "%.*s: goes to another file server; cp -r and then rm -r do that", STR_ARG(operand));
	int status = copy_file(k);
	if (status != 0)
		return status;
	err = vfs_remove(path_str(&k->from));
	return err == OK ? 0 : cmd_failed(k->c, operand, err);
}

static int mv_run(struct shell_call *c)
{
	return copy_run(c, "", mv_each);
}
SHELL_COMMAND(mv, .name = STR_INIT("mv"), .summary = STR_INIT("rename or move files"),
	.usage = STR_INIT("mv FROM TO\nmv FROM... DIRECTORY\nWhat TO names is replaced.\n"), .run = mv_run,
	.completes = SHELL_PATHS);

/* ---- rm ---- */

struct cmd_remove {
	struct shell_call *c;
	bool tree, force;
	struct cmd_path path;
};

static int remove_path(struct cmd_remove *r, unsigned depth);

/* All that is in the directory: its first entry, until there is none. Stops at what cannot be removed. */
static int remove_entries(struct cmd_remove *r, unsigned depth)
{
	size_t len = r->path.text.len;
	char bytes[CMD_NAME_MAX];
	struct file_stat s;
	for (;;) {
		struct abuf name = abuf_of(bytes, sizeof(bytes));
		enum err err = shell_is_cancelled(r->c) ? ERR_INTR : path_entry(&r->path, 0, &name, &s);
		if (err == ERR_NOENT)
			return 0;
		if (err == OK)
			err = path_add(&r->path, abuf_str(&name));
		int status = err == OK ? remove_path(r, depth + 1) : cmd_failed(r->c, path_str(&r->path), err);
		path_back(&r->path, len);
		if (status != 0)
			return status;
	}
}

static int remove_path(struct cmd_remove *r, unsigned depth)
{
	bool is_dir;
	enum err err = path_stat(&r->path, &is_dir);
	if (err == ERR_NOENT && r->force)
		return 0;
	if (err == OK && is_dir && !r->tree)
		return shell_fail(r->c, "%.*s: is a directory; rm -r removes it with all that is in it", STR_ARG(path_str(&r->path)));
	if (err == OK && is_dir && depth == CMD_DEPTH_MAX)
		return shell_fail(r->c, "%.*s: more than %d directories deep", STR_ARG(path_str(&r->path)), CMD_DEPTH_MAX);
	if (err == OK && is_dir) {
		int status = remove_entries(r, depth);
		if (status != 0)
			return status;
	}
	if (err == OK)
		err = vfs_remove(path_str(&r->path));
	return err == OK ? 0 : cmd_failed(r->c, path_str(&r->path), err);
}

static int rm_run(struct shell_call *c)
{
	struct args a;
	struct cmd_remove r = {.c = c};
	int status = 0;
	if (!cmd_args(c, &a, "rRf", 1, SIZE_MAX))
		return 2;
	r.tree = args_has(&a, 'r') || args_has(&a, 'R');
	r.force = args_has(&a, 'f');
	for (size_t i = 0; i < a.operands && status != SHELL_CANCELLED; i++) {
		enum err err = path_begin(c, &r.path, args_operand(&a, i));
		status = cmd_worse(status, err == OK ? remove_path(&r, 0) : cmd_failed(c, args_operand(&a, i), err));
	}
	return status;
}
SHELL_COMMAND(rm, .name = STR_INIT("rm"), .summary = STR_INIT("remove files"),
	.usage = STR_INIT("rm [-r] [-f] PATH...\n"
			  "  -r  directories too, with all that is in them      -f  what is not there is no error\n"),
	.run = rm_run, .completes = SHELL_PATHS);

/* ---- mkdir ---- */

/* With those above it that are missing: each beginning of the path that ends before a slash. */
static enum err make_parents(const struct cmd_path *p)
{
	struct str path = path_str(p);
	for (size_t at = 1; at < path.len; at++) {
		if (path.ptr[at] != '/')
			continue;
		enum err err = vfs_mkdir(str_slice(path, 0, at));
		struct file_stat s;
		if (err != OK && vfs_stat(str_slice(path, 0, at), &s) != OK)
			return err;
	}
	return OK;
}

static int mkdir_run(struct shell_call *c)
{
	struct args a;
	struct cmd_path p;
	int status = 0;
	if (!cmd_args(c, &a, "p", 1, SIZE_MAX))
		return 2;
	for (size_t i = 0; i < a.operands; i++) {
		bool parents = args_has(&a, 'p'), is_dir = false;
		enum err err = path_begin(c, &p, args_operand(&a, i));
		if (err == OK && parents)
			err = make_parents(&p);
		if (err == OK)
			err = vfs_mkdir(path_str(&p));
		if (err == ERR_EXIST && parents && path_stat(&p, &is_dir) == OK && is_dir)
			err = OK;
		if (err != OK)
			status = cmd_worse(status, cmd_failed(c, args_operand(&a, i), err));
	}
	return status;
}
SHELL_COMMAND(mkdir, .name = STR_INIT("mkdir"), .summary = STR_INIT("make directories"),
	.usage = STR_INIT("mkdir [-p] PATH...\n  -p  those above it too, where they are missing; one that exists is no error\n"),
	.run = mkdir_run, .completes = SHELL_PATHS);
