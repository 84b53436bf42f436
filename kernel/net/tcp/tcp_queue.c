/*
 * tcp_queue.c - the bytes behind the core's numbers: send and receive queues of
 * chunks, each a buffer of a pool or a reference to somebody's memory.
 *
 * Bytes once appended never move or change, so that packets may refer to them
 * while the driver reads. Receive and send have pools of their own: a reader who
 * stalls takes no room from those who send.
 *
 * Locks: the connection's; the pools have their own.
 */
#include "kernel/net/tcp/tcp_priv.h"

static struct pool *tcp_rx_pool, *tcp_tx_pool, *tcp_ref_pool;

enum err tcp_queue_init_pools(void)
{
	tcp_rx_pool = pool_create(S("tcp_rx_buf"), TCP_BUF_BYTES, 64, CONFIG_TCP_RX_BUFFERS, 0);
	tcp_tx_pool = pool_create(S("tcp_tx_buf"), TCP_BUF_BYTES, 64, CONFIG_TCP_TX_BUFFERS, 0);
	tcp_ref_pool = pool_create(S("tcp_ref"), sizeof(struct tcp_chunk), 8, CONFIG_TCP_TX_BUFFERS, 0);
	return tcp_rx_pool && tcp_tx_pool && tcp_ref_pool ? OK : ERR_NOMEM;
}

static void tcp_chunk_mem_free(struct packet_mem *m)
{
	struct tcp_chunk *k = container_of(m, struct tcp_chunk, own);
	pool_free(k->pool, k);
}

static struct tcp_chunk *tcp_chunk_from(struct pool *pool, uint32_t room)
{
	struct tcp_chunk *k = pool_alloc(pool);
	if (!k)
		return NULL;
	*k = (struct tcp_chunk){.data = (uint8_t *)(k + 1), .room = room, .pool = pool};
	packet_mem_init(&k->own, tcp_chunk_mem_free);
	list_init(&k->node);
	k->mem = &k->own;
	return k;
}

struct tcp_chunk *tcp_chunk_alloc(bool tx)
{
	return tcp_chunk_from(tx ? tcp_tx_pool : tcp_rx_pool, TCP_BUF_ROOM);
}

void tcp_chunk_free(struct tcp_chunk *k)
{
	if (k->mem != &k->own)
		packet_mem_put(k->mem);
	packet_mem_put(&k->own);
}

void tcp_queue_init(struct tcp_queue *q)
{
	list_init(&q->chunks);
	q->head = q->tail = 0;
	q->at = NULL;
}

/* The queue is not empty. */
static struct tcp_chunk *tcp_queue_last(struct tcp_queue *q)
{
	return list_entry(q->chunks.prev, struct tcp_chunk, node);
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

static void tcp_queue_append(struct tcp_queue *q, struct tcp_chunk *k)
{
	k->pos = q->tail;
	list_push_back(&q->chunks, &k->node);
	q->tail += k->len;
}

static size_t tcp_chunk_fill(struct tcp_chunk *k, struct rbuf from)
{
	size_t n = min(from.len, (size_t)k->room);
	memcpy((uint8_t *)k->data + k->len, from.ptr, n);
	k->len += (uint32_t)n;
	k->room -= (uint32_t)n;
	return n;
}

size_t tcp_queue_copy_in(struct tcp_queue *q, struct rbuf from)
{
	size_t done = list_is_empty(&q->chunks) ? 0 : tcp_chunk_fill(tcp_queue_last(q), from);
	q->tail += done;
	while (done < from.len) {
		struct tcp_chunk *k = tcp_chunk_alloc(true);
		if (!k)
			break;
		done += tcp_chunk_fill(k, rbuf_of(from.ptr + done, from.len - done));
		tcp_queue_append(q, k);
	}
	return done;
}

bool tcp_queue_ref(struct tcp_queue *q, struct packet_mem *mem, struct rbuf bytes)
{
	struct tcp_chunk *k = tcp_chunk_from(tcp_ref_pool, 0);
	if (!k)
		return false;
	packet_mem_get(mem);
	k->mem = mem;
	k->data = bytes.ptr;
	k->len = (uint32_t)bytes.len;
	tcp_queue_append(q, k);
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

/* ---- reception ---- */

/* A buffer stands by before the core is asked, so that what it accepts can be kept. */
bool tcp_receive_room(struct tcp_conn *c, const struct tcp_seg *seg)
{
	/* What fills the gap is always welcome: it is what frees the others. */
	if (c->ahead_n >= CONFIG_TCP_AHEAD && seq_gt(seg->seq, c->core.rcv_nxt))
		return false;
	if (!c->spare)
		c->spare = tcp_chunk_alloc(false);
	return c->spare != NULL;
}

static void tcp_receive_in_order(struct tcp_conn *c, struct rbuf bytes)
{
	if (!list_is_empty(&c->rx.chunks)) {
		size_t n = tcp_chunk_fill(tcp_queue_last(&c->rx), bytes);
		c->rx.tail += n;
		bytes = rbuf_slice(bytes, n, bytes.len);
	}
	if (bytes.len == 0)
		return;
	struct tcp_chunk *k = c->spare;
	c->spare = NULL;
	size_t n = tcp_chunk_fill(k, bytes);
	assert(n == bytes.len); /* one segment fits a buffer: CONFIG_NET MTU is at most 1500 */
	tcp_queue_append(&c->rx, k);
}

static void tcp_receive_ahead(struct tcp_conn *c, uint64_t pos, struct rbuf bytes)
{
	struct tcp_chunk *k = c->spare;
	c->spare = NULL;
	size_t n = tcp_chunk_fill(k, bytes);
	assert(n == bytes.len);
	k->pos = pos;
	struct list *at = c->ahead.prev;
	while (at != &c->ahead && list_entry(at, struct tcp_chunk, node)->pos > pos)
		at = at->prev;
	list_insert_between(&k->node, at, at->next);
	c->ahead_n++;
}

/* What was kept ahead and is now in order moves over, cut where it overlaps. */
static void tcp_receive_join(struct tcp_conn *c, uint64_t upto)
{
	while (!list_is_empty(&c->ahead)) {
		struct tcp_chunk *k = list_entry(c->ahead.next, struct tcp_chunk, node);
		if (k->pos > c->rx.tail)
			break;
		list_remove(&k->node);
		c->ahead_n--;
		uint64_t old = c->rx.tail - k->pos;
		if (old >= k->len) {
			tcp_chunk_free(k);
			continue;
		}
		k->data += old;
		k->len -= (uint32_t)old;
		tcp_queue_append(&c->rx, k);
	}
	assert(c->rx.tail == upto);
}

void tcp_receive_keep(struct tcp_conn *c, const uint8_t *payload, const struct tcp_out *out)
{
	if (out->data_len == 0)
		return;
	uint64_t in_order = c->rx.tail;
	struct rbuf bytes = rbuf_of(payload + out->data_skip, out->data_len);
	if (out->data_pos == 0) {
		tcp_receive_in_order(c, bytes);
		tcp_receive_join(c, in_order + out->readable);
	} else {
		tcp_receive_ahead(c, in_order + out->data_pos, bytes);
	}
}
