/*
 * sched.h - threads and which of them run.
 *
 * Every hart has a run queue: threads with a deadline by their deadlines, and behind all of them 64
 * fixed priorities (63 the most urgent, 0 is the idle thread's), FIFO or round robin inside one. The
 * kernel is preemptible everywhere but where preemption is off. Deadlines, domains and criticality are
 * in deadline.h.
 *
 * Blocking is for kernel/sync: it is the only user of thread_block() and
 * thread_wake(). Everybody else uses its objects.
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "arch/arch.h"
#include "kernel/lock/lock.h"
#include "kernel/sched/runq_core.h"
#include "kernel/time/time.h"
#include "lib/list.h"
#include "lib/result.h"

#define PRIO_IDLE   0
#define PRIO_MIN    1
#define PRIO_NORMAL 16
#define PRIO_NET    40 /* network receive */
#define PRIO_IRQ    48 /* threaded interrupt handlers, soft callouts */
#define PRIO_MAX    63
#define PRIO_COUNT  64

/* READY: runs, or would if nothing better did; which of the two is the hart's knowledge (sched_priv.h). */
enum thread_state {
	THREAD_NEW,
	THREAD_READY,
	THREAD_BLOCKED,
	THREAD_SUSPENDED,
	THREAD_DEAD,
};
enum sched_class { SCHED_FIFO, SCHED_RR, SCHED_DEADLINE, SCHED_IDLE };
#define SCHED_CLASS_COUNT (SCHED_IDLE + 1)

#define THREAD_NAME_MAX 24

struct hart;
struct server;   /* deadline.c: what serves a deadline thread */
struct pi_queue; /* what threads wait for and another thread owns: pi.c */
struct wait_kind;

/*
 * The state of a thread and where it stands belong to the run queue of `hart`,
 * also while it is blocked; thread_lock() in sched_priv.h finds and locks it.
 */
struct thread {
	struct arch_thread arch; /* first: arch_current() is the thread */

	/* the run queue's lock (LOCK_RUNQ) */
	struct runq_node run; /* effective rank, affinity, domain */
	struct hart *hart;    /* changes under the lock of the old one and of the new */
	union {
		uint16_t standing; /* both: the state alone where nothing is to be attended to */
		struct {
			uint8_t state;     /* enum thread_state */
			uint8_t attention; /* THREAD_*: why a switch to it is not the plain case */
		};
	};
	bool cancel_pending; /* its present or next cancellable wait ends with ERR_INTR */
	uint8_t wait_flags; /* WAIT_*, where wait_kind is NULL */
	bool parked;     /* READY, but not queued: its server or its domain has nothing left */
	enum err wait_result; /* OK but from the end of a wait for another reason until the thread is entered */
	ktime wait_deadline;
	struct heap_node timeout; /* of its wait: timeout.c; `when` stays, for who gives up at that instant */
	struct heap *timeouts; /* where that stands, or stood last */
	struct str wait_what; /* where wait_kind is NULL */
	const struct wait_kind *wait_kind;
	void *wait_object;
	int64_t cpu_time_ns;
	int64_t watch_ns;       /* THREAD_WATCHED: may run so long without waiting or yielding */
	int64_t watch_began_ns; /* its cpu_time_ns when it last did */
	bool watch_rotated;     /* its turn was ended for it */
	int64_t turn_began_ns; /* its cpu_time_ns when its present quantum began, or TURN_OVER */

	struct server *server; /* of a deadline thread, or NULL. Changes under LOCK_PI too */
	/* the best who waits for what it holds: whose rank that is, and who pays. Changes under LOCK_PI too */
	uint64_t lent_rank;    /* RANK_NONE: nobody */
	struct thread *lender;
	int64_t loan_left_ns;  /* of the lender's server, if it has one */
	int64_t loan_used_ns;

	/* the lock of the queue that it waits in: one at a time, a pi_queue or one of kernel/sync */
	struct list wait_node; /* not linked: a waker has taken it out, by `next` alone */
	uint64_t wait_rank; /* when it came */
	void *wait_data;    /* what a waker copies from or to: mqueue.c */

