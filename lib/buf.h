/*
 * buf.h - bytes, with what may be done to them in the type.
 *
 *	rbuf   may be read           (a received payload, a file's content)
 *	wbuf   may be overwritten    (room that the caller lends)
 *	abuf   may be appended to    (an answer under construction)
 *
 * None owns its memory. An append that does not fit appends nothing, sets
 * `overflow` and is seen once, at the end, by abuf_ok(): so a chain of appends
 * needs no check after each. After an overflow nothing more is appended: what
 * the buffer holds is always a beginning of what was to be there, without gaps.
 *
 * Context: any. Not locked: the owner of the buffer says who may use it.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/base.h"
#include "lib/str.h"

struct rbuf {
	const uint8_t *ptr;
	size_t len;
};

struct wbuf {
	uint8_t *ptr;
	size_t len;
};

struct abuf {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	bool overflow;
};

static inline struct rbuf rbuf_of(const void *ptr, size_t len)
{
	return (struct rbuf){ptr, len};
}

static inline struct wbuf wbuf_of(void *ptr, size_t len)
{
	return (struct wbuf){ptr, len};
}

static inline struct abuf abuf_of(void *ptr, size_t cap)
{
	return (struct abuf){.ptr = ptr, .cap = cap};
}

static inline struct rbuf rbuf_of_str(struct str s)
{
	return (struct rbuf){(const uint8_t *)s.ptr, s.len};
}

static inline struct rbuf rbuf_of_wbuf(struct wbuf w)
{
	return (struct rbuf){w.ptr, w.len};
}

static inline struct rbuf abuf_bytes(const struct abuf *a)
{
	return (struct rbuf){a->ptr, a->len};
}

static inline struct str abuf_str(const struct abuf *a)
{
	return (struct str){(const char *)a->ptr, a->len};
}

static inline struct str rbuf_str(struct rbuf r)
{
	return (struct str){(const char *)r.ptr, r.len};
}

/* From `from` up to, not including, `to`; both are clamped to the length. */
struct rbuf rbuf_slice(struct rbuf r, size_t from, size_t to);

/* All of it or, when it does not fit, nothing. */
void abuf_bytes_add(struct abuf *a, const void *ptr, size_t len);
void abuf_str_add(struct abuf *a, struct str s);
void abuf_char_add(struct abuf *a, char c);

static inline size_t abuf_room(const struct abuf *a)
{
	return a->cap - a->len;
}

/* Forgets the content and the overflow: the same memory, to be filled again. */
static inline void abuf_reset(struct abuf *a)
{
	a->len = 0;
	a->overflow = false;
}

/* True when nothing was lost. */
must_check static inline bool abuf_ok(const struct abuf *a)
{
	return !a->overflow;
}

#endif
