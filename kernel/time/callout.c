/*
 * callout.c - callouts of each hart: locks, clock and calls around callout_core.
 *
 * Locks: LOCK_CALLOUT, one a hart and kind, interrupts off; never two at once. A
 * callout's `cpu` says whose lock guards it and changes under that lock only, so
 * callout_lock() reads it, locks, and looks again.
 *
 * A hart runs its hard callouts in the timer interrupt: at most CONFIG_CALLOUT_STRETCH
 * of them, each unlocked and timed, interrupts opened between two; the timer source is
 * set when the last has returned, so a start from inside, or from another hart for one
 * that runs here, needs no more than the heap. The same holds for the soft heap while
 * its thread is awake: whoever starts a soft callout then leaves the timer alone.
 *
 * A stop never touches the hardware: the timer goes off once for nothing instead, and
 * the many waits that end before their timeout cost no reprogramming at all.
 *
 * Invariant: with `expiring` false, the timer source of a hart is not later than the
 * first of its hard heap, nor, with soft_awake false, than the first of its soft heap.
 */
#include "kernel/lock/lock.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/initcall.h"

struct callout_base {
	struct spinlock lock;
	struct callout_queue queue; /* guarded by lock */
	struct heap_node *slots[CONFIG_CALLOUT_MAX];
} aligned_to(CACHE_LINE);

struct callout_hart {
	struct callout_base base[CALLOUT_KINDS];
	/* this hart, interrupts off */
	ktime armed;     /* what the timer source was set to */
	bool expiring;   /* in callout_expired */
	bool soft_awake; /* the thread was woken and has not yet found its heap without work */
};

#define CALLOUT_BASE_INIT                                                                          \
	{                                                                                          \
		.lock = SPINLOCK_INIT(LOCK_CALLOUT)                                                \
	}
static struct callout_hart callout_harts[CPU_MAX] = {
	[0 ... CPU_MAX - 1] = {
		.base = {CALLOUT_BASE_INIT, CALLOUT_BASE_INIT},
		.armed = {INT64_MAX},
	},
};
static const struct callout_soft_ops *callout_soft_ops; /* constant once set */

static struct callout_base *callout_base_of(const struct callout *c, uint32_t cpu)
{
	return &callout_harts[cpu].base[c->kind];
}

/* The base that c belongs to, locked; interrupts are off. */
static struct callout_base *callout_lock(struct callout *c)
{
	for (;;) {
		uint32_t cpu = __atomic_load_n(&c->cpu, __ATOMIC_RELAXED);
		struct callout_base *b = callout_base_of(c, cpu);
		spin_lock_raw(&b->lock);
		if (likely(c->cpu == cpu))
			return b;
		spin_unlock_raw(&b->lock);
	}
}

/* The same, on this hart if it may be moved: it may not while it runs elsewhere. */
static struct callout_base *callout_lock_here(struct callout *c)
{
	struct callout_base *here = callout_base_of(c, arch_cpu());
	for (;;) {
		struct callout_base *b = callout_lock(c);
		if (likely(b == here) || b->queue.running == c)
			return b;
		callout_core_stop(&b->queue, c);
		__atomic_store_n(&c->cpu, (uint16_t)arch_cpu(), __ATOMIC_RELAXED);
		spin_unlock_raw(&b->lock);
	}
}

static void callout_arm(struct callout_hart *h, ktime at)
{
	h->armed = at;
	timer_source_set(TIMER_CALLOUT, at);
}

void callout_init(struct callout *c, enum callout_kind kind, void (*fn)(void *), void *arg)
{
	*c = (struct callout){.kind = (uint8_t)kind, .fn = fn, .arg = arg};
	heap_node_init(&c->node);
}

enum err callout_start(struct callout *c, ktime at)
{
	irqflags flags = arch_irq_save();
	struct callout_hart *h = &callout_harts[arch_cpu()];
	struct callout_base *b = callout_lock_here(c);
	enum err err = callout_core_start(&b->queue, c, at);
	if (err == OK && b == &h->base[c->kind] && !h->expiring && ktime_before(at, h->armed) &&
		!(c->kind == CALLOUT_SOFT && h->soft_awake))
		callout_arm(h, at);
	spin_unlock_irqrestore(&b->lock, flags);
	return err;
}

bool callout_stop(struct callout *c)
{
	irqflags flags = arch_irq_save();
	struct callout_base *b = callout_lock(c);
	bool was_pending = callout_core_stop(&b->queue, c);
	spin_unlock_irqrestore(&b->lock, flags);
	return was_pending;
}

/* Stops it; where it runs, or -1. */
static int callout_stop_where(struct callout *c)
{
	irqflags flags = arch_irq_save();
	struct callout_base *b = callout_lock(c);
	callout_core_stop(&b->queue, c);
	int cpu = b->queue.running == c ? c->cpu : -1;
	spin_unlock_irqrestore(&b->lock, flags);
	return cpu;
}

