/*
 * virtq_core.h - a split virtqueue (virtio 1.2 section 2.7), driver side, with indirect
 * descriptors and the event index. Pure: the memory is given, the device is
 * whoever else reads and writes it.
 *
 *	virtq_init
 *	virtq_add      one buffer chain to the device, with a token that comes back
 *	virtq_kick     after adding: whether the device wants to be notified
 *	virtq_kick_late  some time after: whether it does after all
 *	virtq_take     one chain that the device has used: its token, the bytes written
 *	virtq_arm, virtq_disarm   interrupts
 *	virtq_waits    whether one is there to be taken
 *
 * The device is not trusted. It writes the used ring and nothing that it writes is
 * an index, a length or a pointer here before it was checked: a length beyond what
 * the chain can hold is counted in bad_used and becomes 0; an id that is not out,
 * or a used index that runs ahead of what is out, is counted and makes the queue
 * broken: nothing more is taken from it or added. So virtq_take looks at one entry,
 * however fast the device writes.
 *
 * A notification that is decided against, and an interrupt that is waited for, stand or
 * fall with the order of a store and a load behind it. Where that order is not kept (QEMU
 * 7.2 drops every fence of a machine with one CPU) the decision was made on an old word
 * of the device, which waits for ever, and its queue fills; or it has used chains and
 * believed that nobody asks. virtq_kick_late and virtq_waits look at the same words again.
 *
 * All bookkeeping (free list, tokens, lengths) is in memory that the device never reads.
 *
 * Context: any; the owner's lock guards it.
 */
#ifndef DRIVERS_VIRTIO_VIRTQ_CORE_H
#define DRIVERS_VIRTIO_VIRTQ_CORE_H

#include "lib/base.h"

#define VIRTQ_SIZE_MAX     256
#define VIRTQ_INDIRECT_MAX 8 /* buffers of one chain */
#define VIRTQ_ALIGN        16

struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
struct virtq_used_elem {
	uint32_t id;
	uint32_t len;
};
struct virtq_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* and the used_event behind it */
};
struct virtq_used {
	uint16_t flags;
	uint16_t idx;
	struct virtq_used_elem ring[]; /* and the avail_event behind it */
};

/* One buffer of a chain. */
struct virtq_buf {
	uint64_t addr;
	uint32_t len;
};

/* What the driver knows of a chain that is out. */
struct virtq_slot {
	void *token;   /* NULL: not out as the head of a chain */
	uint32_t room; /* bytes that the device may write */
	uint16_t count; /* descriptors */
	uint16_t next;  /* in the free list or the chain */
};

struct virtq {
	uint16_t size;
	uint16_t free_head;
	uint16_t free_count;
	uint16_t out;        /* chains that the device has */
	uint16_t avail_idx;  /* as last published */
	uint16_t kicked_idx; /* avail_idx at the last kick */
	uint16_t quiet;      /* newest chains without a notification, at most size */
	uint16_t used_idx;   /* next to take */
	bool event_idx;
	bool indirect;
	bool broken;
	uint64_t bad_used;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	struct virtq_desc *table; /* size * VIRTQ_INDIRECT_MAX, when indirect */
	struct virtq_slot *slot;
};

/* Bytes of the memory that the device sees, and where its parts lie in it. */
struct virtq_layout {
	size_t avail, used, table, total;
};
struct virtq_layout virtq_layout(uint16_t size, bool indirect);

/* mem: zeroed, layout.total bytes, aligned to VIRTQ_ALIGN; slots: `size` of them. size: a power of two. */
void virtq_init(struct virtq *q, uint16_t size, void *mem, struct virtq_slot *slots, bool indirect,
	bool event_idx);
/* First `out_n` buffers that the device reads, then `in_n` that it writes. ERR_NOSPC: full; ERR_IO: broken. */
must_check enum err virtq_add(struct virtq *q, const struct virtq_buf *bufs, size_t out_n, size_t in_n,
	void *token);
must_check bool virtq_kick(struct virtq *q);
/*
 * Whether a notification is missing: the device asks for one of a chain that is out and of which
 * virtq_kick said no. True at most once for a chain. (Or the device has found the chain itself and is
 * slow to take it: then one is too many, which does no harm.)
 */
must_check bool virtq_kick_late(struct virtq *q);
must_check bool virtq_take(struct virtq *q, void **token, uint32_t *len);
/* Asks for an interrupt at the next used chain; true when one is there already: take again. */
must_check bool virtq_arm(struct virtq *q);
void virtq_disarm(struct virtq *q);
must_check bool virtq_waits(struct virtq *q);
/* Gives back the token of one chain that is still out, after the device was reset; NULL when none is. */
void *virtq_reclaim(struct virtq *q);
void virtq_check(const struct virtq *q);

#endif
