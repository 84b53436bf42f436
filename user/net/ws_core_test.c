/* Host tests of ws_core.h: the examples of RFC 6455, what is refused, random messages in random pieces. */
#include <string.h>
#include "tests/host/test.h"
#include "lib/unaligned.h"
#include "user/net/ws_core.h"

#define MESSAGE_MAX 70000
#define FIN 0x80

/* ---- a client ---- */

static uint8_t wire_bytes[400000];
static struct abuf wire;

static void wire_begin(void)
{
	wire = abuf_of(wire_bytes, sizeof(wire_bytes));
}

static void wire_masked(struct rbuf bytes, uint32_t mask)
{
	uint8_t key[4];
	store_be32(key, mask);
	abuf_bytes_add(&wire, key, 4);
	for (size_t i = 0; i < bytes.len; i++)
		abuf_char_add(&wire, (char)(bytes.ptr[i] ^ key[i & 3]));
}

static void wire_frame(uint8_t first, struct rbuf bytes, uint32_t mask)
{
	size_t at = wire.len;
	ws_frame_head(&wire, WS_OP_TEXT, bytes.len);
	wire.ptr[at] = first;
	wire.ptr[at + 1] |= 0x80;
	wire_masked(bytes, mask);
}

static void wire_text(uint8_t first, struct str text)
{
	wire_frame(first, rbuf_of_str(text), 0x37fa213d);
}

/* ---- what the parser makes of it ---- */

struct heard {
	/* Tn, Bn: a text, a binary of n bytes; P(...), O(...): ping, pong; Ccode(...): close; Fcode(): failure */
	char log_bytes[2000];
	struct abuf log;
	uint8_t data[300000];
	size_t data_len, message_from, used;
	enum ws_event last;
	uint16_t code;
};

static void heard_number(struct heard *h, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	abuf_str_add(&h->log, str_of(digits + at, sizeof(digits) - at));
}

static void heard_control(struct heard *h, char what, uint16_t code, struct rbuf bytes)
{
	abuf_char_add(&h->log, what);
	if (code)
		heard_number(h, code);
	abuf_char_add(&h->log, '(');
	abuf_str_add(&h->log, rbuf_str(bytes));
	abuf_char_add(&h->log, ')');
}

static void heard_step(struct heard *h, const struct ws_parser *p, const struct ws_step *s)
{
	switch (s->event) {
	case WS_MORE:
		break;
	case WS_PIECE:
		CHECK(s->piece.len <= WS_PIECE_MAX && h->data_len + s->piece.len <= sizeof(h->data));
		CHECK(s->piece.len > 0 || s->last);
		if (s->piece.len)
			memcpy(h->data + h->data_len, s->piece.ptr, s->piece.len);
		h->data_len += s->piece.len;
		if (!s->last)
			break;
		abuf_char_add(&h->log, s->text ? 'T' : 'B');
		heard_number(h, h->data_len - h->message_from);
		h->message_from = h->data_len;
		break;
	case WS_PING:
		heard_control(h, 'P', 0, s->piece);
		break;
	case WS_PONG:
		heard_control(h, 'O', 0, s->piece);
		break;
	case WS_CLOSED:
		heard_control(h, 'C', p->code, s->piece);
		break;
	case WS_FAIL:
		heard_control(h, 'F', p->code, rbuf_of(NULL, 0));
		break;
	}
}

/* piece_max 0: all at once. */
static void hear(struct heard *h, struct rbuf in, size_t piece_max, struct test_rng *rng)
{
	struct ws_parser p;
	memset(h, 0, offsetof(struct heard, data));
	h->data_len = h->message_from = h->used = 0;
	h->code = 0;
	h->log = abuf_of(h->log_bytes, sizeof(h->log_bytes));
	ws_parser_start(&p, MESSAGE_MAX);
	for (size_t have = 0;;) {
		if (have < in.len)
			have += !piece_max ? in.len : piece_max == 1 ? 1 : 1 + test_below(rng, piece_max);
		have = min(have, in.len);
		struct ws_step s;
		do {
			s = ws_input(&p, rbuf_slice(in, h->used, have));
			CHECK(s.used <= have - h->used);
			h->used += s.used;
			heard_step(h, &p, &s);
		} while (s.event != WS_MORE && s.event != WS_FAIL);
		h->last = s.event;
		h->code = p.code;
		if (s.event == WS_FAIL || have == in.len)
			break;
		CHECK_EQ(h->used, have);
	}
	CHECK(abuf_ok(&h->log));
}

