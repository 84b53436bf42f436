/*
 * net.h - the network stack: Ethernet, ARP, IPv4, ICMP, and what transports and
 * those who show its state need of it.
 *
 * Addresses are uint32_t in host order (10.0.2.15 is 0x0a00020f), ports uint16_t
 * in host order. Functions of this header are called in thread context and may
 * take spinlocks and mutexes; those marked "any context" may be called anywhere.
 *
 * Way in: driver -> receive thread -> ether -> arp | ipv4 -> icmp | a transport's
 * input(). All of it runs in the one receive thread, so that an input() is never
 * entered twice at once. Way out: ipv4_send() in the caller's thread, down to the
 * driver; nothing in it sleeps or waits for a neighbour: what cannot be sent now is
 * queued within bounds (address resolution) or dropped and counted.
 *
 * Counting: each packet that is not delivered counts once, under its reason.
 *
 * Fragments: this release neither sends nor reassembles them. What it sends fits
 * the path or is refused (ERR_MSGSIZE); a fragment received is dropped and counted.
 */
#ifndef KERNEL_NET_NET_H
#define KERNEL_NET_NET_H

#include "kernel/dev/dev.h"
#include "kernel/dev/packet.h"
#include "kernel/net/echo_core.h"
#include "kernel/net/text.h"

#define IPV4(a, b, c, d)                                                                           \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define IPV4_ANY         UINT32_C(0)
#define IPV4_BROADCAST   UINT32_MAX
#define IPV4_LOOPBACK    IPV4(127, 0, 0, 1)
#define IPV4_HEADER_BYTES 20 /* as sent: without options */

enum ip_proto { IP_PROTO_ICMP = 1, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17 };

/* ---- ipv4.c: transports ---- */

/* What the IPv4 header said of a packet; checked: version, lengths, checksum, addresses. */
struct ipv4_rx {
	uint32_t src; /* a unicast address of another host, or one of ours over lo */
	uint32_t dst;
	uint8_t proto, ttl, tos;
	bool to_broadcast; /* dst is a broadcast or multicast address, not one of ours */
	struct netdev *dev;
};

/* An ICMP error about a datagram that we may have sent; only src is known to be ours. */
enum net_error_kind {
	NET_ERROR_NET_UNREACH,
	NET_ERROR_HOST_UNREACH,
	NET_ERROR_PROTO_UNREACH,
	NET_ERROR_PORT_UNREACH,
	NET_ERROR_FRAG_NEEDED,
	NET_ERROR_PROHIBITED,
	NET_ERROR_TTL_EXCEEDED,
};
struct net_error {
	enum net_error_kind kind;
	uint32_t src, dst; /* of the datagram that caused it */
	uint32_t from;     /* who reports it */
	uint16_t mtu;      /* FRAG_NEEDED: of the next hop, 0 when the router did not say */
	struct rbuf transport; /* the first bytes of its transport header, at least 8; unchecked */
};

struct ipv4_protocol {
	uint8_t number;
	/* Receive thread. p begins at the transport header, padding removed, one fragment; takes p. */
	void (*input)(const struct ipv4_rx *rx, struct packet *p);
	void (*error)(const struct net_error *e); /* receive thread; NULL: not interested */
};
/* At boot; the struct stays. ERR_EXIST, ERR_NOSPC. */
must_check enum err ipv4_protocol_register(const struct ipv4_protocol *proto);

/*
 * Whether the transport checksum of a received packet (ones' complement over
 * pseudo-header and all bytes) is right; free when the device has checked it.
 */
must_check bool ipv4_rx_checksum_ok(const struct ipv4_rx *rx, const struct packet *p);

struct ipv4_tx {
	uint32_t src; /* IPV4_ANY: the route's */
	uint32_t dst;
	uint8_t proto;
	uint8_t ttl; /* 0: CONFIG_NET_TTL */
	uint8_t tos;
	/*
	 * Where the transport header keeps its checksum (TCP 16, UDP 6; 0: none to be
	 * done). Filled in by ipv4_send or by the device; what stands there is ignored.
	 */
	uint8_t csum_offset;
};
/*
 * Sends p, which begins at the transport header. Takes p in every case. OK: sent,
 * or queued behind address resolution. ERR_NETUNREACH: no route; ERR_HOSTUNREACH:
 * resolution has failed just now; ERR_ADDRNOTAVAIL: src is not ours; ERR_MSGSIZE:
 * larger than the device's MTU; ERR_NOBUFS: a queue is full. Don't-fragment is set.
 */
