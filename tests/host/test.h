/*
 * test.h - host unit tests: registration, checks, seeds.
 *
 *	#include "tests/host/test.h"
 *
 *	TEST(str_cut_without_separator)
 *	{
 *		CHECK(cond);
 *		CHECK_EQ(a, b);
 *	}
 *
 * A test file x_test.c stands beside x.c; the build finds it, links it with all
 * of lib and every *_core.c under ASan and UBSan, and runs it. A failed check
 * ends its test and prints the place, the values, the seed and the command that
 * repeats it. The first argument of the program selects tests by a part of
 * their name.
 *
 * Seeds: the same at every run unless the environment has SEED=N, or
 * SEED=random for a new one; a property test starts its generator from
 * test_seed().
 */
#ifndef TESTS_HOST_TEST_H
#define TESTS_HOST_TEST_H

#include <setjmp.h>
#include "lib/base.h"
#include "lib/str.h"

struct test {
	const char *name;
	void (*fn)(void);
	struct test *next;
};

void test_register(struct test *t);

#define TEST(id)                                                                                   \
	static void test_##id(void);                                                               \
	__attribute__((constructor)) static void test_register_##id(void)                          \
	{                                                                                          \
		static struct test t = {#id, test_##id, NULL};                                     \
		test_register(&t);                                                                 \
	}                                                                                          \
	static void test_##id(void)

/* End the running test as failed. */
noreturn printf_like(3, 4) void test_fail(const char *file, int line, const char *format, ...);
noreturn void test_fail_eq(const char *file, int line, const char *what, uint64_t a, uint64_t b);
noreturn void test_fail_bytes(const char *file, int line, const char *what, struct str a,
	struct str b);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_fail(__FILE__, __LINE__, "%s", #cond);                                \
	} while (0)

/* Integers, enums and pointers; both are compared as 64 bits. */
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		uint64_t check_a = (uint64_t)(a), check_b = (uint64_t)(b);                         \
		if (check_a != check_b)                                                            \
			test_fail_eq(__FILE__, __LINE__, #a " == " #b, check_a, check_b);          \
	} while (0)

/* Two struct str with the same bytes. */
#define CHECK_STR(a, b)                                                                            \
	do {                                                                                       \
		struct str check_a = (a), check_b = (b);                                           \
		if (!test_same(check_a, check_b))                                                  \
			test_fail_bytes(__FILE__, __LINE__, #a " == " #b, check_a, check_b);       \
	} while (0)

#define CHECK_MEM(a, b, n) CHECK_STR(str_of((a), (n)), str_of((b), (n)))

/* The statement must run into an assertion. What it holds at that moment leaks. */
#define CHECK_ASSERTS(statement)                                                                   \
	do {                                                                                       \
		if (setjmp(*test_expect_assert()) == 0) {                                          \
			statement;                                                                 \
			test_fail(__FILE__, __LINE__, "no assertion in: %s", #statement);          \
		}                                                                                  \
	} while (0)

/*
 * Runs fn(arg) in a process of its own, for code whose variables cannot be set back or that leaves
 * the test's stack. A failed check there, an assertion, a sanitizer's report or `seconds` without an
 * end fail the running test, in this process. `seed` and `env` ("HARTS=2 ") are what repeats it.
 */
void test_in_child(void (*fn)(void *arg), void *arg, uint64_t seed, const char *env,
	unsigned seconds);

jmp_buf *test_expect_assert(void);
bool test_same(struct str a, struct str b);

/* Pseudo-random numbers that repeat: splitmix64. */
struct test_rng {
	uint64_t state;
};

uint64_t test_seed(void);

static inline struct test_rng test_rng(uint64_t seed)
{
	return (struct test_rng){seed};
}

static inline uint64_t test_u64(struct test_rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* In [0, n), n > 0 */
static inline uint64_t test_below(struct test_rng *r, uint64_t n)
{
	return test_u64(r) % n;
}

#endif
