/*
 * tcp_queue.c - the bytes behind the core's numbers: send and receive queues of
 * chunks, each a buffer (tcp_buffers.c) or a reference to somebody's memory.
 *
 * Bytes once appended never move or change, so that packets may refer to them
 * while the driver reads.
 *
 * Locks: the connection's.
 */
#include "kernel/net/tcp/tcp_priv.h"

void tcp_queue_init(struct tcp_queue *q)
{
	list_init(&q->chunks);
	q->head = q->tail = 0;
	q->at = NULL;
}

struct tcp_chunk *tcp_queue_last(struct tcp_queue *q)
{
	return list_is_empty(&q->chunks) ? NULL
					 : list_entry(q->chunks.prev, struct tcp_chunk, node);
}

void tcp_queue_drop(struct tcp_queue *q, uint64_t n)
{
	q->head += n;
	assert(q->head <= q->tail);
	while (!list_is_empty(&q->chunks)) {
		struct tcp_chunk *k = list_entry(q->chunks.next, struct tcp_chunk, node);
		if (k->pos + k->len > q->head)
			return;
		list_remove(&k->node);
		if (q->at == k)
			q->at = NULL;
		tcp_chunk_free(k);
	}
}

void tcp_queue_clear(struct tcp_queue *q)
{
	tcp_queue_drop(q, q->tail - q->head);
}

void tcp_queue_append(struct tcp_queue *q, struct tcp_chunk *k)
{
	k->pos = q->tail;
	list_push_back(&q->chunks, &k->node);
	q->tail += k->len;
}

size_t tcp_chunk_fill(struct tcp_chunk *k, struct rbuf from)
{
	size_t n = min(from.len, (size_t)k->room);
	memcpy((uint8_t *)k->data + k->len, from.ptr, n);
	k->len += (uint32_t)n;
	k->room -= (uint32_t)n;
	return n;
}

size_t tcp_queue_copy_in(struct tcp_conn *c, struct rbuf from)
{
	struct tcp_queue *q = &c->tx;
	struct tcp_chunk *k = tcp_queue_last(q);
	size_t done = k ? tcp_chunk_fill(k, from) : 0;
	q->tail += done;
	while (done < from.len) {
		k = tcp_chunk_alloc(c, TCP_BUF_TX);
		if (!k)
			break;
		done += tcp_chunk_fill(k, rbuf_of(from.ptr + done, from.len - done));
		tcp_queue_append(q, k);
	}
	return done;
}

bool tcp_queue_ref(struct tcp_conn *c, struct packet_mem *mem, struct rbuf bytes)
{
	struct tcp_chunk *k = tcp_chunk_alloc(c, TCP_BUF_REF);
	if (!k)
		return false;
	packet_mem_get(mem);
	k->mem = mem;
	k->data = bytes.ptr;
	k->len = (uint32_t)bytes.len;
	tcp_queue_append(&c->tx, k);
	return true;
}

size_t tcp_queue_peek(struct tcp_queue *q, struct rbuf *out)
{
	*out = rbuf_of(NULL, 0);
	if (q->head == q->tail)
		return 0;
	struct tcp_chunk *k = list_entry(q->chunks.next, struct tcp_chunk, node);
	uint64_t skip = q->head - k->pos;
	*out = rbuf_of(k->data + skip, k->len - skip);
	return out->len;
}

/* The chunk that holds stream position pos; searches on from where the last search ended. */
static struct tcp_chunk *tcp_queue_seek(struct tcp_queue *q, uint64_t pos)
{
	struct tcp_chunk *k = q->at && q->at->pos <= pos
		? q->at
		: list_entry(q->chunks.next, struct tcp_chunk, node);
	while (k->pos + k->len <= pos)
		k = list_entry(k->node.next, struct tcp_chunk, node);
	q->at = k;
	return k;
}

/* Whether a packet can refer to [off, off + len) and it is worth it: not too short, not in too many pieces. */
bool tcp_queue_refers(struct tcp_queue *q, uint32_t off, uint32_t len)
{
	if (len <= TCP_COPY_MAX)
		return false;
	uint64_t end = q->head + off + len;
	struct tcp_chunk *k = tcp_queue_seek(q, q->head + off);
	int pieces = 1;
	for (; k->pos + k->len < end && pieces < PACKET_FRAGS; pieces++)
		k = list_entry(k->node.next, struct tcp_chunk, node);
	return pieces < PACKET_FRAGS; /* the header is a fragment as well */
}

/* Bytes [off, off + len) of the queue at the end of p, copied or referred to. */
enum err tcp_queue_to_packet(struct tcp_queue *q, uint32_t off, uint32_t len, bool copy,
	struct packet *p)
{
	uint64_t pos = q->head + off;
	assert(pos + len <= q->tail);
	struct tcp_chunk *k = tcp_queue_seek(q, pos);
	while (len > 0) {
		uint32_t skip = (uint32_t)(pos - k->pos);
		uint32_t n = min(len, k->len - skip);
		if (copy) {
			uint8_t *to = packet_append(p, n);
			if (!to)
				return ERR_NOSPC;
			memcpy(to, k->data + skip, n);
		} else {
			enum err e = packet_add_ref(p, k->mem, k->data + skip, n);
			if (e != OK)
				return e;
		}
		pos += n;
		len -= n;
		k = list_entry(k->node.next, struct tcp_chunk, node);
	}
	return OK;
}
