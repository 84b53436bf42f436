/*
 * http_fuzz.c - any bytes, cut anywhere: the parser reads within its input, ends
 * in the same place as when it takes one byte at a time, and a path that it gives
 * is absolute and without dot segments. The first byte of an input seeds the cuts.
 */
#include "lib/assert.h"
#include "user/net/http_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum http_event event;
	uint16_t status;
	size_t used, body;
	unsigned requests;
};

static void fuzz_check_path(struct str path)
{
	assert(path.len > 0 && (path.ptr[0] == '/' || str_eq(path, S("*"))));
	assert(str_find_char(path, '\0') == path.len);
	while (path.len) {
		struct str segment = str_cut(&path, '/');
		assert(!str_eq(segment, S("..")) && !str_eq(segment, S(".")));
	}
}

static struct outcome fuzz_run(const uint8_t *data, size_t size, uint32_t seed)
{
	static const struct http_limits limits = {256, 512, 16, 1024};
	uint8_t store[400];
	struct http_parser p;
	struct outcome o = {.event = HTTP_MORE};
	http_parser_start(&p, &limits, wbuf_of(store, sizeof(store)));
	while (o.event != HTTP_FAIL) {
		seed = seed * 1664525 + 1013904223;
		size_t piece = min(size - o.used, (size_t)(1 + (seed >> 24) % (seed & 0x800000 ? 64 : 1)));
		struct http_step s = http_input(&p, rbuf_of(data + o.used, piece));
		assert(s.used <= piece);
		o.used += s.used;
		o.event = s.event;
		o.body += s.body.len;
		if (s.event == HTTP_HEAD)
			fuzz_check_path(p.req.path);
		if (s.event == HTTP_DONE) {
			o.requests++;
			http_parser_next(&p, wbuf_of(store, sizeof(store)));
		}
		if (s.event == HTTP_MORE && o.used == size)
			break;
	}
	o.status = p.status;
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct outcome a = fuzz_run(data + 1, size - 1, data[0] * 2654435761u);
	struct outcome b = fuzz_run(data + 1, size - 1, 0x12345);
	assert(a.event == b.event && a.status == b.status && a.used == b.used);
	assert(a.body == b.body && a.requests == b.requests);
	return 0;
}
