/*
 * web_ws.c - a connection as WebSocket: what all of them have in common. What is said
 * over one is the matter of its kind (struct web_socket_kind).
 *
 *	web_socket_open		answers the handshake; with 101 the connection has a socket
 *	web_socket_begin	the client has the 101: WEB_SOCKET
 *	web_socket_run		what can be done now, as for any connection
 *	web_socket_sweep	once a second: pings, timeouts, the kind's own
 *	web_socket_end		gives the socket back
 *
 * One piece of output is under way at a time: c->out, frames that are whole, and
 * behind it c->content, a message. The next is made when TCP has all of the last and
 * the client all but TCP_LOW_BYTES of that, so that no message waits for a client that
 * is slower; one that takes nothing is reset as for any reply. A kind that has no room
 * for what the client says pauses reading. Each ping is answered while the client takes
 * the answers; else the latest are, as many as fit, so that pings cost no more memory.
 *
 * Of the two closes ours is the last, but for LEAVING: then the client has
 * WEB_SOCKET_LEAVE_NS for his. Whoever ends without a close, or does not speak the
 * protocol, loses the connection.
 *
 * Invariants: no frame behind our close; close_sent implies that the close is in
 * c->out or with TCP; c->deadline has passed, so that every sweep looks; a socket
 * that is OVER or LEAVING has no message due.
 *
 * Locks: none, as web_conn.c. How many are open is atomic.
 * Reference: RFC 6455.
 */
#include "kernel/mm/mm.h"
#include "lib/assert.h"
#include "user/net/web_priv.h"
#include "user/net/ws_core.h"

#define WEB_SOCKET_PING_NS     (20 * NS_PER_S) /* from a pong to the next ping: keeps NATs awake */
#define WEB_SOCKET_PONG_NS     (10 * NS_PER_S) /* for the pong; then 1001 */
#define WEB_SOCKET_LEAVE_NS    (5 * NS_PER_S)  /* for the client's close behind ours */

static_assert(CONFIG_WEB_SOCKETS < CONFIG_WEB_CONNECTIONS, "sockets leave connections to others");
static_assert(WEB_PONGS_BYTES + WS_HEAD_MAX + 4 <= sizeof(((struct web_conn *)0)->out_bytes),
	"pongs, a ping, and the head of a message or a close go out together");

static struct pool *web_sockets;
static uint32_t web_sockets_used; /* atomic */

uint32_t web_sockets_open(void)
{
	return __atomic_load_n(&web_sockets_used, __ATOMIC_RELAXED);
}

enum err web_socket_init(void)
{
	web_sockets = pool_create(S("http_socket"), sizeof(struct web_socket), _Alignof(struct web_socket),
		CONFIG_WEB_SOCKETS, 0);
	return web_sockets ? OK : ERR_NOMEM;
}

static struct web_socket *web_socket_alloc(const struct web_socket_kind *kind)
{
	bool free = __atomic_fetch_add(&web_sockets_used, 1, __ATOMIC_RELAXED) < CONFIG_WEB_SOCKETS;
	struct web_socket *s = free ? pool_alloc(web_sockets) : NULL;
	if (!s)
		__atomic_fetch_sub(&web_sockets_used, 1, __ATOMIC_RELAXED);
	else
		*s = (struct web_socket){.kind = kind};
	return s;
}

static void web_socket_free(struct web_conn *c)
{
	pool_free(web_sockets, c->socket);
	c->socket = NULL;
	__atomic_fetch_sub(&web_sockets_used, 1, __ATOMIC_RELAXED);
}

void web_socket_end(struct web_conn *c)
{
	if (!c->socket)
		return;
	if (c->socket->kind->end)
		c->socket->kind->end(c->socket);
	web_socket_free(c);
}

/* --- handshake: section 4.2.1 --- */

static struct web_verdict web_socket_judge(const struct http_request *req)
{
	bool upgrade = req->minor > 0 && http_list_has(req->field[HTTP_CONNECTION], S("upgrade")) &&
		       http_list_has(req->field[HTTP_UPGRADE], S("websocket"));
	if (!upgrade)
		return (struct web_verdict){426, S("this address speaks WebSocket only"), 0};
	if (req->method != HTTP_GET || req->body != HTTP_BODY_NONE)
		return (struct web_verdict){400, S("a WebSocket is opened by GET, without content"), 0};
	if (!str_eq(req->field[HTTP_SEC_WEBSOCKET_VERSION], WS_VERSION))
		return (struct web_verdict){426, S("of WebSocket only version 13 is spoken"), 0};
	if (!ws_key_is_valid(req->field[HTTP_SEC_WEBSOCKET_KEY]))
		return (struct web_verdict){400, S("Sec-WebSocket-Key is not 16 bytes in Base 64"), 0};
	return (struct web_verdict){0};
}

