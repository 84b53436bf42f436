/*
 * ramfs_write.c - the packed tree at "/", to be changed in memory (ramfs_core.h).
 *
 * As long as nothing of the image has been changed, what the image alone can answer
 * takes no lock and copies nothing, as in ramfs.c: files that were made beside it,
 * in directories of their own, cost the web server nothing.
 *
 * The content of a file is a run of pages with a count of references in front. The
 * file has one, and each holder that content() gave it to; ramfs_core sees to it
 * that what was given away does not change.
 *
 * An open file keeps its node: removed or replaced, it is read and written on, and is
 * gone with the last close. An open directory is enumerated by name, each entry behind
 * the one before: what is there all the while is seen once, whatever else changes.
 *
 * Locks: LOCK_RAMFS, a mutex: the tree, and the contents of files. Who counts down the
 * last reference to a run of pages gives it back, in whatever context that is.
 *
 * Bounds: CONFIG_RAMFS_KB of runs, held ones included; CONFIG_RAMFS_FILE_KB a run;
 * CONFIG_RAMFS_FILES nodes.
 */
#include "kernel/diag/diag.h"
#include "kernel/fs/ramfs_core.h"
#include "kernel/fs/ramfs_priv.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/mutex.h"
#include "kernel/time/time.h"
#include "lib/err.h"

struct ramfs_memory {
	struct packet_mem mem;
	uint32_t pages;
	uint8_t bytes[] aligned_to(16);
};
#define RAMFS_FILE_MAX  ((size_t)CONFIG_RAMFS_FILE_KB * 1024)
#define RAMFS_PAGES_MAX (CONFIG_RAMFS_KB * 1024u / PAGE_SIZE)
static_assert(sizeof(struct ramfs_memory) + RAMFS_FILE_MAX <= PAGE_SIZE << PAGE_ORDER_MAX, "a file is one run");

static struct {
	struct ramfs *base;
	struct mutex lock;
	struct ramfs_tree tree;     /* lock; ramfs_tree_peek() without it */
	struct ramfs_stats refused; /* lock: refused_*; the others are not used */
	uint32_t pages;             /* atomic: of all runs */
} ramfs_rw;

/* ---- memory ---- */

static void ramfs_memory_free(struct packet_mem *mem)
{
	struct ramfs_memory *m = container_of(mem, struct ramfs_memory, mem);
	uint32_t pages = m->pages;
	page_free_run(m, pages);
	__atomic_fetch_sub(&ramfs_rw.pages, pages, __ATOMIC_RELAXED);
}

static struct ramfs_memory *ramfs_memory_of(const uint8_t *bytes)
{
	return (struct ramfs_memory *)((uintptr_t)bytes - offsetof(struct ramfs_memory, bytes));
}

static bool ramfs_pages_reserve(uint32_t pages)
{
	if (__atomic_add_fetch(&ramfs_rw.pages, pages, __ATOMIC_RELAXED) <= RAMFS_PAGES_MAX)
		return true;
	__atomic_fetch_sub(&ramfs_rw.pages, pages, __ATOMIC_RELAXED);
	return false;
}

/* A run with room for so many bytes at least, in *out. ERR_NOSPC, ERR_NOMEM. */
static enum err ramfs_memory_alloc(size_t bytes, struct wbuf *out)
{
	uint32_t pages = (uint32_t)div_up(sizeof(struct ramfs_memory) + bytes, PAGE_SIZE);
	if (!ramfs_pages_reserve(pages))
		return ERR_NOSPC;
	struct ramfs_memory *m = page_alloc_run(pages);
	if (!m) {
		__atomic_fetch_sub(&ramfs_rw.pages, pages, __ATOMIC_RELAXED);
		return ERR_NOMEM;
	}
	packet_mem_init(&m->mem, ramfs_memory_free);
	m->pages = pages;
	*out = wbuf_of(m->bytes, pages * PAGE_SIZE - sizeof(*m));
	return OK;
}

