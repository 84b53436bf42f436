/*
 * http_match_core.c - the judgements that a reply depends on: does the client
 * have this version, does it take gzip, which range does it want, what does a
 * parameter of the query say, what type has a file.
 *
 * Reference: RFC 9110 sections 8.8.3, 12.5.3, 13.1, 14.1; the WHATWG URL standard
 * for '+' in a query.
 */
#include "user/net/http_reply_core.h"

bool http_etag_matches(struct str list, struct str etag, bool weak)
{
	if (str_eq(str_trim(list), S("*")))
		return true;
	while (list.len) {
		struct str tag = str_trim(str_cut(&list, ','));
		bool is_weak = str_starts(tag, S("W/"));
		if (is_weak)
			tag = str_slice(tag, 2, tag.len);
		if (etag.len > 0 && (weak || !is_weak) && str_eq(tag, etag))
			return true;
	}
	return false;
}

/* "q=0", "q=0.0", "q=0.000" refuse. */
static bool http_quality_is_zero(struct str params)
{
	while (params.len) {
		struct str param = str_trim(str_cut(&params, ';'));
		if (!str_eq_nocase(str_slice(param, 0, 2), S("q=")))
			continue;
		for (size_t i = 2; i < param.len; i++) {
			if (param.ptr[i] != '0' && param.ptr[i] != '.')
				return false;
		}
		return true;
	}
	return false;
}

bool http_accepts_gzip(struct str accept_encoding)
{
	bool any = false;
	while (accept_encoding.len) {
		struct str params = str_cut(&accept_encoding, ',');
		struct str coding = str_trim(str_cut(&params, ';'));
		if (str_eq_nocase(coding, S("gzip")) || str_eq_nocase(coding, S("x-gzip")))
			return !http_quality_is_zero(params);
		if (str_eq(coding, S("*")))
			any = !http_quality_is_zero(params);
	}
	return any;
}

/* A position beyond all that 64 bits can say is beyond every file. */
static struct u64_result http_range_number(struct str digits)
{
	struct u64_result n = str_to_u64(digits, 10);
	return n.err == ERR_RANGE ? OK_RESULT(u64_result, UINT64_MAX) : n;
}

struct http_range http_range_parse(struct str range, uint64_t size)
{
	struct http_range none = {HTTP_RANGE_NONE, 0, size};
	struct http_range bad = {HTTP_RANGE_UNSATISFIABLE, 0, 0};
	if (!str_eq_nocase(str_slice(range, 0, 6), S("bytes=")))
		return none;
	struct str last = str_trim(str_slice(range, 6, range.len));
	if (str_find_char(last, '-') == last.len || str_find_char(last, ',') < last.len)
		return none;
	struct str first = str_cut(&last, '-');
	struct u64_result to = http_range_number(last);
	struct u64_result from = http_range_number(first);
	if ((last.len && to.err != OK) || (first.len && from.err != OK) || first.len + last.len == 0)
		return none;
	if (first.len == 0) { /* the last to.value bytes */
		uint64_t len = min(to.value, size);
		return len ? (struct http_range){HTTP_RANGE_ONE, size - len, len} : bad;
	}
	if (last.len && to.value < from.value)
		return none;
	if (from.value >= size)
		return bad;
	uint64_t end = last.len ? min(to.value, size - 1) : size - 1;
	return (struct http_range){HTTP_RANGE_ONE, from.value, end - from.value + 1};
}

static enum err http_query_decode(struct str raw, struct abuf *value)
{
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
		if (c == '%') {
			struct str digits = str_slice(raw, i + 1, i + 3);
			struct u64_result n = str_to_u64(digits, 16);
			if (digits.len != 2 || n.err != OK || n.value == 0)
				return ERR_INVAL;
			c = (char)n.value;
			i += 2;
		}
		abuf_char_add(value, c);
	}
	return abuf_ok(value) ? OK : ERR_NOSPC;
}

enum err http_query_param(struct str query, struct str name, struct abuf *value)
{
	while (query.len) {
		struct str raw = str_cut(&query, '&');
		if (str_eq(str_cut(&raw, '='), name))
			return http_query_decode(raw, value);
	}
	return ERR_NOENT;
}

static const struct {
	struct str suffix;
	struct str type;
} http_mime[] = {
	{STR_INIT(".html"), STR_INIT("text/html; charset=utf-8")},
	{STR_INIT(".css"), STR_INIT("text/css; charset=utf-8")},
	{STR_INIT(".js"), STR_INIT("text/javascript; charset=utf-8")},
	{STR_INIT(".mjs"), STR_INIT("text/javascript; charset=utf-8")},
	{STR_INIT(".json"), STR_INIT("application/json")},
	{STR_INIT(".txt"), STR_INIT("text/plain; charset=utf-8")},
	{STR_INIT(".svg"), STR_INIT("image/svg+xml")},
	{STR_INIT(".png"), STR_INIT("image/png")},
	{STR_INIT(".ico"), STR_INIT("image/x-icon")},
	{STR_INIT(".woff2"), STR_INIT("font/woff2")},
	{STR_INIT(".wasm"), STR_INIT("application/wasm")},
};

struct str http_mime_type(struct str path)
{
	for (size_t i = 0; i < countof(http_mime); i++) {
		if (str_ends(path, http_mime[i].suffix))
			return http_mime[i].type;
	}
	return S("application/octet-stream");
}

struct str http_host_name(struct str authority)
{
	if (authority.len && authority.ptr[0] == '[')
		return str_slice(authority, 1, str_find_char(authority, ']'));
	return str_slice(authority, 0, str_find_char(authority, ':'));
}
