/* arp_core_test.c - the neighbour cache: learning, waiting, limits, conflicts, aging. */
#include "kernel/net/arp_core.h"
#include "tests/host/test.h"

#define ENTRIES 8
#define WAITING 10
#define US      0x0a00020fu
#define GW      0x0a000202u

static struct arp_entry entries[ENTRIES];
static struct arp_table table;
static struct arp_out out;
static const struct arp_local us = {.ip = US, .iface = 1, .mac = {2, 0, 0, 0, 0, 1}};
static const uint8_t gw_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 3};

static void setup(void)
{
	arp_table_init(&table, entries, ENTRIES, WAITING, 100);
}

static ktime at(int64_t ms)
{
	return (ktime){ms * NS_PER_MS};
}

static struct wire_arp message(uint16_t op, uint32_t sip, const uint8_t *smac, uint32_t tip)
{
	struct wire_arp m = {.op = op, .sender_ip = sip, .target_ip = tip};
	memcpy(m.sender_mac, smac, 6);
	return m;
}

static enum arp_verdict input(ktime now, uint16_t op, uint32_t sip, const uint8_t *smac, uint32_t tip)
{
	struct wire_arp m = message(op, sip, smac, tip);
	return arp_input(&table, now, &us, &m, &out);
}

static size_t list_length(const struct list *l)
{
	size_t n = 0;
	list_for_each(it, l) n++;
	return n;
}

TEST(arp_resolves_and_releases_in_order)
{
	struct list p[3];
	setup();
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p[i], &out), ARP_QUEUED);
		CHECK_EQ(out.send_op, i == 0 ? ARP_REQUEST : 0);
	}
	CHECK_EQ(input(at(1), ARP_REPLY, GW, gw_mac, US), ARP_TAKEN);
	CHECK_EQ(list_length(&out.ready), 3);
	CHECK(out.ready.next == &p[0]);
	CHECK_MEM(out.ready_mac, gw_mac, 6);
	CHECK_EQ(arp_resolve(&table, at(2), 1, GW, &p[0], &out), ARP_RESOLVED);
	CHECK_MEM(out.ready_mac, gw_mac, 6);
	CHECK_EQ(table.waiting_total, 0);
}

TEST(arp_gives_up_after_three_tries_and_tries_again_later)
{
	struct list p;
	setup();
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p, &out), ARP_QUEUED);
	for (int i = 1; i < 3; i++) {
		CHECK(!arp_poll(&table, at(i * 1000 - 1), &out));
		CHECK_EQ(arp_deadline(&table).ns, at(i * 1000).ns);
		CHECK(arp_poll(&table, at(i * 1000), &out));
		CHECK_EQ(out.send_op, ARP_REQUEST);
	}
	CHECK(arp_poll(&table, at(3000), &out));
	CHECK_EQ(out.send_op, 0);
	CHECK_EQ(list_length(&out.drop_unresolved), 1);
	CHECK_EQ(arp_resolve(&table, at(3001), 1, GW, &p, &out), ARP_UNREACHABLE);
	CHECK(arp_poll(&table, at(6000), &out));
	CHECK_EQ(arp_resolve(&table, at(6001), 1, GW, &p, &out), ARP_QUEUED);
	CHECK_EQ(out.send_op, ARP_REQUEST);
}

TEST(arp_queue_keeps_the_newest_and_is_bounded_in_all)
{
	struct list p[20];
	setup();
	for (int i = 0; i < 5; i++)
		CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p[i], &out), ARP_QUEUED);
	CHECK(out.drop_full.next == &p[0]);
	for (int i = 5; i < 9; i++)
		CHECK_EQ(arp_resolve(&table, at(0), 1, GW + 1, &p[i], &out), ARP_QUEUED);
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW + 2, &p[9], &out), ARP_QUEUED);
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW + 2, &p[10], &out), ARP_QUEUED);
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW + 2, &p[11], &out), ARP_NO_ROOM);
	CHECK_EQ(table.waiting_total, WAITING);
}

