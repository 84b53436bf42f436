/*
 * irq_storm.c - the timer that lets a source in again which stormed: kernel/irq knows no timers.
 *
 * One hard callout for all sources; each run unmasks one.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/irq/irq.h"
#include "kernel/time/time.h"
#include "lib/initcall.h"

static struct callout irq_storm_callout;

/* Without a place in the heap the sources stay masked until the next storm, and the log says so. */
static void irq_storm_arm(ktime at)
{
	if (callout_start(&irq_storm_callout, at) != OK)
		klog(LOG_ERR, "irq: no timer is free to end a storm");
}

static void irq_storm_run(unused void *arg)
{
	ktime next = irq_storm_expired(clock_now());
	if (!ktime_is_never(next))
		irq_storm_arm(next);
}

static enum err irq_storm_init(void)
{
	callout_init(&irq_storm_callout, CALLOUT_HARD, irq_storm_run, NULL);
	irq_storm_set_timer(irq_storm_arm);
	return OK;
}
INITCALL(irq_storm, irq_storm_init, "irq", "callout");
