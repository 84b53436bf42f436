/* Host tests of lib/rbtree.h: against a sorted array, invariants checked after every change. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/rbtree.h"

struct item {
	int key;
	struct rb_node node;
};

enum { ITEMS = 200 };

static bool item_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct item, node)->key < rb_entry(b, struct item, node)->key;
}

/* The queue's content in order, as far as it fits; its length. */
static size_t contents(const struct rb_queue *q, struct item *out[ITEMS])
{
	size_t n = 0;
	for (struct rb_node *at = rb_first(&q->root); at != NULL && n < ITEMS; at = rb_next(at))
		out[n++] = rb_entry(at, struct item, node);
	return n;
}

static void check_against(const struct rb_queue *q, struct item *const *model, size_t n)
{
	struct item *real[ITEMS];
	CHECK(rb_queue_check(q, item_before));
	CHECK_EQ(contents(q, real), n);
	CHECK(memcmp(real, model, n * sizeof(real[0])) == 0);
	CHECK_EQ(rb_queue_is_empty(q), n == 0);
	CHECK_EQ(rb_is_empty(&q->root), n == 0);
	CHECK(rb_queue_first(q) == (n == 0 ? NULL : &model[0]->node));
	const struct rb_node *at = rb_last(&q->root);
	for (size_t i = n; i > 0; i--, at = rb_prev(at))
		CHECK(at == &model[i - 1]->node);
	CHECK(at == NULL);
}

/* Keys below `spread`, so that a small one makes many equals. */
static void churn(struct test_rng *rng, uint64_t spread, int rounds)
{
	static struct item items[ITEMS];
	struct item *model[ITEMS];
	size_t n = 0;
	struct rb_queue q = RB_QUEUE;

	for (size_t i = 0; i < ITEMS; i++)
		rb_node_init(&items[i].node);
	for (int round = 0; round < rounds; round++) {
		struct item *it = &items[test_below(rng, ITEMS)];
		if (rb_is_linked(&it->node)) {
			size_t i = 0;
			while (model[i] != it)
				i++;
			memmove(&model[i], &model[i + 1], (n - i - 1) * sizeof(model[0]));
			n--;
			rb_queue_remove(&q, &it->node);
			CHECK(!rb_is_linked(&it->node));
		} else {
			it->key = (int)test_below(rng, spread);
			size_t i = n;
			while (i > 0 && model[i - 1]->key > it->key)
				i--;
			memmove(&model[i + 1], &model[i], (n - i) * sizeof(model[0]));
			model[i] = it;
			n++;
			CHECK_EQ(rb_queue_insert(&q, &it->node, item_before), i == 0);
			CHECK(rb_is_linked(&it->node));
		}
		check_against(&q, model, n);
	}
	while (!rb_queue_is_empty(&q)) {
		CHECK(rb_queue_first(&q) == &model[0]->node);
		rb_queue_remove(&q, rb_queue_first(&q));
		memmove(&model[0], &model[1], --n * sizeof(model[0]));
		check_against(&q, model, n);
	}
}

TEST(rbtree_random_changes)
{
	struct test_rng rng = test_rng(test_seed());
	churn(&rng, 1000000, 5000);
	churn(&rng, 20, 5000);
	churn(&rng, 1, 2000);
}

TEST(rbtree_ascending_and_descending)
{
	static struct item items[ITEMS];
	for (int direction = 0; direction < 2; direction++) {
		struct rb_root root = RB_ROOT;
		CHECK(rb_first(&root) == NULL && rb_last(&root) == NULL);
		for (int i = 0; i < ITEMS; i++) {
			items[i].key = direction ? i : -i;
			CHECK_EQ(rb_insert(&root, &items[i].node, item_before),
				i == 0 || !direction);
			CHECK(rb_check(&root, item_before));
		}
		for (int i = 0; i < ITEMS; i += 2) {
			rb_remove(&root, &items[i].node);
			CHECK(rb_check(&root, item_before));
		}
		for (int i = ITEMS - 1; i > 0; i -= 2) {
			rb_remove(&root, &items[i].node);
			CHECK(rb_check(&root, item_before));
		}
		CHECK(rb_is_empty(&root));
	}
}

TEST(rbtree_check_sees_damage)
{
	static struct item items[7];
	struct rb_root root = RB_ROOT;
	for (int i = 0; i < 7; i++) {
		items[i].key = i;
		rb_insert(&root, &items[i].node, item_before);
	}
	CHECK(rb_check(&root, item_before));
	items[3].key = 100;
	CHECK(!rb_check(&root, item_before));
	items[3].key = 3;
	root.top->red = true;
	CHECK(!rb_check(&root, item_before));
	root.top->red = false;
	rb_first(&root)->red = !rb_first(&root)->red;
	CHECK(!rb_check(&root, item_before));
}
