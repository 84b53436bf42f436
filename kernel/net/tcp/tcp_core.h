/*
 * tcp_core.h - one TCP connection as a pure machine.
 *
 *	tcp_open_active / tcp_open_passive	begin
 *	tcp_input(c, seg, now, out)		a segment came in
 *	tcp_poll(c, now, out)			expire timers, give one segment to send;
 *						again until !out->send
 *	tcp_deadline(c)				when to poll next
 *	tcp_user_send/recv/shutdown/close/abort	what the user did; then poll
 *
 * The core knows sequence numbers, lengths and flags, never payload. The shell
 * keeps two queues for it. Send queue: begins at snd_una; out->acked bytes leave
 * its head, a segment to send is (off, len) in it. Receive: of a segment's
 * payload the shell keeps out->data_len bytes from out->data_skip on, data_pos
 * bytes beyond the in-order end before this segment (0: in order); kept pieces
 * may overlap. Then out->readable bytes, those kept earlier included, are in
 * order and may be read.
 *
 * Time-wait is not here: on TCP_EV_TIME_WAIT the shell takes a struct
 * tcp_timewait (tcp_timewait.h) and lets that answer.
 *
 * Locks: none; one caller at a time. Invariants: tcp_invariants_hold(), checked
 * at the end of each verb in debug.
 * Reference: RFC 9293, 7323, 6298, 5681, 6582, 6928, 3042, 5961.
 */
#ifndef KERNEL_NET_TCP_TCP_CORE_H
#define KERNEL_NET_TCP_TCP_CORE_H

#include "kernel/net/tcp/tcp_seg.h"
#include "lib/ktime.h"

/* Ranges kept out of order; a segment that would need one more is refused, the peer resends. */
#define TCP_OOO_RANGES 8

#define TCP_MSS_DEFAULT   536u /* RFC 9293 3.7.1: when the peer says nothing */
#define TCP_MSS_MIN       64u  /* a peer that says less gets this: bounds the work per byte */
#define TCP_RTO_FIRST_NS  (1 * NS_PER_S)     /* RFC 6298 2.1 */
#define TCP_RTO_MIN_NS    (200 * NS_PER_MS)  /* above any delayed ACK in use; RFC's 1 s stalls a LAN */
#define TCP_RTO_MAX_NS    (60 * NS_PER_S)    /* RFC 6298 2.5 */
#define TCP_RTO_RESYN_NS  (3 * NS_PER_S)     /* RFC 6298 5.7: when the SYN was sent again */
#define TCP_DELACK_NS     (40 * NS_PER_MS)   /* RFC 9293 3.8.6.3: below 500 ms */
#define TCP_FIN_WAIT_2_NS (60 * NS_PER_S)    /* the user is gone and the peer sends no FIN: give up */
#define TCP_ORPHAN_NS     (120 * NS_PER_S)   /* the user is gone: all is delivered by then, or given up */
#define TCP_DRAIN_NS      (2 * NS_PER_S)     /* tcp_user_drain: for the peer's FIN, after ours is acknowledged */
#define TCP_USER_TIMEOUT_NS (300 * NS_PER_S) /* RFC 9293 3.9.1: without progress the connection ends */
#define TCP_SYN_RETRIES    6 /* 127 s in all */
#define TCP_SYNACK_RETRIES 5 /* 63 s: a half-open connection holds no longer */
#define TCP_CHALLENGES_PER_S 10 /* RFC 5961 7: answers to suspicious segments, per connection */
#define TCP_PAWS_IDLE_NS (24 * 86400 * NS_PER_S) /* RFC 7323 5.5: then ts_recent is void */
#define TCP_CWND_MAX (1u << 30)

/* X(state) */
#define TCP_STATES(X)                                                                              \
	X(CLOSED) X(LISTEN) X(SYN_SENT) X(SYN_RECEIVED) X(ESTABLISHED) X(FIN_WAIT_1) X(FIN_WAIT_2) \
	X(CLOSE_WAIT) X(CLOSING) X(LAST_ACK) X(TIME_WAIT)
#define TCP_STATE_ENUM(s) TCP_##s,
enum tcp_state { TCP_STATES(TCP_STATE_ENUM) TCP_STATE_COUNT };
#undef TCP_STATE_ENUM

enum tcp_timer {
	TCP_TIMER_RTX,
	TCP_TIMER_PERSIST,
	TCP_TIMER_DELACK,
	TCP_TIMER_KEEP,
	TCP_TIMER_FIN_WAIT_2,
	TCP_TIMER_ORPHAN,
	TCP_TIMER_COUNT,
};

