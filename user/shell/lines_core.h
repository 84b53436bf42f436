/*
 * lines_core.h - bytes that come in any pieces and go on as whole lines: who takes them takes each write for lines. Pure.
 *
 *	lines_room(), lines_add()      what comes is put into the room, which is never empty once what is ready was taken
 *	lines_ready(), lines_take()    what may go: as many whole lines as are there; at the end the rest, too
 *
 * A line that is longer than the room goes in pieces. Nothing is lost, doubled or moved.
 */
#ifndef USER_SHELL_LINES_CORE_H
#define USER_SHELL_LINES_CORE_H

#include "lib/buf.h"

struct lines {
	uint8_t *bytes; /* the owner's */
	size_t cap, len;
	size_t whole; /* so many of them are whole lines */
};

static inline struct lines lines_of(void *bytes, size_t cap)
{
	return (struct lines){.bytes = bytes, .cap = cap};
}

struct wbuf lines_room(const struct lines *l);
void lines_add(struct lines *l, size_t n);                /* n bytes of the room are there now */
struct rbuf lines_ready(const struct lines *l, bool end); /* empty: nothing may go yet */
void lines_take(struct lines *l, size_t n);               /* the first n of those that are ready have gone */

#endif
