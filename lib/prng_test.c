/* Host tests of lib/prng.h. */
#include "tests/host/test.h"
#include "lib/prng.h"

/* From an independent implementation. */
TEST(prng_known_sequence)
{
	static const uint64_t expected[] = {
		0xbe6a36374160d49b, 0x214aaa0637a688c6, 0xf69d16de9954d388, 0xc60048c4e96e033};
	struct prng r = prng_of(12345);
	for (size_t i = 0; i < countof(expected); i++)
		CHECK_EQ(prng_u64(&r), expected[i]);
}

TEST(prng_below_is_in_range_and_even)
{
	struct prng r = prng_of(test_seed());
	unsigned seen[10] = {0};
	for (int i = 0; i < 100000; i++)
		seen[prng_below(&r, 10)]++;
	/* 10000 expected, sigma 95: six sigmas. */
	for (int i = 0; i < 10; i++)
		CHECK(seen[i] > 9430 && seen[i] < 10570);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(prng_below(&r, 1), 0u);
		CHECK(prng_below(&r, UINT64_MAX) < UINT64_MAX);
		CHECK(prng_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
	}
}
