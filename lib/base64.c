/* base64.c - Base 64 (contract: lib/base64.h). */
#include "lib/base64.h"

void base64_encode(struct rbuf bytes, struct abuf *out)
{
	static const char digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t at = 0; at < bytes.len; at += 3) {
		size_t n = min(bytes.len - at, (size_t)3);
		uint32_t group = 0;
		char text[4] = {'=', '=', '=', '='};
		for (size_t i = 0; i < n; i++)
			group |= (uint32_t)bytes.ptr[at + i] << (16 - 8 * i);
		for (size_t i = 0; i <= n; i++)
			text[i] = digits[group >> (18 - 6 * i) & 63];
		abuf_bytes_add(out, text, sizeof(text));
	}
}

/* -1: not of the alphabet. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum err base64_decode(struct str text, struct abuf *out)
{
	if (text.len % 4)
		return ERR_INVAL;
	for (size_t at = 0; at < text.len; at += 4) {
		const char *p = text.ptr + at;
		size_t n = at + 4 < text.len || p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
		uint32_t group = 0;
		for (size_t i = 0; i <= n; i++) {
			int digit = base64_digit(p[i]);
			if (digit < 0)
				return ERR_INVAL;
			group |= (uint32_t)digit << (18 - 6 * i);
		}
		if (group & (0xffffffu >> (8 * n)))
			return ERR_INVAL;
		uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
		abuf_bytes_add(out, bytes, n);
	}
	return abuf_ok(out) ? OK : ERR_NOSPC;
}
