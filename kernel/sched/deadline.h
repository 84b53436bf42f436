/*
 * deadline.h - threads with deadlines, groups with budgets, and what is given up in an emergency.
 *
 *	struct deadline_attr a = {.params = {.runtime_ns = 200000, .deadline_ns = 1000000, .period_ns = 1000000}};
 *	err = thread_set_deadline(thread_current(), &a, &verdict);
 *	for (;;) {
 *		...read, compute, act...
 *		err = thread_wait_period();
 *	}
 *
 * Deadlines. A thread is admitted to one hart with a runtime that it may take in every period, and goes
 * before all that has a later deadline or none. Admission is a promise: whoever keeps to
 * his runtime meets his deadlines, whatever others do; whoever does not is throttled, and waits for his
 * next period. A job is what a thread does between two waits of its own (not for a mutex, which belongs to the
 * job, and costs it CONFIG_SCHED_CHARGE_NS of its runtime where it has to wait). The promise is exact for a model that
 * charges each job for the kernel's own work (CONFIG_SCHED_CHARGE_NS) and keeps CONFIG_SCHED_RESERVE_PERMILLE of each
 * hart for interrupts and others.
 *
 * Domains. A domain is a group of threads with a budget for each period and hart. What has no deadline waits,
 * once the budget is spent, for the next period. Domain 0, "system", has no limit.
 *
 * Criticality. A deadline thread of a domain that is not LO may have a second, greater runtime. When it spends the
 * first, the mode of its hart is raised: the greater ones come into force there, and LO domains are suspended,
 * or go on, where they have a degraded budget, with that, their deadline threads excepted. The mode is lowered again
 * when no deadline thread of the hart has anything to do, CONFIG_SCHED_MODE_QUIET_MS after one last took more than its
 * first runtime.
 *
 * Locks: LOCK_ADMISSION for what is admitted, the run queue's for all that a hart decides by.
 */
#ifndef KERNEL_SCHED_DEADLINE_H
#define KERNEL_SCHED_DEADLINE_H

#include "kernel/sched/admission_core.h"
#include "kernel/sched/budget_core.h"
#include "kernel/sched/edf_core.h"
#include "kernel/sched/sched.h"
#include "lib/histogram.h"

/* ---- deadlines ---- */

enum deadline_event {
	DEADLINE_OVERRUN, /* it has spent its runtime and is throttled, or raises the mode */
	DEADLINE_MISSED,  /* its job was not done by its deadline */
};

struct deadline_attr {
	struct edf_params params;
	/* Called at each event, in interrupt context or with preemption off: it wakes somebody. NULL: not called. */
	void (*notify)(struct thread *t, enum deadline_event event, void *arg);
	void *arg;
};

struct deadline_verdict {
	uint32_t cpu; /* where it was admitted, or who refused last; ADMISSION_NOWHERE: no allowed hart */
	struct admission_report report;
};

/*
 * Gives t these parameters, or others than it had, on the first of the harts of its affinity that can take them;
 * or changes nothing. New parameters come into force when the old ones have used up their share (0-lag), where threads
 * with deadline < period or two runtimes are concerned when the hart's deadline threads have nothing to do. The job that
 * t is in counts as released then, and the next one is a period later.
 * ERR_INVAL: parameters (the verdict says which), two runtimes in a LO domain, or t has ended; ERR_NOSPC: refused, or,
 * with a verdict that it is admitted, no timer; ERR_NOMEM: CONFIG_SCHED_DEADLINE_MAX reached; ERR_PERM: an idle
 * thread; ERR_BUSY: another change of t is under way, or it cannot be moved, because it
 * keeps preemption off; then it has its old deadline again, unless it got away in the last moment and cannot be moved
 * back. verdict may be NULL. Thread context; may sleep. Long, but preemptible.
 */
must_check enum err thread_set_deadline(struct thread *t, const struct deadline_attr *attr,
	struct deadline_verdict *verdict);
/* The same from outside: whom t wants to be told of its events stays as it was, nobody if it had no deadline. */
must_check enum err deadline_set_params(struct thread *t, const struct edf_params *params,
	struct deadline_verdict *verdict);
