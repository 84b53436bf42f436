/*
 * web_conn.c - one connection: bytes go through the parser, a reply goes out, the
 * next request. Nothing here waits; each call does what is possible now.
 *
 * A request's memory (its head's store, its content) is held from its first byte
 * until its reply has been handed to TCP: an idle connection holds only itself.
 * TCP holds the content for as long as the client takes, so a reply is over, and
 * the next request looked at, when the client has all but TCP_LOW_BYTES of it. A
 * client that takes nothing for WEB_SEND_NS, or less than WEB_SEND_RATE, is reset.
 * After the last reply TCP drops what the client still sends (tcp_drain): closing
 * over unread bytes would be a reset that destroys the reply.
 */
#include "kernel/mm/mm.h"
#include "lib/assert.h"
#include "user/net/web_priv.h"

static const struct http_limits web_limits = {
	HTTP_LINE_MAX, HTTP_HEAD_MAX, HTTP_FIELDS_MAX, WEB_BODY_MAX};

static struct wbuf web_store(const struct web_conn *c)
{
	return wbuf_of(c->store, c->store ? PAGE_SIZE << WEB_STORE_ORDER : 0);
}

void web_request_release(struct web_conn *c)
{
	if (c->store)
		page_free(c->store, WEB_STORE_ORDER);
	if (c->content.mem)
		packet_mem_put(c->content.mem);
	if (c->body.mem)
		packet_mem_put(c->body.mem);
	c->store = NULL;
	c->content = c->body = (struct web_content){0};
}

void web_conn_start(struct web_conn *c, struct tcp_conn *tcp, ktime now)
{
	*c = (struct web_conn){.tcp = tcp, .state = WEB_IDLE, .mask = UINT32_MAX};
	list_init(&c->node);
	list_init(&c->roused);
	c->deadline = ktime_add(now, WEB_IDLE_NS);
	http_parser_start(&c->parser, &web_limits, wbuf_of(NULL, 0));
	tcp_set_no_delay(tcp, true);
}

void web_conn_end(struct web_conn *c)
{
	web_request_release(c);
	web_socket_end(c);
	web_stream_end(c);
	if (c->state == WEB_SENDING || c->state == WEB_SOCKET || c->state == WEB_STREAM) /* half a reply must not look like a whole one */
		tcp_abort(c->tcp);
	else if (c->state == WEB_DELIVERED)
		tcp_drain(c->tcp);
	else
		tcp_close(c->tcp);
}

uint32_t web_conn_mask(const struct web_conn *c)
{
	if (c->state == WEB_SOCKET)
		return web_socket_mask(c);
	if (c->state == WEB_STREAM)
		return web_stream_mask(c);
	if (c->state != WEB_SENDING)
		return TCP_READY_IN;
	return c->handed ? TCP_READY_LOW : c->starved ? 0 : TCP_READY_OUT;
}

/*
 * Content that fits behind its head goes with it: its bytes cost less than a page and a reference of TCP, which a
 * client who takes nothing would keep for each message, however short.
 */
static void web_send_together(struct web_conn *c)
{
	if (!c->content.mem || c->content.bytes.len > abuf_room(&c->out))
		return;
	abuf_bytes_add(&c->out, c->content.bytes.ptr, c->content.bytes.len);
	packet_mem_put(c->content.mem);
	c->content = (struct web_content){0};
}

void web_send_arm(struct web_conn *c, ktime now)
{
	uint64_t bytes = c->out.len + c->content.bytes.len;
	web_send_together(c);
	c->sent = 0;
	c->handed = c->starved = false;
	c->began = now;
	c->deadline = ktime_add(now, WEB_SEND_NS);
	c->last = ktime_add(c->deadline, (int64_t)(bytes * NS_PER_S / WEB_SEND_RATE));
}

static void web_send_begin(struct web_conn *c, ktime now)
{
	c->state = WEB_SENDING;
	web_send_arm(c, now);
}

/* The last reply, to what never became a request; its method may be known. */
static void web_give_up(struct web_conn *c, uint16_t status, struct str why, ktime now)
{
	c->close_after = true;
	c->is_head = c->parser.req.method == HTTP_HEAD_METHOD;
	web_reply_problem(c, status, why);
	web_send_begin(c, now);
}

