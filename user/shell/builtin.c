/*
 * builtin.c - commands that are the session's own: they see or change what belongs to its thread. The former run in the
 * foreground only, where that thread waits meanwhile; the latter in that thread itself.
 */
#include "lib/assert.h"
#include "user/shell/shell_priv.h"

static struct shell_session *builtin_session(const struct shell_call *c)
{
	return c->stage->job->session;
}

/* ---- places ---- */

static int builtin_cd(struct shell_call *c)
{
	struct shell_session *s = builtin_session(c);
	struct str to = c->argc > 1 ? c->argv[1] : S("/");
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct file_stat stat;
	if (c->argc > 2)
		return shell_usage(c, "one directory");
	enum err err = shell_path(c, to, &path);
	if (err == OK)
		err = vfs_stat(abuf_str(&path), &stat);
	if (err == OK && stat.type != FILE_DIR)
		err = ERR_NOTDIR;
	if (err != OK)
		return shell_fail(c, "%.*s: %.*s", STR_ARG(shell_shown(to)), STR_ARG(err_text(err)));
	memcpy(s->cwd, path.ptr, path.len);
	s->cwd_len = path.len;
	return 0;
}

static int builtin_pwd(struct shell_call *c)
{
	return shell_printf(c, "%.*s\n", STR_ARG(shell_cwd(c))) == OK ? 0 : 1;
}

/* ---- variables ---- */

static int builtin_set(struct shell_call *c)
{
	struct str name, value;
	if (c->argc > 1)
		return shell_usage(c, "no arguments; NAME=value sets a variable");
	for (size_t i = 0; vars_at(&builtin_session(c)->vars, i, &name, &value); i++)
		if (shell_printf(c, "%.*s=", STR_ARG(name)) != OK || shell_write(c, rbuf_of_str(value)) != OK ||
			shell_printf(c, "\n") != OK)
			return 1;
	return 0;
}

static int builtin_unset(struct shell_call *c)
{
	for (size_t i = 1; i < c->argc; i++)
		vars_unset(&builtin_session(c)->vars, c->argv[i]);
	return 0;
}

/* ---- jobs ---- */

/* The job that the i-th argument names, "%2", or the newest without one; SHELL_JOBS_MAX: there is none, which is said. */
static size_t builtin_job(struct shell_call *c, size_t i)
{
	struct shell_session *s = builtin_session(c);
	if (i < c->argc) {
		struct str number = str_slice(c->argv[i], str_starts(c->argv[i], S("%")), c->argv[i].len);
		struct u64_result n = str_to_u64(number, 10);
		if (n.err == OK && n.value >= 1 && n.value <= SHELL_JOBS_MAX && s->jobs[n.value - 1])
			return (size_t)n.value - 1;
		shell_fail(c, "%.*s: there is no such job; jobs lists them", STR_ARG(shell_shown(c->argv[i])));
		return SHELL_JOBS_MAX;
	}
	for (size_t newest = SHELL_JOBS_MAX; newest-- > 0;)
		if (s->jobs[newest])
			return newest;
	shell_fail(c, "nothing runs in the background");
	return SHELL_JOBS_MAX;
}

static int builtin_jobs(struct shell_call *c)
{
	struct shell_session *s = builtin_session(c);
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++) {
		const struct shell_job *job = s->jobs[i];
		if (!job || __atomic_load_n(&job->running, __ATOMIC_RELAXED) == 0) /* the prompt says that it has ended */
			continue;
		if (shell_printf(c, "[%zu] runs: %.*s\n", i + 1, (int)job->source_len, job->source) != OK)
			return 1;
	}
	return 0;
}

/* Takes the job out of the background, where run_wait() frees it. */
static int builtin_join(struct shell_session *s, size_t i)
{
	struct shell_job *job = s->jobs[i];
	s->jobs[i] = NULL;
	__atomic_store_n(&job->background, false, __ATOMIC_RELAXED);
	return run_wait(s, job);
}

static int builtin_fg(struct shell_call *c)
{
	struct shell_session *s = builtin_session(c);
	if (c->argc > 2)
		return shell_usage(c, "one job");
	size_t i = builtin_job(c, 1);
	if (i == SHELL_JOBS_MAX)
		return 1;
	session_say(s, "%.*s\n", (int)s->jobs[i]->source_len, s->jobs[i]->source);
	return builtin_join(s, i);
}

static int builtin_wait(struct shell_call *c)
{
	struct shell_session *s = builtin_session(c);
	int status = 0;
	for (size_t i = 0; c->argc == 1 && i < SHELL_JOBS_MAX && !s->aborted; i++)
		if (s->jobs[i])
			status = builtin_join(s, i);
	for (size_t i = 1; i < c->argc && !s->aborted; i++) {
		size_t job = builtin_job(c, i);
		status = job == SHELL_JOBS_MAX ? 1 : builtin_join(s, job);
	}
	return status;
}

static int builtin_kill(struct shell_call *c)
{
	int status = 0;
	for (size_t i = 1; i < c->argc; i++) {
		size_t job = builtin_job(c, i);
		if (job == SHELL_JOBS_MAX)
			status = 1;
		else
			run_cancel(builtin_session(c)->jobs[job]);
	}
	return status;
}

const struct shell_builtin builtin_kill_job = {.where = BUILTIN_ALONE, .command = {.name = STR_INIT("kill"),
	.run = builtin_kill, .usage = STR_INIT("kill %JOB...\nCancels jobs in the background.\n")}};

/* ---- the session ---- */