void web_socket_open(struct web_conn *c, const struct web_socket_kind *kind)
{
	const struct http_request *req = &c->parser.req;
	struct web_verdict refusal = web_socket_judge(req);
	if (refusal.status) {
		web_reply_problem(c, refusal.status, refusal.why);
		return;
	}
	c->socket = web_socket_alloc(kind);
	if (!c->socket) {
		web_count(WEB_REFUSED_SOCKETS, 1);
		web_reply_problem(c, 503, S("all WebSockets are in use"));
		return;
	}
	if (kind->open && kind->open(c) != OK) {
		web_socket_free(c);
		web_reply_problem(c, 503, S("there is no room for another one"));
		return;
	}
	c->close_after = false;
	c->out = abuf_of(c->out_bytes, sizeof(c->out_bytes));
	ws_accept_head(&c->out, req->field[HTTP_SEC_WEBSOCKET_KEY]);
	assert(abuf_ok(&c->out));
	web_count_status(101);
	web_count(WEB_SOCKETS_OPENED, 1);
}

void web_socket_begin(struct web_conn *c, ktime now)
{
	struct web_socket *s = c->socket;
	s->alive = now;
	ws_parser_start(&s->parser, s->kind->message_max);
	c->state = WEB_SOCKET;
	c->deadline = KTIME_ZERO;
}

/* --- out --- */

static bool web_socket_has_due(const struct web_socket *s)
{
	return !s->close_sent && (s->pongs_len || s->ping_due || s->close_due || s->message_due);
}

bool web_socket_may_send(const struct web_conn *c)
{
	return !c->socket->close_sent && web_may_send(c);
}

/* What is due, and the message if there is one; our close goes by itself, last. */
void web_socket_build(struct web_conn *c, struct web_message message, ktime now)
{
	struct web_socket *s = c->socket;
	c->out = abuf_of(c->out_bytes, sizeof(c->out_bytes));
	if (s->pongs_len)
		abuf_bytes_add(&c->out, s->pongs, s->pongs_len);
	if (s->ping_due) {
		ws_frame_control(&c->out, WS_OP_PING, rbuf_of(NULL, 0));
		s->alive = ktime_add(now, -WEB_SOCKET_PING_NS); /* the pong is waited for from now on */
	}
	s->pongs_len = 0;
	s->ping_due = false;
	if (message.content.mem) {
		ws_frame_head(&c->out, message.op, message.content.bytes.len);
	} else if (s->close_due) {
		ws_frame_close(&c->out, s->code, STR_EMPTY);
		s->close_sent = true;
	}
	assert(abuf_ok(&c->out));
	c->content = message.content;
	web_send_arm(c, now);
	c->deadline = KTIME_ZERO;
}

/* The kind's next message, and whatever else is due. */
static void web_socket_build_due(struct web_conn *c, ktime now)
{
	struct web_socket *s = c->socket;
	struct web_message message = {0};
	if (s->message_due)
		message = s->kind->next(c, now);
	if (message.content.mem || s->pongs_len || s->ping_due || s->close_due)
		web_socket_build(c, message, now);
}

/* OK, or why the connection is lost. */
static enum err web_socket_send(struct web_conn *c, ktime now)
{
	struct web_socket *s = c->socket;
	if (web_socket_has_due(s) && web_socket_may_send(c))
		web_socket_build_due(c, now);
	if (!c->handed) {
		enum err err = web_hand_to_tcp(c);
		c->starved = err == ERR_NOBUFS;
		if (err == ERR_NOBUFS || err == ERR_AGAIN)
			return OK;
		if (err != OK)
			return err;
		c->handed = true;
		web_request_release(c);
	}
	if (s->close_sent && s->state == WEB_SOCKET_OVER)
		c->state = WEB_DELIVERED;
	return OK;
}

static void web_socket_close(struct web_socket *s, enum web_socket_state state, uint16_t code)
{
	s->state = state;
	s->message_due = s->paused = false;
	if (s->close_due)
		return;
	s->close_due = true;
	s->code = code;
}

void web_socket_leave(struct web_socket *s, uint16_t code, ktime now)
{
	s->leave = ktime_add(now, WEB_SOCKET_LEAVE_NS);
	web_socket_close(s, WEB_SOCKET_LEAVING, code);
}

void web_socket_go_away(struct web_socket *s, ktime now)
{
	if (s->state == WEB_SOCKET_OPEN)
		web_socket_leave(s, WS_CODE_AWAY, now);
}

/* --- in --- */

static void web_socket_on_piece(struct web_socket *s, const struct ws_step *step, ktime now)
{
	if (s->state == WEB_SOCKET_OPEN && s->kind->input)
		s->kind->input(s, step, now);
}

/* Another answer might not fit. */
static bool web_socket_pongs_full(const struct web_socket *s)
{
	return s->pongs_len + 2 + WS_CONTROL_MAX > WEB_PONGS_BYTES;
}

