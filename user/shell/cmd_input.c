/* cmd_input.c - a file or the standard input, by bytes or by lines; see cmd.h. A page of buffer each. */
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"

static_assert(CMD_LINE_MAX <= PAGE_SIZE, "a line fits the buffer");

bool cmd_open(struct cmd_input *in, struct shell_call *c, struct str name)
{
	*in = (struct cmd_input){.c = c, .name = name, .page = page_alloc(0)};
	enum err err = in->page ? OK : ERR_NOMEM;
	if (err == OK && !str_eq(name, S("-"))) {
		struct file_result f = shell_file(c, name, OPEN_READ);
		in->file = f.value;
		err = f.err;
	}
	if (err == OK)
		return true;
	if (in->page)
		page_free(in->page, 0);
	(void)cmd_failed(c, name, err);
	return false;
}

/* Reads on behind what is there. False: the end, an error, or no room. */
static bool cmd_fill(struct cmd_input *in)
{
	struct wbuf room = wbuf_of(in->page + in->to, CMD_LINE_MAX - in->to);
	if (in->ended || in->err != OK || room.len == 0)
		return false;
	if (shell_is_cancelled(in->c)) {
		in->err = ERR_INTR;
		return false;
	}
	struct size_result n = in->file ? vfs_read(in->file, in->at, room) : shell_read(in->c, room);
	in->err = n.err;
	if (n.err != OK)
		return false;
	in->at += n.value;
	in->to += n.value;
	in->ended = n.value == 0;
	return !in->ended;
}

bool cmd_bytes(struct cmd_input *in, struct rbuf *out)
{
	in->from = in->to = 0;
	if (!cmd_fill(in))
		return false;
	*out = rbuf_of(in->page, in->to);
	return true;
}

bool cmd_line(struct cmd_input *in, struct str *line)
{
	for (;;) {
		struct str there = str_of(in->page + in->from, in->to - in->from);
		size_t end = str_find_char(there, '\n');
		if (end < there.len) {
			*line = str_slice(there, 0, end);
			in->from += end + 1;
			in->cut = false;
			return true;
		}
		memmove(in->page, in->page + in->from, there.len);
		in->from = 0;
		in->to = there.len;
		if (cmd_fill(in))
			continue;
		if (in->err != OK || there.len == 0)
			return false;
		*line = str_of(in->page, there.len);
		in->from = in->to;
		in->cut = true;
		return true;
	}
}

int cmd_close(struct cmd_input *in)
{
	page_free(in->page, 0);
	if (in->file)
		vfs_close(in->file);
	return in->err == OK ? 0 : cmd_failed(in->c, in->name, in->err);
}

int cmd_each_input(struct shell_call *c, const struct args *a, size_t first,
	int (*each)(struct cmd_input *in, void *arg), void *arg)
{
	int status = 0;
	size_t n = max(a->operands, first + 1);
	for (size_t i = first; i < n && status != SHELL_CANCELLED; i++) {
		struct cmd_input in;
		if (!cmd_open(&in, c, i < a->operands ? args_operand(a, i) : S("-"))) {
			status = cmd_worse(status, 1);
			continue;
		}
		status = cmd_worse(status, each(&in, arg));
		status = cmd_worse(status, cmd_close(&in));
	}
	return status;
}
