/*
 * bitmap.c - what looks at more than one word (contract: lib/bitmap.h).
 */
#include "lib/bitmap.h"

/* Bits from..to-1 of a word; from < to <= 64. */
static uint64_t bitmap_mask(size_t from, size_t to)
{
	return ~UINT64_C(0) >> (64 - (to - from)) << from;
}

/* value is 0 or all ones. */
static void bitmap_fill(uint64_t *map, size_t from, size_t count, uint64_t value)
{
	size_t end = from + count;

	debug_assert(end >= from);
	while (from < end) {
		size_t in_word = from % 64;
		size_t stop = min((size_t)64, in_word + (end - from));
		uint64_t mask = bitmap_mask(in_word, stop);
		uint64_t *word = &map[from / 64];
		*word = (*word & ~mask) | (value & mask);
		from += stop - in_word;
	}
}

void bitmap_set_range(uint64_t *map, size_t from, size_t count)
{
	bitmap_fill(map, from, count, ~UINT64_C(0));
}

void bitmap_clear_range(uint64_t *map, size_t from, size_t count)
{
	bitmap_fill(map, from, count, 0);
}

/* The first set bit of the map with every word turned by `flip`: 0 or all ones. */
static size_t bitmap_find(const uint64_t *map, size_t n, size_t from, uint64_t flip)
{
	if (from >= n)
		return n;
	uint64_t word = (map[from / 64] ^ flip) & (~UINT64_C(0) << (from % 64));
	for (size_t at = from / 64;; word = map[at] ^ flip) {
		if (word != 0)
			return min(n, at * 64 + (size_t)bits_lowest(word));
		if (++at >= BITMAP_WORDS(n))
			return n;
	}
}

size_t bitmap_find_set(const uint64_t *map, size_t n, size_t from)
{
	return bitmap_find(map, n, from, 0);
}

size_t bitmap_find_clear(const uint64_t *map, size_t n, size_t from)
{
	return bitmap_find(map, n, from, ~UINT64_C(0));
}

size_t bitmap_find_clear_range(const uint64_t *map, size_t n, size_t count)
{
	debug_assert(count > 0);
	size_t from = bitmap_find_clear(map, n, 0);
	while (from < n && count <= n - from) {
		size_t end = bitmap_find_set(map, n, from);
		if (end - from >= count)
			return from;
		from = bitmap_find_clear(map, n, end);
	}
	return n;
}

size_t bitmap_count(const uint64_t *map, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n / 64; i++)
		count += (size_t)__builtin_popcountl(map[i]);
	if (n % 64 != 0)
		count += (size_t)__builtin_popcountl(map[n / 64] & bitmap_mask(0, n % 64));
	return count;
}
