/*
 * tcp_timer_core.c - what happens when time passes.
 *
 * Each timer is an instant in c->timer[]; tcp_poll() runs the ones that are due,
 * which only mark what is to be sent, or end the connection.
 *
 * Reference: RFC 6298 section 5; RFC 9293 3.8.3 (R2, user timeout), 3.8.4
 * (keep-alive), 3.8.6.1 (zero window), 3.8.6.3 (delayed ACK).
 */
#include "kernel/net/tcp/tcp_steps.h"

void tcp_timer_rtx_restart(struct tcp_core *c, ktime now)
{
	tcp_timer_stop(c, TCP_TIMER_PERSIST);
	c->timer[TCP_TIMER_RTX] = ktime_add(now, tcp_rto_ns(&c->rtt));
}

void tcp_timer_persist_arm(struct tcp_core *c, ktime now)
{
	c->timer[TCP_TIMER_PERSIST] = ktime_add(now, tcp_rto_ns(&c->rtt));
}

void tcp_timer_keep_restart(struct tcp_core *c, ktime now)
{
	c->keep_sent = 0;
	if (c->cfg.keep_idle_ns)
		c->timer[TCP_TIMER_KEEP] = ktime_add(now, c->cfg.keep_idle_ns);
}

/* Our FIN is acknowledged, the user gone: the peer's FIN is all that is missing. */
void tcp_timer_fin_wait_2_arm(struct tcp_core *c, ktime now)
{
	tcp_timer_stop(c, TCP_TIMER_ORPHAN);
	c->timer[TCP_TIMER_FIN_WAIT_2] =
		ktime_add(now, c->draining ? TCP_DRAIN_NS : TCP_FIN_WAIT_2_NS);
}

static bool tcp_timed_out(const struct tcp_core *c, ktime since, ktime now)
{
	int64_t limit = c->cfg.user_timeout_ns ? c->cfg.user_timeout_ns : TCP_USER_TIMEOUT_NS;
	return ktime_diff(now, since) >= limit;
}

static void tcp_timer_syn(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	int limit = c->state == TCP_SYN_SENT ? TCP_SYN_RETRIES : TCP_SYNACK_RETRIES;
	if (c->rtx_count >= limit) {
		tcp_end_reset(c, ERR_TIMEDOUT, out);
		return;
	}
	c->rtx_count++;
	c->syn_lost = true;
	c->rtt_timed = false;
	c->snd_nxt = c->iss;
	tcp_rtt_backoff(&c->rtt);
	tcp_timer_rtx_restart(c, now);
}

/* RFC 6298 (5.4) to (5.6): all that was in flight counts as lost and is sent again from snd_una. */
static void tcp_timer_rtx(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
		tcp_timer_syn(c, now, out);
		return;
	}
	if (tcp_timed_out(c, c->progress, now)) {
		tcp_end_reset(c, ERR_TIMEDOUT, out);
		return;
	}
	uint32_t flight = (uint32_t)seq_diff(c->snd_max, c->snd_una);
	c->cc.ops->timeout(&c->cc, flight, c->rtx_count > 0);
	if (c->rtx_count < UINT8_MAX)
		c->rtx_count++;
	c->snd_nxt = c->snd_una;
	c->recover = c->snd_max;
	c->in_recovery = false;
	c->rtx_now = false;
	c->dup_acks = 0;
	c->rtt_timed = false;
	tcp_rtt_backoff(&c->rtt);
	/* Armed again when the first segment goes; until then the window may be shut (persist). */
	tcp_timer_stop(c, TCP_TIMER_RTX);
}

/* The window is shut, or too small to be worth a segment: try with what there is. */
static void tcp_timer_persist(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	/* A peer that answers may keep us waiting, but not once the user is gone. */
	if (tcp_timed_out(c, c->user_gone ? c->progress : ktime_max(c->heard, c->progress), now)) {
		tcp_end_reset(c, ERR_TIMEDOUT, out);
		return;
	}
	tcp_timer_stop(c, TCP_TIMER_PERSIST);
	tcp_rtt_backoff(&c->rtt);
	if (c->snd_wnd == 0)
		c->probe_now = true;
	else
		c->force_now = true;
}

static void tcp_timer_keep(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	if (c->keep_sent >= c->cfg.keep_count) {
		tcp_end_reset(c, ERR_TIMEDOUT, out);
		return;
	}
	c->keep_sent++;
	c->keep_now = true;
	c->timer[TCP_TIMER_KEEP] = ktime_add(now, c->cfg.keep_interval_ns);
}

void tcp_timers_run(struct tcp_core *c, ktime now, struct tcp_out *out)
{
	for (int t = 0; t < TCP_TIMER_COUNT && !tcp_is_done(c); t++) {
		if (ktime_before(now, c->timer[t]))
			continue;
		switch ((enum tcp_timer)t) {
		case TCP_TIMER_RTX:
			tcp_timer_rtx(c, now, out);
			break;
		case TCP_TIMER_PERSIST:
			tcp_timer_persist(c, now, out);
			break;
		case TCP_TIMER_DELACK:
			tcp_timer_stop(c, TCP_TIMER_DELACK);
			c->ack_now = true;
			break;
		case TCP_TIMER_KEEP:
			tcp_timer_keep(c, now, out);
			break;
		case TCP_TIMER_FIN_WAIT_2:
			tcp_end(c, OK, out);
			break;
		case TCP_TIMER_ORPHAN:
			tcp_end_reset(c, ERR_TIMEDOUT, out);
			break;
		case TCP_TIMER_COUNT:
			unreachable();
		}
	}
}
