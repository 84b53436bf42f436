/*
 * ring.h - a ring of bytes between one producer and one consumer, without a lock.
 *
 * The producer calls ring_put, ring_write and ring_room; the consumer ring_get,
 * ring_read, ring_peek and ring_consume. Each side may be an interrupt handler
 * or a thread, on any hart, but only one at a time: several producers (or
 * consumers) agree among themselves, by a lock of theirs. ring_used may be asked
 * by anybody; for a third party it is a guess, never more than the size. A full ring takes less than it was offered; what
 * to do then (drop and count, or wait) is the caller's business.
 *
 * Barriers: each side publishes its position with release after it has touched
 * the bytes and reads the other's with acquire before it does: the pair is
 * ring_write (tail) with ring_read (tail), and ring_read (head) with ring_write
 * (head). Positions run freely and wrap at 2^32; the size is a power of two.
 *
 * A ring of something else than bytes: two such positions, and an array indexed
 * by ring_slot().
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include "lib/buf.h"

struct ring {
	uint8_t *bytes;
	uint32_t size;

	/* Written by the consumer. */
	aligned_to(CACHE_LINE) uint32_t head;

	/* Written by the producer. */
	aligned_to(CACHE_LINE) uint32_t tail;
};

/* Where a freely running position stands in an array of `size`, a power of two. */
static inline uint32_t ring_slot(uint32_t position, uint32_t size)
{
	return position & (size - 1);
}

/* The memory is the caller's; its length is a power of two, at most 2^31. Empties the ring. */
void ring_init(struct ring *r, struct wbuf memory);

static inline uint32_t ring_used(const struct ring *r)
{
	uint32_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	/* Both may move between the two loads. */
	return min(__atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - head, r->size);
}

static inline uint32_t ring_room(const struct ring *r)
{
	return r->size - ring_used(r);
}

/* False when the ring is full (empty). */
must_check bool ring_put(struct ring *r, uint8_t byte);
must_check bool ring_get(struct ring *r, uint8_t *byte);

/* How many bytes were taken (given): as many as there was room (something) for. */
must_check size_t ring_write(struct ring *r, struct rbuf bytes);
must_check size_t ring_read(struct ring *r, struct wbuf room);

/*
 * What is there, as far as it lies in one piece; it stays until ring_consume(),
 * which gives n bytes of it, at most ring_used(), back to the producer.
 */
struct rbuf ring_peek(const struct ring *r);
void ring_consume(struct ring *r, uint32_t n);

#endif
