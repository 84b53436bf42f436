/*
 * http_core.h - an incremental HTTP/1.1 request parser.
 *
 *	http_parser_start(&p, &limits, store);	a connection begins
 *	http_input(&p, bytes)			again and again; tells what happened:
 *		HTTP_MORE	all was taken, more is needed
 *		HTTP_HEAD	p.req is complete; call again with what is left
 *		HTTP_BODY	a piece of the body, in place in the input
 *		HTTP_DONE	the request ended; answer, then http_parser_next()
 *		HTTP_FAIL	p.status is the answer; nothing more can be parsed
 *	http_parser_next(&p, store);		the next request of the connection
 *
 * However the bytes are cut into pieces, the events, the request and the bytes
 * used are the same. What the server does not use is checked and dropped; the
 * target and the fields it uses are kept in `store`, which the caller lends from
 * start or next until the request is answered and which may be NULL before the
 * first byte (http_parser_is_idle). Memory and work per byte are bounded.
 *
 * Strict, because a proxy that reads a message otherwise than this parser opens
 * the door to request smuggling: a line ends in CR LF and nothing else, no
 * obs-fold, no space before a colon, one Host, one Content-Length in digits or
 * one Transfer-Encoding: chunked and never both, no encoded '/' or NUL in a path.
 *
 * Locks: none, a parser belongs to one thread at a time.
 * Reference: RFC 9112 (messages), RFC 9110 (semantics), RFC 3986 (targets).
 */
#ifndef USER_NET_HTTP_CORE_H
#define USER_NET_HTTP_CORE_H

#include "lib/buf.h"
#include "lib/str.h"

struct http_limits {
	uint32_t line_max;   /* bytes of a request line; beyond: 414 */
	uint32_t head_max;   /* bytes of the field block; beyond: 431 */
	uint32_t fields_max; /* field lines; beyond: 431 */
	uint64_t body_max;   /* bytes of content; beyond: 413 */
};

#define HTTP_LINE_MAX   8192
#define HTTP_HEAD_MAX   16384
#define HTTP_FIELDS_MAX 64

enum http_method {
	HTTP_GET,
	HTTP_HEAD_METHOD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHOD_COUNT,
};

/*
 * The fields that are kept: X(NAME, "name in lower case", may be repeated).
 * A list that is repeated is joined by ", "; any other is refused (400).
 */
#define HTTP_FIELD_LIST(X)                                                                         \
	X(HOST, "host", false)                                                                     \
	X(CONTENT_LENGTH, "content-length", false)                                                 \
	X(TRANSFER_ENCODING, "transfer-encoding", true)                                            \
	X(CONNECTION, "connection", true)                                                          \
	X(EXPECT, "expect", true)                                                                  \
	X(ORIGIN, "origin", false)                                                                 \
	X(AUTHORIZATION, "authorization", false)                                                   \
	X(COOKIE, "cookie", false)                                                                 \
	X(CONTENT_TYPE, "content-type", false)                                                     \
	X(CONTENT_ENCODING, "content-encoding", true)                                              \
	X(ACCEPT_ENCODING, "accept-encoding", true)                                                \
	X(IF_MATCH, "if-match", true)                                                              \
	X(IF_NONE_MATCH, "if-none-match", true)                                                    \
	X(IF_RANGE, "if-range", false)                                                             \
	X(RANGE, "range", false)                                                                   \
	X(LAST_EVENT_ID, "last-event-id", false)                                                   \
	X(SEC_FETCH_SITE, "sec-fetch-site", false)                                                 \
	X(SEC_FETCH_DEST, "sec-fetch-dest", false)                                                 \
	X(UPGRADE, "upgrade", true)                                                                \
	X(SEC_WEBSOCKET_KEY, "sec-websocket-key", false)                                           \
	X(SEC_WEBSOCKET_VERSION, "sec-websocket-version", false)

#define HTTP_FIELD_ENUM(id, name, list) HTTP_##id,
enum http_field { HTTP_FIELD_LIST(HTTP_FIELD_ENUM) HTTP_FIELD_COUNT };
#undef HTTP_FIELD_ENUM

enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

struct http_request {
	enum http_method method;
	enum http_body_kind body;
	uint8_t minor;            /* 0 or 1: HTTP/1.0 or HTTP/1.1 */
	bool keep_alive;          /* the client lets the connection stay */
	bool expect_continue;     /* waits for 100 before it sends the body */
	struct str path;          /* decoded, absolute, without dot segments; or "*" */
	struct str query;         /* raw, without '?' */
	struct str host;          /* authority: of the target, else of Host; may be empty in 1.0 */
	uint64_t content_length;  /* of HTTP_BODY_LENGTH */
	struct str field[HTTP_FIELD_COUNT]; /* .ptr is NULL when absent */
};

enum http_event { HTTP_MORE, HTTP_HEAD, HTTP_BODY, HTTP_DONE, HTTP_FAIL };

struct http_step {
	enum http_event event;
	size_t used;      /* bytes of the input that were taken */
	struct rbuf body; /* HTTP_BODY: within the input */
};

#define HTTP_WORD_MAX 32

/* Private, but for req and status. */
struct http_parser {
	struct http_request req;
	uint16_t status; /* after HTTP_FAIL: 400 ... 505 */
	uint8_t state;
	bool in_trailer;
	bool started;
	int8_t field;    /* the kept field being read, or -1 */
	uint8_t word_len;
	char word[HTTP_WORD_MAX]; /* method, version or field name being read */
	struct http_limits limits;
	struct wbuf store;
	size_t store_used;
	size_t value_at; /* where in store the value being read begins */
	uint32_t line_bytes;
	uint32_t head_bytes;
	uint32_t fields;
	uint32_t chunk_digits;
	uint64_t left; /* of the body or of the chunk */
	uint64_t body_bytes;
};

void http_parser_start(struct http_parser *p, const struct http_limits *limits, struct wbuf store);
void http_parser_next(struct http_parser *p, struct wbuf store);
must_check struct http_step http_input(struct http_parser *p, struct rbuf in);

/* No byte of a request has come yet. */
static inline bool http_parser_is_idle(const struct http_parser *p)
{
	return !p->started;
}

struct str http_method_name(enum http_method method);

/* Parts of the parser, in files of their own; each returns 0 or a status. */
struct http_target {
	struct str path;
	struct str query;
	struct str authority; /* of absolute-form */
};
/* Decodes in place: raw is overwritten, and the results lie in it. */
must_check uint16_t http_target_parse(
	char *raw, size_t len, enum http_method method, struct http_target *out);
bool http_authority_is_valid(struct str authority);
/* Judges the complete head: body framing, Host, Expect, persistence. */
must_check uint16_t http_head_judge(struct http_request *req, uint64_t body_max);
bool http_list_has(struct str list, struct str token); /* separated by commas; in any case */
bool http_is_token_char(uint8_t c);
int http_hex_digit(char c); /* its value; -1: none */

#endif
