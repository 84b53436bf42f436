/*
 * netctl_core.h - a line that is written to /net/ctl: what it asks for. Pure.
 *
 *	address IFACE ADDR/LEN     its address, 1 to 30 bits of which are the network's
 *	gateway ADDR | none        where everything else goes, through the interface in whose network it is
 *	up IFACE
 *	down IFACE                 takes part in nothing, and keeps its address
 *
 * Words are separated by spaces or tabs. Whether the values can be had is for others to say.
 */
#ifndef KERNEL_NET_NETCTL_CORE_H
#define KERNEL_NET_NETCTL_CORE_H

#include "lib/base.h"
#include "lib/result.h"
#include "lib/str.h"

enum netctl_verb { NETCTL_ADDRESS, NETCTL_GATEWAY, NETCTL_UP, NETCTL_DOWN, NETCTL_VERBS };

struct netctl {
	enum netctl_verb verb;
	struct str iface; /* in the line */
	uint32_t addr;    /* gateway: 0 is none */
	uint8_t prefix_len;
};

/* ERR_INVAL: not such a line; *usage is then how one should look. */
must_check enum err netctl_parse(struct str line, struct netctl *out, struct str *usage);

#endif
