/*
 * pi.c - inheritance over any chain of threads, classes and harts.
 *
 * A thread's effective rank is the best of its own and of all that wait for anything it holds; it
 * is always recomputed from that definition, never stepped. When it changes and the thread itself waits,
 * the owner of what it waits for is next. One lock guards the whole graph: it is taken only
 * under contention.
 *
 * Who runs by a rank that is lent runs on the account of its lender, the thread at the other end of
 * the chain. From a deadline thread it has a loan, of what that one's server has left: the
 * lender waits, so nobody else uses it. The loan ends when the rank is no longer lent by it, or when
 * it is spent: then what was used is charged to the server, which is throttled if nothing is left,
 * and lends no more until it has a budget again.
 *
 * Bounds: no chain has more than PI_CHAIN_MAX links. For that each thread knows the longest chain behind it, its
 * height; who begins to wait is refused when that and what is ahead of it would be too long together. So every
 * change of rank is carried to the end, and nobody is named as a lender who waits no more. A walk
 * over the contended objects that one thread holds; an insertion among waiters, and among those of them
 * that are waited for themselves. A handover looks at HANDOVER_SCAN_MAX waiters for one that may run.
 *
 * Locks: LOCK_PI here, which no interrupt takes: what one finds out about the graph is an errand. So under
 * it preemption is off, but interrupts are on; they are off under LOCK_RUNQ inside, which is taken for each
 * thread whose rank changes and dropped before the next.
 */
#include "kernel/sched/sched_priv.h"

#define HANDOVER_SCAN_MAX 16

struct spinlock pi_lock = SPINLOCK_INIT(LOCK_PI);
static uint64_t pi_refused; /* pi_lock */

void pi_init(struct pi_queue *q)
{
	q->owner = NULL;
	list_init(&q->waiters);
	list_init(&q->tall);
	list_init(&q->held_node);
}

static struct thread *pi_waiter(struct list *node)
{
	return list_entry(node, struct thread, wait_node);
}

/* The best of all who wait for what t holds; NULL: nobody, or nobody with a rank. */
static struct thread *pi_best_waiter(const struct thread *t)
{
	struct thread *best = NULL;
	uint64_t rank = RANK_LAST;
	list_for_each(it, &t->held) {
		struct thread *w = pi_waiter(list_entry(it, struct pi_queue, held_node)->waiters.next);
		if (w->run.rank < rank) {
			best = w;
			rank = w->run.rank;
		}
	}
	return best;
}

/* Behind its equals. */
static void pi_insert(struct pi_queue *q, struct thread *t)
{
	struct list *at = q->waiters.prev;
	while (at != &q->waiters && pi_waiter(at)->run.rank > t->run.rank)
		at = at->prev;
	list_insert_between(&t->wait_node, at, at->next);
}

/* With h locked: its running thread has that rank from now on, and stays the first of it. */
static void hart_rerank_current(struct hart *h, struct thread *t, uint64_t rank)
{
	bool falls = rank > t->run.rank;
	hart_dequeue(h, t);
	t->run.rank = rank;
	trace(TRACE_RANK, h->cpu, t->id, rank, 0);
	runq_push_front(&h->queue, &t->run);
	trace_enqueue(h, t);
	hart_changed(h);
	if (falls && h->peers)
		hart_resched(h); /* to pull */
}

bool thread_rerank(struct hart *h, struct thread *t)
{
	uint64_t rank = thread_effective_rank(t);
	bool changed = rank != t->run.rank, bars = hart_bars(h, t);
	if (h->current == t && t->run.queued) {
		if (changed)
			hart_rerank_current(h, t, rank);
		if (bars)
			hart_bar_current(h);
	} else if (t->parked) {
		t->run.rank = rank;
		if (bars) {
			hart_repark(h, t);
		} else {
			hart_unpark(h, t);
			hart_enqueue(h, t);
		}
	} else if (!t->run.queued) {
		t->run.rank = rank;
	} else if (t->server && bars) {
		hart_take(h, t);
		t->run.rank = rank;
		hart_park(h, t);
		hart_changed(h);
	} else if (changed) {
		hart_requeue(h, t, rank, t->run.affinity);
	}
	return changed;
}