/*
 * A hard callout is bounded work on another hart, in interrupt context: to wait for it
 * by spinning is as bounded. A soft one may sleep, and on this very hart, so its thread's
 * mutex is waited for.
 */
void callout_stop_wait(struct callout *c)
{
	if (c->kind == CALLOUT_SOFT)
		might_sleep();
	int cpu;
	for (uint32_t n = 0; (cpu = callout_stop_where(c)) >= 0; n++) {
		if (c->kind == CALLOUT_SOFT && callout_soft_ops) {
			callout_soft_ops->enter((uint32_t)cpu);
			callout_soft_ops->leave((uint32_t)cpu);
		} else {
			arch_spin_relax(n);
		}
	}
}

/* ---- running what is due ---- */

static struct callout *callout_take(struct callout_base *b, void (**fn)(void *), void **arg)
{
	irqflags flags = spin_lock_irqsave(&b->lock);
	struct callout *c = callout_core_take(&b->queue, clock_now());
	if (c) {
		*fn = c->fn;
		*arg = c->arg;
	}
	spin_unlock_irqrestore(&b->lock, flags);
	return c;
}

/* Runs the first if it is due. */
static bool callout_run_one(struct callout_base *b)
{
	void (*fn)(void *);
	void *arg;
	if (!callout_take(b, &fn, &arg))
		return false;
	ktime begin = clock_now();
	fn(arg);
	int64_t ran_ns = ktime_diff(clock_now(), begin);
	irqflags flags = spin_lock_irqsave(&b->lock);
	callout_core_done(&b->queue, ran_ns);
	spin_unlock_irqrestore(&b->lock, flags);
	return true;
}

static ktime callout_deadline(struct callout_base *b)
{
	spin_lock_raw(&b->lock);
	ktime at = callout_core_deadline(&b->queue);
	spin_unlock_raw(&b->lock);
	return at;
}

/* Interrupts are off. The one that is due first wakes the thread; until it is done, its heap is its business. */
static ktime callout_soft_check(struct callout_hart *h)
{
	if (h->soft_awake)
		return KTIME_NEVER;
	ktime at = callout_deadline(&h->base[CALLOUT_SOFT]);
	if (ktime_before(clock_now(), at))
		return at;
	h->soft_awake = true;
	if (callout_soft_ops)
		callout_soft_ops->wake(arch_cpu());
	return KTIME_NEVER;
}

static void callout_expired(unused ktime now)
{
	struct callout_hart *h = &callout_harts[arch_cpu()];
	struct callout_base *hard = &h->base[CALLOUT_HARD];
	assert(!h->expiring);
	h->expiring = true;
	for (unsigned n = 1; callout_run_one(hard) && n < CONFIG_CALLOUT_STRETCH; n++)
		if (!ktime_before(clock_now(), callout_deadline(hard)))
			timer_window();
	ktime soft = callout_soft_check(h);
	h->expiring = false;
	callout_arm(h, ktime_min(callout_deadline(hard), soft));
}

void callout_soft_run(uint32_t cpu)
{
	struct callout_hart *h = &callout_harts[cpu];
	struct callout_base *b = &h->base[CALLOUT_SOFT];
	bool more = true;
	while (more) {
		callout_soft_ops->enter(cpu);
		more = callout_run_one(b);
		callout_soft_ops->leave(cpu);
	}
	irqflags flags = spin_lock_irqsave(&b->lock);
	assert(cpu == arch_cpu());
	ktime at = callout_core_deadline(&b->queue);
	h->soft_awake = false;
	if (ktime_before(at, h->armed))
		callout_arm(h, at);
	spin_unlock_irqrestore(&b->lock, flags);
}

void callout_soft_set_ops(const struct callout_soft_ops *ops)
{
	assert(callout_soft_ops == NULL);
	callout_soft_ops = ops;
}

void callout_stats(uint32_t cpu, enum callout_kind kind, struct callout_stats *out)
{
	struct callout_base *b = &callout_harts[cpu].base[kind];
	irqflags flags = spin_lock_irqsave(&b->lock);
	*out = b->queue.stats;
	out->pending = b->queue.heap.count;
	spin_unlock_irqrestore(&b->lock, flags);
}

/* Before it, a heap has no room: a start is refused. */
static enum err callout_subsystem_init(void)
{
	timer_source_register(TIMER_CALLOUT, callout_expired);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		for (unsigned kind = 0; kind < CALLOUT_KINDS; kind++) {
			struct callout_base *b = &callout_harts[cpu].base[kind];
			callout_core_init(&b->queue, b->slots, CONFIG_CALLOUT_MAX);
		}
	return OK;
}
INITCALL(callout, callout_subsystem_init, NULL);
