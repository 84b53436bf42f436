/*
 * symtab.h - the image's table of function names, for backtraces. Private to
 * diag; tools/mksyms.py writes it after a first link, the build links it in.
 *
 *	header | offset[count] | name[count] | names (names_len bytes)
 *
 * offset[i] is the function's address minus base; ascending, each once. The
 * name of function i begins at names + name[i]: one byte of length, then that
 * many bytes, no NUL. The function of an address is the last whose offset is
 * not above it, as long as the address is below base + text_len.
 *
 * The section .symtab_mz is read-only and lies behind the text, which so has
 * the same addresses in both links. In the first link it is empty:
 * __symtab_end == __symtab_start.
 */
#ifndef KERNEL_DIAG_SYMTAB_H
#define KERNEL_DIAG_SYMTAB_H

#include "lib/base.h"

#define SYMTAB_MAGIC 0x4d5a5359u /* "YSZM" in memory */

struct symtab_header {
	uint32_t magic;
	uint32_t count;
	uint64_t base;
	uint32_t text_len;
	uint32_t names_len;
};

static_assert(sizeof(struct symtab_header) == 24, "tools/mksyms.py writes 24 bytes");

extern const uint8_t __symtab_start[], __symtab_end[];

#endif
