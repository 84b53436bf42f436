/*
 * ramfs_core.h - a file tree in memory that can be changed: the nodes of a packed
 * image, and those that were made since, in one array. Pure: memory comes from
 * the caller, who also serializes all of it, ramfs_tree_peek() excepted.
 *
 * Node i of the image is node i here, for good: its place is never used for
 * anything else, so that a stale index still means that file. The content of a
 * packed file stays in the image until something is written to it.
 *
 * A content is one run of bytes. Part of it may have been given away (`given`):
 * these bytes do not change while somebody holds them; a write that would change
 * them gets a copy of the rest. Writing has two halves: ramfs_plan() may refuse and
 * says how much new memory it needs, ramfs_commit() cannot fail.
 *
 * A file is secret when it is marked, or any directory above it is; a directory of
 * the name "secret" always is. What leaves such a directory keeps the mark.
 *
 * Bounds: the nodes that the caller lends (ERR_NOSPC), RAMFS_NAME_MAX and
 * RAMFS_DEPTH_MAX (ERR_NAMETOOLONG); each operation looks at each node once at most.
 */
#ifndef KERNEL_FS_RAMFS_CORE_H
#define KERNEL_FS_RAMFS_CORE_H

#include "kernel/fs/ramfs_image_core.h"

#define RAMFS_NAME_MAX  63 /* of what is made; names in the image may be longer */
#define RAMFS_DEPTH_MAX 32 /* segments of a path */
#define RAMFS_NONE      UINT32_MAX

struct ramfs_node {
	struct str name;          /* in `own`, or in the image */
	uint32_t parent;          /* RAMFS_NONE: the root, or removed */
	uint32_t first, next;     /* the first child; the next of the same directory (by name), or of the free list */
	uint32_t opens;           /* atomic, the caller's: who has it open */
	uint32_t made;            /* atomic; directory: entries that the image does not have */
	uint8_t type, flags;      /* as in the image */
	const uint8_t *bytes;     /* the content */
	size_t size, cap, given;  /* of bytes: in use; there is room for (0: not to be written); given away */
	uint64_t mtime_ns, digest;
	char own[RAMFS_NAME_MAX];
};

struct ramfs_tree {
	const struct ramfs_image *image;
	struct ramfs_node *nodes;
	uint32_t count, image_count; /* of nodes, those of the image first */
	uint32_t free, used;    /* those made: free ones; how many are not */
	bool touched;           /* atomic: not everything of the image is as it was; stays so */
};

/* `count` nodes, as many as the image has at least. */
void ramfs_tree_init(struct ramfs_tree *t, const struct ramfs_image *image, struct ramfs_node *nodes, uint32_t count);

/*
 * Any context, beside anybody who changes the tree: what a path names, if the image alone can tell.
 * OK, ERR_NOENT, ERR_NOTDIR; ERR_AGAIN: it cannot.
 */
must_check struct ramfs_index_result ramfs_tree_peek(const struct ramfs_tree *t, struct str path);
/* "" is the root, 0. ERR_NOENT, ERR_NOTDIR. */
must_check struct ramfs_index_result ramfs_tree_find(const struct ramfs_tree *t, struct str path);
/* ERR_EXIST, ERR_NOENT and ERR_NOTDIR of what is above, ERR_NOSPC, ERR_NAMETOOLONG, ERR_INVAL: no name. */
must_check struct ramfs_index_result ramfs_tree_make(
	struct ramfs_tree *t, struct str path, enum ramfs_node_type type, uint64_t now_ns);
/* What was taken out, for ramfs_tree_reap() when nobody has it open. ERR_NOTEMPTY, ERR_BUSY: the root. */
must_check struct ramfs_index_result ramfs_tree_remove(struct ramfs_tree *t, struct str path);
/* What was replaced, as above, or RAMFS_NONE. ERR_ISDIR, ERR_NOTDIR, ERR_NOTEMPTY; ERR_INVAL: into itself. */
must_check struct ramfs_index_result ramfs_tree_rename(struct ramfs_tree *t, struct str from, struct str to);
/* A removed node that nobody has open is nothing any more: its memory, to be given back, or NULL. May be repeated. */
must_check const uint8_t *ramfs_tree_reap(struct ramfs_tree *t, uint32_t node);

/* The first entry of a directory whose name comes behind this one; RAMFS_NONE. Every name is behind "". */
uint32_t ramfs_tree_after(const struct ramfs_tree *t, uint32_t dir, struct str name);
bool ramfs_tree_is_secret(const struct ramfs_tree *t, uint32_t node);
bool ramfs_tree_would_be_secret(const struct ramfs_tree *t, struct str path); /* what stands there, or is made there */

/* ---- content ---- */

struct ramfs_plan {
	uint64_t at;       /* where the new bytes begin; between the end and here are zeros */
	size_t len;        /* of the new bytes */
	size_t size;       /* of the content then */
	size_t need, want; /* bytes of new memory at least, and better; 0: none */
};
/* len bytes at an offset. `held`: somebody else refers to the memory. ERR_FBIG: beyond `most`. */
must_check enum err ramfs_plan_write(const struct ramfs_node *n, uint64_t offset, size_t len, size_t most, bool held,
	struct ramfs_plan *out);
must_check enum err ramfs_plan_truncate(
	const struct ramfs_node *n, uint64_t size, size_t most, bool held, struct ramfs_plan *out);
/* `fresh`: plan->need bytes at least if it needs any. The memory that is no longer of use, or NULL. */
must_check const uint8_t *ramfs_commit(struct ramfs_tree *t, uint32_t node, const struct ramfs_plan *plan,
	const uint8_t *from, struct wbuf fresh, uint64_t now_ns);
size_t ramfs_node_read(const struct ramfs_node *n, uint64_t offset, struct wbuf to);

/* Asserts that the tree is one (debug). */
void ramfs_tree_check(const struct ramfs_tree *t);

#endif
