/*
 * inline.h - the hot part of arch.h for RISC-V, in as few instructions as it takes.
 *
 * gp holds the address of the hart's copy of .percpu, in the kernel always. The
 * section is linked at address 0, so a variable's address is its offset. The
 * first thing in it is struct arch_hart, so that arch's own fields are one load
 * or store away: ld t0, 0(gp).
 *
 * arch_current() is a plain asm without volatile: a thread is always itself, so
 * the compiler may keep the value over a call that switches. All else that reads
 * gp is volatile, because the hart may change whenever preemption is on.
 */
#ifndef ARCH_RISCV64_INLINE_H
#define ARCH_RISCV64_INLINE_H

#include "lib/assert.h"

#define SSTATUS_SIE  0x2UL
#define SSTATUS_SPIE 0x20UL
#define SSTATUS_SPP  0x100UL
#define SSTATUS_FS   0x6000UL /* state of the floating-point registers; 0: off */
#define SIP_EXT      0x200UL  /* external interrupt; the others in arch_priv.h */

/* What arch keeps for each hart; offset 0 of .percpu. Assembly knows it by offsets.h. */
struct arch_hart {
	struct arch_thread *current;
	union {
		uint32_t need_resched; /* a switch is due: not 0 */
		struct {
			uint8_t resched_due;
			uint8_t resched_held; /* and preemption was off when an interrupt wanted to make it */
		};
	};
	uint32_t cpu;
	uintptr_t irq_sp;          /* sp at the interrupt that is being served, 0: none */
	uint32_t ns_per_tick;      /* of the time CSR */
	uint32_t ipi_pending;      /* atomic: bit per enum ipi, set by senders */
	uintptr_t scratch;         /* trap entry */
	uintptr_t emergency_top;   /* stack for a trap that found none */
	uintptr_t probe_pc;        /* arch_probe_exec is trying this address */
	uint64_t timer_ticks;      /* what the timer is set to */
	uint64_t held_since;       /* time CSR when resched_held was set */
	uint64_t flush_generation; /* of the address space, as seen by this hart */
	uint64_t base;             /* this hart's gp */
	uint32_t online;
	uint32_t sbi_timer;        /* no Sstc: the timer is set by the firmware */
	uint32_t *sswi;            /* this hart's software-interrupt register, NULL: by the firmware */
	uint64_t hart_id;
	uint64_t line;             /* cpu * CACHE_LINE */
};

extern struct arch_hart arch_hart_template; /* at offset 0 of .percpu */
extern uintptr_t arch_percpu_base[CPU_MAX + 1];

#define arch_barrier() __asm__ volatile("" ::: "memory")

/* ---- per-hart data ---- */

#define PERCPU(type, name)      aligned_to(8) section(".percpu") type name
#define PERCPU_NEAR(type, name) aligned_to(8) section(".percpu.near") type name
#define PERCPU_DECLARE(type, name) extern type name

#define percpu_offset(name)                                                                        \
	({                                                                                         \
		uintptr_t offset_;                                                                 \
		__asm__("lui %0, %%hi(%1)\n\taddi %0, %0, %%lo(%1)" : "=r"(offset_) : "S"(&(name)));  \
		offset_;                                                                           \
	})

/* The address of this hart's copy, without asking whether preemption is off. */
#define arch_percpu_here(name)                                                                     \
	({                                                                                         \
		uintptr_t here_;                                                                   \
		__asm__ volatile("add %0, gp, %1" : "=r"(here_) : "r"(percpu_offset(name)));          \
		(__typeof__(name) *)here_;                                                         \
	})

/* The same of one that stands in the first 2 KiB (kernel.ld), in one instruction. Relaxed it would have 0 in gp's place. */
#define arch_percpu_near(name)                                                                     \
	({                                                                                         \
		uintptr_t near_;                                                                   \
		__asm__ volatile(".option push\n\t.option norelax\n\taddi %0, gp, %%lo(%1)\n\t.option pop" \
				 : "=r"(near_) : "S"(&(name)));                                    \
		(__typeof__(name) *)near_;                                                         \
	})