enum tcp_event {
	TCP_EV_CONNECTED = 1,
	TCP_EV_READABLE = 2,
	TCP_EV_WRITABLE = 4,    /* the send queue shrank */
	TCP_EV_PEER_CLOSED = 8, /* end of stream behind what is readable */
	TCP_EV_TIME_WAIT = 16,
	TCP_EV_CLOSED = 32, /* c->error says why: OK when it ended in order */
};

/* Why a segment or its payload was not taken: for the shell's counters. */
enum tcp_drop {
	TCP_DROP_NONE,
	TCP_DROP_SEQ,   /* outside the window, or old */
	TCP_DROP_PAWS,  /* old by its timestamp, or it has none */
	TCP_DROP_RST,   /* a reset that does not fit */
	TCP_DROP_SYN,   /* a SYN within the connection */
	TCP_DROP_ACK,   /* acknowledges nothing sendable, or no ACK at all */
	TCP_DROP_ROOM,  /* the shell has no room, or all ranges are in use */
	TCP_DROP_STATE, /* nothing of it means anything in this state */
};

/* ---- tcp_cong_core.c: congestion control, one of several ---- */

struct tcp_cong {
	const struct tcp_cong_ops *ops;
	uint32_t mss;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t acked;   /* since cwnd last grew */
	uint64_t priv[4]; /* the algorithm's */
};

struct tcp_cong_ops {
	struct str name;
	void (*init)(struct tcp_cong *cc, bool syn_lost);
	/* New data acknowledged outside recovery; flight: before this. */
	void (*ack)(struct tcp_cong *cc, uint32_t acked, uint32_t flight, int64_t srtt_ns, ktime now);
	void (*enter_recovery)(struct tcp_cong *cc, uint32_t flight);
	void (*dup_ack)(struct tcp_cong *cc); /* within recovery: one more segment has left */
	void (*partial_ack)(struct tcp_cong *cc, uint32_t acked);
	void (*exit_recovery)(struct tcp_cong *cc, uint32_t flight);
	void (*timeout)(struct tcp_cong *cc, uint32_t flight, bool again);
	void (*idle)(struct tcp_cong *cc); /* nothing was sent for an RTO */
};

extern const struct tcp_cong_ops tcp_cong_reno;

/* ---- tcp_rtt_core.c: RFC 6298 ---- */

struct tcp_rtt {
	int64_t srtt_ns; /* 0: no sample yet */
	int64_t rttvar_ns;
	int64_t rto_ns; /* before backoff */
	uint8_t backoff;
};

void tcp_rtt_init(struct tcp_rtt *r);
void tcp_rtt_sample(struct tcp_rtt *r, int64_t rtt_ns);
void tcp_rtt_backoff(struct tcp_rtt *r);
int64_t tcp_rto_ns(const struct tcp_rtt *r);

/* ---- tcp_reass_core.c: which bytes beyond rcv_nxt are held ---- */

struct tcp_range {
	tcp_seq left;
	tcp_seq right;
};

struct tcp_reass {
	uint32_t n;
	struct tcp_range r[TCP_OOO_RANGES]; /* ascending, not touching */
};

/* Bytes of [left, right) that are new; 0: all known, or no range is free. */
uint32_t tcp_reass_add(struct tcp_reass *q, tcp_seq left, tcp_seq right);
/* The in-order end when it has reached nxt: drops the ranges that it swallows. */
tcp_seq tcp_reass_advance(struct tcp_reass *q, tcp_seq nxt);
/* Nothing from `end` on is held any more: the shell gave it up, and the peer will send it again. */
void tcp_reass_cut(struct tcp_reass *q, tcp_seq end);

/* ---- the connection ---- */

struct tcp_config {
	const struct tcp_cong_ops *cong;
	uint32_t rcv_buf; /* bytes of payload that the shell will hold; at least 2 * mss */
	uint16_t mss;     /* largest payload without options: MTU - 40 */
	bool no_delay;    /* no Nagle */
	bool no_ts;
	bool no_scale;
	uint8_t keep_count;
	int64_t keep_idle_ns; /* 0: no keep-alive */
	int64_t keep_interval_ns;
	int64_t user_timeout_ns; /* 0: TCP_USER_TIMEOUT_NS */
	int64_t orphan_ns;       /* 0: TCP_ORPHAN_NS */
	uint32_t ts_offset;      /* added to the timestamp clock, from the keyed hash of the addresses */
};

struct tcp_core {
	enum tcp_state state;
	enum err error;
	struct tcp_config cfg;
	struct tcp_cong cc;
	struct tcp_rtt rtt;
	struct tcp_reass reass;

