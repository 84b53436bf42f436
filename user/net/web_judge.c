/*
 * web_judge.c - whether a request gets anything. Everything that can be said from its head
 * is said there, in this order: Host, Origin and Sec-Fetch-Site (403), the token (401, 429),
 * the address (404), the method (405), the content (411, 413, 415).
 *
 * Host: a page of another name that resolves to this machine must not reach it (DNS
 * rebinding). Origin: nor must a page of another origin, whatever it sends, WebSocket
 * included. What it can make a browser send without an Origin, an image or a link, is known by
 * Sec-Fetch-Site: such a page may lead a person to what can be read, and that is all. Where a
 * browser does not say that, it can be GET only, which changes nothing here without the token;
 * the cookie is not sent along from another site. There are no CORS fields, so it reads nothing.
 */
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "lib/assert.h"
#include "user/net/access_core.h"
#include "user/net/web_priv.h"

static struct web_verdict web_refuse(uint16_t status, struct str why)
{
	return (struct web_verdict){status, why, 0};
}

static bool web_host_is_ours(struct str authority)
{
	if (access_host_is_named(authority, S(CONFIG_WEB_HOST)))
		return true;
	struct access_authority a = access_authority(authority);
	struct ipv4_result addr = ipv4_from_text(a.host);
	return !a.bracketed && addr.err == OK && ipv4_is_local(addr.value);
}

static bool web_origin_is_ours(const struct http_request *req)
{
	struct str origin = req->field[HTTP_ORIGIN];
	return !origin.ptr || access_origin_is(origin, req->host);
}

static bool web_is_for_token(const struct web_conn *c)
{
	return c->route ? c->route->token : str_starts(c->parser.req.path, S("/api/shell/"));
}

/*
 * A page of another origin, another port among them, makes the browser ask for something that is no page; or leads
 * to what needs the token, where opening a session or forgetting output are a GET. Programs do not say where they
 * ask from, nor do browsers of a server that is neither localhost nor behind TLS.
 */
static bool web_is_for_another_page(const struct web_conn *c)
{
	const struct str *field = c->parser.req.field;
	struct str site = field[HTTP_SEC_FETCH_SITE];
	if (!site.ptr || str_eq(site, S("same-origin")) || str_eq(site, S("none")))
		return false;
	return web_is_for_token(c) || !str_eq(field[HTTP_SEC_FETCH_DEST], S("document"));
}

static struct web_verdict web_judge_sender(const struct web_conn *c)
{
	const struct http_request *req = &c->parser.req;
	if (req->host.ptr && !web_host_is_ours(req->host)) {
		web_count(WEB_REFUSED_HOST, 1);
		return web_refuse(403, S("Host is not a name of this machine"));
	}
	if (!web_origin_is_ours(req)) {
		web_count(WEB_REFUSED_ORIGIN, 1);
		return web_refuse(403, S("Origin is not this server"));
	}
	if (web_is_for_another_page(c)) {
		web_count(WEB_REFUSED_SITE, 1);
		return web_refuse(403, S("a page of another server asks for this"));
	}
	return (struct web_verdict){0};
}

/* --- the token --- */

/* "/?token=T": the token, or what cannot be one. */
static bool web_brings_token(const struct http_request *req, struct abuf *token)
{
	bool page = req->method == HTTP_GET || req->method == HTTP_HEAD_METHOD;
	if (!req->query.len || !page || !str_eq(req->path, S("/")))
		return false;
	enum err err = http_query_param(req->query, S("token"), token);
	if (err != OK)
		abuf_reset(token);
	return err != ERR_NOENT;
}

static struct web_verdict web_judge_token(struct web_conn *c)
{
	const struct http_request *req = &c->parser.req;
	uint8_t bytes[ACCESS_TOKEN_MAX];
	struct abuf token = abuf_of(bytes, sizeof(bytes));
	if (web_is_for_token(c))
		return web_access_judge(req, tcp_remote(c->tcp).addr);
	c->enters = web_brings_token(req, &token);
	return c->enters ? web_access_enter(req, tcp_remote(c->tcp).addr, abuf_str(&token)) : (struct web_verdict){0};
}

/* --- method and content --- */

static bool web_takes_method(const struct web_conn *c)
{
	uint8_t methods = c->route && c->route->methods ? c->route->methods : WEB_GET;
	enum http_method m = c->parser.req.method;
	if (m == HTTP_OPTIONS)
		return true;
	return methods >> (m == HTTP_HEAD_METHOD ? HTTP_GET : m) & 1;
}

/* Bytes as they are; what a command-line client says of a body by default is among them. */
static bool web_takes_type(const struct http_request *req)
{
	static const struct str types[] = {STR_INIT("text/plain"), STR_INIT("application/octet-stream"),
		STR_INIT("application/x-www-form-urlencoded")};
	struct str params = req->field[HTTP_CONTENT_TYPE];
	struct str coding = req->field[HTTP_CONTENT_ENCODING];
	struct str type = str_trim(str_cut(&params, ';'));
	if (coding.len && !str_eq_nocase(coding, S("identity")))
		return false;
	for (size_t i = 0; i < countof(types); i++) {
		if (!type.len || str_eq_nocase(type, types[i]))
			return true;
	}
	return false;
}

static struct web_verdict web_judge_body(struct web_conn *c)
{
	const struct http_request *req = &c->parser.req;
	if (req->body == HTTP_BODY_NONE)
		return web_refuse(411, S("the content has to say its length, or to come in chunks"));
	if (!web_takes_type(req))
		return web_refuse(415, S("the content is taken as bytes: text/plain or application/octet-stream"));
	if (req->content_length > c->route->body_max)
		return web_refuse(413, S("the content is more than this address takes"));
	struct web_block *b = web_block_alloc(0);
	if (!b) {
		web_count(WEB_REFUSED_MEMORY, 1);
		return web_refuse(503, S("the machine is short of memory"));
	}
	assert(web_block_room(b).cap >= c->route->body_max);
	c->body = web_block_content(b, 0);
	return (struct web_verdict){0};
}

void web_body_add(struct web_conn *c, struct rbuf piece)
{
	if (!c->body.mem)
		return;
	struct web_block *b = container_of(c->body.mem, struct web_block, mem);
	if (piece.len > c->route->body_max - c->body.bytes.len) {
		packet_mem_put(c->body.mem);
		c->body = (struct web_content){0};
		c->refusal = web_refuse(413, S("the content is more than this address takes"));
		return;
	}
	memcpy(b->bytes + c->body.bytes.len, piece.ptr, piece.len);
	c->body.bytes.len += piece.len;
}

static struct web_verdict web_judge_request(struct web_conn *c)
{
	const struct http_request *req = &c->parser.req;
	struct web_verdict v = web_judge_sender(c);
	if (!v.status)
		v = web_judge_token(c);
	if (v.status)
		return v;
	if (!c->route && str_starts(req->path, S("/api/")))
		return web_refuse(404, S("no such endpoint"));
	if (!web_takes_method(c))
		return web_refuse(405, S("this address does not take this method"));
	if (c->route && c->route->body_max && req->method == HTTP_POST)
		return web_judge_body(c);
	return v;
}

void web_judge(struct web_conn *c)
{
	c->route = web_route_find(c->parser.req.path);
	c->enters = false;
	c->refusal = web_judge_request(c);
}
