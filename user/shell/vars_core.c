/* vars_core.c - see vars_core.h. Entries stand one behind the other; VARS_BYTES steps at most. */
#include "user/shell/vars_core.h"
#include "lib/assert.h"

#define VARS_HEAD 3

void vars_init(struct vars *v)
{
	v->len = 0;
}

/* The entry at `at`; where the next one begins. */
static size_t vars_entry(const struct vars *v, size_t at, struct str *name, struct str *value)
{
	const uint8_t *head = (const uint8_t *)v->bytes + at;
	size_t name_len = head[0], value_len = head[1] | (size_t)head[2] << 8;
	assert(at + VARS_HEAD + name_len + value_len <= v->len);
	*name = str_of(v->bytes + at + VARS_HEAD, name_len);
	*value = str_of(v->bytes + at + VARS_HEAD + name_len, value_len);
	return at + VARS_HEAD + name_len + value_len;
}

bool vars_at(const struct vars *v, size_t i, struct str *name, struct str *value)
{
	for (size_t at = 0; at < v->len;) {
		at = vars_entry(v, at, name, value);
		if (i-- == 0)
			return true;
	}
	return false;
}

bool vars_get(const struct vars *v, struct str name, struct str *value)
{
	struct str n;
	for (size_t i = 0; vars_at(v, i, &n, value); i++)
		if (str_eq(n, name))
			return true;
	return false;
}

void vars_unset(struct vars *v, struct str name)
{
	struct str n, value;
	for (size_t at = 0, next; at < v->len; at = next) {
		next = vars_entry(v, at, &n, &value);
		if (str_eq(n, name)) {
			memmove(v->bytes + at, v->bytes + next, v->len - next);
			v->len -= next - at;
			return;
		}
	}
}

enum err vars_set(struct vars *v, struct str name, struct str value)
{
	struct str old = STR_EMPTY;
	size_t need = VARS_HEAD + name.len + value.len;
	bool there = vars_get(v, name, &old);
	if (name.len == 0 || name.len > VARS_NAME_MAX)
		return ERR_NAMETOOLONG;
	if (value.len > VARS_BYTES || v->len - (there ? VARS_HEAD + name.len + old.len : 0) + need > VARS_BYTES)
		return ERR_NOSPC;
	vars_unset(v, name);
	char *to = v->bytes + v->len;
	to[0] = (char)name.len;
	to[1] = (char)value.len;
	to[2] = (char)(value.len >> 8);
	memcpy(to + VARS_HEAD, name.ptr, name.len);
	memcpy(to + VARS_HEAD + name.len, value.ptr, value.len);
	v->len += need;
	return OK;
}
