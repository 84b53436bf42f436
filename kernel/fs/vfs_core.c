/* vfs_core.c - paths and the mount table. */
#include "kernel/fs/vfs_core.h"
#include "lib/assert.h"

/* Takes the last segment away; the root stays. */
static void path_pop(struct abuf *out)
{
	while (out->len > 1 && out->ptr[out->len - 1] != '/')
		out->len--;
	if (out->len > 1)
		out->len--;
}

enum err path_normalize(struct str path, struct abuf *out)
{
	assert(out->len == 0);
	if (path.len == 0 || path.ptr[0] != '/' || str_find_char(path, '\0') < path.len)
		return ERR_INVAL;
	abuf_char_add(out, '/');
	while (path.len) {
		struct str segment = str_cut(&path, '/');
		if (segment.len == 0 || str_eq(segment, S(".")))
			continue;
		if (str_eq(segment, S(".."))) {
			path_pop(out);
			continue;
		}
		if (segment.len > PATH_NAME_MAX)
			return ERR_NAMETOOLONG;
		if (out->len > 1)
			abuf_char_add(out, '/');
		abuf_str_add(out, segment);
		if (!abuf_ok(out))
			return ERR_NAMETOOLONG;
	}
	return abuf_ok(out) ? OK : ERR_NAMETOOLONG;
}

enum err mount_table_add(struct mount_table *t, struct str at)
{
	for (size_t i = 0; i < t->count; i++) {
		if (str_eq(t->at[i], at))
			return ERR_EXIST;
	}
	if (t->count == MOUNT_MAX)
		return ERR_NOSPC;
	t->at[t->count] = at;
	/* Pairs with the load in mount_table_find and mount_table_children: no lock there. */
	__atomic_store_n(&t->count, t->count + 1, __ATOMIC_RELEASE);
	return OK;
}

/* Whether `path` is `at` or below it. */
static bool mount_covers(struct str at, struct str path)
{
	if (at.len == 1)
		return true;
	return str_starts(path, at) && (path.len == at.len || path.ptr[at.len] == '/');
}

size_t mount_table_find(const struct mount_table *t, struct str path, struct str *rest)
{
	size_t best = MOUNT_MAX;
	size_t count = __atomic_load_n(&t->count, __ATOMIC_ACQUIRE);
	assert(path.len > 0 && path.ptr[0] == '/');
	for (size_t i = 0; i < count; i++) {
		if (mount_covers(t->at[i], path) && (best == MOUNT_MAX || t->at[i].len > t->at[best].len))
			best = i;
	}
	if (best < MOUNT_MAX) {
		size_t skip = t->at[best].len == 1 ? 1 : t->at[best].len + 1;
		*rest = str_slice(path, skip, path.len);
	}
	return best;
}

/* The directory in which a mount stands, "/" for "/proc"; the root stands nowhere. */
static struct str mount_parent(struct str at)
{
	size_t len = at.len;
	if (len == 1)
		return STR_EMPTY;
	while (at.ptr[len - 1] != '/')
		len--;
	return str_slice(at, 0, len == 1 ? 1 : len - 1);
}

uint32_t mount_table_children(const struct mount_table *t, struct str dir)
{
	uint32_t set = 0;
	size_t count = __atomic_load_n(&t->count, __ATOMIC_ACQUIRE);
	for (size_t i = 0; i < count; i++) {
		if (str_eq(mount_parent(t->at[i]), dir))
			set |= UINT32_C(1) << i;
	}
	return set;
}

bool mount_table_pins(const struct mount_table *t, struct str path)
{
	size_t count = __atomic_load_n(&t->count, __ATOMIC_ACQUIRE);
	for (size_t i = 0; i < count; i++) {
		if (mount_covers(path, t->at[i]))
			return true;
	}
	return false;
}

struct str mount_table_name(const struct mount_table *t, size_t i)
{
	struct str at = t->at[i];
	struct str parent = mount_parent(at);
	return str_slice(at, parent.len == 1 ? 1 : parent.len + 1, at.len);
}
