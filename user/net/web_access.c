/*
 * web_access.c - the access token: who has it may run, write and change things.
 *
 * It is made at boot of the machine's randomness (web_secret_make), unless the secret file
 * /token says another one or "off" (/initrd/token, if there is one, instead). The console
 * shows it, written to the UART and never logged, as soon as that takes something. A request
 * brings it as Authorization: Bearer; or once, in the address of the page, for a cookie. The
 * cookie is a secret of its own, made at each boot, so that it cannot be guessed however weak a
 * token somebody has chosen: it is judged always, and a wrong one, which an earlier boot may
 * have set, is no try.
 * Of tokens only so many wrong ones are looked at. Beyond, one that somebody has chosen is
 * not looked at whatever it is; one that was made here cannot be guessed at any rate, so who
 * has it is let in, whoever floods beside him.
 *
 * Invariants: the secrets are written before the server listens, and not changed.
 * Locks: LOCK_WEB_ACCESS guards the limiter; a token is tried under it, so that no two
 * workers let one try more in.
 */
#include "kernel/diag/diag.h"
#include "kernel/fs/fs.h"
#include "kernel/lock/lock.h"
#include "kernel/net/net.h"
#include "kernel/sched/sched.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "user/net/access_core.h"
#include "user/net/web_priv.h"

#define ACCESS_COOKIE S("mazu_token")
#define ACCESS_URL    S("http://localhost:8080/") /* where `make run` shows the server */
#define ACCESS_TELL_MAX 1024
#define ACCESS_TELL_NS  NS_PER_S

/*
 * A person who mistypes has some tries at once; then one a second. From all addresses there are ten times as
 * many: fewer than a peer alone gets, others cannot use up.
 */
static const struct access_limits web_access_limits = {
	.peer_every_ns = NS_PER_S, .peer_burst = 20, .all_every_ns = NS_PER_S / 10, .all_burst = 200};

static struct {
	bool off, made;
	struct access_secret token, cookie; /* the token unless it is off */
	struct spinlock lock;
	struct access_limiter limiter; /* lock */
} web_access;

bool web_access_is_on(void)
{
	return !web_access.off;
}

/* --- at boot --- */

void web_secret_make(char out[WEB_SECRET_CHARS])
{
	uint8_t bytes[WEB_SECRET_CHARS / 2];
	rng_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
}

static struct access_secret web_access_make(void)
{
	char text[WEB_SECRET_CHARS];
	web_secret_make(text);
	return access_secret(str_of(text, sizeof(text)));
}

static void web_access_use_made(void)
{
	web_access.token = web_access_make();
	web_access.made = true;
}

/*
 * What a file says that is never served. False: there is none. From one that is not to be used nobody goes on to
 * another one, which may say less: a token is made.
 */
static bool web_access_read(struct str path)
{
	char bytes[ACCESS_TOKEN_MAX + 16];
	struct file_stat stat;
	struct str token;
	if (vfs_stat(path, &stat) != OK)
		return false;
	struct file_result f = vfs_open(path, OPEN_READ | OPEN_SECRET);
	struct size_result n = ERR_RESULT(size_result, f.err);
	if (f.err == OK) {
		n = vfs_read(f.value, 0, wbuf_of(bytes, sizeof(bytes)));
		vfs_close(f.value);
	}
	enum access_setting setting = n.err == OK ? access_setting_parse(str_of(bytes, n.value), &token) : ACCESS_INVALID;
	if (!stat.secret || stat.size_bytes > sizeof(bytes))
		setting = ACCESS_INVALID;
	if (setting == ACCESS_INVALID) {
		klog(LOG_ERR, "web: %.*s is no secret file with %d to %d characters A-Z a-z 0-9 _ - or \"off\": not used",
			STR_ARG(path), ACCESS_TOKEN_MIN, ACCESS_TOKEN_MAX);
		web_access_use_made();
		return true;
	}
	web_access.off = setting == ACCESS_OFF;
	if (!web_access.off)
		web_access.token = access_secret(token);
	return true;
}

void web_access_init(void)
{
	spin_init(&web_access.lock, LOCK_WEB_ACCESS);
	web_access.limiter.limits = &web_access_limits;
	web_access.cookie = web_access_make();
	if (!web_access_read(S("/initrd/token")) && !web_access_read(S("/token")))
		web_access_use_made();
	if (web_access.off)
		klog(LOG_WARN, "web: the access token is off: whoever reaches the port may run commands");
}

static void web_access_tell_url(struct abuf *out, struct str url)
{
	while (str_ends(url, S("/")))
		url.len--;
	fmt(out, "Open %.*s/", STR_ARG(url));
	if (!web_access.off)
		fmt(out, "?token=%.*s", STR_ARG(access_secret_text(&web_access.token)));
	abuf_str_add(out, S("\n"));
}

