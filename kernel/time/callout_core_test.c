/* Host tests of callout_core.h: random starts, stops and expiries against a plain model. */
#include "tests/host/test.h"
#include "kernel/time/callout_core.h"

enum { CAPACITY = 32, CALLOUTS = 40, ROUNDS = 60000 };

struct model {
	bool pending;
	ktime at;
	uint64_t order; /* of the start */
};

static struct callout callouts[CALLOUTS];
static struct model model[CALLOUTS];
static struct heap_node *slots[CAPACITY];

static void setup(struct callout_queue *q)
{
	callout_core_init(q, slots, CAPACITY);
	for (int i = 0; i < CALLOUTS; i++) {
		callouts[i] = (struct callout){0};
		heap_node_init(&callouts[i].node);
		model[i] = (struct model){0};
	}
}

/* The index of the pending one that is due first; -1: none. */
static int model_first(void)
{
	int best = -1;
	for (int i = 0; i < CALLOUTS; i++) {
		if (!model[i].pending)
			continue;
		if (best < 0 || ktime_before(model[i].at, model[best].at) ||
			(model[i].at.ns == model[best].at.ns && model[i].order < model[best].order))
			best = i;
	}
	return best;
}

static uint32_t model_pending(void)
{
	uint32_t n = 0;
	for (int i = 0; i < CALLOUTS; i++)
		n += model[i].pending;
	return n;
}

static void check_state(const struct callout_queue *q, int running)
{
	int first = model_first();
	CHECK(heap_check(&q->heap));
	CHECK_EQ(q->heap.count, model_pending());
	CHECK_EQ(callout_core_deadline(q).ns, first < 0 ? INT64_MAX : model[first].at.ns);
	for (int i = 0; i < CALLOUTS; i++) {
		enum callout_state want = model[i].pending ? CALLOUT_PENDING : CALLOUT_IDLE;
		if (i == running)
			want = model[i].pending ? CALLOUT_RUNNING_PENDING : CALLOUT_RUNNING;
		CHECK_EQ(callout_core_state(q, &callouts[i]), want);
	}
}

TEST(callout_core_random_against_a_model)
{
	struct test_rng rng = test_rng(test_seed());
	struct callout_queue q;
	uint64_t started = 0, expired = 0, refused = 0;
	ktime now = {1000};
	uint32_t pending_max = 0;
	int running = -1;

	setup(&q);
	for (int round = 0; round < ROUNDS; round++) {
		int i = (int)test_below(&rng, CALLOUTS);
		switch (test_below(&rng, 5)) {
		case 0:
		case 1: {
			ktime at = ktime_add(now, (int64_t)test_below(&rng, 200) - 20);
			model[i].pending = false;
			bool room = model_pending() < CAPACITY;
			CHECK_EQ(callout_core_start(&q, &callouts[i], at), room ? OK : ERR_NOSPC);
			model[i] = (struct model){room, at, (uint64_t)round};
			started += room;
			refused += !room;
			pending_max = max(pending_max, model_pending());
			break;
		}
		case 2:
			CHECK_EQ(callout_core_stop(&q, &callouts[i]), model[i].pending);
			model[i].pending = false;
			break;
		case 3:
			now = ktime_add(now, (int64_t)test_below(&rng, 30));
			break;
		default:
			if (running >= 0) {
				callout_core_done(&q, (int64_t)test_below(&rng, 50));
				running = -1;
				break;
			}
			int first = model_first();
			struct callout *c = callout_core_take(&q, now);
			if (first < 0 || ktime_before(now, model[first].at)) {
				CHECK(c == NULL);
				break;
			}
			CHECK(c == &callouts[first]);
			model[first].pending = false;
			running = first;
			expired++;
		}
		check_state(&q, running);
	}
	CHECK_EQ(q.stats.started, started);
	CHECK_EQ(q.stats.expired, expired);
	CHECK_EQ(q.stats.refused, refused);
	CHECK_EQ(q.stats.pending_max, pending_max);
	CHECK_EQ(q.stats.longest_ns, 49);
	CHECK_EQ(histogram_total(&q.stats.lateness), expired);
}

TEST(callout_core_full)
{
	struct callout_queue q;
	setup(&q);
	for (int i = 0; i < CAPACITY; i++)
		CHECK_EQ(callout_core_start(&q, &callouts[i], (ktime){i}), OK);
	CHECK_EQ(callout_core_start(&q, &callouts[CAPACITY], KTIME_ZERO), ERR_NOSPC);
	CHECK_EQ(callout_core_state(&q, &callouts[CAPACITY]), CALLOUT_IDLE);
	CHECK_EQ(q.stats.refused, 1);
	/* Who has a place may change his instant. */
	CHECK_EQ(callout_core_start(&q, &callouts[0], (ktime){CAPACITY}), OK);
	CHECK_EQ(callout_core_deadline(&q).ns, 1);
	CHECK(callout_core_stop(&q, &callouts[3]));
	CHECK_EQ(callout_core_start(&q, &callouts[CAPACITY], KTIME_ZERO), OK);
	CHECK_EQ(q.stats.pending_max, CAPACITY);
}

TEST(callout_core_instants_at_the_ends)
{
	struct callout_queue q;
	setup(&q);
	CHECK_EQ(callout_core_start(&q, &callouts[0], (ktime){INT64_MIN}), OK);
	CHECK_EQ(callout_core_start(&q, &callouts[1], KTIME_NEVER), OK);
	CHECK(callout_core_take(&q, (ktime){10}) == &callouts[0]);
	CHECK_EQ(q.stats.lateness.max_ns, INT64_MAX);
	callout_core_done(&q, 0);
	CHECK(callout_core_take(&q, (ktime){INT64_MAX - 1}) == NULL);
}

TEST(callout_core_one_at_a_time)
{
	struct callout_queue q;
	setup(&q);
	CHECK_ASSERTS(callout_core_done(&q, 0));
	CHECK_EQ(callout_core_start(&q, &callouts[0], KTIME_ZERO), OK);
	CHECK(callout_core_take(&q, KTIME_ZERO) == &callouts[0]);
	CHECK_ASSERTS(callout_core_take(&q, KTIME_ZERO));
}
