/*
 * utf8.c - UTF-8 (contract: lib/utf8.h).
 *
 * The second byte has narrower bounds behind some first bytes: that is where
 * overlong forms (E0, F0), surrogates (ED) and what lies beyond U+10FFFF (F4) are
 * refused. Reference: The Unicode Standard, table 3-7.
 */
#include "lib/utf8.h"

static enum utf8_step utf8_first(struct utf8_decoder *d, uint8_t byte)
{
	d->low = 0x80;
	d->high = 0xbf;
	if (byte < 0x80) {
		d->code = byte;
		return UTF8_CHAR;
	}
	if (byte >= 0xc2 && byte <= 0xdf) {
		d->missing = 1;
		d->code = byte & 0x1f;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		d->missing = 2;
		d->code = byte & 0x0f;
		if (byte == 0xe0)
			d->low = 0xa0;
		else if (byte == 0xed)
			d->high = 0x9f;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		d->missing = 3;
		d->code = byte & 0x07;
		if (byte == 0xf0)
			d->low = 0x90;
		else if (byte == 0xf4)
			d->high = 0x8f;
	} else {
		return UTF8_BAD;
	}
	return UTF8_MORE;
}

enum utf8_step utf8_step(struct utf8_decoder *d, uint8_t byte)
{
	if (d->missing == 0)
		return utf8_first(d, byte);
	if (byte < d->low || byte > d->high) {
		d->missing = 0;
		return UTF8_BROKEN;
	}
	d->low = 0x80;
	d->high = 0xbf;
	d->code = d->code << 6 | (byte & 0x3f);
	return --d->missing == 0 ? UTF8_CHAR : UTF8_MORE;
}

size_t utf8_next(struct str s, uint32_t *code)
{
	struct utf8_decoder d = {0};

	*code = UTF8_INVALID;
	for (size_t i = 0; i < s.len; i++) {
		switch (utf8_step(&d, (uint8_t)s.ptr[i])) {
		case UTF8_MORE:
			break;
		case UTF8_CHAR:
			*code = d.code;
			return i + 1;
		case UTF8_BAD:
			return i + 1;
		case UTF8_BROKEN:
			return i;
		}
	}
	return s.len;
}

bool utf8_is_valid(struct str s)
{
	struct utf8_decoder d = {0};

	for (size_t i = 0; i < s.len; i++) {
		enum utf8_step step = utf8_step(&d, (uint8_t)s.ptr[i]);
		if (step == UTF8_BAD || step == UTF8_BROKEN)
			return false;
	}
	return d.missing == 0;
}

size_t utf8_encode(uint32_t code, char out[4])
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = UTF8_REPLACEMENT;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
