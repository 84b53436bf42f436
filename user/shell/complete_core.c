/* complete_core.c - see complete_core.h. */
#include "user/shell/complete_core.h"
#include "user/shell/parse_core.h"
#include "lib/utf8.h"

/* What stands at the cursor, at the place that `c` has reached. */
static void complete_word(struct str word, struct abuf *prefix, struct complete *c)
{
	struct str rest = str_slice(word, 1, word.len);
	if (word.len && word.ptr[0] == '$' && (rest.len == 0 || parse_is_name(rest))) {
		c->kind = COMPLETE_VARIABLE;
		abuf_str_add(prefix, rest);
		return;
	}
	if (word.len && (word.ptr[0] == '"' || word.ptr[0] == '\''))
		c->quote = word.ptr[0];
	if (str_find_char(word, '$') < word.len && c->quote != '\'')
		c->kind = COMPLETE_NOTHING; /* it would have to be replaced by its value */
	parse_expand(word, NULL, NULL, prefix);
}

void complete_find(struct str line, size_t cursor, struct abuf *prefix, struct complete *c)
{
	struct str name, value;
	enum complete_kind redirected = COMPLETE_NOTHING;
	size_t at = 0;
	char open;
	*c = (struct complete){.kind = COMPLETE_COMMAND};
	line = str_slice(line, 0, cursor);
	for (;;) {
		while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
			at++;
		struct str rest = str_slice(line, at, line.len);
		size_t n = parse_word(rest, &open);
		c->from = at;
		if (rest.len && rest.ptr[0] == '#') {
			c->kind = COMPLETE_NOTHING;
			return;
		}
		if (n == rest.len)
			break;
		if (n == 0) {
			if (rest.ptr[0] == '<' || rest.ptr[0] == '>')
				redirected = COMPLETE_FILE;
			else
				*c = (struct complete){.kind = COMPLETE_COMMAND};
			at++;
			continue;
		}
		struct str word = str_slice(rest, 0, n);
		bool is_digit = str_eq(word, S("2")) && n < rest.len && rest.ptr[n] == '>';
		if (redirected == COMPLETE_FILE) {
			redirected = COMPLETE_NOTHING;
		} else if (c->kind == COMPLETE_ARGUMENT) {
			c->argument += !is_digit;
		} else if (!parse_is_assignment(word, &name, &value)) {
			c->kind = COMPLETE_ARGUMENT;
			c->command = word;
		}
		at += n;
	}
	if (redirected == COMPLETE_FILE)
		c->kind = COMPLETE_FILE;
	complete_word(str_slice(line, at, line.len), prefix, c);
}

void complete_begin(struct complete_set *s, struct str prefix)
{
	s->prefix = prefix;
	s->count = 0;
	s->common_len = 0;
}

static bool complete_is_shown(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((uint8_t)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
			return false;
	return name.len <= COMPLETE_NAME_MAX && utf8_is_valid(name);
}

bool complete_offer(struct complete_set *s, struct str name)
{
	if (!str_starts(name, s->prefix) || !complete_is_shown(name))
		return false;
	if (s->count++ == 0) {
		memcpy(s->common, name.ptr, name.len);
		s->common_len = name.len;
		return true;
	}
	size_t n = 0;
	while (n < s->common_len && n < name.len && s->common[n] == name.ptr[n])
		n++;
	while (n > 0 && n < s->common_len && ((uint8_t)s->common[n] & 0xc0) == 0x80)
		n--; /* not in the middle of a character */
	s->common_len = n;
	return true;
}

static bool complete_is_special(char c, char quote)
{
	struct str special = quote == '"' ? S("\"\\$`") : quote ? S("") : S(" \t|&;<>#$\"'\\`*?()[]{}!~");
	return str_find_char(special, c) < special.len;
}

void complete_write(const struct complete *c, struct str text, bool final, struct abuf *out)
{
	char quote = c->quote;
	if (c->kind == COMPLETE_VARIABLE)
		abuf_char_add(out, '$');
	if (quote == '\'' && str_find_char(text, '\'') < text.len)
		quote = '"';
	if (quote)
		abuf_char_add(out, quote);
	for (size_t i = 0; i < text.len; i++) {
		if (complete_is_special(text.ptr[i], quote))
			abuf_char_add(out, '\\');
		abuf_char_add(out, text.ptr[i]);
	}
	if (final && quote)
		abuf_char_add(out, quote);
	if (final)
		abuf_char_add(out, ' ');
}
