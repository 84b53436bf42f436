/* Host tests of result.h: what goes in comes out, and an error is never OK. */
#include "lib/result.h"
#include "tests/host/test.h"

RESULT(struct str *, str_ptr_result);

static struct u64_result half(uint64_t n)
{
	return n % 2 ? ERR_RESULT(u64_result, ERR_INVAL) : OK_RESULT(u64_result, n / 2);
}

TEST(result_carries_value_or_error)
{
	struct str s = S("x");
	CHECK_EQ(half(UINT64_MAX - 1).value, UINT64_MAX / 2);
	CHECK_EQ(half(UINT64_MAX - 1).err, OK);
	CHECK_EQ(half(3).err, ERR_INVAL);
	CHECK(OK_RESULT(str_ptr_result, &s).value == &s);
	CHECK_EQ(OK_RESULT(i64_result, INT64_MIN).value, INT64_MIN);
	CHECK_EQ(OK_RESULT(size_result, 0).err, OK);
}

TEST(result_of_an_error_has_no_value_left_over)
{
	CHECK_EQ(ERR_RESULT(u64_result, ERR_NOMEM).value, 0);
	CHECK(ERR_RESULT(ptr_result, ERR_NOMEM).value == NULL);
	static_assert(sizeof(struct u64_result) == 16, "two registers");
}
