/* trace_check_core.c - judges a trace; see trace_check_core.h, where each verdict is defined. */
#include "kernel/diag/trace_check_core.h"
#include "lib/assert.h"

struct str trace_verdict_name(enum trace_verdict v)
{
	static const struct str names[] = {STR_INIT("fine"), STR_INIT("worse"), STR_INIT("late"), STR_INIT("unannounced"),
		STR_INIT("passed_over"), STR_INIT("parked"), STR_INIT("twice"), STR_INIT("unfinished"), STR_INIT("full")};
	return names[v];
}

void trace_check_begin(struct trace_check *c, uint32_t cpus)
{
	assert(cpus <= TRACE_CHECK_CPUS);
	*c = (struct trace_check){.cpus = cpus};
}

static void check_wrong(struct trace_check *c, const struct trace_record *r, enum trace_verdict v, uint32_t tid, uint32_t cpu)
{
	if (c->verdict != TRACE_FINE)
		return;
	c->verdict = v;
	c->at = *r;
	c->tid = tid;
	c->cpu = cpu;
}

/* ---- threads ---- */

static struct trace_check_thread *check_find(struct trace_check *c, uint32_t tid)
{
	for (uint32_t i = 0; i < c->threads; i++)
		if (c->thread[i].tid == tid)
			return &c->thread[i];
	return NULL;
}

/* That thread, new if it was not known; NULL: no room. */
static struct trace_check_thread *check_thread(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_thread *t = check_find(c, r->tid);
	if (!t)
		t = check_find(c, 0);
	if (!t && c->threads < TRACE_CHECK_THREADS)
		t = &c->thread[c->threads++];
	if (!t) {
		check_wrong(c, r, TRACE_FULL, r->tid, r->cpu);
		return NULL;
	}
	if (t->tid == 0)
		*t = (struct trace_check_thread){.tid = r->tid};
	return t;
}

/* Of which nothing need be known for now, is forgotten; a running one is about to stand in its queue again. */
static void check_forget(struct trace_check *c, struct trace_check_thread *t)
{
	if (!t->queued && !t->parked && !t->throttled && c->hart[t->cpu].running != t->tid)
		t->tid = 0;
}

static const struct trace_check_thread *check_best(const struct trace_check *c, uint32_t cpu)
{
	const struct trace_check_thread *best = NULL;
	for (uint32_t i = 0; i < c->threads; i++) {
		const struct trace_check_thread *t = &c->thread[i];
		if (t->tid && t->queued && t->cpu == cpu && (!best || t->rank < best->rank))
			best = t;
	}
	return best;
}

/* Its running thread, if that stands in its queue; NULL: it is just leaving. */
static struct trace_check_thread *check_running(struct trace_check *c, uint32_t cpu)
{
	struct trace_check_thread *t = check_find(c, c->hart[cpu].running);
	return t && t->tid && t->queued && t->cpu == cpu ? t : NULL;
}

static bool check_outranked(struct trace_check *c, uint32_t cpu)
{
	const struct trace_check_thread *running = check_running(c, cpu), *best = check_best(c, cpu);
	return running && best && best->rank < running->rank;
}

static bool check_bars(const struct trace_check *c, const struct trace_check_thread *t)
{
	return t->throttled || (c->hart[t->cpu].bars >> t->domain & 1);
}

/* ---- harts ---- */

/* `by` has made a switch due on `cpu`. */
static void check_due(struct trace_check *c, uint32_t by, uint32_t cpu)
{
	if (!c->hart[cpu].decided)
		return;
	if (by == cpu)
		c->hart[cpu].due = true;
	else
		c->hart[by].owes |= UINT64_C(1) << cpu;
}

/* `by` has ended what it was at: whom it had to tell has been told. */
static void check_ended(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->by];
	for (uint64_t left = h->owes; left != 0; left &= left - 1)
		check_wrong(c, r, TRACE_UNANNOUNCED, 0, (uint32_t)__builtin_ctzll(left));
	h->owes = 0;
	h->touched = 0;
}

/* What ends with preemption on: a decision must be the next that comes. */
static void check_chance(struct trace_check_hart *h, uint64_t preempt_off)
{
	if (h->due && preempt_off == 0)
		h->must = true;
}

static void check_not_late(struct trace_check *c, const struct trace_record *r, bool late)
{
	const struct trace_check_thread *best = check_best(c, r->by);
	if (late)
		check_wrong(c, r, TRACE_LATE, best ? best->tid : 0, r->by);
}

