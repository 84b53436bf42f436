/* names.c - hosts whose names are known without asking anybody. Names are compared without case (RFC 4343). */
#include "kernel/net/net.h"

/* The first address that is not the loopback's; without one that. */
static uint32_t names_own(void)
{
	struct net_iface_info i;
	for (size_t n = 0; net_iface_at(n, &i); n++)
		if (!(i.dev->features & NETDEV_LOOPBACK))
			return i.addr;
	return IPV4_LOOPBACK;
}

struct ipv4_result net_resolve(struct str name)
{
	struct ipv4_result addr = ipv4_from_text(name);
	if (addr.err == OK)
		return addr;
	if (str_eq_nocase(name, S("localhost")))
		return OK_RESULT(ipv4_result, IPV4_LOOPBACK);
	if (str_eq_nocase(name, S(CONFIG_SYSNAME)) || str_eq_nocase(name, S(CONFIG_SYSNAME ".local")))
		return OK_RESULT(ipv4_result, names_own());
	return ERR_RESULT(ipv4_result, ERR_NOENT);
}
