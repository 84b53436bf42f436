/*
 * control_files.c - what the control loop shows of itself, as files of /app/control:
 *
 *	status	`name value`, as of the open
 *	json	the same as JSON; the web server gives it at /api/app/control
 *	ctl	takes the line `start`, when it has ended or was refused
 *
 * A copy of the loop mounts a directory of its own below /app.
 */
#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/json_write.h"
#include "user/app/control_priv.h"

static const struct str control_phases[] = {[CONTROL_STARTS] = STR_INIT("starts"), [CONTROL_RUNS] = STR_INIT("runs"),
	[CONTROL_REFUSED] = STR_INIT("refused"), [CONTROL_ENDED] = STR_INIT("ended")};

/* Name and value of each line behind the state; the deadline's are there as long as the loop has one. */
#define CONTROL_STATE(X, s)                                                                        \
	X(tid, (s).tid)                                                                            \
	X(set_point_millirps, (s).set_point)                                                       \
	X(speed_millirps, (s).speed)                                                               \
	X(drive_permille, (s).drive)                                                               \
	X(steps, (s).steps)                                                                        \
	X(overrun_events, (s).overrun_events)                                                      \
	X(miss_events, (s).miss_events)
#define CONTROL_DEADLINE(X, d)                                                                     \
	X(cpu, (d).cpu)                                                                            \
	X(runtime_ns, (d).params.runtime_ns)                                                       \
	X(deadline_ns, (d).params.deadline_ns)                                                     \
	X(period_ns, (d).params.period_ns)                                                         \
	X(jobs, (d).stats.jobs)                                                                    \
	X(misses, (d).stats.misses)                                                                \
	X(overruns, (d).stats.overruns)                                                            \
	X(response_max_ns, (d).response_max_ns)

static void control_status(struct abuf *out)
{
	struct control_state s;
	control_read(&s);
	fmt(out, "state %.*s\n", STR_ARG(control_phases[s.phase]));
#define LINE(name, value) fmt(out, #name " %lld\n", (long long)(value));
	CONTROL_STATE(LINE, s)
	if (s.has_deadline) {
		CONTROL_DEADLINE(LINE, s.deadline)
	}
#undef LINE
}

static void control_json(struct abuf *out)
{
	struct control_state s;
	struct json_writer w;
	control_read(&s);
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key_str(&w, S("state"), control_phases[s.phase]);
#define MEMBER(name, value) json_key_i64(&w, S(#name), (int64_t)(value));
	CONTROL_STATE(MEMBER, s)
	if (s.has_deadline) {
		CONTROL_DEADLINE(MEMBER, s.deadline)
	}
#undef MEMBER
	json_object_close(&w);
	enum err err = json_finish(&w);
	abuf_char_add(out, '\n');
	assert(err == OK || err == ERR_NOSPC); /* what does not fit has marked the buffer, and is asked for again */
}

static enum err control_ctl(struct str line, struct abuf *answer)
{
	struct deadline_verdict verdict;
	bool judged;
	if (!str_eq(str_trim(line), S("start"))) {
		fmt(answer, "refused: expected start");
		return ERR_INVAL;
	}
	enum err err = control_start(&verdict, &judged);
	if (judged)
		admission_report_render(&verdict.report, verdict.cpu, answer);
	else if (err == ERR_BUSY)
		fmt(answer, "refused: it runs");
	return err;
}

static const struct synth_file control_files[] = {
	{.path = STR_INIT("ctl"), .ctl = control_ctl},
	{.path = STR_INIT("json"), .render = control_json},
	{.path = STR_INIT("status"), .render = control_status},
};
static struct synth_fs control_fs = {control_files, countof(control_files)};

enum err control_files_init(void)
{
	return vfs_mount(S("/app/control"), &synth_ops, &control_fs, S("control"));
}
