/*
 * packet.h - what travels between network drivers and the stack: a list of
 * reference-counted fragments, with headroom in the first.
 *
 * A packet is owned by one holder at a time; passing it on passes ownership. The
 * bytes of a fragment are shared by reference (retransmission, file content by
 * reference) and never change once sent. Pools are split by class, so that
 * reception never starves transmission.
 */
#ifndef KERNEL_DEV_PACKET_H
#define KERNEL_DEV_PACKET_H

#include "kernel/mm/mm.h"
#include "lib/buf.h"

#define PACKET_HEADROOM 128 /* Ethernet, IPv4 and TCP with options */
#define PACKET_FRAGS    6

enum packet_class { PACKET_RX, PACKET_TX, PACKET_CONTROL, PACKET_CLASS_COUNT };

/* Memory that fragments refer to; the last release calls `free`. */
struct packet_mem {
	uint32_t refs; /* atomic */
	void (*free)(struct packet_mem *m);
};

struct packet_frag {
	struct packet_mem *mem;
	uint8_t *ptr;
	uint32_t len;
};

struct packet {
	struct list node;
	struct packet_frag frag[PACKET_FRAGS]; /* frag[0] has the headroom */
	uint8_t frag_count;
	uint8_t class;
	uint8_t flags; /* PACKET_CSUM_* */
	uint16_t csum_start, csum_offset;
	uint32_t len; /* of all fragments */
	struct netdev *dev;
	void (*sent)(struct packet *p); /* the driver is done; default: packet_free */
};

#define PACKET_CSUM_GOOD    1 /* received: the device has checked the transport checksum */
#define PACKET_CSUM_PARTIAL 2 /* to send: the device completes it */

/* A packet with one fragment of its own, room bytes behind the headroom; NULL when the class is exhausted. Any context. */
must_check struct packet *packet_alloc(enum packet_class class, size_t room);
void packet_free(struct packet *p); /* any context */
/* Adds a reference to bytes held elsewhere. ERR_NOSPC beyond PACKET_FRAGS. */
must_check enum err packet_add_ref(struct packet *p, struct packet_mem *mem, const uint8_t *ptr, size_t len);
uint8_t *packet_push(struct packet *p, size_t n); /* n more bytes in front, asserted to fit the headroom */
/* Removes n bytes in front; NULL when frag[0] has fewer. What was removed. */
must_check uint8_t *packet_pull(struct packet *p, size_t n);
void packet_trim(struct packet *p, size_t len); /* cuts the tail to len */
size_t packet_copy_out(const struct packet *p, size_t offset, struct wbuf to);

#endif
