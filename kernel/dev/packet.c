/*
 * packet.c - the pools that packets come from, one set for each class.
 *
 * A packet carries a small buffer of its own; more room comes from a pool of
 * 2 KiB buffers (RX and TX only). The packet goes back to its pool when the last
 * reference to its own memory is gone, the buffer when the last to the buffer is.
 *
 * Locks: none; the pools have theirs. Any context.
 */
#include "kernel/dev/packet.h"
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "lib/initcall.h"

#define PACKET_BUFFER_BYTES 2048

struct packet_object {
	struct packet packet;
	uint8_t small[PACKET_HEADROOM + PACKET_SMALL_MAX] aligned_to(16);
};

struct packet_buffer {
	struct packet_mem mem;
	uint8_t class;
	uint8_t bytes[] aligned_to(16);
};
static_assert(CONFIG_PACKET_RX_RESERVE < CONFIG_PACKET_RX_BUFFERS, "something may be kept");
static_assert(offsetof(struct packet_buffer, bytes) + PACKET_HEADROOM + PACKET_ROOM_MAX <=
		PACKET_BUFFER_BYTES, "a full frame fits a buffer");

struct packet_pools {
	struct pool *packets;
	struct pool *buffers; /* NULL: the class has small packets only */
	uint32_t buffers_used; /* atomic */
};

static struct packet_pools packet_pools[PACKET_CLASS_COUNT];

static void packet_buffer_free(struct packet_mem *m)
{
	struct packet_buffer *b = container_of(m, struct packet_buffer, mem);
	enum packet_class class = b->class;
	pool_free(packet_pools[class].buffers, b);
	__atomic_fetch_sub(&packet_pools[class].buffers_used, 1, __ATOMIC_RELAXED);
}

static void packet_object_free(struct packet_mem *m)
{
	struct packet *p = container_of(m, struct packet, self);
	pool_free(packet_pools[p->class].packets, container_of(p, struct packet_object, packet));
}

static struct packet_buffer *packet_buffer_alloc(enum packet_class class)
{
	struct packet_pools *pools = &packet_pools[class];
	assert(pools->buffers != NULL);
	struct packet_buffer *b = pool_alloc(pools->buffers);
	if (b == NULL)
		return NULL;
	__atomic_fetch_add(&pools->buffers_used, 1, __ATOMIC_RELAXED);
	packet_mem_init(&b->mem, packet_buffer_free);
	b->class = (uint8_t)class;
	return b;
}

static void packet_use_small(struct packet_object *o)
{
	o->packet.frag[0] = (struct packet_frag){&o->packet.self, o->small + PACKET_HEADROOM, 0};
	o->packet.tailroom = PACKET_SMALL_MAX;
}

static bool packet_use_buffer(struct packet_object *o, enum packet_class class)
{
	struct packet_buffer *b = packet_buffer_alloc(class);
	if (b == NULL)
		return false;
	o->packet.frag[0] = (struct packet_frag){&b->mem, b->bytes + PACKET_HEADROOM, 0};
	o->packet.tailroom = PACKET_ROOM_MAX;
	return true;
}

struct packet *packet_alloc(enum packet_class class, size_t room)
{
	assert(class < PACKET_CLASS_COUNT);
	assert(room <= (class == PACKET_CONTROL ? PACKET_SMALL_MAX : PACKET_ROOM_MAX));
	struct packet_object *o = pool_alloc(packet_pools[class].packets);
	if (unlikely(o == NULL))
		return NULL;
	struct packet *p = &o->packet;
	*p = (struct packet){.class = (uint8_t)class, .frag_count = 1, .headroom = PACKET_HEADROOM};
	list_init(&p->node);
	packet_mem_init(&p->self, packet_object_free);
	if (room <= PACKET_SMALL_MAX && class != PACKET_RX) {
		packet_use_small(o);
	} else if (unlikely(!packet_use_buffer(o, class))) {
		pool_free(packet_pools[class].packets, o);
		return NULL;
	}
	return p;
}

void packet_free(struct packet *p)
{
	if (p == NULL)
		return;
	packet_release_frags(p);
	packet_mem_put(&p->self);
}

bool packet_may_keep(const struct packet *p)
{
	if (p->class != PACKET_RX)
		return true;
	uint32_t used = __atomic_load_n(&packet_pools[PACKET_RX].buffers_used, __ATOMIC_RELAXED);
	return used + CONFIG_PACKET_RX_RESERVE <= CONFIG_PACKET_RX_BUFFERS;
}

static enum err packet_pools_make(enum packet_class class, struct str packets, size_t n,
	struct str buffers, size_t buffer_n)
{
	struct packet_pools *pools = &packet_pools[class];
	pools->packets = pool_create(packets, sizeof(struct packet_object), CACHE_LINE, n, POOL_IRQ);
	if (pools->packets == NULL)
		return ERR_NOMEM;
	if (buffer_n == 0)
		return OK;
	pools->buffers = pool_create(buffers, PACKET_BUFFER_BYTES, CACHE_LINE, buffer_n, POOL_IRQ);
	return pools->buffers == NULL ? ERR_NOMEM : OK;
}

static enum err packet_init(void)
{
	enum err e = packet_pools_make(PACKET_RX, S("packet_rx"), CONFIG_PACKET_RX_BUFFERS,
		S("packet_rx_buf"), CONFIG_PACKET_RX_BUFFERS);
	if (e == OK)
		e = packet_pools_make(PACKET_TX, S("packet_tx"), CONFIG_PACKET_TX_PACKETS,
			S("packet_tx_buf"), CONFIG_PACKET_TX_BUFFERS);
	if (e == OK)
		e = packet_pools_make(PACKET_CONTROL, S("packet_control"),
			CONFIG_PACKET_CONTROL_PACKETS, STR_EMPTY, 0);
	return e;
}
INITCALL(packet, packet_init, NULL);
