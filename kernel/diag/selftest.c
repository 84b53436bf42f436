/*
 * selftest.c - runs the table of self-tests, in order of name.
 *
 * Results are printed with the polled console, not the log: each is there before
 * the next test begins, whatever that one does.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/diag_priv.h"
#include "kernel/diag/selftest.h"

#define NAME_MAX 64

extern const struct selftest selftest_start[], selftest_end[];

static uint32_t test_failures; /* atomic: of the running test */

static printf_like(1, 2) void selftest_print(const char *format, ...)
{
	uint8_t line[200];
	struct abuf out = abuf_of(line, sizeof(line));
	va_list ap;
	va_start(ap, format);
	fmt_v(&out, format, ap);
	va_end(ap);
	console_line(abuf_str(&out));
}

void selftest_fail(const char *file, int line, const char *expr)
{
	__atomic_fetch_add(&test_failures, 1, __ATOMIC_RELAXED);
	selftest_print("  %s:%d: failed: %s\n", file, line, expr);
}

static bool selftest_is_wanted(struct str name, struct str prefix)
{
	bool special = str_starts(name, S("crash_")) || str_starts(name, S("exact_"));
	return prefix.len > 0 ? str_starts(name, prefix) : !special;
}

/* The test with the least name above `after`; NULL when there is none. */
static const struct selftest *selftest_next(struct str after, struct str prefix)
{
	const struct selftest *best = NULL;
	for (const struct selftest *t = selftest_start; t < selftest_end; t++) {
		struct str name = str_of_cstr(t->name, NAME_MAX);
		if (str_cmp(name, after) > 0 && selftest_is_wanted(name, prefix) &&
			(!best || str_cmp(name, str_of_cstr(best->name, NAME_MAX)) < 0))
			best = t;
	}
	return best;
}

unsigned selftest_run(const char *prefix, size_t prefix_len)
{
	unsigned passed = 0, failed = 0;
	struct str name = STR_EMPTY;
	const struct selftest *t;
	while ((t = selftest_next(name, str_of(prefix, prefix_len)))) {
		name = str_of_cstr(t->name, NAME_MAX);
		test_failures = 0;
		ktime begin = arch_clock();
		t->run();
		int64_t us = ktime_diff(arch_clock(), begin) / NS_PER_US;
		bool ok = __atomic_load_n(&test_failures, __ATOMIC_RELAXED) == 0;
		selftest_print("%s %s (%ld us)\n", ok ? "ok  " : "FAIL", t->name, us);
		if (ok)
			passed++;
		else
			failed++;
	}
	if (passed + failed == 0) {
		selftest_print("no self-test has a name that begins with %.*s\n", (int)prefix_len, prefix);
		failed = 1;
	}
	selftest_print("%u passed, %u failed\n", passed, failed);
	return failed;
}
