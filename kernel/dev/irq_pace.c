/*
 * irq_pace.c - the timer that lets a source in again which came too often, and the thread that says so in the log:
 * kernel/irq knows neither timers nor threads.
 *
 * One hard callout for all sources; each run unmasks one. A soft one for the log.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/irq/irq.h"
#include "kernel/time/time.h"
#include "lib/initcall.h"

static struct callout irq_pace_callout, irq_log_callout;

/* Without a place in the heap they are let in at once: a device that is deaf for ever would be worse. */
static void irq_pace_arm(ktime at)
{
	if (callout_start(&irq_pace_callout, at) == OK)
		return;
	klog(LOG_ERR, "irq: no timer is free to mask a source that comes too often");
	while (!ktime_is_never(irq_pace_expired(KTIME_NEVER)))
		;
}

static void irq_pace_run(unused void *arg)
{
	ktime next = irq_pace_expired(clock_now());
	if (!ktime_is_never(next))
		irq_pace_arm(next);
}

static void irq_log_run(unused void *arg)
{
	irq_log_write();
}

/* Without a place in the heap it is written with the next one. */
static void irq_log_start(void)
{
	unused enum err counted = callout_start(&irq_log_callout, clock_now());
}

static enum err irq_pace_init(void)
{
	callout_init(&irq_log_callout, CALLOUT_SOFT, irq_log_run, NULL);
	irq_set_log(irq_log_start);
	callout_init(&irq_pace_callout, CALLOUT_HARD, irq_pace_run, NULL);
	irq_pace_set_timer(irq_pace_arm);
	return OK;
}
INITCALL(irq_pace, irq_pace_init, "irq", "callout");
