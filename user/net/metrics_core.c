/*
 * metrics_core.c - the text format of Prometheus: how a metric is written.
 *
 * Reference: "Exposition formats" of the Prometheus documentation, text format 0.0.4.
 */
#include "user/net/metrics_core.h"
#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/utf8.h"

#define METRICS_NS_DECIMALS 9

static bool metrics_name_is_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool digit = c >= '0' && c <= '9';
		if (!((c >= 'a' && c <= 'z') || c == '_' || (digit && i)))
			return false;
	}
	return name.len > 0;
}

static struct str metrics_kind_name(enum metrics_kind kind)
{
	static const struct str names[] = {STR_INIT("gauge"), STR_INIT("counter"), STR_INIT("histogram")};
	return names[kind];
}

void metrics_family(struct abuf *out, struct str name, enum metrics_kind kind, struct str help)
{
	assert(metrics_name_is_valid(name) && help.len > 0);
	assert(str_ends(name, S("_total")) == (kind == METRICS_COUNTER));
	debug_assert(str_find_char(help, '\n') == help.len && str_find_char(help, '\\') == help.len);
	fmt(out, "# HELP %.*s %.*s\n# TYPE %.*s %.*s\n", STR_ARG(name), STR_ARG(help), STR_ARG(name),
		STR_ARG(metrics_kind_name(kind)));
}

/* Line ends, quotes and backslashes are escaped, and what is not UTF-8 is U+FFFD. */
static void metrics_label_value(struct abuf *out, struct str value)
{
	for (size_t i = 0; i < value.len;) {
		uint32_t code;
		size_t n = utf8_next(str_slice(value, i, value.len), &code);
		if (code == UTF8_INVALID)
			abuf_str_add(out, S(UTF8_REPLACEMENT_TEXT));
		else if (code == '\n')
			abuf_str_add(out, S("\\n"));
		else if (code == '"' || code == '\\')
			fmt(out, "\\%c", (char)code);
		else
			abuf_str_add(out, str_slice(value, i, i + n));
		i += n;
	}
}

static void metrics_labels(struct abuf *out, const struct metrics_labels *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		const struct metrics_label *l = &labels->of[i];
		debug_assert(metrics_name_is_valid(l->name));
		fmt(out, "%c%.*s=\"", i ? ',' : '{', STR_ARG(l->name));
		metrics_label_value(out, l->value);
		abuf_char_add(out, '"');
	}
	if (labels->n)
		abuf_char_add(out, '}');
}

/* Without zeros at its end. */
static void metrics_number(struct abuf *out, uint64_t value, unsigned decimals)
{
	uint64_t one = 1;
	for (unsigned i = 0; i < decimals; i++)
		one *= 10;
	fmt_u64(out, value / one);
	uint64_t rest = value % one;
	if (rest)
		abuf_char_add(out, '.');
	while (rest) {
		one /= 10;
		abuf_char_add(out, (char)('0' + rest / one));
		rest %= one;
	}
}

void metrics_sample(struct abuf *out, struct str name, const struct metrics_labels *labels, uint64_t value,
	unsigned decimals)
{
	assert(decimals <= METRICS_NS_DECIMALS);
	abuf_str_add(out, name);
	metrics_labels(out, labels);
	abuf_char_add(out, ' ');
	metrics_number(out, value, decimals);
	abuf_char_add(out, '\n');
}

static void metrics_part(struct abuf *out, struct str name, const char *suffix,
	const struct metrics_labels *labels, uint64_t value)
{
	fmt(out, "%.*s%s", STR_ARG(name), suffix);
	metrics_sample(out, STR_EMPTY, labels, value, 0);
}

void metrics_histogram(struct abuf *out, struct str name, const struct metrics_labels *labels,
	const struct histogram *h)
{
	uint8_t bytes[32];
	uint64_t total = 0;
	struct metrics_labels with = *labels;
	assert(with.n < METRICS_LABELS_MAX);
	struct str *le = &with.of[with.n].value;
	with.of[with.n++].name = S("le");
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		struct abuf text = abuf_of(bytes, sizeof(bytes));
		if (i < HISTOGRAM_BUCKETS - 1)
			metrics_number(&text, (uint64_t)histogram_le_ns(i), METRICS_NS_DECIMALS);
		else
			abuf_str_add(&text, S("+Inf"));
		*le = abuf_str(&text);
		total += h->count[i];
		metrics_part(out, name, "_bucket", &with, total);
	}
	metrics_part(out, name, "_count", labels, total);
}
