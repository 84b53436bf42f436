/*
 * ether.c - the entry of the stack: looks at a frame's header and passes it on.
 *
 * Taken are frames to the device's address, to all, and to groups (the layer above
 * looks at the IPv4 address). Everything else is another's.
 *
 * Locks: none. Context: the receive thread; ether_send: thread context.
 */
#include "kernel/net/net_priv.h"
#include "lib/initcall.h"

static void ether_drop(enum net_counter reason, struct packet *p)
{
	net_count(reason);
	packet_free(p);
}

static void ether_receive(struct netdev *dev, struct packet *p)
{
	struct wire_ether e;
	net_count(NET_ETHER_RX);
	if (wire_ether_parse(packet_data(p), &e) != WIRE_OK ||
		packet_pull(p, ETHER_HEADER_BYTES) == NULL) {
		ether_drop(NET_ETHER_SHORT, p);
		return;
	}
	bool group = ether_is_multicast(e.dst);
	if (!group && memcmp(e.dst, dev->mac, ETHER_ADDR_BYTES) != 0) {
		ether_drop(NET_ETHER_NOT_OURS, p);
		return;
	}
	if (ether_is_multicast(e.src)) {
		ether_drop(NET_ETHER_SRC, p);
		return;
	}
	switch (e.type) {
	case ETHER_TYPE_IPV4:
		ipv4_receive(dev, p, group);
		break;
	case ETHER_TYPE_ARP:
		arp_receive(dev, p);
		break;
	default:
		ether_drop(NET_ETHER_TYPE, p);
		break;
	}
}

enum err ether_send(struct netdev *dev, const uint8_t *dst, uint16_t type, struct packet *p)
{
	struct wire_ether e = {.type = type};
	memcpy(e.dst, dst, ETHER_ADDR_BYTES);
	memcpy(e.src, dev->mac, ETHER_ADDR_BYTES);
	wire_ether_build(packet_push(p, ETHER_HEADER_BYTES), &e);
	if ((p->flags & PACKET_CSUM_PARTIAL) != 0)
		p->csum_start += ETHER_HEADER_BYTES;
	return netdev_transmit(dev, p);
}

static void stack_receive(struct netdev *dev, struct packet *p)
{
	if ((dev->features & NETDEV_LOOPBACK) != 0)
		ipv4_receive(dev, p, false);
	else
		ether_receive(dev, p);
}

static enum err ether_init(void)
{
	netdev_set_stack(stack_receive);
	return OK;
}
INITCALL(net_ether, ether_init, "netdev", "net_arp", "net_ipv4");
