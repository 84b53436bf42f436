/*
 * domain.c - groups of threads with a budget on each hart.
 *
 * A domain is barred on a hart when its budget there is spent, or by the mode. That is one bit: its
 * threads stay in the queue, and each is parked when its turn comes (hart_best). A refill clears
 * the bit and puts back UNPARK_MAX of them in one interrupt, in the order in which they stood. Of more, those who
 * stood last come first, and one of them may be running when the others are put before them.
 *
 * The mode bars the deadline threads of a LO domain whether it has a degraded budget or not: they wait apart from
 * the others (`dropped`), which a refill may concern while it does not concern them.
 *
 * Locks: LOCK_ADMISSION for the table; the hart's lock for its budgets, and for its copy of each domain's attributes.
 */
#include "kernel/lock/lock.h"
#include "kernel/sched/sched_priv.h"

#define UNPARK_MAX 4

#define DOMAIN_PERIOD_LEAST_NS    NS_PER_MS
#define DOMAIN_PERIOD_GREATEST_NS (10 * NS_PER_S)

static struct domain_info domains[DOMAIN_MAX] = {{.name = "system", .name_len = 6}};
static uint8_t domain_count = 1;

bool domain_exists(uint8_t domain)
{
	return domain < __atomic_load_n(&domain_count, __ATOMIC_ACQUIRE);
}

bool domain_is_low(uint8_t domain)
{
	return __atomic_load_n(&domains[domain].attr.low, __ATOMIC_RELAXED);
}

/* ---- on one hart, locked ---- */

void domain_init_hart(struct hart *h)
{
	for (uint8_t d = 0; d < DOMAIN_MAX; d++) {
		list_init(&h->domain[d].parked);
		list_init(&h->domain[d].dropped);
		refill_init(&h->domain[d].refill, NULL, d);
	}
}

void domain_bars_changed(struct hart *h)
{
	if (h->spent | h->suspended)
		h->queue.rare |= RUNQ_BARRED;
	else
		h->queue.rare &= ~(uint32_t)RUNQ_BARRED;
	trace(TRACE_BARS, h->cpu, 0, h->spent | h->suspended, 0);
}

void hart_bar_current(struct hart *h)
{
	if (hart_bars(h, h->current))
		h->queue.rare |= RUNQ_STALE; /* until hart_best() finds nobody left */
	hart_resched(h);
}

void domain_bar(struct hart *h, uint8_t domain)
{
	h->spent |= (uint8_t)(1U << domain);
	domain_bars_changed(h);
	refill_start(h, &h->domain[domain].refill, h->domain[domain].budget.next);
	hart_resched(h);
}

/* Who of the domain may go on: of those who stopped last the last; NULL: nobody. */
static struct list *domain_next_parked(const struct hart *h, uint8_t domain)
{
	const struct domain_hart *d = &h->domain[domain];
	if (!(h->dropped >> domain & 1) && !list_is_empty(&d->dropped))
		return d->dropped.prev;
	return domain_is_barred(h, domain) || list_is_empty(&d->parked) ? NULL : d->parked.prev;
}

/* By its server, not by its domain. */
static bool thread_is_throttled(const struct thread *t)
{
	return t->server && t->server->edf.state == EDF_THROTTLED;
}

void hart_park(struct hart *h, struct thread *t)
{
	struct server *s = t->server;
	trace(TRACE_DETAIL(TRACE_PARK, t->run.domain), h->cpu, t->id, 0, 0);
	t->parked = true;
	list_init(&t->run.link);
	if (s && t->blocked_on) /* what it lends it has no more; it is not told here, under this lock */
		server_send(s, SERVER_REFRESH);
	if (thread_is_throttled(t)) {
		refill_start(h, &s->refill, edf_replenish_at(&s->edf));
		return;
	}
	struct domain_hart *d = &h->domain[t->run.domain];
	list_push_back(s ? &d->dropped : &d->parked, &t->run.link);
	if (s && s->edf.state == EDF_ACTIVE) { /* suspended: a pause for its server too */
		edf_sleep(&s->edf);
		server_counted(h, s, EDF_ACTIVE);
		servers_check_idle(h, clock_now());
	}
	if (domain_next_parked(h, t->run.domain)) /* it has run by what was lent, past the end of the suspension */
		refill_start(h, &d->refill, clock_now());
}

void hart_repark(struct hart *h, struct thread *t)
{
	bool by_domain = !list_is_empty(&t->run.link);
	if (by_domain == thread_is_throttled(t)) {
		hart_unpark(h, t);
		hart_park(h, t);
	}
}

void hart_unpark(struct hart *h, struct thread *t)
{
	debug_assert(t->hart == h);
	trace(TRACE_DETAIL(TRACE_UNPARK, t->run.domain), h->cpu, t->id, 0, 0);
	t->parked = false;
	list_remove(&t->run.link);
}

/* Back into the queue, before its equals. A deadline thread was held up through no fault of its own: it begins anew. */
static void domain_unpark(struct hart *h, struct thread *t)
{
	hart_unpark(h, t);
	if (t->server) {
		server_wake_now(t);
		hart_enqueue(h, t);
	} else {
		hart_enqueue_front(h, t);
	}
}

void domain_refill(struct hart *h, uint8_t domain, ktime now)
{
	struct domain_hart *d = &h->domain[domain];
	struct list *next;
	if ((h->spent >> domain & 1) && budget_charge(&d->budget, 0, now)) {
		h->spent &= (uint8_t)~(1U << domain);
		domain_bars_changed(h);
		if (h->peers)
			hart_resched(h); /* to pull those of it that wait elsewhere */
	}
	for (unsigned n = 0; n < UNPARK_MAX && (next = domain_next_parked(h, domain)) != NULL; n++)
		domain_unpark(h, thread_of(list_entry(next, struct runq_node, link)));
	if (domain_next_parked(h, domain))
		refill_start(h, &d->refill, now);
	else if (h->spent >> domain & 1)
		refill_start(h, &d->refill, d->budget.next);
}

static void domain_set_hart(struct hart *h, uint8_t domain, ktime now)
{
	struct domain_hart *d = &h->domain[domain];
	const struct domain_attr *a = &d->attr;
	bool low = h->high && a->low;
	int64_t budget = low ? a->degraded_ns : a->budget_ns;
	uint8_t bit = (uint8_t)(1U << domain);
	if (budget != d->budget.budget_ns || a->period_ns != d->budget.period_ns)
		budget_set(&d->budget, budget, a->period_ns ? a->period_ns : NS_PER_S, now);
	h->dropped = (uint8_t)(low ? h->dropped | bit : h->dropped & ~bit);
	h->suspended = (uint8_t)(low && budget == 0 ? h->suspended | bit : h->suspended & ~bit);
	if (d->budget.remaining_ns > 0 || budget == 0)
		h->spent &= (uint8_t)~bit;
	domain_bars_changed(h);
	if (!list_is_empty(&d->parked) || !list_is_empty(&d->dropped))
		refill_start(h, &d->refill, now);
	if (h->current) {
		account_changed(h, h->current);
		hart_resched(h);
	}
}

void domain_set_mode(struct hart *h, bool high, ktime now)
{
	h->high = high;
	for (uint8_t d = 1; d < DOMAIN_MAX; d++)
		if (h->domain[d].attr.low)
			domain_set_hart(h, d, now);
}

/* ---- the table ---- */

static bool domain_attr_valid(const struct domain_attr *a)
{
	bool limited = a->budget_ns || a->degraded_ns;
	bool period = a->period_ns >= DOMAIN_PERIOD_LEAST_NS && a->period_ns <= DOMAIN_PERIOD_GREATEST_NS;
	return a->budget_ns >= 0 && a->degraded_ns >= 0 && (period || (!limited && a->period_ns == 0)) &&
	       a->budget_ns <= a->period_ns && a->degraded_ns <= a->period_ns && (a->low || !a->degraded_ns);
}

/* Hart by hart what the table says by then, so that of two who publish at once the later one is everywhere the last. */
static void domain_publish(uint8_t domain)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct hart *h = &sched_hart[cpu];
		irqflags flags = spin_lock_irqsave(&admission_lock);
		spin_lock_raw(&h->lock);
		h->domain[domain].attr = domains[domain].attr;
		domain_set_hart(h, domain, clock_now());
		spin_unlock_raw(&h->lock);
		spin_unlock_irqrestore(&admission_lock, flags);
	}
}

