/*
 * mqueue.c - message queue.
 *
 * A ring of places, and one wait queue for both sides: receivers wait only while there is
 * no message, senders only while there is no place, so they never wait together. Whoever
 * comes to wait sets MQUEUE_WAITED in `used`, which sends everybody to the slow paths; these
 * look at the list, and take the mark off where nobody is left in it. So a waiter that
 * gives up need not know of it, and the plain case has one comparison.
 *
 * A waiter's wait_data is its message, or the place for one: on its own stack or wherever it
 * likes, untouched by it until the wait is over. It is copied before the wake, under the
 * lock, so a waiter that is chosen in the moment in which its deadline passes has it.
 *
 * Invariants (the queue's lock): 0 <= used without its mark <= capacity; somebody in the
 * list implies the mark, and that the queue is empty (receivers) or full (senders).
 */
#include "kernel/lock/lock.h"
#include "kernel/sync/mqueue.h"
#include "lib/assert.h"
#include "lib/mem.h"
#include "lib/unaligned.h"

#define MQUEUE_WAITED 0x80000000u /* makes `used` larger than any capacity */
#define PLAIN_MAX     64          /* beyond it mem_copy() is faster than a loop over words */

void mqueue_init(struct mqueue *q, void *memory, size_t size, uint32_t capacity)
{
	assert(size > 0 && size <= MQUEUE_MESSAGE_MAX && capacity > 0 && capacity < MQUEUE_WAITED);
	*q = (struct mqueue){
		.plain = size % sizeof(uint64_t) == 0 && size <= PLAIN_MAX ? capacity : 0,
		.head = memory,
		.tail = memory,
		.begin = memory,
		.end = (uint8_t *)memory + size * capacity,
		.size = (uint32_t)size,
		.capacity = capacity,
	};
	waitq_init(&q->waiters);
}

/* ---- the ring; with the lock held ---- */

/* Four words, the usual message, straight; others as words one by one. Where the copy and the original end. */
struct copied {
	uint8_t *to;
	const uint8_t *from;
};
static always_inline struct copied mqueue_copy_words(uint8_t *to, const uint8_t *from, size_t size)
{
	if (likely(size == 32)) {
		uint64_t a = load_u64(from), b = load_u64(from + 8);
		uint64_t c = load_u64(from + 16), d = load_u64(from + 24);
		store_u64(to, a);
		store_u64(to + 8, b);
		store_u64(to + 16, c);
		store_u64(to + 24, d);
		return (struct copied){to + 32, from + 32};
	}
	for (const uint8_t *end = from + size; from != end; from += 8, to += 8)
		store_u64(to, load_u64(from));
	return (struct copied){to, from};
}

static inline uint8_t *mqueue_place(const struct mqueue *q, const uint8_t *next)
{
	return next == q->end ? q->begin : (uint8_t *)next;
}

static void mqueue_fill(struct mqueue *q, const void *message)
{
	mem_copy(q->tail, message, q->size);
	q->tail = mqueue_place(q, q->tail + q->size);
}

static void mqueue_drain(struct mqueue *q, void *message)
{
	mem_copy(message, q->head, q->size);
	q->head = mqueue_place(q, q->head + q->size);
}

/* The best waiter stays in the list: waitq_wake_one_unlock() will take it. NULL: nobody waits. */
static struct thread *mqueue_first(const struct mqueue *q)
{
	const struct list *all = &q->waiters.waiters;
	return list_is_empty(all) ? NULL : list_entry(all->next, struct thread, wait_node);
}

static void mqueue_check(const struct mqueue *q)
{
	uint32_t used = q->used & ~MQUEUE_WAITED;
	debug_assert(used <= q->capacity);
	debug_assert(q->head + (size_t)used * q->size == q->tail ||
		     q->head + (size_t)used * q->size == q->tail + (q->end - q->begin));
	debug_assert(!mqueue_first(q) ||
		     (q->used & MQUEUE_WAITED && (used == 0 || used == q->capacity)));
}

/* ---- slow paths: somebody waits or has waited, full, empty, odd sizes. With the lock held, which they drop ---- */