static void check_decision(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->by];
	const struct trace_check_thread *best = check_best(c, r->by);
	c->stats.decisions++;
	h->running = r->tid;
	const struct trace_check_thread *t = check_running(c, r->by);
	if (!t)
		check_wrong(c, r, TRACE_TWICE, r->tid, r->by);
	else if (best->rank < t->rank && !h->put_off)
		check_wrong(c, r, TRACE_WORSE, best->tid, r->by);
	check_ended(c, r);
	h->due = r->detail;
	h->put_off = false;
	h->must = h->left = false;
	h->decided = true;
	h->looking = c->cpus > 1;
	h->settled |= !h->looking;
	if (r->event == TRACE_SWITCH) {
		struct trace_check_thread *left = check_find(c, (uint32_t)r->b);
		if (left && left->tid)
			check_forget(c, left);
	}
}

/* ---- what waits where it need not ---- */

/* One hart as the pairs see it. */
struct check_view {
	const struct trace_check_thread *running; /* NULL: it is in the middle of something */
	bool decides; /* it will decide anew, and then look around and announce what still waits */
	uint64_t bars;
};

static struct check_view check_look(struct trace_check *c, uint32_t cpu, uint64_t touched)
{
	const struct trace_check_hart *h = &c->hart[cpu];
	struct check_view v = {.decides = h->due || h->must || h->called, .bars = h->bars};
	if (h->settled && !h->looking && !(touched >> cpu & 1))
		v.running = check_running(c, cpu);
	return v;
}

static void check_waiting(struct trace_check *c, const struct trace_record *r, const struct check_view *view,
	const struct trace_check_thread *t)
{
	for (uint32_t cpu = 0; cpu < c->cpus; cpu++) {
		const struct check_view *v = &view[cpu];
		if (cpu == t->cpu || !(t->affinity >> cpu & 1) || !v->running || v->decides || (v->bars >> t->domain & 1))
			continue;
		c->stats.pairs++;
		if (v->running->rank > t->rank)
			check_wrong(c, r, TRACE_PASSED_OVER, t->tid, cpu);
	}
}

static void check_pairs(struct trace_check *c, const struct trace_record *r)
{
	struct check_view view[TRACE_CHECK_CPUS];
	uint64_t touched = 0;
	for (uint32_t by = 0; by < c->cpus; by++)
		touched |= c->hart[by].touched;
	for (uint32_t cpu = 0; cpu < c->cpus; cpu++)
		view[cpu] = check_look(c, cpu, touched);
	for (uint32_t i = 0; i < c->threads; i++) {
		const struct trace_check_thread *t = &c->thread[i];
		const struct check_view *v = &view[t->cpu];
		if (t->tid && t->queued && v->running && t != v->running && !v->decides)
			check_waiting(c, r, view, t);
	}
}

/* ---- each event ---- */

static void check_hart_begins(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->cpu];
	uint64_t touched = h->touched, owes = h->owes;
	*h = (struct trace_check_hart){.known = true, .running = r->tid, .touched = touched, .owes = owes};
	for (uint32_t i = 0; i < c->threads; i++)
		if (c->thread[i].cpu == r->cpu)
			c->thread[i] = (struct trace_check_thread){0};
}

static void check_enqueue(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->cpu];
	struct trace_check_thread *t = check_thread(c, r);
	if (!t)
		return;
	if (t->queued)
		check_wrong(c, r, TRACE_TWICE, r->tid, r->cpu);
	bool falls = h->running == r->tid && t->cpu == r->cpu && r->a > t->rank;
	t->queued = true;
	t->parked = false;
	t->cpu = r->cpu;
	t->rank = r->a;
	t->affinity = r->b;
	t->domain = r->detail;
	c->hart[r->by].touched |= UINT64_C(1) << r->cpu;
	c->stats.from_other_harts += r->by != r->cpu;
	c->stats.from_interrupts += c->in_irq >> r->by & 1;
	if (check_outranked(c, r->cpu) || (falls && c->cpus > 1))
		check_due(c, r->by, r->cpu);
}

static void check_dequeue(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_thread *t = check_find(c, r->tid);
	if (!t || !t->queued || t->cpu != r->cpu) {
		check_wrong(c, r, TRACE_TWICE, r->tid, r->cpu);
		return;
	}
	t->queued = false;
	c->hart[r->by].touched |= UINT64_C(1) << r->cpu;
	check_forget(c, t);
}

static void check_park(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_thread *t = check_thread(c, r);
	if (!t)
		return;
	t->parked = r->event == TRACE_PARK;
	t->cpu = r->cpu;
	t->domain = r->detail;
	t->kept = 0;
	c->stats.parked += t->parked;
	if (t->queued)
		check_wrong(c, r, TRACE_TWICE, r->tid, r->cpu);
	if (t->parked && !check_bars(c, t) && c->hart[r->cpu].decided) /* before, it is how the hart stood */
		check_wrong(c, r, TRACE_PARKED, r->tid, r->cpu);
	check_forget(c, t);
}

