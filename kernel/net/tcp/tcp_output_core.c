/*
 * tcp_output_core.c - the next segment to send.
 *
 * One place decides, in this order: SYN, fast retransmission, data and FIN as
 * far as both windows allow, a probe of a shut window, a keep-alive, a bare ACK.
 *
 * Reference: RFC 9293 3.8.6.2 (silly windows, Nagle), 3.8.6.1 (probes), RFC 3042
 * (limited transmit), RFC 7323 2.3 and 3.2, RFC 5681 4.1 (restart after idleness).
 */
#include "kernel/net/tcp/tcp_steps.h"

/* The window that the reader's room allows, as far as the field can say it. */
static uint32_t tcp_rcv_space(const struct tcp_core *c)
{
	return min(c->cfg.rcv_buf - c->unread, 65535u << c->rcv_scale);
}

/* The window field; moves the offered edge only by a step worth it (RFC 9293 3.8.6.2.2). */
static uint16_t tcp_window_field(struct tcp_core *c)
{
	uint32_t now = tcp_rcv_window(c);
	uint32_t space = tcp_rcv_space(c);
	if (space > now && space - now >= min(c->cfg.rcv_buf / 2, c->rcv_mss))
		now = space;
	uint32_t field = min(now >> c->rcv_scale, 65535u);
	c->rcv_adv = seq_max(c->rcv_adv, seq_add(c->rcv_nxt, field << c->rcv_scale));
	return (uint16_t)field;
}

/* The reader has made room that the peer should hear of without waiting for a segment of ours. */
bool tcp_window_update_due(const struct tcp_core *c)
{
	uint32_t now = tcp_rcv_window(c);
	uint32_t space = tcp_rcv_space(c);
	return space > now && space - now >= min(c->cfg.rcv_buf / 2, 2 * c->rcv_mss);
}

/*
 * Where an empty segment stands: SND.NXT, unless that lies beyond the peer's
 * window, where it would not be acceptable (a probe's byte, or a window taken
 * back). Within the granularity of the scale it is (RFC 7323 2.4).
 */
tcp_seq tcp_ack_seq(const struct tcp_core *c)
{
	tcp_seq edge = seq_add(c->snd_una, c->snd_wnd);
	int32_t over = seq_diff(c->snd_max, edge);
	if (over <= 0 || (c->snd_wnd > 0 && over < 1 << c->snd_scale))
		return c->snd_max;
	return edge;
}

/* All fields of a segment that carries an ACK; it also says all that a bare ACK would. */
static void tcp_fill(struct tcp_core *c, ktime now, struct tcp_seg *tx, tcp_seq seq, uint32_t len,
	uint8_t flags)
{
	tx->seq = seq;
	tx->ack = c->rcv_nxt;
	tx->len = len;
	tx->off = len ? (uint32_t)seq_diff(seq, c->snd_una) : 0;
	tx->flags = flags | TCP_ACK;
	tx->wnd = tcp_window_field(c);
	tx->no_room = false;
	tx->opt = (struct tcp_opts){.has_ts = c->has_ts};
	if (c->has_ts) {
		tx->opt.tsval = tcp_ts_now(c, now);
		tx->opt.tsecr = c->ts_recent;
	}
	c->last_ack = c->rcv_nxt;
	c->ack_now = false;
	tcp_timer_stop(c, TCP_TIMER_DELACK);
}

void tcp_fill_reset(struct tcp_core *c, struct tcp_seg *tx)
{
	*tx = (struct tcp_seg){
		.seq = tcp_ack_seq(c),
		.ack = c->rcv_nxt,
		.flags = TCP_RST | TCP_ACK,
	};
}

