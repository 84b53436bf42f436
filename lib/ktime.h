/*
 * ktime.h - time: nanoseconds since boot in 64 bits, which wraps after 292
 * years. An instant is a ktime; a duration is a plain int64_t or uint64_t with
 * _ns in its name. KTIME_NEVER is later than every instant; adding to it, or
 * adding beyond it, stays there.
 */
#ifndef LIB_KTIME_H
#define LIB_KTIME_H

#include "lib/base.h"

typedef struct {
	int64_t ns;
} ktime;

#define NS_PER_US   INT64_C(1000)
#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define KTIME_ZERO  ((ktime){0})
#define KTIME_NEVER ((ktime){INT64_MAX})

static inline ktime ktime_add(ktime t, int64_t delta_ns)
{
	int64_t sum;
	if (t.ns == INT64_MAX || __builtin_add_overflow(t.ns, delta_ns, &sum))
		return KTIME_NEVER;
	return (ktime){sum};
}

/* a - b, in nanoseconds */
static inline int64_t ktime_diff(ktime a, ktime b)
{
	return a.ns - b.ns;
}

static inline bool ktime_before(ktime a, ktime b)
{
	return a.ns < b.ns;
}

static inline ktime ktime_min(ktime a, ktime b)
{
	return a.ns < b.ns ? a : b;
}

static inline ktime ktime_max(ktime a, ktime b)
{
	return a.ns > b.ns ? a : b;
}

static inline bool ktime_is_never(ktime t)
{
	return t.ns == INT64_MAX;
}

#endif
