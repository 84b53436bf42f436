/*
 * fs.h - the namespace: a mount table searched by longest prefix, and file servers
 * behind it.
 *
 * A path is absolute; "." and ".." and doubled slashes are taken out of its text,
 * for there are no symbolic links. Mounts are made at boot and stay, so that a
 * lookup takes no lock; an open file belongs to one thread at a time.
 *
 * Limits: PATH_BYTES_MAX (ERR_NAMETOOLONG), CONFIG_FILES_MAX open files in all
 * (ERR_NFILE), both counted.
 *
 * Context: thread; may sleep.
 */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "kernel/dev/dev.h"

#define PATH_BYTES_MAX 256
RESULT(struct file *, file_result);

/* ---- vfs.c ---- */

/* At boot. ERR_EXIST, ERR_NOSPC; `path` and `type` stay the caller's and must last. */
must_check enum err vfs_mount(struct str path, const struct fs_ops *ops, void *fs, struct str type);
must_check enum err vfs_stat(struct str path, struct file_stat *out);
/*
 * ERR_ISDIR for a directory that is to be written; ERR_ROFS for OPEN_CREATE where nothing is and the
 * server makes no files; ERR_ACCES for reading what is secret without OPEN_SECRET; ERR_INVAL for
 * CREATE, TRUNC, APPEND or ANSWER without WRITE.
 */
must_check struct file_result vfs_open(struct str path, unsigned flags);
/* How many bytes; 0 at the end. */
must_check struct size_result vfs_read(struct file *f, uint64_t offset, struct wbuf to);
must_check struct size_result vfs_write(struct file *f, uint64_t offset, struct rbuf from);
/*
 * Why the last write got `err`: the file's own line, as much of it as `room` holds, if it is open with OPEN_ANSWER
 * and has one; else the error's text. No other file is read.
 */
struct str vfs_reason(struct file *f, enum err err, struct wbuf room);
/* Entry i, asked for in order from 0; mounts come behind the server's own. ERR_NOENT at the end. */
must_check enum err vfs_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out);
/* The content in place (see fs_ops.content); ERR_NOTSUP: it has to be read. */
must_check enum err vfs_content(struct file *f, struct packet_mem **mem, struct rbuf *bytes, uint64_t *digest);
/* Cuts off, or fills up with zeros. ERR_ROFS, ERR_FBIG, ERR_NOSPC. */
must_check enum err vfs_truncate(struct file *f, uint64_t size);
void vfs_close(struct file *f);

/*
 * Changes of the tree; each happens as a whole or not at all. ERR_ROFS: the server has a tree that stays
 * as it is; ERR_BUSY: a mount stands there or below; ERR_NOSPC.
 */

/* A file, or an empty directory (ERR_NOTEMPTY). Who has a file open goes on using it. */
must_check enum err vfs_remove(struct str path);
must_check enum err vfs_mkdir(struct str path); /* ERR_EXIST */
/*
 * What `to` names is replaced: a file by a file, an empty directory by a directory (ERR_ISDIR,
 * ERR_NOTDIR, ERR_NOTEMPTY). ERR_XDEV: another server's; ERR_INVAL: a directory into itself.
 */
must_check enum err vfs_rename(struct str from, struct str to);

struct vfs_mount_info {
	struct str path, type;
};
/* The i-th mount; false when there are no more. Any context. */
bool vfs_mount_at(size_t i, struct vfs_mount_info *out);

/* ---- ramfs.c: the file tree of the image at "/", that of an initrd at "/initrd" ---- */

/* Initcall "ramfs". A damaged initrd is logged and left out; the boot goes on. */

/* ---- ramfs_write.c, CONFIG_RAMFS_WRITE: what is at "/" can be changed, until the next boot ---- */

struct ramfs_stats {
	uint32_t files, files_max; /* made, directories too; CONFIG_RAMFS_FILES */
	size_t bytes, bytes_max;   /* of memory for contents; CONFIG_RAMFS_KB */
	uint64_t refused_files, refused_bytes, refused_memory; /* ERR_NOSPC, ERR_NOSPC, ERR_NOMEM */
};
void ramfs_stats(struct ramfs_stats *out);

#endif
