/*
 * virtq_core.c - the split ring; see virtq_core.h.
 *
 * Barriers, each with its partner in the device:
 *   publish   virtq_add: descriptors and ring entry before avail->idx
 *   notice    virtq_kick: avail->idx before reading avail_event / flags
 *   consume   virtq_take: used->idx before the entries it covers
 *   rearm     virtq_arm: used_event / flags before reading used->idx again
 */
#include "drivers/virtio/virtq_core.h"
#include "lib/assert.h"

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4
#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1
#define SLOT_NONE          UINT16_MAX

struct virtq_layout virtq_layout(uint16_t size, bool indirect)
{
	struct virtq_layout l;
	l.avail = (size_t)size * sizeof(struct virtq_desc);
	l.used = align_up(l.avail + sizeof(struct virtq_avail) + 2 * (size_t)size + 2, VIRTQ_ALIGN);
	l.table = align_up(l.used + sizeof(struct virtq_used) +
		sizeof(struct virtq_used_elem) * size + 2, VIRTQ_ALIGN);
	l.total = l.table +
		(indirect ? (size_t)size * VIRTQ_INDIRECT_MAX * sizeof(struct virtq_desc) : 0);
	return l;
}

static uint16_t *virtq_used_event(const struct virtq *q)
{
	return &q->avail->ring[q->size];
}

static uint16_t *virtq_avail_event(const struct virtq *q)
{
	return (uint16_t *)(void *)&q->used->ring[q->size];
}

void virtq_init(struct virtq *q, uint16_t size, void *mem, struct virtq_slot *slots, bool indirect,
	bool event_idx)
{
	assert(is_pow2(size) && size <= VIRTQ_SIZE_MAX);
	struct virtq_layout l = virtq_layout(size, indirect);
	char *base = mem;
	*q = (struct virtq){.size = size, .free_count = size, .event_idx = event_idx,
		.indirect = indirect, .slot = slots};
	q->desc = (void *)base;
	q->avail = (void *)(base + l.avail);
	q->used = (void *)(base + l.used);
	q->table = indirect ? (void *)(base + l.table) : NULL;
	for (uint16_t i = 0; i < size; i++)
		slots[i] = (struct virtq_slot){.next = i + 1 < size ? (uint16_t)(i + 1) : SLOT_NONE};
	virtq_disarm(q);
}

void virtq_check(const struct virtq *q)
{
	uint16_t n = 0;
	if (!config_on(CONFIG_DEBUG))
		return;
	for (uint16_t i = q->free_head; i != SLOT_NONE && n <= q->size; i = q->slot[i].next) {
		debug_assert(q->slot[i].token == NULL);
		n++;
	}
	debug_assert(n == q->free_count && q->out + n <= q->size);
}

/* ---- to the device ---- */

static uint16_t virtq_slot_take(struct virtq *q)
{
	uint16_t i = q->free_head;
	assert(i != SLOT_NONE && q->free_count > 0);
	q->free_head = q->slot[i].next;
	q->free_count--;
	return i;
}

static struct virtq_desc virtq_desc_of(const struct virtq_buf *b, bool write, bool last, uint16_t next)
{
	return (struct virtq_desc){
		.addr = b->addr,
		.len = b->len,
		.flags = (uint16_t)((write ? DESC_WRITE : 0) | (last ? 0 : DESC_NEXT)),
		.next = last ? 0 : next,
	};
}

static uint16_t virtq_add_indirect(struct virtq *q, const struct virtq_buf *bufs, size_t out_n, size_t n)
{
	uint16_t head = virtq_slot_take(q);
	struct virtq_desc *table = &q->table[(size_t)head * VIRTQ_INDIRECT_MAX];
	for (size_t i = 0; i < n; i++)
		table[i] = virtq_desc_of(&bufs[i], i >= out_n, i + 1 == n, (uint16_t)(i + 1));
	q->desc[head] = (struct virtq_desc){.addr = (uintptr_t)table,
		.len = (uint32_t)(n * sizeof(*table)), .flags = DESC_INDIRECT};
	q->slot[head].count = 1;
	return head;
}

static uint16_t virtq_add_chain(struct virtq *q, const struct virtq_buf *bufs, size_t out_n, size_t n)
{
	uint16_t head = q->free_head, at = head;
	for (size_t i = 0; i < n; i++) {
		at = virtq_slot_take(q);
		bool last = i + 1 == n;
		q->desc[at] = virtq_desc_of(&bufs[i], i >= out_n, last, q->free_head);
	}
	q->slot[at].next = SLOT_NONE;
	q->slot[head].count = (uint16_t)n;
	return head;
}

