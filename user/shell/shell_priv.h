/*
 * shell_priv.h - what the files of the shell share.
 *
 *	terminal.c    the bytes between a session and its carrier
 *	session.c     sessions: how they come and go, and the loop of prompt and line
 *	run.c         lines, pipelines, jobs
 *	call.c        what commands call
 *	redirect.c    output into files
 *	text.c        what they and the session say
 *	builtin.c     commands that are the session's own
 *	tab.c         completion
 *	console.c     the serial console as a carrier, and the script at boot
 *
 * What belongs to the session's thread needs no lock: others do not touch it, but for a command in the foreground,
 * which may use `line` and `cooked_*` and read the rest, because the session's thread waits for it meanwhile.
 */
#ifndef USER_SHELL_SHELL_PRIV_H
#define USER_SHELL_SHELL_PRIV_H

#include "kernel/sync/pipe.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "user/shell/history_core.h"
#include "user/shell/line_core.h"
#include "user/shell/parse_core.h"
#include "user/shell/shell.h"
#include "user/shell/vars_core.h"

#define SHELL_NAME_MAX   24 /* of a carrier */
#define SHELL_SOURCE_MAX 64 /* of a job's line, to be shown */
#define SHELL_DEPTH_MAX  4  /* scripts that call scripts */
#define SHELL_SYNTAX     2  /* exit status of a line that is none */
#define CTRL_C           3  /* as it is typed */

/* Where a command reads or writes. */
enum end_kind { END_NONE, END_TERMINAL, END_PIPE, END_FILE };
struct shell_end {
	uint8_t kind; /* enum end_kind */
	struct pipe *pipe;
	struct file *file;
	uint64_t offset;
	struct shell_redirect *redirect; /* of output into a file: redirect.c */
};

struct shell_job;
struct shell_stage {
	struct shell_call call;
	const struct shell_command *command;
	struct shell_job *job;
	struct thread *thread; /* the session's thread: NULL: there is none to be joined */
	struct shell_end in, out, error;
	bool error_to_out;
	bool here;      /* runs in the session's thread */
	bool cancelled; /* the stage's own: one of its waits was */
	int status;
};

/* One pipeline, from its line on until all of its threads are joined. 2^JOB_ORDER pages; the session's thread owns it. */
#define JOB_ORDER 1
struct shell_job {
	struct shell_session *session;
	uint32_t running; /* atomic: stages whose command has not returned */
	bool cancelled;   /* atomic */
	bool background;  /* atomic */
	size_t count; /* stages that are set up */
	size_t threads; /* that it has of CONFIG_SHELL_THREADS */
	struct pipe *pipes[SHELL_STAGES_MAX];
	struct shell_stage stages[SHELL_STAGES_MAX];
	struct parse_pipeline parsed;
	struct str argv[SHELL_ARGS_MAX];
	size_t cwd_len, source_len;
	char cwd[PATH_BYTES_MAX];
	char source[SHELL_SOURCE_MAX];
	struct abuf words; /* in what is left of the pages */
	uint8_t bytes[];
};

struct shell_session {
	/* LOCK_SHELL */
	struct spinlock lock;
	uint8_t refs;         /* the carrier's, the thread's */
	bool over;            /* hung up, idle or killed. Read without */
	bool ended;
	uint32_t interrupt;   /* Ctrl-C was typed, and nobody has seen to it. Atomic */
	uint32_t armed;       /* the carrier has had all, and wants to be told of more. Atomic */
	uint16_t columns, rows;
	ktime active;         /* when something was typed or taken last */
	uint32_t in_put, in_taken;    /* bytes ever, modulo 2^32. Read without */
	uint64_t out_put, out_dropped; /* bytes ever. Read without */
	struct waitq wait;     /* for what is typed, Ctrl-C, the end of a command */
	struct waitq out_wait; /* for room for output */

	/* LOCK_SHELL_READY */
	struct spinlock ready_lock;
	void (*ready)(void *arg);
	void *ready_arg;

	/* constant */
	bool crlf;
	struct thread *thread;
	struct str script; /* a file that it runs instead of a terminal; ptr NULL: none */
	size_t name_len;
	char name[SHELL_NAME_MAX];

	/* the session's thread */
	bool exiting, aborted; /* `exit` was run; the rest of the line is not to be run */
	bool idle;             /* that is why it is over */
	uint8_t depth;
	int status;
	size_t cwd_len;
	struct shell_job *jobs[SHELL_JOBS_MAX]; /* in the background */
	size_t cooked_at, cooked_len; /* of the line that a command is reading */
	char cwd[PATH_BYTES_MAX];
	char running[SHELL_LINE_MAX]; /* the line that is run */
	struct line line;
	struct history history;
	struct vars vars;

