/* api_net.c - the network's tables and a directory's listing as JSON. Thread context. */
#include "kernel/net/net.h"
#include "lib/fmt.h"
#include "user/net/figures.h"
#include "user/net/web_priv.h"

static void api_address(struct json_writer *w, struct str key, struct tcp_addr a)
{
	char bytes[IPV4_TEXT_MAX + 6];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	ipv4_format(&text, a.addr);
	fmt(&text, ":%u", a.port);
	json_key_str(w, key, abuf_str(&text));
}

/* The configured address of a device, if it has one. */
static void api_device_address(struct json_writer *w, const struct netdev *dev)
{
	struct net_iface_info info;
	for (size_t i = 0; net_iface_at(i, &info); i++) {
		char bytes[IPV4_TEXT_MAX + 4];
		struct abuf text = abuf_of(bytes, sizeof(bytes));
		if (info.dev != dev)
			continue;
		ipv4_format(&text, info.addr);
		fmt(&text, "/%u", info.prefix_len);
		json_key_str(w, S("address"), abuf_str(&text));
		return;
	}
}

void api_interfaces(struct json_writer *w)
{
	json_key(w, S("interfaces"));
	json_array_open(w);
	struct netdev *dev;
	for (size_t i = 0; (dev = netdev_at(i)) != NULL; i++) {
		char bytes[18];
		struct abuf mac = abuf_of(bytes, sizeof(bytes));
		mac_format(&mac, dev->mac);
		json_object_open(w);
		json_key_str(w, S("name"), dev->name);
		json_key_str(w, S("mac"), abuf_str(&mac));
		json_key_u64(w, S("mtu_bytes"), dev->mtu);
		api_device_address(w, dev);
		figures_json(w, &figures_netdev, &dev->stats);
		json_object_close(w);
	}
	json_array_close(w);
}

void api_net_counters(struct json_writer *w)
{
	json_key(w, S("counters"));
	json_object_open(w);
	for (enum net_counter i = 0; i < NET_COUNTER_COUNT; i++)
		json_key_u64(w, net_counter_name(i), net_counter(i));
	json_object_close(w);
}

static uint64_t api_net_sum(const enum net_counter *of, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += net_counter(of[i]);
	return sum;
}

/* Sums of what "counters" and /api/tcp show one by one. */
void api_net_security(struct json_writer *w)
{
	static const enum net_counter bad[] = {NET_ETHER_SHORT, NET_ETHER_SRC, NET_ARP_BAD, NET_IP_SHORT,
		NET_IP_VERSION, NET_IP_HEADER, NET_IP_LENGTH, NET_IP_CHECKSUM, NET_IP_FRAGMENT, NET_IP_OPTIONS,
		NET_IP_MARTIAN, NET_ICMP_BAD, NET_ICMP_CHECKSUM};
	static const enum net_counter limited[] = {NET_ARP_LIMITED, NET_ICMP_ECHO_LIMITED, NET_ICMP_ERROR_LIMITED};
	json_key_u64(w, S("bad_frames"), api_net_sum(bad, countof(bad)) + tcp_counter(TCP_RX_MALFORMED) +
		tcp_counter(TCP_RX_CHECKSUM));
	json_key_u64(w, S("rate_limited"), api_net_sum(limited, countof(limited)) +
		tcp_counter(TCP_TX_RESETS_LIMITED));
	json_key_u64(w, S("arp_conflicts"), net_counter(NET_ARP_CONFLICT));
	json_key_u64(w, S("refused_connections"), tcp_counter(TCP_REFUSED_CONNECTIONS) +
		tcp_counter(TCP_REFUSED_HALF_OPEN) + tcp_counter(TCP_REFUSED_PER_PEER) +
		tcp_counter(TCP_REFUSED_BACKLOG));
}

static void api_tcp_stats(struct json_writer *w)
{
	struct tcp_stats s;
	tcp_stats(&s);
	json_key(w, S("stats"));
	json_object_open(w);
	figures_json(w, &figures_tcp, &s);
	for (enum tcp_counter i = 0; i < TCP_COUNTER_COUNT; i++)
		json_key_u64(w, tcp_counter_name(i), tcp_counter(i));
	json_object_close(w);
}

/* One connection in /api/tcp at its longest: names, punctuation, and every number with all its digits. */
#define API_TCP_ROW_MAX 448
static_assert((CONFIG_TCP_CONNECTIONS + CONFIG_TCP_TIME_WAITS + CONFIG_TCP_LISTENERS + 8) * API_TCP_ROW_MAX <=
		      PAGE_SIZE << WEB_BLOCK_ORDER,
	"/api/tcp lists all connections at once: raise WEB_BLOCK_ORDER");

uint16_t api_tcp(unused const struct http_request *req, struct abuf *out)
{
	struct json_writer w;
	struct tcp_info c;
	size_t cursor = 0;
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key(&w, S("connections"));
	json_array_open(&w);
	while (tcp_info_next(&cursor, &c)) {
		json_object_open(&w);
		json_key_u64(&w, S("id"), c.id);
		json_key_str(&w, S("state"), c.state);
		api_address(&w, S("local"), c.local);
		api_address(&w, S("remote"), c.remote);
#define MEMBER(name) json_key_i64(&w, S(#name), (int64_t)c.name);
		TCP_INFO_NUMBERS(MEMBER)
#undef MEMBER
		json_key_bool(&w, S("sack"), c.sack);
		json_object_close(&w);
	}
	json_array_close(&w);
	api_tcp_stats(&w);
	json_object_close(&w);
	return api_finish(&w);
}