/* The client has the reply, but for little: the next request, or the end. */
static void web_reply_done(struct web_conn *c, ktime now)
{
	if (c->close_after) {
		c->state = WEB_DELIVERED;
		return;
	}
	if (c->socket) {
		web_socket_begin(c, now);
		return;
	}
	if (c->stream) {
		web_stream_begin(c, now);
		return;
	}
	http_parser_next(&c->parser, wbuf_of(NULL, 0));
	c->state = WEB_IDLE;
	c->refusal = (struct web_verdict){0};
	c->deadline = ktime_add(now, WEB_IDLE_NS);
}

enum err web_hand_to_tcp(struct web_conn *c)
{
	bool has_content = c->content.bytes.len > 0;
	while (c->sent < c->out.len) {
		struct rbuf rest = rbuf_slice(abuf_bytes(&c->out), c->sent, c->out.len);
		struct size_result r =
			tcp_send(c->tcp, rest, has_content ? TCP_MORE : 0, KTIME_ZERO);
		c->sent += r.value;
		web_count(WEB_SENT_BYTES, r.value);
		if (r.err != OK)
			return r.err;
		if (!r.value)
			return ERR_AGAIN;
	}
	if (!has_content)
		return OK;
	enum err err = tcp_send_ref(c->tcp, c->content.mem, c->content.bytes, 0, KTIME_ZERO);
	if (err == OK)
		web_count(WEB_SENT_BYTES, c->content.bytes.len);
	return err;
}

/* OK: the reply is over; ERR_AGAIN: it goes on later; anything else: the connection is lost. */
static enum err web_send(struct web_conn *c, ktime now)
{
	if (!c->handed) {
		enum err err = web_hand_to_tcp(c);
		c->starved = err == ERR_NOBUFS;
		if (c->starved)
			c->deadline = ktime_add(now, WEB_RETRY_NS);
		if (err != OK)
			return c->starved ? ERR_AGAIN : err;
		c->handed = true;
		web_request_release(c);
		if (c->close_after) {
			c->served = true; /* a client may come for the next before its kernel has said that it has this */
			web_conn_served();
			if (tcp_shutdown(c->tcp) != OK)
				return ERR_PIPE;
		}
	}
	return tcp_backlog(c->tcp).bytes <= TCP_LOW_BYTES ? OK : ERR_AGAIN;
}

/* The first byte of a request: its store. */
static bool web_request_begin(struct web_conn *c, ktime now)
{
	c->state = WEB_READING;
	c->deadline = ktime_add(now, WEB_HEAD_NS);
	c->store = page_alloc(WEB_STORE_ORDER);
	if (c->store) {
		http_parser_next(&c->parser, web_store(c));
		return true;
	}
	web_count(WEB_REFUSED_MEMORY, 1);
	web_give_up(c, 503, S("the machine is short of memory"), now);
	return false;
}

/* A head is complete: refuse before the body where that saves the client from sending it. */
static bool web_on_head(struct web_conn *c, ktime now)
{
	const struct http_request *req = &c->parser.req;
	c->is_head = req->method == HTTP_HEAD_METHOD;
	c->close_after = !req->keep_alive || web_is_leaving();
	web_judge(c);
	if (!req->expect_continue)
		return true;
	if (c->refusal.status) {
		c->close_after = true; /* whether the body comes is not known */
		web_reply(c);
		web_send_begin(c, now);
		return false;
	}
	c->out = abuf_of(c->out_bytes, sizeof(c->out_bytes));
	http_continue(&c->out);
	struct size_result r = tcp_send(c->tcp, abuf_bytes(&c->out), 0, KTIME_ZERO);
	/* A queue that takes not even this has a client that does not read. */
	return r.err == OK && r.value == c->out.len;
}

/* What the parser says no to. */
static struct str web_parser_why(uint16_t status)
{
	switch (status) {
	case 413:
		return S("the content is more than any address takes");
	case 414:
		return S("the request line is too long");
	case 417:
		return S("nothing but 100-continue can be expected");
	case 431:
		return S("the fields are too many, or too long");
	case 501:
		return S("this method or transfer coding is not known");
	case 505:
		return S("HTTP/1.1 is spoken, and HTTP/1.0");
	default:
		return S("the request is not well-formed");
	}
}

