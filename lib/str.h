/*
 * str.h - text: a pointer and a length, read-only, never NUL-terminated.
 *
 * A str does not own its bytes: who hands one out says how long they live. Any
 * byte may occur in it. str_of_cstr() is the door through which text from the
 * device tree or the loader comes in; nothing else measures a C string.
 *
 * Context: any. No function here allocates, locks or fails with a crash on
 * foreign input.
 */
#ifndef LIB_STR_H
#define LIB_STR_H

#include "lib/base.h"
#include "lib/result.h"

struct str {
	const char *ptr;
	size_t len;
};

#define STR_EMPTY ((struct str){0})
/* A literal as a str; STR_INIT for static initializers. */
#define S(lit)        ((struct str){"" lit, sizeof(lit) - 1})
#define STR_INIT(lit) {"" lit, sizeof(lit) - 1}
/* Arguments for "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).ptr

/* At most max bytes of a NUL-terminated text. */
struct str str_of_cstr(const char *s, size_t max);

static inline struct str str_of(const void *ptr, size_t len)
{
	return (struct str){ptr, len};
}

/* ASCII only. */
static inline char str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
int str_cmp(struct str a, struct str b);        /* <0, 0, >0: bytewise, shorter first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* The part from `from` up to, not including, `to`; both are clamped to the length. */
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
	to = min(to, s.len);
	from = min(from, to);
	/* Arithmetic on NULL is undefined, and an empty str may have it. */
	return from == 0 ? str_of(s.ptr, to) : str_of(s.ptr + from, to - from);
}

/* Without ASCII space, tab, CR and LF at both ends. */
struct str str_trim(struct str s);

/* Index of the first c, or of the first occurrence of needle; s.len if none. */
size_t str_find_char(struct str s, char c);
size_t str_find(struct str s, struct str needle);

/*
 * Cuts *s at the first `sep`: returns what stands before it and leaves in *s
 * what stands after it. Without a sep the whole is returned and *s is empty.
 */
struct str str_cut(struct str *s, char sep);
/* The next word (separated by spaces and tabs) of *s; empty at the end. */
struct str str_word(struct str *s);

/*
 * The whole of s as a number: ERR_INVAL if it is not one, ERR_RANGE if it does
 * not fit. Digits only: no sign (i64 takes a leading '-'), no 0x, no spaces.
 */
must_check struct u64_result str_to_u64(struct str s, unsigned base); /* base 10 or 16 */
must_check struct i64_result str_to_i64(struct str s);

#endif
