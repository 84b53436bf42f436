/* netctl_core.c - see netctl_core.h. */
#include "kernel/net/netctl_core.h"
#include "kernel/net/text.h"

static const struct {
	struct str word, usage;
} netctl_verbs[NETCTL_VERBS] = {
	[NETCTL_ADDRESS] = {STR_INIT("address"), STR_INIT("address IFACE ADDR/LEN, as eth0 192.168.1.2/24")},
	[NETCTL_GATEWAY] = {STR_INIT("gateway"), STR_INIT("gateway ADDR, or none")},
	[NETCTL_UP] = {STR_INIT("up"), STR_INIT("up IFACE")},
	[NETCTL_DOWN] = {STR_INIT("down"), STR_INIT("down IFACE")},
};

static bool netctl_address(struct str text, struct netctl *out)
{
	struct net_config_text c;
	/* That form allows more: the length may be left out, and a gateway follow. */
	if (str_find_char(text, '/') == text.len || str_ends(text, S("/")) || str_find_char(text, ',') < text.len ||
		net_config_from_text(text, &c) != OK)
		return false;
	out->addr = c.addr;
	out->prefix_len = c.prefix_len;
	return true;
}

static bool netctl_gateway(struct str text, struct netctl *out)
{
	struct ipv4_result addr = ipv4_from_text(text);
	if (str_eq(text, S("none")))
		return true;
	out->addr = addr.value;
	return addr.err == OK && addr.value != 0;
}

static bool netctl_args(struct str *args, struct netctl *out)
{
	if (out->verb == NETCTL_GATEWAY)
		return netctl_gateway(str_word(args), out);
	out->iface = str_word(args);
	return out->iface.len && (out->verb != NETCTL_ADDRESS || netctl_address(str_word(args), out));
}

enum err netctl_parse(struct str line, struct netctl *out, struct str *usage)
{
	struct str args = line, verb = str_word(&args);
	*out = (struct netctl){0};
	*usage = S("address, gateway, up or down");
	for (enum netctl_verb v = 0; v < NETCTL_VERBS; v++) {
		if (!str_eq(verb, netctl_verbs[v].word))
			continue;
		out->verb = v;
		*usage = netctl_verbs[v].usage;
		return netctl_args(&args, out) && str_trim(args).len == 0 ? OK : ERR_INVAL;
	}
	return ERR_INVAL;
}
