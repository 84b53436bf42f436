/* net_priv.h - what the files of the stack need of each other. */
#ifndef KERNEL_NET_NET_PRIV_H
#define KERNEL_NET_NET_PRIV_H

#include "kernel/net/net.h"
#include "kernel/net/wire.h"

/* ---- ether.c ---- */

/* Puts the header in front and sends; takes p. */
enum err ether_send(struct netdev *dev, const uint8_t *dst, uint16_t type, struct packet *p);

/* ---- arp.c ---- */

/* p begins at the ARP message; takes p. */
void arp_receive(struct netdev *dev, struct packet *p);
/* Sends the IPv4 packet p to the neighbour, now or when its address is known; takes p. */
enum err arp_send(struct netdev *dev, uint32_t next_hop, struct packet *p);
/* Announces the address of an interface, twice (RFC 5227 section 2.3). */
void arp_announce_iface(size_t index);

/* ---- ipv4.c ---- */

/* p begins at the IPv4 header; takes p. link_multicast: the frame was not to us alone. */
void ipv4_receive(struct netdev *dev, struct packet *p, bool link_multicast);

/* ---- icmp.c ---- */

/*
 * Reports an error about a received datagram to its sender, if that is allowed and
 * the rate permits. `datagram` begins at the IPv4 header.
 */
void icmp_send_error(const struct wire_ipv4 *ip, struct rbuf datagram, uint8_t type, uint8_t code);
/* ---- echo.c; receive thread ---- */

void echo_init(void); /* before anything is received */
/* A reply came: `rest` is its second word. False: nobody has asked. */
must_check bool echo_input(const struct ipv4_rx *rx, uint32_t rest, struct rbuf data);
void echo_input_error(const struct net_error *error);

/* Tells the transport about an error; ipv4.c. */
void ipv4_deliver_error(const struct net_error *e, uint8_t proto);

/* ---- iface.c ---- */

struct iface {
	struct netdev *dev;
	uint32_t addr;
	uint32_t gateway;
	uint8_t prefix_len;
	bool conflict;
};
/* A consistent copy of the i-th interface; false when there are no more. Any context. */
must_check bool iface_get(size_t i, struct iface *out);
/* The interface of a device, and its index; false when it has none. Any context. */
must_check bool iface_of(const struct netdev *dev, struct iface *out, size_t *index);
/* What an address is to this machine: IFACE_* bits, 0 for any other's. Any context. */
#define IFACE_LOCAL	1 /* an interface has it */
#define IFACE_BROADCAST 2 /* all ones, or the broadcast address of a network that it is in, old form too */
unsigned iface_address(uint32_t addr);
void iface_mark_conflict(size_t i); /* until it is configured anew */

/* ---- netctl.c: /net/ctl ---- */
void netctl_init(void);
void netctl_render(struct abuf *out);
enum err netctl_line(struct str line, struct abuf *answer);

#endif
