/*
 * tcp_timewait.h - what remains of a connection in TIME-WAIT, and the numbers
 * with which the next one between the same addresses begins.
 *
 * The record answers the peer's retransmitted FIN and keeps old duplicates out
 * for TCP_TIME_WAIT_NS; a new SYN that is provably newer ends it at once, so that
 * short connections do not use up ports (RFC 6191).
 *
 * Locks: none; the caller's.
 */
#ifndef KERNEL_NET_TCP_TCP_TIMEWAIT_H
#define KERNEL_NET_TCP_TCP_TIMEWAIT_H

#include "kernel/net/tcp/tcp_core.h"

/* 2 MSL with the MSL of 30 s that everybody uses; RFC 9293 says 2 minutes, "may be changed". */
#define TCP_TIME_WAIT_NS (60 * NS_PER_S)

struct tcp_timewait {
	ktime expires;
	ktime challenge_at;
	tcp_seq snd_nxt, rcv_nxt;
	uint32_t rcv_wnd; /* as on the wire */
	uint32_t ts_recent, ts_offset;
	uint8_t challenges;
	bool has_ts;
};

enum tcp_timewait_verdict {
	TCP_TW_DROP,
	TCP_TW_HELD_BACK, /* dropped, too: an answer was due, beyond TCP_CHALLENGES_PER_S */
	TCP_TW_ACK,    /* send *tx */
	TCP_TW_REOPEN, /* a new SYN: forget the record, and treat seg as if it had not been */
};

void tcp_timewait_start(struct tcp_timewait *tw, const struct tcp_core *c, ktime now);
must_check enum tcp_timewait_verdict tcp_timewait_input(struct tcp_timewait *tw,
	const struct tcp_seg *seg, ktime now, struct tcp_seg *tx);

/* tcp_isn_core.c: `hash` is a keyed hash of both addresses and ports. */
tcp_seq tcp_isn(uint64_t hash, ktime now);
uint32_t tcp_ts_offset(uint64_t hash);

/* RFC 5961 7: true as long as the budget of this second lasts. */
must_check static inline bool tcp_challenge_allowed(ktime *since, uint8_t *count, ktime now)
{
	if (ktime_diff(now, *since) >= NS_PER_S) {
		*since = now;
		*count = 0;
	}
	if (*count >= TCP_CHALLENGES_PER_S)
		return false;
	++*count;
	return true;
}

#endif