uint16_t api_arp(unused const struct http_request *req, struct abuf *out)
{
	struct json_writer w;
	struct net_arp_info a;
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key(&w, S("entries"));
	json_array_open(&w);
	for (size_t i = 0; net_arp_at(i, &a); i++) {
		char ip_bytes[IPV4_TEXT_MAX], mac_bytes[18];
		struct abuf ip = abuf_of(ip_bytes, sizeof(ip_bytes));
		struct abuf mac = abuf_of(mac_bytes, sizeof(mac_bytes));
		ipv4_format(&ip, a.ip);
		mac_format(&mac, a.mac);
		json_object_open(&w);
		json_key_str(&w, S("ip"), abuf_str(&ip));
		json_key_str(&w, S("mac"), abuf_str(&mac));
		json_key_str(&w, S("iface"), a.dev->name);
		json_key_str(&w, S("state"), a.state);
		json_key_i64(&w, S("age_ns"), a.age_ns);
		json_object_close(&w);
	}
	json_array_close(&w);
	json_object_close(&w);
	return api_finish(&w);
}

static struct str api_type_name(enum file_type type)
{
	return type == FILE_DIR ? S("dir") : type == FILE_REGULAR ? S("file") : S("device");
}

static void api_fs_entries(struct json_writer *w, struct file *dir)
{
	for (size_t i = 0;; i++) {
		char bytes[256];
		struct abuf name = abuf_of(bytes, sizeof(bytes));
		struct file_stat stat;
		if (vfs_readdir(dir, i, &name, &stat) != OK)
			return;
		json_object_open(w);
		json_key_str(w, S("name"), abuf_str(&name));
		json_key_str(w, S("type"), api_type_name(stat.type));
		json_key_u64(w, S("size_bytes"), stat.secret ? 0 : stat.size_bytes); /* the length of a token is its strength */
		json_key_u64(w, S("mtime_ns"), stat.mtime_ns);
		json_object_close(w);
	}
}

uint16_t api_fs(const struct http_request *req, struct abuf *out)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct file_stat stat;
	struct json_writer w;
	if (http_query_param(req->query, S("path"), &path) != OK)
		return 400;
	enum err err = vfs_stat(abuf_str(&path), &stat);
	if (err != OK || stat.type != FILE_DIR)
		return err == OK || err == ERR_INVAL ? 400 : 404;
	struct file_result f = vfs_open(abuf_str(&path), OPEN_READ);
	if (f.err != OK)
		return 503;
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key_str(&w, S("path"), abuf_str(&path));
	json_key(&w, S("entries"));
	json_array_open(&w);
	api_fs_entries(&w, f.value);
	json_array_close(&w);
	json_object_close(&w);
	vfs_close(f.value);
	return api_finish(&w);
}

/* Regular files and snapshots only: neither a device, nor what has an effect when it is opened or read. */
static uint16_t api_file(struct str path, struct abuf *out)
{
	struct file_stat stat;
	enum err err = vfs_stat(path, &stat);
	if (err != OK)
		return err == ERR_INVAL ? 400 : 404;
	if (stat.secret || stat.effects || stat.type != FILE_REGULAR)
		return 403;
	struct file_result f = vfs_open(path, OPEN_READ);
	if (f.err != OK) /* it may have changed since */
		return f.err == ERR_ACCES ? 403 : f.err == ERR_NOENT ? 404 : 503;
	struct size_result n = OK_RESULT(size_result, 1);
	while (n.err == OK && n.value && abuf_room(out)) {
		n = vfs_read(f.value, out->len, wbuf_of(out->ptr + out->len, abuf_room(out)));
		out->len += n.err == OK ? n.value : 0;
	}
	/* No room left means that there may be more: asked again with more room. */
	out->overflow = abuf_room(out) == 0;
	vfs_close(f.value);
	return n.err == OK ? 200 : 500;
}

/*
 * What was packed, and what no block holds, is sent from where it lies. Not the rest: a client who takes it slowly would
 * keep what was removed or written since, of the little that files may take. False: api_fs_read() has it, or says why not.
 */
bool api_fs_content(const struct http_request *req, struct web_content *out)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct file_stat stat;
	uint64_t digest;
	if (http_query_param(req->query, S("path"), &path) != OK || vfs_stat(abuf_str(&path), &stat) != OK ||
		stat.secret || stat.effects || stat.type != FILE_REGULAR ||
		(!stat.digest && stat.size_bytes < WEB_BLOCK_BYTES))
		return false;
	struct file_result f = vfs_open(abuf_str(&path), OPEN_READ);
	if (f.err != OK)
		return false;
	bool has = f.value->type == FILE_REGULAR && vfs_content(f.value, &out->mem, &out->bytes, &digest) == OK;
	vfs_close(f.value);
	return has;
}

uint16_t api_fs_read(const struct http_request *req, struct abuf *out)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	return http_query_param(req->query, S("path"), &path) == OK ? api_file(abuf_str(&path), out) : 400;
}

/* /api/app/NAME is the file /app/NAME/json: an application has an endpoint by mounting it. */
uint16_t api_app(const struct http_request *req, struct abuf *out)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct str name = str_slice(req->path, sizeof("/api/app/") - 1, req->path.len);
	if (name.len == 0 || str_find_char(name, '/') < name.len)
		return 404;
	fmt(&path, "/app/%.*s/json", STR_ARG(name));
	return abuf_ok(&path) ? api_file(abuf_str(&path), out) : 404;
}
