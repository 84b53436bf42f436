/*
 * tcp_info.c - what people see of TCP: one snapshot of each connection, and the
 * counters. Each entry is consistent in itself; the list is not one instant.
 */
#include "kernel/net/tcp/tcp_priv.h"

uint64_t tcp_counters[TCP_COUNTER_COUNT];

#define TCP_COUNTER_TEXT(symbol, name) [symbol] = STR_INIT(name),
static const struct str tcp_counter_names[TCP_COUNTER_COUNT] = {TCP_COUNTERS(TCP_COUNTER_TEXT)};

uint64_t tcp_counter(enum tcp_counter c)
{
	assert(c < TCP_COUNTER_COUNT);
	return __atomic_load_n(&tcp_counters[c], __ATOMIC_RELAXED);
}

struct str tcp_counter_name(enum tcp_counter c)
{
	assert(c < TCP_COUNTER_COUNT);
	return tcp_counter_names[c];
}

static bool tcp_info_conn(size_t slot, struct tcp_info *out)
{
	struct tcp_conn *c = tcp_table_at(slot);
	if (!c)
		return false;
	mutex_lock(&c->lock);
	const struct tcp_core *k = &c->core;
	*out = (struct tcp_info){
		.id = c->id,
		.state = tcp_state_name(k->state),
		.local = tcp_local(c),
		.remote = tcp_remote(c),
		.cwnd_bytes = k->cc.cwnd,
		.ssthresh_bytes = k->cc.ssthresh,
		.srtt_ns = k->rtt.srtt_ns,
		.rto_ns = tcp_rto_ns(&k->rtt),
		.snd_una = k->snd_una.v,
		.snd_nxt = k->snd_nxt.v,
		.rcv_nxt = k->rcv_nxt.v,
		.rx_bytes = k->rx_bytes,
		.tx_bytes = k->tx_bytes,
		.retransmits = k->retransmits,
	};
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
	return true;
}

static bool tcp_info_tw(size_t i, struct tcp_info *out)
{
	struct tcp_tw r;
	if (!tcp_table_tw_at(i, &r))
		return false;
	*out = (struct tcp_info){
		.state = tcp_state_name(TCP_TIME_WAIT),
		.local = {r.tuple.local, r.tuple.local_port},
		.remote = {r.tuple.remote, r.tuple.remote_port},
		.snd_una = r.tw.snd_nxt.v,
		.snd_nxt = r.tw.snd_nxt.v,
		.rcv_nxt = r.tw.rcv_nxt.v,
	};
	return true;
}

bool tcp_info_next(size_t *cursor, struct tcp_info *out)
{
	const size_t conns = CONFIG_TCP_LISTENERS, tws = conns + CONFIG_TCP_CONNECTIONS;
	const size_t end = tws + CONFIG_TCP_TIME_WAITS;
	while (*cursor < end) {
		size_t i = (*cursor)++;
		struct tcp_addr addr;
		if (i >= tws) {
			if (tcp_info_tw(i - tws, out))
				return true;
		} else if (i >= conns) {
			if (tcp_info_conn(i - conns, out))
				return true;
		} else if (tcp_listener_at(i, &addr)) {
			*out = (struct tcp_info){.state = tcp_state_name(TCP_LISTEN), .local = addr};
			return true;
		}
	}
	return false;
}

void tcp_stats(struct tcp_stats *out)
{
	struct tcp_addr addr;
	tcp_table_stats(out);
	out->orphans = tcp_conn_orphans();
	out->listeners = 0;
	for (size_t i = 0; i < CONFIG_TCP_LISTENERS; i++)
		out->listeners += tcp_listener_at(i, &addr);
}
