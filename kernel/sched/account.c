/*
 * account.c - whose budget pays for the time of a thread, and the timers of the scheduler.
 *
 * A deadline thread's time is paid by its server, that of others by their domain, the system's excepted. Who
 * holds what a more urgent one waits for runs on the account of that one (the lender): on a loan of
 * what its server has left, or on its domain. THREAD_CHARGED says that somebody pays; for all other
 * threads nothing here is ever called.
 *
 * Nobody pays for interrupts, nor for the switches that they lead to: those are charged, by admission, to whom they
 * wake. So what a thread may execute does not depend on how many others wake meanwhile.
 *
 * The running thread is charged when it leaves, when a budget should be spent, and before something about
 * it changes. Its own server is judged only when the timer says that it is spent: what was
 * taken too much when it left just before is found when it runs again.
 *
 * Two timer sources of a hart. One goes off when the paying budget is spent, on a clock that interrupts do not
 * move. The other at the earliest of: the end of a turn (quantum.c), the next refill, and when the mode may be
 * lowered. One refill in each interrupt. What follows from an event but needs other locks is an errand, done where
 * the hart may preempt next; one each time.
 *
 * Locks: the hart's lock for all of it.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

static_assert(CONFIG_SCHED_CHARGE_NS == 0 || CONFIG_SCHED_CHARGE_NS >= 2 * WAY_IN_NS + JOB_NS,
	"what is not charged to a thread is charged by admission");

/* Who pays instead of t itself; NULL: it pays. */
static noinline struct thread *account_lender_if(const struct hart *h, const struct thread *t)
{
	return t->lent_rank < thread_own_rank(t) || hart_bars_own(h, t) ? t->lender : NULL;
}

static inline struct thread *account_lender(const struct hart *h, const struct thread *t)
{
	return likely(!t->lender) ? NULL : account_lender_if(h, t);
}

static inline void account_charge(struct hart *h, struct thread *t, int64_t ran_ns, ktime now)
{
	const struct thread *lender = account_lender(h, t);
	if (lender && lender->server) {
		t->loan_left_ns -= ran_ns;
		t->loan_used_ns += ran_ns;
	} else if (!lender && t->server) {
		edf_consume(&t->server->edf, ran_ns);
	} else {
		domain_charge(h, lender ? lender->run.domain : t->run.domain, ran_ns, now);
	}
}

static bool account_is_charged(const struct thread *t)
{
	const struct thread *lender = t->lender;
	return t->server || t->run.domain != DOMAIN_SYSTEM ||
	       (lender && (lender->server || lender->run.domain != DOMAIN_SYSTEM));
}

/* The hart's clock, which stands still while interrupts are handled; the same of this hart. */
static ktime account_clock(const struct hart *h, ktime now)
{
	return (ktime){now.ns - __atomic_load_n(&cpu_of(interrupt_ns, h->cpu), __ATOMIC_RELAXED)};
}

static inline ktime account_clock_here(ktime now)
{
	return (ktime){now.ns - this_cpu_near(interrupt_ns)};
}

void account_settle(struct hart *h, ktime now)
{
	struct thread *t = h->current;
	ktime clock = account_clock(h, now);
	bool charged = t->attention & THREAD_CHARGED;
	int64_t ran_ns = ktime_diff(clock, h->paid_until);
	if (charged && ran_ns <= 0) /* it is free as yet, or another hart has done it, later than `now` */
		return;
	if (charged)
		account_charge(h, t, ran_ns, now);
	h->paid_until = clock; /* of whoever is not charged it was never kept */
}

void account_leave(struct hart *h, struct thread *left)
{
	ktime now = h->switched_at;
	if (left->attention & THREAD_CHARGED) {
		int64_t ran_ns = ktime_diff(account_clock_here(now), h->paid_until);
		account_charge(h, left, max(ran_ns, INT64_C(0)), now);
		if (left->server)
			left->server->free_ns = min(max(-ran_ns, INT64_C(0)), JOB_NS);
	}
	h->budget_at = KTIME_NEVER;
	bool lends = left->state == THREAD_BLOCKED && (thread_wait_flags(left) & WAIT_LENDS);
	if (left->server && left->state != THREAD_READY && !lends)
		server_sleep(left, now);
	account_arrive(h);
}

/* What a domain has left. */
static noinline int64_t account_left_domain(struct hart *h, uint8_t domain, ktime now)
{
	domain_charge(h, domain, 0, now); /* a period may have begun */
	if (h->spent >> domain & 1) /* it goes on all the same, for somebody else's sake */
		return INT64_MAX;
	return ktime_diff(budget_spent_at(&h->domain[domain].budget, now), now);
}

/* For how long t may run from now on until what pays for it is spent. */
static inline int64_t account_left(struct hart *h, const struct thread *t, ktime now)
{
	const struct thread *lender = account_lender(h, t);
	if (unlikely(lender && lender->server))
		return t->loan_left_ns;
	if (likely(!lender && t->server)) /* on its way out of the graph it is not stopped: pi_cancel_locked() */
		return t->blocked_on ? INT64_MAX : t->server->edf.remaining_ns;
	return account_left_domain(h, lender ? lender->run.domain : t->run.domain, now);
}

