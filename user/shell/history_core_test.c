/* Host tests of history_core.h. */
#include "tests/host/test.h"
#include "user/shell/history_core.h"

static struct history h;

static struct str back(uint32_t n)
{
	struct str line;
	return history_at(&h, n, &line) ? line : S("(none)");
}

TEST(history_gives_the_newest_first)
{
	history_init(&h);
	CHECK_STR(back(1), S("(none)"));
	history_add(&h, S("one"));
	history_add(&h, S("two"));
	CHECK_STR(back(1), S("two"));
	CHECK_STR(back(2), S("one"));
	CHECK_STR(back(3), S("(none)"));
	CHECK_STR(back(0), S("(none)"));
	CHECK_EQ(h.added, 2);
}

TEST(history_leaves_out_what_nobody_wants_back)
{
	static char longest[HISTORY_BYTES / 2];
	history_init(&h);
	history_add(&h, S("one"));
	history_add(&h, S("one"));
	history_add(&h, S(""));
	history_add(&h, S(" hidden"));
	history_add(&h, S("a\nb"));
	memset(longest, 'x', sizeof(longest));
	history_add(&h, str_of(longest, sizeof(longest)));
	CHECK_EQ(h.count, 1);
	history_add(&h, str_of(longest, sizeof(longest) - 1));
	CHECK_EQ(h.count, 2);
}

TEST(history_searches_backwards)
{
	history_init(&h);
	history_add(&h, S("cat a"));
	history_add(&h, S("echo b"));
	history_add(&h, S("cat c"));
	CHECK_EQ(history_search(&h, 1, S("cat")), 1);
	CHECK_EQ(history_search(&h, 2, S("cat")), 3);
	CHECK_EQ(history_search(&h, 4, S("cat")), 0);
	CHECK_EQ(history_search(&h, 1, S("nothing")), 0);
	CHECK_EQ(history_search(&h, 1, S("")), 1);
}

/* Whatever comes, the last lines are there, as many as fit, in order. */
TEST(history_against_a_model)
{
	static char lines[4000][80];
	static size_t lens[4000];
	struct test_rng r = test_rng(test_seed());
	history_init(&h);
	for (size_t n = 0; n < countof(lines); n++) {
		lens[n] = 8 + test_below(&r, 70);
		for (size_t i = 0; i < lens[n]; i++)
			lines[n][i] = (char)('a' + (i < 6 ? n >> 4 * i & 15 : test_below(&r, 20))); /* no two are equal */
		history_add(&h, str_of(lines[n], lens[n]));
		size_t used = 0;
		for (uint32_t b = 1; b <= h.count; b++) {
			CHECK_STR(back(b), str_of(lines[n + 1 - b], lens[n + 1 - b]));
			used += lens[n + 1 - b] + 1;
		}
		CHECK(used == h.len && used <= HISTORY_BYTES);
		if (h.count <= n)
			CHECK(used + lens[n - h.count] + 1 > HISTORY_BYTES - 80);
	}
}
