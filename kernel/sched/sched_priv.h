/*
 * sched_priv.h - what the files of this folder share.
 *
 * Locks: a run queue's lock guards the queue and the state of all threads whose
 * `cpu` it is. It is taken with interrupts off, is held across arch_switch, and is
 * dropped by whoever comes out of the switch: so no other hart can enter a stack
 * that is still in use. Two at once: lower cpu first.
 *
 * Published without lock, for other harts to look at: what runs here and the best
 * that waits here. They are hints; every decision is made again under the lock.
 */
#ifndef KERNEL_SCHED_SCHED_PRIV_H
#define KERNEL_SCHED_SCHED_PRIV_H

#include "kernel/sched/load_core.h"
#include "kernel/sched/sched.h"
#include "lib/assert.h"

struct hart {
	struct spinlock lock;
	struct runq queue;
	struct thread *current;
	struct thread *idle;
	ktime started_at, switched_at;
	struct load load;
	bool quantum_armed;
	uint32_t balance_armed; /* atomic */
	bool online;
	uint16_t cpu;
	struct callout balance;
	uint64_t switches, preemptions, migrations_in;

	/* read by other harts without the lock */
	uint8_t running_priority aligned_to(CACHE_LINE);
	int8_t movable_priority;
} aligned_to(CACHE_LINE);

extern struct hart sched_hart[CPU_MAX];

static inline struct hart *hart_here(void)
{
	return &sched_hart[arch_cpu()];
}

static inline struct thread *thread_of(struct runq_node *n)
{
	return container_of(n, struct thread, run);
}

static inline uint8_t hart_running_priority(const struct hart *h)
{
	return __atomic_load_n(&h->running_priority, __ATOMIC_RELAXED);
}

static inline int hart_movable_priority(const struct hart *h)
{
	return __atomic_load_n(&h->movable_priority, __ATOMIC_RELAXED);
}

/* ---- sched.c ---- */

/* Locks the hart that t belongs to; interrupts off. */
struct hart *thread_lock(struct thread *t);
/* Locks both, lower first; may be the same. */
void hart_lock_pair(struct hart *a, struct hart *b);
void hart_unlock_pair(struct hart *a, struct hart *b);
/* With h locked: t, not queued, stands there; then hart_changed() is due. */
void hart_enqueue(struct hart *h, struct thread *t);
/* With h locked: re-queues t, queued there, with what `change` makes of its node. */
void hart_requeue(struct hart *h, struct thread *t, uint8_t priority, uint64_t affinity);
/* With h locked, after any change: republishes, asks for a switch where one is due. */
void hart_changed(struct hart *h);
/* With h locked: has it decide again what to run. */
void hart_resched(struct hart *h);
/* With this hart locked: runs the best thread and drops the lock. Interrupts stay off. */
void sched_switch_unlock(struct hart *h);
/* The other side of a switch: drops the lock, finishes the thread that was left. */
void sched_switched(struct thread *left);
/* With t's hart h locked, t neither running nor queued: makes it ready where it should run; drops the lock. */
void sched_make_ready_unlock(struct hart *h, struct thread *t);
/* After the locks are dropped, interrupts as the caller had them: switches when that is due. */
static inline void sched_leave(irqflags flags)
{
	arch_irq_restore(flags);
	if (unlikely(arch_need_resched()))
		spin_preempt();
}
bool thread_may_become(const struct thread *t, enum thread_state next);
static inline void thread_set_state(struct thread *t, enum thread_state next)
{
	debug_assert(thread_may_become(t, next));
	t->state = next;
}

/* ---- place.c ---- */

/* The hart on which t, about to be ready, should run. A hint. */
uint32_t sched_place(const struct thread *t);
/* Takes over the best thread that waits elsewhere for less than what runs here. This hart unlocked, interrupts off. */
void sched_pull(void);
/* With h locked: its best movable waiter may outrank what runs elsewhere: has that hart pull. */
void sched_kick(struct hart *h);
void balance_init(struct hart *h);
void balance_arm(struct hart *h);

/* ---- quantum.c ---- */

void quantum_init(void);
/* With h locked: the timer of its quantum is set as quantum_wanted() says. */
void quantum_set(struct hart *h);
static inline bool quantum_wanted(const struct hart *h)
{
	const struct thread *t = h->current;
	return t->class == SCHED_RR && t->run.queued && runq_has_equal(&h->queue, &t->run);
}
/* With h locked: the timer runs if and only if an equal waits for the running thread's quantum to end. */
static inline void quantum_update(struct hart *h)
{
	if (unlikely(h->quantum_armed || quantum_wanted(h)))
		quantum_set(h);
}

/* ---- thread.c, pi.c ---- */

void threads_init(void);
void thread_timeout(void *arg);
/* Gives t an id and a place in the table; ERR_NOMEM. */
must_check enum err thread_register(struct thread *t);
void thread_setup(struct thread *t, const struct thread_attr *attr);
struct thread_result thread_make(const struct thread_attr *attr);
void thread_put(struct thread *t);
/* The effective priority; with pi_lock held. */
void thread_set_effective(struct thread *t, uint8_t priority);

/* ---- invariant.c ---- */

#ifdef CONFIG_DEBUG
void sched_check(const struct hart *h); /* with h locked, after a switch */
#else
static inline void sched_check(const struct hart *h)
{
	(void)h;
}
#endif

#endif
