/*
 * net_fuzz.c - any bytes as a sequence of frames down the whole input path: Ethernet,
 * then ARP into the neighbour cache, or IPv4, ICMP and the quote of an ICMP error.
 *
 * The first byte of a frame is how much time passes before it, the second its
 * length. Each frame stands at the end of an allocation of its own, so that reading
 * one byte too far is seen. What the cache gives out must add up (arp_check).
 */
#include <stdlib.h>
#include "kernel/net/arp_core.h"
#include "kernel/net/text.h"
#include "kernel/net/wire.h"
#include "lib/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 8, WAITING = 6, PACKETS = 16 };

static struct arp_entry entries[ENTRIES];
static struct arp_table table;
static struct list packets[PACKETS];
static bool queued[PACKETS];

static const struct arp_local local = {.ip = 0x0a00020f, .iface = 1, .mac = {2, 0, 0, 0, 0, 1}};

static void give_back(struct list *l)
{
	for (struct list *n; (n = list_pop_front(l)) != NULL;) {
		assert(queued[n - packets]);
		queued[n - packets] = false;
	}
}

static void act(struct arp_out *out)
{
	give_back(&out->ready);
	give_back(&out->drop_unresolved);
	give_back(&out->drop_full);
	assert(out->send_op <= ARP_REPLY);
	arp_check(&table);
}

static void fuzz_arp(ktime now, struct rbuf bytes)
{
	struct wire_arp m;
	struct arp_out out;
	if (wire_arp_parse(bytes, &m) != WIRE_OK)
		return;
	if (arp_input(&table, now, &local, &m, &out) == ARP_CONFLICT)
		assert(m.sender_ip == local.ip);
	act(&out);
	size_t k = m.target_ip % PACKETS;
	if (queued[k])
		return;
	queued[k] = arp_resolve(&table, now, 1, m.target_ip, &packets[k], &out) == ARP_QUEUED;
	act(&out);
}

static void fuzz_icmp(struct rbuf bytes)
{
	struct wire_icmp m;
	struct wire_icmp_quote q;
	if (wire_icmp_parse(bytes, &m) != WIRE_OK && bytes.len < ICMP_HEADER_BYTES)
		return;
	if (wire_icmp_quote_parse(rbuf_slice(bytes, ICMP_HEADER_BYTES, bytes.len), &q) == WIRE_OK)
		assert(q.transport.len >= 8);
}

static void fuzz_ipv4(struct rbuf bytes)
{
	struct wire_ipv4 h;
	if (wire_ipv4_parse(bytes, &h) != WIRE_OK)
		return;
	assert(h.header_len <= h.total_len && h.total_len <= bytes.len);
	struct rbuf body = rbuf_slice(bytes, h.header_len, h.total_len);
	(void)!wire_icmp_error_allowed(&h, body);
	fuzz_icmp(body);
}

static void fuzz_frame(ktime now, struct rbuf frame)
{
	struct wire_ether e;
	if (wire_ether_parse(frame, &e) != WIRE_OK)
		return;
	struct rbuf body = rbuf_slice(frame, ETHER_HEADER_BYTES, frame.len);
	/* whatever the type says: both layers see all bytes */
	fuzz_arp(now, body);
	fuzz_ipv4(body);
	fuzz_icmp(body);
}

static void fuzz_text(struct str s)
{
	struct net_config_text c;
	if (net_config_from_text(s, &c) == OK)
		assert(c.prefix_len >= 1 && c.prefix_len <= 30);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arp_out out;
	ktime now = KTIME_ZERO;
	arp_table_init(&table, entries, ENTRIES, WAITING, 100);
	fuzz_text(str_of(data, size));
	memset(queued, 0, sizeof(queued));
	while (size >= 2) {
		size_t n = min((size_t)data[1], size - 2);
		now = ktime_add(now, (int64_t)data[0] * 50 * NS_PER_MS);
		uint8_t *frame = malloc(n);
		assert(n == 0 || frame != NULL);
		memcpy(frame, data + 2, n);
		fuzz_frame(now, rbuf_of(frame, n));
		free(frame);
		for (int i = 0; i < ENTRIES && arp_poll(&table, now, &out); i++)
			act(&out);
		data += 2 + n;
		size -= 2 + n;
	}
	return 0;
}
