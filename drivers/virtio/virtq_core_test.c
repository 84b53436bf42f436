/* virtq_core_test.c - the split ring against a model of the device, honest and not. */
#include "drivers/virtio/virtq_core.h"
#include "tests/host/test.h"

#define SIZE 16

static uint8_t mem[16384] aligned_to(16);
static struct virtq_slot slots[SIZE];
static struct virtq q;
static uint16_t device_avail; /* next that the device looks at */
static int tokens[1024];

static void setup(bool indirect, bool event)
{
	struct virtq_layout l = virtq_layout(SIZE, indirect);
	CHECK(l.total <= sizeof(mem));
	memset(mem, 0, sizeof(mem));
	virtq_init(&q, SIZE, mem, slots, indirect, event);
	device_avail = 0;
}

static uint16_t *avail_event(void)
{
	return (uint16_t *)(void *)&q.used->ring[SIZE];
}

/* The device takes the next chain; -1 when there is none. Returns how many buffers it saw. */
static int device_next(uint16_t *head, uint32_t *bytes)
{
	if (q.avail->idx == device_avail)
		return -1;
	*head = q.avail->ring[device_avail++ % SIZE];
	struct virtq_desc *d = &q.desc[*head], *base = q.desc;
	if (d->flags & 4) {
		base = (struct virtq_desc *)(uintptr_t)d->addr;
		CHECK_EQ(d->len % 16, 0);
		d = base;
	}
	int n = 1;
	*bytes = d->len;
	while (d->flags & 1) {
		d = &base[d->next];
		*bytes += d->len;
		CHECK(++n <= 8);
	}
	return n;
}

static void device_use(uint32_t id, uint32_t len)
{
	q.used->ring[q.used->idx % SIZE] = (struct virtq_used_elem){id, len};
	q.used->idx++;
}

static enum err add(size_t out_n, size_t in_n, int *token)
{
	struct virtq_buf b[8];
	for (size_t i = 0; i < out_n + in_n; i++)
		b[i] = (struct virtq_buf){0x1000 * (i + 1), 100};
	return virtq_add(&q, b, out_n, in_n, token);
}

TEST(virtq_chain_goes_and_comes_back)
{
	for (int mode = 0; mode < 2; mode++) {
		setup(mode == 1, false);
		uint16_t head;
		uint32_t bytes, len;
		void *token;
		CHECK_EQ(add(2, 1, &tokens[5]), OK);
		CHECK_EQ(q.free_count, mode == 1 ? SIZE - 1 : SIZE - 3);
		CHECK(!virtq_take(&q, &token, &len));
		CHECK_EQ(device_next(&head, &bytes), 3);
		CHECK_EQ(bytes, 300);
		device_use(head, 77);
		CHECK(virtq_take(&q, &token, &len));
		CHECK(token == &tokens[5]);
		CHECK_EQ(len, 77);
		CHECK_EQ(q.free_count, SIZE);
	}
}

TEST(virtq_full_is_refused)
{
	setup(false, false);
	for (int i = 0; i < SIZE / 2; i++)
		CHECK_EQ(add(1, 1, &tokens[i]), OK);
	CHECK_EQ(add(1, 0, &tokens[99]), ERR_NOSPC);
	setup(true, false);
	for (int i = 0; i < SIZE; i++)
		CHECK_EQ(add(4, 1, &tokens[i]), OK);
	CHECK_EQ(add(1, 0, &tokens[99]), ERR_NOSPC);
}

TEST(virtq_kick_follows_the_event_index)
{
	setup(true, true);
	*avail_event() = 0;
	CHECK_EQ(add(1, 0, &tokens[0]), OK);
	CHECK(virtq_kick(&q));
	CHECK(!virtq_kick(&q));
	CHECK_EQ(add(1, 0, &tokens[1]), OK);
	CHECK(!virtq_kick(&q)); /* the device has not asked for number 1 */
	*avail_event() = 2;
	CHECK_EQ(add(1, 0, &tokens[2]), OK);
	CHECK(virtq_kick(&q));
	setup(false, false);
	q.used->flags = 1;
	CHECK_EQ(add(1, 0, &tokens[0]), OK);
	CHECK(!virtq_kick(&q));
}

/*
 * The driver looks, the device asks, and neither has seen what the other wrote before: what
 * happens where a fence does nothing. Only the second look can find it.
 */
