/* ramfs_priv.h - what the servers of packed trees share. */
#ifndef KERNEL_FS_RAMFS_PRIV_H
#define KERNEL_FS_RAMFS_PRIV_H

#include "kernel/fs/fs.h"
#include "kernel/fs/ramfs_image_core.h"

struct ramfs {
	struct ramfs_image image;
	struct packet_mem mem; /* of all contents; the first reference is never put */
};

/* ---- ramfs.c ---- */
void ramfs_fill_stat(const struct ramfs *fs, uint32_t node, struct file_stat *out);
size_t ramfs_read_packed(const struct ramfs *fs, uint32_t node, uint64_t offset, struct wbuf to);
void ramfs_packed_content(struct ramfs *fs, uint32_t node, struct packet_mem **mem, struct rbuf *bytes,
	uint64_t *digest);

/* ---- ramfs_write.c ---- */
#ifdef CONFIG_RAMFS_WRITE
/* Mounts it so that it can be changed. ERR_NOMEM: it is not mounted. */
must_check enum err ramfs_mount_writable(struct ramfs *fs, struct str at);
#else
must_check static inline enum err ramfs_mount_writable(unused struct ramfs *fs, unused struct str at)
{
	return ERR_NOTSUP;
}
#endif

#endif
