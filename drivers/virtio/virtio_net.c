/*
 * virtio_net.c - the network device.
 *
 * Receiving: the queue is kept full of receive packets, whose headroom in front of
 * the frame takes the device's header. The interrupt handler acknowledges and calls
 * netdev_receive_ready(); the queue stays disarmed until the receive thread has
 * found it empty. When no packet is free the frame's own goes back: the frame is
 * dropped and counted, the queue stays full.
 *
 * Sending: the header is pushed in front of the frame, fragments go as one indirect
 * chain. Completion raises no interrupt: sent packets are taken back by the next
 * send, by each poll, and by a callout every VNET_LOOK_NS while packets are out.
 *
 * A later look: a notification or an interrupt that is missing, for whatever reason
 * (virtq_core.h has one), would leave a queue standing for ever. So the callout gives
 * the notification that the device asks for and has not got; and when nothing was
 * received for a while, VNET_LOOK_NS at least, it has the receive thread poll once more,
 * which does the same for its queue. Counted in tx_stalls, rx_stalls; not counted is a frame that
 * came while the look was under way, of which the device has said so, or for which a poll is due anyway.
 *
 * The device is not trusted: lengths and ids are checked by virtq_core.c, a frame
 * shorter than its headers is an error, and GOOD is believed only when the feature
 * was negotiated. A broken queue, of either, stops the device, with one log line;
 * what the device had comes back once it is reset.
 *
 * Locks: LOCK_NETDEV guards the transmit queue and what concerns the callout. The receive queue is the receive
 * thread's. Bound: one device (eth0).
 * Reference: virtio 1.2 section 5.1.
 */
#include "drivers/virtio/virtio_priv.h"
#include "kernel/diag/diag.h"
#include "kernel/lock/lock.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/unaligned.h"

#define VNET_F_CSUM       (UINT64_C(1) << 0)
#define VNET_F_GUEST_CSUM (UINT64_C(1) << 1)
#define VNET_F_MAC        (UINT64_C(1) << 5)
#define VNET_HEADER_BYTES 12 /* with VERSION_1 always */
#define VNET_FRAME_MAX    1514
#define VNET_MTU          1500
#define VNET_QUEUE_RX     0
#define VNET_QUEUE_TX     1
#define VNET_LOOK_NS      (2 * NS_PER_MS)
#define VNET_RX_LOOKS     2 /* behind the last frame: the first may come at once, the second polls */
#define VNET_RECLAIM_MAX  8 /* packets taken back in one hold of the lock, with preemption off */

#define VNET_HDR_NEEDS_CSUM 1
#define VNET_HDR_DATA_VALID 2

enum { VNET_RX_ANNOUNCED = 1, VNET_RX_LOOK = 2 };

static_assert(PACKET_FRAGS <= VIRTQ_INDIRECT_MAX, "a packet is one chain");
static_assert(CONFIG_PACKET_RX_BUFFERS > CONFIG_VIRTIO_NET_QUEUE, "the queue leaves packets to keep");

static struct vnet {
	struct netdev net;
	struct virtio_dev dev;
	bool open;
	struct virtq rx; /* receive thread */
	struct virtq_slot rx_slots[CONFIG_VIRTIO_NET_QUEUE];
	bool stopped; /* written by the receive thread */
	struct spinlock lock;
	struct virtq tx; /* lock */
	struct virtq_slot tx_slots[CONFIG_VIRTIO_NET_QUEUE];
	uint8_t rx_looks; /* lock; of the callout, until the receive thread is to poll once more */
	uint32_t rx_why; /* atomic, VNET_RX_*: why the receive thread is to poll */
	bool rx_more;    /* receive thread: its last poll has asked for another one */
	bool look_armed;  /* lock */
	struct callout look;
} vnet;

/* ---- receiving ---- */

static bool vnet_rx_give(struct packet *p)
{
	struct virtq_buf b = {(uintptr_t)p->frag[0].ptr, VNET_HEADER_BYTES + VNET_FRAME_MAX};
	return virtq_add(&vnet.rx, &b, 0, 1, p) == OK;
}

/* A packet whose first fragment begins with room for the device's header. */
static struct packet *vnet_rx_packet(void)
{
	struct packet *p = packet_alloc(PACKET_RX, VNET_FRAME_MAX);
	if (p != NULL)
		packet_push(p, VNET_HEADER_BYTES);
	return p;
}

