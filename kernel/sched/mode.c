/*
 * mode.c - the criticality mode of a hart: EDF with virtual deadlines (Baruah et al., ECRTS 2012).
 *
 * LO until a deadline thread with two runtimes spends the first one. That raises the mode, in the interrupt that
 * finds it spent: the second runtimes and the real deadlines come into force, LO domains are barred.
 * Threads get their new ranks one by one behind that, each an errand of its own (SERVER_REFRESH).
 *
 * Lowered at the first instant after quiet_at at which no server of the hart is active. Each instance that takes more
 * than its first runtime puts quiet_at off.
 *
 * Locks: the hart's.
 */
#include "kernel/sched/sched_priv.h"

void mode_prolong(struct hart *h, ktime now)
{
	h->quiet_at = ktime_add(now, CONFIG_SCHED_MODE_QUIET_MS * NS_PER_MS);
	h->mode_at = h->quiet_at;
	sched_timer_update(h);
}

void mode_raise(struct hart *h, struct thread *by, ktime now)
{
	mode_prolong(h, now);
	if (h->high)
		return;
	h->raised++;
	h->raised_at = now;
	h->raised_by = by->id;
	list_for_each(it, &h->servers) {
		struct server *s = list_entry(it, struct server, node);
		enum edf_state before = s->edf.state;
		edf_raise(&s->edf);
		server_counted(h, s, before);
		if (s->edf.virtual_ns != s->edf.p.deadline_ns || s->edf.p.high_runtime_ns)
			server_send(s, SERVER_REFRESH);
	}
	domain_set_mode(h, true, now);
	note_add(h, NOTE_MODE_HIGH, by, by->server->edf.p.runtime_ns);
}

void mode_check_quiet(struct hart *h, ktime now)
{
	if (ktime_before(now, h->quiet_at))
		return;
	h->mode_at = KTIME_NEVER;
	list_for_each(it, &h->servers)
		edf_lower(&list_entry(it, struct server, node)->edf);
	domain_set_mode(h, false, now);
	note_add(h, NOTE_MODE_LOW, NULL, ktime_diff(now, h->raised_at));
}
