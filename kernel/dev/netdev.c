/*
 * netdev.c - the registry of network devices, and the thread that receives for
 * all of them.
 *
 * Receiving: the interrupt handler masks its queue and calls netdev_receive_ready(),
 * which sets the device's ready flag and wakes the thread. The thread clears the flag,
 * then polls: a packet that comes after the poll's last look raises the interrupt
 * again (the driver re-armed it), which sets the flag anew. A device that used up
 * its batch stays ready, and the others get their turn first.
 *
 * The thread's priority is CONFIG_NET_RX_PRIORITY: what runs above it is not
 * disturbed by any flood. What runs below it has what the domain "net" leaves of each
 * hart: CONFIG_NET_BUDGET_US of every CONFIG_NET_PERIOD_US for reception and all soft
 * callouts, which are the network's. Meanwhile frames wait in the device, and are lost there.
 *
 * Locks: the wait queue's. Devices are never removed.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/sched/deadline.h"
#include "kernel/sync/softcall.h"
#include "lib/assert.h"
#include "lib/initcall.h"

static struct netdev *netdev_table[NETDEV_MAX];
static uint32_t netdev_count; /* written by the boot thread, published after the entry */
static void (*netdev_stack)(struct netdev *d, struct packet *p);
static struct waitq netdev_wait;

struct netdev *netdev_at(size_t i)
{
	return i < __atomic_load_n(&netdev_count, __ATOMIC_ACQUIRE) ? netdev_table[i] : NULL;
}

struct netdev *netdev_find(struct str name)
{
	struct netdev *d;
	for (size_t i = 0; (d = netdev_at(i)) != NULL; i++)
		if (str_eq(d->name, name))
			return d;
	return NULL;
}

enum err netdev_register(struct netdev *d)
{
	uint32_t n = netdev_count;
	assert(d->name.len <= NETDEV_NAME_MAX);
	if (netdev_find(d->name) != NULL)
		return ERR_EXIST;
	if (n == NETDEV_MAX)
		return ERR_NOSPC;
	d->ready = 0;
	netdev_table[n] = d;
	__atomic_store_n(&netdev_count, n + 1, __ATOMIC_RELEASE);
	return OK;
}

void netdev_set_stack(void (*input)(struct netdev *d, struct packet *p))
{
	assert(netdev_stack == NULL);
	__atomic_store_n(&netdev_stack, input, __ATOMIC_RELEASE);
}

/* ---- receiving ---- */

void netdev_receive_ready(struct netdev *d)
{
	if (__atomic_exchange_n(&d->ready, 1, __ATOMIC_ACQ_REL) == 0)
		waitq_wake_one(&netdev_wait);
}

void netdev_receive(struct netdev *d, struct packet *p)
{
	void (*input)(struct netdev *, struct packet *) =
		__atomic_load_n(&netdev_stack, __ATOMIC_ACQUIRE);
	assert(p->frag_count == 1);
	p->dev = d;
	d->stats.rx_packets++;
	d->stats.rx_bytes += p->len;
	if (unlikely(input == NULL || netdev_is_down(d))) {
		d->stats.rx_dropped++;
		packet_free(p);
		return;
	}
	input(d, p);
}

static bool netdev_any_ready(void)
{
	struct netdev *d;
	for (size_t i = 0; (d = netdev_at(i)) != NULL; i++)
		if (__atomic_load_n(&d->ready, __ATOMIC_ACQUIRE) != 0)
			return true;
	return false;
}

static void netdev_poll_all(void)
{
	struct netdev *d;
	for (size_t i = 0; (d = netdev_at(i)) != NULL; i++) {
		if (__atomic_exchange_n(&d->ready, 0, __ATOMIC_ACQ_REL) == 0)
			continue;
		if (d->ops->poll(d, CONFIG_NET_RX_BATCH) >= CONFIG_NET_RX_BATCH)
			__atomic_store_n(&d->ready, 1, __ATOMIC_RELEASE);
	}
}

static void netdev_thread(void *arg)
{
	(void)arg;
	for (;;) {
		enum err e = waitq_wait_until(&netdev_wait, netdev_any_ready(), KTIME_NEVER,
			S("network"));
		assert(e == OK); /* a system thread is not cancelled */
		netdev_poll_all();
	}
}

/* ---- sending ---- */

enum err netdev_transmit(struct netdev *d, struct packet *p)
{
	bool down = netdev_is_down(d);
	if (likely(!down && d->ops->transmit(d, p) == OK))
		return OK;
	__atomic_fetch_add(&d->stats.tx_dropped, 1, __ATOMIC_RELAXED);
	packet_free(p);
	return down ? ERR_NETUNREACH : ERR_NOBUFS;
}

/* ---- up and down ---- */

void netdev_set_down(struct netdev *d, bool down)
{
	__atomic_store_n(&d->down, down, __ATOMIC_RELAXED);
}

bool netdev_is_down(const struct netdev *d)
{
	return __atomic_load_n(&d->down, __ATOMIC_RELAXED);
}

static_assert(CONFIG_NET_BUDGET_US <= CONFIG_NET_PERIOD_US && CONFIG_NET_DEGRADED_US <= CONFIG_NET_PERIOD_US,
	"a budget is a part of its period");

static struct domain_result netdev_domain(void)
{
	struct domain_attr attr = {
		.budget_ns = CONFIG_NET_BUDGET_US * NS_PER_US,
		.period_ns = CONFIG_NET_PERIOD_US * NS_PER_US,
		.low = config_on(CONFIG_NET_LOW),
		.degraded_ns = config_on(CONFIG_NET_LOW) ? CONFIG_NET_DEGRADED_US * NS_PER_US : 0,
	};
	return domain_create(S("net"), &attr);
}

static enum err netdev_init(void)
{
	struct domain_result domain = netdev_domain();
	enum err err = domain.err == OK ? softcall_set_domain(domain.value) : domain.err;
	if (err != OK)
		return err;
	struct thread_attr attr = {.name = S("net_rx"), .entry = netdev_thread, .domain = domain.value,
		.priority = CONFIG_NET_RX_PRIORITY, .class = SCHED_FIFO, .system = true};
	waitq_init(&netdev_wait);
	struct thread_result r = thread_create(&attr);
	if (r.err == OK)
		thread_detach(r.value);
	return r.err;
}
INITCALL(netdev, netdev_init, "packet", "sched", "softcall");
