/*
 * result.h - a value or an error, never one mistaken for the other.
 *
 *	RESULT(struct page *, page_result);       declares struct page_result
 *	struct page_result r = page_alloc(0);
 *	if (r.err != OK)
 *		return r.err;
 *	use(r.value);
 *
 * Two words at most, so that RV64 returns it in a0 and a1. A function that
 * returns one is declared must_check. `value` is meaningless unless err is OK.
 */
#ifndef LIB_RESULT_H
#define LIB_RESULT_H

#include "lib/base.h"

#define RESULT(type, name)                                                                         \
	struct name {                                                                              \
		type value;                                                                        \
		enum err err;                                                                      \
	};                                                                                         \
	static_assert(sizeof(struct name) <= 16, #name " does not fit two registers")

/* Values of result struct `name`. */
#define OK_RESULT(name, v)  ((struct name){.value = (v), .err = OK})
#define ERR_RESULT(name, e) ((struct name){.err = (e)})

RESULT(size_t, size_result);
RESULT(uint64_t, u64_result);
RESULT(int64_t, i64_result);
RESULT(void *, ptr_result);

#endif
