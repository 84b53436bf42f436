/* web_stats.c - the server's counters; atomic, written by all workers. */
#include "lib/assert.h"
#include "user/net/web_priv.h"

static uint64_t web_counters[WEB_COUNTER_COUNT];
static uint64_t web_statuses[WEB_STATUS_MAX - WEB_STATUS_MIN];

void web_count(enum web_counter c, uint64_t n)
{
	__atomic_fetch_add(&web_counters[c], n, __ATOMIC_RELAXED);
}

uint64_t web_counter(enum web_counter c)
{
	return __atomic_load_n(&web_counters[c], __ATOMIC_RELAXED);
}

void web_count_status(uint16_t status)
{
	assert(status >= WEB_STATUS_MIN && status < WEB_STATUS_MAX);
	__atomic_fetch_add(&web_statuses[status - WEB_STATUS_MIN], 1, __ATOMIC_RELAXED);
	if (status >= 400)
		web_count(WEB_REFUSED, 1);
}

uint64_t web_status_count(uint16_t status)
{
	return __atomic_load_n(&web_statuses[status - WEB_STATUS_MIN], __ATOMIC_RELAXED);
}

struct str web_counter_name(enum web_counter c)
{
#define WEB_COUNTER_NAME(symbol, name) [symbol] = STR_INIT(name),
	static const struct str names[] = {WEB_COUNTERS(WEB_COUNTER_NAME)};
#undef WEB_COUNTER_NAME
	return names[c];
}

void web_stats_json(struct json_writer *w)
{
	json_key_u64(w, S("connections"), web_connections());
	json_key_u64(w, S("websockets"), web_sockets_open());
	json_key_u64(w, S("streams"), web_streams_open());
	for (enum web_counter i = 0; i < WEB_COUNTER_COUNT; i++)
		json_key_u64(w, web_counter_name(i), web_counter(i));
	json_key(w, S("replies"));
	json_array_open(w);
	for (uint16_t status = WEB_STATUS_MIN; status < WEB_STATUS_MAX; status++) {
		uint64_t n = web_status_count(status);
		if (!n)
			continue;
		json_object_open(w);
		json_key_u64(w, S("status"), status);
		json_key_u64(w, S("count"), n);
		json_object_close(w);
	}
	json_array_close(w);
}
