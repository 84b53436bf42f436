/*
 * tcp_shell_sim.c - the TCP shell without a kernel: listeners, queues, limits,
 * readiness, references, on stand-ins for pools, locks, callouts and IPv4.
 *
 * One thread of control. Where the kernel would sleep, the world turns instead:
 * a packet of the loopback is delivered, or the clock goes on to the next callout.
 * Locks count their holders, so that sleeping under a spinlock is found; pools
 * count their objects, and every test ends with all of them back.
 */
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
	size_t size, cap, used;
};
static struct pool *world_pools[16];
static size_t world_pool_n;

struct pool *pool_create(unused struct str name, size_t size, unused size_t align, size_t capacity,
	unused unsigned flags)
{
	struct pool *p = malloc(sizeof(*p));
	*p = (struct pool){size, capacity, 0};
	world_pools[world_pool_n++] = p;
	return p;
}

void *pool_alloc(struct pool *p)
{
	if (p->used == p->cap)
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

void mutex_lock(struct mutex *m)
{
	CHECK_EQ(world_spin_depth, 0);
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

enum err callout_start(struct callout *c, ktime at)
{
	callout_stop(c);
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

bool ipv4_is_local(unused uint32_t addr)
{
	return true;
}

bool ipv4_is_unicast(uint32_t addr)
{
	return addr != 0;
}

enum err ipv4_route(uint32_t dst, struct ipv4_route *out)
{
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

enum err ipv4_send(unused const struct ipv4_tx *tx, struct packet *p)
{
	struct packet *in = packet_alloc(PACKET_RX, PACKET_ROOM_MAX);
	uint8_t *to = packet_append(in, p->len);
	packet_copy_out(p, 0, wbuf_of(to, p->len));
	packet_free(p);
	if (world_lose && test_below(&world_rng, 10000) < world_lose)
		packet_free(in);
	else
		list_push_back(&world_wire, &in->node);
	return OK;
}

static bool world_turn(ktime deadline)
{
	struct list *n = list_pop_front(&world_wire);
	if (n) {
		struct ipv4_rx rx = {.src = IPV4_LOOPBACK, .dst = IPV4_LOOPBACK, .proto = IP_PROTO_TCP};
		tcp_input_packet(&rx, list_entry(n, struct packet, node));
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

enum err condvar_wait(unused struct condvar *c, struct mutex *m, ktime deadline)
{
	CHECK_EQ(world_spin_depth, 0);
	mutex_unlock(m);
	bool turned = world_turn(deadline);
	mutex_lock(m);
	return turned ? OK : ERR_TIMEDOUT;
}

enum err waitq_wait_locked(struct waitq *q, irqflags flags, ktime deadline, unused struct str what)
{
	spin_unlock_irqrestore(&q->lock, flags);
	CHECK_EQ(world_spin_depth, 0);
	return world_turn(deadline) ? OK : ERR_TIMEDOUT;
}

/* Nothing is cancelled in this world. */
void thread_cancel_keep(enum err err)
{
	CHECK(err != ERR_INTR);
}

enum err sleep_ns(int64_t ns)
{
	world_settle(ns);
	return OK;
}

#include "kernel/net/tcp/tcp_table.c"
#include "kernel/net/tcp/tcp_queue.c"
#include "kernel/net/tcp/tcp_conn.c"
#include "kernel/net/tcp/tcp_listen.c"
#include "kernel/net/tcp/tcp_api.c"
#include "kernel/net/tcp/tcp_pollset.c"
#include "kernel/net/tcp/tcp_info.c"
#include "kernel/net/tcp/tcp_rx.c"

/* ---- the tests ---- */

static void begin(void)
{
	static bool begun;
	if (!begun)
		CHECK_EQ(tcp_init(), OK);
	begun = true;
	world_lose = 0;
}

/* All is back: objects, packets, references, table entries. */
static void end(void)
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

static struct pair pair_open(void)
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

TEST(tcp_shell_connects_and_closes)
{
	begin();
	struct pair p = pair_open();
	CHECK_EQ(tcp_remote(p.server).port, tcp_local(p.client).port);
	struct size_result n = tcp_send(p.client, rbuf_of_str(S("hello")), 0, KTIME_NEVER);
	CHECK(n.err == OK && n.value == 5);
	uint8_t b[16];
	n = tcp_recv(p.server, wbuf_of(b, sizeof(b)), KTIME_NEVER);
	CHECK(n.err == OK && n.value == 5);
	CHECK_MEM(b, "hello", 5);
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 1), KTIME_ZERO).err, ERR_AGAIN);
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 1), ktime_add(world_now, NS_PER_S)).err, ERR_TIMEDOUT);
	CHECK_EQ(tcp_shutdown(p.client), OK);
	n = tcp_recv(p.server, wbuf_of(b, sizeof(b)), KTIME_NEVER);
	CHECK(n.err == OK && n.value == 0);
	CHECK_EQ(tcp_send(p.client, rbuf_of_str(S("x")), 0, KTIME_NEVER).err, ERR_PIPE);
	n = tcp_send(p.server, rbuf_of_str(S("bye")), 0, KTIME_NEVER);
	CHECK(n.err == OK && n.value == 3);
	struct rbuf part;
	CHECK_EQ(tcp_peek(p.client, &part, KTIME_NEVER), OK);
	CHECK_STR(rbuf_str(part), S("bye"));
	tcp_consume(p.client, 3);
	tcp_close(p.server);
	tcp_close(p.client);
	tcp_listener_close(p.l);
	end();
}

