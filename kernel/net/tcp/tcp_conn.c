/*
 * tcp_conn.c - one connection: its life, its timer, what the core says carried out.
 *
 * The pattern everywhere: take c->lock, call the core, tcp_conn_apply() its
 * answer, tcp_conn_run() until it has nothing more to send, drop the lock.
 *
 * The timer: one soft callout, armed for the core's earliest deadline. It is
 * moved only to an earlier instant; when it comes too early it arms itself anew.
 * A pending callout holds a reference.
 */
#include "kernel/net/tcp/tcp_priv.h"

#define TCP_OTHERS_CALLOUTS 16 /* soft ones of drivers, ARP and what is to come */
static_assert(CONFIG_CALLOUT_MAX >= CONFIG_TCP_CONNECTIONS + TCP_OTHERS_CALLOUTS,
	"every connection has its timer, should they all be armed on one hart");

static struct pool *tcp_conn_pool;
static uint32_t tcp_next_id; /* atomic */
static uint32_t tcp_orphans; /* atomic */

enum err tcp_conn_init_pool(void)
{
	tcp_conn_pool = pool_create(S("tcp_conn"), sizeof(struct tcp_conn), 64,
		CONFIG_TCP_CONNECTIONS, 0);
	return tcp_conn_pool ? OK : ERR_NOMEM;
}

void tcp_conn_get(struct tcp_conn *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
}

static void tcp_conn_free(struct tcp_conn *c)
{
	assert(!c->in_table && ktime_is_never(c->timer_at) && !c->poll.set && !c->spare);
	tcp_queue_clear(&c->tx);
	tcp_receive_clear(c);
	for (size_t i = 0; i < TCP_BUF_KINDS; i++)
		assert(c->held[i] == 0);
	tcp_table_slot_give(c->slot);
	pool_free(tcp_conn_pool, c);
}

void tcp_conn_put(struct tcp_conn *c)
{
	if (__atomic_fetch_sub(&c->refs, 1, __ATOMIC_ACQ_REL) == 1)
		tcp_conn_free(c);
}

static void tcp_conn_timer(void *arg)
{
	struct tcp_conn *c = arg;
	mutex_lock(&c->lock);
	c->timer_at = KTIME_NEVER;
	tcp_conn_run(c, clock_now());
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
}

static void tcp_conn_arm(struct tcp_conn *c)
{
	ktime at = tcp_deadline(&c->core);
	bool armed = !ktime_is_never(c->timer_at);
	if (ktime_is_never(at)) {
		if (armed && callout_stop(&c->timer)) {
			c->timer_at = KTIME_NEVER;
			tcp_conn_put(c); /* not the last: the caller has one */
		}
		return;
	}
	if (armed && !ktime_before(at, c->timer_at))
		return;
	/* When it cannot be stopped it runs at this moment, and will arm itself anew. */
	if (armed && !callout_stop(&c->timer))
		return;
	if (!armed)
		tcp_conn_get(c);
	if (callout_start(&c->timer, at) == OK) {
		c->timer_at = at;
		return;
	}
	tcp_count(TCP_REFUSED_CALLOUT);
	c->timer_at = KTIME_NEVER;
	tcp_conn_put(c);
}

void tcp_conn_config(const struct tcp_conn *c, uint16_t mtu, struct tcp_config *cfg)
{
	/* What is received fits one buffer, what is sent can be copied into one packet. */
	static_assert(TCP_BUF_ROOM >= PACKET_ROOM_MAX, "the smaller of the two");
	uint16_t mss = min(mtu, (uint16_t)PACKET_ROOM_MAX) - 40;
	*cfg = (struct tcp_config){
		.cong = &tcp_cong_reno,
		.rcv_buf = CONFIG_TCP_RX_BYTES,
		.mss = max(mss, (uint16_t)TCP_MSS_MIN),
		.keep_interval_ns = 10 * NS_PER_S,
		.keep_count = 6,
		.ts_offset = tcp_ts_offset(tcp_tuple_hash(&c->tuple)),
	};
}

/* With one reference, the caller's; the core is not open yet. */
struct tcp_conn_result tcp_conn_create(const struct tcp_tuple *t, uint16_t mtu)
{
	struct tcp_conn *c = pool_alloc(tcp_conn_pool);
	/* A pool may have a few objects more than asked for: the limit is the slots'. */
	uint32_t slot = c ? tcp_table_slot_take(c) : UINT32_MAX;
	if (slot == UINT32_MAX) {
		if (c)
			pool_free(tcp_conn_pool, c);
		tcp_count(TCP_REFUSED_CONNECTIONS);
		return ERR_RESULT(tcp_conn_result, ERR_NFILE);
	}
	memset(c, 0, sizeof(*c));
	c->slot = slot;
	c->tuple = *t;
	c->peer = tcp_peer_slot(t->remote);
	c->refs = 1;
	c->id = __atomic_add_fetch(&tcp_next_id, 1, __ATOMIC_RELAXED);
	mutex_init(&c->lock, LOCK_TCP_CONN);
	condvar_init(&c->changed);
	tcp_queue_init(&c->tx);
	tcp_queue_init(&c->rx);
	list_init(&c->ahead);
	list_init(&c->hash);
	list_init(&c->accept);
	list_init(&c->half_age);
	list_init(&c->poll.node);
	callout_init(&c->timer, CALLOUT_SOFT, tcp_conn_timer, c);
	c->timer_at = KTIME_NEVER;
	tcp_conn_config(c, mtu, &c->core.cfg);
	return OK_RESULT(tcp_conn_result, c);
}

