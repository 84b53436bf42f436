/*
 * virtio_net_sim.c - the network driver against a device made of its two queues:
 * what the interrupt does, what happens when the device breaks the rules, and when it
 * was not told that there is something to send.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/host/test.h"
#include "drivers/virtio/virtio_priv.h"
#include "kernel/diag/diag.h"
#include "kernel/lock/lock.h"
#include "kernel/time/time.h"
#include "kernel/irq/irq.h"

#undef spin_lock
#undef spin_unlock
#undef DRIVER
#define spin_lock(l)   device_lock(l)
#define spin_unlock(l) device_unlock(l)
#define DRIVER(id, ...)
#define clock_now() device_now

static ktime device_now = {1000};
static int locks_held, packets, reset_count, logged, receive_ready;
static int tx_notified, rx_notified;
static void (*at_unlock)(void); /* once */
static bool stuck_in_reset, no_callout, interrupt_pending;
static struct callout *armed;
static void (*interrupt)(void *arg);

static uint16_t taken_before;
static unsigned taken_most; /* sent packets, in one hold of the lock */
static uint16_t tx_taken(void);

static void device_lock(unused struct spinlock *l)
{
	CHECK_EQ(locks_held++, 0);
	taken_before = tx_taken();
}

static void device_unlock(unused struct spinlock *l)
{
	CHECK_EQ(locks_held--, 1);
	taken_most = max(taken_most, (unsigned)(uint16_t)(tx_taken() - taken_before));
	void (*once)(void) = at_unlock;
	at_unlock = NULL;
	if (once)
		once();
}

struct sim_packet {
	struct packet packet;
	uint8_t bytes[PACKET_HEADROOM + PACKET_ROOM_MAX];
};

static void packet_gone(struct packet_mem *m)
{
	packets--;
	free(container_of(container_of(m, struct packet, self), struct sim_packet, packet));
}

struct packet *packet_alloc(enum packet_class class, unused size_t room)
{
	struct sim_packet *s = malloc(sizeof(*s));
	struct packet *p = &s->packet;
	*p = (struct packet){.class = (uint8_t)class, .frag_count = 1, .headroom = PACKET_HEADROOM,
		.tailroom = PACKET_ROOM_MAX};
	list_init(&p->node);
	packet_mem_init(&p->self, packet_gone);
	p->frag[0] = (struct packet_frag){&p->self, s->bytes + PACKET_HEADROOM, 0};
	packets++;
	return p;
}

void packet_free(struct packet *p)
{
	packet_release_frags(p);
	packet_mem_put(&p->self);
}

void klog(unused enum log_level level, unused const char *format, ...)
{
	logged++;
}

void rng_fill(void *out, size_t len)
{
	memset(out, 1, len);
}

void callout_init(struct callout *c, enum callout_kind kind, void (*fn)(void *), void *arg)
{
	*c = (struct callout){.fn = fn, .arg = arg, .kind = (uint8_t)kind};
}

enum err callout_start(struct callout *c, unused ktime when)
{
	armed = no_callout ? NULL : c;
	return no_callout ? ERR_NOSPC : OK;
}

enum err irq_request(unused uint32_t irq, unused struct str name, void (*handler)(void *), unused void *arg)
{
	interrupt = handler;
	return OK;
}

void irq_enable(unused uint32_t irq)
{
}

enum err netdev_register(unused struct netdev *d)
{
	return OK;
}

void netdev_receive_ready(unused struct netdev *d)
{
	receive_ready++;
}

void netdev_receive(unused struct netdev *d, struct packet *p)
{
	packet_free(p);
}

enum err virtio_open(struct virtio_dev *v, unused const struct machine_device *d, unused enum virtio_id id,
	unused uint64_t wanted)
{
	*v = (struct virtio_dev){.features = VIRTIO_F_INDIRECT};
	return OK;
}

static void *queue_mem[2];
enum err virtio_queue_init(unused struct virtio_dev *v, uint32_t index, uint16_t size, struct virtq *q,
	struct virtq_slot *slots)
{
	size_t bytes = virtq_layout(size, true).total;
	free(queue_mem[index]);
	queue_mem[index] = aligned_alloc(VIRTQ_ALIGN, align_up(bytes, (size_t)VIRTQ_ALIGN));
	memset(queue_mem[index], 0, bytes);
	virtq_init(q, size, queue_mem[index], slots, true, false);
	return OK;
}

void virtio_ready(unused struct virtio_dev *v)
{
}

bool virtio_fail(unused struct virtio_dev *v)
{
	reset_count++;
	return !stuck_in_reset;
}

void virtio_notify(unused struct virtio_dev *v, uint32_t queue)
{
	tx_notified += queue == 1;
	rx_notified += queue == 0;
}

void virtio_interrupt_ack(unused struct virtio_dev *v)
{
	interrupt_pending = false;
}

static void (*at_status)(void); /* once: beside the reading of the register */
bool virtio_interrupt_pending(unused const struct virtio_dev *v)
{
	void (*once)(void) = at_status;
	at_status = NULL;
	if (once)
		once();
	return interrupt_pending;
}

