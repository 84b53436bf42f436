/*
 * trace.c - what a lock's acquire and release tell to lockdep and the statistics.
 * Only in builds with CONFIG_LOCK_TRACE; the fast path of others knows nothing of it.
 *
 * Locks: none.
 */
#include "kernel/lock/lock_priv.h"
#include "lib/assert.h"

void lock_trace_acquire(struct spinlock *l)
{
	bool irqs_on = arch_irqs_enabled();
	irqflags flags = arch_irq_save();
	assert(l->class < LOCK_CLASS_COUNT);
	lockdep_spin_acquire(l, irqs_on);
	arch_irq_restore(flags);
}

void lock_trace_acquired(struct spinlock *l)
{
	bool irqs_on = arch_irqs_enabled();
	irqflags flags = arch_irq_save();
	assert(l->holder == 0);
	__atomic_store_n(&l->holder, (uint16_t)(arch_cpu() + 1), __ATOMIC_RELAXED);
	lockdep_spin_acquired(l, irqs_on);
	if (config_on(CONFIG_LOCK_STATS)) {
		lock_stats_acquired(l->class);
		l->since_ns = (uint32_t)arch_clock().ns;
	}
	arch_irq_restore(flags);
}

void lock_trace_release(struct spinlock *l)
{
	irqflags flags = arch_irq_save();
	assert(l->holder == arch_cpu() + 1);
	__atomic_store_n(&l->holder, 0, __ATOMIC_RELAXED);
	lockdep_spin_release(l);
	if (config_on(CONFIG_LOCK_STATS))
		lock_stats_held(l->class, (uint32_t)arch_clock().ns - l->since_ns,
			(uintptr_t)__builtin_return_address(0));
	arch_irq_restore(flags);
}
