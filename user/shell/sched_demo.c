/*
 * sched_demo.c - a control loop for show, and load beside it; see sched_demo.h.
 *
 * Locks: LOCK_DEMO, a mutex, around starting, stopping and changing.
 * Invariant: demo.loop and demo.load[] hold a reference each until their thread is joined, also when somebody has
 * killed it meanwhile.
 */
#include "user/shell/sched_demo.h"
#include "kernel/sched/deadline.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/sem.h"
#include "lib/initcall.h"

#define DEMO_PRIORITY 8  /* before it is admitted */
#define DEMO_GAP_NS   (20 * NS_PER_US) /* longer between two looks at the clock: it did not compute meanwhile */
#define LOAD_LOOK_NS  (10 * NS_PER_MS)

static struct {
	struct mutex lock;
	struct thread *loop;
	struct sem go;
	int64_t busy_ns; /* atomic */
	struct thread *load[CPU_MAX];
} demo;

/* Computes for so long, as far as the clock shows that it does and nothing else; or until it is cancelled. */
static void demo_compute(int64_t ns)
{
	ktime last = clock_now();
	while (ns > 0 && !thread_is_cancelled()) {
		ktime now = clock_now();
		int64_t passed = ktime_diff(now, last);
		if (passed < DEMO_GAP_NS)
			ns -= passed;
		last = now;
	}
}

static void demo_run(unused void *arg)
{
	if (sem_wait(&demo.go, KTIME_NEVER) != OK)
		return;
	/* Who is always late never waits, and would never find his wait cancelled. */
	while (!thread_is_cancelled() && thread_wait_period() == OK)
		demo_compute(__atomic_load_n(&demo.busy_ns, __ATOMIC_RELAXED));
}

static enum err demo_enter(void)
{
	return mutex_lock_until(&demo.lock, KTIME_NEVER);
}

static enum err demo_leave(enum err err)
{
	mutex_unlock(&demo.lock);
	return err;
}

/* A thread that has ended by itself, because it was killed, is none. */
static void demo_reap(struct thread **t)
{
	if (*t && thread_join(*t, KTIME_ZERO) == OK)
		*t = NULL;
}

static enum err demo_end(struct thread **t)
{
	enum err err = thread_cancel(*t);
	if (err == OK)
		err = thread_join(*t, KTIME_NEVER);
	if (err == OK)
		*t = NULL;
	return err;
}

/* With the lock: makes the loop, asks for its deadline, lets it go. */
static enum err demo_make(const struct edf_params *params, struct deadline_verdict *verdict, bool *judged)
{
	struct thread_result t = thread_create(&(struct thread_attr){.name = S("demo_loop"), .entry = demo_run,
		.priority = DEMO_PRIORITY, .class = SCHED_FIFO});
	if (t.err != OK)
		return t.err;
	demo.loop = t.value;
	struct deadline_attr attr = {.params = *params};
	enum err err = thread_set_deadline(demo.loop, &attr, verdict);
	*judged = deadline_was_judged(err, verdict);
	if (err == OK) {
		sem_post(&demo.go);
		return OK;
	}
	enum err ended = demo_end(&demo.loop);
	return ended == OK ? err : ended;
}

enum err demo_start(const struct edf_params *params, int64_t busy_ns, struct deadline_verdict *verdict, bool *judged)
{
	*judged = false;
	enum err err = demo_enter();
	if (err != OK)
		return err;
	demo_reap(&demo.loop);
	if (demo.loop)
		return demo_leave(ERR_BUSY);
	sem_init(&demo.go, 0, 1);
	__atomic_store_n(&demo.busy_ns, busy_ns, __ATOMIC_RELAXED);
	return demo_leave(demo_make(params, verdict, judged));
}

enum err demo_set(const struct edf_params *params, struct deadline_verdict *verdict, bool *judged)
{
	*judged = false;
	enum err err = demo_enter();
	if (err != OK)
		return err;
	demo_reap(&demo.loop);
	if (!demo.loop)
		return demo_leave(ERR_NOENT);
	err = deadline_set_params(demo.loop, params, verdict);
	*judged = deadline_was_judged(err, verdict);
	return demo_leave(err);
}

enum err demo_busy(int64_t busy_ns)
{
	enum err err = demo_enter();
	if (err != OK)
		return err;
	demo_reap(&demo.loop);
	__atomic_store_n(&demo.busy_ns, busy_ns, __ATOMIC_RELAXED);
	return demo_leave(demo.loop ? OK : ERR_NOENT);
}

/* Without its deadline, whose budget, when it is spent, comes back with the next period only: minutes later, maybe. */
static enum err demo_end_loop(void)
{
	enum err err = thread_cancel(demo.loop);
	if (err == OK)
		err = thread_set_priority(demo.loop, DEMO_PRIORITY, SCHED_FIFO);
	return err == OK ? demo_end(&demo.loop) : err;
}

enum err demo_stop(void)
{
	enum err err = demo_enter();
	if (err != OK)
		return err;
	demo_reap(&demo.loop);
	return demo_leave(demo.loop ? demo_end_loop() : ERR_NOENT);
}

enum err demo_state(struct demo_state *out)
{
	enum err err = demo_enter();
	if (err != OK)
		return err;
	demo_reap(&demo.loop);
	*out = (struct demo_state){.tid = demo.loop ? thread_id(demo.loop) : 0, .busy_ns = demo.busy_ns};
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		demo_reap(&demo.load[cpu]);
		out->load += demo.load[cpu] != NULL;
	}
	return demo_leave(OK);
}

/* ---- load ---- */

static void load_run(unused void *arg)
{
	while (!thread_is_cancelled())
		demo_compute(LOAD_LOOK_NS);
}

static enum err load_end_all(void)
{
	enum err err = OK;
	for (uint32_t cpu = 0; cpu < cpu_count() && err == OK; cpu++)
		if (demo.load[cpu])
			err = demo_end(&demo.load[cpu]);
	return err;
}

/* With the lock: how many there are. */
static uint32_t load_count(void)
{
	uint32_t n = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		demo_reap(&demo.load[cpu]);
		n += demo.load[cpu] != NULL;
	}
	return n;
}

static enum err load_make(void)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct thread_result t = thread_create(&(struct thread_attr){.name = S("demo_load"), .entry = load_run,
			.priority = PRIO_MIN, .class = SCHED_RR, .affinity = UINT64_C(1) << cpu,
			.watchdog_ns = -1}); /* to compute for long is what it is for */
		if (t.err != OK) {
			(void)load_end_all(); /* the refusal is what counts */
			return t.err;
		}
		demo.load[cpu] = t.value;
	}
	return OK;
}

enum err demo_load_start(void)
{
	enum err err = demo_enter();
	return err != OK ? err : demo_leave(load_count() ? ERR_BUSY : load_make());
}

enum err demo_load_stop(void)
{
	enum err err = demo_enter();
	return err != OK ? err : demo_leave(load_count() ? load_end_all() : ERR_NOENT);
}

static enum err demo_init(void)
{
	mutex_init(&demo.lock, LOCK_DEMO);
	return OK;
}
INITCALL(shell_demo, demo_init, NULL);
