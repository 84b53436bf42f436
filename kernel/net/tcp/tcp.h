/*
 * tcp.h - TCP connections for the rest of the kernel. No sockets: a connection
 * is an object, its verbs are functions.
 *
 *	tcp_listen, tcp_accept			serve
 *	tcp_connect				dial
 *	tcp_send, tcp_send_ref			copy in; by reference, freed when acknowledged
 *	tcp_recv; tcp_peek and tcp_consume	copy out; look at the bytes in place
 *	tcp_shutdown, tcp_close, tcp_abort	half, in order, at once
 *	tcp_drain				in order, whatever the peer still sends
 *	tcp_pollset_*				one thread waits for many
 *
 * Blocking calls take an absolute deadline: KTIME_ZERO never waits (ERR_AGAIN),
 * KTIME_NEVER waits for good, otherwise ERR_TIMEDOUT; ERR_INTR when the thread is
 * cancelled. What a connection ended with comes back from every later call.
 *
 * Locks: each connection has a priority-inheritance mutex (LOCK_TCP_CONN); the
 * tables are under LOCK_TCP_TABLE, a pollset's list under LOCK_TCP_READY. Thread
 * context only. A handle (tcp_conn, tcp_listener) belongs to one user, who may
 * call from several threads but closes it once, when no call is under way.
 *
 * Limits, each refusal counted (tcp_counter): CONFIG_TCP_CONNECTIONS in all,
 * CONFIG_TCP_HALF_OPEN and CONFIG_TCP_PER_PEER among them, a listener's backlog,
 * CONFIG_TCP_RX_BUFFERS and CONFIG_TCP_TX_BUFFERS of TCP_BUF_BYTES, of which each
 * connection has one and shares the others (tcp_buffers.c): a segment that finds no
 * buffer is dropped and sent again by the peer.
 */
#ifndef KERNEL_NET_TCP_TCP_H
#define KERNEL_NET_TCP_TCP_H

#include "kernel/dev/packet.h"
#include "lib/result.h"

struct tcp_conn;
struct tcp_listener;
struct tcp_pollset;

RESULT(struct tcp_conn *, tcp_conn_result);
RESULT(struct tcp_listener *, tcp_listener_result);

struct tcp_addr {
	uint32_t addr;
	uint16_t port;
};

/* ---- tcp_listen.c ---- */

/* On one of our addresses, or IPV4_ANY; `backlog` connections wait for accept at most. ERR_ADDRINUSE, ERR_NOMEM. */
must_check struct tcp_listener_result tcp_listen(uint32_t addr, uint16_t port, uint16_t backlog);
must_check struct tcp_conn_result tcp_accept(struct tcp_listener *l, ktime deadline);
/* Connections not yet accepted are reset. */
void tcp_listener_close(struct tcp_listener *l);

/* ---- tcp_api.c ---- */

/* With KTIME_ZERO it returns at once, connecting: TCP_READY_OUT tells when it has, or failed. */
must_check struct tcp_conn_result tcp_connect(uint32_t addr, uint16_t port, ktime deadline);

#define TCP_MORE 1 /* more follows at once: a part segment waits for it */

/* How many bytes were taken: all of them, or as many as went before the error or deadline. */
must_check struct size_result tcp_send(struct tcp_conn *c, struct rbuf from, unsigned flags,
	ktime deadline);
/*
 * The same without a copy: takes a reference to `mem` for as long as some of the
 * bytes are needed. All or nothing: ERR_AGAIN when the queue has no place now;
 * ERR_NOBUFS, of both, when not even the first buffer is to be had: try later.
 */
must_check enum err tcp_send_ref(struct tcp_conn *c, struct packet_mem *mem, struct rbuf bytes,
	unsigned flags, ktime deadline);
/* At least one byte; 0 at the end of the stream. */
must_check struct size_result tcp_recv(struct tcp_conn *c, struct wbuf to, ktime deadline);
/* The readable bytes that lie together, at least one, valid until consumed; length 0: end of stream. */
must_check enum err tcp_peek(struct tcp_conn *c, struct rbuf *out, ktime deadline);
void tcp_consume(struct tcp_conn *c, size_t n);