static void ramfs_memory_drop(const uint8_t *bytes)
{
	if (bytes)
		packet_mem_put(&ramfs_memory_of(bytes)->mem);
}

/* Whether somebody besides the file refers to it: only this lock's holder could make it so. */
static bool ramfs_is_held(const struct ramfs_node *n)
{
	/* Pairs with the decrement of the last holder, whose reads come before what is written now. */
	return n->cap && __atomic_load_n(&ramfs_memory_of(n->bytes)->mem.refs, __ATOMIC_ACQUIRE) > 1;
}

/* What the plan wants, or what it needs at least. */
static enum err ramfs_memory_for(const struct ramfs_plan *plan, struct wbuf *out)
{
	*out = wbuf_of(NULL, 0);
	if (plan->need == 0)
		return OK;
	enum err err = ramfs_memory_alloc(plan->want, out);
	if (err != OK && plan->want > plan->need)
		err = ramfs_memory_alloc(plan->need, out);
	ramfs_rw.refused.refused_bytes += err == ERR_NOSPC;
	ramfs_rw.refused.refused_memory += err == ERR_NOMEM;
	return err;
}

/* ---- open files: state is the node, or of a directory a page with where one is in it ---- */

struct ramfs_dir {
	uint32_t node;
	size_t next;     /* of which entry `last` is the one before */
	struct str last; /* in `own`, or in the image */
	char own[RAMFS_NAME_MAX];
};

static uint32_t ramfs_node_of(const struct file *f)
{
	return f->type == FILE_DIR ? ((struct ramfs_dir *)f->state)->node : (uint32_t)(uintptr_t)f->state;
}

static bool ramfs_is_as_packed(uint32_t node)
{
	return node < ramfs_rw.tree.image_count && !__atomic_load_n(&ramfs_rw.tree.touched, __ATOMIC_ACQUIRE);
}

static void ramfs_reap_locked(uint32_t node, const uint8_t **memory)
{
	const struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	/* Behind `touched`: pairs with ramfs_w_close(), either of the two sees that the other is through. */
	if (node != 0 && n->parent == RAMFS_NONE && __atomic_load_n(&n->opens, __ATOMIC_SEQ_CST) == 0)
		*memory = ramfs_tree_reap(&ramfs_rw.tree, node);
}

static enum err ramfs_use(struct file *f, uint32_t node)
{
	const struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	f->type = n->type == RAMFS_DIR ? FILE_DIR : FILE_REGULAR;
	f->state = (void *)(uintptr_t)node;
	if (f->type == FILE_DIR) {
		struct ramfs_dir *d = page_alloc(0);
		if (!d)
			return ERR_NOMEM;
		*d = (struct ramfs_dir){.node = node};
		f->state = d;
	}
	__atomic_fetch_add(&ramfs_rw.tree.nodes[node].opens, 1, __ATOMIC_RELAXED);
	return OK;
}

static void ramfs_w_close(struct file *f)
{
	uint32_t node = ramfs_node_of(f);
	struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	const uint8_t *memory = NULL;
	bool of_image = node < ramfs_rw.tree.image_count;
	if (f->type == FILE_DIR)
		page_free(f->state, 0);
	/* One that was made is another file's as soon as it is counted down; so that is done with the lock held. */
	if (of_image)
		__atomic_fetch_sub(&n->opens, 1, __ATOMIC_SEQ_CST);
	if (of_image && !__atomic_load_n(&ramfs_rw.tree.touched, __ATOMIC_SEQ_CST))
		return;
	mutex_lock(&ramfs_rw.lock);
	if (!of_image)
		__atomic_fetch_sub(&n->opens, 1, __ATOMIC_SEQ_CST);
	ramfs_reap_locked(node, &memory);
	mutex_unlock(&ramfs_rw.lock);
	ramfs_memory_drop(memory);
}

