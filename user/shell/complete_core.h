/*
 * complete_core.h - what Tab completes: where, with what, and how it is written.
 *
 *	complete_find(line, cursor, &prefix, &c)         what stands at the cursor
 *	complete_begin(&set, prefix)                     then, for each name there is:
 *	complete_offer(&set, name)                       whether it is one of them
 *	complete_write(&c, text, final, &out)            the word as it is to stand in the line
 */
#ifndef USER_SHELL_COMPLETE_CORE_H
#define USER_SHELL_COMPLETE_CORE_H

#include "lib/buf.h"

#define COMPLETE_NAME_MAX 256

enum complete_kind { COMPLETE_NOTHING, COMPLETE_COMMAND, COMPLETE_ARGUMENT, COMPLETE_FILE, COMPLETE_VARIABLE };

struct complete {
	enum complete_kind kind;
	size_t from;        /* where the word begins; it ends at the cursor */
	char quote;         /* it begins with: ", ' or 0 */
	struct str command; /* COMPLETE_ARGUMENT: whose */
	size_t argument;    /* and the how manieth, from 0 */
};

/* prefix: the word without its quotes, for a variable its name; appended to an empty abuf. */
void complete_find(struct str line, size_t cursor, struct abuf *prefix, struct complete *c);

struct complete_set {
	struct str prefix;
	size_t count;
	size_t common_len; /* what all of them begin with */
	char common[COMPLETE_NAME_MAX];
};
void complete_begin(struct complete_set *s, struct str prefix);
/* True: it begins with the prefix. Names with control characters or broken UTF-8 do not count. */
bool complete_offer(struct complete_set *s, struct str name);

/* final: the word ends here, and a space behind it. */
void complete_write(const struct complete *c, struct str text, bool final, struct abuf *out);

#endif
