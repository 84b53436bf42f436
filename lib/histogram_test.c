/* Host tests of lib/histogram.h. */
#include "tests/host/test.h"
#include "lib/histogram.h"

TEST(histogram_buckets_end_where_they_say)
{
	CHECK_EQ(histogram_bucket(INT64_MIN), 0);
	CHECK_EQ(histogram_bucket(-1), 0);
	CHECK_EQ(histogram_bucket(0), 0);
	CHECK_EQ(histogram_le_ns(0), 127);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		CHECK_EQ(histogram_bucket(histogram_le_ns(i)), i);
		CHECK_EQ(histogram_bucket(histogram_le_ns(i) + 1), i + 1);
	}
	CHECK_EQ(histogram_bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
	CHECK_EQ(histogram_le_ns(HISTOGRAM_BUCKETS - 1), INT64_MAX);
}

/* Each length goes to the first bucket that does not end before it, by a plain search. */
TEST(histogram_counts_like_a_plain_search)
{
	struct test_rng rng = test_rng(test_seed());
	struct histogram h = {0}, shared = {0}, sum = {0};
	uint64_t model[HISTOGRAM_BUCKETS] = {0};
	int64_t longest = 0;
	for (uint64_t n = 1; n <= 20000; n++) {
		int64_t ns = (int64_t)(test_u64(&rng) >> test_below(&rng, 64) >> 1);
		uint32_t i = 0;
		while (ns > histogram_le_ns(i))
			i++;
		model[i]++;
		histogram_add(&h, ns);
		CHECK_EQ(histogram_add_shared(&shared, ns), ns > longest);
		longest = max(longest, ns);
		CHECK_EQ(histogram_total(&h), n);
	}
	histogram_merge(&sum, &h);
	histogram_merge(&sum, &shared);
	CHECK_EQ(sum.max_ns, longest);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		CHECK_EQ(h.count[i], model[i]);
		CHECK_EQ(shared.count[i], model[i]);
		CHECK_EQ(sum.count[i], 2 * model[i]);
	}
}