static bool tcp_emit_syn(struct tcp_core *c, ktime now, struct tcp_seg *tx)
{
	if (!seq_eq(c->snd_nxt, c->iss))
		return false;
	bool first = seq_eq(c->snd_max, c->iss);
	*tx = (struct tcp_seg){
		.seq = c->iss,
		.flags = TCP_SYN,
		.wnd = (uint16_t)min(c->cfg.rcv_buf, 65535u), /* never scaled in a SYN */
		.opt.mss = c->cfg.mss,
		.opt.has_scale = c->has_scale,
		.opt.scale = c->rcv_scale,
		.opt.has_ts = c->has_ts,
		.opt.tsval = tcp_ts_now(c, now),
	};
	if (c->state == TCP_SYN_RECEIVED) {
		tx->flags |= TCP_ACK;
		tx->ack = c->rcv_nxt;
		tx->opt.tsecr = c->has_ts ? c->ts_recent : 0;
	}
	c->snd_nxt = c->snd_max = seq_add(c->iss, 1);
	c->rtt_timed = first;
	c->rtt_seq = c->snd_max;
	if (first)
		c->rtt_start = now;
	else
		c->retransmits++;
	if (!tcp_timer_armed(c, TCP_TIMER_RTX))
		tcp_timer_rtx_restart(c, now);
	c->ack_now = false;
	return true;
}

/* Bytes beyond snd_nxt that both windows allow, with RFC 3042's segment for each early duplicate. */
static uint32_t tcp_usable(const struct tcp_core *c)
{
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	uint32_t cwnd = c->cc.cwnd;
	if (!c->in_recovery && c->dup_acks > 0)
		cwnd += min(c->dup_acks, 2) * c->mss;
	uint32_t limit = min(cwnd, c->snd_wnd);
	return limit > flight ? limit - flight : 0;
}

/*
 * RFC 9293 3.8.6.2.1 on a segment of len out of `queued` bytes. Nagle's condition as
 * Minshall put it: a part segment waits for the one before it, not for full ones.
 * Otherwise the tail of each write meets the peer's delayed ACK, 40 ms a time.
 */
static bool tcp_worth_sending(const struct tcp_core *c, uint32_t len, uint32_t queued, bool fin)
{
	if (len == c->mss || fin || c->force_now || seq_lt(c->snd_nxt, c->snd_max))
		return true;
	if (len == 0)
		return false;
	if (!c->cfg.no_delay && seq_gt(c->snd_small, c->snd_una))
		return false;
	return (len == queued && !c->more) || len >= c->snd_wnd_max / 2;
}

/* What was sent reaches `to`: the payload beyond the old mark is counted; false if nothing is. */
static bool tcp_raise_max(struct tcp_core *c, tcp_seq to)
{
	if (seq_le(to, c->snd_max))
		return false;
	tcp_seq data = seq_min(to, c->snd_end);
	if (seq_gt(data, c->snd_max))
		c->tx_bytes += (uint32_t)seq_diff(data, c->snd_max);
	c->snd_max = to;
	return true;
}

static void tcp_sent(struct tcp_core *c, ktime now, uint32_t space)
{
	bool fresh = seq_eq(c->snd_nxt, c->snd_max);
	if (seq_eq(c->snd_nxt, c->snd_una) && fresh)
		c->progress = now; /* from here on something is waited for */
	c->snd_nxt = seq_add(c->snd_nxt, space);
	if (!tcp_raise_max(c, c->snd_nxt))
		c->retransmits++;
	if (fresh && !c->rtt_timed && !c->in_recovery) {
		c->rtt_timed = true;
		c->rtt_seq = c->snd_nxt;
		c->rtt_start = now;
	}
	c->last_sent = now;
	c->force_now = c->probe_now = false;
	if (!tcp_timer_armed(c, TCP_TIMER_RTX))
		tcp_timer_rtx_restart(c, now);
}

static bool tcp_emit_data(struct tcp_core *c, ktime now, struct tcp_seg *tx)
{
	int32_t left = seq_diff(c->snd_end, c->snd_nxt);
	if (left < 0 || (left == 0 && !c->fin_queued))
		return false;
	/* RFC 5681 4.1 */
	if (seq_eq(c->snd_max, c->snd_una) && ktime_diff(now, c->last_sent) > tcp_rto_ns(&c->rtt))
		c->cc.ops->idle(&c->cc);
	uint32_t queued = (uint32_t)left, usable = tcp_usable(c);
	uint32_t len = min(queued, usable);
	len = min(len, c->mss);
	bool fin = c->fin_queued && len == queued && usable > len;
	if ((len == 0 && !fin) || !tcp_worth_sending(c, len, queued, fin))
		return false;
	uint8_t flags = (fin ? TCP_FIN : 0) | (len && len == queued ? TCP_PSH : 0);
	tcp_fill(c, now, tx, c->snd_nxt, len, flags);
	if (len < c->mss)
		c->snd_small = seq_add(c->snd_nxt, len);
	tcp_sent(c, now, len + fin);
	return true;
}

