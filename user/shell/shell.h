/*
 * shell.h - the shell: sessions, in which lines are run, and the table of commands.
 *
 * A session is a thread with a terminal of bytes. Whoever carries the terminal (the console's threads, the web
 * server) feeds what was typed, takes what is to be shown, and is told when there is something; none of that
 * waits. A session ends by `exit`, by Ctrl-D on an empty line, by CONFIG_SHELL_IDLE_S in which nothing was typed
 * and no output taken, or when its carrier hangs up: then its commands are cancelled, and it is gone when they are.
 *
 * A command runs in a thread of its own, and is asked to end, not made to: Ctrl-C, `kill` and hanging up end its
 * waits with ERR_INTR, and every later call of the functions below too. Who computes for long without any of them
 * asks shell_is_cancelled().
 *
 * Bounds: CONFIG_SHELL_SESSIONS in all (ERR_NOSPC, counted), CONFIG_SHELL_THREADS threads of commands in all and
 * SHELL_JOBS_MAX jobs a session (the line is refused with a message, counted); a line of SHELL_LINE_MAX bytes,
 * SHELL_ARGS_MAX words, SHELL_STAGES_MAX commands in a pipeline; the last SHELL_OUT_BYTES of output, beyond which
 * who writes waits until the carrier has taken some.
 */
#ifndef USER_SHELL_SHELL_H
#define USER_SHELL_SHELL_H

#include "kernel/fs/fs.h"
#include "lib/buf.h"
#include "lib/ktime.h"
#include "lib/result.h"

#define SHELL_LINE_MAX   1024
#define SHELL_ARGS_MAX   64
#define SHELL_STAGES_MAX 8
#define SHELL_JOBS_MAX   8
#define SHELL_IN_BYTES   2048 /* typed and not looked at yet: more than a line */
#define SHELL_OUT_BYTES  8192

/* ---- session.c: for who carries a terminal. Thread context; nothing waits ---- */

struct shell_session;
RESULT(struct shell_session *, shell_result);

struct shell_carrier {
	struct str name; /* who, for `ps` and the log: "console", "10.0.2.2". Copied */
	/*
	 * There is output, or the end. Called by any thread, preemption off, LOCK_SHELL_READY held: it only wakes
	 * somebody, and calls nothing of this header. Not again before shell_output() has given all that there
	 * was. NULL: the carrier looks by itself.
	 */
	void (*ready)(void *arg);
	void *arg;
	bool crlf; /* the terminal wants "\r\n" where commands write "\n"; false: their bytes as they are */
};

/* ERR_NOSPC: CONFIG_SHELL_SESSIONS are open; ERR_NOMEM: no memory or thread. */
must_check struct shell_result shell_open(const struct shell_carrier *carrier);
/*
 * What was typed: how many bytes were taken; fewer when the session is behind, the rest is to be fed again.
 * A Ctrl-C anywhere in it acts at once, and what was typed before it is forgotten.
 */
must_check size_t shell_feed(struct shell_session *s, struct rbuf typed);
/*
 * Output from position *at (0: the beginning) on; *at becomes the position behind it. What lies before *at is
 * forgotten, so that the command behind it goes on; a position that is forgotten already gives the first that is not,
 * one that is not reached yet what is next. How many bytes: 0, all has been given.
 */
must_check size_t shell_output(struct shell_session *s, uint64_t *at, struct wbuf to);
bool shell_ended(struct shell_session *s, uint64_t at); /* over, and no output at `at` or behind it is left */
void shell_resize(struct shell_session *s, uint16_t columns, uint16_t rows); /* 80 by 24 until then */
/* The carrier is gone: s must not be used any more, and ready() is not called again once this has returned. */
void shell_hang_up(struct shell_session *s);

/*
 * open: also those that are over, until all that they held is back. threads: of commands, now; the sessions' own are
 * not among them. Any context.
 */
struct shell_stats {
	uint32_t open, peak, threads, threads_peak;
	uint64_t opened, refused, idle_closed, commands, refused_threads;
};
void shell_stats(struct shell_stats *out);
void shell_set_idle(int64_t ns); /* instead of CONFIG_SHELL_IDLE_S, for self-tests; 0: never */

/* ---- run.c: commands, a table in the linker section .command, to which anybody adds ---- */

