/*
 * sse_core.c - server-sent events: how they are written.
 *
 * A line ends in LF. Data of several lines is several data lines, which the client joins again; CR, LF and CR LF
 * end a line there, so none of them reaches the stream out of data.
 *
 * Reference: WHATWG HTML, sections 9.2.5 (parsing) and 9.2.6 (interpreting).
 */
#include "user/net/sse_core.h"
#include "lib/assert.h"
#include "lib/fmt.h"

static void sse_number(struct abuf *out, struct str field, uint64_t value)
{
	abuf_str_add(out, field);
	fmt_u64(out, value);
	abuf_char_add(out, '\n');
}

static bool sse_name_is_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static void sse_head(struct abuf *out, struct str event, uint64_t id)
{
	assert(sse_name_is_valid(event));
	if (id)
		sse_number(out, S("id: "), id);
	if (event.len) {
		abuf_str_add(out, S("event: "));
		abuf_str_add(out, event);
		abuf_char_add(out, '\n');
	}
}

void sse_event_begin(struct abuf *out, struct str event, uint64_t id)
{
	sse_head(out, event, id);
	abuf_str_add(out, S("data: "));
}

void sse_event_end(struct abuf *out)
{
	abuf_str_add(out, S("\n\n"));
}

/* Up to the end of a line in text from `at` on. */
static size_t sse_line_end(struct str text, size_t at)
{
	while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r')
		at++;
	return at;
}

void sse_event(struct abuf *out, struct str event, uint64_t id, struct str text)
{
	sse_head(out, event, id);
	for (size_t at = 0; at <= text.len;) {
		size_t end = sse_line_end(text, at);
		abuf_str_add(out, S("data: "));
		abuf_str_add(out, str_slice(text, at, end));
		abuf_char_add(out, '\n');
		bool pair = end + 1 < text.len && text.ptr[end] == '\r' && text.ptr[end + 1] == '\n';
		at = end + (pair ? 2 : 1);
	}
	abuf_char_add(out, '\n');
}

void sse_start(struct abuf *out, uint32_t retry_ms, uint64_t id)
{
	sse_number(out, S("retry: "), retry_ms);
	if (id)
		sse_number(out, S("id: "), id);
	abuf_char_add(out, '\n');
}

void sse_heartbeat(struct abuf *out)
{
	abuf_str_add(out, S(":\n\n"));
}
