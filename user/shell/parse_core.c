/*
 * parse_core.c - see parse_core.h. One pass over a line, which looks at each byte a bounded number of times.
 */
#include "user/shell/parse_core.h"
#include "lib/assert.h"

static bool parse_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool parse_ends_word(char c)
{
	return parse_is_blank(c) || c == '\n' || c == '|' || c == '&' || c == ';' || c == '<' || c == '>';
}

static bool parse_begins_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool parse_goes_on_name(char c)
{
	return parse_begins_name(c) || (c >= '0' && c <= '9');
}

/* How many bytes at the front of s are a name. */
static size_t parse_name(struct str s)
{
	size_t n = 0;
	if (s.len == 0 || !parse_begins_name(s.ptr[0]))
		return 0;
	while (n < s.len && parse_goes_on_name(s.ptr[n]))
		n++;
	return n;
}

bool parse_is_name(struct str s)
{
	return s.len > 0 && parse_name(s) == s.len;
}

bool parse_is_assignment(struct str word, struct str *name, struct str *value)
{
	size_t n = parse_name(word);
	if (n == 0 || n == word.len || word.ptr[n] != '=')
		return false;
	*name = str_slice(word, 0, n);
	*value = str_slice(word, n + 1, word.len);
	return true;
}

size_t parse_word(struct str s, char *open)
{
	char quote = 0;
	size_t i = 0;
	for (; i < s.len && (quote || !parse_ends_word(s.ptr[i])); i++) {
		char c = s.ptr[i];
		if (c == '\\' && quote != '\'')
			i += i + 1 < s.len;
		else if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
	}
	*open = quote;
	return i;
}

/* ---- what a word stands for ---- */

/* The variable at the $ at the front: its name, and how many bytes; 0: it is no variable. */
static size_t parse_variable(struct str s, struct str *name)
{
	struct str rest = str_slice(s, 1, s.len);
	bool braces = rest.len && rest.ptr[0] == '{';
	rest = str_slice(rest, braces, rest.len);
	size_t n = rest.len && rest.ptr[0] == '?' ? 1 : parse_name(rest);
	*name = str_slice(rest, 0, n);
	if (n == 0 || (braces && (n == rest.len || rest.ptr[n] != '}')))
		return 0;
	return 1 + n + 2u * braces;
}

/* Inside of double quotes a backslash is text before all but these. */
static bool parse_escapes(char quote, char c)
{
	return !quote || c == '"' || c == '\\' || c == '$' || c == '`';
}

bool parse_expand(struct str word, parse_lookup_fn *lookup, void *arg, struct abuf *out)
{
	bool quoted = false;
	char quote = 0;
	size_t before = out->len;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.ptr[i];
		struct str name;
		size_t n;
		if (c == '\\' && quote != '\'' && i + 1 < word.len && parse_escapes(quote, word.ptr[i + 1])) {
			abuf_char_add(out, word.ptr[++i]);
			quoted = true;
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			quoted = true;
		} else if (c == '$' && quote != '\'' && lookup &&
			   (n = parse_variable(str_slice(word, i, word.len), &name)) > 0) {
			abuf_str_add(out, lookup(arg, name));
			i += n - 1;
		} else {
			abuf_char_add(out, c);
		}
	}
	return quoted || out->len > before || out->overflow;
}

/* ---- a pipeline ---- */

static enum parse_result parse_fail(struct parse_failure *f, struct str why, struct str near)
{
	*f = (struct parse_failure){why, str_slice(near, 0, 16)};
	return PARSE_FAILED;
}

static void parse_skip_blanks(struct str *s)
{
	size_t n = 0;
	while (n < s->len && parse_is_blank(s->ptr[n]))
		n++;
	*s = str_slice(*s, n, s->len);
	if (s->len && s->ptr[0] == '#')
		*s = str_slice(*s, str_find_char(*s, '\n'), s->len);
}

static bool parse_takes(struct str *s, struct str token)
{
	if (!str_starts(*s, token))
		return false;
	*s = str_slice(*s, token.len, s->len);
	return true;
}

/* What a word may not have in it, where it is not quoted. */
static enum parse_result parse_check_word(struct str word, struct parse_failure *f)
{
	char quote = 0;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.ptr[i];
		struct str rest = str_slice(word, i, word.len), name;
		if (c == '\\' && quote != '\'')
			i++;
		else if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
		else if (quote != '\'' && (c == '`' || str_starts(rest, S("$("))))
			return parse_fail(f, S("commands cannot be substituted"), rest);
		else if (quote != '\'' && str_starts(rest, S("${")) && parse_variable(rest, &name) == 0)
			return parse_fail(f, S("${NAME} wants a name"), rest);
	}
	return PARSE_OK;
}

static enum parse_result parse_take_word(struct str *s, struct str *word, struct parse_failure *f)
{
	char open;
	size_t n = parse_word(*s, &open);
	*word = str_slice(*s, 0, n);
	if (open)
		return parse_fail(f, S("a quote is not closed"), *word);
	if (n > 0 && word->ptr[n - 1] == '\\' && (n == 1 || word->ptr[n - 2] != '\\') && n == s->len)
		return parse_fail(f, S("nothing behind the backslash"), *word);
	*s = str_slice(*s, n, s->len);
	return parse_check_word(*word, f);
}