static int builtin_exit(struct shell_call *c)
{
	struct shell_session *s = builtin_session(c);
	struct u64_result status = {.value = (uint64_t)(unsigned)s->status};
	if (c->argc > 1)
		status = str_to_u64(c->argv[1], 10);
	if (c->argc > 2 || status.err != OK || status.value > 255)
		return shell_usage(c, "one number up to 255");
	s->exiting = true;
	return (int)status.value;
}

static int builtin_source(struct shell_call *c)
{
	struct shell_session *s = builtin_session(c);
	char bytes[PATH_BYTES_MAX];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	if (c->argc != 2)
		return shell_usage(c, "one file");
	enum err err = shell_path(c, c->argv[1], &path);
	s->status = 0;
	if (err == OK)
		err = run_file(s, abuf_str(&path));
	if (err == ERR_DEADLK)
		return shell_fail(c, "%.*s: scripts call scripts too deeply", STR_ARG(c->argv[1]));
	if (err != OK)
		return shell_fail(c, "%.*s: %.*s", STR_ARG(shell_shown(c->argv[1])), STR_ARG(err_text(err)));
	return s->status;
}

static int builtin_history(struct shell_call *c)
{
	const struct history *h = &builtin_session(c)->history;
	struct str line;
	for (uint32_t back = h->count; history_at(h, back, &line); back--) {
		unsigned long long number = h->added - back + 1;
		if (shell_printf(c, "%llu  ", number) != OK || shell_write(c, rbuf_of_str(line)) != OK ||
			shell_printf(c, "\n") != OK)
			return 1;
	}
	return 0;
}

static const struct shell_command *builtin_next_name(struct str after)
{
	const struct shell_command *c, *best = NULL;
	for (size_t i = 0; (c = shell_command_at(i)) != NULL; i++)
		if (str_cmp(c->name, after) > 0 && (!best || str_cmp(c->name, best->name) < 0))
			best = c;
	return best;
}

static int builtin_help(struct shell_call *c)
{
	const struct shell_command *found;
	if (c->argc > 2)
		return shell_usage(c, "one command");
	if (c->argc == 2) {
		found = run_find(c->argv[1]);
		if (!found)
			return shell_fail(c, "%.*s: there is no such command", STR_ARG(shell_shown(c->argv[1])));
		return shell_write(c, rbuf_of_str(found->usage)) == OK ? 0 : 1;
	}
	for (struct str name = STR_EMPTY; (found = builtin_next_name(name)) != NULL; name = found->name)
		if (shell_printf(c, "%.*s%.*s%.*s\n", STR_ARG(found->name),
			    STR_ARG(str_slice(S("            "), 0, found->name.len < 10 ? 12 - found->name.len : 2)),
			    STR_ARG(found->summary)) != OK)
			return 1;
	return shell_printf(c, "COMMAND --help says more. a | b, > >> <, &, ; && ||, NAME=value and $NAME work as usual.\n") == OK
		       ? 0 : 1;
}

/* ---- the table ---- */

#define BUILTIN(n, text, help, ...) \
	{.command = {.name = STR_INIT(#n), .summary = STR_INIT(text), .usage = STR_INIT(help), .run = builtin_##n, __VA_ARGS__}}
#define BUILTIN_AT(place, n, text, help, ...) \
	{.where = (place), .command = {.name = STR_INIT(#n), .summary = STR_INIT(text), .usage = STR_INIT(help), \
		.run = builtin_##n, __VA_ARGS__}}

const struct shell_builtin shell_builtins[] = {
	BUILTIN_AT(BUILTIN_ALONE, cd, "change the directory", "cd [DIRECTORY]\nWithout one: to /.\n", .completes = SHELL_PATHS),
	BUILTIN_AT(BUILTIN_ALONE, exit, "end the session", "exit [STATUS]\nWhat still runs in it is cancelled.\n"),
	BUILTIN_AT(BUILTIN_ALONE, fg, "bring a job to the foreground", "fg [%JOB]\nWithout one: the newest.\n"),
	BUILTIN(help, "list the commands, or explain one", "help [COMMAND]\n", .completes = SHELL_COMMANDS),
	BUILTIN_AT(BUILTIN_FOREGROUND, history, "list the lines that were entered",
		"history\nArrows go through them, Ctrl-R searches.\n"),
	BUILTIN_AT(BUILTIN_FOREGROUND, jobs, "list what runs in the background",
		"jobs\nA line that ends with & runs in the background; fg, wait and kill take %1 and so on.\n"),
	BUILTIN(pwd, "print the directory", "pwd\n"),
	BUILTIN_AT(BUILTIN_FOREGROUND, set, "list the variables",
		"set\nNAME=value on a line of its own sets one, $NAME stands for it; $? is the last exit status.\n"),
	BUILTIN_AT(BUILTIN_ALONE, source, "run the lines of a file", "source FILE\n", .completes = SHELL_PATHS),
	BUILTIN_AT(BUILTIN_ALONE, unset, "forget variables", "unset NAME...\n"),
	BUILTIN_AT(BUILTIN_ALONE, wait, "wait for jobs in the background", "wait [%JOB]...\nWithout one: for all.\n"),
};
const size_t shell_builtin_count = countof(shell_builtins);

const struct shell_builtin *builtin_of(const struct shell_command *command)
{
	if (command == &builtin_kill_job.command)
		return &builtin_kill_job;
	for (size_t i = 0; i < countof(shell_builtins); i++)
		if (command == &shell_builtins[i].command)
			return &shell_builtins[i];
	return NULL;
}
