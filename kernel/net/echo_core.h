/*
 * echo_core.h - one who sends echo requests and wants to see what comes back: which reply belongs to which
 * request, how long it took, and whether it holds what was sent.
 *
 *	echo_open(&e, dst, id)
 *	seq = echo_send(&e, size, now)            a request is about to go out...
 *	echo_fill(seq, data)                      ...with this behind its header
 *	taken = echo_reply(&e, &reply, now)       a reply came in
 *	taken = echo_error(&e, dst, id, seq, &event)
 *	echo_next(&e, &event)                     what has happened, in order
 *
 * A request is remembered until ECHO_WINDOW later ones were sent: a reply that comes after that is nobody's. Events
 * that nobody fetches are lost from the ECHO_EVENTS-th on, counted.
 *
 * Invariant: each reply is one event, the first of a request with `duplicate` false. Bounds: constant, but for
 * echo_fill() and echo_intact(), which go through the data.
 */
#ifndef KERNEL_NET_ECHO_CORE_H
#define KERNEL_NET_ECHO_CORE_H

#include "lib/buf.h"
#include "lib/ktime.h"

#define ECHO_WINDOW 64 /* requests that are remembered; a power of two */
#define ECHO_EVENTS 8

/* What comes in as a reply, checksum right. */
struct echo_message {
	uint32_t from;
	uint16_t id, seq;
	uint8_t ttl;
	bool intact;     /* its data are those of echo_fill() */
	uint32_t bytes;  /* of the ICMP message, header included */
};

struct echo_event {
	bool error;      /* an ICMP error came instead; `kind` says which */
	bool duplicate, intact;
	uint8_t ttl, kind;
	uint16_t seq;
	uint32_t from;
	uint32_t bytes;
	int64_t rtt_ns;
};

struct echo_request {
	ktime at;
	uint32_t bytes;
	uint16_t seq;
	bool used, answered;
};

struct echo {
	uint32_t dst;
	uint16_t id, next_seq;
	uint32_t first, count; /* of events */
	uint64_t lost;
	struct echo_request request[ECHO_WINDOW]; /* of sequence number s: [s % ECHO_WINDOW] */
	struct echo_event event[ECHO_EVENTS];
};

void echo_open(struct echo *e, uint32_t dst, uint16_t id);
/* A request with so many bytes, ICMP header included, goes out now: its sequence number. */
uint16_t echo_send(struct echo *e, uint32_t bytes, ktime now);
/* It did not. */
void echo_unsend(struct echo *e, uint16_t seq);
/* The data of that request: they differ from one to the next, so that a reply with others' data is seen. */
void echo_fill(uint16_t seq, struct wbuf data);
must_check bool echo_intact(uint16_t seq, struct rbuf data);
/* False: it answers nothing that is remembered. */
must_check bool echo_reply(struct echo *e, const struct echo_message *m, ktime now);
/* An error about what was sent to dst under that id; of *error, from and kind are used. */
must_check bool echo_error(struct echo *e, uint32_t dst, uint16_t id, uint16_t seq, const struct echo_event *error);
must_check bool echo_next(struct echo *e, struct echo_event *out);

#endif
