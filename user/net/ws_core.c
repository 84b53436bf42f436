/*
 * ws_core.c - WebSocket frames (contract: ws_core.h).
 *
 * One handler a state for the bytes of a frame's head, one byte at a time; what a
 * frame carries is taken in pieces. A head is judged as soon as a byte shows what is
 * wrong with it, so that no more is read of what will be refused.
 *
 * Invariants: piece_len <= WS_PIECE_MAX; what a control frame carries fits the piece,
 * which is empty when a frame's content begins, because pieces of a message are handed
 * out before the input goes on; between messages utf8 is at the start of a character;
 * after WS_FAIL the state stays S_FAILED.
 */
#include "user/net/ws_core.h"
#include "lib/assert.h"
#include "lib/base64.h"
#include "lib/sha1.h"
#include "lib/unaligned.h"

enum { S_FIRST, S_LENGTH, S_LENGTH_MORE, S_MASK, S_CONTENT, S_CLOSED, S_FAILED };

static_assert(WS_CONTROL_MAX <= WS_PIECE_MAX, "a control frame is one piece");

#define WS_FIN       0x80
#define WS_RESERVED  0x70
#define WS_OPCODE    0x0f
#define WS_MASKED    0x80
#define WS_LENGTH_16 126
#define WS_LENGTH_64 127

/* --- handshake --- */

#define WS_KEY_BYTES 16

bool ws_key_is_valid(struct str key)
{
	uint8_t bytes[WS_KEY_BYTES];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	return base64_decode(key, &out) == OK && out.len == WS_KEY_BYTES;
}

void ws_accept_text(struct str key, char out[WS_ACCEPT_CHARS])
{
	static const struct str guid = STR_INIT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	uint8_t text_bytes[BASE64_CHARS(WS_KEY_BYTES) + 36], digest[SHA1_BYTES];
	struct abuf text = abuf_of(text_bytes, sizeof(text_bytes));
	struct abuf accept = abuf_of(out, WS_ACCEPT_CHARS);
	abuf_str_add(&text, key);
	abuf_str_add(&text, guid);
	sha1(abuf_bytes(&text), digest);
	base64_encode(rbuf_of(digest, sizeof(digest)), &accept);
	assert(abuf_ok(&text) && abuf_ok(&accept) && accept.len == WS_ACCEPT_CHARS);
}

