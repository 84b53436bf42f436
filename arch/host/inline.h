/*
 * inline.h - the hot part of arch.h for virtual harts, all of them in one thread of this machine.
 *
 * arch_host_hart is the hart whose code runs. Every place where on the metal another hart
 * or an interrupt could make a difference is a point: what turns interrupts on or off,
 * looks at need_resched, reads the clock, spins, and every atomic access. At a point
 * explore.c may let another hart go on, for as long as it likes, or let a pending
 * interrupt in. Between two points the kernel's code is one step.
 *
 * So every interleaving of points can happen, in sequential consistency: what a weaker memory
 * would do in addition is not explored.
 *
 * Programs that run no harts link point.c only; there a point counts and does nothing.
 */
#ifndef ARCH_HOST_INLINE_H
#define ARCH_HOST_INLINE_H

#include "lib/assert.h"

/* What arch keeps for each hart. */
struct arch_hart {
	struct arch_thread *current;
	uint32_t need_resched;
	uint32_t cpu;
	uint32_t ipi_pending; /* bit per enum ipi */
	bool irq_pending;     /* the interrupt controller has something for this hart */
	bool timer_leftover;  /* a timer interrupt of before the timer was moved */
	bool irqs_on;
	bool in_interrupt;
	bool waiting; /* in arch_idle */
	bool online;
	ktime timer; /* when it goes off */
	/* while another hart's code runs; NULL: it is this one's, or it has not started */
	struct arch_context *left_at;
};

extern struct arch_hart arch_hart_template; /* each hart's copy is its struct */
extern struct arch_hart *arch_host_hart;
extern uintptr_t arch_percpu_base[CPU_MAX];
extern const uint8_t __start_percpu[]; /* the linker's */
extern ktime arch_host_now;

#define arch_barrier() __asm__ volatile("" ::: "memory")

/* ---- points; point.c ---- */

extern uint64_t arch_host_countdown;    /* points until arch_host_look is called */
extern void (*arch_host_look)(void);

static inline void arch_host_point(void)
{
	if (unlikely(--arch_host_countdown == 0))
		arch_host_look();
}

/* Every atomic access of the kernel is a point and then the access. */
#define __atomic_load_n(...)      (arch_host_point(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...)     (arch_host_point(), __atomic_store_n(__VA_ARGS__))
#define __atomic_exchange_n(...)  (arch_host_point(), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_fetch_add(...)   (arch_host_point(), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_fetch_sub(...)   (arch_host_point(), __atomic_fetch_sub(__VA_ARGS__))
#define __atomic_fetch_or(...)    (arch_host_point(), __atomic_fetch_or(__VA_ARGS__))
#define __atomic_fetch_and(...)   (arch_host_point(), __atomic_fetch_and(__VA_ARGS__))
#define __atomic_add_fetch(...)   (arch_host_point(), __atomic_add_fetch(__VA_ARGS__))
#define __atomic_sub_fetch(...)   (arch_host_point(), __atomic_sub_fetch(__VA_ARGS__))
#define __atomic_thread_fence(o)  (arch_host_point(), __atomic_thread_fence(o))
#define __atomic_compare_exchange_n(...)                                                           \
	(arch_host_point(), __atomic_compare_exchange_n(__VA_ARGS__))

/* ---- per-hart data ---- */

#define PERCPU(type, name)         aligned_to(8) section("percpu") type name
#define PERCPU_NEAR                PERCPU
#define PERCPU_DECLARE(type, name) extern type name

#define percpu_offset(name) ((uintptr_t)&(name) - (uintptr_t)__start_percpu)
#define cpu_of(name, n)     (*(__typeof__(name) *)(arch_percpu_base[n] + percpu_offset(name)))
#define arch_percpu_here(name) (&cpu_of(name, arch_host_hart->cpu))
#define this_cpu(name) (*(arch_assert_pinned(), arch_percpu_here(name)))
#define this_cpu_near(name) this_cpu(name)

