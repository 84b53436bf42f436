/*
 * tcp_timewait_core.c - segments that come in for a connection in TIME-WAIT.
 *
 * Resets are ignored (RFC 1337: a stray one would end the wait too early).
 * Reference: RFC 9293 3.6.1 and 3.10.7.4, RFC 6191, RFC 7323 5.
 */
#include "kernel/net/tcp/tcp_timewait.h"
#include "lib/assert.h"

void tcp_timewait_start(struct tcp_timewait *tw, const struct tcp_core *c, ktime now)
{
	assert(c->state == TCP_TIME_WAIT);
	*tw = (struct tcp_timewait){
		.expires = ktime_add(now, TCP_TIME_WAIT_NS),
		.challenge_at = now,
		.snd_nxt = c->snd_max,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = min((uint32_t)seq_diff(c->rcv_adv, c->rcv_nxt) >> c->rcv_scale, 65535u),
		.ts_recent = c->ts_recent,
		.ts_offset = c->cfg.ts_offset,
		.has_ts = c->has_ts,
	};
}

/* RFC 6191 2: newer by its timestamp; without one, by its sequence number (RFC 1122 4.2.2.13). */
static bool tcp_timewait_is_newer(const struct tcp_timewait *tw, const struct tcp_seg *seg)
{
	if (tw->has_ts && seg->opt.has_ts && seg->opt.tsval != tw->ts_recent)
		return (int32_t)(seg->opt.tsval - tw->ts_recent) > 0;
	return seq_gt(seg->seq, tw->rcv_nxt);
}

enum tcp_timewait_verdict tcp_timewait_input(struct tcp_timewait *tw, const struct tcp_seg *seg,
	ktime now, struct tcp_seg *tx)
{
	if (seg->flags & TCP_RST)
		return TCP_TW_DROP;
	bool old = tw->has_ts && seg->opt.has_ts &&
		(int32_t)(seg->opt.tsval - tw->ts_recent) < 0;
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && tcp_timewait_is_newer(tw, seg))
		return TCP_TW_REOPEN;
	/* The peer's FIN again: our last ACK was lost, the wait begins anew. */
	if ((seg->flags & TCP_FIN) && !old &&
		seq_eq(seq_add(seg->seq, tcp_seg_space(seg)), tw->rcv_nxt))
		tw->expires = ktime_add(now, TCP_TIME_WAIT_NS);
	/* A plain ACK of what we know needs no answer: two of us would answer for ever. */
	if (tcp_seg_space(seg) == 0 && seq_eq(seg->seq, tw->rcv_nxt))
		return TCP_TW_DROP;
	if (!tcp_challenge_allowed(&tw->challenge_at, &tw->challenges, now))
		return TCP_TW_HELD_BACK;
	*tx = (struct tcp_seg){
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = TCP_ACK,
		.wnd = (uint16_t)tw->rcv_wnd,
		.opt.has_ts = tw->has_ts,
		.opt.tsval = (uint32_t)((uint64_t)now.ns / NS_PER_MS) + tw->ts_offset,
		.opt.tsecr = tw->ts_recent,
	};
	return TCP_TW_ACK;
}