void virtio_config_read(unused struct virtio_dev *v, unused size_t offset, unused struct wbuf to)
{
}

#include "drivers/virtio/virtio_net.c"

static unsigned poll_device(void)
{
	return vnet_ops.poll(&vnet.net, 64);
}

static void setup(void)
{
	static const struct machine_device at = {.irq = 1};
	memset(&vnet, 0, sizeof(vnet));
	packets = reset_count = logged = receive_ready = tx_notified = rx_notified = 0;
	stuck_in_reset = no_callout = interrupt_pending = false;
	armed = NULL;
	CHECK_EQ(vnet_probe(&at), OK);
	CHECK_EQ(poll_device(), 0);
	CHECK_EQ(packets, CONFIG_VIRTIO_NET_QUEUE);
	logged = 0;
}

static void use(struct virtq *q, uint32_t id, uint32_t len)
{
	q->used->ring[q->used->idx % q->size] = (struct virtq_used_elem){id, len};
	q->used->idx++;
}

static uint16_t tx_taken(void)
{
	return vnet.tx.used_idx;
}

static enum err send_one(void)
{
	struct packet *p = packet_alloc(PACKET_TX, 100);
	CHECK(packet_append(p, 60) != NULL);
	enum err e = vnet_ops.transmit(&vnet.net, p);
	if (e != OK)
		packet_free(p);
	return e;
}

static void teardown(void)
{
	void *token;
	while ((token = virtq_reclaim(&vnet.rx)) != NULL || (token = virtq_reclaim(&vnet.tx)) != NULL)
		packet_free(token);
	CHECK_EQ(packets, 0);
}

/* With preemption off only a few are taken back, however many were sent; and a poll takes back all of them. */
TEST(virtio_net_takes_sent_packets_back_in_small_holds)
{
	setup();
	int before = packets;
	for (uint32_t id = 0; id < CONFIG_VIRTIO_NET_QUEUE; id++)
		CHECK_EQ(send_one(), OK);
	for (uint32_t id = 0; id < CONFIG_VIRTIO_NET_QUEUE; id++)
		use(&vnet.tx, id, 0);
	taken_most = 0;
	CHECK_EQ(send_one(), OK);
	CHECK_EQ(poll_device(), 0);
	CHECK_EQ(packets, before + 1);
	CHECK_EQ(taken_most, VNET_RECLAIM_MAX);
	CHECK(VNET_RECLAIM_MAX <= 8);
	teardown();
}

TEST(virtio_net_interrupt_disarms_until_the_poll_has_found_nothing)
{
	setup();
	CHECK_EQ(vnet.rx.avail->flags, 0);
	use(&vnet.rx, 0, 100);
	receive_ready = 0;
	interrupt(NULL);
	CHECK_EQ(receive_ready, 1);
	CHECK_EQ(vnet.rx.avail->flags, 1);
	CHECK_EQ(poll_device(), 1);
	CHECK_EQ(vnet.rx.avail->flags, 0);
	teardown();
}

/* Either queue: one log line, the device reset, every packet back, and nothing taken any more. */
TEST(virtio_net_broken_queue_stops_the_device)
{
	for (int which = 0; which < 2; which++) {
		setup();
		CHECK_EQ(send_one(), OK);
		CHECK_EQ(send_one(), OK);
		use(which ? &vnet.rx : &vnet.tx, 4711, 0);
		receive_ready = 0;
		if (!which) { /* nothing comes in: the callout for sent packets finds it */
			armed->fn(armed->arg);
			CHECK_EQ(receive_ready, 1);
		}
		CHECK_EQ(poll_device(), 0);
		CHECK_EQ(poll_device(), 0);
		CHECK_EQ(reset_count, 1);
		CHECK_EQ(logged, 1);
		CHECK_EQ(packets, 0);
		CHECK(send_one() != OK);
		CHECK_EQ(packets, 0);
	}
}

/* A device that does not leave off may still write: what it has stays away. */
TEST(virtio_net_packets_stay_with_a_device_that_is_not_reset)
{
	setup();
	stuck_in_reset = true;
	use(&vnet.rx, 4711, 0);
	CHECK_EQ(poll_device(), 0);
	CHECK_EQ(packets, CONFIG_VIRTIO_NET_QUEUE);
	CHECK(send_one() != OK);
	teardown();
}

static void expire(void)
{
	struct callout *c = armed;
	armed = NULL;
	CHECK(c != NULL);
	if (c != NULL)
		c->fn(c->arg);
}

