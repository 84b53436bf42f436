/* args_core.c - a command's words as options and operands; see args_core.h. */
#include "user/shell/args_core.h"
#include "lib/assert.h"

/* Letters, and digits as far as the word has bits for them. */
static bool args_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '1' && c <= '6');
}

static uint64_t args_bit(char letter)
{
	return UINT64_C(1) << (letter <= '6' ? letter - '1' + 58 : letter - 'A');
}

/* 0: no such option; 1: a flag; 2: it takes a value. */
static int args_kind(const char *spec, char letter)
{
	for (; *spec; spec++)
		if (*spec == letter && args_is_letter(letter))
			return spec[1] == ':' ? 2 : 1;
	return 0;
}

static bool args_numeric(const char *spec)
{
	for (; *spec; spec++)
		if (*spec == '#')
			return true;
	return false;
}

static void args_set(struct args *a, char letter, struct str value)
{
	size_t i = 0;
	while (i < a->values && a->value_letter[i] != letter)
		i++;
	assert(i < ARGS_VALUES_MAX);
	a->value_letter[i] = letter;
	a->value[i] = value;
	a->values = max(a->values, i + 1);
}

static bool args_fail(struct args *a, enum args_wrong wrong, struct str bad)
{
	a->wrong = wrong;
	a->bad = bad;
	return false;
}

static bool args_is_number(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* The letters of one word behind its '-'. *i moves on when the next word is a value. */
static bool args_word(struct args *a, size_t argc, const char *spec, size_t *i)
{
	struct str word = a->argv[*i];
	if (args_numeric(spec) && args_is_number(str_slice(word, 1, word.len))) {
		args_set(a, 'n', str_slice(word, 1, word.len));
		return true;
	}
	for (size_t at = 1; at < word.len; at++) {
		char letter = word.ptr[at];
		int kind = args_kind(spec, letter);
		if (kind == 0)
			return args_fail(a, ARGS_UNKNOWN, word);
		a->flags |= args_bit(letter);
		if (kind == 1)
			continue;
		if (at + 1 < word.len)
			args_set(a, letter, str_slice(word, at + 1, word.len));
		else if (*i + 1 < argc)
			args_set(a, letter, a->argv[++*i]);
		else
			return args_fail(a, ARGS_NO_VALUE, word);
		return true;
	}
	return true;
}

bool args_parse(struct args *a, const struct str *argv, size_t argc, const char *spec)
{
	*a = (struct args){.argv = argv};
	bool options = true;
	assert(argc <= ARGS_MAX);
	for (size_t i = 1; i < argc; i++) {
		struct str word = argv[i];
		if (options && str_eq(word, S("--"))) {
			options = false;
		} else if (options && word.len > 1 && word.ptr[0] == '-') {
			if (!args_word(a, argc, spec, &i))
				return false;
		} else {
			a->operand[a->operands++] = (uint8_t)i;
		}
	}
	return true;
}

bool args_has(const struct args *a, char letter)
{
	return (a->flags & args_bit(letter)) != 0;
}

struct str args_value(const struct args *a, char letter)
{
	for (size_t i = 0; i < a->values; i++)
		if (a->value_letter[i] == letter)
			return a->value[i];
	return STR_EMPTY;
}

struct str args_operand(const struct args *a, size_t i)
{
	assert(i < a->operands);
	return a->argv[a->operand[i]];
}