static void device_asks_unheard(bool event, uint16_t at)
{
	if (event)
		*avail_event() = at;
	else
		q.used->flags = 0;
}

static void late_kick_case(bool event, uint16_t before, uint16_t after)
{
	setup(true, event);
	void *token;
	uint32_t len, bytes;
	uint16_t head;
	/* Chain by chain until the index is at hand; the device asks for each, hears of each. */
	q.avail_idx = q.kicked_idx = q.used_idx = q.avail->idx = q.used->idx = device_avail = (uint16_t)-before;
	for (uint16_t i = 0; i < before + after; i++) {
		device_asks_unheard(event, q.avail_idx);
		CHECK_EQ(add(1, 0, &tokens[i % SIZE]), OK);
		CHECK(virtq_kick(&q));
		CHECK(!virtq_kick_late(&q)); /* slow, but notified */
		CHECK_EQ(device_next(&head, &bytes), 1);
		device_use(head, 0);
		CHECK(virtq_take(&q, &token, &len));
	}
	uint16_t empty = q.avail_idx;
	*avail_event() = (uint16_t)(empty - 1); /* what the driver still sees */
	q.used->flags = 1;
	for (int i = 0; i < SIZE; i++) {
		CHECK_EQ(add(1, 0, &tokens[i]), OK);
		CHECK(!virtq_kick(&q));
		CHECK(!virtq_kick_late(&q)); /* nobody asks */
	}
	CHECK_EQ(add(1, 0, &tokens[99]), ERR_NOSPC);
	device_asks_unheard(event, empty);
	CHECK(!virtq_kick(&q)); /* nothing new: this never says it */
	CHECK(virtq_kick_late(&q));
	CHECK(!virtq_kick_late(&q)); /* once */
}

TEST(virtq_late_kick_finds_a_notification_that_is_missing)
{
	for (uint16_t before = 0; before <= 2 * SIZE; before++) {
		late_kick_case(true, before, 0);
		late_kick_case(true, before, 3);
		late_kick_case(false, before, 3);
	}
}

/* A device that found the chain by itself has left its old question there: no notification is missing. */
TEST(virtq_late_kick_is_silent_about_what_was_used)
{
	for (int mode = 0; mode < 2; mode++) {
		setup(true, mode == 1);
		void *token;
		uint32_t len, bytes;
		uint16_t head;
		*avail_event() = UINT16_MAX;
		q.used->flags = 1;
		CHECK_EQ(add(1, 0, &tokens[0]), OK);
		CHECK(!virtq_kick(&q));
		device_asks_unheard(mode == 1, 0);
		CHECK_EQ(device_next(&head, &bytes), 1);
		device_use(head, 0);
		CHECK(virtq_take(&q, &token, &len));
		CHECK(!virtq_kick_late(&q));
	}
}

TEST(virtq_arm_sees_what_came_before)
{
	setup(true, true);
	uint16_t head;
	uint32_t bytes;
	CHECK_EQ(add(0, 1, &tokens[0]), OK);
	CHECK(!virtq_arm(&q));
	CHECK_EQ(q.avail->ring[SIZE], 0);
	CHECK_EQ(device_next(&head, &bytes), 1);
	device_use(head, 1);
	CHECK(virtq_arm(&q));
}

/* Not passed over: a device that moves while it is looked at would be followed for ever. */
TEST(virtq_bad_id_breaks_the_queue)
{
	static const uint32_t bad[] = {UINT32_MAX, SIZE, 9 /* not out */};
	for (size_t k = 0; k < countof(bad); k++) {
		setup(true, false);
		void *token;
		uint32_t len;
		for (int i = 0; i < 4; i++)
			CHECK_EQ(add(0, 1, &tokens[i]), OK);
		device_use(2, 5);
		device_use(bad[k], 1);
		device_use(1, 5);
		CHECK(virtq_take(&q, &token, &len));
		CHECK(token == &tokens[2]);
		CHECK(!virtq_take(&q, &token, &len));
		CHECK(q.broken);
		CHECK_EQ(q.used_idx, 2); /* one look, whatever follows */
		CHECK_EQ(q.bad_used, 1);
		CHECK_EQ(q.out, 3);
		while (virtq_reclaim(&q) != NULL)
			;
		CHECK_EQ(q.free_count, SIZE);
	}
}

