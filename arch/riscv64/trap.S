/*
 * trap.S - the way into the kernel from the kernel: interrupts and exceptions.
 *
 * stvec is vectored, so each interrupt has its own entry and nobody asks for the
 * cause. An interrupt saves what a C call may destroy and nothing more: if the
 * thread is preempted on the way out, arch_switch saves the rest. Interrupts do
 * not nest (arch_irq_window opens a place where they may); pc and status stay in
 * their registers unless the thread is preempted.
 *
 * Every entry first makes room and looks at one bit of sp: stacks are 2^n bytes
 * at multiples of 2^(n+1), so below the end of a stack bit n is set. Then the trap
 * goes on, on the hart's emergency stack, as the report of an overflow.
 */
#include "arch/riscv64/asm.h"

#define IRQ_PC   128
#define IRQ_SIZE 144

/*
 * A trap whose stack does not hold `size` more bytes leaves by stack_overflow. sp is turned so that the bit is its
 * sign, and back: no other register is needed.
 */
.macro	enter size, overflow
	addi	sp, sp, -\size
	rori	sp, sp, STACK_SHIFT + 1
	bltz	sp, \overflow
	rori	sp, sp, 63 - STACK_SHIFT
.endm

.macro	irq_entry handler
	enter	IRQ_SIZE, irq_overflow
	sd	ra, 0(sp)
	sd	t0, 8(sp)
	sd	t1, 16(sp)
	sd	t2, 24(sp)
	sd	t3, 32(sp)
	sd	t4, 40(sp)
	sd	t5, 48(sp)
	sd	t6, 56(sp)
	sd	a0, 64(sp)
	sd	a1, 72(sp)
	sd	a2, 80(sp)
	sd	a3, 88(sp)
	sd	a4, 96(sp)
	sd	a5, 104(sp)
	sd	a6, 112(sp)
	sd	a7, 120(sp)
	SD(sp, HART_IRQ_SP, gp)
	trace	trap_entry
	call	\handler
.endm

	.section .text.trap, "ax"
	.option push
	.option norvc
	.option norelax
	.balign 256
	.globl arch_trap_vector
arch_trap_vector:
	j	exception
	j	soft_irq			/* 1 */
	j	exception
	j	exception
	j	exception
	j	timer_irq			/* 5 */
	j	exception
	j	exception
	j	exception
	j	external_irq			/* 9 */
	j	exception
	j	exception
	j	exception
	j	exception
	j	exception
	j	exception
	.option pop

	.type timer_irq, @function
timer_irq:
	irq_entry upcall_timer
	j	irq_exit
	.type external_irq, @function
external_irq:
	irq_entry upcall_irq
	j	irq_exit
	.type soft_irq, @function
soft_irq:
	irq_entry arch_ipi_taken
irq_exit:
	LW(t0, HART_NEED_RESCHED, gp)
	SD(zero, HART_IRQ_SP, gp)
	bnez	t0, irq_preempt
irq_return:
	trace	trap_exit
	ld	ra, 0(sp)
	ld	t0, 8(sp)
	ld	t1, 16(sp)
	ld	t2, 24(sp)
	ld	t3, 32(sp)
	ld	t4, 40(sp)
	ld	t5, 48(sp)
	ld	t6, 56(sp)
	ld	a0, 64(sp)
	ld	a1, 72(sp)
	ld	a2, 80(sp)
	ld	a3, 88(sp)
	ld	a4, 96(sp)
	ld	a5, 104(sp)
	ld	a6, 112(sp)
	ld	a7, 120(sp)
	addi	sp, sp, IRQ_SIZE
	sret

irq_preempt:
	LD(t0, HART_CURRENT, gp)
	LW(t1, THREAD_PREEMPT_COUNT, t0)
	bnez	t1, irq_held
	csrr	t1, sepc
	sd	t1, IRQ_PC(sp)
	/* upcall_preempt() turns interrupts on for a moment; one that comes then does not preempt again, deeper. */
	li	t1, 1
	SW(t1, THREAD_PREEMPT_COUNT, t0)
1:	call	upcall_preempt
	csrci	sstatus, 2
	trace	irqs_off
	trace	preempt_point
	LW(t0, HART_NEED_RESCHED, gp)
	bnez	t0, 1b
	LD(t0, HART_CURRENT, gp)
	SW(zero, THREAD_PREEMPT_COUNT, t0)
	ld	t0, IRQ_PC(sp)
	li	t1, IRQ_RETURN_STATUS
	csrw	sepc, t0
	csrs	sstatus, t1
	j	irq_return

/* The switch has to wait for preemption: since when, for arch_preempt_due() to tell. */
irq_held:
	LB(t0, HART_RESCHED_HELD, gp)
	bnez	t0, irq_return
	li	t0, 1
	SB(t0, HART_RESCHED_HELD, gp)
	rdtime	t0
	SD(t0, HART_HELD_SINCE, gp)
	j	irq_return

/* All registers but x0, x2 (sp) and x5 (t0) into the frame at sp; t0 is free afterwards. */
.macro	save_most
	sd	x1, 8(sp)
	sd	x3, 24(sp)
	sd	x4, 32(sp)
	.irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, 8 * \n(sp)
	.endr
	csrr	t0, sepc
	SD(t0, FRAME_PC, sp)
	csrr	t0, sstatus
	SD(t0, FRAME_STATUS, sp)
	csrr	t0, scause
	SD(t0, FRAME_CAUSE, sp)
	csrr	t0, stval
	SD(t0, FRAME_VALUE, sp)
.endm

	.type exception, @function
exception:
	enter	FRAME_SIZE, exception_overflow
	sd	t0, 40(sp)
	save_most
	addi	t0, sp, FRAME_SIZE
	sd	t0, 16(sp)
	mv	a0, sp
	call	arch_exception
	/* Only what was expected comes back: to where the handler put pc, sp as it was. */
	LD(t0, FRAME_PC, sp)
	csrw	sepc, t0
	LD(t0, FRAME_STATUS, sp)
	csrw	sstatus, t0
	.irp n, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	x\n, 8 * \n(sp)
	.endr
	addi	sp, sp, FRAME_SIZE
	sret

irq_overflow:
	rori	sp, sp, 63 - STACK_SHIFT
	addi	sp, sp, IRQ_SIZE
	j	stack_overflow
exception_overflow:
	rori	sp, sp, 63 - STACK_SHIFT
	addi	sp, sp, FRAME_SIZE
	.type stack_overflow, @function
stack_overflow:
	SD(sp, HART_SCRATCH, gp)
	LD(sp, HART_EMERGENCY_TOP, gp)
	addi	sp, sp, -FRAME_SIZE
	sd	t0, 40(sp)
	save_most
	LD(t0, HART_SCRATCH, gp)
	sd	t0, 16(sp)
	mv	a0, sp
	call	arch_stack_overflow
	.globl arch_trap_end
arch_trap_end:
