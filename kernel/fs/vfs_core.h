/*
 * vfs_core.h - paths and the mount table, without a lock or an allocation.
 *
 * A normalized path is absolute, has no empty, "." or ".." segment and no '/' at
 * its end; the root is "/". There are no symbolic links, so that ".." can be
 * taken away by looking at the text alone; ".." of the root is the root.
 */
#ifndef KERNEL_FS_VFS_CORE_H
#define KERNEL_FS_VFS_CORE_H

#include "lib/buf.h"
#include "lib/str.h"

#define PATH_NAME_MAX 255 /* bytes of one segment; beyond: ERR_NAMETOOLONG */
#define MOUNT_MAX     16  /* mounts; beyond: ERR_NOSPC */

/*
 * Appends the normalized form of an absolute path to an empty `out`. ERR_INVAL:
 * not absolute, or a NUL in it; ERR_NAMETOOLONG: a segment, or out is too small.
 */
must_check enum err path_normalize(struct str path, struct abuf *out);

struct mount_table {
	struct str at[MOUNT_MAX]; /* normalized; the caller keeps the bytes */
	size_t count;
};

/* ERR_EXIST, ERR_NOSPC. Entries only come, so that an index stays what it is. */
must_check enum err mount_table_add(struct mount_table *t, struct str at);

/*
 * The mount of the longest prefix of a normalized path, by whole segments; *rest
 * is what follows, without a slash before it. MOUNT_MAX when there is none.
 */
size_t mount_table_find(const struct mount_table *t, struct str path, struct str *rest);

/* The mounts directly below a directory, a bit each, and the last segment of one. */
uint32_t mount_table_children(const struct mount_table *t, struct str dir);
/* Whether a mount stands at the path or below it. */
must_check bool mount_table_pins(const struct mount_table *t, struct str path);
struct str mount_table_name(const struct mount_table *t, size_t i);

#endif
