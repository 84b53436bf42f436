/*
 * tcp_rx.c - segments as they come in from IPv4, and the start of TCP.
 *
 * Runs in the one receive thread. Segments that belong to nobody are answered
 * with a reset, CONFIG_TCP_RESETS_PER_S at most.
 */
#include "kernel/net/rate.h"
#include "kernel/net/tcp/tcp_priv.h"
#include "lib/initcall.h"
#include "lib/unaligned.h"

static struct rate tcp_reset_rate; /* receive thread */

static void tcp_input_nowhere(const struct tcp_tuple *t, const struct tcp_seg *seg, ktime now)
{
	struct tcp_seg reply;
	tcp_count(TCP_RX_NOWHERE);
	if (!tcp_reset_reply(seg, &reply))
		return;
	if (rate_take(&tcp_reset_rate, now))
		tcp_conn_transmit(t, NULL, &reply);
	else
		tcp_count(TCP_TX_RESETS_LIMITED);
}

/* False when the connection ended before we had its lock. */
static bool tcp_input_conn(struct tcp_conn *c, struct tcp_seg *seg, const uint8_t *payload, ktime now)
{
	struct tcp_out out;
	mutex_lock(&c->lock);
	bool open = !tcp_is_done(&c->core);
	if (open) {
		seg->no_room = seg->len > 0 && !c->core.draining && !tcp_receive_room(c, seg);
		tcp_input(&c->core, seg, now, &out);
		tcp_conn_apply(c, &out, payload, now);
		tcp_receive_settle(c);
		tcp_conn_run(c, now);
	}
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
	return open;
}

static void tcp_input_segment(const struct ipv4_rx *rx, struct tcp_seg *seg, const uint8_t *payload)
{
	struct tcp_tuple t = {
		.local = rx->dst,
		.remote = rx->src,
		.local_port = seg->dst_port,
		.remote_port = seg->src_port,
	};
	ktime now = clock_now();
	struct tcp_found found;
	tcp_table_find(&t, seg, now, &found);
	if (found.answered) {
		if (found.has_reply)
			tcp_conn_transmit(&t, NULL, &found.reply);
		return;
	}
	if (found.conn && tcp_input_conn(found.conn, seg, payload, now))
		return;
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
		tcp_listen_input(&t, seg, now))
		return;
	tcp_input_nowhere(&t, seg, now);
}

void tcp_input_packet(const struct ipv4_rx *rx, struct packet *p)
{
	struct tcp_seg seg;
	struct rbuf bytes = packet_data(p);
	tcp_count(TCP_RX_SEGMENTS);
	if (rx->to_broadcast)
		tcp_count(TCP_RX_BROADCAST);
	else if (!ipv4_rx_checksum_ok(rx, p))
		tcp_count(TCP_RX_CHECKSUM);
	else if (tcp_wire_parse(bytes, bytes.len, &seg) != OK)
		tcp_count(TCP_RX_MALFORMED);
	else
		tcp_input_segment(rx, &seg, bytes.ptr + seg.off);
	packet_free(p);
}

/* RFC 1191 and RFC 5927: believed only for a number that we have on its way. Others are left to time. */
void tcp_input_error(const struct net_error *e)
{
	if (e->kind != NET_ERROR_FRAG_NEEDED || e->transport.len < 8 || e->mtu < 68 + TCP_MSS_MIN)
		return;
	const uint8_t *p = e->transport.ptr;
	struct tcp_tuple t = {e->src, e->dst, load_be16(p), load_be16(p + 2)};
	struct tcp_seg none = {.flags = TCP_RST}; /* a time-wait record takes no notice of it */
	struct tcp_found found;
	ktime now = clock_now();
	tcp_table_find(&t, &none, now, &found);
	struct tcp_conn *c = found.conn;
	if (!c)
		return;
	tcp_seq seq = {load_be32(p + 4)};
	mutex_lock(&c->lock);
	if (!tcp_is_done(&c->core) && seq_le(c->core.snd_una, seq) && seq_lt(seq, c->core.snd_max)) {
		tcp_set_mtu(&c->core, e->mtu, now);
		tcp_conn_run(c, now);
	}
	mutex_unlock(&c->lock);
	tcp_conn_put(c);
}

static const struct ipv4_protocol tcp_protocol = {
	.number = IP_PROTO_TCP,
	.input = tcp_input_packet,
	.error = tcp_input_error,
};

static enum err tcp_init(void)
{
	rate_init(&tcp_reset_rate, CONFIG_TCP_RESETS_PER_S, CONFIG_TCP_RESETS_PER_S);
	enum err e = tcp_table_init();
	if (e == OK)
		e = tcp_buffers_init();
	if (e == OK)
		e = tcp_conn_init_pool();
	if (e == OK)
		e = ipv4_protocol_register(&tcp_protocol);
	return e;
}
INITCALL(net_tcp, tcp_init, "net_ipv4", "packet", "rng");