TEST(virtq_same_chain_twice_is_refused)
{
	setup(true, false);
	void *token;
	uint32_t len;
	CHECK_EQ(add(0, 1, &tokens[0]), OK);
	CHECK_EQ(add(0, 1, &tokens[1]), OK);
	device_use(0, 1);
	device_use(0, 1);
	CHECK(virtq_take(&q, &token, &len));
	CHECK(!virtq_take(&q, &token, &len));
	CHECK_EQ(q.bad_used, 1);
}

TEST(virtq_length_beyond_the_buffers_becomes_nothing)
{
	setup(true, false);
	void *token;
	uint32_t len;
	CHECK_EQ(add(1, 2, &tokens[0]), OK);
	device_use(0, 201);
	CHECK(virtq_take(&q, &token, &len));
	CHECK_EQ(len, 0);
	CHECK_EQ(q.bad_used, 1);
}

TEST(virtq_running_ahead_breaks_the_queue)
{
	setup(true, false);
	void *token;
	uint32_t len;
	CHECK_EQ(add(0, 1, &tokens[0]), OK);
	q.used->idx = 2;
	CHECK(!virtq_take(&q, &token, &len));
	CHECK(q.broken);
	CHECK_EQ(add(0, 1, &tokens[1]), ERR_IO);
	CHECK(virtq_reclaim(&q) == &tokens[0]);
	CHECK(virtq_reclaim(&q) == NULL);
	virtq_check(&q);
}

/* The device uses chains in any order; every token comes back exactly once. */
TEST(virtq_random_walk_returns_every_token)
{
	struct test_rng rng = test_rng(test_seed());
	for (int mode = 0; mode < 4; mode++) {
		setup(mode & 1, mode & 2);
		uint16_t held[SIZE];
		uint32_t room[SIZE];
		size_t n = 0, out = 0;
		bool is_out[SIZE * 2] = {false};
		for (int i = 0; i < 50000; i++) {
			size_t k = test_below(&rng, SIZE * 2), in = 1 + test_below(&rng, 3);
			uint32_t bytes, len;
			uint16_t head;
			void *token;
			switch (test_below(&rng, 4)) {
			case 0:
				if (is_out[k] || add(test_below(&rng, 3), in, &tokens[k]) != OK)
					break;
				is_out[k] = true;
				out++;
				break;
			case 1:
				if (device_next(&head, &bytes) < 0)
					break;
				room[n] = q.slot[head].room;
				held[n++] = head;
				break;
			case 2: {
				if (n == 0)
					break;
				size_t j = test_below(&rng, n);
				device_use(held[j], (uint32_t)test_below(&rng, room[j] + 1));
				held[j] = held[--n];
				room[j] = room[n];
				break;
			}
			default:
				if (!virtq_take(&q, &token, &len))
					break;
				CHECK(is_out[(int *)token - tokens]);
				is_out[(int *)token - tokens] = false;
				out--;
				break;
			}
			CHECK_EQ(q.out, out);
			virtq_check(&q);
		}
		CHECK_EQ(q.bad_used, 0);
	}
}

/* A device that writes noise into everything it may write can do no harm. */
TEST(virtq_survives_a_hostile_device)
{
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 500; round++) {
		setup(round & 1, round & 2);
		for (int i = 0; i < 200; i++) {
			void *token;
			uint32_t len;
			size_t k = test_below(&rng, SIZE);
			(void)!add(test_below(&rng, 2), 1 + test_below(&rng, 2), &tokens[i]);
			q.used->ring[k].id = (uint32_t)test_below(&rng, 40);
			q.used->ring[k].len = (uint32_t)test_u64(&rng);
			q.used->idx += (uint16_t)test_below(&rng, 3);
			*avail_event() = (uint16_t)test_u64(&rng);
			q.desc[k].next = (uint16_t)test_u64(&rng);
			q.desc[k].flags = (uint16_t)test_u64(&rng);
			(void)!virtq_kick(&q);
			while (virtq_take(&q, &token, &len))
				CHECK(len <= 300);
			virtq_check(&q);
		}
		while (virtq_reclaim(&q) != NULL)
			;
		CHECK_EQ(q.free_count, SIZE);
	}
}