/* thread_set_affinity(); *verdict, which may not be NULL, says what came of it if t has a deadline, else nothing. */
must_check enum err deadline_set_affinity(struct thread *t, uint64_t cpus, struct deadline_verdict *verdict);
/* Whether *verdict says why a change with the result `err` was made or refused. */
bool deadline_was_judged(enum err err, const struct deadline_verdict *verdict);
/*
 * The caller's job is done: waits for the next release, a period after the last. One whose whole period has passed
 * already is skipped, and counts as missed. ERR_INTR: cancelled; what it does then is its next job;
 * ERR_INVAL: it has no deadline. Thread context; may sleep.
 */
must_check enum err thread_wait_period(void);

#define LATENESS_BUCKETS 24

struct deadline_info {
	struct edf_params params;
	struct edf_stats stats;
	uint32_t cpu;
	enum edf_state state;
	int64_t remaining_ns;
	ktime deadline;
	/* of the ends of jobs, after their release: how long they took. Bucket i: below 2^i * 128 ns, the last: any */
	uint64_t response[LATENESS_BUCKETS];
	int64_t response_max_ns;
};
/* False: t has no deadline. Any context. */
bool thread_deadline_info(struct thread *t, struct deadline_info *out);
/* The same for whoever has that id; false: nobody, or without a deadline. Thread context. */
bool deadline_info_find(uint32_t tid, struct deadline_info *out);
/* How long its jobs took, as it is rendered. */
struct histogram deadline_response(const struct deadline_info *d);

struct deadline_hart_info {
	uint32_t servers;     /* admitted, those included that leave */
	uint32_t leaving;     /* whose bandwidth is kept until their 0-lag time */
	uint32_t utilization_ppm, capacity_ppm; /* charged */
	uint64_t virtual_scale; /* of ADMISSION_X_ONE */
	bool high;            /* the mode */
	uint64_t raised;      /* how often */
	ktime raised_at;
	uint32_t raised_by;   /* thread id */
};
/* Thread context. */
void deadline_hart_info(uint32_t cpu, struct deadline_hart_info *out);
void deadline_limits(struct admission_limits *out);

/* ---- domains ---- */

#define DOMAIN_MAX    8
#define DOMAIN_SYSTEM 0
#define DOMAIN_NAME_MAX 15

struct domain_attr {
	int64_t budget_ns;   /* 0: no limit */
	int64_t period_ns;
	bool low;            /* suspended while a hart's mode is HI... */
	int64_t degraded_ns; /* ...or goes on with this budget; 0: suspended */
};

struct domain_info {
	char name[DOMAIN_NAME_MAX];
	size_t name_len;
	struct domain_attr attr;
};
struct domain_hart_info {
	int64_t used_ns, remaining_ns;
	uint64_t spent; /* how often its budget was */
	bool barred;    /* its threads wait for the next period, or for the mode */
};

RESULT(uint8_t, domain_result);
/* ERR_NOMEM: DOMAIN_MAX reached; ERR_INVAL: name, budget or period (1 ms to 10 s). Thread context. Never goes away. */
must_check struct domain_result domain_create(struct str name, const struct domain_attr *attr);
/* ERR_INVAL: no such domain, the system's, or out of range; ERR_BUSY: `low` would change while there are deadline threads. */
must_check enum err domain_set(uint8_t domain, const struct domain_attr *attr);
/*
 * At once. ERR_INVAL: no such domain; ERR_PERM: an idle thread; ERR_BUSY: one with a deadline, or just getting one, unless
 * both are LO or both are not.
 */
must_check enum err thread_set_domain(struct thread *t, uint8_t domain);
/* ERR_NOENT: none has that name. Names may come twice; the oldest is found. Thread context. */
must_check struct domain_result domain_find(struct str name);
bool domain_info(uint8_t domain, struct domain_info *out); /* false: no such domain */
void domain_hart_info(uint8_t domain, uint32_t cpu, struct domain_hart_info *out);

#endif
