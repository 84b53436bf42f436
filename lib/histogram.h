/*
 * histogram.h - how often what lasted how long: powers of two, from 128 ns on.
 *
 *	histogram_add(&h, ns);          whoever has it alone
 *	histogram_add_shared(&h, ns);   any number at once
 *	for (i = 0; i < HISTOGRAM_BUCKETS; i++) count[i], up to histogram_le_ns(i)
 *
 * Invariant: the counts add up to how often something was added.
 */
#ifndef LIB_HISTOGRAM_H
#define LIB_HISTOGRAM_H

#include "lib/base.h"

#define HISTOGRAM_BUCKETS 24

struct histogram {
	uint64_t count[HISTOGRAM_BUCKETS];
	int64_t max_ns;
};

/* 0..127 ns is bucket 0, 128..255 bucket 1; what is below 0 counts as 0, the last one has no end. */
static inline uint32_t histogram_bucket(int64_t ns)
{
	uint64_t units = (uint64_t)max(ns, INT64_C(0)) >> 6; /* the bucket is the place of its highest bit, 0 for 0 too */
	uint64_t bits = 63 ^ (uint64_t)__builtin_clzll(units | 1);
	return (uint32_t)min(bits, (uint64_t)HISTOGRAM_BUCKETS - 1);
}

/* The longest that bucket i counts; INT64_MAX for the last one. */
static inline int64_t histogram_le_ns(uint32_t i)
{
	return i < HISTOGRAM_BUCKETS - 1 ? (INT64_C(128) << i) - 1 : INT64_MAX;
}

static inline void histogram_add(struct histogram *h, int64_t ns)
{
	h->count[histogram_bucket(ns)]++;
	h->max_ns = max(h->max_ns, ns);
}

/* True: it is the longest so far. */
static inline bool histogram_add_shared(struct histogram *h, int64_t ns)
{
	__atomic_fetch_add(&h->count[histogram_bucket(ns)], 1, __ATOMIC_RELAXED);
	int64_t longest = __atomic_load_n(&h->max_ns, __ATOMIC_RELAXED);
	while (unlikely(ns > longest)) {
		if (__atomic_compare_exchange_n(
			    &h->max_ns, &longest, ns, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* Adds what `from` counted, which may go on counting. */
static inline void histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->count[i] += __atomic_load_n(&from->count[i], __ATOMIC_RELAXED);
	to->max_ns = max(to->max_ns, __atomic_load_n(&from->max_ns, __ATOMIC_RELAXED));
}

static inline uint64_t histogram_total(const struct histogram *h)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += h->count[i];
	return total;
}

#endif
