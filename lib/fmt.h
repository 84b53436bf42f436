/*
 * fmt.h - formatted output into an appendable buffer.
 *
 * The printf subset that the compiler can check: %d %u %x %X %c %p %%, with the
 * length modifiers hh h l ll z t, the flags 0 and -, a width, and %.*s for a
 * str (STR_ARG). %s takes a string literal or another static C string. Nothing
 * else is accepted. No floating point.
 *
 * Panic prints through this, so it trusts nothing: a NULL text prints "(null)",
 * a negative precision counts as 0, a width as at most 4096, and a conversion
 * outside the subset prints the rest of the format as it stands, because the
 * arguments behind it can no longer be found. %p prints 0x and hexadecimal
 * digits, NULL too.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include "lib/buf.h"

/* Appends what fits; what does not sets a->overflow. Any context. */
printf_like(2, 3) void fmt(struct abuf *a, const char *format, ...);
/* As fmt() with "%lu" and "%ld", without a format to read: for writers of many numbers. */
void fmt_u64(struct abuf *a, uint64_t value);
void fmt_i64(struct abuf *a, int64_t value);

printf_like(2, 0) void fmt_v(struct abuf *a, const char *format, va_list ap);

#endif
