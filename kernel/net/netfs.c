/* netfs.c - the files of /net: the network's tables as text, one record a line. */
#include "kernel/net/net_priv.h"
#include "kernel/net/tcp/tcp.h"
#include "lib/fmt.h"
#include "lib/initcall.h"

static void netfs_address(struct abuf *out, const struct netdev *d)
{
	struct iface f;
	size_t index;
	if (!iface_of(d, &f, &index)) {
		fmt(out, "-");
		return;
	}
	ipv4_format(out, f.addr);
	fmt(out, "/%u", f.prefix_len);
}

static void netfs_iface(struct abuf *out)
{
	struct netdev *d;
	fmt(out, "name mac mtu rx_packets rx_bytes rx_dropped rx_errors rx_stalls "
		 "tx_packets tx_bytes tx_dropped tx_errors tx_stalls state address\n");
	for (size_t i = 0; (d = netdev_at(i)) != NULL; i++) {
		fmt(out, "%.*s ", STR_ARG(d->name));
		mac_format(out, d->mac);
		fmt(out, " %u %llu %llu %llu %llu %llu", d->mtu, (unsigned long long)d->stats.rx_packets,
			(unsigned long long)d->stats.rx_bytes, (unsigned long long)d->stats.rx_dropped,
			(unsigned long long)d->stats.rx_errors, (unsigned long long)d->stats.rx_stalls);
		fmt(out, " %llu %llu %llu %llu %llu", (unsigned long long)d->stats.tx_packets,
			(unsigned long long)d->stats.tx_bytes, (unsigned long long)d->stats.tx_dropped,
			(unsigned long long)d->stats.tx_errors, (unsigned long long)d->stats.tx_stalls);
		fmt(out, " %s ", netdev_is_down(d) ? "down" : "up");
		netfs_address(out, d);
		fmt(out, "\n");
	}
}

static void netfs_route(struct abuf *out)
{
	struct net_route_info r;
	fmt(out, "destination gateway iface\n");
	for (size_t i = 0; net_route_at(i, &r); i++) {
		ipv4_format(out, r.dst);
		fmt(out, "/%u ", r.prefix_len);
		ipv4_format(out, r.gateway);
		fmt(out, " %.*s\n", STR_ARG(r.dev->name));
	}
}

static void netfs_arp(struct abuf *out)
{
	struct net_arp_info a;
	fmt(out, "ip mac iface state age_ns\n");
	for (size_t i = 0; net_arp_at(i, &a); i++) {
		ipv4_format(out, a.ip);
		fmt(out, " ");
		mac_format(out, a.mac);
		fmt(out, " %.*s %.*s %lld\n", STR_ARG(a.dev->name), STR_ARG(a.state), (long long)a.age_ns);
	}
}

static void netfs_ip_stats(struct abuf *out)
{
	for (enum net_counter i = 0; i < NET_COUNTER_COUNT; i++)
		fmt(out, "%.*s %llu\n", STR_ARG(net_counter_name(i)), (unsigned long long)net_counter(i));
}

static void netfs_tcp_stats(struct abuf *out)
{
	struct tcp_stats s;
	tcp_stats(&s);
	fmt(out, "connections %u\nhalf_open %u\ntime_waits %u\nlisteners %u\n", s.connections, s.half_open,
		s.time_waits, s.listeners);
	for (enum tcp_counter i = 0; i < TCP_COUNTER_COUNT; i++)
		fmt(out, "%.*s %llu\n", STR_ARG(tcp_counter_name(i)), (unsigned long long)tcp_counter(i));
}

static void netfs_tcp_addr(struct abuf *out, struct tcp_addr a)
{
	ipv4_format(out, a.addr);
	fmt(out, ":%u ", a.port);
}

static void netfs_tcp_connections(struct abuf *out)
{
	struct tcp_info c;
	size_t cursor = 0;
#define COLUMN(name) " " #name
	fmt(out, "id state local remote sack" TCP_INFO_NUMBERS(COLUMN) "\n");
#undef COLUMN
	while (tcp_info_next(&cursor, &c)) {
		fmt(out, "%u %.*s ", c.id, STR_ARG(c.state));
		netfs_tcp_addr(out, c.local);
		netfs_tcp_addr(out, c.remote);
		abuf_str_add(out, c.sack ? S("yes") : S("no"));
#define NUMBER(name) fmt(out, " %lld", (long long)c.name);
		TCP_INFO_NUMBERS(NUMBER)
#undef NUMBER
		fmt(out, "\n");
	}
}

static const struct synth_file netfs_files[] = {
	{.path = STR_INIT("arp"), .render = netfs_arp},
	{.path = STR_INIT("ctl"), .render = netctl_render, .ctl = netctl_line},
	{.path = STR_INIT("iface"), .render = netfs_iface},
	{.path = STR_INIT("ip/stats"), .render = netfs_ip_stats},
	{.path = STR_INIT("route"), .render = netfs_route},
	{.path = STR_INIT("tcp/connections"), .render = netfs_tcp_connections},
	{.path = STR_INIT("tcp/stats"), .render = netfs_tcp_stats},
};
static struct synth_fs netfs = {netfs_files, countof(netfs_files)};

static enum err netfs_init(void)
{
	netctl_init();
	return fileserver_mount(S("/net"), &synth_ops, &netfs, S("netfs"));
}
INITCALL(netfs, netfs_init, "vfs", "net_iface");