static struct packet *tcp_conn_packet(struct tcp_queue *q, const struct tcp_seg *seg)
{
	size_t header = tcp_wire_header_bytes(seg);
	bool copy = seg->len && !tcp_queue_refers(q, seg->off, seg->len);
	size_t room = header + (copy ? seg->len : 0);
	struct packet *p = packet_alloc(seg->len ? PACKET_TX : PACKET_CONTROL, room);
	if (!p)
		return NULL;
	tcp_wire_build(wbuf_of(packet_append(p, header), header), seg);
	if (seg->len == 0 || tcp_queue_to_packet(q, seg->off, seg->len, copy, p) == OK)
		return p;
	packet_free(p);
	return NULL;
}

/* Sends one segment. What cannot be sent is lost, as on a wire: TCP sends it again. */
void tcp_conn_transmit(const struct tcp_tuple *t, struct tcp_queue *q, struct tcp_seg *seg)
{
	seg->src_port = t->local_port;
	seg->dst_port = t->remote_port;
	struct packet *p = tcp_conn_packet(q, seg);
	if (!p) {
		tcp_count(TCP_TX_NO_PACKET);
		return;
	}
	struct ipv4_tx tx = {
		.src = t->local,
		.dst = t->remote,
		.proto = IP_PROTO_TCP,
		.csum_offset = 16,
	};
	tcp_count(TCP_TX_SEGMENTS);
	if (seg->flags & TCP_RST)
		tcp_count(TCP_TX_RESETS);
	if (ipv4_send(&tx, p) != OK)
		tcp_count(TCP_TX_FAILED);
}

static void tcp_conn_count_drop(enum tcp_drop why)
{
	static const enum tcp_counter counters[] = {
		[TCP_DROP_SEQ] = TCP_RX_SEQ,
		[TCP_DROP_PAWS] = TCP_RX_PAWS,
		[TCP_DROP_RST] = TCP_RX_BAD_RST,
		[TCP_DROP_SYN] = TCP_RX_BAD_SYN,
		[TCP_DROP_ACK] = TCP_RX_BAD_ACK,
		[TCP_DROP_ROOM] = TCP_RX_NO_ROOM,
		[TCP_DROP_STATE] = TCP_RX_STATE,
	};
	if (why != TCP_DROP_NONE)
		tcp_count(counters[why]);
}

void tcp_conn_abort(struct tcp_conn *c, ktime now)
{
	struct tcp_out out;
	tcp_user_abort(&c->core, now, &out);
	tcp_conn_apply(c, &out, NULL, now);
	tcp_conn_run(c, now);
}

void tcp_conn_orphan(struct tcp_conn *c)
{
	if (tcp_is_done(&c->core))
		return;
	c->orphan = true;
	if (__atomic_fetch_add(&tcp_orphans, 1, __ATOMIC_RELAXED) < CONFIG_TCP_ORPHANS)
		return;
	c->core.cfg.orphan_ns = TCP_ORPHAN_SHORT_NS;
	tcp_count(TCP_ORPHANS_HURRIED);
}

uint32_t tcp_conn_orphans(void)
{
	return __atomic_load_n(&tcp_orphans, __ATOMIC_RELAXED);
}

static void tcp_conn_orphan_ended(struct tcp_conn *c)
{
	if (!c->orphan)
		return;
	c->orphan = false;
	__atomic_fetch_sub(&tcp_orphans, 1, __ATOMIC_RELAXED);
	if (c->core.error == ERR_TIMEDOUT)
		tcp_count(TCP_ORPHANS_GIVEN_UP);
}

/* The core has ended: nothing finds the connection any more. */
static void tcp_conn_ended(struct tcp_conn *c, uint32_t events, ktime now)
{
	tcp_count(c->core.error == OK ? TCP_ENDED_OK : TCP_ENDED_ERROR);
	tcp_conn_orphan_ended(c);
	if (!c->in_table)
		return;
	tcp_listen_failed(c);
	if (events & TCP_EV_TIME_WAIT)
		tcp_table_time_wait(c, now);
	else
		tcp_table_remove(c);
	tcp_queue_clear(&c->tx);
	tcp_conn_put(c); /* the table's; the caller has another */
}

void tcp_conn_apply(struct tcp_conn *c, const struct tcp_out *out, const uint8_t *payload, ktime now)
{
	tcp_conn_count_drop(out->drop);
	if (out->held_back)
		tcp_count(TCP_TX_CHALLENGES_LIMITED);
	tcp_receive_keep(c, payload, out);
	if (out->acked) {
		tcp_queue_drop(&c->tx, out->acked);
		c->starved = false;
	}
	if (out->send) {
		struct tcp_seg seg = out->tx;
		tcp_conn_transmit(&c->tuple, &c->tx, &seg);
	}
	if (out->events & TCP_EV_CONNECTED) {
		tcp_table_established(c);
		if (c->listener)
			tcp_listen_ready(c);
	}
	if (out->events & (TCP_EV_CLOSED | TCP_EV_TIME_WAIT))
		tcp_conn_ended(c, out->events, now);
	if (out->events) {
		tcp_pollset_update(&c->poll, tcp_conn_ready(c));
		condvar_broadcast(&c->changed);
	}
}

void tcp_conn_run(struct tcp_conn *c, ktime now)
{
	struct tcp_out out;
	int sent = 0;
	do {
		tcp_poll(&c->core, now, &out);
		tcp_conn_apply(c, &out, NULL, now);
	} while (out.send && ++sent < TCP_OUT_MAX);
	/* A long stretch: the rest goes by the timer, so that others get the lock. */
	if (out.send && !tcp_is_done(&c->core))
		c->core.timer[TCP_TIMER_DELACK] = now;
	tcp_conn_arm(c);
}
