/* lock_priv.h - between the files of kernel/lock. */
#ifndef KERNEL_LOCK_LOCK_PRIV_H
#define KERNEL_LOCK_LOCK_PRIV_H

#include "kernel/lock/lock.h"

/* ---- stats.c; interrupts off ---- */

void lock_stats_acquired(enum lock_class class);
void lock_stats_held(enum lock_class class, int64_t ns, uintptr_t at);

/* lockdep.c; interrupts off, this hart */
#ifdef CONFIG_LOCKDEP
void lockdep_spin_acquire(const struct spinlock *l, bool irqs_on);  /* may report */
void lockdep_spin_acquired(const struct spinlock *l, bool irqs_on);
void lockdep_spin_release(const struct spinlock *l);
#else
static inline void lockdep_spin_acquire(unused const struct spinlock *l, unused bool irqs_on)
{
}
static inline void lockdep_spin_acquired(unused const struct spinlock *l, unused bool irqs_on)
{
}
static inline void lockdep_spin_release(unused const struct spinlock *l)
{
}
#endif

#endif
