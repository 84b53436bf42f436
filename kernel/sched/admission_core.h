/*
 * admission_core.h - do these deadline threads meet their deadlines on one hart?
 *
 *	why = admission_validate(&task, &limits);           parameters of one task
 *	if (admission_check(tasks, n, &limits, &report))    a hart's whole set, the new one included
 *	err = admission_first_fit(harts, try, arg, &report, &hart);   the first that can take it
 *	admission_report_render(&report, hart, &out);       one sentence about it
 *
 * The model. A task releases jobs at least period_ns apart; each needs runtime_ns within deadline_ns,
 * deadline <= period. To the runtime charge_ns is added: two switches, the timer, the longest section
 * that cannot be preempted and one burst of interrupts. reserve_permille of the hart is for others, so
 * in L ns it supplies L * (1000 - reserve) / 1000. A set is admitted when, for every L, the demand of
 * the jobs that are released and due within any L ns is not above that supply.
 *
 * EXACT for this model, in integers, no verdict rounded: without HI tasks a set is admitted if and only
 * if EDF meets every deadline of it. All deadlines equal to periods: by utilization. Otherwise by
 * processor demand, with at most points_max check points, beyond which the set is refused as too
 * complex, a reason of its own.
 *
 * SUFFICIENT ONLY with a HI task (high_runtime_ns set): EDF-VD. Such a set is admitted if it meets all
 * deadlines with the HI budgets, or if with virtual deadlines x * period for HI tasks it meets all
 * until one exceeds runtime_ns, and from then on, LO tasks suspended, the HI tasks meet theirs with
 * high_runtime_ns. All rounding is to the safe side; a LO task with deadline < period counts with its
 * density there. x is in the report; virtual deadlines are what admission_virtual_deadline() says.
 *
 * Context: any, with preemption on: at worst 4 * points_max * n divisions, three times that with HI
 * tasks; usually n for utilization, some tens of n for demand. About 1 KiB of stack. Not locked: a pure
 * function of its arguments.
 */
#ifndef KERNEL_SCHED_ADMISSION_CORE_H
#define KERNEL_SCHED_ADMISSION_CORE_H

#include "abi/err.h"
#include "lib/base.h"
#include "lib/buf.h"
#include "lib/ktime.h"
#include "lib/str.h"

#define ADMISSION_TASKS_MAX      64
/* No period and no charge is above this, so that sums and products stay in their words. */
#define ADMISSION_CEILING_NS     (INT64_C(1) << 40) /* 18 minutes */
#define ADMISSION_POINTS_CEILING (UINT32_C(1) << 20)
/* Instants are sought up to here. */
#define ADMISSION_HORIZON_NS     (INT64_C(1) << 60) /* 36 years */

struct admission_task {
	int64_t runtime_ns;
	int64_t high_runtime_ns; /* 0: a LO task */
	int64_t deadline_ns;
	int64_t period_ns;
};

/* Configuration: what does not fit ADMISSION_* above is a bug and asserted. */
struct admission_limits {
	int64_t runtime_least_ns; /* at least 1 */
	int64_t period_least_ns;  /* at least 1 */
	int64_t period_greatest_ns;
	int64_t charge_ns;         /* per job */
	uint32_t reserve_permille; /* below 1000 */
	uint32_t points_max;
};

/* X(name, text); the first is no refusal. */
#define ADMISSION_REASONS(X)                                                                       \
	X(ADMITTED, "every deadline is met")                                                       \
	X(UTILIZATION, "more time is asked for than the hart has")                                 \
	X(DEMAND, "more is due at an instant than the hart can do by then")                        \
	X(COMPLEX, "too complex to decide; deadlines equal to periods are simple")                 \
	X(CRITICALITY, "critical threads could be late once one exceeds its lower budget")         \
	X(TASKS, "too many deadline threads on this hart")                                         \
	X(RUNTIME_SHORT, "the runtime is less than the least allowed")                             \
	X(RUNTIME_LONG, "the runtime is longer than the deadline")                                 \
	X(DEADLINE_LONG, "the deadline is longer than the period")                                 \
	X(PERIOD_SHORT, "the period is less than the least allowed")                               \
	X(PERIOD_LONG, "the period is greater than the greatest allowed")                          \
	X(HI_RUNTIME_SHORT, "the higher budget is less than the lower one")                        \
	X(HI_RUNTIME_LONG, "the higher budget is longer than the deadline")                        \
	X(HI_DEADLINE, "a critical thread's deadline must be its period")

#define ADMISSION_ENUM(name, text) ADMISSION_##name,
enum admission_reason { ADMISSION_REASONS(ADMISSION_ENUM) };
#undef ADMISSION_ENUM

#define ADMISSION_X_ONE (UINT64_C(1) << 32)

struct admission_report {
	enum admission_reason reason;
	uint32_t task; /* which one's parameters are wrong, for the reasons behind TASKS */
	/*
	 * If all tasks release together at 0 and as often as they may, demand_ns (charged) is due by
	 * instant_ns, and only supply_ns can be done. 0 where no such instant is known: admitted, too
	 * complex, criticality, parameters, or it lies beyond the horizon.
	 */
	int64_t instant_ns;
	int64_t demand_ns, supply_ns; /* at most INT64_MAX */
	bool first;                   /* no deadline is missed before instant_ns */
	bool high;                    /* these are of the HI tasks alone, with their HI budgets */
	/* Charged, with the lower budgets, rounded up; what the hart supplies. */
	uint32_t utilization_ppm, capacity_ppm;
	uint32_t hi_utilization_ppm; /* HI tasks with HI budgets; 0 without */
	uint64_t x; /* admitted: scale of the HI tasks' virtual deadlines, of ADMISSION_X_ONE */
};

/* Are these parameters of a task at all? ADMISSION_ADMITTED, or what is wrong (ERR_INVAL, in words). */
must_check enum admission_reason admission_validate(
	const struct admission_task *task, const struct admission_limits *limits);

/* True if the n tasks meet all deadlines on one hart. The report is filled either way. */
must_check bool admission_check(const struct admission_task *tasks, size_t n,
	const struct admission_limits *limits, struct admission_report *out);

/* Of the report only what is asked for and what is there, without a verdict: n divisions, for figures. */
void admission_shares(const struct admission_task *tasks, size_t n,
	const struct admission_limits *limits, struct admission_report *out);

/* Of a HI task while the mode is LO: x * period, rounded up, as the test assumes. */
int64_t admission_virtual_deadline(uint64_t x, int64_t period_ns);

#define ADMISSION_NOWHERE UINT32_MAX

/* Tests a hart's set, the new task included, and takes it in. ERR_NOSPC: it does not fit there, as the report says. */
typedef enum err admission_try_fn(void *arg, uint32_t hart, struct admission_report *out);
/*
 * Tries the harts whose bits are set, by number, up to the first that does not answer ERR_NOSPC: *hart, whose
 * answer and report these are, or the last of all. No bit set: ERR_NOSPC, ADMISSION_NOWHERE.
 */
must_check enum err admission_first_fit(uint64_t harts, admission_try_fn *try, void *arg,
	struct admission_report *out, uint32_t *hart);

struct str admission_reason_text(enum admission_reason reason);
/*
 * "refused on hart 0: 10.4 ms are due within 10 ms, which give 9.5 ms (104% of the hart is asked for,
 * 95% is there)". Every digit: two figures that differ look different. ADMISSION_NOWHERE: no hart.
 */
void admission_report_render(const struct admission_report *r, uint32_t hart, struct abuf *out);

#endif
