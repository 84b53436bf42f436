/* ramfs_image_core_test.c - an image packed here is read back; a damaged one is refused. */
#include "tests/host/test.h"
#include "kernel/fs/ramfs_image_core.h"
#include "lib/crc32c.h"

/* "/", "/a" (5 bytes), "/d", "/e" (empty directory), "/d/x" (3 bytes), "/d/y" (no bytes) */
static struct {
	struct ramfs_image_header h;
	struct ramfs_image_node node[6];
	char names[16];
	uint8_t data[32];
} aligned_to(16) image;

static void image_seal(void)
{
	size_t data_off = offsetof(__typeof__(image), data);
	image.h.data_crc = crc32c(0, image.data, sizeof(image.data));
	image.h.meta_crc = 0;
	image.h.meta_crc = crc32c(0, &image, data_off);
}

static void image_make(void)
{
	uint64_t data = offsetof(__typeof__(image), data);
	memset(&image, 0, sizeof(image));
	image.h = (struct ramfs_image_header){.version = 1, .node_count = 6,
		.total_len = sizeof(image), .nodes_off = 64, .names_off = 64 + 6 * 64, .names_len = 5,
		.data_off = data};
	memcpy(image.h.magic, RAMFS_MAGIC, 8);
	memcpy(image.names, "adexy", 5);
	memcpy(image.data, "hello", 5);
	memcpy(image.data + 16, "abc", 3);
	image.node[0] = (struct ramfs_image_node){.type = RAMFS_DIR, .first_child = 1, .child_count = 3};
	image.node[1] = (struct ramfs_image_node){
		.type = RAMFS_FILE, .name_len = 1, .data_off = data, .data_len = 5, .digest = 7};
	image.node[2] = (struct ramfs_image_node){
		.type = RAMFS_DIR, .name_off = 1, .name_len = 1, .first_child = 4, .child_count = 2};
	image.node[3] = (struct ramfs_image_node){
		.type = RAMFS_DIR, .name_off = 2, .name_len = 1, .first_child = 6};
	image.node[4] = (struct ramfs_image_node){.type = RAMFS_FILE, .parent = 2, .name_off = 3,
		.name_len = 1, .data_off = data + 16, .data_len = 3};
	image.node[5] = (struct ramfs_image_node){
		.type = RAMFS_FILE, .parent = 2, .name_off = 4, .name_len = 1, .data_off = data};
	image_seal();
}

static enum err image_open(struct ramfs_image *out)
{
	struct str why;
	enum err err = ramfs_image_open(rbuf_of(&image, sizeof(image)), out, &why);
	CHECK_EQ(err == OK, why.len == 0);
	return err;
}

static void check_find(const struct ramfs_image *i, struct str path, enum err err, uint32_t node)
{
	struct ramfs_index_result r = ramfs_image_find(i, path);
	CHECK_EQ(r.err, err);
	if (err == OK)
		CHECK_EQ(r.value, node);
}

TEST(ramfs_image_is_read)
{
	struct ramfs_image i;
	image_make();
	CHECK_EQ(image_open(&i), OK);
	CHECK(ramfs_image_data_ok(&i));
	check_find(&i, S(""), OK, 0);
	check_find(&i, S("a"), OK, 1);
	check_find(&i, S("d"), OK, 2);
	check_find(&i, S("d/x"), OK, 4);
	check_find(&i, S("d/y"), OK, 5);
	check_find(&i, S("b"), ERR_NOENT, 0);
	check_find(&i, S("d/z"), ERR_NOENT, 0);
	check_find(&i, S("e/x"), ERR_NOENT, 0);
	check_find(&i, S("a/x"), ERR_NOTDIR, 0);
	check_find(&i, S("b/x"), ERR_NOENT, 0);
	CHECK_STR(rbuf_str(ramfs_image_content(&i, 1)), S("hello"));
	CHECK_STR(rbuf_str(ramfs_image_content(&i, 4)), S("abc"));
	CHECK_EQ(ramfs_image_content(&i, 5).len, 0);
	CHECK_EQ(ramfs_image_content(&i, 2).len, 0);
	CHECK_STR(ramfs_image_name(&i, 5), S("y"));
	image.data[0]++;
	CHECK(!ramfs_image_data_ok(&i));
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct ramfs_image refused;                                                        \
		image_make();                                                                      \
		change;                                                                            \
		image_seal();                                                                      \
		CHECK_EQ(image_open(&refused), ERR_INVAL);                                         \
	} while (0)