/* Fast retransmission: the first segment not acknowledged, whatever the windows say. */
static bool tcp_emit_rtx(struct tcp_core *c, ktime now, struct tcp_seg *tx)
{
	if (!c->rtx_now)
		return false;
	c->rtx_now = false;
	int32_t sent = seq_diff(c->snd_max, c->snd_una);
	if (sent <= 0)
		return false;
	int32_t data = seq_diff(seq_min(c->snd_end, c->snd_max), c->snd_una);
	uint32_t len = data > 0 ? min((uint32_t)data, c->mss) : 0;
	bool fin = c->fin_queued && seq_eq(seq_add(c->snd_una, len), c->snd_end) &&
		seq_gt(c->snd_max, c->snd_end);
	tcp_fill(c, now, tx, c->snd_una, len, fin ? TCP_FIN : 0);
	c->snd_nxt = seq_max(c->snd_nxt, seq_add(c->snd_una, len + fin));
	c->retransmits++;
	c->rtt_timed = false;
	if (!tcp_timer_armed(c, TCP_TIMER_RTX))
		tcp_timer_rtx_restart(c, now);
	return true;
}

/* One octet beyond a shut window, data or FIN; snd_nxt stays, so that it goes again with the rest. */
static bool tcp_emit_probe(struct tcp_core *c, ktime now, struct tcp_seg *tx)
{
	if (!c->probe_now)
		return false;
	c->probe_now = false;
	if (seq_ge(c->snd_una, tcp_send_end(c)))
		return false;
	bool fin = seq_eq(c->snd_una, c->snd_end);
	tcp_fill(c, now, tx, c->snd_una, !fin, fin ? TCP_FIN : 0);
	tcp_raise_max(c, seq_add(c->snd_una, 1));
	return true;
}

static bool tcp_emit_ack(struct tcp_core *c, ktime now, struct tcp_seg *tx)
{
	if (c->keep_now) { /* RFC 9293 3.8.4: a number that the peer has seen makes it answer */
		c->keep_now = false;
		tcp_fill(c, now, tx, seq_sub(c->snd_una, 1), 0, 0);
		return true;
	}
	if (!c->ack_now)
		return false;
	tcp_fill(c, now, tx, tcp_ack_seq(c), 0, 0);
	return true;
}

bool tcp_emit(struct tcp_core *c, ktime now, struct tcp_seg *tx)
{
	switch (c->state) {
	case TCP_CLOSED:
	case TCP_LISTEN:
		return false;
	case TCP_SYN_SENT:
		return tcp_emit_syn(c, now, tx);
	case TCP_SYN_RECEIVED:
		return tcp_emit_syn(c, now, tx) || tcp_emit_ack(c, now, tx);
	case TCP_TIME_WAIT:
		return tcp_emit_ack(c, now, tx);
	default:
		break;
	}
	return tcp_emit_rtx(c, now, tx) || tcp_emit_data(c, now, tx) ||
		tcp_emit_probe(c, now, tx) || tcp_emit_ack(c, now, tx);
}

void tcp_poll(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	tcp_out_init(out);
	tcp_timers_run(c, now, out);
	if (out->send)
		return; /* the reset of a connection that timed out */
	out->send = tcp_emit(c, now, &out->tx);
	/* Something is left, nothing is on its way: only a timer can move it on. */
	bool waiting = c->state >= TCP_ESTABLISHED && c->state != TCP_TIME_WAIT &&
		seq_eq(c->snd_nxt, c->snd_una) && seq_lt(c->snd_nxt, tcp_send_end(c));
	if (!out->send && waiting && !tcp_timer_armed(c, TCP_TIMER_PERSIST))
		tcp_timer_persist_arm(c, now);
	c->force_now = false;
	debug_assert(tcp_invariants_hold(c));
}
