/* wall.c - the time of day: how far the monotonic clock is from 1970. */
#include "kernel/time/time.h"

static int64_t wall_offset_ns; /* atomic; 0: nobody has said what time it is */

void clock_wall_set(int64_t unix_ns, ktime at)
{
	__atomic_store_n(&wall_offset_ns, unix_ns - at.ns, __ATOMIC_RELAXED);
}

int64_t clock_wall(void)
{
	int64_t offset = __atomic_load_n(&wall_offset_ns, __ATOMIC_RELAXED);
	return offset == 0 ? 0 : clock_now().ns + offset;
}
