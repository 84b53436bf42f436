/*
 * tcp_buffers.c - who may hold how many buffers: of received bytes, of bytes to
 * send, of references to send. Each kind is a pool of its own, so that a reader who
 * stalls takes no room from those who send.
 *
 * The first buffer of each connection is its own, CONFIG_TCP_CONNECTIONS of each
 * pool are set aside for that: whatever others hold, every connection can move by
 * a segment at a time. The rest is shared, and what one may have of it depends on
 * what is left: a connection another one while four times as many as it has are
 * free, the connections of one peer while more are free than they have. So the
 * few get what they ask for, the greedy get less the more they are, and one peer
 * never has more than half.
 *
 * Locks: `held` of a connection is under its lock; the sums are atomic, and never
 * above the limit but for the moment in which a taker looks.
 */
#include "kernel/net/tcp/tcp_priv.h"

static_assert(CONFIG_TCP_RX_BUFFERS > CONFIG_TCP_CONNECTIONS, "each connection has a receive buffer of its own");
static_assert(CONFIG_TCP_TX_BUFFERS > CONFIG_TCP_CONNECTIONS, "each connection has a send buffer of its own");

#define TCP_SHARE_OF_CONN 4

static struct {
	struct pool *pool;
	uint32_t used;                 /* atomic; of the shared ones */
	uint32_t peer[TCP_PEER_SLOTS]; /* atomic; the same by peer */
} tcp_buffers[TCP_BUF_KINDS];

static const struct {
	struct str name;
	size_t bytes;
	uint32_t count;
	enum tcp_counter refused;
} tcp_buffer_kinds[TCP_BUF_KINDS] = {
	[TCP_BUF_RX] = {STR_INIT("tcp_rx_buf"), TCP_BUF_BYTES, CONFIG_TCP_RX_BUFFERS, TCP_REFUSED_RX_BUFFERS},
	[TCP_BUF_TX] = {STR_INIT("tcp_tx_buf"), TCP_BUF_BYTES, CONFIG_TCP_TX_BUFFERS, TCP_REFUSED_TX_BUFFERS},
	[TCP_BUF_REF] = {STR_INIT("tcp_ref"), sizeof(struct tcp_chunk), CONFIG_TCP_TX_BUFFERS,
		TCP_REFUSED_TX_BUFFERS},
};

enum err tcp_buffers_init(void)
{
	for (size_t i = 0; i < TCP_BUF_KINDS; i++) {
		tcp_buffers[i].pool = pool_create(tcp_buffer_kinds[i].name, tcp_buffer_kinds[i].bytes, 64,
			tcp_buffer_kinds[i].count, 0);
		if (!tcp_buffers[i].pool)
			return ERR_NOMEM;
	}
	return OK;
}

static void tcp_share_give(const struct tcp_conn *c, enum tcp_buf kind)
{
	__atomic_fetch_sub(&tcp_buffers[kind].used, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&tcp_buffers[kind].peer[c->peer], 1, __ATOMIC_RELAXED);
}

/* One more of the shared buffers, for a connection that has its own. */
static bool tcp_share_take(const struct tcp_conn *c, enum tcp_buf kind)
{
	uint32_t shared = tcp_buffer_kinds[kind].count - CONFIG_TCP_CONNECTIONS;
	uint32_t used = __atomic_fetch_add(&tcp_buffers[kind].used, 1, __ATOMIC_RELAXED);
	uint32_t peer = __atomic_fetch_add(&tcp_buffers[kind].peer[c->peer], 1, __ATOMIC_RELAXED);
	uint32_t left = used < shared ? shared - used : 0;
	if (left > peer && left > TCP_SHARE_OF_CONN * (c->held[kind] - 1))
		return true;
	tcp_share_give(c, kind);
	return false;
}

static bool tcp_held_take(struct tcp_conn *c, enum tcp_buf kind)
{
	if (c->held[kind] > 0 && !tcp_share_take(c, kind))
		return false;
	c->held[kind]++;
	return true;
}

static void tcp_held_give(struct tcp_conn *c, enum tcp_buf kind)
{
	assert(c->held[kind] > 0);
	if (--c->held[kind] > 0)
		tcp_share_give(c, kind);
}

static void tcp_chunk_mem_free(struct packet_mem *m)
{
	struct tcp_chunk *k = container_of(m, struct tcp_chunk, own);
	pool_free(tcp_buffers[k->kind].pool, k);
}

void tcp_chunk_reset(struct tcp_chunk *k)
{
	k->data = (uint8_t *)(k + 1);
	k->len = 0;
	k->room = k->kind == TCP_BUF_REF ? 0 : TCP_BUF_ROOM;
}

struct tcp_chunk *tcp_chunk_alloc(struct tcp_conn *c, enum tcp_buf kind)
{
	struct tcp_chunk *k = NULL;
	if (tcp_held_take(c, kind)) {
		k = pool_alloc(tcp_buffers[kind].pool);
		if (!k) /* some that were given back are with the driver still */
			tcp_held_give(c, kind);
	}
	if (!k) {
		tcp_count(tcp_buffer_kinds[kind].refused);
		return NULL;
	}
	*k = (struct tcp_chunk){.conn = c, .kind = (uint8_t)kind};
	tcp_chunk_reset(k);
	packet_mem_init(&k->own, tcp_chunk_mem_free);
	list_init(&k->node);
	k->mem = &k->own;
	return k;
}

void tcp_chunk_free(struct tcp_chunk *k)
{
	tcp_held_give(k->conn, k->kind);
	if (k->mem != &k->own)
		packet_mem_put(k->mem);
	packet_mem_put(&k->own);
}
