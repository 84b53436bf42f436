/*
 * sched_priv.h - what the files of this folder share.
 *
 * Locks: a run queue's lock guards the queue and the state of all threads whose
 * `hart` it is. It is taken with interrupts off, is held across arch_switch, and is
 * dropped by sched_switched_peers() on the other side: so no other hart can enter a stack
 * that is still in use. Two at once: lower cpu first. Where there are no other harts, interrupts
 * that are off say the same: there it is dropped before arch_switch, and the plain case does
 * without (hart_lock_alone).
 *
 * A READY thread stands in its hart's queue, the running one too, at the head of its
 * priority. The exception: one on its way to a hart belongs to whoever made it READY
 * (sched_ready_unlock), and to nobody else, until that puts it into a queue.
 *
 * Published without lock, for other harts to look at: what runs here and the best
 * that waits here. They are hints; every decision is made again under the lock.
 *
 * The paths of yield, block, wake and preemption call nothing out of line in their
 * plain case, for which there are no other harts: all else is behind one test of a thread's
 * `attention` or of the queue's `rare`, or behind the hart's `finish`.
 *
 * Who may not run for now, because its server or its domain has nothing left, is parked when
 * its turn comes (hart_best): throttling a group is one bit, and costs each of its threads one step.
 */
#ifndef KERNEL_SCHED_SCHED_PRIV_H
#define KERNEL_SCHED_SCHED_PRIV_H

#include "kernel/diag/diag.h"
#include "kernel/diag/trace.h"
#include "kernel/sched/deadline.h"
#include "kernel/sched/load_core.h"
#include "kernel/sched/sched.h"
#include "lib/assert.h"

/* In hart.refills: when a throttled server or a spent domain has a budget again. */
struct refill {
	struct heap_node node;
	struct server *server; /* constant; NULL: a domain's */
	uint8_t domain;        /* constant */
};

/*
 * What serves one deadline thread, and its place in the table of what is admitted. The thread is on
 * the server's home hart whenever it has one.
 */
struct server {
	struct thread *thread; /* LOCK_PI and the hart's lock */
	/* the home hart's lock */
	struct edf_server edf;
	struct edf_job job;
	struct refill refill;
	struct list node;      /* in the hart's servers */
	int64_t next_virtual_ns;
	uint64_t allowed;      /* the affinity that the user wants */
	void (*notify)(struct thread *t, enum deadline_event event, void *arg);
	void *notify_arg;
	int64_t free_ns;       /* that its thread may run before it pays: the kernel's work for the job */
	struct list errand;    /* in the hart's errands, if there are any */
	uint8_t errands;       /* SERVER_* */
	ktime logged_at;
	uint64_t response[LATENESS_BUCKETS];
	int64_t response_max_ns;
	/* LOCK_ADMISSION */
	struct hart *home;          /* NULL: free */
	uint32_t owner;             /* id of the thread that it was admitted for */
	struct admission_task task; /* as the hart's test counts it */
	ktime leaves_at;            /* without a thread: its bandwidth is kept until then */
	bool low;                   /* of a LO domain */
};

/* What is left to do about a server after the lock is dropped: where its hart's running thread may be preempted next. */
enum { SERVER_OVERRUN = 1 << DEADLINE_OVERRUN, SERVER_MISSED = 1 << DEADLINE_MISSED, SERVER_REFRESH = 4 };
struct errand {
	struct server *server;
	struct thread *thread; /* which cannot go away: this hart would have to run it */
	uint8_t what;
	void (*notify)(struct thread *t, enum deadline_event event, void *arg);
	void *notify_arg;
};

/* What is to be written into the log later: notes.c. */
#define NOTES_MAX 8
enum note_kind { NOTE_MODE_HIGH, NOTE_MODE_LOW, NOTE_OVERRUN, NOTE_MISSED };
struct note {
	uint8_t kind;
	uint8_t name_len;
	char name[THREAD_NAME_MAX];
	uint32_t tid;
	uint32_t lost; /* before it, because there was no place */
	int64_t ns;    /* the runtime that was spent; how long the mode was HI */
	struct edf_stats stats;
};
struct notes {
	struct note note[NOTES_MAX];
	uint32_t first, count, lost;
	bool sent; /* a callout is under way, or at work */
	struct callout callout;
};

