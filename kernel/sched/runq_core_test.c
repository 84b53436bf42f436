/* Host tests of runq_core.c: every operation against a plain model. */
#include "kernel/sched/runq_core.h"
#include "tests/host/test.h"

#define NODES 24

TEST(runq_best_is_the_head_of_the_highest_priority)
{
	struct runq q;
	struct runq_node a = {.priority = 5}, b = a, c = a;
	c.priority = 63;
	runq_init(&q);
	runq_push_back(&q, &a);
	runq_push_back(&q, &b);
	CHECK(runq_best(&q) == &a);
	CHECK(runq_has_equal(&a));
	CHECK(runq_rotate(&a) == &b);
	CHECK(runq_best(&q) == &b);
	runq_push_front(&q, &c);
	CHECK(runq_best(&q) == &c);
	CHECK(runq_outranks(&q, 62));
	CHECK(!runq_outranks(&q, 63));
	runq_remove(&q, &c);
	CHECK(runq_outranks(&q, 4));
	CHECK(!runq_outranks(&q, 5));
	CHECK(runq_check(&q));
}

TEST(runq_offers_only_what_waits_and_may_move)
{
	struct runq q;
	struct runq_node pinned = {.priority = 9}, free = {.priority = 7}, equal = free;
	runq_init(&q);
	runq_set_affinity(&pinned, 1);
	runq_set_affinity(&free, 5);
	runq_set_affinity(&equal, 6);
	runq_push_back(&q, &pinned);
	CHECK_EQ(runq_waiting_priority(&q, &pinned), -1);
	runq_push_back(&q, &free);
	CHECK_EQ(runq_waiting_priority(&q, &pinned), 7);
	CHECK(runq_find_movable(&q, &pinned, 2, -1) == &free);
	CHECK(runq_find_movable(&q, &pinned, 1, -1) == NULL);
	CHECK(runq_find_movable(&q, &pinned, 2, 7) == NULL);
	CHECK(runq_first_movable(&q, &pinned, 7) == &free);
	CHECK_EQ(runq_waiting_priority(&q, &free), -1);
	CHECK(runq_find_movable(&q, &free, 2, -1) == NULL);
	CHECK(runq_first_movable(&q, &free, 7) == NULL);
	runq_push_back(&q, &equal);
	CHECK_EQ(runq_waiting_priority(&q, &free), 7);
	CHECK(runq_first_movable(&q, &free, 7) == &equal);
	CHECK(runq_check(&q));
	runq_remove(&q, &equal);
	runq_remove(&q, &free);
	CHECK_EQ(runq_waiting_priority(&q, &pinned), -1);
	CHECK(runq_check(&q));
}

/* The model: an order number for each queued node; the best has the highest priority, then the least number. */
struct model {
	int64_t order[NODES];
	bool queued[NODES];
	int64_t first, last;
};

static int model_best(const struct model *m, const struct runq_node *n)
{
	int best = -1;
	for (int i = 0; i < NODES; i++) {
		if (!m->queued[i])
			continue;
		if (best < 0 || n[i].priority > n[best].priority ||
			(n[i].priority == n[best].priority && m->order[i] < m->order[best]))
			best = i;
	}
	return best;
}

TEST(runq_agrees_with_a_model)
{
	struct test_rng rng = test_rng(test_seed());
	struct runq q;
	struct runq_node n[NODES] = {0};
	struct model m = {0};
	runq_init(&q);
	for (int step = 0; step < 200000; step++) {
		int i = (int)test_below(&rng, NODES), best = model_best(&m, n);
		if (m.queued[i] && i == best && runq_has_equal(&n[i]) && test_below(&rng, 2)) {
			runq_rotate(&n[i]);
			m.order[i] = ++m.last;
		} else if (m.queued[i]) {
			runq_remove(&q, &n[i]);
			m.queued[i] = false;
		} else {
			n[i].priority = (uint8_t)test_below(&rng, 4) * 21;
			runq_set_affinity(&n[i], test_u64(&rng) & 15);
			bool front = test_below(&rng, 2);
			m.queued[i] = true;
			m.order[i] = front ? --m.first : ++m.last;
			(front ? runq_push_front : runq_push_back)(&q, &n[i]);
		}
		best = model_best(&m, n);
		CHECK(best < 0 ? q.occupied == 0 : runq_best(&q) == &n[best]);
		CHECK(runq_check(&q));
		const struct runq_node *running = &n[test_below(&rng, NODES)];
		if (!running->queued)
			continue;
		int waiting = -1;
		for (int k = 0; k < NODES; k++)
			if (m.queued[k] && &n[k] != running && __builtin_popcountll(n[k].affinity) > 1)
				waiting = max(waiting, (int)n[k].priority);
		CHECK_EQ(runq_waiting_priority(&q, running), waiting);
	}
}
