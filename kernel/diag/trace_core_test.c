/* Host tests of trace_core.h: rings that are overwritten while they are read, and all rings as one. */
#include "kernel/diag/trace_core.h"
#include "tests/host/test.h"

#define SIZE  8
#define RINGS 3

struct world {
	struct trace_record slots[RINGS][SIZE];
	struct trace_ring ring[RINGS];
	uint64_t seq;
};

static void world_begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	for (unsigned i = 0; i < RINGS; i++)
		w->ring[i] = (struct trace_ring){.size = SIZE, .slots = w->slots[i]};
}

static void put(struct world *w, unsigned ring)
{
	struct trace_record r = {.seq = w->seq, .a = w->seq * 3, .by = (uint8_t)ring};
	w->seq++;
	trace_ring_put(&w->ring[ring], &r);
}

TEST(trace_ring_gives_what_was_put)
{
	struct world w;
	struct trace_record r;
	world_begin(&w);
	CHECK_EQ(trace_ring_get(&w.ring[0], 0, &r), TRACE_NOT_YET);
	for (unsigned i = 0; i < SIZE - 1; i++)
		put(&w, 0);
	for (unsigned i = 0; i < SIZE - 1; i++) {
		CHECK_EQ(trace_ring_get(&w.ring[0], i, &r), TRACE_GOT);
		CHECK(r.seq == i && r.a == 3 * i);
	}
	CHECK_EQ(trace_ring_get(&w.ring[0], SIZE - 1, &r), TRACE_NOT_YET);
}

/* The slot of the oldest may be in the middle of being overwritten: it is not given. */
TEST(trace_ring_counts_what_was_overwritten)
{
	struct world w;
	struct trace_record r;
	world_begin(&w);
	for (unsigned i = 0; i < 3 * SIZE + 2; i++) {
		CHECK_EQ(trace_ring_oldest(&w.ring[0]), i < SIZE ? 0 : i - SIZE + 1);
		put(&w, 0);
	}
	CHECK_EQ(trace_ring_get(&w.ring[0], 2 * SIZE + 2, &r), TRACE_GONE);
	CHECK_EQ(trace_ring_get(&w.ring[0], 2 * SIZE + 3, &r), TRACE_GOT);
	CHECK_EQ(r.seq, 2 * SIZE + 3);
}

TEST(trace_merge_has_the_order_of_events)
{
	struct world w;
	struct trace_merge m;
	struct trace_record r;
	struct test_rng rng = test_rng(test_seed());
	world_begin(&w);
	trace_merge_begin(&m, w.ring, RINGS, 0);
	uint64_t expected = 0;
	for (unsigned i = 0; i < 10000; i++) {
		for (uint64_t n = test_below(&rng, SIZE - 1); n > 0; n--)
			put(&w, (unsigned)test_below(&rng, RINGS));
		while (trace_merge_next(&m, &r)) {
			CHECK_EQ(r.seq, expected);
			CHECK_EQ(r.a, 3 * expected);
			expected++;
		}
		CHECK_EQ(expected, w.seq);
	}
	CHECK_EQ(m.lost, 0);
}

/* A slow reader: what it has not seen and what was lost add up to what there was. */
TEST(trace_merge_loses_nothing_uncounted)
{
	struct world w;
	struct trace_merge m;
	struct trace_record r;
	struct test_rng rng = test_rng(test_seed());
	world_begin(&w);
	trace_merge_begin(&m, w.ring, RINGS, 0);
	uint64_t got = 0, last = 0;
	for (unsigned i = 0; i < 10000; i++) {
		for (uint64_t n = test_below(&rng, 3 * SIZE); n > 0; n--)
			put(&w, (unsigned)test_below(&rng, RINGS));
		while (test_below(&rng, 4) && trace_merge_next(&m, &r)) {
			CHECK(got == 0 || r.seq > last);
			last = r.seq;
			got++;
		}
	}
	while (trace_merge_next(&m, &r))
		got++;
	CHECK(m.lost > 0);
	CHECK_EQ(got + m.lost, w.seq);
}

/* A hart that has taken its number and not written yet is waited for. */
TEST(trace_merge_waits_for_a_writer)
{
	struct world w;
	struct trace_merge m;
	struct trace_record r;
	world_begin(&w);
	trace_merge_begin(&m, w.ring, RINGS, 0);
	put(&w, 0);
	struct trace_record late = {.seq = w.seq++};
	put(&w, 1);
	CHECK(trace_merge_next(&m, &r) && r.seq == 0);
	CHECK(!trace_merge_next(&m, &r));
	trace_ring_put(&w.ring[2], &late);
	CHECK(trace_merge_next(&m, &r) && r.seq == 1);
	CHECK(trace_merge_next(&m, &r) && r.seq == 2);
	CHECK(!trace_merge_next(&m, &r));
}

TEST(trace_merge_passes_over_what_is_older)
{
	struct world w;
	struct trace_merge m;
	struct trace_record r;
	world_begin(&w);
	for (unsigned i = 0; i < 5; i++)
		put(&w, i % RINGS);
	trace_merge_begin(&m, w.ring, RINGS, 3);
	CHECK(trace_merge_next(&m, &r) && r.seq == 3);
	CHECK(trace_merge_next(&m, &r) && r.seq == 4);
	CHECK(!trace_merge_next(&m, &r));
}

TEST(trace_events_have_names)
{
	for (unsigned e = 0; e < TRACE_EVENT_COUNT; e++)
		CHECK(trace_event_name(e).len > 0 && !str_eq(trace_event_name(e), S("unknown")));
	CHECK_STR(trace_event_name(TRACE_EVENT_COUNT), S("unknown"));
}
