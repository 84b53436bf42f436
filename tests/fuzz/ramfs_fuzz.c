/*
 * ramfs_fuzz.c - any bytes as an initrd. The checksum is put right first, or no
 * damage would ever get behind it; what is then opened must be walkable in full.
 */
#include "kernel/fs/ramfs_image_core.h"
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
	} else {
		assert(why.len > 0);
	}
	__builtin_free(copy);
	(void)*(volatile uint32_t *)&sum;
	return 0;
}
