/*
 * load.c - the load itself (contract: load.h).
 *
 * Every thread looks at `stopping` between two pieces of its work, each of which has a
 * deadline, so that stopping is bounded.
 */
#include "kernel/diag/diag.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/net/wire.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/sem.h"
#include "lib/fmt.h"
#include "tests/bench/load.h"

#define LOAD_THREADS_MAX 16
#define STREAM_PORT      9
#define CROWD            48
#define PATIENCE         (10 * NS_PER_S)
#define LOAD_PRIORITY    PRIO_NORMAL

static struct {
	struct thread *thread[LOAD_THREADS_MAX];
	size_t count;
	bool stopping; /* atomic */
	struct tcp_listener *listener;
	struct sem ping, pong;
	struct mutex mutex;
	enum log_level console_level; /* to go back to */
	struct load_figures figures; /* atomic, each */
} load;

static bool load_goes_on(void)
{
	return !__atomic_load_n(&load.stopping, __ATOMIC_RELAXED);
}

static void load_count(uint64_t *figure, uint64_t n)
{
	__atomic_fetch_add(figure, n, __ATOMIC_RELAXED);
}

static ktime load_deadline(void)
{
	return ktime_add(clock_now(), PATIENCE);
}

/* ---- HTTP: clients that close, and clients that keep their connection ---- */

static const char *const load_paths[] = {
	"/", "/api/stats", "/control.html", "/api/fs/read?path=/proc/callouts", "/api/tcp"};

static bool load_send(struct tcp_conn *c, const void *bytes, size_t len)
{
	struct size_result n = tcp_send(c, rbuf_of(bytes, len), 0, load_deadline());
	return n.err == OK && n.value == len;
}

/* Reads until the server closes. */
static bool load_read_all(struct tcp_conn *c)
{
	uint8_t buf[512], head[16] = {0};
	size_t total = 0;
	struct size_result n;
	while ((n = tcp_recv(c, wbuf_of(buf, sizeof(buf)), load_deadline())).err == OK &&
		n.value > 0) {
		for (size_t i = 0; i < n.value && total + i < sizeof(head); i++)
			head[total + i] = buf[i];
		total += n.value;
	}
	return n.err == OK && str_starts(str_of((char *)head, sizeof(head)), S("HTTP/1.1 200"));
}

static bool load_request(struct tcp_conn *c, const char *path, bool closes)
{
	uint8_t text[160];
	struct abuf out = abuf_of(text, sizeof(text));
	fmt(&out, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
		closes ? "Connection: close\r\n" : "");
	struct str s = abuf_str(&out);
	return load_send(c, s.ptr, s.len);
}

/* One connection: `kept` requests one behind the other, and one after which the server closes. */
static bool load_visit(unsigned round, unsigned kept)
{
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, load_deadline());
	if (c.err != OK)
		return false;
	bool ok = true;
	for (unsigned i = 0; ok && i <= kept; i++)
		ok = load_request(
			c.value, load_paths[(round + i) % countof(load_paths)], i == kept);
	ok = ok && load_read_all(c.value);
	tcp_close(c.value);
	return ok;
}

static void load_client(void *arg)
{
	unsigned kept = (unsigned)(uintptr_t)arg;
	for (unsigned round = kept; load_goes_on(); round++) {
		bool ok = load_visit(round, kept);
		load_count(ok ? &load.figures.requests : &load.figures.failed, ok ? kept + 1 : 1);
	}
}

/* ---- streams ---- */

static uint8_t load_byte(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

static void load_source(unused void *arg)
{
	uint8_t buf[1024];
	while (load_goes_on()) {
		struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, STREAM_PORT, load_deadline());
		bool ok = c.err == OK;
		for (size_t at = 0; ok && load_goes_on(); at += sizeof(buf)) {
			for (size_t i = 0; i < sizeof(buf); i++)
				buf[i] = load_byte(at + i);
			ok = load_send(c.value, buf, sizeof(buf));
		}
		if (c.err == OK)
			tcp_close(c.value);
		load_count(&load.figures.failed, !ok);
	}
}

