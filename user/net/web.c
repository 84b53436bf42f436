/*
 * web.c - the web server: its routes, its worker threads, its listener.
 *
 * Worker 0 also accepts, and hands new connections to the workers in turn. A
 * worker waits on its pollset for all its connections at once; one that is ready
 * gets a bounded turn. Once a second each worker looks for deadlines that passed.
 * What is not TCP's, output of a shell, rouses a connection (web_conn_rouse).
 * Before the machine starts again (machine_restart) each worker takes leave of its connections, and worker 0 closes the
 * listener: whoever comes then is refused.
 * The workers are the domain "web": CONFIG_WEB_BUDGET_US of each hart in CONFIG_WEB_PERIOD_US.
 *
 * Locks: LOCK_WEB guards each worker's lists of handed and roused connections.
 */
#include "kernel/diag/diag.h"
#include "kernel/lock/lock.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/deadline.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/initcall.h"
#include "user/net/metrics_core.h"
#include "user/net/web_priv.h"

#define WEB_EVENTS 16
#define WEB_FULL_TEXT_MAX 160

struct web_worker {
	struct tcp_pollset *poll;
	struct list conns; /* its own */
	ktime sweep;
	ktime again; /* when sockets that have paused are to be looked at; KTIME_NEVER: there are none */
	struct spinlock lock;
	struct list handed, roused; /* guarded by lock */
	bool left; /* atomic: its connections were told that the machine starts again */
};

static const struct web_route web_routes[] = {
	{.path = STR_INIT("/api/stats"), .render = api_stats, .type = STR_INIT("application/json")},
	{.path = STR_INIT("/api/tcp"), .render = api_tcp, .type = STR_INIT("application/json")},
	{.path = STR_INIT("/api/arp"), .render = api_arp, .type = STR_INIT("application/json")},
	{.path = STR_INIT("/api/klog"), .render = api_klog, .type = STR_INIT("application/json")},
	{.path = STR_INIT("/api/fs"), .render = api_fs, .type = STR_INIT("application/json")},
	{.path = STR_INIT("/api/app/"), .render = api_app, .type = STR_INIT("application/json")}, /* and what is below */
	{.path = STR_INIT("/api/fs/read"), .content = api_fs_content, .render = api_fs_read,
		.type = STR_INIT("text/plain; charset=utf-8")},
	{.path = STR_INIT("/api/access"), .handle = api_access, .type = STR_INIT("application/json")},
	{.path = STR_INIT("/api/shell/in"), .handle = api_shell_in, .type = STR_INIT("application/json"),
		.methods = WEB_GET | WEB_POST, .token = true, .body_max = WEB_POLLED_TYPED_MAX},
	{.path = STR_INIT("/api/shell/out"), .handle = api_shell_out, .type = STR_INIT("application/json"), .token = true},
	{.path = STR_INIT("/api/shell/ws"), .socket = &web_terminal_kind, .token = true},
	{.path = STR_INIT("/api/ws"), .socket = &web_push_kind},
	{.path = STR_INIT("/api/ws/test"), .socket = &web_echo_kind},
	{.path = STR_INIT("/api/events"), .stream = &web_events_kind},
	{.path = STR_INIT("/api/sse/test"), .stream = &web_numbers_kind},
	{.path = STR_INIT("/api/openapi.json"), .file = true},
	{.path = STR_INIT("/metrics"), .render = api_metrics, .type = STR_INIT(METRICS_TYPE)},
};

const struct web_route *web_route_find(struct str path)
{
	for (size_t i = 0; i < countof(web_routes); i++) {
		struct str route = web_routes[i].path;
		if (str_eq(route, path) || (str_ends(route, S("/")) && str_starts(path, route)))
			return &web_routes[i];
	}
	return NULL;
}

uint8_t *web_route_hint(const struct web_route *route)
{
	static uint8_t hints[countof(web_routes)]; /* atomic */
	return &hints[route - web_routes];
}

struct str web_route_allow(const struct web_route *route)
{
	switch (route ? route->methods : 0) {
	case 0:
	case WEB_GET:
		return S("GET, HEAD, OPTIONS");
	case WEB_POST:
		return S("OPTIONS, POST");
	default:
		return S("GET, HEAD, OPTIONS, POST");
	}
}

