/*
 * run.c - lines, pipelines and jobs.
 *
 * A line is parsed twice: once to see that it is one, then pipeline by pipeline, as they are run. A pipeline is set up
 * whole before any of it starts: words, commands, files and pipes; what is missing there is said, and nothing has run.
 * Each stage is a thread. A builtin alone runs in the session's own.
 *
 * The session's thread owns its jobs: it sets them up, cancels and joins their threads. A stage touches its own
 * struct, its ends, and `running`, the last thing it does but for waking the session, which joins it before the job goes.
 *
 * Locks: none.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "lib/assert.h"
#include "user/shell/shell_priv.h"

#define PIPE_BYTES (PAGE_SIZE - sizeof(struct pipe)) /* both in one page */

static_assert(sizeof(struct shell_job) + 2 * SHELL_LINE_MAX <= PAGE_SIZE << JOB_ORDER, "room for words");

extern const struct shell_command command_start[], command_end[];

/* ---- the table of commands ---- */

const struct shell_command *shell_command_at(size_t i)
{
	size_t count = (size_t)(command_end - command_start);
	if (i < count)
		return &command_start[i];
	i -= count;
	return i < shell_builtin_count ? &shell_builtins[i].command : NULL;
}

const struct shell_command *run_find(struct str name)
{
	const struct shell_command *c;
	for (size_t i = 0; (c = shell_command_at(i)) != NULL; i++)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

static int nothing_run(unused struct shell_call *c)
{
	return 0;
}
/* What runs where a pipeline has a command of no words. */
static const struct shell_command run_nothing = {.name = STR_INIT("nothing"), .run = nothing_run};

/* ---- a job ---- */

static struct shell_job *job_make(struct shell_session *s)
{
	struct shell_job *job = page_alloc(JOB_ORDER);
	if (!job) {
		session_say(s, "no memory for a command\n");
		s->status = 1;
		return NULL;
	}
	memset(job, 0, sizeof(*job));
	job->session = s;
	job->words = abuf_of(job->bytes, (PAGE_SIZE << JOB_ORDER) - sizeof(*job));
	return job;
}

static void job_close(struct shell_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		end_close_in(&job->stages[i].in);
		end_close_out(&job->stages[i].out);
		end_close_out(&job->stages[i].error);
	}
}

/* Its threads are joined, or were never made. */
static void job_free(struct shell_job *job)
{
	job_close(job);
	for (size_t i = 0; i < countof(job->pipes); i++)
		if (job->pipes[i])
			page_free(job->pipes[i], 0);
	if (job->threads)
		shell_threads_give(job->threads);
	page_free(job, JOB_ORDER);
}

bool stage_is_cancelled(const struct shell_stage *stage)
{
	return stage->cancelled || __atomic_load_n(&stage->job->cancelled, __ATOMIC_RELAXED) || thread_is_cancelled() ||
	       session_is_over(stage->job->session);
}

void run_cancel(struct shell_job *job)
{
	__atomic_store_n(&job->cancelled, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < job->count; i++)
		if (job->stages[i].thread && thread_cancel(job->stages[i].thread) != OK)
			unreachable(); /* it is no system thread */
}

static void job_join(struct shell_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		while (job->stages[i].thread && thread_join(job->stages[i].thread, KTIME_NEVER) != OK)
			terminal_set_over(job->session); /* who joins was killed, and waits all the same */
		job->stages[i].thread = NULL;
	}
}

static bool job_runs(const struct shell_job *job)
{
	return __atomic_load_n(&job->running, __ATOMIC_ACQUIRE) > 0;
}

static int job_status(const struct shell_job *job)
{
	return job->stages[job->count - 1].status;
}

/* ---- a stage, in its thread or the session's ---- */

int stage_run(struct shell_stage *stage)
{
	struct shell_call *c = &stage->call;
	int status = 0;
	if (c->argc >= 2 && str_eq(c->argv[1], S("--help")))
		status = shell_write(c, rbuf_of_str(stage->command->usage)) == OK ? 0 : 1;
	else
		status = stage->command->run(c);
	if (call_finish(c) != OK && status == 0)
		status = 1; /* whose output was refused has failed */
	return stage_is_cancelled(stage) ? SHELL_CANCELLED : status;
}

