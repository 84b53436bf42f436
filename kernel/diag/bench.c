/*
 * bench.c - runs the table of benchmarks, in order of name, and prints what they report.
 */
#include "kernel/diag/bench.h"
#include "kernel/diag/diag.h"
#include "kernel/diag/diag_priv.h"

#define NAME_MAX 64
#define LONG     S("long_")

extern const struct bench bench_start[], bench_end[];

/* Shell's sort, with the gaps of Ciura: no memory, and short enough for a million samples. */
static void bench_sort(uint64_t *v, size_t n)
{
	static const size_t gaps[] = {1598000, 709900, 315500, 140200, 62300, 27700, 12300, 5470, 2431,
		1080, 480, 213, 95, 42, 19, 8, 4, 1};
	for (size_t g = 0; g < countof(gaps); g++) {
		size_t gap = gaps[g];
		for (size_t i = gap; i < n; i++) {
			uint64_t x = v[i];
			size_t j = i;
			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

static void bench_line(const char *name, const char *unit, size_t n, const uint64_t v[4])
{
	uint8_t line[160];
	struct abuf out = abuf_of(line, sizeof(line));
	fmt(&out, "bench %s %s %zu %lu %lu %lu %lu\n", name, unit, n, v[0], v[1], v[2], v[3]);
	console_line(abuf_str(&out));
}

void bench_report(const char *name, const char *unit, uint64_t *samples, size_t n)
{
	assert(n > 0);
	bench_sort(samples, n);
	bench_line(name, unit, n,
		(uint64_t[]){samples[0], samples[n / 2], samples[min(n - 1, n * 99 / 100)], samples[n - 1]});
}

/* The value that is at place `rank` when all that were counted stand in order. */
static size_t bench_ranked(const uint32_t *count, size_t n, size_t rank)
{
	size_t v = 0;
	for (size_t before = count[0]; before <= rank; before += count[v]) {
		v++;
		assert(v < n);
	}
	return v;
}

void bench_report_counts(const char *name, const char *unit, const uint32_t *count, size_t n, uint64_t greatest)
{
	size_t total = 0;
	for (size_t v = 0; v < n; v++)
		total += count[v];
	assert(total > 0);
	bench_line(name, unit, total,
		(uint64_t[]){bench_ranked(count, n, 0), bench_ranked(count, n, total / 2),
			bench_ranked(count, n, min(total - 1, total * 99 / 100)), greatest});
}

/* The one with the least name above `after`; NULL when there is none. */
static const struct bench *bench_next(struct str after, struct str prefix)
{
	const struct bench *best = NULL;
	for (const struct bench *b = bench_start; b < bench_end; b++) {
		struct str name = str_of_cstr(b->name, NAME_MAX);
		bool wanted = str_starts(name, prefix) && (str_starts(prefix, LONG) || !str_starts(name, LONG));
		if (wanted && str_cmp(name, after) > 0 &&
			(!best || str_cmp(name, str_of_cstr(best->name, NAME_MAX)) < 0))
			best = b;
	}
	return best;
}

unsigned bench_run(const char *prefix, size_t prefix_len)
{
	unsigned count = 0;
	struct str name = STR_EMPTY;
	for (const struct bench *b; (b = bench_next(name, str_of(prefix, prefix_len))); count++) {
		name = str_of_cstr(b->name, NAME_MAX);
		b->run();
	}
	return count;
}
