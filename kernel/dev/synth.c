/*
 * synth.c - the file server of all synthetic trees: /dev, /proc, /net.
 *
 * A rendered file is a snapshot made at open, in pages of its own that the close
 * gives back: a reader sees one state however slowly it reads. The first try has
 * a page; each further one, twice the room.
 *
 * Locks: none of its own; render() takes what it needs.
 */
#include "kernel/dev/dev.h"
#include "kernel/dev/synth_core.h"
#include "kernel/mm/mm.h"
#include "lib/assert.h"
#include "lib/err.h"
#include "lib/fmt.h"

static_assert(is_pow2(CONFIG_SYNTH_PAGES), "a snapshot is a block of the buddy allocator");

static fileserver_mount_fn *fileserver_mounter;

void fileserver_set_mount(fileserver_mount_fn *mount)
{
	fileserver_mounter = mount;
}

enum err fileserver_mount(struct str path, const struct fs_ops *ops, void *fs, struct str type)
{
	assert(fileserver_mounter);
	return fileserver_mounter(path, ops, fs, type);
}

/* At the front of the pages of a snapshot. */
struct synth_snapshot {
	unsigned order;
	size_t len;
	uint8_t text[];
};

static struct synth_paths synth_paths(const struct synth_fs *fs)
{
	static_assert(offsetof(struct synth_file, path) == 0, "synth_core sees the path only");
	return (struct synth_paths){fs->files, fs->count, sizeof(fs->files[0])};
}

static void synth_fill_stat(const struct synth_file *file, struct file_stat *out)
{
	*out = (struct file_stat){
		.type = file->render && !file->ctl ? FILE_REGULAR : FILE_DEVICE,
		.mode = (file->render || file->read || file->ctl ? 0444 : 0) | (file->write || file->ctl ? 0200 : 0),
		.effects = file->effects,
		.answers = file->ctl != NULL,
	};
}

static enum err synth_stat(void *fs, struct str path, struct file_stat *out)
{
	struct synth_paths paths = synth_paths(fs);
	size_t i = synth_find(&paths, path);
	if (i != SYNTH_NONE) {
		synth_fill_stat(&((struct synth_fs *)fs)->files[i], out);
		return OK;
	}
	*out = (struct file_stat){.type = FILE_DIR, .mode = 0555};
	return synth_is_dir(&paths, path) ? OK : ERR_NOENT;
}

static enum err synth_render(const struct synth_file *file, struct synth_snapshot **out)
{
	for (unsigned order = 0; PAGE_SIZE << order <= PAGE_SIZE * CONFIG_SYNTH_PAGES; order++) {
		struct synth_snapshot *s = page_alloc(order);
		if (!s)
			return ERR_NOMEM;
		struct abuf text = abuf_of(s->text, (PAGE_SIZE << order) - sizeof(*s));
		file->render(&text);
		if (abuf_ok(&text)) {
			s->order = order;
			s->len = text.len;
			*out = s;
			return OK;
		}
		page_free(s, order);
	}
	return ERR_FBIG;
}

/* What an open file refers to: its row, or its first row for a directory, and its snapshot. */
struct synth_open {
	const struct synth_file *file; /* NULL: a directory */
	struct synth_snapshot *snapshot;
	size_t dir_len;
	char dir[64];
	struct abuf answer; /* ctl: in `text` */
	uint8_t text[CTL_ANSWER_MAX];
};
static_assert(sizeof(struct synth_open) <= PAGE_SIZE, "an open file takes a page");

