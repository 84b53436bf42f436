/*
 * stats.c - how long locks of each class were waited for and held, and by whom.
 *
 * Waiting is counted where somebody waits anyway, so every build does it; holding costs two looks at
 * the clock for each acquire, with CONFIG_LOCK_STATS only.
 *
 * Locks: counters are per hart, written with interrupts off; longest_lock, a leaf, for a new maximum.
 */
#include "kernel/diag/diag.h"
#include "kernel/lock/lock_priv.h"

struct class_stats {
	uint64_t acquired, contended;
	int64_t wait_total_ns;
	struct lock_longest wait, hold;
};

static struct class_stats stats[CPU_MAX][LOCK_CLASS_COUNT];
static struct arch_lock longest_lock;

static struct class_stats *stats_here(enum lock_class class)
{
	return &stats[arch_cpu()][class];
}

/* Interrupts off; the slot is this hart's. */
static void lock_longest_set(struct lock_longest *l, int64_t ns, uintptr_t at)
{
	struct str name;
	uint32_t tid = diag_thread(arch_current(), &name);
	irqflags flags = arch_lock_irqsave(&longest_lock);
	*l = (struct lock_longest){
		.ns = ns, .tid = tid, .at = at, .name_len = min(name.len, sizeof(l->name))};
	memcpy(l->name, name.ptr, l->name_len);
	arch_unlock_irqrestore(&longest_lock, flags);
}

void lock_waited(enum lock_class class, int64_t ns)
{
	irqflags flags = arch_irq_save();
	struct class_stats *s = stats_here(class);
	s->contended++;
	s->wait_total_ns += ns;
	if (unlikely(ns > s->wait.ns))
		lock_longest_set(&s->wait, ns, 0);
	arch_irq_restore(flags);
}

void lock_stats_acquired(enum lock_class class)
{
	stats_here(class)->acquired++;
}

void lock_stats_held(enum lock_class class, int64_t ns, uintptr_t at)
{
	struct class_stats *s = stats_here(class);
	if (unlikely(ns > s->hold.ns))
		lock_longest_set(&s->hold, ns, at);
}

bool lock_stats_at(size_t i, struct lock_stats *out)
{
	if (i >= LOCK_CLASS_COUNT)
		return false;
	*out = (struct lock_stats){
		.name = lock_class_name((enum lock_class)i), .holds = config_on(CONFIG_LOCK_STATS)};
	irqflags flags = arch_lock_irqsave(&longest_lock);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct class_stats *s = &stats[cpu][i];
		out->acquired += s->acquired;
		out->contended += s->contended;
		out->wait_total_ns += s->wait_total_ns;
		if (s->wait.ns > out->wait.ns)
			out->wait = s->wait;
		if (s->hold.ns > out->hold.ns)
			out->hold = s->hold;
	}
	arch_unlock_irqrestore(&longest_lock, flags);
	return true;
}
