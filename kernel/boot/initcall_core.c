/*
 * initcall_core.c - sorts the graph of init functions. At most INITCALL_MAX of
 * them, so that quadratic work is a few thousand steps.
 */
#include "kernel/boot/initcall_core.h"


static struct str initcall_str(const char *s)
{
	return str_of_cstr(s, INITCALL_NAME_MAX);
}

static size_t initcall_find(const struct initcall *table, size_t count, struct str name)
{
	size_t i = 0;
	while (i < count && !str_eq(initcall_str(table[i].name), name))
		i++;
	return i;
}

/* The first need of table[i] that is not done; empty when all are. */
static struct str initcall_waits_for(const struct initcall *table, size_t count, size_t i,
	const bool *done)
{
	for (size_t n = 0; n < INITCALL_NEEDS_MAX && table[i].needs[n]; n++) {
		struct str need = initcall_str(table[i].needs[n]);
		if (!done[initcall_find(table, count, need)])
			return need;
	}
	return STR_EMPTY;
}

static bool initcall_names_fit(const struct initcall *table, size_t count,
	struct initcall_order *out)
{
	for (size_t i = 0; i < count; i++) {
		out->who = initcall_str(table[i].name);
		if (initcall_find(table, count, out->who) != i) {
			out->need = out->who;
			out->err = ERR_EXIST;
			return false;
		}
		for (size_t n = 0; n < INITCALL_NEEDS_MAX && table[i].needs[n]; n++) {
			out->need = initcall_str(table[i].needs[n]);
			if (initcall_find(table, count, out->need) == count) {
				out->err = ERR_NOENT;
				return false;
			}
		}
	}
	return true;
}

/* The undone one with the least name that waits for nothing; count when there is none. */
static size_t initcall_ready(const struct initcall *table, size_t count, const bool *done)
{
	size_t best = count;
	for (size_t i = 0; i < count; i++) {
		if (done[i] || initcall_waits_for(table, count, i, done).len)
			continue;
		if (best == count ||
			str_cmp(initcall_str(table[i].name), initcall_str(table[best].name)) < 0)
			best = i;
	}
	return best;
}

/* Follows what waits for what; after `count` steps it is on a circle. */
static void initcall_name_circle(const struct initcall *table, size_t count, const bool *done,
	struct initcall_order *out)
{
	size_t i = 0;
	while (done[i])
		i++;
	for (size_t step = 0; step < count; step++)
		i = initcall_find(table, count, initcall_waits_for(table, count, i, done));
	out->err = ERR_DEADLK;
	out->who = initcall_str(table[i].name);
	out->need = initcall_waits_for(table, count, i, done);
}

void initcall_sort(const struct initcall *table, size_t count, struct initcall_order *out)
{
	bool done[INITCALL_MAX] = {false};
	*out = (struct initcall_order){.err = OK};
	if (count > INITCALL_MAX) {
		out->err = ERR_RANGE;
		return;
	}
	if (!initcall_names_fit(table, count, out))
		return;
	while (out->count < count) {
		size_t i = initcall_ready(table, count, done);
		if (i == count) {
			initcall_name_circle(table, count, done, out);
			return;
		}
		done[i] = true;
		out->index[out->count++] = (uint8_t)i;
	}
	out->who = out->need = STR_EMPTY;
}
