/*
 * buf.c - slices and appends (contract: lib/buf.h).
 */
#include "lib/buf.h"

struct rbuf rbuf_slice(struct rbuf r, size_t from, size_t to)
{
	to = min(to, r.len);
	from = min(from, to);
	/* Arithmetic on NULL is undefined, and an empty buffer may have it. */
	return from == 0 ? rbuf_of(r.ptr, to) : rbuf_of(r.ptr + from, to - from);
}

void abuf_bytes_add(struct abuf *a, const void *ptr, size_t len)
{
	if (a->overflow || len > abuf_room(a)) {
		a->overflow = true;
		return;
	}
	if (len == 0)
		return;
	memcpy(a->ptr + a->len, ptr, len);
	a->len += len;
}

void abuf_str_add(struct abuf *a, struct str s)
{
	abuf_bytes_add(a, s.ptr, s.len);
}

void abuf_char_add(struct abuf *a, char c)
{
	if (a->overflow || abuf_room(a) == 0) {
		a->overflow = true;
		return;
	}
	a->ptr[a->len++] = (uint8_t)c;
}
