/*
 * rate.h - a token bucket: at most `burst` at once, then one each interval.
 * Context: any; the owner's lock guards it.
 */
#ifndef KERNEL_NET_RATE_H
#define KERNEL_NET_RATE_H

#include "lib/ktime.h"

struct rate {
	int64_t interval_ns;
	int64_t burst_ns; /* burst * interval_ns */
	ktime full;       /* when the bucket will be full again */
};

static inline void rate_init(struct rate *r, uint32_t per_second, uint32_t burst)
{
	r->interval_ns = NS_PER_S / (per_second == 0 ? 1 : per_second);
	r->burst_ns = r->interval_ns * burst;
	r->full = KTIME_ZERO;
}

must_check static inline bool rate_take(struct rate *r, ktime now)
{
	ktime full = ktime_add(ktime_max(r->full, now), r->interval_ns);
	if (ktime_diff(full, now) > r->burst_ns)
		return false;
	r->full = full;
	return true;
}

#endif
