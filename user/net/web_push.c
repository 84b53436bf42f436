/*
 * web_push.c - /api/ws: the document of /api/stats as a text message once a second.
 *
 * The worker renders one document for all its sockets and hands each a reference. No
 * push is queued: a client that is slower gets fewer. What it says is checked and dropped.
 */
#include "user/net/web_priv.h"

#define WEB_PUSH_MESSAGE_MAX 4096 /* nothing that a client says has a meaning: little will do */

/* The document of this sweep, with a reference for who takes it; .mem NULL: there is no memory for it. */
static struct web_content web_push_take(struct web_push *push)
{
	static const struct http_request none;
	if (!push->tried && web_document(api_stats, &none, &push->content) != 200)
		push->content = (struct web_content){0};
	push->tried = true;
	if (push->content.mem)
		packet_mem_get(push->content.mem);
	return push->content;
}

void web_push_end(struct web_push *push)
{
	if (push->content.mem)
		packet_mem_put(push->content.mem);
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
	.sweep = web_push_sweep,
};