struct domain_result domain_create(struct str name, const struct domain_attr *attr)
{
	if (name.len == 0 || name.len > DOMAIN_NAME_MAX || !domain_attr_valid(attr))
		return ERR_RESULT(domain_result, ERR_INVAL);
	irqflags flags = spin_lock_irqsave(&admission_lock);
	uint8_t d = domain_count;
	if (d < DOMAIN_MAX) {
		domains[d] = (struct domain_info){.name_len = name.len, .attr = *attr};
		memcpy(domains[d].name, name.ptr, name.len);
		__atomic_store_n(&domain_count, (uint8_t)(d + 1), __ATOMIC_RELEASE);
	}
	spin_unlock_irqrestore(&admission_lock, flags);
	if (d == DOMAIN_MAX)
		return ERR_RESULT(domain_result, ERR_NOMEM);
	domain_publish(d);
	return OK_RESULT(domain_result, d);
}

bool domain_info(uint8_t domain, struct domain_info *out)
{
	if (!domain_exists(domain))
		return false;
	irqflags flags = spin_lock_irqsave(&admission_lock);
	*out = domains[domain];
	spin_unlock_irqrestore(&admission_lock, flags);
	return true;
}

struct domain_result domain_find(struct str name)
{
	struct domain_info info;
	for (uint8_t d = 0; domain_info(d, &info); d++)
		if (str_eq(str_of(info.name, info.name_len), name))
			return OK_RESULT(domain_result, d);
	return ERR_RESULT(domain_result, ERR_NOENT);
}

void domain_hart_info(uint8_t domain, uint32_t cpu, struct domain_hart_info *out)
{
	struct hart *h = &sched_hart[cpu];
	irqflags flags = spin_lock_irqsave(&h->lock);
	const struct budget *b = &h->domain[domain].budget;
	*out = (struct domain_hart_info){
		.used_ns = b->used_ns,
		.remaining_ns = b->remaining_ns,
		.spent = b->spent_count,
		.barred = domain_is_barred(h, domain),
	};
	spin_unlock_irqrestore(&h->lock, flags);
}

enum err domain_set(uint8_t domain, const struct domain_attr *attr)
{
	if (domain == DOMAIN_SYSTEM || !domain_exists(domain) || !domain_attr_valid(attr))
		return ERR_INVAL;
	irqflags flags = spin_lock_irqsave(&admission_lock);
	enum err err = attr->low == domains[domain].attr.low || !deadline_any_admitted() ? OK : ERR_BUSY;
	if (err == OK)
		domains[domain].attr = *attr;
	spin_unlock_irqrestore(&admission_lock, flags);
	if (err == OK)
		domain_publish(domain);
	return err;
}

enum err thread_set_domain(struct thread *t, uint8_t domain)
{
	if (!domain_exists(domain))
		return ERR_INVAL;
	if (t->attention & THREAD_IDLE) /* its hart would have nothing to run when the budget is spent */
		return ERR_PERM;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	bool admitted = t->server || __atomic_load_n(&t->admitting, __ATOMIC_RELAXED);
	enum err err = admitted && domain_is_low(domain) != domain_is_low(t->run.domain) ? ERR_BUSY : OK;
	if (err == OK) {
		bool parked = t->parked;
		if (h->current == t)
			account_settle(h, clock_now());
		if (parked)
			hart_unpark(h, t);
		t->run.domain = domain;
		account_changed(h, t);
		if (t->run.queued && h->current != t)
			hart_requeue(h, t, t->run.rank, t->run.affinity); /* it may run elsewhere now */
		if (parked) {
			if (t->server) { /* which may be throttled: this is no wake */
				server_work(t);
				t->run.rank = thread_effective_rank(t);
			}
			hart_enqueue(h, t);
		} else if (h->current == t) {
			hart_bar_current(h);
		}
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
	if (err == OK)
		pi_domain_changed(t);
	return err;
}
