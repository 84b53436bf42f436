/*
 * columns_core.h - lines of words as a table: measured first, then rendered.
 *
 *	columns_measure(&c, line)           for each line; a zeroed c to begin with. The first one is the heads
 *	columns_render(&c, line, &out)      for each again
 *
 * A column in which all but the head are numbers stands to the right, others to the left. Words behind the last of
 * COLUMNS_MAX follow as they are. Pure.
 */
#ifndef USER_SHELL_COLUMNS_CORE_H
#define USER_SHELL_COLUMNS_CORE_H

#include "lib/buf.h"

#define COLUMNS_MAX 24

struct columns {
	size_t count;
	bool headed;
	uint16_t width[COLUMNS_MAX];
	bool words[COLUMNS_MAX]; /* something in it is not a number */
};

void columns_measure(struct columns *c, struct str line);
void columns_render(const struct columns *c, struct str line, struct abuf *out);

#endif
