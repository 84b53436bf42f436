/*
 * web_shell_world.h - a shell for the web server's simulation, whose commands are the test: what a session was typed
 * lies in `in`, what it says is put in `out`.
 */
#ifndef TESTS_SIM_WEB_SHELL_WORLD_H
#define TESTS_SIM_WEB_SHELL_WORLD_H

#include "user/shell/shell.h"

struct shell_session {
	void (*ready)(void *arg);
	void *arg;
	bool open, armed, over; /* armed: its carrier has taken all */
	uint64_t put, dropped; /* of out */
	size_t in_len, in_room; /* takes so much */
	uint16_t columns, rows;
	unsigned interrupts;
	char in[SHELL_IN_BYTES], out[SHELL_OUT_BYTES];
};

#define WORLD_SHELLS 72
static struct shell_session world_shells[WORLD_SHELLS];

static unused struct shell_session *world_shell(void)
{
	for (size_t i = 0; i < WORLD_SHELLS; i++)
		if (world_shells[i].open)
			return &world_shells[i];
	return NULL;
}

struct shell_result shell_open(const struct shell_carrier *carrier)
{
	for (size_t i = 0; i < WORLD_SHELLS; i++) {
		struct shell_session *s = &world_shells[i];
		if (s->open)
			continue;
		*s = (struct shell_session){.ready = carrier->ready, .arg = carrier->arg, .open = true,
			.armed = true, .in_room = SHELL_IN_BYTES};
		return OK_RESULT(shell_result, s);
	}
	return ERR_RESULT(shell_result, ERR_NOSPC);
}

size_t shell_feed(struct shell_session *s, struct rbuf typed)
{
	CHECK(s->open);
	for (size_t i = typed.len; i > 0; i--) {
		if (typed.ptr[i - 1] != 3)
			continue;
		s->interrupts++;
		s->in_len = 0;
		return i + shell_feed(s, rbuf_slice(typed, i, typed.len));
	}
	size_t n = min(typed.len, s->in_room - min(s->in_room, s->in_len));
	if (n)
		memcpy(s->in + s->in_len, typed.ptr, n);
	s->in_len += n;
	return n;
}

size_t shell_output(struct shell_session *s, uint64_t *at, struct wbuf to)
{
	size_t n = 0;
	CHECK(s->open);
	*at = min(max(*at, s->dropped), s->put);
	s->dropped = *at;
	for (; n < to.len && *at < s->put; n++)
		to.ptr[n] = (uint8_t)s->out[(*at)++ % SHELL_OUT_BYTES];
	s->armed |= *at == s->put;
	return n;
}

bool shell_ended(struct shell_session *s, uint64_t at)
{
	CHECK(s->open);
	return s->over && at >= s->put;
}

void shell_resize(struct shell_session *s, uint16_t columns, uint16_t rows)
{
	s->columns = columns;
	s->rows = rows;
}

void shell_hang_up(struct shell_session *s)
{
	CHECK(s->open);
	s->open = false;
	s->ready = NULL;
}

static unused void world_shell_notify(struct shell_session *s)
{
	if (s->armed && s->ready) {
		s->armed = false;
		s->ready(s->arg);
	}
}

/* As much as there is room for: a command would wait with the rest. */
static unused size_t world_shell_says(struct shell_session *s, struct str text)
{
	size_t n = 0;
	for (; n < text.len && s->put - s->dropped < SHELL_OUT_BYTES; n++)
		s->out[s->put++ % SHELL_OUT_BYTES] = text.ptr[n];
	world_shell_notify(s);
	return n;
}

#endif
