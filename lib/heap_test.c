/* Host tests of lib/heap.h: against a sorted array, invariants checked after every change. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/heap.h"

enum { CAPACITY = 64, NODES = 80 };

static void churn(struct test_rng *rng, uint64_t spread, int rounds)
{
	static struct heap_node nodes[NODES];
	struct heap_node *slots[CAPACITY], *model[CAPACITY + 1];
	struct heap h;
	uint32_t n = 0;

	heap_init(&h, slots, CAPACITY);
	for (int i = 0; i < NODES; i++)
		heap_node_init(&nodes[i]);
	for (int round = 0; round < rounds; round++) {
		struct heap_node *it = &nodes[test_below(rng, NODES)];
		uint32_t i = 0;
		/* Now and then the first, as a timer does. */
		if (n > 0 && test_below(rng, 4) == 0)
			it = heap_first(&h);
		if (heap_is_linked(it)) {
			while (model[i] != it)
				i++;
			heap_remove(&h, it);
			n--;
			memmove(&model[i], &model[i + 1], (n - i) * sizeof(model[0]));
			CHECK(!heap_is_linked(it));
		} else {
			ktime when = {(int64_t)test_below(rng, spread)};
			enum err err = heap_insert(&h, it, when);
			CHECK_EQ(err, n == CAPACITY ? ERR_NOSPC : OK);
			if (err == OK) {
				i = n;
				while (i > 0 && model[i - 1]->when.ns > when.ns)
					i--;
				memmove(&model[i + 1], &model[i], (n - i) * sizeof(model[0]));
				model[i] = it;
				n++;
			}
			CHECK_EQ(heap_is_linked(it), err == OK);
		}
		CHECK(heap_check(&h));
		CHECK_EQ(h.count, n);
		CHECK(heap_first(&h) == (n == 0 ? NULL : model[0]));
		CHECK_EQ(heap_first_time(&h).ns, n == 0 ? INT64_MAX : model[0]->when.ns);
	}
	for (uint32_t i = 0; i < n; i++) {
		CHECK(heap_first(&h) == model[i]);
		heap_remove(&h, model[i]);
		CHECK(heap_check(&h));
	}
	CHECK(heap_first(&h) == NULL);
	CHECK(ktime_is_never(heap_first_time(&h)));
}

TEST(heap_random_changes)
{
	struct test_rng rng = test_rng(test_seed());
	churn(&rng, UINT64_C(1) << 62, 30000);
	churn(&rng, 10, 30000);
	churn(&rng, 1, 10000);
}

TEST(heap_without_room)
{
	struct heap h;
	struct heap_node n;
	heap_init(&h, NULL, 0);
	heap_node_init(&n);
	CHECK_EQ(heap_insert(&h, &n, KTIME_ZERO), ERR_NOSPC);
	CHECK(!heap_is_linked(&n));
	CHECK_ASSERTS(heap_add(&h, &n, KTIME_ZERO));
}

TEST(heap_check_sees_damage)
{
	struct heap h;
	struct heap_node nodes[3], *slots[3];
	heap_init(&h, slots, 3);
	for (int i = 0; i < 3; i++) {
		heap_node_init(&nodes[i]);
		CHECK_EQ(heap_insert(&h, &nodes[i], (ktime){i}), OK);
	}
	CHECK(heap_is_first(&nodes[0]) && !heap_is_first(&nodes[1]));
	nodes[0].when.ns = 5;
	CHECK(!heap_check(&h));
	nodes[0].when.ns = 0;
	CHECK(heap_check(&h));
	nodes[2].index = 1;
	CHECK(!heap_check(&h));
}
