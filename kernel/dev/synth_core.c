/* synth_core.c - a sorted table of paths seen as a tree. */
#include "kernel/dev/synth_core.h"

struct str synth_path(const struct synth_paths *t, size_t i)
{
	return *(const struct str *)((const char *)t->rows + i * t->stride);
}

size_t synth_find(const struct synth_paths *t, struct str path)
{
	for (size_t i = 0; i < t->count; i++) {
		if (str_eq(synth_path(t, i), path))
			return i;
	}
	return SYNTH_NONE;
}

/* What of row i lies below dir; empty: nothing. */
static struct str synth_below(const struct synth_paths *t, size_t i, struct str dir)
{
	struct str path = synth_path(t, i);
	if (dir.len == 0)
		return path;
	if (path.len > dir.len && str_starts(path, dir) && path.ptr[dir.len] == '/')
		return str_slice(path, dir.len + 1, path.len);
	return STR_EMPTY;
}

bool synth_is_dir(const struct synth_paths *t, struct str path)
{
	if (path.len == 0)
		return true;
	for (size_t i = 0; i < t->count; i++) {
		if (synth_below(t, i, path).len)
			return true;
	}
	return false;
}

size_t synth_entry(
	const struct synth_paths *t, struct str dir, size_t i, struct str *name, bool *is_dir)
{
	struct str last = STR_EMPTY;
	for (size_t k = 0; k < t->count; k++) {
		struct str below = synth_below(t, k, dir);
		struct str first = str_cut(&below, '/');
		/* Rows of one directory are neighbours, because the table is sorted. */
		if (first.len == 0 || str_eq(first, last))
			continue;
		last = first;
		if (i-- == 0) {
			*name = first;
			*is_dir = below.len > 0;
			return k;
		}
	}
	return SYNTH_NONE;
}
