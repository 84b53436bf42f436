/*
 * str.c - text as pointer and length (contract: lib/str.h).
 */
#include "lib/str.h"

static bool str_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool str_is_space(char c)
{
	return str_is_blank(c) || c == '\r' || c == '\n';
}

struct str str_of_cstr(const char *s, size_t max)
{
	size_t len = 0;
	while (len < max && s[len] != '\0')
		len++;
	return str_of(s, len);
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (str_lower(a.ptr[i]) != str_lower(b.ptr[i]))
			return false;
	}
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t common = min(a.len, b.len);
	int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

struct str str_trim(struct str s)
{
	size_t from = 0;
	size_t to = s.len;
	while (from < to && str_is_space(s.ptr[from]))
		from++;
	while (to > from && str_is_space(s.ptr[to - 1]))
		to--;
	return str_slice(s, from, to);
}

size_t str_find_char(struct str s, char c)
{
	size_t i = 0;
	while (i < s.len && s.ptr[i] != c)
		i++;
	return i;
}

size_t str_find(struct str s, struct str needle)
{
	for (size_t i = 0; needle.len <= s.len - i; i++) {
		if (str_eq(str_slice(s, i, i + needle.len), needle))
			return i;
		if (i == s.len)
			break;
	}
	return s.len;
}

struct str str_cut(struct str *s, char sep)
{
	size_t at = str_find_char(*s, sep);
	struct str before = str_slice(*s, 0, at);
	*s = str_slice(*s, at + 1, s->len);
	return before;
}

struct str str_word(struct str *s)
{
	size_t from = 0;
	while (from < s->len && str_is_blank(s->ptr[from]))
		from++;
	size_t to = from;
	while (to < s->len && !str_is_blank(s->ptr[to]))
		to++;
	struct str word = str_slice(*s, from, to);
	*s = str_slice(*s, to, s->len);
	return word;
}

/* The value of a digit, or one that no base has. */
static unsigned str_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (str_lower(c) >= 'a' && str_lower(c) <= 'f')
		return (unsigned)(str_lower(c) - 'a') + 10;
	return 255;
}

struct u64_result str_to_u64(struct str s, unsigned base)
{
	uint64_t value = 0;
	bool too_large = false;

	if (s.len == 0)
		return ERR_RESULT(u64_result, ERR_INVAL);
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = str_digit(s.ptr[i]);
		if (digit >= base)
			return ERR_RESULT(u64_result, ERR_INVAL);
		too_large |= __builtin_mul_overflow(value, base, &value);
		too_large |= __builtin_add_overflow(value, digit, &value);
	}
	return too_large ? ERR_RESULT(u64_result, ERR_RANGE) : OK_RESULT(u64_result, value);
}

struct i64_result str_to_i64(struct str s)
{
	bool negative = s.len > 0 && s.ptr[0] == '-';
	struct u64_result r = str_to_u64(str_slice(s, negative, s.len), 10);

	if (r.err != OK)
		return ERR_RESULT(i64_result, r.err);
	if (r.value > (uint64_t)INT64_MAX + negative)
		return ERR_RESULT(i64_result, ERR_RANGE);
	return OK_RESULT(i64_result, (int64_t)(negative ? -r.value : r.value));
}
