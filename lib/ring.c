/*
 * ring.c - byte ring, one producer, one consumer (contract: lib/ring.h).
 */
#include "lib/assert.h"
#include "lib/ring.h"

void ring_init(struct ring *r, struct wbuf memory)
{
	assert(is_pow2(memory.len) && memory.len <= UINT32_C(1) << 31);
	*r = (struct ring){.bytes = memory.ptr, .size = (uint32_t)memory.len};
}

bool ring_put(struct ring *r, uint8_t byte)
{
	uint32_t tail = r->tail;

	if (tail - __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == r->size)
		return false;
	r->bytes[ring_slot(tail, r->size)] = byte;
	__atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

bool ring_get(struct ring *r, uint8_t *byte)
{
	uint32_t head = r->head;

	if (__atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == head)
		return false;
	*byte = r->bytes[ring_slot(head, r->size)];
	__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

size_t ring_write(struct ring *r, struct rbuf bytes)
{
	uint32_t tail = r->tail;
	uint32_t room = r->size - (tail - __atomic_load_n(&r->head, __ATOMIC_ACQUIRE));
	uint32_t n = (uint32_t)min((size_t)room, bytes.len);
	if (n == 0)
		return 0;

	uint32_t at = ring_slot(tail, r->size);
	uint32_t piece = min(n, r->size - at);
	memcpy(r->bytes + at, bytes.ptr, piece);
	memcpy(r->bytes, bytes.ptr + piece, n - piece);
	__atomic_store_n(&r->tail, tail + n, __ATOMIC_RELEASE);
	return n;
}

size_t ring_read(struct ring *r, struct wbuf room)
{
	uint32_t head = r->head;
	uint32_t used = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - head;
	uint32_t n = (uint32_t)min((size_t)used, room.len);
	if (n == 0)
		return 0;

	uint32_t at = ring_slot(head, r->size);
	uint32_t piece = min(n, r->size - at);
	memcpy(room.ptr, r->bytes + at, piece);
	memcpy(room.ptr + piece, r->bytes, n - piece);
	__atomic_store_n(&r->head, head + n, __ATOMIC_RELEASE);
	return n;
}

struct rbuf ring_peek(const struct ring *r)
{
	uint32_t head = r->head;
	uint32_t used = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - head;
	uint32_t at = ring_slot(head, r->size);
	return rbuf_of(r->bytes + at, min(used, r->size - at));
}

void ring_consume(struct ring *r, uint32_t n)
{
	debug_assert(n <= ring_used(r));
	__atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
}