static void stage_main(void *arg)
{
	struct shell_stage *stage = arg;
	struct shell_session *s = stage->job->session;
	stage->status = stage_run(stage);
	end_close_in(&stage->in);
	end_close_out(&stage->out);
	end_close_out(&stage->error);
	__atomic_fetch_sub(&stage->job->running, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&s->wait);
}

/* ---- setting up ---- */

struct run_status {
	struct shell_session *s;
	char text[12];
};

static struct str run_lookup(void *arg, struct str name)
{
	struct run_status *r = arg;
	struct str value = STR_EMPTY;
	if (str_eq(name, S("?"))) {
		struct abuf text = abuf_of(r->text, sizeof(r->text));
		fmt(&text, "%d", r->s->status);
		return abuf_str(&text);
	}
	if (vars_get(&r->s->vars, name, &value))
		return value;
	return str_eq(name, S("PWD")) ? str_of(r->s->cwd, r->s->cwd_len) : STR_EMPTY;
}

/* Expands a word into the job's room; false: it is nothing. */
static bool job_expand(struct shell_job *job, struct str word, struct str *out)
{
	struct run_status r = {.s = job->session};
	size_t from = job->words.len;
	bool there = parse_expand(word, run_lookup, &r, &job->words);
	*out = str_of(job->words.ptr + from, job->words.len - from);
	return there;
}

/* Words, and the names of files in place. */
static void job_set_words(struct shell_job *job, struct shell_stage *stage, struct parse_stage *p, size_t *used)
{
	struct str *const names[] = {&p->in, &p->out, &p->error};
	stage->call.argv = &job->argv[*used];
	for (size_t i = 0; i < p->words; i++)
		if (job_expand(job, job->parsed.words[p->first + p->assigns + i], &job->argv[*used])) {
			(*used)++;
			stage->call.argc++;
		}
	for (size_t i = 0; i < countof(names); i++)
		if (names[i]->ptr)
			job_expand(job, *names[i], names[i]);
}

static bool job_assign(struct shell_job *job, const struct parse_stage *p)
{
	for (size_t i = 0; i < p->assigns; i++) {
		struct str name, raw, value;
		if (!parse_is_assignment(job->parsed.words[p->first + i], &name, &raw))
			unreachable(); /* it was one when it was parsed */
		job_expand(job, raw, &value);
		enum err err = vars_set(&job->session->vars, name, value);
		if (err != OK) {
			session_say(job->session, "%.*s: %.*s\n", STR_ARG(name), STR_ARG(err_text(err)));
			return false;
		}
	}
	return true;
}

/* The end takes the file. */
static enum err end_open(struct shell_end *e, struct str path, struct str name, unsigned flags)
{
	if (flags != OPEN_READ)
		return redirect_open(e, path, name, flags);
	struct file_result f = vfs_open(path, flags);
	if (f.err == OK)
		*e = (struct shell_end){.kind = END_FILE, .file = f.value};
	return f.err;
}

/* A tree of what there is, threads for example, takes no others; that is not what read-only says. */
static struct str open_reason(struct str path, enum err err)
{
	struct file_stat stat;
	if (err == ERR_ROFS && vfs_stat(path, &stat) == ERR_NOENT)
		return S("no such file, and none can be made there");
	return err_text(err);
}

static bool job_open(struct shell_job *job, struct shell_end *e, struct str name, unsigned flags)
{
	if (!name.ptr)
		return true;
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	enum err err = shell_path(&job->stages[0].call, name, &path);
	if (err == OK)
		err = end_open(e, abuf_str(&path), name, flags);
	if (err != OK)
		session_say(job->session, "%.*s: %.*s\n", STR_ARG(shell_shown(name)),
			STR_ARG(open_reason(abuf_str(&path), err)));
	return err == OK;
}

/* Those that are read first: that one of them is missing changes nothing. */
static bool job_open_files(struct shell_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (!job_open(job, &job->stages[i].in, job->parsed.stages[i].in, OPEN_READ))
			return false;
	for (size_t i = 0; i < job->count; i++) {
		const struct parse_stage *p = &job->parsed.stages[i];
		struct shell_stage *stage = &job->stages[i];
		stage->error_to_out = p->error_to_out;
		if (!job_open(job, &stage->out, p->out, p->append ? OPEN_APPEND : OPEN_TRUNC) ||
			!job_open(job, &stage->error, p->error, p->error_append ? OPEN_APPEND : OPEN_TRUNC))
			return false;
	}
	return true;
}

