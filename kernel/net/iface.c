/*
 * iface.c - the addresses of the interfaces.
 *
 * Readers (each packet, both ways) take no lock: they copy an entry and try again
 * when a writer was at work meanwhile. Entries are never removed.
 *
 * Locks: LOCK_NET_IFACE (spin) serializes writers; a seqcount guards the table.
 */
#include "kernel/diag/diag.h"
#include "kernel/lock/lock.h"
#include "kernel/net/net_priv.h"
#include "lib/assert.h"
#include "lib/initcall.h"

static struct spinlock iface_lock = SPINLOCK_INIT(LOCK_NET_IFACE);
static struct seqcount iface_seq;
static struct iface iface_table[NET_IFACE_MAX]; /* iface_seq */
static size_t iface_count;                      /* iface_seq */

bool iface_get(size_t i, struct iface *out)
{
	uint32_t seq;
	bool found;
	do {
		seq = seq_read_begin(&iface_seq);
		found = i < iface_count;
		if (found)
			*out = iface_table[i];
	} while (seq_read_retry(&iface_seq, seq));
	return found;
}

/* Of an entry that a writer may be at work on: follows no pointer. Loopback's addresses are its device's alone. */
static unsigned iface_address_of(const struct iface *f, uint32_t addr)
{
	uint32_t hosts = ~ipv4_mask(f->prefix_len), differs = f->addr ^ addr;
	if (differs == 0)
		return IFACE_LOCAL;
	if ((differs & ~hosts) != 0 || ipv4_is_loopback(addr))
		return 0;
	return (addr & hosts) == hosts || (addr & hosts) == 0 ? IFACE_BROADCAST : 0;
}

unsigned iface_address(uint32_t addr)
{
	uint32_t seq;
	unsigned is;
	do {
		seq = seq_read_begin(&iface_seq);
		is = addr == IPV4_BROADCAST ? IFACE_BROADCAST : 0;
		for (size_t i = 0; i < iface_count; i++)
			is |= iface_address_of(&iface_table[i], addr);
	} while (seq_read_retry(&iface_seq, seq));
	return is;
}

bool iface_of(const struct netdev *dev, struct iface *out, size_t *index)
{
	for (size_t i = 0; iface_get(i, out); i++) {
		if (out->dev == dev) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* Index of the device's entry, made if need be; NET_IFACE_MAX when the table is full. */
static size_t iface_slot_locked(const struct netdev *dev)
{
	for (size_t i = 0; i < iface_count; i++)
		if (iface_table[i].dev == dev)
			return i;
	return iface_count;
}

enum err net_configure(struct netdev *dev, uint32_t addr, uint8_t prefix_len, uint32_t gateway)
{
	uint32_t mask = ipv4_mask(prefix_len);
	bool loopback = (dev->features & NETDEV_LOOPBACK) != 0;
	if (prefix_len < 1 || prefix_len > 30 || loopback != ipv4_is_loopback(addr))
		return ERR_INVAL;
	if (!loopback && !ipv4_is_unicast(addr))
		return ERR_INVAL;
	if ((addr & ~mask) == 0 || (addr & ~mask) == ~mask)
		return ERR_INVAL; /* the network itself, or its broadcast */
	if (gateway != IPV4_ANY && ((gateway & mask) != (addr & mask) || gateway == addr))
		return ERR_INVAL;
	spin_lock(&iface_lock);
	size_t i = iface_slot_locked(dev);
	if (i < NET_IFACE_MAX) {
		seq_write_begin(&iface_seq);
		iface_table[i] = (struct iface){.dev = dev, .addr = addr, .gateway = gateway,
			.prefix_len = prefix_len};
		iface_count = max(iface_count, i + 1);
		seq_write_end(&iface_seq);
	}
	spin_unlock(&iface_lock);
	if (i >= NET_IFACE_MAX)
		return ERR_NOSPC;
	arp_announce_iface(i);
	return OK;
}

void iface_mark_conflict(size_t i)
{
	spin_lock(&iface_lock);
	assert(i < iface_count);
	seq_write_begin(&iface_seq);
	iface_table[i].conflict = true;
	seq_write_end(&iface_seq);
	spin_unlock(&iface_lock);
}

bool net_iface_at(size_t i, struct net_iface_info *out)
{
	struct iface f;
	if (!iface_get(i, &f))
		return false;
	*out = (struct net_iface_info){.dev = f.dev, .addr = f.addr, .prefix_len = f.prefix_len,
		.gateway = f.gateway, .conflict = f.conflict};
	return true;
}

/* Each interface has its network, and a default route when it has a gateway. */
bool net_route_at(size_t i, struct net_route_info *out)
{
	struct iface f;
	for (size_t k = 0; iface_get(k, &f); k++) {
		if (i-- == 0) {
			*out = (struct net_route_info){.dst = f.addr & ipv4_mask(f.prefix_len),
				.prefix_len = f.prefix_len, .dev = f.dev};
			return true;
		}
		if (f.gateway != IPV4_ANY && i-- == 0) {
			*out = (struct net_route_info){.gateway = f.gateway, .dev = f.dev};
			return true;
		}
	}
	return false;
}

/* ---- at boot ---- */

/* The value of the last ip= on the command line, else the configuration's. */
static struct str iface_setting(void)
{
	struct str rest = machine.cmdline, word, setting = S(CONFIG_NET_ADDRESS);
	while ((word = str_word(&rest)).len > 0)
		if (str_starts(word, S("ip=")))
			setting = str_slice(word, 3, word.len);
	return setting;
}

static struct netdev *iface_first_device(void)
{
	struct netdev *d;
	for (size_t i = 0; (d = netdev_at(i)) != NULL; i++)
		if ((d->features & NETDEV_LOOPBACK) == 0)
			return d;
	return NULL;
}

/* A wrong setting is no reason to stop the boot: the machine runs without network. */
static enum err iface_init(void)
{
	struct str setting = iface_setting();
	struct net_config_text c;
	struct netdev *d = iface_first_device();
	if (d == NULL) {
		klog(LOG_WARN, "net: no network device, only loopback");
		return OK;
	}
	enum err e = net_config_from_text(setting, &c);
	if (e == OK)
		e = net_configure(d, c.addr, c.prefix_len, c.gateway);
	if (e != OK)
		klog(LOG_ERR, "net: \"%.*s\" is no address for %.*s (ADDRESS/PREFIX,GATEWAY)",
			STR_ARG(setting), STR_ARG(d->name));
	else
		klog(LOG_INFO, "net: %.*s has %.*s", STR_ARG(d->name), STR_ARG(setting));
	return OK;
}
INITCALL(net_iface, iface_init, "net_ether", "net_loopback", "net_icmp", "drivers");
