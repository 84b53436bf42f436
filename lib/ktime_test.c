/* Host tests of lib/ktime.h: what happens at the end of time. */
#include "tests/host/test.h"
#include "lib/ktime.h"

TEST(ktime_never_stays)
{
	CHECK(ktime_is_never(ktime_add(KTIME_NEVER, 1)));
	CHECK(ktime_is_never(ktime_add(KTIME_NEVER, -1)));
	CHECK(ktime_is_never(ktime_add((ktime){INT64_MAX - 1}, 2)));
	CHECK(!ktime_is_never(ktime_add((ktime){INT64_MAX - 2}, 1)));
}

TEST(ktime_arithmetic)
{
	CHECK_EQ(ktime_add((ktime){5}, -7).ns, -2);
	CHECK_EQ(ktime_diff((ktime){5}, (ktime){7}), -2);
	CHECK(ktime_before(KTIME_ZERO, KTIME_NEVER));
	CHECK(!ktime_before(KTIME_ZERO, KTIME_ZERO));
	CHECK_EQ(ktime_min((ktime){1}, (ktime){2}).ns, 1);
	CHECK_EQ(ktime_max((ktime){1}, KTIME_NEVER).ns, INT64_MAX);
}
