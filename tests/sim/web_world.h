/*
 * web_world.h - the web server in the world of tcp_world.h: its workers take turns
 * with the wire and the clock. Files and documents are made up; pages are counted.
 */
#ifndef TESTS_SIM_WEB_WORLD_H
#define TESTS_SIM_WEB_WORLD_H

#include "tests/sim/tcp_world.h"
#include "kernel/sched/deadline.h"
#include "kernel/diag/diag.h"

#define WORLD_FILE_BYTES 200000

static size_t world_pages; /* blocks of pages in use */
static size_t world_single_pages; /* in all of them */
static bool world_no_pages;
static uint8_t world_file[WORLD_FILE_BYTES];
static struct packet_mem world_file_mem;

void *page_alloc(unsigned order)
{
	if (world_no_pages)
		return NULL;
	world_pages++;
	world_single_pages += (size_t)1 << order;
	return malloc(PAGE_SIZE << order);
}

void page_free(void *page, unsigned order)
{
	world_pages--;
	world_single_pages -= (size_t)1 << order;
	free(page);
}

bool pool_stats_at(unused size_t i, unused struct pool_stats *out)
{
	return false;
}

void klog(unused enum log_level level, unused const char *format, ...)
{
}

static struct thread_attr world_thread; /* the last that was made; none of them runs by itself */

struct thread_result thread_create(const struct thread_attr *attr)
{
	world_thread = *attr;
	return OK_RESULT(thread_result, NULL);
}

struct domain_result domain_create(unused struct str name, unused const struct domain_attr *attr)
{
	return OK_RESULT(domain_result, DOMAIN_SYSTEM);
}

static unsigned world_detached;

void thread_detach(unused struct thread *t)
{
	world_detached++;
}

/* It does not end in time, and that is waited for. */
enum err thread_join(unused struct thread *t, ktime deadline)
{
	CHECK(!ktime_is_never(deadline));
	world_now = ktime_max(world_now, deadline);
	return ERR_TIMEDOUT;
}

/* The log has as many records as the world says; the ring holds the last of them. */
#define WORLD_RECORDS 256
static uint64_t world_records;

uint64_t klog_last_seq(void)
{
	return world_records;
}

struct str log_level_name(enum log_level level)
{
	return level == LOG_DEBUG ? S("debug") : S("info");
}

bool klog_read(uint64_t since, unused enum log_level max_level, struct klog_entry *out)
{
	uint64_t oldest = world_records > WORLD_RECORDS ? world_records - WORLD_RECORDS + 1 : 1;
	*out = (struct klog_entry){.seq = max(since + 1, oldest), .level = LOG_INFO, .len = KLOG_TEXT_MAX};
	memset(out->text, '"', KLOG_TEXT_MAX);
	out->level = out->seq % 4 ? LOG_INFO : LOG_DEBUG;
	return out->seq <= world_records;
}

#include "user/net/web_priv.h"

static int64_t world_born_ns = 784111777 * NS_PER_S; /* Sun, 06 Nov 1994 08:49:37 GMT; 0: no clock tells the date */

int64_t clock_wall(void)
{
	return world_born_ns ? world_born_ns + world_now.ns : 0;
}

static struct str world_tokens[2]; /* /initrd/token, /token; empty: there is none */

static struct str *world_token_at(struct str path)
{
	return str_eq(path, S("/initrd/token")) ? &world_tokens[0] : str_eq(path, S("/token")) ? &world_tokens[1] : NULL;
}

/* Two files: /web/large, /web/small. And the tokens. */
enum err vfs_stat(struct str path, struct file_stat *out)
{
	const struct str *token = world_token_at(path);
	if (token && token->len) {
		*out = (struct file_stat){.type = FILE_REGULAR, .size_bytes = token->len, .secret = true};
		return OK;
	}
	bool small = str_eq(path, S("/web/small"));
	if (!small && !str_eq(path, S("/web/large")))
		return ERR_NOENT;
	*out = (struct file_stat){.type = FILE_REGULAR, .size_bytes = small ? 100 : WORLD_FILE_BYTES,
		.digest = small ? 1 : 2};
	return OK;
}

struct file_result vfs_open(struct str path, unused unsigned flags)
{
	static uint8_t handles[2];
	if (world_token_at(path))
		return OK_RESULT(file_result, (struct file *)(void *)world_token_at(path));
	return OK_RESULT(file_result, (struct file *)(void *)&handles[str_eq(path, S("/web/small"))]);
}

enum err vfs_content(struct file *f, struct packet_mem **mem, struct rbuf *bytes, uint64_t *digest)
{
	static struct file *large;
	if (!large)
		large = vfs_open(S("/web/large"), OPEN_READ).value;
	packet_mem_get(&world_file_mem);
	*mem = &world_file_mem;
	*digest = f == large ? 2 : 1;
	*bytes = rbuf_of(world_file, f == large ? WORLD_FILE_BYTES : 100);
	return OK;
}