static void vnet_rx_fill(void)
{
	while (vnet.rx.free_count > 0 && !vnet.rx.broken) {
		struct packet *p = vnet_rx_packet();
		if (p == NULL)
			break;
		if (!vnet_rx_give(p)) {
			packet_free(p);
			break;
		}
	}
	if (virtq_kick(&vnet.rx))
		virtio_notify(&vnet.dev, VNET_QUEUE_RX);
}

/* The frame behind the device's header, or false. */
static bool vnet_rx_frame(struct packet *p, uint32_t len)
{
	if (len < VNET_HEADER_BYTES || len > VNET_HEADER_BYTES + VNET_FRAME_MAX)
		return false;
	uint8_t flags = p->frag[0].ptr[0];
	uint8_t *header = packet_pull(p, VNET_HEADER_BYTES);
	uint8_t *frame = packet_append(p, len - VNET_HEADER_BYTES);
	assert(header != NULL && frame != NULL);
	/* NEEDS_CSUM: from another guest on the same host, never on a wire */
	if ((vnet.net.features & NETDEV_RX_CSUM) != 0 &&
		(flags & (VNET_HDR_DATA_VALID | VNET_HDR_NEEDS_CSUM)) != 0)
		p->flags |= PACKET_CSUM_GOOD;
	return true;
}

/* One used buffer: its frame goes up, a fresh packet takes its place. */
static void vnet_rx_one(struct packet *p, uint32_t len)
{
	struct packet *fresh = vnet_rx_packet();
	bool dropped = fresh == NULL;
	if (dropped) {
		vnet.net.stats.rx_dropped++;
		fresh = p;
	}
	if (!vnet_rx_give(fresh))
		packet_free(fresh);
	if (dropped)
		return;
	if (!vnet_rx_frame(p, len)) {
		vnet.net.stats.rx_errors++;
		packet_free(p);
		return;
	}
	netdev_receive(&vnet.net, p);
}

static unsigned vnet_rx_batch(unsigned budget)
{
	unsigned n = 0;
	void *token;
	uint32_t len;
	for (; n < budget && virtq_take(&vnet.rx, &token, &len); n++)
		vnet_rx_one(token, len);
	return n;
}

/*
 * Frames wait for which the driver would not have come: no poll was due, and the device has announced none. It raises
 * an interrupt behind a frame, and the handler takes note of one before it acknowledges it: so the device is asked
 * first, and once more what the handler has noted.
 */
static bool vnet_rx_forgotten(uint32_t why)
{
	return !vnet.rx_more && !(why & VNET_RX_ANNOUNCED) && virtq_waits(&vnet.rx) &&
		!virtio_interrupt_pending(&vnet.dev) &&
		!(__atomic_load_n(&vnet.rx_why, __ATOMIC_ACQUIRE) & VNET_RX_ANNOUNCED);
}

/* Nothing came for a while: did nothing come, or was it not announced, or is the device short of packets? */
static void vnet_rx_look(uint32_t why)
{
	bool kick = virtq_kick_late(&vnet.rx);
	vnet.net.stats.rx_stalls += kick || vnet_rx_forgotten(why);
	if (kick)
		virtio_notify(&vnet.dev, VNET_QUEUE_RX);
}

static void vnet_rx_look_later(void);
static void vnet_tx_reclaim(void);
static void vnet_stop_if_broken(void);

static unsigned vnet_poll(struct netdev *d, unsigned budget)
{
	unsigned n = 0;
	uint16_t given = vnet.rx.avail_idx;
	vnet_tx_reclaim();
	uint32_t why = __atomic_exchange_n(&vnet.rx_why, 0, __ATOMIC_RELAXED);
	if (why & VNET_RX_LOOK)
		vnet_rx_look(why);
	do
		n += vnet_rx_batch(budget - n);
	while (n < budget && virtq_arm(&vnet.rx));
	if (n == budget)
		virtq_disarm(&vnet.rx);
	vnet_rx_fill();
	if (vnet.rx.avail_idx != given)
		vnet_rx_look_later();
	bool late = n < budget && virtq_waits(&vnet.rx); /* what virtq_arm() did not see yet, nearly always */
	vnet.rx_more = n == budget || late;
	if (late)
		netdev_receive_ready(d);
	vnet_stop_if_broken();
	return n;
}

static void vnet_interrupt(void *arg)
{
	(void)arg;
	__atomic_fetch_or(&vnet.rx_why, VNET_RX_ANNOUNCED, __ATOMIC_RELEASE);
	virtio_interrupt_ack(&vnet.dev);
	virtq_disarm(&vnet.rx); /* a hint to the device: the poll that is to come arms anew */
	netdev_receive_ready(&vnet.net);
}

/* ---- sending ---- */

