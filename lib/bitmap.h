/*
 * bitmap.h - sets of small numbers as bits.
 *
 *	one word    bits_highest(), bits_lowest(): the pick of a run queue with
 *	            64 priorities, in one count-leading-zeros
 *	an array    uint64_t map[BITMAP_WORDS(n)], zeroed by its owner
 *
 * Array functions take n, the number of bits, where they look beyond one of
 * them; "none" is n. They are linear in the words they cover. Nothing here can see
 * whether an index lies outside the map: that is the caller's duty.
 *
 * Not atomic, not locked: the owner of the map says who may touch it.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/assert.h"
#include "lib/base.h"

#define BITMAP_WORDS(n) div_up(n, 64)

static inline uint64_t bits_one(unsigned i)
{
	return UINT64_C(1) << (i & 63);
}

/* Index of the most (least) significant set bit; -1 if there is none. */
static inline int bits_highest(uint64_t word)
{
	return word == 0 ? -1 : 63 - __builtin_clzl(word);
}

static inline int bits_lowest(uint64_t word)
{
	return word == 0 ? -1 : __builtin_ctzl(word);
}

/* The least power of two that is not below x; x is at most 2^63. */
static inline uint64_t bits_pow2_up(uint64_t x)
{
	return x <= 1 ? 1 : bits_one((unsigned)bits_highest(x - 1) + 1);
}

static inline void bitmap_set(uint64_t *map, size_t i)
{
	map[i / 64] |= bits_one((unsigned)i);
}

static inline void bitmap_clear(uint64_t *map, size_t i)
{
	map[i / 64] &= ~bits_one((unsigned)i);
}

static inline bool bitmap_test(const uint64_t *map, size_t i)
{
	return map[i / 64] >> (i & 63) & 1;
}

void bitmap_set_range(uint64_t *map, size_t from, size_t count);
void bitmap_clear_range(uint64_t *map, size_t from, size_t count);

/* The first set (clear) bit at `from` or behind it. */
size_t bitmap_find_set(const uint64_t *map, size_t n, size_t from);
size_t bitmap_find_clear(const uint64_t *map, size_t n, size_t from);
/* The first of `count` (at least 1) clear bits in a row. */
size_t bitmap_find_clear_range(const uint64_t *map, size_t n, size_t count);
/* How many bits are set. */
size_t bitmap_count(const uint64_t *map, size_t n);

#endif
