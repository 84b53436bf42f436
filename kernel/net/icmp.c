/*
 * icmp.c - answers echo requests, reports errors to senders, and hands the errors
 * that others report about what we sent to the transport concerned, replies to echo.c.
 *
 * Bounds: echo replies and errors sent have a rate each (token buckets); what is
 * beyond is dropped and counted. Redirects are ignored: a host with one gateway
 * gains nothing from believing them.
 *
 * Locks: none: everything runs in the receive thread.
 * Reference: RFC 792, RFC 1122 section 3.2.2, RFC 1191, RFC 5927 (the transport
 * checks that the quote is of something in flight).
 */
#include "kernel/net/net_priv.h"
#include "kernel/net/rate.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/initcall.h"

#define ICMP_QUOTE_MAX (IPV4_BYTES_MAX + 8) /* header with options and 8 bytes: fits a CONTROL packet */
#define ICMP_BURST     64

static struct rate icmp_echo_rate;  /* receive thread */
static struct rate icmp_error_rate; /* receive thread */

static void icmp_drop(enum net_counter reason, struct packet *p)
{
	net_count(reason);
	packet_free(p);
}

/* ---- echo ---- */

/* The reply is a transmit packet: a flood of requests takes no receive buffer with it. */
static void icmp_echo(const struct ipv4_rx *rx, const struct wire_icmp *m, struct packet *p)
{
	net_count(NET_ICMP_ECHO);
	if (rx->to_broadcast) {
		icmp_drop(NET_ICMP_BROADCAST, p);
		return;
	}
	if (!rate_take(&icmp_echo_rate, clock_now())) {
		icmp_drop(NET_ICMP_ECHO_LIMITED, p);
		return;
	}
	struct packet *reply = packet_alloc(PACKET_TX, p->len);
	uint8_t *bytes = reply == NULL ? NULL : packet_append(reply, p->len);
	if (bytes == NULL) {
		packet_free(reply);
		icmp_drop(NET_ICMP_NO_BUFFER, p);
		return;
	}
	packet_copy_out(p, 0, wbuf_of(bytes, p->len));
	struct wire_icmp h = {.type = ICMP_ECHO_REPLY, .rest = m->rest};
	wire_icmp_build(bytes, p->len, &h);
	packet_free(p);
	struct ipv4_tx tx = {.src = rx->dst, .dst = rx->src, .proto = IP_PROTO_ICMP};
	if (ipv4_send(&tx, reply) == OK)
		net_count(NET_ICMP_ECHO_REPLY);
}

/* To one of ours, checksum right. A group's address is nobody that would have asked. */
static void icmp_reply(const struct ipv4_rx *rx, const struct wire_icmp *m, struct packet *p)
{
	bool taken = !rx->to_broadcast && echo_input(rx, m->rest, rbuf_slice(packet_data(p), ICMP_HEADER_BYTES, p->len));
	icmp_drop(taken ? NET_ICMP_REPLY_RX : NET_ICMP_REPLY_UNASKED, p);
}

/* ---- errors in ---- */

static bool icmp_error_kind(const struct wire_icmp *m, enum net_error_kind *kind)
{
	if (m->type == ICMP_TIME_EXCEEDED) {
		*kind = NET_ERROR_TTL_EXCEEDED;
		return m->code == 0;
	}
	switch (m->code) {
	case ICMP_NET:
		*kind = NET_ERROR_NET_UNREACH;
		return true;
	case ICMP_HOST:
		*kind = NET_ERROR_HOST_UNREACH;
		return true;
	case ICMP_PROTOCOL:
		*kind = NET_ERROR_PROTO_UNREACH;
		return true;
	case ICMP_PORT:
		*kind = NET_ERROR_PORT_UNREACH;
		return true;
	case ICMP_FRAG_NEEDED:
		*kind = NET_ERROR_FRAG_NEEDED;
		return true;
	case ICMP_PROHIBITED_NET:
	case ICMP_PROHIBITED_HOST:
	case ICMP_PROHIBITED:
		*kind = NET_ERROR_PROHIBITED;
		return true;
	default:
		*kind = NET_ERROR_HOST_UNREACH;
		return m->code <= 15;
	}
}

