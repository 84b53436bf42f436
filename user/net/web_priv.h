/*
 * web_priv.h - what the files of the server share.
 *
 *	web.c		routes, workers, accepting, start
 *	web_conn.c	one connection: bytes in, requests, replies out, timeouts
 *	web_judge.c	whether a request gets anything: Host, Origin, token, method, content
 *	web_access.c	the token
 *	web_reply.c	what it gets: files, documents, problems, OPTIONS
 *	web_ws.c	a connection as WebSocket
 *	web_push.c	the state, pushed: /api/ws, and for web_sse.c
 *	web_sse.c	a reply without an end: server-sent events
 *	web_echo.c	/api/ws/test: what is said comes back
 *	web_terminal.c	/api/shell/ws: a terminal
 *	web_polled.c	/api/shell/in and out: a terminal for who has no WebSocket
 *	web_stats.c	counters
 *	api*.c		documents of /api
 *
 * A connection belongs to one worker, from the moment that the worker takes it
 * over until it is closed: nothing of it needs a lock.
 */
#ifndef USER_NET_WEB_PRIV_H
#define USER_NET_WEB_PRIV_H

#include "kernel/diag/diag.h"
#include "kernel/fs/fs.h"
#include "kernel/net/tcp/tcp.h"
#include "lib/fmt.h"
#include "lib/histogram.h"
#include "lib/json_write.h"
#include "lib/list.h"
#include "user/net/http_core.h"
#include "user/net/http_reply_core.h"
#include "user/net/ws_core.h"

#define WEB_STORE_ORDER    1 /* pages for target and fields of a request, held while one is under way */
#define WEB_BODY_MAX       65536
#define WEB_BLOCK_ORDER    8 /* largest document: 1 MiB, at most PAGE_ORDER_MAX; beyond: 503 */
#define WEB_IDLE_NS        (15 * NS_PER_S) /* between requests; then closed in silence */
#define WEB_HEAD_NS        (10 * NS_PER_S) /* from the first byte of a request to its end; then 408 */
#define WEB_SEND_NS        (20 * NS_PER_S) /* without the client taking a byte; then reset */
#define WEB_SEND_RATE      256             /* bytes a second that it must take on top of that, on the whole */
#define WEB_RETRY_NS       NS_PER_S        /* when TCP has no buffer for a reply */
#define WEB_TURN_REQUESTS  8               /* of one connection, before the others have their turn */
#define WEB_AGAIN_NS       (20 * NS_PER_MS) /* until a socket that has paused is looked at again */
#define WEB_CONTROL_MAX    128             /* of a text message to a terminal */
#define WEB_PONGS_BYTES    384             /* answers to pings that go out together */
#define WEB_POLLED_TYPED_MAX 1024          /* of what is typed in one request */

/* A document in pages, sent by reference: the last reference frees it. */
struct web_block {
	struct packet_mem mem;
	uint32_t order;
	struct web_budget *budget; /* NULL: none */
	uint8_t bytes[];
};

/* What blocks may take together, in pages, those among them that clients have not taken yet. */
struct web_budget {
	uint32_t max;
	uint32_t used; /* atomic */
};

#define WEB_BLOCK_BYTES ((PAGE_SIZE << WEB_BLOCK_ORDER) - sizeof(struct web_block)) /* of the largest */

/* What is to be sent behind a head. `mem` is held. */
struct web_content {
	struct packet_mem *mem;
	struct rbuf bytes;
};

/*
 * SENDING: until no more than TCP_LOW_BYTES are left to take; DELIVERED: that was the
 * last reply; SOCKET: a WebSocket, web_ws.c; STREAM: server-sent events, web_sse.c.
 */
enum web_state { WEB_IDLE, WEB_READING, WEB_SENDING, WEB_DELIVERED, WEB_SOCKET, WEB_STREAM };

struct web_socket;
struct web_stream;
struct web_stream_kind;
struct web_conn;
struct web_route;
struct web_worker;

/* A document for all sockets and streams of a worker, made for the first that can take it. */
struct web_push {
	struct web_content content; /* .mem NULL: none */
	bool tried;
};

/* A message of a socket that goes out in one frame; .content.mem NULL: none. */
struct web_message {
	enum ws_opcode op;
	struct web_content content;
};

struct shell_session;