static bool job_make_pipes(struct shell_job *job)
{
	for (size_t i = 0; i + 1 < job->count; i++) {
		struct pipe *pipe = page_alloc(0);
		if (!pipe) {
			session_say(job->session, "no memory for a pipe\n");
			return false;
		}
		pipe_init(pipe, pipe + 1, PIPE_BYTES);
		job->pipes[i] = pipe;
	}
	return true;
}

/* Between this stage and the next one; where one of them is redirected, its end of the pipe is closed. */
static void job_connect(struct shell_job *job, size_t i)
{
	struct pipe *pipe = job->pipes[i];
	struct shell_end *out = &job->stages[i].out, *in = &job->stages[i + 1].in;
	if (out->kind == END_TERMINAL)
		*out = (struct shell_end){.kind = END_PIPE, .pipe = pipe};
	else
		pipe_close_writer(pipe);
	if (in->kind == END_TERMINAL)
		*in = (struct shell_end){.kind = END_PIPE, .pipe = pipe};
	else
		pipe_close_reader(pipe);
}

/* 0: what the stage is to run is known, and may run here; else the status. */
static int job_find(struct shell_job *job, struct shell_stage *stage)
{
	struct shell_session *s = job->session;
	if (stage->call.argc == 0) { /* its words were variables without a value */
		stage->command = &run_nothing;
		return 0;
	}
	struct str name = stage->call.argv[0];
	stage->command = run_find(name);
	if (str_eq(name, S("kill")) && stage->call.argc > 1 && str_starts(stage->call.argv[1], S("%")))
		stage->command = &builtin_kill_job.command;
	if (!stage->command) {
		session_say(s, "%.*s: there is no such command; help lists them\n", STR_ARG(shell_shown(name)));
		return SHELL_NOT_FOUND;
	}
	const struct shell_builtin *b = builtin_of(stage->command);
	bool alone = job->parsed.count == 1 && !job->background;
	if (!b || alone || (b->where != BUILTIN_ALONE && !(b->where && job->background)))
		return 0;
	session_say(s, "%.*s: not in %s\n", STR_ARG(name), job->background ? "the background" : "a pipeline");
	return SHELL_SYNTAX;
}

static bool job_may_be_kept(struct shell_session *s)
{
	run_reap(s, true);
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++)
		if (!s->jobs[i])
			return true;
	session_say(s, "too many jobs in the background\n");
	return false;
}

static void job_make_stages(struct shell_job *job)
{
	struct shell_session *s = job->session;
	struct parse_pipeline *p = &job->parsed;
	size_t used = 0;
	job->background = p->background;
	job->source_len = min(p->source.len, sizeof(job->source));
	memcpy(job->source, p->source.ptr, job->source_len);
	job->cwd_len = s->cwd_len;
	memcpy(job->cwd, s->cwd, s->cwd_len);
	for (size_t i = 0; i < p->count; i++) {
		struct shell_stage *stage = &job->stages[i];
		*stage = (struct shell_stage){.job = job, .call.stage = stage, .out.kind = END_TERMINAL,
			.error.kind = END_TERMINAL, .in.kind = job->background && i == 0 ? END_NONE : END_TERMINAL};
		job->count++;
		job_set_words(job, stage, &p->stages[i], &used);
	}
}

/* 0: the pipeline is one that may run; nothing has changed yet. */
static int job_judge(struct shell_job *job)
{
	struct shell_session *s = job->session;
	const struct parse_pipeline *p = &job->parsed;
	if (!abuf_ok(&job->words)) {
		session_say(s, "the words of the line are too long\n");
		return 1;
	}
	for (size_t i = 0; i < p->count; i++) {
		int status = p->stages[i].words ? job_find(job, &job->stages[i]) : 0;
		if (status)
			return status;
		if (job->stages[i].call.argc && p->stages[i].assigns) {
			session_say(s, "variables are set on a line of their own\n");
			return 1;
		}
	}
	return p->background && !job_may_be_kept(s) ? 1 : 0;
}

/* Variables and files only. Of a job whose stages are made. */
static bool job_is_simple(const struct shell_job *job)
{
	return job->parsed.count == 1 && job->stages[0].call.argc == 0;
}

