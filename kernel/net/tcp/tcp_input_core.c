/*
 * tcp_input_core.c - a segment arrives: RFC 9293 section 3.10.7 in its order.
 *
 * Each step returns NEXT, DROP, REPLY_ACK or REPLY_RST; tcp_input() carries the
 * verdict out. Additions to the RFC's text: PAWS before the first step (RFC 7323
 * 5.3), challenge ACKs in the second, fourth and fifth (RFC 5961), and an empty
 * segment at the window's right edge counts as acceptable: the peer's own
 * data fills the window up to there, and its acknowledgments are still good.
 * The third step (security) does not exist here; the sixth (URG) neither: urgent
 * data is read in line (RFC 6093).
 */
#include "kernel/net/tcp/tcp_steps.h"
#include "kernel/net/tcp/tcp_timewait.h"

/* An answer to something suspicious, or none when there were too many. */
static enum tcp_verdict tcp_challenge(struct tcp_core *c, struct tcp_in *in)
{
	if (tcp_challenge_allowed(&c->challenge_at, &c->challenges, in->now))
		return TCP_REPLY_ACK;
	in->out->held_back = true;
	return TCP_DROP;
}

/* Not acceptable: acknowledged, so that the peer finds its place. Empty ones within the limit only. */
static enum tcp_verdict tcp_refuse(struct tcp_core *c, struct tcp_in *in, enum tcp_drop why)
{
	in->out->drop = why;
	if (in->seg->flags & TCP_RST)
		return TCP_DROP;
	/* Our SYN,ACK was lost: the peer's SYN again asks for it. */
	if (c->state == TCP_SYN_RECEIVED && (in->seg->flags & TCP_SYN) &&
		seq_eq(in->seg->seq, c->irs)) {
		if (tcp_challenge(c, in) == TCP_REPLY_ACK)
			c->snd_nxt = c->iss;
		return TCP_DROP;
	}
	return in->seg->len && !(in->seg->flags & TCP_SYN) ? TCP_REPLY_ACK : tcp_challenge(c, in);
}

/* RFC 7323 5.3 R1 */
static enum tcp_verdict tcp_step_paws(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_opts *o = &in->seg->opt;
	if (!c->has_ts || in->seg->flags & TCP_RST)
		return TCP_NEXT;
	if (!o->has_ts) { /* 3.2: once agreed, every segment has it */
		in->out->drop = TCP_DROP_PAWS;
		return TCP_DROP;
	}
	if ((int32_t)(o->tsval - c->ts_recent) >= 0 ||
		ktime_diff(in->now, c->ts_recent_at) > TCP_PAWS_IDLE_NS)
		return TCP_NEXT;
	return tcp_refuse(c, in, TCP_DROP_PAWS);
}

/* 3.4 table 6, in the form: some of it, or its place if it is empty, lies in the window. */
static bool tcp_acceptable(const struct tcp_core *c, const struct tcp_seg *seg)
{
	uint32_t wnd = tcp_rcv_window(c);
	int32_t from = seq_diff(seg->seq, c->rcv_nxt);
	uint32_t space = tcp_seg_space(seg);
	/* Both opened at once: the SYN,ACK repeats the SYN but is the only one to bring the ACK. */
	if (c->state == TCP_SYN_RECEIVED && !c->passive && seg->flags & TCP_ACK &&
		seg->flags & TCP_SYN && seq_eq(seg->seq, c->irs))
		return true;
	if (space == 0)
		return from >= 0 && from <= (int32_t)wnd;
	/* With no window nothing is acceptable, except that its ACK, URG and RST are looked at. */
	if (wnd == 0)
		return from == 0;
	return from < (int32_t)wnd && seq_gt(seq_add(seg->seq, space), c->rcv_nxt);
}

/* First, check sequence number */
static enum tcp_verdict tcp_step_sequence(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	if (!tcp_acceptable(c, seg))
		return tcp_refuse(c, in, TCP_DROP_SEQ);
	/* RFC 7323 4.3 (2) */
	if (c->has_ts && seg->opt.has_ts && seq_le(seg->seq, c->last_ack) &&
		!(seg->flags & TCP_RST)) {
		c->ts_recent = seg->opt.tsval;
		c->ts_recent_at = in->now;
	}
	/* Nothing fits a shut window: its payload is cut below, and the peer told. */
	if (tcp_seg_space(seg) > 0 && tcp_rcv_window(c) == 0)
		c->ack_now = true;
	tcp_trim(c, in);
	if (in->skip) /* it was sent before: the acknowledgment was lost, or came too late */
		c->ack_now = true;
	return TCP_NEXT;
}

