/*
 * mem_selftest.c - memory copying, checksums and unaligned access as compiled for
 * the board: the host's tests run the same C over other loads and stores.
 */
#include "kernel/diag/selftest.h"
#include "lib/checksum.h"
#include "lib/mem.h"
#include "lib/unaligned.h"

enum { AREA = 256, FAR = 128, SIZE_MAX_TESTED = 100 };

static uint8_t area[AREA];

static uint8_t mem_pattern(size_t i)
{
	return (uint8_t)(i * 7 + 3);
}

static void mem_fill(void)
{
	for (size_t i = 0; i < AREA; i++)
		area[i] = mem_pattern(i);
}

/* Every byte is what a copy byte by byte would have made of it. */
static bool mem_moved(size_t to, size_t from, size_t n)
{
	for (size_t i = 0; i < AREA; i++) {
		bool inside = i >= to && i < to + n;
		if (area[i] != mem_pattern(inside ? i - to + from : i))
			return false;
	}
	return true;
}

static bool mem_case_is_right(size_t to, size_t from, size_t n)
{
	mem_fill();
	memmove(area + to, area + from, n);
	if (!mem_moved(to, from, n))
		return false;
	if (to + n > from && from + n > to)
		return true;
	mem_fill();
	memcpy(area + to, area + from, n);
	return mem_moved(to, from, n);
}

SELFTEST(mem_copy_every_alignment)
{
	for (size_t n = 0; n <= SIZE_MAX_TESTED; n++) {
		for (size_t i = 0; i < 64; i++) {
			ST_REQUIRE(mem_case_is_right(i / 8, i % 8, n));
			ST_REQUIRE(mem_case_is_right(FAR + i / 8, i % 8, n));
			ST_REQUIRE(mem_case_is_right(i / 8, FAR + i % 8, n));
		}
	}
}

SELFTEST(mem_set_every_alignment)
{
	for (size_t n = 0; n <= SIZE_MAX_TESTED; n++) {
		for (size_t at = 0; at < 8; at++) {
			mem_fill();
			memset(area + at, 0x5a, n);
			for (size_t i = 0; i < AREA; i++) {
				bool inside = i >= at && i < at + n;
				ST_REQUIRE(area[i] == (inside ? 0x5a : mem_pattern(i)));
			}
		}
	}
}

SELFTEST(mem_compare_finds_the_first_difference)
{
	for (size_t n = 1; n <= SIZE_MAX_TESTED; n++) {
		for (size_t at = 0; at < 8; at++) {
			mem_fill();
			memcpy(area + FAR, area + at, n);
			ST_REQUIRE(memcmp(area + FAR, area + at, n) == 0);
			area[FAR + n - 1] ^= 0x80;
			bool less = area[FAR + n - 1] < area[at + n - 1];
			ST_REQUIRE((memcmp(area + FAR, area + at, n) < 0) == less);
		}
	}
}

static uint16_t mem_checksum_by_definition(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

SELFTEST(mem_checksum_every_alignment)
{
	mem_fill();
	for (size_t n = 0; n <= SIZE_MAX_TESTED; n++) {
		for (size_t at = 0; at < 8; at++) {
			uint16_t expected = mem_checksum_by_definition(area + at, n);
			ST_REQUIRE(checksum_of(area + at, n) == expected);
		}
	}
}

SELFTEST(mem_unaligned_words)
{
	for (size_t at = 0; at < 8; at++) {
		mem_fill();
		store_be64(area + at, UINT64_C(0x0102030405060708));
		ST_CHECK(area[at] == 1 && area[at + 7] == 8);
		ST_CHECK(load_le64(area + at) == UINT64_C(0x0807060504030201));
		ST_CHECK(load_be32(area + at + 1) == 0x02030405);
		ST_CHECK(load_le16(area + at + 3) == 0x0504);
		ST_CHECK(area[at + 8] == mem_pattern(at + 8));
	}
}