/* ---- looking ---- */

static void ramfs_w_fill_stat_locked(uint32_t node, struct file_stat *out)
{
	const struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	bool dir = n->type == RAMFS_DIR;
	*out = (struct file_stat){
		.type = dir ? FILE_DIR : FILE_REGULAR,
		.mode = (dir || (n->flags & RAMFS_EXEC) ? 0555 : 0444) | 0200,
		.secret = ramfs_tree_is_secret(&ramfs_rw.tree, node),
		.size_bytes = n->size,
		.mtime_ns = n->mtime_ns,
		.digest = n->digest,
	};
}

static enum err ramfs_w_stat(unused void *fs, struct str path, struct file_stat *out)
{
	struct ramfs_index_result node = ramfs_tree_peek(&ramfs_rw.tree, path);
	if (node.err == OK) {
		ramfs_fill_stat(ramfs_rw.base, node.value, out);
		out->mode |= 0200;
		return OK;
	}
	if (node.err != ERR_AGAIN)
		return node.err;
	mutex_lock(&ramfs_rw.lock);
	node = ramfs_tree_find(&ramfs_rw.tree, path);
	if (node.err == OK)
		ramfs_w_fill_stat_locked(node.value, out);
	mutex_unlock(&ramfs_rw.lock);
	return node.err;
}

static struct size_result ramfs_w_read(struct file *f, uint64_t offset, struct wbuf to)
{
	uint32_t node = ramfs_node_of(f);
	if (ramfs_is_as_packed(node))
		return OK_RESULT(size_result, ramfs_read_packed(ramfs_rw.base, node, offset, to));
	mutex_lock(&ramfs_rw.lock);
	size_t n = ramfs_node_read(&ramfs_rw.tree.nodes[node], offset, to);
	mutex_unlock(&ramfs_rw.lock);
	return OK_RESULT(size_result, n);
}

static enum err ramfs_w_content(struct file *f, struct packet_mem **mem, struct rbuf *bytes, uint64_t *digest)
{
	uint32_t node = ramfs_node_of(f);
	if (ramfs_is_as_packed(node)) {
		ramfs_packed_content(ramfs_rw.base, node, mem, bytes, digest);
		return OK;
	}
	mutex_lock(&ramfs_rw.lock);
	struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	*bytes = rbuf_of(n->bytes, n->size);
	*digest = n->digest;
	*mem = &ramfs_rw.base->mem;
	if (n->cap) {
		*mem = &ramfs_memory_of(n->bytes)->mem;
		n->given = ramfs_is_held(n) ? max(n->given, n->size) : n->size;
	}
	packet_mem_get(*mem);
	mutex_unlock(&ramfs_rw.lock);
	return OK;
}

static enum err ramfs_w_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out)
{
	struct ramfs_dir *d = f->state;
	if (i != d->next)
		d->last = STR_EMPTY;
	mutex_lock(&ramfs_rw.lock);
	/* The one behind the last; asked for out of order, from the beginning. */
	uint32_t node = ramfs_tree_after(&ramfs_rw.tree, d->node, d->last);
	for (size_t skip = i == d->next ? 0 : i; skip && node != RAMFS_NONE; skip--)
		node = ramfs_rw.tree.nodes[node].next;
	if (node != RAMFS_NONE) {
		const struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
		ramfs_w_fill_stat_locked(node, out);
		abuf_str_add(name, n->name);
		d->last = n->name;
		d->next = i + 1;
		if (n->name.ptr == n->own)
			d->last = str_of(memcpy(d->own, n->own, n->name.len), n->name.len);
	}
	mutex_unlock(&ramfs_rw.lock);
	if (node == RAMFS_NONE)
		return ERR_NOENT;
	return abuf_ok(name) ? OK : ERR_NAMETOOLONG;
}

/* ---- changing ---- */

