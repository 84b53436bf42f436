/*
 * sched_priv.h - what the files of this folder share.
 *
 * Locks: a run queue's lock guards the queue and the state of all threads whose
 * `hart` it is. It is taken with interrupts off, is held across arch_switch, and is
 * dropped by sched_switched() on the other side: so no other hart can enter a stack
 * that is still in use. Two at once: lower cpu first.
 *
 * A READY thread stands in its hart's queue, the running one too, at the head of its
 * priority. The exception: one on its way to a hart belongs to whoever made it READY
 * (sched_ready_unlock), and to nobody else, until that puts it into a queue.
 *
 * Published without lock, for other harts to look at: what runs here and the best
 * that waits here. They are hints; every decision is made again under the lock.
 *
 * The paths of yield, block, wake and preemption call nothing out of line in their
 * plain case: what is rare or needs other harts is behind one test of a thread's
 * `attention` or a hart's `peers`, or behind the hart's `finish`.
 */
#ifndef KERNEL_SCHED_SCHED_PRIV_H
#define KERNEL_SCHED_SCHED_PRIV_H

#include "kernel/sched/load_core.h"
#include "kernel/sched/sched.h"
#include "lib/assert.h"

struct hart {
	struct spinlock lock;
	struct thread *current;
	arch_finish_fn *finish; /* constant: what comes first after a switch here */
	ktime switched_at;
	uint64_t switches;
	ktime quantum_at; /* what the timer source is set to; it may be early, never late */
	bool peers;       /* constant: there are other harts */
	uint16_t cpu;     /* constant */
	bool online;
	uint32_t balance_armed; /* atomic */
	struct runq queue;
	struct thread *idle;
	ktime started_at;
	ktime idle_from; /* idle has been running since, or ran last from */
	int64_t idle_ran_ns; /* its cpu_time_ns then */
	struct load load;    /* up to idle_from */
	struct callout balance;
	uint64_t preemptions, migrations_in;

	/* read by other harts without the lock; kept only where there are any */
	uint8_t running_priority aligned_to(CACHE_LINE);
	int8_t waiting_priority; /* of the best that waits and may move; -1: none */
} aligned_to(CACHE_LINE);

extern struct hart sched_hart[CPU_MAX];

/* struct thread.attention */
enum {
	THREAD_RR = 1,
	THREAD_IDLE = 2,
	THREAD_SUSPEND_DUE = 4, /* becomes SUSPENDED where it runs or would run next */
	THREAD_LEAVE_DUE = 8,   /* runs where its affinity no longer allows it */
	THREAD_EXPEL = THREAD_SUSPEND_DUE | THREAD_LEAVE_DUE,
};

/* This hart; preemption off. */
static inline struct hart *hart_here(void)
{
	return thread_current()->hart;
}

static inline struct thread *thread_of(struct runq_node *n)
{
	return container_of(n, struct thread, run);
}

static inline enum sched_class thread_class(const struct thread *t)
{
	return t->attention & THREAD_IDLE ? SCHED_IDLE : t->attention & THREAD_RR ? SCHED_RR : SCHED_FIFO;
}

static inline uint8_t hart_running_priority(const struct hart *h)
{
	return __atomic_load_n(&h->running_priority, __ATOMIC_RELAXED);
}

static inline int hart_waiting_priority(const struct hart *h)
{
	return __atomic_load_n(&h->waiting_priority, __ATOMIC_RELAXED);
}

bool thread_may_become(const struct thread *t, enum thread_state next);
static inline void thread_set_state(struct thread *t, enum thread_state next)
{
	debug_assert(thread_may_become(t, next));
	t->state = next;
}

/* ---- sched.c ---- */

/* Locks the hart that t belongs to; interrupts off. */
static inline struct hart *thread_lock(struct thread *t)
{
	for (;;) {
		struct hart *h = __atomic_load_n(&t->hart, __ATOMIC_RELAXED);
		spin_lock_raw(&h->lock);
		if (likely(h == t->hart))
			return h;
		spin_unlock_raw(&h->lock);
	}
}

/* Locks both, lower first; may be the same. */
void hart_lock_pair(struct hart *a, struct hart *b);
void hart_unlock_pair(struct hart *a, struct hart *b);

/* With h locked: t, READY and in no queue, comes to stand there, with all that follows from that. */
void hart_enqueue(struct hart *h, struct thread *t);
/* With h locked: re-queues t, queued there, with that priority and affinity, with all that follows. */
void hart_requeue(struct hart *h, struct thread *t, uint8_t priority, uint64_t affinity);
/* With h locked, after any change: asks for a switch where one is due, tells the others. */
void hart_changed(struct hart *h);
/* With h locked: has it decide again what to run. */
void hart_resched(struct hart *h);

