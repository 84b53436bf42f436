/*
 * fmt.h - formatted output into an appendable buffer.
 *
 * The printf subset that the compiler can check: %d %u %x %X %c %p %%, with the
 * length modifiers hh h l ll z t, the flags 0 and -, a width, and %.*s for a
 * str (STR_ARG). %s takes a string literal or another static C string. Nothing
 * else is accepted. No floating point.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include "lib/buf.h"

/* Appends what fits; what does not sets a->overflow. Any context. */
printf_like(2, 3) void fmt(struct abuf *a, const char *format, ...);
void fmt_v(struct abuf *a, const char *format, va_list ap);

#endif
