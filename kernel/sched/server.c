/*
 * server.c - the servers of deadline threads at work: they wake, are spent, and come back; jobs are counted.
 *
 * The rules are edf_core's. Here they meet the queue: a thread whose server is active
 * competes with its deadline; one whose server is throttled has no rank of its own, and is parked, with a
 * refill in its hart's timer, unless somebody lends it one.
 *
 * A deadline thread that waits for a mutex stays active: its deadline and what it has left are lent to the owner.
 * So its server may come back while it waits: then it is server_refresh() that tells the owners (LOCK_PI).
 *
 * Locks: the lock of the home hart, where the thread always is.
 */
#include "kernel/lock/lock.h"
#include "kernel/sched/sched_priv.h"

#define LOG_EVERY_NS NS_PER_S /* at most so often one thread's misbehaviour is logged */

/* ---- errands ---- */

void server_send(struct server *s, uint8_t what)
{
	struct hart *h = s->thread->hart;
	if (!s->errands)
		list_push_back(&h->errands, &s->errand);
	s->errands |= what;
	hart_call(h);
}

/* Not every time: its next note counts what was left out. */
static void server_note(struct hart *h, struct server *s)
{
	enum note_kind kind = s->errands & SERVER_OVERRUN ? NOTE_OVERRUN : NOTE_MISSED;
	ktime now = clock_now();
	if (!ktime_before(now, s->logged_at) && note_add(h, kind, s->thread, 0))
		s->logged_at = ktime_add(now, LOG_EVERY_NS);
}

bool server_take_errand(struct hart *h, struct errand *out)
{
	if (likely(list_is_empty(&h->errands)))
		return false;
	struct server *s = list_entry(h->errands.next, struct server, errand);
	list_remove(&s->errand);
	*out = (struct errand){.server = s,
		.thread = s->thread,
		.what = s->errands,
		.notify = s->notify,
		.notify_arg = s->notify_arg};
	if (s->errands & (SERVER_OVERRUN | SERVER_MISSED))
		server_note(h, s);
	s->errands = 0;
	return true;
}

void server_run_errand(const struct errand *e)
{
	if (e->what & SERVER_REFRESH)
		server_refresh(e->server);
	if ((e->what & SERVER_OVERRUN) && e->notify)
		e->notify(e->thread, DEADLINE_OVERRUN, e->notify_arg);
	if ((e->what & SERVER_MISSED) && e->notify)
		e->notify(e->thread, DEADLINE_MISSED, e->notify_arg);
}

/* ---- what befalls a server ---- */

static void server_check_overdue(struct server *s, ktime now)
{
	if (edf_job_overdue(&s->job, &s->edf.p, now))
		server_send(s, SERVER_MISSED);
}

/* Its server is idle. */
static inline void server_start(struct server *s, struct hart *h, ktime release, ktime now)
{
	s->free_ns = JOB_NS; /* admission, or its budget, has been charged for it */
	h->active += edf_wake(&s->edf, release, now);
	server_trace(h, s);
	if (!s->job.going)
		edf_job_begin(&s->job, &s->edf.p, release);
}

static noinline void server_begin(struct server *s, const struct thread *t, ktime release, ktime now)
{
	/* Admission has charged one wake for each instance; one that is not opened yet has no budget to take it from. */
	if (ktime_before(release, edf_replenish_at(&s->edf)) && !edf_is_waiting(&s->edf))
		edf_consume(&s->edf, CONFIG_SCHED_CHARGE_NS);
	server_start(s, t->hart, release, now);
	if (t->blocked_on)
		server_send(s, SERVER_REFRESH);
}

void server_first_work(struct thread *t)
{
	ktime now = clock_now();
	server_start(t->server, t->hart, now, now);
	if (t->blocked_on)
		server_send(t->server, SERVER_REFRESH);
}

void server_work(struct thread *t)
{
	ktime now = clock_now();
	if (t->server->edf.state == EDF_IDLE)
		server_begin(t->server, t, now, now);
}

/*
 * Who wakes with its server at work has lent it while it waited. For that wake, and for the way of the owner out of the
 * unlock, which nobody pays for, nothing was admitted either. So this is called once for each wake.
 */
static noinline void server_wake_rare(struct thread *t, ktime release, ktime now)
{
	if (t->server->edf.state == EDF_IDLE)
		server_begin(t->server, t, release, now);
	else
		edf_consume(&t->server->edf, CONFIG_SCHED_CHARGE_NS);
	t->run.rank = thread_effective_rank(t);
}

