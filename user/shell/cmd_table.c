/* cmd_table.c - tables for people: lines of words, aligned by their columns; see cmd.h. */
#include "kernel/mm/mm.h"
#include "user/shell/cmd.h"
#include "user/shell/columns_core.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

#define TABLE_ORDER 3 /* pages of a file's table: 32 KiB */

bool cmd_table_begin(struct cmd_table *t, struct shell_call *c, unsigned order)
{
	void *pages = page_alloc(order);
	*t = (struct cmd_table){.c = c, .order = order, .text = abuf_of(pages, PAGE_SIZE << order)};
	if (!pages)
		(void)shell_fail(c, "no memory for a table");
	return pages != NULL;
}

void cmd_table_reset(struct cmd_table *t)
{
	abuf_reset(&t->text);
}

void cmd_table_end(struct cmd_table *t)
{
	page_free(t->text.ptr, t->order);
}

void cmd_word(struct abuf *out, struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		abuf_char_add(out, name.ptr[i] <= ' ' ? '_' : name.ptr[i]);
}

enum err cmd_table_show(struct cmd_table *t, size_t limit, size_t width)
{
	struct columns columns = {0};
	uint8_t bytes[SHELL_PRINT_MAX];
	enum err err = OK;
	/* What an append did not fit behind is not shown as if it were all of a line. */
	struct str text = abuf_str(&t->text);
	while (text.len && text.ptr[text.len - 1] != '\n')
		text.len--;
	for (struct str rest = text; rest.len;)
		columns_measure(&columns, str_cut(&rest, '\n'));
	for (struct str rest = text; rest.len && limit-- && err == OK;) {
		struct abuf line = abuf_of(bytes, sizeof(bytes));
		columns_render(&columns, str_cut(&rest, '\n'), &line);
		size_t len = width ? min(line.len, width + 1) : line.len;
		if (len && bytes[len - 1] != '\n')
			bytes[len - 1] = '\n';
		err = shell_write(t->c, rbuf_of(bytes, len));
	}
	if (err == OK && t->text.overflow)
		err = shell_printf(t->c, "... and more, for which there is no room\n");
	return err;
}

/* ---- a file's ---- */

/* One line; the head says which columns are durations, a bit each. */
static void table_line(struct abuf *out, struct str line, uint64_t *durations, bool head)
{
	struct str word;
	for (size_t i = 0; (word = str_word(&line)).len; i++) {
		uint64_t bit = i < 64 ? UINT64_C(1) << i : 0;
		bool ns = head ? str_ends(word, S("_ns")) : (*durations & bit) != 0;
		struct i64_result value = str_to_i64(word);
		if (i)
			abuf_char_add(out, ' ');
		if (head && ns) {
			*durations |= bit;
			abuf_str_add(out, str_slice(word, 0, word.len - 3));
		} else if (ns && value.err == OK) {
			duration_render(out, value.value);
		} else {
			abuf_str_add(out, word);
		}
	}
	abuf_char_add(out, '\n');
}

int cmd_table_file(struct shell_call *c, struct str path)
{
	struct cmd_input in;
	struct cmd_table t;
	struct str line;
	uint64_t durations = 0;
	if (!cmd_open(&in, c, path))
		return 1;
	if (!cmd_table_begin(&t, c, TABLE_ORDER))
		return cmd_worse(1, cmd_close(&in));
	for (bool head = true; cmd_line(&in, &line); head = false)
		table_line(&t.text, line, &durations, head);
	int status = cmd_close(&in);
	if (status == 0)
		status = cmd_status(cmd_table_show(&t, SIZE_MAX, 0));
	cmd_table_end(&t);
	return status;
}