enum err virtq_add(struct virtq *q, const struct virtq_buf *bufs, size_t out_n, size_t in_n, void *token)
{
	size_t n = out_n + in_n;
	assert(n > 0 && n <= VIRTQ_INDIRECT_MAX && token != NULL);
	bool indirect = q->indirect && n > 1;
	if (q->broken)
		return ERR_IO;
	if (q->free_count < (indirect ? 1 : n))
		return ERR_NOSPC;
	uint16_t head = indirect ? virtq_add_indirect(q, bufs, out_n, n) :
				   virtq_add_chain(q, bufs, out_n, n);
	struct virtq_slot *s = &q->slot[head];
	s->token = token;
	s->room = 0;
	for (size_t i = out_n; i < n; i++)
		s->room += bufs[i].len;
	q->out++;
	q->avail->ring[q->avail_idx & (q->size - 1)] = head;
	q->avail_idx++;
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE); /* publish */
	return OK;
}

/* Whether the device asks to be notified of one of the last n chains. */
static bool virtq_asked(const struct virtq *q, uint16_t n)
{
	if (n == 0)
		return false;
	if (!q->event_idx)
		return (__atomic_load_n(&q->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY) == 0;
	uint16_t event = __atomic_load_n(virtq_avail_event(q), __ATOMIC_RELAXED);
	return (uint16_t)(q->avail_idx - event - 1) < n;
}

bool virtq_kick(struct virtq *q)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* notice */
	uint16_t n = (uint16_t)(q->avail_idx - q->kicked_idx);
	bool kick = virtq_asked(q, n);
	q->kicked_idx = q->avail_idx;
	q->quiet = kick ? 0 : min((uint16_t)(q->quiet + n), q->size);
	return kick;
}

bool virtq_kick_late(struct virtq *q)
{
	bool kick = virtq_asked(q, min(q->quiet, q->out));
	if (kick)
		q->quiet = 0;
	return kick;
}

/* ---- from the device ---- */

static void virtq_slot_release(struct virtq *q, uint16_t head)
{
	uint16_t n = q->slot[head].count, last = head;
	for (uint16_t i = 1; i < n; i++)
		last = q->slot[last].next;
	q->slot[last].next = q->free_head;
	q->slot[head].token = NULL;
	q->free_head = head;
	q->free_count += n;
	q->out--;
}

/* How many used entries wait; marks the queue broken when that cannot be. */
static uint16_t virtq_pending(struct virtq *q)
{
	uint16_t idx = __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE); /* consume */
	uint16_t n = (uint16_t)(idx - q->used_idx);
	if (unlikely(n > q->out)) {
		q->bad_used++;
		q->broken = true;
		return 0;
	}
	return n;
}

bool virtq_waits(struct virtq *q)
{
	return !q->broken && virtq_pending(q) > 0;
}

bool virtq_take(struct virtq *q, void **token, uint32_t *len)
{
	if (!virtq_waits(q))
		return false;
	struct virtq_used_elem *e = &q->used->ring[q->used_idx & (q->size - 1)];
	uint32_t id = __atomic_load_n(&e->id, __ATOMIC_RELAXED);
	uint32_t n = __atomic_load_n(&e->len, __ATOMIC_RELAXED);
	q->used_idx++;
	if (unlikely(id >= q->size || q->slot[id].token == NULL)) {
		q->bad_used++;
		q->broken = true;
		return false;
	}
	if (unlikely(n > q->slot[id].room)) {
		q->bad_used++;
		n = 0;
	}
	*token = q->slot[id].token;
	*len = n;
	virtq_slot_release(q, (uint16_t)id);
	virtq_check(q);
	return true;
}

bool virtq_arm(struct virtq *q)
{
	if (q->event_idx)
		__atomic_store_n(virtq_used_event(q), q->used_idx, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->avail->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* rearm */
	return virtq_waits(q);
}

void virtq_disarm(struct virtq *q)
{
	/* With the event index: an event that lies just behind, 65,535 used chains away. */
	if (q->event_idx)
		__atomic_store_n(virtq_used_event(q), (uint16_t)(q->used_idx - 1), __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->avail->flags, AVAIL_NO_INTERRUPT, __ATOMIC_RELAXED);
}

void *virtq_reclaim(struct virtq *q)
{
	for (uint16_t i = 0; i < q->size && q->out > 0; i++) {
		void *token = q->slot[i].token;
		if (token != NULL) {
			virtq_slot_release(q, i);
			return token;
		}
	}
	return NULL;
}
