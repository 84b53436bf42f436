/* cmd_common.c - options, and how commands say what is wrong; see cmd.h. */
#include "kernel/fs/fs.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

static_assert(SHELL_ARGS_MAX <= ARGS_MAX, "every line that the shell takes");

bool cmd_args(struct shell_call *c, struct args *a, const char *spec, size_t least, size_t greatest)
{
	if (!args_parse(a, c->argv, c->argc, spec)) {
		(void)shell_usage(c, "%s %.*s", a->wrong == ARGS_NO_VALUE ? "a value is missing behind" : "unknown option",
			STR_ARG(a->bad));
		return false;
	}
	if (a->operands >= least && a->operands <= greatest)
		return true;
	if (a->operands < least)
		(void)shell_usage(c, "an operand is missing");
	else
		(void)shell_usage(c, "too many operands, from %.*s on", STR_ARG(args_operand(a, greatest)));
	return false;
}

bool cmd_number(struct shell_call *c, const struct args *a, char letter, uint64_t least, uint64_t greatest, uint64_t *value)
{
	struct str text = args_value(a, letter);
	if (!text.ptr)
		return true;
	struct u64_result n = str_to_u64(text, 10);
	if (n.err == OK && n.value >= least && n.value <= greatest) {
		*value = n.value;
		return true;
	}
	(void)shell_usage(c, "-%c takes a number from %llu to %llu, not %.*s", letter, (unsigned long long)least,
		(unsigned long long)greatest, STR_ARG(text));
	return false;
}

bool cmd_duration(struct shell_call *c, const struct args *a, char letter, int64_t least, int64_t greatest, int64_t *ns)
{
	struct str text = args_value(a, letter);
	if (!text.ptr)
		return true;
	struct i64_result n = duration_parse(text, NS_PER_S);
	if (n.err == OK && n.value >= least && n.value <= greatest) {
		*ns = n.value;
		return true;
	}
	char bytes[64];
	struct abuf range = abuf_of(bytes, sizeof(bytes));
	duration_render(&range, least);
	abuf_str_add(&range, S(" to "));
	duration_render(&range, greatest);
	(void)shell_usage(c, "-%c takes a duration from %.*s, not %.*s", letter, STR_ARG(abuf_str(&range)), STR_ARG(text));
	return false;
}

int cmd_failed(struct shell_call *c, struct str what, enum err err)
{
	if (err == ERR_INTR)
		return SHELL_CANCELLED;
	return shell_fail(c, "%.*s: %.*s", STR_ARG(shell_shown(what)), STR_ARG(err_text(err)));
}

int cmd_status(enum err err)
{
	return err == OK ? 0 : err == ERR_INTR ? SHELL_CANCELLED : 1;
}

enum err cmd_write(struct shell_call *c, struct file *file, uint64_t offset, struct rbuf bytes)
{
	while (bytes.len) {
		if (shell_is_cancelled(c))
			return ERR_INTR;
		struct size_result n = vfs_write(file, offset, bytes);
		if (n.err != OK || n.value == 0)
			return n.err != OK ? n.err : ERR_NOSPC;
		offset += n.value;
		bytes = rbuf_slice(bytes, n.value, bytes.len);
	}
	return OK;
}

int cmd_worse(int status, int another)
{
	return another == 0 || status == SHELL_CANCELLED ? status : another;
}
