/*
 * ipv4.c - routing, receiving and sending of IPv4; the registry of transports.
 *
 * Routing: own addresses over lo, then the interface whose network has the
 * destination, then the first default gateway. This is a host: what is for others
 * is dropped, never forwarded.
 *
 * Martians (RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7): a source that cannot
 * be one (group, broadcast, reserved), and loopback or own addresses from the wire.
 *
 * Locks: none; interfaces are read by seqcount, the registry is written at boot.
 */
#include "kernel/diag/diag.h"
#include "kernel/net/net_priv.h"
#include "lib/assert.h"
#include "lib/initcall.h"
#include "lib/unaligned.h"

#define IPV4_PROTOCOLS_MAX 4
#define PORT_DYNAMIC_FIRST 49152
#define PORT_DYNAMIC_COUNT 16384

static const struct ipv4_protocol *ipv4_protocols[IPV4_PROTOCOLS_MAX];
static uint32_t ipv4_protocol_count; /* boot thread; published after the entry */

static const struct ipv4_protocol *ipv4_protocol_find(uint8_t number)
{
	uint32_t n = __atomic_load_n(&ipv4_protocol_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < n; i++)
		if (ipv4_protocols[i]->number == number)
			return ipv4_protocols[i];
	return NULL;
}

enum err ipv4_protocol_register(const struct ipv4_protocol *proto)
{
	uint32_t n = ipv4_protocol_count;
	if (ipv4_protocol_find(proto->number) != NULL)
		return ERR_EXIST;
	if (n == IPV4_PROTOCOLS_MAX)
		return ERR_NOSPC;
	ipv4_protocols[n] = proto;
	__atomic_store_n(&ipv4_protocol_count, n + 1, __ATOMIC_RELEASE);
	return OK;
}

/* ---- addresses and routes ---- */

bool ipv4_is_unicast(uint32_t addr)
{
	return !ipv4_is_reserved(addr) && !ipv4_is_multicast(addr);
}

bool ipv4_is_local(uint32_t addr)
{
	return ipv4_is_loopback(addr) || (iface_address(addr) & IFACE_LOCAL);
}

static void ipv4_route_via(const struct iface *f, uint32_t next_hop, struct ipv4_route *out)
{
	*out = (struct ipv4_route){.dev = f->dev, .src = f->addr, .next_hop = next_hop,
		.mtu = f->dev->mtu};
}

static enum err ipv4_route_local(uint32_t dst, struct ipv4_route *out)
{
	struct iface f;
	for (size_t i = 0; iface_get(i, &f); i++) {
		if ((f.dev->features & NETDEV_LOOPBACK) == 0)
			continue;
		ipv4_route_via(&f, dst, out);
		out->src = dst; /* a machine speaks to itself from the address that it calls */
		return OK;
	}
	return ERR_NETUNREACH;
}

enum err ipv4_route(uint32_t dst, struct ipv4_route *out)
{
	struct iface f, gateway = {0};
	if (ipv4_is_local(dst))
		return ipv4_route_local(dst, out);
	for (size_t i = 0; iface_get(i, &f); i++) {
		if ((f.dev->features & NETDEV_LOOPBACK) != 0 || netdev_is_down(f.dev))
			continue;
		if (((f.addr ^ dst) & ipv4_mask(f.prefix_len)) == 0) {
			ipv4_route_via(&f, dst, out);
			return OK;
		}
		if (f.gateway != IPV4_ANY && gateway.dev == NULL)
			gateway = f;
	}
	if (gateway.dev == NULL || !ipv4_is_unicast(dst))
		return ERR_NETUNREACH;
	ipv4_route_via(&gateway, gateway.gateway, out);
	return OK;
}

uint16_t net_port_random(void)
{
	return (uint16_t)(PORT_DYNAMIC_FIRST + rng_u64() % PORT_DYNAMIC_COUNT);
}

/* ---- receiving ---- */

static void ipv4_drop(enum net_counter reason, struct packet *p)
{
	net_count(reason);
	packet_free(p);
}

static enum net_counter ipv4_counter_of(enum wire_verdict v)
{
	static const enum net_counter counter[] = {
		[WIRE_SHORT] = NET_IP_SHORT,
		[WIRE_VERSION] = NET_IP_VERSION,
		[WIRE_HEADER] = NET_IP_HEADER,
		[WIRE_LENGTH] = NET_IP_LENGTH,
		[WIRE_CHECKSUM] = NET_IP_CHECKSUM,
		[WIRE_FRAGMENT] = NET_IP_FRAGMENT,
		[WIRE_OPTIONS] = NET_IP_OPTIONS,
	};
	assert(v > WIRE_OK && v < countof(counter));
	return counter[v];
}

static bool ipv4_is_martian(const struct netdev *dev, const struct wire_ipv4 *h)
{
	unsigned src = iface_address(h->src);
	if (!ipv4_is_unicast(h->src) || (src & IFACE_BROADCAST))
		return true;
	if ((dev->features & NETDEV_LOOPBACK) != 0)
		return false;
	return ipv4_is_loopback(h->dst) || ipv4_is_loopback(h->src) || (src & IFACE_LOCAL);
}

/* Whether it is for us, and if so, whether for others too. */
static bool ipv4_is_ours(const struct wire_ipv4 *h, bool *to_broadcast)
{
	unsigned dst = iface_address(h->dst);
	*to_broadcast = ipv4_is_multicast(h->dst) || (dst & IFACE_BROADCAST);
	return *to_broadcast || (dst & IFACE_LOCAL) || ipv4_is_loopback(h->dst);
}

