/*
 * tcp_receive.c - received bytes: in order, in a queue; ahead of their turn, in a
 * list of pieces until the gap before them is filled.
 *
 * A buffer stands by before the core is asked, so that what it accepts can be kept.
 * Memory follows the bytes, not the segments: what fits the buffer before it goes
 * there, two neighbours that fit one are made one, what is held already is cut off.
 * When no buffer is to be had for the bytes that are due next, the piece that is
 * furthest ahead is given up, and the peer sends it again: it has acknowledged
 * nothing of it.
 *
 * Invariants: pieces ahead are in ascending order and disjoint, all behind the
 * in-order end, and the same bytes as the core's ranges.
 *
 * Locks: the connection's.
 */
#include "kernel/net/tcp/tcp_priv.h"

static struct tcp_chunk *tcp_ahead_at(const struct tcp_conn *c, struct list *node)
{
	return node == &c->ahead ? NULL : list_entry(node, struct tcp_chunk, node);
}

static uint64_t tcp_chunk_end(const struct tcp_chunk *k)
{
	return k->pos + k->len;
}

static void tcp_ahead_remove(struct tcp_conn *c, struct tcp_chunk *k)
{
	list_remove(&k->node);
	c->ahead_n--;
}

/* The buffer of the furthest piece, empty. */
static struct tcp_chunk *tcp_ahead_give_up(struct tcp_conn *c)
{
	struct tcp_chunk *k = tcp_ahead_at(c, c->ahead.prev);
	tcp_reass_cut(&c->core.reass, seq_add(c->core.rcv_nxt, (uint32_t)(k->pos - c->rx.tail)));
	tcp_ahead_remove(c, k);
	tcp_chunk_reset(k);
	tcp_count(TCP_RX_GIVEN_UP);
	return k;
}

bool tcp_receive_room(struct tcp_conn *c, const struct tcp_seg *seg)
{
	tcp_seq next = c->core.rcv_nxt;
	bool due = seq_le(seg->seq, next) && seq_gt(seq_add(seg->seq, seg->len), next);
	struct tcp_chunk *last = tcp_queue_last(&c->rx);
	if (due && last && last->room >= seg->len)
		return true;
	if (!due && c->ahead_n >= CONFIG_TCP_AHEAD) {
		tcp_count(TCP_REFUSED_AHEAD);
		return false;
	}
	c->spare = tcp_chunk_alloc(c, TCP_BUF_RX);
	if (!c->spare && due && c->ahead_n > 0)
		c->spare = tcp_ahead_give_up(c);
	return c->spare != NULL;
}

void tcp_receive_settle(struct tcp_conn *c)
{
	if (c->spare)
		tcp_chunk_free(c->spare);
	c->spare = NULL;
}

static struct tcp_chunk *tcp_receive_spare(struct tcp_conn *c, struct rbuf bytes)
{
	struct tcp_chunk *k = c->spare;
	c->spare = NULL;
	size_t n = tcp_chunk_fill(k, bytes);
	assert(n == bytes.len); /* one segment fits a buffer: tcp_conn_config() */
	return k;
}

static void tcp_receive_in_order(struct tcp_conn *c, struct rbuf bytes)
{
	struct tcp_chunk *k = tcp_queue_last(&c->rx);
	if (k) {
		size_t n = tcp_chunk_fill(k, bytes);
		c->rx.tail += n;
		bytes = rbuf_slice(bytes, n, bytes.len);
	}
	if (bytes.len > 0)
		tcp_queue_append(&c->rx, tcp_receive_spare(c, bytes));
}

/* Moves the bytes of `next` to the end of k if they fit there. */
static bool tcp_chunk_merge(struct tcp_chunk *k, struct tcp_chunk *next)
{
	if (next->len > k->room)
		return false;
	size_t n = tcp_chunk_fill(k, rbuf_of(next->data, next->len));
	assert(n == next->len);
	return true;
}

/* The last piece that begins at or before pos. */
static struct tcp_chunk *tcp_ahead_before(const struct tcp_conn *c, uint64_t pos)
{
	struct list *at = c->ahead.prev;
	while (at != &c->ahead && list_entry(at, struct tcp_chunk, node)->pos > pos)
		at = at->prev;
	return tcp_ahead_at(c, at);
}

/* Pieces that lie wholly within what came now go; how much of it is before the next one. */
static size_t tcp_ahead_make_way(struct tcp_conn *c, struct list *after, uint64_t pos, size_t len)
{
	struct tcp_chunk *next;
	while ((next = tcp_ahead_at(c, after->next)) != NULL && next->pos < pos + len) {
		if (tcp_chunk_end(next) > pos + len)
			return next->pos - pos;
		tcp_ahead_remove(c, next);
		tcp_chunk_free(next);
	}
	return len;
}

static void tcp_receive_ahead(struct tcp_conn *c, uint64_t pos, struct rbuf bytes)
{
	struct tcp_chunk *before = tcp_ahead_before(c, pos), *k = before, *next;
	if (before && tcp_chunk_end(before) > pos) {
		size_t known = min((size_t)(tcp_chunk_end(before) - pos), bytes.len);
		bytes = rbuf_slice(bytes, known, bytes.len);
		pos += known;
	}
	struct list *after = before ? &before->node : &c->ahead;
	bytes = rbuf_slice(bytes, 0, tcp_ahead_make_way(c, after, pos, bytes.len));
	if (before && tcp_chunk_end(before) == pos) {
		size_t n = tcp_chunk_fill(before, bytes);
		bytes = rbuf_slice(bytes, n, bytes.len);
		pos += n;
	}
	if (bytes.len > 0) {
		k = tcp_receive_spare(c, bytes);
		k->pos = pos;
		list_insert_between(&k->node, after, after->next);
		c->ahead_n++;
	}
	next = k ? tcp_ahead_at(c, k->node.next) : NULL;
	if (next && next->pos == tcp_chunk_end(k) && tcp_chunk_merge(k, next)) {
		tcp_ahead_remove(c, next);
		tcp_chunk_free(next);
	}
}

/* What was kept ahead and is now in order moves over, cut where it overlaps. */
static void tcp_receive_join(struct tcp_conn *c, uint64_t upto)
{
	struct tcp_chunk *k, *last;
	while ((k = tcp_ahead_at(c, c->ahead.next)) != NULL && k->pos <= c->rx.tail) {
		tcp_ahead_remove(c, k);
		uint64_t old = min(c->rx.tail - k->pos, (uint64_t)k->len);
		k->data += old;
		k->len -= (uint32_t)old;
		last = tcp_queue_last(&c->rx);
		if (k->len == 0 || (last && tcp_chunk_merge(last, k))) {
			c->rx.tail += k->len;
			tcp_chunk_free(k);
		} else {
			tcp_queue_append(&c->rx, k);
		}
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

void tcp_receive_clear(struct tcp_conn *c)
{
	struct list *n;
	tcp_queue_clear(&c->rx);
	while ((n = list_pop_front(&c->ahead)) != NULL)
		tcp_chunk_free(list_entry(n, struct tcp_chunk, node));
	c->ahead_n = 0;
}