must_check enum err tcp_shutdown(struct tcp_conn *c);
/*
 * What was sent is still delivered, within TCP_ORPHAN_NS (tcp_core.h); more than
 * CONFIG_TCP_ORPHANS at once get a few seconds only. Bytes of the peer's that nobody
 * has read, or that come later, end it by a reset.
 */
void tcp_close(struct tcp_conn *c);
/* As tcp_close, for a last reply: what the peer still sends is dropped for a while, and no reset destroys it. */
void tcp_drain(struct tcp_conn *c);
void tcp_abort(struct tcp_conn *c);
/* What was sent and is not acknowledged, and since when no byte of it has been. */
struct tcp_backlog {
	uint64_t bytes;
	ktime since;
	bool ended; /* as TCP_READY_END: nothing will be acknowledged any more */
};
struct tcp_backlog tcp_backlog(struct tcp_conn *c);
void tcp_set_no_delay(struct tcp_conn *c, bool on);
void tcp_set_keepalive(struct tcp_conn *c, int64_t idle_ns); /* 0: off */
struct tcp_addr tcp_local(const struct tcp_conn *c);
struct tcp_addr tcp_remote(const struct tcp_conn *c);

/* ---- tcp_pollset.c: readiness of many connections, by level ---- */

#define TCP_READY_IN  1 /* bytes, end of stream, a connection to accept */
#define TCP_READY_OUT 2 /* room to send; connected */
#define TCP_READY_END 4 /* closed or failed: always reported */
#define TCP_READY_LOW 8 /* at most TCP_LOW_BYTES of what was sent are not acknowledged */

#define TCP_LOW_BYTES 4096

struct tcp_ready {
	void *cookie;
	uint32_t ready;
};

/* NULL when there is no memory. */
must_check struct tcp_pollset *tcp_pollset_create(void);
void tcp_pollset_destroy(struct tcp_pollset *p); /* empty */
/* A connection is in one pollset at most; closing it takes it out. add on a member changes its mask. */
void tcp_pollset_add(struct tcp_pollset *p, struct tcp_conn *c, uint32_t mask, void *cookie);
void tcp_pollset_remove(struct tcp_conn *c);
void tcp_pollset_add_listener(struct tcp_pollset *p, struct tcp_listener *l, void *cookie);
/* Up to n entries; OK with 0 entries when woken by tcp_pollset_wake. ERR_TIMEDOUT, ERR_INTR. */
must_check struct size_result tcp_pollset_wait(struct tcp_pollset *p, struct tcp_ready *out, size_t n,
	ktime deadline);
void tcp_pollset_wake(struct tcp_pollset *p); /* any context */

/* ---- tcp_info.c ---- */

struct tcp_info {
	uint32_t id;
	struct str state;
	struct tcp_addr local, remote;
	uint32_t cwnd_bytes, ssthresh_bytes;
	int64_t srtt_ns, rto_ns;
	uint32_t snd_una, snd_nxt, rcv_nxt;
	uint64_t rx_bytes, tx_bytes;
	uint32_t retransmits;
	bool sack;
};
/* X(member): the numbers, as columns of /net/tcp/connections and members of /api/tcp. */
#define TCP_INFO_NUMBERS(X)                                                                        \
	X(cwnd_bytes)                                                                              \
	X(ssthresh_bytes)                                                                          \
	X(srtt_ns)                                                                                 \
	X(rto_ns)                                                                                  \
	X(snd_una)                                                                                 \
	X(snd_nxt)                                                                                 \
	X(rcv_nxt)                                                                                 \
	X(rx_bytes)                                                                                \
	X(tx_bytes)                                                                                \
	X(retransmits)
/* Connections, time-wait records and listeners from *cursor on (begin with 0); false at the end. */
must_check bool tcp_info_next(size_t *cursor, struct tcp_info *out);

