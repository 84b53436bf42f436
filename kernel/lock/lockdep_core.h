/*
 * lockdep_core.h - may this lock be taken now? The pure part of lockdep.
 *
 *	lockdep_core_init(&d, ordered, nesting);
 *	v = lockdep_core_check(&d, held, count, &taking, &culprit);   before every acquire
 *
 * It knows classes as numbers below LOCKDEP_CLASS_MAX. The first `ordered` of them
 * may only be taken in rising order; for the others, and for all together, the
 * graph "b was taken while a was held" must stay without a cycle.
 *
 * Interrupts: a class that a handler takes must not be held anywhere with
 * interrupts on, nor may a class that is held with interrupts on be waited for,
 * over any number of steps, by somebody who holds one that a handler takes.
 *
 * Two locks of one class are never held together, except of a nesting class, lower
 * address first.
 *
 * Bounded: the closure of a new edge costs at most LOCKDEP_CLASS_MAX steps of one word.
 */
#ifndef KERNEL_LOCK_LOCKDEP_CORE_H
#define KERNEL_LOCK_LOCKDEP_CORE_H

#include "lib/base.h"

#define LOCKDEP_CLASS_MAX 64 /* one word of bits */

struct lockdep_core {
	uint64_t after[LOCKDEP_CLASS_MAX]; /* bit b of after[a]: b was taken while a was held */
	uint64_t used_in_irq;              /* classes that a handler took */
	uint64_t used_irqs_on;             /* classes taken with interrupts on */
	uint64_t nesting;
	uint32_t ordered;
};

struct lockdep_held {
	uint32_t class;
	const void *lock;
	bool in_irq;  /* taken by an interrupt handler */
	bool irqs_on; /* taken with interrupts on, by a thread */
	bool sleeps;  /* a mutex: its waiters do not spin */
};

enum lockdep_verdict {
	LOCKDEP_OK,
	LOCKDEP_NEW,        /* fine, and an edge or a usage that was not known */
	LOCKDEP_RECURSION,  /* this very lock is held already */
	LOCKDEP_SAME_CLASS, /* another of its class is held */
	LOCKDEP_ORDER,      /* against order.h */
	LOCKDEP_CYCLE,      /* against the order seen before */
	LOCKDEP_IRQ_USAGE,  /* taken by handlers, and held with interrupts on */
	LOCKDEP_IRQ_CHAIN,  /* held with interrupts on, and waited for under one that handlers take */
	LOCKDEP_SLEEP_SPIN, /* a lock that sleeps under one that spins */
	LOCKDEP_VERDICTS,
};

void lockdep_core_init(struct lockdep_core *d, uint32_t ordered, uint64_t nesting);

/*
 * Judges taking `t` while held[0..n) are held, and learns from it unless it is
 * refused. *culprit is the class, held or reached, that it collides with. A
 * handler is judged by what it took itself, not by what the interrupted code holds.
 */
must_check enum lockdep_verdict lockdep_core_check(struct lockdep_core *d,
	const struct lockdep_held *held, size_t n, const struct lockdep_held *t, uint32_t *culprit);

/* True when check() would say LOCKDEP_OK without looking further: for a caller without the lock. */
bool lockdep_core_known(const struct lockdep_core *d, const struct lockdep_held *held, size_t n,
	const struct lockdep_held *t);

/* All classes that were taken, over any number of steps, under `class`. */
uint64_t lockdep_core_reach(const struct lockdep_core *d, uint32_t class);

#endif