/* Acts on one step of the parser. False: stop reading for now. */
static bool web_on_step(struct web_conn *c, const struct http_step *s, ktime now)
{
	switch (s->event) {
	case HTTP_MORE:
		return true;
	case HTTP_BODY:
		web_body_add(c, s->body);
		return true;
	case HTTP_HEAD:
		return web_on_head(c, now);
	case HTTP_DONE:
		web_count(WEB_REQUESTS, 1);
		web_reply(c);
		break;
	case HTTP_FAIL:
		web_give_up(c, c->parser.status, web_parser_why(c->parser.status), now);
		return false;
	}
	web_send_begin(c, now);
	return false;
}

/* Parses what lies there. The err of tcp_peek, ERR_PIPE at the end of the stream, OK. */
static enum err web_read(struct web_conn *c, ktime now)
{
	struct rbuf in;
	/* What has no bytes of its own, the end of a body, comes first. */
	if (c->state == WEB_READING) {
		struct http_step s = http_input(&c->parser, rbuf_of(NULL, 0));
		if (s.event != HTTP_MORE) {
			(void)web_on_step(c, &s, now);
			return OK;
		}
	}
	enum err err = tcp_peek(c->tcp, &in, KTIME_ZERO);
	if (err != OK)
		return err;
	if (in.len == 0)
		return ERR_PIPE;
	if (c->state == WEB_IDLE && !web_request_begin(c, now))
		return OK;
	size_t used = 0;
	bool more = true;
	while (more && used < in.len) {
		struct http_step s = http_input(&c->parser, rbuf_slice(in, used, in.len));
		used += s.used;
		more = web_on_step(c, &s, now);
		if (!more && c->state == WEB_READING)
			err = ERR_PIPE;
	}
	tcp_consume(c->tcp, used);
	return err;
}

bool web_conn_run(struct web_conn *c, ktime now)
{
	for (unsigned turn = 0; turn < WEB_TURN_REQUESTS;) {
		enum err err;
		if (c->state == WEB_DELIVERED)
			return false;
		if (c->state == WEB_SOCKET)
			return web_socket_run(c, now);
		if (c->state == WEB_STREAM) {
			err = web_stream_run(c, now);
		} else if (c->state == WEB_SENDING) {
			err = web_send(c, now);
			if (err == OK) {
				web_reply_done(c, now);
				turn++;
			}
		} else {
			err = web_read(c, now);
		}
		if (err == ERR_AGAIN || err == ERR_TIMEDOUT)
			return true;
		if (err != OK) {
			if (c->state != WEB_IDLE)
				web_count(WEB_BROKEN, 1);
			return false;
		}
	}
	return true;
}

/* Idle, it ends; a request that is there has its reply first, a socket our close, a stream its end. */
bool web_conn_leave(struct web_conn *c, ktime now)
{
	c->close_after = true;
	if (c->state == WEB_SOCKET)
		web_socket_go_away(c->socket, now);
	else if (c->state == WEB_STREAM)
		web_stream_finish_soon(c->stream);
	bool alive = web_conn_run(c, now);
	if (!alive || c->state != WEB_IDLE)
		return alive;
	c->state = WEB_DELIVERED;
	return false;
}

bool web_send_in_time(struct web_conn *c, ktime now)
{
	ktime since = ktime_max(tcp_backlog(c->tcp).since, c->began);
	ktime until = ktime_min(ktime_add(since, WEB_SEND_NS), c->last);
	c->deadline = until;
	return ktime_before(now, until);
}

bool web_may_send(const struct web_conn *c)
{
	return c->handed && tcp_backlog(c->tcp).bytes <= TCP_LOW_BYTES;
}

bool web_keeps_up(struct web_conn *c, ktime now)
{
	bool in_time = web_may_send(c) || web_send_in_time(c, now);
	c->deadline = KTIME_ZERO;
	if (!in_time)
		web_count(WEB_TIMEOUTS, 1);
	return in_time;
}

bool web_conn_timeout(struct web_conn *c, struct web_push *push, ktime now)
{
	if (c->state == WEB_SOCKET)
		return web_socket_sweep(c, push, now);
	if (c->state == WEB_STREAM)
		return web_stream_sweep(c, push, now);
	if (c->state == WEB_IDLE) {
		web_count(WEB_IDLE_CLOSED, 1);
		return false;
	}
	if (c->state == WEB_SENDING && web_send_in_time(c, now))
		return web_conn_run(c, now);
	web_count(WEB_TIMEOUTS, 1);
	if (c->state == WEB_SENDING)
		return false;
	web_give_up(c, 408, S("the request did not arrive in time"), now);
	return web_conn_run(c, now);
}
