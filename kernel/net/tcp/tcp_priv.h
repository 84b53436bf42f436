/*
 * tcp_priv.h - the shell around the TCP core: what its files share.
 *
 * A connection is kept alive by references: the table (as long as the core is
 * not done), the user's handle or the accept queue, a pending timer, and whoever
 * has just looked it up. The last put frees it.
 *
 * Locks: conn->lock, then the table's, then a pollset's. Fields of a connection
 * are its lock's unless said otherwise.
 */
#ifndef KERNEL_NET_TCP_TCP_PRIV_H
#define KERNEL_NET_TCP_TCP_PRIV_H

#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/net/tcp/tcp_core.h"
#include "kernel/net/tcp/tcp_timewait.h"
#include "kernel/sync/condvar.h"
#include "kernel/time/time.h"

#define TCP_BUF_BYTES   2048 /* with its head: a full segment and a half */
#define TCP_BUF_ROOM    (TCP_BUF_BYTES - sizeof(struct tcp_chunk))
#define TCP_COPY_MAX    512  /* payload up to here is copied into the packet: cheaper than a reference */
#define TCP_OUT_MAX     64   /* segments sent in one stretch of a connection's lock */
#define TCP_DRAIN_BYTES (256u * 1024) /* of what a peer still sends after the last reply */
#define TCP_ORPHAN_SHORT_NS (2 * NS_PER_S) /* for those beyond CONFIG_TCP_ORPHANS */

#define TCP_PEER_SLOTS  256  /* peers are told apart by a hash: two of one slot share its limits */

enum tcp_buf { TCP_BUF_RX, TCP_BUF_TX, TCP_BUF_REF, TCP_BUF_KINDS };

struct tcp_tuple {
	uint32_t local, remote;
	uint16_t local_port, remote_port;
};

/* A piece of a queue. Its own room follows the struct when mem is its own. */
struct tcp_chunk {
	struct list node;
	uint64_t pos; /* stream position of data[0] */
	const uint8_t *data;
	uint32_t len;
	uint32_t room; /* bytes that may still be appended */
	struct packet_mem *mem;
	struct packet_mem own;
	struct tcp_conn *conn; /* who holds it, until it is freed; packets may refer to it for longer */
	uint8_t kind;
};

struct tcp_queue {
	struct list chunks;  /* in order */
	uint64_t head, tail; /* stream positions: first byte held, behind the last */
	struct tcp_chunk *at; /* where the last search ended; NULL: the front */
};

struct tcp_pollitem {
	struct list node; /* LOCK_TCP_READY of set */
	struct tcp_pollset *set; /* the connection's or the table's lock */
	void *cookie;
	uint32_t mask, ready; /* LOCK_TCP_READY */
};

struct tcp_conn {
	struct tcp_tuple tuple; /* const */
	uint32_t id;            /* const */
	uint32_t slot;          /* const */
	uint32_t peer;          /* const, below TCP_PEER_SLOTS */
	uint32_t refs;          /* atomic */
	struct mutex lock;
	struct condvar changed;
	struct tcp_core core;
	struct tcp_queue tx, rx;
	struct list ahead; /* chunks beyond the in-order end, by position */
	uint32_t ahead_n;
	struct tcp_chunk *spare; /* for the segment that is being looked at */
	uint32_t held[TCP_BUF_KINDS];
	struct tcp_listener *listener; /* until accepted or refused */
	struct tcp_pollitem poll;
	struct callout timer;
	ktime timer_at; /* KTIME_NEVER: not armed */
	bool orphan;    /* the user is gone, the core not yet */
	bool starved;   /* a send found no buffer; until something is acknowledged */

	/* LOCK_TCP_TABLE */
	struct list hash;
	struct list accept; /* half-open: the listener's list of those, then its queue */
	struct list half_age;
	bool in_table, half_open;
};

struct tcp_listener {
	uint32_t addr;
	uint16_t port, backlog;
	/* LOCK_TCP_TABLE */
	struct list half;  /* half-open, oldest first */
	struct list queue; /* complete */
	uint32_t pending;  /* both, and who is at work on either */
	bool used;
	bool closing; /* found by nobody; free when nothing is pending any more */
	struct tcp_pollitem poll;
	struct waitq waiters;
};

struct tcp_tw {
	struct list hash, age; /* LOCK_TCP_TABLE, all of it */
	struct tcp_tuple tuple;
	struct tcp_timewait tw;
};

extern uint64_t tcp_counters[TCP_COUNTER_COUNT]; /* atomic */
static inline void tcp_count(enum tcp_counter c)
{
	__atomic_fetch_add(&tcp_counters[c], 1, __ATOMIC_RELAXED);
}

/* ---- tcp_table.c ---- */

struct tcp_found {
	struct tcp_conn *conn; /* with a reference */
	bool answered;         /* a time-wait record took it; reply is to be sent if has_reply */
	bool has_reply;
	struct tcp_seg reply;
};

