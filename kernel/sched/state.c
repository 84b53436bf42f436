/* state.c - the life of a thread: which state may follow which, and what they are called. */
#include "kernel/sched/sched_priv.h"

#define TO(s) (1u << (s))

static const uint8_t thread_edges[] unused = { /* read by debug builds */
	[THREAD_NEW] = TO(THREAD_READY),
	[THREAD_READY] = TO(THREAD_BLOCKED) | TO(THREAD_SUSPENDED) | TO(THREAD_DEAD),
	[THREAD_BLOCKED] = TO(THREAD_READY),
	[THREAD_SUSPENDED] = TO(THREAD_READY),
	[THREAD_DEAD] = 0,
};

bool thread_may_become(const struct thread *t, enum thread_state next)
{
	return thread_edges[t->state] & TO(next);
}

struct str thread_state_name(const struct thread_info *t)
{
	switch (t->state) {
	case THREAD_NEW:
		return S("new");
	case THREAD_READY:
		return t->running ? S("running") : t->throttled ? S("throttled") : S("ready");
	case THREAD_BLOCKED:
		return S("blocked");
	case THREAD_SUSPENDED:
		return S("suspended");
	case THREAD_DEAD:
		return S("dead");
	}
	unreachable();
}

struct str sched_class_name(enum sched_class c)
{
	switch (c) {
	case SCHED_IDLE:
		return S("idle");
	case SCHED_FIFO:
		return S("fifo");
	case SCHED_RR:
		return S("rr");
	case SCHED_DEADLINE:
		return S("deadline");
	}
	unreachable();
}
