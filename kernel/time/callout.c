/*
 * callout.c - callouts of each hart: locks, clock and calls around callout_core.
 *
 * Locks: LOCK_CALLOUT, one a hart and kind, interrupts off; never two at once. A
 * callout's `cpu` says whose lock guards it and changes under that lock only, so
 * callout_lock() reads it, locks, and looks again.
 *
 * Each kind has a timer source of its own. A hart runs its hard callouts in the timer
 * interrupt: at most CONFIG_CALLOUT_STRETCH of them, each unlocked and timed, interrupts
 * opened between two; the timer source is set when the last has returned, so a start from
 * inside, or from another hart for one that runs here, needs no more than the heap. The
 * same holds for the soft heap while its thread is awake. So whoever starts a callout
 * whose kind is busy leaves the timer alone.
 *
 * A stop never touches the hardware: the timer goes off once for nothing instead, and
 * the many waits that end before their timeout cost no reprogramming at all.
 *
 * Invariant: the timer source of a kind that is not busy is not later than the first of
 * its heap.
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
	ktime armed[CALLOUT_KINDS]; /* what the timer source was set to */
	/* HARD: in callout_hard_expired; SOFT: the thread was woken and has not yet found its heap without work */
	bool busy[CALLOUT_KINDS];
};

#define CALLOUT_BASE_INIT                                                                          \
	{                                                                                          \
		.lock = SPINLOCK_INIT(LOCK_CALLOUT)                                                \
	}
static struct callout_hart callout_harts[CPU_MAX] = {
	[0 ... CPU_MAX - 1] = {
		.base = {CALLOUT_BASE_INIT, CALLOUT_BASE_INIT},
		.armed = {{INT64_MAX}, {INT64_MAX}},
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

static void callout_arm(struct callout_hart *h, enum callout_kind kind, ktime at)
{
	h->armed[kind] = at;
	timer_source_set(kind == CALLOUT_HARD ? TIMER_CALLOUT_HARD : TIMER_CALLOUT_SOFT, at);
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
	if (err == OK && b == &h->base[c->kind] && !h->busy[c->kind] && ktime_before(at, h->armed[c->kind]))
		callout_arm(h, c->kind, at);
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

struct callout_call {
	void (*fn)(void *);
	void *arg;
};

/* The first if it is due; it runs now. */
static bool callout_take_locked(struct callout_base *b, struct callout_call *out)
{
	struct callout *c = callout_core_take(&b->queue, clock_now());
	if (c)
		*out = (struct callout_call){c->fn, c->arg};
	return c;
}

/* How long it took. */
static int64_t callout_call(const struct callout_call *call)
{
	ktime begin = clock_now();
	call->fn(call->arg);
	return ktime_diff(clock_now(), begin);
}

/*
 * Interrupts are off: none of this needs to save them. From the timer's entry to a window, and from one to the next,
 * there is one callout.
 */
static void callout_hard_expired(unused ktime now)
{
	struct callout_hart *h = &callout_harts[arch_cpu()];
	struct callout_base *b = &h->base[CALLOUT_HARD];
	struct callout_call call;
	assert(!h->busy[CALLOUT_HARD]);
	h->busy[CALLOUT_HARD] = true;
	spin_lock_raw(&b->lock);
	for (unsigned n = 1; callout_take_locked(b, &call); n++) {
		spin_unlock_raw(&b->lock);
		int64_t ran_ns = callout_call(&call);
		spin_lock_raw(&b->lock);
		callout_core_done(&b->queue, ran_ns);
		if (n == CONFIG_CALLOUT_STRETCH || ktime_before(clock_now(), callout_core_deadline(&b->queue)))
			break;
		spin_unlock_raw(&b->lock);
		timer_window();
		spin_lock_raw(&b->lock);
	}
	ktime at = callout_core_deadline(&b->queue);
	spin_unlock_raw(&b->lock);
	h->busy[CALLOUT_HARD] = false;
	callout_arm(h, CALLOUT_HARD, at);
}

/* The one that is due first wakes the thread; until it is done, its heap is its business. */
static void callout_soft_expired(ktime now)
{
	struct callout_hart *h = &callout_harts[arch_cpu()];
	struct callout_base *b = &h->base[CALLOUT_SOFT];
	assert(!h->busy[CALLOUT_SOFT]);
	spin_lock_raw(&b->lock);
	ktime at = callout_core_deadline(&b->queue);
	spin_unlock_raw(&b->lock);
	if (ktime_before(now, at)) { /* what was due first has been stopped */
		callout_arm(h, CALLOUT_SOFT, at);
		return;
	}
	h->armed[CALLOUT_SOFT] = KTIME_NEVER;
	h->busy[CALLOUT_SOFT] = true;
	if (callout_soft_ops)
		callout_soft_ops->wake(arch_cpu());
}

/* Runs the first if it is due. */
static bool callout_soft_run_one(struct callout_base *b)
{
	struct callout_call call;
	irqflags flags = spin_lock_irqsave(&b->lock);
	bool due = callout_take_locked(b, &call);
	spin_unlock_irqrestore(&b->lock, flags);
	if (!due)
		return false;
	int64_t ran_ns = callout_call(&call);
	flags = spin_lock_irqsave(&b->lock);
	callout_core_done(&b->queue, ran_ns);
	spin_unlock_irqrestore(&b->lock, flags);
	return true;
}

void callout_soft_run(uint32_t cpu)
{
	struct callout_hart *h = &callout_harts[cpu];
	struct callout_base *b = &h->base[CALLOUT_SOFT];
	bool more = true;
	while (more) {
		callout_soft_ops->enter(cpu);
		more = callout_soft_run_one(b);
		callout_soft_ops->leave(cpu);
	}
	irqflags flags = spin_lock_irqsave(&b->lock);
	assert(cpu == arch_cpu());
	h->busy[CALLOUT_SOFT] = false;
	callout_arm(h, CALLOUT_SOFT, callout_core_deadline(&b->queue));
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
	timer_source_register(TIMER_CALLOUT_HARD, callout_hard_expired);
	timer_source_register(TIMER_CALLOUT_SOFT, callout_soft_expired);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		for (unsigned kind = 0; kind < CALLOUT_KINDS; kind++) {
			struct callout_base *b = &callout_harts[cpu].base[kind];
			callout_core_init(&b->queue, b->slots, CONFIG_CALLOUT_MAX);
		}
	return OK;
}
INITCALL(callout, callout_subsystem_init, NULL);
