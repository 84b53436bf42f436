/*
 * tcp_ack_core.c - what an acceptable acknowledgment does to the sender: window,
 * round trip, congestion, loss recovery.
 *
 * Reference: RFC 9293 3.10.7.4 fifth; RFC 5681 3.2; RFC 6582; RFC 6298; RFC 3042
 * is in tcp_output_core.c.
 */
#include "kernel/net/tcp/tcp_steps.h"

#define TCP_DUP_ACKS 3 /* RFC 5681 3.2 */

/*
 * SND.WND, if this segment is newer than the one that last set it. Also when it
 * acknowledges something new: then it is, even if it repeats old data, and the
 * old window counted from the new SND.UNA would be larger than what was offered.
 */
void tcp_ack_window(struct tcp_core *c, const struct tcp_seg *seg, bool scaled)
{
	bool newer = !scaled || seq_gt(seg->ack, c->snd_una) || seq_lt(c->snd_wl1, seg->seq) ||
		(seq_eq(c->snd_wl1, seg->seq) && seq_le(c->snd_wl2, seg->ack));
	if (!newer)
		return;
	c->snd_wnd = (uint32_t)seg->wnd << (scaled ? c->snd_scale : 0);
	c->snd_wnd_max = max(c->snd_wnd_max, c->snd_wnd);
	c->snd_wl1 = seg->seq;
	c->snd_wl2 = seg->ack;
	if (c->snd_wnd > 0)
		c->probe_now = false;
}

/*
 * Karn: the timed segment was sent once. When retransmission has ended the
 * timing, the echoed timestamp tells which transmission is acknowledged.
 */
static void tcp_ack_rtt(struct tcp_core *c, const struct tcp_seg *seg, ktime now)
{
	if (c->rtt_timed && seq_ge(seg->ack, c->rtt_seq)) {
		tcp_rtt_sample(&c->rtt, ktime_diff(now, c->rtt_start));
		c->rtt_timed = false;
	} else if (!c->rtt_timed && c->has_ts && seg->opt.tsecr != 0) {
		int32_t ms = (int32_t)(tcp_ts_now(c, now) - seg->opt.tsecr);
		/* Beyond the longest timeout it is not an echo of ours. */
		if (ms >= 0 && ms <= TCP_RTO_MAX_NS / NS_PER_MS)
			tcp_rtt_sample(&c->rtt, max(ms * NS_PER_MS, NS_PER_MS / 2));
	}
}

static void tcp_ack_enter_recovery(struct tcp_core *c)
{
	c->in_recovery = true;
	c->partial_seen = false;
	c->recover = c->snd_max;
	c->cc.ops->enter_recovery(&c->cc, (uint32_t)seq_diff(c->snd_max, c->snd_una));
	c->rtx_now = true;
	c->rtt_timed = false;
}

/* RFC 5681 2: a duplicate acknowledgment, and 3.2: the third starts fast retransmit. */
static void tcp_ack_dup(struct tcp_core *c)
{
	if (c->dup_acks < UINT8_MAX)
		c->dup_acks++;
	if (c->in_recovery)
		c->cc.ops->dup_ack(&c->cc);
	else if (c->dup_acks == TCP_DUP_ACKS && seq_gt(c->snd_una, c->recover))
		tcp_ack_enter_recovery(c);
}

/* RFC 6582 3.2 (3); true when the timer is to be left alone: only the first partial ACK restarts it. */
static bool tcp_ack_recovery(struct tcp_core *c, uint32_t acked)
{
	if (seq_lt(c->snd_una, c->recover)) {
		bool leave = c->partial_seen;
		c->cc.ops->partial_ack(&c->cc, acked);
		c->partial_seen = true;
		c->rtx_now = true;
		return leave;
	}
	c->in_recovery = false;
	c->cc.ops->exit_recovery(&c->cc, (uint32_t)seq_diff(c->snd_max, c->snd_una));
	return false;
}

/* Bytes of payload among `space` acknowledged from snd_una on. */
static uint32_t tcp_ack_payload(const struct tcp_core *c, tcp_seq ack)
{
	tcp_seq from = seq_max(c->snd_una, seq_add(c->iss, 1));
	tcp_seq to = seq_min(ack, c->snd_end);
	return seq_gt(to, from) ? (uint32_t)seq_diff(to, from) : 0;
}

static void tcp_ack_new(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	uint32_t space = (uint32_t)seq_diff(seg->ack, c->snd_una);
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	bool leave_timer = false;

	in->out->acked = tcp_ack_payload(c, seg->ack);
	if (in->out->acked)
		in->out->events |= TCP_EV_WRITABLE;
	tcp_ack_rtt(c, seg, in->now);
	c->snd_una = seg->ack;
	c->snd_nxt = seq_max(c->snd_nxt, c->snd_una);
	c->progress = in->now;
	c->rtx_count = 0;
	c->rtx_now = false;
	c->probe_now = false;
	if (c->in_recovery)
		leave_timer = tcp_ack_recovery(c, space);
	else
		c->cc.ops->ack(&c->cc, space, max(flight, space), c->rtt.srtt_ns, in->now);
	c->dup_acks = 0;
	/* RFC 6298 (5.2), (5.3) */
	if (seq_eq(c->snd_nxt, c->snd_una))
		tcp_timer_stop(c, TCP_TIMER_RTX);
	else if (!leave_timer)
		tcp_timer_rtx_restart(c, in->now);
	tcp_timer_stop(c, TCP_TIMER_PERSIST);
}

void tcp_ack_process(struct tcp_core *c, struct tcp_in *in)
{
	const struct tcp_seg *seg = in->seg;
	if (seq_lt(seg->ack, c->snd_una))
		return;
	uint32_t wnd = c->snd_wnd;
	tcp_ack_window(c, seg, !(seg->flags & TCP_SYN));
	if (seq_gt(seg->ack, c->snd_una)) {
		tcp_ack_new(c, in);
	} else if (tcp_seg_space(seg) == 0 && seq_gt(c->snd_nxt, c->snd_una) && wnd == c->snd_wnd) {
		tcp_ack_dup(c);
	}
	if (wnd == 0 && c->snd_wnd > 0) {
		/* The window has opened: persist's waiting is over, and its backoff no news of the path. */
		tcp_timer_stop(c, TCP_TIMER_PERSIST);
		c->rtt.backoff = 0;
	}
}