static struct pool *web_conns;
static struct web_worker web_workers[CONFIG_WEB_WORKERS];
static struct tcp_listener *web_listener;
static unsigned web_next; /* worker 0 only */
static uint32_t web_served; /* atomic: connections whose last reply is not on its way yet */

uint32_t web_connections(void)
{
	return __atomic_load_n(&web_served, __ATOMIC_RELAXED);
}

/* NULL: CONFIG_WEB_CONNECTIONS are served, or as many again have their last reply on its way. */
static struct web_conn *web_conn_alloc(void)
{
	bool free = __atomic_fetch_add(&web_served, 1, __ATOMIC_RELAXED) < CONFIG_WEB_CONNECTIONS;
	struct web_conn *c = free ? pool_alloc(web_conns) : NULL;
	if (!c)
		web_conn_served();
	return c;
}

void web_conn_served(void)
{
	__atomic_fetch_sub(&web_served, 1, __ATOMIC_RELAXED);
}

static void web_conn_close(struct web_conn *c)
{
	list_remove(&c->node);
	if (!c->served)
		web_conn_served();
	web_conn_end(c); /* from here on nobody rouses it */
	if (list_is_linked(&c->roused)) {
		spin_lock(&c->worker->lock);
		list_remove(&c->roused);
		spin_unlock(&c->worker->lock);
	}
	pool_free(web_conns, c);
}

/* The server is full: a reply that needs no memory, and no connection of ours until it has arrived. */
static void web_refuse_full(struct tcp_conn *tcp)
{
	uint8_t bytes[HTTP_REPLY_HEAD_MAX + WEB_FULL_TEXT_MAX], text_bytes[WEB_FULL_TEXT_MAX];
	struct abuf out = abuf_of(bytes, sizeof(bytes)), text = abuf_of(text_bytes, sizeof(text_bytes));
	http_problem(&text, 503, S("all connections are in use"));
	http_reply_head(&out, &(struct http_reply){.status = 503, .type = HTTP_PROBLEM_TYPE,
		.length = text.len, .date_s = clock_wall() / NS_PER_S, .close = true, .no_store = true});
	abuf_str_add(&out, abuf_str(&text));
	assert(abuf_ok(&out) && abuf_ok(&text));
	struct size_result r = tcp_send(tcp, abuf_bytes(&out), 0, KTIME_ZERO);
	web_count(WEB_SENT_BYTES, r.value);
	web_count(WEB_REFUSED_FULL, 1);
	web_count_status(503);
	tcp_drain(tcp);
}

static void web_hand_over(struct web_conn *c)
{
	struct web_worker *w = &web_workers[web_next++ % CONFIG_WEB_WORKERS];
	c->worker = w;
	spin_lock(&w->lock);
	list_push_back(&w->handed, &c->node);
	spin_unlock(&w->lock);
	tcp_pollset_wake(w->poll);
}

void web_conn_rouse(struct web_conn *c)
{
	struct web_worker *w = c->worker;
	spin_lock(&w->lock);
	if (!list_is_linked(&c->roused))
		list_push_back(&w->roused, &c->roused);
	spin_unlock(&w->lock);
	tcp_pollset_wake(w->poll);
}

static void web_accept(void)
{
	for (unsigned i = 0; i < WEB_EVENTS; i++) {
		struct tcp_conn_result tcp = tcp_accept(web_listener, KTIME_ZERO);
		if (tcp.err != OK)
			return;
		web_count(WEB_ACCEPTED, 1);
		struct web_conn *c = web_conn_alloc();
		if (!c) {
			web_refuse_full(tcp.value);
			continue;
		}
		web_conn_start(c, tcp.value, clock_now());
		web_hand_over(c);
	}
}

