/*
 * tcp_api.c - what a user does with a connection: connect, send, receive, close.
 *
 * Each call takes the connection's lock, waits on its condition variable where it
 * may, and leaves the sending to tcp_conn_run().
 */
#include "kernel/net/tcp/tcp_priv.h"

#define TCP_PORT_TRIES 64 /* of 16,384 random ports; then ERR_ADDRINUSE */

static enum err tcp_wait(struct tcp_conn *c, ktime deadline)
{
	if (deadline.ns == 0)
		return ERR_AGAIN;
	return condvar_wait(&c->changed, &c->lock, deadline);
}

static enum err tcp_ended(const struct tcp_conn *c)
{
	return c->core.error != OK ? c->core.error : ERR_NOTCONN;
}

static enum err tcp_choose_port(struct tcp_tuple *t)
{
	for (int i = 0; i < TCP_PORT_TRIES; i++) {
		t->local_port = net_port_random();
		if (tcp_table_port_free(t))
			return OK;
	}
	return ERR_ADDRINUSE;
}

static enum err tcp_connect_wait(struct tcp_conn *c, ktime deadline)
{
	enum err e = OK;
	while (e == OK && (c->core.state == TCP_SYN_SENT || c->core.state == TCP_SYN_RECEIVED))
		e = tcp_wait(c, deadline);
	if (c->core.state == TCP_CLOSED)
		return tcp_ended(c);
	return e == ERR_AGAIN ? OK : e;
}

struct tcp_conn_result tcp_connect(uint32_t addr, uint16_t port, ktime deadline)
{
	struct ipv4_route route;
	if (!ipv4_is_unicast(addr) || port == 0)
		return ERR_RESULT(tcp_conn_result, ERR_INVAL);
	enum err e = ipv4_route(addr, &route);
	struct tcp_tuple t = {.local = route.src, .remote = addr, .remote_port = port};
	if (e == OK)
		e = tcp_choose_port(&t);
	if (e != OK)
		return ERR_RESULT(tcp_conn_result, e);
	struct tcp_conn_result r = tcp_conn_create(&t, route.mtu);
	if (r.err != OK)
		return r;
	struct tcp_conn *c = r.value;
	struct tcp_config cfg = c->core.cfg;
	ktime now = clock_now();
	mutex_lock(&c->lock);
	tcp_open_active(&c->core, &cfg, tcp_isn(tcp_tuple_hash(&t), now), now);
	e = tcp_table_insert(c, false);
	if (e == OK) {
		tcp_count(TCP_OPENED_ACTIVE);
		tcp_conn_run(c, now);
		e = tcp_connect_wait(c, deadline);
	}
	bool in_table = c->in_table;
	mutex_unlock(&c->lock);
	if (e == OK)
		return r;
	if (in_table)
		tcp_abort(c);
	else
		tcp_conn_put(c);
	return ERR_RESULT(tcp_conn_result, e);
}

/* With the lock: room in the send queue, after waiting for it; or why there will be none. */
static struct size_result tcp_send_room(struct tcp_conn *c, ktime deadline)
{
	for (;;) {
		if (c->core.state == TCP_CLOSED)
			return ERR_RESULT(size_result, tcp_ended(c));
		if (c->core.fin_queued)
			return ERR_RESULT(size_result, ERR_PIPE);
		uint64_t queued = c->tx.tail - c->tx.head;
		if (queued < CONFIG_TCP_TX_BYTES)
			return OK_RESULT(size_result, CONFIG_TCP_TX_BYTES - queued);
		enum err e = tcp_wait(c, deadline);
		if (e != OK)
			return ERR_RESULT(size_result, e);
	}
}

/* No buffer is to be had: what of ours is acknowledged gives some back, and room to send with it. */
static enum err tcp_send_starved(struct tcp_conn *c, ktime deadline)
{
	if (c->tx.head == c->tx.tail)
		return ERR_NOBUFS;
	c->starved = true;
	return tcp_wait(c, deadline);
}

static enum err tcp_send_part(struct tcp_conn *c, struct rbuf from, bool more, size_t *done,
	ktime deadline)
{
	struct size_result room = tcp_send_room(c, deadline);
	if (room.err != OK)
		return room.err;
	size_t want = min(room.value, from.len - *done);
	size_t n = tcp_queue_copy_in(c, rbuf_of(from.ptr + *done, want));
	*done += n;
	if (n > 0) {
		ktime now = clock_now();
		enum err e = tcp_user_send(&c->core, (uint32_t)n, more || *done < from.len, now);
		assert(e == OK);
		tcp_conn_run(c, now);
	}
	return n == want ? OK : tcp_send_starved(c, deadline);
}

struct size_result tcp_send(struct tcp_conn *c, struct rbuf from, unsigned flags, ktime deadline)
{
	size_t done = 0;
	enum err e = OK;
	mutex_lock(&c->lock);
	while (done < from.len && e == OK)
		e = tcp_send_part(c, from, flags & TCP_MORE, &done, deadline);
	tcp_pollset_update(&c->poll, tcp_conn_ready(c));
	mutex_unlock(&c->lock);
	if (e == ERR_INTR && done > 0)
		thread_cancel_keep(e);
	if (done > 0 || e == OK)
		return OK_RESULT(size_result, done);
	return ERR_RESULT(size_result, e);
}

