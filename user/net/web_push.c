/*
 * web_push.c - the document of /api/stats for all who get it each second: made once in a sweep of a worker, for
 * the first that can take it, and sent by reference. A socket gets one of its own when it is opened: who has come
 * back does not wait for the sweep.
 *
 * It is rendered as the event that a stream sends, the end of a chunk behind it; a WebSocket takes the JSON out
 * of the middle. Locks: none, a push is its worker's.
 */
#include "lib/assert.h"
#include "user/net/sse_core.h"
#include "user/net/web_priv.h"

#define WEB_PUSH_BEFORE "event: stats\ndata: "
#define WEB_PUSH_BEHIND "\n\n"

static uint16_t web_push_render(const struct http_request *req, struct abuf *out)
{
	sse_event_begin(out, S("stats"), 0);
	debug_assert(!abuf_ok(out) || out->len == sizeof(WEB_PUSH_BEFORE) - 1);
	uint16_t status = api_stats(req, out);
	sse_event_end(out);
	http_chunk_end(out);
	return status;
}

static bool web_push_make(struct web_push *push)
{
	static const struct http_request none;
	static uint8_t hint;
	if (!push->tried && web_document(web_push_render, &none, &hint, &push->content) != 200)
		push->content = (struct web_content){0};
	push->tried = true;
	return push->content.mem;
}

static struct web_content web_push_part(struct web_push *push, size_t before, size_t behind)
{
	if (!web_push_make(push))
		return (struct web_content){0};
	packet_mem_get(push->content.mem);
	struct rbuf all = push->content.bytes;
	return (struct web_content){push->content.mem, rbuf_slice(all, before, all.len - behind)};
}

struct web_content web_push_take(struct web_push *push)
{
	return web_push_part(push, sizeof(WEB_PUSH_BEFORE) - 1, sizeof(WEB_PUSH_BEHIND) - 1 + HTTP_CHUNK_END);
}

struct web_content web_push_take_event(struct web_push *push)
{
	return web_push_part(push, 0, HTTP_CHUNK_END);
}

void web_push_end(struct web_push *push)
{
	if (push->content.mem)
		packet_mem_put(push->content.mem);
}

#define WEB_PUSH_MESSAGE_MAX 4096 /* nothing that a client says has a meaning: little will do */

static enum err web_push_open(struct web_conn *c)
{
	c->socket->message_due = true;
	return OK;
}

static struct web_message web_push_first(struct web_conn *c, unused ktime now)
{
	struct web_push push = {0};
	struct web_message message = {WS_OP_TEXT, web_push_take(&push)};
	web_push_end(&push);
	web_count(message.content.mem ? WEB_SOCKET_PUSHED : WEB_SOCKET_SKIPPED, 1);
	c->socket->message_due = false;
	return message;
}

static void web_push_sweep(struct web_conn *c, struct web_push *push, ktime now)
{
	struct web_message message = {WS_OP_TEXT, {0}};
	if (web_socket_may_send(c))
		message.content = web_push_take(push);
	web_count(message.content.mem ? WEB_SOCKET_PUSHED : WEB_SOCKET_SKIPPED, 1);
	if (message.content.mem)
		web_socket_build(c, message, now);
}

const struct web_socket_kind web_push_kind = {
	.message_max = WEB_PUSH_MESSAGE_MAX,
	.open = web_push_open,
	.next = web_push_first,
	.sweep = web_push_sweep,
};
