/*
 * sse_core.h - server-sent events: how they are written (WHATWG HTML, section 9.2).
 *
 *	sse_event(&out, event, id, text)	a whole event; each line of `text` is a data line
 *	sse_event_begin(&out, event, id)	the same, the data being written in place, in one line
 *	...
 *	sse_event_end(&out)
 *	sse_start(&out, retry_ms, id)		no event: how soon to come again, and from where
 *	sse_heartbeat(&out)			no event: a comment
 *
 * Numbers are the only ids, from 1; 0 is none, and leaves the client with the last one that it has.
 * All is appended to an abuf that the caller lends; abuf_ok() says whether it fitted. Locks: none.
 */
#ifndef USER_NET_SSE_CORE_H
#define USER_NET_SSE_CORE_H

#include "lib/buf.h"
#include "lib/result.h"

#define SSE_TYPE S("text/event-stream")

/* `event`: letters, digits and '_'; empty: "message", as clients call it. */
void sse_event(struct abuf *out, struct str event, uint64_t id, struct str text);
void sse_event_begin(struct abuf *out, struct str event, uint64_t id);
void sse_event_end(struct abuf *out);
void sse_start(struct abuf *out, uint32_t retry_ms, uint64_t id);
void sse_heartbeat(struct abuf *out);

#endif