static uint64_t ramfs_clock(void)
{
	return (uint64_t)clock_wall();
}

/* Written with the lock held; *old is to be dropped without it. */
static enum err ramfs_apply_locked(
	uint32_t node, const struct ramfs_plan *plan, const uint8_t *from, const uint8_t **old)
{
	struct wbuf fresh;
	enum err err = ramfs_memory_for(plan, &fresh);
	if (err == OK)
		*old = ramfs_commit(&ramfs_rw.tree, node, plan, from, fresh, ramfs_clock());
	return err;
}

static struct size_result ramfs_w_write(struct file *f, uint64_t offset, struct rbuf from)
{
	uint32_t node = ramfs_node_of(f);
	const uint8_t *old = NULL;
	struct ramfs_plan plan;
	if (from.len == 0)
		return OK_RESULT(size_result, 0);
	mutex_lock(&ramfs_rw.lock);
	const struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	if (f->flags & OPEN_APPEND)
		offset = n->size;
	enum err err = ramfs_plan_write(n, offset, from.len, RAMFS_FILE_MAX, ramfs_is_held(n), &plan);
	if (err == OK)
		err = ramfs_apply_locked(node, &plan, from.ptr, &old);
	mutex_unlock(&ramfs_rw.lock);
	ramfs_memory_drop(old);
	return err == OK ? OK_RESULT(size_result, from.len) : ERR_RESULT(size_result, err);
}

static enum err ramfs_truncate_locked(uint32_t node, uint64_t size, const uint8_t **old)
{
	const struct ramfs_node *n = &ramfs_rw.tree.nodes[node];
	struct ramfs_plan plan;
	if (size == n->size)
		return OK;
	enum err err = ramfs_plan_truncate(n, size, RAMFS_FILE_MAX, ramfs_is_held(n), &plan);
	return err == OK ? ramfs_apply_locked(node, &plan, NULL, old) : err;
}

static enum err ramfs_w_truncate(struct file *f, uint64_t size)
{
	const uint8_t *old = NULL;
	mutex_lock(&ramfs_rw.lock);
	enum err err = ramfs_truncate_locked(ramfs_node_of(f), size, &old);
	mutex_unlock(&ramfs_rw.lock);
	ramfs_memory_drop(old);
	return err;
}

static struct ramfs_index_result ramfs_make_locked(struct str path, enum ramfs_node_type type)
{
	struct ramfs_index_result node = ramfs_tree_make(&ramfs_rw.tree, path, type, ramfs_clock());
	ramfs_rw.refused.refused_files += node.err == ERR_NOSPC;
	return node;
}

static enum err ramfs_open_locked(struct str path, unsigned flags, struct file *f, const uint8_t **old)
{
	struct ramfs_index_result node = ramfs_tree_find(&ramfs_rw.tree, path);
	bool makes = node.err == ERR_NOENT && (flags & OPEN_CREATE);
	if (node.err != OK && !makes)
		return node.err;
	if (!makes && ramfs_rw.tree.nodes[node.value].type == RAMFS_DIR)
		return flags & OPEN_WRITE ? ERR_ISDIR : ramfs_use(f, node.value);
	if ((flags & OPEN_READ) && !(flags & OPEN_SECRET) && ramfs_tree_would_be_secret(&ramfs_rw.tree, path))
		return ERR_ACCES;
	if (makes)
		node = ramfs_make_locked(path, RAMFS_FILE);
	if (node.err != OK)
		return node.err;
	if (flags & OPEN_TRUNC) {
		enum err err = ramfs_truncate_locked(node.value, 0, old);
		assert(err == OK); /* it takes no memory */
	}
	return ramfs_use(f, node.value);
}

