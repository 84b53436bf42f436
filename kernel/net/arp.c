/*
 * arp.c - the neighbour cache in its surroundings: lock, clock, timer, messages.
 *
 * Each entry point takes the lock, lets the core decide, drops the lock and does
 * what the core said (arp_act): sending never happens under the lock.
 *
 * Locks: LOCK_ARP (spin) guards the table. Context: threads.
 */
#include "kernel/diag/diag.h"
#include "kernel/net/arp_core.h"
#include "kernel/net/net_priv.h"
#include "kernel/time/time.h"
#include "lib/initcall.h"

#define ARP_ANNOUNCE_GAP_NS (2 * NS_PER_S)

static struct spinlock arp_lock = SPINLOCK_INIT(LOCK_ARP);
static struct arp_table arp_table;                         /* arp_lock */
static struct arp_entry arp_entries[CONFIG_NET_ARP_ENTRIES]; /* arp_lock */
static struct callout arp_timer;
static struct callout arp_announce_timer;
static ktime arp_timer_at; /* arp_lock: what the timer is armed for */

static void arp_transmit(const struct arp_out *out)
{
	struct iface iface;
	if (!iface_get(out->iface, &iface))
		return;
	struct packet *p = packet_alloc(PACKET_CONTROL, ARP_BYTES);
	uint8_t *bytes = p == NULL ? NULL : packet_append(p, ARP_BYTES);
	if (bytes == NULL) {
		packet_free(p);
		return; /* the pool has counted it; the retry timer asks again */
	}
	struct wire_arp m = {.op = out->send_op, .sender_ip = iface.addr, .target_ip = out->target_ip};
	memcpy(m.sender_mac, iface.dev->mac, ETHER_ADDR_BYTES);
	memcpy(m.target_mac, out->target_mac, ETHER_ADDR_BYTES);
	wire_arp_build(bytes, &m);
	net_count(m.op == ARP_REPLY ? NET_ARP_TX_REPLY : NET_ARP_TX_REQUEST);
	(void)ether_send(iface.dev, out->to, ETHER_TYPE_ARP, p); /* a lost message is asked again */
}

static void arp_drop_list(struct list *l, enum net_counter reason)
{
	for (struct list *n; (n = list_pop_front(l)) != NULL;) {
		net_count(reason);
		packet_free(list_entry(n, struct packet, node));
	}
}

/* Does what the core said; no lock held. */
static void arp_act(struct arp_out *out)
{
	struct iface iface;
	if (out->send_op != 0)
		arp_transmit(out);
	if (!list_is_empty(&out->ready) && iface_get(out->iface, &iface)) {
		for (struct list *n; (n = list_pop_front(&out->ready)) != NULL;)
			(void)ether_send(iface.dev, out->ready_mac, ETHER_TYPE_IPV4,
				list_entry(n, struct packet, node)); /* counted by the device */
	}
	arp_drop_list(&out->drop_unresolved, NET_ARP_UNRESOLVED);
	arp_drop_list(&out->drop_full, NET_ARP_QUEUE_FULL);
}

/* Arms the timer for the table's next deadline when that comes before what it is armed for. */
static void arp_rearm(void)
{
	spin_lock(&arp_lock);
	ktime at = arp_deadline(&arp_table);
	if (ktime_before(at, arp_timer_at)) {
		enum err e = callout_start(&arp_timer, at);
		arp_timer_at = e == OK ? at : KTIME_NEVER; /* refused: the next event tries again */
	}
	spin_unlock(&arp_lock);
}

static void arp_expired(void *arg)
{
	(void)arg;
	struct arp_out out;
	bool more = true;
	spin_lock(&arp_lock);
	arp_timer_at = KTIME_NEVER;
	spin_unlock(&arp_lock);
	/* Each round moves one entry's deadline into the future: at most one round an entry. */
	while (more) {
		spin_lock(&arp_lock);
		more = arp_poll(&arp_table, clock_now(), &out);
		spin_unlock(&arp_lock);
		if (more)
			arp_act(&out);
	}
	arp_rearm();
}

enum err arp_send(struct netdev *dev, uint32_t next_hop, struct packet *p)
{
	struct iface iface;
	size_t index;
	struct arp_out out;
	if (!iface_of(dev, &iface, &index)) {
		packet_free(p);
		return ERR_NETUNREACH;
	}
	spin_lock(&arp_lock);
	enum arp_resolution r = arp_resolve(&arp_table, clock_now(), (uint16_t)index, next_hop,
		&p->node, &out);
	spin_unlock(&arp_lock);
	bool asked = out.send_op != 0;
	if (unlikely(asked || r != ARP_RESOLVED))
		arp_act(&out);
	if (asked)
		arp_rearm();
	switch (r) {
	case ARP_RESOLVED:
		return ether_send(dev, out.ready_mac, ETHER_TYPE_IPV4, p);
	case ARP_QUEUED:
		return OK;
	case ARP_NO_ROOM:
		net_count(NET_ARP_QUEUE_FULL);
		packet_free(p);
		return ERR_NOBUFS;
	case ARP_UNREACHABLE:
		net_count(NET_ARP_UNRESOLVED);
		packet_free(p);
		return ERR_HOSTUNREACH;
	}
	unreachable();
}

