/*
 * assert.h - a bug stops the machine where it happens.
 *
 * assert() is for what can only be false through a bug of ours, and stays in
 * release builds. debug_assert() is for checks too dear for that: it is
 * compiled (so that it cannot rot) but not evaluated unless CONFIG_DEBUG.
 * Bad input and lack of a resource are return values, never assertions.
 *
 * assert_fail() is defined by the environment: kernel/diag for the kernel,
 * tests/host for host tests.
 */
#ifndef LIB_ASSERT_H
#define LIB_ASSERT_H

#include "lib/base.h"

noreturn cold void assert_fail(const char *file, int line, const char *expr);

#define assert(expr) (likely(expr) ? (void)0 : assert_fail(__FILE__, __LINE__, #expr))

#ifdef CONFIG_DEBUG
#define debug_assert(expr) assert(expr)
#else
#define debug_assert(expr) ((void)sizeof((expr) ? 1 : 0))
#endif

#define unreachable() assert_fail(__FILE__, __LINE__, "unreachable")

#endif
