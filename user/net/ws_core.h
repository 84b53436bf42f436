/*
 * ws_core.h - the server's side of WebSocket: the key's answer, an incremental
 * parser of the client's frames, and the heads of frames that go out.
 *
 *	ws_parser_start(&p, message_max);	behind the handshake
 *	ws_input(&p, bytes)			again and again, until WS_MORE; tells what happened:
 *		WS_MORE		all was taken, more is needed
 *		WS_PIECE	a piece of a message, unmasked, maybe cut within a character;
 *				`last` with the message's end
 *		WS_PING, WS_PONG	all of it: `piece` is what it carries
 *		WS_CLOSED	the client's close; p.code says why, `piece` in words
 *		WS_FAIL		p.code is what to close with; nothing more can be parsed
 *
 * However the bytes are cut, the events but for the borders of pieces, the content
 * and the bytes used are the same. A piece lies in the parser until the next call.
 * Nothing is allocated: a message is never held, a piece has WS_PIECE_MAX bytes at most.
 *
 * Strict: a frame that is not masked, has reserved bits or an unknown opcode, says
 * its length in more bytes than it needs, a control frame in pieces or of more than
 * 125 bytes, a message inside another one, a close code that nobody may send: 1002.
 * Text that is not UTF-8: 1007, with the first byte that shows it. A message of more
 * than message_max bytes: 1009, before they come. Behind WS_CLOSED bytes are dropped.
 *
 * Locks: none, a parser belongs to one thread at a time.
 * Reference: RFC 6455.
 */
#ifndef USER_NET_WS_CORE_H
#define USER_NET_WS_CORE_H

#include "lib/buf.h"
#include "lib/str.h"
#include "lib/utf8.h"

/* ---- the handshake, section 4.2 ---- */

#define WS_VERSION      S("13")
#define WS_ACCEPT_CHARS 28

/* 16 bytes in Base 64. */
bool ws_key_is_valid(struct str key);
void ws_accept_text(struct str key, char out[WS_ACCEPT_CHARS]);
/* The head of the reply, 101. */
void ws_accept_head(struct abuf *out, struct str key);

/* ---- frames, section 5 ---- */

enum ws_opcode {
	WS_OP_CONTINUATION = 0,
	WS_OP_TEXT = 1,
	WS_OP_BINARY = 2,
	WS_OP_CLOSE = 8,
	WS_OP_PING = 9,
	WS_OP_PONG = 10,
};

/* Section 7.4 */
#define WS_CODE_NORMAL    1000
#define WS_CODE_AWAY      1001
#define WS_CODE_PROTOCOL  1002
#define WS_CODE_NONE      1005 /* never sent: a close without a code */
#define WS_CODE_TEXT      1007
#define WS_CODE_POLICY    1008
#define WS_CODE_TOO_LARGE 1009
#define WS_CODE_LATER     1013 /* short of something: try again */

#define WS_CONTROL_MAX 125
#define WS_PIECE_MAX   128
#define WS_HEAD_MAX    10 /* of a frame that goes out: it has no mask */

enum ws_event { WS_MORE, WS_PIECE, WS_PING, WS_PONG, WS_CLOSED, WS_FAIL };

struct ws_step {
	enum ws_event event;
	size_t used;       /* bytes of the input that were taken */
	struct rbuf piece; /* in the parser */
	bool text;         /* of WS_PIECE: else binary */
	bool last;         /* of WS_PIECE: the message ends with it; the piece may be empty */
};

/* Private, but for code. */
struct ws_parser {
	uint16_t code; /* after WS_CLOSED and WS_FAIL */
	uint8_t state;
	uint8_t op;      /* of the frame */
	bool fin;        /* of the frame */
	bool in_message; /* fragments of one have come, not its last */
	bool text;       /* that message is */
	uint8_t have;    /* bytes of the length, of the mask */
	uint8_t need;    /* bytes of the length */
	uint8_t mask[4];
	uint8_t mask_at;
	uint8_t piece_len;
	uint64_t left; /* of the frame */
	uint64_t message_bytes, message_max;
	struct utf8_decoder utf8;
	uint8_t piece[WS_PIECE_MAX];
};

void ws_parser_start(struct ws_parser *p, uint64_t message_max);
must_check struct ws_step ws_input(struct ws_parser *p, struct rbuf in);

/* Whether a peer may send this code in a close. */
bool ws_code_is_valid(uint16_t code);

/* The head of an unfragmented frame; its len bytes follow as they are. */
void ws_frame_head(struct abuf *out, enum ws_opcode op, uint64_t len);
/* A whole control frame, of at most WS_CONTROL_MAX bytes. */
void ws_frame_control(struct abuf *out, enum ws_opcode op, struct rbuf bytes);
/* With WS_CODE_NONE: an empty one. The reason has 2 bytes less room than WS_CONTROL_MAX. */
void ws_frame_close(struct abuf *out, uint16_t code, struct str reason);

#endif
