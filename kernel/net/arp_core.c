/* arp_core.c - the neighbour cache; see arp_core.h. */
#include "kernel/net/arp_core.h"
#include "lib/assert.h"

static const uint8_t arp_broadcast_mac[ETHER_ADDR_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct str arp_state_name(enum arp_state s)
{
	static const struct str names[ARP_STATE_COUNT] = {
		[ARP_FREE] = STR_INIT("free"),
		[ARP_INCOMPLETE] = STR_INIT("incomplete"),
		[ARP_REACHABLE] = STR_INIT("reachable"),
		[ARP_STALE] = STR_INIT("stale"),
		[ARP_PROBE] = STR_INIT("probe"),
		[ARP_FAILED] = STR_INIT("failed"),
	};
	assert(s < ARP_STATE_COUNT);
	return names[s];
}

#define TO(s) (1u << (s))

static void arp_set_state(struct arp_entry *e, enum arp_state to, ktime deadline)
{
	static const uint8_t edges[ARP_STATE_COUNT] = {
		[ARP_FREE] = TO(ARP_INCOMPLETE) | TO(ARP_STALE),
		[ARP_INCOMPLETE] = TO(ARP_INCOMPLETE) | TO(ARP_REACHABLE) | TO(ARP_STALE) |
			TO(ARP_FAILED) | TO(ARP_FREE),
		[ARP_REACHABLE] = TO(ARP_REACHABLE) | TO(ARP_STALE) | TO(ARP_FREE),
		[ARP_STALE] = TO(ARP_STALE) | TO(ARP_REACHABLE) | TO(ARP_PROBE) | TO(ARP_FREE),
		[ARP_PROBE] = TO(ARP_PROBE) | TO(ARP_REACHABLE) | TO(ARP_STALE) | TO(ARP_FAILED) |
			TO(ARP_FREE),
		[ARP_FAILED] = TO(ARP_FREE) | TO(ARP_STALE) | TO(ARP_REACHABLE),
	};
	assert(e->state < ARP_STATE_COUNT && (edges[e->state] & TO(to)) != 0);
	e->state = (uint8_t)to;
	e->deadline = deadline;
}

static void arp_out_init(struct arp_out *out, uint16_t iface)
{
	*out = (struct arp_out){.iface = iface};
	list_init(&out->ready);
	list_init(&out->drop_unresolved);
	list_init(&out->drop_full);
}

void arp_table_init(struct arp_table *t, struct arp_entry *entries, size_t count, size_t waiting_max,
	uint32_t replies_per_second)
{
	assert(count > 0 && count <= UINT8_MAX);
	*t = (struct arp_table){.entry = entries, .count = count, .waiting_max = waiting_max};
	t->defended = (ktime){-ARP_DEFEND_NS};
	rate_init(&t->replies, replies_per_second, 32);
	for (size_t i = 0; i < count; i++) {
		entries[i] = (struct arp_entry){.deadline = KTIME_NEVER};
		list_init(&entries[i].waiting);
	}
}

void arp_check(const struct arp_table *t)
{
	size_t waiting = 0;
	if (!config_on(CONFIG_DEBUG))
		return;
	for (size_t i = 0; i < t->count; i++) {
		const struct arp_entry *e = &t->entry[i];
		debug_assert(e->waiting_n <= ARP_WAITING_MAX);
		debug_assert(list_is_empty(&e->waiting) == (e->waiting_n == 0));
		debug_assert(e->waiting_n == 0 || e->state == ARP_INCOMPLETE);
		debug_assert((e->state == ARP_FREE) == ktime_is_never(e->deadline));
		waiting += e->waiting_n;
	}
	debug_assert(waiting == t->waiting_total && waiting <= t->waiting_max);
}

/* ---- entries ---- */

static bool arp_matches(const struct arp_entry *e, uint16_t iface, uint32_t ip)
{
	return e->state != ARP_FREE && e->ip == ip && e->iface == iface;
}

static struct arp_entry *arp_find(struct arp_table *t, uint16_t iface, uint32_t ip)
{
	struct arp_entry *e = &t->entry[t->hint[ip % ARP_HINTS]];
	if (likely(arp_matches(e, iface, ip)))
		return e;
	for (size_t i = 0; i < t->count; i++) {
		if (arp_matches(&t->entry[i], iface, ip)) {
			t->hint[ip % ARP_HINTS] = (uint8_t)i;
			return &t->entry[i];
		}
	}
	return NULL;
}

/* Moves what waits on e to `to`. */
static void arp_unqueue(struct arp_table *t, struct arp_entry *e, struct list *to)
{
	t->waiting_total -= e->waiting_n;
	e->waiting_n = 0;
	list_splice_back(to, &e->waiting);
}

static void arp_release(struct arp_table *t, struct arp_entry *e, struct arp_out *out)
{
	arp_unqueue(t, e, &out->drop_unresolved);
	arp_set_state(e, ARP_FREE, KTIME_NEVER);
}

#define ARP_WORTH_MAX 5

/* How readily an entry gives way: lower first; ties by the earlier use. */
static int arp_worth(const struct arp_entry *e)
{
	if (e->state == ARP_FREE)
		return 0;
	if (e->state == ARP_FAILED)
		return 1;
	if (!e->used)
		return 2;
	/* One that has never answered: a flood from addresses that do not exist makes many of them. */
	if (e->state == ARP_INCOMPLETE)
		return 3;
	return e->state == ARP_STALE ? 4 : ARP_WORTH_MAX;
}

/* A free entry, made free if need be; NULL when all are worth more than max_worth. */
static struct arp_entry *arp_take_entry(struct arp_table *t, int max_worth, struct arp_out *out)
{
	struct arp_entry *best = &t->entry[0];
	for (size_t i = 1; i < t->count && best->state != ARP_FREE; i++) {
		struct arp_entry *e = &t->entry[i];
		int diff = arp_worth(e) - arp_worth(best);
		if (diff < 0 || (diff == 0 && ktime_before(e->used_at, best->used_at)))
			best = e;
	}
	if (arp_worth(best) > max_worth)
		return NULL;
	if (best->state != ARP_FREE)
		arp_release(t, best, out);
	return best;
}

static void arp_entry_begin(struct arp_table *t, struct arp_entry *e, ktime now, uint16_t iface,
	uint32_t ip)
{
	assert(e->state == ARP_FREE && e->waiting_n == 0);
	e->ip = ip;
	e->iface = iface;
	e->tries = 0;
	e->used = false;
	e->since = now;
	e->used_at = now;
	t->hint[ip % ARP_HINTS] = (uint8_t)(e - t->entry);
}

static void arp_ask(struct arp_entry *e, ktime now, struct arp_out *out)
{
	bool unicast = e->state == ARP_PROBE;
	e->tries++;
	e->deadline = ktime_add(now, ARP_RETRY_NS);
	out->iface = e->iface;
	out->send_op = ARP_REQUEST;
	out->target_ip = e->ip;
	memset(out->target_mac, 0, ETHER_ADDR_BYTES);
	memcpy(out->to, unicast ? e->mac : arp_broadcast_mac, ETHER_ADDR_BYTES);
}

/* ---- sending ---- */

static enum arp_resolution arp_enqueue(struct arp_table *t, struct arp_entry *e, struct list *packet,
	struct arp_out *out)
{
	if (e->waiting_n == ARP_WAITING_MAX) {
		list_push_back(&out->drop_full, list_pop_front(&e->waiting));
		e->waiting_n--;
		t->waiting_total--;
	}
	if (t->waiting_total >= t->waiting_max)
		return ARP_NO_ROOM;
	list_push_back(&e->waiting, packet);
	e->waiting_n++;
	t->waiting_total++;
	return ARP_QUEUED;
}

enum arp_resolution arp_resolve(struct arp_table *t, ktime now, uint16_t iface, uint32_t ip,
	struct list *packet, struct arp_out *out)
{
	arp_out_init(out, iface);
	struct arp_entry *e = arp_find(t, iface, ip);
	if (e == NULL) {
		e = arp_take_entry(t, ARP_WORTH_MAX, out);
		arp_entry_begin(t, e, now, iface, ip);
		arp_set_state(e, ARP_INCOMPLETE, ktime_add(now, ARP_RETRY_NS));
		arp_ask(e, now, out);
	}
	e->used = true;
	e->used_at = now;
	enum arp_resolution r = ARP_RESOLVED;
	switch ((enum arp_state)e->state) {
	case ARP_INCOMPLETE:
		r = arp_enqueue(t, e, packet, out);
		break;
	case ARP_FAILED:
		r = ARP_UNREACHABLE;
		break;
	case ARP_STALE:
		e->tries = 0;
		arp_set_state(e, ARP_PROBE, now);
		arp_ask(e, now, out);
		break;
	default:
		break;
	}
	if (r == ARP_RESOLVED)
		memcpy(out->ready_mac, e->mac, ETHER_ADDR_BYTES);
	arp_check(t);
	return r;
}

/* ---- receiving ---- */

static bool arp_sane(const struct wire_arp *m)
{
	if (ether_is_multicast(m->sender_mac) || ether_is_zero(m->sender_mac))
		return false;
	/* sender 0.0.0.0 is a probe for an address (RFC 5227) */
	return m->sender_ip == 0 || !(ipv4_is_reserved(m->sender_ip) ||
		ipv4_is_multicast(m->sender_ip) || ipv4_is_loopback(m->sender_ip));
}

/* A reply that we have asked for, to us, confirms; all else only informs. */
static void arp_learn(struct arp_table *t, struct arp_entry *e, ktime now, const uint8_t *mac,
	bool solicited, struct arp_out *out)
{
	bool same = memcmp(e->mac, mac, ETHER_ADDR_BYTES) == 0;
	if (e->state == ARP_REACHABLE && !same && ktime_diff(now, e->since) < ARP_LOCK_NS)
		return;
	if (e->state == ARP_REACHABLE && same && !solicited)
		return;
	bool was_incomplete = e->state == ARP_INCOMPLETE;
	memcpy(e->mac, mac, ETHER_ADDR_BYTES);
	e->since = now;
	if (solicited)
		arp_set_state(e, ARP_REACHABLE, ktime_add(now, ARP_REACHABLE_NS));
	else if (!same || e->state != ARP_PROBE)
		arp_set_state(e, ARP_STALE, ktime_add(now, ARP_STALE_NS));
	if (was_incomplete) {
		out->iface = e->iface;
		memcpy(out->ready_mac, mac, ETHER_ADDR_BYTES);
		arp_unqueue(t, e, &out->ready);
	}
}

static bool arp_learn_new(struct arp_table *t, ktime now, const struct arp_local *local,
	const struct wire_arp *m, struct arp_out *out)
{
	struct arp_entry *e = arp_take_entry(t, 2, out);
	if (e == NULL)
		return false;
	arp_entry_begin(t, e, now, local->iface, m->sender_ip);
	memcpy(e->mac, m->sender_mac, ETHER_ADDR_BYTES);
	arp_set_state(e, ARP_STALE, ktime_add(now, ARP_STALE_NS));
	return true;
}

void arp_announce(const struct arp_local *local, struct arp_out *out)
{
	arp_out_init(out, local->iface);
	out->send_op = ARP_REQUEST;
	out->target_ip = local->ip;
	memcpy(out->to, arp_broadcast_mac, ETHER_ADDR_BYTES);
}

static enum arp_verdict arp_defend(struct arp_table *t, ktime now, const struct arp_local *local,
	struct arp_out *out)
{
	if (ktime_diff(now, t->defended) >= ARP_DEFEND_NS) {
		t->defended = now;
		arp_announce(local, out);
	}
	return ARP_CONFLICT;
}

static bool arp_reply(struct arp_table *t, ktime now, const struct wire_arp *m, struct arp_out *out)
{
	if (!rate_take(&t->replies, now))
		return false;
	out->send_op = ARP_REPLY;
	out->target_ip = m->sender_ip;
	memcpy(out->target_mac, m->sender_mac, ETHER_ADDR_BYTES);
	memcpy(out->to, m->sender_mac, ETHER_ADDR_BYTES);
	return true;
}

enum arp_verdict arp_input(struct arp_table *t, ktime now, const struct arp_local *local,
	const struct wire_arp *m, struct arp_out *out)
{
	arp_out_init(out, local->iface);
	if (!arp_sane(m))
		return ARP_BAD;
	if (local->ip == 0 || memcmp(m->sender_mac, local->mac, ETHER_ADDR_BYTES) == 0)
		return ARP_IGNORED;
	if (m->sender_ip == local->ip)
		return arp_defend(t, now, local, out);
	bool for_us = m->target_ip == local->ip;
	struct arp_entry *e = m->sender_ip == 0 ? NULL : arp_find(t, local->iface, m->sender_ip);
	enum arp_verdict verdict = for_us || e != NULL ? ARP_TAKEN : ARP_IGNORED;
	if (e != NULL) {
		bool asked = e->state == ARP_INCOMPLETE || e->state == ARP_PROBE;
		arp_learn(t, e, now, m->sender_mac, asked && for_us && m->op == ARP_REPLY, out);
	}
	if (for_us && m->op == ARP_REQUEST) {
		if (e == NULL && m->sender_ip != 0 && !arp_learn_new(t, now, local, m, out))
			verdict = ARP_NO_ENTRY;
		if (!arp_reply(t, now, m, out))
			verdict = ARP_LIMITED;
	} else if (for_us && e == NULL) {
		verdict = ARP_IGNORED; /* a reply that nobody asked for */
	}
	arp_check(t);
	return verdict;
}

/* ---- time ---- */

static void arp_expire(struct arp_table *t, struct arp_entry *e, ktime now, struct arp_out *out)
{
	switch ((enum arp_state)e->state) {
	case ARP_INCOMPLETE:
	case ARP_PROBE:
		if (e->tries < ARP_TRIES) {
			arp_ask(e, now, out);
			break;
		}
		arp_unqueue(t, e, &out->drop_unresolved);
		arp_set_state(e, ARP_FAILED, ktime_add(now, ARP_FAILED_NS));
		break;
	case ARP_REACHABLE:
		arp_set_state(e, ARP_STALE, ktime_add(now, ARP_STALE_NS));
		break;
	default:
		arp_release(t, e, out);
		break;
	}
}

bool arp_poll(struct arp_table *t, ktime now, struct arp_out *out)
{
	for (size_t i = 0; i < t->count; i++) {
		struct arp_entry *e = &t->entry[i];
		if (ktime_before(now, e->deadline))
			continue;
		arp_out_init(out, e->iface);
		arp_expire(t, e, now, out);
		arp_check(t);
		return true;
	}
	return false;
}

ktime arp_deadline(const struct arp_table *t)
{
	ktime least = KTIME_NEVER;
	for (size_t i = 0; i < t->count; i++)
		least = ktime_min(least, t->entry[i].deadline);
	return least;
}
