/*
 * lockdep_core.c - the graph of lock classes; see the header.
 *
 * Invariant: after[] has no cycle but the self-edges of nesting classes, which
 * are not recorded.
 */
#include "lib/assert.h"
#include "kernel/lock/lockdep_core.h"

static uint64_t class_bit(uint32_t class)
{
	return UINT64_C(1) << class;
}

void lockdep_core_init(struct lockdep_core *d, uint32_t ordered, uint64_t nesting)
{
	assert(ordered <= LOCKDEP_CLASS_MAX);
	*d = (struct lockdep_core){.ordered = ordered, .nesting = nesting};
}

uint64_t lockdep_core_reach(const struct lockdep_core *d, uint32_t class)
{
	uint64_t reached = 0, todo = d->after[class];
	while (todo) {
		uint32_t c = (uint32_t)__builtin_ctzl(todo);
		reached |= class_bit(c);
		todo = (todo | d->after[c]) & ~reached;
	}
	return reached;
}

/* Classes that handlers take, and all that were waited for under one of them. */
static uint64_t lockdep_irq_reach(const struct lockdep_core *d)
{
	uint64_t reached = d->used_in_irq;
	for (uint64_t todo = d->used_in_irq; todo; todo &= todo - 1)
		reached |= lockdep_core_reach(d, (uint32_t)__builtin_ctzl(todo));
	return reached;
}

static bool lockdep_counts(const struct lockdep_held *h, const struct lockdep_held *t)
{
	return !t->in_irq || h->in_irq;
}

/* Taking t under h alone, against the rules that need no graph. */
static enum lockdep_verdict lockdep_pair(
	const struct lockdep_core *d, const struct lockdep_held *h, const struct lockdep_held *t)
{
	if (h->lock == t->lock)
		return LOCKDEP_RECURSION;
	if (t->sleeps && !h->sleeps)
		return LOCKDEP_SLEEP_SPIN;
	if (h->class == t->class) {
		bool nests = d->nesting & class_bit(t->class);
		return nests && h->lock < t->lock ? LOCKDEP_OK : LOCKDEP_SAME_CLASS;
	}
	if (h->class < d->ordered && t->class < d->ordered && h->class > t->class)
		return LOCKDEP_ORDER;
	return LOCKDEP_OK;
}

static void lockdep_learn(struct lockdep_core *d, const struct lockdep_held *held, size_t n,
	const struct lockdep_held *t)
{
	for (size_t i = 0; i < n; i++)
		if (lockdep_counts(&held[i], t) && held[i].class != t->class)
			d->after[held[i].class] |= class_bit(t->class);
	if (t->in_irq)
		d->used_in_irq |= class_bit(t->class);
	if (t->irqs_on)
		d->used_irqs_on |= class_bit(t->class);
}

bool lockdep_core_known(const struct lockdep_core *d, const struct lockdep_held *held, size_t n,
	const struct lockdep_held *t)
{
	uint64_t bit = class_bit(t->class);
	if ((t->in_irq && !(d->used_in_irq & bit)) || (t->irqs_on && !(d->used_irqs_on & bit)))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!lockdep_counts(&held[i], t))
			continue;
		if (held[i].class == t->class || held[i].lock == t->lock ||
			!(d->after[held[i].class] & bit) || (t->sleeps && !held[i].sleeps))
			return false;
	}
	return true;
}

enum lockdep_verdict lockdep_core_check(struct lockdep_core *d, const struct lockdep_held *held,
	size_t n, const struct lockdep_held *t, uint32_t *culprit)
{
	assert(t->class < LOCKDEP_CLASS_MAX);
	*culprit = t->class;
	if (lockdep_core_known(d, held, n, t))
		return LOCKDEP_OK;
	uint64_t reach = lockdep_core_reach(d, t->class);
	for (size_t i = 0; i < n; i++) {
		if (!lockdep_counts(&held[i], t))
			continue;
		*culprit = held[i].class;
		enum lockdep_verdict v = lockdep_pair(d, &held[i], t);
		if (v != LOCKDEP_OK)
			return v;
		if (held[i].class != t->class && reach & class_bit(held[i].class))
			return LOCKDEP_CYCLE;
	}

	struct lockdep_core next = *d;
	lockdep_learn(&next, held, n, t);
	uint64_t both = next.used_in_irq & next.used_irqs_on;
	uint64_t chain = lockdep_irq_reach(&next) & next.used_irqs_on;
	if (both || chain) {
		*culprit = (uint32_t)__builtin_ctzl(both ? both : chain);
		return both ? LOCKDEP_IRQ_USAGE : LOCKDEP_IRQ_CHAIN;
	}
	*d = next;
	*culprit = t->class;
	return LOCKDEP_NEW;
}
