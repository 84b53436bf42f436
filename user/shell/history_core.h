/*
 * history_core.h - the last lines that were entered: as many as fit, the oldest give way.
 *
 * A line has no newline in it. An empty one, one that begins with a space, and one that equals the last are not kept.
 */
#ifndef USER_SHELL_HISTORY_CORE_H
#define USER_SHELL_HISTORY_CORE_H

#include "lib/str.h"

#define HISTORY_BYTES 4096

struct history {
	uint64_t added;  /* since the beginning: the newest has this number */
	uint32_t count;  /* that are kept */
	size_t len;
	char bytes[HISTORY_BYTES]; /* the oldest first, a newline behind each */
};

void history_init(struct history *h);
/* Longer than half of the room: not kept. */
void history_add(struct history *h, struct str line);
/* The back-th last, 1: the newest. False: there are not so many. The text lives until the next history_add(). */
must_check bool history_at(const struct history *h, uint32_t back, struct str *line);
/* The newest from the back-th last on that contains the text: which; 0: none. */
uint32_t history_search(const struct history *h, uint32_t back, struct str text);

#endif
