/*
 * call.c - what commands call: their input, output and terminal.
 *
 * Who was cancelled stays so: each of these gives ERR_INTR from then on, also for a `kill` that ended one wait only.
 *
 * Locks: none of its own. A stage's ends belong to its thread.
 */
#include "lib/assert.h"
#include "user/shell/shell_priv.h"

/* ---- ends ---- */

void end_close_in(struct shell_end *e)
{
	if (e->kind == END_PIPE)
		pipe_close_reader(e->pipe);
	else if (e->kind == END_FILE)
		vfs_close(e->file);
	e->kind = END_NONE;
}

void end_close_out(struct shell_end *e)
{
	if (e->kind == END_PIPE)
		pipe_close_writer(e->pipe);
	else if (e->kind == END_FILE)
		redirect_close(e);
	e->kind = END_NONE;
}

/* ERR_INTR once is ERR_INTR for good. */
static enum err call_result(struct shell_stage *stage, enum err err)
{
	if (err == ERR_INTR)
		stage->cancelled = true;
	return err;
}

static struct shell_session *call_session(const struct shell_call *c)
{
	return c->stage->job->session;
}

static struct shell_stage *call_thread(const struct shell_call *c)
{
	return c->stage->here ? NULL : c->stage;
}

/* ---- reading ---- */

/* A line of the terminal, edited and shown, into the session's editor; 0: Ctrl-D. */
static struct size_result call_read_line(struct shell_session *s, struct shell_stage *stage)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	line_begin(&s->line, STR_EMPTY, s->columns, &out);
	for (;;) {
		uint8_t byte;
		struct size_result r = terminal_read(s, stage, wbuf_of(&byte, 1), KTIME_NEVER);
		if (r.err != OK)
			return r;
		abuf_reset(&out);
		line_resize(&s->line, s->columns);
		enum line_event event = line_input(&s->line, &s->history, byte, &out);
		enum err err = terminal_write(s, stage, abuf_bytes(&out));
		if (err != OK)
			return ERR_RESULT(size_result, err);
		if (event == LINE_END)
			return OK_RESULT(size_result, 0);
		if (event == LINE_ENTERED)
			return OK_RESULT(size_result, s->line.len + 1);
	}
}

static struct size_result call_read_terminal(struct shell_session *s, struct shell_stage *stage, struct wbuf to)
{
	if (stage->here || s->script.ptr)
		return OK_RESULT(size_result, 0);
	if (s->cooked_at == s->cooked_len) {
		struct size_result r = call_read_line(s, stage);
		if (r.err != OK || r.value == 0)
			return r;
		s->cooked_at = 0;
		s->cooked_len = r.value;
	}
	size_t n = min(to.len, s->cooked_len - s->cooked_at);
	struct str text = str_slice(line_text(&s->line), s->cooked_at, s->cooked_at + n);
	memcpy(to.ptr, text.ptr, text.len);
	if (n > text.len) /* behind the text stands its newline */
		to.ptr[text.len] = '\n';
	s->cooked_at += n;
	return OK_RESULT(size_result, n);
}

struct size_result shell_read(struct shell_call *c, struct wbuf to)
{
	struct shell_stage *stage = c->stage;
	struct shell_end *e = &stage->in;
	struct size_result r = OK_RESULT(size_result, 0);
	if (stage_is_cancelled(stage))
		return ERR_RESULT(size_result, call_result(stage, ERR_INTR));
	if (to.len > 0 && e->kind == END_TERMINAL)
		r = call_read_terminal(call_session(c), stage, to);
	else if (e->kind == END_PIPE)
		r = pipe_read(e->pipe, to, KTIME_NEVER);
	else if (e->kind == END_FILE)
		r = vfs_read(e->file, e->offset, to);
	if (r.err == OK)
		e->offset += r.value;
	call_result(stage, r.err);
	return r;
}

/* ---- writing ---- */

static enum err call_write(struct shell_call *c, struct shell_end *e, struct rbuf from)
{
	struct shell_stage *stage = c->stage;
	if (e->kind == END_TERMINAL)
		return call_result(stage, terminal_write(call_session(c), call_thread(c), from));
	if (e->kind == END_FILE)
		return call_result(stage, redirect_write(c, e, from));
	while (from.len > 0 && e->kind == END_PIPE) {
		if (stage_is_cancelled(stage))
			return call_result(stage, ERR_INTR);
		struct size_result r = pipe_write(e->pipe, from, KTIME_NEVER);
		if (r.err != OK)
			return call_result(stage, r.err);
		from = rbuf_slice(from, r.value, from.len);
	}
	return OK;
}

enum err shell_write(struct shell_call *c, struct rbuf from)
{
	return call_write(c, &c->stage->out, from);
}

enum err shell_printf(struct shell_call *c, const char *format, ...)
{
	char bytes[SHELL_PRINT_MAX];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	va_list ap;
	va_start(ap, format);
	fmt_v(&text, format, ap);
	va_end(ap);
	return shell_write(c, abuf_bytes(&text));
}

enum err call_finish(struct shell_call *c)
{
	struct shell_end *e = &c->stage->out;
	return e->kind == END_FILE ? call_result(c->stage, redirect_flush(c, e, true)) : OK;
}