	/* send */
	tcp_seq iss, snd_una, snd_nxt;
	tcp_seq snd_max; /* highest sent; snd_nxt goes back when the timer expires */
	tcp_seq snd_end; /* behind the last byte that the user queued; the FIN's place */
	tcp_seq snd_wl1, snd_wl2;
	tcp_seq snd_small; /* behind the last segment sent that was not full */
	tcp_seq recover; /* RFC 6582 */
	tcp_seq rtt_seq; /* the byte whose acknowledgment is timed */
	uint32_t snd_wnd, snd_wnd_max;
	uint32_t mss; /* payload of a full segment, options deducted */
	ktime rtt_start, last_sent;
	ktime progress; /* snd_una moved, or something to be acknowledged began */

	/* receive */
	tcp_seq irs, rcv_nxt;
	tcp_seq rcv_adv; /* right edge of the largest window ever offered */
	tcp_seq last_ack;
	tcp_seq fin_seq; /* of a FIN seen ahead of its turn */
	uint32_t unread; /* in order, not yet consumed */
	uint32_t drain;  /* bytes that may still come and be dropped: tcp_user_drain */
	uint32_t rcv_mss; /* the peer's segment size, as seen */
	uint32_t ts_recent;
	ktime ts_recent_at;
	ktime heard; /* last acceptable segment */

	ktime timer[TCP_TIMER_COUNT];
	ktime challenge_at;
	uint8_t challenges;
	uint8_t snd_scale, rcv_scale;
	uint8_t dup_acks, rtx_count, keep_sent;
	bool passive, has_ts, has_scale, rtt_timed, syn_lost;
	bool fin_queued, fin_seen, user_gone, draining;
	bool more;  /* the user will send more at once: hold a part segment */
	bool in_recovery, partial_seen;
	bool ack_now, rtx_now, probe_now, keep_now, force_now; /* what poll is to send */

	/* counted for the reader of connection lists */
	uint64_t rx_bytes, tx_bytes;
	uint32_t retransmits;
};

struct tcp_out {
	uint32_t events; /* TCP_EV_* */
	enum tcp_drop drop;
	uint32_t data_skip, data_len, data_pos;
	uint32_t readable;
	uint32_t acked;
	bool send; /* tx is to be sent; the shell adds the ports */
	bool held_back; /* an answer was due, beyond TCP_CHALLENGES_PER_S */
	struct tcp_seg tx;
};

void tcp_open_active(struct tcp_core *c, const struct tcp_config *cfg, tcp_seq iss, ktime now);
/* In LISTEN, waiting for the SYN that tcp_input is given next. */
void tcp_open_passive(struct tcp_core *c, const struct tcp_config *cfg, tcp_seq iss, ktime now);

/* Not in CLOSED or TIME_WAIT: tcp_is_done(). */
void tcp_input(struct tcp_core *c, const struct tcp_seg *seg, ktime now, struct tcp_out *out);
void tcp_poll(struct tcp_core *c, ktime now, struct tcp_out *out);
ktime tcp_deadline(const struct tcp_core *c);

/* n more bytes are in the send queue. ERR_PIPE after shutdown; ERR_NOTCONN, or why it ended. */
must_check enum err tcp_user_send(struct tcp_core *c, uint32_t n, bool more, ktime now);
/* Consumed n of the readable bytes. */
void tcp_user_recv(struct tcp_core *c, uint32_t n);
/* Nothing more to send; reading goes on. */
must_check enum err tcp_user_shutdown(struct tcp_core *c, ktime now, struct tcp_out *out);
/* Neither reads nor sends any more. With unread bytes it resets (RFC 2525 2.17). */
void tcp_user_close(struct tcp_core *c, ktime now, struct tcp_out *out);
/*
 * The same without a reset, which would destroy what is on its way to the peer: what
 * is unread is dropped, and so are the next `bytes` that it sends; beyond, a reset.
 * The shell drops what it holds.
 */
void tcp_user_drain(struct tcp_core *c, uint32_t bytes, ktime now, struct tcp_out *out);
void tcp_user_abort(struct tcp_core *c, ktime now, struct tcp_out *out);
/* Half-open: forgets it without a word. Who was no forger is told by the reset that his ACK earns. */
void tcp_user_forget(struct tcp_core *c, struct tcp_out *out);
void tcp_user_keepalive(struct tcp_core *c, int64_t idle_ns, ktime now); /* 0: off */
/* The path takes at most mtu bytes (RFC 1191): smaller segments from now on, and again from snd_una. */
void tcp_set_mtu(struct tcp_core *c, uint32_t mtu, ktime now);

/* Nothing more goes through tcp_input: closed, or left to a time-wait record. */
static inline bool tcp_is_done(const struct tcp_core *c)
{
	return c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT;
}

struct str tcp_state_name(enum tcp_state s);
/* Asserts what must always be true; returns true. */
bool tcp_invariants_hold(const struct tcp_core *c);

#endif