/* Second, check the RST bit (RFC 5961 3.2: only the exact number resets) */
static enum tcp_verdict tcp_step_rst(struct tcp_core *c, struct tcp_in *in)
{
	if (!(in->seg->flags & TCP_RST))
		return TCP_NEXT;
	if (!seq_eq(in->seg->seq, c->rcv_nxt)) {
		in->out->drop = TCP_DROP_RST;
		return tcp_challenge(c, in);
	}
	bool refused = c->state == TCP_SYN_RECEIVED && !c->passive;
	bool over = c->state == TCP_CLOSING || c->state == TCP_LAST_ACK;
	tcp_end(c, over ? OK : refused ? ERR_CONNREFUSED : ERR_CONNRESET, in->out);
	return TCP_DROP;
}

/* Fourth, check the SYN bit */
static enum tcp_verdict tcp_step_syn(struct tcp_core *c, struct tcp_in *in)
{
	if (!(in->seg->flags & TCP_SYN))
		return TCP_NEXT;
	/* Simultaneous open: the peer's SYN,ACK repeats its SYN and acknowledges ours. */
	if (c->state == TCP_SYN_RECEIVED && !c->passive && seq_eq(in->seg->seq, c->irs))
		return TCP_NEXT;
	in->out->drop = TCP_DROP_SYN;
	if (c->state == TCP_SYN_RECEIVED && c->passive) { /* back to LISTEN: the shell's listener */
		tcp_end(c, ERR_CONNRESET, in->out);
		return TCP_DROP;
	}
	return tcp_challenge(c, in);
}

static enum tcp_verdict tcp_ack_syn_received(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	if (seq_le(seg->ack, c->snd_una) || seq_gt(seg->ack, c->snd_max)) {
		in->out->drop = TCP_DROP_ACK;
		return TCP_REPLY_RST;
	}
	/* A repeated SYN,ACK may have been sent from here; what counts now is behind it. */
	c->snd_nxt = c->snd_max;
	tcp_established(c, in->now, in->out);
	return TCP_NEXT;
}

/* What the acknowledgment of our FIN means in each state */
static enum tcp_verdict tcp_ack_of_fin(struct tcp_core *c, struct tcp_in *in)
{
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(c, TCP_FIN_WAIT_2);
		if (c->user_gone)
			tcp_timer_fin_wait_2_arm(c, in->now);
		return TCP_NEXT;
	case TCP_CLOSING:
		tcp_enter_time_wait(c, in->out);
		return TCP_DROP;
	case TCP_LAST_ACK:
		tcp_end(c, OK, in->out);
		return TCP_DROP;
	default:
		return TCP_NEXT;
	}
}

/* Fifth, check the ACK field */
static enum tcp_verdict tcp_step_ack(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	if (!(seg->flags & TCP_ACK)) {
		in->out->drop = TCP_DROP_ACK;
		return TCP_DROP;
	}
	if (c->state == TCP_SYN_RECEIVED) {
		enum tcp_verdict v = tcp_ack_syn_received(c, in);
		if (v != TCP_NEXT)
			return v;
	} else if (seq_gt(seg->ack, c->snd_max) ||
		seq_lt(seg->ack, seq_sub(c->snd_una, c->snd_wnd_max))) { /* RFC 5961 5.2 */
		in->out->drop = TCP_DROP_ACK;
		return tcp_challenge(c, in);
	}
	c->heard = in->now;
	tcp_timer_keep_restart(c, in->now);
	tcp_ack_process(c, in);
	return tcp_fin_acked(c) ? tcp_ack_of_fin(c, in) : TCP_NEXT;
}

static enum tcp_verdict tcp_input_steps(struct tcp_core *c, struct tcp_in *in)
{
	enum tcp_verdict v = tcp_step_paws(c, in);
	if (v == TCP_NEXT)
		v = tcp_step_sequence(c, in);
	if (v == TCP_NEXT)
		v = tcp_step_rst(c, in);
	if (v == TCP_NEXT)
		v = tcp_step_syn(c, in);
	if (v == TCP_NEXT)
		v = tcp_step_ack(c, in);
	if (v == TCP_NEXT)
		v = tcp_step_text(c, in);
	if (v == TCP_NEXT)
		v = tcp_step_fin(c, in);
	return v;
}

void tcp_input(struct tcp_core *c, const struct tcp_seg *seg, ktime now, struct tcp_out *out)
{
	struct tcp_in in = {.seg = seg, .out = out, .now = now};
	enum tcp_verdict v;
	assert(!tcp_is_done(c));
	tcp_out_init(out);
	if (c->state == TCP_LISTEN) {
		v = tcp_input_listen(c, &in);
	} else if (c->state == TCP_SYN_SENT) {
		v = tcp_input_syn_sent(c, &in);
		if (v == TCP_NEXT && tcp_step_text(c, &in) == TCP_NEXT)
			v = tcp_step_fin(c, &in);
	} else {
		v = tcp_input_steps(c, &in);
	}
	if (v == TCP_REPLY_ACK)
		c->ack_now = true;
	else if (v == TCP_REPLY_RST)
		out->send = tcp_reset_reply(seg, &out->tx);
	debug_assert(tcp_invariants_hold(c));
}
