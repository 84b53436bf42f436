/* cmd_sched.c - sched: what is promised to whom and what became of it; a loop for show to try it on (sched_demo.c). */
#include "kernel/sched/deadline.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/sched_demo.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

/* ---- tables ---- */

static void sched_percent(struct abuf *out, uint32_t ppm)
{
	tenths_render(out, ppm / 1000);
	abuf_str_add(out, S("% "));
}

static void sched_harts(struct abuf *out)
{
	fmt(out, "HART MODE THREADS ADMITTED CAPACITY LOAD\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct deadline_hart_info h;
		struct sched_cpu_stats s;
		deadline_hart_info(cpu, &h);
		sched_cpu_stats(cpu, &s);
		fmt(out, "%u %s %u ", cpu, h.high ? "high" : "low", h.servers);
		sched_percent(out, h.utilization_ppm);
		sched_percent(out, h.capacity_ppm);
		sched_percent(out, s.load_permille * 1000);
		abuf_char_add(out, '\n');
	}
}

static const char *sched_state(enum edf_state state)
{
	return state == EDF_IDLE ? "waits" : state == EDF_ACTIVE ? "runs" : "throttled";
}

static void sched_row(struct abuf *out, const struct thread_info *t, const struct deadline_info *d)
{
	const int64_t times[] = {d->params.runtime_ns, d->params.deadline_ns, d->params.period_ns};
	fmt(out, "%u ", t->tid);
	cmd_word(out, str_of(t->name, t->name_len));
	fmt(out, " %u ", d->cpu);
	for (size_t i = 0; i < countof(times); i++) {
		duration_render(out, times[i]);
		abuf_char_add(out, ' ');
	}
	fmt(out, "%llu %llu %llu ", (unsigned long long)d->stats.jobs, (unsigned long long)d->stats.misses,
		(unsigned long long)d->stats.overruns);
	if (d->stats.lateness_max_ns == INT64_MIN)
		abuf_char_add(out, '-'); /* no job yet */
	else
		duration_render(out, d->stats.lateness_max_ns);
	abuf_char_add(out, ' ');
	duration_render(out, d->response_max_ns);
	fmt(out, " %s\n", sched_state(d->state));
}

static void sched_threads(struct abuf *out)
{
	struct thread_info t = {0};
	struct deadline_info d;
	fmt(out, "TID NAME HART RUNTIME DEADLINE PERIOD JOBS MISSES OVERRUNS LATENESS RESPONSE STATE\n");
	while (thread_info_next(t.tid, &t))
		if (t.class == SCHED_DEADLINE && deadline_info_find(t.tid, &d))
			sched_row(out, &t, &d);
}

static enum err sched_frame(struct cmd_table *t, bool harts)
{
	enum err err = OK;
	if (harts) {
		cmd_table_reset(t);
		sched_harts(&t->text);
		err = cmd_table_show(t, SIZE_MAX, 0);
	}
	cmd_table_reset(t);
	sched_threads(&t->text);
	return err == OK ? cmd_table_show(t, SIZE_MAX, 0) : err;
}

static int sched_show(struct shell_call *c, uint64_t frames, int64_t interval_ns)
{
	struct cmd_table t;
	if (!cmd_table_begin(&t, c, 1))
		return 1;
	enum err err = OK;
	for (uint64_t n = 0; n < frames && err == OK; n++) {
		if (n)
			err = shell_sleep(c, ktime_add(clock_now(), interval_ns));
		if (err == OK && n)
			err = shell_printf(c, "\n");
		if (err == OK)
			err = sched_frame(&t, true);
	}
	cmd_table_end(&t);
	return cmd_status(err);
}

/* ---- the loop for show ---- */

static int sched_demo_show(struct shell_call *c)
{
	struct demo_state s;
	char bytes[48];
	struct abuf busy = abuf_of(bytes, sizeof(bytes));
	enum err err = demo_state(&s);
	if (err != OK)
		return cmd_failed(c, S("demo"), err);
	if (s.load)
		err = shell_printf(c, "load: %u threads of the lowest priority compute\n", s.load);
	if (err == OK && !s.tid)
		return cmd_status(shell_printf(c, "the demonstration loop does not run; sched demo start starts it\n"));
	duration_render(&busy, s.busy_ns);
	if (err == OK)
		err = shell_printf(c, "demo_loop is thread %u; each job computes for %.*s\n", s.tid, STR_ARG(abuf_str(&busy)));
	return err == OK ? sched_show(c, 1, 0) : cmd_status(err);
}

/* RUNTIME DEADLINE PERIOD from the operand `at` on. False: told. */
static bool sched_params(struct shell_call *c, const struct args *a, size_t at, struct edf_params *p)
{
	int64_t *const to[] = {&p->runtime_ns, &p->deadline_ns, &p->period_ns};
	if (a->operands != at + countof(to)) {
		(void)shell_usage(c, "RUNTIME, DEADLINE and PERIOD are wanted, as in 200us 1ms 1ms");
		return false;
	}
	for (size_t i = 0; i < countof(to); i++) {
		struct i64_result ns = duration_parse(args_operand(a, at + i), 1);
		if (ns.err != OK) {
			(void)shell_usage(c, "%.*s is no duration, such as 200us, 1.5ms or a number of nanoseconds",
				STR_ARG(args_operand(a, at + i)));
			return false;
		}
		*to[i] = ns.value;
	}
	return true;
}

