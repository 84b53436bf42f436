/*
 * vfs.c - the mount table and the table of open files.
 *
 * Locks: LOCK_VFS_MOUNT among those who mount, at boot. Lookups take none: an
 * entry is complete before vfs_core's count shows it, and never goes away.
 */
#include "kernel/fs/fs.h"
#include "kernel/fs/vfs_core.h"
#include "kernel/mm/mm.h"
#include "lib/assert.h"
#include "lib/err.h"
#include "lib/initcall.h"

struct vfs_mount {
	const struct fs_ops *ops;
	void *fs;
	struct str type;
};

static struct spinlock vfs_lock = SPINLOCK_INIT(LOCK_VFS_MOUNT);
static struct mount_table vfs_table;         /* written under vfs_lock */
static struct vfs_mount vfs_mounts[MOUNT_MAX]; /* the same */
static struct pool *vfs_files;

static enum err vfs_init(void)
{
	fileserver_set_mount(vfs_mount);
	vfs_files = pool_create(
		S("file"), sizeof(struct file), _Alignof(struct file), CONFIG_FILES_MAX, 0);
	return vfs_files ? OK : ERR_NOMEM;
}
INITCALL(vfs, vfs_init, NULL);

enum err vfs_mount(struct str path, const struct fs_ops *ops, void *fs, struct str type)
{
	assert(ops->stat && ops->open && ops->close);
	spin_lock(&vfs_lock);
	if (vfs_table.count < MOUNT_MAX)
		vfs_mounts[vfs_table.count] = (struct vfs_mount){ops, fs, type};
	enum err err = mount_table_add(&vfs_table, path);
	spin_unlock(&vfs_lock);
	return err;
}

bool vfs_mount_at(size_t i, struct vfs_mount_info *out)
{
	if (i >= __atomic_load_n(&vfs_table.count, __ATOMIC_ACQUIRE))
		return false;
	*out = (struct vfs_mount_info){vfs_table.at[i], vfs_mounts[i].type};
	return true;
}

/* Normalizes into `buffer` and finds the server; *rest lies in the buffer. */
static enum err vfs_walk(
	struct str path, struct abuf *buffer, const struct vfs_mount **mount, struct str *rest)
{
	enum err err = path_normalize(path, buffer);
	if (err != OK)
		return err;
	size_t i = mount_table_find(&vfs_table, abuf_str(buffer), rest);
	if (i == MOUNT_MAX)
		return ERR_NOENT;
	*mount = &vfs_mounts[i];
	return OK;
}

enum err vfs_stat(struct str path, struct file_stat *out)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf buffer = abuf_of(bytes, sizeof(bytes));
	const struct vfs_mount *mount;
	struct str rest;
	enum err err = vfs_walk(path, &buffer, &mount, &rest);
	if (err != OK)
		return err;
	*out = (struct file_stat){0};
	return mount->ops->stat(mount->fs, rest, out);
}

/* The half of open that may refuse: fills *f without taking anything but what the server takes. */
static enum err vfs_open_at(
	const struct vfs_mount *mount, struct str rest, unsigned flags, struct file *f)
{
	struct file_stat stat = {0};
	enum err err = mount->ops->stat(mount->fs, rest, &stat);
	if (err == ERR_NOENT && (flags & OPEN_CREATE))
		err = mount->ops->remove ? OK : ERR_ROFS;
	if (err != OK)
		return err;
	if (stat.type == FILE_DIR && (flags & OPEN_WRITE))
		return ERR_ISDIR;
	/* Names are no secret. */
	if (stat.secret && stat.type != FILE_DIR && (flags & OPEN_READ) && !(flags & OPEN_SECRET))
		return ERR_ACCES;
	if (!mount->ops->remove)
		flags &= ~OPEN_CREATE;
	if (!stat.answers || stat.secret)
		flags &= ~OPEN_ANSWER;
	else if (flags & OPEN_ANSWER)
		flags |= OPEN_READ;
	*f = (struct file){.ops = mount->ops, .fs = mount->fs, .flags = flags, .type = stat.type,
		.dir_end = SIZE_MAX};
	return mount->ops->open(mount->fs, rest, flags, f);
}

struct file_result vfs_open(struct str path, unsigned flags)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf buffer = abuf_of(bytes, sizeof(bytes));
	const struct vfs_mount *mount;
	struct str rest;
	if ((flags & (OPEN_CREATE | OPEN_TRUNC | OPEN_APPEND | OPEN_ANSWER)) && !(flags & OPEN_WRITE))
		return ERR_RESULT(file_result, ERR_INVAL);
	enum err err = vfs_walk(path, &buffer, &mount, &rest);
	if (err != OK)
		return ERR_RESULT(file_result, err);
	struct file *f = pool_alloc(vfs_files);
	if (!f)
		return ERR_RESULT(file_result, ERR_NFILE);
	err = vfs_open_at(mount, rest, flags, f);
	if (err != OK) {
		pool_free(vfs_files, f);
		return ERR_RESULT(file_result, err);
	}
	if (f->type == FILE_DIR)
		f->mounts = mount_table_children(&vfs_table, abuf_str(&buffer));
	return OK_RESULT(file_result, f);
}

