/*
 * tcp_table.c - who owns a segment: connections and time-wait records, found by
 * a keyed hash of both addresses and ports, so that strangers cannot build long
 * chains.
 *
 * Locks: tcp_table_lock, a spinlock; work under it is bounded by a chain's length.
 * Limits: CONFIG_TCP_CONNECTIONS, CONFIG_TCP_PER_PEER (peers are counted in hashed
 * slots: two that share one share the limit), CONFIG_TCP_HALF_OPEN, of which the
 * oldest gives way to a new one (tcp_listen.c), and CONFIG_TCP_TIME_WAITS records,
 * the same.
 */
#include "kernel/net/tcp/tcp_priv.h"
#include "lib/siphash.h"

struct spinlock tcp_table_lock = SPINLOCK_INIT(LOCK_TCP_TABLE);

static struct list tcp_buckets[CONFIG_TCP_BUCKETS];
static struct list tcp_tw_buckets[CONFIG_TCP_BUCKETS];
static struct list tcp_tw_age; /* oldest first */
static struct list tcp_tw_free;
static struct tcp_tw tcp_tw_records[CONFIG_TCP_TIME_WAITS];
static struct tcp_conn *tcp_slots[CONFIG_TCP_CONNECTIONS];
static bool tcp_slot_live[CONFIG_TCP_CONNECTIONS]; /* the connection is in the table, and initialized */
static uint32_t tcp_slot_free[CONFIG_TCP_CONNECTIONS]; /* the first tcp_slots_free of it */
static uint32_t tcp_slots_free;
static struct list tcp_half_age = LIST_INIT(tcp_half_age); /* half-open connections, oldest first */
static uint16_t tcp_peers[TCP_PEER_SLOTS];
static struct siphash_key tcp_hash_key;
static uint32_t tcp_connections, tcp_half_open, tcp_tw_count;

static_assert(is_pow2(CONFIG_TCP_BUCKETS), "a hash is masked to a bucket");

enum err tcp_table_init(void)
{
	rng_fill(&tcp_hash_key, sizeof(tcp_hash_key));
	for (size_t i = 0; i < CONFIG_TCP_BUCKETS; i++) {
		list_init(&tcp_buckets[i]);
		list_init(&tcp_tw_buckets[i]);
	}
	list_init(&tcp_tw_age);
	list_init(&tcp_tw_free);
	for (size_t i = 0; i < CONFIG_TCP_TIME_WAITS; i++) {
		list_init(&tcp_tw_records[i].hash);
		list_push_back(&tcp_tw_free, &tcp_tw_records[i].age);
	}
	while (tcp_slots_free < CONFIG_TCP_CONNECTIONS) {
		tcp_slot_free[tcp_slots_free] = CONFIG_TCP_CONNECTIONS - 1 - tcp_slots_free;
		tcp_slots_free++;
	}
	return OK;
}

uint64_t tcp_tuple_hash(const struct tcp_tuple *t)
{
	static_assert(sizeof(*t) == 12, "no padding is hashed");
	return siphash(&tcp_hash_key, t, sizeof(*t));
}

static size_t tcp_bucket(const struct tcp_tuple *t)
{
	return tcp_tuple_hash(t) & (CONFIG_TCP_BUCKETS - 1);
}

uint32_t tcp_peer_slot(uint32_t addr)
{
	return siphash(&tcp_hash_key, &addr, sizeof(addr)) & (TCP_PEER_SLOTS - 1);
}

static bool tcp_tuple_eq(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
	return a->remote == b->remote && a->remote_port == b->remote_port &&
		a->local_port == b->local_port && a->local == b->local;
}

static struct tcp_conn *tcp_find_locked(const struct tcp_tuple *t, size_t bucket)
{
	list_for_each(it, &tcp_buckets[bucket]) {
		struct tcp_conn *c = list_entry(it, struct tcp_conn, hash);
		if (tcp_tuple_eq(&c->tuple, t))
			return c;
	}
	return NULL;
}

static void tcp_tw_release_locked(struct tcp_tw *r)
{
	list_remove(&r->hash);
	list_remove(&r->age);
	list_push_back(&tcp_tw_free, &r->age);
	tcp_tw_count--;
}

