/*
 * ws_fuzz.c - any bytes as frames of a client, cut anywhere: the parser reads within
 * its input, and what it hears is what a plain decoder of the whole input hears. The
 * first byte of an input seeds the cuts.
 */
#include "lib/assert.h"
#include "user/net/ws_core.h"

#define FUZZ_MESSAGE_MAX 600
#define FUZZ_MAX         4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that was heard, in order: a digest, so that any difference shows. */
struct heard {
	uint64_t digest;
	uint64_t message; /* of the message under way */
	uint16_t code;    /* of the failure or of the close; 0: neither */
	bool failed;
};

static uint64_t fuzz_mix(uint64_t digest, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3) + 1;
	return digest;
}

static void fuzz_hear(struct heard *h, uint8_t op, uint64_t content)
{
	h->digest = (h->digest * 31 + op) * UINT64_C(0x9e3779b97f4a7c15) + content;
}

/* --- a plain decoder: all is there, all is looked at by its place --- */

static bool fuzz_fail(struct heard *h, uint16_t code)
{
	h->failed = true;
	h->code = code;
	return false;
}

struct plain {
	uint8_t message[FUZZ_MESSAGE_MAX];
	size_t len;
	uint8_t op; /* 0: no message under way */
};

/* Whether a text that may go on is good as far as it is there. */
static bool plain_text_is_good(const uint8_t *bytes, size_t len, bool complete)
{
	struct str rest = str_of(bytes, len);
	if (complete)
		return utf8_is_valid(rest);
	for (unsigned cut = 0; cut <= 3 && cut <= len; cut++) {
		if (!utf8_is_valid(str_of(bytes, len - cut)))
			continue;
		if (cut == 0)
			return true;
		uint8_t c = bytes[len - cut], d = cut > 1 ? bytes[len - cut + 1] : 0;
		unsigned n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 :
			     c >= 0xf0 && c <= 0xf4 ? 4 : 0;
		bool second = cut == 1 || ((d & 0xc0) == 0x80 && !(c == 0xe0 && d < 0xa0) &&
			!(c == 0xed && d > 0x9f) && !(c == 0xf0 && d < 0x90) && !(c == 0xf4 && d > 0x8f));
		return cut < n && second && (cut < 3 || (bytes[len - 1] & 0xc0) == 0x80);
	}
	return false;
}

static bool plain_close(struct heard *h, const uint8_t *bytes, size_t len)
{
	if (len == 1)
		return fuzz_fail(h, 1002);
	uint16_t code = len ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 1005;
	if (len && !ws_code_is_valid(code))
		return fuzz_fail(h, 1002);
	if (len && !utf8_is_valid(str_of(bytes + 2, len - 2)))
		return fuzz_fail(h, 1007);
	fuzz_hear(h, WS_OP_CLOSE, len ? fuzz_mix(0, bytes + 2, len - 2) : 0);
	h->code = code;
	return false;
}

/* What a frame carries, as much of it as is there. False: nothing of what follows counts. */
static bool plain_content(struct plain *d, struct heard *h, uint8_t first, uint8_t *bytes, size_t there,
	bool all)
{
	uint8_t op = first & 15;
	if (op >= 8) {
		if (!all)
			return false;
		if (op == 8)
			return plain_close(h, bytes, there);
		fuzz_hear(h, op, fuzz_mix(0, bytes, there));
		return true;
	}
	for (size_t i = 0; i < there; i++)
		d->message[d->len++] = bytes[i];
	bool complete = all && first & 0x80;
	if (d->op == 1 && !plain_text_is_good(d->message, d->len, complete))
		return fuzz_fail(h, 1007);
	if (complete) {
		fuzz_hear(h, d->op, fuzz_mix(0, d->message, d->len));
		d->op = 0;
	}
	return all;
}

static void plain_decode(struct heard *h, const uint8_t *p, size_t size)
{
	struct plain d = {.op = 0};
	for (size_t at = 0; at < size;) {
		uint8_t first = p[at++], op = first & 15, content[FUZZ_MESSAGE_MAX];
		bool misplaced = op >= 8 ? !(first & 0x80) : (op > 0) == (d.op > 0);
		if (first & 0x70 || (op > 2 && op < 8) || op > 10 || misplaced) {
			(void)fuzz_fail(h, 1002);
			return;
		}
		if (op == 1 || op == 2) {
			d.op = op;
			d.len = 0;
		}
		if (at == size)
			return;
		uint64_t len = p[at] & 127;
		bool bad = !(p[at++] & 128) || (op >= 8 && len > 125);
		size_t more = len == 126 ? 2 : len == 127 ? 8 : 0;
		if (!bad && size - at < more)
			return;
		if (!bad && more) {
			len = 0;
			for (size_t i = 0; i < more; i++)
				len = len << 8 | p[at++];
			bad = len < (more == 2 ? 126u : 65536u) || len >> 63;
		}
		if (bad || (op < 8 && len > FUZZ_MESSAGE_MAX - d.len)) {
			(void)fuzz_fail(h, bad ? 1002 : 1009);
			return;
		}
		if (size - at < 4)
			return;
		const uint8_t *mask = p + at;
		at += 4;
		size_t there = min((size_t)len, size - at);
		for (size_t i = 0; i < there; i++)
			content[i] = p[at + i] ^ mask[i % 4];
		at += there;
		if (!plain_content(&d, h, first, content, there, there == len))
			return;
	}
}

/* --- the parser --- */

static void fuzz_step(struct heard *h, const struct ws_parser *p, const struct ws_step *s)
{
	uint64_t content = fuzz_mix(0, s->piece.ptr, s->piece.len);
	switch (s->event) {
	case WS_MORE:
		break;
	case WS_PIECE:
		assert(s->piece.len <= WS_PIECE_MAX);
		h->message = fuzz_mix(h->message, s->piece.ptr, s->piece.len);
		if (!s->last)
			break;
		fuzz_hear(h, s->text ? WS_OP_TEXT : WS_OP_BINARY, h->message);
		h->message = 0;
		break;
	case WS_PING:
		fuzz_hear(h, WS_OP_PING, content);
		break;
	case WS_PONG:
		fuzz_hear(h, WS_OP_PONG, content);
		break;
	case WS_CLOSED:
		fuzz_hear(h, WS_OP_CLOSE, content);
		h->code = p->code;
		break;
	case WS_FAIL:
		h->failed = true;
		h->code = p->code;
		break;
	}
}

static void fuzz_parse(struct heard *h, const uint8_t *data, size_t size, uint32_t seed)
{
	struct ws_parser p;
	ws_parser_start(&p, FUZZ_MESSAGE_MAX);
	for (size_t used = 0; used < size && !h->failed;) {
		seed = seed * 1664525 + 1013904223;
		size_t end = used + min(size - used, (size_t)(1 + (seed >> 24) % (seed & 0x800000 ? 64 : 1)));
		struct ws_step s;
		do {
			s = ws_input(&p, rbuf_of(data + used, end - used));
			assert(s.used <= end - used);
			used += s.used;
			fuzz_step(h, &p, &s);
		} while (s.event != WS_MORE && s.event != WS_FAIL);
		assert(s.event == WS_FAIL || used == end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard plain = {0}, cut = {0};
	if (size < 1 || size > FUZZ_MAX)
		return 0;
	plain_decode(&plain, data + 1, size - 1);
	fuzz_parse(&cut, data + 1, size - 1, data[0] * 2654435761u);
	assert(plain.digest == cut.digest && plain.code == cut.code && plain.failed == cut.failed);
	return 0;
}
