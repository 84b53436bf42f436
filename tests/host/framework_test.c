/* framework_test.c - the host test framework tests itself. */
#include "lib/assert.h"
#include "tests/host/test.h"

TEST(test_rng_repeats_from_its_seed)
{
	struct test_rng a = test_rng(7), b = test_rng(7);

	for (int i = 0; i < 100; i++)
		CHECK_EQ(test_u64(&a), test_u64(&b));
	CHECK(test_below(&a, 10) < 10);
}

TEST(test_expected_assertion_is_caught)
{
	int x = 1;

	CHECK_ASSERTS(assert(x == 2));
}

TEST(test_bytes_compare_with_their_length)
{
	CHECK(test_same(S("abc"), S("abc")));
	CHECK(!test_same(S("abc"), S("abcd")));
	CHECK(test_same(STR_EMPTY, S("")));
}
