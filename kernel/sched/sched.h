/*
 * sched.h - threads and which of them run.
 *
 * Every hart has a run queue: 64 fixed priorities (63 the most urgent, 0 is the
 * idle thread's), FIFO or round robin inside one. The kernel is preemptible
 * everywhere but where preemption is off. Deadline threads, domains and
 * criticality are further policies behind the same operations.
 *
 * Blocking is for kernel/sync: it is the only user of thread_block() and
 * thread_wake(). Everybody else uses its objects.
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "arch/arch.h"
#include "kernel/lock/lock.h"
#include "lib/list.h"
#include "lib/result.h"

#define PRIO_IDLE   0
#define PRIO_MIN    1
#define PRIO_NORMAL 16
#define PRIO_NET    40 /* network receive */
#define PRIO_IRQ    48 /* threaded interrupt handlers, soft callouts */
#define PRIO_MAX    63
#define PRIO_COUNT  64

enum thread_state {
	THREAD_NEW,
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_SUSPENDED,
	THREAD_DEAD,
};
enum sched_class { SCHED_IDLE, SCHED_FIFO, SCHED_RR };

#define THREAD_NAME_MAX 24

struct thread; /* defined in the owner's final header: arch part first, fields grouped by lock */

struct thread_attr {
	struct str name;
	void (*entry)(void *arg); /* returning ends the thread */
	void *arg;
	uint8_t priority; /* PRIO_MIN..PRIO_MAX */
	enum sched_class class;
	uint64_t affinity; /* bit per cpu; 0: all */
	bool system;       /* refuses to be killed */
};

RESULT(struct thread *, thread_result);

/* Makes and starts a thread; the caller holds a reference. ERR_NOMEM, ERR_INVAL. Thread context. */
must_check struct thread_result thread_create(const struct thread_attr *attr);
/* Waits for its end (ERR_TIMEDOUT, ERR_INTR), and drops the caller's reference on success. */
must_check enum err thread_join(struct thread *t, ktime deadline);
void thread_detach(struct thread *t); /* drops the caller's reference */
noreturn void thread_exit(void);

static inline struct thread *thread_current(void)
{
	return (struct thread *)arch_current();
}
uint32_t thread_id(const struct thread *t);
struct str thread_name(const struct thread *t);

void sched_yield(void);
must_check enum err thread_set_priority(struct thread *t, uint8_t priority, enum sched_class class);
must_check enum err thread_set_affinity(struct thread *t, uint64_t cpus);
void thread_suspend(struct thread *t); /* at once, on any hart */
void thread_resume(struct thread *t);
/* Cancels t's present or next blocking call (ERR_INTR). ERR_PERM for a system thread. */
must_check enum err thread_cancel(struct thread *t);

struct thread_info {
	uint32_t tid, pid;
	char name[THREAD_NAME_MAX];
	size_t name_len;
	enum thread_state state;
	enum sched_class class;
	uint8_t priority, effective_priority;
	uint32_t cpu;
	uint64_t cpu_time_ns, switches, affinity;
	size_t stack_bytes, stack_peak_bytes;
	struct str wait; /* what it waits for: "mutex", "sleep" ... */
};
/* The thread with the least tid > after; false when there is none. Thread context. */
bool thread_info_next(uint32_t after, struct thread_info *out);
struct str thread_state_name(enum thread_state s);
struct str sched_class_name(enum sched_class c);

struct sched_cpu_stats {
	uint64_t switches, preemptions, migrations_in, ipis, idle_ns, busy_ns;
	uint32_t ready;
	uint32_t load_permille; /* decayed */
};
void sched_cpu_stats(uint32_t cpu, struct sched_cpu_stats *out);

/* Called by boot: makes the calling context this hart's idle (secondary) or first thread (boot hart). */
void sched_boot_init(void);
noreturn void sched_secondary_start(void);

#endif
