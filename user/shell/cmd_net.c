/* cmd_net.c - net: the network's tables. All but the connections are files of /net. */
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

static void net_addr(struct abuf *out, struct tcp_addr addr)
{
	ipv4_format(out, addr.addr);
	fmt(out, ":%u ", addr.port);
}

static int net_tcp(struct shell_call *c)
{
	struct cmd_table t;
	struct tcp_info i;
	if (!cmd_table_begin(&t, c, 2))
		return 1;
	fmt(&t.text, "ID STATE LOCAL REMOTE CWND RTT RTO RECEIVED SENT RESENT\n");
	for (size_t cursor = 0; tcp_info_next(&cursor, &i);) {
		fmt(&t.text, "%u %.*s ", i.id, STR_ARG(i.state));
		net_addr(&t.text, i.local);
		net_addr(&t.text, i.remote);
		fmt(&t.text, "%u ", i.cwnd_bytes);
		duration_render(&t.text, i.srtt_ns);
		abuf_char_add(&t.text, ' ');
		duration_render(&t.text, i.rto_ns);
		fmt(&t.text, " %llu %llu %u\n", (unsigned long long)i.rx_bytes, (unsigned long long)i.tx_bytes, i.retransmits);
	}
	enum err err = cmd_table_show(&t, SIZE_MAX, 0);
	cmd_table_end(&t);
	return cmd_status(err);
}

/* Addresses first, which people look for; then what has gone through. */
static int net_iface(struct shell_call *c)
{
	struct cmd_table t;
	struct net_iface_info i;
	if (!cmd_table_begin(&t, c, 0))
		return 1;
	fmt(&t.text, "NAME ADDRESS GATEWAY\n");
	for (size_t n = 0; net_iface_at(n, &i); n++) {
		fmt(&t.text, "%.*s ", STR_ARG(i.dev->name));
		ipv4_format(&t.text, i.addr);
		fmt(&t.text, "/%u ", i.prefix_len);
		if (i.gateway != IPV4_ANY)
			ipv4_format(&t.text, i.gateway);
		else
			abuf_char_add(&t.text, '-');
		fmt(&t.text, "%s\n", i.conflict ? " conflict: another host uses the address" : "");
	}
	enum err err = cmd_table_show(&t, SIZE_MAX, 0);
	cmd_table_end(&t);
	return err == OK ? cmd_table_file(c, S("/net/iface")) : cmd_status(err);
}

static int net_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "", 0, 1))
		return 2;
	struct str what = a.operands ? args_operand(&a, 0) : S("iface");
	if (str_eq(what, S("iface")))
		return net_iface(c);
	if (str_eq(what, S("route")))
		return cmd_table_file(c, S("/net/route"));
	if (str_eq(what, S("arp")))
		return cmd_table_file(c, S("/net/arp"));
	if (str_eq(what, S("tcp")))
		return net_tcp(c);
	if (str_eq(what, S("stats"))) {
		int status = cmd_table_file(c, S("/net/ip/stats"));
		return status == 0 ? cmd_table_file(c, S("/net/tcp/stats")) : status;
	}
	return shell_usage(c, "%.*s is none of iface, route, arp, tcp and stats", STR_ARG(what));
}
SHELL_COMMAND(net, .name = STR_INIT("net"), .summary = STR_INIT("show the network's tables"),
	.usage = STR_INIT("net [iface|route|arp|tcp|stats]\n"
			  "  iface  interfaces, their addresses and what went through (so it is without a word)\n"
			  "  route  where packets go      arp  neighbours      tcp  connections\n"
			  "  stats  what was received, sent, and dropped for which reason\n"),
	.words = STR_INIT("iface route arp tcp stats"), .run = net_run, .completes = SHELL_WORDS);
