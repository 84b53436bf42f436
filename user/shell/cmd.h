/*
 * cmd.h - what the commands of this folder share: options and their refusals, input by lines, tables.
 *
 * Context: a command's own thread; may sleep.
 */
#ifndef USER_SHELL_CMD_H
#define USER_SHELL_CMD_H

#include "lib/buf.h"
#include "lib/ktime.h"
#include "user/shell/args_core.h"

struct file;
struct shell_call;

/* ---- cmd_common.c ---- */

/* Options as args_parse(), and how many operands there may be. False: told; return 2. */
must_check bool cmd_args(struct shell_call *c, struct args *a, const char *spec, size_t least, size_t greatest);
/* The value of an option, if it is given. False: it is no number, or out of range; told; return 2. */
must_check bool cmd_number(struct shell_call *c, const struct args *a, char letter, uint64_t least, uint64_t greatest,
	uint64_t *value);
/* The same for a duration; in seconds where no unit is given. */
must_check bool cmd_duration(struct shell_call *c, const struct args *a, char letter, int64_t least, int64_t greatest,
	int64_t *ns);
/* "NAME: WHAT: why"; 1, or 130. */
int cmd_failed(struct shell_call *c, struct str what, enum err err);
/* The status of a command that could not go on writing: 130, or 1; 0 for OK. */
int cmd_status(enum err err);
/* All of it into the file, from that offset on. ERR_NOSPC: it takes no more; ERR_INTR: cancelled. */
must_check enum err cmd_write(struct shell_call *c, struct file *file, uint64_t offset, struct rbuf bytes);
/* Of several: what went wrong last, but a cancellation stays. */
int cmd_worse(int status, int another);

/* ---- cmd_input.c: a file or the standard input, by bytes or by lines ---- */

#define CMD_LINE_MAX 4096 /* a longer line comes in pieces */

struct cmd_input {
	struct shell_call *c;
	struct str name;
	struct file *file; /* NULL: the standard input */
	uint64_t at;
	uint8_t *page;
	size_t from, to; /* of the page: read, and not given yet */
	bool ended;
	enum err err;
	bool cut; /* the last line had no end: it was too long, or the last of the input */
};
/* "-": the standard input. False: told. */
must_check bool cmd_open(struct cmd_input *in, struct shell_call *c, struct str name);
/* What is there next, at least a byte, valid until the next call. False: the end, or in->err. */
must_check bool cmd_bytes(struct cmd_input *in, struct rbuf *out);
must_check bool cmd_line(struct cmd_input *in, struct str *line); /* without its end. False as above */
int cmd_close(struct cmd_input *in); /* the status: what went wrong is told here */

/* each() for all operands from the first-th on, or for the standard input; the worst status. */
int cmd_each_input(struct shell_call *c, const struct args *a, size_t first,
	int (*each)(struct cmd_input *in, void *arg), void *arg);

/* ---- cmd_table.c: lines of words, aligned ---- */

struct cmd_table {
	struct shell_call *c;
	unsigned order;
	struct abuf text; /* append lines; the first one is the heads */
};
must_check bool cmd_table_begin(struct cmd_table *t, struct shell_call *c, unsigned order); /* 2^order pages. False: told */
void cmd_table_reset(struct cmd_table *t);
void cmd_word(struct abuf *out, struct str name); /* as one word of a line, whatever spaces are in it */
/* Shows it, `limit` lines of it at most, each cut at `columns` (0: not). What did not fit in is said. */
must_check enum err cmd_table_show(struct cmd_table *t, size_t limit, size_t columns);
void cmd_table_end(struct cmd_table *t);
/* Shows the table of a file; columns named *_ns as durations. The status. */
int cmd_table_file(struct shell_call *c, struct str path);

#endif