/* A domain on one hart. */
struct domain_hart {
	struct domain_attr attr; /* as published last */
	struct budget budget;
	struct list parked;  /* threads, by run.link */
	struct list dropped; /* those with a deadline, which the budget does not concern */
	struct refill refill;
};

struct hart {
	struct spinlock lock;
	struct thread *current;
	arch_finish_fn *finish; /* what comes first after a switch here */
	ktime switched_at;
	uint64_t switches, preemptions; /* without those of sched_preempt_alone(), */
	uint64_t preempted;             /* each of which is one of both */
	struct thread *best; /* what hart_leave_rare() has found */
	ktime timer_at;   /* what the timer source is set to; it may be early, never late */
	ktime quantum_at; /* when the running thread's turn ends, if that matters; may be early */
	/* account.c, on the clock that interrupts do not move */
	ktime paid_until; /* of the running thread's time */
	ktime budget_at;  /* when what pays for the running thread has nothing left */
	ktime budget_timer_at; /* what the timer source is set to; it may be early, never late */
	bool peers;       /* constant: there are other harts */
	uint16_t cpu;     /* constant */
	bool online;
	uint32_t balance_armed; /* atomic */
	struct thread *idle;
	ktime started_at;
	ktime idle_from; /* idle has been running since, or ran last from */
	int64_t idle_ran_ns; /* its cpu_time_ns then */
	struct load load;    /* up to idle_from */

	/* timed waits: timeout.c */
	bool due;         /* this hart, interrupts off: the first timeout is */
	ktime timeout_at; /* what the timer source is set to; it may be early, never late */
	struct heap releases, timeouts; /* in timeout_slots: of those who had a server when they began to wait; of others */

	/* deadlines, domains, mode */
	struct heap refills; /* in refill_slots */
	struct list errands;
	uint32_t active;   /* of the servers: server_counted() */
	uint8_t spent;     /* bit per domain: its budget is */
	uint8_t suspended; /* bit per domain: by the mode */
	uint8_t dropped;   /* bit per domain: its deadline threads are, by the mode; those with a degraded budget included */
	bool idle_wanted;  /* something waits for an instant at which no server is active */
	bool high;
	ktime mode_at;     /* when to try to lower it; KTIME_NEVER: when the servers have nothing to do */

	struct runq queue;
	/* The paths of a switch use nothing from its slots on: a load or store reaches 2047 bytes. */
	struct list servers;
	ktime settled_at;  /* no server that is new here begins before */
	uint64_t raised;
	ktime raised_at;   /* for the first time since it was lowered */
	ktime quiet_at;    /* the mode may be lowered from then on */
	uint32_t raised_by;
	struct notes notes;
	struct domain_hart domain[DOMAIN_MAX];
	struct callout balance;
	uint32_t balance_seen[CPU_MAX]; /* the callout's: decayed ready threads of each hart */
	uint64_t balance_tries; /* the callout's: harts that are still to be asked in this period; 0: it is over */
	uint64_t migrations_in;
	struct heap_node *timeout_slots[2][CONFIG_THREAD_MAX];
	struct heap_node *refill_slots[CONFIG_SCHED_DEADLINE_MAX + DOMAIN_MAX];

	/* read by other harts without the lock; kept only where there are any */
	uint64_t running_rank aligned_to(CACHE_LINE);
	uint64_t waiting_rank; /* of the best that waits and may move; RANK_NONE: none */
} aligned_to(CACHE_LINE);

extern struct hart sched_hart[CPU_MAX];

