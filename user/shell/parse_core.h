/*
 * parse_core.h - a line as pipelines of commands with words, and what a word stands for.
 *
 *	struct parse_cursor c = parse_begin(line);
 *	while ((r = parse_next(&c, &pipeline, &failure)) == PARSE_OK)      run it, or only look whether the line is good
 *	parse_expand(word, lookup, arg, &out)                              when it is run
 *
 * The grammar, of the usual shells what a line needs:
 *
 *	line      pipeline { (";" | "&" | "&&" | "||" | newline) pipeline }
 *	pipeline  command { "|" command }
 *	command   { NAME=word } { word | "<" word | ">" word | ">>" word | "2>" word | "2>>" word | "2>&1" }
 *
 * 'text' is text, "text" knows \" \\ \$ \` and variables, \c is c; $NAME ${NAME} $? are variables, whose value stays
 * one word; # begins a comment where a word might begin. There are no patterns, no substitution of commands, no groups.
 * Words are slices of the line, with their quotes: the line must live as long as what was parsed.
 */
#ifndef USER_SHELL_PARSE_CORE_H
#define USER_SHELL_PARSE_CORE_H

#include "lib/buf.h"

#define PARSE_WORDS_MAX  64 /* of a pipeline */
#define PARSE_STAGES_MAX 8

enum parse_join { PARSE_ALWAYS, PARSE_AND, PARSE_OR }; /* whether a pipeline runs, by the status of the last one */

struct parse_stage {
	uint8_t first;   /* of its words */
	uint8_t assigns; /* so many NAME=word, then */
	uint8_t words;   /* so many that name the command and its arguments */
	bool append, error_append, error_to_out;
	struct str in, out, error; /* ptr NULL: not redirected */
};

struct parse_pipeline {
	enum parse_join join;
	bool background;
	size_t count;
	struct parse_stage stages[PARSE_STAGES_MAX];
	struct str words[PARSE_WORDS_MAX];
	struct str source; /* of the line, as it was written */
};

struct parse_failure {
	struct str why, near; /* near: of the line; may be empty */
};

struct parse_cursor {
	struct str rest;
	enum parse_join join;
};

enum parse_result { PARSE_OK, PARSE_END, PARSE_FAILED };

static inline struct parse_cursor parse_begin(struct str line)
{
	return (struct parse_cursor){.rest = line};
}
enum parse_result parse_next(struct parse_cursor *c, struct parse_pipeline *p, struct parse_failure *f);

/* ---- words ---- */

/* Bytes of the word at the front of s, quotes included; *open: the quote it ends in, 0: none. */
size_t parse_word(struct str s, char *open);
bool parse_is_name(struct str s); /* [A-Za-z_][A-Za-z0-9_]* */
bool parse_is_assignment(struct str word, struct str *name, struct str *value);

/* The value of a variable, "?" too; empty: there is none. */
typedef struct str parse_lookup_fn(void *arg, struct str name);
/* Appends what the word stands for. With lookup NULL a $ is text. False: the word had no quotes and is nothing. */
bool parse_expand(struct str word, parse_lookup_fn *lookup, void *arg, struct abuf *out);

#endif
