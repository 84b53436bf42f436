/*
 * lock.h - locks that spin. Holding one keeps preemption off.
 *
 * A lock belongs to a class; the classes stand in kernel/lock/order.h, outermost
 * first, and lockdep checks every acquire against that list and against the
 * order that it has learned. In release builds lockdep is not there.
 *
 * spin_lock() turns preemption off by the thread's count. The _irqsave form turns
 * interrupts off, which does the same without touching the count, and preempts at
 * the unlock when that became due. A lock that an interrupt handler takes is taken
 * everywhere with the _irqsave form; lockdep reports a class used both ways.
 * The _raw form does neither: interrupts are off already, as in the scheduler,
 * where one thread takes the lock and another, switched to, drops it.
 *
 * Context: any. FIFO among waiters (ticket lock: one amoadd and one compare when
 * free); waits through arch_spin_relax. Without
 * CONFIG_SMP only the preemption or interrupt part is left.
 *
 * Each class counts who had to wait and for how long, in every build; CONFIG_LOCK_STATS measures
 * how often and how long it is held as well.
 */
#ifndef KERNEL_LOCK_LOCK_H
#define KERNEL_LOCK_LOCK_H

#include "arch/arch.h"
#include "kernel/lock/order.h"

struct spinlock {
	union {
		uint64_t ticket; /* what an acquire adds LOCK_TICKET to */
		struct {
			uint32_t serving; /* what a release adds one to */
			uint32_t next;
		};
	};
	uint16_t class;     /* enum lock_class */
	uint16_t holder;    /* cpu + 1; 0: free. Kept with CONFIG_LOCK_TRACE only */
	uint32_t contended; /* acquires that had to wait */
	uint32_t since_ns;  /* low half of the instant of acquire; CONFIG_LOCK_STATS only */
};

#define LOCK_TICKET      (UINT64_C(1) << 32)
#define SPINLOCK_INIT(c) {.class = (c)}

static inline void spin_init(struct spinlock *l, enum lock_class class)
{
	*l = (struct spinlock){.class = (uint16_t)class};
}

/* ---- lock.c: what is out of the fast path ---- */

cold void spin_lock_contended(void *lock, uintptr_t mine);
cold void spin_preempt(void); /* switches when that is due and possible here */

#define LOCK_WHO_MAX 24

/* The longest so far, and whose it was. */
struct lock_longest {
	int64_t ns;
	uint32_t tid;
	size_t name_len;
	char name[LOCK_WHO_MAX];
	uintptr_t at; /* of a hold: where the release returns to; otherwise 0 */
};

struct lock_stats {
	struct str name;
	bool holds; /* CONFIG_LOCK_STATS: `acquired` and `hold` are measured */
	uint64_t acquired, contended;
	int64_t wait_total_ns;
	struct lock_longest wait, hold;
};
/* Figures of the i-th class since boot, all harts together; false when there are no more. Any context. */
bool lock_stats_at(size_t i, struct lock_stats *out);
/* For locks that sleep, by the thread that has waited for one. Any context. */
void lock_waited(enum lock_class class, int64_t ns);
struct str lock_class_name(enum lock_class class); /* "RUNQ" */

#ifdef CONFIG_LOCK_TRACE
void lock_trace_acquire(struct spinlock *l);  /* before waiting */
void lock_trace_acquired(struct spinlock *l); /* now held */
void lock_trace_release(struct spinlock *l);
#else
static inline void lock_trace_acquire(unused struct spinlock *l)
{
}
static inline void lock_trace_acquired(unused struct spinlock *l)
{
}
static inline void lock_trace_release(unused struct spinlock *l)
{
}
#endif

/* ---- the fast path ---- */

/* Interrupts are off, and stay off until the unlock, on whatever thread that happens. */
static inline void spin_lock_raw(struct spinlock *l)
{
	lock_trace_acquire(l);
	if (config_on(CONFIG_SMP)) {
		uint64_t old = arch_add_acquire(&l->ticket, LOCK_TICKET);
		if (unlikely(arch_halves_differ(old))) /* another ticket is served */
			arch_call_rare(spin_lock_contended, l, old >> 32);
	}
	lock_trace_acquired(l);
}

static inline void spin_unlock_raw(struct spinlock *l)
{
	lock_trace_release(l);
	if (config_on(CONFIG_SMP))
		arch_add_release(&l->serving, 1);
	else
		__asm__ volatile("" ::: "memory");
}

