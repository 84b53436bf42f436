/*
 * irq.c - from the controller's number to the handler.
 *
 * Locks: irq_lock (LOCK_IRQ) is held for every call of the controller's enable and
 * disable. The path of an interrupt takes no lock: it marks the descriptor ACTIVE from
 * claim to completion. Who changes a source meanwhile only notes it (CHANGED), and the
 * controller is told after the completion, by the hart that served it.
 *
 * Invariant: with ACTIVE clear and irq_lock free, the controller has the source enabled,
 * on hart `cpu`, if and only if ENABLED is set and PACED is not.
 *
 * A source that interrupts too often (irq_pace_core.h) is masked by PACED for a while, whatever its driver wants
 * meanwhile. irqs_paced has a bit for each; who unmasks them comes from above, since there are no timers here.
 *
 * Counters of a descriptor are written by the hart that serves it; only one does at a time. What is to be logged is
 * marked there (irq_log_later), and written by a thread: a line takes longer than an interrupt may.
 */
#include "kernel/diag/diag.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_pace_core.h"
#include "kernel/lock/lock.h"
#include "lib/assert.h"
#include "lib/bitmap.h"

enum { IRQ_LOG_STORM = 1, IRQ_LOG_UNCLAIMED = 2 };
enum { IRQ_ENABLED = 1, IRQ_ACTIVE = 2, IRQ_CHANGED = 4, IRQ_PACED = 8 };

struct irq_desc {
	uint32_t state; /* atomic: IRQ_* */
	/* guarded by irq_lock */
	uint32_t cpu;
	int64_t masked_ns; /* all together */
	/* constant once `handler` is seen */
	struct str name;
	void *arg;
	void (*handler)(void *arg); /* atomic; NULL: nobody asked for it */
	/* by the hart that serves it */
	uint64_t count[CPU_MAX];
	uint64_t spurious, storms;
	int64_t longest_ns;
	struct irq_pace pace; /* what is set while it is masked: and irq_lock */
	uint32_t unclaimed;
	uint32_t log; /* atomic: IRQ_LOG_* */
};

static struct spinlock irq_lock = SPINLOCK_INIT(LOCK_IRQ);
static struct irq_desc irqs[IRQ_MAX];
static uint64_t irqs_paced[BITMAP_WORDS(IRQ_MAX)]; /* irq_lock */
static void (*irq_pace_arm)(ktime at);             /* atomic */
static void (*irq_log_start)(void);                /* atomic */
static uint32_t irq_beyond;                        /* atomic; one that has no descriptor, to be logged */
static const struct irqchip_ops *irqchip;
static PERCPU(struct irq_spurious, irq_spurious);

static void (*irq_handler(const struct irq_desc *d))(void *)
{
	return __atomic_load_n(&d->handler, __ATOMIC_ACQUIRE); /* pairs with irq_request */
}

/* ---- what drivers ask for ---- */

void irqchip_register(const struct irqchip_ops *ops)
{
	assert(!irqchip);
	irqchip = ops;
	irqchip_cpu_init();
}

void irqchip_cpu_init(void)
{
	if (irqchip)
		irqchip->cpu_init();
}

const struct irqchip_ops *irqchip_swap(const struct irqchip_ops *ops)
{
	return __atomic_exchange_n(&irqchip, ops, __ATOMIC_ACQ_REL);
}

enum err irq_request(uint32_t irq, struct str name, void (*handler)(void *arg), void *arg)
{
	if (irq == 0 || irq >= IRQ_MAX)
		return ERR_RANGE;
	struct irq_desc *d = &irqs[irq];
	irqflags flags = spin_lock_irqsave(&irq_lock);
	enum err err = d->handler ? ERR_BUSY : OK;
	if (err == OK) {
		d->name = name;
		d->arg = arg;
		__atomic_store_n(&d->handler, handler, __ATOMIC_RELEASE); /* pairs with irq_handler */
	}
	spin_unlock_irqrestore(&irq_lock, flags);
	return err;
}