TEST(tcp_shell_refuses_and_aborts)
{
	begin();
	CHECK_EQ(tcp_connect(IPV4_LOOPBACK, 81, KTIME_NEVER).err, ERR_CONNREFUSED);
	struct pair p = pair_open();
	CHECK_EQ(tcp_listen(IPV4_ANY, 80, 1).err, ERR_ADDRINUSE);
	tcp_abort(p.client);
	uint8_t b[4];
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 4), KTIME_NEVER).err, ERR_CONNRESET);
	CHECK_EQ(tcp_send(p.server, rbuf_of(b, 4), 0, KTIME_NEVER).err, ERR_CONNRESET);
	tcp_close(p.server);
	/* Not accepted, then the listener goes. */
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_NEVER);
	CHECK_EQ(c.err, OK);
	world_settle(NS_PER_S);
	tcp_listener_close(p.l);
	CHECK_EQ(tcp_recv(c.value, wbuf_of(b, 4), KTIME_NEVER).err, ERR_CONNRESET);
	tcp_close(c.value);
	end();
}

static size_t mem_freed;
static void mem_free(unused struct packet_mem *m)
{
	mem_freed++;
}

/* Both ways at once, copied and by reference, under loss; every byte compared. */
static void transfer(uint32_t lose, size_t total, size_t write_max)
{
	static uint8_t data[100000], got[8000];
	struct test_rng r = test_rng(test_seed());
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)test_u64(&r);
	struct pair p = pair_open();
	struct packet_mem mem;
	packet_mem_init(&mem, mem_free);
	mem_freed = 0;
	world_lose = lose;
	size_t sent = 0, received = 0;
	bool shut = false;
	while (received < total) {
		size_t at = sent % sizeof(data), want = min(sizeof(data) - at, 1 + test_below(&r, write_max));
		want = min(want, total - sent);
		if (want && test_below(&r, 2)) {
			enum err e = tcp_send_ref(p.client, &mem, rbuf_of(data + at, want), 0, KTIME_ZERO);
			CHECK(e == OK || e == ERR_AGAIN);
			sent += e == OK ? want : 0;
		} else if (want) {
			struct size_result n = tcp_send(p.client, rbuf_of(data + at, want),
				test_below(&r, 4) == 0 ? TCP_MORE : 0, KTIME_ZERO);
			CHECK(n.err == OK || n.err == ERR_AGAIN);
			sent += n.err == OK ? n.value : 0;
		} else if (!shut) {
			shut = true;
			CHECK_EQ(tcp_shutdown(p.client), OK);
		}
		for (uint64_t k = test_below(&r, 20); k > 0; k--)
			world_turn(ktime_add(world_now, 1));
		at = received % sizeof(data);
		size_t room = min(sizeof(got), sizeof(data) - at);
		bool wait = shut || sent - received >= CONFIG_TCP_TX_BYTES;
		struct size_result n = tcp_recv(p.server, wbuf_of(got, room), wait ? KTIME_NEVER : KTIME_ZERO);
		CHECK(n.err == OK || n.err == ERR_AGAIN);
		if (n.err == OK) {
			CHECK_MEM(got, data + at, n.value);
			received += n.value;
		}
	}
	world_lose = 0;
	tcp_close(p.server);
	tcp_close(p.client);
	tcp_listener_close(p.l);
	end();
	CHECK_EQ(mem_freed, 0);
	packet_mem_put(&mem);
	CHECK_EQ(mem_freed, 1);
}

TEST(tcp_shell_moves_bytes)
{
	begin();
	transfer(0, 3000000, 9000);
}

TEST(tcp_shell_moves_bytes_with_loss)
{
	begin();
	transfer(200, 1000000, 9000);
	transfer(1000, 200000, 9000);
}

/* A segment over more pieces than a packet has fragments; sent again, it has them all at once. */
TEST(tcp_shell_moves_bytes_in_small_pieces)
{
	begin();
	transfer(0, 1000000, 150);
	transfer(300, 300000, 150);
}

