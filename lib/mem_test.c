/* Host tests of lib/mem.c: every small size and alignment, then random ones, against bytes. */
#include <stdlib.h>
#include <string.h>
#include "tests/host/test.h"
#include "lib/mem.h"
#include "lib/unaligned.h"

enum { AREA = 512 };

static void fill(struct test_rng *rng, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)test_u64(rng);
}

static void check_move(const uint8_t *area, size_t to, size_t from, size_t n)
{
	uint8_t model[AREA], real[AREA];

	memcpy(model, area, AREA);
	memcpy(real, area, AREA);
	for (size_t i = 0; i < n; i++)
		model[to + i] = area[from + i];
	CHECK(mem_move(real + to, real + from, n) == real + to);
	CHECK(memcmp(model, real, AREA) == 0);
	if (to + n <= from || from + n <= to) {
		memcpy(real, area, AREA);
		CHECK(mem_copy(real + to, real + from, n) == real + to);
		CHECK(memcmp(model, real, AREA) == 0);
	}
}

TEST(mem_copy_and_move_every_small_case)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t area[AREA];
	fill(&rng, area, AREA);
	for (size_t n = 0; n <= 100; n++) {
		for (size_t to = 0; to < 9; to++) {
			for (size_t from = 0; from < 9; from++) {
				check_move(area, to, from, n);
				check_move(area, 200 + to, from, n);
				check_move(area, to, 200 + from, n);
			}
		}
	}
}

TEST(mem_move_random_overlaps)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t area[AREA];
	fill(&rng, area, AREA);
	for (int round = 0; round < 50000; round++) {
		size_t n = test_below(&rng, AREA);
		check_move(area, test_below(&rng, AREA - n), test_below(&rng, AREA - n), n);
	}
}

/* Blocks of the exact size from the heap: the sanitizer sees any access beyond them. */
TEST(mem_never_touches_a_byte_outside)
{
	for (size_t n = 1; n <= 200; n++) {
		uint8_t *a = malloc(n), *b = malloc(n);
		mem_set(a, 0x5a, n);
		mem_copy(b, a, n);
		CHECK_EQ(mem_compare(a, b, n), 0);
		CHECK(mem_eq_secret(a, b, n));
		mem_move(a, a + n / 2, n - n / 2);
		mem_move(a + n / 2, a, n - n / 2);
		free(a);
		free(b);
	}
}

TEST(mem_set_every_small_case)
{
	for (size_t n = 0; n <= 200; n++) {
		for (size_t at = 0; at < 9; at++) {
			uint8_t model[AREA] = {0}, real[AREA] = {0};
			for (size_t i = 0; i < n; i++)
				model[at + i] = 0xa5;
			CHECK(mem_set(real + at, 0x7a5, n) == real + at);
			CHECK(memcmp(model, real, AREA) == 0);
		}
	}
}

TEST(mem_compare_finds_the_first_difference)
{
	struct test_rng rng = test_rng(test_seed());
	uint8_t a[AREA], b[AREA];
	fill(&rng, a, AREA);
	for (int round = 0; round < 50000; round++) {
		size_t x = test_below(&rng, 9), y = test_below(&rng, 9);
		size_t n = test_below(&rng, 80);
		memcpy(b + y, a + x, n);
		CHECK_EQ(mem_compare(a + x, b + y, n), 0);
		CHECK(mem_eq_secret(a + x, b + y, n));
		if (n == 0)
			continue;
		size_t first = test_below(&rng, n), second = test_below(&rng, n);
		b[y + first] ^= (uint8_t)(1u << test_below(&rng, 8));
		if (second > first)
			b[y + second] ^= 0xff;
		int expected = a[x + first] < b[y + first] ? -1 : 1;
		CHECK_EQ(mem_compare(a + x, b + y, n), expected);
		CHECK_EQ(mem_compare(b + y, a + x, n), -expected);
		CHECK(!mem_eq_secret(a + x, b + y, n));
	}
}

TEST(unaligned_loads_and_stores)
{
	uint8_t bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	CHECK_EQ(load_be16(bytes + 1), 0x0102);
	CHECK_EQ(load_le16(bytes + 1), 0x0201);
	CHECK_EQ(load_be32(bytes + 1), 0x01020304u);
	CHECK_EQ(load_le32(bytes + 1), 0x04030201u);
	CHECK_EQ(load_be64(bytes + 1), UINT64_C(0x0102030405060708));
	CHECK_EQ(load_le64(bytes + 1), UINT64_C(0x0807060504030201));
	store_be16(bytes + 3, 0xabcd);
	store_le32(bytes + 5, 0x11223344);
	static const uint8_t expected[] = {0, 1, 2, 0xab, 0xcd, 0x44, 0x33, 0x22, 0x11, 0};
	CHECK(memcmp(bytes, expected, sizeof(expected)) == 0);
	store_be64(bytes + 1, UINT64_C(0xfedcba9876543210));
	CHECK_EQ(load_be64(bytes + 1), UINT64_C(0xfedcba9876543210));
	CHECK_EQ(bytes[1], 0xfe);
}