static enum err synth_open(void *fs, struct str path, unsigned flags, struct file *f)
{
	struct synth_paths paths = synth_paths(fs);
	size_t i = synth_find(&paths, path);
	const struct synth_file *file =
		i == SYNTH_NONE ? NULL : &((struct synth_fs *)fs)->files[i];
	if (!file && path.len > sizeof(((struct synth_open *)0)->dir))
		return ERR_NAMETOOLONG;
	if (file && (flags & OPEN_WRITE) && !file->write && !file->ctl)
		return ERR_ACCES;
	struct synth_open *o = page_alloc(0);
	if (!o)
		return ERR_NOMEM;
	*o = (struct synth_open){.file = file, .dir_len = file ? 0 : path.len};
	memcpy(o->dir, path.ptr, o->dir_len);
	o->answer = abuf_of(o->text, sizeof(o->text));
	if (file && file->ctl) {
		if (file->render)
			file->render(&o->answer);
	} else if (file && file->render && (flags & OPEN_READ)) {
		enum err err = synth_render(file, &o->snapshot);
		if (err != OK) {
			page_free(o, 0);
			return err;
		}
	}
	f->state = o;
	return OK;
}

static struct size_result synth_read(struct file *f, uint64_t offset, struct wbuf to)
{
	const struct synth_open *o = f->state;
	const struct synth_snapshot *s = o->snapshot;
	if (!s && !o->file->ctl)
		return o->file->read ? o->file->read(offset, to) :
				       ERR_RESULT(size_result, ERR_NODEV);
	struct rbuf text = s ? rbuf_of(s->text, s->len) : abuf_bytes(&o->answer);
	size_t from = (size_t)min(offset, (uint64_t)text.len);
	size_t n = min(to.len, text.len - from);
	memcpy(to.ptr, text.ptr + from, n);
	return OK_RESULT(size_result, n);
}

static enum err synth_ctl_line(void *arg, struct str line, struct abuf *answer)
{
	return ((const struct synth_file *)arg)->ctl(line, answer);
}

static struct size_result synth_write(struct file *f, unused uint64_t offset, struct rbuf from)
{
	struct synth_open *o = f->state;
	if (o->file->ctl)
		return ctl_write(synth_ctl_line, (void *)(uintptr_t)o->file, from, &o->answer);
	return o->file->write(from);
}

static enum err synth_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out)
{
	const struct synth_open *o = f->state;
	const struct synth_fs *fs = f->fs;
	struct synth_paths paths = synth_paths(fs);
	struct str entry;
	bool is_dir;
	size_t row = synth_entry(&paths, str_of(o->dir, o->dir_len), i, &entry, &is_dir);
	if (row == SYNTH_NONE)
		return ERR_NOENT;
	abuf_str_add(name, entry);
	if (is_dir)
		*out = (struct file_stat){.type = FILE_DIR, .mode = 0555};
	else
		synth_fill_stat(&fs->files[row], out);
	return abuf_ok(name) ? OK : ERR_NAMETOOLONG;
}

static void synth_close(struct file *f)
{
	struct synth_open *o = f->state;
	if (o->snapshot)
		page_free(o->snapshot, o->snapshot->order);
	page_free(o, 0);
}

const struct fs_ops synth_ops = {
	.stat = synth_stat,
	.open = synth_open,
	.read = synth_read,
	.write = synth_write,
	.readdir = synth_readdir,
	.close = synth_close,
};

/* ---- ctl files ---- */

static enum err ctl_line(ctl_line_fn *fn, void *arg, struct str line, struct abuf *answer)
{
	abuf_reset(answer);
	enum err err = fn(arg, line, answer);
	if (answer->len == 0 && err == OK)
		fmt(answer, "done");
	else if (answer->len == 0)
		fmt(answer, "refused: %.*s", STR_ARG(err_text(err)));
	abuf_char_add(answer, '\n');
	return err;
}

struct size_result ctl_write(ctl_line_fn *fn, void *arg, struct rbuf from, struct abuf *answer)
{
	struct str text = rbuf_str(from);
	enum err err;
	do {
		err = ctl_line(fn, arg, str_cut(&text, '\n'), answer);
	} while (err == OK && text.len);
	return err == OK ? OK_RESULT(size_result, from.len) : ERR_RESULT(size_result, err);
}
