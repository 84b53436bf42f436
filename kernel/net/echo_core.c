/* echo_core.c - which echo reply belongs to which request; see echo_core.h. */
#include "kernel/net/echo_core.h"
#include "lib/assert.h"

static_assert(is_pow2(ECHO_WINDOW), "sequence numbers wrap at a power of two");

void echo_open(struct echo *e, uint32_t dst, uint16_t id)
{
	*e = (struct echo){.dst = dst, .id = id};
}

static struct echo_request *echo_place(struct echo *e, uint16_t seq)
{
	return &e->request[seq % ECHO_WINDOW];
}

/* NULL: never sent, or too long ago. */
static struct echo_request *echo_find(struct echo *e, uint16_t seq)
{
	struct echo_request *r = echo_place(e, seq);
	return r->used && r->seq == seq ? r : NULL;
}

uint16_t echo_send(struct echo *e, uint32_t bytes, ktime now)
{
	uint16_t seq = e->next_seq++;
	*echo_place(e, seq) = (struct echo_request){.at = now, .bytes = bytes, .seq = seq, .used = true};
	return seq;
}

void echo_unsend(struct echo *e, uint16_t seq)
{
	struct echo_request *r = echo_find(e, seq);
	if (r)
		r->used = false;
}

/* Any function of both that is not the same for neighbours. */
static uint8_t echo_byte(uint16_t seq, size_t i)
{
	return (uint8_t)(i + seq * 13u + (i >> 8) * 7u);
}

void echo_fill(uint16_t seq, struct wbuf data)
{
	for (size_t i = 0; i < data.len; i++)
		data.ptr[i] = echo_byte(seq, i);
}

bool echo_intact(uint16_t seq, struct rbuf data)
{
	for (size_t i = 0; i < data.len; i++)
		if (data.ptr[i] != echo_byte(seq, i))
			return false;
	return true;
}

static void echo_add(struct echo *e, const struct echo_event *event)
{
	assert(e->count <= ECHO_EVENTS);
	if (e->count == ECHO_EVENTS) {
		e->lost++;
		return;
	}
	e->event[(e->first + e->count++) % ECHO_EVENTS] = *event;
}

bool echo_reply(struct echo *e, const struct echo_message *m, ktime now)
{
	struct echo_request *r = echo_find(e, m->seq);
	if (m->from != e->dst || m->id != e->id || !r)
		return false;
	echo_add(e, &(struct echo_event){.duplicate = r->answered,
		.intact = m->intact && m->bytes == r->bytes, .ttl = m->ttl, .seq = m->seq, .from = m->from,
		.bytes = m->bytes, .rtt_ns = ktime_diff(now, r->at)});
	r->answered = true;
	return true;
}

bool echo_error(struct echo *e, uint32_t dst, uint16_t id, uint16_t seq, const struct echo_event *error)
{
	if (dst != e->dst || id != e->id || !echo_find(e, seq))
		return false;
	echo_add(e, &(struct echo_event){.error = true, .kind = error->kind, .from = error->from, .seq = seq});
	return true;
}

bool echo_next(struct echo *e, struct echo_event *out)
{
	if (e->count == 0)
		return false;
	*out = e->event[e->first];
	e->first = (e->first + 1) % ECHO_EVENTS;
	e->count--;
	return true;
}