static inline struct arch_hart *arch_hart(void)
{
	return arch_host_hart;
}

static inline struct arch_thread *arch_current(void)
{
	return arch_host_hart->current;
}

static inline void arch_current_set(struct arch_thread *t)
{
	arch_host_hart->current = t;
}

static inline uint32_t arch_cpu(void)
{
	return arch_host_hart->cpu;
}

static inline size_t arch_cpu_line(void)
{
	return (size_t)arch_host_hart->cpu * CACHE_LINE;
}

/* ---- interrupts: one that is pending comes in at a point where they are on ---- */

static inline irqflags arch_irq_save(void)
{
	arch_host_point();
	irqflags flags = arch_host_hart->irqs_on;
	arch_host_hart->irqs_on = false;
	return flags;
}

static inline void arch_irq_restore(irqflags flags)
{
	if (irqflags_enabled(flags))
		arch_host_hart->irqs_on = true;
	arch_host_point();
}

static inline void arch_irq_enable(void)
{
	arch_irq_restore(1);
}

static inline void arch_irq_disable(void)
{
	arch_host_point();
	arch_host_hart->irqs_on = false;
}

static inline bool irqflags_enabled(irqflags flags)
{
	return flags & 1;
}

/* Its harts have no interrupt controller. */
static inline bool arch_irq_external(void)
{
	return false;
}

static inline bool arch_irqs_enabled(void)
{
	return arch_host_hart->irqs_on;
}

static inline bool arch_in_interrupt(void)
{
	return arch_host_hart->in_interrupt;
}

/* ---- preemption ---- */

static inline void preempt_disable(void)
{
	arch_current()->preempt_count++;
	arch_host_point();
}

static inline bool arch_need_resched(void)
{
	arch_host_point();
	return arch_host_hart->need_resched;
}

static inline void arch_need_resched_set(void)
{
	arch_host_hart->need_resched = 1;
}

static inline void arch_need_resched_clear(void)
{
	arch_host_hart->need_resched = 0;
}

void arch_preempt_due(void); /* the count reached 0 and need_resched is set */

static inline void preempt_enable(void)
{
	arch_host_point();
	if (--arch_current()->preempt_count == 0 && unlikely(arch_need_resched()))
		arch_preempt_due();
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

static inline uint64_t arch_add_acquire(uint64_t *p, uint64_t n)
{
	return __atomic_fetch_add(p, n, __ATOMIC_ACQUIRE);
}

static inline void arch_add_release(uint32_t *p, uint32_t n)
{
	__atomic_fetch_add(p, n, __ATOMIC_RELEASE);
}

static inline bool arch_halves_differ(uint64_t word)
{
	return (uint32_t)word != word >> 32;
}

static inline bool arch_take_positive(int32_t *p)
{
	int32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);
	while (old > 0 && !__atomic_compare_exchange_n(p, &old, old - 1, false, __ATOMIC_ACQUIRE,
				  __ATOMIC_RELAXED))
		;
	return old > 0;
}

static inline int arch_give_below(int32_t *p, int32_t max)
{
	int32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);
	while (old >= 0 && old != max &&
		!__atomic_compare_exchange_n(p, &old, old + 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return old < 0 ? -1 : old != max;
}

/* ---- calls off the hot path ---- */

static inline void arch_call_rare(void (*fn)(void *a, uintptr_t b), void *a, uintptr_t b)
{
	fn(a, b);
}

/* ---- time ---- */

/* Virtual: a nanosecond for each look at it, more at the points and while all harts wait. */
static inline ktime arch_clock(void)
{
	arch_host_point();
	arch_host_now.ns++;
	return arch_host_now;
}

static inline void arch_timer_stop(void)
{
	arch_timer_set(KTIME_NEVER);
}

uint64_t arch_host_points(void);

/* Points take the place of instructions. */
static inline uint64_t arch_instret(void)
{
	return arch_host_points();
}

/* ---- a lock for what lies below kernel/lock: the log ring, early output ---- */

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