/* struct thread.attention */
enum {
	THREAD_RR = 1,
	THREAD_IDLE = 2,
	THREAD_SUSPEND_DUE = 4, /* becomes SUSPENDED where it runs or would run next */
	THREAD_LEAVE_DUE = 8,   /* runs where its affinity no longer allows it */
	THREAD_DEADLINE = 16,   /* has a server */
	THREAD_CHARGED = 32,    /* somebody's budget pays for its time: account.c */
	THREAD_WATCHED = 64,    /* the watchdog counts how long it runs */
	THREAD_TIMED = 128,     /* its wait has a timeout, or a result that is not OK */
	THREAD_EXPEL = THREAD_SUSPEND_DUE | THREAD_LEAVE_DUE,
	THREAD_ATTEND_RARE = THREAD_EXPEL | THREAD_IDLE | THREAD_WATCHED | THREAD_RR,
	THREAD_READY_RARE = THREAD_SUSPEND_DUE | THREAD_DEADLINE | THREAD_TIMED,
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
	if (t->attention & THREAD_DEADLINE)
		return SCHED_DEADLINE;
	return t->attention & THREAD_IDLE ? SCHED_IDLE : t->attention & THREAD_RR ? SCHED_RR : SCHED_FIFO;
}

static inline uint64_t hart_running_rank(const struct hart *h)
{
	return __atomic_load_n(&h->running_rank, __ATOMIC_RELAXED);
}

static inline uint64_t hart_waiting_rank(const struct hart *h)
{
	return __atomic_load_n(&h->waiting_rank, __ATOMIC_RELAXED);
}

/* STR_EMPTY: it does not wait. */
static inline struct str thread_waits_for(const struct thread *t)
{
	if (t->state != THREAD_BLOCKED)
		return STR_EMPTY;
	return t->wait_kind ? t->wait_kind->what : t->wait_what;
}

/* What it may wait with, if it waits. */
static inline unsigned thread_wait_flags(const struct thread *t)
{
	return t->wait_kind ? WAIT_CANCELLABLE : t->wait_flags;
}

