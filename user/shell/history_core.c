/* history_core.c - see history_core.h. Lines are looked for from the end: HISTORY_BYTES steps at most. */
#include "user/shell/history_core.h"
#include "lib/assert.h"

void history_init(struct history *h)
{
	h->added = 0;
	h->count = 0;
	h->len = 0;
}

static void history_drop_oldest(struct history *h)
{
	size_t n = str_find_char(str_of(h->bytes, h->len), '\n') + 1;
	assert(h->count > 0 && n <= h->len);
	memmove(h->bytes, h->bytes + n, h->len - n);
	h->len -= n;
	h->count--;
}

void history_add(struct history *h, struct str line)
{
	struct str last;
	if (line.len == 0 || line.ptr[0] == ' ' || line.len >= sizeof(h->bytes) / 2 ||
		str_find_char(line, '\n') < line.len)
		return;
	if (history_at(h, 1, &last) && str_eq(last, line))
		return;
	while (h->len + line.len + 1 > sizeof(h->bytes))
		history_drop_oldest(h);
	memcpy(h->bytes + h->len, line.ptr, line.len);
	h->bytes[h->len + line.len] = '\n';
	h->len += line.len + 1;
	h->count++;
	h->added++;
}

bool history_at(const struct history *h, uint32_t back, struct str *line)
{
	if (back == 0 || back > h->count)
		return false;
	size_t end = h->len - 1, begin;
	for (uint32_t i = 1;; i++) {
		for (begin = end; begin > 0 && h->bytes[begin - 1] != '\n';)
			begin--;
		if (i == back)
			break;
		end = begin - 1;
	}
	*line = str_of(h->bytes + begin, end - begin);
	return true;
}

uint32_t history_search(const struct history *h, uint32_t back, struct str text)
{
	struct str line;
	for (uint32_t i = max(back, 1u); history_at(h, i, &line); i++)
		if (text.len == 0 || str_find(line, text) < line.len)
			return i;
	return 0;
}
