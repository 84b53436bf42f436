/* units_core.c - durations and sizes as text; see units_core.h. */
#include "user/shell/units_core.h"
#include "lib/fmt.h"

static int64_t duration_unit(struct str s, int64_t none)
{
	static const struct {
		struct str name;
		int64_t ns;
	} units[] = {{STR_INIT("ns"), 1}, {STR_INIT("us"), NS_PER_US}, {STR_INIT("ms"), NS_PER_MS}, {STR_INIT("s"), NS_PER_S},
		{STR_INIT("m"), 60 * NS_PER_S}, {STR_INIT("h"), 3600 * NS_PER_S}};
	if (s.len == 0)
		return none;
	for (size_t i = 0; i < countof(units); i++)
		if (str_eq(s, units[i].name))
			return units[i].ns;
	return 0;
}

static size_t digits_at(struct str s, size_t at)
{
	size_t n = 0;
	while (at + n < s.len && s.ptr[at + n] >= '0' && s.ptr[at + n] <= '9')
		n++;
	return n;
}

struct i64_result duration_parse(struct str s, int64_t unit_ns)
{
	size_t whole = digits_at(s, 0), at = whole, fraction = 0;
	if (at < s.len && s.ptr[at] == '.') {
		fraction = digits_at(s, ++at);
		at += fraction;
	}
	int64_t unit = duration_unit(str_slice(s, at, s.len), unit_ns), total = 0;
	if (whole + fraction == 0 || unit == 0)
		return ERR_RESULT(i64_result, ERR_INVAL);
	for (size_t i = 0; i < whole; i++)
		if (__builtin_mul_overflow(total, 10, &total) || __builtin_add_overflow(total, s.ptr[i] - '0', &total))
			return ERR_RESULT(i64_result, ERR_RANGE);
	if (__builtin_mul_overflow(total, unit, &total))
		return ERR_RESULT(i64_result, ERR_RANGE);
	/* Digits behind the point: a tenth, a hundredth ... of the unit, down to a nanosecond. */
	for (size_t i = 0; i < fraction; i++) {
		int64_t digit = s.ptr[whole + 1 + i] - '0';
		if (__builtin_add_overflow(total, unit * digit / 10, &total))
			return ERR_RESULT(i64_result, ERR_RANGE);
		unit = unit % 10 == 0 ? unit / 10 : 0;
	}
	return OK_RESULT(i64_result, total);
}

void thousandths_render(struct abuf *out, int64_t v)
{
	uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;
	fmt(out, "%s%llu.%03llu", v < 0 ? "-" : "", (unsigned long long)(size / 1000), (unsigned long long)(size % 1000));
}

void tenths_render(struct abuf *out, uint64_t v)
{
	fmt(out, "%llu.%llu", (unsigned long long)(v / 10), (unsigned long long)(v % 10));
}

void duration_render(struct abuf *out, int64_t ns)
{
	static const char *const names[] = {"ns", "us", "ms", "s"};
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, rest = 0;
	unsigned unit = 0;
	while (unit < 3 && size >= 1000) {
		rest = size % 1000;
		size /= 1000;
		unit++;
	}
	fmt(out, "%s%llu", ns < 0 ? "-" : "", (unsigned long long)size);
	if (rest % 10)
		fmt(out, ".%03llu", (unsigned long long)rest);
	else if (rest % 100)
		fmt(out, ".%02llu", (unsigned long long)(rest / 10));
	else if (rest)
		fmt(out, ".%llu", (unsigned long long)(rest / 100));
	if (ns != 0)
		fmt(out, "%s", names[unit]);
}

void bytes_render(struct abuf *out, uint64_t bytes)
{
	static const char names[] = "KMGTPE";
	if (bytes < 1024) {
		fmt_u64(out, bytes);
		return;
	}
	unsigned unit = 0;
	uint64_t size = bytes;
	while (size >= 1024 * 1024) {
		size /= 1024;
		unit++;
	}
	uint64_t tenths = size * 10 / 1024;
	if (tenths < 100)
		tenths_render(out, tenths);
	else
		fmt_u64(out, tenths / 10);
	abuf_char_add(out, names[unit]);
}

void uptime_render(struct abuf *out, int64_t ns)
{
	uint64_t s = (uint64_t)ns / NS_PER_S, days = s / 86400;
	if (days)
		fmt(out, "%llu day%s, ", (unsigned long long)days, days == 1 ? "" : "s");
	fmt(out, "%llu:%02llu:%02llu", (unsigned long long)(s / 3600 % 24), (unsigned long long)(s / 60 % 60),
		(unsigned long long)(s % 60));
}
