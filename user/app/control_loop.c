/*
 * control_loop.c - a control loop with a deadline, to copy: a motor's speed, 1000 times a second.
 *
 * Every millisecond: read the plant, compute, act, tell. Here the plant is a simulated motor, which
 * you replace by your own in plant_read() and plant_act(); the controller is a PI one in integers, because
 * nothing in the image uses floating point. docs/tutorial-control-loop.md goes through it step by step.
 *
 * The loop asks for LOOP_RUNTIME_NS in each LOOP_PERIOD_NS. Admission grants that or refuses it with a
 * reason; once granted, nothing that others do makes the loop late. control_files.c shows what it publishes. Refused, or
 * killed, it ends, and may be started again.
 *
 * Locks: none. `loop_users` lets one start it at a time. State is published under a sequence count, preemption off for
 * the copy: readers try again, the loop never waits.
 */
#include "kernel/diag/diag.h"
#include "kernel/lock/lock.h"
#include "kernel/sync/sem.h"
#include "lib/err.h"
#include "lib/initcall.h"
#include "user/app/control_priv.h"

#define LOOP_PERIOD_NS  (1 * NS_PER_MS)
#define LOOP_RUNTIME_NS (CONFIG_APP_CONTROL_RUNTIME_US * NS_PER_US)
#define LOOP_PRIORITY   20   /* while it has no deadline: before admission, or when it is refused */
#define SET_POINT_JOBS  2000 /* so often the speed that is wanted changes */

/* ---- the plant: speed in 1/1000 turns a second, drive in 1/1000 of full ---- */

static int64_t motor_speed;

static int64_t plant_read(void)
{
	return motor_speed;
}

/* First order: 100 turns a second at full drive, 64 ms. */
static void plant_act(int64_t drive)
{
	motor_speed += (drive * 100 - motor_speed) / 64;
}

/* ---- the controller ---- */

#define DRIVE_MAX 1000
struct controller {
	int64_t integral; /* of the error, in speed * ms */
};

static int64_t controller_step(struct controller *c, int64_t set_point, int64_t speed)
{
	int64_t error = set_point - speed;
	int64_t drive = error / 40 + (c->integral + error) / 3200;
	int64_t bounded = max(min(drive, INT64_C(DRIVE_MAX)), INT64_C(0));
	if (bounded == drive) /* anti-windup: at its bound the drive integrates nothing */
		c->integral += error;
	return bounded;
}

/* ---- what is told ---- */

static struct control_state published;
static struct seqcount published_seq;
static uint64_t events[2]; /* atomic: how often the kernel told us of each enum deadline_event */
static uint32_t loop_users; /* atomic: who starts the loop, and the loop; 0: it may be started */
static uint32_t loop_tid, loop_phase; /* atomic */

static void loop_publish(const struct control_state *s)
{
	preempt_disable(); /* whoever is more urgent, or runs while the loop is throttled, never finds it half written */
	seq_write_begin(&published_seq);
	published = *s;
	seq_write_end(&published_seq);
	preempt_enable();
}

/* A reader that the loop meets in the middle tries again: once in a period at most. */
void control_read(struct control_state *out)
{
	uint32_t before;
	do {
		before = seq_read_begin(&published_seq);
		*out = published;
	} while (seq_read_retry(&published_seq, before));
	out->overrun_events = __atomic_load_n(&events[DEADLINE_OVERRUN], __ATOMIC_RELAXED);
	out->miss_events = __atomic_load_n(&events[DEADLINE_MISSED], __ATOMIC_RELAXED);
	out->tid = __atomic_load_n(&loop_tid, __ATOMIC_RELAXED);
	out->phase = __atomic_load_n(&loop_phase, __ATOMIC_RELAXED);
	out->has_deadline = out->phase <= CONTROL_RUNS && deadline_info_find(out->tid, &out->deadline);
}

/*
 * The kernel calls this when the loop has spent its runtime or missed a deadline, in interrupt context: it
 * counts, or wakes somebody who brings the plant to a safe state. It must not wait.
 */
static void loop_notify(unused struct thread *t, enum deadline_event event, unused void *arg)
{
	__atomic_fetch_add(&events[event], 1, __ATOMIC_RELAXED);
}

/* ---- the loop ---- */

/* For the tutorial: every so many steps one takes two and a half periods, to see what happens then. */
static void loop_overrun(uint64_t step)
{
	if (CONFIG_APP_CONTROL_OVERRUN_STEPS == 0 || step % max(CONFIG_APP_CONTROL_OVERRUN_STEPS, 1) != 0)
		return;
	for (ktime until = ktime_add(clock_now(), LOOP_PERIOD_NS * 5 / 2); ktime_before(clock_now(), until);)
		;
}

