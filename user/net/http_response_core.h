/*
 * http_response_core.h - reads a response to one request, as a client (RFC 9112).
 *
 *	http_response_start(&p, head)              head: the request was HEAD, there is no body
 *	s = http_response_input(&p, bytes)         again and again, the bytes behind s.used next
 *	wrong = http_response_end(&p)              the peer has closed
 *
 * Events: MORE, all was used; LINE, one of the head, without its end; HEAD, behind the last one; BODY, a piece of it;
 * DONE; FAIL, with p.wrong, for good. A response 1xx is gone past without a word. Bodies by length, chunked, or up to
 * the end of the connection. Refused: two lengths, another coding than chunked, both, a folded field, a bare CR, control
 * characters in a line: who shows it on a terminal need not look for them.
 *
 * Bounds: HTTP_RESPONSE_LINE_MAX a line, HTTP_RESPONSE_HEAD_MAX all lines of the head, responses 1xx included, of one
 * chunk, and of the trailers. Pure.
 */
#ifndef USER_NET_HTTP_RESPONSE_CORE_H
#define USER_NET_HTTP_RESPONSE_CORE_H

#include "lib/buf.h"

#define HTTP_RESPONSE_LINE_MAX 2048
#define HTTP_RESPONSE_HEAD_MAX 16384

enum http_response_state {
	RESPONSE_STATUS_LINE,
	RESPONSE_FIELDS,
	RESPONSE_LENGTH,     /* `left` bytes of body */
	RESPONSE_TO_CLOSE,
	RESPONSE_CHUNK_SIZE, /* a line */
	RESPONSE_CHUNK,      /* `left` bytes of it */
	RESPONSE_CHUNK_END,  /* an empty line */
	RESPONSE_TRAILERS,
	RESPONSE_DONE,
	RESPONSE_FAILED,
};

enum http_response_event { RESPONSE_MORE, RESPONSE_LINE, RESPONSE_HEAD, RESPONSE_BODY, RESPONSE_END, RESPONSE_FAIL };

struct http_response {
	enum http_response_state state;
	bool head;     /* no body follows, whatever the fields say */
	uint16_t status;
	bool has_length, chunked;
	uint64_t length; /* if has_length */
	uint64_t left;
	uint64_t body;   /* bytes of it so far */
	const char *wrong;
	size_t lines;    /* bytes of those so far that HTTP_RESPONSE_HEAD_MAX bounds together */
	size_t line_len;
	bool cr;         /* a CR has come; only LF may follow */
	char line[HTTP_RESPONSE_LINE_MAX];
};

struct http_response_step {
	enum http_response_event event;
	size_t used;
	struct str line;  /* LINE: valid until the next call */
	struct rbuf body; /* BODY: of the bytes given */
};

void http_response_start(struct http_response *p, bool head);
must_check struct http_response_step http_response_input(struct http_response *p, struct rbuf bytes);
/* NULL: the response was complete, or is so by this. */
must_check const char *http_response_end(struct http_response *p);

#endif
