/* Host tests of lib/bitmap.h: against an array of bools. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/bitmap.h"

TEST(bits_of_one_word)
{
	CHECK_EQ(bits_highest(0), -1);
	CHECK_EQ(bits_lowest(0), -1);
	for (int i = 0; i < 64; i++) {
		CHECK_EQ(bits_highest(bits_one((unsigned)i)), i);
		CHECK_EQ(bits_lowest(bits_one((unsigned)i)), i);
		CHECK_EQ(bits_highest(bits_one((unsigned)i) | 1), i);
		CHECK_EQ(bits_lowest(bits_one((unsigned)i) | bits_one(63)), i);
	}
}

TEST(bits_pow2_up_rounds_up)
{
	CHECK_EQ(bits_pow2_up(0), 1u);
	CHECK_EQ(bits_pow2_up(1), 1u);
	CHECK_EQ(bits_pow2_up(2), 2u);
	CHECK_EQ(bits_pow2_up(3), 4u);
	CHECK_EQ(bits_pow2_up(4096), 4096u);
	CHECK_EQ(bits_pow2_up(4097), 8192u);
	CHECK_EQ(bits_pow2_up((UINT64_C(1) << 62) + 1), UINT64_C(1) << 63);
	CHECK_EQ(bits_pow2_up(UINT64_C(1) << 63), UINT64_C(1) << 63);
}

enum { BITS = 200 };

static size_t model_find(const bool *model, size_t n, size_t from, bool value)
{
	while (from < n && model[from] != value)
		from++;
	return min(from, n);
}

static size_t model_find_clear_range(const bool *model, size_t n, size_t count)
{
	for (size_t from = 0; from + count <= n; from++) {
		if (model_find(model, from + count, from, true) == from + count)
			return from;
	}
	return n;
}

TEST(bitmap_agrees_with_bools)
{
	struct test_rng rng = test_rng(test_seed());
	uint64_t map[BITMAP_WORDS(BITS)] = {0};
	bool model[BITS] = {false};

	for (int round = 0; round < 50000; round++) {
		size_t from = test_below(&rng, BITS);
		size_t count = test_below(&rng, (BITS - from) / (1 + test_below(&rng, 8)) + 1);
		switch (test_below(&rng, 4)) {
		case 0:
			bitmap_set(map, from);
			model[from] = true;
			break;
		case 1:
			bitmap_clear(map, from);
			model[from] = false;
			break;
		case 2:
			bitmap_set_range(map, from, count);
			memset(model + from, true, count);
			break;
		default:
			bitmap_clear_range(map, from, count);
			memset(model + from, false, count);
			break;
		}
		/* A shorter map over the same words: what lies beyond n does not count. */
		size_t n = test_below(&rng, BITS + 1), set = 0;
		for (size_t i = 0; i < BITS; i++) {
			CHECK_EQ(bitmap_test(map, i), model[i]);
			set += i < n && model[i];
		}
		from = test_below(&rng, BITS + 1);
		count = 1 + test_below(&rng, 70);
		CHECK_EQ(bitmap_count(map, n), set);
		CHECK_EQ(bitmap_find_set(map, n, from), model_find(model, n, from, true));
		CHECK_EQ(bitmap_find_clear(map, n, from), model_find(model, n, from, false));
		CHECK_EQ(bitmap_find_clear_range(map, n, count),
			model_find_clear_range(model, n, count));
	}
}
