/*
 * fetch.c - the command fetch: GET or HEAD of an http URL, to the standard output or into a file.
 *
 * One request, one connection. Bounds: FETCH_SILENT_NS without a byte, -m bytes of body; the head is bounded by its
 * parser (http_response_core.h). Redirections are told, not followed.
 */
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/time/time.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "user/net/http_response_core.h"
#include "user/net/url_core.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"

#define FETCH_CONNECT_NS  (15 * NS_PER_S)
#define FETCH_SILENT_NS   (30 * NS_PER_S)
#define FETCH_BODY_MAX    (UINT64_C(64) << 20)
#define FETCH_REQUEST_MAX 2048
#define FETCH_BUFFER      2048

/* In a run of pages. */
struct fetch {
	struct shell_call *c;
	struct url url;
	struct str text; /* the URL as it was given */
	struct str field; /* -H; empty: none */
	bool head, show; /* -I; -I or -i */
	uint64_t body_max;
	struct str path; /* -o; ptr NULL: standard output */
	struct tcp_conn *conn;
	struct http_response response;
	struct str status; /* the first line, from the status on */
	char status_text[80];
	uint8_t buffer[FETCH_BUFFER];
	uint8_t request[FETCH_REQUEST_MAX];
};
#define FETCH_PAGES div_up(sizeof(struct fetch), PAGE_SIZE)

static int fetch_failed(struct fetch *f, const char *doing, enum err err)
{
	if (err == ERR_INTR)
		return SHELL_CANCELLED;
	return shell_fail(f->c, "%.*s: %s: %.*s", STR_ARG(f->text), doing, STR_ARG(err_text(err)));
}

/* ---- the request ---- */

static int fetch_send(struct fetch *f)
{
	struct abuf out = abuf_of(f->request, sizeof(f->request));
	fmt(&out, "%s ", f->head ? "HEAD" : "GET");
	if (!str_starts(f->url.target, S("/")))
		abuf_char_add(&out, '/');
	abuf_str_add(&out, f->url.target);
	fmt(&out, " HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: mazu\r\nAccept: */*\r\nConnection: close\r\n",
		STR_ARG(f->url.authority));
	if (f->field.len)
		fmt(&out, "%.*s\r\n", STR_ARG(f->field));
	abuf_str_add(&out, S("\r\n"));
	if (!abuf_ok(&out))
		return shell_fail(f->c, "the request is longer than %d bytes", FETCH_REQUEST_MAX);
	ktime until = ktime_add(clock_now(), FETCH_SILENT_NS);
	for (struct rbuf rest = abuf_bytes(&out); rest.len;) {
		struct size_result n = tcp_send(f->conn, rest, 0, until);
		if (n.err != OK)
			return fetch_failed(f, "sending", n.err);
		rest = rbuf_slice(rest, n.value, rest.len);
	}
	return 0;
}

/* ---- the response ---- */

/* "200 OK", of which only what no terminal takes for a command is kept, and where to write, which is emptied only now. */
static bool fetch_first_line(struct fetch *f, struct str line)
{
	size_t n = min(line.len - 9, sizeof(f->status_text));
	for (size_t i = 0; i < n; i++) {
		char c = line.ptr[9 + i];
		f->status_text[i] = c >= ' ' && c < 0x7f ? c : '?';
	}
	f->status = str_of(f->status_text, n);
	if (!f->path.ptr)
		return true;
	enum err err = shell_redirect(f->c, f->path);
	if (err != OK)
		(void)cmd_failed(f->c, f->path, err);
	return err == OK;
}

/* Lines are shown if they are asked for. */
static enum err fetch_line(struct fetch *f, struct str line)
{
	if (!f->show)
		return OK;
	enum err err = shell_write(f->c, rbuf_of_str(line));
	return err == OK ? shell_write(f->c, rbuf_of_str(S("\n"))) : err;
}

/* What one event of the parser asks for. *status: if the end has come, or a failure. False: it has. */
static bool fetch_step(struct fetch *f, const struct http_response_step *s, int *status)
{
	enum err err = OK;
	if (s->event == RESPONSE_LINE && f->status.len == 0 && !fetch_first_line(f, s->line))
		*status = 1;
	else if (s->event == RESPONSE_LINE)
		err = fetch_line(f, s->line);
	else if (s->event == RESPONSE_HEAD && f->show)
		err = shell_write(f->c, rbuf_of_str(S("\n")));
	else if (s->event == RESPONSE_BODY && f->response.body > f->body_max)
		*status = shell_fail(f->c, "%.*s: is longer than %llu bytes, the most that -m allows", STR_ARG(f->text),
			(unsigned long long)f->body_max);
	else if (s->event == RESPONSE_BODY)
		err = shell_write(f->c, s->body);
	else if (s->event == RESPONSE_FAIL)
		*status = shell_fail(f->c, "%.*s: %s", STR_ARG(f->text), f->response.wrong);
	if (err != OK)
		*status = cmd_status(err);
	return *status == 0 && s->event != RESPONSE_END;
}

