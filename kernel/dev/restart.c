/*
 * restart.c - the machine starts again, and says so first to those who would wait for it in vain.
 *
 *	RESTART		a row of the table: what is to be done before, and in which stage
 *	machine_restart	goes through the stages, then through the firmware
 *
 * Each stage is over when all of its rows say so, and at its end in time whatever they say: the machine starts again
 * within the sum of restart_ns, whoever does not answer. Who comes second, from another thread, waits for the first.
 *
 * Locks: none.
 */
#include "kernel/dev/dev.h"
#include "kernel/sync/waitq.h"
#include "kernel/time/time.h"

#define RESTART_LOOK_NS (2 * NS_PER_MS)

extern const struct restart_row restart_start[], restart_end[];

static const int64_t restart_ns[] = {
	[RESTART_LEAVE] = NS_PER_S,     /* a client's answer: a few round trips over a continent */
	[RESTART_FLUSH] = NS_PER_S,     /* one, of those who have all but the last acknowledgement; and one loss */
	[RESTART_CUT] = 10 * NS_PER_MS, /* the last frames, to the wire */
};

static uint32_t restart_begun; /* atomic */

static void restart_begin(enum restart_stage stage)
{
	for (const struct restart_row *r = restart_start; r < restart_end; r++)
		if (r->stage == stage && r->begin)
			r->begin();
}

static bool restart_is_over(enum restart_stage stage)
{
	for (const struct restart_row *r = restart_start; r < restart_end; r++)
		if (r->stage == stage && !(r->over && r->over()))
			return false;
	return true;
}

void machine_restart(void)
{
	while (__atomic_exchange_n(&restart_begun, 1, __ATOMIC_RELAXED))
		(void)!sleep_ns(NS_PER_S);
	for (enum restart_stage stage = 0; stage < countof(restart_ns); stage++) {
		ktime until = ktime_add(clock_now(), restart_ns[stage]);
		restart_begin(stage);
		/* Whoever hangs up on the shell that asked for it cancels this wait; it is too late for that. */
		while (!restart_is_over(stage) && ktime_before(clock_now(), until))
			(void)!sleep_until(ktime_min(until, ktime_add(clock_now(), RESTART_LOOK_NS)));
	}
	arch_reboot();
}