/* Records past their time go when somebody comes by: at most two each time. */
static void tcp_tw_expire_locked(ktime now)
{
	for (int i = 0; i < 2 && !list_is_empty(&tcp_tw_age); i++) {
		struct tcp_tw *r = list_entry(tcp_tw_age.next, struct tcp_tw, age);
		if (ktime_before(now, r->tw.expires))
			return;
		tcp_tw_release_locked(r);
	}
}

static struct tcp_tw *tcp_tw_find_locked(const struct tcp_tuple *t, size_t bucket)
{
	list_for_each(it, &tcp_tw_buckets[bucket]) {
		struct tcp_tw *r = list_entry(it, struct tcp_tw, hash);
		if (tcp_tuple_eq(&r->tuple, t))
			return r;
	}
	return NULL;
}

static void tcp_tw_input_locked(struct tcp_tw *r, const struct tcp_seg *seg, ktime now,
	struct tcp_found *out)
{
	ktime before = r->tw.expires;
	if (!ktime_before(now, before)) {
		tcp_tw_release_locked(r);
		return;
	}
	switch (tcp_timewait_input(&r->tw, seg, now, &out->reply)) {
	case TCP_TW_REOPEN:
		tcp_count(TCP_TIME_WAIT_REUSED);
		tcp_tw_release_locked(r);
		return;
	case TCP_TW_ACK:
		out->has_reply = true;
		break;
	case TCP_TW_HELD_BACK:
		tcp_count(TCP_TX_CHALLENGES_LIMITED);
		break;
	case TCP_TW_DROP:
		break;
	}
	out->answered = true;
	if (r->tw.expires.ns != before.ns) { /* the wait began anew: now the youngest */
		list_remove(&r->age);
		list_push_back(&tcp_tw_age, &r->age);
	}
}

void tcp_table_find(const struct tcp_tuple *t, const struct tcp_seg *seg, ktime now,
	struct tcp_found *out)
{
	size_t b = tcp_bucket(t);
	out->answered = out->has_reply = false;
	spin_lock(&tcp_table_lock);
	out->conn = tcp_find_locked(t, b);
	if (out->conn) {
		tcp_conn_get(out->conn);
	} else {
		struct tcp_tw *r = tcp_tw_find_locked(t, b);
		if (r)
			tcp_tw_input_locked(r, seg, now, out);
	}
	spin_unlock(&tcp_table_lock);
}

/* The one that gives way when a new half-open connection finds no place; NULL: there is place. */
struct tcp_conn *tcp_table_half_open_full_locked(void)
{
	return tcp_half_open < CONFIG_TCP_HALF_OPEN
		? NULL
		: list_entry(tcp_half_age.next, struct tcp_conn, half_age);
}

static void tcp_half_open_end_locked(struct tcp_conn *c)
{
	tcp_half_open -= c->half_open;
	c->half_open = false;
	list_remove(&c->half_age);
}

static enum err tcp_table_limits_locked(const struct tcp_conn *c, bool half_open)
{
	if (c->listener && c->listener->closing)
		return ERR_CONNREFUSED;
	if (half_open && tcp_half_open >= CONFIG_TCP_HALF_OPEN) {
		tcp_count(TCP_REFUSED_HALF_OPEN);
		return ERR_NFILE;
	}
	/* Our own connections to ourselves are not a flood. */
	if (half_open && tcp_peers[c->peer] >= CONFIG_TCP_PER_PEER && !ipv4_is_local(c->tuple.remote)) {
		tcp_count(TCP_REFUSED_PER_PEER);
		return ERR_NFILE;
	}
	return OK;
}

enum err tcp_table_insert(struct tcp_conn *c, bool half_open)
{
	size_t b = tcp_bucket(&c->tuple);
	spin_lock(&tcp_table_lock);
	enum err e = tcp_find_locked(&c->tuple, b) ? ERR_ADDRINUSE : OK;
	if (e == OK)
		e = tcp_table_limits_locked(c, half_open);
	if (e == OK) {
		struct tcp_tw *old = tcp_tw_find_locked(&c->tuple, b);
		if (old)
			tcp_tw_release_locked(old);
		tcp_conn_get(c);
		list_push_front(&tcp_buckets[b], &c->hash);
		c->in_table = true;
		tcp_slot_live[c->slot] = true;
		c->half_open = half_open;
		tcp_connections++;
		tcp_half_open += half_open;
		if (half_open) {
			list_push_back(&tcp_half_age, &c->half_age);
			list_push_back(&c->listener->half, &c->accept);
		}
		tcp_peers[c->peer]++;
	}
	spin_unlock(&tcp_table_lock);
	return e;
}