static void check_throttle(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_thread *t = check_thread(c, r);
	if (!t)
		return;
	if (!t->queued && !t->parked)
		t->cpu = r->cpu;
	t->throttled = r->event == TRACE_THROTTLE;
	c->stats.throttled += t->throttled;
	check_forget(c, t);
}

static void check_barred(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->cpu];
	c->stats.barred += (r->a & ~h->bars) != 0;
	if ((h->bars & ~r->a) && c->cpus > 1) /* what waits elsewhere may come now */
		check_due(c, r->by, r->cpu);
	h->bars = r->a;
}

/* A hart that nothing keeps from letting them in again. */
static void check_kept(struct trace_check *c, const struct trace_record *r)
{
	for (uint32_t i = 0; i < c->threads; i++) {
		struct trace_check_thread *t = &c->thread[i];
		if (!t->tid || !t->parked || t->cpu != r->by)
			continue;
		t->kept = check_bars(c, t) ? 0 : t->kept + 1;
		if (t->kept > TRACE_CHECK_PARKED_MAX)
			check_wrong(c, r, TRACE_PARKED, t->tid, t->cpu);
	}
}

static void check_interrupt(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->by];
	check_not_late(c, r, h->must && !h->window);
	check_ended(c, r);
	if (r->event == TRACE_IRQ_ENTER) {
		c->in_irq |= 1u << r->by;
		return;
	}
	if (r->event == TRACE_IPI_RECEIVED) {
		h->called = false;
		h->due = h->decided;
	} else {
		c->in_irq &= ~(1u << r->by);
		check_kept(c, r);
	}
	check_chance(h, r->a);
}

static void check_leave(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->by];
	check_not_late(c, r, r->a && (h->must || h->left)); /* on the way to a decision, waits are ended */
	check_ended(c, r);
	h->left |= h->due && r->a;
}

static void check_looked(struct trace_check *c, const struct trace_record *r)
{
	struct trace_check_hart *h = &c->hart[r->by];
	check_ended(c, r);
	h->looking = false;
	h->settled = h->decided;
}

static void check_sent(struct trace_check *c, const struct trace_record *r)
{
	c->hart[r->by].owes &= ~(UINT64_C(1) << r->cpu);
	c->hart[r->cpu].called = true;
}

static void check_event(struct trace_check *c, const struct trace_record *r)
{
	switch ((enum trace_event)r->event) {
	case TRACE_SWITCH:
	case TRACE_STAY:
		check_decision(c, r);
		break;
	case TRACE_PUT_OFF:
		c->hart[r->by].put_off = true;
		break;
	case TRACE_ENQUEUE:
		check_enqueue(c, r);
		break;
	case TRACE_DEQUEUE:
		check_dequeue(c, r);
		break;
	case TRACE_PARK:
	case TRACE_UNPARK:
		check_park(c, r);
		break;
	case TRACE_THROTTLE:
	case TRACE_REPLENISH:
		check_throttle(c, r);
		break;
	case TRACE_BARS:
		check_barred(c, r);
		break;
	case TRACE_RESCHED:
		check_due(c, r->by, r->by);
		break;
	case TRACE_IPI_SENT:
		check_sent(c, r);
		break;
	case TRACE_IPI_RECEIVED:
	case TRACE_IRQ_ENTER:
	case TRACE_IRQ_EXIT:
		check_interrupt(c, r);
		break;
	case TRACE_WINDOW:
		c->hart[r->by].window = r->a;
		break;
	case TRACE_LEAVE:
		check_leave(c, r);
		break;
	case TRACE_PULLED:
		check_looked(c, r);
		break;
	case TRACE_MIGRATE:
		c->stats.migrations++;
		break;
	case TRACE_RANK:
		c->stats.ranks++;
		break;
	case TRACE_BEGIN:
		check_hart_begins(c, r);
		break;
	case TRACE_EVENT_COUNT:
		break;
	}
}

enum trace_verdict trace_check_input(struct trace_check *c, const struct trace_record *r)
{
	assert(r->cpu < c->cpus && r->by < c->cpus);
	if (c->verdict != TRACE_FINE)
		return c->verdict;
	if (r->event != TRACE_BEGIN && !c->hart[r->cpu].known)
		return TRACE_FINE;
	c->stats.records++;
	check_event(c, r);
	if (c->verdict == TRACE_FINE)
		check_pairs(c, r);
	return c->verdict;
}

enum trace_verdict trace_check_end(const struct trace_check *c)
{
	if (c->verdict != TRACE_FINE)
		return c->verdict;
	for (uint32_t cpu = 0; cpu < c->cpus; cpu++) {
		const struct trace_check_hart *h = &c->hart[cpu];
		if (!h->settled || h->owes || h->due || h->must || h->called)
			return TRACE_UNFINISHED;
	}
	return TRACE_FINE;
}