TEST(ramfs_image_header_is_checked)
{
	REFUSED(image.h.magic[0] = 'x');
	REFUSED(image.h.version = 2);
	REFUSED(image.h.total_len++);
	REFUSED(image.h.node_count = 0);
	REFUSED(image.h.node_count = 7);
	REFUSED(image.h.nodes_off = 128);
	REFUSED(image.h.names_off += 16);
	REFUSED(image.h.names_len = 1000);
	struct ramfs_image i;
	image_make();
	image.h.meta_crc ^= 1;
	CHECK_EQ(image_open(&i), ERR_INVAL);
	image_make();
	image.h.data_off = UINT64_MAX - 15;
	CHECK_EQ(image_open(&i), ERR_INVAL);
	struct str why;
	image_make();
	for (size_t len = 0; len < sizeof(image); len++)
		CHECK_EQ(ramfs_image_open(rbuf_of(&image, len), &i, &why), ERR_INVAL);
	CHECK_EQ(ramfs_image_open(rbuf_of((char *)&image + 4, 100), &i, &why), ERR_INVAL);
}

TEST(ramfs_image_tree_is_checked)
{
	REFUSED(image.node[0].type = RAMFS_FILE);
	REFUSED(image.node[0].parent = 1);
	REFUSED(image.node[0].first_child = 0);
	REFUSED(image.node[0].child_count = 2);
	REFUSED(image.node[0].child_count = 6);
	REFUSED(image.node[0].child_count = UINT32_MAX);
	REFUSED(image.node[2].first_child = 2);
	REFUSED(image.node[2].parent = 2);
	REFUSED(image.node[2].parent = 1);
	REFUSED(image.node[4].parent = 3);
	REFUSED(image.node[3].child_count = 1);
	REFUSED(image.node[1].type = 3);
	REFUSED(image.node[1].name_len = 0);
	REFUSED(image.node[1].name_off = 1); /* the name of its neighbour */
	REFUSED(image.node[1].name_off = 2); /* not sorted */
	REFUSED(image.node[1].name_off = UINT32_MAX);
	REFUSED(image.node[1].name_len = 6);
	REFUSED(image.names[0] = '/');
	REFUSED(image.names[0] = 0);
	REFUSED(image.names[0] = '.');
	REFUSED(image.node[1].data_off = 0);
	REFUSED(image.node[1].data_off = UINT64_MAX);
	REFUSED(image.node[1].data_len = 1000);
	REFUSED(image.node[1].data_len = UINT64_MAX);
	REFUSED(image.node[1].child_count = 1);
	REFUSED(image.node[2].data_len = 1);
}

/* Whatever is opened can be walked and read in full without a step outside. */
TEST(ramfs_image_random_damage_is_harmless)
{
	struct test_rng rng = test_rng(test_seed());
	unsigned opened = 0;
	for (unsigned round = 0; round < 200000; round++) {
		struct ramfs_image i;
		image_make();
		for (unsigned k = 0; k <= test_below(&rng, 3); k++)
			((uint8_t *)&image)[test_below(&rng, offsetof(__typeof__(image), data))] =
				(uint8_t)test_u64(&rng);
		if (test_below(&rng, 4))
			image.h.data_off = offsetof(__typeof__(image), data);
		image_seal();
		if (image_open(&i) != OK)
			continue;
		opened++;
		for (uint32_t n = 0; n < i.count; n++) {
			struct rbuf c = ramfs_image_content(&i, n);
			CHECK(c.len == 0 || (c.ptr >= image.data && c.ptr + c.len <= image.data + 32));
			CHECK(ramfs_image_name(&i, n).len <= 255);
		}
	}
	CHECK(opened > 100);
}
