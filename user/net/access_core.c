/* access_core.c - see access_core.h. */
#include "user/net/access_core.h"
#include "lib/assert.h"
#include "lib/mem.h"

/* --- the secret file --- */

static bool access_is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

enum access_setting access_setting_parse(struct str content, struct str *token)
{
	*token = str_trim(content);
	if (str_eq(*token, S("off")))
		return ACCESS_OFF;
	if (token->len < ACCESS_TOKEN_MIN || token->len > ACCESS_TOKEN_MAX)
		return ACCESS_INVALID;
	for (size_t i = 0; i < token->len; i++) {
		if (!access_is_token_char(token->ptr[i]))
			return ACCESS_INVALID;
	}
	return ACCESS_FIXED;
}

/* --- credentials --- */

static struct access_secret access_spread(struct str text)
{
	struct access_secret s = {0};
	if (text.len)
		memcpy(s.bytes, text.ptr, text.len);
	s.bytes[ACCESS_TOKEN_MAX] = (uint8_t)text.len;
	return s;
}

struct access_secret access_secret(struct str text)
{
	assert(text.len > 0 && text.len <= ACCESS_TOKEN_MAX);
	return access_spread(text);
}

struct str access_secret_text(const struct access_secret *secret)
{
	return str_of(secret->bytes, secret->bytes[ACCESS_TOKEN_MAX]);
}

bool access_equal(struct str given, const struct access_secret *secret)
{
	assert(secret->bytes[ACCESS_TOKEN_MAX] > 0);
	if (given.len > ACCESS_TOKEN_MAX) /* says nothing that is not known */
		return false;
	struct access_secret s = access_spread(given);
	return mem_eq_secret(&s, secret, sizeof(s));
}

bool access_cookie_has(struct str header, struct str name, const struct access_secret *secret)
{
	bool has = false;
	for (unsigned seen = 0; header.len && seen < ACCESS_COOKIES_MAX;) {
		struct str value = str_trim(str_cut(&header, ';'));
		if (!str_eq(str_cut(&value, '='), name))
			continue;
		has |= access_equal(value, secret);
		seen++;
	}
	return has;
}

bool access_bearer(struct str authorization, struct str *token)
{
	struct str scheme = str_word(&authorization);
	*token = str_trim(authorization);
	return str_eq_nocase(scheme, S("Bearer")) && token->len > 0;
}

/* --- tries --- */

/* A bucket that will be full at `full` has room for a try, or will have in so many ns. */
static int64_t access_bucket_wait(ktime full, int64_t every_ns, uint32_t burst, ktime now)
{
	int64_t owed = ktime_diff(ktime_max(full, now), now);
	return max(owed - every_ns * (int64_t)(burst - 1), (int64_t)0);
}

static ktime access_bucket_take(ktime full, int64_t every_ns, ktime now)
{
	return ktime_add(ktime_max(full, now), every_ns);
}

/* Its own, or the one that is full soonest: nobody's, or whose failures are the fewest. */
static size_t access_peer_find(const struct access_limiter *l, uint32_t addr)
{
	size_t best = 0;
	for (size_t i = 0; i < ACCESS_PEERS; i++) {
		if (l->peer[i].addr == addr)
			return i;
		if (ktime_before(l->peer[i].full, l->peer[best].full))
			best = i;
	}
	return best;
}

int64_t access_wait_ns(const struct access_limiter *l, uint32_t peer, ktime now)
{
	const struct access_limits *m = l->limits;
	const struct access_peer *p = &l->peer[access_peer_find(l, peer)];
	int64_t own = p->addr == peer ? access_bucket_wait(p->full, m->peer_every_ns, m->peer_burst, now) : 0;
	return max(own, access_bucket_wait(l->all_full, m->all_every_ns, m->all_burst, now));
}

void access_failed(struct access_limiter *l, uint32_t peer, ktime now)
{
	const struct access_limits *m = l->limits;
	struct access_peer *p = &l->peer[access_peer_find(l, peer)];
	assert(access_wait_ns(l, peer, now) == 0);
	if (p->addr != peer)
		*p = (struct access_peer){.addr = peer};
	p->full = access_bucket_take(p->full, m->peer_every_ns, now);
	l->all_full = access_bucket_take(l->all_full, m->all_every_ns, now);
}

/* --- Host and Origin --- */

struct access_authority access_authority(struct str text)
{
	struct access_authority a = {.bracketed = text.len > 0 && text.ptr[0] == '['};
	size_t end = str_find_char(text, a.bracketed ? ']' : ':');
	struct str rest = str_slice(text, end + a.bracketed, text.len);
	if ((a.bracketed && end == text.len) || (rest.len && rest.ptr[0] != ':'))
		return (struct access_authority){0};
	a.host = str_slice(text, a.bracketed, end);
	a.port = str_slice(rest, 1, rest.len);
	if (a.port.len == 0)
		a.port = S("80");
	return a;
}

bool access_host_is_named(struct str authority, struct str further)
{
	struct access_authority a = access_authority(authority);
	if (a.bracketed)
		return str_eq(a.host, S("::1"));
	return str_eq_nocase(a.host, S("localhost")) || str_eq_nocase(a.host, S("mazu.local")) ||
	       (further.len > 0 && str_eq_nocase(a.host, further));
}

bool access_origin_is(struct str origin, struct str authority)
{
	if (!str_starts(origin, S("http://")) || authority.len == 0)
		return false;
	struct access_authority a = access_authority(str_slice(origin, 7, origin.len));
	struct access_authority b = access_authority(authority);
	return a.host.len > 0 && a.bracketed == b.bracketed && str_eq_nocase(a.host, b.host) && str_eq(a.port, b.port);
}
