/*
 * response_fuzz.c - any bytes as a response, cut anywhere: the parser reads within its input, gives the same body and
 * ends in the same place as when it takes one byte at a time, and no body is longer than what came. The first byte
 * seeds the cuts, and says whether the request was HEAD.
 */
#include "lib/assert.h"
#include "lib/checksum.h"
#include "user/net/http_response_core.h"
#include "user/net/url_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum http_response_event event;
	size_t used, body, lines;
	uint32_t sum;
	bool complete;
};

static struct outcome fuzz_run(const uint8_t *data, size_t size, bool head, uint32_t seed, bool single)
{
	static struct http_response p;
	struct outcome o = {.event = RESPONSE_MORE};
	http_response_start(&p, head);
	while (o.event != RESPONSE_FAIL && o.event != RESPONSE_END) {
		seed = seed * 1664525 + 1013904223;
		size_t piece = min(size - o.used, single ? (size_t)1 : (size_t)(1 + (seed >> 24) % 64));
		struct http_response_step s = http_response_input(&p, rbuf_of(data + o.used, piece));
		assert(s.used <= piece);
		for (size_t i = 0; i < s.body.len; i++)
			o.sum = o.sum * 31 + s.body.ptr[i];
		for (size_t i = 0; i < s.line.len && s.event == RESPONSE_LINE; i++)
			o.sum = o.sum * 33 + (uint8_t)s.line.ptr[i];
		o.used += s.used;
		o.event = s.event;
		o.body += s.event == RESPONSE_BODY ? s.body.len : 0;
		o.lines += s.event == RESPONSE_LINE;
		if (s.event == RESPONSE_MORE && o.used == size)
			break;
	}
	assert(o.body <= size && o.body == p.body);
	o.complete = http_response_end(&p) == NULL;
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct url url;
	if (size < 1)
		return 0;
	struct outcome a = fuzz_run(data + 1, size - 1, data[0] & 1, data[0] * 2654435761u, false);
	struct outcome b = fuzz_run(data + 1, size - 1, data[0] & 1, 0, true);
	assert(a.event == b.event && a.used == b.used && a.body == b.body && a.lines == b.lines && a.sum == b.sum &&
		a.complete == b.complete);
	(void)!url_parse(str_of(data, size), &url);
	return 0;
}
