/*
 * pipe.h - a bounded stream of bytes between threads, with an end to write and one to read, each of which any number
 * may hold. When the last writer has closed, readers get what is there and then the end; when the last reader has
 * closed, writers get ERR_PIPE.
 *
 * Bytes come out in the order in which they went in; those of one call of pipe_write() together only when it took
 * them all and nobody else was writing. Copying is preemptible: a mutex guards it, no spinlock.
 *
 * The memory belongs to the caller; both may go when all threads are out of its functions.
 * Context: threads.
 */
#ifndef KERNEL_SYNC_PIPE_H
#define KERNEL_SYNC_PIPE_H

#include "kernel/sync/condvar.h"
#include "lib/buf.h"

struct pipe {
	struct mutex lock; /* LOCK_PIPE */
	struct condvar not_empty, not_full;

	/* lock */
	uint32_t readers, writers;
	size_t head, used; /* the next byte to be read, and how many there are */

	/* constant */
	uint8_t *bytes;
	size_t size;
};

/* size > 0. One reader and one writer hold it. */
void pipe_init(struct pipe *p, void *memory, size_t size);
/*
 * Waits for a byte at least; how many: 0 is the end, or to.len is 0. ERR_TIMEDOUT, at once with a deadline that has
 * passed; ERR_INTR when cancelled.
 */
must_check struct size_result pipe_read(struct pipe *p, struct wbuf to, ktime deadline);
/* Waits for room for a byte at least; how many were taken. ERR_PIPE, also with from.len 0; ERR_TIMEDOUT, ERR_INTR. */
must_check struct size_result pipe_write(struct pipe *p, struct rbuf from, ktime deadline);
/* One more holds that end, and one less. Who holds none calls nothing else. */
void pipe_open_reader(struct pipe *p);
void pipe_open_writer(struct pipe *p);
void pipe_close_reader(struct pipe *p);
void pipe_close_writer(struct pipe *p);

#endif