struct web_terminal {
	struct shell_session *session;
	uint64_t at; /* output before this has been taken */
	ktime held_since; /* since when none of what is held was taken */
	bool stuck;       /* what the session does not take is dropped */
	uint8_t held_len, control_len;
	uint8_t held[WS_PIECE_MAX]; /* typed, and not taken */
	char control[WEB_CONTROL_MAX]; /* of a text message */
};

/* What is said over a WebSocket. All but message_max may be NULL; next not where message_due is set. */
struct web_socket_kind {
	uint64_t message_max; /* bytes of a message from the client; beyond: 1009 */
	enum err (*open)(struct web_conn *c); /* c->socket is there; an error refuses the handshake with 503 */
	/* A piece of a message, while the socket is open. May set paused, message_due, or take leave. */
	void (*input)(struct web_socket *s, const struct ws_step *step, ktime now);
	void (*resume)(struct web_socket *s, ktime now); /* paused: whether there is room again */
	/* message_due, and it can go out: the next message, or none. It says whether more are due. */
	struct web_message (*next)(struct web_conn *c, ktime now);
	void (*sweep)(struct web_conn *c, struct web_push *push, ktime now); /* once a second, while open */
	void (*end)(struct web_socket *s);
};

struct web_echo {
	struct web_block *block; /* NULL: no message has begun */
	size_t len;
	bool text;
};

/* OVER: the client's close has come, or what is no frame: nothing more is read. */
enum web_socket_state { WEB_SOCKET_OPEN, WEB_SOCKET_LEAVING, WEB_SOCKET_OVER };

struct web_socket {
	const struct web_socket_kind *kind;
	struct ws_parser parser;
	ktime alive; /* the last pong, or the beginning; or so that WEB_SOCKET_PONG_NS are left for the pong */
	ktime leave; /* LEAVING: until when the client's close is waited for */
	uint8_t state;
	bool pinged; /* since then */
	bool ping_due, close_due, close_sent;
	bool message_due; /* the kind is to be asked for one */
	bool paused;      /* the kind has no room: nothing is read */
	uint16_t code;    /* of our close */
	uint16_t pongs_len;
	uint8_t pongs[WEB_PONGS_BYTES]; /* frames that are due */
	union { /* the kind's */
		struct web_echo echo;
		struct web_terminal terminal;
	};
};

/* How a request is judged. status 0: it is served. */
struct web_verdict {
	uint16_t status;
	struct str why;   /* for people; lasts */
	uint32_t retry_s; /* of 429 and 503 */
};

struct web_conn {
	struct list node; /* of the worker's connections, or of those that it is handed */
	struct list roused; /* of those that something else than TCP has news for; the worker's lock */
	struct web_worker *worker;
	struct tcp_conn *tcp;
	struct http_parser parser;
	struct web_socket *socket; /* from the reply to a handshake on; or NULL */
	struct web_stream *stream; /* from the head of its reply to the last event; or NULL */
	void *store; /* WEB_STORE_ORDER pages, or NULL */
	ktime deadline; /* when to look again: SENDING, whether the client takes something */
	ktime began, last; /* SENDING: when, and when it must be over */
	uint32_t mask; /* as in the pollset; UINT32_MAX: not in it yet */
	uint8_t state;
	bool close_after; /* this reply is the last */
	bool is_head;     /* the reply has no content */
	bool handed;      /* all of the reply is with TCP */
	bool starved;     /* TCP had no buffer for it */
	bool served;      /* the last reply is with TCP: takes no place any more */
	bool enters;      /* this request brought the token to the page, and gets a cookie */
	struct web_verdict refusal; /* decided at the head, answered when the body has been read */
	const struct web_route *route; /* of the request; NULL: a file */
	struct web_content body; /* what the route takes of it; .mem NULL: nothing */
	size_t sent; /* of out */
	struct abuf out;
	struct web_content content;
	uint8_t out_bytes[HTTP_REPLY_HEAD_MAX + 256];
};

/* ---- web_conn.c ---- */
void web_conn_start(struct web_conn *c, struct tcp_conn *tcp, ktime now);
/* Does what can be done now. False: the connection is over; the worker closes it. */
must_check bool web_conn_run(struct web_conn *c, ktime now);
/* The deadline passed. False as above. */
must_check bool web_conn_timeout(struct web_conn *c, struct web_push *push, ktime now);
/* The machine starts again: c ends as soon as it can in order. False as above. */
must_check bool web_conn_leave(struct web_conn *c, ktime now);
void web_conn_end(struct web_conn *c);
uint32_t web_conn_mask(const struct web_conn *c); /* what it waits for, TCP_READY_* */