bool thread_may_become(const struct thread *t, enum thread_state next);
static inline void thread_set_state(struct thread *t, enum thread_state next)
{
	debug_assert(thread_may_become(t, next));
	t->state = (uint8_t)next;
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

/*
 * This hart, interrupts off, queue.rare tested: it has no peers, and there is nobody to lock out. Taken all the same
 * where locks are traced.
 */
static inline void hart_lock_alone(struct hart *h)
{
	debug_assert(!h->peers);
	if (config_on(CONFIG_LOCK_TRACE))
		spin_lock_raw(&h->lock);
}

static inline void hart_unlock_alone(struct hart *h)
{
	if (config_on(CONFIG_LOCK_TRACE))
		spin_unlock_raw(&h->lock);
}

/* Locks both, lower first; may be the same. */
void hart_lock_pair(struct hart *a, struct hart *b);
void hart_unlock_pair(struct hart *a, struct hart *b);

/* With h locked: t, READY and in no queue, comes to stand there, with all that follows from that. */
void hart_enqueue(struct hart *h, struct thread *t);
/* The same where a choice of who runs follows: with what is to be told then left out. */
void hart_stand(struct hart *h, struct thread *t);
void hart_enqueue_front(struct hart *h, struct thread *t); /* before its equals; it stood here before */
/* With h locked: re-queues t, queued there, with that rank and affinity, with all that follows. */
void hart_requeue(struct hart *h, struct thread *t, uint64_t rank, uint64_t affinity);
/* With h locked: t, READY, stands there no more, in the queue or parked; false: it did not. */
bool hart_take(struct hart *h, struct thread *t);
/* With h locked, after any change: asks for a switch where one is due, tells the others. */
void hart_changed(struct hart *h);
/* With h locked: has it decide again what to run. */
void hart_resched(struct hart *h);
/* With h locked: it does an errand where it may be preempted next (sched_run_errand). */
void hart_call(struct hart *h);

/* With h locked: t stands in the queue, or does not any more. */
static inline void trace_enqueue(const struct hart *h, const struct thread *t)
{
	trace(TRACE_DETAIL(TRACE_ENQUEUE, t->run.domain), h->cpu, t->id, t->run.rank, t->run.affinity);
}

static inline void trace_dequeue(const struct hart *h, const struct thread *t)
{
	trace(TRACE_DEQUEUE, h->cpu, t->id, 0, 0);
}

/* With this hart locked: it goes on with t. What else has asked for a decision since this one began is due still. */
static inline void trace_decision(unsigned event, const struct hart *h, const struct thread *t, uint32_t left)
{
	if (config_on(CONFIG_TRACE))
		trace(TRACE_DETAIL(event, arch_need_resched()), h->cpu, t->id, t->run.rank, left);
}

/* Interrupts are off still. */
static inline void trace_leave(irqflags flags)
{
	if (config_on(CONFIG_TRACE))
		trace(TRACE_LEAVE, arch_cpu(), 0, irqflags_enabled(flags) && arch_current()->preempt_count == 0, 0);
}

/* With h locked: t leaves the queue. */
static inline void hart_dequeue(struct hart *h, struct thread *t)
{
	runq_remove(&h->queue, &t->run);
	trace_dequeue(h, t);
}

/* After the locks are dropped, interrupts as the caller had them: switches when that is due. */
static inline void sched_leave(irqflags flags)
{
	trace_leave(flags);
	arch_irq_restore(flags);
	if (unlikely(arch_need_resched()))
		spin_preempt();
}

/* The same as the last thing, for who gives OK: no call but jumps, and so no frame. */
enum err sched_preempt_ok(void);
static inline enum err sched_leave_ok(irqflags flags)
{
	trace_leave(flags);
	arch_irq_restore(flags);
	return unlikely(arch_need_resched()) ? sched_preempt_ok() : OK;
}

/* The other side of a switch: on a machine of one hart, the same when the time is paid for, and of several (h->finish)... */
arch_finish_fn sched_switched, sched_switched_charged, sched_switched_peers;
/* ... when the thread left has ended; when it may not run here any more. */
arch_finish_fn sched_switched_dead, sched_switched_homeless;

/* The last step, with this hart locked if it has peers. */
static inline int sched_switch_counted(struct hart *h, struct thread *from, struct thread *to, arch_finish_fn *finish)
{
	ktime now = clock_now();
	from->cpu_time_ns += ktime_diff(now, h->switched_at);
	h->switched_at = now;
	h->current = to;
	trace_decision(TRACE_SWITCH, h, to, from->id);
	return arch_switch(&from->arch, &to->arch, finish);
}

/*
 * With this hart locked, running `from`: enters the best thread, which is another; the lock is dropped
 * there, or here if there are no peers. When it comes back, with interrupts on, it gives the result of the wait
 * (an enum err): OK if there was none.
 */
static inline int sched_switch(struct hart *h, struct thread *from, struct thread *to, arch_finish_fn *finish)
{
	h->switches++;
	if (!h->peers)
		spin_unlock_raw(&h->lock);
	return sched_switch_counted(h, from, to, finish);
}

/* The same in the plain case, after hart_lock_alone(): where `from` waits, stops or yields... */
static inline int sched_switch_alone(struct hart *h, struct thread *from, struct thread *to)
{
	h->switches++;
	hart_unlock_alone(h);
	return sched_switch_counted(h, from, to, h->finish);
}

/* ... and where `to` outranks it. */
static inline int sched_preempt_alone(struct hart *h, struct thread *from, struct thread *to)
{
	h->preempted++;
	hart_unlock_alone(h);
	return sched_switch_counted(h, from, to, h->finish);
}

/* With this hart locked: what is to run; who heads the queue and may not run is parked on the way. */
struct thread *hart_best(struct hart *h);

/* With this hart locked: t, which runs here, leaves the queue; who is next. Where queue.rare is 0... */
static inline struct thread *hart_leave_plain(struct hart *h, struct thread *t)
{
	trace_dequeue(h, t);
	return thread_of(runq_leave_plain(&h->queue, &t->run));
}

/* ... and anywhere. */
void hart_leave_rare(void *hart, uintptr_t thread);
static inline struct thread *hart_leave(struct hart *h, struct thread *t)
{
	if (unlikely(h->queue.rare)) {
		arch_call_rare(hart_leave_rare, h, (uintptr_t)t);
		return h->best;
	}
	return hart_leave_plain(h, t);
}

/* The same, when `from` has left the queue. */
static inline int sched_switch_away(struct hart *h, struct thread *from, arch_finish_fn *finish)
{
	return sched_switch(h, from, hart_best(h), finish);
}

/* Out of sched_ready_unlock: an equal of a round-robin thread has come. */
void quantum_update_rare(void *hart, uintptr_t none);
/* Out of sched_ready_unlock: t is to be suspended, has a deadline or a timeout, or another hart may be the better one. */
enum err sched_ready_slow(struct hart *h, struct thread *t, irqflags flags); /* OK */
/* The same where it was ready before, or its server was woken and its timeout is gone: a wake is paid for, so there is one. */
enum err sched_ready_awake(struct hart *h, struct thread *t, irqflags flags); /* OK */

/*
 * With h, t's hart, locked and t in no queue, in transition to READY: puts it where it should
 * run, drops the lock, gives the interrupts back, and switches to it when that is due and
 * possible. The caller is the only one who does that with t. Gives OK.
 */
enum err sched_ready_unlock(struct hart *h, struct thread *t, irqflags flags);
/*
 * The same in the plain case, in two steps, after hart_lock_alone(): queue.rare was 0, and t had nothing of
 * THREAD_READY_RARE. `running` does it, here. The first step gives t's rank, the second OK.
 */
static always_inline uint64_t hart_stand_alone(struct hart *h, struct thread *t)
{
	uint64_t rank = t->run.rank;
	runq_push_plain(&h->queue, &t->run);
	trace_enqueue(h, t);
	return rank;
}

static always_inline enum err sched_ready_alone(struct hart *h, struct thread *running, struct thread *t, uint64_t rank,
	irqflags flags)
{
	if (rank < running->run.rank) {
		/* What else outranks the running one has asked for a switch, which may be due since it was lowered. */
		if (irqflags_enabled(flags) && running->arch.preempt_count == 0 && !arch_need_resched()) {
			debug_assert(runq_best(&h->queue) == &t->run);
			return (enum err)sched_preempt_alone(h, running, t);
		}
		arch_need_resched_set();
		if (!irqflags_enabled(flags)) { /* whoever turns them on acts on it, or the end of the interrupt */
			hart_unlock_alone(h);
			return OK;
		}
	} else if (unlikely(running->attention & THREAD_RR)) {
		arch_call_rare(quantum_update_rare, h, 0);
	}
	hart_unlock_alone(h);
	return sched_leave_ok(flags);
}

/* This hart, interrupts off: t is in that state, and its way out of it is the plain case. */
static always_inline bool thread_is_plain(const struct hart *h, const struct thread *t, enum thread_state state)
{
	return likely(h->queue.rare == 0 && t->standing == state && !rank_is_deadline(t->run.rank));
}

/* ---- control.c ---- */

uint64_t cpus_present(void); /* bit per cpu of this machine */
/*
 * thread_set_affinity() for who has no deadline. ERR_BUSY: it has one, or somebody else is just giving it one; with
 * `admitting` that is the caller.
 */
must_check enum err thread_move(struct thread *t, uint64_t cpus, bool admitting);

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
	if (unlikely(hart_waiting_rank(h) != RANK_NONE && !__atomic_load_n(&h->balance_armed, __ATOMIC_RELAXED)))
		balance_arm(h);
}

