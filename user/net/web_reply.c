/*
 * web_reply.c - what a request gets: a document of the API, the answer of a handler, a
 * file below /web, or a problem that says why not.
 *
 * Documents are rendered into a block of pages and sent by reference: a snapshot
 * of known length, so that a failure is a status and never a broken stream. How large a
 * block must be shows only then: one that is too small costs the document, and so the
 * last one of the same kind says where to begin.
 *
 * A client may take a document slowly, and nobody asks him for the token: all blocks beyond
 * WEB_SMALL_ORDER together are at most CONFIG_WEB_LARGE_KB. The smaller are bounded by the connections.
 */
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "user/net/web_priv.h"

#define WEB_HANDLED_ORDER 2
#define WEB_ORDER_STEP    2 /* from a block for a document to the next one */
static_assert((PAGE_SIZE << WEB_HANDLED_ORDER) - sizeof(struct web_block) >= WEB_HANDLED_MAX, "an answer fits its block");

#define WEB_SMALL_ORDER 4
#define WEB_LARGE_PAGES (CONFIG_WEB_LARGE_KB * 1024u / PAGE_SIZE)
static_assert(WEB_LARGE_PAGES >= 1u << WEB_BLOCK_ORDER, "the largest document is possible");

static struct web_budget web_large = {.max = WEB_LARGE_PAGES}; /* of blocks beyond WEB_SMALL_ORDER */

static void web_budget_give(struct web_budget *budget, uint32_t order)
{
	if (budget)
		__atomic_fetch_sub(&budget->used, 1u << order, __ATOMIC_RELAXED);
}

static bool web_budget_take(struct web_budget *budget, uint32_t order)
{
	if (!budget || __atomic_add_fetch(&budget->used, 1u << order, __ATOMIC_RELAXED) <= budget->max)
		return true;
	web_budget_give(budget, order);
	return false;
}

static void web_block_free(struct packet_mem *mem)
{
	struct web_block *b = container_of(mem, struct web_block, mem);
	struct web_budget *budget = b->budget;
	uint32_t order = b->order;
	page_free(b, order);
	web_budget_give(budget, order);
}

struct web_block *web_block_alloc_of(struct web_budget *budget, uint32_t order)
{
	if (!web_budget_take(budget, order))
		return NULL;
	struct web_block *b = page_alloc(order);
	if (!b) {
		web_budget_give(budget, order);
		return NULL;
	}
	packet_mem_init(&b->mem, web_block_free);
	b->order = order;
	b->budget = budget;
	return b;
}

struct web_block *web_block_alloc(uint32_t order)
{
	return web_block_alloc_of(order > WEB_SMALL_ORDER ? &web_large : NULL, order);
}

struct abuf web_block_room(struct web_block *b)
{
	return abuf_of(b->bytes, (PAGE_SIZE << b->order) - sizeof(*b));
}

struct web_content web_block_content(struct web_block *b, size_t len)
{
	return (struct web_content){&b->mem, rbuf_of(b->bytes, len)};
}

void web_finish(struct web_conn *c, struct http_reply *r, struct web_content content)
{
	r->close = c->close_after;
	r->minor0 = c->parser.req.minor == 0;
	r->date_s = clock_wall() / NS_PER_S;
	c->out = abuf_of(c->out_bytes, sizeof(c->out_bytes));
	http_reply_head(&c->out, r);
	assert(abuf_ok(&c->out));
	web_count_status(r->status);
	if (content.mem && (c->is_head || content.bytes.len == 0)) {
		packet_mem_put(content.mem);
		content = (struct web_content){0};
	}
	c->content = content;
}

/* A problem, with the fields that r has beside. */
static void web_finish_problem(struct web_conn *c, struct http_reply *r, struct str detail)
{
	struct web_block *b = web_block_alloc(0);
	struct web_content content = {0};
	r->no_store = true;
	if (b) { /* else the status alone has to do */
		struct abuf text = web_block_room(b);
		http_problem(&text, r->status, detail);
		content = web_block_content(b, text.len);
		r->type = HTTP_PROBLEM_TYPE;
	}
	r->length = content.bytes.len;
	web_finish(c, r, content);
}

void web_reply_problem(struct web_conn *c, uint16_t status, struct str detail)
{
	struct http_reply r = {.status = status, .retry_s = c->refusal.retry_s, .upgrade = status == 426};
	if (status == 405)
		r.allow = web_route_allow(c->route);
	web_finish_problem(c, &r, detail);
}

/* --- documents --- */

/* The order with which to begin the next time: that of the step before where this document would have fit that. */
static void web_document_note(uint8_t *hint, uint32_t order, size_t len)
{
	if (order && len + sizeof(struct web_block) <= PAGE_SIZE << (order - WEB_ORDER_STEP))
		order -= WEB_ORDER_STEP;
	__atomic_store_n(hint, (uint8_t)order, __ATOMIC_RELAXED);
}

