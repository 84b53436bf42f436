/*
 * switch.S - from one thread to another. Meant to be tail-called: what has to
 * happen on the other side happens in whoever called there.
 */
#include "arch/riscv64/asm.h"

/*
 * int arch_switch(from, to, finish): a0 and a1 are still the same when finish begins. The context lies just below
 * sp, which stays: with interrupts off, nobody else writes there.
 */
FUNCTION(arch_switch)
	sd	ra, 0 - CONTEXT_SIZE(sp)
	sd	s0, 8 - CONTEXT_SIZE(sp)
	sd	s1, 16 - CONTEXT_SIZE(sp)
	sd	s2, 24 - CONTEXT_SIZE(sp)
	sd	s3, 32 - CONTEXT_SIZE(sp)
	sd	s4, 40 - CONTEXT_SIZE(sp)
	sd	s5, 48 - CONTEXT_SIZE(sp)
	sd	s6, 56 - CONTEXT_SIZE(sp)
	sd	s7, 64 - CONTEXT_SIZE(sp)
	sd	s8, 72 - CONTEXT_SIZE(sp)
	sd	s9, 80 - CONTEXT_SIZE(sp)
	sd	s10, 88 - CONTEXT_SIZE(sp)
	sd	s11, 96 - CONTEXT_SIZE(sp)
	SD(sp, THREAD_CONTEXT, a0)
	LD(sp, THREAD_CONTEXT, a1)
	SD(a1, HART_CURRENT, gp)
	ld	ra, 0 - CONTEXT_SIZE(sp)
	ld	s0, 8 - CONTEXT_SIZE(sp)
	ld	s1, 16 - CONTEXT_SIZE(sp)
	ld	s2, 24 - CONTEXT_SIZE(sp)
	ld	s3, 32 - CONTEXT_SIZE(sp)
	ld	s4, 40 - CONTEXT_SIZE(sp)
	ld	s5, 48 - CONTEXT_SIZE(sp)
	ld	s6, 56 - CONTEXT_SIZE(sp)
	ld	s7, 64 - CONTEXT_SIZE(sp)
	ld	s8, 72 - CONTEXT_SIZE(sp)
	ld	s9, 80 - CONTEXT_SIZE(sp)
	ld	s10, 88 - CONTEXT_SIZE(sp)
	ld	s11, 96 - CONTEXT_SIZE(sp)
	jr	a2
END(arch_switch)

/* The first time: arch_thread_init put entry into s1 and its argument into s2. */
FUNCTION(arch_thread_start)
	mv	a0, s2
	li	ra, 0
	jr	s1
END(arch_thread_start)

/* For arch_call_rare(): t1(t2, t3), back to t0, with all that a C call may destroy kept but t0 to t3. */
FUNCTION(arch_rare)
	addi	sp, sp, -128
	sd	ra, 0(sp)
	sd	t0, 8(sp)
	sd	t4, 16(sp)
	sd	t5, 24(sp)
	sd	t6, 32(sp)
	sd	a0, 40(sp)
	sd	a1, 48(sp)
	sd	a2, 56(sp)
	sd	a3, 64(sp)
	sd	a4, 72(sp)
	sd	a5, 80(sp)
	sd	a6, 88(sp)
	sd	a7, 96(sp)
	mv	a0, t2
	mv	a1, t3
	jalr	t1
	ld	ra, 0(sp)
	ld	t0, 8(sp)
	ld	t4, 16(sp)
	ld	t5, 24(sp)
	ld	t6, 32(sp)
	ld	a0, 40(sp)
	ld	a1, 48(sp)
	ld	a2, 56(sp)
	ld	a3, 64(sp)
	ld	a4, 72(sp)
	ld	a5, 80(sp)
	ld	a6, 88(sp)
	ld	a7, 96(sp)
	addi	sp, sp, 128
	jr	t0
END(arch_rare)

/* long arch_semihost(op, arg): the three instructions that a debugger or emulator looks for. */
	.section .text.arch_semihost, "ax"
	.balign 16
	.globl arch_semihost
	.type arch_semihost, @function
	.option push
	.option norvc
arch_semihost:
	slli	zero, zero, 0x1f
	.globl arch_semihost_break
arch_semihost_break:
	ebreak
	srai	zero, zero, 7
	ret
	.option pop
END(arch_semihost)

/*
 * Probes: each touches memory in one instruction, which the table names with the
 * place where the trap goes on. a0 = address; result 1, or 0 after a fault.
 */
.macro	may_fault at, next
	.pushsection .extable, "a"
	.quad	\at, \next
	.popsection
.endm

FUNCTION(arch_probe_read)
	may_fault 1f, probe_failed
1:	lbu	a2, 0(a0)
	sb	a2, 0(a1)
	li	a0, 1
	ret
END(arch_probe_read)

FUNCTION(arch_probe_write)
	may_fault 1f, probe_failed
1:	sb	a1, 0(a0)
	li	a0, 1
	ret
END(arch_probe_write)

/* The fault's pc is the address itself: the hart's probe_pc says that it is expected. */
FUNCTION(arch_probe_call)
	addi	sp, sp, -16
	sd	ra, 0(sp)
	jalr	a0
	ld	ra, 0(sp)
	addi	sp, sp, 16
	li	a0, 1
	ret
	.globl arch_probe_call_failed
arch_probe_call_failed:
	ld	ra, 0(sp)
	addi	sp, sp, 16
probe_failed:
	li	a0, 0
	ret
END(arch_probe_call)