static void ipv4_deliver(struct netdev *dev, const struct wire_ipv4 *h, bool to_broadcast,
	struct packet *p)
{
	const struct ipv4_protocol *proto = ipv4_protocol_find(h->proto);
	struct rbuf datagram = packet_data(p);
	if (proto == NULL) {
		net_count(NET_IP_PROTO);
		if (!to_broadcast)
			icmp_send_error(h, datagram, ICMP_UNREACHABLE, ICMP_PROTOCOL);
		packet_free(p);
		return;
	}
	struct ipv4_rx rx = {.src = h->src, .dst = h->dst, .proto = h->proto, .ttl = h->ttl,
		.tos = h->tos, .to_broadcast = to_broadcast, .dev = dev};
	uint8_t *header = packet_pull(p, h->header_len);
	assert(header != NULL); /* the parser has checked it */
	net_count(NET_IP_DELIVERED);
	proto->input(&rx, p);
}

void ipv4_receive(struct netdev *dev, struct packet *p, bool link_multicast)
{
	struct wire_ipv4 h;
	bool to_broadcast;
	net_count(NET_IP_RX);
	enum wire_verdict v = wire_ipv4_parse(packet_data(p), &h);
	if (v != WIRE_OK) {
		ipv4_drop(ipv4_counter_of(v), p);
		return;
	}
	packet_trim(p, h.total_len); /* what Ethernet padded */
	if (ipv4_is_martian(dev, &h)) {
		ipv4_drop(NET_IP_MARTIAN, p);
		return;
	}
	/* RFC 1122 section 3.3.6: a group frame may not carry a datagram to one host */
	if (!ipv4_is_ours(&h, &to_broadcast) || (link_multicast && !to_broadcast)) {
		ipv4_drop(NET_IP_NOT_OURS, p);
		return;
	}
	ipv4_deliver(dev, &h, to_broadcast, p);
}

bool ipv4_rx_checksum_ok(const struct ipv4_rx *rx, const struct packet *p)
{
	if ((p->flags & PACKET_CSUM_GOOD) != 0)
		return true;
	struct checksum c = CHECKSUM_INIT;
	wire_checksum_pseudo(&c, rx->src, rx->dst, rx->proto, p->len);
	checksum_add(&c, p->frag[0].ptr, p->frag[0].len);
	return checksum_finish(&c) == 0;
}

void ipv4_deliver_error(const struct net_error *e, uint8_t number)
{
	const struct ipv4_protocol *proto = ipv4_protocol_find(number);
	if (proto != NULL && proto->error != NULL)
		proto->error(e);
}

/* ---- sending ---- */

/* Completes the transport checksum, or prepares it for the device. */
static void ipv4_checksum(const struct netdev *dev, const struct ipv4_tx *tx, uint32_t src,
	struct packet *p)
{
	uint8_t *at = p->frag[0].ptr + tx->csum_offset;
	assert(p->frag[0].len >= (size_t)tx->csum_offset + 2);
	struct checksum c = CHECKSUM_INIT;
	wire_checksum_pseudo(&c, src, tx->dst, tx->proto, p->len);
	if ((dev->features & NETDEV_TX_CSUM) != 0) {
		store_be16(at, (uint16_t)~checksum_finish(&c));
		p->flags |= PACKET_CSUM_PARTIAL;
		p->csum_start = IPV4_BYTES_MIN;
		p->csum_offset = tx->csum_offset;
		return;
	}
	store_be16(at, 0);
	for (size_t i = 0; i < p->frag_count; i++)
		checksum_add(&c, p->frag[i].ptr, p->frag[i].len);
	uint16_t value = checksum_finish(&c);
	if (value == 0 && tx->proto == IP_PROTO_UDP)
		value = UINT16_MAX; /* 0 means none there (RFC 768) */
	store_be16(at, value);
}

static enum err ipv4_refuse(enum net_counter reason, struct packet *p, enum err e)
{
	net_count(reason);
	packet_free(p);
	return e;
}

enum err ipv4_send(const struct ipv4_tx *tx, struct packet *p)
{
	struct ipv4_route route;
	enum err e = ipv4_route(tx->dst, &route);
	if (e != OK)
		return ipv4_refuse(NET_IP_TX_NO_ROUTE, p, e);
	uint32_t src = tx->src == IPV4_ANY ? route.src : tx->src;
	bool loopback = (route.dev->features & NETDEV_LOOPBACK) != 0;
	if (!ipv4_is_local(src) || (ipv4_is_loopback(src) && !loopback))
		return ipv4_refuse(NET_IP_TX_SOURCE, p, ERR_ADDRNOTAVAIL);
	if (p->len + IPV4_BYTES_MIN > route.mtu)
		return ipv4_refuse(NET_IP_TX_TOO_BIG, p, ERR_MSGSIZE);
	if (tx->csum_offset != 0)
		ipv4_checksum(route.dev, tx, src, p);
	struct wire_ipv4 h = {.src = src, .dst = tx->dst, .frag = IPV4_DF, .tos = tx->tos,
		.ttl = tx->ttl == 0 ? CONFIG_NET_TTL : tx->ttl, .proto = tx->proto,
		.total_len = (uint16_t)(p->len + IPV4_BYTES_MIN)};
	wire_ipv4_build(packet_push(p, IPV4_BYTES_MIN), &h);
	net_count(NET_IP_TX);
	if (loopback)
		return netdev_transmit(route.dev, p);
	if (iface_address(tx->dst) & IFACE_BROADCAST)
		return ether_send(route.dev, (const uint8_t *)"\xff\xff\xff\xff\xff\xff",
			ETHER_TYPE_IPV4, p);
	return arp_send(route.dev, route.next_hop, p);
}

static enum err ipv4_init(void)
{
	return OK;
}
INITCALL(net_ipv4, ipv4_init, "packet", "rng");
