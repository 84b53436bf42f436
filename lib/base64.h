/*
 * base64.h - Base 64 (RFC 4648 section 4), with padding, without line breaks.
 *
 *	base64_encode(bytes, &out)      appends the text
 *	base64_decode(text, &out)       appends the bytes
 *
 * Decoding is strict, so that bytes have one text: whole groups of four, padding
 * at the end only, nothing outside the alphabet, no bits behind the last byte.
 *
 * Context: any.
 */
#ifndef LIB_BASE64_H
#define LIB_BASE64_H

#include "lib/buf.h"

#define BASE64_CHARS(bytes) (((bytes) + 2) / 3 * 4)

void base64_encode(struct rbuf bytes, struct abuf *out);
/* ERR_INVAL: no base 64; ERR_NOSPC. What `out` has then is a beginning of the bytes. */
must_check enum err base64_decode(struct str text, struct abuf *out);

#endif
