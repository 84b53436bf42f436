/*
 * packet_selftest.c - packets from their pools: the classes do not starve each
 * other, what was taken comes back, memory lives as long as its last reference.
 */
#include "kernel/dev/packet.h"
#include "kernel/diag/selftest.h"
#include "kernel/mm/mm.h"

#define TAKEN_MAX 2048

static struct packet *packet_taken[TAKEN_MAX];

static size_t packet_pool_used(struct str name)
{
	struct pool_stats s;
	for (size_t i = 0; pool_stats_at(i, &s); i++)
		if (str_eq(s.name, name))
			return s.used;
	return SIZE_MAX;
}

static uint64_t packet_refusals(void)
{
	struct pool_stats s;
	uint64_t n = 0;
	for (size_t i = 0; pool_stats_at(i, &s); i++)
		if (str_starts(s.name, S("packet_")))
			n += s.failures;
	return n;
}

static size_t packet_take_all(enum packet_class class, size_t room)
{
	size_t n = 0;
	while (n < TAKEN_MAX && (packet_taken[n] = packet_alloc(class, room)) != NULL)
		n++;
	return n;
}

static void packet_give_all(size_t n)
{
	while (n > 0)
		packet_free(packet_taken[--n]);
}

/* Lesson 2: receive and transmit starved each other of buffers. */
SELFTEST(packet_classes_do_not_starve_each_other)
{
	static const size_t room[PACKET_CLASS_COUNT] = {1514, 1460, 64};
	for (enum packet_class c = 0; c < PACKET_CLASS_COUNT; c++) {
		uint64_t refused = packet_refusals();
		size_t n = packet_take_all(c, room[c]);
		ST_CHECK(n > 0 && n < TAKEN_MAX && packet_refusals() > refused);
		for (enum packet_class other = 0; other < PACKET_CLASS_COUNT; other++) {
			struct packet *p = packet_alloc(other, room[other]);
			ST_CHECK(p != NULL || other == c);
			packet_free(p);
		}
		packet_give_all(n);
		struct packet *again = packet_alloc(c, room[c]);
		ST_CHECK(again != NULL);
		packet_free(again);
	}
}

SELFTEST(packet_pools_return_to_their_level)
{
	size_t packets = packet_pool_used(S("packet_tx")), buffers = packet_pool_used(S("packet_tx_buf"));
	for (int round = 0; round < 10; round++)
		packet_give_all(packet_take_all(PACKET_TX, round & 1 ? 1460 : 20));
	ST_CHECK(packet_pool_used(S("packet_tx")) == packets);
	ST_CHECK(packet_pool_used(S("packet_tx_buf")) == buffers);
}

/* A buffer that another packet refers to outlives the packet that it came from. */
SELFTEST(packet_memory_lives_until_its_last_reference)
{
	size_t before = packet_pool_used(S("packet_tx_buf"));
	struct packet *a = packet_alloc(PACKET_TX, 1000), *b = packet_alloc(PACKET_TX, 20);
	ST_REQUIRE(a != NULL && b != NULL);
	uint8_t *bytes = packet_append(a, 1000);
	ST_REQUIRE(bytes != NULL);
	memset(bytes, 0xc3, 1000);
	ST_CHECK(packet_add_ref(b, a->frag[0].mem, bytes + 100, 500) == OK);
	packet_free(a);
	ST_CHECK(packet_pool_used(S("packet_tx_buf")) == before + 1);
	uint8_t copy[500] = {0};
	ST_CHECK(packet_copy_out(b, 0, wbuf_of(copy, sizeof(copy))) == 500);
	ST_CHECK(copy[0] == 0xc3 && copy[499] == 0xc3);
	packet_free(b);
	ST_CHECK(packet_pool_used(S("packet_tx_buf")) == before);
}

SELFTEST(packet_reserve_is_not_kept)
{
	size_t n = 0;
	bool kept = true;
	while (n < TAKEN_MAX && (packet_taken[n] = packet_alloc(PACKET_RX, 1514)) != NULL) {
		if (!packet_may_keep(packet_taken[n]))
			kept = false;
		else
			ST_CHECK(kept); /* once below the reserve, it stays so */
		n++;
	}
	ST_CHECK(!kept);
	packet_give_all(n);
}
