/*
 * web_polled.c - /api/shell/in and /api/shell/out: sessions of the shell for who has no
 * WebSocket: a script with curl.
 *
 *	GET  /api/shell/in			opens one: {"session":"..."}
 *	POST /api/shell/in?session=S		the content is typed, and Enter behind it unless it
 *						ends in a control character
 *	GET  /api/shell/out?session=S&since=N	output from position N on, and where to go on
 *
 * A session belongs to who knows its name, which cannot be guessed, and has the token. What
 * lies before N is forgotten when N is asked for; the same N may be asked for again. After
 * WEB_POLLED_IDLE_NS in which nobody asked for it a session is hung up.
 *
 * Limits: CONFIG_WEB_POLLED sessions: one that has exited gives way, else 503. What a session
 * does not take of what is typed is held; until it has, more is refused with 503, but for a
 * Ctrl-C, which takes the place of what is held.
 *
 * Locks: web_polled_lock around the table and all in it; under it the shell's.
 */
#include "kernel/net/net.h"
#include "kernel/sync/mutex.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/mem.h"
#include "lib/utf8.h"
#include "user/net/web_priv.h"
#include "user/shell/shell.h"

#define WEB_POLLED_IDLE_NS  (60 * NS_PER_S)
#define WEB_POLLED_TOLD_NS  (5 * NS_PER_S) /* the same for a session whose end was told: the reply may be lost */
#define WEB_POLLED_CHARS    WEB_SECRET_CHARS /* of a name */
#define WEB_POLLED_OUT      2048 /* of output, at once */
#define WEB_POLLED_JSON_MAX 128  /* beside it */
#define CTRL_C              3

static_assert(6 * WEB_POLLED_OUT + WEB_POLLED_JSON_MAX <= WEB_HANDLED_MAX, "a control character becomes \\u00XX");
static_assert(WEB_POLLED_TYPED_MAX >= SHELL_LINE_MAX, "a line fits");

struct web_polled {
	struct shell_session *session; /* NULL: free */
	char name[WEB_POLLED_CHARS];
	ktime asked; /* when somebody last asked for it */
	bool told;   /* that it is over */
	size_t held_at, held_len; /* of held: what the session has not taken yet */
	uint8_t held[WEB_POLLED_TYPED_MAX + 1];
};

static struct mutex web_polled_lock;
static struct web_polled web_polled[CONFIG_WEB_POLLED];
static uint8_t web_polled_raw[WEB_POLLED_OUT];
static uint32_t web_polled_used; /* atomic, written under the lock */

void web_polled_init(void)
{
	mutex_init(&web_polled_lock, LOCK_WEB_POLLED);
}

uint32_t web_polled_open(void)
{
	return __atomic_load_n(&web_polled_used, __ATOMIC_RELAXED);
}

static struct web_verdict web_polled_refuse(uint16_t status, struct str why)
{
	return (struct web_verdict){status, why, 0};
}

/* --- the table; with the lock --- */

static void web_polled_end(struct web_polled *p)
{
	shell_hang_up(p->session);
	p->session = NULL;
	__atomic_fetch_sub(&web_polled_used, 1, __ATOMIC_RELAXED);
}

/* A free place, or that of a session that is over. */
static struct web_polled *web_polled_place(void)
{
	struct web_polled *over = NULL;
	for (size_t i = 0; i < CONFIG_WEB_POLLED; i++) {
		struct web_polled *p = &web_polled[i];
		if (!p->session)
			return p;
		if (shell_ended(p->session, UINT64_MAX))
			over = p;
	}
	if (over)
		web_polled_end(over);
	return over;
}

static struct web_polled *web_polled_find(const struct http_request *req, ktime now)
{
	char bytes[WEB_POLLED_CHARS];
	struct abuf name = abuf_of(bytes, sizeof(bytes));
	if (http_query_param(req->query, S("session"), &name) != OK || name.len != WEB_POLLED_CHARS)
		return NULL;
	for (size_t i = 0; i < CONFIG_WEB_POLLED; i++) {
		struct web_polled *p = &web_polled[i];
		if (p->session && mem_eq_secret(p->name, bytes, WEB_POLLED_CHARS)) {
			p->asked = now;
			return p;
		}
	}
	return NULL;
}

/* Whether the session has all that was typed. */
static bool web_polled_flush(struct web_polled *p)
{
	if (p->held_len == 0)
		return true;
	size_t n = shell_feed(p->session, rbuf_of(p->held + p->held_at, p->held_len));
	p->held_at += n;
	p->held_len -= n;
	return p->held_len == 0;
}

void web_polled_sweep(ktime now)
{
	if (!web_polled_open())
		return;
	mutex_lock(&web_polled_lock);
	for (size_t i = 0; i < CONFIG_WEB_POLLED; i++) {
		struct web_polled *p = &web_polled[i];
		if (!p->session)
			continue;
		(void)web_polled_flush(p);
		if (ktime_diff(now, p->asked) < (p->told ? WEB_POLLED_TOLD_NS : WEB_POLLED_IDLE_NS))
			continue;
		if (!p->told)
			web_count(WEB_POLLED_IDLE, 1);
		web_polled_end(p);
	}
	mutex_unlock(&web_polled_lock);
}

/* --- /api/shell/in --- */