static struct heard whole, cut;

/* Heard at once, byte by byte, and in random pieces: the same. */
static void hear_all(struct rbuf in)
{
	struct test_rng rng = test_rng(test_seed());
	static const size_t pieces[] = {1, 3, 40, 1000};
	hear(&whole, in, 0, &rng);
	for (size_t i = 0; i < countof(pieces); i++) {
		hear(&cut, in, pieces[i], &rng);
		CHECK_STR(abuf_str(&cut.log), abuf_str(&whole.log));
		CHECK_EQ(cut.used, whole.used);
		CHECK_EQ(cut.code, whole.code);
		CHECK_EQ(cut.data_len, whole.data_len);
		CHECK_MEM(cut.data, whole.data, whole.data_len);
	}
}

static void hear_wire(struct str expected)
{
	CHECK(abuf_ok(&wire));
	hear_all(abuf_bytes(&wire));
	CHECK_STR(abuf_str(&whole.log), expected);
}

/* ---- handshake ---- */

/* Section 1.3 */
TEST(ws_accept_of_rfc6455)
{
	char accept[WS_ACCEPT_CHARS];
	ws_accept_text(S("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	CHECK_STR(str_of(accept, sizeof(accept)), S("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	char bytes[200];
	struct abuf head = abuf_of(bytes, sizeof(bytes));
	ws_accept_head(&head, S("dGhlIHNhbXBsZSBub25jZQ=="));
	CHECK(abuf_ok(&head));
	CHECK(str_starts(abuf_str(&head), S("HTTP/1.1 101 Switching Protocols\r\n")));
	CHECK(str_ends(abuf_str(&head), S("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")));
}

TEST(ws_key_has_16_bytes)
{
	CHECK(ws_key_is_valid(S("dGhlIHNhbXBsZSBub25jZQ==")));
	CHECK(ws_key_is_valid(S("AAAAAAAAAAAAAAAAAAAAAA==")));
	CHECK(!ws_key_is_valid(S("")));
	CHECK(!ws_key_is_valid(STR_EMPTY));
	CHECK(!ws_key_is_valid(S("dGhlIHNhbXBsZSBub25jZQ")));
	CHECK(!ws_key_is_valid(S("dGhlIHNhbXBsZSBub25jZR==")));
	CHECK(!ws_key_is_valid(S("dGhlIHNhbXBsZSBub25j")));
	CHECK(!ws_key_is_valid(S("dGhlIHNhbXBsZSBub25jZWVl")));
	CHECK(!ws_key_is_valid(S("dGhlIHNhbXBsZSBub25jZQ==,dGhlIHNhbXBsZSBub25jZQ==")));
}

/* ---- what is understood ---- */

/* Section 5.7 */
TEST(ws_examples_of_rfc6455)
{
	hear_all(rbuf_of_str(S("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")));
	CHECK_STR(abuf_str(&whole.log), S("T5"));
	CHECK_MEM(whole.data, "Hello", 5);
	hear_all(rbuf_of_str(S("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")));
	CHECK_STR(abuf_str(&whole.log), S("O(Hello)"));
}

TEST(ws_fragments_are_one_message)
{
	wire_begin();
	wire_text(WS_OP_TEXT, S("one "));
	wire_text(FIN | WS_OP_PING, S("between"));
	wire_text(WS_OP_CONTINUATION, S(""));
	wire_text(FIN | WS_OP_PONG, S(""));
	wire_text(WS_OP_CONTINUATION, S("two"));
	wire_text(FIN | WS_OP_CONTINUATION, S(" three"));
	wire_text(FIN | WS_OP_BINARY, S("\xff\x80"));
	wire_text(FIN | WS_OP_TEXT, S(""));
	wire_text(WS_OP_BINARY, S(""));
	wire_text(FIN | WS_OP_CONTINUATION, S(""));
	hear_wire(S("P(between)O()T13B2T0B0"));
	CHECK_MEM(whole.data, "one two three\xff\x80", 15);
}

TEST(ws_lengths_at_the_borders)
{
	static const size_t lens[] = {0, 1, 124, 125, 126, 127, 128, 129, 255, 256, 65535, 65536, MESSAGE_MAX};
	static uint8_t bytes[MESSAGE_MAX];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	for (size_t i = 0; i < countof(lens); i++) {
		wire_begin();
		wire_frame(FIN | WS_OP_BINARY, rbuf_of(bytes, lens[i]), 0x01020304);
		hear_all(abuf_bytes(&wire));
		CHECK_EQ(whole.data_len, lens[i]);
		CHECK_MEM(whole.data, bytes, lens[i]);
		CHECK_EQ(abuf_str(&whole.log).ptr[0], 'B');
	}
}

TEST(ws_control_of_125_bytes)
{
	uint8_t bytes[WS_CONTROL_MAX];
	memset(bytes, 'x', sizeof(bytes));
	wire_begin();
	wire_frame(FIN | WS_OP_PING, rbuf_of(bytes, sizeof(bytes)), 0);
	hear_all(abuf_bytes(&wire));
	CHECK_EQ(whole.log.len, 3 + sizeof(bytes));
	wire_begin();
	bytes[0] = 0x03;
	bytes[1] = 0xe8;
	wire_frame(FIN | WS_OP_CLOSE, rbuf_of(bytes, sizeof(bytes)), 9);
	hear_all(abuf_bytes(&wire));
	CHECK_EQ(whole.code, WS_CODE_NORMAL);
}

/* ---- what is refused ---- */

/* The mask is zero, where there is one; `used` is the byte that shows what is wrong. */
TEST(ws_every_case_has_its_code)
{
#define M "\0\0\0\0"
	static const struct {
		struct str bytes, expected;
		size_t used;
	} cases[] = {
		/* reserved bits and opcodes: at the first byte */
		{STR_INIT("\xc1\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\xa1\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x91\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\xf1\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x83\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x84\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x85\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x86\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x87\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x8b\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x8c\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x8d\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x8e\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x8f\x80" M), STR_INIT("F1002()"), 1},
		/* not masked */
		{STR_INIT("\x81\x01" "a"), STR_INIT("F1002()"), 2},
		{STR_INIT("\x89\x00"), STR_INIT("F1002()"), 2},
		{STR_INIT("\x88\x00"), STR_INIT("F1002()"), 2},
		/* control frames: in pieces, too long */
		{STR_INIT("\x09\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x0a\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x08\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x89\xfe\x00\x7e" M), STR_INIT("F1002()"), 2},
		{STR_INIT("\x8a\xff"), STR_INIT("F1002()"), 2},
		{STR_INIT("\x88\xfe"), STR_INIT("F1002()"), 2},
		/* fragments: of nothing, and a message in another one */
		{STR_INIT("\x80\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x00\x80" M), STR_INIT("F1002()"), 1},
		{STR_INIT("\x01\x80" M "\x81\x80" M), STR_INIT("F1002()"), 7},
		{STR_INIT("\x02\x80" M "\x01\x80" M), STR_INIT("F1002()"), 7},
		{STR_INIT("\x01\x80" M "\x80\x80" M "\x80\x80" M), STR_INIT("T0F1002()"), 13},
		/* lengths in more bytes than they need, or with the highest bit */
		{STR_INIT("\x82\xfe\x00\x7d" M), STR_INIT("F1002()"), 4},
		{STR_INIT("\x82\xfe\x00\x00" M), STR_INIT("F1002()"), 4},
		{STR_INIT("\x82\xff\0\0\0\0\0\0\xff\xff" M), STR_INIT("F1002()"), 10},
		{STR_INIT("\x82\xff\0\0\0\0\0\0\x00\x05" M), STR_INIT("F1002()"), 10},
		{STR_INIT("\x82\xff\x80\0\0\0\0\x01\x00\x00" M), STR_INIT("F1002()"), 10},
		/* too large, by itself and together with what came */
		{STR_INIT("\x82\xff\0\0\0\0\0\x01\x11\x71" M), STR_INIT("F1009()"), 10},
		{STR_INIT("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" M), STR_INIT("F1009()"), 10},
		{STR_INIT("\x02\x81" M "a" "\x80\xff\0\0\0\0\0\x01\x11\x70" M), STR_INIT("F1009()"), 17},
		/* text */
		{STR_INIT("\x81\x81" M "\xff"), STR_INIT("F1007()"), 7},
		{STR_INIT("\x81\x83" M "ab\x80"), STR_INIT("F1007()"), 9},
		{STR_INIT("\x81\x82" M "\xc0\x80"), STR_INIT("F1007()"), 7},
		{STR_INIT("\x81\x83" M "\xed\xa0\x80"), STR_INIT("F1007()"), 8},
		{STR_INIT("\x81\x84" M "\xf4\x90\x80\x80"), STR_INIT("F1007()"), 8},
		{STR_INIT("\x81\x82" M "\xe2\x82"), STR_INIT("F1007()"), 8},
		{STR_INIT("\x81\x8a" M "\xe2\x28......."), STR_INIT("F1007()"), 8},
		{STR_INIT("\x01\x81" M "\xe2" "\x80\x81" M "\x82"), STR_INIT("F1007()"), 14},
		{STR_INIT("\x01\x81" M "\xe2" "\x80\x80" M), STR_INIT("F1007()"), 13},
		{STR_INIT("\x01\x81" M "\xe2" "\x00\x81" M "x"), STR_INIT("F1007()"), 14},
		{STR_INIT("\x01\x81" M "\xe2" "\x89\x81" M "\xff" "\x80\x82" M "\x82\xac"),
			STR_INIT("P(\xff)T3"), 22},
		/* close */
		{STR_INIT("\x88\x80" M), STR_INIT("C1005()"), 6},
		{STR_INIT("\x88\x81" M "\x03"), STR_INIT("F1002()"), 7},
		{STR_INIT("\x89\x82" M "a\xe8" "\x88\x81" M "\x03"), STR_INIT("P(a\xe8)F1002()"), 15},
		{STR_INIT("\x88\x82" M "\x03\xe8"), STR_INIT("C1000()"), 8},
		{STR_INIT("\x88\x85" M "\x03\xe9" "bye"), STR_INIT("C1001(bye)"), 11},
		{STR_INIT("\x88\x83" M "\x03\xe8\xff"), STR_INIT("F1007()"), 9},
		{STR_INIT("\x88\x84" M "\x03\xe8\xc3\xa9"), STR_INIT("C1000(\xc3\xa9)"), 10},
		{STR_INIT("\x88\x82" M "\x00\x00"), STR_INIT("F1002()"), 8},
		{STR_INIT("\x01\x80" M "\x88\x80" M), STR_INIT("C1005()"), 12},
		/* whatever comes behind a close */
		{STR_INIT("\x88\x80" M "\xff\xff\xff"), STR_INIT("C1005()"), 9},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		hear_all(rbuf_of_str(cases[i].bytes));
		CHECK_STR(abuf_str(&whole.log), cases[i].expected);
		CHECK_EQ(whole.used, cases[i].used);
	}
#undef M
}

TEST(ws_close_codes)
{
	for (uint32_t code = 0; code < 65536; code++) {
		bool good = (code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006)) ||
			    (code >= 3000 && code <= 4999);
		uint8_t bytes[2];
		store_be16(bytes, (uint16_t)code);
		struct test_rng rng = test_rng(0);
		wire_begin();
		wire_frame(FIN | WS_OP_CLOSE, rbuf_of(bytes, 2), code);
		hear(&whole, abuf_bytes(&wire), 0, &rng);
		CHECK_EQ(whole.code, good ? code : WS_CODE_PROTOCOL);
		CHECK_EQ(ws_code_is_valid((uint16_t)code), good);
		CHECK_EQ(whole.log.ptr[0], good ? 'C' : 'F');
	}
}

/* Parts sum up to the limit and no further; the next message begins anew. */
TEST(ws_message_is_bounded)
{
	static uint8_t bytes[MESSAGE_MAX];
	wire_begin();
	for (int message = 0; message < 2; message++) {
		wire_frame(WS_OP_BINARY, rbuf_of(bytes, MESSAGE_MAX / 2), 1);
		wire_frame(WS_OP_CONTINUATION, rbuf_of(bytes, MESSAGE_MAX / 2), 1);
		wire_frame(FIN | WS_OP_CONTINUATION, rbuf_of(bytes, 0), 1);
	}
	hear_wire(S("B70000B70000"));
	wire_frame(WS_OP_BINARY, rbuf_of(bytes, MESSAGE_MAX), 1);
	wire_frame(FIN | WS_OP_CONTINUATION, rbuf_of(bytes, 1), 1);
	hear_wire(S("B70000B70000F1009()"));
}

/* ---- random messages ---- */

static size_t random_text(struct test_rng *rng, uint8_t *to, size_t chars)
{
	size_t len = 0;
	for (size_t i = 0; i < chars; i++) {
		static const uint32_t tops[] = {0x80, 0x800, 0x10000, 0x110000};
		len += utf8_encode((uint32_t)test_below(rng, tops[test_below(rng, 4)]), (char *)to + len);
	}
	return len;
}

/* One message in fragments cut anywhere, with pings between them, in the log's words. */
static void random_message(struct test_rng *rng, struct heard *expected)
{
	static uint8_t bytes[4000];
	bool text = test_below(rng, 2);
	size_t len = random_text(rng, bytes, test_below(rng, test_below(rng, 8) ? 40 : 1000));
	if (!text)
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)test_u64(rng);
	uint8_t op = text ? WS_OP_TEXT : WS_OP_BINARY;
	for (size_t at = 0; op != FIN; op = op & FIN ? FIN : WS_OP_CONTINUATION) {
		size_t n = test_below(rng, len - at + 1);
		if (test_below(rng, 3) == 0) {
			n = len - at;
			op |= FIN;
		}
		wire_frame(op, rbuf_of(bytes + at, n), (uint32_t)test_u64(rng));
		at += n;
		if (!(op & FIN) && test_below(rng, 4) == 0) {
			wire_frame(FIN | WS_OP_PING, rbuf_of_str(S("ping")), (uint32_t)test_u64(rng));
			heard_control(expected, 'P', 0, rbuf_of_str(S("ping")));
		}
	}
	abuf_char_add(&expected->log, text ? 'T' : 'B');
	heard_number(expected, len);
	memcpy(expected->data + expected->data_len, bytes, len);
	expected->data_len += len;
}

