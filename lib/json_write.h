/*
 * json_write.h - JSON (RFC 8259) as a stream, without a tree and without allocation.
 *
 *	struct json_writer w;
 *	json_write_to_buf(&w, &out);             or json_write_to_sink()
 *	json_object_open(&w);
 *	json_key_u64(&w, S("uptime_ns"), now);
 *	json_key(&w, S("cpus"));
 *	json_array_open(&w);
 *	...
 *	json_array_close(&w);
 *	json_object_close(&w);
 *	err = json_finish(&w);
 *
 * Output into a buffer that is too small leaves the buffer with the content that
 * it had before, marked as overflown, and json_finish() says ERR_NOSPC: a
 * truncated document is never seen. With a sink the buffer is only a stage and is
 * passed on when it is full; what the sink has taken cannot be called back, so
 * when json_finish() reports the sink's error, the receiver has to be told that
 * the message broke off (HTTP: close without the last chunk). After an error
 * nothing more is written and the calls cost little.
 *
 * Text may hold any bytes: what JSON cannot hold as it is, is escaped, and what is
 * not UTF-8 becomes U+FFFD. Numbers are integers.
 *
 * Calls that would not make JSON (a value in an object without a key, a key in an
 * array, two documents, nesting deeper than JSON_WRITE_DEPTH_MAX, closing what is
 * not open, finishing too early) are bugs, asserted.
 *
 * Context: as the sink's; any with a buffer.
 */
#ifndef LIB_JSON_WRITE_H
#define LIB_JSON_WRITE_H

#include "lib/buf.h"

#define JSON_WRITE_DEPTH_MAX 64

/* Takes all of the bytes, or returns an error, after which it is not called again. */
typedef enum err json_sink_fn(void *context, struct rbuf bytes);

struct json_writer {
	struct abuf *out;
	json_sink_fn *sink; /* or NULL */
	void *context;
	size_t start;       /* of the document in out, without a sink */
	uint64_t in_object; /* bit i: container i from the outside is an object */
	unsigned depth;
	bool comma;   /* before the next member */
	bool has_key; /* the value of a key comes next */
	bool done;    /* the document's value is complete */
	enum err err;
};

/* Appends the document to out. */
void json_write_to_buf(struct json_writer *w, struct abuf *out);
/* Through stage, which is empty and has room for something. */
void json_write_to_sink(
	struct json_writer *w, struct abuf *stage, json_sink_fn *sink, void *context);
/* Passes on what is still staged; the first error that there was. */
must_check enum err json_finish(struct json_writer *w);

void json_object_open(struct json_writer *w);
void json_object_close(struct json_writer *w);
void json_array_open(struct json_writer *w);
void json_array_close(struct json_writer *w);

/* The name of the member whose value comes next. Names are not checked for being unique. */
void json_key(struct json_writer *w, struct str key);

void json_u64(struct json_writer *w, uint64_t value);
void json_i64(struct json_writer *w, int64_t value);
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
void json_str(struct json_writer *w, struct str value);

static inline void json_key_u64(struct json_writer *w, struct str key, uint64_t value)
{
	json_key(w, key);
	json_u64(w, value);
}

static inline void json_key_i64(struct json_writer *w, struct str key, int64_t value)
{
	json_key(w, key);
	json_i64(w, value);
}

static inline void json_key_bool(struct json_writer *w, struct str key, bool value)
{
	json_key(w, key);
	json_bool(w, value);
}

static inline void json_key_str(struct json_writer *w, struct str key, struct str value)
{
	json_key(w, key);
	json_str(w, value);
}

#endif
