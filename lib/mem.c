/*
 * mem.c - memcpy, memmove, memset, memcmp for rv64 (contract: lib/mem.h).
 *
 * Misaligned words are one instruction each (lib/unaligned.h), so neither the
 * short cases nor the tails need loops over bytes: what is left over is done by
 * one word that overlaps what was done before it.
 *
 * The optimizer must not recognize these loops as the very functions they are
 * and call them: gcc is told so here, clang by -ffreestanding.
 */
#include "lib/mem.h"
#include "lib/unaligned.h"

#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/* The unrolled loops move this much in a turn. */
#define MEM_BLOCK 64

/* n < 16. Loads all before it stores anything: right for overlapping areas too. */
static always_inline void mem_copy_short(uint8_t *d, const uint8_t *s, size_t n)
{
	if (n >= 8) {
		uint64_t first = load_u64(s);
		uint64_t last = load_u64(s + n - 8);
		store_u64(d, first);
		store_u64(d + n - 8, last);
	} else if (n >= 4) {
		uint32_t first = load_u32(s);
		uint32_t last = load_u32(s + n - 4);
		store_u32(d, first);
		store_u32(d + n - 4, last);
	} else if (n > 0) {
		uint8_t first = s[0];
		uint8_t middle = s[n / 2];
		uint8_t last = s[n - 1];
		d[0] = first;
		d[n / 2] = middle;
		d[n - 1] = last;
	}
}

/* A constant number of words, at most 8; all loads before all stores, as mem_move() needs. */
static always_inline void mem_copy_words(uint8_t *d, const uint8_t *s, int words)
{
	uint64_t w[8];
#pragma GCC unroll 8
	for (int i = 0; i < words; i++)
		w[i] = load_u64(s + 8 * i);
#pragma GCC unroll 8
	for (int i = 0; i < words; i++)
		store_u64(d + 8 * i, w[i]);
}

void *mem_copy(void *restrict dst, const void *restrict src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	if (n < 16) {
		mem_copy_short(d, s, n);
		return dst;
	}
	/* Align the destination: from here on at least the stores are aligned. */
	store_u64(d, load_u64(s));
	size_t head = 8 - ((uintptr_t)d & 7);
	d += head;
	s += head;
	n -= head;
	for (; n >= MEM_BLOCK; n -= MEM_BLOCK) {
		mem_copy_words(d, s, MEM_BLOCK / 8);
		d += MEM_BLOCK;
		s += MEM_BLOCK;
	}
	/* Less than a block: its size in binary. */
	if (n & 32) {
		mem_copy_words(d, s, 4);
		d += 32;
		s += 32;
	}
	if (n & 16) {
		mem_copy_words(d, s, 2);
		d += 16;
		s += 16;
	}
	if (n & 8) {
		mem_copy_words(d, s, 1);
		d += 8;
		s += 8;
	}
	/* At least 8 bytes lie before d: reach back. */
	n &= 7;
	store_u64(d + n - 8, load_u64(s + n - 8));
	return dst;
}

/* For overlapping areas with dst below src. n >= 16. */
static void mem_move_up(uint8_t *d, const uint8_t *s, size_t n)
{
	uint64_t last = load_u64(s + n - 8);
	uint8_t *d_last = d + n - 8;

	for (; n >= MEM_BLOCK; n -= MEM_BLOCK) {
		mem_copy_words(d, s, MEM_BLOCK / 8);
		d += MEM_BLOCK;
		s += MEM_BLOCK;
	}
	for (; n >= 8; n -= 8) {
		store_u64(d, load_u64(s));
		d += 8;
		s += 8;
	}
	store_u64(d_last, last);
}

/* For overlapping areas with dst above src. n >= 16. */
static void mem_move_down(uint8_t *d, const uint8_t *s, size_t n)
{
	uint64_t first = load_u64(s);

	for (; n >= MEM_BLOCK; n -= MEM_BLOCK)
		mem_copy_words(d + n - MEM_BLOCK, s + n - MEM_BLOCK, MEM_BLOCK / 8);
	for (; n >= 8; n -= 8)
		store_u64(d + n - 8, load_u64(s + n - 8));
	store_u64(d, first);
}

void *mem_move(void *dst, const void *src, size_t n)
{
	uintptr_t d = (uintptr_t)dst;
	uintptr_t s = (uintptr_t)src;

	if (n < 16)
		mem_copy_short(dst, src, n);
	else if (d - s >= n && s - d >= n)
		mem_copy(dst, src, n);
	else if (d < s)
		mem_move_up(dst, src, n);
	else
		mem_move_down(dst, src, n);
	return dst;
}

void *mem_set(void *dst, int c, size_t n)
{
	uint8_t *d = dst;
	uint64_t word = (uint8_t)c * UINT64_C(0x0101010101010101);

	if (n < 8) {
		for (; n > 0; n--)
			*d++ = (uint8_t)c;
		return dst;
	}
	store_u64(d, word);
	store_u64(d + n - 8, word);
	uint8_t *end = d + n;
	d += 8 - ((uintptr_t)d & 7);
	for (; end - d >= MEM_BLOCK; d += MEM_BLOCK) {
		store_u64(d, word);
		store_u64(d + 8, word);
		store_u64(d + 16, word);
		store_u64(d + 24, word);
		store_u64(d + 32, word);
		store_u64(d + 40, word);
		store_u64(d + 48, word);
		store_u64(d + 56, word);
	}
	for (; end - d >= 8; d += 8)
		store_u64(d, word);
	return dst;
}

/* Big-endian words compare like their bytes in order. */
static always_inline int mem_compare_words(uint64_t a, uint64_t b)
{
	a = __builtin_bswap64(a);
	b = __builtin_bswap64(b);
	return a < b ? -1 : a > b;
}

int mem_compare(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	if (n < 8) {
		for (size_t i = 0; i < n; i++) {
			if (x[i] != y[i])
				return x[i] < y[i] ? -1 : 1;
		}
		return 0;
	}
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t u = load_u64(x + i);
		uint64_t v = load_u64(y + i);
		if (u != v)
			return mem_compare_words(u, v);
	}
	return mem_compare_words(load_u64(x + n - 8), load_u64(y + n - 8));
}

bool mem_eq_secret(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < n; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

#if !__STDC_HOSTED__
void *memcpy(void *restrict dst, const void *restrict src, size_t n)
	__attribute__((alias("mem_copy")));
void *memmove(void *dst, const void *src, size_t n) __attribute__((alias("mem_move")));
void *memset(void *dst, int c, size_t n) __attribute__((alias("mem_set")));
int memcmp(const void *a, const void *b, size_t n) __attribute__((alias("mem_compare")));
#endif
