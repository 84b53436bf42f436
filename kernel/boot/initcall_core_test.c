/* initcall_core_test.c - the order of init functions. */
#include "kernel/boot/initcall_core.h"
#include <stdio.h>
#include "tests/host/test.h"

static struct initcall_order order;

TEST(initcall_runs_needs_first)
{
	const struct initcall table[] = {{.name = "web", .needs = {"tcp", "vfs"}},
		{.name = "tcp", .needs = {"mm"}}, {.name = "vfs", .needs = {"mm"}}, {.name = "mm"}};
	initcall_sort(table, 4, &order);
	CHECK_EQ(order.err, OK);
	CHECK_EQ(order.count, 4);
	CHECK_EQ(order.index[0], 3);
	CHECK_EQ(order.index[1], 1);
	CHECK_EQ(order.index[2], 2);
	CHECK_EQ(order.index[3], 0);
}

TEST(initcall_names_what_is_missing)
{
	const struct initcall table[] = {{.name = "a"}, {.name = "b", .needs = {"a", "gone"}}};
	initcall_sort(table, 2, &order);
	CHECK_EQ(order.err, ERR_NOENT);
	CHECK(str_eq(order.who, S("b")));
	CHECK(str_eq(order.need, S("gone")));
}

TEST(initcall_names_two_on_a_circle)
{
	const struct initcall table[] = {{.name = "x", .needs = {"a"}}, {.name = "a", .needs = {"b"}},
		{.name = "b", .needs = {"c"}}, {.name = "c", .needs = {"a"}}};
	initcall_sort(table, 4, &order);
	CHECK_EQ(order.err, ERR_DEADLK);
	CHECK(!str_eq(order.who, S("x")));
	CHECK(!str_eq(order.need, S("x")));
}

TEST(initcall_refuses_two_of_one_name)
{
	const struct initcall table[] = {{.name = "a"}, {.name = "a"}};
	initcall_sort(table, 2, &order);
	CHECK_EQ(order.err, ERR_EXIST);
	CHECK(str_eq(order.who, S("a")));
}

TEST(initcall_takes_none_and_refuses_too_many)
{
	initcall_sort(NULL, 0, &order);
	CHECK_EQ(order.err, OK);
	CHECK_EQ(order.count, 0);
	initcall_sort(NULL, INITCALL_MAX + 1, &order);
	CHECK_EQ(order.err, ERR_RANGE);
}

/* Any graph whose edges go to lower numbers sorts, and every need stands before its user. */
TEST(initcall_sorts_random_graphs)
{
	struct test_rng rng = test_rng(test_seed());
	static char names[INITCALL_MAX][8];
	struct initcall table[INITCALL_MAX];
	for (unsigned round = 0; round < 200; round++) {
		size_t count = 1 + test_below(&rng, INITCALL_MAX), place[INITCALL_MAX];
		memset(table, 0, sizeof(table));
		for (size_t i = 0; i < count; i++) {
			snprintf(names[i], sizeof(names[i]), "n%zu", i * 37 % INITCALL_MAX);
			table[i].name = names[i];
			for (size_t n = 0; i > 0 && n < test_below(&rng, 4); n++)
				table[i].needs[n] = names[test_below(&rng, i)];
		}
		initcall_sort(table, count, &order);
		CHECK_EQ(order.err, OK);
		CHECK_EQ(order.count, count);
		for (size_t i = 0; i < count; i++)
			place[order.index[i]] = i;
		for (size_t i = 0; i < count; i++)
			for (size_t n = 0; table[i].needs[n]; n++)
				for (size_t j = 0; j < count; j++)
					if (table[j].name == table[i].needs[n])
						CHECK(place[j] < place[i]);
	}
}
