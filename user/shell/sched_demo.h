/*
 * sched_demo.h - a control loop for show, and load beside it: so that one sees admission refuse, a budget throttle,
 * and a deadline hold. cmd_sched.c is what the user types. The real example is user/app/control_loop.c.
 *
 * There is one loop and one load. Thread context; may sleep; ERR_INTR: cancelled while waiting for the other's turn.
 */
#ifndef USER_SHELL_SCHED_DEMO_H
#define USER_SHELL_SCHED_DEMO_H

#include "lib/base.h"

struct edf_params;
struct deadline_verdict;

#define DEMO_BUSY_MAX_NS (INT64_C(1000000000))

/*
 * Starts the loop with those parameters. *judged: the verdict says why they were granted or refused. ERR_BUSY: it
 * runs already.
 */
must_check enum err demo_start(const struct edf_params *params, int64_t busy_ns, struct deadline_verdict *verdict,
	bool *judged);
/* Other parameters. ERR_NOENT: it does not run. */
must_check enum err demo_set(const struct edf_params *params, struct deadline_verdict *verdict, bool *judged);
/* How long each job computes from now on. */
must_check enum err demo_busy(int64_t busy_ns);
must_check enum err demo_stop(void);

struct demo_state {
	uint32_t tid; /* 0: it does not run */
	int64_t busy_ns;
	uint32_t load; /* threads of it */
};
must_check enum err demo_state(struct demo_state *out);

/* A thread of the lowest priority on each hart, that computes. ERR_BUSY, ERR_NOENT. */
must_check enum err demo_load_start(void);
must_check enum err demo_load_stop(void);

#endif
