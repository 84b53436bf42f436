/*
 * tcp_rtt_core.c - round-trip estimation and the retransmission timeout.
 *
 * A sample ends the backoff (Karn: only what was sent once is timed, or what a
 * timestamp tells apart). Reference: RFC 6298 section 2; the numbers are its own.
 */
#include "kernel/net/tcp/tcp_core.h"
#include "lib/assert.h"

#define TCP_BACKOFF_MAX 9 /* 200 ms << 9 is beyond TCP_RTO_MAX_NS */

void tcp_rtt_init(struct tcp_rtt *r)
{
	*r = (struct tcp_rtt){.rto_ns = TCP_RTO_FIRST_NS};
}

/* (2.2), (2.3) */
void tcp_rtt_sample(struct tcp_rtt *r, int64_t rtt_ns)
{
	assert(rtt_ns >= 0);
	rtt_ns = max(rtt_ns, 1);
	if (r->srtt_ns == 0) {
		r->srtt_ns = rtt_ns;
		r->rttvar_ns = rtt_ns / 2;
	} else {
		int64_t off = r->srtt_ns > rtt_ns ? r->srtt_ns - rtt_ns : rtt_ns - r->srtt_ns;
		r->rttvar_ns += (off - r->rttvar_ns) / 4;
		r->srtt_ns = max(r->srtt_ns + (rtt_ns - r->srtt_ns) / 8, 1);
	}
	r->rto_ns = min(max(r->srtt_ns + 4 * r->rttvar_ns, TCP_RTO_MIN_NS), TCP_RTO_MAX_NS);
	r->backoff = 0;
}

/* (5.5) */
void tcp_rtt_backoff(struct tcp_rtt *r)
{
	if (r->backoff < TCP_BACKOFF_MAX)
		r->backoff++;
}

int64_t tcp_rto_ns(const struct tcp_rtt *r)
{
	return min(r->rto_ns << r->backoff, TCP_RTO_MAX_NS);
}