static inline void spin_lock(struct spinlock *l)
{
	preempt_disable();
	spin_lock_raw(l);
}

static inline void spin_unlock(struct spinlock *l)
{
	spin_unlock_raw(l);
	preempt_enable();
}

/* False, without waiting and without effect, when somebody holds it. */
must_check static inline bool spin_try(struct spinlock *l)
{
	preempt_disable();
	if (config_on(CONFIG_SMP)) {
		uint64_t old = __atomic_load_n(&l->ticket, __ATOMIC_RELAXED);
		if (arch_halves_differ(old) ||
			!__atomic_compare_exchange_n(&l->ticket, &old, old + LOCK_TICKET, false,
				__ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			preempt_enable();
			return false;
		}
	}
	lock_trace_acquired(l);
	return true;
}

/* Held by spin_lock(): from now on as if it had been taken by spin_lock_irqsave(). */
must_check static inline irqflags spin_to_irqsave(unused struct spinlock *l)
{
	irqflags flags = arch_irq_save();
	preempt_enable_irqs_off();
	return flags;
}

must_check static inline irqflags spin_lock_irqsave(struct spinlock *l)
{
	irqflags flags = arch_irq_save();
	spin_lock_raw(l);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *l, irqflags flags)
{
	spin_unlock_raw(l);
	arch_irq_restore(flags);
	if (unlikely(arch_need_resched()))
		spin_preempt();
}

/*
 * For assertions: by this hart, where CONFIG_LOCK_TRACE keeps the holder; by
 * anybody elsewhere; with one hart and no tracing always true.
 */
static inline bool spin_is_held(const struct spinlock *l)
{
	if (config_on(CONFIG_LOCK_TRACE))
		return __atomic_load_n(&l->holder, __ATOMIC_RELAXED) == arch_cpu() + 1;
	uint64_t now = __atomic_load_n(&l->ticket, __ATOMIC_RELAXED);
	return !config_on(CONFIG_SMP) || arch_halves_differ(now);
}

/* ---- seqcount: readers retry, one writer at a time (which holds a spinlock of its own) ---- */

struct seqcount {
	uint32_t seq; /* odd: being written */
};

static inline uint32_t seq_read_begin(const struct seqcount *s)
{
	uint32_t seq;
	for (uint32_t n = 0; (seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE)) & 1; n++)
		arch_spin_relax(n);
	return seq;
}

/* True: what was read since seq_read_begin() may be torn, begin again. */
must_check static inline bool seq_read_retry(const struct seqcount *s, uint32_t begin)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* pairs with seq_write_begin */
	return __atomic_load_n(&s->seq, __ATOMIC_RELAXED) != begin;
}

/* The writer cannot be preempted by a reader on its own hart: preemption or interrupts are off. */
static inline void seq_write_begin(struct seqcount *s)
{
	debug_assert(!preempt_is_enabled() && !(s->seq & 1));
	__atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE); /* pairs with seq_read_retry */
}

static inline void seq_write_end(struct seqcount *s)
{
	debug_assert(s->seq & 1);
	__atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELEASE); /* pairs with seq_read_begin */
}

/* ---- lockdep.c: the order of locks that sleep; called by kernel/sync ---- */

#ifdef CONFIG_LOCKDEP
/* A lock that sleeps, by its thread: before it waits for it for good; behind the acquire where that may fail. */
void lockdep_acquire(enum lock_class class, const void *lock);
/* By the thread that acquired it. */
void lockdep_release(enum lock_class class, const void *lock);
/* Asserts that the caller may sleep: thread context, no spinlock held, preemption and interrupts on. */
void might_sleep(void);
/* " holding A, B": what that hart holds that spins and the thread that sleeps, as far as can be seen from another. */
void lockdep_describe(uint32_t cpu, const struct arch_thread *t, struct abuf *out);
/* For self-tests: called with the reason of a report instead of panic; NULL: panic again. */
void lockdep_set_hook(void (*hook)(struct str what));
#else
static inline void lockdep_acquire(unused enum lock_class class, unused const void *lock)
{
}
static inline void lockdep_release(unused enum lock_class class, unused const void *lock)
{
}
static inline void lockdep_describe(unused uint32_t cpu, unused const struct arch_thread *t,
	unused struct abuf *out)
{
}
static inline void might_sleep(void) /* what really blocks is asserted all the same: thread_block() */
{
}
#endif

#endif
