/*
 * access_core.h - who may run, write and change something: the judgements of the access
 * token, of Host and Origin, and how many wrong tokens may be tried.
 *
 * What is right is compared in a time that does not depend on it (access_equal). Wrong
 * tokens are limited per peer address and in all: each limit is a bucket of `burst` tries,
 * to which one comes back every `every_ns`. What a peer may not try any more is not
 * judged, and so takes nothing from the bucket of all: one peer alone cannot empty it when
 * a peer's tries come back more slowly than those of all.
 *
 * Locks: none, the caller guards a limiter. Nothing here keeps or copies a token.
 * Reference: RFC 6265 section 4.2 (Cookie), RFC 6750 section 2.1 (Bearer), RFC 6454
 * section 7 (Origin).
 */
#ifndef USER_NET_ACCESS_CORE_H
#define USER_NET_ACCESS_CORE_H

#include "lib/buf.h"
#include "lib/ktime.h"

#define ACCESS_TOKEN_MIN 16
#define ACCESS_TOKEN_MAX 128

/* ---- what the secret file says ---- */

enum access_setting { ACCESS_FIXED, ACCESS_OFF, ACCESS_INVALID };
/* "off", or a token of ACCESS_TOKEN_MIN to ACCESS_TOKEN_MAX characters [A-Za-z0-9_-]; blanks around it do not count. */
enum access_setting access_setting_parse(struct str content, struct str *token);

/* ---- what a request brings ---- */

/* A secret, laid out once in as many bytes as the longest has, so that no comparison takes longer for one than another. */
struct access_secret {
	uint8_t bytes[ACCESS_TOKEN_MAX + 1]; /* behind its characters zeros, and its length */
};
struct access_secret access_secret(struct str text); /* of 1 to ACCESS_TOKEN_MAX characters */
struct str access_secret_text(const struct access_secret *secret);
/* In a time that depends on `given` alone. */
bool access_equal(struct str given, const struct access_secret *secret);

#define ACCESS_COOKIES_MAX 8 /* of one name that are looked at: each costs a comparison */
/*
 * Whether one of the first ACCESS_COOKIES_MAX cookies of that name has that value. Others may stand beside it, also
 * of the same name, and before it: a browser sends what any server of this host has set, whatever its port.
 */
bool access_cookie_has(struct str header, struct str name, const struct access_secret *secret);
/* "Bearer TOKEN". False: another scheme, or no token in it. */
bool access_bearer(struct str authorization, struct str *token);

/* ---- tries ---- */

#define ACCESS_PEERS 32 /* remembered at once; beyond, the one with the fewest failures is forgotten */

struct access_limits {
	int64_t peer_every_ns, all_every_ns;
	uint32_t peer_burst, all_burst;
};

struct access_limiter {
	const struct access_limits *limits;
	ktime all_full; /* when the bucket will be full again */
	struct access_peer {
		uint32_t addr;
		ktime full;
	} peer[ACCESS_PEERS];
};

/* How long this peer has to wait until it may try a token; 0: it may. */
int64_t access_wait_ns(const struct access_limiter *l, uint32_t peer, ktime now);
/* It tried, when it might, a wrong one. */
void access_failed(struct access_limiter *l, uint32_t peer, ktime now);

/* ---- Host and Origin ---- */

/*
 * The host without brackets, and the port, "80" when there is none. Of text that is no host, or a host with something
 * else than a port behind it: both empty. What else is wrong in an authority is not looked for.
 */
struct access_authority {
	struct str host, port;
	bool bracketed;
};
struct access_authority access_authority(struct str text);
/* localhost, mazu.local, [::1] or `further`, in any case, with any port. Addresses are the caller's to judge. */
bool access_host_is_named(struct str authority, struct str further);
/* Origin is http, and its host and port are those of the request. */
bool access_origin_is(struct str origin, struct str authority);

#endif
