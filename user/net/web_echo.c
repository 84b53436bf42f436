/*
 * web_echo.c - /api/ws/test: each message comes back as it was, text or binary, once it is
 * complete. For tests of clients, and of this server.
 *
 * One message is held at a time, in pages that grow with it; until it has gone out no
 * other is read. No token is needed here, so what all of them hold together is bounded:
 * who finds no room is left with 1013, as for lack of memory.
 */
#include "lib/assert.h"
#include "user/net/web_priv.h"

#define WEB_ECHO_MAX   65536
#define WEB_ECHO_PAGES 1024 /* of all messages together: 4 MiB */

static struct web_budget web_echo_budget = {.max = WEB_ECHO_PAGES};

/* Room for n more bytes. False: there is no memory. */
static bool web_echo_grow(struct web_echo *e, size_t n)
{
	struct web_block *have = e->block;
	uint32_t order = have ? have->order : 0;
	while ((PAGE_SIZE << order) - sizeof(*have) < e->len + n)
		order++;
	if (have && order == have->order)
		return true;
	struct web_block *b = web_block_alloc_of(&web_echo_budget, order);
	if (!b)
		return false;
	if (have) {
		memcpy(b->bytes, have->bytes, e->len);
		packet_mem_put(&have->mem);
	}
	e->block = b;
	return true;
}

static void web_echo_end(struct web_socket *s)
{
	if (s->echo.block)
		packet_mem_put(&s->echo.block->mem);
	s->echo = (struct web_echo){0};
}

static void web_echo_input(struct web_socket *s, const struct ws_step *step, ktime now)
{
	struct web_echo *e = &s->echo;
	assert(!s->paused && e->len + step->piece.len <= WEB_ECHO_MAX);
	if (!web_echo_grow(e, step->piece.len)) {
		web_count(WEB_REFUSED_MEMORY, 1);
		web_echo_end(s); /* his close may take its time */
		web_socket_leave(s, WS_CODE_LATER, now);
		return;
	}
	if (step->piece.len)
		memcpy(e->block->bytes + e->len, step->piece.ptr, step->piece.len);
	e->len += step->piece.len;
	e->text = step->text;
	s->message_due = s->paused = step->last;
}

static struct web_message web_echo_next(struct web_conn *c, unused ktime now)
{
	struct web_socket *s = c->socket;
	struct web_echo e = s->echo;
	s->echo = (struct web_echo){0};
	s->message_due = s->paused = false;
	return (struct web_message){e.text ? WS_OP_TEXT : WS_OP_BINARY, web_block_content(e.block, e.len)};
}

const struct web_socket_kind web_echo_kind = {
	.message_max = WEB_ECHO_MAX,
	.input = web_echo_input,
	.next = web_echo_next,
	.end = web_echo_end,
};
