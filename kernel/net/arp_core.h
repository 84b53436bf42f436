/*
 * arp_core.h - the neighbour cache: which hardware address an IPv4 address has,
 * the packets that wait to learn it, and when to ask.
 *
 *	arp_table_init
 *	arp_resolve(packet)   known: its address; else queued, and a request to send
 *	arp_input(message)    learns; answers; what waited becomes ready
 *	arp_poll, arp_deadline   retransmission and aging
 *
 * Every function fills a struct arp_out, which says what the caller does after it
 * has dropped its lock: send one message, send the ready packets, free the dropped.
 *
 * Bounds: the table, the packets that wait on one entry (ARP_WAITING_MAX, the
 * oldest goes) and in all (waiting_max, the new one is refused); requests to one
 * neighbour (one a second), replies in all (a token bucket).
 *
 * What strangers say: a message makes a new entry only when it asks for us, and
 * such an entry may only take the place of another that we have never used. A
 * confirmed entry cannot be changed within ARP_LOCK_NS of its confirmation. A
 * claim of our own address is a conflict, never learned, and defended with one
 * announcement each ARP_DEFEND_NS (RFC 5227 section 2.4 (c)).
 *
 * Reference: RFC 826, RFC 1122 section 2.3.2, RFC 5227; states as in RFC 4861.
 */
#ifndef KERNEL_NET_ARP_CORE_H
#define KERNEL_NET_ARP_CORE_H

#include "kernel/net/rate.h"
#include "kernel/net/wire.h"
#include "lib/ktime.h"
#include "lib/list.h"

#define ARP_WAITING_MAX  4
#define ARP_TRIES        3
#define ARP_RETRY_NS     NS_PER_S
#define ARP_REACHABLE_NS (60 * NS_PER_S)
#define ARP_STALE_NS     (20 * 60 * NS_PER_S) /* kept that long unused */
#define ARP_FAILED_NS    (3 * NS_PER_S)       /* refuses at once that long */
#define ARP_LOCK_NS      NS_PER_S
#define ARP_DEFEND_NS    (10 * NS_PER_S)
#define ARP_HINTS        64

enum arp_state {
	ARP_FREE,
	ARP_INCOMPLETE, /* asked by broadcast, no answer yet */
	ARP_REACHABLE,  /* confirmed lately */
	ARP_STALE,      /* usable; asked again at the next use */
	ARP_PROBE,      /* usable; asked by unicast */
	ARP_FAILED,     /* did not answer */
	ARP_STATE_COUNT,
};
struct str arp_state_name(enum arp_state s);

struct arp_entry {
	uint32_t ip;
	uint16_t iface;
	uint8_t state; /* enum arp_state */
	uint8_t tries;
	uint8_t mac[ETHER_ADDR_BYTES];
	bool used; /* we have sent to it */
	uint8_t waiting_n;
	struct list waiting;
	ktime since;    /* confirmed; INCOMPLETE and FAILED: first asked */
	ktime deadline; /* of the state */
	ktime used_at;
};

struct arp_table {
	struct arp_entry *entry;
	size_t count;
	size_t waiting_total, waiting_max;
	struct rate replies;
	ktime defended;         /* when an address of ours was last defended */
	uint8_t hint[ARP_HINTS]; /* by low bits of the address: where it was last */
};

/* An interface as ARP sees it. */
struct arp_local {
	uint32_t ip; /* 0: not configured, nothing is answered */
	uint16_t iface;
	uint8_t mac[ETHER_ADDR_BYTES];
};

struct arp_out {
	uint16_t iface;
	uint16_t send_op; /* ARP_REQUEST, ARP_REPLY or 0: nothing. Sender: the interface */
	uint32_t target_ip;
	uint8_t target_mac[ETHER_ADDR_BYTES];
	uint8_t to[ETHER_ADDR_BYTES]; /* destination of the frame */
	struct list ready;            /* packets to send to ready_mac */
	uint8_t ready_mac[ETHER_ADDR_BYTES];
	struct list drop_unresolved; /* packets to free, by reason */
	struct list drop_full;
};

enum arp_verdict {
	ARP_TAKEN,
	ARP_BAD,      /* addresses that cannot be */
	ARP_IGNORED,  /* not for us, nothing learned */
	ARP_CONFLICT, /* somebody claims our address */
	ARP_LIMITED,  /* not answered: the rate */
	ARP_NO_ENTRY, /* answered, not learned: the table is full of better entries */
};

enum arp_resolution { ARP_RESOLVED, ARP_QUEUED, ARP_UNREACHABLE, ARP_NO_ROOM };

/* At most 255 entries; the memory stays the caller's. */
void arp_table_init(struct arp_table *t, struct arp_entry *entries, size_t count, size_t waiting_max,
	uint32_t replies_per_second);
/*
 * RESOLVED: the address is in out->ready_mac, the packet stays the caller's.
 * QUEUED: the table has it. UNREACHABLE (it failed lately), NO_ROOM: the caller's.
 */
must_check enum arp_resolution arp_resolve(struct arp_table *t, ktime now, uint16_t iface, uint32_t ip,
	struct list *packet, struct arp_out *out);
must_check enum arp_verdict arp_input(struct arp_table *t, ktime now, const struct arp_local *local,
	const struct wire_arp *msg, struct arp_out *out);
/* Acts on one entry that is due; false when there is none. */
must_check bool arp_poll(struct arp_table *t, ktime now, struct arp_out *out);
ktime arp_deadline(const struct arp_table *t);
/* The message that announces our address (RFC 5227 section 2.3). */
void arp_announce(const struct arp_local *local, struct arp_out *out);
/* Checks the accounting of waiting packets and the states (debug). */
void arp_check(const struct arp_table *t);

#endif
