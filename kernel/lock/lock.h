/*
 * lock.h - locks that spin. Holding one keeps preemption off.
 *
 * A lock belongs to a class; the classes stand in kernel/lock/order.h, outermost
 * first, and lockdep checks every acquire against that list and against the
 * order that it has learned. In release builds lockdep is not there.
 *
 * A lock that an interrupt handler takes is taken everywhere with the _irqsave
 * form; lockdep reports a class used both ways.
 *
 * Context: any. FIFO among waiters (ticket lock); waits through arch_spin_relax.
 */
#ifndef KERNEL_LOCK_LOCK_H
#define KERNEL_LOCK_LOCK_H

#include "arch/arch.h"
#include "kernel/lock/order.h"

struct spinlock {
	uint32_t ticket; /* next << 16 | serving */
	uint16_t class;  /* enum lock_class */
	uint16_t holder; /* cpu + 1, debug only */
	uint32_t contended;
};

#define SPINLOCK_INIT(c) {.class = (c)}
static inline void spin_init(struct spinlock *l, enum lock_class class)
{
	*l = (struct spinlock){.class = class};
}

void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
must_check bool spin_try(struct spinlock *l);
must_check irqflags spin_lock_irqsave(struct spinlock *l);
void spin_unlock_irqrestore(struct spinlock *l, irqflags flags);
bool spin_is_held(const struct spinlock *l); /* by this hart; for assertions */

/* seqlock: readers retry, one writer at a time (which holds its own spinlock). */
struct seqcount {
	uint32_t seq;
};
uint32_t seq_read_begin(const struct seqcount *s);
must_check bool seq_read_retry(const struct seqcount *s, uint32_t begin);
void seq_write_begin(struct seqcount *s);
void seq_write_end(struct seqcount *s);

/* lockdep.c: also called by sync/ for mutexes. */
void lockdep_acquire(enum lock_class class, const void *lock);
void lockdep_release(enum lock_class class, const void *lock);
/* Asserts that the caller may sleep: no spinlock held, preemption and interrupts on. */
void might_sleep(void);

#endif