void vfs_close(unused struct file *f)
{
}

/* Of a token. */
struct size_result vfs_read(struct file *f, unused uint64_t offset, struct wbuf to)
{
	const struct str *token = (const struct str *)(const void *)f;
	size_t n = min(token->len, to.len);
	memcpy(to.ptr, token->ptr, n);
	return OK_RESULT(size_result, n);
}

struct machine machine;

uint16_t api_finish(struct json_writer *w)
{
	return json_finish(w) == OK ? 200 : 500;
}

static struct chardev *world_console; /* NULL: there is none, and nobody is told the token */

struct chardev *chardev_find(unused struct str name)
{
	return world_console;
}

bool net_iface_at(unused size_t i, unused struct net_iface_info *out)
{
	return false;
}

/* A document of so many bytes, or of as many as its query says, in pages of its own. */
static size_t world_klog_bytes = 50000;
static unsigned world_klog_rendered;

uint16_t api_klog(const struct http_request *req, struct abuf *out)
{
	struct u64_result n = str_to_u64(req->query, 10);
	for (uint64_t i = 0; i < (n.err == OK ? n.value : world_klog_bytes) / 10; i++)
		abuf_str_add(out, S("0123456789"));
	world_klog_rendered++;
	return 200;
}

/* What is pushed: some 9,000 bytes. */
uint16_t api_stats(unused const struct http_request *req, struct abuf *out)
{
	abuf_char_add(out, '{');
	for (int i = 0; i < 900; i++)
		abuf_str_add(out, S("0123456789"));
	abuf_char_add(out, '}');
	return 200;
}

bool api_number(const struct http_request *req, struct str name, uint64_t otherwise, uint64_t *out)
{
	char bytes[24];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	*out = otherwise;
	if (http_query_param(req->query, name, &text) == OK)
		*out = str_to_u64(abuf_str(&text), 10).value;
	return true;
}

bool api_level(unused const struct http_request *req, enum log_level *out)
{
	*out = LOG_INFO;
	return true;
}

void api_klog_entry(struct json_writer *w, const struct klog_entry *e)
{
	json_object_open(w);
	json_key_u64(w, S("seq"), e->seq);
	json_key_str(w, S("text"), str_of(e->text, e->len));
	json_object_close(w);
}

#define WORLD_NO_API(name)                                                                         \
	uint16_t name(unused const struct http_request *req, unused struct abuf *out)              \
	{                                                                                          \
		return 404;                                                                        \
	}
WORLD_NO_API(api_tcp)
WORLD_NO_API(api_arp)
WORLD_NO_API(api_fs)
WORLD_NO_API(api_fs_read)
WORLD_NO_API(api_app)
WORLD_NO_API(api_metrics)

bool api_fs_content(unused const struct http_request *req, unused struct web_content *out)
{
	return false;
}

#include "user/net/web_conn.c"
#include "tests/sim/web_shell_world.h"

#include "user/net/api_access.c"
#include "user/net/web_access.c"
#include "user/net/web_echo.c"
#include "user/net/web_judge.c"
#include "user/net/web_polled.c"
#include "user/net/web_push.c"
#include "user/net/web_reply.c"
#include "user/net/web_sse.c"
#include "user/net/web_stats.c"
#include "user/net/web_terminal.c"
#include "user/net/web_ws.c"
#include "user/net/web.c"


/* Every worker that has something to do does it. */
static bool world_work(void)
{
	bool worked = false;
	for (size_t i = 0; i < CONFIG_WEB_WORKERS; i++) {
		struct web_worker *w = &web_workers[i];
		bool due = (!list_is_empty(&w->conns) || web_polled_open()) &&
			   !ktime_before(world_now, ktime_min(w->sweep, w->again));
		if (!due && !tcp_pollset_has_news(w->poll))
			continue;
		world_many_threads = true;
		CHECK(web_work_once(w));
		world_many_threads = false;
		worked = true;
	}
	return worked;
}

/* Goes on until nothing happens any more before `until`. */
static void world_serve(ktime until)
{
	for (;;) {
		while (world_work())
			;
		ktime next = until;
		for (size_t i = 0; i < CONFIG_WEB_WORKERS; i++)
			if (!list_is_empty(&web_workers[i].conns) || web_polled_open())
				next = ktime_min(next, ktime_min(web_workers[i].sweep, web_workers[i].again));
		if (!world_turn(next) && !ktime_before(world_now, until))
			return;
	}
}

static void world_serve_for(int64_t ns)
{
	world_serve(ktime_add(world_now, ns));
}

