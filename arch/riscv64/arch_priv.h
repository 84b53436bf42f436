/*
 * arch_priv.h - what the files of arch/riscv64 share: the registers of a trap,
 * firmware calls, and each other's beginnings.
 */
#ifndef ARCH_RISCV64_ARCH_PRIV_H
#define ARCH_RISCV64_ARCH_PRIV_H

#include "arch/arch.h"

/* All registers of code that an exception stopped; x[0] is unused. Built by trap.S. */
struct trap_frame {
	uint64_t x[32];
	uint64_t pc, status, cause, value;
};

/* What arch_switch leaves below the sp of a thread, which is arch_thread.context. */
struct arch_context {
	uint64_t ra, s[12], pad;
};

#define CAUSE_ILLEGAL     2
#define CAUSE_BREAKPOINT  3
#define CAUSE_FETCH_FAULT 12
#define CAUSE_LOAD_FAULT  13
#define CAUSE_STORE_FAULT 15

#define SIP_SOFT  0x2UL
#define SIP_TIMER 0x20UL

/* ---- SBI ---- */

#define SBI_EXT_TIME 0x54494d45
#define SBI_EXT_IPI  0x735049
#define SBI_EXT_HSM  0x48534d
#define SBI_EXT_SRST 0x53525354
#define SBI_PUTCHAR  1 /* the only way to print that every firmware has */

void arch_trace_firmware(uint64_t begin); /* sections.c */

static inline long sbi_call(unsigned long ext, unsigned long fn, unsigned long p0,
	unsigned long p1, unsigned long p2)
{
	uint64_t begin = config_on(CONFIG_LATENCY_TRACE) ? arch_instret() : 0;
	register unsigned long a0 __asm__("a0") = p0;
	register unsigned long a1 __asm__("a1") = p1;
	register unsigned long a2 __asm__("a2") = p2;
	register unsigned long a6 __asm__("a6") = fn;
	register unsigned long a7 __asm__("a7") = ext;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	long result = (long)a0; /* before the next call, which does not keep it */
	if (config_on(CONFIG_LATENCY_TRACE))
		arch_trace_firmware(begin);
	return result;
}

/* entry.S, trap.S, switch.S */
extern char arch_entry_secondary[], arch_trap_vector[], arch_thread_start[];
long arch_semihost(unsigned long op, const void *arg);

/* The linker's marks. */
extern char image_start[], __text_start[], __text_end[], rodata_start[], rodata_end[], image_end[];
extern char percpu_load[], percpu_load_end[], percpu_area[], boot_stack_top[], emergency_stacks[];

#define EMERGENCY_STACK_SIZE 4096

/* Called by entry.S and trap.S */
noreturn void arch_entry_first(uint64_t hart_id, const void *fdt);
noreturn void arch_entry_other(void);
void arch_exception(struct trap_frame *frame);
noreturn void arch_stack_overflow(struct trap_frame *frame);
void arch_ipi_taken(void);

/* Called by sections_trace.S: arch_instret() and the place. */
void section_irqs_off(uint64_t at, uintptr_t pc);
void section_irqs_on(uint64_t at, uintptr_t pc);
void section_trap_entry(uint64_t at, uintptr_t pc);
void section_trap_exit(uint64_t at, uintptr_t pc);
void section_preempt_off(uint64_t at, uintptr_t pc);
void section_preempt_on(uint64_t at, uintptr_t pc);
void section_preempt_point(uint64_t at, uintptr_t pc);

void arch_paging_init(void);
void arch_paging_enable(void); /* this hart */
void arch_flush_here(void);
void arch_timer_init_hart(struct arch_hart *h);

#endif