static void loop_set_phase(enum control_phase phase)
{
	__atomic_store_n(&loop_phase, phase, __ATOMIC_RELAXED);
}

static void loop_work(void)
{
	struct control_state s = {.set_point = 30000};
	struct controller c = {0};
	while (thread_wait_period() == OK) { /* never drifts; ends when cancelled or refused */
		s.speed = plant_read();
		s.drive = controller_step(&c, s.set_point, s.speed);
		plant_act(s.drive);
		loop_overrun(++s.steps);
		if (s.steps % SET_POINT_JOBS == 0)
			s.set_point = 90000 - s.set_point; /* 30, 60, 30 ... turns a second */
		loop_publish(&s);
	}
}

static struct sem go;      /* posted when the loop may begin... */
static bool loop_admitted; /* ...and says by this what admission said */

static void loop_run(unused void *arg)
{
	bool may = sem_wait(&go, KTIME_NEVER) == OK, admitted = may && loop_admitted;
	if (admitted) {
		loop_set_phase(CONTROL_RUNS);
		loop_work();
		klog(LOG_INFO, "control_loop: ended; echo start > /app/control/ctl starts it again");
	}
	loop_set_phase(may && !admitted ? CONTROL_REFUSED : CONTROL_ENDED);
	__atomic_fetch_sub(&loop_users, 1, __ATOMIC_RELEASE); /* the last that it does with any of this */
}

/* What admission said: its sentence, then the figures, which do not fit into the same record of the log. */
static void loop_tell(enum log_level level, const struct deadline_verdict *verdict)
{
	char bytes[160];
	struct abuf why = abuf_of(bytes, sizeof(bytes));
	admission_report_render(&verdict->report, verdict->cpu, &why);
	struct str rest = abuf_str(&why), sentence = str_trim(str_cut(&rest, '(')), figures = str_cut(&rest, ')');
	klog(level, "control_loop: %.*s", STR_ARG(sentence));
	if (figures.len)
		klog(level, "control_loop: %.*s", STR_ARG(figures));
}

/* Asked for from outside, before the first job, so that the report about it is on nobody's budget. */
static enum err loop_admit(struct thread *loop, struct deadline_verdict *verdict)
{
	struct deadline_attr attr = {
		.params = {.runtime_ns = LOOP_RUNTIME_NS, .deadline_ns = LOOP_PERIOD_NS, .period_ns = LOOP_PERIOD_NS},
		.notify = loop_notify,
	};
	return thread_set_deadline(loop, &attr, verdict);
}

/* Nobody else uses what is above: thread, admission, go. */
static enum err loop_start(struct deadline_verdict *verdict, bool *judged)
{
	sem_init(&go, 0, 1);
	loop_set_phase(CONTROL_STARTS);
	memset(events, 0, sizeof(events));
	struct thread_result t = thread_create(&(struct thread_attr){
		.name = S("control_loop"), .entry = loop_run, .priority = LOOP_PRIORITY, .class = SCHED_FIFO});
	if (t.err != OK) {
		loop_set_phase(CONTROL_ENDED);
		__atomic_fetch_sub(&loop_users, 1, __ATOMIC_RELEASE); /* the loop's part */
		return t.err;
	}
	__atomic_store_n(&loop_tid, thread_id(t.value), __ATOMIC_RELAXED);
	enum err err = loop_admit(t.value, verdict);
	*judged = deadline_was_judged(err, verdict);
	if (*judged)
		loop_tell(err == OK ? LOG_INFO : LOG_ERR, verdict);
	loop_admitted = err == OK;
	thread_detach(t.value); /* the loop ends when it likes */
	sem_post(&go);
	return err;
}

enum err control_start(struct deadline_verdict *verdict, bool *judged)
{
	uint32_t nobody = 0;
	*judged = false;
	if (!__atomic_compare_exchange_n(&loop_users, &nobody, 2, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return ERR_BUSY;
	enum err err = loop_start(verdict, judged);
	__atomic_fetch_sub(&loop_users, 1, __ATOMIC_RELEASE);
	return err;
}

/* That it does not run is told, and may change: the files are there. */
static enum err loop_init(void)
{
	struct deadline_verdict verdict;
	bool judged;
	enum err err = control_start(&verdict, &judged);
	if (err != OK && !judged)
		klog(LOG_ERR, "control_loop: %.*s", STR_ARG(err_text(err)));
	return control_files_init();
}
INITCALL(app_control_loop, loop_init, "vfs", "sched");