/* After the locks are dropped, interrupts as the caller had them: switches when that is due. */
static inline void sched_leave(irqflags flags)
{
	arch_irq_restore(flags);
	if (unlikely(arch_need_resched()))
		spin_preempt();
}

/* The other side of a switch: on a machine of one hart, and of several (h->finish)... */
arch_finish_fn sched_switched, sched_switched_peers;
/* ... when the thread left has ended; when it may not run here any more. */
arch_finish_fn sched_switched_dead, sched_switched_homeless;

/*
 * With this hart locked, running `from`: enters the best thread, which is another; the lock is dropped
 * there. When it comes back, with the result of the wait if `from` was blocked (an enum err).
 */
static inline int sched_switch(struct hart *h, struct thread *from, struct thread *to, irqflags flags,
	arch_finish_fn *finish)
{
	ktime now = clock_now();
	from->cpu_time_ns += ktime_diff(now, h->switched_at);
	h->switched_at = now;
	h->switches++;
	h->current = to;
	return arch_switch(&from->arch, &to->arch, flags, finish);
}

/* The same, when `from` has left the queue. */
static inline int sched_switch_away(struct hart *h, struct thread *from, irqflags flags,
	arch_finish_fn *finish)
{
	return sched_switch(h, from, thread_of(runq_best(&h->queue)), flags, finish);
}

/* Out of sched_ready_unlock: an equal of a round-robin thread has come. */
void quantum_update_rare(void *hart, uintptr_t none);
/* Out of sched_ready_unlock: t is to be suspended, or another hart may be the better one. */
void sched_ready_slow(struct hart *h, struct thread *t, irqflags flags);

/*
 * With h, t's hart, locked and t in no queue, in transition to READY: puts it where it should
 * run, drops the lock, gives the interrupts back, and switches to it when that is due and
 * possible. The caller is the only one who does that with t.
 */
static inline void sched_ready_unlock(struct hart *h, struct thread *t, irqflags flags)
{
	if (unlikely(h->peers || t->attention & THREAD_SUSPEND_DUE)) {
		sched_ready_slow(h, t, flags);
		return;
	}
	struct thread *running = h->current;
	runq_push_back(&h->queue, &t->run);
	if (t->run.priority > running->run.priority) {
		if (irqflags_enabled(flags) && running->arch.preempt_count == 0) {
			h->preemptions++;
			sched_switch_away(h, running, flags, h->finish);
			return;
		}
		arch_need_resched_set();
	} else if (unlikely(running->attention & THREAD_RR)) {
		arch_call_rare(quantum_update_rare, h, 0);
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
}

/* ---- control.c ---- */

uint64_t cpus_present(void); /* bit per cpu of this machine */

/* ---- place.c ---- */

/* The hart on which t, about to be ready, should run. A hint. */
struct hart *sched_place(const struct thread *t);
/* Takes over the best thread that waits elsewhere for less than what runs here. This hart unlocked, interrupts off. */
void sched_pull(void);
/* With h locked, and peers: tells them what runs and what waits here. */
void hart_publish(struct hart *h);
/* With h locked and published: t, which waits here, may outrank what runs elsewhere: has those harts pull. */
void hart_kick(const struct hart *h, const struct thread *t);
/* The same for the best that waits here. */
void hart_kick_best(const struct hart *h);

/* ---- balance.c ---- */

void balance_init(struct hart *h);
/* Nothing locked: something waits on h that may run elsewhere. */
void balance_arm(struct hart *h);
static inline void balance_update(struct hart *h)
{
	if (unlikely(hart_waiting_priority(h) >= 0 && !__atomic_load_n(&h->balance_armed, __ATOMIC_RELAXED)))
		balance_arm(h);
}

/* ---- quantum.c ---- */

#define TURN_OVER 0 /* of the running thread: it goes behind its equals; of another: a new turn begins */
void quantum_init(void);
/* With h locked: its timer goes off when the running thread's turn ends, if an equal waits. */
void quantum_update(struct hart *h);

/* ---- stats.c ---- */

/* With this hart locked: its idle thread was just switched to. */
void hart_idle_begins(struct hart *h);

/* ---- thread.c ---- */

void threads_init(void);
void thread_timeout(void *arg);
/* Gives t an id and a place in the table; ERR_NOMEM. */
must_check enum err thread_register(struct thread *t);
void thread_setup(struct thread *t, const struct thread_attr *attr);
struct thread_result thread_make(const struct thread_attr *attr);
void thread_put(struct thread *t);

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
