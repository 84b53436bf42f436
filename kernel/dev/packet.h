/*
 * packet.h - what travels between network drivers and the stack: a list of
 * reference-counted fragments, with headroom in the first.
 *
 * A packet is owned by one holder at a time; passing it on passes ownership. The
 * bytes of a fragment are shared by reference (retransmission, file content by
 * reference) and never change once sent.
 *
 * Reserves: every class has packets and buffers of its own, all taken at boot, so
 * that reception never starves transmission, nor either the answers that keep the
 * network alive (ACK, RST, ARP, ICMP: CONTROL). An empty class is a NULL, counted
 * by its pool ("packet_rx", "packet_rx_buf" ... in /proc/pools).
 *
 * A received packet has exactly one fragment. Whoever wants to keep one beyond
 * the input call asks packet_may_keep(): the last CONFIG_PACKET_RX_RESERVE buffers
 * are for reception itself; below that it copies what it needs, or drops.
 *
 * Context: any, unless said otherwise. A packet has no lock: it has an owner.
 */
#ifndef KERNEL_DEV_PACKET_H
#define KERNEL_DEV_PACKET_H

#include "lib/buf.h"
#include "lib/list.h"

#define PACKET_HEADROOM  128  /* Ethernet, IPv4 and TCP with all options: 14 + 20 + 60, and alignment */
#define PACKET_SMALL_MAX 128  /* room that fits the packet itself: no buffer is taken */
#define PACKET_ROOM_MAX  1792 /* room of a buffer: a full frame of 1514 bytes, in 2 KiB with the rest */
#define PACKET_FRAGS     6

/* CONTROL packets are small: at most PACKET_SMALL_MAX bytes of room. */
enum packet_class { PACKET_RX, PACKET_TX, PACKET_CONTROL, PACKET_CLASS_COUNT };

/* Memory that fragments refer to; the last release calls `free`. */
struct packet_mem {
	uint32_t refs; /* atomic */
	void (*free)(struct packet_mem *m); /* any context that frees packets; spinlocks may be held */
};

static inline void packet_mem_init(struct packet_mem *m, void (*free_fn)(struct packet_mem *))
{
	*m = (struct packet_mem){1, free_fn};
}
void packet_mem_get(struct packet_mem *m);
void packet_mem_put(struct packet_mem *m);

struct packet_frag {
	struct packet_mem *mem;
	uint8_t *ptr;
	uint32_t len;
};

struct packet {
	struct list node; /* the owner's */
	struct packet_frag frag[PACKET_FRAGS]; /* frag[0] has the headroom */
	uint8_t frag_count;
	uint8_t class;
	uint8_t flags; /* PACKET_CSUM_* */
	uint16_t headroom; /* bytes in front of and behind frag[0] that are the packet's own */
	uint16_t tailroom;
	uint16_t csum_start;  /* PARTIAL: where the sum begins, from the first byte of the frame */
	uint16_t csum_offset; /* PARTIAL: where it is stored, from csum_start */
	uint32_t len;         /* of all fragments */
	struct netdev *dev;   /* received: where */
	void (*sent)(struct packet *p); /* the driver is done with it; NULL: packet_free */
	struct packet_mem self; /* the memory of the packet itself and its small buffer */
};

#define PACKET_CSUM_GOOD    1 /* received: the device has checked the transport checksum */
#define PACKET_CSUM_PARTIAL 2 /* to send: the device completes it; the pseudo-header's sum is stored */

/*
 * A packet with one fragment of its own: length 0, PACKET_HEADROOM bytes in front
 * and at least `room` behind (packet_append). NULL when the class is exhausted.
 * room above PACKET_ROOM_MAX (CONTROL: PACKET_SMALL_MAX) is a bug.
 */
must_check struct packet *packet_alloc(enum packet_class class, size_t room);
void packet_free(struct packet *p); /* NULL is allowed */
/* Whether a received packet may be kept beyond the input call; see above. */
must_check bool packet_may_keep(const struct packet *p);

/* ---- packet_core.c: the fragments ---- */

/* n more bytes in front, in the headroom (a bug if it is too small): where they are. */
uint8_t *packet_push(struct packet *p, size_t n);
/* Removes n bytes in front; NULL when frag[0] has fewer. What was removed. */
must_check uint8_t *packet_pull(struct packet *p, size_t n);
/* n more bytes at the end of the last fragment, which must be the packet's own; NULL when its room is used up. */
must_check uint8_t *packet_append(struct packet *p, size_t n);
/* Adds a reference to bytes held elsewhere. ERR_NOSPC beyond PACKET_FRAGS. */
must_check enum err packet_add_ref(struct packet *p, struct packet_mem *mem, const uint8_t *ptr, size_t len);
/* Cuts the tail to len; fragments left empty are released. */
void packet_trim(struct packet *p, size_t len);
/* Copies from offset on, as much as there is and fits: how much. */
size_t packet_copy_out(const struct packet *p, size_t offset, struct wbuf to);
/* The first fragment; of a received packet, all of it. */
static inline struct rbuf packet_data(const struct packet *p)
{
	return rbuf_of(p->frag[0].ptr, p->frag[0].len);
}
/* Gives all fragments back; for packet_free(). */
void packet_release_frags(struct packet *p);
/* Asserts that lengths add up and fragments are sound (debug). */
void packet_check(const struct packet *p);

#endif
