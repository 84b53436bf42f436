/*
 * notes.c - what the scheduler has to say to the log: changes of mode, and who keeps to no contract.
 *
 * A line takes thousands of instructions, and these events come in interrupts, under a hart's lock. So what is
 * to be said is noted there (note_add), in a ring of the hart; the errand that it leaves starts a soft callout
 * (notes_send), whose thread writes the lines, preemptibly.
 *
 * Bounds: NOTES_MAX notes a hart. There may be two changes of mode in CONFIG_SCHED_MODE_QUIET_MS; what finds the ring full is
 * counted, and the next line says so. What a deadline thread did is counted by its server, whose next note says it all.
 *
 * Locks: the hart's.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

bool note_add(struct hart *h, enum note_kind kind, const struct thread *t, int64_t ns)
{
	struct notes *q = &h->notes;
	if (q->count == NOTES_MAX) {
		q->lost++;
		return false;
	}
	struct note *n = &q->note[(q->first + q->count++) % NOTES_MAX];
	*n = (struct note){.kind = (uint8_t)kind, .ns = ns, .lost = q->lost};
	if (t) {
		n->tid = t->id;
		n->name_len = t->name_len;
		memcpy(n->name, t->name, sizeof(n->name));
		n->stats = t->server->job.stats;
	}
	q->lost = 0;
	hart_call(h);
	return true;
}

static void note_write(const struct hart *h, const struct note *n)
{
	struct str name = str_of(n->name, n->name_len);
	if (n->lost)
		klog(LOG_WARN, "hart %u: %u notes of the scheduler are not written, there were too many", h->cpu, n->lost);
	switch ((enum note_kind)n->kind) {
	case NOTE_MODE_HIGH:
		klog(LOG_WARN, "hart %u: mode HI, because thread %u \"%.*s\" has spent its LO runtime of %ld ns", h->cpu,
			n->tid, STR_ARG(name), n->ns);
		break;
	case NOTE_MODE_LOW:
		klog(LOG_INFO, "hart %u: mode LO again, after %ld us, at the first idle instant", h->cpu, n->ns / NS_PER_US);
		break;
	case NOTE_OVERRUN:
	case NOTE_MISSED:
		klog(LOG_WARN, "thread %u \"%.*s\" %s on hart %u: %lu overruns and %lu misses in %lu jobs", n->tid,
			STR_ARG(name), n->kind == NOTE_OVERRUN ? "has spent its runtime" : "has missed a deadline",
			h->cpu, n->stats.overruns, n->stats.misses, n->stats.jobs);
		break;
	}
}

/* The first note; false, and a callout is to be started for the next one: there is none. */
static bool notes_take(struct hart *h, struct note *out)
{
	struct notes *q = &h->notes;
	irqflags flags = spin_lock_irqsave(&h->lock);
	bool any = q->count > 0;
	if (any) {
		*out = q->note[q->first];
		q->first = (q->first + 1) % NOTES_MAX;
		q->count--;
	} else {
		q->sent = false;
	}
	spin_unlock_irqrestore(&h->lock, flags);
	return any;
}

static void notes_run(void *hart)
{
	struct note n;
	while (notes_take(hart, &n))
		note_write(hart, &n);
}

/* Without a place among the callouts they wait for the next errand. */
void notes_send(struct hart *h)
{
	if (callout_start(&h->notes.callout, clock_now()) == OK)
		return;
	irqflags flags = spin_lock_irqsave(&h->lock);
	h->notes.sent = false;
	spin_unlock_irqrestore(&h->lock, flags);
}

void notes_init(struct hart *h)
{
	callout_init(&h->notes.callout, CALLOUT_SOFT, notes_run, h);
}
