/*
 * tcp_world.h - a world for the TCP shell without a kernel: stand-ins for pools,
 * locks, callouts and IPv4, and the shell's own files. One simulation includes it,
 * in its only source file.
 *
 * One thread of control. Where the kernel would sleep, the world turns instead:
 * a packet of the loopback is delivered, or the clock goes on to the next callout.
 * Locks count their holders, so that sleeping under a spinlock is found; pools
 * count their objects, and every test ends with all of them back.
 */
#ifndef TESTS_SIM_TCP_WORLD_H
#define TESTS_SIM_TCP_WORLD_H

#include <stdlib.h>
#include <string.h>
#include "tests/host/test.h"
#include "kernel/net/tcp/tcp_priv.h"
#include "lib/initcall.h"

/* What is inline in the kernel, for the files included below. */
#undef INITCALL
#define INITCALL(id, fn, ...)
#undef spin_lock
#undef spin_unlock
#undef spin_lock_irqsave
#undef spin_unlock_irqrestore
#define spin_lock              world_spin_lock
#define spin_unlock            world_spin_unlock
#define spin_lock_irqsave      world_spin_lock_irqsave
#define spin_unlock_irqrestore world_spin_unlock_irqrestore
#define clock_now()            world_now

/* ---- the world ---- */

static ktime world_now = {1000000000};
static struct list world_wire = LIST_INIT(world_wire);
static struct callout *world_callouts[4096];
static size_t world_callout_n;
static int world_spin_depth;
static uint32_t world_lose; /* of 10,000 packets */
static struct test_rng world_rng = {1};
static uint16_t world_port = 50000;

struct pool {
	struct str name;
	size_t size, cap, used;
};
static struct pool *world_pools[16];
static size_t world_pool_n;

struct pool *pool_create(struct str name, size_t size, unused size_t align, size_t capacity,
	unused unsigned flags)
{
	struct pool *p = malloc(sizeof(*p));
	*p = (struct pool){name, size, capacity, 0};
	world_pools[world_pool_n++] = p;
	return p;
}

static struct str world_dry_pool; /* the one of this name has nothing */

void *pool_alloc(struct pool *p)
{
	if (p->used == p->cap || str_eq(p->name, world_dry_pool))
		return NULL;
	p->used++;
	return malloc(p->size);
}

void pool_free(struct pool *p, void *obj)
{
	CHECK(p->used-- > 0);
	memset(obj, 0xdd, p->size);
	free(obj);
}

static size_t world_pools_used(void)
{
	size_t n = 0;
	for (size_t i = 0; i < world_pool_n; i++)
		n += world_pools[i]->used;
	return n;
}

unused static size_t world_pool_used(struct str name)
{
	for (size_t i = 0; i < world_pool_n; i++)
		if (str_eq(world_pools[i]->name, name))
			return world_pools[i]->used;
	unreachable();
}

static const struct spinlock *world_spin[8];

static void spin_lock(struct spinlock *l)
{
	for (int i = 0; i < world_spin_depth; i++)
		CHECK(world_spin[i] != l);
	CHECK(world_spin_depth == 0 || world_spin[world_spin_depth - 1]->class < l->class);
	world_spin[world_spin_depth++] = l;
}

static void spin_unlock(struct spinlock *l)
{
	CHECK(world_spin_depth > 0 && world_spin[world_spin_depth - 1] == l);
	world_spin_depth--;
}

static irqflags spin_lock_irqsave(struct spinlock *l)
{
	spin_lock(l);
	return 0;
}

static void spin_unlock_irqrestore(struct spinlock *l, unused irqflags flags)
{
	spin_unlock(l);
}

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, LOCK_WAITQ);
	list_init(&q->waiters);
}

void waitq_wake_one(unused struct waitq *q)
{
}

void waitq_wake_all(unused struct waitq *q)
{
}

void mutex_init(struct mutex *m, unused enum lock_class class)
{
	m->owner = 0;
}

void might_sleep(void)
{
	CHECK_EQ(world_spin_depth, 0);
}

void mutex_lock(struct mutex *m)
{
	might_sleep();
	CHECK_EQ(m->owner, 0);
	m->owner = 1;
}

void mutex_unlock(struct mutex *m)
{
	CHECK_EQ(m->owner, 1);
	m->owner = 0;
}

void condvar_init(unused struct condvar *c)
{
}

void condvar_broadcast(unused struct condvar *c)
{
}

void callout_init(struct callout *c, enum callout_kind kind, void (*fn)(void *), void *arg)
{
	*c = (struct callout){.fn = fn, .arg = arg, .kind = (uint8_t)kind};
}

bool callout_stop(struct callout *c)
{
	for (size_t i = 0; i < world_callout_n; i++) {
		if (world_callouts[i] == c) {
			world_callouts[i] = world_callouts[--world_callout_n];
			return true;
		}
	}
	return false;
}