static void arp_count(enum arp_verdict v)
{
	static const enum net_counter counter[] = {
		[ARP_TAKEN] = NET_ARP_TAKEN,
		[ARP_BAD] = NET_ARP_BAD,
		[ARP_IGNORED] = NET_ARP_IGNORED,
		[ARP_CONFLICT] = NET_ARP_CONFLICT,
		[ARP_LIMITED] = NET_ARP_LIMITED,
		[ARP_NO_ENTRY] = NET_ARP_TABLE_FULL,
	};
	net_count(counter[v]);
}

static void arp_conflict(const struct iface *iface, size_t index, const uint8_t *mac)
{
	if (iface->conflict)
		return;
	iface_mark_conflict(index);
	char room[48];
	struct abuf text = abuf_of(room, sizeof(room));
	ipv4_format(&text, iface->addr);
	fmt(&text, " by ");
	mac_format(&text, mac);
	klog(LOG_WARN, "arp: our address is claimed: %.*s", STR_ARG(abuf_str(&text)));
}

void arp_receive(struct netdev *dev, struct packet *p)
{
	struct wire_arp m;
	struct iface iface;
	size_t index;
	struct arp_out out;
	net_count(NET_ARP_RX);
	enum wire_verdict parsed = wire_arp_parse(packet_data(p), &m);
	packet_free(p);
	if (parsed != WIRE_OK) {
		net_count(NET_ARP_BAD);
		return;
	}
	if (!iface_of(dev, &iface, &index)) {
		net_count(NET_ARP_IGNORED);
		return;
	}
	struct arp_local local = {.ip = iface.addr, .iface = (uint16_t)index};
	memcpy(local.mac, dev->mac, ETHER_ADDR_BYTES);
	spin_lock(&arp_lock);
	enum arp_verdict v = arp_input(&arp_table, clock_now(), &local, &m, &out);
	spin_unlock(&arp_lock);
	arp_count(v);
	if (v == ARP_CONFLICT)
		arp_conflict(&iface, index, m.sender_mac);
	arp_act(&out);
	arp_rearm();
}

/* ---- announcing ---- */

static void arp_announce_now(size_t index)
{
	struct iface iface;
	struct arp_out out;
	if (!iface_get(index, &iface) || (iface.dev->features & NETDEV_LOOPBACK) != 0)
		return;
	struct arp_local local = {.ip = iface.addr, .iface = (uint16_t)index};
	arp_announce(&local, &out);
	arp_act(&out);
}

/* The second announcement, of every interface. */
static void arp_announce_again(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < NET_IFACE_MAX; i++)
		arp_announce_now(i);
}

void arp_announce_iface(size_t index)
{
	arp_announce_now(index);
	if (callout_start(&arp_announce_timer, ktime_add(clock_now(), ARP_ANNOUNCE_GAP_NS)) != OK)
		klog(LOG_WARN, "arp: the address is announced once only: no callout is free");
}

/* ---- showing ---- */

bool net_arp_at(size_t i, struct net_arp_info *out)
{
	bool found = false;
	ktime now = clock_now();
	spin_lock(&arp_lock);
	for (size_t k = 0; k < arp_table.count && !found; k++) {
		const struct arp_entry *e = &arp_table.entry[k];
		if (e->state == ARP_FREE || i-- != 0)
			continue;
		struct iface iface = {0};
		found = iface_get(e->iface, &iface);
		*out = (struct net_arp_info){.ip = e->ip, .dev = iface.dev,
			.state = arp_state_name(e->state), .age_ns = ktime_diff(now, e->since)};
		memcpy(out->mac, e->mac, ETHER_ADDR_BYTES);
	}
	spin_unlock(&arp_lock);
	return found;
}

static enum err arp_init(void)
{
	arp_table_init(&arp_table, arp_entries, countof(arp_entries), CONFIG_NET_ARP_WAITING,
		CONFIG_NET_ARP_REPLY_RATE);
	arp_timer_at = KTIME_NEVER;
	callout_init(&arp_timer, CALLOUT_SOFT, arp_expired, NULL);
	callout_init(&arp_announce_timer, CALLOUT_SOFT, arp_announce_again, NULL);
	return OK;
}
INITCALL(net_arp, arp_init, "packet", "sched");
