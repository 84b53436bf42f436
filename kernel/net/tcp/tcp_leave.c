/*
 * tcp_leave.c - the machine starts again: what was closed in order has a while to arrive, and every other connection
 * is reset, so that no peer talks to a machine that has forgotten it.
 *
 * One whose FIN the peer has acknowledged is left as it is: the peer has all, and a reset might take it from him.
 *
 * Work: each connection once, its lock taken, as tcp_listener_close() does.
 */
#include "kernel/net/tcp/tcp_priv.h"

/* With the lock: the user has said all, and the peer has not got all of it. */
static bool tcp_leave_is_under_way(const struct tcp_conn *c)
{
	enum tcp_state s = c->core.state;
	return s == TCP_FIN_WAIT_1 || s == TCP_CLOSING || s == TCP_LAST_ACK;
}

static bool tcp_leave_has_arrived(void)
{
	bool arrived = true;
	for (size_t i = 0; arrived && i < CONFIG_TCP_CONNECTIONS; i++) {
		struct tcp_conn *c = tcp_table_at(i);
		if (!c)
			continue;
		mutex_lock(&c->lock);
		arrived = !tcp_leave_is_under_way(c);
		mutex_unlock(&c->lock);
		tcp_conn_put(c);
	}
	return arrived;
}
RESTART(tcp_flush, RESTART_FLUSH, .over = tcp_leave_has_arrived);

static void tcp_leave_reset(void)
{
	for (size_t i = 0; i < CONFIG_TCP_CONNECTIONS; i++) {
		struct tcp_conn *c = tcp_table_at(i);
		if (!c)
			continue;
		mutex_lock(&c->lock);
		if (!tcp_is_done(&c->core) && c->core.state != TCP_FIN_WAIT_2)
			tcp_conn_abort(c, clock_now());
		mutex_unlock(&c->lock);
		tcp_conn_put(c);
	}
}
RESTART(tcp_cut, RESTART_CUT, .begin = tcp_leave_reset);
