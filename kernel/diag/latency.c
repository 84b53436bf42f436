/* latency.c - the record of what was late on each hart (contract: diag.h). */
#include "kernel/diag/diag.h"
#include "kernel/diag/diag_priv.h"

PERCPU_NEAR(int64_t, interrupt_ns);
PERCPU(struct latency, latency)[LATENCY_KINDS];
static struct arch_lock latency_lock;
int64_t latency_limit[LATENCY_KINDS];
static void (*latency_late)(enum latency_kind kind, int64_t ns, uintptr_t at);
static uint32_t (*diag_namer)(const struct arch_thread *t, struct str *name);

struct str latency_name(enum latency_kind kind)
{
	static const struct str names[LATENCY_KINDS] = {
		STR_INIT("irqs_off"), STR_INIT("preempt_off"), STR_INIT("wake")};
	return names[kind];
}

uint32_t diag_thread(const struct arch_thread *t, struct str *name)
{
	*name = S("-");
	return diag_namer && !(t->flags & ARCH_THREAD_BOOT) ? diag_namer(t, name) : 0;
}

static cold noinline void latency_longest(struct latency *l, int64_t ns, uintptr_t at)
{
	struct str name;
	uint32_t tid = diag_thread(arch_current(), &name);
	irqflags flags = arch_lock_irqsave(&latency_lock);
	struct latency_longest *longest = &l->longest;
	if (ns > longest->ns) { /* of two at once the longer one stays */
		longest->ns = ns;
		longest->when = arch_clock();
		longest->at = at;
		longest->tid = tid;
		longest->name_len = min(name.len, sizeof(longest->name));
		memcpy(longest->name, name.ptr, longest->name_len);
	}
	arch_unlock_irqrestore(&latency_lock, flags);
}

static noinline void latency_remark(struct latency *l, bool longest, enum latency_kind kind, int64_t ns, uintptr_t at)
{
	if (longest)
		latency_longest(l, ns, at);
	int64_t limit = __atomic_load_n(&latency_limit[kind], __ATOMIC_RELAXED);
	if (limit != 0 && ns > limit)
		latency_late(kind, ns, at);
}

static always_inline void latency_add(enum latency_kind kind, int64_t ns, uintptr_t at)
{
	struct latency *l = &(*arch_percpu_here(latency))[kind];
	bool longest = histogram_add_shared(&l->ns, ns);
	if (unlikely(longest || __atomic_load_n(&latency_limit[kind], __ATOMIC_RELAXED) != 0))
		latency_remark(l, longest, kind, ns, at);
}

void latency_note(enum latency_kind kind, int64_t ns, uintptr_t at)
{
	latency_add(kind, ns, at);
}

void latency_remark_wake(void *l, uintptr_t ns)
{
	latency_remark(l, true, LATENCY_WAKE, (int64_t)ns, 0);
}

/* Preemption was off since then, and comes on: what an interrupt wanted can be done. */
static void latency_held(ktime since, uintptr_t at)
{
	latency_note(LATENCY_PREEMPT_OFF, ktime_diff(arch_clock(), since), at);
}

void latency_stats(uint32_t cpu, enum latency_kind kind, struct latency_stats *out)
{
	struct latency *l = &cpu_of(latency, cpu)[kind];
	irqflags flags = arch_lock_irqsave(&latency_lock);
	*out = (struct latency_stats){.longest = l->longest};
	arch_unlock_irqrestore(&latency_lock, flags);
	histogram_merge(&out->ns, &l->ns);
}

void latency_reset(void)
{
	irqflags flags = arch_lock_irqsave(&latency_lock);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		for (enum latency_kind kind = 0; kind < LATENCY_KINDS; kind++)
			cpu_of(latency, cpu)[kind] = (struct latency){0};
	arch_unlock_irqrestore(&latency_lock, flags);
}

void diag_set_namer(uint32_t (*namer)(const struct arch_thread *t, struct str *name))
{
	diag_namer = namer;
}

void latency_set_limits(const int64_t ns[LATENCY_KINDS],
	void (*late)(enum latency_kind kind, int64_t ns, uintptr_t at))
{
	latency_late = late;
	for (enum latency_kind kind = 0; kind < LATENCY_KINDS; kind++)
		__atomic_store_n(&latency_limit[kind], ns[kind], __ATOMIC_RELEASE);
}

void latency_init(void)
{
	arch_on_held(latency_held);
}
