/*
 * shares.h - random utilizations with a given sum, for task sets.
 *
 *	shares_uunifast		n shares of any size, uniform among all such: for one hart
 *	shares_fixed_sum	n shares of at most `most` each, uniform among all such: above one hart
 *
 * The second is what Stafford's RandFixedSum draws (Emberson, Stafford and Davis, Techniques for the Synthesis of
 * Multiprocessor Tasksets, WATERS 2010), derived anew. Let most be 1, and P(m, s) the points of the unit cube of m
 * dimensions whose sum is s. P(m, s) is the union of pyramids that have their top in its centre (s/m, s/m, ...), and as
 * bases its faces: on one with x = 0 the rest is P(m - 1, s), on one with x = 1 it is P(m - 1, s - 1). The centre is as
 * far from the one as s/m, from the other as 1 - s/m, and the sizes of the bases are as the densities f of a
 * sum of m - 1 uniform numbers. So the pyramids on x = 1 have (m - s) f(m - 1, s - 1) parts of
 *
 *	(m - 1) f(m, s) = s f(m - 1, s) + (m - s) f(m - 1, s - 1)
 *
 * A uniform point of a pyramid is a uniform point of its base, moved towards the top so that what is left of the way is
 * the (m - 1)th root of a uniform number. So one goes down from face to face, to one dimension. All coordinates are
 * alike: which one a face belongs to is chosen last, by a shuffle.
 *
 * Nothing is drawn twice, however little of the cube the sum leaves.
 */
#ifndef TESTS_HOST_SHARES_H
#define TESTS_HOST_SHARES_H

#include <math.h>
#include "lib/base.h"
#include "tests/host/test.h"

#define SHARES_MAX 64

static inline double shares_unit(struct test_rng *rng)
{
	return (double)(test_u64(rng) >> 11) / 9007199254740992.0;
}

/* n shares of `total`. */
static inline void shares_uunifast(struct test_rng *rng, double total, size_t n, double *share)
{
	for (size_t i = 0; i + 1 < n; i++) {
		double next = total * pow(shares_unit(rng), 1.0 / (double)(n - 1 - i));
		share[i] = total - next;
		total = next;
	}
	share[n - 1] = total;
}

/*
 * part[m][k]: of P(m, s - k), what stands on faces with x = 1; k of the n - m coordinates above were 1. Densities below
 * what a double holds count as 0: of faces that small none is taken, and with s <= n / 2 there are greater ones beside them.
 */
static inline void shares_parts(double s, size_t n, double part[SHARES_MAX + 1][SHARES_MAX])
{
	double density[SHARES_MAX]; /* f(m, s - k) */
	for (size_t k = 0; k < n; k++)
		density[k] = s >= (double)k && s < (double)(k + 1);
	for (size_t m = 2; m <= n; m++)
		for (size_t k = 0; k + m <= n; k++) {
			double sum = s - (double)k;
			double zero = max(sum, 0.0) * density[k];
			double one = max((double)m - sum, 0.0) * density[k + 1];
			density[k] = (zero + one) / (double)(m - 1);
			part[m][k] = zero + one > 0 ? one / (zero + one) : 0;
		}
}

static inline void shares_shuffle(struct test_rng *rng, size_t n, double *share)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = test_below(rng, i);
		double t = share[i - 1];
		share[i - 1] = share[j];
		share[j] = t;
	}
}

/* n shares of `total`, none above `most`; 0 < total <= n * most, n <= SHARES_MAX. */
static inline void shares_fixed_sum(
	struct test_rng *rng, double total, double most, size_t n, double *share)
{
	double part[SHARES_MAX + 1][SHARES_MAX];
	double sum = min(total / most, (double)n), top = 0, way = 1;
	CHECK(n > 0 && n <= SHARES_MAX && total > 0 && total <= (double)n * most * (1 + 1e-12));
	bool mirrored = sum > (double)n / 2; /* what each lacks of 1 has a sum, too */
	sum = mirrored ? (double)n - sum : sum;
	shares_parts(sum, n, part);
	size_t ones = 0;
	for (size_t m = n; m > 1; m--) {
		double left = pow(shares_unit(rng), 1.0 / (double)(m - 1));
		bool one = shares_unit(rng) < part[m][ones];
		top += way * (1 - left) * (sum - (double)ones) / (double)m;
		way *= left;
		share[n - m] = top + (one ? way : 0);
		ones += one;
	}
	share[n - 1] = top + way * (sum - (double)ones);
	for (size_t i = 0; i < n; i++)
		share[i] = min(max(mirrored ? 1 - share[i] : share[i], 0.0), 1.0) * most;
	shares_shuffle(rng, n, share);
}

#endif
