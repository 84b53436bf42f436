/*
 * unaligned.h - loads and stores of words at any address, and in either byte
 * order: the one way to read fields of a packet, a device tree or a disk block.
 *
 *	load_u16 load_u32 load_u64          in the machine's order
 *	load_be16 load_be32 load_be64       big-endian (network order)
 *	load_le16 load_le32 load_le64       little-endian
 *	store_... (p, value)                the same for writing
 *
 * On RISC-V each access is one instruction, which needs a hart that performs
 * misaligned accesses to main memory (Zicclsm: every RVA20 and later profile,
 * and QEMU). The compilers of today would split it into bytes, hence the
 * assembly. Not for device registers; not atomic.
 */
#ifndef LIB_UNALIGNED_H
#define LIB_UNALIGNED_H

#include "lib/base.h"

/* Bytes as an operand of assembly: the type has no alignment and may alias all. */
struct unaligned_16 {
	char bytes[2];
};
struct unaligned_32 {
	char bytes[4];
};
struct unaligned_64 {
	char bytes[8];
};

#ifdef __riscv
#define UNALIGNED_LOAD(bits, v, p)                                                                 \
	__asm__(UNALIGNED_LOAD_##bits " %0, %1"                                                    \
		: "=r"(v)                                                                          \
		: "m"(*(const struct unaligned_##bits *)(p)))
#define UNALIGNED_STORE(bits, p, v)                                                                \
	__asm__(UNALIGNED_STORE_##bits " %z1, %0" : "=m"(*(struct unaligned_##bits *)(p)) : "rJ"(v))
#define UNALIGNED_LOAD_16  "lhu"
#define UNALIGNED_LOAD_32  "lwu"
#define UNALIGNED_LOAD_64  "ld"
#define UNALIGNED_STORE_16 "sh"
#define UNALIGNED_STORE_32 "sw"
#define UNALIGNED_STORE_64 "sd"
#else
#define UNALIGNED_LOAD(bits, v, p)  __builtin_memcpy(&(v), (p), sizeof(v))
#define UNALIGNED_STORE(bits, p, v) __builtin_memcpy((p), &(v), sizeof(v))
#endif

#define UNALIGNED_DEFINE(bits)                                                                     \
	static always_inline uint##bits##_t load_u##bits(const void *p)                            \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		UNALIGNED_LOAD(bits, v, p);                                                        \
		return v;                                                                          \
	}                                                                                          \
	static always_inline void store_u##bits(void *p, uint##bits##_t v)                         \
	{                                                                                          \
		UNALIGNED_STORE(bits, p, v);                                                       \
	}                                                                                          \
	static always_inline uint##bits##_t load_le##bits(const void *p)                           \
	{                                                                                          \
		return load_u##bits(p);                                                            \
	}                                                                                          \
	static always_inline void store_le##bits(void *p, uint##bits##_t v)                        \
	{                                                                                          \
		store_u##bits(p, v);                                                               \
	}                                                                                          \
	static always_inline uint##bits##_t load_be##bits(const void *p)                           \
	{                                                                                          \
		return __builtin_bswap##bits(load_u##bits(p));                                     \
	}                                                                                          \
	static always_inline void store_be##bits(void *p, uint##bits##_t v)                        \
	{                                                                                          \
		store_u##bits(p, __builtin_bswap##bits(v));                                        \
	}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "load_le and load_be assume it");

UNALIGNED_DEFINE(16)
UNALIGNED_DEFINE(32)
UNALIGNED_DEFINE(64)

#undef UNALIGNED_DEFINE

#endif
