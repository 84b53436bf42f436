/*
 * http_target_core.c - a request target becomes a path and a query.
 *
 * The path is decoded once, and only then are its segments looked at: "%2e%2e"
 * is "..". What could mean two things to two readers is refused, not repaired:
 * an encoded '/', NUL or control character, a half escape, a path that climbs
 * above the root. Empty segments are merged, so that a path has one spelling.
 *
 * Reference: RFC 9112 section 3.2, RFC 3986 sections 2.1, 3.2, 3.3, 5.2.4.
 */
#include "user/net/http_core.h"
#include "lib/assert.h"

static bool http_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool http_is_one_of(char c, struct str set)
{
	return str_find_char(set, c) < set.len;
}

/* pchar of RFC 3986, without '%' */
static bool http_is_path_char(char c)
{
	return http_is_alnum(c) || http_is_one_of(c, S("/-._~!$&'()*+,;=:@"));
}

/* Browsers leave more characters of a query as they are than the RFC allows. */
static bool http_query_is_valid(struct str query)
{
	for (size_t i = 0; i < query.len; i++) {
		if (http_is_one_of(query.ptr[i], S("\"<>#")))
			return false;
	}
	return true;
}

/* Decodes [0, len) in place; the length of the result, or 0 when it is refused. */
static size_t http_path_decode(char *path, size_t len)
{
	size_t out = 0;
	for (size_t i = 0; i < len; i++) {
		char c = path[i];
		if (c == '%') {
			int high = i + 2 < len ? http_hex_digit(path[i + 1]) : -1;
			int low = high >= 0 ? http_hex_digit(path[i + 2]) : -1;
			if (low < 0)
				return 0;
			c = (char)(high << 4 | low);
			if (c == '/' || (uint8_t)c < ' ' || c == 0x7f)
				return 0;
			i += 2;
		} else if (!http_is_path_char(c)) {
			return 0;
		}
		path[out++] = c;
	}
	return out;
}

/*
 * Removes empty and dot segments in place: the length of the result, or 0 when
 * the path climbs above the root. A path to a directory keeps its last '/'.
 */
static size_t http_path_squeeze(char *path, size_t len)
{
	size_t out = 1; /* path[0] is '/'; out always stands behind a '/' here */
	size_t i = 1;
	while (i < len) {
		struct str rest = str_of(path + i, len - i);
		struct str segment = str_slice(rest, 0, str_find_char(rest, '/'));
		bool last = i + segment.len == len;
		i += segment.len + 1;
		if (segment.len == 0 || str_eq(segment, S(".")))
			continue;
		if (str_eq(segment, S(".."))) {
			if (out == 1)
				return 0;
			do
				out--;
			while (path[out - 1] != '/');
			continue;
		}
		memmove(path + out, segment.ptr, segment.len);
		out += segment.len;
		if (!last)
			path[out++] = '/';
	}
	return out;
}

/* host [ ":" port ]: a name or IPv4 address, or an IPv6 address in brackets. */
bool http_authority_is_valid(struct str authority)
{
	size_t i = 0;
	if (authority.len && authority.ptr[0] == '[') {
		for (i = 1; i < authority.len && authority.ptr[i] != ']'; i++) {
			if (http_hex_digit(authority.ptr[i]) < 0 && !http_is_one_of(authority.ptr[i], S(":.")))
				return false;
		}
		if (i == authority.len || i < 3)
			return false;
		i++;
	} else {
		while (i < authority.len && (http_is_alnum(authority.ptr[i]) ||
						    http_is_one_of(authority.ptr[i], S("-._~"))))
			i++;
		if (i == 0)
			return false;
	}
	if (i == authority.len)
		return true;
	struct str port = str_slice(authority, i + 1, authority.len);
	if (authority.ptr[i] != ':')
		return false;
	for (size_t k = 0; k < port.len; k++) {
		if (port.ptr[k] < '0' || port.ptr[k] > '9')
			return false;
	}
	return port.len == 0 || str_to_u64(port, 10).err == OK;
}

/* absolute-form: cuts "http://authority" off; true when it is well-formed. */
static bool http_target_cut_authority(struct str *target, struct str *authority)
{
	const struct str scheme = S("http://");
	if (!str_eq_nocase(str_slice(*target, 0, scheme.len), scheme))
		return false;
	*target = str_slice(*target, scheme.len, target->len);
	size_t end = min(str_find_char(*target, '/'), str_find_char(*target, '?'));
	*authority = str_slice(*target, 0, end);
	*target = str_slice(*target, end, target->len);
	return http_authority_is_valid(*authority);
}

uint16_t http_target_parse(
	char *raw, size_t len, enum http_method method, struct http_target *out)
{
	struct str target = str_of(raw, len);
	*out = (struct http_target){0};
	assert(len > 0);
	if (str_eq(target, S("*"))) {
		out->path = target;
		return method == HTTP_OPTIONS ? 0 : 400;
	}
	if (raw[0] != '/' && !http_target_cut_authority(&target, &out->authority))
		return 400;
	size_t path_len = str_find_char(target, '?');
	out->query = str_slice(target, path_len + 1, target.len);
	if (!http_query_is_valid(out->query))
		return 400;
	if (path_len == 0) { /* "http://host", "http://host?query" */
		out->path = S("/");
		return 0;
	}
	char *path = raw + (target.ptr - raw);
	size_t decoded = http_path_decode(path, path_len);
	size_t squeezed = decoded ? http_path_squeeze(path, decoded) : 0;
	out->path = str_of(path, squeezed);
	return squeezed ? 0 : 400;
}