/* ---- quantum.c ---- */

/*
 * Of the running thread: if it takes turns, it goes behind its equals; of another: a new turn begins. 0 is the cheapest to
 * store, and no cpu_time_ns: that begins at 1 (thread_setup).
 */
#define TURN_OVER 0
/* With h, t's hart, locked: t takes turns from now on. */
void quantum_begin(const struct hart *h, struct thread *t);
/* With h locked: its timer goes off when the running thread's turn ends, if an equal waits. */
void quantum_update(struct hart *h);
/* With this hart locked, its timer has gone off. */
void quantum_expired(struct hart *h, ktime now);

/* ---- timeout.c ---- */

void timeout_init(void);
/* With h, this hart and its own, locked: t, which is about to block, waits until then. */
void timeout_start(struct hart *h, struct thread *t, ktime at);
/* With its hart locked: its wait ends otherwise. */
static inline void timeout_stop(struct thread *t)
{
	if (heap_is_linked(&t->timeout))
		heap_remove(t->timeouts, &t->timeout);
}
/* With its hart and that one locked: t, blocked, belongs there from now on. */
void timeout_move(struct hart *to, struct thread *t);
/*
 * With this hart locked, on the way to a choice: ends the first wait, if that is due. Gives the thread whose wait that
 * was, if it has a server and is the first of the queue here, so that it is the one to run; or NULL.
 */
