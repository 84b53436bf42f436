/*
 * pipe.c - a pipe: a ring of bytes under a mutex, and a condition for each side.
 *
 * Whoever makes the ring not empty, or not full, wakes one of the other side; who was woken and leaves some wakes the
 * next. So one byte wakes one reader, and yet nobody waits beside what he could have.
 *
 * Locks: LOCK_PIPE, one pipe at a time.
 * Invariants: used <= size; head < size.
 */
#include "kernel/sync/pipe.h"
#include "lib/assert.h"

void pipe_init(struct pipe *p, void *memory, size_t size)
{
	assert(size > 0);
	*p = (struct pipe){.readers = 1, .writers = 1, .bytes = memory, .size = size};
	mutex_init(&p->lock, LOCK_PIPE);
	condvar_init(&p->not_empty);
	condvar_init(&p->not_full);
}

static size_t pipe_take(struct pipe *p, struct wbuf to)
{
	size_t n = min(to.len, p->used), first = min(n, p->size - p->head);
	memcpy(to.ptr, p->bytes + p->head, first);
	memcpy(to.ptr + first, p->bytes, n - first);
	p->head = (p->head + n) % p->size;
	p->used -= n;
	return n;
}

static size_t pipe_put(struct pipe *p, struct rbuf from)
{
	size_t n = min(from.len, p->size - p->used), tail = (p->head + p->used) % p->size;
	size_t first = min(n, p->size - tail);
	memcpy(p->bytes + tail, from.ptr, first);
	memcpy(p->bytes, from.ptr + first, n - first);
	p->used += n;
	debug_assert(p->used <= p->size);
	return n;
}

struct size_result pipe_read(struct pipe *p, struct wbuf to, ktime deadline)
{
	enum err err = OK;
	if (to.len == 0)
		return OK_RESULT(size_result, 0);
	mutex_lock(&p->lock);
	debug_assert(p->readers > 0);
	while (p->used == 0 && p->writers > 0 && err == OK)
		err = condvar_wait(&p->not_empty, &p->lock, deadline);
	if (p->used == 0 && p->writers > 0) {
		mutex_unlock(&p->lock);
		return ERR_RESULT(size_result, err);
	}
	thread_cancel_keep(err); /* what came in the same moment is not lost */
	size_t n = pipe_take(p, to);
	if (p->used > 0)
		condvar_signal(&p->not_empty);
	if (n > 0)
		condvar_signal(&p->not_full);
	mutex_unlock(&p->lock);
	return OK_RESULT(size_result, n);
}

struct size_result pipe_write(struct pipe *p, struct rbuf from, ktime deadline)
{
	enum err err = OK;
	mutex_lock(&p->lock);
	debug_assert(p->writers > 0);
	while (p->used == p->size && from.len > 0 && p->readers > 0 && err == OK)
		err = condvar_wait(&p->not_full, &p->lock, deadline);
	if (p->readers == 0)
		err = ERR_PIPE;
	else if (p->used < p->size || from.len == 0) {
		thread_cancel_keep(err);
		err = OK;
	}
	size_t n = err == OK ? pipe_put(p, from) : 0;
	if (p->used < p->size)
		condvar_signal(&p->not_full);
	if (n > 0)
		condvar_signal(&p->not_empty);
	mutex_unlock(&p->lock);
	return (struct size_result){n, err};
}

static void pipe_hold(struct pipe *p, uint32_t *end)
{
	mutex_lock(&p->lock);
	(*end)++;
	mutex_unlock(&p->lock);
}

/* The last one of an end wakes all of the other. */
static void pipe_drop(struct pipe *p, uint32_t *end, struct condvar *others)
{
	mutex_lock(&p->lock);
	assert(*end > 0);
	if (--*end == 0)
		condvar_broadcast(others);
	mutex_unlock(&p->lock);
}

void pipe_open_reader(struct pipe *p)
{
	pipe_hold(p, &p->readers);
}

void pipe_open_writer(struct pipe *p)
{
	pipe_hold(p, &p->writers);
}

void pipe_close_reader(struct pipe *p)
{
	pipe_drop(p, &p->readers, &p->not_full);
}

void pipe_close_writer(struct pipe *p)
{
	pipe_drop(p, &p->writers, &p->not_empty);
}
