/*
 * asm.h - loads and stores of struct fields in assembly. The width of each field
 * is generated beside its offset, and a load of another width does not assemble:
 * a 64-bit load of a 32-bit field once read its neighbour as "do not preempt".
 */
#ifndef ARCH_RISCV64_ASM_H
#define ARCH_RISCV64_ASM_H

#include "generated/offsets.h"

/* clang-format off */
.macro assert_width width, expected
	.if \width - \expected
	.error "the field is not of the width of this access"
	.endif
.endm

#define LD(reg, field, base) assert_width field##_WIDTH, 8; ld reg, field(base)
#define SD(reg, field, base) assert_width field##_WIDTH, 8; sd reg, field(base)
#define LW(reg, field, base) assert_width field##_WIDTH, 4; lw reg, field(base)
#define SW(reg, field, base) assert_width field##_WIDTH, 4; sw reg, field(base)
#define LB(reg, field, base) assert_width field##_WIDTH, 1; lbu reg, field(base)
#define SB(reg, field, base) assert_width field##_WIDTH, 1; sb reg, field(base)

/* Tells sections.S; t0 is lost. */
.macro trace what
#ifdef CONFIG_LATENCY_TRACE
	call	t0, arch_trace_\what
#endif
.endm

#define FUNCTION(name) .section .text.name, "ax"; .balign 4; .globl name; .type name, @function; name:
#define END(name) .size name, . - name
/* clang-format on */

#endif
