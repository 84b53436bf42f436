/* packet_core_test.c - fragments against a plain byte array, and reference counts. */
#include "kernel/dev/packet.h"
#include "tests/host/test.h"

static void test_bytes(struct test_rng *rng, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)test_u64(rng);
}

struct test_mem {
	struct packet_mem mem;
	uint8_t bytes[512];
	int freed;
};

static void test_mem_free(struct packet_mem *m)
{
	container_of(m, struct test_mem, mem)->freed++;
}

static uint8_t own[PACKET_HEADROOM + PACKET_SMALL_MAX];

static void packet_self_free(struct packet_mem *m)
{
	(void)m;
}

static struct packet packet_make(void)
{
	struct packet p = {.frag_count = 1, .headroom = PACKET_HEADROOM, .tailroom = PACKET_SMALL_MAX};
	packet_mem_init(&p.self, packet_self_free);
	p.frag[0] = (struct packet_frag){&p.self, own + PACKET_HEADROOM, 0};
	return p;
}

TEST(packet_push_and_pull_are_inverse)
{
	struct packet p = packet_make();
	p.frag[0].mem = &p.self;
	uint8_t *tail = packet_append(&p, 10);
	CHECK(tail == own + PACKET_HEADROOM);
	CHECK(packet_push(&p, 20) == own + PACKET_HEADROOM - 20);
	CHECK_EQ(p.len, 30);
	CHECK(packet_pull(&p, 31) == NULL);
	CHECK(packet_pull(&p, 20) == own + PACKET_HEADROOM - 20);
	CHECK_EQ(p.len, 10);
	CHECK(packet_append(&p, PACKET_SMALL_MAX) == NULL);
	CHECK(packet_append(&p, PACKET_SMALL_MAX - 10) != NULL);
}

TEST(packet_add_ref_is_bounded_and_released)
{
	struct packet p = packet_make();
	struct test_mem m = {0};
	packet_mem_init(&m.mem, test_mem_free);
	p.frag[0].mem = &p.self;
	for (int i = 1; i < PACKET_FRAGS; i++)
		CHECK_EQ(packet_add_ref(&p, &m.mem, m.bytes, 100), OK);
	CHECK_EQ(packet_add_ref(&p, &m.mem, m.bytes, 100), ERR_NOSPC);
	CHECK_EQ(m.mem.refs, PACKET_FRAGS);
	packet_trim(&p, 250);
	CHECK_EQ(p.frag_count, 4);
	CHECK_EQ(m.mem.refs, 4);
	packet_release_frags(&p);
	CHECK_EQ(m.mem.refs, 1);
	CHECK_EQ(m.freed, 0);
	packet_mem_put(&m.mem);
	CHECK_EQ(m.freed, 1);
}

struct packet_model {
	uint8_t bytes[4096];
	size_t len;
};

static void packet_step(struct packet *p, struct packet_model *model, struct test_mem *m,
	struct test_rng *rng)
{
	size_t n = test_below(rng, 40);
	switch (test_below(rng, 5)) {
	case 0:
		if (n > p->headroom)
			break;
		test_bytes(rng, packet_push(p, n), n);
		memmove(model->bytes + n, model->bytes, model->len);
		memcpy(model->bytes, p->frag[0].ptr, n);
		model->len += n;
		break;
	case 1:
		if (packet_pull(p, n) == NULL)
			break;
		model->len -= n;
		memmove(model->bytes, model->bytes + n, model->len);
		break;
	case 2: {
		size_t at = test_below(rng, sizeof(m->bytes) - n);
		if (packet_add_ref(p, &m->mem, m->bytes + at, n) != OK)
			break;
		memcpy(model->bytes + model->len, m->bytes + at, n);
		model->len += n;
		break;
	}
	case 3: {
		uint8_t *to = p->frag_count == 1 ? packet_append(p, n) : NULL;
		if (to == NULL)
			break;
		test_bytes(rng, to, n);
		memcpy(model->bytes + model->len, to, n);
		model->len += n;
		break;
	}
	default:
		model->len -= min(n, model->len);
		packet_trim(p, model->len);
		break;
	}
}

TEST(packet_behaves_like_an_array)
{
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 300; round++) {
		struct packet p = packet_make();
		struct packet_model model = {.len = 0};
		struct test_mem m = {0};
		packet_mem_init(&m.mem, test_mem_free);
		test_bytes(&rng, m.bytes, sizeof(m.bytes));
		p.frag[0].mem = &p.self;
		for (int i = 0; i < 50; i++) {
			uint8_t out[4096];
			packet_step(&p, &model, &m, &rng);
			packet_check(&p);
			size_t from = test_below(&rng, model.len + 1);
			CHECK_EQ(p.len, model.len);
			CHECK_EQ(packet_copy_out(&p, from, wbuf_of(out, sizeof(out))), model.len - from);
			CHECK(memcmp(out, model.bytes + from, model.len - from) == 0);
		}
		packet_release_frags(&p);
		CHECK_EQ(m.mem.refs, 1);
	}
}
