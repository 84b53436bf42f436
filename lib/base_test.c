/* Host tests of lib/base.h. */
#include "tests/host/test.h"
#include "lib/base.h"

TEST(base_min_and_max_nest_and_evaluate_once)
{
	int calls = 0;
	CHECK_EQ(min(3, min(1, 2)), 1);
	CHECK_EQ(max(min(5, 4), max(1, 2)), 4);
	CHECK_EQ(min(++calls, 10), 1);
	CHECK_EQ(calls, 1);
}

TEST(base_alignment)
{
	CHECK_EQ(align_up(0ul, 8), 0);
	CHECK_EQ(align_up(1ul, 8), 8);
	CHECK_EQ(align_up(8ul, 8), 8);
	CHECK_EQ(align_down(15ul, 8), 8);
	/* The mask is as wide as the value. */
	CHECK_EQ(align_up(UINT64_C(0x8000000001), 4096), UINT64_C(0x8000001000));
	CHECK(is_pow2(1) && is_pow2(4096) && !is_pow2(0) && !is_pow2(6));
	CHECK_EQ(div_up(0, 4), 0);
	CHECK_EQ(div_up(5, 4), 2);
}

TEST(base_container_of)
{
	struct {
		int before;
		int member;
	} outer;
	CHECK(container_of(&outer.member, __typeof__(outer), member) == &outer);
}