uint16_t web_document(web_render_fn *render, const struct http_request *req, uint8_t *hint, struct web_content *content)
{
	uint32_t order = __atomic_load_n(hint, __ATOMIC_RELAXED);
	struct web_block *b = web_block_alloc(order);
	if (!b && order) { /* it may be smaller than the last one */
		order = 0;
		b = web_block_alloc(order);
	}
	while (b) {
		struct abuf out = web_block_room(b);
		uint16_t status = render(req, &out);
		if (status == 200 && abuf_ok(&out)) {
			web_document_note(hint, order, out.len);
			*content = web_block_content(b, out.len);
			return status;
		}
		packet_mem_put(&b->mem);
		if (status != 200)
			return status;
		order += WEB_ORDER_STEP;
		b = order <= WEB_BLOCK_ORDER ? web_block_alloc(order) : NULL;
	}
	web_count(WEB_REFUSED_MEMORY, 1);
	return 503;
}

/* It is another one each time, and has no tag: what holds of none fails (RFC 9110 section 13.1). */
static uint16_t web_document_condition(const struct http_request *req)
{
	if (req->field[HTTP_IF_MATCH].ptr && !http_etag_matches(req->field[HTTP_IF_MATCH], STR_EMPTY, false))
		return 412;
	return http_etag_matches(req->field[HTTP_IF_NONE_MATCH], STR_EMPTY, true) ? 304 : 200;
}

static struct str web_document_why(uint16_t status)
{
	switch (status) {
	case 403:
		return S("this is not served: a directory, a device, or secret");
	case 404:
		return S("there is nothing of that name");
	case 412:
		return S("this document has no version that If-Match could name");
	case 500:
		return S("this is there, but cannot be read");
	case 503:
		return S("the document does not fit the memory that is free");
	default:
		return S("this address does not take these parameters");
	}
}

static void web_reply_document(struct web_conn *c, const struct web_route *route)
{
	struct web_content content = {0};
	bool has = route->content && route->content(&c->parser.req, &content);
	uint16_t status = has ? 200 : web_document(route->render, &c->parser.req, web_route_hint(route), &content);
	if (status == 200)
		status = web_document_condition(&c->parser.req);
	if (status != 200 && content.mem) {
		packet_mem_put(content.mem);
		content = (struct web_content){0};
	}
	struct http_reply r = {
		.status = status, .type = route->type, .length = content.bytes.len, .no_store = true};
	if (status == 200 || status == 304)
		web_finish(c, &r, content);
	else
		web_reply_problem(c, status, web_document_why(status));
}

static void web_reply_handled(struct web_conn *c, const struct web_route *route)
{
	struct web_block *b = web_block_alloc(WEB_HANDLED_ORDER);
	if (!b) {
		web_count(WEB_REFUSED_MEMORY, 1);
		web_reply_problem(c, 503, S("the machine is short of memory"));
		return;
	}
	struct abuf out = web_block_room(b);
	struct web_verdict v = route->handle(c, &out);
	assert(abuf_ok(&out));
	if (v.status == 200) {
		struct http_reply r = {.status = 200, .type = route->type, .length = out.len, .no_store = true};
		if (c->is_head && out.len == 0)
			r.length = HTTP_LENGTH_CLOSE;
		web_finish(c, &r, web_block_content(b, out.len));
		return;
	}
	packet_mem_put(&b->mem);
	c->refusal.retry_s = v.retry_s;
	web_reply_problem(c, v.status, v.why);
}

/* --- files --- */

/* Which file a path names, and its neighbour that is compressed. */
struct web_file {
	char bytes[PATH_BYTES_MAX];
	struct str plain; /* its name, in bytes */
	struct file_stat stat;
	bool gzip; /* the neighbour: it is there, and the client takes it */
	bool vary; /* it is there */
};

/* One that was packed with the page is not the neighbour of a page that was written since, nor is an older one. */
static bool web_file_is_neighbour(const struct file_stat *gz, const struct file_stat *plain)
{
	return gz->type == FILE_REGULAR && gz->mtime_ns >= plain->mtime_ns && (plain->digest || !gz->digest);
}