/* ---- loans ---- */

/* What is used of a loan is charged to its lender. */
static void loan_charge(struct thread *lender, int64_t used)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(lender);
	struct server *s = lender->server;
	if (s) {
		edf_consume(&s->edf, used);
		if (s->edf.state == EDF_ACTIVE)
			server_judge(s, clock_now());
		if (s->edf.state == EDF_THROTTLED) {
			refill_start(h, &s->refill, edf_replenish_at(&s->edf));
			server_send(s, SERVER_REFRESH); /* it lends no more; the graph is just being changed */
		}
		if (h->current == lender)
			hart_resched(h);
	}
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
}

/* A server comes and goes under LOCK_PI; what it has left, under its hart's lock. */
static int64_t loan_available(struct thread *lender)
{
	if (!lender || !lender->server)
		return INT64_MAX;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(lender);
	int64_t left = max(lender->server->edf.remaining_ns, INT64_C(0));
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	return left;
}

/* With h locked: what t has used of its loan. */
static int64_t loan_take_used(struct thread *t)
{
	int64_t used = t->loan_used_ns;
	t->loan_used_ns = 0;
	return used;
}

/* The running thread's time up to now is not its next lender's. */
static void pi_settle(void)
{
	irqflags flags = arch_irq_save();
	struct hart *h = hart_here();
	spin_lock_raw(&h->lock);
	account_settle(h, clock_now());
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
}

/* The timer follows who pays for t, if it runs. */
static void pi_account(struct thread *t)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	account_payer_changed(h, t);
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
}

/*
 * t inherits that rank from `lender`, or nothing. True: its own has changed by that. `next` is the rank of whom t, which
 * runs here, is about to wake: where it is decided at once who runs, the timer of a budget is left to that.
 */
static bool pi_lend(struct thread *t, uint64_t rank, struct thread *lender, uint64_t next)
{
	struct thread *before = t->lender;
	int64_t used = 0, left = lender == before ? 0 : loan_available(lender);
	bool here = t == thread_current();
	if (here)
		pi_settle();
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	if (!here && h->current == t)
		account_settle(h, clock_now());
	if (lender != before) {
		used = loan_take_used(t);
		t->lender = lender;
		t->loan_left_ns = left;
	}
	t->lent_rank = rank;
	bool changed = thread_rerank(h, t), runs = h->current == t;
	account_mark(h, t);
	if (here && next < t->run.rank)
		arch_need_resched_set();
	bool decided = here && arch_need_resched();
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	if (runs && !decided)
		pi_account(t);
	if (before && used != 0)
		loan_charge(before, used);
	return changed;
}

/* Who lends what w lends: w itself, or who lends to it. */
static struct thread *pi_lender(struct thread *w)
{
	return w->lender && w->lent_rank == w->run.rank && thread_own_rank(w) != w->run.rank ? w->lender : w;
}

/* Recomputes what t inherits; true: its rank has changed. For `next`, see pi_lend(). */
static bool pi_update(struct thread *t, uint64_t next)
{
	struct thread *best = pi_best_waiter(t);
	uint64_t rank = best ? best->run.rank : RANK_NONE;
	struct thread *lender = best ? pi_lender(best) : NULL;
	if (rank == t->lent_rank && lender == t->lender)
		return false;
	return pi_lend(t, rank, lender, next);
}

/* t, which has another rank now, is given another place among those who wait with it; the owner. */
static struct thread *pi_reorder(struct thread *t)
{
	struct pi_queue *q = t->blocked_on;
	if (!q)
		return NULL;
	list_remove(&t->wait_node);
	pi_insert(q, t);
	return q->owner;
}

