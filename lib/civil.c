/*
 * civil.c - the date of an instant; see civil.h.
 *
 * Reference: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": a year that begins in March has its leap day
 * at the end.
 */
#include "lib/civil.h"
#include "lib/fmt.h"

#define DAYS_PER_ERA       146097 /* 400 years: whole weeks */
#define EPOCH_FROM_MARCH_0 719468 /* days from the first of March of the year 0 to 1970 */
#define MARCH_0_WEEKDAY    3      /* a Wednesday */

struct civil civil_of(int64_t unix_s)
{
	int64_t days = unix_s / 86400, second = unix_s % 86400;
	if (second < 0) {
		second += 86400;
		days--;
	}
	days += EPOCH_FROM_MARCH_0;
	int64_t era = (days >= 0 ? days : days - DAYS_PER_ERA + 1) / DAYS_PER_ERA;
	uint32_t doe = (uint32_t)(days - era * DAYS_PER_ERA);
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint32_t mp = (5 * doy + 2) / 153;
	uint32_t month = mp < 10 ? mp + 3 : mp - 9;
	return (struct civil){.year = yoe + era * 400 + (month <= 2), .month = (uint8_t)month,
		.day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1), .hour = (uint8_t)(second / 3600),
		.minute = (uint8_t)(second / 60 % 60), .second = (uint8_t)(second % 60),
		.weekday = (uint8_t)((doe + MARCH_0_WEEKDAY) % 7)};
}

void civil_render(struct abuf *out, int64_t unix_s)
{
	struct civil c = civil_of(unix_s);
	fmt(out, "%04lld-%02u-%02uT%02u:%02u:%02uZ", (long long)c.year, c.month, c.day, c.hour, c.minute, c.second);
}