/* c->out and c->content, if there is any, are to go out; so far nothing of them has. */
void web_send_arm(struct web_conn *c, ktime now);
/* OK: all is with TCP; ERR_AGAIN: its queue is full; ERR_NOBUFS: later; else the connection is lost. */
must_check enum err web_hand_to_tcp(struct web_conn *c);
/* Whether the client takes it as fast as it must; if so, c->deadline is when that is known. */
must_check bool web_send_in_time(struct web_conn *c, ktime now);
/* Of a socket or a stream: TCP has all that was to go out, and the client nearly all of it: there may be more. */
bool web_may_send(const struct web_conn *c);
/* In its sweep: so it is, or the client takes it as fast as it must. False is counted. */
must_check bool web_keeps_up(struct web_conn *c, ktime now);
/* Gives back the store, the body and the content. */
void web_request_release(struct web_conn *c);

/* ---- web_ws.c ---- */
enum err web_socket_init(void);
uint32_t web_sockets_open(void);
/* Fills c->out and c->content with the reply to a handshake; with 101, c->socket is there. */
void web_socket_open(struct web_conn *c, const struct web_socket_kind *kind);
void web_socket_begin(struct web_conn *c, ktime now);
/* As web_conn_run and web_conn_timeout. */
must_check bool web_socket_run(struct web_conn *c, ktime now);
must_check bool web_socket_sweep(struct web_conn *c, struct web_push *push, ktime now);
uint32_t web_socket_mask(const struct web_conn *c);
void web_socket_end(struct web_conn *c);
void web_socket_roused(struct web_conn *c);
bool web_socket_wants_again(const struct web_conn *c); /* it has paused: to be run in WEB_AGAIN_NS, whatever comes */
/* For kinds: whether a message can go out now; it, and what else is due, goes; our close is due, and nothing else. */
bool web_socket_may_send(const struct web_conn *c);
void web_socket_build(struct web_conn *c, struct web_message message, ktime now);
void web_socket_leave(struct web_socket *s, uint16_t code, ktime now);
void web_socket_go_away(struct web_socket *s, ktime now); /* if it is open, our close is due: 1001 */

/* ---- web_sse.c ---- */
enum err web_stream_init(void);
uint32_t web_streams_open(void);
/* Fills c->out and c->content with the reply; with 200 to GET, c->stream is there. */
void web_stream_open(struct web_conn *c, const struct web_stream_kind *kind);
void web_stream_begin(struct web_conn *c, ktime now);
/* OK: it is over, the connection is SENDING; ERR_AGAIN: it goes on later; else the connection is lost. */
must_check enum err web_stream_run(struct web_conn *c, ktime now);
must_check bool web_stream_sweep(struct web_conn *c, struct web_push *push, ktime now);
uint32_t web_stream_mask(const struct web_conn *c);
void web_stream_finish_soon(struct web_stream *s); /* its end goes out behind what is under way, and that of the connection */
void web_stream_end(struct web_conn *c);
extern const struct web_stream_kind web_events_kind, web_numbers_kind;

/* ---- web_push.c ---- */

/* The document of this sweep, with a reference for who takes it; .mem NULL: there is no memory for it. */
must_check struct web_content web_push_take(struct web_push *push);
/* The same as the event "stats", with HTTP_CHUNK_END bytes behind it that end a chunk. */
must_check struct web_content web_push_take_event(struct web_push *push);
extern const struct web_socket_kind web_push_kind;
void web_push_end(struct web_push *push);

/* ---- web_echo.c, web_terminal.c ---- */
extern const struct web_socket_kind web_echo_kind, web_terminal_kind;

/* ---- web_polled.c ---- */
void web_polled_init(void);
void web_polled_sweep(ktime now); /* once a second, while there are any */
uint32_t web_polled_open(void);

/* ---- web_judge.c ---- */

/* A head is complete: sets what is known of the request from it, c->refusal for one. */
void web_judge(struct web_conn *c);
void web_body_add(struct web_conn *c, struct rbuf piece); /* content of it has come */

