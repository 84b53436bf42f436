/*
 * tcp_steps.h - what the files of the TCP core share among themselves. Nobody
 * else includes it.
 */
#ifndef KERNEL_NET_TCP_TCP_STEPS_H
#define KERNEL_NET_TCP_TCP_STEPS_H

#include "kernel/net/tcp/tcp_core.h"
#include "lib/assert.h"

enum tcp_verdict { TCP_NEXT, TCP_DROP, TCP_REPLY_ACK, TCP_REPLY_RST };

/* A segment on its way through the steps; seq, skip, len and fin shrink to the window. */
struct tcp_in {
	const struct tcp_seg *seg;
	struct tcp_out *out;
	ktime now;
	tcp_seq seq; /* of the first byte of payload that counts */
	uint32_t skip, len;
	bool fin;
};

/* tcp_state_core.c */
void tcp_set_state(struct tcp_core *c, enum tcp_state to);
void tcp_established(struct tcp_core *c, ktime now, struct tcp_out *out);
void tcp_enter_time_wait(struct tcp_core *c, struct tcp_out *out);
/* To CLOSED without a word to the peer. */
void tcp_end(struct tcp_core *c, enum err why, struct tcp_out *out);
/* To CLOSED, with a reset when the peer has a connection. */
void tcp_end_reset(struct tcp_core *c, enum err why, struct tcp_out *out);
bool tcp_fin_acked(const struct tcp_core *c);

/* tcp_ack_core.c: the sender's side of an acknowledgment */
void tcp_ack_window(struct tcp_core *c, const struct tcp_seg *seg, bool scaled);
void tcp_ack_process(struct tcp_core *c, struct tcp_in *in);

/* tcp_text_core.c: the receiver's side */
void tcp_trim(struct tcp_core *c, struct tcp_in *in);
enum tcp_verdict tcp_step_text(struct tcp_core *c, struct tcp_in *in);
enum tcp_verdict tcp_step_fin(struct tcp_core *c, struct tcp_in *in);

/* tcp_open_core.c */
void tcp_peer_options(struct tcp_core *c, const struct tcp_seg *syn, ktime now);
enum tcp_verdict tcp_input_listen(struct tcp_core *c, struct tcp_in *in);
enum tcp_verdict tcp_input_syn_sent(struct tcp_core *c, struct tcp_in *in);

/* tcp_output_core.c */
must_check bool tcp_emit(struct tcp_core *c, ktime now, struct tcp_seg *tx);
void tcp_fill_reset(struct tcp_core *c, struct tcp_seg *tx);
bool tcp_window_update_due(const struct tcp_core *c);
tcp_seq tcp_ack_seq(const struct tcp_core *c);

/* tcp_timer_core.c */
void tcp_timers_run(struct tcp_core *c, ktime now, struct tcp_out *out);
void tcp_timer_rtx_restart(struct tcp_core *c, ktime now);
void tcp_timer_persist_arm(struct tcp_core *c, ktime now);
void tcp_timer_keep_restart(struct tcp_core *c, ktime now);
void tcp_timer_fin_wait_2_arm(struct tcp_core *c, ktime now);

static inline void tcp_out_init(struct tcp_out *out)
{
	out->events = 0;
	out->drop = TCP_DROP_NONE;
	out->data_skip = out->data_len = out->data_pos = out->readable = out->acked = 0;
	out->send = out->held_back = false;
}

static inline void tcp_timer_stop(struct tcp_core *c, enum tcp_timer t)
{
	c->timer[t] = KTIME_NEVER;
}

static inline bool tcp_timer_armed(const struct tcp_core *c, enum tcp_timer t)
{
	return !ktime_is_never(c->timer[t]);
}

/* Behind all that is to be sent, the FIN included. */
static inline tcp_seq tcp_send_end(const struct tcp_core *c)
{
	return seq_add(c->snd_end, c->fin_queued);
}

static inline uint32_t tcp_rcv_window(const struct tcp_core *c)
{
	int32_t w = seq_diff(c->rcv_adv, c->rcv_nxt);
	return w > 0 ? (uint32_t)w : 0;
}

/* The timestamp clock: milliseconds (RFC 7323 5.4: between 1 ms and 1 s). */
static inline uint32_t tcp_ts_now(const struct tcp_core *c, ktime now)
{
	return (uint32_t)((uint64_t)now.ns / NS_PER_MS) + c->cfg.ts_offset;
}

#endif
