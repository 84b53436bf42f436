/* Host tests of lib/ring.h: against a counter, and with a producer and a consumer thread. */
#include <pthread.h>
#include <sched.h>
#include "tests/host/test.h"
#include "lib/ring.h"

/* The n-th byte that goes through a ring. */
static uint8_t nth(uint32_t n)
{
	return (uint8_t)((n * 2654435761u) >> 24);
}

TEST(ring_keeps_order_and_counts)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t memory[32], bytes[40];
	struct ring r;
	ring_init(&r, wbuf_of(memory, sizeof(memory)));
	/* Positions wrap in the middle of the test. */
	r.head = r.tail = UINT32_MAX - 1000;

	for (uint32_t in = 0, out = 0, round = 0; round < 100000; round++) {
		size_t n = test_below(&rng, sizeof(bytes) + 1);
		uint8_t byte;
		switch (test_below(&rng, 5)) {
		case 0:
			for (uint32_t i = 0; i < n; i++)
				bytes[i] = nth(in + i);
			size_t taken = ring_write(&r, rbuf_of(bytes, n));
			CHECK_EQ(taken, min(n, (size_t)(32 - (in - out))));
			in += (uint32_t)taken;
			break;
		case 1:
			CHECK_EQ(ring_put(&r, nth(in)), in - out < 32);
			in += in - out < 32;
			break;
		case 2:
			n = ring_read(&r, wbuf_of(bytes, n));
			for (uint32_t i = 0; i < n; i++)
				CHECK_EQ(bytes[i], nth(out + i));
			out += (uint32_t)n;
			break;
		case 3:
			CHECK_EQ(ring_get(&r, &byte), in != out);
			if (in != out)
				CHECK_EQ(byte, nth(out++));
			break;
		default:;
			struct rbuf piece = ring_peek(&r);
			CHECK_EQ(piece.len > 0, in != out);
			for (uint32_t i = 0; i < piece.len; i++)
				CHECK_EQ(piece.ptr[i], nth(out + i));
			n = test_below(&rng, piece.len + 1);
			ring_consume(&r, (uint32_t)n);
			out += (uint32_t)n;
			break;
		}
		CHECK_EQ(ring_used(&r), in - out);
		CHECK_EQ(ring_room(&r), 32 - (in - out));
	}
}

TEST(ring_of_one_byte)
{
	uint8_t memory[1], byte;
	struct ring r;
	ring_init(&r, wbuf_of(memory, 1));
	CHECK(!ring_get(&r, &byte));
	CHECK(ring_put(&r, 7));
	CHECK(!ring_put(&r, 8));
	CHECK(ring_get(&r, &byte));
	CHECK_EQ(byte, 7);
	CHECK_EQ(ring_write(&r, rbuf_of(NULL, 0)), 0u);
	CHECK_EQ(ring_read(&r, wbuf_of(NULL, 0)), 0u);
}

enum { THREADED_BYTES = 1000000 };

static void *produce(void *arg)
{
	struct ring *r = arg;
	uint8_t bytes[48];
	for (uint32_t in = 0; in < THREADED_BYTES;) {
		uint32_t n = min((uint32_t)(1 + in % sizeof(bytes)), THREADED_BYTES - in);
		for (uint32_t i = 0; i < n; i++)
			bytes[i] = nth(in + i);
		size_t taken = ring_write(r, rbuf_of(bytes, n));
		in += (uint32_t)taken;
		if (taken == 0)
			sched_yield();
	}
	return NULL;
}

TEST(ring_between_two_threads)
{
	uint8_t memory[64], bytes[37];
	struct ring r;
	pthread_t producer;
	ring_init(&r, wbuf_of(memory, sizeof(memory)));
	CHECK_EQ(pthread_create(&producer, NULL, produce, &r), 0);
	for (uint32_t out = 0; out < THREADED_BYTES;) {
		size_t n = ring_read(&r, wbuf_of(bytes, sizeof(bytes)));
		for (uint32_t i = 0; i < n; i++)
			CHECK_EQ(bytes[i], nth(out + i));
		out += (uint32_t)n;
		if (n == 0)
			sched_yield();
	}
	CHECK_EQ(pthread_join(producer, NULL), 0);
	CHECK_EQ(ring_used(&r), 0u);
}