/* t, which runs here and is paid for until `from`, is stopped when it has spent what pays for it. */
static noinline void account_watch(struct hart *h, const struct thread *t, ktime from, ktime now)
{
	account_watch_until(h, ktime_add(from, account_left(h, t, now)));
}

void account_changed(struct hart *h, struct thread *t)
{
	if (h->current == t)
		account_settle(h, clock_now());
	account_payer_changed(h, t);
}

bool account_mark(struct hart *h, struct thread *t)
{
	bool charged = account_is_charged(t);
	t->attention = (uint8_t)((t->attention & ~THREAD_CHARGED) | (charged ? THREAD_CHARGED : 0));
	if (h->current == t)
		h->budget_at = KTIME_NEVER;
	return charged;
}

void account_payer_changed(struct hart *h, struct thread *t)
{
	bool charged = account_mark(h, t);
	if (h->current != t)
		return;
	if (h != hart_here()) {
		hart_resched(h);
	} else if (charged) {
		ktime now = clock_now();
		account_watch(h, t, ktime_max(account_clock(h, now), h->paid_until), now); /* perhaps in advance */
	}
}

/* The way in is not a job's own. A domain pays for it: nothing has been admitted for it. */
void account_enter_rare(struct hart *h, const struct thread *t)
{
	if (t->server) {
		h->paid_until.ns += WAY_IN_NS + t->server->free_ns;
		t->server->free_ns = 0;
	}
	if (t->attention & THREAD_CHARGED)
		account_watch(h, t, h->paid_until, h->switched_at);
	timer_release();
}

void account_review(struct hart *h)
{
	if (ktime_is_never(h->budget_at))
		account_changed(h, h->current);
}

/* ---- refills ---- */

void refill_init(struct refill *r, struct server *server, uint8_t domain)
{
	*r = (struct refill){.server = server, .domain = domain};
	heap_node_init(&r->node);
}

void refill_start(struct hart *h, struct refill *r, ktime at)
{
	if (heap_is_linked(&r->node))
		heap_remove(&h->refills, &r->node);
	heap_add(&h->refills, &r->node, at);
	sched_timer_update(h);
}

void refill_stop(struct hart *h, struct refill *r)
{
	if (heap_is_linked(&r->node))
		heap_remove(&h->refills, &r->node);
}

/* One that is due. */
static void refill_expired(struct hart *h, ktime now)
{
	struct heap_node *n = heap_first(&h->refills);
	if (!n || ktime_before(now, n->when))
		return;
	struct refill *r = container_of(n, struct refill, node);
	heap_remove(&h->refills, n);
	if (r->server)
		server_refill(h, r->server);
	else
		domain_refill(h, r->domain, now);
}

/* ---- the timer ---- */

void sched_timer_update(struct hart *h)
{
	ktime at = ktime_min(h->quantum_at, heap_first_time(&h->refills));
	at = ktime_min(at, h->mode_at);
	if (!ktime_before(at, h->timer_at))
		return;
	if (h != hart_here()) {
		hart_resched(h);
		return;
	}
	h->timer_at = at;
	timer_source_set(TIMER_SCHED, at);
}

static void sched_timer_expired(ktime now)
{
	struct hart *h = hart_here();
	spin_lock_raw(&h->lock);
	h->timer_at = KTIME_NEVER;
	if (!ktime_before(now, h->quantum_at))
		quantum_expired(h, now);
	refill_expired(h, now);
	if (!ktime_before(now, h->mode_at)) {
		h->mode_at = KTIME_NEVER;
		servers_check_idle(h, now);
	}
	sched_timer_update(h);
	spin_unlock_raw(&h->lock);
}

/* What pays for the running thread is spent. */
static void account_expired(struct hart *h, ktime now)
{
	struct thread *t = h->current;
	account_settle(h, now);
	h->budget_at = KTIME_NEVER;
	arch_need_resched_set(); /* on the way it is set anew, or the thread parked */
	const struct thread *lender = account_lender(h, t);
	if (lender && lender->server) {
		if (t->loan_left_ns <= 0)
			hart_call(h);
		return;
	}
	if (!lender && t->server && t->server->edf.state == EDF_ACTIVE && !t->blocked_on)
		server_judge(t->server, now);
}

static void budget_timer_expired(ktime now)
{
	struct hart *h = hart_here();
	spin_lock_raw(&h->lock);
	h->budget_timer_at = KTIME_NEVER;
	if (!ktime_before(account_clock_here(now), h->budget_at))
		account_expired(h, now);
	budget_timer_update(h);
	spin_unlock_raw(&h->lock);
}

void account_init(void)
{
	timer_source_register(TIMER_SCHED, sched_timer_expired);
	timer_source_register(TIMER_BUDGET, budget_timer_expired);
}
