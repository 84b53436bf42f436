/*
 * tcp_pollset.c - one thread waits for many connections.
 *
 * Readiness is by level: an entry stands in the set's list exactly as long as it
 * is ready for something in its mask, so an event costs O(1), however many
 * connections wait. tcp_pollset_wait() takes from the front and puts back behind:
 * nobody is served twice before everybody was once.
 *
 * Locks: the set's spinlock (LOCK_TCP_READY); who changes the membership holds
 * the connection's mutex, for a listener the table's lock.
 */
#include "kernel/net/tcp/tcp_priv.h"

struct tcp_pollset {
	struct spinlock lock;
	struct list ready;
	uint32_t woken; /* atomic */
	struct waitq waiters;
};

static struct tcp_pollset tcp_pollsets[CONFIG_TCP_POLLSETS];
static bool tcp_pollset_used[CONFIG_TCP_POLLSETS]; /* tcp_table_lock */

struct tcp_pollset *tcp_pollset_create(void)
{
	struct tcp_pollset *p = NULL;
	spin_lock(&tcp_table_lock);
	for (size_t i = 0; i < CONFIG_TCP_POLLSETS && !p; i++) {
		if (tcp_pollset_used[i])
			continue;
		tcp_pollset_used[i] = true;
		p = &tcp_pollsets[i];
	}
	spin_unlock(&tcp_table_lock);
	if (!p) {
		tcp_count(TCP_REFUSED_POLLSETS);
		return NULL;
	}
	spin_init(&p->lock, LOCK_TCP_READY);
	list_init(&p->ready);
	waitq_init(&p->waiters);
	p->woken = 0;
	return p;
}

void tcp_pollset_destroy(struct tcp_pollset *p)
{
	spin_lock(&tcp_table_lock);
	assert(list_is_empty(&p->ready));
	tcp_pollset_used[p - tcp_pollsets] = false;
	spin_unlock(&tcp_table_lock);
}

/* Puts the entry in or takes it out as its readiness says; whoever waits is woken by the caller. */
static bool tcp_pollitem_place_locked(struct tcp_pollset *p, struct tcp_pollitem *it)
{
	bool ready = it->ready & (it->mask | TCP_READY_END);
	bool linked = list_is_linked(&it->node);
	if (ready && !linked)
		list_push_back(&p->ready, &it->node);
	else if (!ready && linked)
		list_remove(&it->node);
	return ready && !linked;
}

void tcp_pollset_update(struct tcp_pollitem *it, uint32_t ready)
{
	struct tcp_pollset *p = it->set;
	if (!p)
		return;
	spin_lock(&p->lock);
	it->ready = ready;
	bool wake = tcp_pollitem_place_locked(p, it);
	spin_unlock(&p->lock);
	if (wake)
		waitq_wake_one(&p->waiters);
}

static void tcp_pollitem_set(struct tcp_pollset *p, struct tcp_pollitem *it, uint32_t mask, void *cookie)
{
	assert(!it->set || it->set == p);
	spin_lock(&p->lock);
	it->set = p;
	it->mask = mask;
	it->cookie = cookie;
	spin_unlock(&p->lock);
}

uint32_t tcp_conn_ready(const struct tcp_conn *c)
{
	const struct tcp_core *k = &c->core;
	uint32_t ready = 0;
	bool eof = k->state == TCP_CLOSE_WAIT || k->state == TCP_LAST_ACK || k->state == TCP_CLOSING;
	if (tcp_is_done(k))
		return TCP_READY_IN | TCP_READY_OUT | TCP_READY_LOW | TCP_READY_END;
	if (c->tx.tail - c->tx.head <= TCP_LOW_BYTES)
		ready |= TCP_READY_LOW;
	if (c->rx.head != c->rx.tail || eof)
		ready |= TCP_READY_IN;
	if ((k->state == TCP_ESTABLISHED || k->state == TCP_CLOSE_WAIT) && !k->fin_queued &&
		!c->starved && c->tx.tail - c->tx.head < CONFIG_TCP_TX_BYTES / 2)
		ready |= TCP_READY_OUT;
	return ready;
}

void tcp_pollset_add(struct tcp_pollset *p, struct tcp_conn *c, uint32_t mask, void *cookie)
{
	mutex_lock(&c->lock);
	tcp_pollitem_set(p, &c->poll, mask, cookie);
	tcp_pollset_update(&c->poll, tcp_conn_ready(c));
	mutex_unlock(&c->lock);
}

void tcp_pollset_remove(struct tcp_conn *c)
{
	mutex_lock(&c->lock);
	tcp_pollset_update(&c->poll, 0);
	c->poll.set = NULL;
	mutex_unlock(&c->lock);
}

void tcp_pollset_add_listener(struct tcp_pollset *p, struct tcp_listener *l, void *cookie)
{
	spin_lock(&tcp_table_lock);
	tcp_pollitem_set(p, &l->poll, TCP_READY_IN, cookie);
	tcp_pollset_update(&l->poll, list_is_empty(&l->queue) ? 0 : TCP_READY_IN);
	spin_unlock(&tcp_table_lock);
}

/* Up to n entries from the front, each put back behind; none twice. */
static size_t tcp_pollset_take(struct tcp_pollset *p, struct tcp_ready *out, size_t n)
{
	size_t got = 0;
	struct list *first = NULL;
	spin_lock(&p->lock);
	while (got < n && !list_is_empty(&p->ready) && p->ready.next != first) {
		struct tcp_pollitem *it = list_entry(p->ready.next, struct tcp_pollitem, node);
		if (!first)
			first = &it->node;
		list_remove(&it->node);
		list_push_back(&p->ready, &it->node);
		out[got++] = (struct tcp_ready){it->cookie, it->ready & (it->mask | TCP_READY_END)};
	}
	spin_unlock(&p->lock);
	return got;
}

static bool tcp_pollset_has_news(struct tcp_pollset *p)
{
	return !list_is_empty(&p->ready) || __atomic_load_n(&p->woken, __ATOMIC_ACQUIRE);
}

struct size_result tcp_pollset_wait(struct tcp_pollset *p, struct tcp_ready *out, size_t n,
	ktime deadline)
{
	for (;;) {
		size_t got = tcp_pollset_take(p, out, n);
		bool woken = __atomic_exchange_n(&p->woken, 0, __ATOMIC_ACQ_REL);
		if (got || woken)
			return OK_RESULT(size_result, got);
		if (deadline.ns == 0)
			return ERR_RESULT(size_result, ERR_AGAIN);
		enum err e = waitq_wait_until(&p->waiters, tcp_pollset_has_news(p), deadline,
			S("tcp_pollset"));
		if (e != OK)
			return ERR_RESULT(size_result, e);
	}
}

void tcp_pollset_wake(struct tcp_pollset *p)
{
	__atomic_store_n(&p->woken, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&p->waiters);
}
