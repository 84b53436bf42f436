/*
 * web_sse.c - a reply without an end, as server-sent events: /api/events pushes what happens, /api/sse/test counts.
 *
 *	web_stream_open		answers the request; with 200 the connection has a stream
 *	web_stream_begin	the client has the head: WEB_STREAM
 *	web_stream_run		what can be said now; OK: the stream is over, its end goes out as that of any reply
 *	web_stream_sweep	once a second: the push, a heartbeat, timeouts
 *	web_stream_end		gives the stream back
 *
 * One piece of output is under way at a time: c->out, the head of a chunk, and behind it c->content, whole events
 * with the end of the chunk. The next is made when TCP has all of the last and the client all but TCP_LOW_BYTES.
 * So nothing is queued for a client that is slow: it gets fewer pushes, and the records of the log late, or, where
 * the ring has gone over them, the event "gap" in their place. One that takes nothing is reset as for any reply;
 * a heartbeat finds those who are gone where there is nothing else to say.
 *
 * Nothing is read while a stream lasts: what the client asks behind it waits for its end. One that has said all may
 * be gone or listen: a heartbeat tells.
 *
 * Invariants: what is in c->content while a stream lasts has the end of a chunk behind it; c->deadline has passed,
 * so that every sweep looks.
 *
 * Locks: none, as web_conn.c. How many are open is atomic.
 * Reference: WHATWG HTML, section 9.2; RFC 9112 section 7.1.
 */
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "lib/assert.h"
#include "lib/fmt.h"
#include "user/net/sse_core.h"
#include "user/net/web_priv.h"

#define WEB_STREAM_RETRY_MS 1000             /* a client that lost us comes again */
#define WEB_STREAM_BEAT_NS  (10 * NS_PER_S)  /* said nothing for so long: below what proxies and NATs forget */
#define WEB_STREAM_RECORDS  64               /* looked at for one piece */

static_assert(CONFIG_WEB_SOCKETS + CONFIG_WEB_STREAMS < CONFIG_WEB_CONNECTIONS,
	"sockets and streams leave connections to others");

/* What one is about: how its events go on. */
struct web_stream_kind {
	/* Takes the parameters; the stream's `last` is set, if the client said one. Returns a status. */
	uint16_t (*open)(struct web_stream *s, const struct http_request *req);
	bool (*has_more)(const struct web_stream *s); /* there is something to say now */
	/* Says as much of it as fits; at least one event fits. */
	void (*say)(struct web_stream *s, struct abuf *out);
	void (*second)(struct web_stream *s); /* another one has passed, and the client keeps up */
};

struct web_stream {
	const struct web_stream_kind *kind;
	uint64_t last; /* id of the last event that was said */
	uint64_t due;  /* /api/sse/test: up to which there is something to say... */
	uint64_t end;  /* ...and with which it ends */
	ktime said;    /* when something was last said */
	enum log_level level;
	bool log, stats; /* which of the two the client wants */
	bool resumes;    /* the client said what it had last */
	bool chunked;
	bool close;      /* the connection ends with the stream */
	bool begun;
	bool heard;    /* the client has said something more, or all: that is waited for once */
	bool beat_due;
};

static struct pool *web_streams;
static uint32_t web_streams_used; /* atomic */

uint32_t web_streams_open(void)
{
	return __atomic_load_n(&web_streams_used, __ATOMIC_RELAXED);
}

enum err web_stream_init(void)
{
	web_streams = pool_create(S("http_stream"), sizeof(struct web_stream), _Alignof(struct web_stream),
		CONFIG_WEB_STREAMS, 0);
	return web_streams ? OK : ERR_NOMEM;
}

static struct web_stream *web_stream_alloc(void)
{
	bool free = __atomic_fetch_add(&web_streams_used, 1, __ATOMIC_RELAXED) < CONFIG_WEB_STREAMS;
	struct web_stream *s = free ? pool_alloc(web_streams) : NULL;
	if (!s)
		__atomic_fetch_sub(&web_streams_used, 1, __ATOMIC_RELAXED);
	return s;
}

void web_stream_end(struct web_conn *c)
{
	if (!c->stream)
		return;
	pool_free(web_streams, c->stream);
	c->stream = NULL;
	__atomic_fetch_sub(&web_streams_used, 1, __ATOMIC_RELAXED);
}

/* --- /api/sse/test: numbers, one a second; with ?count=N all of them at once, and an end --- */

static uint16_t web_test_open(struct web_stream *s, const struct http_request *req)
{
	if (!api_number(req, S("count"), UINT64_MAX, &s->end))
		return 400;
	s->due = s->end == UINT64_MAX ? s->last + 1 : s->end;
	/* 204: there are no more, do not come again */
	return s->last >= s->end ? 204 : 200;
}

static bool web_test_has_more(const struct web_stream *s)
{
	return s->last < s->due;
}

static void web_test_say(struct web_stream *s, struct abuf *out)
{
	while (s->last < s->due) {
		char bytes[24];
		struct abuf text = abuf_of(bytes, sizeof(bytes));
		size_t at = out->len;
		fmt_u64(&text, s->last + 1);
		sse_event(out, STR_EMPTY, s->last + 1, abuf_str(&text));
		if (!abuf_ok(out)) {
			out->len = at;
			out->overflow = false;
			return;
		}
		s->last++;
	}
}