void pi_propagate(struct thread *t)
{
	unsigned n = 0;
	do {
		assert(n <= PI_CHAIN_MAX);
		n++;
		t = pi_reorder(t);
	} while (t && pi_update(t, RANK_NONE));
}

/* The same from who holds what someone has begun, or ceased, to wait for. */
static void pi_propagate_from(struct thread *t)
{
	if (pi_update(t, RANK_NONE))
		pi_propagate(t);
}

/* t's loan is charged; what it may use from now on is what is left after that. */
static void loan_renew(struct thread *t, struct thread *lender)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	account_settle(h, clock_now());
	int64_t used = loan_take_used(t);
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	loan_charge(lender, used);
	int64_t left = loan_available(lender);
	flags = arch_irq_save();
	h = thread_lock(t);
	t->loan_left_ns = left == INT64_MAX ? left : left - t->loan_used_ns; /* since then */
	spin_unlock_raw(&h->lock);
	h = thread_lock(lender);
	thread_rerank(h, lender);
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
}

void pi_loan_spent(struct thread *t)
{
	spin_lock(&pi_lock);
	struct thread *lender = t->lender;
	if (lender && t->loan_left_ns <= 0) {
		loan_renew(t, lender);
		pi_propagate(lender); /* in any case: one that has timed out may have been parked meanwhile */
	}
	spin_unlock(&pi_lock);
}

void pi_domain_changed(struct thread *t)
{
	spin_lock(&pi_lock);
	const struct pi_queue *q = t->blocked_on;
	for (unsigned n = 0; q; n++) {
		assert(n < PI_CHAIN_MAX);
		irqflags flags = arch_irq_save();
		struct hart *h = thread_lock(q->owner);
		account_changed(h, q->owner);
		spin_unlock_raw(&h->lock);
		arch_irq_restore(flags);
		q = q->owner->blocked_on;
	}
	spin_unlock(&pi_lock);
}

/* ---- how long the chains are ---- */

static unsigned pi_queue_height(const struct pi_queue *q)
{
	if (list_is_empty(&q->waiters))
		return 0;
	return 1U + (list_is_empty(&q->tall) ? 0 : list_entry(q->tall.next, struct thread, tall_node)->height);
}

static uint8_t pi_height(const struct thread *t)
{
	unsigned height = 0;
	list_for_each(it, &t->held)
		height = max(height, pi_queue_height(list_entry(it, struct pi_queue, held_node)));
	return (uint8_t)height;
}

/* t, which waits for q, is one of those with somebody behind them, if that is so: the tallest first. */
static void pi_insert_tall(struct pi_queue *q, struct thread *t)
{
	struct list *at = q->tall.next;
	if (t->height == 0)
		return;
	while (at != &q->tall && list_entry(at, struct thread, tall_node)->height > t->height)
		at = at->next;
	list_insert_between(&t->tall_node, at->prev, at);
}

/* Somebody has begun, or ceased, to wait for what t holds, or has another height now. */
static void pi_heights_from(struct thread *t)
{
	struct pi_queue *q;
	for (uint8_t height; t && (height = pi_height(t)) != t->height; t = q ? q->owner : NULL) {
		assert(height <= PI_CHAIN_MAX);
		q = t->blocked_on;
		list_remove(&t->tall_node);
		t->height = height;
		if (q)
			pi_insert_tall(q, t);
	}
}

/* Whether t may wait for what `owner` has: no circle, and no chain that is too long. */
static bool pi_may_wait(const struct thread *t, const struct thread *owner)
{
	unsigned ahead = 0;
	for (; owner; ahead++) {
		if (owner == t)
			return false;
		owner = owner->blocked_on ? owner->blocked_on->owner : NULL;
	}
	bool fits = t->height + ahead <= PI_CHAIN_MAX;
	pi_refused += !fits;
	return fits;
}

/* ---- waiting, and handing over ---- */

