/*
 * civil.h - dates: what an instant is called in UTC, by the proleptic Gregorian calendar.
 *
 *	c = civil_of(unix_s)            seconds since 1970, before it too; leap seconds have no name
 *	civil_render(out, unix_s)       ISO 8601: "2024-02-29T23:59:59Z"
 *
 * Context: any.
 */
#ifndef LIB_CIVIL_H
#define LIB_CIVIL_H

#include "lib/buf.h"

struct civil {
	int64_t year;
	uint8_t month, day; /* from 1 */
	uint8_t weekday;    /* from 0, which is a Sunday */
	uint8_t hour, minute, second;
};

struct civil civil_of(int64_t unix_s);
void civil_render(struct abuf *out, int64_t unix_s);

#endif