enum err shell_redirect(struct shell_call *c, struct str relative)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct shell_stage *stage = c->stage;
	struct shell_end e;
	enum err err = shell_path(c, relative, &path);
	if (err == OK)
		err = redirect_open(&e, abuf_str(&path), relative, OPEN_TRUNC);
	if (err != OK)
		return err;
	if (stage->error_to_out) { /* what that was */
		end_close_out(&stage->error);
		stage->error = stage->out;
		stage->error_to_out = false;
	} else {
		end_close_out(&stage->out);
	}
	stage->out = e;
	return OK;
}

/* Tells what went wrong; on the terminal if the file for it takes nothing. Best effort. */
static void call_write_error(struct shell_call *c, struct rbuf text)
{
	struct shell_stage *stage = c->stage;
	struct shell_end *e = stage->error_to_out ? &stage->out : &stage->error;
	if (call_write(c, e, text) != OK && redirect_has_failed(e))
		(void)call_write(c, &(struct shell_end){.kind = END_TERMINAL}, text);
}

static void call_complain(struct shell_call *c, const char *format, va_list ap, struct str tail)
{
	struct shell_text t;
	const struct shell_stage *stage = c->stage;
	text_format(&t, stage->command ? stage->command->name : S("shell"), format, ap, tail);
	call_write_error(c, abuf_bytes(&t.text));
	text_free(&t);
}

int shell_fail(struct shell_call *c, const char *format, ...)
{
	va_list ap;
	if (shell_is_cancelled(c))
		return SHELL_CANCELLED;
	va_start(ap, format);
	call_complain(c, format, ap, S("\n"));
	va_end(ap);
	return 1;
}

int shell_usage(struct shell_call *c, const char *format, ...)
{
	char bytes[64];
	struct abuf tail = abuf_of(bytes, sizeof(bytes));
	va_list ap;
	fmt(&tail, "; try %.*s --help\n", STR_ARG(c->argv[0]));
	va_start(ap, format);
	call_complain(c, format, ap, abuf_ok(&tail) ? abuf_str(&tail) : S("\n"));
	va_end(ap);
	return 2;
}

void shell_last_words(struct shell_call *c, const char *format, ...)
{
	char bytes[SHELL_PRINT_MAX];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	va_list ap;
	if (c->stage->out.kind != END_TERMINAL)
		return;
	va_start(ap, format);
	fmt_v(&text, format, ap);
	va_end(ap);
	terminal_write_some(call_session(c), abuf_bytes(&text));
}

/* ---- the rest ---- */

enum err shell_sleep(struct shell_call *c, ktime until)
{
	struct shell_stage *stage = c->stage;
	if (stage_is_cancelled(stage))
		return call_result(stage, ERR_INTR);
	return call_result(stage, sleep_until(until));
}

struct size_result shell_key(struct shell_call *c, struct wbuf to, ktime deadline)
{
	struct shell_stage *stage = c->stage;
	struct shell_session *s = call_session(c);
	if (stage->here || s->script.ptr || __atomic_load_n(&stage->job->background, __ATOMIC_RELAXED))
		return ERR_RESULT(size_result, ERR_NODEV);
	struct size_result r = terminal_read(s, stage, to, deadline);
	call_result(stage, r.err);
	return r;
}

bool shell_is_cancelled(const struct shell_call *c)
{
	return stage_is_cancelled(c->stage);
}

bool shell_is_terminal(const struct shell_call *c)
{
	return c->stage->out.kind == END_TERMINAL && !call_session(c)->script.ptr;
}

void shell_window(const struct shell_call *c, uint16_t *columns, uint16_t *rows)
{
	const struct shell_session *s = call_session(c);
	*columns = __atomic_load_n(&s->columns, __ATOMIC_RELAXED);
	*rows = __atomic_load_n(&s->rows, __ATOMIC_RELAXED);
}

struct str shell_cwd(const struct shell_call *c)
{
	return str_of(c->stage->job->cwd, c->stage->job->cwd_len);
}

/* One more segment of a path that begins at `from` in the buffer. */
static void path_add(struct abuf *out, size_t from, struct str segment)
{
	if (segment.len == 0 || str_eq(segment, S(".")))
		return;
	if (!str_eq(segment, S(".."))) {
		abuf_char_add(out, '/');
		abuf_str_add(out, segment);
		return;
	}
	while (out->len > from && out->ptr[--out->len] != '/')
		;
}

enum err shell_path(const struct shell_call *c, struct str relative, struct abuf *absolute)
{
	size_t from = absolute->len;
	if (relative.len == 0)
		return ERR_NOENT;
	struct str cwd = str_starts(relative, S("/")) ? STR_EMPTY : shell_cwd(c);
	while (cwd.len)
		path_add(absolute, from, str_cut(&cwd, '/'));
	while (relative.len)
		path_add(absolute, from, str_cut(&relative, '/'));
	if (absolute->len == from)
		abuf_char_add(absolute, '/');
	return abuf_ok(absolute) ? OK : ERR_NAMETOOLONG;
}

struct file_result shell_file(const struct shell_call *c, struct str relative, unsigned flags)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	enum err err = shell_path(c, relative, &path);
	return err == OK ? vfs_open(abuf_str(&path), flags) : ERR_RESULT(file_result, err);
}
