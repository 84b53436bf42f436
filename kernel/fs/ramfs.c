/*
 * ramfs.c - serves packed file trees: that of the image at "/", an initrd's at
 * "/initrd". Contents lie where they were packed, so that opening costs nothing
 * and the network transmits them by reference. Read-only: what can be changed is
 * ramfs_write.c, which stands in for this at "/" where it is configured.
 *
 * Locks: none, nothing here changes after boot.
 */
#include "kernel/diag/diag.h"
#include "kernel/fs/ramfs_priv.h"
#include "lib/initcall.h"

extern const uint8_t __ramfs_start[], __ramfs_end[];
static struct ramfs ramfs_root, ramfs_initrd;

static void ramfs_mem_free(unused struct packet_mem *m)
{
	unreachable();
}

void ramfs_fill_stat(const struct ramfs *fs, uint32_t node, struct file_stat *out)
{
	const struct ramfs_image_node *n = &fs->image.nodes[node];
	bool dir = n->type == RAMFS_DIR;
	*out = (struct file_stat){
		.type = dir ? FILE_DIR : FILE_REGULAR,
		.mode = dir || (n->flags & RAMFS_EXEC) ? 0555 : 0444,
		.secret = n->flags & RAMFS_SECRET,
		.size_bytes = n->data_len,
		.mtime_ns = n->mtime_ns,
		.digest = n->digest,
	};
}

static enum err ramfs_stat(void *fs, struct str path, struct file_stat *out)
{
	const struct ramfs *r = fs;
	struct ramfs_index_result node = ramfs_image_find(&r->image, path);
	if (node.err == OK)
		ramfs_fill_stat(r, node.value, out);
	return node.err;
}

static enum err ramfs_open(void *fs, struct str path, unsigned flags, struct file *f)
{
	const struct ramfs *r = fs;
	struct ramfs_index_result node = ramfs_image_find(&r->image, path);
	if (node.err != OK)
		return node.err;
	if (flags & OPEN_WRITE)
		return ERR_ROFS;
	f->state = (void *)(uintptr_t)node.value;
	return OK;
}

static uint32_t ramfs_node(const struct file *f)
{
	return (uint32_t)(uintptr_t)f->state;
}

size_t ramfs_read_packed(const struct ramfs *fs, uint32_t node, uint64_t offset, struct wbuf to)
{
	struct rbuf content = ramfs_image_content(&fs->image, node);
	size_t from = (size_t)min(offset, (uint64_t)content.len);
	size_t n = min(to.len, content.len - from);
	memcpy(to.ptr, content.ptr + from, n);
	return n;
}

void ramfs_packed_content(struct ramfs *fs, uint32_t node, struct packet_mem **mem, struct rbuf *bytes,
	uint64_t *digest)
{
	*digest = fs->image.nodes[node].digest;
	*bytes = ramfs_image_content(&fs->image, node);
	*mem = &fs->mem;
	packet_mem_get(*mem);
}

static struct size_result ramfs_read(struct file *f, uint64_t offset, struct wbuf to)
{
	return OK_RESULT(size_result, ramfs_read_packed(f->fs, ramfs_node(f), offset, to));
}

static enum err ramfs_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out)
{
	const struct ramfs *r = f->fs;
	const struct ramfs_image_node *dir = &r->image.nodes[ramfs_node(f)];
	if (i >= dir->child_count)
		return ERR_NOENT;
	uint32_t node = dir->first_child + (uint32_t)i;
	abuf_str_add(name, ramfs_image_name(&r->image, node));
	ramfs_fill_stat(r, node, out);
	return abuf_ok(name) ? OK : ERR_NAMETOOLONG;
}

static enum err ramfs_content(struct file *f, struct packet_mem **mem, struct rbuf *bytes, uint64_t *digest)
{
	ramfs_packed_content(f->fs, ramfs_node(f), mem, bytes, digest);
	return OK;
}

static void ramfs_close(unused struct file *f)
{
}

static const struct fs_ops ramfs_ops = {
	.stat = ramfs_stat,
	.open = ramfs_open,
	.read = ramfs_read,
	.readdir = ramfs_readdir,
	.close = ramfs_close,
	.content = ramfs_content,
};

static enum err ramfs_open_image(struct ramfs *fs, struct rbuf bytes, struct str at)
{
	struct str why;
	enum err err = ramfs_image_open(bytes, &fs->image, &why);
	packet_mem_init(&fs->mem, ramfs_mem_free);
	if (err != OK)
		klog(LOG_ERR, "ramfs: %.*s is not mounted: %.*s", STR_ARG(at), STR_ARG(why));
	return err;
}

static enum err ramfs_mount_root(void)
{
	struct rbuf own = rbuf_of(__ramfs_start, (size_t)(__ramfs_end - __ramfs_start));
	enum err err = ramfs_open_image(&ramfs_root, own, S("/"));
	if (err != OK)
		return err;
	if (config_on(CONFIG_RAMFS_WRITE)) {
		err = ramfs_mount_writable(&ramfs_root, S("/"));
		if (err != ERR_NOMEM)
			return err;
		klog(LOG_ERR, "ramfs: no memory to change files in, / is read-only");
	}
	return vfs_mount(S("/"), &ramfs_ops, &ramfs_root, S("ramfs"));
}

static enum err ramfs_init(void)
{
	enum err err = ramfs_mount_root();
	struct rbuf initrd = rbuf_of((const void *)machine.initrd.base, machine.initrd.size);
	if (err != OK || initrd.len == 0 || ramfs_open_image(&ramfs_initrd, initrd, S("/initrd")) != OK)
		return err;
	if (!ramfs_image_data_ok(&ramfs_initrd.image))
		klog(LOG_ERR, "ramfs: contents of /initrd differ from what was packed");
	return vfs_mount(S("/initrd"), &ramfs_ops, &ramfs_initrd, S("ramfs"));
}
INITCALL(ramfs, ramfs_init, "vfs");
