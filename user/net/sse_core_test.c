/* Host tests of sse_core.c: what is written, and that a client by the standard hears the same. */
#include "tests/host/test.h"
#include "user/net/sse_core.h"

static uint8_t buffer[4096];

static struct str written(struct str event, uint64_t id, struct str text)
{
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	sse_event(&out, event, id, text);
	CHECK(abuf_ok(&out));
	return abuf_str(&out);
}

TEST(sse_event_is_id_event_data)
{
	CHECK_STR(written(S("log"), 7, S("hello")), S("id: 7\nevent: log\ndata: hello\n\n"));
	CHECK_STR(written(STR_EMPTY, UINT64_MAX, S("a")), S("id: 18446744073709551615\ndata: a\n\n"));
	CHECK_STR(written(S("stats"), 0, S("{}")), S("event: stats\ndata: {}\n\n"));
}

TEST(sse_each_line_is_a_data_line)
{
	CHECK_STR(written(STR_EMPTY, 0, STR_EMPTY), S("data: \n\n"));
	CHECK_STR(written(STR_EMPTY, 0, S("a\nb\rc\r\nd")), S("data: a\ndata: b\ndata: c\ndata: d\n\n"));
	CHECK_STR(written(STR_EMPTY, 0, S("a\n")), S("data: a\ndata: \n\n"));
	CHECK_STR(written(STR_EMPTY, 0, S("\r\r")), S("data: \ndata: \ndata: \n\n"));
	CHECK_STR(written(STR_EMPTY, 0, S(" a: b")), S("data:  a: b\n\n"));
}

TEST(sse_event_in_place_is_the_same)
{
	uint8_t bytes[64];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	sse_event_begin(&out, S("log"), 9);
	abuf_str_add(&out, S("{\"a\":1}"));
	sse_event_end(&out);
	CHECK_STR(abuf_str(&out), written(S("log"), 9, S("{\"a\":1}")));
}

TEST(sse_start_and_heartbeat_are_no_events)
{
	struct abuf out = abuf_of(buffer, sizeof(buffer));
	sse_start(&out, 1000, 12);
	sse_start(&out, 250, 0);
	sse_heartbeat(&out);
	CHECK_STR(abuf_str(&out), S("retry: 1000\nid: 12\n\nretry: 250\n\n:\n\n"));
}

TEST(sse_what_does_not_fit_says_so)
{
	struct str whole = written(S("log"), 7, S("a\nb"));
	for (size_t room = 0; room < whole.len; room++) {
		uint8_t bytes[64];
		struct abuf out = abuf_of(bytes, room);
		sse_event(&out, S("log"), 7, S("a\nb"));
		CHECK(!abuf_ok(&out));
	}
}

/* ---- a client as section 9.2.6 describes it, that knows nothing of the writer ---- */

struct heard {
	size_t events;
	uint64_t last_id;
	size_t data_len;
	char data[1024], event[16];
	size_t event_len;
};

static void heard_line(struct heard *h, struct str line, struct heard *pending)
{
	if (line.len == 0) {
		h->last_id = pending->last_id;
		if (pending->data_len) {
			h->events++;
			h->data_len = pending->data_len - 1; /* its last line end */
			memcpy(h->data, pending->data, h->data_len);
			h->event_len = pending->event_len;
			memcpy(h->event, pending->event, h->event_len);
		}
		pending->data_len = pending->event_len = 0;
		return;
	}
	size_t colon = str_find_char(line, ':');
	struct str field = str_slice(line, 0, colon), value = str_slice(line, colon + 1, line.len);
	if (str_starts(value, S(" ")))
		value = str_slice(value, 1, value.len);
	if (str_eq(field, S("data"))) {
		memcpy(pending->data + pending->data_len, value.ptr, value.len);
		pending->data_len += value.len;
		pending->data[pending->data_len++] = '\n';
	} else if (str_eq(field, S("id"))) {
		pending->last_id = str_to_u64(value, 10).value;
	} else if (str_eq(field, S("event"))) {
		pending->event_len = value.len;
		memcpy(pending->event, value.ptr, value.len);
	}
}

static void heard_stream(struct heard *h, struct str text)
{
	struct heard pending = {.last_id = h->last_id};
	size_t at = 0;
	for (size_t i = 0; i < text.len; i++) {
		CHECK(text.ptr[i] != '\r');
		if (text.ptr[i] != '\n')
			continue;
		heard_line(h, str_slice(text, at, i), &pending);
		at = i + 1;
	}
	CHECK_EQ(at, text.len);
	CHECK_EQ(pending.data_len, 0);
}

TEST(sse_random_texts_are_heard_as_they_were)
{
	struct test_rng rng = test_rng(test_seed());
	struct heard h = {0};
	for (size_t n = 1; n <= 5000; n++) {
		static const char chars[] = "\r\n: abdti";
		char text[64], expected[64];
		size_t len = test_below(&rng, sizeof(text)), want = 0;
		for (size_t i = 0; i < len; i++)
			text[i] = chars[test_below(&rng, sizeof(chars) - 1)];
		for (size_t i = 0; i < len; i++) {
			if (text[i] == '\n' && i && text[i - 1] == '\r')
				continue;
			expected[want++] = text[i] == '\r' ? '\n' : text[i];
		}
		bool named = test_below(&rng, 2);
		uint64_t id = test_below(&rng, 3) ? n : 0, before = h.last_id;
		heard_stream(&h, written(named ? S("log") : STR_EMPTY, id, str_of(text, len)));
		CHECK_EQ(h.events, n);
		CHECK_EQ(h.last_id, id ? id : before);
		CHECK_STR(str_of(h.event, h.event_len), named ? S("log") : STR_EMPTY);
		CHECK_STR(str_of(h.data, h.data_len), str_of(expected, want));
	}
}
