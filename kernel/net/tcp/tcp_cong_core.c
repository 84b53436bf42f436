/*
 * tcp_cong_core.c - Reno with the NewReno window arithmetic.
 *
 * When to enter and leave recovery is decided in tcp_ack_core.c, the same for
 * all algorithms; how large the window then is, here. The window grows only
 * when it was the limit: a connection that sends little earns no burst.
 *
 * Reference: RFC 5681 sections 3 and 4.1, RFC 6582 section 3.2, RFC 6928.
 */
#include "kernel/net/tcp/tcp_core.h"

#define TCP_IW_BYTES 14600u /* RFC 6928 2: min(10 MSS, max(2 MSS, 14600)) */

static uint32_t reno_initial(const struct tcp_cong *cc)
{
	return min(10 * cc->mss, max(2 * cc->mss, TCP_IW_BYTES));
}

static void reno_init(struct tcp_cong *cc, bool syn_lost)
{
	cc->cwnd = syn_lost ? cc->mss : reno_initial(cc);
	cc->ssthresh = TCP_CWND_MAX;
	cc->acked = 0;
}

static void reno_ack(struct tcp_cong *cc, uint32_t acked, uint32_t flight,
	unused int64_t srtt_ns, unused ktime now)
{
	if (cc->cwnd < cc->ssthresh) {
		if (cc->cwnd < 2 * flight)
			cc->cwnd += min(acked, cc->mss);
	} else if (flight + cc->mss > cc->cwnd) {
		cc->acked += acked;
		if (cc->acked >= cc->cwnd) {
			cc->acked -= cc->cwnd;
			cc->cwnd += cc->mss;
		}
	}
	cc->cwnd = min(cc->cwnd, TCP_CWND_MAX);
}

static void reno_halve(struct tcp_cong *cc, uint32_t flight)
{
	cc->ssthresh = max(flight / 2, 2 * cc->mss);
	cc->acked = 0;
}

static void reno_enter_recovery(struct tcp_cong *cc, uint32_t flight)
{
	reno_halve(cc, flight);
	cc->cwnd = cc->ssthresh + 3 * cc->mss;
}

static void reno_dup_ack(struct tcp_cong *cc)
{
	cc->cwnd = min(cc->cwnd + cc->mss, TCP_CWND_MAX);
}

static void reno_partial_ack(struct tcp_cong *cc, uint32_t acked)
{
	cc->cwnd = cc->cwnd > acked ? cc->cwnd - acked : 0;
	if (acked >= cc->mss)
		cc->cwnd += cc->mss;
	cc->cwnd = max(cc->cwnd, cc->mss);
}

/* RFC 6582 3.2 (3) option 1: no burst when little is in flight. */
static void reno_exit_recovery(struct tcp_cong *cc, uint32_t flight)
{
	cc->cwnd = min(cc->ssthresh, max(flight, cc->mss) + cc->mss);
}

static void reno_timeout(struct tcp_cong *cc, uint32_t flight, bool again)
{
	if (!again)
		reno_halve(cc, flight);
	cc->cwnd = cc->mss;
	cc->acked = 0;
}

static void reno_idle(struct tcp_cong *cc)
{
	cc->cwnd = min(cc->cwnd, reno_initial(cc));
}

const struct tcp_cong_ops tcp_cong_reno = {
	.name = STR_INIT("reno"),
	.init = reno_init,
	.ack = reno_ack,
	.enter_recovery = reno_enter_recovery,
	.dup_ack = reno_dup_ack,
	.partial_ack = reno_partial_ack,
	.exit_recovery = reno_exit_recovery,
	.timeout = reno_timeout,
	.idle = reno_idle,
};