/* X(symbol, name as in /net/tcp/stats) */
#define TCP_COUNTERS(X)                                                                            \
	X(TCP_RX_SEGMENTS, "rx_segments")                                                          \
	X(TCP_RX_MALFORMED, "rx_drop_malformed")                                                   \
	X(TCP_RX_CHECKSUM, "rx_drop_checksum")                                                     \
	X(TCP_RX_BROADCAST, "rx_drop_broadcast")                                                   \
	X(TCP_RX_SEQ, "rx_drop_out_of_window")                                                     \
	X(TCP_RX_PAWS, "rx_drop_old_timestamp")                                                    \
	X(TCP_RX_BAD_RST, "rx_drop_bad_reset")                                                     \
	X(TCP_RX_BAD_SYN, "rx_drop_bad_syn")                                                       \
	X(TCP_RX_BAD_ACK, "rx_drop_bad_ack")                                                       \
	X(TCP_RX_NO_ROOM, "rx_drop_no_room")                                                       \
	X(TCP_RX_STATE, "rx_drop_wrong_state")                                                     \
	X(TCP_RX_NOWHERE, "rx_no_connection")                                                      \
	X(TCP_TX_SEGMENTS, "tx_segments")                                                          \
	X(TCP_TX_RESETS, "tx_resets")                                                              \
	X(TCP_TX_RESETS_LIMITED, "tx_resets_rate_limited")                                         \
	X(TCP_TX_CHALLENGES_LIMITED, "tx_challenges_rate_limited")                                 \
	X(TCP_TX_NO_PACKET, "tx_drop_no_packet")                                                   \
	X(TCP_TX_FAILED, "tx_drop_by_ip")                                                          \
	X(TCP_OPENED_ACTIVE, "opened_active")                                                      \
	X(TCP_OPENED_PASSIVE, "opened_passive")                                                    \
	X(TCP_ACCEPTED, "accepted")                                                                \
	X(TCP_ENDED_OK, "ended_in_order")                                                          \
	X(TCP_ENDED_ERROR, "ended_by_error")                                                       \
	X(TCP_ORPHANS_GIVEN_UP, "orphans_given_up")                                                \
	X(TCP_ORPHANS_HURRIED, "orphans_hurried")                                                  \
	X(TCP_TIME_WAITS, "time_wait_entered")                                                     \
	X(TCP_TIME_WAIT_RECYCLED, "time_wait_recycled")                                            \
	X(TCP_TIME_WAIT_REUSED, "time_wait_reopened")                                              \
	X(TCP_REFUSED_CONNECTIONS, "refused_connections_full")                                     \
	X(TCP_REFUSED_HALF_OPEN, "refused_half_open_full")                                         \
	X(TCP_REFUSED_PER_PEER, "refused_per_peer")                                                \
	X(TCP_REFUSED_BACKLOG, "refused_backlog_full")                                             \
	X(TCP_REFUSED_NO_ROUTE, "refused_no_route_back")                                           \
	X(TCP_REFUSED_LISTENERS, "refused_listeners_full")                                         \
	X(TCP_REFUSED_POLLSETS, "refused_pollsets_full")                                           \
	X(TCP_HALF_OPEN_RECYCLED, "half_open_recycled")                                            \
	X(TCP_RX_GIVEN_UP, "rx_given_up_for_due")                                                  \
	X(TCP_REFUSED_RX_BUFFERS, "refused_receive_buffers")                                       \
	X(TCP_REFUSED_AHEAD, "refused_out_of_order_full")                                          \
	X(TCP_REFUSED_TX_BUFFERS, "refused_send_buffers")                                          \
	X(TCP_REFUSED_CALLOUT, "refused_callouts")

#define TCP_COUNTER_ENUM(symbol, name) symbol,
enum tcp_counter { TCP_COUNTERS(TCP_COUNTER_ENUM) TCP_COUNTER_COUNT };
#undef TCP_COUNTER_ENUM

uint64_t tcp_counter(enum tcp_counter c);
struct str tcp_counter_name(enum tcp_counter c);

struct tcp_stats {
	uint32_t connections, half_open, time_waits, listeners;
	uint32_t orphans; /* connections whose user is gone */
};
void tcp_stats(struct tcp_stats *out);

/* ---- initcall to need: "net_tcp" ---- */

#endif
