/* counters.c - the counters of the stack; net.h names them. */
#include "kernel/net/net.h"
#include "lib/assert.h"

uint64_t net_counters[NET_COUNTER_COUNT];

uint64_t net_counter(enum net_counter c)
{
	assert(c < NET_COUNTER_COUNT);
	return __atomic_load_n(&net_counters[c], __ATOMIC_RELAXED);
}

#define NET_COUNTER_NAME(symbol, text) [symbol] = STR_INIT(text),

struct str net_counter_name(enum net_counter c)
{
	static const struct str names[NET_COUNTER_COUNT] = {NET_COUNTERS(NET_COUNTER_NAME)};
	assert(c < NET_COUNTER_COUNT);
	return names[c];
}