/* Of all that is in the buffer. */
static bool fetch_bytes(struct fetch *f, struct rbuf bytes, int *status)
{
	for (;;) {
		struct http_response_step s = http_response_input(&f->response, bytes);
		bytes = rbuf_slice(bytes, s.used, bytes.len);
		if (!fetch_step(f, &s, status))
			return false;
		if (s.event == RESPONSE_MORE)
			return true;
	}
}

static int fetch_receive(struct fetch *f)
{
	int status = 0;
	http_response_start(&f->response, f->head);
	for (;;) {
		struct size_result n = tcp_recv(f->conn, wbuf_of(f->buffer, sizeof(f->buffer)),
			ktime_add(clock_now(), FETCH_SILENT_NS));
		if (n.err != OK)
			return fetch_failed(f, "receiving", n.err);
		if (n.value == 0) {
			const char *wrong = http_response_end(&f->response);
			return wrong ? shell_fail(f->c, "%.*s: %s", STR_ARG(f->text), wrong) : 0;
		}
		if (!fetch_bytes(f, rbuf_of(f->buffer, n.value), &status))
			return status;
	}
}

static int fetch_from(struct fetch *f)
{
	struct ipv4_result addr = net_resolve(f->url.host);
	if (addr.err != OK)
		return shell_fail(f->c, "%.*s: no such name is known here; give an address, as in http://10.0.2.2:8000/",
			STR_ARG(f->url.host));
	struct tcp_conn_result conn = tcp_connect(addr.value, f->url.port, ktime_add(clock_now(), FETCH_CONNECT_NS));
	if (conn.err != OK)
		return fetch_failed(f, "connecting", conn.err);
	f->conn = conn.value;
	int status = fetch_send(f);
	if (status == 0)
		status = fetch_receive(f);
	if (status == 0)
		tcp_close(f->conn);
	else
		tcp_abort(f->conn); /* what still comes is of no use */
	if (status == 0 && f->response.status >= 300)
		return shell_fail(f->c, "%.*s: %.*s%s", STR_ARG(f->text), STR_ARG(f->status),
			f->response.status < 400 && !f->show ? " (fetch -I shows where to)" : "");
	return status;
}

/* ---- the command ---- */

/* A name, a colon, no control characters: what is given is one field and no more. */
static bool fetch_is_field(struct str s)
{
	size_t colon = str_find_char(s, ':');
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.ptr[i] < ' ' || s.ptr[i] == 0x7f || (s.ptr[i] == ' ' && i < colon))
			return false;
	return colon > 0 && colon < s.len;
}

static int fetch_options(struct fetch *f, const struct args *a)
{
	f->text = args_operand(a, 0);
	f->head = args_has(a, 'I');
	f->show = f->head || args_has(a, 'i');
	f->field = args_value(a, 'H');
	f->path = args_value(a, 'o');
	if (f->path.ptr && str_eq(f->path, S("-")))
		f->path = STR_EMPTY;
	const char *wrong = url_parse(f->text, &f->url);
	if (wrong)
		return shell_usage(f->c, "%s", wrong);
	if (f->field.ptr && !fetch_is_field(f->field))
		return shell_usage(f->c, "-H takes a field, as in -H 'Accept: text/html'");
	return cmd_number(f->c, a, 'm', 0, INT64_MAX, &f->body_max) ? 0 : 2;
}

static int fetch_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "IiH:o:m:", 1, 1))
		return 2;
	struct fetch *f = page_alloc_run(FETCH_PAGES);
	if (!f)
		return shell_fail(c, "no memory");
	f->c = c;
	f->body_max = FETCH_BODY_MAX;
	f->status = STR_EMPTY;
	int status = fetch_options(f, &a);
	if (status == 0)
		status = fetch_from(f);
	page_free_run(f, FETCH_PAGES);
	return status;
}
SHELL_COMMAND(fetch, .name = STR_INIT("fetch"), .summary = STR_INIT("get what an http URL names"),
	.usage = STR_INIT("fetch [-I] [-i] [-H FIELD] [-o FILE] [-m BYTES] URL\n"
			  "  -I        only the head of the response      -i        the head, then the body\n"
			  "  -H FIELD  sent too, as in -H 'Accept: text/html'\n"
			  "  -o FILE   where it goes                      -m BYTES  the longest body that is taken (64 MiB)\n"
			  "URL: http://ADDRESS[:PORT]/path. Redirections are not followed. Exit status: 0 for a status below 300.\n"),
	.run = fetch_run, .completes = SHELL_PATHS);