TEST(ws_random_messages_in_random_pieces)
{
	static struct heard expected;
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 200; round++) {
		wire_begin();
		expected.log = abuf_of(expected.log_bytes, sizeof(expected.log_bytes));
		expected.data_len = 0;
		for (size_t n = test_below(&rng, 20); n; n--)
			random_message(&rng, &expected);
		hear_wire(abuf_str(&expected.log));
		CHECK_EQ(whole.data_len, expected.data_len);
		CHECK_MEM(whole.data, expected.data, expected.data_len);
	}
}

/* A byte changed anywhere: whatever comes of it, it is the same in pieces. */
TEST(ws_random_damage_is_the_same_in_pieces)
{
	static struct heard forgotten;
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 400; round++) {
		wire_begin();
		forgotten.log = abuf_of(forgotten.log_bytes, sizeof(forgotten.log_bytes));
		forgotten.data_len = 0;
		for (size_t n = 1 + test_below(&rng, 4); n; n--)
			random_message(&rng, &forgotten);
		for (size_t n = 1 + test_below(&rng, 3); n; n--)
			wire.ptr[test_below(&rng, min(wire.len, (size_t)200))] ^=
				(uint8_t)(1 << test_below(&rng, 8));
		hear_all(abuf_bytes(&wire));
	}
}