void irq_release(uint32_t irq)
{
	struct irq_desc *d = &irqs[irq];
	irqflags flags = spin_lock_irqsave(&irq_lock);
	assert(!(d->state & (IRQ_ENABLED | IRQ_ACTIVE)));
	__atomic_store_n(&d->handler, NULL, __ATOMIC_RELEASE);
	spin_unlock_irqrestore(&irq_lock, flags);
}

static bool irq_is_open(uint32_t state)
{
	return (state & (IRQ_ENABLED | IRQ_PACED)) == IRQ_ENABLED;
}

/* Tells the controller what is wanted, unless somebody serves the source: then he does. irq_lock is held. */
static void irq_sync_locked(uint32_t irq)
{
	struct irq_desc *d = &irqs[irq];
	uint32_t state = __atomic_load_n(&d->state, __ATOMIC_ACQUIRE);
	/* Fails only against irq_serve() setting ACTIVE or clearing it. */
	do {
		if (state & IRQ_ACTIVE)
			return;
	} while (!__atomic_compare_exchange_n(&d->state, &state, state & ~(uint32_t)IRQ_CHANGED,
		false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	if (irq_is_open(state))
		irqchip->enable(irq, d->cpu);
	else
		irqchip->disable(irq);
}

static void irq_change_locked(uint32_t irq, uint32_t set, uint32_t clear)
{
	struct irq_desc *d = &irqs[irq];
	if ((clear & IRQ_PACED) && bitmap_test(irqs_paced, irq)) {
		bitmap_clear(irqs_paced, irq);
		irq_pace_let_in(&d->pace, arch_clock());
	}
	__atomic_fetch_and(&d->state, ~clear, __ATOMIC_RELAXED);
	__atomic_fetch_or(&d->state, set | IRQ_CHANGED, __ATOMIC_RELEASE);
	irq_sync_locked(irq);
}

static void irq_change(uint32_t irq, uint32_t set, uint32_t clear, uint32_t cpu)
{
	assert(irq > 0 && irq < IRQ_MAX && irqchip);
	irqflags flags = spin_lock_irqsave(&irq_lock);
	if (cpu < CPU_MAX)
		irqs[irq].cpu = cpu;
	irq_change_locked(irq, set, clear);
	spin_unlock_irqrestore(&irq_lock, flags);
}

void irq_enable(uint32_t irq)
{
	assert(irq < IRQ_MAX && irq_handler(&irqs[irq]));
	irq_change(irq, IRQ_ENABLED, IRQ_PACED, CPU_MAX);
}

void irq_unmask(uint32_t irq)
{
	irq_change(irq, IRQ_ENABLED, 0, CPU_MAX);
}

void irq_disable(uint32_t irq)
{
	irq_change(irq, 0, IRQ_ENABLED, CPU_MAX);
}

void irq_set_affinity(uint32_t irq, uint32_t cpu)
{
	assert(cpu < cpu_count());
	irq_change(irq, 0, 0, cpu);
}

/* ---- the path of an interrupt; this hart, interrupts off ---- */

/* irq_lock is held. When the first of those that are masked is due; KTIME_NEVER: none is. */
static ktime irq_pace_next_locked(void)
{
	ktime next = KTIME_NEVER;
	for (size_t irq = 0; (irq = bitmap_find_set(irqs_paced, IRQ_MAX, irq)) < IRQ_MAX; irq++)
		next = ktime_min(next, irqs[irq].pace.masked_until);
	return next;
}

static cold void irq_log_later(void)
{
	void (*start)(void) = __atomic_load_n(&irq_log_start, __ATOMIC_ACQUIRE);
	if (start)
		start();
}

static cold void irq_log_mark(struct irq_desc *d, uint32_t what)
{
	__atomic_fetch_or(&d->log, what, __ATOMIC_RELEASE);
	irq_log_later();
}

static void irq_log_write_one(uint32_t irq, struct irq_desc *d)
{
	uint32_t what = __atomic_exchange_n(&d->log, 0, __ATOMIC_ACQUIRE);
	if (what & IRQ_LOG_STORM)
		klog(LOG_ERR, "irq: %.*s (%u) interrupts more than %u times a second; masked for %lld us, storm %llu",
			STR_ARG(d->name), irq, (unsigned)CONFIG_IRQ_STORM_MAX, (long long)(d->pace.mask_ns / NS_PER_US),
			(unsigned long long)d->storms);
	if (what & IRQ_LOG_UNCLAIMED)
		klog(LOG_ERR, "irq: %u interrupts and has no handler; it is masked", irq);
}

void irq_log_write(void)
{
	for (uint32_t irq = 0; irq < IRQ_MAX; irq++)
		if (__atomic_load_n(&irqs[irq].log, __ATOMIC_RELAXED))
			irq_log_write_one(irq, &irqs[irq]);
	uint32_t beyond = __atomic_exchange_n(&irq_beyond, 0, __ATOMIC_RELAXED);
	if (beyond)
		klog(LOG_ERR, "irq: %u is beyond CONFIG_IRQ_MAX; it is masked", beyond);
}

void irq_set_log(void (*start)(void))
{
	__atomic_store_n(&irq_log_start, start, __ATOMIC_RELEASE);
	start(); /* for what came before */
}

static cold void irq_mask_paced(uint32_t irq, struct irq_desc *d)
{
	irqflags flags = spin_lock_irqsave(&irq_lock);
	bool storms = irq_pace_mask(&d->pace, arch_clock());
	d->masked_ns += d->pace.mask_ns;
	bitmap_set(irqs_paced, irq);
	irq_change_locked(irq, IRQ_PACED, 0);
	ktime next = irq_pace_next_locked();
	spin_unlock_irqrestore(&irq_lock, flags);
	void (*arm)(ktime) = __atomic_load_n(&irq_pace_arm, __ATOMIC_ACQUIRE);
	if (arm)
		arm(next);
	if (!storms)
		return;
	d->storms++;
	if (is_pow2(d->storms))
		irq_log_mark(d, IRQ_LOG_STORM);
}

ktime irq_pace_expired(ktime now)
{
	irqflags flags = spin_lock_irqsave(&irq_lock);
	size_t irq = bitmap_find_set(irqs_paced, IRQ_MAX, 0);
	while (irq < IRQ_MAX && ktime_before(now, irqs[irq].pace.masked_until))
		irq = bitmap_find_set(irqs_paced, IRQ_MAX, irq + 1);
	if (irq < IRQ_MAX)
		irq_change_locked((uint32_t)irq, 0, IRQ_PACED);
	ktime next = irq_pace_next_locked();
	spin_unlock_irqrestore(&irq_lock, flags);
	return next;
}

void irq_pace_set_timer(void (*arm)(ktime at))
{
	irqflags flags = spin_lock_irqsave(&irq_lock);
	__atomic_store_n(&irq_pace_arm, arm, __ATOMIC_RELEASE);
	ktime next = irq_pace_next_locked();
	spin_unlock_irqrestore(&irq_lock, flags);
	if (!ktime_is_never(next))
		arm(next);
}

static void irq_run(uint32_t irq, struct irq_desc *d, void (*handler)(void *))
{
	ktime begin = arch_clock();
	handler(d->arg);
	int64_t ran_ns = ktime_diff(arch_clock(), begin);
	d->count[arch_cpu()]++;
	d->longest_ns = max(d->longest_ns, ran_ns);
	if (unlikely(irq_pace_note(&d->pace, begin)))
		irq_mask_paced(irq, d);
}

/* Nobody asked for this source: the firmware left it enabled, or a driver enabled it by another way. */
static cold void irq_unclaimed(uint32_t irq, struct irq_desc *d)
{
	this_cpu(irq_spurious).unclaimed++;
	if (++d->unclaimed < CONFIG_IRQ_UNCLAIMED_MAX)
		return;
	d->unclaimed = 0;
	irq_disable(irq);
	irq_log_mark(d, IRQ_LOG_UNCLAIMED);
}

/* A PLIC ignores the completion of a source that is disabled, and would never raise it again. */
static cold void irq_complete_disabled(uint32_t irq)
{
	spin_lock_raw(&irq_lock);
	irqchip->enable(irq, arch_cpu());
	irqchip->complete(irq);
	irqchip->disable(irq);
	spin_unlock_raw(&irq_lock);
}

static void irq_serve(uint32_t irq)
{
	struct irq_desc *d = &irqs[irq];
	uint32_t state = __atomic_fetch_or(&d->state, IRQ_ACTIVE, __ATOMIC_ACQ_REL);
	void (*handler)(void *) = irq_handler(d);
	if (unlikely(!handler)) {
		irq_unclaimed(irq, d);
		irqchip->complete(irq);
	} else if (unlikely(!irq_is_open(state))) {
		d->spurious++; /* if its device still wants something, it will say so when it is enabled */
		irq_complete_disabled(irq);
	} else {
		irq_run(irq, d, handler);
		irqchip->complete(irq);
	}
	state = __atomic_fetch_and(&d->state, ~(uint32_t)IRQ_ACTIVE, __ATOMIC_ACQ_REL);
	if (unlikely(state & IRQ_CHANGED)) {
		spin_lock_raw(&irq_lock);
		irq_sync_locked(irq);
		spin_unlock_raw(&irq_lock);
	}
}

/* A number that has no descriptor: masked at once, since nothing can count it. */
static cold void irq_out_of_range(uint32_t irq)
{
	this_cpu(irq_spurious).unclaimed++;
	irqchip->complete(irq);
	spin_lock_raw(&irq_lock);
	irqchip->disable(irq);
	spin_unlock_raw(&irq_lock);
	__atomic_store_n(&irq_beyond, irq, __ATOMIC_RELAXED);
	irq_log_later();
}

/* Whether to claim again is asked first: a claim is a read of the controller, and nearly always one is all. */
static void irq_serve_pending(void)
{
	for (unsigned n = 0; n == 0 || (n < CONFIG_IRQ_BATCH && irqchip->waiting()); n++) {
		uint32_t irq = irqchip ? irqchip->claim() : 0;
		if (irq == 0) {
			if (n == 0)
				this_cpu(irq_spurious).empty++;
			return;
		}
		if (likely(irq < IRQ_MAX))
			irq_serve(irq);
		else
			irq_out_of_range(irq);
	}
}

void upcall_irq(void)
{
	ktime began;
	int64_t before = interrupt_begin(&began);
	trace_irq_enter();
	irq_serve_pending();
	interrupt_end(before, began);
	trace_irq_exit();
}

/* ---- figures ---- */

bool irq_stats_at(size_t i, struct irq_stats *out)
{
	for (uint32_t irq = 1; irq < IRQ_MAX; irq++) {
		const struct irq_desc *d = &irqs[irq];
		if (!irq_handler(d) || i-- > 0)
			continue;
		*out = (struct irq_stats){
			.irq = irq,
			.name = d->name,
			.spurious = d->spurious,
			.storms = d->storms,
			.masked = __atomic_load_n(&d->state, __ATOMIC_RELAXED) & IRQ_PACED,
			.masked_ns = d->masked_ns,
			.longest_ns = d->longest_ns,
		};
		memcpy(out->count, d->count, sizeof(out->count));
		return true;
	}
	return false;
}

void irq_spurious_stats(uint32_t cpu, struct irq_spurious *out)
{
	*out = cpu_of(irq_spurious, cpu);
}
