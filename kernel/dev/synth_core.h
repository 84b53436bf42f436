/*
 * synth_core.h - lookups in a table of paths, sorted by path, in which directories
 * are only implied by the paths of what is in them. "" is the root.
 */
#ifndef KERNEL_DEV_SYNTH_CORE_H
#define KERNEL_DEV_SYNTH_CORE_H

#include "lib/str.h"

/* Any table whose rows begin with a struct str. */
struct synth_paths {
	const void *rows;
	size_t count, stride;
};

#define SYNTH_NONE SIZE_MAX

struct str synth_path(const struct synth_paths *t, size_t i);
/* The row of a path, or SYNTH_NONE. */
size_t synth_find(const struct synth_paths *t, struct str path);
bool synth_is_dir(const struct synth_paths *t, struct str path);
/* The ith entry of a directory: the row that implies it, *name its name, *is_dir its kind. */
size_t synth_entry(
	const struct synth_paths *t, struct str dir, size_t i, struct str *name, bool *is_dir);

#endif
