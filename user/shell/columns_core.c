/* columns_core.c - lines of words as a table; see columns_core.h. */
#include "user/shell/columns_core.h"

static bool columns_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, with what stands beside them in "-1.5K", "12%", "1.25ms" or "-", which is a number that is not known. */
static bool columns_number(struct str word)
{
	if (str_eq(word, S("-")))
		return true;
	size_t at = word.ptr[0] == '-', digits = 0, points = 0;
	for (; at < word.len && (columns_digit(word.ptr[at]) || (word.ptr[at] == '.' && digits)); at++)
		*(word.ptr[at] == '.' ? &points : &digits) += 1;
	bool plain = digits > 0 && points <= 1 && word.len - at <= 2;
	for (; at < word.len; at++)
		plain = plain && (word.ptr[at] == '%' || (str_lower(word.ptr[at]) >= 'a' && str_lower(word.ptr[at]) <= 'z'));
	return plain;
}

void columns_measure(struct columns *c, struct str line)
{
	struct str word;
	for (size_t i = 0; i < COLUMNS_MAX && (word = str_word(&line)).len; i++) {
		c->width[i] = (uint16_t)max((size_t)c->width[i], min(word.len, (size_t)UINT16_MAX));
		if (c->headed && !columns_number(word))
			c->words[i] = true;
		c->count = max(c->count, i + 1);
	}
	c->headed = true;
}

static void columns_pad(struct abuf *out, size_t n)
{
	while (n--)
		abuf_char_add(out, ' ');
}

void columns_render(const struct columns *c, struct str line, struct abuf *out)
{
	struct str word = str_word(&line);
	for (size_t i = 0; word.len; i++) {
		struct str next = str_word(&line);
		size_t pad = i < c->count && c->width[i] > word.len ? c->width[i] - word.len : 0;
		bool left = i >= c->count || c->words[i];
		if (i)
			abuf_char_add(out, ' ');
		columns_pad(out, left ? 0 : pad);
		abuf_str_add(out, word);
		columns_pad(out, left && next.len ? pad : 0); /* nothing behind the last */
		word = next;
	}
	abuf_char_add(out, '\n');
}