static enum err ramfs_w_open(unused void *fs, struct str path, unsigned flags, struct file *f)
{
	struct ramfs_index_result node = ramfs_tree_peek(&ramfs_rw.tree, path);
	const uint8_t *old = NULL;
	/* Whether it is secret vfs has judged by stat, and of the image that is for good. */
	if (node.err == OK && !(flags & OPEN_WRITE))
		return ramfs_use(f, node.value);
	mutex_lock(&ramfs_rw.lock);
	enum err err = ramfs_open_locked(path, flags, f, &old);
	mutex_unlock(&ramfs_rw.lock);
	ramfs_memory_drop(old);
	return err;
}

static enum err ramfs_w_mkdir(unused void *fs, struct str path)
{
	mutex_lock(&ramfs_rw.lock);
	enum err err = ramfs_make_locked(path, RAMFS_DIR).err;
	mutex_unlock(&ramfs_rw.lock);
	return err;
}

static enum err ramfs_w_remove(unused void *fs, struct str path)
{
	const uint8_t *memory = NULL;
	mutex_lock(&ramfs_rw.lock);
	struct ramfs_index_result node = ramfs_tree_remove(&ramfs_rw.tree, path);
	if (node.err == OK)
		ramfs_reap_locked(node.value, &memory);
	mutex_unlock(&ramfs_rw.lock);
	ramfs_memory_drop(memory);
	return node.err;
}

static enum err ramfs_w_rename(unused void *fs, struct str from, struct str to)
{
	const uint8_t *memory = NULL;
	mutex_lock(&ramfs_rw.lock);
	struct ramfs_index_result old = ramfs_tree_rename(&ramfs_rw.tree, from, to);
	if (old.err == OK && old.value != RAMFS_NONE)
		ramfs_reap_locked(old.value, &memory);
	mutex_unlock(&ramfs_rw.lock);
	ramfs_memory_drop(memory);
	return old.err;
}

static const struct fs_ops ramfs_w_ops = {
	.stat = ramfs_w_stat,
	.open = ramfs_w_open,
	.read = ramfs_w_read,
	.write = ramfs_w_write,
	.readdir = ramfs_w_readdir,
	.close = ramfs_w_close,
	.content = ramfs_w_content,
	.remove = ramfs_w_remove,
	.mkdir = ramfs_w_mkdir,
	.rename = ramfs_w_rename,
	.truncate = ramfs_w_truncate,
};

void ramfs_stats(struct ramfs_stats *out)
{
	*out = (struct ramfs_stats){0};
	if (!ramfs_rw.base)
		return;
	mutex_lock(&ramfs_rw.lock);
	*out = ramfs_rw.refused;
	out->files = ramfs_rw.tree.used;
	mutex_unlock(&ramfs_rw.lock);
	out->files_max = ramfs_rw.tree.count - ramfs_rw.tree.image_count;
	out->bytes = __atomic_load_n(&ramfs_rw.pages, __ATOMIC_RELAXED) * (size_t)PAGE_SIZE;
	out->bytes_max = RAMFS_PAGES_MAX * (size_t)PAGE_SIZE;
}

enum err ramfs_mount_writable(struct ramfs *fs, struct str at)
{
	uint32_t count = fs->image.count + CONFIG_RAMFS_FILES;
	size_t pages = div_up(count * sizeof(struct ramfs_node), PAGE_SIZE);
	struct ramfs_node *nodes = pages <= 1u << PAGE_ORDER_MAX ? page_alloc_run(pages) : NULL;
	if (!nodes)
		return ERR_NOMEM;
	ramfs_rw.base = fs;
	mutex_init(&ramfs_rw.lock, LOCK_RAMFS);
	ramfs_tree_init(&ramfs_rw.tree, &fs->image, nodes, count);
	enum err err = ramfs_w_mkdir(NULL, S("tmp")); /* for whoever wants a file for a while */
	if (err != OK && err != ERR_EXIST)
		klog(LOG_WARN, "ramfs: no /tmp: %.*s", STR_ARG(err_text(err)));
	return vfs_mount(at, &ramfs_w_ops, fs, S("ramfs"));
}
