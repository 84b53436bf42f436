/*
 * base.h - the words that every file uses: fixed-width integers, attributes,
 * arithmetic that says what it means. Freestanding; no code is generated for
 * what is not used.
 */
#ifndef LIB_BASE_H
#define LIB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/err.h"

#define must_check         __attribute__((warn_unused_result))
#define noreturn           __attribute__((noreturn))
#define unused             __attribute__((unused))
#define packed             __attribute__((packed))
#define noinline           __attribute__((noinline))
#define always_inline      inline __attribute__((always_inline))
#define cold               __attribute__((cold))
#define aligned_to(n)      __attribute__((aligned(n)))
#define section(name)      __attribute__((section(name), used))
#define printf_like(f, a)  __attribute__((format(printf, f, a)))
#define likely(x)          __builtin_expect(!!(x), 1)
#define unlikely(x)        __builtin_expect(!!(x), 0)
#define static_assert      _Static_assert

#define CACHE_LINE 64

/* 1 if the Kconfig symbol is y, else 0; for C, so that both sides are compiled. */
#define config_on(symbol)    config_on_1(symbol)
#define config_on_1(value)   config_on_2(config_is_##value)
#define config_on_2(comma)   config_on_3(comma 1, 0, 0)
#define config_on_3(a, b, ...) b
#define config_is_1          ,

#define countof(a)                 (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, mem) ((type *)((char *)(p) - offsetof(type, mem)))
/* Arguments are evaluated once. Names of their own for each use, so that uses nest. */
#define UNIQUE_PASTE_(name, n) name##_##n
#define UNIQUE_PASTE(name, n)  UNIQUE_PASTE_(name, n)
#define UNIQUE(name)           UNIQUE_PASTE(name, __COUNTER__)
#define min(a, b)              PICK(a, <, b, UNIQUE(pick_a), UNIQUE(pick_b))
#define max(a, b)              PICK(a, >, b, UNIQUE(pick_a), UNIQUE(pick_b))
#define PICK(a, order, b, name_a, name_b)                                                          \
	({                                                                                         \
		__typeof__(a) name_a = (a);                                                        \
		__typeof__(b) name_b = (b);                                                        \
		name_a order name_b ? name_a : name_b;                                             \
	})
/* n is a power of two */
#define align_up(x, n)   (((x) + ((__typeof__(x))(n)-1)) & ~((__typeof__(x))(n)-1))
#define align_down(x, n) ((x) & ~((__typeof__(x))(n)-1))
#define is_pow2(x)       ((x) != 0 && ((x) & ((x)-1)) == 0)
#define div_up(x, n)     (((x) + (n)-1) / (n))

/* The compiler may call these by itself; lib/mem.c defines them for the kernel. */
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
