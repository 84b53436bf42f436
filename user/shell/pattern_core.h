/*
 * pattern_core.h - regular expressions, as far as one line of text needs them.
 *
 *	err = pattern_parse(&p, text, flags)
 *	found = pattern_match(&p, line)
 *
 * c . [a-z] [^a-z] \c, each with *, + or ? behind it, ^ at the beginning and $ at the end; no groups, no
 * alternatives. Case is that of ASCII. The pattern's text must live as long as it.
 *
 * Bound: a line is gone through once, PATTERN_ATOMS steps at most for a byte, whatever the pattern: the set of all
 * places where a match could be is kept, nothing is tried again. Pure.
 * Reference: K. Thompson, "Regular Expression Search Algorithm" (CACM 1968).
 */
#ifndef USER_SHELL_PATTERN_CORE_H
#define USER_SHELL_PATTERN_CORE_H

#include "lib/result.h"
#include "lib/str.h"

#define PATTERN_ATOMS 63

enum pattern_flags { PATTERN_FIXED = 1, PATTERN_NOCASE = 2 };

struct pattern_atom {
	struct str set;  /* [...] without the brackets; otherwise one byte */
	uint8_t kind;    /* pattern_core.c's */
	bool skip, again; /* may be left out; may come again */
};

struct pattern {
	size_t count;
	bool begin, end; /* ^ $ */
	bool nocase;
	struct pattern_atom atom[PATTERN_ATOMS];
};

/* ERR_INVAL: not one of these; ERR_RANGE: more than PATTERN_ATOMS. */
must_check enum err pattern_parse(struct pattern *p, struct str text, unsigned flags);
must_check bool pattern_match(const struct pattern *p, struct str line);

#endif
