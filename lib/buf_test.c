/* Host tests of lib/buf.c. */
#include "tests/host/test.h"
#include "lib/buf.h"

TEST(rbuf_slice_clamps)
{
	struct rbuf r = rbuf_of("abcdef", 6);
	CHECK(str_eq(rbuf_str(rbuf_slice(r, 2, 4)), S("cd")));
	CHECK(str_eq(rbuf_str(rbuf_slice(r, 4, 100)), S("ef")));
	CHECK_EQ(rbuf_slice(r, 9, 100).len, 0u);
	CHECK_EQ(rbuf_slice(r, 3, 1).len, 0u);
	CHECK_EQ(rbuf_slice((struct rbuf){0}, 1, 2).len, 0u);
}

TEST(abuf_append_that_does_not_fit_appends_nothing)
{
	uint8_t bytes[6] = {0};
	struct abuf a = abuf_of(bytes, 5);
	abuf_str_add(&a, S("abc"));
	CHECK_EQ(abuf_room(&a), 2u);
	CHECK(abuf_ok(&a));
	abuf_str_add(&a, S("def"));
	CHECK(!abuf_ok(&a));
	CHECK(str_eq(abuf_str(&a), S("abc")));
	/* No gaps: what would fit is not taken any more. */
	abuf_char_add(&a, 'x');
	abuf_str_add(&a, S("y"));
	CHECK(str_eq(abuf_str(&a), S("abc")));
	abuf_reset(&a);
	abuf_str_add(&a, S("12345"));
	CHECK(abuf_ok(&a));
	CHECK_EQ(abuf_room(&a), 0u);
	abuf_str_add(&a, STR_EMPTY);
	CHECK(abuf_ok(&a));
	abuf_char_add(&a, '6');
	CHECK(!abuf_ok(&a));
	CHECK_EQ(bytes[5], 0);
}

TEST(abuf_without_memory)
{
	struct abuf a = abuf_of(NULL, 0);
	abuf_bytes_add(&a, NULL, 0);
	CHECK(abuf_ok(&a));
	abuf_char_add(&a, 'x');
	CHECK(!abuf_ok(&a));
	CHECK_EQ(abuf_bytes(&a).len, 0u);
}