TEST(arp_answers_who_asks_for_us_and_learns_it)
{
	setup();
	CHECK_EQ(input(at(0), ARP_REQUEST, GW, gw_mac, US), ARP_TAKEN);
	CHECK_EQ(out.send_op, ARP_REPLY);
	CHECK_MEM(out.to, gw_mac, 6);
	CHECK_EQ(out.target_ip, GW);
	struct list p;
	CHECK_EQ(arp_resolve(&table, at(1), 1, GW, &p, &out), ARP_RESOLVED);
	CHECK_EQ(out.send_op, ARP_REQUEST); /* stale: asked again, by unicast */
	CHECK_MEM(out.to, gw_mac, 6);
	CHECK_EQ(input(at(2), ARP_REQUEST, GW + 5, gw_mac, GW + 6), ARP_IGNORED);
	CHECK_EQ(input(at(2), ARP_REPLY, GW + 7, gw_mac, US), ARP_IGNORED);
}

TEST(arp_probe_of_our_address_is_answered_not_learned)
{
	setup();
	CHECK_EQ(input(at(0), ARP_REQUEST, 0, other_mac, US), ARP_TAKEN);
	CHECK_EQ(out.send_op, ARP_REPLY);
	CHECK_EQ(arp_deadline(&table).ns, KTIME_NEVER.ns);
}

TEST(arp_conflict_is_defended_once_in_ten_seconds)
{
	setup();
	CHECK_EQ(input(at(0), ARP_REPLY, US, other_mac, US), ARP_CONFLICT);
	CHECK_EQ(out.send_op, ARP_REQUEST);
	CHECK_EQ(out.target_ip, US);
	CHECK_EQ(input(at(9999), ARP_REQUEST, US, other_mac, GW), ARP_CONFLICT);
	CHECK_EQ(out.send_op, 0);
	CHECK_EQ(input(at(10000), ARP_REQUEST, US, other_mac, US), ARP_CONFLICT);
	CHECK_EQ(out.send_op, ARP_REQUEST);
}

TEST(arp_confirmed_entry_resists_a_spoofed_reply)
{
	struct list p;
	setup();
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p, &out), ARP_QUEUED);
	CHECK_EQ(input(at(1), ARP_REPLY, GW, gw_mac, US), ARP_TAKEN);
	CHECK_EQ(input(at(2), ARP_REPLY, GW, other_mac, US), ARP_TAKEN);
	CHECK_EQ(arp_resolve(&table, at(3), 1, GW, &p, &out), ARP_RESOLVED);
	CHECK_MEM(out.ready_mac, gw_mac, 6);
	/* much later a gratuitous change is believed, and verified at the next use */
	CHECK_EQ(input(at(5000), ARP_REQUEST, GW, other_mac, GW), ARP_TAKEN);
	CHECK_EQ(arp_resolve(&table, at(5001), 1, GW, &p, &out), ARP_RESOLVED);
	CHECK_MEM(out.ready_mac, other_mac, 6);
	CHECK_EQ(out.send_op, ARP_REQUEST);
}

TEST(arp_senders_that_cannot_be_are_bad)
{
	static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1}, zero[6] = {0};
	setup();
	CHECK_EQ(input(at(0), ARP_REQUEST, GW, group, US), ARP_BAD);
	CHECK_EQ(input(at(0), ARP_REQUEST, GW, zero, US), ARP_BAD);
	CHECK_EQ(input(at(0), ARP_REQUEST, UINT32_MAX, gw_mac, US), ARP_BAD);
	CHECK_EQ(input(at(0), ARP_REQUEST, 0x7f000001, gw_mac, US), ARP_BAD);
	CHECK_EQ(input(at(0), ARP_REQUEST, 0xe0000001, gw_mac, US), ARP_BAD);
	CHECK_EQ(input(at(0), ARP_REPLY, GW, us.mac, US), ARP_IGNORED);
}