extern struct spinlock tcp_table_lock;
enum err tcp_table_init(void);
uint64_t tcp_tuple_hash(const struct tcp_tuple *t);
uint32_t tcp_peer_slot(uint32_t addr);
void tcp_table_find(const struct tcp_tuple *t, const struct tcp_seg *seg, ktime now,
	struct tcp_found *out);
/* Takes a reference, counts against the limits. */
must_check enum err tcp_table_insert(struct tcp_conn *c, bool half_open);
void tcp_table_remove(struct tcp_conn *c); /* the reference stays the caller's */
struct tcp_conn *tcp_table_half_open_full_locked(void);
void tcp_table_established(struct tcp_conn *c);
void tcp_table_time_wait(struct tcp_conn *c, ktime now);
must_check bool tcp_table_port_free(const struct tcp_tuple *t);
struct tcp_conn *tcp_table_at(size_t slot); /* with a reference, or NULL */
must_check bool tcp_table_tw_at(size_t i, struct tcp_tw *out);
void tcp_table_stats(struct tcp_stats *out);
must_check uint32_t tcp_table_slot_take(struct tcp_conn *c); /* UINT32_MAX: none */
void tcp_table_slot_give(uint32_t slot);

/* ---- tcp_buffers.c ---- */

enum err tcp_buffers_init(void);
/* NULL, counted, when the connection may not have another one now. */
must_check struct tcp_chunk *tcp_chunk_alloc(struct tcp_conn *c, enum tcp_buf kind);
void tcp_chunk_reset(struct tcp_chunk *k); /* empty again */
void tcp_chunk_free(struct tcp_chunk *k);

/* ---- tcp_queue.c ---- */

void tcp_queue_init(struct tcp_queue *q);
void tcp_queue_drop(struct tcp_queue *q, uint64_t n); /* from the head */
void tcp_queue_clear(struct tcp_queue *q);
struct tcp_chunk *tcp_queue_last(struct tcp_queue *q); /* or NULL */
void tcp_queue_append(struct tcp_queue *q, struct tcp_chunk *k);
/* At the end of k, as much as has room there: how much. */
size_t tcp_chunk_fill(struct tcp_chunk *k, struct rbuf from);
/* Copies to the end of what is to be sent; how much, less than asked when no buffer is to be had. */
size_t tcp_queue_copy_in(struct tcp_conn *c, struct rbuf from);
must_check bool tcp_queue_ref(struct tcp_conn *c, struct packet_mem *mem, struct rbuf bytes);
size_t tcp_queue_peek(struct tcp_queue *q, struct rbuf *out);
must_check bool tcp_queue_refers(struct tcp_queue *q, uint32_t off, uint32_t len);
must_check enum err tcp_queue_to_packet(struct tcp_queue *q, uint32_t off, uint32_t len, bool copy,
	struct packet *p);

/* ---- tcp_receive.c ---- */

/* Before a segment with payload: a buffer for it. False: it cannot be kept. */
must_check bool tcp_receive_room(struct tcp_conn *c, const struct tcp_seg *seg);
void tcp_receive_keep(struct tcp_conn *c, const uint8_t *payload, const struct tcp_out *out);
void tcp_receive_settle(struct tcp_conn *c); /* after it: gives back what was not needed */
void tcp_receive_clear(struct tcp_conn *c);

/* ---- tcp_conn.c ---- */

enum err tcp_conn_init_pool(void);
must_check struct tcp_conn_result tcp_conn_create(const struct tcp_tuple *t, uint16_t mtu);
void tcp_conn_config(const struct tcp_conn *c, uint16_t mtu, struct tcp_config *cfg);
void tcp_conn_get(struct tcp_conn *c);
void tcp_conn_put(struct tcp_conn *c);
/* With the lock: carries out what the core said, and all that it has to send. */
void tcp_conn_apply(struct tcp_conn *c, const struct tcp_out *out, const uint8_t *payload, ktime now);
void tcp_conn_run(struct tcp_conn *c, ktime now);
void tcp_conn_abort(struct tcp_conn *c, ktime now); /* with the lock; the user's handle stays, of what is over */
/* The user goes: how long the core may take from now on, counted until it has ended. */
void tcp_conn_orphan(struct tcp_conn *c);
uint32_t tcp_conn_orphans(void);
void tcp_conn_transmit(const struct tcp_tuple *t, struct tcp_queue *q, struct tcp_seg *seg);

/* ---- tcp_listen.c ---- */

/* A SYN for nobody known: a new connection if somebody listens; false: nobody does. */
must_check bool tcp_listen_input(const struct tcp_tuple *t, const struct tcp_seg *seg, ktime now);
void tcp_listen_ready(struct tcp_conn *c);  /* handshake complete */
void tcp_listen_failed(struct tcp_conn *c); /* it ended before accept */
must_check bool tcp_listener_at(size_t i, struct tcp_addr *out);

/* ---- tcp_pollset.c ---- */

void tcp_pollset_update(struct tcp_pollitem *it, uint32_t ready);
uint32_t tcp_conn_ready(const struct tcp_conn *c);

/* ---- tcp_rx.c ---- */

void tcp_input_packet(const struct ipv4_rx *rx, struct packet *p);
void tcp_input_error(const struct net_error *e);

#endif