	/* LOCK_PI */
	uint8_t base_priority;
	bool exiting;
	struct pi_queue *blocked_on;
	struct list held; /* pi_queues that it owns and others wait for */
	struct list tall_node; /* in blocked_on->tall, if height > 0 */
	uint8_t height;   /* links of the longest chain of those who wait for it */

	/* LOCK_THREADS */
	uint32_t id;
	uint32_t refs;
	bool ended;
	bool admitting; /* LOCK_ADMISSION, read without: a change of its deadline is under way */
	struct thread *joiner;

	/* constant, or the thread's own */
	bool system;
	bool bound; /* of the system, and of certain harts: it stays there */
	char name[THREAD_NAME_MAX];
	uint8_t name_len;
	void (*entry)(void *arg);
	void *arg;
	void (*gone)(void); /* or NULL */
};

struct thread_attr {
	struct str name;
	void (*entry)(void *arg); /* returning ends the thread */
	void *arg;
	uint8_t priority; /* PRIO_MIN..PRIO_MAX */
	enum sched_class class;
	uint64_t affinity; /* bit per cpu; 0: all */
	uint8_t domain;    /* deadline.h; 0: system */
	bool system;       /* refuses to be killed */
	int64_t watchdog_ns; /* see watchdog.c below; 0: CONFIG_WATCHDOG_THREAD_MS, less: no limit */
	/*
	 * Stack and struct are back, which is later than the end of entry: for who counts what is held. Any context,
	 * interrupts may be off; no lock held.
	 */
	void (*gone)(void);
};

RESULT(struct thread *, thread_result);

/*
 * Makes and starts a thread; the caller holds a reference. ERR_NOMEM: no thread,
 * stack or table entry is free. ERR_INVAL: priority, class, name, entry, domain or affinity. Thread context.
 */
must_check struct thread_result thread_create(const struct thread_attr *attr);
/*
 * Waits for its end and, on OK only, drops the caller's reference. ERR_TIMEDOUT, ERR_INTR,
 * ERR_BUSY: another joins, ERR_DEADLK: it is the caller. Thread context; may sleep.
 */
must_check enum err thread_join(struct thread *t, ktime deadline);
void thread_detach(struct thread *t); /* drops the caller's reference. Threads: the last one frees */
noreturn void thread_exit(void); /* not for a system thread, nor with a mutex held */
/* The thread with that id and a reference to it, to be dropped by thread_detach; NULL: none. */
must_check struct thread *thread_find(uint32_t id);

static inline struct thread *thread_current(void)
{
	return (struct thread *)arch_current();
}

static inline uint32_t thread_id(const struct thread *t)
{
	return t->id;
}

static inline struct str thread_name(const struct thread *t)
{
	return str_of(t->name, t->name_len);
}

/* ---- any thread ---- */

void sched_yield(void); /* behind its equals */
/*
 * The thread has no deadline any more, if it had one. Raised, it goes behind its new equals, lowered before
 * them, otherwise it stays (POSIX, pthread_setschedprio). ERR_INVAL: out of range; ERR_PERM: an idle
 * thread. An inherited rank stays until the lock is released.
 */
must_check enum err thread_set_priority(struct thread *t, uint8_t priority, enum sched_class class);
/*
 * At once: a thread that runs where it may not is moved. ERR_INVAL: no hart of this machine in it; ERR_PERM: a system
 * thread that was made for certain harts, idle threads among them. For a deadline thread that is a new admission: as
 * thread_set_deadline(). ERR_BUSY: it is just getting one.
 */
must_check enum err thread_set_affinity(struct thread *t, uint64_t cpus);
/*
 * Stops it where it next could be preempted; a blocked one when it is woken. What it holds it keeps. ERR_PERM: an
 * idle thread. Any context but interrupts.
 */
enum err thread_suspend(struct thread *t);
void thread_resume(struct thread *t); /* however often it was suspended; any context */
/* Ends t's present or next cancellable wait with ERR_INTR. ERR_PERM for a system thread. Any context. */
must_check enum err thread_cancel(struct thread *t);
/* The caller was cancelled and has not waited since: for who works for long without waiting. */
static inline bool thread_is_cancelled(void)
{
	return __atomic_load_n(&thread_current()->cancel_pending, __ATOMIC_RELAXED);
}

