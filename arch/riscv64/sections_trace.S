/*
 * sections_trace.S - the calls of arch_trace() and of trap.S: into sections.c with
 * instret and the place, interrupts off, and back to t0 with every register but that kept.
 */
#include "arch/riscv64/asm.h"

#define TRACE_SIZE 144

.macro section event
FUNCTION(arch_trace_\event)
	addi	sp, sp, -TRACE_SIZE
	sd	t1, 0(sp)
	csrrci	t1, sstatus, 2
	sd	t1, 128(sp)
	rdinstret t1
	sd	ra, 8(sp)
	sd	t2, 16(sp)
	sd	t3, 24(sp)
	sd	t4, 32(sp)
	sd	t5, 40(sp)
	sd	t6, 48(sp)
	sd	a0, 56(sp)
	sd	a1, 64(sp)
	sd	a2, 72(sp)
	sd	a3, 80(sp)
	sd	a4, 88(sp)
	sd	a5, 96(sp)
	sd	a6, 104(sp)
	sd	a7, 112(sp)
	sd	t0, 120(sp)
	mv	a0, t1
	mv	a1, t0
	call	section_\event
	ld	t2, 128(sp)
	andi	t2, t2, 2
	csrs	sstatus, t2
	ld	t1, 0(sp)
	ld	ra, 8(sp)
	ld	t2, 16(sp)
	ld	t3, 24(sp)
	ld	t4, 32(sp)
	ld	t5, 40(sp)
	ld	t6, 48(sp)
	ld	a0, 56(sp)
	ld	a1, 64(sp)
	ld	a2, 72(sp)
	ld	a3, 80(sp)
	ld	a4, 88(sp)
	ld	a5, 96(sp)
	ld	a6, 104(sp)
	ld	a7, 112(sp)
	ld	t0, 120(sp)
	addi	sp, sp, TRACE_SIZE
	jr	t0
END(arch_trace_\event)
.endm

	section	irqs_off
	section	irqs_on
	section	trap_entry
	section	trap_exit
	section	preempt_off
	section	preempt_on
	section	preempt_point