static void vnet_tx_done(struct packet *p)
{
	if (p->sent != NULL)
		p->sent(p);
	else
		packet_free(p);
}

/* Takes back at most VNET_RECLAIM_MAX sent packets into `done`; how many. */
static unsigned vnet_tx_take_locked(struct list *done)
{
	void *token;
	uint32_t len;
	unsigned n = 0;
	for (; n < VNET_RECLAIM_MAX && virtq_take(&vnet.tx, &token, &len); n++)
		list_push_back(done, &((struct packet *)token)->node);
	return n;
}

static void vnet_tx_done_all(struct list *done)
{
	for (struct list *n; (n = list_pop_front(done)) != NULL;)
		vnet_tx_done(list_entry(n, struct packet, node));
}

/* All that was sent when it began, a few in each hold. */
static void vnet_tx_reclaim(void)
{
	unsigned n = VNET_RECLAIM_MAX;
	for (unsigned taken = 0; n == VNET_RECLAIM_MAX && taken < CONFIG_VIRTIO_NET_QUEUE; taken += n) {
		struct list done = LIST_INIT(done);
		spin_lock(&vnet.lock);
		n = vnet_tx_take_locked(&done);
		spin_unlock(&vnet.lock);
		vnet_tx_done_all(&done);
	}
}

/* ---- a later look ---- */

/* look_armed is set, by who calls. */
static void vnet_look_start(void)
{
	if (callout_start(&vnet.look, ktime_add(clock_now(), VNET_LOOK_NS)) == OK)
		return;
	spin_lock(&vnet.lock);
	vnet.look_armed = false; /* the next frame tries again */
	spin_unlock(&vnet.lock);
}

static void vnet_rx_look_later(void)
{
	spin_lock(&vnet.lock);
	bool arm = !vnet.look_armed;
	vnet.look_armed = true;
	vnet.rx_looks = VNET_RX_LOOKS;
	spin_unlock(&vnet.lock);
	if (arm)
		vnet_look_start();
}

/* While packets are out, or the receive thread is to poll once more, comes again. */
static void vnet_look_expired(void *arg)
{
	(void)arg;
	vnet_tx_reclaim();
	spin_lock(&vnet.lock);
	bool broken = vnet.tx.broken;
	bool look = vnet.rx_looks == 1;
	vnet.rx_looks -= vnet.rx_looks > 0;
	bool kick = vnet.tx.out > 0 && !broken && virtq_kick_late(&vnet.tx);
	bool again = (vnet.tx.out > 0 || vnet.rx_looks > 0) && !broken;
	vnet.net.stats.tx_stalls += kick;
	vnet.look_armed = again;
	spin_unlock(&vnet.lock);
	if (kick)
		virtio_notify(&vnet.dev, VNET_QUEUE_TX);
	if (look)
		__atomic_fetch_or(&vnet.rx_why, VNET_RX_LOOK, __ATOMIC_RELAXED);
	if (look || broken) /* whose thread stops the device */
		netdev_receive_ready(&vnet.net);
	if (again)
		vnet_look_start();
}

/* Either queue is broken: no more of this device. */
static bool vnet_mark_broken(void)
{
	spin_lock(&vnet.lock);
	vnet.rx.broken = vnet.tx.broken = vnet.rx.broken || vnet.tx.broken;
	spin_unlock(&vnet.lock);
	return vnet.rx.broken;
}

static void vnet_stop_if_broken(void)
{
	void *token;
	if (vnet.stopped || !vnet_mark_broken())
		return;
	vnet.stopped = true;
	klog(LOG_ERR, "virtio_net: %.*s violates the ring protocol; eth0 is stopped",
		STR_ARG(vnet.dev.node));
	if (!virtio_fail(&vnet.dev))
		return; /* it may still write to what it has */
	while ((token = virtq_reclaim(&vnet.rx)) != NULL)
		packet_free(token);
	do {
		spin_lock(&vnet.lock);
		token = virtq_reclaim(&vnet.tx);
		spin_unlock(&vnet.lock);
		if (token != NULL)
			vnet_tx_done(token);
	} while (token != NULL);
}

static void vnet_header_build(uint8_t *h, const struct packet *p)
{
	memset(h, 0, VNET_HEADER_BYTES);
	if ((p->flags & PACKET_CSUM_PARTIAL) == 0)
		return;
	h[0] = VNET_HDR_NEEDS_CSUM;
	store_le16(h + 6, p->csum_start);
	store_le16(h + 8, p->csum_offset);
}