static void tcp_table_remove_locked(struct tcp_conn *c)
{
	assert(c->in_table);
	list_remove(&c->hash);
	c->in_table = false;
	tcp_slot_live[c->slot] = false;
	tcp_connections--;
	tcp_half_open_end_locked(c);
	tcp_peers[c->peer]--;
}

void tcp_table_remove(struct tcp_conn *c)
{
	spin_lock(&tcp_table_lock);
	tcp_table_remove_locked(c);
	spin_unlock(&tcp_table_lock);
}

void tcp_table_established(struct tcp_conn *c)
{
	spin_lock(&tcp_table_lock);
	tcp_half_open_end_locked(c);
	spin_unlock(&tcp_table_lock);
}

void tcp_table_time_wait(struct tcp_conn *c, ktime now)
{
	size_t b = tcp_bucket(&c->tuple);
	spin_lock(&tcp_table_lock);
	tcp_table_remove_locked(c);
	tcp_tw_expire_locked(now);
	if (list_is_empty(&tcp_tw_free)) {
		tcp_count(TCP_TIME_WAIT_RECYCLED);
		tcp_tw_release_locked(list_entry(tcp_tw_age.next, struct tcp_tw, age));
	}
	struct tcp_tw *r = list_entry(list_pop_front(&tcp_tw_free), struct tcp_tw, age);
	r->tuple = c->tuple;
	tcp_timewait_start(&r->tw, &c->core, now);
	list_push_front(&tcp_tw_buckets[b], &r->hash);
	list_push_back(&tcp_tw_age, &r->age);
	tcp_tw_count++;
	spin_unlock(&tcp_table_lock);
	tcp_count(TCP_TIME_WAITS);
}

bool tcp_table_port_free(const struct tcp_tuple *t)
{
	size_t b = tcp_bucket(t);
	spin_lock(&tcp_table_lock);
	tcp_tw_expire_locked(clock_now());
	bool is_free = !tcp_find_locked(t, b) && !tcp_tw_find_locked(t, b);
	spin_unlock(&tcp_table_lock);
	return is_free;
}

struct tcp_conn *tcp_table_at(size_t slot)
{
	spin_lock(&tcp_table_lock);
	struct tcp_conn *c = slot < CONFIG_TCP_CONNECTIONS ? tcp_slots[slot] : NULL;
	if (c && tcp_slot_live[slot])
		tcp_conn_get(c);
	else
		c = NULL;
	spin_unlock(&tcp_table_lock);
	return c;
}

bool tcp_table_tw_at(size_t i, struct tcp_tw *out)
{
	bool used = false;
	spin_lock(&tcp_table_lock);
	if (i < CONFIG_TCP_TIME_WAITS && list_is_linked(&tcp_tw_records[i].hash)) {
		*out = tcp_tw_records[i];
		used = ktime_before(clock_now(), out->tw.expires);
	}
	spin_unlock(&tcp_table_lock);
	return used;
}

void tcp_table_stats(struct tcp_stats *out)
{
	spin_lock(&tcp_table_lock);
	out->connections = tcp_connections;
	out->half_open = tcp_half_open;
	out->time_waits = tcp_tw_count;
	spin_unlock(&tcp_table_lock);
}

/* A place in the list of connections; there are as many as there are objects in the pool. */
uint32_t tcp_table_slot_take(struct tcp_conn *c)
{
	uint32_t slot = UINT32_MAX;
	spin_lock(&tcp_table_lock);
	if (tcp_slots_free > 0) {
		slot = tcp_slot_free[--tcp_slots_free];
		assert(!tcp_slots[slot]);
		tcp_slots[slot] = c;
	}
	spin_unlock(&tcp_table_lock);
	return slot;
}

void tcp_table_slot_give(uint32_t slot)
{
	spin_lock(&tcp_table_lock);
	assert(tcp_slots_free < CONFIG_TCP_CONNECTIONS);
	tcp_slots[slot] = NULL;
	tcp_slot_free[tcp_slots_free++] = slot;
	spin_unlock(&tcp_table_lock);
}