static void web_serve(struct web_worker *w, struct web_conn *c, bool alive)
{
	if (!alive) {
		web_conn_close(c);
		return;
	}
	uint32_t mask = web_conn_mask(c);
	if (mask != c->mask)
		tcp_pollset_add(w->poll, c->tcp, mask, c);
	c->mask = mask;
	if (web_socket_wants_again(c))
		w->again = ktime_min(w->again, ktime_add(clock_now(), WEB_AGAIN_NS));
}

/* The next that was roused; NULL: none. It may be roused again from now on. */
static struct web_conn *web_roused_next(struct web_worker *w)
{
	spin_lock(&w->lock);
	struct list *node = list_pop_front(&w->roused);
	spin_unlock(&w->lock);
	return node ? list_entry(node, struct web_conn, roused) : NULL;
}

/* As many as there are events at once: the others have their turn between. */
static void web_take_roused(struct web_worker *w)
{
	for (unsigned i = 0; i < WEB_EVENTS; i++) {
		struct web_conn *c = web_roused_next(w);
		if (!c)
			return;
		web_socket_roused(c);
		web_serve(w, c, web_conn_run(c, clock_now()));
	}
	tcp_pollset_wake(w->poll);
}

/* Sockets that have paused, at most CONFIG_WEB_SOCKETS, each WEB_AGAIN_NS while there are any. */
static void web_look_again(struct web_worker *w, ktime now)
{
	if (ktime_before(now, w->again))
		return;
	w->again = KTIME_NEVER;
	list_for_each_safe(node, &w->conns) {
		struct web_conn *c = list_entry(node, struct web_conn, node);
		if (web_socket_wants_again(c))
			web_serve(w, c, web_conn_run(c, now));
	}
}

static void web_take_handed(struct web_worker *w)
{
	struct list taken = LIST_INIT(taken);
	spin_lock(&w->lock);
	list_splice_back(&taken, &w->handed);
	bool roused = !list_is_empty(&w->roused);
	spin_unlock(&w->lock);
	if (roused)
		web_take_roused(w);
	list_for_each_safe(node, &taken) {
		struct web_conn *c = list_entry(node, struct web_conn, node);
		list_remove(node);
		list_push_back(&w->conns, node);
		web_serve(w, c, web_is_leaving() ? web_conn_leave(c, clock_now()) : web_conn_run(c, clock_now()));
	}
}

/* At most CONFIG_WEB_CONNECTIONS, once a second, in thread context. */
static void web_sweep(struct web_worker *w, ktime now)
{
	if (ktime_before(now, w->sweep))
		return;
	w->sweep = ktime_add(now, NS_PER_S);
	struct web_push push = {0};
	list_for_each_safe(node, &w->conns) {
		struct web_conn *c = list_entry(node, struct web_conn, node);
		if (ktime_before(c->deadline, now))
			web_serve(w, c, web_conn_timeout(c, &push, now));
	}
	web_push_end(&push);
	web_polled_sweep(now);
}

/* ---- the machine starts again ---- */

static bool web_leaving; /* atomic */

bool web_is_leaving(void)
{
	return __atomic_load_n(&web_leaving, __ATOMIC_RELAXED);
}

/* Once; who is handed over later is taken leave of then. */
static void web_take_leave(struct web_worker *w, ktime now)
{
	if (w->left || !web_is_leaving())
		return;
	if (w == web_workers)
		tcp_listener_close(web_listener);
	list_for_each_safe(node, &w->conns) {
		struct web_conn *c = list_entry(node, struct web_conn, node);
		web_serve(w, c, web_conn_leave(c, now));
	}
	__atomic_store_n(&w->left, true, __ATOMIC_RELEASE);
}

static void web_leave(void)
{
	__atomic_store_n(&web_leaving, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < CONFIG_WEB_WORKERS; i++)
		tcp_pollset_wake(web_workers[i].poll);
}

/* All replies are with TCP, and the sockets closed. */
static bool web_has_left(void)
{
	for (unsigned i = 0; i < CONFIG_WEB_WORKERS; i++)
		if (!__atomic_load_n(&web_workers[i].left, __ATOMIC_ACQUIRE))
			return false;
	return web_connections() == 0;
}
RESTART(web, RESTART_LEAVE, web_leave, web_has_left);

