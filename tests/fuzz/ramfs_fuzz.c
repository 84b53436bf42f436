/*
 * ramfs_fuzz.c - any bytes as an initrd. The checksum is put right first, or no
 * damage would ever get behind it; what is then opened must be walkable in full, and
 * as a tree that is changed it must come apart down to the root.
 */
#include "kernel/fs/ramfs_core.h"
#include "lib/assert.h"
#include "lib/crc32c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_seal(uint8_t *bytes, size_t size)
{
	struct ramfs_image_header *h = (struct ramfs_image_header *)bytes;
	if (size < sizeof(*h) || h->data_off > size)
		return;
	h->meta_crc = 0;
	h->meta_crc = crc32c(0, bytes, h->data_off);
}

static size_t fuzz_path(const struct ramfs_tree *t, uint32_t node, char *out)
{
	uint32_t parent = t->nodes[node].parent;
	struct str name = t->nodes[node].name;
	size_t len = parent ? fuzz_path(t, parent, out) : 0;
	if (len)
		out[len++] = '/';
	memcpy(out + len, name.ptr, name.len);
	return len + name.len;
}

/* Leaf by leaf, from behind: children stand behind their directories. Some are moved out first. */
static void fuzz_take_apart(const struct ramfs_image *image)
{
	enum { MADE = 4 };
	struct ramfs_tree t;
	struct ramfs_node *nodes = __builtin_malloc((image->count + MADE) * sizeof(*nodes));
	char *path = __builtin_malloc(image->count * 256u);
	ramfs_tree_init(&t, image, nodes, image->count + MADE);
	for (uint32_t i = image->count; --i > 0;) {
		struct str from = str_of(path, fuzz_path(&t, i, path));
		struct ramfs_index_result found = ramfs_tree_peek(&t, from);
		assert(found.err == ERR_AGAIN || (found.err == OK && found.value == i));
		assert(ramfs_tree_find(&t, from).value == i);
		if (i % 3 == 0 && ramfs_tree_rename(&t, from, S("moved\1")).err == OK)
			from = S("moved\1");
		found = ramfs_tree_remove(&t, from);
		assert(found.err == OK && found.value == i && ramfs_tree_reap(&t, i) == NULL);
	}
	assert(nodes[0].first == RAMFS_NONE && t.used == 0);
	__builtin_free(path);
	__builtin_free(nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ramfs_image image;
	struct str why;
	uint8_t *copy = __builtin_malloc(size + 1);
	uint32_t sum = 0;
	memcpy(copy, data, size);
	fuzz_seal(copy, size);
	if (ramfs_image_open(rbuf_of(copy, size), &image, &why) == OK) {
		for (uint32_t i = 0; i < image.count; i++) {
			struct rbuf c = ramfs_image_content(&image, i);
			struct str name = ramfs_image_name(&image, i);
			sum += crc32c(crc32c(0, c.ptr, c.len), name.ptr, name.len);
			assert(image.nodes[i].parent <= i);
			if (image.nodes[i].parent == 0)
				assert(ramfs_image_find(&image, name).value == i);
		}
		sum += ramfs_image_data_ok(&image);
		if (image.count < 1000)
			fuzz_take_apart(&image);
	} else {
		assert(why.len > 0);
	}
	__builtin_free(copy);
	(void)*(volatile uint32_t *)&sum;
	return 0;
}
