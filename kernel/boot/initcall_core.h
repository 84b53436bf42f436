/*
 * initcall_core.h - the order in which init functions run: each behind all that it
 * needs, and otherwise in the order of the names, so that every boot and every
 * linker give the same.
 */
#ifndef KERNEL_BOOT_INITCALL_CORE_H
#define KERNEL_BOOT_INITCALL_CORE_H

#include "lib/initcall.h"
#include "lib/str.h"

#define INITCALL_NAME_MAX 64
#define INITCALL_MAX 128

struct initcall_order {
	enum err err;  /* OK; ERR_NOENT: missing; ERR_DEADLK: circular; ERR_EXIST: two of one name; ERR_RANGE */
	struct str who, need; /* the two that do not fit; for ERR_RANGE empty */
	size_t count;
	uint8_t index[INITCALL_MAX]; /* into the table, in order */
};

void initcall_sort(const struct initcall *table, size_t count, struct initcall_order *out);

#endif
