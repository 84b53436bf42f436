/*
 * main.c - runs the tests that a program of host tests has registered.
 *
 * Order of registration, one after another. The last line is
 * "NAME: N passed, N failed" and the exit status is 0 only if none failed.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/assert.h"
#include "tests/host/test.h"

#define DEFAULT_SEED 20240229

static struct test *first, **last = &first;
static const struct test *running;
static const char *program;
static jmp_buf end_of_test;
static jmp_buf assert_expected;
static bool expecting, in_child;
static const char *repeat_env = "";
static uint64_t seed = DEFAULT_SEED;

void test_register(struct test *t)
{
	*last = t;
	last = &t->next;
}

uint64_t test_seed(void)
{
	return seed;
}

jmp_buf *test_expect_assert(void)
{
	expecting = true;
	return &assert_expected;
}

bool test_same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static noreturn void test_end(void)
{
	if (in_child) {
		printf("\n");
		fflush(stdout);
		_exit(1);
	}
	printf("\n  repeat: SEED=%" PRIu64 " %s%s %s\n", seed, repeat_env, program, running->name);
	fflush(stdout);
	longjmp(end_of_test, 1);
}

static void test_begin_failure(const char *file, int line)
{
	expecting = false;
	printf("FAIL %s\n  %s:%d: ", running->name, file, line);
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list ap;

	test_begin_failure(file, line);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	test_end();
}

void test_fail_eq(const char *file, int line, const char *what, uint64_t a, uint64_t b)
{
	test_begin_failure(file, line);
	printf("%s\n    %" PRId64 " (0x%" PRIx64 ")\n    %" PRId64 " (0x%" PRIx64 ")", what,
		(int64_t)a, a, (int64_t)b, b);
	test_end();
}

static void test_print_bytes(struct str s)
{
	printf("    %zu bytes \"", s.len);
	for (size_t i = 0; i < s.len && i < 256; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= ' ' && c < 127 && c != '"' && c != '\\')
			putchar(c);
		else
			printf("\\x%02x", c);
	}
	printf("%s\"\n", s.len > 256 ? "..." : "");
}

void test_fail_bytes(const char *file, int line, const char *what, struct str a, struct str b)
{
	test_begin_failure(file, line);
	printf("%s\n", what);
	test_print_bytes(a);
	test_print_bytes(b);
	test_end();
}

void assert_fail(const char *file, int line, const char *expr)
{
	if (expecting) {
		expecting = false;
		longjmp(assert_expected, 1);
	}
	if (running)
		test_fail(file, line, "assertion failed: %s", expr);
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

void test_in_child(void (*fn)(void *arg), void *arg, uint64_t child_seed, const char *env,
	unsigned seconds)
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		in_child = true;
		seed = child_seed;
		alarm(seconds);
		fn(arg);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		test_fail(__FILE__, __LINE__, "no process can be made");
	if (status == 0)
		return;
	seed = child_seed;
	repeat_env = env;
	if (WIFSIGNALED(status))
		test_fail(__FILE__, __LINE__, "the run ended by signal %d%s", WTERMSIG(status),
			WTERMSIG(status) == SIGALRM ? ": it took too long" : "");
	test_fail(__FILE__, __LINE__, "the run failed, see above");
}

static void test_read_seed(void)
{
	const char *s = getenv("SEED");

	if (!s)
		return;
	if (strcmp(s, "random") != 0)
		seed = strtoull(s, NULL, 0);
	else if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		abort();
}

int main(int argc, char **argv)
{
	/* Survive the longjmp at the end of a failed test. */
	static unsigned passed, failed;
	static struct test *t;
	const char *filter = argc > 1 ? argv[1] : "";
	const char *slash = strrchr(argv[0], '/');
	static uint64_t first_seed;

	program = argv[0];
	test_read_seed();
	first_seed = seed;
	for (t = first; t; t = t->next) {
		if (!strstr(t->name, filter))
			continue;
		running = t;
		seed = first_seed;
		repeat_env = "";
		if (setjmp(end_of_test) == 0) {
			t->fn();
			passed++;
		} else {
			failed++;
		}
		expecting = false;
	}
	running = NULL;
	printf("%s: %u passed, %u failed\n", slash ? slash + 1 : argv[0], passed, failed);
	if (passed + failed == 0)
		printf("no test has \"%s\" in its name\n", filter);
	return failed != 0 || passed == 0;
}
