/* shares_test.c - what shares_fixed_sum() draws is in range, has the sum, and is uniform: against exact distributions
 * and against drawing until it fits. */
#include "tests/host/shares.h"

#define SEED  UINT64_C(20240229) /* one: a statistic is no test of a random one */
#define DRAWS 20000

/* ---- range and sum ---- */

static void check_draw(struct test_rng *rng, double total, double most, size_t n)
{
	double share[SHARES_MAX];
	long double sum = 0;
	shares_fixed_sum(rng, total, most, n, share);
	for (size_t i = 0; i < n; i++) {
		CHECK(share[i] >= 0 && share[i] <= most);
		sum += (long double)share[i];
	}
	CHECK(fabsl(sum - (long double)total) < 1e-13L * (long double)n * (long double)most);
}

TEST(shares_have_their_sum_and_range)
{
	struct test_rng rng = test_rng(test_seed());
	for (size_t n = 1; n <= SHARES_MAX; n++)
		for (unsigned i = 0; i < 50; i++) {
			double most = 0.1 + shares_unit(&rng);
			check_draw(&rng, most * (double)n * max(shares_unit(&rng), 1e-6), most, n);
			check_draw(&rng, most * (double)(1 + test_below(&rng, n)), most,
				n); /* an integer */
		}
	for (size_t n = 1; n <= SHARES_MAX; n++) {
		double share[SHARES_MAX];
		shares_fixed_sum(
			&rng, 0.95 * (double)n, 0.95, n, share); /* there is only one such point */
		for (size_t i = 0; i < n; i++)
			CHECK(fabs(share[i] - 0.95) < 1e-12);
	}
}

/* ---- one coordinate: the exact distribution ---- */

/* That the sum of n uniform numbers is at most x: (1 / n!) sum over k of (-1)^k (n over k) (x - k)^n, while x > k. */
static double sum_distribution(size_t n, double x)
{
	long double sum = 0, over = 1, factorial = 1;
	for (size_t k = 0; k <= n; k++) {
		if (x > (double)k)
			sum += (k % 2 ? -over : over) * powl((long double)x - k, (long double)n);
		over = over * (long double)(n - k) / (long double)(k + 1);
		factorial *= k > 0 ? (long double)k : 1;
	}
	return (double)(sum / factorial);
}

/* That one of n shares of s is at most x: what is left for the others is between s - x and s. */
static double share_distribution(size_t n, double s, double x)
{
	double all = sum_distribution(n - 1, s) - sum_distribution(n - 1, s - 1);
	return (sum_distribution(n - 1, s) - sum_distribution(n - 1, s - x)) / all;
}

/* Kolmogorov and Smirnov, at GRID points: one in 10,000 good generators is further off. */
#define KS_LIMIT 2.23
#define GRID     200

static void check_marginals(double s, size_t n)
{
	struct test_rng rng = test_rng(SEED + n);
	double share[SHARES_MAX], off[SHARES_MAX] = {0};
	static double below[SHARES_MAX]
			   [GRID + 1]; /* how many are at most that many parts of GRID */
	memset(below, 0, sizeof(below));
	for (size_t d = 0; d < DRAWS; d++) {
		shares_fixed_sum(&rng, s, 1, n, share);
		for (size_t i = 0; i < n; i++)
			below[i][(size_t)ceil(share[i] * GRID)]++;
	}
	for (size_t g = 0; g <= GRID; g++) {
		double exact = share_distribution(n, s, (double)g / GRID);
		for (size_t i = 0; i < n; i++) {
			below[i][g] += g > 0 ? below[i][g - 1] : 0;
			off[i] = fmax(off[i], fabs(exact - below[i][g] / DRAWS));
		}
	}
	for (size_t i = 0; i < n; i++)
		if (off[i] * sqrt(DRAWS) > KS_LIMIT)
			test_fail(__FILE__, __LINE__, "share %zu of %zu with sum %g is off by %g",
				i, n, s, off[i]);
}

TEST(shares_are_distributed_as_they_should_be)
{
	check_marginals(1, 2);
	check_marginals(0.3, 2);
	check_marginals(1.5, 3);
	check_marginals(2.25, 3);
	check_marginals(2, 5);
	check_marginals(3.7, 8);
	check_marginals(0.97 * 4, 12);
}

/* ---- all coordinates: against drawing until it fits ---- */

#define CELLS 6

static bool draw_until_it_fits(struct test_rng *rng, double s, size_t n, double *share)
{
	double rest = s;
	for (size_t i = 0; i + 1 < n; i++) {
		share[i] = shares_unit(rng);
		rest -= share[i];
	}
	share[n - 1] = rest;
	return rest >= 0 && rest <= 1;
}

static size_t cell(double x)
{
	return min((size_t)(x * CELLS), (size_t)CELLS - 1);
}

static double greatest(const double *share, size_t n)
{
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = fmax(most, share[i]);
	return most;
}

/* Counts by the cells of the first two, and by the greatest of all. */
static void count(
	const double *share, size_t n, double pairs[CELLS][CELLS], double most[CELLS * CELLS])
{
	pairs[cell(share[0])][cell(share[1])]++;
	most[min((size_t)(greatest(share, n) * CELLS * CELLS), (size_t)CELLS * CELLS - 1)]++;
}

/* Chi squared of two counts of equal size. */
static void check_alike(const double *a, const double *b, size_t cells, const char *what)
{
	double chi = 0, free = -1;
	for (size_t i = 0; i < cells; i++) {
		if (a[i] + b[i] < 10)
			continue;
		chi += (a[i] - b[i]) * (a[i] - b[i]) / (a[i] + b[i]);
		free++;
	}
	if (free < 3 || chi > free + 4 * sqrt(2 * free)) /* some four standard deviations */
		test_fail(__FILE__, __LINE__, "%s: chi squared %g, %g expected", what, chi, free);
}

static void check_joint(double s, size_t n)
{
	struct test_rng rng = test_rng(SEED + 100 + n);
	double share[SHARES_MAX];
	static double pairs[2][CELLS][CELLS], most[2][CELLS * CELLS];
	memset(pairs, 0, sizeof(pairs));
	memset(most, 0, sizeof(most));
	for (size_t d = 0; d < DRAWS; d++) {
		shares_fixed_sum(&rng, s, 1, n, share);
		count(share, n, pairs[0], most[0]);
		while (!draw_until_it_fits(&rng, s, n, share))
			;
		count(share, n, pairs[1], most[1]);
	}
	check_alike(&pairs[0][0][0], &pairs[1][0][0], CELLS * CELLS, "the first two");
	check_alike(most[0], most[1], CELLS * CELLS, "the greatest");
}

TEST(shares_are_as_drawn_until_they_fit)
{
	check_joint(1.5, 3);
	check_joint(1.7, 4);
	check_joint(2.4, 5);
	check_joint(3.88, 8);
}