static void web_begin(void)
{
	static bool begun;
	begin();
	if (begun)
		return;
	begun = true;
	for (size_t i = 0; i < sizeof(world_file); i++)
		world_file[i] = (uint8_t)(i * 31 + (i >> 8) * 7);
	packet_mem_init(&world_file_mem, NULL);
	CHECK_EQ(web_init(), OK);
}

/* No connection is left, and all memory is back. */
static void web_end(void)
{
	struct tcp_stats st;
	world_serve_for(200 * NS_PER_S);
	tcp_stats(&st);
	CHECK_EQ(st.connections, 0);
	CHECK_EQ(world_pools_used(), 0);
	CHECK_EQ(world_pages, 0);
	CHECK_EQ(world_packets, 0);
	CHECK_EQ(world_file_mem.refs, 1);
	CHECK_EQ(web_large.used, 0);
	CHECK_EQ(web_echo_budget.used, 0);
}

/* ---- a client on this machine ---- */

struct client {
	struct tcp_conn *tcp;
	size_t len; /* of what has come */
	enum err err; /* OK: open; ERR_PIPE: ended in order */
	uint8_t bytes[1000000];
};

static void client_open(struct client *c)
{
	struct tcp_conn_result r = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, KTIME_ZERO);
	CHECK_EQ(r.err, OK);
	c->tcp = r.value;
	c->len = 0;
	c->err = OK;
	world_serve_for(NS_PER_MS);
}

static void client_say(struct client *c, struct str text)
{
	struct size_result n = tcp_send(c->tcp, rbuf_of_str(text), 0, KTIME_ZERO);
	CHECK(n.err == OK && n.value == text.len);
}

/* Reads at most n bytes of what is there. */
static void client_take(struct client *c, size_t n)
{
	while (c->err == OK && n > 0) {
		size_t room = min(n, sizeof(c->bytes) - c->len);
		CHECK(room > 0);
		struct size_result r = tcp_recv(c->tcp, wbuf_of(c->bytes + c->len, room), KTIME_ZERO);
		if (r.err == ERR_AGAIN)
			return;
		c->err = r.err != OK ? r.err : r.value == 0 ? ERR_PIPE : OK;
		c->len += r.value;
		n -= r.value;
	}
}

/* Lets the server work for so long, and reads all that comes. */
static void client_wait(struct client *c, int64_t ns)
{
	ktime until = ktime_add(world_now, ns);
	do {
		world_serve(ktime_min(until, ktime_add(world_now, 10 * NS_PER_MS)));
		client_take(c, SIZE_MAX);
	} while (ktime_before(world_now, until) && c->err == OK);
}

static struct str client_text(const struct client *c)
{
	return str_of((const char *)c->bytes, c->len);
}

/* How often a text occurs in what has come. */
static unused size_t client_count(const struct client *c, struct str what)
{
	size_t n = 0;
	struct str text = client_text(c);
	for (size_t i = 0; i + what.len <= text.len; i++)
		n += str_starts(str_slice(text, i, text.len), what);
	return n;
}

static void client_close(struct client *c)
{
	tcp_close(c->tcp);
	c->tcp = NULL;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct client one;

/* A client of its own, and what it gets within that time. */
static unused void ask(struct str request, int64_t ns)
{
	client_open(&one);
	client_say(&one, request);
	client_wait(&one, ns);
}

/* ---- that client as one of a WebSocket ---- */

#define SOCKET_FIELDS                                                                              \
	"Host: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"               \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define MASK "\0\0\0\0"

static size_t socket_at; /* what of one.bytes has been looked at */

/* The next frame that has come: its first byte, 0 for none. */
static uint8_t socket_frame(struct rbuf *content)
{
	const uint8_t *p = one.bytes + socket_at;
	size_t have = one.len - socket_at, head = have >= 2 && p[1] >= 126 ? 4 : 2;
	if (have < head)
		return 0;
	CHECK(p[1] <= 126); /* no mask; none of ours is longer here */
	size_t len = head == 4 ? load_be16(p + 2) : p[1];
	if (have < head + len)
		return 0;
	*content = rbuf_of(p + head, len);
	socket_at += head + len;
	return p[0];
}

/* How many of the frames that have come are of this kind; the content of the last one. */
static unused size_t socket_frames(uint8_t first, struct rbuf *content)
{
	size_t n = 0, before = socket_at;
	struct rbuf next;
	for (uint8_t f; (f = socket_frame(&next));) {
		if (f != first)
			continue;
		*content = next;
		n++;
	}
	socket_at = before;
	return n;
}

static unused void socket_closed_with(uint16_t code)
{
	struct rbuf content;
	CHECK_EQ(socket_frames(0x88, &content), 1);
	CHECK_EQ(content.len, 2);
	CHECK_EQ(load_be16(content.ptr), code);
	CHECK_EQ(one.err, ERR_PIPE);
	client_close(&one);
}

#endif
