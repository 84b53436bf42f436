/*
 * tcp_text_core.c - payload and FIN: what of a segment is kept, what becomes
 * readable, when to acknowledge.
 *
 * Reference: RFC 9293 3.10.7.4 first (trimming), seventh, eighth; 3.8.6.3;
 * RFC 5681 4.2 (acknowledge at once what is out of order or fills a gap).
 */
#include "kernel/net/tcp/tcp_steps.h"

/* Cuts what lies before RCV.NXT and beyond the window. */
void tcp_trim(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	in->seq = seq_add(seg->seq, (seg->flags & TCP_SYN) != 0);
	in->len = seg->len;
	in->fin = seg->flags & TCP_FIN;
	int32_t old = seq_diff(c->rcv_nxt, in->seq);
	if (old > 0) {
		uint32_t cut = min((uint32_t)old, in->len);
		in->skip = cut;
		in->len -= cut;
		in->seq = seq_add(in->seq, cut);
		if ((uint32_t)old > cut) /* the FIN is old too */
			in->fin = false;
	}
	int32_t room = seq_diff(c->rcv_adv, in->seq);
	uint32_t fits = room > 0 ? (uint32_t)room : 0;
	if (in->len + in->fin > fits) {
		in->len = min(in->len, fits);
		in->fin = false;
	}
	/* The peer's stream ends at its FIN, whatever comes later. */
	if (c->fin_seen && seq_gt(seq_add(in->seq, in->len), c->fin_seq)) {
		int32_t left = seq_diff(c->fin_seq, in->seq);
		in->len = left > 0 ? min(in->len, (uint32_t)left) : 0;
	}
	if (seg->no_room && in->len) {
		in->len = 0;
		in->fin = false;
		in->out->drop = TCP_DROP_ROOM;
		c->ack_now = true;
	}
}

static void tcp_text_in_order(struct tcp_core *c, struct tcp_in *in)
{
	struct tcp_out *out = in->out;
	bool filled = c->reass.n > 0;
	tcp_seq old = c->rcv_nxt;

	out->data_skip = in->skip;
	out->data_len = in->len;
	out->data_pos = 0;
	c->rcv_nxt = tcp_reass_advance(&c->reass, seq_add(in->seq, in->len));
	out->readable = (uint32_t)seq_diff(c->rcv_nxt, old);
	out->events |= TCP_EV_READABLE;
	c->unread += out->readable;
	c->rx_bytes += out->readable;
	c->rcv_mss = max(c->rcv_mss, min(in->seg->len, (uint32_t)c->cfg.mss));
	/* Every second full segment at once, the rest within TCP_DELACK_NS. */
	if (filled || (uint32_t)seq_diff(c->rcv_nxt, c->last_ack) >= 2 * c->rcv_mss)
		c->ack_now = true;
	else if (!tcp_timer_armed(c, TCP_TIMER_DELACK))
		c->timer[TCP_TIMER_DELACK] = ktime_add(in->now, TCP_DELACK_NS);
}

static void tcp_text_ahead(struct tcp_core *c, struct tcp_in *in)
{
	c->ack_now = true;
	if (tcp_reass_add(&c->reass, in->seq, seq_add(in->seq, in->len)) == 0) {
		in->out->drop = c->reass.n == TCP_OOO_RANGES ? TCP_DROP_ROOM : TCP_DROP_SEQ;
		return;
	}
	in->out->data_skip = in->skip;
	in->out->data_len = in->len;
	in->out->data_pos = (uint32_t)seq_diff(in->seq, c->rcv_nxt);
}

/* Taken, and kept by nobody. */
static void tcp_text_drop(struct tcp_core *c, struct tcp_out *out)
{
	c->drain -= out->data_len;
	c->unread -= out->readable;
	out->data_len = out->readable = 0;
}

/* Seventh, process the segment text. */
enum tcp_verdict tcp_step_text(struct tcp_core *c, struct tcp_in *in)
{
	if (in->len == 0)
		return TCP_NEXT;
	if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2)
		return TCP_NEXT; /* the peer has sent its FIN: not possible, ignored */
	/* RFC 1122 4.2.2.13: nobody will read it, say so */
	if (c->user_gone && (!c->draining || in->len > c->drain)) {
		tcp_end_reset(c, ERR_CONNRESET, in->out);
		return TCP_DROP;
	}
	if (seq_eq(in->seq, c->rcv_nxt))
		tcp_text_in_order(c, in);
	else
		tcp_text_ahead(c, in);
	if (c->draining)
		tcp_text_drop(c, in->out);
	return TCP_NEXT;
}

static void tcp_fin_received(struct tcp_core *c, struct tcp_in *in)
{
	c->rcv_nxt = seq_add(c->rcv_nxt, 1);
	c->reass.n = 0;
	c->ack_now = true;
	in->out->events |= TCP_EV_PEER_CLOSED;
	switch (c->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(c, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT_1: /* our FIN is not acknowledged: the ACK step would have moved on */
		tcp_set_state(c, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT_2:
		tcp_enter_time_wait(c, in->out);
		break;
	default:
		unreachable();
	}
}

/* Eighth, check the FIN bit; a FIN ahead of its turn is remembered until the gap is filled. */
enum tcp_verdict tcp_step_fin(struct tcp_core *c, struct tcp_in *in)
{
	if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2)
		return TCP_NEXT;
	tcp_seq at = seq_add(in->seq, in->len);
	/* One that contradicts what is held already is no end of the stream. */
	bool sound = c->reass.n == 0 || seq_ge(at, c->reass.r[c->reass.n - 1].right);
	if (in->fin && !c->fin_seen && seq_ge(at, c->rcv_nxt) && sound) {
		c->fin_seen = true;
		c->fin_seq = at;
		c->ack_now = true;
	}
	if (c->fin_seen && seq_eq(c->rcv_nxt, c->fin_seq))
		tcp_fin_received(c, in);
	return TCP_NEXT;
}
