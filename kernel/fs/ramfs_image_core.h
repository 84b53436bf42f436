/*
 * ramfs_image_core.h - reads a packed file tree (ramfs_image.h).
 *
 * An initrd comes from outside: ramfs_image_open() checks everything that the
 * other functions rely on, once, in one pass over the nodes, and says in a
 * sentence what is wrong. After it, nothing here can fail or read outside.
 */
#ifndef KERNEL_FS_RAMFS_IMAGE_CORE_H
#define KERNEL_FS_RAMFS_IMAGE_CORE_H

#include "kernel/fs/ramfs_image.h"
#include "lib/buf.h"
#include "lib/str.h"

struct ramfs_image {
	struct rbuf bytes;
	const struct ramfs_image_node *nodes;
	const char *names;
	uint32_t count;
};

RESULT(uint32_t, ramfs_index_result);

/* ERR_INVAL with the reason in *why. The bytes stay where they are, 8-byte aligned, unchanged. */
must_check enum err ramfs_image_open(struct rbuf bytes, struct ramfs_image *out, struct str *why);
/* Whether the contents are what was packed; reads all of them. */
must_check bool ramfs_image_data_ok(const struct ramfs_image *image);

/* The node of a relative path ("" is the root, 0). ERR_NOENT, ERR_NOTDIR. */
must_check struct ramfs_index_result ramfs_image_find(const struct ramfs_image *image, struct str path);
/* The entry of that name in a directory. ERR_NOENT. */
must_check struct ramfs_index_result ramfs_image_child(const struct ramfs_image *image, uint32_t dir, struct str name);
/* Whether something may have this name. */
must_check bool ramfs_name_is_valid(struct str name);
struct str ramfs_image_name(const struct ramfs_image *image, uint32_t node);
struct rbuf ramfs_image_content(const struct ramfs_image *image, uint32_t node);

#endif