static void icmp_error(const struct ipv4_rx *rx, const struct wire_icmp *m, struct packet *p)
{
	struct wire_icmp_quote q;
	struct net_error e = {.from = rx->src};
	struct rbuf body = rbuf_slice(packet_data(p), ICMP_HEADER_BYTES, p->len);
	if (wire_icmp_quote_parse(body, &q) != WIRE_OK || !icmp_error_kind(m, &e.kind)) {
		icmp_drop(NET_ICMP_BAD, p);
		return;
	}
	if (rx->to_broadcast || !ipv4_is_local(q.ip.src)) {
		icmp_drop(NET_ICMP_ERROR_IGNORED, p);
		return;
	}
	net_count(NET_ICMP_ERROR_RX);
	e.src = q.ip.src;
	e.dst = q.ip.dst;
	e.mtu = e.kind == NET_ERROR_FRAG_NEEDED ? (uint16_t)m->rest : 0;
	e.transport = q.transport;
	ipv4_deliver_error(&e, q.ip.proto);
	packet_free(p);
}

static void icmp_input(const struct ipv4_rx *rx, struct packet *p)
{
	struct wire_icmp m;
	net_count(NET_ICMP_RX);
	enum wire_verdict v = wire_icmp_parse(packet_data(p), &m);
	if (v != WIRE_OK) {
		icmp_drop(v == WIRE_CHECKSUM ? NET_ICMP_CHECKSUM : NET_ICMP_BAD, p);
		return;
	}
	switch (m.type) {
	case ICMP_ECHO:
		icmp_echo(rx, &m, p);
		break;
	case ICMP_ECHO_REPLY:
		icmp_reply(rx, &m, p);
		break;
	case ICMP_UNREACHABLE:
	case ICMP_TIME_EXCEEDED:
		icmp_error(rx, &m, p);
		break;
	default:
		icmp_drop(NET_ICMP_TYPE, p);
		break;
	}
}

/* ---- errors out ---- */

void icmp_send_error(const struct wire_ipv4 *ip, struct rbuf datagram, uint8_t type, uint8_t code)
{
	struct rbuf transport = rbuf_slice(datagram, ip->header_len, datagram.len);
	if (!wire_icmp_error_allowed(ip, transport))
		return;
	if (!rate_take(&icmp_error_rate, clock_now())) {
		net_count(NET_ICMP_ERROR_LIMITED);
		return;
	}
	struct rbuf quote = rbuf_slice(datagram, 0, min((size_t)ip->header_len + 8, (size_t)ICMP_QUOTE_MAX));
	size_t len = ICMP_HEADER_BYTES + quote.len;
	struct packet *p = packet_alloc(PACKET_CONTROL, len);
	uint8_t *bytes = p == NULL ? NULL : packet_append(p, len);
	if (bytes == NULL) {
		packet_free(p);
		net_count(NET_ICMP_NO_BUFFER);
		return;
	}
	memcpy(bytes + ICMP_HEADER_BYTES, quote.ptr, quote.len);
	struct wire_icmp h = {.type = type, .code = code};
	wire_icmp_build(bytes, len, &h);
	struct ipv4_tx tx = {.src = ip->dst, .dst = ip->src, .proto = IP_PROTO_ICMP};
	if (ipv4_send(&tx, p) == OK)
		net_count(NET_ICMP_ERROR_TX);
}

static enum err icmp_init(void)
{
	static const struct ipv4_protocol icmp = {.number = IP_PROTO_ICMP, .input = icmp_input, .error = echo_input_error};
	echo_init();
	rate_init(&icmp_echo_rate, CONFIG_NET_ICMP_ECHO_RATE, ICMP_BURST);
	rate_init(&icmp_error_rate, CONFIG_NET_ICMP_ERROR_RATE, ICMP_BURST);
	return ipv4_protocol_register(&icmp);
}
INITCALL(net_icmp, icmp_init, "net_ipv4");