static noinline bool mqueue_try_send_slow(struct mqueue *q, const void *message, irqflags flags)
{
	uint32_t used = q->used & ~MQUEUE_WAITED;
	bool sent = used < q->capacity;
	mqueue_check(q);
	struct thread *receiver = used == 0 ? mqueue_first(q) : NULL;
	if (receiver) {
		mem_copy(receiver->wait_data, message, q->size);
		waitq_wake_one_unlock(&q->waiters, flags);
		return true;
	}
	if (sent) {
		mqueue_fill(q, message);
		q->used = used + 1;
	}
	spin_unlock_irqrestore(&q->waiters.lock, flags);
	return sent;
}

static noinline bool mqueue_try_receive_slow(struct mqueue *q, void *message, irqflags flags)
{
	uint32_t used = q->used & ~MQUEUE_WAITED;
	mqueue_check(q);
	if (used > 0) {
		mqueue_drain(q, message);
		struct thread *sender = mqueue_first(q);
		if (sender) {
			mqueue_fill(q, sender->wait_data);
			waitq_wake_one_unlock(&q->waiters, flags);
			return true;
		}
		q->used = used - 1;
	}
	spin_unlock_irqrestore(&q->waiters.lock, flags);
	return used > 0;
}

static enum err mqueue_wait(
	struct mqueue *q, const void *message, irqflags flags, ktime deadline, struct str what)
{
	q->used |= MQUEUE_WAITED;
	thread_current()->wait_data = (void *)message;
	return waitq_wait_locked(&q->waiters, flags, deadline, what);
}

static noinline enum err mqueue_send_slow(
	struct mqueue *q, const void *message, irqflags flags, ktime deadline)
{
	if ((q->used & ~MQUEUE_WAITED) == q->capacity)
		return mqueue_wait(q, message, flags, deadline, S("message queue, to send"));
	bool sent = mqueue_try_send_slow(q, message, flags);
	assert(sent);
	return OK;
}

static noinline enum err mqueue_receive_slow(
	struct mqueue *q, void *message, irqflags flags, ktime deadline)
{
	if ((q->used & ~MQUEUE_WAITED) == 0)
		return mqueue_wait(q, message, flags, deadline, S("message queue"));
	bool received = mqueue_try_receive_slow(q, message, flags);
	assert(received);
	return OK;
}

/* ---- the plain case ---- */

static always_inline bool mqueue_may_send(const struct mqueue *q)
{
	return likely(q->used < q->plain);
}

static always_inline bool mqueue_may_receive(const struct mqueue *q)
{
	return likely(q->used - 1 < q->plain);
}

static always_inline void mqueue_send_plain(struct mqueue *q, const void *message, irqflags flags)
{
	struct copied c = mqueue_copy_words(q->tail, message, q->size);
	q->used++;
	q->tail = mqueue_place(q, c.to);
	spin_unlock_irqrestore(&q->waiters.lock, flags);
}

static always_inline void mqueue_receive_plain(struct mqueue *q, void *message, irqflags flags)
{
	struct copied c = mqueue_copy_words(message, q->head, q->size);
	q->used--;
	q->head = mqueue_place(q, c.from);
	spin_unlock_irqrestore(&q->waiters.lock, flags);
}

enum err mqueue_send(struct mqueue *q, const void *message, ktime deadline)
{
	might_sleep();
	irqflags flags = spin_lock_irqsave(&q->waiters.lock);
	if (!mqueue_may_send(q))
		return mqueue_send_slow(q, message, flags, deadline);
	mqueue_send_plain(q, message, flags);
	return OK;
}

enum err mqueue_receive(struct mqueue *q, void *message, ktime deadline)
{
	might_sleep();
	irqflags flags = spin_lock_irqsave(&q->waiters.lock);
	if (!mqueue_may_receive(q))
		return mqueue_receive_slow(q, message, flags, deadline);
	mqueue_receive_plain(q, message, flags);
	return OK;
}

bool mqueue_try_send(struct mqueue *q, const void *message)
{
	irqflags flags = spin_lock_irqsave(&q->waiters.lock);
	if (!mqueue_may_send(q))
		return mqueue_try_send_slow(q, message, flags);
	mqueue_send_plain(q, message, flags);
	return true;
}

bool mqueue_try_receive(struct mqueue *q, void *message)
{
	irqflags flags = spin_lock_irqsave(&q->waiters.lock);
	if (!mqueue_may_receive(q))
		return mqueue_try_receive_slow(q, message, flags);
	mqueue_receive_plain(q, message, flags);
	return true;
}

uint32_t mqueue_count(const struct mqueue *q)
{
	return __atomic_load_n(&q->used, __ATOMIC_RELAXED) & ~MQUEUE_WAITED;
}
