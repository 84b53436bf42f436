/*
 * args_core.h - a command's words as options and operands.
 *
 *	args_parse(&a, argv, argc, "lan:#")       -l -a are flags, -n takes a value, -5 means -n 5
 *	args_has(&a, 'l'), args_value(&a, 'n')    the last one given counts
 *	a.operands, args_operand(&a, i)
 *
 * As people know it: flags may stand together (-la), a value behind its letter or in the next word (-n5, -n 5),
 * options behind operands; "--" ends the options, "-" is an operand. Pure: all texts are argv's.
 */
#ifndef USER_SHELL_ARGS_CORE_H
#define USER_SHELL_ARGS_CORE_H

#include "lib/str.h"

#define ARGS_MAX        64 /* words */
#define ARGS_VALUES_MAX 6  /* different letters that take a value */

enum args_wrong { ARGS_FINE, ARGS_UNKNOWN, ARGS_NO_VALUE };

struct args {
	const struct str *argv;
	uint64_t flags; /* a bit for each letter */
	size_t operands, values;
	uint8_t operand[ARGS_MAX]; /* indices */
	char value_letter[ARGS_VALUES_MAX];
	struct str value[ARGS_VALUES_MAX];
	/* what is wrong: "-x" */
	enum args_wrong wrong;
	struct str bad;
};

must_check bool args_parse(struct args *a, const struct str *argv, size_t argc, const char *spec);
bool args_has(const struct args *a, char letter);
struct str args_value(const struct args *a, char letter); /* ptr NULL: not given */
struct str args_operand(const struct args *a, size_t i);

#endif