static bool world_no_callouts;
enum err callout_start(struct callout *c, ktime at)
{
	callout_stop(c);
	if (world_no_callouts)
		return ERR_NOSPC;
	CHECK(world_callout_n < countof(world_callouts));
	c->node.when = at;
	world_callouts[world_callout_n++] = c;
	return OK;
}

void rng_fill(void *out, size_t len)
{
	memset(out, 7, len);
}

uint16_t net_port_random(void)
{
	return world_port = (uint16_t)(49152 + (world_port + 1u) % 16384);
}

bool ipv4_is_local(uint32_t addr)
{
	return addr == IPV4_LOOPBACK;
}

bool ipv4_is_unicast(uint32_t addr)
{
	return addr != 0;
}

static bool world_no_route;
static void (*world_on_route)(void); /* in the middle of a SYN's way to its connection */
enum err ipv4_route(uint32_t dst, struct ipv4_route *out)
{
	void (*hook)(void) = world_on_route;
	world_on_route = NULL;
	if (hook)
		hook();
	if (world_no_route)
		return ERR_HOSTUNREACH;
	*out = (struct ipv4_route){.src = IPV4_LOOPBACK, .next_hop = dst, .mtu = 1500};
	return OK;
}

enum err ipv4_protocol_register(unused const struct ipv4_protocol *proto)
{
	return OK;
}

bool ipv4_rx_checksum_ok(unused const struct ipv4_rx *rx, unused const struct packet *p)
{
	return true;
}

struct world_packet {
	struct packet packet;
	uint32_t src, dst;
	uint8_t bytes[PACKET_HEADROOM + PACKET_ROOM_MAX];
};
static size_t world_packets;

static void world_packet_free(struct packet_mem *m)
{
	world_packets--;
	free(container_of(container_of(m, struct packet, self), struct world_packet, packet));
}

struct packet *packet_alloc(enum packet_class class, size_t room)
{
	CHECK(room <= (class == PACKET_CONTROL ? PACKET_SMALL_MAX : PACKET_ROOM_MAX));
	struct world_packet *w = malloc(sizeof(*w));
	struct packet *p = &w->packet;
	*p = (struct packet){.class = (uint8_t)class, .frag_count = 1, .headroom = PACKET_HEADROOM};
	list_init(&p->node);
	packet_mem_init(&p->self, world_packet_free);
	p->tailroom = room <= PACKET_SMALL_MAX ? PACKET_SMALL_MAX : PACKET_ROOM_MAX;
	p->frag[0] = (struct packet_frag){&p->self, w->bytes + PACKET_HEADROOM, 0};
	packet_mem_get(&p->self);
	world_packets++;
	return p;
}

void packet_free(struct packet *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->frag_count; i++)
		packet_mem_put(p->frag[i].mem);
	packet_mem_put(&p->self);
}

/* What went last to somebody who is not us, and how many segments did. */
static struct tcp_seg world_answer;
static size_t world_answers;

static void world_put(uint32_t src, uint32_t dst, struct rbuf bytes)
{
	struct packet *in = packet_alloc(PACKET_RX, PACKET_ROOM_MAX);
	struct world_packet *w = container_of(in, struct world_packet, packet);
	memcpy(packet_append(in, bytes.len), bytes.ptr, bytes.len);
	w->src = src;
	w->dst = dst;
	list_push_back(&world_wire, &in->node);
}

enum err ipv4_send(const struct ipv4_tx *tx, struct packet *p)
{
	uint8_t bytes[PACKET_ROOM_MAX];
	size_t n = packet_copy_out(p, 0, wbuf_of(bytes, sizeof(bytes)));
	CHECK_EQ(n, p->len);
	packet_free(p);
	if (tx->dst != IPV4_LOOPBACK) {
		CHECK_EQ(tcp_wire_parse(rbuf_of(bytes, n), n, &world_answer), OK);
		world_answers++;
	} else if (!world_lose || test_below(&world_rng, 10000) >= world_lose) {
		world_put(tx->src, tx->dst, rbuf_of(bytes, n));
	}
	return OK;
}

static bool world_turn(ktime deadline)
{
	struct list *n = list_pop_front(&world_wire);
	if (n) {
		struct packet *p = list_entry(n, struct packet, node);
		struct world_packet *w = container_of(p, struct world_packet, packet);
		struct ipv4_rx rx = {.src = w->src, .dst = w->dst, .proto = IP_PROTO_TCP};
		tcp_input_packet(&rx, p);
		return true;
	}
	struct callout *first = NULL;
	for (size_t i = 0; i < world_callout_n; i++)
		if (!first || ktime_before(world_callouts[i]->node.when, first->node.when))
			first = world_callouts[i];
	if (!first || ktime_before(deadline, first->node.when)) {
		CHECK(!ktime_is_never(deadline)); /* nothing will ever happen */
		world_now = ktime_max(world_now, deadline);
		return false;
	}
	world_now = ktime_max(world_now, first->node.when);
	callout_stop(first);
	first->fn(first->arg);
	return true;
}