static void load_drain(struct tcp_conn *c)
{
	uint8_t buf[1024];
	struct size_result n;
	size_t at = 0;
	while ((n = tcp_recv(c, wbuf_of(buf, sizeof(buf)), load_deadline())).err == OK &&
		n.value > 0) {
		bool same = true;
		for (size_t i = 0; i < n.value; i++)
			same &= buf[i] == load_byte(at + i);
		at += n.value;
		load_count(same ? &load.figures.bytes : &load.figures.failed, n.value);
	}
	tcp_close(c);
}

static void load_sink(unused void *arg)
{
	while (load_goes_on()) {
		struct tcp_conn_result c =
			tcp_accept(load.listener, ktime_add(clock_now(), 100 * NS_PER_MS));
		if (c.err == OK)
			load_drain(c.value);
	}
}

/* ---- synchronization, timers and memory ---- */

static void load_ping(unused void *arg)
{
	while (load_goes_on()) {
		sem_post(&load.ping);
		if (sem_wait(&load.pong, ktime_add(clock_now(), NS_PER_MS)) == OK)
			load_count(&load.figures.handovers, 1);
		(void)sleep_ns(150 * NS_PER_US);
	}
}

static void load_pong(unused void *arg)
{
	while (load_goes_on())
		if (sem_wait(&load.ping, ktime_add(clock_now(), NS_PER_MS)) == OK)
			sem_post(&load.pong);
}

/* Threads of different priorities at one mutex, so that some inherit; pages and stacks come and go. */
static void load_contend(void *arg)
{
	uintptr_t who = (uintptr_t)arg;
	while (load_goes_on()) {
		mutex_lock(&load.mutex);
		void *page = page_alloc(0);
		if (who & 1)
			(void)sleep_ns(20 * NS_PER_US);
		if (page)
			page_free(page, 0);
		mutex_unlock(&load.mutex);
		load_count(&load.figures.handovers, 1);
		(void)sleep_ns((int64_t)(100 + 37 * who) * NS_PER_US);
	}
}

/* ---- the crowd ---- */

/* All connect, then all ask, then all are answered; meanwhile every table is long. */
static bool load_crowd_visit(struct tcp_conn *c[CROWD], unsigned round)
{
	unsigned n = 0;
	bool ok = true;
	while (n < CROWD && ok) {
		struct tcp_conn_result r =
			tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, load_deadline());
		ok = r.err == OK;
		if (ok)
			c[n++] = r.value;
	}
	for (unsigned i = 0; i < n; i++)
		ok = load_request(c[i], load_paths[(round + i) % countof(load_paths)], true) && ok;
	for (unsigned i = 0; i < n; i++) {
		ok = load_read_all(c[i]) && ok;
		tcp_close(c[i]);
	}
	return ok;
}

static void load_crowd(unused void *arg)
{
	static struct tcp_conn *conns[CROWD];
	for (unsigned round = 0; load_goes_on(); round++) {
		bool ok = load_crowd_visit(conns, round);
		load_count(ok ? &load.figures.requests : &load.figures.failed, ok ? CROWD : 1);
	}
}

static bool load_ping_once(uint32_t dst)
{
	static const uint8_t echo[64] = {ICMP_ECHO, 0, 0xf7, 0xff};
	struct packet *p = packet_alloc(PACKET_CONTROL, sizeof(echo));
	uint8_t *to = p ? packet_append(p, sizeof(echo)) : NULL;
	if (!to)
		return false;
	memcpy(to, echo, sizeof(echo));
	struct ipv4_tx tx = {.dst = dst, .proto = IP_PROTO_ICMP};
	return ipv4_send(&tx, p) == OK;
}

