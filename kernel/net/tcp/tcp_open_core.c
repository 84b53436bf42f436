/*
 * tcp_open_core.c - how a connection begins: both opens, the options that the
 * two ends agree on, and the input in LISTEN and SYN-SENT.
 *
 * Reference: RFC 9293 3.10.1, 3.10.7.2, 3.10.7.3; 3.7.1 (MSS); RFC 7323 2.2, 3.2.
 */
#include "kernel/net/tcp/tcp_steps.h"

/* The least shift with which the receive buffer can be offered whole. */
static uint8_t tcp_scale_for(uint32_t bytes)
{
	uint8_t s = 0;
	while (s < TCP_SCALE_MAX && bytes >> s > 65535)
		s++;
	return s;
}

static void tcp_open(struct tcp_core *c, const struct tcp_config *cfg, tcp_seq iss, ktime now)
{
	assert(cfg->mss >= TCP_MSS_MIN && cfg->rcv_buf >= 2u * cfg->mss && cfg->rcv_buf < 1u << 30);
	*c = (struct tcp_core){
		.state = TCP_CLOSED,
		.cfg = *cfg,
		.iss = iss,
		.snd_una = iss,
		.snd_nxt = iss,
		.snd_max = iss,
		.snd_end = seq_add(iss, 1),
		.snd_small = iss,
		.recover = iss,
		.mss = TCP_MSS_DEFAULT,
		.rcv_mss = TCP_MSS_DEFAULT,
		.rcv_scale = cfg->no_scale ? 0 : tcp_scale_for(cfg->rcv_buf),
		.has_ts = !cfg->no_ts,
		.has_scale = !cfg->no_scale,
		.heard = now,
		.progress = now,
		.challenge_at = now,
	};
	for (int t = 0; t < TCP_TIMER_COUNT; t++)
		tcp_timer_stop(c, t);
	tcp_rtt_init(&c->rtt);
}

void tcp_open_active(struct tcp_core *c, const struct tcp_config *cfg, tcp_seq iss, ktime now)
{
	tcp_open(c, cfg, iss, now);
	tcp_set_state(c, TCP_SYN_SENT);
	debug_assert(tcp_invariants_hold(c));
}

void tcp_open_passive(struct tcp_core *c, const struct tcp_config *cfg, tcp_seq iss, ktime now)
{
	tcp_open(c, cfg, iss, now);
	c->passive = true;
	tcp_set_state(c, TCP_LISTEN);
}

/* What the peer's SYN says: sequence numbers, MSS, and which extensions both ends have. */
void tcp_peer_options(struct tcp_core *c, const struct tcp_seg *syn, ktime now)
{
	c->irs = syn->seq;
	c->rcv_nxt = seq_add(syn->seq, 1);
	c->last_ack = c->rcv_nxt;
	c->rcv_adv = seq_add(c->rcv_nxt, min(c->cfg.rcv_buf, 65535u));
	c->has_ts = c->has_ts && syn->opt.has_ts;
	if (c->has_ts) {
		c->ts_recent = syn->opt.tsval;
		c->ts_recent_at = now;
	}
	c->has_scale = c->has_scale && syn->opt.has_scale;
	c->snd_scale = c->has_scale ? syn->opt.scale : 0;
	if (!c->has_scale)
		c->rcv_scale = 0;
	uint32_t mss = syn->opt.mss ? syn->opt.mss : TCP_MSS_DEFAULT;
	mss = max(min(mss, (uint32_t)c->cfg.mss), TCP_MSS_MIN);
	c->mss = mss - (c->has_ts ? TCP_TS_OPTION_BYTES : 0);
	c->rcv_mss = min(c->rcv_mss, (uint32_t)c->cfg.mss);
}

/* 3.10.7.2 LISTEN: first RST, second ACK, third SYN, fourth anything else. */
enum tcp_verdict tcp_input_listen(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	if (seg->flags & TCP_RST)
		return TCP_DROP;
	if (seg->flags & TCP_ACK)
		return TCP_REPLY_RST;
	if (!(seg->flags & TCP_SYN))
		return TCP_DROP;
	/* Data or FIN with the SYN is not acknowledged, so the peer sends it again. */
	tcp_peer_options(c, seg, in->now);
	tcp_ack_window(c, seg, false);
	tcp_set_state(c, TCP_SYN_RECEIVED);
	return TCP_NEXT;
}

/* Our SYN is acknowledged by theirs. */
static void tcp_syn_sent_done(struct tcp_core *c, struct tcp_in *in)
{
	if (c->rtt_timed)
		tcp_rtt_sample(&c->rtt, ktime_diff(in->now, c->rtt_start));
	c->rtt_timed = false;
	c->snd_una = in->seg->ack;
	c->snd_nxt = c->snd_max;
	c->rtx_count = 0;
	tcp_timer_stop(c, TCP_TIMER_RTX);
	tcp_established(c, in->now, in->out);
	c->ack_now = true;
}

/* 3.10.7.3 SYN-SENT */
enum tcp_verdict tcp_input_syn_sent(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	bool ack = seg->flags & TCP_ACK;
	/* First, ACK: nothing but our SYN can be acknowledged. */
	if (ack && (seq_le(seg->ack, c->iss) || seq_gt(seg->ack, c->snd_max))) {
		in->out->drop = TCP_DROP_ACK;
		return TCP_REPLY_RST;
	}
	/* Second, RST: believed only if it acknowledges our SYN (RFC 5961 3.2). */
	if (seg->flags & TCP_RST) {
		in->out->drop = TCP_DROP_RST;
		if (ack)
			tcp_end(c, ERR_CONNREFUSED, in->out);
		return TCP_DROP;
	}
	/* Fourth, SYN. */
	if (!(seg->flags & TCP_SYN)) {
		in->out->drop = TCP_DROP_STATE;
		return TCP_DROP;
	}
	tcp_peer_options(c, seg, in->now);
	tcp_ack_window(c, seg, false);
	if (!ack) { /* both opened at once: say SYN,ACK */
		tcp_set_state(c, TCP_SYN_RECEIVED);
		c->snd_nxt = c->iss;
		return TCP_DROP;
	}
	tcp_syn_sent_done(c, in);
	tcp_trim(c, in);
	return TCP_NEXT;
}
