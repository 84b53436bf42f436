/*
 * net_selftest.c - the stack over its loopback device: fragments are joined,
 * checksums are right, what cannot be sent is refused with its reason and counted
 * once, and a flood is bounded.
 */
#include "kernel/diag/selftest.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/sync/waitq.h"
#include "kernel/time/time.h"

#define TEST_PROTO    253 /* for experiments: RFC 3692 */
#define TEST_WAIT_NS  (60 * NS_PER_S)

static struct {
	uint32_t received, bad; /* atomic */
	uint8_t last[2048];
	size_t last_len;
} net_test;

static void net_test_input(const struct ipv4_rx *rx, struct packet *p)
{
	bool ok = rx->dst == IPV4_LOOPBACK && rx->src == IPV4_LOOPBACK && !rx->to_broadcast &&
		ipv4_rx_checksum_ok(rx, p) && p->frag_count == 1;
	net_test.last_len = packet_copy_out(p, 0, wbuf_of(net_test.last, sizeof(net_test.last)));
	packet_free(p);
	__atomic_fetch_add(&net_test.bad, !ok, __ATOMIC_RELAXED);
	__atomic_fetch_add(&net_test.received, 1, __ATOMIC_RELEASE);
}

static void net_test_begin(void)
{
	static const struct ipv4_protocol proto = {.number = TEST_PROTO, .input = net_test_input};
	enum err e = ipv4_protocol_register(&proto);
	ST_CHECK(e == OK || e == ERR_EXIST);
	net_test.received = 0;
	net_test.bad = 0;
}

static bool net_test_wait(uint32_t count)
{
	ktime end = ktime_add(clock_now(), TEST_WAIT_NS);
	while (__atomic_load_n(&net_test.received, __ATOMIC_ACQUIRE) < count) {
		if (!ktime_before(clock_now(), end))
			return false;
		(void)sleep_ns(NS_PER_MS);
	}
	return true;
}

static bool net_test_wait_counter(enum net_counter c, uint64_t least)
{
	ktime end = ktime_add(clock_now(), TEST_WAIT_NS);
	while (net_counter(c) < least && ktime_before(clock_now(), end))
		(void)sleep_ns(NS_PER_MS);
	return net_counter(c) >= least;
}

static struct packet *net_test_packet(size_t len)
{
	struct packet *p = packet_alloc(PACKET_TX, len);
	uint8_t *to = p == NULL ? NULL : packet_append(p, len);
	for (size_t i = 0; to != NULL && i < len; i++)
		to[i] = (uint8_t)i;
	return p;
}

SELFTEST(net_loopback_joins_fragments_and_checks_sums)
{
	net_test_begin();
	struct packet *payload = net_test_packet(701), *p = net_test_packet(21);
	ST_REQUIRE(payload != NULL && p != NULL);
	ST_CHECK(packet_add_ref(p, payload->frag[0].mem, payload->frag[0].ptr, 301) == OK);
	ST_CHECK(packet_add_ref(p, payload->frag[0].mem, payload->frag[0].ptr + 400, 101) == OK);
	packet_free(payload);
	struct ipv4_tx tx = {.dst = IPV4_LOOPBACK, .proto = TEST_PROTO, .csum_offset = 16};
	ST_CHECK(ipv4_send(&tx, p) == OK);
	ST_REQUIRE(net_test_wait(1));
	ST_CHECK(net_test.bad == 0);
	ST_CHECK(net_test.last_len == 21 + 301 + 101);
	ST_CHECK(net_test.last[20] == 20 && net_test.last[21] == 0 && net_test.last[21 + 300] == (300 & 255));
	ST_CHECK(net_test.last[21 + 301] == (400 & 255));
}

SELFTEST(net_send_is_refused_with_its_reason_and_counted_once)
{
	struct ipv4_tx tx = {.dst = IPV4_LOOPBACK, .proto = TEST_PROTO, .src = IPV4(9, 9, 9, 9)};
	uint64_t source = net_counter(NET_IP_TX_SOURCE), big = net_counter(NET_IP_TX_TOO_BIG);
	uint64_t none = net_counter(NET_IP_TX_NO_ROUTE);
	ST_CHECK(ipv4_send(&tx, net_test_packet(10)) == ERR_ADDRNOTAVAIL);
	ST_CHECK(net_counter(NET_IP_TX_SOURCE) == source + 1);
	tx.src = IPV4_ANY;
	ST_CHECK(ipv4_send(&tx, net_test_packet(1481)) == ERR_MSGSIZE);
	ST_CHECK(net_counter(NET_IP_TX_TOO_BIG) == big + 1);
	tx.dst = IPV4(240, 0, 0, 1);
	ST_CHECK(ipv4_send(&tx, net_test_packet(10)) == ERR_NETUNREACH);
	ST_CHECK(net_counter(NET_IP_TX_NO_ROUTE) == none + 1);
}

SELFTEST(net_routes_own_addresses_over_loopback)
{
	struct ipv4_route r;
	struct net_iface_info f;
	ST_REQUIRE(ipv4_route(IPV4_LOOPBACK, &r) == OK);
	ST_CHECK((r.dev->features & NETDEV_LOOPBACK) != 0 && r.src == IPV4_LOOPBACK);
	for (size_t i = 0; net_iface_at(i, &f); i++) {
		ST_CHECK(ipv4_is_local(f.addr));
		ST_CHECK(ipv4_route(f.addr, &r) == OK && (r.dev->features & NETDEV_LOOPBACK) != 0);
	}
}

/* An echo to ourselves: the request is answered, the reply is nobody's and is counted as such. */
SELFTEST(net_loopback_answers_an_echo)
{
	static const uint8_t echo[8] = {8, 0, 0xf7, 0xff};
	uint64_t asked = net_counter(NET_ICMP_ECHO), nobody = net_counter(NET_ICMP_REPLY_UNASKED);
	struct packet *p = packet_alloc(PACKET_CONTROL, sizeof(echo));
	uint8_t *to = p == NULL ? NULL : packet_append(p, sizeof(echo));
	ST_REQUIRE(to != NULL);
	memcpy(to, echo, sizeof(echo));
	struct ipv4_tx tx = {.dst = IPV4_LOOPBACK, .proto = IP_PROTO_ICMP};
	ST_CHECK(ipv4_send(&tx, p) == OK);
	ST_CHECK(net_test_wait_counter(NET_ICMP_REPLY_UNASKED, nobody + 1));
	ST_CHECK(net_counter(NET_ICMP_ECHO) > asked);
}

/* What the queue does not take is refused at once, and all the rest arrives. */
SELFTEST(net_loopback_flood_is_bounded)
{
	uint32_t sent = 0;
	net_test_begin();
	for (int i = 0; i < 5000; i++) {
		struct packet *p = net_test_packet(100);
		struct ipv4_tx tx = {.dst = IPV4_LOOPBACK, .proto = TEST_PROTO, .csum_offset = 16};
		if (p == NULL)
			continue;
		enum err e = ipv4_send(&tx, p);
		ST_CHECK(e == OK || e == ERR_NOBUFS);
		sent += e == OK;
	}
	ST_CHECK(sent > 0);
	ST_CHECK(net_test_wait(sent));
	ST_CHECK(net_test.received == sent && net_test.bad == 0);
}