static void world_settle(int64_t ns)
{
	ktime until = ktime_add(world_now, ns);
	while (world_turn(until))
		;
}

/* Cancelled is only who is to be: the wait so many waits from now; and how often that was kept for the next one. */
static unsigned world_cancel_in, world_cancels_kept;

enum err condvar_wait(unused struct condvar *c, struct mutex *m, ktime deadline)
{
	CHECK_EQ(world_spin_depth, 0);
	if (world_cancel_in && --world_cancel_in == 0)
		return ERR_INTR;
	mutex_unlock(m);
	bool turned = world_turn(deadline);
	mutex_lock(m);
	return turned ? OK : ERR_TIMEDOUT;
}

/* A thread that waits gives up at once, and its wait is tried again later: there are several. */
static bool world_many_threads;

enum err waitq_wait_locked(struct waitq *q, irqflags flags, ktime deadline, unused struct str what)
{
	spin_unlock_irqrestore(&q->lock, flags);
	CHECK_EQ(world_spin_depth, 0);
	if (world_many_threads)
		return ERR_TIMEDOUT;
	return world_turn(deadline) ? OK : ERR_TIMEDOUT;
}

void thread_cancel_keep(enum err err)
{
	world_cancels_kept += err == ERR_INTR;
}

#include "kernel/net/tcp/tcp_table.c"
#include "kernel/net/tcp/tcp_buffers.c"
#include "kernel/net/tcp/tcp_queue.c"
#include "kernel/net/tcp/tcp_receive.c"
#include "kernel/net/tcp/tcp_conn.c"
#include "kernel/net/tcp/tcp_listen.c"
#include "kernel/net/tcp/tcp_leave.c"
#include "kernel/net/tcp/tcp_api.c"
#include "kernel/net/tcp/tcp_pollset.c"
#include "kernel/net/tcp/tcp_info.c"
#include "kernel/net/tcp/tcp_rx.c"

/* ---- beginning, ending, a pair of connections ---- */

static void begin(void)
{
	static bool begun;
	if (!begun)
		CHECK_EQ(tcp_init(), OK);
	begun = true;
	world_lose = 0;
	world_no_route = false;
}

/* All is back: objects, packets, references, table entries. */
unused static void end(void)
{
	struct tcp_stats st;
	world_settle(700 * NS_PER_S);
	CHECK_EQ(world_pools_used(), 0);
	CHECK_EQ(world_packets, 0);
	CHECK_EQ(world_callout_n, 0);
	tcp_stats(&st);
	CHECK_EQ(st.connections + st.half_open + st.listeners, 0);
}

struct pair {
	struct tcp_listener *l;
	struct tcp_conn *client, *server;
};

unused static struct pair pair_open(void)
{
	struct pair p;
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, 80, 64);
	CHECK_EQ(l.err, OK);
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_NEVER);
	CHECK_EQ(c.err, OK);
	struct tcp_conn_result s = tcp_accept(l.value, KTIME_NEVER);
	CHECK_EQ(s.err, OK);
	p = (struct pair){l.value, c.value, s.value};
	return p;
}

/* ---- somebody else: a peer made of single segments ---- */

struct stranger {
	uint32_t addr;
	uint16_t port;
	tcp_seq seq, ack; /* next of his, next of ours */
	uint16_t wnd;
};

/* One segment whose payload begins off bytes behind his next. */
unused static void stranger_send(const struct stranger *p, uint8_t flags, int32_t off, struct rbuf payload)
{
	uint8_t bytes[PACKET_ROOM_MAX];
	struct tcp_seg seg = {.src_port = p->port, .dst_port = 80, .seq = seq_add(p->seq, (uint32_t)off),
		.ack = p->ack, .flags = flags, .wnd = p->wnd, .len = (uint32_t)payload.len};
	size_t n = tcp_wire_build(wbuf_of(bytes, sizeof(bytes)), &seg);
	CHECK(n + payload.len <= sizeof(bytes));
	if (payload.len)
		memcpy(bytes + n, payload.ptr, payload.len);
	world_put(p->addr, IPV4_LOOPBACK, rbuf_of(bytes, n + payload.len));
	world_settle(0);
}

unused static struct stranger stranger_at(uint32_t addr, uint16_t port)
{
	return (struct stranger){.addr = addr, .port = port, .seq = {port * 77777u}, .wnd = 65000};
}

/* A handshake with port 80. */
unused static struct stranger stranger_open(uint32_t addr, uint16_t port)
{
	struct stranger p = stranger_at(addr, port);
	stranger_send(&p, TCP_SYN, 0, rbuf_of(NULL, 0));
	CHECK_EQ(world_answer.flags, TCP_SYN | TCP_ACK);
	p.seq = seq_add(p.seq, 1);
	CHECK(seq_eq(world_answer.ack, p.seq));
	p.ack = seq_add(world_answer.seq, 1);
	stranger_send(&p, TCP_ACK, 0, rbuf_of(NULL, 0));
	return p;
}

#endif
