/*
 * pi.c - priority inheritance over any chain of threads and harts.
 *
 * A thread's effective priority is the highest of its base and of all that wait
 * for anything it holds; it is always recomputed from that definition, never
 * stepped. When it changes and the thread itself waits, the owner of what it waits
 * for is next. One lock guards the whole graph: it is taken only under contention.
 *
 * Bounds: PI_CHAIN_MAX links, both of the chain ahead of who begins to wait, which is
 * refused beyond, and of the way that a change of priority is carried; chains that were joined
 * in the middle can be longer, and a change that ends early is counted (pi_cut_short). A walk
 * over the contended objects that one thread holds; an insertion among waiters.
 *
 * Locks: LOCK_PI here, LOCK_RUNQ inside for each thread whose priority changes.
 */
#include "kernel/sched/sched_priv.h"

struct spinlock pi_lock = SPINLOCK_INIT(LOCK_PI);
static uint64_t pi_cut; /* pi_lock */

void pi_init(struct pi_queue *q)
{
	q->owner = NULL;
	list_init(&q->waiters);
	list_init(&q->held_node);
}

static struct thread *pi_first(const struct pi_queue *q)
{
	return list_entry(q->waiters.next, struct thread, wait_node);
}

static uint8_t pi_effective(const struct thread *t)
{
	uint8_t priority = t->base_priority;
	list_for_each(it, &t->held)
		priority = max(priority,
			pi_first(list_entry(it, struct pi_queue, held_node))->run.priority);
	return priority;
}

/* Behind its equals. */
static void pi_insert(struct pi_queue *q, struct thread *t)
{
	struct list *at = q->waiters.prev;
	while (at != &q->waiters &&
		list_entry(at, struct thread, wait_node)->run.priority < t->run.priority)
		at = at->prev;
	list_insert_between(&t->wait_node, at, at->next);
}

static void pi_set_effective(struct thread *t, uint8_t priority)
{
	struct hart *h = thread_lock(t);
	if (t->run.queued) {
		hart_requeue(h, t, priority, t->run.affinity);
	} else {
		t->run.priority = priority;
	}
	spin_unlock_raw(&h->lock);
}

/* Recomputes t and whoever that reaches. */
static void pi_propagate(struct thread *t)
{
	for (unsigned n = 0; t; n++) {
		uint8_t priority = pi_effective(t);
		if (priority == t->run.priority)
			return;
		if (n > PI_CHAIN_MAX) {
			pi_cut++;
			return;
		}
		pi_set_effective(t, priority);
		struct pi_queue *q = t->blocked_on;
		if (!q)
			return;
		list_remove(&t->wait_node);
		pi_insert(q, t);
		t = q->owner;
	}
}

enum err pi_wait_locked(struct pi_queue *q)
{
	struct thread *t = thread_current(), *owner = q->owner;
	assert(owner && !t->blocked_on);
	for (unsigned n = 0; owner; n++) {
		if (owner == t || n == PI_CHAIN_MAX)
			return ERR_DEADLK;
		owner = owner->blocked_on ? owner->blocked_on->owner : NULL;
	}
	if (list_is_empty(&q->waiters))
		list_push_back(&q->owner->held, &q->held_node);
	pi_insert(q, t);
	t->blocked_on = q;
	pi_propagate(q->owner);
	return OK;
}

bool pi_cancel_locked(struct pi_queue *q)
{
	struct thread *t = thread_current();
	if (!t->blocked_on)
		return false;
	assert(t->blocked_on == q);
	list_remove(&t->wait_node);
	t->blocked_on = NULL;
	if (list_is_empty(&q->waiters))
		list_remove(&q->held_node);
	pi_propagate(q->owner);
	return true;
}

struct thread *pi_hand_over_locked(struct pi_queue *q)
{
	struct thread *from = q->owner, *to = NULL;
	assert(from == thread_current());
	if (list_is_empty(&q->waiters)) {
		q->owner = NULL;
		return NULL;
	}
	to = pi_first(q);
	list_remove(&to->wait_node);
	to->blocked_on = NULL;
	list_remove(&q->held_node);
	q->owner = to;
	if (!list_is_empty(&q->waiters))
		list_push_back(&to->held, &q->held_node);
	pi_propagate(to);
	pi_propagate(from);
	return to;
}

enum err thread_set_priority(struct thread *t, uint8_t priority, enum sched_class class)
{
	if (priority < PRIO_MIN || priority > PRIO_MAX || (class != SCHED_FIFO && class != SCHED_RR))
		return ERR_INVAL;
	if (t->attention & THREAD_IDLE)
		return ERR_PERM;
	irqflags flags = spin_lock_irqsave(&pi_lock);
	struct hart *h = thread_lock(t);
	t->base_priority = priority;
	t->attention = (uint8_t)((t->attention & ~THREAD_RR) | (class == SCHED_RR ? THREAD_RR : 0));
	hart_changed(h); /* a quantum may have begun to count */
	spin_unlock_raw(&h->lock);
	pi_propagate(t);
	spin_unlock_irqrestore(&pi_lock, flags);
	return OK;
}

uint64_t pi_cut_short(void)
{
	irqflags flags = spin_lock_irqsave(&pi_lock);
	uint64_t n = pi_cut;
	spin_unlock_irqrestore(&pi_lock, flags);
	return n;
}