	uint8_t in[SHELL_IN_BYTES];   /* LOCK_SHELL */
	uint8_t out[SHELL_OUT_BYTES]; /* LOCK_SHELL */
};

/* ---- terminal.c ---- */

void terminal_init(struct shell_session *s, const struct shell_carrier *carrier);
/*
 * All of it. By the session's thread with stage NULL, otherwise by that of the stage. ERR_INTR: cancelled, or the
 * session is over.
 */
enum err terminal_write(struct shell_session *s, struct shell_stage *stage, struct rbuf from);
void terminal_write_some(struct shell_session *s, struct rbuf from); /* what of it finds room; does not wait */
/* What is typed: at least a byte. ERR_INTR: cancelled or over, for the session's thread Ctrl-C too; ERR_TIMEDOUT. */
must_check struct size_result terminal_read(struct shell_session *s, struct shell_stage *stage, struct wbuf to,
	ktime deadline);
void terminal_notify(struct shell_session *s); /* the carrier, if it wants to be */
bool terminal_is_interrupted(const struct shell_session *s); /* there was a Ctrl-C */
bool terminal_interrupted(struct shell_session *s); /* the same, and it is seen to */
ktime terminal_idle_at(struct shell_session *s); /* the session's thread: when it is over, if nothing happens */
/* A wait of the session's thread has ended without what it waited for: over if it was killed or is idle. */
void terminal_wait_failed(struct shell_session *s, enum err err);
void terminal_set_over(struct shell_session *s);

static inline bool session_is_over(const struct shell_session *s)
{
	return __atomic_load_n(&s->over, __ATOMIC_ACQUIRE);
}

/* ---- session.c ---- */

/* A session that runs the file instead of a terminal's lines, and is over when that and its jobs are. */
must_check struct shell_result shell_open_script(const struct shell_carrier *carrier, struct str script);
printf_like(2, 3) void session_say(struct shell_session *s, const char *format, ...);
bool shell_threads_take(size_t count); /* of CONFIG_SHELL_THREADS; false: counted as refused */
void shell_threads_give(size_t count);
void shell_commands_count(size_t count); /* that are to run in threads */
uint8_t shell_domain(void);

/* ---- run.c ---- */

/* Each line of it in turn; $? is in s->status. The text must last. */
void run_line(struct shell_session *s, struct str line);
enum err run_file(struct shell_session *s, struct str path);
void run_cancel(struct shell_job *job);
/* Waits in the foreground, until all threads are joined, and frees the job; its status. */
int run_wait(struct shell_session *s, struct shell_job *job);
void run_reap(struct shell_session *s, bool tell); /* background jobs that have ended */
void run_end_all(struct shell_session *s);          /* cancels and joins all background jobs */
const struct shell_command *run_find(struct str name);
bool stage_is_cancelled(const struct shell_stage *stage);
int stage_run(struct shell_stage *stage); /* the command, in the present thread */

/* ---- call.c ---- */

void end_close_in(struct shell_end *e);
void end_close_out(struct shell_end *e);
enum err call_finish(struct shell_call *c); /* the command has ended: what it wrote last goes */

/* ---- redirect.c: for ends of END_FILE ---- */

/* With OPEN_TRUNC or OPEN_APPEND; the name is for messages, and must last. */
must_check enum err redirect_open(struct shell_end *e, struct str path, struct str name, unsigned flags);
void redirect_close(struct shell_end *e);
/* What is refused is told here, once; ERR_INTR: cancelled. */
must_check enum err redirect_write(struct shell_call *c, struct shell_end *e, struct rbuf from);
must_check enum err redirect_flush(struct shell_call *c, struct shell_end *e, bool end); /* end: what is no line, too */
bool redirect_has_failed(const struct shell_end *e);

/* ---- text.c ---- */

struct shell_text {
	struct abuf text;
	void *pages; /* that hold it; NULL: bytes do */
	uint8_t bytes[SHELL_PRINT_MAX];
};
/* "NAME: " if there is a name, what the format says, and the end, of at most SHELL_PRINT_MAX bytes. text_free() behind it. */
printf_like(3, 0) void text_format(struct shell_text *t, struct str name, const char *format, va_list ap, struct str end);
void text_free(struct shell_text *t);

/* ---- builtin.c ---- */

enum { BUILTIN_ALONE = 1, BUILTIN_FOREGROUND = 2 };
struct shell_builtin {
	struct shell_command command;
	uint8_t where; /* BUILTIN_ALONE: in the session's thread only; BUILTIN_FOREGROUND: not in the background */
};
extern const struct shell_builtin shell_builtins[];
extern const size_t shell_builtin_count;
const struct shell_builtin *builtin_of(const struct shell_command *command); /* NULL: it is none */
extern const struct shell_builtin builtin_kill_job; /* `kill %1`, in the session's thread */

/* ---- tab.c ---- */

void tab_complete(struct shell_session *s);

#endif
