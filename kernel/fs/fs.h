/*
 * fs.h - the namespace: a mount table searched by longest prefix, and file servers
 * behind it. Thread context; may sleep.
 */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "kernel/dev/dev.h"

#define PATH_BYTES_MAX 256
#define OPEN_READ     1
#define OPEN_WRITE    2

struct file {
	const struct fs_ops *ops;
	void *fs;    /* the server's instance */
	void *state; /* the server's, for this open */
	unsigned flags;
};
RESULT(struct file *, file_result);

must_check enum err vfs_mount(struct str path, const struct fs_ops *ops, void *fs, struct str type);
must_check enum err vfs_stat(struct str path, struct file_stat *out);
must_check struct file_result vfs_open(struct str path, unsigned flags);
must_check struct size_result vfs_read(struct file *f, uint64_t offset, struct wbuf to);
must_check struct size_result vfs_write(struct file *f, uint64_t offset, struct rbuf from);
must_check enum err vfs_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out);
void vfs_close(struct file *f);

#endif