/* The addresses under which the machine itself knows that it can be reached. */
static void web_access_tell_addresses(struct abuf *out)
{
	struct net_iface_info iface;
	for (size_t i = 0; net_iface_at(i, &iface); i++) {
		char bytes[64];
		struct abuf url = abuf_of(bytes, sizeof(bytes));
		if (iface.addr == IPV4_ANY || iface.dev->features & NETDEV_LOOPBACK)
			continue;
		abuf_str_add(&url, S("http://"));
		ipv4_format(&url, iface.addr);
		if (CONFIG_WEB_PORT != 80)
			fmt(&url, ":%d", CONFIG_WEB_PORT);
		web_access_tell_url(out, abuf_str(&url));
	}
}

/* url= on the command line: how whoever started the machine reaches it. */
static struct str web_access_url(void)
{
	struct str rest = machine.cmdline, word, url = STR_EMPTY;
	while ((word = str_word(&rest)).len > 0)
		if (str_starts(word, S("url=")))
			url = str_slice(word, 4, word.len);
	return url;
}

/* In one piece, so that no line of the log comes between; the memory that held it is wiped. */
static void web_access_tell_all(void *arg)
{
	char bytes[ACCESS_TELL_MAX];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	struct chardev *console = arg;
	struct str url = web_access_url();
	abuf_str_add(&text, S("\n"));
	web_access_tell_url(&text, url.len ? url : ACCESS_URL);
	if (!url.len)
		web_access_tell_addresses(&text);
	for (struct rbuf rest = abuf_bytes(&text); rest.len;) {
		struct size_result n = console->ops->write(console, rest, KTIME_NEVER);
		if (n.err != OK)
			break;
		rest = rbuf_slice(rest, n.value, rest.len);
	}
	memset(bytes, 0, sizeof(bytes));
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

/*
 * A UART that nobody drains takes nothing, perhaps for ever: a thread waits for it, and the boot only a moment for
 * that, so that nothing else is said before where there is no need.
 */
enum err web_access_tell(void)
{
	struct chardev *console = chardev_find(S("console"));
	if (!console)
		return OK;
	struct thread_result t = thread_create(&(struct thread_attr){.name = S("web/tell"), .entry = web_access_tell_all,
		.arg = console, .priority = CONFIG_WEB_PRIORITY, .class = SCHED_RR});
	if (t.err == OK && thread_join(t.value, ktime_add(clock_now(), ACCESS_TELL_NS)) != OK)
		thread_detach(t.value);
	return t.err;
}

/* --- requests --- */

static struct web_verdict web_access_refuse(struct str why)
{
	web_count(WEB_REFUSED_TOKEN, 1);
	return (struct web_verdict){401, why, 0};
}

static struct web_verdict web_access_try(uint32_t peer, struct str token)
{
	ktime now = clock_now();
	bool right = false;
	spin_lock(&web_access.lock);
	int64_t wait = access_wait_ns(&web_access.limiter, peer, now);
	if (!wait || web_access.made)
		right = access_equal(token, &web_access.token);
	if (!wait && !right)
		access_failed(&web_access.limiter, peer, now);
	spin_unlock(&web_access.lock);
	if (right)
		return (struct web_verdict){0};
	if (wait) {
		web_count(WEB_REFUSED_RATE, 1);
		return (struct web_verdict){429, S("too many wrong tokens have come"),
			(uint32_t)((wait + NS_PER_S - 1) / NS_PER_S)};
	}
	web_count(WEB_TOKEN_WRONG, 1);
	return web_access_refuse(S("that is not the access token; the console of the machine shows it"));
}

/* Without a token: there is none, or the cookie says that it was there. */
static bool web_access_is_free(const struct http_request *req)
{
	return web_access.off || access_cookie_has(req->field[HTTP_COOKIE], ACCESS_COOKIE, &web_access.cookie);
}

struct web_verdict web_access_judge(const struct http_request *req, uint32_t peer)
{
	struct str token;
	if (web_access_is_free(req))
		return (struct web_verdict){0};
	if (access_bearer(req->field[HTTP_AUTHORIZATION], &token))
		return web_access_try(peer, token);
	return web_access_refuse(S("this needs the access token; open the address that the console of the machine shows"));
}

bool web_access_allows(const struct http_request *req, uint32_t peer)
{
	struct str token;
	return web_access_is_free(req) ||
	       (access_bearer(req->field[HTTP_AUTHORIZATION], &token) && !web_access_try(peer, token).status);
}

struct web_verdict web_access_enter(const struct http_request *req, uint32_t peer, struct str token)
{
	if (web_access_is_free(req))
		return (struct web_verdict){0};
	return web_access_try(peer, token);
}

void web_access_cookie(struct abuf *out)
{
	if (!web_access.off)
		fmt(out, "%.*s=%.*s", STR_ARG(ACCESS_COOKIE), STR_ARG(access_secret_text(&web_access.cookie)));
}
