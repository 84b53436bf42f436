/*
 * units_core.h - durations, sizes and shares as people write and read them. Pure.
 */
#ifndef USER_SHELL_UNITS_CORE_H
#define USER_SHELL_UNITS_CORE_H

#include "lib/buf.h"
#include "lib/ktime.h"
#include "lib/result.h"

/*
 * "200us", "1.5ms", "2", with ns, us, ms, s, m or h; without one `unit_ns` counts. ERR_INVAL: no duration; ERR_RANGE:
 * more than 292 years. What is finer than a nanosecond is cut off.
 */
must_check struct i64_result duration_parse(struct str s, int64_t unit_ns);
void duration_render(struct abuf *out, int64_t ns);   /* "0", "950ns", "1.25ms", "-3us": exact to a thousandth */
void thousandths_render(struct abuf *out, int64_t v); /* "1.250", "-0.001" */
void tenths_render(struct abuf *out, uint64_t v);     /* "12.3" */
void bytes_render(struct abuf *out, uint64_t bytes);  /* "512", "1.5K", "253M": rounded down */
void uptime_render(struct abuf *out, int64_t ns);     /* "3 days, 4:05:06" */

#endif