/* One run of a command, in a thread of its own. The bytes of argv live as long as it runs. */
struct shell_stage;
struct shell_call {
	const struct str *argv; /* argv[0]: the name */
	size_t argc;
	struct shell_stage *stage; /* the shell's */
};

/* What Tab proposes behind a command's name. */
enum shell_completes { SHELL_NOTHING, SHELL_PATHS, SHELL_COMMANDS, SHELL_WORDS };

struct shell_command {
	struct str name, summary; /* "cat", "show files" */
	/* What `name --help` prints, which the shell answers: "cat [FILE]...\n" and what else there is to say, lines. */
	struct str usage;
	struct str words; /* SHELL_WORDS: those of the first argument, "start stop"; behind it come paths */
	int (*run)(struct shell_call *c); /* its exit status: 0 done, 1 failed, 2 wrong usage, 130 cancelled */
	uint8_t completes;                /* enum shell_completes */
};
/* SHELL_COMMAND(cat, .name = STR_INIT("cat"), .summary = STR_INIT("show files"), ..., .run = cat_run); */
#define SHELL_COMMAND(id, ...)                                                                     \
	static const struct shell_command shell_command_##id aligned_to(8) section(".command") = {__VA_ARGS__}

#define SHELL_CANCELLED 130 /* exit status of who was cancelled */
#define SHELL_NOT_FOUND 127 /* of a line whose command there is not */

/* The i-th command, builtins of the shell among them, in no order; NULL: no more. Any context. */
const struct shell_command *shell_command_at(size_t i);

/*
 * The rest is for commands, in their own thread; it may sleep. ERR_INTR: cancelled, return SHELL_CANCELLED.
 */

/* Standard input: the terminal (a line at a time, edited and shown), a pipe or a file. At least a byte; 0: the end. */
must_check struct size_result shell_read(struct shell_call *c, struct wbuf to);
/*
 * Standard output, all of it; into a file whole lines, the rest when the command ends. ERR_PIPE: nobody reads; what a file
 * server says, which the shell has told then: the command only ends.
 */
must_check enum err shell_write(struct shell_call *c, struct rbuf from);
/*
 * Standard output goes to that file from now on, as by `>`, and what it refuses is told as there. Before anything is
 * written. The path must last as long as the command.
 */
must_check enum err shell_redirect(struct shell_call *c, struct str relative);
/* The same for text, SHELL_PRINT_MAX bytes at most: more is cut off. May go unchecked where little is written. */
#define SHELL_PRINT_MAX 512
printf_like(2, 3) enum err shell_printf(struct shell_call *c, const char *format, ...);
/* "NAME: ...\n" on standard error; gives 1, or SHELL_CANCELLED if that is why: return shell_fail(c, ...). */
printf_like(2, 3) int shell_fail(struct shell_call *c, const char *format, ...);
/* "NAME: ...; try NAME --help\n" on standard error; gives 2. */
printf_like(2, 3) int shell_usage(struct shell_call *c, const char *format, ...);
/*
 * On the terminal, if standard output is it, also by who was cancelled: what it found out until then. Waits for
 * nobody; what finds no room is lost.
 */
printf_like(2, 3) void shell_last_words(struct shell_call *c, const char *format, ...);
struct str shell_shown(struct str name); /* as a message names it: an empty one is '' */
must_check enum err shell_sleep(struct shell_call *c, ktime until); /* OK, never early; ERR_INTR */
/*
 * For what takes the whole terminal: keys as they are typed, not shown. At least a byte; ERR_TIMEDOUT; ERR_NODEV: it
 * does not run in the foreground of a terminal. Ctrl-C cancels, as ever.
 */
must_check struct size_result shell_key(struct shell_call *c, struct wbuf to, ktime deadline);
bool shell_is_cancelled(const struct shell_call *c);
bool shell_is_terminal(const struct shell_call *c); /* standard output is one */
void shell_window(const struct shell_call *c, uint16_t *columns, uint16_t *rows);
struct str shell_cwd(const struct shell_call *c); /* absolute; lives as long as the command */
/* The absolute path of `relative`, appended: ERR_NAMETOOLONG; ERR_NOENT: it is empty. */
must_check enum err shell_path(const struct shell_call *c, struct str relative, struct abuf *absolute);
/* vfs_open() of a relative path. */
must_check struct file_result shell_file(const struct shell_call *c, struct str relative, unsigned flags);

#endif
