/*
 * char.c - the registry of character devices. They are never removed, so a reader
 * needs no lock: the count is published after the entry.
 */
#include "kernel/dev/dev.h"

#define CHARDEV_MAX 16

static struct chardev *chardev_table[CHARDEV_MAX];
static uint32_t chardev_count; /* written by the boot thread */

struct chardev *chardev_find(struct str name)
{
	uint32_t n = __atomic_load_n(&chardev_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < n; i++)
		if (str_eq(chardev_table[i]->name, name))
			return chardev_table[i];
	return NULL;
}

enum err chardev_register(struct chardev *c)
{
	uint32_t n = chardev_count;
	if (chardev_find(c->name) != NULL)
		return ERR_EXIST;
	if (n == CHARDEV_MAX)
		return ERR_NOSPC;
	chardev_table[n] = c;
	__atomic_store_n(&chardev_count, n + 1, __ATOMIC_RELEASE);
	return OK;
}
