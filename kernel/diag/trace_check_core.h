/*
 * trace_check_core.h - judges a trace: was a thread kept waiting by a less urgent one, beyond one IPI?
 *
 *	trace_check_begin(&c, cpus);
 *	while (trace_merge_next(&m, &r) && trace_check_input(&c, &r) == TRACE_FINE) ...
 *	verdict = trace_check_end(&c);         once nothing happens any more
 *
 * It rebuilds each hart's queue from the records, from the hart's BEGIN on, and knows nothing of how the
 * scheduler comes to its decisions. Time is never looked at, so that a machine that is late is not at fault: a window
 * is over by an event of the hart that has the window.
 *
 *	WORSE         a hart enters a thread, or could have been preempted and goes on with it, and a more urgent one
 *	              stands in its queue
 *	LATE          a switch is due on a hart, because what was queued there by itself outranks what runs, or an
 *	              IPI for that came; and the hart passes an end of an interrupt, of an IPI or of an operation of
 *	              the scheduler, with preemption on, without deciding
 *	UNANNOUNCED   a hart makes a switch due on another, ends what it was at, and has sent it no IPI
 *	PASSED_OVER   a thread waits that outranks what runs on another hart, where it may run; and to neither of the two
 *	              an IPI is on its way, on neither a decision is due or has been made and not followed by a look
 *	              around, and nobody is in the middle of changing one of their queues. (Who waits where a decision is
 *	              due may be about to run there; if not, that decision is to announce it)
 *	PARKED        a thread is parked and nothing bars it; or is not let in again within
 *	              TRACE_CHECK_PARKED_MAX interrupts of its hart after that
 *	TWICE         a thread is put into a queue and is in one, or taken out and is in none
 *	UNFINISHED    at the end: what is due has not happened
 *
 * Not seen: the end of a section with preemption off that no interrupt, and no operation of the scheduler,
 * comes after; the order among equals.
 *
 * Bounds: TRACE_CHECK_THREADS threads that wait or run at once, else FULL. A record costs a walk over those, times harts.
 * Pure.
 */
#ifndef KERNEL_DIAG_TRACE_CHECK_CORE_H
#define KERNEL_DIAG_TRACE_CHECK_CORE_H

#include "kernel/diag/trace_core.h"

#define TRACE_CHECK_THREADS    192
#define TRACE_CHECK_CPUS       8
#define TRACE_CHECK_PARKED_MAX 144 /* 72 refills, each in a timer interrupt, and one other interrupt after each */

enum trace_verdict {
	TRACE_FINE,
	TRACE_WORSE,
	TRACE_LATE,
	TRACE_UNANNOUNCED,
	TRACE_PASSED_OVER,
	TRACE_PARKED,
	TRACE_TWICE,
	TRACE_UNFINISHED,
	TRACE_FULL,
};

struct trace_check_thread {
	uint32_t tid; /* 0: free */
	bool queued, parked, throttled;
	uint8_t cpu, domain;
	uint32_t kept; /* interrupts since nothing bars it */
	uint64_t rank, affinity;
};

struct trace_check_hart {
	bool known;    /* since its BEGIN */
	bool decided;  /* at least once since then */
	bool settled;  /* and looked around after that: what comes now is judged */
	uint32_t running;
	bool put_off;  /* it will run idle for a moment, on purpose */
	bool due;      /* a decision is; */
	bool must;     /* and nothing else may come before it... */
	bool window;   /* ...but interrupts, while this is set */
	bool left;     /* due since an operation ended: no other one may come, but an interrupt that gets in between */
	bool looking;  /* has decided, and has yet to look at what waits elsewhere */
	bool called;   /* an IPI is on its way */
	uint64_t bars;
	uint64_t touched; /* by this one: queues that it has changed since it last ended something */
	uint64_t owes;    /* by this one: harts to which it has to send an IPI before it ends what it is at */
};

/* How often something was there to be judged. */
struct trace_check_stats {
	uint64_t records, decisions, from_other_harts, from_interrupts, migrations, parked, throttled, barred,
		ranks, pairs;
};

struct trace_check {
	uint32_t cpus;
	struct trace_check_hart hart[TRACE_CHECK_CPUS];
	uint32_t in_irq; /* bit per hart */
	struct trace_check_thread thread[TRACE_CHECK_THREADS];
	uint32_t threads; /* in use are only those before */
	struct trace_check_stats stats;
	/* what was wrong first, after which nothing more is judged */
	enum trace_verdict verdict;
	struct trace_record at; /* the record by which it is seen */
	uint32_t tid, cpu;      /* who should have run, and where */
};

void trace_check_begin(struct trace_check *c, uint32_t cpus);
enum trace_verdict trace_check_input(struct trace_check *c, const struct trace_record *r);
/* May be asked again after further input. */
enum trace_verdict trace_check_end(const struct trace_check *c);
struct str trace_verdict_name(enum trace_verdict v);

#endif
