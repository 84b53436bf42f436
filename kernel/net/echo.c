/*
 * echo.c - who sends echo requests (`ping`): a table of them, to which icmp.c hands the replies.
 *
 *	net_echo_open, net_echo_send, net_echo_wait, net_echo_close	net.h
 *
 * Bound: CONFIG_NET_PINGERS at once. A reply is looked for among them, one lock at a time.
 *
 * Locks: each pinger's wait queue (LOCK_WAITQ) guards all of it. Data are filled in and compared outside.
 */
#include "kernel/net/echo_core.h"
#include "kernel/net/net_priv.h"
#include "kernel/sync/waitq.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/initcall.h"
#include "lib/unaligned.h"

struct net_echo {
	struct waitq changed;
	bool open;
	struct echo core;
};

static struct net_echo echo_table[CONFIG_NET_PINGERS];

/* Takes a place. Ids are random, so that a stranger cannot answer for the peer; two may be the same, to different hosts. */
struct net_echo_result net_echo_open(uint32_t dst)
{
	if (!ipv4_is_unicast(dst))
		return ERR_RESULT(net_echo_result, ERR_INVAL);
	for (size_t i = 0; i < CONFIG_NET_PINGERS; i++) {
		struct net_echo *e = &echo_table[i];
		uint16_t id = (uint16_t)rng_u64();
		irqflags flags = spin_lock_irqsave(&e->changed.lock);
		bool mine = !e->open;
		if (mine) {
			e->open = true;
			echo_open(&e->core, dst, id);
		}
		spin_unlock_irqrestore(&e->changed.lock, flags);
		if (mine)
			return OK_RESULT(net_echo_result, e);
	}
	return ERR_RESULT(net_echo_result, ERR_NOSPC);
}

void net_echo_close(struct net_echo *e)
{
	irqflags flags = spin_lock_irqsave(&e->changed.lock);
	assert(e->open);
	e->open = false;
	spin_unlock_irqrestore(&e->changed.lock, flags);
}

enum err net_echo_send(struct net_echo *e, size_t size, uint16_t *seq)
{
	size_t len = ICMP_HEADER_BYTES + size;
	if (size > NET_ECHO_DATA_MAX)
		return ERR_MSGSIZE;
	struct packet *p = packet_alloc(PACKET_TX, len);
	uint8_t *bytes = p == NULL ? NULL : packet_append(p, len);
	if (bytes == NULL) {
		packet_free(p);
		return ERR_NOBUFS;
	}
	irqflags flags = spin_lock_irqsave(&e->changed.lock);
	*seq = echo_send(&e->core, (uint32_t)len, clock_now());
	spin_unlock_irqrestore(&e->changed.lock, flags);
	echo_fill(*seq, wbuf_of(bytes + ICMP_HEADER_BYTES, size));
	struct wire_icmp h = {.type = ICMP_ECHO, .rest = (uint32_t)e->core.id << 16 | *seq};
	wire_icmp_build(bytes, len, &h);
	enum err err = ipv4_send(&(struct ipv4_tx){.dst = e->core.dst, .proto = IP_PROTO_ICMP}, p);
	if (err == OK) {
		net_count(NET_ICMP_ECHO_TX);
		return OK;
	}
	flags = spin_lock_irqsave(&e->changed.lock);
	echo_unsend(&e->core, *seq);
	spin_unlock_irqrestore(&e->changed.lock, flags);
	return err;
}

enum err net_echo_wait(struct net_echo *e, struct echo_event *out, ktime deadline)
{
	enum err err = OK;
	while (err == OK) {
		irqflags flags = spin_lock_irqsave(&e->changed.lock);
		if (echo_next(&e->core, out)) {
			spin_unlock_irqrestore(&e->changed.lock, flags);
			return OK;
		}
		err = waitq_wait_locked(&e->changed, flags, deadline, S("echo"));
	}
	return err;
}

/* ---- from icmp.c ---- */

bool echo_input(const struct ipv4_rx *rx, uint32_t rest, struct rbuf data)
{
	struct echo_message m = {.from = rx->src, .id = (uint16_t)(rest >> 16), .seq = (uint16_t)rest, .ttl = rx->ttl,
		.bytes = (uint32_t)(ICMP_HEADER_BYTES + data.len)};
	ktime now = clock_now();
	m.intact = echo_intact(m.seq, data);
	for (size_t i = 0; i < CONFIG_NET_PINGERS; i++) {
		struct net_echo *e = &echo_table[i];
		irqflags flags = spin_lock_irqsave(&e->changed.lock);
		if (e->open && echo_reply(&e->core, &m, now)) {
			waitq_wake_one_unlock(&e->changed, flags);
			return true;
		}
		spin_unlock_irqrestore(&e->changed.lock, flags);
	}
	return false;
}

void echo_input_error(const struct net_error *error)
{
	const uint8_t *icmp = error->transport.ptr; /* at least 8 bytes */
	struct echo_event event = {.from = error->from, .kind = (uint8_t)error->kind};
	if (icmp[0] != ICMP_ECHO)
		return;
	for (size_t i = 0; i < CONFIG_NET_PINGERS; i++) {
		struct net_echo *e = &echo_table[i];
		irqflags flags = spin_lock_irqsave(&e->changed.lock);
		if (e->open && echo_error(&e->core, error->dst, load_be16(icmp + 4), load_be16(icmp + 6), &event)) {
			waitq_wake_one_unlock(&e->changed, flags);
			return;
		}
		spin_unlock_irqrestore(&e->changed.lock, flags);
	}
}

void echo_init(void)
{
	for (size_t i = 0; i < CONFIG_NET_PINGERS; i++)
		waitq_init(&echo_table[i].changed);
}
