/* url_core.c - http URLs; see url_core.h. */
#include "user/net/url_core.h"

#define URL_HTTP_PORT 80

/* Visible ASCII but what ends a request's target or begins another part. */
static bool url_is_clean(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
			return false;
	return true;
}

static bool url_is_host(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = str_lower(s.ptr[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
			return false;
	}
	return s.len > 0;
}

static bool url_port(struct str text, uint16_t *port)
{
	struct u64_result n = str_to_u64(text, 10);
	*port = (uint16_t)n.value;
	return n.err == OK && n.value > 0 && n.value <= UINT16_MAX;
}

const char *url_parse(struct str text, struct url *out)
{
	size_t scheme = str_find(text, S("://"));
	if (scheme < text.len) {
		if (str_eq_nocase(str_slice(text, 0, scheme), S("https")))
			return "https is not spoken here, only http";
		if (!str_eq_nocase(str_slice(text, 0, scheme), S("http")))
			return "only http URLs can be fetched";
		text = str_slice(text, scheme + 3, text.len);
	}
	text = str_slice(text, 0, str_find_char(text, '#'));
	size_t end = min(str_find_char(text, '/'), str_find_char(text, '?'));
	out->authority = str_slice(text, 0, end);
	out->target = str_slice(text, end, text.len);
	struct str host = out->authority;
	size_t colon = str_find_char(host, ':');
	out->host = str_slice(host, 0, colon);
	out->port = URL_HTTP_PORT;
	if (!url_is_host(out->host))
		return "the URL names no host, as in http://10.0.2.2:8000/file";
	if (colon < host.len && !url_port(str_slice(host, colon + 1, host.len), &out->port))
		return "the URL's port is no number from 1 to 65535";
	return url_is_clean(out->target) ? NULL : "the URL holds a character that must be written as %XX";
}