#ifdef CONFIG_DEBUG
#define this_cpu(name)      (*(arch_assert_pinned(), arch_percpu_here(name)))
#define this_cpu_near(name) (*(arch_assert_pinned(), arch_percpu_near(name)))
#else
#define this_cpu(name)      (*arch_percpu_here(name))
#define this_cpu_near(name) (*arch_percpu_near(name))
#endif
#define cpu_of(name, n) (*(__typeof__(name) *)(arch_percpu_base[n] + percpu_offset(name)))

/* The constant offset of a field of struct arch_hart, and this hart's struct. */
#define HART(field) "i"(offsetof(struct arch_hart, field))

static inline struct arch_hart *arch_hart(void)
{
	struct arch_hart *h;
	__asm__ volatile("mv %0, gp" : "=r"(h));
	return h;
}

static inline struct arch_thread *arch_current(void)
{
	struct arch_thread *t;
	__asm__("ld %0, %1(gp)" : "=r"(t) : HART(current));
	return t;
}

static inline void arch_current_set(struct arch_thread *t)
{
	__asm__ volatile("sd %0, %1(gp)" ::"r"(t), HART(current) : "memory");
}

static inline uint32_t arch_cpu(void)
{
	uint32_t cpu;
	__asm__ volatile("lw %0, %1(gp)" : "=r"(cpu) : HART(cpu));
	return cpu;
}

static inline size_t arch_cpu_line(void)
{
	size_t line;
	__asm__ volatile("ld %0, %1(gp)" : "=r"(line) : HART(line));
	return line;
}

/* ---- interrupts ---- */

