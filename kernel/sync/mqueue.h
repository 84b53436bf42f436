/*
 * mqueue.h - bounded queue of messages of one size, for any number of senders and
 * receivers. Messages are copied in and out, and come out in the order in which they
 * went in. Who waits is served by priority, then arrival, by direct handover: a message goes
 * straight to a waiting receiver, a freed place takes the message of a waiting sender,
 * and no newcomer gets in between.
 *
 * Bound: a call copies at most two messages with interrupts off.
 */
#ifndef KERNEL_SYNC_MQUEUE_H
#define KERNEL_SYNC_MQUEUE_H

#include "kernel/sync/waitq.h"

#define MQUEUE_MESSAGE_MAX                                                                         \
	256 /* bytes; whole words are copied fastest. Larger things are passed by pointer */

struct mqueue {
	struct waitq
		waiters; /* its lock guards all; receivers while empty, senders while full, never both */
	uint32_t used;  /* messages inside, MQUEUE_WAITED or'ed in */
	uint32_t plain; /* constant: capacity, or 0 when a message is large or no whole number of words */
	uint8_t *head, *tail; /* the next one to be taken, to be filled */
	uint8_t *begin, *end; /* constant, as what follows */
	uint32_t size, capacity;
};

/* 1 <= size <= MQUEUE_MESSAGE_MAX, capacity > 0. `memory` holds size * capacity bytes, at any alignment. */
void mqueue_init(struct mqueue *q, void *memory, size_t size, uint32_t capacity);
/*
 * Thread context; may sleep. ERR_TIMEDOUT, at once with a deadline that has passed; ERR_INTR when
 * cancelled. Nothing is sent or received then.
 */
must_check enum err mqueue_send(struct mqueue *q, const void *message, ktime deadline);
must_check enum err mqueue_receive(struct mqueue *q, void *message, ktime deadline);
/* Without waiting; false when it is full, or empty. Any context, interrupts included. */
must_check bool mqueue_try_send(struct mqueue *q, const void *message);
must_check bool mqueue_try_receive(struct mqueue *q, void *message);
uint32_t mqueue_count(const struct mqueue *q); /* messages inside; a hint */

#endif