/* What is logged stays in the ring. */
static void load_pinger(unused void *arg)
{
	for (unsigned i = 0; load_goes_on(); i++) {
		if (load_ping_once(IPV4_LOOPBACK))
			load_count(&load.figures.pings, 1);
		klog(LOG_INFO, "load: ping %u with a text of some length behind it, for a record that is long", i);
		(void)sleep_ns(90 * NS_PER_US);
	}
}

static const char *const load_files[] = {"/proc/threads", "/proc/sched", "/proc/locks", "/proc/pools",
	"/proc/interrupts", "/proc/meminfo", "/net/arp", "/net/route", "/net/tcp/stats", "/dev/klog", "/dev/random",
	"/hello.txt"};

#define FILE_BYTES_MAX 65536 /* some have no end */

static bool load_read_file(const char *path)
{
	uint8_t buf[512];
	struct file_result f = vfs_open(str_of_cstr(path, 64), OPEN_READ);
	if (f.err != OK)
		return false;
	struct size_result n = {0};
	for (uint64_t at = 0; at < FILE_BYTES_MAX; at += n.value) {
		n = vfs_read(f.value, at, wbuf_of(buf, sizeof(buf)));
		if (n.err != OK || n.value == 0)
			break;
	}
	vfs_close(f.value);
	return n.err == OK;
}

static void load_reader(unused void *arg)
{
	for (unsigned i = 0; load_goes_on(); i++) {
		bool ok = load_read_file(load_files[i % countof(load_files)]);
		load_count(ok ? &load.figures.files : &load.figures.failed, 1);
		(void)sleep_ns(50 * NS_PER_US);
	}
}

static bool load_thread(const char *name, void (*entry)(void *), uintptr_t arg, unsigned priority)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = str_of_cstr(name, THREAD_NAME_MAX),
		.entry = entry,
		.arg = (void *)arg,
		.priority = (uint8_t)priority,
		.class = SCHED_RR,
	});
	if (r.err == OK)
		load.thread[load.count++] = r.value;
	return r.err == OK;
}

bool load_start(void)
{
	struct tcp_listener_result l = tcp_listen(IPV4_LOOPBACK, STREAM_PORT, 4);
	load.figures = (struct load_figures){0};
	load.count = 0;
	load.stopping = false;
	load.console_level = klog_console_level();
	load.listener = l.value;
	sem_init(&load.ping, 0, 1000000);
	sem_init(&load.pong, 0, 1000000);
	mutex_init(&load.mutex, LOCK_TEST_MUTEX);
	if (l.err != OK) {
		load.listener = NULL;
		return false;
	}
	bool ok = load_thread("load/sink", load_sink, 0, LOAD_PRIORITY);
	ok = ok && load_thread("load/source", load_source, 0, LOAD_PRIORITY);
	for (uintptr_t i = 0; ok && i < 4; i++)
		ok = load_thread("load/http", load_client, i, LOAD_PRIORITY);
	ok = ok && load_thread("load/ping", load_ping, 0, LOAD_PRIORITY + 1);
	ok = ok && load_thread("load/pong", load_pong, 0, LOAD_PRIORITY + 2);
	for (uintptr_t i = 0; ok && i < 3; i++)
		ok = load_thread("load/mutex", load_contend, i, LOAD_PRIORITY + 3 + (unsigned)i);
	return ok;
}

bool load_start_crowd(void)
{
	load.console_level = klog_console_level();
	klog_set_console_level(LOG_WARN);
	return load_thread("load/crowd", load_crowd, 0, LOAD_PRIORITY) &&
		load_thread("load/pinger", load_pinger, 0, LOAD_PRIORITY + 1) &&
		load_thread("load/reader", load_reader, 0, LOAD_PRIORITY);
}

void load_stop(struct load_figures *out)
{
	__atomic_store_n(&load.stopping, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < load.count; i++) {
		enum err err = thread_join(load.thread[i], KTIME_NEVER);
		assert(err == OK);
	}
	if (load.listener)
		tcp_listener_close(load.listener);
	klog_set_console_level(load.console_level);
	*out = load.figures;
}
