/*
 * trace.c - what a lock's acquire and release tell to lockdep and the statistics.
 * Only in builds with CONFIG_LOCK_TRACE; the fast path of others knows nothing of it.
 *
 * Locks: none; counters are per hart, with interrupts off.
 */
#include "kernel/lock/lock_priv.h"
#include "lib/assert.h"

struct class_stats {
	uint64_t acquired, contended;
	int64_t wait_max_ns, wait_total_ns;
	uint32_t hold_max_ns;
};

#ifdef CONFIG_LOCK_STATS
static struct class_stats stats[CPU_MAX][LOCK_CLASS_COUNT];
#else
static struct class_stats stats[1][1];
#endif

static struct class_stats *stats_of(uint32_t cpu, enum lock_class class)
{
	return config_on(CONFIG_LOCK_STATS) ? &stats[cpu][class] : &stats[0][0];
}

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
		stats_of(arch_cpu(), l->class)->acquired++;
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
	if (config_on(CONFIG_LOCK_STATS)) {
		struct class_stats *s = stats_of(arch_cpu(), l->class);
		s->hold_max_ns = max(s->hold_max_ns, (uint32_t)arch_clock().ns - l->since_ns);
	}
	arch_irq_restore(flags);
}

void lock_stats_waited(enum lock_class class, int64_t ns)
{
	irqflags flags = arch_irq_save();
	struct class_stats *s = stats_of(arch_cpu(), class);
	s->contended++;
	s->wait_total_ns += ns;
	s->wait_max_ns = max(s->wait_max_ns, ns);
	arch_irq_restore(flags);
}

bool lock_stats_at(size_t i, struct lock_stats *out)
{
	if (!config_on(CONFIG_LOCK_STATS) || i >= LOCK_CLASS_COUNT)
		return false;
	*out = (struct lock_stats){.name = lock_class_name((enum lock_class)i)};
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct class_stats *s = stats_of(cpu, (enum lock_class)i);
		out->acquired += s->acquired;
		out->contended += s->contended;
		out->wait_total_ns += s->wait_total_ns;
		out->wait_max_ns = max(out->wait_max_ns, s->wait_max_ns);
		out->hold_max_ns = max(out->hold_max_ns, (int64_t)s->hold_max_ns);
	}
	return true;
}