/* Lesson 16: many short connections in a row, TIME_WAIT in between. */
TEST(tcp_shell_10000_short_connections)
{
	begin();
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, 80, 64);
	CHECK_EQ(l.err, OK);
	for (int i = 0; i < 10000; i++) {
		uint8_t b[8];
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_NEVER);
		CHECK_EQ(c.err, OK);
		struct tcp_conn_result s = tcp_accept(l.value, KTIME_NEVER);
		CHECK_EQ(s.err, OK);
		CHECK_EQ(tcp_send(c.value, rbuf_of_str(S("get")), 0, KTIME_NEVER).value, 3);
		CHECK_EQ(tcp_recv(s.value, wbuf_of(b, 8), KTIME_NEVER).value, 3);
		CHECK_EQ(tcp_send(s.value, rbuf_of_str(S("reply")), 0, KTIME_NEVER).value, 5);
		tcp_close(s.value);
		CHECK_EQ(tcp_recv(c.value, wbuf_of(b, 8), KTIME_NEVER).value, 5);
		tcp_close(c.value);
	}
	world_settle(0);
	struct tcp_stats st;
	tcp_stats(&st);
	CHECK_EQ(st.time_waits, CONFIG_TCP_TIME_WAITS);
	tcp_listener_close(l.value);
	end();
}

/* Lesson 15: every limit refuses, counts and recovers. */
TEST(tcp_shell_limits_recover)
{
	begin();
	static struct tcp_conn *conns[CONFIG_TCP_CONNECTIONS];
	struct tcp_listener_result l = tcp_listen(IPV4_ANY, 80, 8);
	CHECK_EQ(l.err, OK);
	size_t n = 0;
	struct tcp_conn_result c;
	while (n < 100 && (c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO)).err == OK)
		conns[n++] = c.value;
	world_settle(NS_PER_MS);
	CHECK(tcp_counter(TCP_REFUSED_BACKLOG) > 0);
	while (n < countof(conns) && (c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO)).err == OK)
		conns[n++] = c.value;
	CHECK_EQ(tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO).err, ERR_NFILE);
	CHECK(tcp_counter(TCP_REFUSED_CONNECTIONS) > 0);
	size_t cursor = 0, seen = 0;
	struct tcp_info info;
	while (tcp_info_next(&cursor, &info))
		seen++;
	CHECK(seen >= n);
	while (n > 0)
		tcp_abort(conns[--n]);
	world_settle(NS_PER_S);
	tcp_listener_close(l.value);
	struct pair p = pair_open();
	tcp_abort(p.client);
	tcp_close(p.server);
	tcp_listener_close(p.l);
	end();
}

/* Counters and what is open now are members of one object: no name may come twice. */
TEST(tcp_shell_counters_have_names_of_their_own)
{
	static const struct str now[] = {
		STR_INIT("connections"), STR_INIT("half_open"), STR_INIT("time_waits"), STR_INIT("listeners")};
	for (enum tcp_counter i = 0; i < TCP_COUNTER_COUNT; i++) {
		struct str name = tcp_counter_name(i);
		for (size_t k = 0; k < countof(now); k++)
			CHECK(!str_eq(name, now[k]));
		for (enum tcp_counter k = 0; k < i; k++)
			CHECK(!str_eq(name, tcp_counter_name(k)));
	}
}

TEST(tcp_shell_pollset_is_by_level)
{
	begin();
	struct pair p = pair_open();
	struct tcp_pollset *set = tcp_pollset_create();
	CHECK(set != NULL);
	struct tcp_ready r[4];
	tcp_pollset_add_listener(set, p.l, p.l);
	tcp_pollset_add(set, p.server, TCP_READY_IN, p.server);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	CHECK_EQ(tcp_send(p.client, rbuf_of_str(S("ab")), 0, KTIME_NEVER).value, 2);
	for (int i = 0; i < 2; i++) { /* it stays ready until read */
		struct size_result n = tcp_pollset_wait(set, r, 4, KTIME_NEVER);
		CHECK(n.err == OK && n.value == 1 && r[0].cookie == p.server);
		CHECK_EQ(r[0].ready, TCP_READY_IN);
	}
	uint8_t b[4];
	CHECK_EQ(tcp_recv(p.server, wbuf_of(b, 4), KTIME_ZERO).value, 2);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, 80, KTIME_ZERO);
	CHECK_EQ(c.err, OK);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_NEVER).value, 1);
	CHECK(r[0].cookie == p.l);
	struct tcp_conn_result s = tcp_accept(p.l, KTIME_ZERO);
	CHECK_EQ(s.err, OK);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).err, ERR_AGAIN);
	tcp_pollset_add(set, p.server, TCP_READY_IN | TCP_READY_OUT, p.server);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).value, 1);
	CHECK_EQ(r[0].ready, TCP_READY_OUT);
	tcp_pollset_wake(set);
	tcp_abort(p.client);
	world_settle(NS_PER_S);
	CHECK_EQ(tcp_pollset_wait(set, r, 4, KTIME_ZERO).value, 1);
	CHECK(r[0].ready & TCP_READY_END);
	tcp_close(p.server);
	tcp_close(c.value);
	tcp_close(s.value);
	tcp_listener_close(p.l);
	tcp_pollset_destroy(set);
	end();
}
