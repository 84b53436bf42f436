/*
 * access_fuzz.c - any bytes as what a request brings to be let in, and as the secret file:
 * what is let in is what a plain search finds, and nothing that is not exactly the secret.
 * The first byte chooses what the rest is.
 */
#include "lib/assert.h"
#include "user/net/access_core.h"

#define FUZZ_TEXT S("secret-secret-secret")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* By its place: behind the beginning or a ';' and blanks, up to the end or blanks and a ';'. */
static bool plain_cookie_has(struct str header)
{
	static const struct str cookie = STR_INIT("t=secret-secret-secret");
	for (size_t i = 0; i + cookie.len <= header.len; i++) {
		size_t before = i, behind = i + cookie.len;
		if (!str_eq(str_slice(header, i, behind), cookie))
			continue;
		while (before > 0 && str_trim(str_slice(header, before - 1, before)).len == 0)
			before--;
		while (behind < header.len && str_trim(str_slice(header, behind, behind + 1)).len == 0)
			behind++;
		if ((before == 0 || header.ptr[before - 1] == ';') && (behind == header.len || header.ptr[behind] == ';'))
			return true;
	}
	return false;
}

/* Behind so many of the name nothing is looked for. */
static void fuzz_cookie(struct str text, const struct access_secret *secret)
{
	size_t parts = 1;
	for (size_t i = 0; i < text.len; i++)
		parts += text.ptr[i] == ';';
	bool has = access_cookie_has(text, S("t"), secret), plain = plain_cookie_has(text);
	assert(parts <= ACCESS_COOKIES_MAX ? has == plain : plain || !has);
}

static void fuzz_setting(struct str text)
{
	struct str token;
	if (access_setting_parse(text, &token) != ACCESS_FIXED)
		return;
	assert(token.len >= ACCESS_TOKEN_MIN && token.len <= ACCESS_TOKEN_MAX);
	assert(token.ptr >= text.ptr && token.ptr + token.len <= text.ptr + text.len);
	struct access_secret secret = access_secret(token);
	assert(access_equal(token, &secret));
	for (size_t i = 0; i < token.len; i++)
		assert(token.ptr[i] > ' ' && token.ptr[i] < 0x7f && token.ptr[i] != ';' && token.ptr[i] != ',');
}

static void fuzz_host(struct str text)
{
	struct access_authority a = access_authority(text);
	assert(a.host.len <= text.len);
	if (access_host_is_named(text, STR_EMPTY))
		assert(str_eq_nocase(a.host, S("localhost")) || str_eq_nocase(a.host, S("mazu.local")) ||
		       str_eq(a.host, S("::1")));
	struct str authority = text;
	struct str origin = str_cut(&authority, '\n');
	if (access_origin_is(origin, authority))
		assert(str_starts(origin, S("http://")) && authority.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str text = str_of(data + 1, size - 1), token;
	struct access_secret secret = access_secret(FUZZ_TEXT);
	switch (data[0] & 3) {
	case 0:
		fuzz_cookie(text, &secret);
		break;
	case 1:
		if (access_bearer(text, &token))
			assert(access_equal(token, &secret) == str_eq(token, FUZZ_TEXT));
		assert(access_equal(text, &secret) == str_eq(text, FUZZ_TEXT));
		break;
	case 2:
		fuzz_setting(text);
		break;
	default:
		fuzz_host(text);
	}
	return 0;
}