static void web_test_second(struct web_stream *s)
{
	s->due = min(s->last + 1, s->end);
}

/* --- /api/events: "stats", "log", "gap" --- */

static uint16_t web_events_open(struct web_stream *s, const struct http_request *req)
{
	char bytes[16];
	struct abuf only = abuf_of(bytes, sizeof(bytes));
	enum err err = http_query_param(req->query, S("only"), &only);
	s->log = err == ERR_NOENT || (err == OK && str_eq(abuf_str(&only), S("log")));
	s->stats = err == ERR_NOENT || (err == OK && str_eq(abuf_str(&only), S("stats")));
	s->end = UINT64_MAX;
	if (!s->log && !s->stats)
		return 400;
	uint64_t newest = klog_last_seq();
	if (!s->resumes && s->log)
		s->last = newest;
	else if (!s->log || s->last > newest) /* no ids; or one from before a restart */
		s->last = 0;
	return api_level(req, &s->level) ? 200 : 400;
}

static bool web_events_has_more(const struct web_stream *s)
{
	return s->log && s->last < klog_last_seq();
}

static void web_events_say_record(const struct web_stream *s, const struct klog_entry *e, struct abuf *out)
{
	if (e->seq != s->last + 1) {
		sse_event_begin(out, S("gap"), e->seq - 1);
		fmt(out, "{\"since\":%llu,\"lost\":%llu}", (unsigned long long)s->last,
			(unsigned long long)(e->seq - 1 - s->last));
		sse_event_end(out);
	}
	if (e->level > s->level)
		return;
	struct json_writer w;
	sse_event_begin(out, S("log"), e->seq);
	json_write_to_buf(&w, out);
	api_klog_entry(&w, e);
	if (json_finish(&w) == OK)
		sse_event_end(out);
}

static void web_events_say(struct web_stream *s, struct abuf *out)
{
	struct klog_entry e;
	for (unsigned n = 0; n < WEB_STREAM_RECORDS && klog_read(s->last, LOG_DEBUG, &e); n++) {
		size_t at = out->len;
		web_events_say_record(s, &e, out);
		if (!abuf_ok(out)) {
			out->len = at;
			out->overflow = false;
			return;
		}
		s->last = e.seq;
	}
}

static void web_events_second(unused struct web_stream *s)
{
}

const struct web_stream_kind web_events_kind = {
	web_events_open, web_events_has_more, web_events_say, web_events_second};
const struct web_stream_kind web_numbers_kind = {web_test_open, web_test_has_more, web_test_say, web_test_second};

/* --- request --- */

/* What the client had last: the field of one that comes again says more than the address it came to first. */
static bool web_stream_last(struct web_stream *s, const struct http_request *req)
{
	struct str field = req->field[HTTP_LAST_EVENT_ID];
	if (field.len) {
		struct u64_result n = str_to_u64(field, 10);
		s->last = n.value;
		s->resumes = true;
		return n.err == OK;
	}
	if (!api_number(req, S("last"), UINT64_MAX, &s->last))
		return false;
	s->resumes = s->last != UINT64_MAX;
	s->last = s->resumes ? s->last : 0;
	return true;
}

/* The status; with 200 *s is how the stream begins. */
static uint16_t web_stream_judge(struct web_stream *s, const struct http_request *req)
{
	s->chunked = req->minor > 0;
	return web_stream_last(s, req) ? s->kind->open(s, req) : 400;
}

void web_stream_open(struct web_conn *c, const struct web_stream_kind *kind)
{
	const struct http_request *req = &c->parser.req;
	struct web_stream asked = {.kind = kind};
	uint16_t status = web_stream_judge(&asked, req);
	struct http_reply r = {.status = status, .no_store = true};
	if (status >= 400) {
		web_reply_problem(c, status, S("this address does not take these parameters"));
		return;
	}
	if (status == 200 && !c->is_head) {
		c->stream = web_stream_alloc();
		if (!c->stream) {
			web_count(WEB_REFUSED_STREAMS, 1);
			web_reply_problem(c, 503, S("all streams are in use"));
			return;
		}
	}
	c->close_after |= status == 200 && !asked.chunked;
	if (status == 200) {
		r.type = SSE_TYPE;
		r.length = asked.chunked ? HTTP_LENGTH_CHUNKED : HTTP_LENGTH_CLOSE;
	}
	web_finish(c, &r, (struct web_content){0});
	if (!c->stream)
		return;
	asked.close = c->close_after;
	c->close_after = false; /* not with its head */
	*c->stream = asked;
	web_count(WEB_STREAMS_OPENED, 1);
}

void web_stream_begin(struct web_conn *c, ktime now)
{
	c->state = WEB_STREAM;
	c->stream->said = now;
	c->deadline = KTIME_ZERO;
}

/* --- out --- */

