/*
 * text.c - what the shell and its commands say of what went wrong, however long the names in it are.
 *
 * A text is formatted on the stack. One that does not fit is formatted again in pages, as many as hold the words of a
 * line: more than those and a reason no message has.
 */
#include "kernel/mm/mm.h"
#include "user/shell/shell_priv.h"

static void text_fill(struct abuf *out, struct str name, const char *format, va_list ap, struct str end)
{
	if (name.len)
		fmt(out, "%.*s: ", STR_ARG(name));
	fmt_v(out, format, ap);
	abuf_str_add(out, end);
}

/* There is no memory: the beginning, and its end. */
static void text_cut(struct abuf *out, struct str end)
{
	out->overflow = false;
	out->len = min(out->len, out->cap - end.len);
	abuf_str_add(out, end);
}

void text_format(struct shell_text *t, struct str name, const char *format, va_list ap, struct str end)
{
	va_list again;
	va_copy(again, ap);
	t->pages = NULL;
	t->text = abuf_of(t->bytes, sizeof(t->bytes));
	text_fill(&t->text, name, format, ap, end);
	if (!abuf_ok(&t->text))
		t->pages = page_alloc(JOB_ORDER);
	if (t->pages) {
		t->text = abuf_of(t->pages, PAGE_SIZE << JOB_ORDER);
		text_fill(&t->text, name, format, again, end);
	}
	if (!abuf_ok(&t->text))
		text_cut(&t->text, end);
	va_end(again);
}

struct str shell_shown(struct str name)
{
	return name.len ? name : S("''");
}

void text_free(struct shell_text *t)
{
	if (t->pages)
		page_free(t->pages, JOB_ORDER);
}