/* ---- web_access.c ---- */
void web_access_init(void); /* at boot: makes the token, or reads it */
enum err web_access_tell(void); /* on the console, and only there: where to go, and with which token */
bool web_access_is_on(void);
/* Whether who sends this request may run and change things. */
bool web_access_allows(const struct http_request *req, uint32_t peer);
struct web_verdict web_access_judge(const struct http_request *req, uint32_t peer);
/* The same for who comes with a token in the address of the page. */
struct web_verdict web_access_enter(const struct http_request *req, uint32_t peer, struct str token);
#define WEB_SECRET_CHARS 32 /* 128 bits: out of reach, at any rate of trying */
void web_secret_make(char out[WEB_SECRET_CHARS]); /* of the machine's randomness, as hexadecimal digits */
void web_access_cookie(struct abuf *out); /* "NAME=VALUE", with which one is let in from then on; nothing when all are */
#define WEB_COOKIE_MAX 64

/* ---- web_reply.c ---- */

/* Fills c->out and c->content with the reply to c->parser.req, or with a refusal. */
void web_reply(struct web_conn *c);
void web_reply_problem(struct web_conn *c, uint16_t status, struct str detail);
/* c->out is the head, in front of the content, which HEAD and an empty one leave away. */
void web_finish(struct web_conn *c, struct http_reply *r, struct web_content content);
/* Pages of 2^order, with one reference; NULL: there are none. What they hold; so much of it as content, not counted. */
must_check struct web_block *web_block_alloc(uint32_t order);
must_check struct web_block *web_block_alloc_of(struct web_budget *budget, uint32_t order);
struct abuf web_block_room(struct web_block *b);
struct web_content web_block_content(struct web_block *b, size_t len);

/* ---- web.c ---- */

/* A document: appends itself; may be called again with more room. Returns a status. */
typedef uint16_t web_render_fn(const struct http_request *req, struct abuf *out);
/* What lies somewhere as it is to be sent, with a reference; false: it is rendered. */
typedef bool web_content_fn(const struct http_request *req, struct web_content *out);
/*
 * An answer of at most WEB_HANDLED_MAX bytes, appended to `out`; c->body is the request's. With 200 it is sent; to HEAD
 * nothing need be appended: then the reply does not say how long the answer is.
 */
typedef struct web_verdict web_handle_fn(struct web_conn *c, struct abuf *out);
#define WEB_HANDLED_MAX 16000

#define WEB_GET  (1u << HTTP_GET) /* HEAD and OPTIONS come with it */
#define WEB_POST (1u << HTTP_POST)

/* What an address of the API gives: a document, or what a handler does, or a WebSocket, or a stream of events. */
struct web_route {
	struct str path; /* with '/' at its end: and all below it */
	web_content_fn *content; /* goes before render */
	web_render_fn *render;
	struct str type;
	uint8_t methods;   /* 0: WEB_GET */
	bool token;        /* needs the access token */
	uint16_t body_max; /* of POST; beyond: 413 */
	web_handle_fn *handle;
	const struct web_socket_kind *socket;
	const struct web_stream_kind *stream;
	bool file; /* the one of that name below /web */
};
struct str web_route_allow(const struct web_route *route); /* for Allow; of NULL: that of a file */
/*
 * 200: `out` holds it; otherwise the status of the refusal, 503 for lack of memory. The hint is how large a block the
 * last such document took, 0 at first: atomic, this function's. (web_reply.c)
 */
must_check uint16_t web_document(web_render_fn *render, const struct http_request *req, uint8_t *hint,
	struct web_content *out);
uint8_t *web_route_hint(const struct web_route *route); /* for documents of this address */
const struct web_route *web_route_find(struct str path);
uint32_t web_connections(void); /* that are served now */
void web_conn_served(void);     /* one fewer of them */
bool web_is_leaving(void);      /* the machine starts again: no reply but is the last of its connection */
/* There is news for c's socket, which its worker looks at. Any context, no lock of the server held. */
void web_conn_rouse(struct web_conn *c);

/* ---- web_stats.c: counted here, shown by /api/stats ---- */

