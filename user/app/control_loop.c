/*
 * control_loop.c - the smallest control loop: a thread that wakes every
 * millisecond, works, and keeps the figures that tell how well it is served.
 *
 * Copy it to begin your own: change the period, and put the plant where loop_step()
 * is. It is linked in by CONFIG_APP_CONTROL_LOOP and starts at boot; once a minute it
 * logs how late it was at most.
 */
#include "kernel/diag/diag.h"
#include "kernel/sync/waitq.h"
#include "lib/initcall.h"

#define LOOP_PERIOD_NS (1 * NS_PER_MS)
#define LOOP_PRIORITY  56 /* above network reception and threaded interrupts, see sched.h */
#define LOOPS_A_REPORT 60000

struct loop {
	int64_t position; /* a first-order plant that follows its set point */
	int64_t set_point;
	int64_t lateness_max_ns;
	uint64_t loops;
};

static void loop_step(struct loop *l)
{
	if (l->loops % 500 == 0)
		l->set_point = 1000 - l->set_point;
	l->position += (l->set_point - l->position) / 8;
}

static void loop_report(struct loop *l)
{
	klog(LOG_INFO, "control_loop: %llu loops, at most %lld ns late", (unsigned long long)l->loops,
		(long long)l->lateness_max_ns);
	l->lateness_max_ns = 0;
}

/* The wake-up times are absolute: what one loop takes does not move the next. */
static void loop_run(unused void *arg)
{
	struct loop l = {0};
	ktime due = clock_now();
	for (;;) {
		due = ktime_add(due, LOOP_PERIOD_NS);
		if (sleep_until(due) != OK)
			return;
		l.lateness_max_ns = max(l.lateness_max_ns, ktime_diff(clock_now(), due));
		l.loops++;
		loop_step(&l);
		if (l.loops % LOOPS_A_REPORT == 0)
			loop_report(&l);
	}
}

static enum err loop_init(void)
{
	struct thread_result t = thread_create(&(struct thread_attr){
		.name = S("control_loop"),
		.entry = loop_run,
		.priority = LOOP_PRIORITY,
		.class = SCHED_FIFO,
	});
	if (t.err == OK)
		thread_detach(t.value);
	return t.err;
}
INITCALL(app_control_loop, loop_init, "sched");