/* The plain case is a new instance. */
void server_wake(struct thread *t, ktime release, ktime now)
{
	struct server *s = t->server;
	if (unlikely(s->edf.state != EDF_IDLE || ktime_before(release, edf_replenish_at(&s->edf)) || t->blocked_on)) {
		server_wake_rare(t, release, now);
		return;
	}
	server_start(s, t->hart, release, now);
	t->run.rank = min(server_rank(s), t->lent_rank);
}

static void server_count_response(struct server *s, ktime now)
{
	int64_t took = max(ktime_diff(now, s->job.release), INT64_C(0));
	s->response[histogram_bucket(took)]++;
	s->response_max_ns = max(s->response_max_ns, took);
}

void server_job_end(struct server *s, ktime now)
{
	bool known = s->job.missed;
	server_count_response(s, now);
	if (edf_job_end(&s->job, &s->edf.p, now) > 0 && !known)
		server_send(s, SERVER_MISSED);
}

void server_sleep(struct thread *t, ktime now)
{
	struct server *s = t->server;
	if (s->edf.state != EDF_IDLE) {
		if (unlikely(edf_exceeds_low(&s->edf)))
			mode_prolong(t->hart, now);
		t->hart->active -= s->edf.state == EDF_ACTIVE;
		edf_sleep(&s->edf);
	}
	refill_stop(t->hart, &s->refill);
	if (t->blocked_on) /* its wait has ended, but it was stopped before it could say so: it lends no more */
		server_send(s, SERVER_REFRESH);
	if (t->state == THREAD_BLOCKED && s->job.going)
		server_job_end(s, now);
	servers_check_idle(t->hart, now);
}

void server_judge(struct server *s, ktime now)
{
	enum edf_verdict verdict = edf_judge(&s->edf);
	server_counted(s->thread->hart, s, EDF_ACTIVE);
	if (verdict == EDF_GOES_ON)
		return;
	server_trace(s->thread->hart, s);
	s->job.stats.overruns++;
	server_send(s, SERVER_OVERRUN);
	if (verdict == EDF_SPENT_LOW) {
		mode_raise(s->thread->hart, s->thread, now);
		return;
	}
	if (edf_exceeds_low(&s->edf))
		mode_prolong(s->thread->hart, now);
	servers_check_idle(s->thread->hart, now);
}

void server_refill(struct hart *h, struct server *s)
{
	struct thread *t = s->thread;
	ktime now = clock_now();
	server_check_overdue(s, now);
	bool comes_back = edf_replenish(&s->edf);
	h->active += comes_back;
	if (!comes_back) {
		refill_start(h, &s->refill, edf_replenish_at(&s->edf));
		return;
	}
	server_trace(h, s);
	if (t->blocked_on || t->state != THREAD_READY)
		server_send(s, SERVER_REFRESH);
	else
		thread_rerank(h, t);
}

void server_refresh(struct server *s)
{
	spin_lock(&pi_lock);
	struct thread *t = s->thread;
	if (t) {
		irqflags flags = arch_irq_save();
		struct hart *h = thread_lock(t);
		thread_rerank(h, t);
		spin_unlock_raw(&h->lock);
		arch_irq_restore(flags);
		pi_propagate(t); /* in any case: it may have been parked with its new rank already */
	}
	spin_unlock(&pi_lock);
}

/* Those that were admitted, or whose virtual deadline has changed, since then. */
static void servers_begin(struct hart *h, ktime now)
{
	h->idle_wanted = false;
	list_for_each(it, &h->servers) {
		struct server *s = list_entry(it, struct server, node);
		edf_set_virtual(&s->edf, s->next_virtual_ns);
		if (!edf_is_waiting(&s->edf))
			continue;
		edf_open(&s->edf, now);
		edf_job_put_off(&s->job, &s->edf.p, now);
		if (s->edf.state == EDF_THROTTLED)
			refill_start(h, &s->refill, now);
	}
}

void servers_check_idle(struct hart *h, ktime now)
{
	if (likely(!h->idle_wanted && !h->high) || h->active > 0)
		return;
	if (h->high)
		mode_check_quiet(h, now);
	if (h->idle_wanted)
		servers_begin(h, now);
}