/* The driver sees too late that the device waits: the queue is full, nothing else will tell the device. */
TEST(virtio_net_missing_notification_is_given_once)
{
	for (int full = 0; full < 2; full++) {
		setup();
		vnet.tx.used->flags = 1;
		no_callout = full; /* as if none were free: then the send that is refused has to start it */
		do
			CHECK_EQ(send_one(), OK);
		while (full && vnet.tx.free_count > 0);
		no_callout = false;
		if (full)
			CHECK_EQ(send_one(), ERR_AGAIN);
		expire();
		CHECK_EQ(tx_notified, 0); /* the device does not ask */
		vnet.tx.used->flags = 0;
		expire();
		CHECK_EQ(tx_notified, 1);
		CHECK_EQ(vnet.net.stats.tx_stalls, 1);
		expire();
		CHECK_EQ(tx_notified, 1);
		CHECK_EQ(vnet.net.stats.tx_stalls, 1);
		for (uint32_t id = 0; vnet.tx.used->idx != vnet.tx.avail_idx; id++)
			use(&vnet.tx, id, 0);
		while (armed != NULL)
			expire();
		CHECK_EQ(vnet.tx.out, 0);
		CHECK_EQ(vnet.net.stats.tx_stalls, 1);
		teardown();
	}
}

/* One frame, announced, and the poll behind it. */
static void receive_one(uint32_t id)
{
	use(&vnet.rx, id, 100);
	interrupt(NULL);
	CHECK_EQ(poll_device(), 1);
	receive_ready = rx_notified = 0;
}

/* Nothing more comes: the receive thread is told to look once, a period later at the least. */
static void expire_until_look(void)
{
	expire();
	CHECK_EQ(receive_ready, 0);
	expire();
	CHECK_EQ(receive_ready, 1);
	CHECK(armed == NULL);
}

TEST(virtio_net_receive_queue_is_looked_at_once_when_nothing_comes)
{
	setup();
	receive_one(0);
	expire_until_look();
	CHECK_EQ(poll_device(), 0);
	CHECK(armed == NULL);
	CHECK_EQ(vnet.net.stats.rx_stalls, 0);
	CHECK_EQ(rx_notified, 0);
	receive_one(1); /* and each time again */
	expire_until_look();
	CHECK_EQ(poll_device(), 0);
	teardown();
}

TEST(virtio_net_frame_that_nothing_announced_is_found)
{
	setup();
	receive_one(0);
	use(&vnet.rx, 1, 100);
	expire_until_look();
	CHECK_EQ(poll_device(), 1);
	CHECK_EQ(vnet.net.stats.rx_stalls, 1);
	CHECK(armed != NULL);
	teardown();
}

static void interrupt_comes(void)
{
	interrupt_pending = true;
	interrupt(NULL);
}

/* The look finds a frame that it did not have to find: no stall is counted. */
TEST(virtio_net_frame_that_comes_beside_the_look_is_no_stall)
{
	enum { HANDLED, PENDING, HANDLED_MEANWHILE, WAYS };
	for (int way = 0; way < WAYS; way++) {
		setup();
		receive_one(0);
		expire_until_look();
		use(&vnet.rx, 1, 100);
		if (way == HANDLED)
			interrupt_comes();
		interrupt_pending |= way == PENDING;
		at_status = way == HANDLED_MEANWHILE ? interrupt_comes : NULL;
		CHECK_EQ(poll_device(), 1);
		CHECK(at_status == NULL);
		CHECK_EQ(vnet.net.stats.rx_stalls, 0);
		teardown();
	}
}

/* A poll that was cut short by its budget goes on later than the look is due, which is not the device's doing. */
TEST(virtio_net_frame_of_a_poll_that_goes_on_is_no_stall)
{
	setup();
	for (uint32_t id = 0; id < 3; id++)
		use(&vnet.rx, id, 100);
	interrupt(NULL);
	CHECK_EQ(vnet_ops.poll(&vnet.net, 2), 2);
	receive_ready = 0;
	expire_until_look();
	CHECK_EQ(poll_device(), 1);
	CHECK_EQ(vnet.net.stats.rx_stalls, 0);
	receive_ready = 0;
	expire_until_look(); /* and behind it as ever */
	use(&vnet.rx, 3, 100);
	CHECK_EQ(poll_device(), 1);
	CHECK_EQ(vnet.net.stats.rx_stalls, 1);
	teardown();
}

TEST(virtio_net_device_is_told_late_of_room_for_frames)
{
	setup();
	vnet.rx.used->flags = 1;
	receive_one(0);
	vnet.rx.used->flags = 0; /* it waits, and was not told */
	expire_until_look();
	CHECK_EQ(poll_device(), 0);
	CHECK_EQ(rx_notified, 1);
	CHECK_EQ(vnet.net.stats.rx_stalls, 1);
	teardown();
}

static void use_second(void)
{
	use(&vnet.rx, 1, 100);
}

static void use_second_behind_the_arming(void)
{
	at_unlock = use_second;
}

/* It comes while the queue is armed, and the interrupt does not: the poll's last look sees it. */
TEST(virtio_net_frame_beside_the_arming_is_not_left)
{
	setup();
	use(&vnet.rx, 0, 100);
	interrupt(NULL);
	receive_ready = 0;
	at_unlock = use_second_behind_the_arming; /* at the first lock sent packets are taken back, at the second */
	CHECK_EQ(poll_device(), 1);
	CHECK_EQ(receive_ready, 1);
	CHECK_EQ(poll_device(), 1);
	CHECK_EQ(vnet.net.stats.rx_stalls, 0);
	teardown();
}