struct size_result vfs_read(struct file *f, uint64_t offset, struct wbuf to)
{
	if (f->type == FILE_DIR)
		return ERR_RESULT(size_result, ERR_ISDIR);
	if (!(f->flags & OPEN_READ))
		return ERR_RESULT(size_result, ERR_BADF);
	if (!f->ops->read)
		return ERR_RESULT(size_result, ERR_NODEV);
	return f->ops->read(f, offset, to);
}

struct size_result vfs_write(struct file *f, uint64_t offset, struct rbuf from)
{
	if (!(f->flags & OPEN_WRITE))
		return ERR_RESULT(size_result, ERR_BADF);
	if (!f->ops->write)
		return ERR_RESULT(size_result, ERR_ROFS);
	return f->ops->write(f, offset, from);
}

struct str vfs_reason(struct file *f, enum err err, struct wbuf room)
{
	struct size_result n = {0};
	if (f->flags & OPEN_ANSWER)
		n = vfs_read(f, 0, room);
	struct str text = str_of(room.ptr, n.err == OK ? n.value : 0), line = str_trim(str_cut(&text, '\n'));
	return line.len ? line : err_text(err);
}

/* The nth mount of the directory, behind what the server has. */
static enum err vfs_readdir_mount(
	struct file *f, size_t n, struct abuf *name, struct file_stat *out)
{
	uint32_t left = f->mounts;
	for (; n && left; n--)
		left &= left - 1;
	if (!left)
		return ERR_NOENT;
	size_t i = (size_t)__builtin_ctz(left);
	abuf_str_add(name, mount_table_name(&vfs_table, i));
	*out = (struct file_stat){.type = FILE_DIR, .mode = 0555};
	return abuf_ok(name) ? OK : ERR_NAMETOOLONG;
}

enum err vfs_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out)
{
	if (f->type != FILE_DIR)
		return ERR_NOTDIR;
	if (i < f->dir_end) {
		*out = (struct file_stat){0};
		enum err err = f->ops->readdir(f, i, name, out);
		if (err != ERR_NOENT)
			return err;
		f->dir_end = i;
	}
	return vfs_readdir_mount(f, i - f->dir_end, name, out);
}

enum err vfs_content(struct file *f, struct packet_mem **mem, struct rbuf *bytes, uint64_t *digest)
{
	if (!(f->flags & OPEN_READ))
		return ERR_BADF;
	return f->ops->content ? f->ops->content(f, mem, bytes, digest) : ERR_NOTSUP;
}

enum err vfs_truncate(struct file *f, uint64_t size)
{
	if (f->type == FILE_DIR)
		return ERR_ISDIR;
	if (!(f->flags & OPEN_WRITE))
		return ERR_BADF;
	return f->ops->truncate ? f->ops->truncate(f, size) : ERR_ROFS;
}

void vfs_close(struct file *f)
{
	f->ops->close(f);
	pool_free(vfs_files, f);
}

/* ---- changes of the tree ---- */

/* As vfs_walk, of a path that is to be changed: no mount, nor a directory above one. */
static enum err vfs_walk_to_change(
	struct str path, struct abuf *buffer, const struct vfs_mount **mount, struct str *rest)
{
	enum err err = vfs_walk(path, buffer, mount, rest);
	if (err != OK)
		return err;
	if (mount_table_pins(&vfs_table, abuf_str(buffer)))
		return ERR_BUSY;
	return (*mount)->ops->remove ? OK : ERR_ROFS;
}

enum err vfs_remove(struct str path)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf buffer = abuf_of(bytes, sizeof(bytes));
	const struct vfs_mount *mount;
	struct str rest;
	enum err err = vfs_walk_to_change(path, &buffer, &mount, &rest);
	return err == OK ? mount->ops->remove(mount->fs, rest) : err;
}

enum err vfs_mkdir(struct str path)
{
	char bytes[PATH_BYTES_MAX];
	struct abuf buffer = abuf_of(bytes, sizeof(bytes));
	const struct vfs_mount *mount;
	struct str rest;
	enum err err = vfs_walk_to_change(path, &buffer, &mount, &rest);
	if (err == ERR_BUSY)
		return ERR_EXIST;
	return err == OK ? mount->ops->mkdir(mount->fs, rest) : err;
}

enum err vfs_rename(struct str from, struct str to)
{
	char from_bytes[PATH_BYTES_MAX], to_bytes[PATH_BYTES_MAX];
	struct abuf from_buffer = abuf_of(from_bytes, sizeof(from_bytes));
	struct abuf to_buffer = abuf_of(to_bytes, sizeof(to_bytes));
	const struct vfs_mount *mount, *to_mount;
	struct str from_rest, to_rest;
	enum err err = vfs_walk_to_change(from, &from_buffer, &mount, &from_rest);
	if (err == OK)
		err = vfs_walk_to_change(to, &to_buffer, &to_mount, &to_rest);
	if (err != OK)
		return err;
	return mount == to_mount ? mount->ops->rename(mount->fs, from_rest, to_rest) : ERR_XDEV;
}
