/* assert.c - a failed assertion where no test runner is linked in (fuzzers). */
#include <stdio.h>
#include <stdlib.h>
#include "lib/assert.h"

void assert_fail(const char *file, int line, const char *expr)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}
