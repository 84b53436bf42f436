/* fdt_core_test.c - well-formed trees are read, damaged ones are refused without a step outside. */
#include "kernel/boot/fdt_core.h"
#include <stdlib.h>
#include "tests/host/test.h"

/* A tree under construction. */
struct build {
	uint8_t bytes[512];
	size_t len;
};

static void put32(struct build *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		b->bytes[b->len++] = (uint8_t)(v >> shift);
}

static void put_text(struct build *b, const char *s)
{
	do
		b->bytes[b->len++] = (uint8_t)*s;
	while (*s++);
	while (b->len % 4)
		b->bytes[b->len++] = 0;
}

#define STRUCTURE (FDT_HEADER_SIZE + 32) /* behind one reservation and the end of their list */

static void put_header(struct build *b, size_t strings, size_t strings_len)
{
	struct build h = {.len = 0};
	uint32_t fields[10] = {FDT_MAGIC, (uint32_t)b->len, STRUCTURE, (uint32_t)strings, FDT_HEADER_SIZE,
		17, 16, 0, (uint32_t)strings_len, (uint32_t)(strings - STRUCTURE)};
	for (size_t i = 0; i < countof(fields); i++)
		put32(&h, fields[i]);
	memcpy(b->bytes, h.bytes, FDT_HEADER_SIZE);
}

/* /memreserve/ 0x180000000 0x2000; root { model = "m"; cpus { reg = <1 2>; }; }; */
static struct build small_tree(void)
{
	struct build b = {.len = FDT_HEADER_SIZE};
	put32(&b, 1);
	put32(&b, 0x80000000);
	put32(&b, 0);
	put32(&b, 0x2000);
	b.len = STRUCTURE;
	put32(&b, 1);
	put_text(&b, "");
	put32(&b, 3);
	put32(&b, 2);
	put32(&b, 0);
	put_text(&b, "m");
	put32(&b, 1);
	put_text(&b, "cpus");
	put32(&b, 4);
	put32(&b, 3);
	put32(&b, 8);
	put32(&b, 6);
	put32(&b, 1);
	put32(&b, 2);
	put32(&b, 2);
	put32(&b, 2);
	put32(&b, 9);
	size_t strings = b.len;
	memcpy(b.bytes + b.len, "model\0reg\0", 10);
	b.len += 10;
	put_header(&b, strings, 10);
	return b;
}

TEST(fdt_reads_a_small_tree)
{
	struct build b = small_tree();
	struct fdt tree;
	CHECK_EQ(fdt_open(&tree, rbuf_of(b.bytes, b.len)).len, 0);
	size_t at = 0;
	CHECK_EQ(fdt_next(&tree, &at).kind, FDT_NODE);
	struct fdt_token t = fdt_next(&tree, &at);
	CHECK_EQ(t.kind, FDT_PROP);
	CHECK(str_eq(t.name, S("model")));
	CHECK(str_eq(fdt_str(t.value), S("m")));
	t = fdt_next(&tree, &at);
	CHECK_EQ(t.kind, FDT_NODE);
	CHECK(str_eq(t.name, S("cpus")));
	t = fdt_next(&tree, &at);
	CHECK(str_eq(t.name, S("reg")));
	CHECK_EQ(fdt_cells(t.value, 0, 2), 0x100000002);
	CHECK_EQ(fdt_u32(t.value, 1), 2);
	CHECK_EQ(fdt_u32(t.value, 2), 0);
	CHECK_EQ(fdt_next(&tree, &at).kind, FDT_NODE_END);
	CHECK_EQ(fdt_next(&tree, &at).kind, FDT_NODE_END);
	CHECK_EQ(fdt_next(&tree, &at).kind, FDT_END);
	CHECK_EQ(fdt_next(&tree, &at).kind, FDT_END);
}

TEST(fdt_reads_what_is_reserved)
{
	struct build b = small_tree();
	struct fdt tree;
	uint64_t base, size;
	CHECK_EQ(fdt_open(&tree, rbuf_of(b.bytes, b.len)).len, 0);
	CHECK(fdt_reservation(&tree, 0, &base, &size));
	CHECK_EQ(base, 0x180000000);
	CHECK_EQ(size, 0x2000);
	CHECK(!fdt_reservation(&tree, 1, &base, &size));
	b.bytes[19] = (uint8_t)(b.len & ~7u); /* the list begins at the blob's end */
	CHECK(fdt_open(&tree, rbuf_of(b.bytes, b.len)).len != 0);
	b.bytes[19] = FDT_HEADER_SIZE + 4;
	CHECK(fdt_open(&tree, rbuf_of(b.bytes, b.len)).len != 0);
}

TEST(fdt_refuses_every_shortened_tree)
{
	struct build b = small_tree();
	struct fdt tree;
	for (size_t len = 0; len < b.len; len++) {
		/* On the heap, so that the sanitizer sees a read behind the end. */
		uint8_t *cut = malloc(len ? len : 1);
		memcpy(cut, b.bytes, len);
		CHECK(fdt_open(&tree, rbuf_of(cut, len)).len != 0);
		free(cut);
	}
}

TEST(fdt_survives_every_changed_byte)
{
	struct test_rng rng = test_rng(test_seed());
	for (unsigned round = 0; round < 20000; round++) {
		struct build b = small_tree();
		struct fdt tree;
		for (unsigned n = 0; n < 3; n++)
			b.bytes[test_below(&rng, b.len)] = (uint8_t)test_u64(&rng);
		if (fdt_open(&tree, rbuf_of(b.bytes, b.len)).len)
			continue;
		size_t at = 0, steps = 0;
		enum fdt_kind kind;
		do {
			kind = fdt_next(&tree, &at).kind;
			CHECK(kind != FDT_BAD);
		} while (kind != FDT_END && steps++ < 100);
		CHECK(steps < 100);
	}
}

TEST(fdt_finds_a_text_among_several)
{
	struct rbuf v = rbuf_of("sifive,plic-1.0.0\0riscv,plic0", 30);
	CHECK(fdt_has_str(v, S("riscv,plic0")));
	CHECK(fdt_has_str(v, S("sifive,plic-1.0.0")));
	CHECK(!fdt_has_str(v, S("riscv,plic")));
}