/* A builtin alone, in the session's thread. */
static bool job_is_here(const struct shell_job *job)
{
	return job->parsed.count == 1 && !job->parsed.background && builtin_of(job->stages[0].command);
}

/* Its part of CONFIG_SHELL_THREADS, before it changes a file. */
static bool job_take_threads(struct shell_job *job)
{
	if (job_is_simple(job) || job_is_here(job))
		return true;
	if (!shell_threads_take(job->count)) {
		session_say(job->session, "too many commands are running\n");
		return false;
	}
	job->threads = job->count;
	return true;
}

/* The whole pipeline; nothing runs yet. 0, or the status: why is said. */
static int job_set_up(struct shell_job *job)
{
	job_make_stages(job);
	int status = job_judge(job);
	if (status)
		return status;
	if (!job_take_threads(job) || !job_make_pipes(job) || !job_open_files(job))
		return 1;
	for (size_t i = 0; i + 1 < job->count; i++)
		job_connect(job, i);
	return 0;
}

/* ---- running ---- */

/* In the session's thread: it changes the session. */
static int job_run_here(struct shell_job *job)
{
	job->stages[0].here = true;
	int status = stage_run(&job->stages[0]);
	job_free(job);
	return status;
}

static bool job_start(struct shell_job *job)
{
	struct shell_session *s = job->session;
	shell_commands_count(job->count);
	job->running = (uint32_t)job->count;
	for (size_t i = 0; i < job->count; i++) {
		struct shell_stage *stage = &job->stages[i];
		struct str name = str_slice(stage->command->name, 0, THREAD_NAME_MAX);
		struct thread_result t = thread_create(&(struct thread_attr){.name = name, .entry = stage_main, .arg = stage,
			.priority = CONFIG_SHELL_PRIORITY, .class = SCHED_RR, .domain = shell_domain()});
		if (t.err != OK) {
			session_say(s, "%.*s: %.*s\n", STR_ARG(name), STR_ARG(err_text(t.err)));
			run_cancel(job);
			job_join(job);
			return false;
		}
		stage->thread = t.value;
	}
	return true;
}

/* One turn of waiting in the foreground. */
static void run_wait_turn(struct shell_session *s, struct shell_job *job)
{
	if (session_is_over(s)) {
		run_cancel(job);
		job_join(job);
		return;
	}
	ktime until = terminal_idle_at(s);
	enum err err = waitq_wait_until(&s->wait,
		!job_runs(job) || session_is_over(s) || __atomic_load_n(&s->interrupt, __ATOMIC_RELAXED),
		until, S("command"));
	if (err != OK)
		terminal_wait_failed(s, err);
	if (terminal_is_interrupted(s)) {
		s->aborted = true;
		run_cancel(job);
		(void)terminal_interrupted(s); /* behind the cancellation: see terminal_may_take() */
		session_say(s, "^C\n");
	}
}

int run_wait(struct shell_session *s, struct shell_job *job)
{
	while (job_runs(job))
		run_wait_turn(s, job);
	job_join(job);
	int status = job->cancelled ? SHELL_CANCELLED : job_status(job);
	s->cooked_at = s->cooked_len = 0;
	job_free(job);
	return status;
}

/* %1 and so on; the session keeps the job. */
static bool job_keep(struct shell_session *s, struct shell_job *job)
{
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++)
		if (!s->jobs[i]) {
			s->jobs[i] = job;
			session_say(s, "[%zu] %.*s\n", i + 1, (int)job->source_len, job->source);
			return true;
		}
	return false;
}

/* The pipeline that was parsed into the job, which it takes. */
static void run_pipeline(struct shell_session *s, struct shell_job *job)
{
	int status = job_set_up(job); /* $? is that of the last pipeline until this one has one */
	bool simple = job_is_simple(job);
	if (status == 0 && simple)
		status = job_assign(job, &job->parsed.stages[0]) ? 0 : 1;
	if (status || simple) {
		s->status = status;
		job_free(job);
		return;
	}
	if (job_is_here(job)) {
		s->status = job_run_here(job);
		return;
	}
	if (!job_start(job)) {
		s->status = 1;
		job_free(job);
		return;
	}
	if (!job->parsed.background)
		s->status = run_wait(s, job);
	else if (job_keep(s, job))
		s->status = 0;
	else
		unreachable(); /* there was a place, and nobody else takes one */
}