void ws_accept_head(struct abuf *out, struct str key)
{
	char accept[WS_ACCEPT_CHARS];
	ws_accept_text(key, accept);
	abuf_str_add(out, S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: "));
	abuf_bytes_add(out, accept, sizeof(accept));
	abuf_str_add(out, S("\r\n\r\n"));
}

/* --- the head of a frame --- */

void ws_parser_start(struct ws_parser *p, uint64_t message_max)
{
	*p = (struct ws_parser){.message_max = message_max, .state = S_FIRST};
}

static bool ws_is_control(const struct ws_parser *p)
{
	return p->op >= WS_OP_CLOSE;
}

static enum ws_event ws_fail(struct ws_parser *p, uint16_t code)
{
	p->code = code;
	p->state = S_FAILED;
	return WS_FAIL;
}

static enum ws_event ws_on_first(struct ws_parser *p, uint8_t c)
{
	p->fin = c & WS_FIN;
	p->op = c & WS_OPCODE;
	bool data = p->op == WS_OP_TEXT || p->op == WS_OP_BINARY;
	if (c & WS_RESERVED || p->op > WS_OP_PONG || (p->op > WS_OP_BINARY && p->op < WS_OP_CLOSE))
		return ws_fail(p, WS_CODE_PROTOCOL);
	if (ws_is_control(p) ? !p->fin : data == p->in_message)
		return ws_fail(p, WS_CODE_PROTOCOL);
	if (data) {
		p->text = p->op == WS_OP_TEXT;
		p->in_message = true;
		p->message_bytes = 0;
	}
	p->state = S_LENGTH;
	return WS_MORE;
}

/* The length is known. */
static enum ws_event ws_on_length_known(struct ws_parser *p)
{
	if (!ws_is_control(p)) {
		if (p->left > p->message_max - p->message_bytes)
			return ws_fail(p, WS_CODE_TOO_LARGE);
		p->message_bytes += p->left;
	}
	p->have = 0;
	p->state = S_MASK;
	return WS_MORE;
}

static enum ws_event ws_on_length(struct ws_parser *p, uint8_t c)
{
	uint8_t len = c & ~WS_MASKED;
	if (!(c & WS_MASKED) || (ws_is_control(p) && len > WS_CONTROL_MAX))
		return ws_fail(p, WS_CODE_PROTOCOL);
	p->left = len;
	if (len < WS_LENGTH_16)
		return ws_on_length_known(p);
	p->left = 0;
	p->have = 0;
	p->need = len == WS_LENGTH_16 ? 2 : 8;
	p->state = S_LENGTH_MORE;
	return WS_MORE;
}

/* Section 5.2: in as few bytes as will do, and the highest bit of 64 is never set. */
static enum ws_event ws_on_length_more(struct ws_parser *p, uint8_t c)
{
	p->left = p->left << 8 | c;
	if (++p->have < p->need)
		return WS_MORE;
	if (p->need == 2 ? p->left < WS_LENGTH_16 : p->left <= UINT16_MAX || p->left >> 63)
		return ws_fail(p, WS_CODE_PROTOCOL);
	return ws_on_length_known(p);
}

static enum ws_event ws_on_mask(struct ws_parser *p, uint8_t c)
{
	p->mask[p->have++] = c;
	if (p->have == sizeof(p->mask)) {
		p->mask_at = 0;
		p->piece_len = 0;
		p->state = S_CONTENT;
	}
	return WS_MORE;
}

/* --- what a frame carries --- */

bool ws_code_is_valid(uint16_t code)
{
	/* 1012 to 1014 are registered with IANA; 1004 to 1006 and 1015 are never sent. */
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static enum ws_event ws_on_close(struct ws_parser *p, struct ws_step *s)
{
	uint16_t code = WS_CODE_NONE;
	if (p->piece_len == 1)
		return ws_fail(p, WS_CODE_PROTOCOL);
	if (p->piece_len) {
		code = load_be16(p->piece);
		s->piece = rbuf_slice(s->piece, 2, s->piece.len);
	}
	if (p->piece_len && !ws_code_is_valid(code))
		return ws_fail(p, WS_CODE_PROTOCOL);
	if (!utf8_is_valid(rbuf_str(s->piece)))
		return ws_fail(p, WS_CODE_TEXT);
	p->code = code;
	p->state = S_CLOSED;
	return WS_CLOSED;
}

/* All of a frame of a message is there. A text that breaks off in a character is handed out first. */
static enum ws_event ws_on_data_end(struct ws_parser *p, struct ws_step *s)
{
	bool broken = p->fin && p->text && p->utf8.missing;
	if (broken && p->piece_len == 0)
		return ws_fail(p, WS_CODE_TEXT);
	s->text = p->text;
	s->last = p->fin && !broken;
	if (!broken)
		p->state = S_FIRST;
	if (s->last)
		p->in_message = false;
	return p->fin || p->piece_len ? WS_PIECE : WS_MORE;
}

/* All of the frame is there. */
static enum ws_event ws_on_end(struct ws_parser *p, struct ws_step *s)
{
	s->piece = rbuf_of(p->piece, p->piece_len);
	if (!ws_is_control(p))
		return ws_on_data_end(p, s);
	p->state = S_FIRST;
	switch (p->op) {
	case WS_OP_CLOSE:
		return ws_on_close(p, s);
	case WS_OP_PING:
		return WS_PING;
	default:
		return WS_PONG;
	}
}

/* False: this byte cannot come next in a text. */
static bool ws_text_goes_on(struct ws_parser *p, uint8_t c)
{
	struct utf8_decoder next = p->utf8;
	enum utf8_step step = utf8_step(&next, c);
	if (step == UTF8_BAD || step == UTF8_BROKEN)
		return false;
	p->utf8 = next;
	return true;
}

/* One byte of content. What was good before one that is not is handed out first. */
static enum ws_event ws_on_content(struct ws_parser *p, uint8_t c, struct ws_step *s)
{
	c ^= p->mask[p->mask_at];
	if (!ws_is_control(p) && p->text && !ws_text_goes_on(p, c)) {
		if (p->piece_len == 0) {
			s->used++;
			return ws_fail(p, WS_CODE_TEXT);
		}
		s->piece = rbuf_of(p->piece, p->piece_len);
		s->text = true;
		return WS_PIECE;
	}
	s->used++;
	p->mask_at = (p->mask_at + 1) & 3;
	p->piece[p->piece_len++] = c;
	p->left--;
	if (p->piece_len < WS_PIECE_MAX || p->left == 0)
		return WS_MORE;
	s->piece = rbuf_of(p->piece, p->piece_len);
	s->text = p->text;
	return WS_PIECE;
}

/* The input is at its end within a message: what there is of it is a piece. */
static enum ws_event ws_on_input_end(struct ws_parser *p, struct ws_step *s)
{
	if (p->state != S_CONTENT || ws_is_control(p) || p->piece_len == 0)
		return WS_MORE;
	s->piece = rbuf_of(p->piece, p->piece_len);
	s->text = p->text;
	return WS_PIECE;
}

static enum ws_event ws_byte(struct ws_parser *p, uint8_t c, struct ws_step *s)
{
	if (p->state == S_CONTENT)
		return ws_on_content(p, c, s);
	s->used++;
	switch (p->state) {
	case S_FIRST:
		return ws_on_first(p, c);
	case S_LENGTH:
		return ws_on_length(p, c);
	case S_LENGTH_MORE:
		return ws_on_length_more(p, c);
	case S_MASK:
		return ws_on_mask(p, c);
	default: /* S_CLOSED */
		return WS_MORE;
	}
}

struct ws_step ws_input(struct ws_parser *p, struct rbuf in)
{
	struct ws_step s = {.event = p->state == S_FAILED ? WS_FAIL : WS_MORE};
	if (p->state == S_CONTENT && !ws_is_control(p))
		p->piece_len = 0; /* was handed out */
	while (s.event == WS_MORE) {
		if (p->state == S_CONTENT && p->left == 0)
			s.event = ws_on_end(p, &s);
		else if (s.used < in.len)
			s.event = ws_byte(p, in.ptr[s.used], &s);
		else {
			s.event = ws_on_input_end(p, &s);
			break;
		}
	}
	return s;
}

/* --- frames that go out --- */

void ws_frame_head(struct abuf *out, enum ws_opcode op, uint64_t len)
{
	uint8_t head[WS_HEAD_MAX] = {(uint8_t)(WS_FIN | op)};
	size_t n = 2;
	if (len < WS_LENGTH_16) {
		head[1] = (uint8_t)len;
	} else if (len <= UINT16_MAX) {
		head[1] = WS_LENGTH_16;
		store_be16(head + 2, (uint16_t)len);
		n = 4;
	} else {
		head[1] = WS_LENGTH_64;
		store_be64(head + 2, len);
		n = 10;
	}
	abuf_bytes_add(out, head, n);
}

void ws_frame_control(struct abuf *out, enum ws_opcode op, struct rbuf bytes)
{
	assert(op >= WS_OP_CLOSE && bytes.len <= WS_CONTROL_MAX);
	ws_frame_head(out, op, bytes.len);
	abuf_bytes_add(out, bytes.ptr, bytes.len);
}

void ws_frame_close(struct abuf *out, uint16_t code, struct str reason)
{
	uint8_t bytes[WS_CONTROL_MAX];
	struct abuf content = abuf_of(bytes, sizeof(bytes));
	if (code != WS_CODE_NONE) {
		assert(ws_code_is_valid(code));
		store_be16(bytes, code);
		content.len = 2;
		abuf_str_add(&content, reason);
		assert(abuf_ok(&content));
	}
	ws_frame_control(out, WS_OP_CLOSE, abuf_bytes(&content));
}
