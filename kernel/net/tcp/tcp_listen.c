/*
 * tcp_listen.c - listeners: who accepts connections on a port.
 *
 * A connection belongs to its listener from the SYN to tcp_accept(): it counts
 * in `pending`, half-open or waiting in the queue. When there is no place for a new
 * SYN the oldest half-open connection gives way (RFC 4987 3.4) if it was left unanswered
 * for a first timeout, so that a flood costs its own; otherwise the SYN is dropped, and
 * the peer tries again.
 * The reference of the accept queue is the one that becomes the user's.
 *
 * Closing waits for nobody: nothing new is made for a listener that is closing
 * (tcp_table_insert), and the last that was pending frees its place.
 *
 * Locks: tcp_table_lock guards listeners; the connection's lock is outside it.
 */
#include "kernel/net/tcp/tcp_priv.h"

static struct tcp_listener tcp_listeners[CONFIG_TCP_LISTENERS]; /* tcp_table_lock */

static struct tcp_listener *tcp_listener_find_locked(uint32_t addr, uint16_t port, bool exact)
{
	struct tcp_listener *any = NULL;
	for (size_t i = 0; i < CONFIG_TCP_LISTENERS; i++) {
		struct tcp_listener *l = &tcp_listeners[i];
		if (!l->used || l->port != port)
			continue;
		if (l->addr == addr)
			return l;
		if (l->addr == IPV4_ANY && !exact)
			any = l;
	}
	return any;
}

static struct tcp_listener *tcp_listener_take_locked(uint32_t addr, uint16_t port, uint16_t backlog)
{
	for (size_t i = 0; i < CONFIG_TCP_LISTENERS; i++) {
		struct tcp_listener *l = &tcp_listeners[i];
		if (l->used)
			continue;
		*l = (struct tcp_listener){.addr = addr, .port = port, .used = true};
		l->backlog = max(backlog, (uint16_t)1);
		list_init(&l->half);
		list_init(&l->queue);
		list_init(&l->poll.node);
		waitq_init(&l->waiters);
		return l;
	}
	return NULL;
}

struct tcp_listener_result tcp_listen(uint32_t addr, uint16_t port, uint16_t backlog)
{
	if (port == 0)
		return ERR_RESULT(tcp_listener_result, ERR_INVAL);
	if (addr != IPV4_ANY && !ipv4_is_local(addr))
		return ERR_RESULT(tcp_listener_result, ERR_ADDRNOTAVAIL);
	struct tcp_listener *l = NULL;
	spin_lock(&tcp_table_lock);
	bool taken = tcp_listener_find_locked(addr, port, true);
	if (!taken)
		l = tcp_listener_take_locked(addr, port, backlog);
	spin_unlock(&tcp_table_lock);
	if (l)
		return OK_RESULT(tcp_listener_result, l);
	if (!taken)
		tcp_count(TCP_REFUSED_LISTENERS);
	return ERR_RESULT(tcp_listener_result, taken ? ERR_ADDRINUSE : ERR_NFILE);
}

static void tcp_listener_unpend_locked(struct tcp_listener *l)
{
	assert(l->pending > 0);
	if (--l->pending == 0 && l->closing)
		l->used = false;
}

static struct tcp_conn *tcp_listener_pop(struct tcp_listener *l)
{
	spin_lock(&tcp_table_lock);
	struct list *n = list_pop_front(&l->queue);
	struct tcp_conn *c = n ? list_entry(n, struct tcp_conn, accept) : NULL;
	if (c) {
		c->listener = NULL;
		tcp_listener_unpend_locked(l);
	}
	if (list_is_empty(&l->queue))
		tcp_pollset_update(&l->poll, 0);
	spin_unlock(&tcp_table_lock);
	return c;
}

struct tcp_conn_result tcp_accept(struct tcp_listener *l, ktime deadline)
{
	for (;;) {
		struct tcp_conn *c = tcp_listener_pop(l);
		if (c) {
			tcp_count(TCP_ACCEPTED);
			return OK_RESULT(tcp_conn_result, c);
		}
		if (deadline.ns == 0)
			return ERR_RESULT(tcp_conn_result, ERR_AGAIN);
		enum err e = waitq_wait_until(&l->waiters, !list_is_empty(&l->queue), deadline,
			S("tcp_accept"));
		if (e != OK)
			return ERR_RESULT(tcp_conn_result, e);
	}
}

static void tcp_listen_release(struct tcp_listener *l)
{
	spin_lock(&tcp_table_lock);
	tcp_listener_unpend_locked(l);
	spin_unlock(&tcp_table_lock);
}

/* Every connection that still names it; bounded by the table. */
static void tcp_listener_abandon(struct tcp_listener *l)
{
	for (size_t i = 0; i < CONFIG_TCP_CONNECTIONS; i++) {
		struct tcp_conn *c = tcp_table_at(i);
		if (!c)
			continue;
		mutex_lock(&c->lock);
		if (c->listener == l && !tcp_is_done(&c->core))
			tcp_conn_abort(c, clock_now());
		mutex_unlock(&c->lock);
		tcp_conn_put(c);
	}
}

void tcp_listener_close(struct tcp_listener *l)
{
	struct tcp_conn *c;
	spin_lock(&tcp_table_lock);
	assert(l->used && !l->closing);
	l->closing = true;
	l->port = 0;
	l->pending++; /* its place stays ours until the end */
	tcp_pollset_update(&l->poll, 0);
	l->poll.set = NULL;
	spin_unlock(&tcp_table_lock);
	tcp_listener_abandon(l);
	while ((c = tcp_listener_pop(l)) != NULL)
		tcp_abort(c);
	tcp_listen_release(l);
}

