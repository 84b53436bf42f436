/*
 * ramfs_image.h - the packed form of a file tree: rootfs/ in the kernel image,
 * and an initrd. tools/mkramfs.py writes it, ramfs_image_core.c reads it. All
 * fields are little-endian, offsets count from the start of the image.
 *
 *	header | nodes[node_count] | names (bytes) | pad to 16 | data (contents)
 *
 * Node 0 is the root, a directory whose parent is itself and whose name is
 * empty. Nodes stand in breadth-first order: the children of a directory are
 * neighbours, [first_child, first_child + child_count), sorted by the bytes of
 * their names, each name once; and the children of node i begin where those of
 * the directory before it ended. So every node but the root belongs to exactly
 * one directory, that has a lower index: a tree, without a cycle, found by
 * binary search. A file's first_child and child_count are 0; a directory's
 * data_off, data_len and digest are 0. A content begins at a multiple of 16;
 * files of the same content may share it.
 *
 * A name has 1 to 255 bytes, none of them '/' or NUL, and is not "." or "..".
 * `digest` is the first 8 bytes, as a little-endian number, of the SHA-256 of
 * the content: it names a version of the content for good (the ETag).
 * `meta_crc` is the CRC-32C of [0, data_off) with meta_crc itself taken as 0,
 * `data_crc` that of [data_off, total_len).
 */
#ifndef KERNEL_FS_RAMFS_IMAGE_H
#define KERNEL_FS_RAMFS_IMAGE_H

#include "lib/base.h"

#define RAMFS_MAGIC   "MAZURAM1" /* 8 bytes, no NUL */
#define RAMFS_VERSION 1

struct ramfs_image_header {
	char magic[8];
	uint32_t version;
	uint32_t node_count;
	uint64_t total_len;
	uint64_t nodes_off; /* 64 */
	uint64_t names_off;
	uint64_t names_len;
	uint64_t data_off; /* a multiple of 16 */
	uint32_t meta_crc;
	uint32_t data_crc;
};

enum ramfs_node_type { RAMFS_DIR = 1, RAMFS_FILE = 2 };

#define RAMFS_SECRET 1u /* never served over the network */
#define RAMFS_EXEC   2u /* an executable program */

struct ramfs_image_node {
	uint32_t parent;
	uint32_t first_child;
	uint32_t child_count;
	uint32_t name_off; /* from names_off */
	uint16_t name_len;
	uint8_t type;
	uint8_t flags;
	uint32_t zero;
	uint64_t data_off;
	uint64_t data_len;
	uint64_t mtime_ns; /* since 1970; 0: unknown */
	uint64_t digest;
	uint64_t zero2;
};

static_assert(sizeof(struct ramfs_image_header) == 64, "the format says 64");
static_assert(sizeof(struct ramfs_image_node) == 64, "the format says 64");

#endif