struct thread *timeout_end_due(struct hart *h);
/* With h locked: its timer is not later than the first. On another hart: asks for that. */
void timeout_arm(struct hart *h);

/* ---- account.c ---- */

void account_init(void);
/* With h locked: charges what its running thread has run and was not charged for. */
void account_settle(struct hart *h, ktime now);
/*
 * The kernel's part of a job behind its wake and before its wait: the timeout, the queues, the heap; some 500, a full heap,
 * and what an interrupt adds that comes in between: 1,000 was too little once in 170,000 jobs.
 */
#define JOB_NS INT64_C(1500)
/* With h, this hart, locked: its current thread, which is charged, goes on, unless what pays for it is spent. */
void account_review(struct hart *h);
/* With this hart locked since a switch: from then on the time is that of its current thread. */
static inline void account_arrive(struct hart *h)
{
	h->paid_until = (ktime){h->switched_at.ns - this_cpu_near(interrupt_ns)};
}
/* The same; and `left` has left it, in whatever state. */
void account_leave(struct hart *h, struct thread *left);
/* This hart. The timer is set once for many threads: when it is early, it is set again. */
static inline void budget_timer_update(struct hart *h)
{
	if (ktime_before(h->budget_at, h->budget_timer_at)) {
		h->budget_timer_at = h->budget_at;
		timer_source_set(TIMER_BUDGET, h->budget_at);
	}
}
/* This hart's running thread is stopped then. */
static inline void account_watch_until(struct hart *h, ktime budget_at)
{
	h->budget_at = budget_at;
	if (!h->peers)
		h->finish = sched_switched_charged;
	budget_timer_update(h);
}
/* From the switch to the thread, back through the interrupt that had ended in a switch away; some 250. */
#define WAY_IN_NS 350
/*
 * With this hart locked if it has peers: its current thread t, which was charged up to the window before this, was just
 * switched to. The timer is released. _rare: not the plain case, which is that t's server pays.
 */
void account_enter_rare(struct hart *h, const struct thread *t);
static inline void account_enter(struct hart *h, const struct thread *t)
{
	struct server *s = t->server;
	if (unlikely(!s || t->lender || t->blocked_on)) {
		account_enter_rare(h, t);
		return;
	}
	h->paid_until.ns += WAY_IN_NS + s->free_ns;
	s->free_ns = 0;
	account_watch_until(h, (ktime){h->paid_until.ns + s->edf.remaining_ns});
	timer_release();
}
/* With h locked: who pays for t, which runs or does not, has changed, or with what. */
void account_changed(struct hart *h, struct thread *t);
/* The same, when t, if it runs, has been settled. */
void account_payer_changed(struct hart *h, struct thread *t);
/*
 * The first half of that: t is marked as one for whom somebody pays, which is returned. If it runs, the other half
 * follows, or a decision who runs (account_review).
 */