/* What came of it: admission's own sentence where it was asked. */
static int sched_judged(struct shell_call *c, enum err err, const struct deadline_verdict *v, bool judged)
{
	char bytes[240];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	if (judged)
		admission_report_render(&v->report, v->cpu, &text);
	if (err == OK)
		return cmd_status(shell_printf(c, "%.*s\n", STR_ARG(abuf_str(&text))));
	if (err == ERR_BUSY)
		return shell_fail(c, "the demonstration loop runs already, or is being changed; sched demo stop ends it");
	if (err == ERR_NOENT)
		return shell_fail(c, "the demonstration loop does not run; sched demo start starts it");
	return judged ? shell_fail(c, "%.*s", STR_ARG(abuf_str(&text))) : cmd_failed(c, S("demo"), err);
}

static int sched_demo_start(struct shell_call *c, const struct args *a)
{
	struct edf_params p = {.runtime_ns = 200 * NS_PER_US, .deadline_ns = NS_PER_MS, .period_ns = NS_PER_MS};
	struct deadline_verdict v;
	bool judged;
	if (a->operands > 2 && !sched_params(c, a, 2, &p))
		return 2;
	enum err err = demo_start(&p, p.runtime_ns / 2, &v, &judged);
	return sched_judged(c, err, &v, judged);
}

static int sched_demo_set(struct shell_call *c, const struct args *a)
{
	struct edf_params p = {0};
	struct deadline_verdict v;
	bool judged;
	if (!sched_params(c, a, 2, &p))
		return 2;
	enum err err = demo_set(&p, &v, &judged);
	return sched_judged(c, err, &v, judged);
}

static int sched_demo_busy(struct shell_call *c, const struct args *a)
{
	struct i64_result ns = a->operands == 3 ? duration_parse(args_operand(a, 2), 1) : ERR_RESULT(i64_result, ERR_INVAL);
	if (ns.err != OK || ns.value > DEMO_BUSY_MAX_NS)
		return shell_usage(c, "for how long each job is to compute, up to a second: sched demo busy 150us");
	enum err err = demo_busy(ns.value);
	return err == OK ? 0 : sched_judged(c, err, NULL, false);
}

static int sched_demo(struct shell_call *c, const struct args *a)
{
	if (a->operands < 2)
		return sched_demo_show(c);
	struct str verb = args_operand(a, 1);
	if (str_eq(verb, S("start")))
		return sched_demo_start(c, a);
	if (str_eq(verb, S("set")))
		return sched_demo_set(c, a);
	if (str_eq(verb, S("busy")))
		return sched_demo_busy(c, a);
	if (!str_eq(verb, S("stop")) || a->operands > 2)
		return shell_usage(c, "%.*s is none of start, set, busy and stop", STR_ARG(verb));
	enum err err = demo_stop();
	return err == OK ? 0 : sched_judged(c, err, NULL, false);
}

static int sched_load(struct shell_call *c, const struct args *a)
{
	struct str verb = a->operands == 2 ? args_operand(a, 1) : STR_EMPTY;
	bool start = str_eq(verb, S("start"));
	if (!start && !str_eq(verb, S("stop")))
		return shell_usage(c, "load is to start or to stop");
	enum err err = start ? demo_load_start() : demo_load_stop();
	if (err == ERR_BUSY || err == ERR_NOENT)
		return shell_fail(c, err == ERR_BUSY ? "the load runs already" : "no load runs");
	return err == OK ? 0 : cmd_failed(c, S("load"), err);
}

static int sched_run(struct shell_call *c)
{
	struct args a;
	int64_t interval = NS_PER_S;
	uint64_t frames = UINT64_MAX;
	if (!cmd_args(c, &a, "n:d:", 0, 5) || !cmd_duration(c, &a, 'd', NS_PER_MS, 3600 * NS_PER_S, &interval) ||
		!cmd_number(c, &a, 'n', 1, INT64_MAX, &frames))
		return 2;
	struct str verb = a.operands ? args_operand(&a, 0) : STR_EMPTY;
	if (a.operands == 0)
		return sched_show(c, 1, 0);
	if (str_eq(verb, S("demo")))
		return sched_demo(c, &a);
	if (str_eq(verb, S("load")))
		return sched_load(c, &a);
	if (str_eq(verb, S("watch")) && a.operands == 1)
		return sched_show(c, frames, interval);
	return shell_usage(c, "%.*s is none of demo, load and watch", STR_ARG(verb));
}
SHELL_COMMAND(sched, .name = STR_INIT("sched"), .summary = STR_INIT("show deadlines, and try them on a loop for show"),
	.usage = STR_INIT("sched                      harts, what is admitted on each, and the threads with deadlines\n"
			  "sched watch [-d TIME] [-n FRAMES]            the same again and again, until Ctrl-C\n"
			  "sched demo                                   the demonstration loop\n"
			  "sched demo start [RUNTIME DEADLINE PERIOD]   starts it (200us 1ms 1ms); or says why not\n"
			  "sched demo set RUNTIME DEADLINE PERIOD       gives it other parameters; or says why not\n"
			  "sched demo busy TIME                         how long each job computes: beyond RUNTIME it is throttled\n"
			  "sched demo stop\n"
			  "sched load start|stop                        a thread on each hart that computes, of the lowest priority\n"
			  "Durations: 200us, 1.5ms, 2s, or nanoseconds. LATENESS: the worst end of a job against its deadline\n"
			  "(negative: before it), RESPONSE: against its release.\n"),
	.words = STR_INIT("demo load watch"), .run = sched_run, .completes = SHELL_WORDS);