enum err pi_wait_locked(struct pi_queue *q)
{
	struct thread *t = thread_current();
	assert(q->owner && !t->blocked_on);
	if (!pi_may_wait(t, q->owner))
		return ERR_DEADLK;
	if (list_is_empty(&q->waiters))
		list_push_back(&q->owner->held, &q->held_node);
	/* From here on its timer does not stop it (account_expired); what that has found before, its rank must show. */
	t->blocked_on = q;
	if (t->server || t->lender) { /* what it has run up to now is not its owner's to use any more */
		irqflags flags = arch_irq_save();
		struct hart *h = thread_lock(t);
		account_settle(h, clock_now());
		thread_rerank(h, t);
		spin_unlock_raw(&h->lock);
		arch_irq_restore(flags);
	}
	pi_insert(q, t);
	pi_insert_tall(q, t);
	pi_heights_from(q->owner);
	pi_propagate_from(q->owner);
	return OK;
}

bool pi_cancel_locked(struct pi_queue *q)
{
	struct thread *t = thread_current();
	bool waits = t->blocked_on;
	if (waits) {
		assert(t->blocked_on == q);
		list_remove(&t->wait_node);
		list_remove(&t->tall_node);
		t->blocked_on = NULL;
		if (list_is_empty(&q->waiters))
			list_remove(&q->held_node);
		pi_heights_from(q->owner);
		pi_propagate_from(q->owner);
	}
	if (t->attention & THREAD_CHARGED) { /* from now on it may be stopped again */
		irqflags flags = arch_irq_save();
		struct hart *h = thread_lock(t);
		account_changed(h, t);
		spin_unlock_raw(&h->lock);
		arch_irq_restore(flags);
	}
	return waits;
}

/* The first that may run, where one of the first few may. */
static struct thread *pi_choose(const struct pi_queue *q)
{
	unsigned n = 0;
	list_for_each(it, &q->waiters) {
		struct thread *t = pi_waiter(it);
		if (!hart_bars(__atomic_load_n(&t->hart, __ATOMIC_RELAXED), t))
			return t;
		if (++n == HANDOVER_SCAN_MAX)
			break;
	}
	return pi_waiter(q->waiters.next);
}

struct thread *pi_hand_over_locked(struct pi_queue *q)
{
	struct thread *from = q->owner, *to = NULL;
	assert(from == thread_current());
	if (list_is_empty(&q->waiters)) {
		q->owner = NULL;
		return NULL;
	}
	to = pi_choose(q);
	list_remove(&to->wait_node);
	list_remove(&to->tall_node);
	to->blocked_on = NULL;
	list_remove(&q->held_node);
	q->owner = to;
	if (!list_is_empty(&q->waiters))
		list_push_back(&to->held, &q->held_node);
	pi_heights_from(from);
	pi_heights_from(to);
	(void)pi_update(from, to->run.rank); /* it runs, and waits for nobody */
	pi_propagate_from(to);
	return to;
}

enum err thread_set_priority(struct thread *t, uint8_t priority, enum sched_class class)
{
	if (priority < PRIO_MIN || priority > PRIO_MAX || (class != SCHED_FIFO && class != SCHED_RR))
		return ERR_INVAL;
	if (t->attention & THREAD_IDLE)
		return ERR_PERM;
	spin_lock(&pi_lock);
	if (t->server)
		deadline_leave_locked(t);
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	t->base_priority = priority;
	if (class == SCHED_RR && !(t->attention & THREAD_RR))
		quantum_begin(h, t);
	t->attention = (uint8_t)((t->attention & ~THREAD_RR) | (class == SCHED_RR ? THREAD_RR : 0));
	bool changed = thread_rerank(h, t);
	hart_changed(h); /* a quantum may have begun to count */
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	if (changed)
		pi_propagate(t);
	spin_unlock(&pi_lock);
	return OK;
}

uint64_t pi_chains_refused(void)
{
	spin_lock(&pi_lock);
	uint64_t n = pi_refused;
	spin_unlock(&pi_lock);
	return n;
}