static enum err vnet_tx_add_locked(struct packet *p)
{
	struct virtq_buf bufs[PACKET_FRAGS];
	for (size_t i = 0; i < p->frag_count; i++)
		bufs[i] = (struct virtq_buf){(uintptr_t)p->frag[i].ptr, p->frag[i].len};
	return virtq_add(&vnet.tx, bufs, p->frag_count, 0, p);
}

static enum err vnet_transmit(struct netdev *d, struct packet *p)
{
	struct list done = LIST_INIT(done);
	size_t bytes = p->len;
	vnet_header_build(packet_push(p, VNET_HEADER_BYTES), p);
	spin_lock(&vnet.lock);
	vnet_tx_take_locked(&done);
	enum err e = vnet_tx_add_locked(p);
	bool kick = e == OK && virtq_kick(&vnet.tx);
	bool arm = e != ERR_IO && !vnet.look_armed; /* full as well: it may be a stall */
	if (arm)
		vnet.look_armed = true;
	if (e == OK) {
		d->stats.tx_packets++;
		d->stats.tx_bytes += bytes;
	}
	spin_unlock(&vnet.lock);
	if (kick)
		virtio_notify(&vnet.dev, VNET_QUEUE_TX);
	vnet_tx_done_all(&done);
	if (arm)
		vnet_look_start();
	if (e == OK)
		return OK;
	if (e == ERR_IO && !vnet.stopped)
		netdev_receive_ready(d); /* whose thread stops the device */
	uint8_t *header = packet_pull(p, VNET_HEADER_BYTES);
	assert(header != NULL);
	return ERR_AGAIN;
}

/* ---- probing ---- */

static const struct netdev_ops vnet_ops = {.transmit = vnet_transmit, .poll = vnet_poll};

static void vnet_read_mac(void)
{
	if ((vnet.dev.features & VNET_F_MAC) != 0) {
		virtio_config_read(&vnet.dev, 0, wbuf_of(vnet.net.mac, sizeof(vnet.net.mac)));
		return;
	}
	rng_fill(vnet.net.mac, sizeof(vnet.net.mac));
	vnet.net.mac[0] = (uint8_t)((vnet.net.mac[0] & 0xfc) | 2); /* local, to one */
}

static enum err vnet_start(const struct machine_device *d)
{
	enum err e = virtio_queue_init(&vnet.dev, VNET_QUEUE_RX, CONFIG_VIRTIO_NET_QUEUE, &vnet.rx,
		vnet.rx_slots);
	if (e == OK)
		e = virtio_queue_init(&vnet.dev, VNET_QUEUE_TX, CONFIG_VIRTIO_NET_QUEUE, &vnet.tx,
			vnet.tx_slots);
	if (e == OK)
		e = irq_request(d->irq, vnet.net.name, vnet_interrupt, NULL);
	if (e == OK)
		e = netdev_register(&vnet.net);
	return e;
}

static enum err vnet_probe(const struct machine_device *d)
{
	if (vnet.open)
		return ERR_NODEV;
	enum err e = virtio_open(&vnet.dev, d, VIRTIO_ID_NET, VNET_F_CSUM | VNET_F_GUEST_CSUM |
			VNET_F_MAC | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX);
	if (e != OK)
		return e;
	vnet.open = true;
	spin_init(&vnet.lock, LOCK_NETDEV);
	callout_init(&vnet.look, CALLOUT_SOFT, vnet_look_expired, NULL);
	vnet.net = (struct netdev){.name = S("eth0"), .mtu = VNET_MTU, .ops = &vnet_ops};
	vnet.net.features = ((vnet.dev.features & VNET_F_CSUM) != 0 ? NETDEV_TX_CSUM : 0) |
		((vnet.dev.features & VNET_F_GUEST_CSUM) != 0 ? NETDEV_RX_CSUM : 0);
	vnet_read_mac();
	e = vnet_start(d);
	if (e != OK) {
		virtio_fail(&vnet.dev);
		return e;
	}
	virtio_ready(&vnet.dev);
	irq_enable(d->irq);
	netdev_receive_ready(&vnet.net); /* the first poll fills and arms the queue */
	char room[20];
	struct abuf mac = abuf_of(room, sizeof(room));
	for (size_t i = 0; i < sizeof(vnet.net.mac); i++)
		fmt(&mac, i == 0 ? "%02x" : ":%02x", vnet.net.mac[i]);
	klog(LOG_INFO, "virtio_net: %.*s is eth0, %.*s", STR_ARG(d->node), STR_ARG(abuf_str(&mac)));
	return OK;
}
DRIVER(virtio_net, .compatible = "virtio,mmio", .probe = vnet_probe);