bool account_mark(struct hart *h, struct thread *t);
/* With h locked: its timer is not later than any of its instants. On another hart: asks for that. */
void sched_timer_update(struct hart *h);
void refill_init(struct refill *r, struct server *server, uint8_t domain);
void refill_start(struct hart *h, struct refill *r, ktime at);
void refill_stop(struct hart *h, struct refill *r);

/* ---- server.c ---- */

static inline uint64_t server_rank(const struct server *s)
{
	return s->edf.state == EDF_ACTIVE ? rank_of_deadline(edf_deadline(&s->edf)) : RANK_LAST;
}

/* Its rank apart from what is lent. */
static inline uint64_t thread_own_rank(const struct thread *t)
{
	return t->server ? server_rank(t->server) : rank_of_priority(t->base_priority);
}

static inline uint64_t thread_effective_rank(const struct thread *t)
{
	return min(thread_own_rank(t), t->lent_rank);
}

/* With its hart locked: t has work, and has just got its server. That is no wake, so nothing is taken off for one. */
void server_first_work(struct thread *t);
/* With its hart locked: the thread has work, which it may have had before. */
void server_work(struct thread *t);
/*
 * The same, since `release`, by its timer or now; t, in no queue, gets the rank that goes with it. Once for each wake: who
 * has lent its server meanwhile pays for that.
 */
void server_wake(struct thread *t, ktime release, ktime now);
static inline void server_wake_now(struct thread *t)
{
	ktime now = clock_now();
	server_wake(t, now, now);
}
/* With its hart locked, its job going. */
void server_job_end(struct server *s, ktime now);
/* With its hart locked: t has stopped; because it waits, or was stopped. */
void server_sleep(struct thread *t, ktime now);
/* With its hart locked, active: draws the consequences of what has been consumed. */
void server_judge(struct server *s, ktime now);
/* With its hart locked. */
void server_send(struct server *s, uint8_t what);
/* With h locked: takes one off, with a note of what is to be logged of it; false: there is none. */
must_check bool server_take_errand(struct hart *h, struct errand *out);
/* Nothing locked, preemption off. */
void server_run_errand(const struct errand *e);
/* With its hart h locked, its refill due. */
void server_refill(struct hart *h, struct server *s);
/* Nothing locked: the rank of its thread, and of all to whom it is lent, follows what the server says. */
void server_refresh(struct server *s);
/* With h, its home, locked: its state may have changed from `before`. */
static inline void server_counted(struct hart *h, const struct server *s, enum edf_state before)
{
	h->active += (uint32_t)(s->edf.state == EDF_ACTIVE) - (uint32_t)(before == EDF_ACTIVE);
}
/* With h locked: if that is so, begins what has waited for it. */
void servers_check_idle(struct hart *h, ktime now);

/* With its hart h locked: whether its server is active may have changed. */
static inline void server_trace(const struct hart *h, const struct server *s)
{
	trace(s->edf.state == EDF_THROTTLED ? TRACE_THROTTLE : TRACE_REPLENISH, h->cpu, s->thread->id, 0, 0);
}

/* ---- domain.c ---- */

void domain_init_hart(struct hart *h);
/* With h locked: its budget there, not spent before, is. */
void domain_bar(struct hart *h, uint8_t domain);
/* With h locked: the domain has used that time there. */
static inline void domain_charge(struct hart *h, uint8_t domain, int64_t ran_ns, ktime now)
{
	if (unlikely(!budget_charge(&h->domain[domain].budget, ran_ns, now)) && !(h->spent >> domain & 1))
		domain_bar(h, domain);
}
/* With h locked, its refill due. */
void domain_refill(struct hart *h, uint8_t domain, ktime now);
/* With h locked, after `spent` or `suspended` has changed. */
void domain_bars_changed(struct hart *h);
bool domain_exists(uint8_t domain);
bool domain_is_low(uint8_t domain);
/* With h locked: its running thread may be barred now; then it is parked at the next chance. */
void hart_bar_current(struct hart *h);
/* With h locked: t, in no queue, waits until it may run. */
void hart_park(struct hart *h, struct thread *t);
void hart_repark(struct hart *h, struct thread *t); /* t is parked, perhaps for another reason now */
void hart_unpark(struct hart *h, struct thread *t);
/* The mode of h, locked, has become so. */
void domain_set_mode(struct hart *h, bool high, ktime now);

