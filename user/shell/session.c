/*
 * session.c - sessions: how they come and go, and the loop of prompt and line.
 *
 * Two refer to a session, its carrier and its thread; the last one frees it. The thread ends by itself: hanging up only
 * tells it. It owns the jobs, so it alone cancels and joins them. A session counts as open until its memory and its
 * thread's stack are back, so that who finds none open finds nothing held.
 *
 * Locks: LOCK_SHELL for the references; counters are atomic.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/deadline.h"
#include "lib/assert.h"
#include "lib/initcall.h"
#include "user/shell/shell_priv.h"

#define SESSION_PAGES div_up(sizeof(struct shell_session), PAGE_SIZE) /* 5 */

static_assert(LINE_BYTES_MAX == SHELL_LINE_MAX, "the editor takes a line");
static_assert(PARSE_WORDS_MAX == SHELL_ARGS_MAX && PARSE_STAGES_MAX == SHELL_STAGES_MAX, "the parser a pipeline");
static_assert(CONFIG_SHELL_BUDGET_US <= CONFIG_SHELL_PERIOD_US, "a budget is a part of its period");

static struct shell_stats stats; /* atomic, each */
static uint8_t session_domain;

uint8_t shell_domain(void)
{
	return session_domain;
}

/* ---- figures ---- */

