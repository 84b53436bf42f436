/*
 * irq.c - from the controller's number to the handler.
 *
 * Locks: irq_lock (LOCK_IRQ) is held for every call of the controller's enable and
 * disable. The path of an interrupt takes no lock: it marks the descriptor ACTIVE from
 * claim to completion. Who changes a source meanwhile only notes it (CHANGED), and the
 * controller is told after the completion, by the hart that served it.
 *
 * Invariant: with ACTIVE clear and irq_lock free, the controller has the source enabled,
 * on hart `cpu`, if and only if ENABLED is set.
 *
 * Counters of a descriptor are written by the hart that serves it; only one does at a time.
 */
#include "kernel/diag/diag.h"
#include "kernel/irq/irq.h"
#include "kernel/lock/lock.h"
#include "lib/assert.h"

#define STORM_WINDOW_NS (100 * NS_PER_MS)

enum { IRQ_ENABLED = 1, IRQ_ACTIVE = 2, IRQ_CHANGED = 4, IRQ_STORMED = 8 };

struct irq_desc {
	uint32_t state; /* atomic: IRQ_* */
	/* guarded by irq_lock */
	uint32_t cpu;
	/* constant once `handler` is seen */
	struct str name;
	void *arg;
	void (*handler)(void *arg); /* atomic; NULL: nobody asked for it */
	/* by the hart that serves it */
	uint64_t count[CPU_MAX];
	uint64_t spurious, storms;
	int64_t longest_ns;
	ktime window; /* the storm's window began */
	uint32_t in_window;
};

static struct spinlock irq_lock = SPINLOCK_INIT(LOCK_IRQ);
static struct irq_desc irqs[IRQ_MAX];
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
	if (state & IRQ_ENABLED)
		irqchip->enable(irq, d->cpu);
	else
		irqchip->disable(irq);
}

static void irq_change(uint32_t irq, uint32_t set, uint32_t clear, uint32_t cpu)
{
	assert(irq > 0 && irq < IRQ_MAX && irqchip);
	struct irq_desc *d = &irqs[irq];
	irqflags flags = spin_lock_irqsave(&irq_lock);
	if (cpu < CPU_MAX)
		d->cpu = cpu;
	__atomic_fetch_and(&d->state, ~clear, __ATOMIC_RELAXED);
	__atomic_fetch_or(&d->state, set | IRQ_CHANGED, __ATOMIC_RELEASE);
	irq_sync_locked(irq);
	spin_unlock_irqrestore(&irq_lock, flags);
}

void irq_enable(uint32_t irq)
{
	assert(irq < IRQ_MAX && irq_handler(&irqs[irq]));
	irq_change(irq, IRQ_ENABLED, IRQ_STORMED, CPU_MAX);
}

void irq_unmask(uint32_t irq)
{
	if (!(__atomic_load_n(&irqs[irq].state, __ATOMIC_ACQUIRE) & IRQ_STORMED))
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

static cold void irq_mask_storm(uint32_t irq, struct irq_desc *d)
{
	d->storms++;
	d->in_window = 0;
	irq_change(irq, IRQ_STORMED, IRQ_ENABLED, CPU_MAX);
	klog(LOG_ERR, "irq: %.*s (%u) interrupted more than %u times in 100 ms and is masked",
		STR_ARG(d->name), irq, (unsigned)CONFIG_IRQ_STORM_MAX);
}

static void irq_run(uint32_t irq, struct irq_desc *d, void (*handler)(void *))
{
	ktime begin = arch_clock();
	handler(d->arg);
	int64_t ran_ns = ktime_diff(arch_clock(), begin);
	d->count[arch_cpu()]++;
	d->longest_ns = max(d->longest_ns, ran_ns);
	if (ktime_diff(begin, d->window) >= STORM_WINDOW_NS) {
		d->window = begin;
		d->in_window = 0;
	}
	if (unlikely(++d->in_window > CONFIG_IRQ_STORM_MAX))
		irq_mask_storm(irq, d);
}

/* Nobody asked for this source: the firmware left it enabled, or a driver enabled it by another way. */
static cold void irq_unclaimed(uint32_t irq, struct irq_desc *d)
{
	this_cpu(irq_spurious).unclaimed++;
	if (++d->in_window < CONFIG_IRQ_UNCLAIMED_MAX)
		return;
	d->in_window = 0;
	irq_disable(irq);
	klog(LOG_ERR, "irq: %u interrupts and has no handler; it is masked", irq);
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
	} else if (unlikely(!(state & IRQ_ENABLED))) {
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
	klog(LOG_ERR, "irq: %u is beyond CONFIG_IRQ_MAX; it is masked", irq);
}

void upcall_irq(void)
{
	for (unsigned n = 0; n < CONFIG_IRQ_BATCH; n++) {
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
