/* Host tests of unaligned.h: every width and order at every offset, byte by byte. */
#include "lib/unaligned.h"
#include "tests/host/test.h"

#define OFFSETS 16

/* The number that n bytes from p on spell, the first one the most significant if `big`. */
static uint64_t spelled(const uint8_t *p, size_t n, bool big)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[big ? i : n - 1 - i];
	return v;
}

TEST(unaligned_loads_what_the_bytes_spell)
{
	uint8_t bytes[OFFSETS + 8];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0x81 + 37 * i);
	for (size_t at = 0; at < OFFSETS; at++) {
		const uint8_t *p = bytes + at;
		CHECK_EQ(load_le16(p), spelled(p, 2, false));
		CHECK_EQ(load_le32(p), spelled(p, 4, false));
		CHECK_EQ(load_le64(p), spelled(p, 8, false));
		CHECK_EQ(load_be16(p), spelled(p, 2, true));
		CHECK_EQ(load_be32(p), spelled(p, 4, true));
		CHECK_EQ(load_be64(p), spelled(p, 8, true));
		CHECK_EQ(load_u64(p), load_le64(p));
	}
}

#define CHECK_STORE(bits, value)                                                                   \
	do {                                                                                       \
		uint8_t bytes[OFFSETS + 10] = {0};                                                 \
		store_le##bits(bytes + 1 + at, (uint##bits##_t)(value));                           \
		CHECK_EQ(spelled(bytes + 1 + at, bits / 8, false), (uint##bits##_t)(value));       \
		CHECK(bytes[at] == 0 && bytes[1 + at + bits / 8] == 0);                            \
		store_be##bits(bytes + 1 + at, (uint##bits##_t)(value));                           \
		CHECK_EQ(spelled(bytes + 1 + at, bits / 8, true), (uint##bits##_t)(value));        \
		CHECK(bytes[at] == 0 && bytes[1 + at + bits / 8] == 0);                            \
	} while (0)

TEST(unaligned_stores_its_bytes_and_no_others)
{
	for (size_t at = 0; at < OFFSETS; at++) {
		CHECK_STORE(16, 0x8123456789abcdef);
		CHECK_STORE(32, 0x8123456789abcdef);
		CHECK_STORE(64, 0x8123456789abcdef);
	}
}
