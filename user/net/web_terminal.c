/*
 * web_terminal.c - /api/shell/ws: a session of the shell as a terminal over WebSocket.
 *
 * Binary messages are the terminal's bytes, in both directions. Text messages are JSON:
 * {"columns":80,"rows":24} from the client; {"exited":true} to it, before the close (1000)
 * of a session that is over. A client whose text is something else is left with 1008.
 *
 * Out: the session says that there is something (web_terminal_ready), and is asked for it
 * when a message can go out. To a client that does not read none can, so the session is not
 * asked, its output is full, and the command behind it waits.
 *
 * In: what the session does not take is held, and nothing more is read until it does; it is
 * offered again every WEB_AGAIN_NS. If in WEB_TERMINAL_STUCK_NS nothing is taken, the session
 * runs something that does not listen: then what comes is dropped, as on any terminal, so
 * that a Ctrl-C and an answer to a ping get through.
 *
 * Locks: none, as web_ws.c; web_terminal_ready is called by threads of the shell.
 */
#include "kernel/net/net.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/json_read.h"
#include "user/net/web_priv.h"
#include "user/shell/shell.h"

#define WEB_TERMINAL_MESSAGE_MAX 65536
#define WEB_TERMINAL_STUCK_NS    (2 * NS_PER_S)
#define WEB_WINDOW_MAX           1000 /* columns, rows */

/* --- in --- */

/* A number of columns or rows; 0: it is none. */
static uint16_t web_window_size(struct json_token t)
{
	struct u64_result n = json_to_u64(t);
	return n.err == OK && n.value >= 1 && n.value <= WEB_WINDOW_MAX ? (uint16_t)n.value : 0;
}

/* {"columns":N,"rows":N} and whatever else; false: it is not that. */
static bool web_window_parse(struct str text, uint16_t *columns, uint16_t *rows)
{
	struct json_reader r = json_reader_of(text);
	struct json_token t = json_next(&r);
	*columns = *rows = 0;
	if (t.type != JSON_OBJECT)
		return false;
	while ((t = json_next(&r)).type == JSON_KEY) {
		struct json_token key = t;
		t = json_next(&r);
		if (json_text_eq(key, S("columns")))
			*columns = web_window_size(t);
		else if (json_text_eq(key, S("rows")))
			*rows = web_window_size(t);
		if (json_skip(&r, t) != OK)
			return false;
	}
	return t.type == JSON_OBJECT_END && json_next(&r).type == JSON_END && *columns && *rows;
}

static void web_terminal_control(struct web_socket *s, const struct ws_step *step, ktime now)
{
	struct web_terminal *t = &s->terminal;
	uint16_t columns, rows;
	size_t n = min(step->piece.len, sizeof(t->control) - t->control_len);
	if (n)
		memcpy(t->control + t->control_len, step->piece.ptr, n);
	t->control_len += (uint8_t)n;
	bool fits = n == step->piece.len;
	if (fits && !step->last)
		return;
	struct str text = str_of(t->control, t->control_len);
	t->control_len = 0;
	if (fits && web_window_parse(text, &columns, &rows))
		shell_resize(t->session, columns, rows);
	else
		web_socket_leave(s, WS_CODE_POLICY, now);
}

static void web_terminal_typed(struct web_socket *s, struct rbuf bytes, ktime now)
{
	struct web_terminal *t = &s->terminal;
	size_t n = shell_feed(t->session, bytes);
	struct rbuf rest = rbuf_slice(bytes, n, bytes.len);
	if (n)
		t->stuck = false;
	if (rest.len == 0)
		return;
	if (t->stuck) {
		web_count(WEB_TYPED_DROPPED, rest.len);
		return;
	}
	memcpy(t->held, rest.ptr, rest.len);
	t->held_len = (uint8_t)rest.len;
	t->held_since = now;
	s->paused = true;
}

static void web_terminal_input(struct web_socket *s, const struct ws_step *step, ktime now)
{
	assert(s->terminal.held_len == 0 && step->piece.len <= sizeof(s->terminal.held));
	if (step->text)
		web_terminal_control(s, step, now);
	else if (step->piece.len)
		web_terminal_typed(s, step->piece, now);
}

/* Offers what is held once more. */
static void web_terminal_resume(struct web_socket *s, ktime now)
{
	struct web_terminal *t = &s->terminal;
	size_t n = shell_feed(t->session, rbuf_of(t->held, t->held_len));
	t->held_len -= (uint8_t)n;
	memmove(t->held, t->held + n, t->held_len);
	if (n)
		t->held_since = now;
	if (ktime_diff(now, t->held_since) >= WEB_TERMINAL_STUCK_NS) {
		web_count(WEB_TYPED_DROPPED, t->held_len);
		t->held_len = 0;
		t->stuck = true;
	}
	s->paused = t->held_len > 0;
}

/* --- out --- */

/* By a thread of the shell, preemption off. */
static void web_terminal_ready(void *arg)
{
	web_conn_rouse(arg);
}

/* "exited", and our close behind it. */
static struct web_message web_terminal_exited(struct web_socket *s, struct web_block *b, ktime now)
{
	struct abuf text = web_block_room(b);
	abuf_str_add(&text, S("{\"exited\":true}"));
	web_socket_leave(s, WS_CODE_NORMAL, now);
	return (struct web_message){WS_OP_TEXT, web_block_content(b, text.len)};
}

static struct web_message web_terminal_next(struct web_conn *c, ktime now)
{
	struct web_socket *s = c->socket;
	struct web_terminal *t = &s->terminal;
	struct web_block *b = web_block_alloc(0);
	s->message_due = false; /* without memory: at the next sweep */
	if (!b) {
		web_count(WEB_REFUSED_MEMORY, 1);
		return (struct web_message){0};
	}
	struct abuf room = web_block_room(b);
	size_t n = shell_output(t->session, &t->at, wbuf_of(room.ptr, room.cap));
	if (n) {
		s->message_due = true; /* maybe; and whether it is over is known only then */
		return (struct web_message){WS_OP_BINARY, web_block_content(b, n)};
	}
	if (shell_ended(t->session, t->at))
		return web_terminal_exited(s, b, now);
	packet_mem_put(&b->mem);
	return (struct web_message){0};
}

static void web_terminal_sweep(struct web_conn *c, unused struct web_push *push, unused ktime now)
{
	c->socket->message_due = true;
}

/* --- coming and going --- */

static enum err web_terminal_open(struct web_conn *c)
{
	char bytes[IPV4_TEXT_MAX];
	struct abuf name = abuf_of(bytes, sizeof(bytes));
	ipv4_format(&name, tcp_remote(c->tcp).addr);
	struct shell_result r = shell_open(&(struct shell_carrier){
		.name = abuf_str(&name), .ready = web_terminal_ready, .arg = c, .crlf = true});
	c->socket->terminal.session = r.value;
	web_count(r.err == OK ? WEB_TERMINALS_OPENED : WEB_REFUSED_SHELLS, 1);
	return r.err;
}

static void web_terminal_end(struct web_socket *s)
{
	shell_hang_up(s->terminal.session);
}

const struct web_socket_kind web_terminal_kind = {
	.message_max = WEB_TERMINAL_MESSAGE_MAX,
	.open = web_terminal_open,
	.input = web_terminal_input,
	.resume = web_terminal_resume,
	.next = web_terminal_next,
	.sweep = web_terminal_sweep,
	.end = web_terminal_end,
};