enum err tcp_send_ref(struct tcp_conn *c, struct packet_mem *mem, struct rbuf bytes, unsigned flags,
	ktime deadline)
{
	if (bytes.len == 0)
		return OK;
	if (bytes.len > 1u << 28)
		return ERR_MSGSIZE;
	mutex_lock(&c->lock);
	/* One reference may exceed the queue's limit: it costs no memory of ours. */
	enum err e;
	bool taken = false;
	do {
		e = tcp_send_room(c, deadline).err;
		if (e == OK && !(taken = tcp_queue_ref(c, mem, bytes)))
			e = tcp_send_starved(c, deadline);
	} while (e == OK && !taken);
	if (e == OK) {
		ktime now = clock_now();
		e = tcp_user_send(&c->core, (uint32_t)bytes.len, flags & TCP_MORE, now);
		assert(e == OK);
		tcp_conn_run(c, now);
	}
	tcp_pollset_update(&c->poll, tcp_conn_ready(c));
	mutex_unlock(&c->lock);
	return e;
}

/* No byte will ever follow those in the queue. */
static bool tcp_at_end(const struct tcp_conn *c)
{
	const struct tcp_core *k = &c->core;
	return tcp_is_done(k) || k->state == TCP_CLOSE_WAIT || k->state == TCP_LAST_ACK ||
		k->state == TCP_CLOSING;
}

/* With the lock: waits for a byte; OK with an empty queue is the end of the stream. */
static enum err tcp_recv_wait(struct tcp_conn *c, ktime deadline)
{
	while (c->rx.head == c->rx.tail) {
		if (c->core.state == TCP_CLOSED && c->core.error != OK)
			return c->core.error;
		if (tcp_at_end(c))
			return OK;
		enum err e = tcp_wait(c, deadline);
		if (e != OK)
			return e;
	}
	return OK;
}

static void tcp_consume_locked(struct tcp_conn *c, size_t n)
{
	tcp_queue_drop(&c->rx, n);
	tcp_user_recv(&c->core, (uint32_t)n);
	if (c->core.ack_now) /* the window has opened by a step worth telling */
		tcp_conn_run(c, clock_now());
	tcp_pollset_update(&c->poll, tcp_conn_ready(c));
}

struct size_result tcp_recv(struct tcp_conn *c, struct wbuf to, ktime deadline)
{
	size_t done = 0;
	mutex_lock(&c->lock);
	enum err e = to.len ? tcp_recv_wait(c, deadline) : OK;
	struct rbuf part;
	while (e == OK && done < to.len && tcp_queue_peek(&c->rx, &part) > 0) {
		size_t n = min(part.len, to.len - done);
		memcpy(to.ptr + done, part.ptr, n);
		done += n;
		tcp_consume_locked(c, n);
	}
	mutex_unlock(&c->lock);
	return e == OK ? OK_RESULT(size_result, done) : ERR_RESULT(size_result, e);
}

enum err tcp_peek(struct tcp_conn *c, struct rbuf *out, ktime deadline)
{
	mutex_lock(&c->lock);
	enum err e = tcp_recv_wait(c, deadline);
	tcp_queue_peek(&c->rx, out);
	mutex_unlock(&c->lock);
	return e;
}

void tcp_consume(struct tcp_conn *c, size_t n)
{
	mutex_lock(&c->lock);
	tcp_consume_locked(c, n);
	mutex_unlock(&c->lock);
}

enum err tcp_shutdown(struct tcp_conn *c)
{
	struct tcp_out out;
	ktime now = clock_now();
	mutex_lock(&c->lock);
	enum err e = tcp_user_shutdown(&c->core, now, &out);
	if (e == OK)
		tcp_conn_run(c, now);
	tcp_pollset_update(&c->poll, tcp_conn_ready(c));
	mutex_unlock(&c->lock);
	return e;
}

struct tcp_backlog tcp_backlog(struct tcp_conn *c)
{
	mutex_lock(&c->lock);
	struct tcp_backlog b = {c->tx.tail - c->tx.head, c->core.progress, tcp_is_done(&c->core)};
	mutex_unlock(&c->lock);
	return b;
}

enum tcp_finish { TCP_FINISH_CLOSE, TCP_FINISH_DRAIN, TCP_FINISH_ABORT };

static void tcp_finish(struct tcp_conn *c, enum tcp_finish how)
{
	struct tcp_out out;
	ktime now = clock_now();
	tcp_pollset_remove(c);
	mutex_lock(&c->lock);
	tcp_conn_orphan(c);
	if (how == TCP_FINISH_ABORT)
		tcp_user_abort(&c->core, now, &out);
	else if (how == TCP_FINISH_DRAIN)
		tcp_user_drain(&c->core, TCP_DRAIN_BYTES, now, &out);
	else
		tcp_user_close(&c->core, now, &out);
	tcp_receive_clear(c);
	tcp_conn_apply(c, &out, NULL, now);
	tcp_conn_run(c, now);
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
}

void tcp_close(struct tcp_conn *c)
{
	tcp_finish(c, TCP_FINISH_CLOSE);
}

void tcp_drain(struct tcp_conn *c)
{
	tcp_finish(c, TCP_FINISH_DRAIN);
}

void tcp_abort(struct tcp_conn *c)
{
	tcp_finish(c, TCP_FINISH_ABORT);
}

void tcp_set_no_delay(struct tcp_conn *c, bool on)
{
	mutex_lock(&c->lock);
	c->core.cfg.no_delay = on;
	tcp_conn_run(c, clock_now());
	mutex_unlock(&c->lock);
}

void tcp_set_keepalive(struct tcp_conn *c, int64_t idle_ns)
{
	mutex_lock(&c->lock);
	tcp_user_keepalive(&c->core, idle_ns, clock_now());
	tcp_conn_run(c, clock_now());
	mutex_unlock(&c->lock);
}

struct tcp_addr tcp_local(const struct tcp_conn *c)
{
	return (struct tcp_addr){c->tuple.local, c->tuple.local_port};
}

struct tcp_addr tcp_remote(const struct tcp_conn *c)
{
	return (struct tcp_addr){c->tuple.remote, c->tuple.remote_port};
}
