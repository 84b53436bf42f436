/*
 * pattern_core.c - regular expressions; see pattern_core.h.
 *
 * A state is a set of bits: bit i says that atoms 0..i-1 have matched up to here. Bit `count` is a match.
 */
#include "user/shell/pattern_core.h"
#include "lib/assert.h"

enum pattern_kind { PATTERN_BYTE, PATTERN_ANY, PATTERN_SET, PATTERN_OTHERS };

/* ---- parsing ---- */

/* Takes one atom off *text. */
static enum err pattern_atom(struct str *text, struct pattern_atom *a)
{
	char c = text->ptr[0];
	size_t used = 1;
	*a = (struct pattern_atom){.set = str_slice(*text, 0, 1), .kind = PATTERN_BYTE};
	if (c == '.') {
		a->kind = PATTERN_ANY;
	} else if (c == '\\') {
		if (text->len < 2)
			return ERR_INVAL;
		a->set = str_slice(*text, 1, 2);
		used = 2;
	} else if (c == '[') {
		bool others = text->len > 1 && text->ptr[1] == '^';
		size_t from = others ? 2 : 1;
		/* A ] at the beginning is one of the set. */
		size_t len = text->len > from ? str_find_char(str_slice(*text, from + 1, text->len), ']') + 1 : 0;
		if (from + len >= text->len)
			return ERR_INVAL;
		a->kind = others ? PATTERN_OTHERS : PATTERN_SET;
		a->set = str_slice(*text, from, from + len);
		used = from + len + 1;
	}
	*text = str_slice(*text, used, text->len);
	return OK;
}

static void pattern_repeat(struct str *text, struct pattern_atom *a)
{
	char c = text->len ? text->ptr[0] : 0;
	if (c != '*' && c != '+' && c != '?')
		return;
	a->skip = c != '+';
	a->again = c != '?';
	*text = str_slice(*text, 1, text->len);
}

static enum err pattern_parse_fixed(struct pattern *p, struct str text)
{
	if (text.len > PATTERN_ATOMS)
		return ERR_RANGE;
	for (p->count = 0; p->count < text.len; p->count++)
		p->atom[p->count] = (struct pattern_atom){.set = str_slice(text, p->count, p->count + 1)};
	return OK;
}

enum err pattern_parse(struct pattern *p, struct str text, unsigned flags)
{
	p->count = 0;
	p->begin = p->end = false;
	p->nocase = flags & PATTERN_NOCASE;
	if (flags & PATTERN_FIXED)
		return pattern_parse_fixed(p, text);
	p->begin = str_starts(text, S("^"));
	text = str_slice(text, p->begin, text.len);
	while (text.len && !str_eq(text, S("$"))) {
		if (p->count == PATTERN_ATOMS)
			return ERR_RANGE;
		struct pattern_atom *a = &p->atom[p->count++];
		enum err err = pattern_atom(&text, a);
		if (err != OK)
			return err;
		pattern_repeat(&text, a);
	}
	p->end = text.len == 1;
	return OK;
}

/* ---- matching ---- */

static bool pattern_in_set(struct str set, char c)
{
	for (size_t i = 0; i < set.len; i++) {
		if (i + 2 < set.len && set.ptr[i + 1] == '-') {
			if ((uint8_t)set.ptr[i] <= (uint8_t)c && (uint8_t)c <= (uint8_t)set.ptr[i + 2])
				return true;
			i += 2;
		} else if (set.ptr[i] == c) {
			return true;
		}
	}
	return false;
}

static char pattern_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool pattern_byte(const struct pattern *p, const struct pattern_atom *a, char c)
{
	if (a->kind == PATTERN_ANY)
		return true;
	if (a->kind == PATTERN_BYTE)
		return p->nocase ? str_lower(c) == str_lower(a->set.ptr[0]) : c == a->set.ptr[0];
	bool in = pattern_in_set(a->set, c);
	if (p->nocase)
		in = in || pattern_in_set(a->set, str_lower(c)) || pattern_in_set(a->set, pattern_upper(c));
	return in == (a->kind == PATTERN_SET);
}

/* With the places behind atoms that may be left out. */
static uint64_t pattern_close(const struct pattern *p, uint64_t state)
{
	for (size_t i = 0; i < p->count; i++)
		if ((state >> i & 1) && p->atom[i].skip)
			state |= UINT64_C(2) << i;
	return state;
}

static uint64_t pattern_step(const struct pattern *p, uint64_t state, char c)
{
	uint64_t next = 0;
	for (size_t i = 0; i < p->count; i++)
		if ((state >> i & 1) && pattern_byte(p, &p->atom[i], c))
			next |= UINT64_C(2) << i | (p->atom[i].again ? UINT64_C(1) << i : 0);
	return next;
}

bool pattern_match(const struct pattern *p, struct str line)
{
	static_assert(PATTERN_ATOMS < 64, "a bit for each place");
	uint64_t found = UINT64_C(1) << p->count, state = pattern_close(p, 1);
	for (size_t at = 0;; at++) {
		if ((state & found) && (!p->end || at == line.len))
			return true;
		if (at == line.len)
			return false;
		state = pattern_step(p, state, line.ptr[at]);
		if (!p->begin)
			state |= 1;
		state = pattern_close(p, state);
	}
}
