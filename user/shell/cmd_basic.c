/* cmd_basic.c - the commands without which a shell is none: echo, cat, sleep, true, false. */
#include "kernel/sched/sched.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

/* ---- echo ---- */

#define ECHO_BYTES 2048 /* more than a line, as long as no variable is long */

static enum err echo_flush(struct shell_call *c, struct abuf *out)
{
	enum err err = shell_write(c, abuf_bytes(out));
	abuf_reset(out);
	return err;
}

static enum err echo_add(struct shell_call *c, struct abuf *out, struct str text)
{
	enum err err = OK;
	while (err == OK && text.len > abuf_room(out)) {
		size_t fits = abuf_room(out);
		abuf_str_add(out, str_slice(text, 0, fits));
		text = str_slice(text, fits, text.len);
		err = echo_flush(c, out);
	}
	abuf_str_add(out, text);
	return err;
}

/* In one write, which nothing that others show stands in the middle of. */
static int echo_run(struct shell_call *c)
{
	size_t first = c->argc > 1 && str_eq(c->argv[1], S("-n")) ? 2 : 1;
	char bytes[ECHO_BYTES];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	enum err err = OK;
	for (size_t i = first; i < c->argc && err == OK; i++) {
		if (i > first)
			err = echo_add(c, &out, S(" "));
		if (err == OK)
			err = echo_add(c, &out, c->argv[i]);
	}
	if (err == OK && first == 1)
		err = echo_add(c, &out, S("\n"));
	if (err == OK && out.len)
		err = echo_flush(c, &out);
	return cmd_status(err);
}
SHELL_COMMAND(echo, .name = STR_INIT("echo"), .summary = STR_INIT("print the arguments"), .run = echo_run,
	.completes = SHELL_PATHS, .usage = STR_INIT("echo [-n] [TEXT]...\n-n: no newline at the end.\n"));

/* ---- cat ---- */

/* As it is. */
static int cat_input(struct cmd_input *in, unused void *arg)
{
	struct rbuf bytes;
	while (cmd_bytes(in, &bytes)) {
		enum err err = shell_write(in->c, bytes);
		if (err != OK)
			return cmd_status(err);
	}
	return 0;
}

static int cat_run(struct shell_call *c)
{
	struct args a;
	return cmd_args(c, &a, "", 0, SIZE_MAX) ? cmd_each_input(c, &a, 0, cat_input, NULL) : 2;
}
SHELL_COMMAND(cat, .name = STR_INIT("cat"), .summary = STR_INIT("show files"), .run = cat_run, .completes = SHELL_PATHS,
	.usage = STR_INIT("cat [FILE]...\nWithout one, or for -, what is typed, up to Ctrl-D.\n"));

/* ---- sleep ---- */

#define SLEEP_MAX_NS (1000 * 3600 * NS_PER_S)

static int sleep_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "", 1, 1))
		return 2;
	struct i64_result ns = duration_parse(args_operand(&a, 0), NS_PER_S);
	if (ns.err != OK || ns.value > SLEEP_MAX_NS)
		return shell_usage(c, "%.*s is no duration up to 1000h, such as 10ms, 1.5s, 2m or a number of seconds",
			STR_ARG(shell_shown(args_operand(&a, 0))));
	return cmd_status(shell_sleep(c, ktime_add(clock_now(), ns.value)));
}
SHELL_COMMAND(sleep, .name = STR_INIT("sleep"), .summary = STR_INIT("wait"), .run = sleep_run,
	.usage = STR_INIT("sleep TIME\nTIME: 10ms, 1.5s, 2m, 1h, or a number of seconds; up to 1000h.\n"));

/* ---- true, false ---- */

static int true_run(unused struct shell_call *c)
{
	return 0;
}
SHELL_COMMAND(true, .name = STR_INIT("true"), .summary = STR_INIT("succeed"), .run = true_run,
	.usage = STR_INIT("true\nExit status 0.\n"));

static int false_run(unused struct shell_call *c)
{
	return 1;
}
SHELL_COMMAND(false, .name = STR_INIT("false"), .summary = STR_INIT("fail"), .run = false_run,
	.usage = STR_INIT("false\nExit status 1.\n"));
