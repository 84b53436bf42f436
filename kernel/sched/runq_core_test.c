/* Host tests of runq_core.c: every operation against a plain model. */
#include "kernel/sched/runq_core.h"
#include "tests/host/test.h"

#define NODES 24

static struct runq_node node(uint64_t rank)
{
	struct runq_node n = {.rank = rank};
	runq_node_init(&n);
	return n;
}

TEST(runq_best_is_the_head_of_the_highest_priority)
{
	struct runq q;
	struct runq_node a = node(rank_of_priority(5)), b = a, c = node(rank_of_priority(63));
	struct runq_node soon = node(1000), later = node(2000);
	runq_init(&q);
	runq_push_back(&q, &a);
	runq_push_back(&q, &b);
	CHECK(runq_best(&q) == &a);
	CHECK(runq_has_equal(&a));
	CHECK(runq_rotate(&q, &a) == &b);
	CHECK(runq_best(&q) == &b);
	runq_push_front(&q, &c);
	CHECK(runq_best(&q) == &c);
	CHECK(runq_outranks(&q, rank_of_priority(62)));
	CHECK(!runq_outranks(&q, rank_of_priority(63)));
	runq_push_back(&q, &later);
	CHECK(runq_best(&q) == &later);
	CHECK(!runq_has_equal(&later));
	CHECK(runq_outranks(&q, rank_of_priority(63)));
	CHECK(!runq_outranks(&q, 2000));
	runq_push_back(&q, &soon);
	CHECK(runq_best(&q) == &soon);
	CHECK(runq_outranks(&q, 2000));
	CHECK(!runq_outranks(&q, 1000));
	CHECK(runq_check(&q));
	runq_remove(&q, &soon);
	runq_remove(&q, &later);
	runq_remove(&q, &c);
	CHECK(runq_outranks(&q, rank_of_priority(4)));
	CHECK(!runq_outranks(&q, rank_of_priority(5)));
	CHECK(runq_check(&q));
}

TEST(runq_offers_only_what_waits_and_may_move)
{
	struct runq q;
	struct runq_node pinned = node(rank_of_priority(9)), free = node(rank_of_priority(7)), equal = free;
	struct runq_node boosted = node(5000);
	uint64_t seven = rank_of_priority(7);
	runq_init(&q);
	runq_set_affinity(&pinned, 1);
	runq_set_affinity(&free, 5);
	runq_set_affinity(&equal, 6);
	runq_push_back(&q, &pinned);
	CHECK_EQ(runq_waiting_rank(&q, &pinned), RANK_NONE);
	runq_push_back(&q, &free);
	CHECK_EQ(runq_waiting_rank(&q, &pinned), seven);
	CHECK(runq_find_movable(&q, &pinned, 2, 0, RANK_NONE) == &free);
	CHECK(runq_find_movable(&q, &pinned, 1, 0, RANK_NONE) == NULL);
	CHECK(runq_find_movable(&q, &pinned, 2, 0, seven) == NULL);
	CHECK(runq_first_movable(&q, &pinned, seven) == &free);
	free.domain = 3;
	CHECK(runq_find_movable(&q, &pinned, 2, 1 << 3, RANK_NONE) == NULL);
	CHECK(runq_find_movable(&q, &pinned, 2, 1 << 2, RANK_NONE) == &free);
	CHECK_EQ(runq_waiting_rank(&q, &free), RANK_NONE);
	CHECK(runq_find_movable(&q, &free, 2, 0, RANK_NONE) == NULL);
	CHECK(runq_first_movable(&q, &free, seven) == NULL);
	runq_push_back(&q, &equal);
	CHECK_EQ(runq_waiting_rank(&q, &free), seven);
	CHECK(runq_first_movable(&q, &free, seven) == &equal);
	CHECK(runq_check(&q));
	runq_set_affinity(&boosted, 3);
	runq_push_back(&q, &boosted);
	CHECK_EQ(runq_waiting_rank(&q, &pinned), 5000);
	CHECK_EQ(runq_waiting_rank(&q, &boosted), seven);
	CHECK(runq_find_movable(&q, &pinned, 1, 0, RANK_NONE) == &boosted);
	CHECK(runq_find_movable(&q, &pinned, 2, 0, RANK_NONE) == &free);
	CHECK(runq_find_movable(&q, &pinned, 1, 0, 5000) == NULL);
	CHECK(runq_first_movable(&q, &pinned, 5000) == &boosted);
	CHECK(runq_first_movable(&q, &boosted, 5000) == NULL);
	CHECK(runq_check(&q));
	runq_remove(&q, &boosted);
	runq_remove(&q, &equal);
	runq_remove(&q, &free);
	CHECK_EQ(runq_waiting_rank(&q, &pinned), RANK_NONE);
	CHECK(runq_check(&q));
}