/* Whole events, the end of a chunk behind them. */
static void web_stream_arm(struct web_conn *c, struct web_content events, ktime now)
{
	struct web_stream *s = c->stream;
	c->out = abuf_of(c->out_bytes, sizeof(c->out_bytes));
	if (s->chunked) {
		http_chunk_head(&c->out, events.bytes.len);
		events.bytes.len += HTTP_CHUNK_END;
	}
	assert(abuf_ok(&c->out));
	c->content = events;
	s->said = now;
	web_send_arm(c, now);
	c->deadline = KTIME_ZERO;
}

static void web_stream_say_next(struct web_stream *s, struct abuf *out)
{
	if (!s->begun) {
		sse_start(out, WEB_STREAM_RETRY_MS, s->last);
		s->begun = true;
	}
	if (s->kind->has_more(s))
		s->kind->say(s, out);
	else if (s->beat_due)
		sse_heartbeat(out);
	s->beat_due = false;
}

static bool web_stream_has_due(const struct web_stream *s)
{
	return !s->begun || s->beat_due || s->kind->has_more(s);
}

/* The next piece, if there is something to say. */
static void web_stream_build(struct web_conn *c, ktime now)
{
	struct web_stream *s = c->stream;
	if (!web_stream_has_due(s))
		return;
	struct web_block *b = web_block_alloc(0);
	c->starved = !b; /* the next sweep tries again */
	if (!b)
		return;
	struct abuf out = web_block_room(b);
	out.cap -= HTTP_CHUNK_END;
	web_stream_say_next(s, &out);
	assert(abuf_ok(&out));
	size_t len = out.len;
	out.cap += HTTP_CHUNK_END;
	http_chunk_end(&out);
	if (len)
		web_stream_arm(c, web_block_content(b, len), now);
	else
		packet_mem_put(&b->mem); /* all of it was beyond the level */
}

/* The last chunk; from here on the reply ends as any. */
static void web_stream_finish(struct web_conn *c, ktime now)
{
	bool chunked = c->stream->chunked;
	c->close_after = c->stream->close;
	web_stream_end(c);
	c->out = abuf_of(c->out_bytes, sizeof(c->out_bytes));
	if (chunked)
		http_chunk_last(&c->out);
	c->state = WEB_SENDING;
	web_send_arm(c, now);
}

void web_stream_finish_soon(struct web_stream *s)
{
	s->end = 0;
	s->close = true;
}

/* OK; ERR_AGAIN: TCP takes it later; or why the connection is lost. */
static enum err web_stream_hand(struct web_conn *c)
{
	struct rbuf in;
	if (!c->handed) {
		enum err err = web_hand_to_tcp(c);
		c->starved = err == ERR_NOBUFS;
		if (err != OK)
			return c->starved ? ERR_AGAIN : err;
		c->handed = true;
		web_request_release(c);
	}
	if (tcp_backlog(c->tcp).ended)
		return ERR_CONNRESET;
	struct web_stream *s = c->stream;
	if (!s->heard && tcp_peek(c->tcp, &in, KTIME_ZERO) == OK) {
		s->heard = true;
		s->beat_due = in.len == 0;
	}
	return OK;
}

enum err web_stream_run(struct web_conn *c, ktime now)
{
	struct web_stream *s = c->stream;
	for (unsigned turn = 0; turn < WEB_TURN_REQUESTS; turn++) {
		enum err err = web_stream_hand(c);
		if (err != OK)
			return err;
		if (!web_may_send(c))
			return ERR_AGAIN;
		if (s->begun && s->last >= s->end) {
			web_stream_finish(c, now);
			return OK;
		}
		web_stream_build(c, now);
		if (c->handed && (c->starved || !web_stream_has_due(s)))
			return ERR_AGAIN;
	}
	return ERR_AGAIN;
}

uint32_t web_stream_mask(const struct web_conn *c)
{
	const struct web_stream *s = c->stream;
	if (c->starved)
		return 0;
	if (!c->handed)
		return TCP_READY_OUT;
	return (s->heard ? 0 : TCP_READY_IN) | (web_stream_has_due(s) || s->last >= s->end ? TCP_READY_LOW : 0);
}

/* --- once a second --- */

static void web_stream_push(struct web_conn *c, struct web_push *push, ktime now)
{
	struct web_content event = {0};
	if (web_may_send(c))
		event = web_push_take_event(push);
	web_count(event.mem ? WEB_STREAM_PUSHED : WEB_STREAM_SKIPPED, 1);
	if (event.mem)
		web_stream_arm(c, event, now);
}

bool web_stream_sweep(struct web_conn *c, struct web_push *push, ktime now)
{
	struct web_stream *s = c->stream;
	if (!web_keeps_up(c, now))
		return false;
	if (web_may_send(c))
		s->kind->second(s);
	if (!web_conn_run(c, now))
		return false;
	if (c->state != WEB_STREAM)
		return true;
	s = c->stream; /* that one may have ended, and what was asked for behind it is another */
	if (s->stats)
		web_stream_push(c, push, now);
	s->beat_due |= ktime_diff(now, s->said) >= WEB_STREAM_BEAT_NS;
	return web_conn_run(c, now);
}
