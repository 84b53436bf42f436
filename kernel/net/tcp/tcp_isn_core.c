/* tcp_isn_core.c - initial sequence numbers and timestamp offsets; see tcp_timewait.h. */
#include "kernel/net/tcp/tcp_timewait.h"

/* RFC 6528 3: ISN = M + F(); M counts 4 microseconds. */
tcp_seq tcp_isn(uint64_t hash, ktime now)
{
	return (tcp_seq){(uint32_t)((uint64_t)now.ns / 4000) + (uint32_t)hash};
}

/* RFC 7323 5.4: the same addresses give the same offset, so that time-wait can tell old from new. */
uint32_t tcp_ts_offset(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}
