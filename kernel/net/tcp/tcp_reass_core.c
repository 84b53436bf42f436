/*
 * tcp_reass_core.c - the ranges of payload held beyond the in-order end.
 *
 * Ascending, disjoint, not touching, at most TCP_OOO_RANGES: so the work per
 * segment is bounded whatever the peer sends.
 */
#include "kernel/net/tcp/tcp_core.h"
#include "lib/assert.h"

/* Replaces ranges [from, to) by one; the caller has seen that it fits. */
static void tcp_reass_replace(struct tcp_reass *q, uint32_t from, uint32_t to, struct tcp_range r)
{
	memmove(&q->r[from + 1], &q->r[to], (q->n - to) * sizeof(q->r[0]));
	q->r[from] = r;
	q->n = q->n - (to - from) + 1;
	assert(q->n <= TCP_OOO_RANGES);
}

uint32_t tcp_reass_add(struct tcp_reass *q, tcp_seq left, tcp_seq right)
{
	assert(seq_lt(left, right));
	uint32_t from = 0;
	while (from < q->n && seq_lt(q->r[from].right, left))
		from++;
	uint32_t to = from, known = 0;
	struct tcp_range all = {left, right};
	for (; to < q->n && seq_le(q->r[to].left, right); to++) {
		known += (uint32_t)seq_diff(q->r[to].right, q->r[to].left);
		all.left = seq_min(all.left, q->r[to].left);
		all.right = seq_max(all.right, q->r[to].right);
	}
	uint32_t fresh = (uint32_t)seq_diff(all.right, all.left) - known;
	if (fresh == 0 || (from == to && q->n == TCP_OOO_RANGES))
		return 0;
	tcp_reass_replace(q, from, to, all);
	return fresh;
}

tcp_seq tcp_reass_advance(struct tcp_reass *q, tcp_seq nxt)
{
	uint32_t gone = 0;
	while (gone < q->n && seq_le(q->r[gone].left, nxt))
		nxt = seq_max(nxt, q->r[gone++].right);
	memmove(&q->r[0], &q->r[gone], (q->n - gone) * sizeof(q->r[0]));
	q->n -= gone;
	return nxt;
}

void tcp_reass_cut(struct tcp_reass *q, tcp_seq end)
{
	while (q->n > 0 && seq_ge(q->r[q->n - 1].left, end))
		q->n--;
	if (q->n > 0)
		q->r[q->n - 1].right = seq_min(q->r[q->n - 1].right, end);
}
