/* url_core.h - http URLs (RFC 3986) as a client needs them. Pure: the parts are the text's. */
#ifndef USER_NET_URL_CORE_H
#define USER_NET_URL_CORE_H

#include "lib/str.h"

struct url {
	struct str host;
	struct str target; /* path and query, without fragment; empty: "/" */
	struct str authority; /* for the Host field: host, and the port if it is given */
	uint16_t port;
};

/* NULL, or what is wrong, in a sentence. "http://" may be left out. */
must_check const char *url_parse(struct str text, struct url *out);

#endif
