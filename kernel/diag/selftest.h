/*
 * selftest.h - tests that run inside the kernel: `selftest` or `selftest=NAME`
 * on the command line runs them in order of name in a thread that may sleep and
 * ends the machine with exit status 0 or 1. A test may use every hart.
 *
 *	SELFTEST(mutex_handover) { ST_CHECK(cond); }
 *
 * A failed ST_CHECK is printed and counted, and the test goes on; ST_REQUIRE
 * returns from the function. A prefix of the name selects (selftest=mutex). Two kinds run only if asked for: crash_*
 * end the machine on purpose, exact_* are for a machine whose time is instructions (QEMU's -icount).
 */
#ifndef KERNEL_DIAG_SELFTEST_H
#define KERNEL_DIAG_SELFTEST_H

#include "lib/base.h"

struct selftest {
	const char *name;
	void (*run)(void);
};

#define SELFTEST(id)                                                                               \
	static void selftest_##id(void);                                                           \
	static const struct selftest selftest_entry_##id section(".selftest") = {                  \
		.name = #id, .run = selftest_##id};                                                \
	static void selftest_##id(void)

void selftest_fail(const char *file, int line, const char *expr);

#define ST_CHECK(expr) ((expr) ? (void)0 : selftest_fail(__FILE__, __LINE__, #expr))
#define ST_REQUIRE(expr)                                                                           \
	do {                                                                                       \
		if (!(expr)) {                                                                     \
			selftest_fail(__FILE__, __LINE__, #expr);                                  \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* Runs all whose name starts with the prefix; the number of failed tests. */
unsigned selftest_run(const char *prefix, size_t prefix_len);

#endif
