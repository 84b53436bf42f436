/* buddy_core_test.c - the page allocator against a model that owns every page by name. */
#include <stdlib.h>
#include "kernel/mm/buddy_core.h"
#include "tests/host/test.h"

#define PAGE  ((size_t)1 << BUDDY_PAGE_SHIFT)
#define BIG   (PAGE << BUDDY_ORDER_MAX)
#define PAGES 2500 /* two largest blocks and an odd rest */
#define LIVE  400

static struct buddy b;
static uint8_t state[PAGES];
static uint8_t *memory;

static void setup(void)
{
	if (!memory)
		memory = aligned_alloc(BIG, align_up(PAGES * PAGE, BIG));
	CHECK(memory != NULL);
	buddy_init(&b, (uintptr_t)memory, PAGES, state);
}

TEST(buddy_splits_and_merges_back)
{
	setup();
	buddy_add(&b, b.base, 1024);
	CHECK_EQ(b.nonempty, 1u << BUDDY_ORDER_MAX);
	void *p = buddy_alloc(&b, 0);
	CHECK(p != NULL && buddy_check(&b));
	CHECK_EQ(b.nonempty, (1u << BUDDY_ORDER_MAX) - 1);
	CHECK_EQ(buddy_free(&b, p, 0), OK);
	CHECK_EQ(b.nonempty, 1u << BUDDY_ORDER_MAX);
	CHECK(buddy_check(&b));
}

TEST(buddy_refuses_bad_frees)
{
	setup();
	buddy_add(&b, b.base, 64);
	void *p = buddy_alloc(&b, 2);
	CHECK_EQ(buddy_free(&b, p, 1), ERR_INVAL);
	CHECK_EQ(buddy_free(&b, (uint8_t *)p + PAGE, 0), ERR_INVAL);
	CHECK_EQ(buddy_free(&b, (uint8_t *)p + 8, 2), ERR_INVAL);
	CHECK_EQ(buddy_free(&b, (void *)(b.base - PAGE), 0), ERR_INVAL);
	CHECK_EQ(buddy_free(&b, (void *)(b.base + PAGES * PAGE), 0), ERR_INVAL);
	CHECK_EQ(buddy_free(&b, p, 77), ERR_INVAL);
	CHECK_EQ(buddy_free(&b, p, 2), OK);
	CHECK_EQ(buddy_free(&b, p, 2), ERR_INVAL);
	CHECK(buddy_check(&b));
}

TEST(buddy_empty_refuses)
{
	setup();
	CHECK(buddy_alloc(&b, 0) == NULL);
	buddy_add(&b, b.base + PAGE, 1);
	CHECK(buddy_alloc(&b, 1) == NULL);
	CHECK(buddy_alloc(&b, 0) == (uint8_t *)memory + PAGE);
	CHECK(buddy_alloc(&b, 0) == NULL);
	CHECK_EQ(b.free_pages_min, 0);
}

TEST(buddy_carved_block_is_freed_by_pages)
{
	setup();
	buddy_add(&b, b.base, 1024);
	uint8_t *p = buddy_alloc(&b, 5);
	CHECK_EQ(buddy_carve(&b, p, 5), OK);
	CHECK_EQ(buddy_carve(&b, p, 5), ERR_INVAL);
	for (size_t i = 0; i < 32; i++)
		CHECK_EQ(buddy_free(&b, p + i * PAGE, 0), OK);
	CHECK_EQ(b.nonempty, 1u << BUDDY_ORDER_MAX);
}

struct live {
	uint8_t *at;
	size_t pages;
	unsigned order;
	bool run;
};

TEST(buddy_against_a_model)
{
	static uint16_t owner[PAGES];
	static struct live live[LIVE];
	struct test_rng rng = test_rng(test_seed());
	setup();
	buddy_add(&b, b.base + 3 * PAGE, PAGES - 40);
	memset(owner, 0, sizeof(owner));
	memset(live, 0, sizeof(live));
	size_t expect_free = PAGES - 40;
	for (int step = 0; step < 60000; step++) {
		size_t slot = test_below(&rng, LIVE);
		struct live *l = &live[slot];
		if (l->at) {
			size_t first = (size_t)(l->at - memory) / PAGE;
			for (size_t i = first; i < first + l->pages; i++) {
				CHECK_EQ(owner[i], slot + 1);
				owner[i] = 0;
			}
			CHECK_EQ(l->run ? buddy_free_run(&b, l->at, l->pages)
					: buddy_free(&b, l->at, l->order), OK);
			expect_free += l->pages;
			l->at = NULL;
		} else {
			l->run = test_below(&rng, 3) == 0;
			l->order = (unsigned)test_below(&rng, test_below(&rng, 8) + 1);
			l->pages = l->run ? 1 + test_below(&rng, 70) : (size_t)1 << l->order;
			l->at = l->run ? buddy_alloc_run(&b, l->pages) : buddy_alloc(&b, l->order);
			if (!l->at)
				continue;
			expect_free -= l->pages;
			CHECK(l->run || (size_t)(l->at - memory) % (l->pages * PAGE) == 0);
			size_t first = (size_t)(l->at - memory) / PAGE;
			CHECK(first >= 3 && first + l->pages <= PAGES - 37);
			for (size_t i = first; i < first + l->pages; i++) {
				CHECK_EQ(owner[i], 0);
				owner[i] = (uint16_t)(slot + 1);
			}
		}
		CHECK_EQ(b.free_pages, expect_free);
		if (step % 1000 == 0)
			CHECK(buddy_check(&b));
	}
}