/* Waits for something to do and does it. False: the worker is to end. */
static bool web_work_once(struct web_worker *w)
{
	struct tcp_ready ready[WEB_EVENTS];
	bool idle = list_is_empty(&w->conns) && !web_polled_open();
	ktime until = idle ? KTIME_NEVER : ktime_min(w->sweep, w->again);
	struct size_result n = tcp_pollset_wait(w->poll, ready, WEB_EVENTS, until);
	if (n.err == ERR_INTR)
		return false;
	for (size_t i = 0; n.err == OK && i < n.value; i++) {
		struct web_conn *c = ready[i].cookie;
		if (c)
			web_serve(w, c, web_conn_run(c, clock_now()));
		else
			web_accept();
	}
	web_take_handed(w);
	ktime now = clock_now();
	web_take_leave(w, now);
	web_look_again(w, now);
	web_sweep(w, now);
	return true;
}

static void web_work(void *arg)
{
	while (web_work_once(arg))
		;
}

static_assert(CONFIG_WEB_BUDGET_US <= CONFIG_WEB_PERIOD_US && CONFIG_WEB_DEGRADED_US <= CONFIG_WEB_PERIOD_US,
	"a budget is a part of its period");

static struct domain_result web_domain(void)
{
	struct domain_attr attr = {
		.budget_ns = CONFIG_WEB_BUDGET_US * NS_PER_US,
		.period_ns = CONFIG_WEB_PERIOD_US * NS_PER_US,
		.low = config_on(CONFIG_WEB_LOW),
		.degraded_ns = config_on(CONFIG_WEB_LOW) ? CONFIG_WEB_DEGRADED_US * NS_PER_US : 0,
	};
	return domain_create(S("web"), &attr);
}

static enum err web_start_worker(unsigned i, uint8_t domain)
{
	struct web_worker *w = &web_workers[i];
	char bytes[THREAD_NAME_MAX];
	struct abuf name = abuf_of(bytes, sizeof(bytes));
	fmt(&name, "web/%u", i);
	struct thread_attr attr = {.name = abuf_str(&name), .entry = web_work, .arg = w,
		.priority = CONFIG_WEB_PRIORITY, .class = SCHED_RR, .domain = domain, .system = true};
	struct thread_result t = thread_create(&attr);
	if (t.err == OK)
		thread_detach(t.value);
	return t.err;
}

static enum err web_init(void)
{
	web_conns = pool_create(S("http_conn"), sizeof(struct web_conn), _Alignof(struct web_conn),
		2 * CONFIG_WEB_CONNECTIONS, 0);
	if (!web_conns || web_socket_init() != OK || web_stream_init() != OK)
		return ERR_NOMEM;
	web_access_init();
	web_polled_init();
	struct domain_result domain = web_domain();
	if (domain.err != OK)
		return domain.err;
	struct tcp_listener_result l = tcp_listen(0, CONFIG_WEB_PORT, CONFIG_WEB_CONNECTIONS);
	if (l.err != OK)
		return l.err;
	web_listener = l.value;
	for (unsigned i = 0; i < CONFIG_WEB_WORKERS; i++) {
		struct web_worker *w = &web_workers[i];
		list_init(&w->conns);
		list_init(&w->handed);
		list_init(&w->roused);
		spin_init(&w->lock, LOCK_WEB);
		w->sweep = KTIME_ZERO;
		w->again = KTIME_NEVER;
		w->poll = tcp_pollset_create();
		if (!w->poll)
			return ERR_NOMEM;
	}
	tcp_pollset_add_listener(web_workers[0].poll, web_listener, NULL);
	for (unsigned i = 0; i < CONFIG_WEB_WORKERS; i++) {
		enum err err = web_start_worker(i, domain.value);
		if (err != OK)
			return err;
	}
	klog(LOG_INFO, "web: serving on port %d with %d workers", CONFIG_WEB_PORT, CONFIG_WEB_WORKERS);
	return OK;
}
INITCALL(web, web_init, "net_tcp", "net_iface", "ramfs", "rng", "sched", "api");
INITCALL(app_web_access, web_access_tell, "web"); /* nobody comes to a self-test or a benchmark */