static struct web_verdict web_polled_named(struct str name, struct abuf *out)
{
	struct json_writer w;
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key_str(&w, S("session"), name);
	json_object_close(&w);
	return (struct web_verdict){.status = api_finish(&w)};
}

static struct web_verdict web_polled_begin(struct web_conn *c, struct abuf *out)
{
	char bytes[IPV4_TEXT_MAX];
	struct abuf peer = abuf_of(bytes, sizeof(bytes));
	struct web_polled *p = web_polled_place();
	struct shell_result r = ERR_RESULT(shell_result, ERR_NOSPC);
	ipv4_format(&peer, tcp_remote(c->tcp).addr);
	if (p)
		r = shell_open(&(struct shell_carrier){.name = abuf_str(&peer)});
	if (r.err != OK) {
		web_count(WEB_REFUSED_SHELLS, 1);
		return web_polled_refuse(503, S("all sessions of the shell are in use"));
	}
	*p = (struct web_polled){.session = r.value, .asked = clock_now()};
	web_secret_make(p->name);
	web_count(WEB_POLLED_OPENED, 1);
	__atomic_fetch_add(&web_polled_used, 1, __ATOMIC_RELAXED);
	return web_polled_named(str_of(p->name, WEB_POLLED_CHARS), out);
}

/* A Ctrl-C acts at once, and what was typed before it is forgotten: also what is held. */
static bool web_polled_interrupts(struct rbuf typed)
{
	return str_find_char(rbuf_str(typed), CTRL_C) < typed.len;
}

/* Check, then commit: refused, or all of it is typed sooner or later. */
static struct web_verdict web_polled_type(struct web_conn *c, struct abuf *out)
{
	struct web_polled *p = web_polled_find(&c->parser.req, clock_now());
	struct rbuf body = c->body.bytes;
	if (!p)
		return web_polled_refuse(404, S("there is no such session, or it was not asked for in time"));
	if (!web_polled_flush(p) && !web_polled_interrupts(body))
		return web_polled_refuse(503, S("the session has not read what was typed before"));
	if (body.len)
		memcpy(p->held, body.ptr, body.len);
	if (!body.len || p->held[body.len - 1] >= ' ')
		p->held[body.len++] = '\r';
	p->held_at = 0;
	p->held_len = body.len;
	(void)web_polled_flush(p);
	return web_polled_named(str_of(p->name, WEB_POLLED_CHARS), out);
}

struct web_verdict api_shell_in(struct web_conn *c, struct abuf *out)
{
	static const struct str none = STR_INIT("00000000000000000000000000000000");
	static_assert(sizeof("00000000000000000000000000000000") == WEB_POLLED_CHARS + 1, "as long as a name");
	if (c->is_head) /* says how long the answer is, and opens nothing */
		return web_polled_named(none, out);
	mutex_lock(&web_polled_lock);
	struct web_verdict v = c->parser.req.method == HTTP_POST ? web_polled_type(c, out) : web_polled_begin(c, out);
	mutex_unlock(&web_polled_lock);
	return v;
}

/* --- /api/shell/out --- */

/* The length without a character that has only begun at the end. */
static size_t web_polled_whole(struct str text)
{
	struct utf8_decoder d = {0};
	size_t from = 0; /* where the character begins that is not there yet */
	for (size_t i = 0; i < text.len; i++) {
		if (!d.missing)
			from = i;
		if (utf8_step(&d, (uint8_t)text.ptr[i]) == UTF8_BROKEN) {
			from = i;
			(void)utf8_step(&d, (uint8_t)text.ptr[i]);
		}
	}
	return d.missing ? from : text.len;
}

static struct web_verdict web_polled_take(struct web_polled *p, uint64_t since, struct abuf *out)
{
	struct json_writer w;
	size_t n = shell_output(p->session, &since, wbuf_of(web_polled_raw, WEB_POLLED_OUT));
	struct str text = str_of(web_polled_raw, n);
	bool ended = shell_ended(p->session, since);
	p->told |= ended;
	if (!ended) { /* the rest of a character comes with the next */
		text.len = web_polled_whole(text);
		since -= n - text.len;
	}
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key_str(&w, S("output"), text);
	json_key_u64(&w, S("next"), since);
	json_key_bool(&w, S("exited"), ended);
	json_object_close(&w);
	return (struct web_verdict){.status = api_finish(&w)};
}

struct web_verdict api_shell_out(struct web_conn *c, struct abuf *out)
{
	char bytes[24];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	enum err err = http_query_param(c->parser.req.query, S("since"), &text);
	struct u64_result since = err == ERR_NOENT ? OK_RESULT(u64_result, 0) : str_to_u64(abuf_str(&text), 10);
	if ((err != OK && err != ERR_NOENT) || since.err != OK)
		return web_polled_refuse(400, S("since is a position, as \"next\" gave it"));
	mutex_lock(&web_polled_lock);
	struct web_polled *p = web_polled_find(&c->parser.req, clock_now());
	struct web_verdict v = {.status = 200}; /* of HEAD, which takes nothing, and so does not know how long it would be */
	if (!p)
		v = web_polled_refuse(404, S("there is no such session, or it was not asked for in time"));
	else if (!c->is_head)
		v = web_polled_take(p, since.value, out);
	if (p)
		(void)web_polled_flush(p);
	mutex_unlock(&web_polled_lock);
	return v;
}
