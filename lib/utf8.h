/*
 * utf8.h - UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 *	n = utf8_next(s, &code)         decodes at the front of a text that is all there
 *	utf8_step(&d, byte)             decodes a stream, a byte at a time
 *
 * What is invalid is taken in the pieces that Unicode recommends (the longest
 * beginning of a character, at least one byte), each to be replaced by one
 * U+FFFD; both functions agree on them.
 *
 * Context: any.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include "lib/str.h"

#define UTF8_REPLACEMENT      0xfffdu
#define UTF8_REPLACEMENT_TEXT "\xef\xbf\xbd"
/* Instead of a code point: these bytes are none. */
#define UTF8_INVALID          UINT32_MAX

/* A decoder at the start of a character is all zero. */
struct utf8_decoder {
	uint32_t code;
	uint8_t missing; /* continuation bytes still to come */
	uint8_t low;     /* bounds of the next one */
	uint8_t high;
};

enum utf8_step {
	UTF8_MORE,  /* the character goes on */
	UTF8_CHAR,  /* it ends with this byte: d->code */
	UTF8_BAD,   /* this byte cannot begin a character */
	UTF8_BROKEN /* the character broke off before this byte: pass the byte once more */
};

/* After a stream has ended, a decoder with d->missing != 0 holds an unfinished character. */
enum utf8_step utf8_step(struct utf8_decoder *d, uint8_t byte);

/* Bytes taken from the front, and their code point or UTF8_INVALID; 0 only if s is empty. */
size_t utf8_next(struct str s, uint32_t *code);

must_check bool utf8_is_valid(struct str s);

/* The bytes of a code point, at most 4; of one that does not exist: U+FFFD's. */
size_t utf8_encode(uint32_t code, char out[4]);

#endif
