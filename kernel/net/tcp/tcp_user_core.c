/*
 * tcp_user_core.c - what the user of a connection does: send, receive, close.
 *
 * Reference: RFC 9293 3.10.2 to 3.10.5; RFC 1122 4.2.2.13 (half close);
 * RFC 2525 2.17 (a close with unread data resets).
 */
#include "kernel/net/tcp/tcp_steps.h"

static enum err tcp_not_open(const struct tcp_core *c)
{
	return c->error != OK ? c->error : ERR_NOTCONN;
}

enum err tcp_user_send(struct tcp_core *c, uint32_t n, bool more, ktime now)
{
	if (c->state == TCP_CLOSED || c->state == TCP_LISTEN)
		return tcp_not_open(c);
	if (c->fin_queued)
		return ERR_PIPE;
	/* Half the sequence space would make old and new the same. */
	assert((uint32_t)seq_diff(c->snd_end, c->snd_una) + n < 1u << 30);
	if (seq_eq(c->snd_end, c->snd_una))
		c->progress = now;
	c->snd_end = seq_add(c->snd_end, n);
	c->more = more;
	debug_assert(tcp_invariants_hold(c));
	return OK;
}

void tcp_user_recv(struct tcp_core *c, uint32_t n)
{
	assert(n <= c->unread);
	c->unread -= n;
	bool open = c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_1 ||
		c->state == TCP_FIN_WAIT_2;
	if (open && tcp_window_update_due(c))
		c->ack_now = true;
	debug_assert(tcp_invariants_hold(c));
}

static void tcp_queue_fin(struct tcp_core *c, ktime now)
{
	if (c->fin_queued)
		return;
	if (seq_eq(c->snd_end, c->snd_una))
		c->progress = now;
	c->fin_queued = true;
	c->more = false;
	if (c->state == TCP_ESTABLISHED)
		tcp_set_state(c, TCP_FIN_WAIT_1);
	else if (c->state == TCP_CLOSE_WAIT)
		tcp_set_state(c, TCP_LAST_ACK);
	/* SYN_SENT, SYN_RECEIVED: tcp_established() moves on */
}

enum err tcp_user_shutdown(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	tcp_out_init(out);
	if (c->state == TCP_CLOSED || c->state == TCP_LISTEN)
		return tcp_not_open(c);
	tcp_queue_fin(c, now);
	debug_assert(tcp_invariants_hold(c));
	return OK;
}

/* Nobody waits for this connection any more: it ends by itself, and within a bounded time. */
static void tcp_orphan(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	c->user_gone = true;
	if (c->state == TCP_LISTEN || c->state == TCP_SYN_SENT) {
		tcp_end(c, OK, out);
		return;
	}
	tcp_queue_fin(c, now);
	if (c->state == TCP_FIN_WAIT_2)
		tcp_timer_fin_wait_2_arm(c, now);
	else
		c->timer[TCP_TIMER_ORPHAN] =
			ktime_add(now, c->cfg.orphan_ns ? c->cfg.orphan_ns : TCP_ORPHAN_NS);
}

void tcp_user_close(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	tcp_out_init(out);
	if (tcp_is_done(c))
		return;
	bool receiving = c->state != TCP_CLOSING && c->state != TCP_LAST_ACK;
	if (receiving && (c->unread > 0 || c->reass.n > 0)) {
		c->user_gone = true;
		tcp_end_reset(c, ERR_CONNABORTED, out);
		return;
	}
	tcp_orphan(c, now, out);
	debug_assert(tcp_invariants_hold(c));
}

void tcp_user_drain(struct tcp_core *c, uint32_t bytes, ktime now, struct tcp_out *out)
{
	tcp_out_init(out);
	if (tcp_is_done(c))
		return;
	c->draining = true;
	c->drain = bytes;
	c->reass.n = 0;
	tcp_user_recv(c, c->unread);
	tcp_orphan(c, now, out);
	debug_assert(tcp_invariants_hold(c));
}

void tcp_user_abort(struct tcp_core *c, unused ktime now, struct tcp_out *out)
{
	tcp_out_init(out);
	c->user_gone = true;
	if (tcp_is_done(c))
		return;
	if (c->state == TCP_CLOSING || c->state == TCP_LAST_ACK)
		tcp_end(c, ERR_CONNABORTED, out);
	else
		tcp_end_reset(c, ERR_CONNABORTED, out);
}

void tcp_user_forget(struct tcp_core *c, struct tcp_out *out)
{
	tcp_out_init(out);
	assert(c->state == TCP_SYN_RECEIVED);
	tcp_end(c, ERR_NFILE, out);
}

void tcp_user_keepalive(struct tcp_core *c, int64_t idle_ns, ktime now)
{
	c->cfg.keep_idle_ns = idle_ns;
	tcp_timer_stop(c, TCP_TIMER_KEEP);
	if (!tcp_is_done(c) && c->state >= TCP_ESTABLISHED)
		tcp_timer_keep_restart(c, now);
	debug_assert(tcp_invariants_hold(c));
}

void tcp_set_mtu(struct tcp_core *c, uint32_t mtu, unused ktime now)
{
	uint32_t fixed = 40 + (c->has_ts ? TCP_TS_OPTION_BYTES : 0);
	uint32_t mss = max(mtu, fixed + TCP_MSS_MIN) - fixed;
	if (mss >= c->mss || tcp_is_done(c) || c->state < TCP_ESTABLISHED)
		return;
	c->mss = c->cc.mss = mss;
	if (seq_gt(c->snd_max, c->snd_una))
		c->rtx_now = true; /* what was too large is lost; the rest follows by the timer or its ACKs */
	debug_assert(tcp_invariants_hold(c));
}
