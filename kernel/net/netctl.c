/*
 * netctl.c - /net/ctl: addresses, the gateway, devices up and down (netctl_core.h). Read, it says the
 * present settings as the lines that would make them.
 *
 * Connections do not move. Those of an address that is taken away hear nothing any more, what they send is
 * refused (ERR_ADDRNOTAVAIL), and they end when their retransmissions do; so do those over a device that is
 * down. If the address or the device comes back before that, they go on.
 *
 * Locks: LOCK_NETCTL, a mutex, around what a line does: it sets again what it leaves as it is.
 */
#include "kernel/net/net_priv.h"
#include "kernel/net/netctl_core.h"
#include "kernel/sync/mutex.h"
#include "lib/fmt.h"

static struct mutex netctl_lock;

void netctl_init(void)
{
	mutex_init(&netctl_lock, LOCK_NETCTL);
}

void netctl_render(struct abuf *out)
{
	struct net_iface_info f;
	struct netdev *d;
	for (size_t i = 0; net_iface_at(i, &f); i++) {
		if ((f.dev->features & NETDEV_LOOPBACK) != 0)
			continue;
		fmt(out, "address %.*s ", STR_ARG(f.dev->name));
		ipv4_format(out, f.addr);
		fmt(out, "/%u\n", f.prefix_len);
		if (f.gateway == IPV4_ANY)
			continue;
		fmt(out, "gateway ");
		ipv4_format(out, f.gateway);
		fmt(out, "\n");
	}
	for (size_t i = 0; (d = netdev_at(i)) != NULL; i++)
		if ((d->features & NETDEV_LOOPBACK) == 0)
			fmt(out, "%s %.*s\n", netdev_is_down(d) ? "down" : "up", STR_ARG(d->name));
}

static struct net_iface_info netctl_iface(const struct netdev *d)
{
	struct net_iface_info f;
	for (size_t i = 0; net_iface_at(i, &f); i++)
		if (f.dev == d)
			return f;
	return (struct net_iface_info){0};
}

/* The gateway stays if it is in the new network too. */
static enum err netctl_address(struct netdev *d, const struct netctl *c, struct abuf *answer)
{
	uint32_t gateway = netctl_iface(d).gateway, mask = ipv4_mask(c->prefix_len);
	bool keep = gateway == IPV4_ANY || (((gateway ^ c->addr) & mask) == 0 && gateway != c->addr);
	enum err err = net_configure(d, c->addr, c->prefix_len, keep ? gateway : IPV4_ANY);
	if (err == ERR_INVAL)
		fmt(answer, "refused: no host has such an address");
	if (err == OK && !keep)
		fmt(answer, "done, and the gateway is gone: it is no neighbour there");
	return err;
}

static enum err netctl_no_gateway(void)
{
	struct net_iface_info f;
	enum err err = OK;
	for (size_t i = 0; net_iface_at(i, &f) && err == OK; i++)
		if (f.gateway != IPV4_ANY)
			err = net_configure(f.dev, f.addr, f.prefix_len, IPV4_ANY);
	return err;
}

static enum err netctl_gateway(uint32_t gateway, struct abuf *answer)
{
	struct net_iface_info f;
	for (size_t i = 0; net_iface_at(i, &f); i++) {
		if ((f.dev->features & NETDEV_LOOPBACK) != 0 || ((f.addr ^ gateway) & ipv4_mask(f.prefix_len)) != 0)
			continue;
		enum err err = net_configure(f.dev, f.addr, f.prefix_len, gateway);
		if (err == ERR_INVAL)
			fmt(answer, "refused: this is the address of %.*s itself", STR_ARG(f.dev->name));
		return err;
	}
	fmt(answer, "refused: the gateway is in no interface's network");
	return ERR_NETUNREACH;
}

static enum err netctl_up(struct netdev *d, bool up)
{
	struct iface f;
	size_t index;
	netdev_set_down(d, !up);
	if (up && iface_of(d, &f, &index))
		arp_announce_iface(index);
	return OK;
}

static enum err netctl_do_locked(const struct netctl *c, struct abuf *answer)
{
	if (c->verb == NETCTL_GATEWAY)
		return c->addr ? netctl_gateway(c->addr, answer) : netctl_no_gateway();
	struct netdev *d = netdev_find(c->iface);
	if (!d) {
		fmt(answer, "refused: no interface %.*s", STR_ARG(c->iface));
		return ERR_NODEV;
	}
	if ((d->features & NETDEV_LOOPBACK) != 0) {
		fmt(answer, "refused: %.*s stays as it is", STR_ARG(d->name));
		return ERR_PERM;
	}
	return c->verb == NETCTL_ADDRESS ? netctl_address(d, c, answer) : netctl_up(d, c->verb == NETCTL_UP);
}

enum err netctl_line(struct str line, struct abuf *answer)
{
	struct netctl c;
	struct str usage;
	enum err err = netctl_parse(line, &c, &usage);
	if (err != OK) {
		fmt(answer, "refused: expected %.*s", STR_ARG(usage));
		return err;
	}
	mutex_lock(&netctl_lock);
	err = netctl_do_locked(&c, answer);
	mutex_unlock(&netctl_lock);
	return err;
}