/* The half-open connection whose end makes place for another; NULL: there is place, or none to be made. */
static struct tcp_conn *tcp_listener_full_locked(struct tcp_listener *l)
{
	if (l->pending < l->backlog)
		return tcp_table_half_open_full_locked();
	struct list *oldest = l->half.next;
	return oldest == &l->half ? NULL : list_entry(oldest, struct tcp_conn, accept);
}

/* A place in the backlog, or why not; *old is who gives way, with a reference, when asked again. */
static enum err tcp_listen_reserve(const struct tcp_tuple *t, struct tcp_listener **out,
	struct tcp_conn **old)
{
	enum err e = ERR_CONNREFUSED;
	*old = NULL;
	spin_lock(&tcp_table_lock);
	struct tcp_listener *l = tcp_listener_find_locked(t->local, t->local_port, false);
	if (l) {
		*old = tcp_listener_full_locked(l);
		e = !*old && l->pending < l->backlog ? OK : ERR_AGAIN;
		l->pending += e == OK;
		if (*old)
			tcp_conn_get(*old);
	}
	spin_unlock(&tcp_table_lock);
	*out = l;
	return e;
}

/* Once its SYN,ACK had to be sent again. Before that, its answer may be on its way: a burst is not a flood. */
static void tcp_listen_recycle(struct tcp_conn *old, ktime now)
{
	struct tcp_out out;
	mutex_lock(&old->lock);
	if (old->core.state == TCP_SYN_RECEIVED && old->core.passive && old->core.rtx_count > 0) {
		tcp_count(TCP_HALF_OPEN_RECYCLED);
		tcp_user_forget(&old->core, &out);
		tcp_conn_apply(old, &out, NULL, now);
		tcp_conn_run(old, now);
	}
	mutex_unlock(&old->lock);
	tcp_conn_put(old);
}

/* A new connection in LISTEN, in the table, locked; NULL when a limit refuses it. */
static struct tcp_conn *tcp_listen_open(const struct tcp_tuple *t, struct tcp_listener *l, ktime now)
{
	struct ipv4_route route;
	if (ipv4_route(t->remote, &route) != OK) {
		tcp_count(TCP_REFUSED_NO_ROUTE);
		return NULL;
	}
	struct tcp_conn_result r = tcp_conn_create(t, route.mtu);
	if (r.err != OK)
		return NULL;
	struct tcp_conn *c = r.value;
	struct tcp_config cfg = c->core.cfg;
	mutex_lock(&c->lock);
	tcp_open_passive(&c->core, &cfg, tcp_isn(tcp_tuple_hash(t), now), now);
	c->listener = l;
	if (tcp_table_insert(c, true) == OK)
		return c;
	c->listener = NULL; /* its place in the backlog is given back by the caller */
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
	return NULL;
}

bool tcp_listen_input(const struct tcp_tuple *t, const struct tcp_seg *seg, ktime now)
{
	struct tcp_listener *l;
	struct tcp_conn *old;
	enum err e = tcp_listen_reserve(t, &l, &old);
	if (old) {
		tcp_listen_recycle(old, now);
		e = tcp_listen_reserve(t, &l, &old);
		if (old) /* it keeps its place, or was completed at this moment; the peer tries again */
			tcp_conn_put(old);
	}
	if (e == ERR_AGAIN)
		tcp_count(TCP_REFUSED_BACKLOG);
	if (e != OK)
		return e == ERR_AGAIN;
	struct tcp_conn *c = tcp_listen_open(t, l, now);
	if (!c) {
		tcp_listen_release(l);
		return true;
	}
	struct tcp_out out;
	tcp_count(TCP_OPENED_PASSIVE);
	tcp_input(&c->core, seg, now, &out);
	tcp_conn_apply(c, &out, NULL, now);
	tcp_conn_run(c, now);
	mutex_unlock(&c->lock);
	tcp_conn_put(c); /* the table has its own, the accept queue will take one */
	return true;
}

void tcp_listen_ready(struct tcp_conn *c)
{
	struct tcp_listener *l = c->listener;
	tcp_conn_get(c);
	spin_lock(&tcp_table_lock);
	list_remove(&c->accept);
	list_push_back(&l->queue, &c->accept);
	tcp_pollset_update(&l->poll, TCP_READY_IN);
	waitq_wake_one(&l->waiters); /* with the lock: the place of a listener may be somebody else's after it */
	spin_unlock(&tcp_table_lock);
}

/* Ended while half-open: its place is free. One in the queue stays: the user learns of it by accept. */
void tcp_listen_failed(struct tcp_conn *c)
{
	spin_lock(&tcp_table_lock);
	if (c->listener && c->half_open) {
		list_remove(&c->accept);
		tcp_listener_unpend_locked(c->listener);
		c->listener = NULL;
	}
	spin_unlock(&tcp_table_lock);
}

bool tcp_listener_at(size_t i, struct tcp_addr *out)
{
	spin_lock(&tcp_table_lock);
	bool used = i < CONFIG_TCP_LISTENERS && tcp_listeners[i].used && !tcp_listeners[i].closing;
	if (used)
		*out = (struct tcp_addr){tcp_listeners[i].addr, tcp_listeners[i].port};
	spin_unlock(&tcp_table_lock);
	return used;
}