#define WEB_COUNTERS(X)                                                                            \
	X(WEB_ACCEPTED, "accepted")                                                                \
	X(WEB_REQUESTS, "requests")                                                                \
	X(WEB_REFUSED, "refused")                                                                  \
	X(WEB_REFUSED_FULL, "refused_connections_full")                                            \
	X(WEB_REFUSED_HOST, "refused_host")                                                        \
	X(WEB_REFUSED_ORIGIN, "refused_origin")                                                    \
	X(WEB_REFUSED_SITE, "refused_cross_site")                                                  \
	X(WEB_REFUSED_TOKEN, "refused_token")                                                      \
	X(WEB_REFUSED_RATE, "refused_token_rate")                                                  \
	X(WEB_TOKEN_WRONG, "token_wrong")                                                          \
	X(WEB_REFUSED_MEMORY, "refused_memory")                                                    \
	X(WEB_TIMEOUTS, "timeouts")                                                                \
	X(WEB_IDLE_CLOSED, "idle_closed")                                                          \
	X(WEB_SOCKETS_OPENED, "websockets_opened")                                                 \
	X(WEB_REFUSED_SOCKETS, "refused_websockets_full")                                          \
	X(WEB_SOCKETS_FAILED, "websockets_failed")                                                 \
	X(WEB_SOCKETS_SILENT, "websockets_silent")                                                 \
	X(WEB_SOCKET_PUSHED, "websocket_messages")                                                 \
	X(WEB_SOCKET_SKIPPED, "websocket_messages_skipped")                                        \
	X(WEB_STREAMS_OPENED, "streams_opened")                                                    \
	X(WEB_REFUSED_STREAMS, "refused_streams_full")                                             \
	X(WEB_STREAM_PUSHED, "stream_pushes")                                                      \
	X(WEB_STREAM_SKIPPED, "stream_pushes_skipped")                                             \
	X(WEB_TERMINALS_OPENED, "terminals_opened")                                                \
	X(WEB_POLLED_OPENED, "polled_shells_opened")                                               \
	X(WEB_POLLED_IDLE, "polled_shells_idle_closed")                                            \
	X(WEB_REFUSED_SHELLS, "refused_shells_full")                                               \
	X(WEB_TYPED_DROPPED, "typed_bytes_dropped")                                                \
	X(WEB_BROKEN, "ended_by_peer")                                                             \
	X(WEB_SENT_BYTES, "sent_bytes")
#define WEB_COUNTER_ENUM(symbol, name) symbol,
enum web_counter { WEB_COUNTERS(WEB_COUNTER_ENUM) WEB_COUNTER_COUNT };
#undef WEB_COUNTER_ENUM

void web_count(enum web_counter c, uint64_t n);
uint64_t web_counter(enum web_counter c);
struct str web_counter_name(enum web_counter c);
#define WEB_STATUS_MIN 101
#define WEB_STATUS_MAX 506
void web_count_status(uint16_t status);
uint64_t web_status_count(uint16_t status); /* replies with it so far */
void web_stats_json(struct json_writer *w); /* the members of "http" */

/* ---- api_access.c, web_polled.c ---- */
web_handle_fn api_access, api_shell_in, api_shell_out;

/* ---- api.c, api_sched.c, api_deadline.c, api_latency.c, api_net.c, metrics.c ---- */
web_content_fn api_fs_content;
web_render_fn api_stats, api_tcp, api_arp, api_klog, api_fs, api_fs_read, api_app, api_metrics;
/* The status of a rendered document; one that did not fit has marked its buffer, and is asked for again. */
uint16_t api_finish(struct json_writer *w);
/* A number of the query, or `otherwise`; false: not a number. */
must_check bool api_number(const struct http_request *req, struct str name, uint64_t otherwise, uint64_t *out);
/* ?level= the name of the least urgent level, "debug" when absent; false: no such level. */
must_check bool api_level(const struct http_request *req, enum log_level *out);
void api_klog_entry(struct json_writer *w, const struct klog_entry *e);
void api_interfaces(struct json_writer *w);
void api_net_counters(struct json_writer *w);
void api_sched(struct json_writer *w);
void api_watchdog(struct json_writer *w); /* members of "sched" */
void api_latency(struct json_writer *w);
void api_deadline(struct json_writer *w); /* members of "sched" */
void api_task_deadline(struct json_writer *w, uint32_t tid); /* members of a task */
void api_task_domain(struct json_writer *w, uint8_t domain);
void api_locks(struct json_writer *w);
void api_histogram(struct json_writer *w, struct str name, const struct histogram *h);
void api_callouts(struct json_writer *w);
void api_net_security(struct json_writer *w); /* members of "security" */

#endif
