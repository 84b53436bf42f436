/*
 * tcp_state_core.c - the states of a connection and the edges between them.
 *
 * tcp_set_state() is the only writer of c->state. Reference: RFC 9293 3.3.2,
 * figure 5, and the edges to CLOSED that resets, timeouts and ABORT add.
 */
#include "kernel/net/tcp/tcp_steps.h"

#define B(s) (1u << TCP_##s)

static const uint16_t tcp_edges[TCP_STATE_COUNT] = {
	[TCP_CLOSED] = B(LISTEN) | B(SYN_SENT),
	[TCP_LISTEN] = B(SYN_RECEIVED) | B(CLOSED),
	[TCP_SYN_SENT] = B(SYN_RECEIVED) | B(ESTABLISHED) | B(CLOSED),
	[TCP_SYN_RECEIVED] = B(ESTABLISHED) | B(CLOSED),
	[TCP_ESTABLISHED] = B(FIN_WAIT_1) | B(CLOSE_WAIT) | B(CLOSED),
	[TCP_FIN_WAIT_1] = B(FIN_WAIT_2) | B(CLOSING) | B(TIME_WAIT) | B(CLOSED),
	[TCP_FIN_WAIT_2] = B(TIME_WAIT) | B(CLOSED),
	[TCP_CLOSE_WAIT] = B(LAST_ACK) | B(CLOSED),
	[TCP_CLOSING] = B(TIME_WAIT) | B(CLOSED),
	[TCP_LAST_ACK] = B(CLOSED),
	[TCP_TIME_WAIT] = B(CLOSED),
};

#define TCP_STATE_TEXT(s) [TCP_##s] = STR_INIT(#s),
static const struct str tcp_state_names[TCP_STATE_COUNT] = {TCP_STATES(TCP_STATE_TEXT)};

struct str tcp_state_name(enum tcp_state s)
{
	assert(s < TCP_STATE_COUNT);
	return tcp_state_names[s];
}

void tcp_set_state(struct tcp_core *c, enum tcp_state to)
{
	assert(tcp_edges[c->state] & 1u << to);
	c->state = to;
}

static void tcp_stop_all(struct tcp_core *c)
{
	for (int t = 0; t < TCP_TIMER_COUNT; t++)
		tcp_timer_stop(c, t);
	c->ack_now = c->rtx_now = c->probe_now = c->keep_now = c->force_now = false;
}

/* The handshake is complete: the window is known, data may flow. */
void tcp_established(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	tcp_set_state(c, TCP_ESTABLISHED);
	if (c->syn_lost && c->rtt.srtt_ns == 0)
		c->rtt.rto_ns = TCP_RTO_RESYN_NS;
	c->rtt.backoff = 0;
	c->cc = (struct tcp_cong){.ops = c->cfg.cong, .mss = c->mss};
	c->cc.ops->init(&c->cc, c->syn_lost);
	c->heard = c->progress = c->last_sent = now;
	tcp_timer_keep_restart(c, now);
	out->events |= TCP_EV_CONNECTED | TCP_EV_WRITABLE;
	if (c->fin_queued)
		tcp_set_state(c, TCP_FIN_WAIT_1);
}

void tcp_enter_time_wait(struct tcp_core *c, struct tcp_out *out)
{
	bool ack = c->ack_now;
	tcp_set_state(c, TCP_TIME_WAIT);
	tcp_stop_all(c);
	c->ack_now = ack;
	out->events |= TCP_EV_TIME_WAIT;
}

void tcp_end(struct tcp_core *c, enum err why, struct tcp_out *out)
{
	tcp_set_state(c, TCP_CLOSED);
	tcp_stop_all(c);
	c->error = why;
	out->events |= TCP_EV_CLOSED;
}

void tcp_end_reset(struct tcp_core *c, enum err why, struct tcp_out *out)
{
	if (c->state != TCP_LISTEN && c->state != TCP_SYN_SENT) {
		tcp_fill_reset(c, &out->tx);
		out->send = true;
	}
	tcp_end(c, why, out);
}

bool tcp_fin_acked(const struct tcp_core *c)
{
	return c->fin_queued && seq_gt(c->snd_una, c->snd_end);
}

ktime tcp_deadline(const struct tcp_core *c)
{
	ktime t = c->timer[0];
	for (int i = 1; i < TCP_TIMER_COUNT; i++)
		t = ktime_min(t, c->timer[i]);
	return t;
}

static void tcp_check_receive(const struct tcp_core *c)
{
	assert(c->unread <= c->cfg.rcv_buf);
	assert(seq_le(c->rcv_nxt, c->rcv_adv));
	assert(tcp_rcv_window(c) <= c->cfg.rcv_buf);
	assert(tcp_rcv_window(c) + c->unread <= c->cfg.rcv_buf + 1); /* a FIN takes no room */
	tcp_seq edge = c->rcv_nxt;
	for (uint32_t i = 0; i < c->reass.n; i++) {
		assert(seq_lt(edge, c->reass.r[i].left));
		assert(seq_lt(c->reass.r[i].left, c->reass.r[i].right));
		edge = c->reass.r[i].right;
	}
	assert(seq_le(edge, c->rcv_adv));
}

bool tcp_invariants_hold(const struct tcp_core *c)
{
	if (c->state == TCP_LISTEN || c->state == TCP_CLOSED) {
		assert(ktime_is_never(tcp_deadline(c)));
		return true;
	}
	assert(seq_le(c->iss, c->snd_una));
	assert(seq_le(c->snd_una, c->snd_nxt));
	assert(seq_le(c->snd_nxt, c->snd_max));
	assert(seq_le(c->snd_max, tcp_send_end(c)));
	if (c->state == TCP_SYN_SENT)
		return true;
	tcp_check_receive(c);
	if (c->state == TCP_SYN_RECEIVED)
		return true;
	assert(c->cc.cwnd >= c->mss && c->mss >= TCP_MSS_MIN - TCP_TS_OPTION_BYTES);
	assert(!tcp_timer_armed(c, TCP_TIMER_RTX) || !tcp_timer_armed(c, TCP_TIMER_PERSIST));
	assert(c->state != TCP_TIME_WAIT || ktime_is_never(tcp_deadline(c)));
	/* What is on its way is waited for, so that a loss cannot stall us. */
	if (seq_gt(c->snd_nxt, c->snd_una) && c->state != TCP_TIME_WAIT)
		assert(tcp_timer_armed(c, TCP_TIMER_RTX));
	return true;
}
