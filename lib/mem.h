/*
 * mem.h - copying, filling and comparing memory, a word at a time.
 *
 * The kernel calls these by their C names (lib/base.h), which lib/mem.c makes
 * aliases of them in a freestanding build. On the host the C names are the C
 * library's, so that the sanitizers see through them, and these are what the
 * test calls. Semantics are those of the C standard.
 *
 * Context: any, from the first instruction of C on. Main memory only.
 */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include "lib/base.h"

void *mem_copy(void *restrict dst, const void *restrict src, size_t n);
void *mem_move(void *dst, const void *src, size_t n);
void *mem_set(void *dst, int c, size_t n);
int mem_compare(const void *a, const void *b, size_t n);

/*
 * Like mem_compare() == 0, in a time that depends on n only: for secrets.
 */
bool mem_eq_secret(const void *a, const void *b, size_t n);

#endif