static inline bool domain_is_barred(const struct hart *h, uint8_t domain)
{
	return (h->spent | h->suspended) >> domain & 1;
}

/* By its own means t may not run now on h, locked, or looked at for a hint. */
static inline bool hart_bars_own(const struct hart *h, const struct thread *t)
{
	if (t->server)
		return t->server->edf.state != EDF_ACTIVE || (h->dropped >> t->run.domain & 1);
	return domain_is_barred(h, t->run.domain);
}

/* The same, what is lent to it included: a deadline always is enough, a priority as long as its domain may run. */
static inline bool hart_bars(const struct hart *h, const struct thread *t)
{
	if (likely(!hart_bars_own(h, t)))
		return false;
	return !t->lender || (!t->lender->server && domain_is_barred(h, t->lender->run.domain));
}

/* ---- notes.c ---- */

void notes_init(struct hart *h);
/* With h locked: to be written into the log, about t, which has a server, or NULL. False: there is no place. */
bool note_add(struct hart *h, enum note_kind kind, const struct thread *t, int64_t ns);
/* With h locked: an errand is to call notes_send(), nothing locked. */
static inline bool notes_wait(struct hart *h)
{
	if (likely(h->notes.count == 0 || h->notes.sent))
		return false;
	h->notes.sent = true;
	return true;
}
void notes_send(struct hart *h);

/* ---- mode.c ---- */

/* With h locked: a thread there has spent its LO budget. */
void mode_raise(struct hart *h, struct thread *by, ktime now);
/* With h locked: the mode is HI, or about to be, and the quiet time begins anew. */
void mode_prolong(struct hart *h, ktime now);
/* With h locked, no server active: lowers it when it was quiet long enough. */
void mode_check_quiet(struct hart *h, ktime now);

/* ---- pi.c ---- */

/* With h, its hart, locked, and pi_lock where it waits for an owner: its rank becomes its effective one. True: it has changed. */
bool thread_rerank(struct hart *h, struct thread *t);
/* pi_lock held: carries a change of t's rank on. */
void pi_propagate(struct thread *t);
/* Nothing locked, preemption off: the loan on which t, which runs here, goes on is spent. */
void pi_loan_spent(struct thread *t);
/* Nothing locked, thread context: t belongs to another domain, which pays for whom it lends to. */
void pi_domain_changed(struct thread *t);

/* ---- deadline.c ---- */

extern struct spinlock admission_lock;
bool deadline_any_admitted(void); /* or about to be; admission_lock held */

/* With pi_lock held: t has a deadline no more, if it had one. */
void deadline_leave_locked(struct thread *t);
void deadlines_init(void);

/* ---- watchdog.c ---- */

/* With h locked: its current thread, which is watched, was just switched to. */
void watchdog_enter(struct hart *h);
/* What a thread_attr's wish means; 0: not watched. */
int64_t watchdog_thread_limit(int64_t wanted_ns);
/* The running thread yielded, and nobody was there to yield to. */
static inline void watchdog_gave_way(struct thread *t)
{
	t->wait_deadline = KTIME_ZERO;
}

/* ---- stats.c ---- */

/* With this hart locked: its idle thread was just switched to. */
void hart_idle_begins(struct hart *h);

/* ---- thread.c ---- */

void threads_init(void);
/* Gives t an id and a place in the table; ERR_NOMEM. */
must_check enum err thread_register(struct thread *t);
void thread_setup(struct thread *t, const struct thread_attr *attr);
struct thread_result thread_make(const struct thread_attr *attr);
void thread_put(struct thread *t);
/* How many want to run, idle ones included: looked for one after the other, so a hint. Thread context. */
uint32_t threads_ready(void);

/* ---- trace.c, with CONFIG_TRACE ---- */

void sched_trace_init(void);

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