enum err ipv4_send(const struct ipv4_tx *tx, struct packet *p);

struct ipv4_route {
	struct netdev *dev;
	uint32_t src;      /* our address there */
	uint32_t next_hop; /* dst itself when on-link */
	uint16_t mtu;      /* of the device: IPv4 header included */
};
/* Own addresses go through lo; then on-link; then the default gateway. ERR_NETUNREACH. Any context. */
must_check enum err ipv4_route(uint32_t dst, struct ipv4_route *out);
/* Whether addr is one of this machine's: 127.0.0.0/8 or an interface's. Any context. */
bool ipv4_is_local(uint32_t addr);
/* Whether a transport may connect to it: not any, broadcast, multicast, reserved. Any context. */
bool ipv4_is_unicast(uint32_t addr);

/* A random port of the dynamic range (RFC 6056: 49152-65535); the transport checks it is free. Any context. */
uint16_t net_port_random(void);

/* ---- iface.c: configuration ---- */

#define NET_IFACE_MAX 4

struct net_iface_info {
	struct netdev *dev;
	uint32_t addr;
	uint8_t prefix_len;
	uint32_t gateway; /* IPV4_ANY: none */
	bool conflict;    /* another host claims addr (RFC 5227) */
};
/* Sets the address of an interface and announces it. ERR_INVAL, ERR_NOSPC. */
must_check enum err net_configure(struct netdev *dev, uint32_t addr, uint8_t prefix_len, uint32_t gateway);
/* The i-th configured interface; false when there are no more. lo is one of them. */
must_check bool net_iface_at(size_t i, struct net_iface_info *out);

struct net_route_info {
	uint32_t dst;
	uint8_t prefix_len;
	uint32_t gateway; /* IPV4_ANY: on-link */
	struct netdev *dev;
};
must_check bool net_route_at(size_t i, struct net_route_info *out);

/* ---- arp.c ---- */

struct net_arp_info {
	uint32_t ip;
	uint8_t mac[6];
	struct netdev *dev;
	struct str state; /* "reachable" ... */
	int64_t age_ns;   /* since it was last confirmed; incomplete: since it was first asked */
};
/* The i-th entry at this moment; false when there are no more. Entries may move between two calls. */
must_check bool net_arp_at(size_t i, struct net_arp_info *out);

/* ---- echo.c: echo requests of our own ---- */

#define NET_ECHO_DATA_MAX 1472 /* with headers, a full Ethernet frame */
struct net_echo;
RESULT(struct net_echo *, net_echo_result);

/* ERR_INVAL: not one host's address; ERR_NOSPC: CONFIG_NET_PINGERS are open. */
must_check struct net_echo_result net_echo_open(uint32_t dst);
/* One request with `size` bytes of data; *seq is its number. The errors of ipv4_send(). */
must_check enum err net_echo_send(struct net_echo *e, size_t size, uint16_t *seq);
/*
 * The next reply, or error about a request (its kind: enum net_error_kind), in order. ERR_TIMEDOUT, ERR_INTR.
 * One thread waits.
 */
must_check enum err net_echo_wait(struct net_echo *e, struct echo_event *out, ktime deadline);
void net_echo_close(struct net_echo *e); /* nobody waits any more */

/* ---- names.c: hosts whose names are known without asking anybody ---- */

/* An address as text, "localhost", or this machine's name (CONFIG_SYSNAME). ERR_NOENT. */
must_check struct ipv4_result net_resolve(struct str name);

/* ---- counters; any context ---- */