/* One more, unless there are `limit`; `refused` is counted then. */
static bool stats_take(uint32_t *count, uint32_t *peak, uint32_t n, uint32_t limit, uint64_t *refused)
{
	uint32_t now = __atomic_load_n(count, __ATOMIC_RELAXED), seen = __atomic_load_n(peak, __ATOMIC_RELAXED);
	do {
		if (n > limit || now > limit - n) {
			__atomic_fetch_add(refused, 1, __ATOMIC_RELAXED);
			return false;
		}
	} while (!__atomic_compare_exchange_n(count, &now, now + n, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	now += n;
	while (seen < now && !__atomic_compare_exchange_n(peak, &seen, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return true;
}

bool shell_threads_take(size_t count)
{
	return stats_take(&stats.threads, &stats.threads_peak, (uint32_t)count, CONFIG_SHELL_THREADS,
		&stats.refused_threads);
}

void shell_threads_give(size_t count)
{
	__atomic_fetch_sub(&stats.threads, (uint32_t)count, __ATOMIC_RELAXED);
}

void shell_commands_count(size_t count)
{
	__atomic_fetch_add(&stats.commands, count, __ATOMIC_RELAXED);
}

void shell_stats(struct shell_stats *out)
{
	*out = (struct shell_stats){
		.open = __atomic_load_n(&stats.open, __ATOMIC_ACQUIRE),
		.peak = __atomic_load_n(&stats.peak, __ATOMIC_RELAXED),
		.threads = __atomic_load_n(&stats.threads, __ATOMIC_RELAXED),
		.threads_peak = __atomic_load_n(&stats.threads_peak, __ATOMIC_RELAXED),
		.opened = __atomic_load_n(&stats.opened, __ATOMIC_RELAXED),
		.refused = __atomic_load_n(&stats.refused, __ATOMIC_RELAXED),
		.idle_closed = __atomic_load_n(&stats.idle_closed, __ATOMIC_RELAXED),
		.commands = __atomic_load_n(&stats.commands, __ATOMIC_RELAXED),
		.refused_threads = __atomic_load_n(&stats.refused_threads, __ATOMIC_RELAXED),
	};
}

/* ---- a session, by its thread ---- */

void session_say(struct shell_session *s, const char *format, ...)
{
	struct shell_text t;
	va_list ap;
	va_start(ap, format);
	text_format(&t, STR_EMPTY, format, ap, STR_EMPTY);
	va_end(ap);
	(void)terminal_write(s, NULL, abuf_bytes(&t.text)); /* nobody reads: the session finds out by itself */
	text_free(&t);
}

static void session_show(struct shell_session *s, const struct abuf *out)
{
	(void)terminal_write(s, NULL, abuf_bytes(out));
}

static void session_prompt(struct shell_session *s)
{
	char bytes[LINE_PROMPT_MAX];
	uint8_t out_bytes[LINE_OUT_MAX];
	struct abuf prompt = abuf_of(bytes, sizeof(bytes)), out = abuf_of(out_bytes, sizeof(out_bytes));
	struct str cwd = str_of(s->cwd, s->cwd_len);
	abuf_str_add(&prompt, S(CONFIG_SYSNAME ":"));
	abuf_str_add(&prompt, cwd.len > LINE_PROMPT_MAX / 2 ? S("...") : cwd);
	abuf_str_add(&prompt, S("$ "));
	line_begin(&s->line, abuf_str(&prompt), s->columns, &out);
	session_show(s, &out);
}

/* Gives the line up that is being written, and begins another. */
static void session_interrupt(struct shell_session *s)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	line_forget(&s->line);
	line_input(&s->line, &s->history, CTRL_C, &out);
	session_show(s, &out);
	s->status = SHELL_CANCELLED;
}

/* What the editor has to say about a byte. */
static enum line_event session_key(struct shell_session *s, uint8_t byte)
{
	uint8_t bytes[LINE_OUT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	line_resize(&s->line, s->columns);
	enum line_event event = line_input(&s->line, &s->history, byte, &out);
	session_show(s, &out);
	return event;
}

/* A line that was entered: true. False: it was given up, or there will be none. */
static bool session_line(struct shell_session *s)
{
	session_prompt(s);
	for (;;) {
		uint8_t byte;
		struct size_result r = terminal_read(s, NULL, wbuf_of(&byte, 1), terminal_idle_at(s));
		if (terminal_interrupted(s)) {
			session_interrupt(s);
			return false;
		}
		if (r.err != OK)
			terminal_wait_failed(s, r.err);
		if (session_is_over(s))
			return false;
		if (r.err != OK)
			continue;
		switch (session_key(s, byte)) {
		case LINE_ENTERED:
			return true;
		case LINE_END:
			s->exiting = true;
			session_say(s, "exit\n");
			return false;
		case LINE_COMPLETE:
			tab_complete(s);
			break;
		default:
			break;
		}
	}
}

static void session_terminal(struct shell_session *s)
{
	session_say(s, "Mazu: help lists the commands, Tab completes, exit ends.\n");
	while (!s->exiting && !session_is_over(s)) {
		run_reap(s, true);
		if (!session_line(s))
			continue;
		struct str line = line_text(&s->line);
		memcpy(s->running, line.ptr, line.len);
		history_add(&s->history, line);
		s->aborted = false;
		run_line(s, str_of(s->running, line.len));
		if (s->aborted)
			line_forget(&s->line); /* Ctrl-C has dropped it */
	}
}

/* Its jobs may go on, until somebody ends it. */
static void session_script(struct shell_session *s)
{
	enum err err = run_file(s, s->script);
	if (err != OK)
		session_say(s, "%.*s: %.*s\n", STR_ARG(s->script), STR_ARG(err_text(err)));
	for (size_t i = 0; i < SHELL_JOBS_MAX; i++)
		if (s->jobs[i] && !session_is_over(s)) {
			struct shell_job *job = s->jobs[i];
			s->jobs[i] = NULL;
			run_wait(s, job);
		}
}

/* The session's thread is the last of it that goes, with its stack: the session was freed before that was allowed to. */
static void session_gone(void)
{
	__atomic_fetch_sub(&stats.open, 1, __ATOMIC_RELEASE);
}

static void session_put(struct shell_session *s)
{
	spin_lock(&s->lock);
	bool last = --s->refs == 0;
	spin_unlock(&s->lock);
	if (!last)
		return;
	struct thread *t = s->thread;
	page_free_run(s, SESSION_PAGES);
	thread_detach(t);
}

static void session_end(struct shell_session *s)
{
	run_end_all(s);
	if (s->idle)
		__atomic_fetch_add(&stats.idle_closed, 1, __ATOMIC_RELAXED);
	spin_lock(&s->lock);
	s->ended = true;
	spin_unlock(&s->lock);
	terminal_notify(s);
	session_put(s);
}

static void session_main(void *arg)
{
	struct shell_session *s = arg;
	if (s->script.ptr)
		session_script(s);
	else
		session_terminal(s);
	session_end(s);
}

/* ---- from outside ---- */

static void session_init(struct shell_session *s, const struct shell_carrier *carrier, struct str script)
{
	memset(s, 0, sizeof(*s));
	terminal_init(s, carrier);
	s->refs = 2;
	s->script = script;
	s->name_len = min(carrier->name.len, sizeof(s->name));
	memcpy(s->name, carrier->name.ptr, s->name_len);
	s->cwd[0] = '/';
	s->cwd_len = 1;
	line_init(&s->line);
	history_init(&s->history);
	vars_init(&s->vars);
}

static enum err session_start(struct shell_session *s)
{
	char bytes[THREAD_NAME_MAX];
	struct abuf name = abuf_of(bytes, sizeof(bytes));
	abuf_str_add(&name, S("sh/"));
	abuf_str_add(&name, str_slice(str_of(s->name, s->name_len), 0, sizeof(bytes) - name.len));
	struct thread_result t = thread_create(&(struct thread_attr){.name = abuf_str(&name), .entry = session_main, .arg = s,
		.priority = CONFIG_SHELL_PRIORITY, .class = SCHED_RR, .domain = session_domain, .gone = session_gone});
	s->thread = t.value; /* the thread does not look at it before the carrier's reference is gone */
	return t.err;
}

struct shell_result shell_open_script(const struct shell_carrier *carrier, struct str script)
{
	if (!stats_take(&stats.open, &stats.peak, 1, CONFIG_SHELL_SESSIONS, &stats.refused))
		return ERR_RESULT(shell_result, ERR_NOSPC);
	struct shell_session *s = page_alloc_run(SESSION_PAGES);
	enum err err = s ? OK : ERR_NOMEM;
	if (s) {
		session_init(s, carrier, script);
		err = session_start(s);
	}
	if (err == OK) {
		__atomic_fetch_add(&stats.opened, 1, __ATOMIC_RELAXED);
		return OK_RESULT(shell_result, s);
	}
	if (s)
		page_free_run(s, SESSION_PAGES);
	__atomic_fetch_sub(&stats.open, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&stats.refused, 1, __ATOMIC_RELAXED);
	return ERR_RESULT(shell_result, err);
}

struct shell_result shell_open(const struct shell_carrier *carrier)
{
	return shell_open_script(carrier, STR_EMPTY);
}

void shell_hang_up(struct shell_session *s)
{
	spin_lock(&s->ready_lock);
	s->ready = NULL;
	spin_unlock(&s->ready_lock);
	terminal_set_over(s);
	session_put(s);
}

static enum err shell_init(void)
{
	struct domain_attr attr = {
		.budget_ns = CONFIG_SHELL_BUDGET_US * NS_PER_US,
		.period_ns = CONFIG_SHELL_PERIOD_US * NS_PER_US,
		.low = config_on(CONFIG_SHELL_LOW),
		.degraded_ns = config_on(CONFIG_SHELL_LOW) ? CONFIG_SHELL_DEGRADED_US * NS_PER_US : 0,
	};
	struct domain_result domain = domain_create(S("shell"), &attr);
	session_domain = domain.value;
	return domain.err;
}
INITCALL(shell, shell_init, "sched", "vfs");
