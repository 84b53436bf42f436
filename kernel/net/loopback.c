/*
 * loopback.c - lo, 127.0.0.1: what is sent comes back through the receive thread
 * like everything else, so that no input runs inside a send.
 *
 * A packet is copied into a receive packet: it has one fragment then, and a sender
 * that waits for transmit buffers does not wait for a receiver. The checksum was
 * never at risk: what asks the device to complete it is passed as good.
 *
 * Bound: CONFIG_NET_LOOPBACK_QUEUE packets wait; beyond, ERR_AGAIN (dropped, counted).
 * Locks: LOCK_NETDEV guards the queue.
 */
#include "kernel/lock/lock.h"
#include "kernel/net/net_priv.h"
#include "lib/assert.h"
#include "lib/initcall.h"

#define LOOPBACK_MTU 1500

static struct {
	struct spinlock lock;
	struct list queue; /* lock */
	uint32_t queued;   /* lock */
	struct netdev dev;
} loopback;

static struct packet *loopback_copy(const struct packet *p)
{
	struct packet *in = packet_alloc(PACKET_RX, p->len);
	uint8_t *to = in == NULL ? NULL : packet_append(in, p->len);
	if (to == NULL) {
		packet_free(in);
		return NULL;
	}
	packet_copy_out(p, 0, wbuf_of(to, p->len));
	in->flags = p->flags & PACKET_CSUM_PARTIAL ? PACKET_CSUM_GOOD : 0;
	return in;
}

static void loopback_sent(struct packet *p)
{
	if (p->sent != NULL)
		p->sent(p);
	else
		packet_free(p);
}

static enum err loopback_transmit(struct netdev *d, struct packet *p)
{
	struct packet *in = loopback_copy(p);
	if (in == NULL)
		return ERR_AGAIN;
	spin_lock(&loopback.lock);
	bool room = loopback.queued < CONFIG_NET_LOOPBACK_QUEUE;
	if (room) {
		list_push_back(&loopback.queue, &in->node);
		loopback.queued++;
		d->stats.tx_packets++;
		d->stats.tx_bytes += p->len;
	}
	spin_unlock(&loopback.lock);
	if (!room) {
		packet_free(in);
		return ERR_AGAIN;
	}
	loopback_sent(p);
	netdev_receive_ready(d);
	return OK;
}

static struct packet *loopback_next(void)
{
	spin_lock(&loopback.lock);
	struct list *n = list_pop_front(&loopback.queue);
	if (n != NULL)
		loopback.queued--;
	spin_unlock(&loopback.lock);
	return n == NULL ? NULL : list_entry(n, struct packet, node);
}

static unsigned loopback_poll(struct netdev *d, unsigned budget)
{
	unsigned n = 0;
	for (struct packet *p; n < budget && (p = loopback_next()) != NULL; n++)
		netdev_receive(d, p);
	return n;
}

static const struct netdev_ops loopback_ops = {
	.transmit = loopback_transmit,
	.poll = loopback_poll,
};

static enum err loopback_init(void)
{
	spin_init(&loopback.lock, LOCK_NETDEV);
	list_init(&loopback.queue);
	loopback.dev = (struct netdev){.name = S("lo"), .mtu = LOOPBACK_MTU, .ops = &loopback_ops,
		.features = NETDEV_LOOPBACK | NETDEV_TX_CSUM | NETDEV_RX_CSUM};
	enum err e = netdev_register(&loopback.dev);
	if (e != OK)
		return e;
	return net_configure(&loopback.dev, IPV4_LOOPBACK, 8, IPV4_ANY);
}
INITCALL(net_loopback, loopback_init, "net_ether");