/* X(symbol, name as in /net/ip/stats) */
#define NET_COUNTERS(X)                                                                            \
	X(NET_ETHER_RX, "ether_rx_frames")                                                         \
	X(NET_ETHER_SHORT, "ether_drop_short")                                                     \
	X(NET_ETHER_NOT_OURS, "ether_drop_not_ours")                                               \
	X(NET_ETHER_SRC, "ether_drop_bad_source")                                                  \
	X(NET_ETHER_TYPE, "ether_drop_unknown_type")                                               \
	X(NET_ARP_RX, "arp_rx")                                                                    \
	X(NET_ARP_TAKEN, "arp_taken")                                                              \
	X(NET_ARP_BAD, "arp_drop_malformed")                                                       \
	X(NET_ARP_IGNORED, "arp_drop_not_ours")                                                    \
	X(NET_ARP_CONFLICT, "arp_conflicts")                                                       \
	X(NET_ARP_LIMITED, "arp_drop_rate_limited")                                                \
	X(NET_ARP_TX_REQUEST, "arp_tx_requests")                                                   \
	X(NET_ARP_TX_REPLY, "arp_tx_replies")                                                      \
	X(NET_ARP_TABLE_FULL, "arp_table_full")                                                    \
	X(NET_ARP_QUEUE_FULL, "arp_queue_full")                                                    \
	X(NET_ARP_UNRESOLVED, "arp_drop_unresolved")                                               \
	X(NET_IP_RX, "ip_rx")                                                                      \
	X(NET_IP_SHORT, "ip_drop_short")                                                           \
	X(NET_IP_VERSION, "ip_drop_version")                                                       \
	X(NET_IP_HEADER, "ip_drop_header_length")                                                  \
	X(NET_IP_LENGTH, "ip_drop_total_length")                                                   \
	X(NET_IP_CHECKSUM, "ip_drop_checksum")                                                     \
	X(NET_IP_FRAGMENT, "ip_drop_fragment")                                                     \
	X(NET_IP_OPTIONS, "ip_drop_options")                                                       \
	X(NET_IP_MARTIAN, "ip_drop_martian")                                                       \
	X(NET_IP_NOT_OURS, "ip_drop_not_ours")                                                     \
	X(NET_IP_PROTO, "ip_drop_unknown_protocol")                                                \
	X(NET_IP_DELIVERED, "ip_delivered")                                                        \
	X(NET_IP_TX, "ip_tx")                                                                      \
	X(NET_IP_TX_NO_ROUTE, "ip_tx_drop_no_route")                                               \
	X(NET_IP_TX_SOURCE, "ip_tx_drop_source")                                                   \
	X(NET_IP_TX_TOO_BIG, "ip_tx_drop_too_big")                                                 \
	X(NET_ICMP_RX, "icmp_rx")                                                                  \
	X(NET_ICMP_BAD, "icmp_drop_malformed")                                                     \
	X(NET_ICMP_CHECKSUM, "icmp_drop_checksum")                                                 \
	X(NET_ICMP_TYPE, "icmp_drop_unknown_type")                                                 \
	X(NET_ICMP_BROADCAST, "icmp_drop_broadcast")                                               \
	X(NET_ICMP_ECHO, "icmp_rx_echo")                                                           \
	X(NET_ICMP_ECHO_REPLY, "icmp_tx_echo_reply")                                               \
	X(NET_ICMP_ECHO_LIMITED, "icmp_drop_echo_rate_limited")                                    \
	X(NET_ICMP_NO_BUFFER, "icmp_drop_no_buffer")                                               \
	X(NET_ICMP_ECHO_TX, "icmp_tx_echo")                                                        \
	X(NET_ICMP_REPLY_RX, "icmp_rx_echo_reply")                                                 \
	X(NET_ICMP_REPLY_UNASKED, "icmp_drop_reply_unasked")                                       \
	X(NET_ICMP_ERROR_RX, "icmp_rx_errors")                                                     \
	X(NET_ICMP_ERROR_IGNORED, "icmp_drop_error_not_ours")                                      \
	X(NET_ICMP_ERROR_TX, "icmp_tx_errors")                                                     \
	X(NET_ICMP_ERROR_LIMITED, "icmp_tx_errors_rate_limited")

#define NET_COUNTER_ENUM(symbol, name) symbol,
enum net_counter { NET_COUNTERS(NET_COUNTER_ENUM) NET_COUNTER_COUNT };
#undef NET_COUNTER_ENUM

extern uint64_t net_counters[NET_COUNTER_COUNT]; /* atomic */
static inline void net_count(enum net_counter c)
{
	__atomic_fetch_add(&net_counters[c], 1, __ATOMIC_RELAXED);
}
uint64_t net_counter(enum net_counter c);
struct str net_counter_name(enum net_counter c);

/* ---- initcalls to need: "net_ipv4" (registration, sending), "net_iface" (addresses are set) ---- */

#endif