/* ---- for kernel/sync ---- */

enum {
	WAIT_CANCELLABLE = 1,
	WAIT_LENDS = 2, /* for what a thread owns, which has the caller's rank and budget meanwhile: pi.c */
};
/*
 * Blocks the caller and drops `guard` (NULL: none) in the same step, so that
 * nobody can wake it before it can be woken, nor run it while it stands on its
 * stack. `flags` are those of the guard's irqsave. Gives what the wake gave, or
 * ERR_TIMEDOUT, never before the deadline, ERR_INTR when cancelled.
 * `what` is shown in thread lists.
 */
must_check enum err thread_block(struct spinlock *guard, irqflags flags, ktime deadline,
	unsigned wait_flags, struct str what);
/*
 * The same for a kind of waits, cancellable: one that ends otherwise than by a wake ends in give_up(object, why),
 * called by the thread itself with nothing locked, which gives the result. So who blocks has nothing left to do
 * behind the wait, and may end in this call.
 */
struct wait_kind {
	struct str what;
	enum err (*give_up)(void *object, enum err why);
};
must_check enum err thread_block_for(const struct wait_kind *kind, void *object, ktime deadline,
	struct spinlock *guard, irqflags flags); /* here there is a guard */
/* The same for who waits for nothing but an instant; there is no guard, and no object. */
must_check enum err thread_sleep_for(const struct wait_kind *kind, ktime deadline, irqflags flags);
/*
 * Makes t ready with that result; false when it was not blocked, or another wake, its
 * timeout or a cancellation came first. Any context.
 */
bool thread_wake(struct thread *t, enum err result);
/*
 * The same with the result OK, and drops `guard`, taken with irqsave, as soon as t cannot go away: when t is
 * to preempt the caller, it does so here and at once. Gives OK, for who would go on to say so.
 */
enum err thread_wake_unlock(struct spinlock *guard, struct thread *t, irqflags flags);
/* The caller's wait was cancelled in the moment in which it succeeded: its next one is cancelled instead. */
void thread_cancel_keep(enum err err);

/*
 * Priority inheritance: what one thread owns and others wait for. All of it is
 * guarded by one lock, LOCK_PI, taken only when there is contention.
 */
struct pi_queue {
	struct thread *owner;
	struct list waiters;   /* by effective priority, then arrival */
	struct list tall;      /* those of them that are waited for themselves: by height, the greatest first */
	struct list held_node; /* in owner->held while somebody waits */
};

#define PI_CHAIN_MAX 32 /* links of a chain; whose wait would make a longer one is refused, as for a deadlock */
uint64_t pi_chains_refused(void); /* how often that was so */

extern struct spinlock pi_lock;
void pi_init(struct pi_queue *q);
/* With pi_lock held: the caller waits for q, lends its priority along the chain. ERR_DEADLK: not entered. */
must_check enum err pi_wait_locked(struct pi_queue *q);
/* The caller no longer waits; takes its priority back. False: it was handed q meanwhile. */
must_check bool pi_cancel_locked(struct pi_queue *q);
/* The best waiter becomes owner; who, or NULL. Its and the caller's priorities are restored. */
struct thread *pi_hand_over_locked(struct pi_queue *q);

/* ---- figures ---- */

struct thread_info {
	uint32_t tid, pid;
	char name[THREAD_NAME_MAX];
	size_t name_len;
	enum thread_state state;
	enum sched_class class;
	uint8_t priority, effective_priority;
	uint32_t cpu;
	bool running;
	bool throttled; /* READY, but its server or its domain has nothing left */
	uint8_t domain;
	uint64_t cpu_time_ns, affinity;
	size_t stack_bytes, stack_peak_bytes;
	bool system;
	struct str wait; /* what it waits for: "mutex", "sleep" ... */
};
/* The figures of one thread, to which the caller has a reference. Thread context. */
void thread_info(struct thread *t, struct thread_info *out);
/* The thread behind that with id `after` in the table, which is not in order of ids; 0: the first. False: no more. */
bool thread_info_next(uint32_t after, struct thread_info *out);
uint32_t thread_cpu(const struct thread *t); /* where it runs or ran last; a hint */
/* "running" for a READY thread that does, "throttled" for one that may not. */
struct str thread_state_name(const struct thread_info *t);
struct str sched_class_name(enum sched_class c);