/* ---- frames that go out ---- */

TEST(ws_frames_that_go_out)
{
	static const struct {
		uint64_t len;
		struct str head;
	} cases[] = {
		{0, STR_INIT("\x81\x00")},
		{125, STR_INIT("\x81\x7d")},
		{126, STR_INIT("\x81\x7e\x00\x7e")},
		{65535, STR_INIT("\x81\x7e\xff\xff")},
		{65536, STR_INIT("\x81\x7f\0\0\0\0\0\1\0\0")},
		{UINT64_C(1) << 40, STR_INIT("\x81\x7f\0\0\1\0\0\0\0\0")},
	};
	uint8_t bytes[200];
	struct abuf out;
	for (size_t i = 0; i < countof(cases); i++) {
		out = abuf_of(bytes, sizeof(bytes));
		ws_frame_head(&out, WS_OP_TEXT, cases[i].len);
		CHECK_STR(abuf_str(&out), cases[i].head);
		CHECK(cases[i].head.len <= WS_HEAD_MAX);
	}
	out = abuf_of(bytes, sizeof(bytes));
	ws_frame_control(&out, WS_OP_PONG, rbuf_of_str(S("abc")));
	ws_frame_close(&out, WS_CODE_AWAY, S("bye"));
	ws_frame_close(&out, WS_CODE_NONE, STR_EMPTY);
	CHECK_STR(abuf_str(&out), S("\x8a\x03" "abc" "\x88\x05\x03\xe9" "bye" "\x88\x00"));
	CHECK_ASSERTS(ws_frame_close(&out, 1006, STR_EMPTY));
	CHECK_ASSERTS(ws_frame_control(&out, WS_OP_PING, rbuf_of(bytes, WS_CONTROL_MAX + 1)));
}
