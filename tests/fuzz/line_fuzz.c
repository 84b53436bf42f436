/*
 * line_fuzz.c - any bytes as what somebody types: the line stays UTF-8 without control characters, the output within its
 * bound, and what is entered is parsed, expanded and completed without reading outside of it. The first byte is the width.
 */
#include "lib/assert.h"
#include "user/shell/complete_core.h"
#include "user/shell/line_core.h"
#include "user/shell/parse_core.h"
#include "user/shell/vars_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct line l;
static struct history h;
static struct vars v;

static struct str fuzz_lookup(unused void *arg, struct str name)
{
	struct str value;
	return vars_get(&v, name, &value) ? value : STR_EMPTY;
}

static void fuzz_expand(struct str word)
{
	static char bytes[4 * LINE_BYTES_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct str name, value;
	parse_expand(word, fuzz_lookup, NULL, &out);
	if (parse_is_assignment(word, &name, &value) && vars_set(&v, name, value) == OK) {
		struct str back;
		assert(vars_get(&v, name, &back) && str_eq(back, value));
	}
}

/* Slices of a copy that ends where the line does, so that a byte too many is seen. */
static void fuzz_parse(struct str line)
{
	static struct parse_pipeline p;
	char *copy = __builtin_malloc(line.len + 1);
	memcpy(copy, line.ptr, line.len);
	struct parse_cursor c = parse_begin(str_of(copy, line.len));
	struct parse_failure f;
	enum parse_result r;
	size_t before = line.len + 1;
	while ((r = parse_next(&c, &p, &f)) == PARSE_OK) {
		assert(c.rest.len < before); /* it gets on */
		before = c.rest.len;
		assert(p.count > 0 && p.count <= PARSE_STAGES_MAX);
		for (size_t i = 0; i < p.count; i++)
			for (size_t w = 0; w < (size_t)p.stages[i].assigns + p.stages[i].words; w++)
				fuzz_expand(p.words[p.stages[i].first + w]);
	}
	assert(r == PARSE_END || f.why.len > 0);
	__builtin_free(copy);
}

static void fuzz_complete(struct abuf *out)
{
	static char prefix_bytes[LINE_BYTES_MAX], word_bytes[3 * LINE_BYTES_MAX];
	struct abuf prefix = abuf_of(prefix_bytes, sizeof(prefix_bytes)), word = abuf_of(word_bytes, sizeof(word_bytes));
	struct complete_set set;
	struct complete c;
	complete_find(line_text(&l), l.cursor, &prefix, &c);
	assert(c.from <= l.cursor && abuf_ok(&prefix));
	complete_begin(&set, STR_EMPTY);
	complete_offer(&set, abuf_str(&prefix));
	complete_offer(&set, S("name"));
	complete_write(&c, str_of(set.common, set.common_len), set.count == 1, &word);
	assert(abuf_ok(&word));
	line_replace(&l, c.from, l.cursor, abuf_str(&word), out);
}

static void fuzz_check(const struct abuf *out)
{
	struct str text = line_text(&l);
	assert(abuf_ok(out) && utf8_is_valid(text) && l.cursor <= l.len && l.left <= l.cursor);
	for (size_t i = 0; i < text.len; i++)
		assert((uint8_t)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[LINE_OUT_MAX];
	uint16_t columns = size ? (uint16_t)(1 + data[0]) : 80;
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	line_init(&l);
	history_init(&h);
	vars_init(&v);
	line_begin(&l, S("$ "), columns, &out);
	for (size_t i = 1; i < size; i++) {
		abuf_reset(&out);
		enum line_event event = line_input(&l, &h, data[i], &out);
		fuzz_check(&out);
		abuf_reset(&out);
		if (event == LINE_COMPLETE)
			fuzz_complete(&out);
		fuzz_check(&out);
		if (event != LINE_ENTERED && event != LINE_INTERRUPTED && event != LINE_END)
			continue;
		fuzz_parse(line_text(&l));
		history_add(&h, line_text(&l));
		abuf_reset(&out);
		line_begin(&l, S("$ "), columns, &out);
	}
	return 0;
}
