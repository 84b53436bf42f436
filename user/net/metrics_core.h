/*
 * metrics_core.h - the text format of Prometheus, version 0.0.4: how a metric is written.
 *
 *	metrics_family(&out, name, METRICS_COUNTER, help)	once, before its samples
 *	metrics_sample(&out, name, labels, value, decimals)	for each set of labels
 *	metrics_histogram(&out, name, labels, h)		or this
 *
 * Numbers are unsigned integers with a decimal point put in: 1500 with 3 decimals is 1.5. Names are the caller's
 * constants and asserted; values of labels may be any bytes. All is appended to an abuf that the caller lends;
 * abuf_ok() says whether it fitted. Locks: none.
 */
#ifndef USER_NET_METRICS_CORE_H
#define USER_NET_METRICS_CORE_H

#include "lib/buf.h"
#include "lib/histogram.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_kind { METRICS_GAUGE, METRICS_COUNTER, METRICS_HISTOGRAM };

struct metrics_label {
	struct str name, value;
};
#define METRICS_LABELS_MAX 3
struct metrics_labels {
	struct metrics_label of[METRICS_LABELS_MAX];
	size_t n;
};

/* A counter's name ends in _total, as no other does. `help` is one line of text. */
void metrics_family(struct abuf *out, struct str name, enum metrics_kind kind, struct str help);
void metrics_sample(struct abuf *out, struct str name, const struct metrics_labels *labels, uint64_t value,
	unsigned decimals);
/* In seconds, its buckets added up. There is no _sum: nobody adds up what is counted. */
void metrics_histogram(struct abuf *out, struct str name, const struct metrics_labels *labels,
	const struct histogram *h);

#endif