struct sched_cpu_stats {
	uint64_t switches, preemptions, migrations_in;
	int64_t idle_ns, busy_ns;
	uint32_t ready;         /* threads that run or wait here, idle excluded */
	uint32_t load_permille; /* decayed over a second */
	/* what runs here */
	uint32_t running_tid;
	char running_name[THREAD_NAME_MAX];
	size_t running_name_len;
	enum sched_class running_class;
	uint8_t running_priority; /* effective; PRIO_COUNT: it has a deadline */
	/* what this hart tells the others, who look without a lock */
	uint8_t published_priority;
	int published_waiting; /* its best waiter that may move; -1: none, PRIO_COUNT: with a deadline */
};
/* Thread context; at most as many steps as there may be threads. */
void sched_cpu_stats(uint32_t cpu, struct sched_cpu_stats *out);

/* ---- trace.c, with CONFIG_TRACE ---- */

/*
 * Records how each hart stands (TRACE_BEGIN and what follows), so that a trace can be judged from here on, and has each decide
 * anew. A walk over all ready threads, interrupts off: for tests. Thread context.
 */
void sched_trace_begin(void);

/* ---- watchdog.c: who keeps others from running ---- */

/*
 * Each is counted, and logged with a backtrace at most once a second and kind; CONFIG_WATCHDOG_PANIC
 * makes it a panic.
 *
 *	THREAD       ran for longer than its limit, by its own time, without blocking or yielding
 *	HART         takes no interrupts: a neighbour says so, with what can be seen from outside: the
 *	             thread, what of its stack may be return addresses, and the locks held (lockdep)
 *	IRQS_OFF     kept off beyond the limit, when they come on; found by a timer that was due meanwhile
 *	PREEMPT_OFF  the same, found by a switch that was due; one that still waits at the next heart-beat is
 *	             reported then
 */
enum watchdog_kind { WATCHDOG_THREAD, WATCHDOG_HART, WATCHDOG_IRQS_OFF, WATCHDOG_PREEMPT_OFF, WATCHDOG_KINDS };

struct watchdog_limits {
	int64_t thread_ns; /* of threads made from now on that do not say; 0: none */
	int64_t beat_ns;   /* 0: no heart-beat from the next one on */
	uint32_t hart_beats; /* a neighbour is silent for so many of one's own */
	int64_t irqs_off_ns, preempt_off_ns; /* 0: no limit */
	bool panics;
};

struct watchdog_stats {
	uint64_t count, written; /* written: with a line in the log */
	/* the last one; zero: none yet */
	ktime last_at;
	int64_t last_ns;
	uintptr_t last_pc; /* for symbol_describe_return() */
	uint32_t last_cpu, last_tid;
	char last_name[THREAD_NAME_MAX];
	size_t last_name_len;
};
void watchdog_stats(enum watchdog_kind kind, struct watchdog_stats *out);
struct str watchdog_name(enum watchdog_kind kind); /* "irqs_off" */
void watchdog_get_limits(struct watchdog_limits *out);
/*
 * For boot and self-tests, one caller at a time; the next report of each kind is written. A new period holds on
 * each hart from its next beat or start on.
 */
void watchdog_set_limits(const struct watchdog_limits *l);
void watchdog_start(void); /* this hart's heart-beat */
void watchdog_init(void);  /* once, on the boot hart, which it starts too */

/* ---- boot ---- */

/* On the boot hart, with memory up: makes the calling context the boot thread, and an idle thread beside it. */
void sched_boot_init(void);
/* Harts with nothing to do go on executing. At boot, on the boot hart. */
void sched_idle_busy(void);
/* On each other hart: the calling context becomes its idle thread. */
noreturn void sched_secondary_start(void);
bool sched_cpu_online(uint32_t cpu); /* that hart has done so */

#endif
