/*
 * http_reply_core.h - what the server says: heads of replies, chunks, problem
 * documents, and the small judgements that a reply depends on.
 *
 * Everything is appended to an abuf that the caller lends; whether all of it
 * fitted is asked once, by abuf_ok(). Locks: none.
 */
#ifndef USER_NET_HTTP_REPLY_CORE_H
#define USER_NET_HTTP_REPLY_CORE_H

#include "lib/buf.h"

/* More than any head that http_reply_head() makes, fields of the caller aside. */
#define HTTP_REPLY_HEAD_MAX 1024
#define HTTP_LENGTH_CHUNKED UINT64_MAX
#define HTTP_LENGTH_CLOSE   (UINT64_MAX - 1) /* up to the end of the connection: for HTTP/1.0 */

struct http_reply {
	uint16_t status;
	bool close;        /* the connection ends behind this reply */
	bool minor0;       /* to a client of HTTP/1.0: says keep-alive when it stays */
	bool gzip;         /* the content is the gzip variant */
	bool vary;         /* another Accept-Encoding would get another content */
	bool no_store;     /* a live figure: never from a cache */
	bool ranges;       /* says Accept-Ranges */
	bool upgrade;      /* of 426: says to what */
	struct str type;   /* empty: no content at all (204, 304) */
	uint64_t length;   /* HTTP_LENGTH_CHUNKED: chunks follow */
	struct str etag;   /* with quotes; empty: none */
	struct str allow;  /* of 405 and OPTIONS */
	struct str location, cookie; /* of 303: where to, and what to remember */
	int64_t date_s;    /* when this is said, since 1970; 0: the machine does not know, and sends no Date */
	uint32_t retry_s;  /* of 429 and 503: when to come again; 0: in a second */
	uint64_t range_from, range_size; /* of 206 and 416: Content-Range */
};

void http_reply_head(struct abuf *out, const struct http_reply *r);
struct str http_status_text(uint16_t status); /* empty: not one that is used */

/* "HTTP/1.1 100 Continue", the interim reply */
void http_continue(struct abuf *out);

/* A chunk is head, content, end; the last is http_chunk_last(). Content of no bytes is no chunk. */
void http_chunk_head(struct abuf *out, size_t len);
#define HTTP_CHUNK_END 2 /* bytes of an end */
void http_chunk_end(struct abuf *out);
void http_chunk_last(struct abuf *out);

/* RFC 9457. `detail` is a sentence for people; it must be text without control characters. */
void http_problem(struct abuf *out, uint16_t status, struct str detail);
#define HTTP_PROBLEM_TYPE S("application/problem+json")

/* If-None-Match (weak) and If-Match (strong), RFC 9110 section 13.1. */
bool http_etag_matches(struct str list, struct str etag, bool weak);

/* Whether Accept-Encoding takes gzip. Absent: no. */
bool http_accepts_gzip(struct str accept_encoding);

enum http_range_kind { HTTP_RANGE_NONE, HTTP_RANGE_ONE, HTTP_RANGE_UNSATISFIABLE };
struct http_range {
	enum http_range_kind kind;
	uint64_t from, len;
};
/* One range of bytes; more than one, another unit or nonsense are ignored: NONE. */
struct http_range http_range_parse(struct str range, uint64_t size);

/* The decoded value of a parameter of a query ("a=1&b=2"); ERR_NOENT, ERR_INVAL, ERR_NOSPC. */
must_check enum err http_query_param(struct str query, struct str name, struct abuf *value);

/* By the name's suffix; application/octet-stream when it is not known. */
struct str http_mime_type(struct str path);

/* The host of "host:port", without a port and without the brackets of an IPv6 address. */
struct str http_host_name(struct str authority);

#endif