static bool run_may_go_on(const struct shell_session *s)
{
	return !s->exiting && !s->aborted && !session_is_over(s);
}

static bool run_is_good(struct shell_session *s, struct shell_job *job, struct str line)
{
	struct parse_failure f;
	struct parse_cursor c = parse_begin(line);
	enum parse_result r;
	while ((r = parse_next(&c, &job->parsed, &f)) == PARSE_OK)
		;
	if (r == PARSE_END)
		return true;
	s->status = SHELL_SYNTAX;
	if (f.near.len)
		session_say(s, "%.*s, at '%.*s'\n", STR_ARG(f.why), STR_ARG(f.near));
	else
		session_say(s, "%.*s\n", STR_ARG(f.why));
	return false;
}

void run_line(struct shell_session *s, struct str line)
{
	struct parse_failure f;
	struct parse_cursor c = parse_begin(line);
	struct shell_job *job = job_make(s);
	if (!job)
		return;
	if (!run_is_good(s, job, line)) {
		job_free(job);
		return;
	}
	while (run_may_go_on(s) && parse_next(&c, &job->parsed, &f) == PARSE_OK) {
		enum parse_join join = job->parsed.join;
		if ((join == PARSE_AND && s->status != 0) || (join == PARSE_OR && s->status == 0))
			continue;
		run_pipeline(s, job);
		job = job_make(s);
		if (!job)
			return;
	}
	job_free(job);
}

/* ---- a file of lines ---- */

/* Runs the line at the offset; how many bytes it takes, 0: the end. */
static struct size_result run_file_line(struct shell_session *s, struct file *f, uint64_t offset, char *bytes)
{
	size_t len = 0;
	struct size_result r;
	do {
		r = vfs_read(f, offset + len, wbuf_of(bytes + len, SHELL_LINE_MAX - len));
		if (r.err != OK)
			return r;
		len += r.value;
	} while (r.value > 0 && len < SHELL_LINE_MAX && str_find_char(str_of(bytes, len), '\n') == len);
	size_t n = str_find_char(str_of(bytes, len), '\n');
	if (n == SHELL_LINE_MAX)
		return ERR_RESULT(size_result, ERR_FBIG);
	run_line(s, str_of(bytes, n));
	return OK_RESULT(size_result, n + (n < len));
}

enum err run_file(struct shell_session *s, struct str path)
{
	if (s->depth == SHELL_DEPTH_MAX)
		return ERR_DEADLK;
	struct file_result f = vfs_open(path, OPEN_READ);
	if (f.err == OK && f.value->type == FILE_DEVICE) { /* a read of it could wait, and nothing would end that */
		vfs_close(f.value);
		return ERR_NODEV;
	}
	if (f.err != OK)
		return f.err;
	char *bytes = page_alloc(0);
	struct size_result r = {.value = 1, .err = bytes ? OK : ERR_NOMEM};
	s->depth++;
	for (uint64_t offset = 0; r.err == OK && r.value > 0 && run_may_go_on(s); offset += r.value) {
		if (__atomic_load_n(&s->interrupt, __ATOMIC_RELAXED))
			break;
		r = run_file_line(s, f.value, offset, bytes);
	}
	s->depth--;
	if (bytes)
		page_free(bytes, 0);
	vfs_close(f.value);
	return r.err;
}

/* ---- jobs in the background ---- */

void run_reap(struct shell_session *s, bool tell)
{
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++) {
		struct shell_job *job = s->jobs[i];
		if (!job || job_runs(job))
			continue;
		job_join(job);
		int status = job_status(job);
		if (tell && job->cancelled)
			session_say(s, "[%zu] cancelled: %.*s\n", i + 1, (int)job->source_len, job->source);
		else if (tell && status)
			session_say(s, "[%zu] failed (%d): %.*s\n", i + 1, status, (int)job->source_len, job->source);
		else if (tell)
			session_say(s, "[%zu] done: %.*s\n", i + 1, (int)job->source_len, job->source);
		s->jobs[i] = NULL;
		job_free(job);
	}
}

void run_end_all(struct shell_session *s)
{
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++)
		if (s->jobs[i])
			run_cancel(s->jobs[i]);
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++) {
		if (!s->jobs[i])
			continue;
		job_join(s->jobs[i]);
		job_free(s->jobs[i]);
		s->jobs[i] = NULL;
	}
}
