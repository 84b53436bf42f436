/*
 * redirect.c - output that goes into a file: by whole lines, each write ending with one, so that a file that takes lines
 * gets lines however the command made them. What is no whole line yet waits, a page at most, and goes when the command
 * ends; of one that is cancelled it does not go.
 *
 * The first write that is refused is told, with the reason that the file gives (vfs_reason), and is the last: every
 * later one gets its error, and nothing stands behind a gap.
 *
 * Locks: none. An end belongs to the thread of its stage.
 */
#include "kernel/mm/mm.h"
#include "user/shell/lines_core.h"
#include "user/shell/shell_priv.h"

#define REASON_MAX 240

/* In a page. */
struct shell_redirect {
	struct str name; /* of the file, as it was written */
	enum err err;    /* of the write that was refused */
	struct lines lines;
	uint8_t bytes[];
};

enum err redirect_open(struct shell_end *e, struct str path, struct str name, unsigned flags)
{
	struct shell_redirect *r = page_alloc(0);
	if (!r)
		return ERR_NOMEM;
	struct file_result f = vfs_open(path, flags | OPEN_WRITE | OPEN_CREATE | OPEN_ANSWER);
	if (f.err != OK) {
		page_free(r, 0);
		return f.err;
	}
	*r = (struct shell_redirect){.name = name, .lines = lines_of(r->bytes, PAGE_SIZE - sizeof(*r))};
	*e = (struct shell_end){.kind = END_FILE, .file = f.value, .redirect = r};
	return OK;
}

void redirect_close(struct shell_end *e)
{
	page_free(e->redirect, 0);
	vfs_close(e->file);
}

bool redirect_has_failed(const struct shell_end *e)
{
	return e->kind == END_FILE && e->redirect->err != OK;
}

static void redirect_refused(struct shell_call *c, struct shell_end *e, enum err err)
{
	char bytes[REASON_MAX];
	struct shell_redirect *r = e->redirect;
	struct str reason = vfs_reason(e->file, err, wbuf_of((uint8_t *)bytes, sizeof(bytes)));
	r->err = err;
	if (err != ERR_INTR)
		shell_fail(c, "%.*s: %.*s", STR_ARG(r->name), STR_ARG(reason));
}

enum err redirect_flush(struct shell_call *c, struct shell_end *e, bool end)
{
	struct shell_redirect *r = e->redirect;
	struct rbuf ready;
	while (r->err == OK && (ready = lines_ready(&r->lines, end)).len) {
		if (shell_is_cancelled(c))
			return ERR_INTR;
		struct size_result n = vfs_write(e->file, e->offset, ready);
		if (n.err == OK && n.value == 0)
			n.err = ERR_NOSPC;
		if (n.err != OK) {
			redirect_refused(c, e, n.err);
			break;
		}
		lines_take(&r->lines, n.value);
		e->offset += n.value;
	}
	return r->err;
}

enum err redirect_write(struct shell_call *c, struct shell_end *e, struct rbuf from)
{
	struct lines *l = &e->redirect->lines;
	enum err err = e->redirect->err;
	while (err == OK && from.len) {
		struct wbuf room = lines_room(l);
		size_t n = min(room.len, from.len);
		memcpy(room.ptr, from.ptr, n);
		lines_add(l, n);
		from = rbuf_slice(from, n, from.len);
		err = redirect_flush(c, e, false);
	}
	return err;
}
