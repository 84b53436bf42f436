/*
 * entry.S - where the firmware hands over. The kernel is identity-mapped, so it
 * runs the same before and after paging is on (hart.c switches it on).
 *
 * The first hart, whichever it is: a0 = hart id, a1 = device tree. The others
 * come through SBI HSM: a0 = hart id. Only the hart id can be relied upon: OpenSBI
 * before 1.3 marks a hart as started before it has stored the address and the
 * argument, so that a hart that was about to look comes to arch_entry, or comes
 * with the device tree as its argument. So entry_taken tells the first from the
 * others, and these find their base by their hart id.
 */
#include "arch/riscv64/asm.h"

	.section .text.entry, "ax"
	.globl arch_entry
arch_entry:
	.option push
	.option norelax
	csrw	sie, zero
	csrci	sstatus, 2
	lla	t0, early_trap
	csrw	stvec, t0
	lla	t0, entry_taken
	li	t1, 1
	amoswap.w.aq t1, t1, (t0)
	bnez	t1, arch_entry_secondary
	lla	t0, bss_start
	lla	t1, image_end
1:	sd	zero, 0(t0)		/* bss starts and ends at a multiple of 8 */
	addi	t0, t0, 8
	bltu	t0, t1, 1b
	lla	gp, percpu_area
	lla	sp, boot_stack_top
	li	s0, 0
	li	ra, 0
	call	arch_entry_first

	.globl arch_entry_secondary
arch_entry_secondary:
	csrw	sie, zero
	lla	t0, early_trap
	csrw	stvec, t0
	fence	rw, rw			/* after the call that started us: arch_cpu_start */
	lla	t1, arch_percpu_base
1:	ld	gp, 0(t1)
	beqz	gp, 4f			/* nobody asked for this hart */
	LD(t0, HART_ID, gp)
	addi	t1, t1, 8
	bne	t0, a0, 1b
	LD(t0, HART_CURRENT, gp)
	LD(sp, THREAD_STACK_TOP, t0)
	li	s0, 0
	li	ra, 0
	call	arch_entry_other

/*
 * Until the trap vector is set, an exception is the break of semihosting where nobody
 * listens, which goes on behind it, or means that this processor cannot run the kernel's
 * instructions. Says so with base instructions only.
 */
	.balign 4
early_trap:
	csrr	t0, sepc
	lla	t1, arch_semihost_break
	bne	t0, t1, 1f
	addi	t0, t0, 4
	csrw	sepc, t0
	sret
1:	lla	s1, early_sentence
1:	lbu	a0, 0(s1)
	beqz	a0, 2f
	li	a7, 1			/* SBI putchar */
	ecall
	addi	s1, s1, 1
	j	1b
2:	lla	t0, 3f
	csrw	stvec, t0
	li	a0, 0x20		/* exit with a status, by semihosting */
	lla	a1, early_status
	j	5f			/* what fills the gap need not be instructions */
	.balign 16
	.option norvc
5:	slli	zero, zero, 0x1f
	ebreak
	srai	zero, zero, 7
	.balign 4
3:	li	a7, 0x53525354		/* no semihosting: power off by SBI */
	li	a6, 0
	li	a0, 0
	li	a1, 1
	ecall
4:	wfi
	j	4b
	.option pop

	.section .data.entry, "aw"
	.balign 4
entry_taken:
	.word	0

	.section .rodata.early, "a"
early_sentence:
	.asciz "\r\nboot refused: this processor lacks an instruction that the kernel is compiled for (rv64imac with Zba, Zbb, Zbs)\r\n"
	.balign 8
early_status:
	.quad 0x20026, 2