/* The model: an order number for each queued node; the best has the least rank, then the least number. */
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
		if (best < 0 || n[i].rank < n[best].rank ||
			(n[i].rank == n[best].rank && m->order[i] < m->order[best]))
			best = i;
	}
	return best;
}

TEST(runq_agrees_with_a_model)
{
	struct test_rng rng = test_rng(test_seed());
	struct runq q;
	struct runq_node n[NODES];
	struct model m = {0};
	runq_init(&q);
	q.rare = RUNQ_PEERS;
	for (int i = 0; i < NODES; i++)
		n[i] = node(0);
	for (int step = 0; step < 200000; step++) {
		int i = (int)test_below(&rng, NODES), best = model_best(&m, n);
		if (m.queued[i] && i == best && runq_has_equal(&n[i]) && test_below(&rng, 2)) {
			runq_rotate(&q, &n[i]);
			m.order[i] = ++m.last;
		} else if (m.queued[i]) {
			runq_remove(&q, &n[i]);
			m.queued[i] = false;
		} else {
			n[i].rank = rank_of_priority((unsigned)test_below(&rng, 4) * 21);
			if (test_below(&rng, 3) == 0)
				n[i].rank = test_below(&rng, 10);
			runq_set_affinity(&n[i], test_u64(&rng) & 15);
			bool front = !rank_is_deadline(n[i].rank) && test_below(&rng, 2);
			m.queued[i] = true;
			m.order[i] = front ? --m.first : ++m.last;
			(front ? runq_push_front : runq_push_back)(&q, &n[i]);
		}
		best = model_best(&m, n);
		CHECK(best < 0 ? q.ready == 0 : runq_best(&q) == &n[best]);
		CHECK(runq_check(&q));
		const struct runq_node *running = &n[test_below(&rng, NODES)];
		if (!running->queued)
			continue;
		uint64_t waiting = RANK_NONE;
		for (int k = 0; k < NODES; k++)
			if (m.queued[k] && &n[k] != running && __builtin_popcountll(n[k].affinity) > 1)
				waiting = min(waiting, n[k].rank);
		CHECK_EQ(runq_waiting_rank(&q, running), waiting);
	}
}

/* What never leaves, as an idle thread, is in place 0. */
TEST(runq_plain_agrees_with_a_model)
{
	struct test_rng rng = test_rng(test_seed());
	struct runq q;
	struct runq_node n[NODES];
	struct model m = {.queued[0] = true};
	runq_init(&q);
	for (int i = 0; i < NODES; i++) {
		n[i] = node(rank_of_priority(0));
		runq_set_affinity(&n[i], 1);
	}
	runq_push_plain(&q, &n[0]);
	for (int step = 0; step < 200000; step++) {
		int i = 1 + (int)test_below(&rng, NODES - 1);
		bool leaves = m.queued[i];
		const struct runq_node *best = NULL;
		if (leaves) /* the first of those with its priority */
			i = (int)(runq_level_first(&q, rank_level(n[i].rank)) - n);
		if (i == 0)
			continue;
		m.queued[i] = !leaves;
		m.order[i] = ++m.last;
		if (leaves) {
			best = runq_leave_plain(&q, &n[i]);
		} else {
			n[i].rank = rank_of_priority((unsigned)test_below(&rng, 4) * 21);
			runq_push_plain(&q, &n[i]);
		}
		CHECK(!leaves || best == &n[model_best(&m, n)]);
		CHECK(runq_best(&q) == &n[model_best(&m, n)]);
		CHECK(runq_check(&q));
	}
}

/* As many as there may be threads, each with a deadline that somebody lends to it. */
TEST(runq_has_a_place_for_every_thread)
{
	static struct runq q;
	static struct runq_node n[CONFIG_THREAD_MAX];
	runq_init(&q);
	q.rare = RUNQ_PEERS;
	for (size_t i = 0; i < countof(n); i++) {
		n[i] = node(rank_of_deadline((ktime){(int64_t)(i * 7919 % countof(n))}));
		runq_push_back(&q, &n[i]);
	}
	CHECK_EQ(q.ready, countof(n));
	CHECK(runq_check(&q));
	CHECK_EQ(runq_best(&q)->rank, 0);
}