/* What sections.S is told of, with CONFIG_LATENCY_TRACE; it keeps every register but t0. */
#define arch_trace(what)                                                                           \
	do {                                                                                       \
		if (config_on(CONFIG_LATENCY_TRACE))                                               \
			__asm__ volatile("call t0, arch_trace_" #what ::: "t0", "memory");         \
	} while (0)

static inline irqflags arch_irq_save(void)
{
	irqflags flags;
	__asm__ volatile("csrrci %0, sstatus, 2" : "=r"(flags)::"memory");
	arch_trace(irqs_off);
	return flags;
}

static inline void arch_irq_restore(irqflags flags)
{
	if (config_on(CONFIG_LATENCY_TRACE) && irqflags_enabled(flags))
		arch_trace(irqs_on);
	__asm__ volatile("csrs sstatus, %0" ::"r"(flags & SSTATUS_SIE) : "memory");
}

static inline void arch_irq_enable(void)
{
	arch_trace(irqs_on);
	__asm__ volatile("csrsi sstatus, 2" ::: "memory");
}

static inline void arch_irq_disable(void)
{
	__asm__ volatile("csrci sstatus, 2" ::: "memory");
	arch_trace(irqs_off);
}

static inline bool irqflags_enabled(irqflags flags)
{
	return flags & SSTATUS_SIE;
}

static inline bool arch_irqs_enabled(void)
{
	irqflags flags;
	__asm__ volatile("csrr %0, sstatus" : "=r"(flags)::"memory");
	return irqflags_enabled(flags);
}

static inline bool arch_irq_external(void)
{
	uintptr_t sip;
	__asm__ volatile("csrr %0, sip" : "=r"(sip)::"memory");
	return sip & SIP_EXT;
}

static inline bool arch_in_interrupt(void)
{
	uintptr_t sp;
	__asm__ volatile("ld %0, %1(gp)" : "=r"(sp) : HART(irq_sp));
	return sp != 0;
}

/* ---- preemption ---- */

static inline void preempt_disable(void)
{
	arch_current()->preempt_count++;
	arch_barrier();
	arch_trace(preempt_off);
}

static inline bool arch_need_resched(void)
{
	long due;
	__asm__ volatile("lw %0, %1(gp)" : "=r"(due) : HART(need_resched) : "memory");
	return due;
}

static inline void arch_need_resched_set(void)
{
	__asm__ volatile("sb %0, %1(gp)" ::"r"(1), HART(resched_due) : "memory");
}

static inline void arch_need_resched_clear(void)
{
	__asm__ volatile("sw zero, %0(gp)" ::HART(need_resched) : "memory");
}

void arch_preempt_due(void); /* the count reached 0 and need_resched is set */

static inline void preempt_enable(void)
{
	arch_barrier();
	if (--arch_current()->preempt_count == 0) {
		arch_trace(preempt_on);
		if (unlikely(arch_need_resched()))
			arch_preempt_due();
	}
}

static inline void preempt_enable_irqs_off(void)
{
	arch_current()->preempt_count--;
}

static inline bool preempt_is_enabled(void)
{
	return arch_current()->preempt_count == 0 && arch_irqs_enabled();
}

static inline void arch_assert_pinned(void)
{
	debug_assert(!preempt_is_enabled());
}

/* ---- atomic steps ---- */

static inline bool arch_take_positive(int32_t *p)
{
	__asm__ goto("1:	lr.w.aq	t0, %0\n\t"
		     "	blez	t0, %l[none]\n\t"
		     "	addi	t0, t0, -1\n\t"
		     "	sc.w	t0, t0, %0\n\t"
		     "	bnez	t0, 1b"
		     :
		     : "A"(*p)
		     : "t0", "memory"
		     : none);
	return true;
none:
	return false;
}

static inline int arch_give_below(int32_t *p, int32_t max)
{
	__asm__ goto("1:	lr.w	t0, %0\n\t"
		     "	bltz	t0, %l[negative]\n\t"
		     "	beq	t0, %1, %l[full]\n\t"
		     "	addi	t0, t0, 1\n\t"
		     "	sc.w.rl	t0, t0, %0\n\t"
		     "	bnez	t0, 1b"
		     :
		     : "A"(*p), "r"((long)max)
		     : "t0", "memory"
		     : negative, full);
	return 1;
negative:
	return -1;
full:
	return 0;
}

static inline uint64_t arch_add_acquire(uint64_t *p, uint64_t n)
{
	uint64_t old;
	__asm__ volatile("amoadd.d.aq %0, %2, %1" : "=r"(old), "+A"(*p) : "r"(n) : "memory");
	return old;
}

static inline void arch_add_release(uint32_t *p, uint32_t n)
{
	__asm__ volatile("amoadd.w.rl zero, %1, %0" : "+A"(*p) : "r"(n) : "memory");
}

static inline bool arch_halves_differ(uint64_t word)
{
	uint64_t turned;
	__asm__("rori %0, %1, 32" : "=r"(turned) : "r"(word)); /* gcc 12 has the constant in a register */
	return turned != word;
}

/* ---- calls off the hot path ---- */

/* arch_rare in switch.S keeps every register but those named here. */
static inline void arch_call_rare(void (*fn)(void *a, uintptr_t b), void *a, uintptr_t b)
{
	register uintptr_t t1 __asm__("t1") = (uintptr_t)fn;
	register uintptr_t t2 __asm__("t2") = (uintptr_t)a;
	register uintptr_t t3 __asm__("t3") = b;
	__asm__ volatile("call t0, arch_rare" : "+r"(t1), "+r"(t2), "+r"(t3)::"t0", "memory");
}

/* ---- time ---- */

/* Since the machine's reset. */
static inline ktime arch_clock(void)
{
	uint64_t ticks, scale;
	__asm__ volatile("rdtime %0" : "=r"(ticks));
	__asm__("lwu %0, %1(gp)" : "=r"(scale) : HART(ns_per_tick));
	return (ktime){(int64_t)(ticks * scale)};
}

static inline void arch_timer_stop(void)
{
	struct arch_hart *h = arch_hart();
	if (unlikely(h->sbi_timer)) {
		arch_timer_set(KTIME_NEVER);
		return;
	}
	h->timer_ticks = UINT64_MAX;
	__asm__ volatile("csrw 0x14d, %0" ::"r"(UINT64_MAX) : "memory"); /* stimecmp */
}

static inline uint64_t arch_instret(void)
{
	uint64_t n;
	__asm__ volatile("rdinstret %0" : "=r"(n));
	return n;
}

/* ---- a lock for what lies below kernel/lock: the log ring, the page table, early output ---- */

struct arch_lock {
	uint32_t next;
	uint32_t serving;
};

static inline irqflags arch_lock_irqsave(struct arch_lock *l)
{
	irqflags flags = arch_irq_save();
	uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	for (uint32_t n = 0; __atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != ticket; n++)
		arch_spin_relax(n);
	return flags;
}

static inline void arch_unlock_irqrestore(struct arch_lock *l, irqflags flags)
{
	__atomic_store_n(&l->serving, l->serving + 1, __ATOMIC_RELEASE);
	arch_irq_restore(flags);
}

#endif