TEST(arp_flood_does_not_evict_the_gateway)
{
	struct list p;
	setup();
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p, &out), ARP_QUEUED);
	CHECK_EQ(input(at(1), ARP_REPLY, GW, gw_mac, US), ARP_TAKEN);
	unsigned limited = 0, replies = 0;
	for (uint32_t i = 0; i < 10000; i++) {
		limited += input(at(2 + i / 1000), ARP_REQUEST, 0x0a000300 + i, other_mac, US) == ARP_LIMITED;
		replies += out.send_op == ARP_REPLY;
	}
	CHECK(replies <= 34);
	CHECK_EQ(limited + replies, 10000);
	CHECK_EQ(arp_resolve(&table, at(20), 1, GW, &p, &out), ARP_RESOLVED);
	CHECK_MEM(out.ready_mac, gw_mac, 6);
	CHECK_EQ(out.send_op, 0);
}

TEST(arp_neighbours_that_never_answer_do_not_evict_the_gateway)
{
	struct list p, q[ENTRIES * 3];
	setup();
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p, &out), ARP_QUEUED);
	CHECK_EQ(input(at(1), ARP_REPLY, GW, gw_mac, US), ARP_TAKEN);
	for (uint32_t i = 0; i < countof(q); i++)
		CHECK_EQ(arp_resolve(&table, at(2 + i), 1, GW + 50 + i, &q[i], &out), ARP_QUEUED);
	CHECK_EQ(arp_resolve(&table, at(900), 1, GW, &p, &out), ARP_RESOLVED);
}

TEST(arp_ages_from_reachable_to_stale_to_gone)
{
	struct list p;
	setup();
	CHECK_EQ(arp_resolve(&table, at(0), 1, GW, &p, &out), ARP_QUEUED);
	CHECK_EQ(input(at(0), ARP_REPLY, GW, gw_mac, US), ARP_TAKEN);
	CHECK(!arp_poll(&table, at(59999), &out));
	CHECK(arp_poll(&table, at(60000), &out));
	CHECK_EQ(entries[0].state, ARP_STALE);
	CHECK(arp_poll(&table, at(60000 + 20 * 60000), &out));
	CHECK_EQ(entries[0].state, ARP_FREE);
	CHECK_EQ(arp_deadline(&table).ns, KTIME_NEVER.ns);
}

/* No packet is lost or given out twice, whatever happens. */
TEST(arp_random_walk_keeps_every_packet)
{
	struct test_rng rng = test_rng(test_seed());
	static struct list p[64];
	static uint8_t held[64];
	ktime now = at(0);
	setup();
	memset(held, 0, sizeof(held));
	for (int i = 0; i < 200000; i++) {
		uint32_t ip = GW + (uint32_t)test_below(&rng, 12);
		uint8_t mac[6] = {2, 0, 0, 0, 1, (uint8_t)test_below(&rng, 3)};
		size_t k = test_below(&rng, 64);
		now = ktime_add(now, (int64_t)test_below(&rng, 300) * NS_PER_MS);
		switch (test_below(&rng, 3)) {
		case 0:
			if (held[k])
				continue;
			held[k] = arp_resolve(&table, now, 1, ip, &p[k], &out) == ARP_QUEUED;
			break;
		case 1:
			(void)!input(now, (uint16_t)(1 + test_below(&rng, 2)), ip, mac,
				test_below(&rng, 3) ? US : ip);
			break;
		default:
			if (!arp_poll(&table, now, &out))
				continue;
			break;
		}
		struct list *gone[] = {&out.ready, &out.drop_unresolved, &out.drop_full};
		for (size_t g = 0; g < countof(gone); g++) {
			for (struct list *n; (n = list_pop_front(gone[g])) != NULL;) {
				CHECK_EQ(held[n - p], 1);
				held[n - p] = 0;
			}
		}
		size_t total = 0;
		for (size_t j = 0; j < 64; j++)
			total += held[j];
		CHECK_EQ(total, table.waiting_total);
	}
}
