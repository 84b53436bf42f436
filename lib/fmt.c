/*
 * fmt.c - the printf subset of lib/fmt.h.
 *
 * Panic prints through this, so nothing here asserts, allocates, locks or
 * trusts: a NULL text prints "(null)", a negative precision is 0, and a
 * conversion that is not in the subset ends the interpretation, because the
 * arguments behind it can no longer be found: the rest of the format is then
 * printed as it stands.
 */
#include "lib/fmt.h"

/* Wider than any line that is worth padding; keeps the parse free of overflow. */
#define FMT_WIDTH_MAX 4096

struct fmt_spec {
	bool left;
	bool zero;
	bool has_precision;
	size_t width;
	size_t precision;
	unsigned bits; /* of the integer argument */
	char conversion;
};

/* Pieces are short: a loop is cheaper than the way down to memcpy. */
static void fmt_put(struct abuf *a, const char *ptr, size_t len)
{
	size_t fits = a->overflow ? 0 : min(len, abuf_room(a));

	uint8_t *end = a->ptr; /* NULL without room: not to be added to */
	if (fits > 0)
		end += a->len;
	for (size_t i = 0; i < fits; i++)
		end[i] = (uint8_t)ptr[i];
	a->len += fits;
	if (fits < len)
		a->overflow = true;
}

static void fmt_pad(struct abuf *a, char c, size_t n)
{
	for (; n > 0 && !a->overflow; n--)
		abuf_char_add(a, c);
}

/* prefix is a sign or 0x: it stands before padding with zeros, behind padding with spaces. */
static void fmt_field(struct abuf *a, const struct fmt_spec *spec, struct str prefix, struct str s)
{
	size_t len = prefix.len + s.len;
	size_t pad = spec->width > len ? spec->width - len : 0;

	if (!spec->left && !spec->zero)
		fmt_pad(a, ' ', pad);
	fmt_put(a, prefix.ptr, prefix.len);
	if (!spec->left && spec->zero)
		fmt_pad(a, '0', pad);
	fmt_put(a, s.ptr, s.len);
	if (spec->left)
		fmt_pad(a, ' ', pad);
}

/* The digits of v in base 10 or 16 at the end of `digits`, which holds 2^64 - 1 in either. */
#define FMT_DIGITS 20
static struct str fmt_digits(char digits[FMT_DIGITS], uint64_t v, char conversion)
{
	const char *alphabet = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t at = FMT_DIGITS;

	if (conversion == 'd' || conversion == 'u') {
		do {
			digits[--at] = (char)('0' + v % 10);
			v /= 10;
		} while (v != 0);
	} else {
		do {
			digits[--at] = alphabet[v % 16];
			v /= 16;
		} while (v != 0);
	}
	return str_of(digits + at, FMT_DIGITS - at);
}

static void fmt_number(struct abuf *a, const struct fmt_spec *spec, struct str prefix, uint64_t v)
{
	char digits[FMT_DIGITS];
	fmt_field(a, spec, prefix, fmt_digits(digits, v, spec->conversion));
}

static void fmt_signed(struct abuf *a, const struct fmt_spec *spec, int64_t v)
{
	int64_t value = (int64_t)((uint64_t)v << (64 - spec->bits)) >> (64 - spec->bits);
	if (value < 0)
		fmt_number(a, spec, S("-"), -(uint64_t)value);
	else
		fmt_number(a, spec, STR_EMPTY, (uint64_t)value);
}

static void fmt_unsigned(struct abuf *a, const struct fmt_spec *spec, uint64_t v)
{
	fmt_number(a, spec, STR_EMPTY, v << (64 - spec->bits) >> (64 - spec->bits));
}

static void fmt_text(struct abuf *a, struct fmt_spec *spec, const char *s)
{
	struct str text;

	if (s == NULL && !(spec->has_precision && spec->precision == 0))
		text = S("(null)");
	else if (spec->has_precision)
		text = str_of(s, spec->precision);
	else
		text = str_of_cstr(s, SIZE_MAX);
	spec->zero = false;
	fmt_field(a, spec, STR_EMPTY, text);
}

/* A number at *p, which it moves behind it. */
static size_t fmt_parse_number(const char **p)
{
	size_t n = 0;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = min(n * 10 + (size_t)(**p - '0'), (size_t)FMT_WIDTH_MAX);
	return n;
}

static unsigned fmt_parse_length(const char **p)
{
	switch (**p) {
	case 'h':
		(*p)++;
		if (**p != 'h')
			return 16;
		(*p)++;
		return 8;
	case 'l':
		(*p)++;
		if (**p == 'l')
			(*p)++;
		return 64;
	case 'z':
	case 't':
		(*p)++;
		return 64;
	default:
		return 32;
	}
}

/* Reads a conversion behind its %, up to the letter, which it leaves in spec and passes. */
static const char *fmt_parse(struct fmt_spec *spec, const char *p)
{
	*spec = (struct fmt_spec){0};
	for (; *p == '-' || *p == '0'; p++) {
		spec->left |= *p == '-';
		spec->zero |= *p == '0';
	}
	spec->width = fmt_parse_number(&p);
	if (*p == '.' && p[1] == '*') {
		spec->has_precision = true;
		p += 2;
	}
	spec->bits = fmt_parse_length(&p);
	spec->conversion = *p;
	return *p == '\0' ? p : p + 1;
}

void fmt_v(struct abuf *a, const char *format, va_list ap)
{
	const char *p = format;

	for (;;) {
		const char *start = p;
		while (*p != '\0' && *p != '%')
			p++;
		fmt_put(a, start, (size_t)(p - start));
		if (*p == '\0')
			return;

		struct fmt_spec spec;
		start = p;
		p = fmt_parse(&spec, p + 1);
		if (spec.has_precision && spec.conversion == 's')
			spec.precision = (size_t)max(va_arg(ap, int), 0);
		else if (spec.has_precision)
			spec.conversion = '\0';

		switch (spec.conversion) {
		case 'd':
			fmt_signed(a, &spec, spec.bits == 64 ? va_arg(ap, long) : va_arg(ap, int));
			break;
		case 'u':
		case 'x':
		case 'X':
			fmt_unsigned(a, &spec,
				spec.bits == 64 ? va_arg(ap, unsigned long) : va_arg(ap, unsigned));
			break;
		case 'c':
			spec.zero = false;
			char c = (char)va_arg(ap, int);
			fmt_field(a, &spec, STR_EMPTY, str_of(&c, 1));
			break;
		case 'p':
			fmt_number(a, &spec, S("0x"), (uintptr_t)va_arg(ap, void *));
			break;
		case 's':
			fmt_text(a, &spec, va_arg(ap, const char *));
			break;
		case '%':
			fmt_put(a, "%", 1);
			break;
		default:
			fmt_text(a, &(struct fmt_spec){0}, start);
			return;
		}
	}
}

void fmt_u64(struct abuf *a, uint64_t value)
{
	char digits[FMT_DIGITS];
	struct str s = fmt_digits(digits, value, 'u');
	fmt_put(a, s.ptr, s.len);
}

void fmt_i64(struct abuf *a, int64_t value)
{
	if (value < 0)
		fmt_put(a, "-", 1);
	fmt_u64(a, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void fmt(struct abuf *a, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fmt_v(a, format, ap);
	va_end(ap);
}
