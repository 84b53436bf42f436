/* lines_core.c - whole lines out of pieces; see lines_core.h. */
#include "user/shell/lines_core.h"
#include "lib/assert.h"

struct wbuf lines_room(const struct lines *l)
{
	return wbuf_of(l->bytes + l->len, l->cap - l->len);
}

void lines_add(struct lines *l, size_t n)
{
	assert(n <= l->cap - l->len);
	size_t before = l->len, end = before + n;
	l->len = end;
	while (end > before && l->bytes[end - 1] != '\n')
		end--;
	if (end > before)
		l->whole = end;
}

struct rbuf lines_ready(const struct lines *l, bool end)
{
	bool all = end || (l->whole == 0 && l->len == l->cap);
	return rbuf_of(l->bytes, all ? l->len : l->whole);
}

void lines_take(struct lines *l, size_t n)
{
	assert(n <= l->len);
	l->len -= n;
	l->whole -= min(n, l->whole);
	memmove(l->bytes, l->bytes + n, l->len);
}
