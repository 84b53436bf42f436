/* echo_core_test.c - which echo reply belongs to which request. */
#include "kernel/net/echo_core.h"
#include "tests/host/test.h"

#define PEER 0x0a000202
#define ID   0x1234

static ktime at(int64_t ns)
{
	return (ktime){ns};
}

static struct echo_message reply(uint16_t seq)
{
	return (struct echo_message){.from = PEER, .id = ID, .seq = seq, .ttl = 64, .intact = true, .bytes = 64};
}

TEST(echo_reply_belongs_to_its_request)
{
	struct echo e;
	struct echo_event got;
	echo_open(&e, PEER, ID);
	CHECK_EQ(echo_send(&e, 64, at(1000)), 0);
	CHECK_EQ(echo_send(&e, 64, at(2000)), 1);
	CHECK(!echo_next(&e, &got));
	struct echo_message second = reply(1), first = reply(0);
	CHECK(echo_reply(&e, &second, at(2500)));
	CHECK(echo_reply(&e, &first, at(4000)));
	CHECK(echo_next(&e, &got) && got.seq == 1 && got.rtt_ns == 500 && !got.duplicate && got.intact && !got.error);
	CHECK(echo_next(&e, &got) && got.seq == 0 && got.rtt_ns == 3000 && got.ttl == 64 && got.bytes == 64);
	CHECK(!echo_next(&e, &got));
}

TEST(echo_what_was_not_asked_is_nobodys)
{
	struct echo e;
	echo_open(&e, PEER, ID);
	(void)echo_send(&e, 64, at(0));
	struct echo_message m = reply(1);
	CHECK(!echo_reply(&e, &m, at(1)));
	m = reply(0);
	m.id ^= 1;
	CHECK(!echo_reply(&e, &m, at(1)));
	m = reply(0);
	m.from++;
	CHECK(!echo_reply(&e, &m, at(1)));
	echo_unsend(&e, 0);
	m = reply(0);
	CHECK(!echo_reply(&e, &m, at(1)));
}

TEST(echo_duplicate_and_damage_are_told)
{
	struct echo e;
	struct echo_event got;
	echo_open(&e, PEER, ID);
	(void)echo_send(&e, 64, at(0));
	struct echo_message m = reply(0);
	CHECK(echo_reply(&e, &m, at(1)) && echo_reply(&e, &m, at(2)));
	CHECK(echo_next(&e, &got) && !got.duplicate);
	CHECK(echo_next(&e, &got) && got.duplicate);
	m.bytes = 60; /* shorter than what was sent */
	CHECK(echo_reply(&e, &m, at(3)) && echo_next(&e, &got) && !got.intact);
	m = reply(0);
	m.intact = false;
	CHECK(echo_reply(&e, &m, at(3)) && echo_next(&e, &got) && !got.intact);
}

TEST(echo_data_tell_requests_apart)
{
	uint8_t a[1472], b[1472];
	echo_fill(7, wbuf_of(a, sizeof(a)));
	echo_fill(8, wbuf_of(b, sizeof(b)));
	CHECK(echo_intact(7, rbuf_of(a, sizeof(a))) && echo_intact(8, rbuf_of(b, sizeof(b))));
	CHECK(!echo_intact(8, rbuf_of(a, sizeof(a))) && echo_intact(9, rbuf_of(a, 0)));
	a[1471] ^= 1;
	CHECK(!echo_intact(7, rbuf_of(a, sizeof(a))));
}

TEST(echo_requests_are_forgotten_in_the_order_in_which_they_went)
{
	struct echo e;
	struct echo_event got;
	echo_open(&e, PEER, ID);
	for (uint32_t i = 0; i < UINT16_MAX + 10u; i++) { /* over the wrap */
		uint16_t seq = echo_send(&e, 64, at(i));
		CHECK_EQ(seq, (uint16_t)i);
		struct echo_message m = reply((uint16_t)(seq - ECHO_WINDOW));
		CHECK(!echo_reply(&e, &m, at(i)));
		if (i < ECHO_WINDOW)
			continue;
		m = reply((uint16_t)(seq - ECHO_WINDOW + 1));
		CHECK(echo_reply(&e, &m, at(i + 1)) && echo_next(&e, &got) && got.rtt_ns == ECHO_WINDOW);
	}
}

TEST(echo_events_are_bounded_and_counted)
{
	struct echo e;
	struct echo_event got;
	echo_open(&e, PEER, ID);
	for (uint16_t i = 0; i < ECHO_EVENTS + 3; i++) {
		struct echo_message m = reply(echo_send(&e, 64, at(0)));
		CHECK(echo_reply(&e, &m, at(1)));
	}
	for (uint16_t i = 0; i < ECHO_EVENTS; i++)
		CHECK(echo_next(&e, &got) && got.seq == i);
	CHECK(!echo_next(&e, &got) && e.lost == 3);
}

TEST(echo_error_is_an_event_of_its_request)
{
	struct echo e;
	struct echo_event got, error = {.from = 0x0a000203, .kind = 1};
	echo_open(&e, PEER, ID);
	(void)echo_send(&e, 64, at(0));
	CHECK(!echo_error(&e, PEER, ID, 1, &error) && !echo_error(&e, PEER, ID + 1, 0, &error) &&
		!echo_error(&e, PEER + 1, ID, 0, &error));
	CHECK(echo_error(&e, PEER, ID, 0, &error));
	CHECK(echo_next(&e, &got) && got.error && got.from == 0x0a000203 && got.kind == 1 && got.seq == 0);
}