/* When there is no room for the answer, those before it are forgotten: section 5.5.3 allows it. */
static void web_socket_on_ping(struct web_socket *s, struct rbuf content)
{
	struct abuf out = abuf_of(s->pongs, sizeof(s->pongs));
	out.len = web_socket_pongs_full(s) ? 0 : s->pongs_len;
	ws_frame_control(&out, WS_OP_PONG, content);
	assert(abuf_ok(&out));
	s->pongs_len = (uint16_t)out.len;
}

static void web_socket_on_step(struct web_socket *s, const struct ws_step *step, ktime now)
{
	switch (step->event) {
	case WS_MORE:
		break;
	case WS_PIECE:
		web_socket_on_piece(s, step, now);
		break;
	case WS_PING:
		web_socket_on_ping(s, step->piece);
		break;
	case WS_PONG:
		s->alive = now;
		s->pinged = false;
		break;
	case WS_FAIL:
		web_count(WEB_SOCKETS_FAILED, 1);
		web_socket_close(s, WEB_SOCKET_OVER, s->parser.code);
		break;
	case WS_CLOSED:
		web_socket_close(s, WEB_SOCKET_OVER, s->parser.code);
		break;
	}
}

/* What lies there together. The err of tcp_peek, ERR_PIPE at the end of the stream, OK. */
static enum err web_socket_read(struct web_conn *c, ktime now)
{
	struct web_socket *s = c->socket;
	struct rbuf in;
	enum err err = tcp_peek(c->tcp, &in, KTIME_ZERO);
	if (err != OK)
		return err;
	if (in.len == 0)
		return ERR_PIPE;
	if (s->paused) /* only whether it is there still */
		return ERR_AGAIN;
	size_t used = 0;
	struct ws_step step;
	do {
		step = ws_input(&s->parser, rbuf_slice(in, used, in.len));
		used += step.used;
		web_socket_on_step(s, &step, now);
	} while (step.event != WS_MORE && s->state != WEB_SOCKET_OVER && !s->paused &&
		 !(web_socket_pongs_full(s) && web_socket_may_send(c)));
	tcp_consume(c->tcp, used);
	return OK;
}

bool web_socket_run(struct web_conn *c, ktime now)
{
	struct web_socket *s = c->socket;
	for (unsigned turn = 0; turn < WEB_TURN_REQUESTS; turn++) {
		if (s->paused && s->kind->resume)
			s->kind->resume(s, now);
		enum err err = web_socket_send(c, now);
		if (c->state == WEB_DELIVERED)
			return false;
		if (err == OK && s->state == WEB_SOCKET_OVER)
			return true;
		if (err == OK)
			err = web_socket_read(c, now);
		if (err == ERR_AGAIN || err == ERR_TIMEDOUT)
			return true;
		if (err != OK) {
			web_count(WEB_BROKEN, 1);
			if (err == ERR_PIPE) /* he has said all: what he was sent may arrive */
				c->state = WEB_DELIVERED;
			return false;
		}
	}
	return true;
}

uint32_t web_socket_mask(const struct web_conn *c)
{
	uint32_t in = c->socket->state == WEB_SOCKET_OVER || c->socket->paused ? 0 : TCP_READY_IN;
	if (!c->handed)
		return in | (c->starved ? 0 : TCP_READY_OUT);
	return in | (web_socket_has_due(c->socket) ? TCP_READY_LOW : 0);
}

bool web_socket_wants_again(const struct web_conn *c)
{
	return c->state == WEB_SOCKET && c->socket->paused && c->socket->kind->resume;
}

void web_socket_roused(struct web_conn *c)
{
	if (c->socket && c->socket->state == WEB_SOCKET_OPEN)
		c->socket->message_due = true;
}

/* --- once a second --- */

/*
 * A ping when it is time for one; who did not answer the last is taken leave of. Not while the ping waits behind a
 * message, or the pong may lie behind what is not read: whether the client takes something is judged then.
 */
static void web_socket_keep(struct web_socket *s, ktime now)
{
	int64_t silence = ktime_diff(now, s->alive);
	if (silence < WEB_SOCKET_PING_NS || s->ping_due || s->paused)
		return;
	if (!s->pinged) {
		s->pinged = s->ping_due = true;
	} else if (silence >= WEB_SOCKET_PING_NS + WEB_SOCKET_PONG_NS) {
		web_count(WEB_SOCKETS_SILENT, 1);
		web_socket_leave(s, WS_CODE_AWAY, now);
	}
}

bool web_socket_sweep(struct web_conn *c, struct web_push *push, ktime now)
{
	struct web_socket *s = c->socket;
	if (!web_keeps_up(c, now))
		return false;
	if (s->state == WEB_SOCKET_LEAVING && !ktime_before(now, s->leave)) {
		if (s->close_sent && c->handed)
			c->state = WEB_DELIVERED;
		return false;
	}
	if (s->state == WEB_SOCKET_OPEN)
		web_socket_keep(s, now);
	if (s->state == WEB_SOCKET_OPEN && s->kind->sweep)
		s->kind->sweep(c, push, now);
	return web_socket_run(c, now);
}
