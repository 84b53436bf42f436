/* Host tests of lib/crc32c.h: the examples of RFC 3720, B.4, and bit by bit. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/crc32c.h"

TEST(crc32c_known_values)
{
	uint8_t bytes[32];
	CHECK_EQ(crc32c(0, "123456789", 9), 0xe3069283u);
	CHECK_EQ(crc32c(0, NULL, 0), 0u);
	memset(bytes, 0, 32);
	CHECK_EQ(crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, 32);
	CHECK_EQ(crc32c(0, bytes, 32), 0x62a8ab43u);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	CHECK_EQ(crc32c(0, bytes, 32), 0x46dd794eu);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = 31 - i;
	CHECK_EQ(crc32c(0, bytes, 32), 0x113fdb5cu);
}

static uint32_t bit_by_bit(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < 8 * n; i++) {
		uint32_t out = (crc ^ (uint32_t)p[i / 8] >> (i % 8)) & 1;
		crc = crc >> 1 ^ (out ? 0x82f63b78 : 0);
	}
	return ~crc;
}

TEST(crc32c_in_pieces)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t data[300];
	for (int round = 0; round < 2000; round++) {
		size_t n = test_below(&rng, sizeof(data)), cut = test_below(&rng, n + 1);
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)test_u64(&rng);
		CHECK_EQ(crc32c(crc32c(0, data, cut), data + cut, n - cut), bit_by_bit(data, n));
	}
}