static enum parse_result parse_take_target(struct str *s, struct str *target, struct parse_failure *f)
{
	parse_skip_blanks(s);
	if (s->len == 0 || parse_ends_word(s->ptr[0]))
		return parse_fail(f, S("a file name is missing"), *s);
	if (target->ptr)
		return parse_fail(f, S("redirected twice"), *s);
	return parse_take_word(s, target, f);
}

/* PARSE_END: there is no redirection at the front. */
static enum parse_result parse_redirection(struct str *s, struct parse_stage *g, struct parse_failure *f)
{
	if (parse_takes(s, S("2>&1"))) {
		g->error_to_out = true;
		return PARSE_OK;
	}
	if (parse_takes(s, S("2>>"))) {
		g->error_append = true;
		return parse_take_target(s, &g->error, f);
	}
	if (parse_takes(s, S("2>")))
		return parse_take_target(s, &g->error, f);
	if (parse_takes(s, S(">>"))) {
		g->append = true;
		return parse_take_target(s, &g->out, f);
	}
	if (parse_takes(s, S(">")))
		return parse_take_target(s, &g->out, f);
	if (str_starts(*s, S("<<")))
		return parse_fail(f, S("there are no here-documents"), *s);
	if (parse_takes(s, S("<")))
		return parse_take_target(s, &g->in, f);
	return PARSE_END;
}

static enum parse_result parse_add_word(struct str *s, struct parse_pipeline *p, struct parse_stage *g,
	struct parse_failure *f)
{
	struct str name, value, word;
	enum parse_result r = parse_take_word(s, &word, f);
	size_t at = (size_t)g->first + g->assigns + g->words;
	if (r != PARSE_OK)
		return r;
	if (at == PARSE_WORDS_MAX)
		return parse_fail(f, S("too many words"), word);
	p->words[at] = word;
	if (g->words == 0 && parse_is_assignment(word, &name, &value))
		g->assigns++;
	else
		g->words++;
	return PARSE_OK;
}

/* A command up to what ends it. */
static enum parse_result parse_command(struct str *s, struct parse_pipeline *p, struct parse_stage *g,
	struct parse_failure *f)
{
	for (;;) {
		parse_skip_blanks(s);
		enum parse_result r = parse_redirection(s, g, f);
		if (r == PARSE_FAILED)
			return r;
		if (r == PARSE_OK)
			continue;
		if (s->len == 0 || parse_ends_word(s->ptr[0]))
			return PARSE_OK;
		r = parse_add_word(s, p, g, f);
		if (r != PARSE_OK)
			return r;
	}
}

static bool parse_stage_is_empty(const struct parse_stage *g)
{
	return g->words == 0 && g->assigns == 0 && !g->in.ptr && !g->out.ptr && !g->error.ptr;
}

static enum parse_result parse_stages(struct str *s, struct parse_pipeline *p, struct parse_failure *f)
{
	size_t words = 0;
	for (p->count = 0;;) {
		if (p->count == PARSE_STAGES_MAX)
			return parse_fail(f, S("too many commands in a pipeline"), *s);
		struct parse_stage *g = &p->stages[p->count];
		struct str begin = *s;
		*g = (struct parse_stage){.first = (uint8_t)words};
		enum parse_result r = parse_command(s, p, g, f);
		if (r != PARSE_OK)
			return r;
		if (parse_stage_is_empty(g))
			return parse_fail(f, S("a command is missing"), begin);
		words += (size_t)g->assigns + g->words;
		p->count++;
		bool pipe = str_starts(*s, S("|")) && !str_starts(*s, S("||"));
		if (g->words == 0 && (pipe || p->count > 1))
			return parse_fail(f, S("a command is missing"), begin);
		if (!pipe)
			return PARSE_OK;
		*s = str_slice(*s, 1, s->len);
	}
}

/* What ends the pipeline says whether it waits, and when the next one runs. */
static enum parse_result parse_separator(struct parse_cursor *c, struct parse_pipeline *p, struct parse_failure *f)
{
	struct str *s = &c->rest, at = *s;
	c->join = PARSE_ALWAYS;
	if (parse_takes(s, S("&&")))
		c->join = PARSE_AND;
	else if (parse_takes(s, S("||")))
		c->join = PARSE_OR;
	else if (parse_takes(s, S("&")))
		p->background = true;
	else if (s->len)
		*s = str_slice(*s, 1, s->len); /* ; or a newline */
	if (p->background && p->join != PARSE_ALWAYS)
		return parse_fail(f, S("& goes with a single pipeline, not behind && or ||"), at);
	if (c->join == PARSE_ALWAYS)
		return PARSE_OK;
	parse_skip_blanks(s);
	return s->len ? PARSE_OK : parse_fail(f, S("a command is missing"), at);
}

enum parse_result parse_next(struct parse_cursor *c, struct parse_pipeline *p, struct parse_failure *f)
{
	do
		parse_skip_blanks(&c->rest);
	while (parse_takes(&c->rest, S("\n")));
	if (c->rest.len == 0)
		return PARSE_END;
	struct str begin = c->rest;
	p->join = c->join;
	p->background = false;
	enum parse_result r = parse_stages(&c->rest, p, f);
	if (r != PARSE_OK)
		return r;
	p->source = str_trim(str_slice(begin, 0, begin.len - c->rest.len));
	return parse_separator(c, p, f);
}