static struct file_result web_file_open(struct web_file *file, const struct http_request *req)
{
	struct str path = req->path;
	struct abuf name = abuf_of(file->bytes, sizeof(file->bytes));
	struct file_stat gz;
	fmt(&name, "/web%.*s%s", STR_ARG(path), path.ptr[path.len - 1] == '/' ? "index.html" : "");
	file->plain = abuf_str(&name);
	if (!abuf_ok(&name) || vfs_stat(file->plain, &file->stat) != OK)
		return ERR_RESULT(file_result, ERR_NOENT);
	abuf_str_add(&name, S(".gz"));
	file->vary = abuf_ok(&name) && vfs_stat(abuf_str(&name), &gz) == OK && web_file_is_neighbour(&gz, &file->stat);
	file->gzip = file->vary && http_accepts_gzip(req->field[HTTP_ACCEPT_ENCODING]);
	if (file->gzip)
		file->stat = gz;
	if (file->stat.secret || file->stat.type != FILE_REGULAR)
		return ERR_RESULT(file_result, ERR_NOENT);
	return vfs_open(file->gzip ? abuf_str(&name) : file->plain, OPEN_READ);
}

/* Conditions and ranges: what of the content is sent, and with which status. */
static void web_file_select(const struct http_request *req, struct http_reply *r, struct rbuf *bytes)
{
	struct str if_range = req->field[HTTP_IF_RANGE];
	if (req->field[HTTP_IF_MATCH].ptr && !http_etag_matches(req->field[HTTP_IF_MATCH], r->etag, false)) {
		r->status = 412;
	} else if (http_etag_matches(req->field[HTTP_IF_NONE_MATCH], r->etag, true)) {
		r->status = 304;
	} else if (req->field[HTTP_RANGE].ptr && req->method == HTTP_GET &&
		   (!if_range.ptr || str_eq(if_range, r->etag))) {
		struct http_range range = http_range_parse(req->field[HTTP_RANGE], bytes->len);
		r->range_size = bytes->len;
		r->range_from = range.from;
		if (range.kind == HTTP_RANGE_UNSATISFIABLE)
			r->status = 416;
		if (range.kind == HTTP_RANGE_ONE) {
			r->status = 206;
			*bytes = rbuf_slice(*bytes, range.from, range.from + range.len);
		}
	}
	if (r->status == 304)
		*bytes = rbuf_of(bytes->ptr, 0);
	r->length = bytes->len;
}

static void web_reply_file(struct web_conn *c)
{
	const struct http_request *req = &c->parser.req;
	struct web_content content = {0};
	struct web_file file;
	struct file_result f = web_file_open(&file, req);
	if (f.err != OK) {
		web_reply_problem(c, f.err == ERR_NOENT ? 404 : 503, S("there is nothing at this address"));
		return;
	}
	uint64_t digest = 0;
	enum err err = vfs_content(f.value, &content.mem, &content.bytes, &digest);
	vfs_close(f.value);
	if (err != OK) {
		web_reply_problem(c, 500, S("the file cannot be sent"));
		return;
	}
	struct http_reply r = {.status = 200, .ranges = true, .gzip = file.gzip, .vary = file.vary,
		.type = http_mime_type(file.plain)};
	/* The digest of the content: one number a version, whatever the name. */
	char etag_bytes[24];
	struct abuf etag = abuf_of(etag_bytes, sizeof(etag_bytes));
	if (digest) {
		fmt(&etag, "\"%016llx\"", (unsigned long long)digest);
		r.etag = abuf_str(&etag);
	}
	web_file_select(req, &r, &content.bytes);
	if (r.status < 400) {
		web_finish(c, &r, content);
		return;
	}
	if (content.mem)
		packet_mem_put(content.mem);
	struct http_reply problem = {.status = r.status, .range_size = r.range_size, .vary = r.vary};
	web_finish_problem(c, &problem, r.status == 412 ? S("the file is not of the version that If-Match names") :
							  S("the file has no bytes in that range"));
}

/* Back to the page, without the token in its address: there it would be kept and shown. */
static void web_reply_entered(struct web_conn *c)
{
	char bytes[WEB_COOKIE_MAX];
	struct abuf cookie = abuf_of(bytes, sizeof(bytes));
	struct http_reply r = {.status = 303, .location = S("/"), .no_store = true};
	web_access_cookie(&cookie);
	assert(abuf_ok(&cookie));
	r.cookie = abuf_str(&cookie);
	web_finish(c, &r, (struct web_content){0});
}

void web_reply(struct web_conn *c)
{
	const struct web_route *route = c->route;
	if (c->refusal.status) {
		web_reply_problem(c, c->refusal.status, c->refusal.why);
	} else if (c->parser.req.method == HTTP_OPTIONS) {
		struct http_reply r = {.status = 204, .allow = web_route_allow(route)};
		web_finish(c, &r, (struct web_content){0});
	} else if (c->enters) {
		web_reply_entered(c);
	} else if (!route || route->file) {
		web_reply_file(c);
	} else if (route->socket) {
		web_socket_open(c, route->socket);
	} else if (route->stream) {
		web_stream_open(c, route->stream);
	} else if (route->handle) {
		web_reply_handled(c, route);
	} else {
		web_reply_document(c, route);
	}
}
