/* Host tests of lib/list.h: against an array. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/list.h"

struct item {
	int value;
	struct list link;
};

enum { ITEMS = 20 };

static void check_against(const struct list *head, const int *model, size_t n)
{
	size_t i = 0;
	list_for_each(it, head) {
		CHECK(i < n);
		CHECK_EQ(list_entry(it, struct item, link)->value, model[i++]);
		CHECK(it->next->prev == it && it->prev->next == it);
	}
	CHECK_EQ(i, n);
	CHECK_EQ(list_is_empty(head), n == 0);
}

TEST(list_random_changes)
{
	struct test_rng rng = test_rng(test_seed());
	struct item items[ITEMS];
	int model[ITEMS];
	size_t n = 0;
	struct list head = LIST_INIT(head);

	for (int i = 0; i < ITEMS; i++) {
		items[i].value = i;
		list_init(&items[i].link);
	}
	for (int round = 0; round < 20000; round++) {
		int pick = (int)test_below(&rng, ITEMS);
		struct item *it = &items[pick];
		size_t at = 0;
		if (list_is_linked(&it->link)) {
			while (model[at] != pick)
				at++;
			list_remove(&it->link);
			list_remove(&it->link); /* idempotent */
			memmove(&model[at], &model[at + 1], (--n - at) * sizeof(int));
		} else if (test_below(&rng, 2)) {
			list_push_back(&head, &it->link);
			model[n++] = pick;
		} else {
			list_push_front(&head, &it->link);
			memmove(&model[1], &model[0], n++ * sizeof(int));
			model[0] = pick;
		}
		if (n > 0 && test_below(&rng, 10) == 0) {
			CHECK(list_pop_front(&head) == &items[model[0]].link);
			CHECK(!list_is_linked(&items[model[0]].link));
			memmove(&model[0], &model[1], --n * sizeof(int));
		}
		check_against(&head, model, n);
	}
}

TEST(list_pop_of_an_empty_one)
{
	struct list head = LIST_INIT(head);
	CHECK(list_pop_front(&head) == NULL);
}

TEST(list_splice_moves_all)
{
	struct item items[5];
	const int all[] = {0, 1, 2, 3, 4};
	for (size_t split = 0; split <= 5; split++) {
		struct list a = LIST_INIT(a), b = LIST_INIT(b);
		for (int i = 0; i < 5; i++) {
			items[i].value = i;
			list_push_back((size_t)i < split ? &a : &b, &items[i].link);
		}
		list_splice_back(&a, &b);
		check_against(&a, all, 5);
		check_against(&b, all, 0);
	}
}

TEST(list_remove_while_walking)
{
	struct item items[6];
	struct list head = LIST_INIT(head);
	for (int i = 0; i < 6; i++) {
		items[i].value = i;
		list_push_back(&head, &items[i].link);
	}
	list_for_each_safe(it, &head) {
		if (list_entry(it, struct item, link)->value % 2 == 0)
			list_remove(it);
	}
	check_against(&head, (const int[]){1, 3, 5}, 3);
}
