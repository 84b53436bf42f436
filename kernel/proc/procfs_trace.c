/*
 * procfs_trace.c - /proc/trace: what the harts have recorded, in the order in which it happened.
 *
 * Each opening shows what came behind the last line that was shown, at most LINES of it, so a reader that
 * opens it again and again sees everything once, and a slow one is told how much was overwritten before it came.
 * Two readers share that place: whoever finishes later sets it.
 *
 * Locks: trace_lock for the place.
 */
#include "kernel/diag/trace.h"
#include "kernel/proc/proc_priv.h"
#include "lib/fmt.h"

#define LINES 1024

static struct arch_lock trace_lock;
static struct trace_merge trace_shown; /* with count 0: nothing was yet */

static void procfs_trace_line(struct abuf *out, const struct trace_record *r)
{
	fmt(out, "%llu %lld %u %.*s %u %u %llx %llx %u\n", U(r->seq), (long long)r->time_ns, r->by,
		STR_ARG(trace_event_name(r->event)), r->cpu, r->tid, U(r->a), U(r->b), r->detail);
}

/* Takes the place over, or sets it. */
static void procfs_trace_place(struct trace_merge *to, const struct trace_merge *from)
{
	irqflags flags = arch_lock_irqsave(&trace_lock);
	*to = *from;
	arch_unlock_irqrestore(&trace_lock, flags);
}

void procfs_trace(struct abuf *out)
{
	static_assert(sizeof(struct trace_merge) < 1024, "it is on the stack");
	struct trace_merge m;
	struct trace_record r;
	procfs_trace_place(&m, &trace_shown);
	if (m.count == 0)
		trace_read_begin(&m);
	fmt(out, "seq time_ns by event cpu tid a b detail\n");
	for (unsigned n = 0; n < LINES && trace_merge_next(&m, &r); n++)
		procfs_trace_line(out, &r);
	fmt(out, "lost %llu\n", U(m.lost));
	if (abuf_ok(out)) /* else it is tried again, with more room */
		procfs_trace_place(&trace_shown, &m);
}
