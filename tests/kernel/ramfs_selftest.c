/*
 * ramfs_selftest.c - files in memory as a program sees them: each operation, each refusal, each bound;
 * then all of them on all harts at once. Afterwards everything is at the level it had.
 */
#include "kernel/diag/selftest.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/time/time.h"
#include "lib/fmt.h"
#include "tests/kernel/sync_selftest.h"

#ifdef CONFIG_RAMFS_WRITE

#define SAVE (OPEN_WRITE | OPEN_CREATE | OPEN_TRUNC)

static enum err ramfs_save(struct str path, struct str text, unsigned flags)
{
	struct file_result f = vfs_open(path, flags);
	if (f.err != OK)
		return f.err;
	struct size_result n = vfs_write(f.value, 0, rbuf_of_str(text));
	ST_CHECK(n.err != OK || n.value == text.len);
	vfs_close(f.value);
	return n.err;
}

static bool ramfs_holds(struct file *f, struct str text)
{
	char bytes[256];
	struct size_result n = vfs_read(f, 0, wbuf_of((uint8_t *)bytes, sizeof(bytes)));
	return n.err == OK && str_eq(str_of(bytes, n.value), text);
}

static bool ramfs_says(struct str path, struct str text)
{
	struct file_result f = vfs_open(path, OPEN_READ);
	if (f.err != OK)
		return false;
	bool same = ramfs_holds(f.value, text);
	vfs_close(f.value);
	return same;
}

static enum err ramfs_try_open(struct str path, unsigned flags)
{
	struct file_result f = vfs_open(path, flags);
	if (f.err == OK)
		vfs_close(f.value);
	return f.err;
}

struct ramfs_level {
	struct ramfs_stats stats;
	size_t free_bytes;
};

static struct ramfs_level ramfs_level(void)
{
	struct ramfs_level l;
	struct mm_stats m;
	ramfs_stats(&l.stats);
	mm_stats(&m);
	l.free_bytes = m.free_bytes;
	return l;
}

/* Files at once; what the network, or who else has pages, has just now comes back by itself. */
static void ramfs_check_level(const struct ramfs_level *before)
{
	struct ramfs_level now = ramfs_level();
	ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
	ST_CHECK(now.stats.files == before->stats.files);
	while ((now.stats.bytes != before->stats.bytes || now.free_bytes < before->free_bytes) &&
		ktime_before(clock_now(), until)) {
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
		now = ramfs_level();
	}
	ST_CHECK(now.stats.bytes == before->stats.bytes && now.free_bytes >= before->free_bytes);
}

SELFTEST(ramfs_files_are_written)
{
	struct ramfs_level before = ramfs_level();
	struct file_stat stat;
	int64_t now = clock_wall();
	ST_CHECK(vfs_mkdir(S("/tmp/st")) == OK && vfs_mkdir(S("/tmp/st")) == ERR_EXIST);
	ST_CHECK(ramfs_try_open(S("/tmp/st/a"), OPEN_WRITE) == ERR_NOENT);
	ST_CHECK(ramfs_save(S("/tmp/st/a"), S("hello"), SAVE) == OK && ramfs_says(S("/tmp/st/a"), S("hello")));
	ST_CHECK(ramfs_save(S("/tmp/st/a"), S("J"), OPEN_WRITE) == OK && ramfs_says(S("/tmp/st/a"), S("Jello")));
	ST_CHECK(ramfs_save(S("/tmp/st/a"), S("!"), OPEN_WRITE | OPEN_APPEND) == OK);
	ST_CHECK(ramfs_says(S("/tmp/st/a"), S("Jello!")));
	ST_CHECK(vfs_stat(S("/tmp/st/a"), &stat) == OK && stat.type == FILE_REGULAR && stat.size_bytes == 6);
	ST_CHECK(stat.mtime_ns >= (uint64_t)now && stat.mtime_ns <= (uint64_t)clock_wall());
	ST_CHECK(stat.mode == 0644 && stat.digest == 0 && !stat.effects && !stat.secret);
	ST_CHECK(ramfs_save(S("/tmp/st/a"), S("new"), SAVE) == OK && ramfs_says(S("/tmp/st/a"), S("new")));
	struct file_result f = vfs_open(S("/tmp/st/a"), OPEN_READ | OPEN_WRITE);
	ST_REQUIRE(f.err == OK);
	ST_CHECK(vfs_truncate(f.value, 5) == OK && ramfs_holds(f.value, S("new\0\0")));
	ST_CHECK(vfs_truncate(f.value, 1) == OK && ramfs_holds(f.value, S("n")));
	/* Removed and made anew meanwhile, it is still what it was for who has it open. */
	ST_CHECK(vfs_remove(S("/tmp/st/a")) == OK && vfs_stat(S("/tmp/st/a"), &stat) == ERR_NOENT);
	ST_CHECK(ramfs_save(S("/tmp/st/a"), S("other"), SAVE) == OK && ramfs_holds(f.value, S("n")));
	ST_CHECK(vfs_write(f.value, 1, rbuf_of_str(S("m"))).err == OK && ramfs_holds(f.value, S("nm")));
	vfs_close(f.value);
	ST_CHECK(ramfs_save(S("/tmp/st/b"), S("b"), SAVE) == OK);
	ST_CHECK(vfs_rename(S("/tmp/st/a"), S("/tmp/st/b")) == OK && ramfs_says(S("/tmp/st/b"), S("other")));
	ST_CHECK(vfs_remove(S("/tmp/st")) == ERR_NOTEMPTY);
	ST_CHECK(vfs_remove(S("/tmp/st/b")) == OK && vfs_remove(S("/tmp/st")) == OK);
	ramfs_check_level(&before);
}

SELFTEST(ramfs_refusals)
{
	struct ramfs_level before = ramfs_level();
	ST_CHECK(vfs_remove(S("/")) == ERR_BUSY && vfs_remove(S("/proc")) == ERR_BUSY);
	ST_CHECK(vfs_remove(S("/proc/version")) == ERR_ROFS && vfs_mkdir(S("/dev/d")) == ERR_ROFS);
	ST_CHECK(vfs_mkdir(S("/proc")) == ERR_EXIST && vfs_mkdir(S("/none/d")) == ERR_NOENT);
	ST_CHECK(vfs_rename(S("/dev"), S("/tmp/dev")) == ERR_BUSY && vfs_rename(S("/tmp"), S("/net")) == ERR_BUSY);
	ST_CHECK(vfs_rename(S("/tmp"), S("/tmp/x")) == ERR_INVAL && vfs_rename(S("/tmp"), S("/dev/x")) == ERR_ROFS);
	ST_CHECK(ramfs_try_open(S("/proc/new"), SAVE) == ERR_ROFS && ramfs_try_open(S("/proc/version"), SAVE) == ERR_ACCES);
	ST_CHECK(ramfs_try_open(S("/dev/null"), SAVE | OPEN_APPEND) == OK);
	ST_CHECK(ramfs_try_open(S("/tmp"), SAVE) == ERR_ISDIR && ramfs_try_open(S("/tmp/none/f"), SAVE) == ERR_NOENT);
	ST_CHECK(ramfs_try_open(S("/tmp/f"), OPEN_READ | OPEN_CREATE) == ERR_INVAL);
	ST_CHECK(ramfs_try_open(S("/tmp/f"), OPEN_READ | OPEN_TRUNC) == ERR_INVAL);
	struct file_result f = vfs_open(S("/dev/null"), OPEN_WRITE);
	ST_REQUIRE(f.err == OK);
	ST_CHECK(vfs_truncate(f.value, 0) == ERR_ROFS);
	vfs_close(f.value);
	ramfs_check_level(&before);
}

/* A secret is read by whom it is for, wherever it is moved to and whatever replaces it. */
SELFTEST(ramfs_secrets_are_read_by_who_says_so)
{
	struct ramfs_level before = ramfs_level();
	struct file_stat stat;
	ST_CHECK(vfs_mkdir(S("/tmp/secret")) == OK && ramfs_save(S("/tmp/secret/k"), S("key"), SAVE) == OK);
	ST_CHECK(vfs_stat(S("/tmp/secret/k"), &stat) == OK && stat.secret);
	ST_CHECK(ramfs_try_open(S("/tmp/secret"), OPEN_READ) == OK); /* names are none */
	ST_CHECK(ramfs_try_open(S("/tmp/secret/k"), OPEN_READ) == ERR_ACCES);
	ST_CHECK(ramfs_try_open(S("/tmp/secret/n"), OPEN_READ | SAVE) == ERR_ACCES);
	ST_CHECK(vfs_stat(S("/tmp/secret/n"), &stat) == ERR_NOENT); /* what is refused makes nothing */
	ST_CHECK(ramfs_try_open(S("/tmp/secret/k"), OPEN_READ | OPEN_SECRET) == OK);
	ST_CHECK(vfs_rename(S("/tmp/secret/k"), S("/tmp/k")) == OK);
	ST_CHECK(ramfs_try_open(S("/tmp/k"), OPEN_READ) == ERR_ACCES);
	ST_CHECK(ramfs_save(S("/tmp/k"), S("other"), SAVE) == OK && ramfs_try_open(S("/tmp/k"), OPEN_READ) == ERR_ACCES);
	ST_CHECK(ramfs_save(S("/tmp/n"), S("n"), SAVE) == OK && vfs_rename(S("/tmp/n"), S("/tmp/k")) == OK);
	ST_CHECK(ramfs_try_open(S("/tmp/k"), OPEN_READ) == ERR_ACCES);
	ST_CHECK(vfs_remove(S("/tmp/k")) == OK && vfs_remove(S("/tmp/secret")) == OK);
	ramfs_check_level(&before);
}

/* What the network was given stays, whatever becomes of the file. */
SELFTEST(ramfs_what_was_given_stays)
{
	struct ramfs_level before = ramfs_level();
	struct packet_mem *mem[3];
	struct rbuf bytes[3];
	uint64_t digest;
	ST_CHECK(ramfs_save(S("/tmp/w"), S("first"), SAVE) == OK);
	struct file_result f = vfs_open(S("/tmp/w"), OPEN_READ | OPEN_WRITE);
	ST_REQUIRE(f.err == OK);
	ST_CHECK(vfs_content(f.value, &mem[0], &bytes[0], &digest) == OK && digest == 0);
	ST_CHECK(vfs_write(f.value, 5, rbuf_of_str(S(" and"))).err == OK);
	ST_CHECK(vfs_content(f.value, &mem[1], &bytes[1], &digest) == OK && digest == 0);
	ST_CHECK(bytes[1].ptr == bytes[0].ptr); /* behind what was given there was room */
	ST_CHECK(vfs_write(f.value, 0, rbuf_of_str(S("SECOND"))).err == OK);
	ST_CHECK(vfs_content(f.value, &mem[2], &bytes[2], &digest) == OK && digest == 0);
	vfs_close(f.value);
	ST_CHECK(vfs_remove(S("/tmp/w")) == OK);
	ST_CHECK(str_eq(rbuf_str(bytes[0]), S("first")) && str_eq(rbuf_str(bytes[1]), S("first and")));
	ST_CHECK(str_eq(rbuf_str(bytes[2]), S("SECONDand")));
	ST_CHECK(ramfs_level().stats.bytes == before.stats.bytes + 2 * PAGE_SIZE); /* held, so counted */
	for (size_t i = 0; i < 3; i++)
		packet_mem_put(mem[i]);
	ramfs_check_level(&before);
}

#ifdef CONFIG_WEB
static char ramfs_reply[4096];

/* What the web server says to a browser that takes gzip: head and content. */
static struct str ramfs_get(struct str page)
{
	char bytes[256];
	struct abuf request = abuf_of(bytes, sizeof(bytes));
	ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
	size_t len = 0;
	fmt(&request, "GET %.*s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
		STR_ARG(page));
	struct tcp_conn_result c = tcp_connect(IPV4_LOOPBACK, CONFIG_WEB_PORT, until);
	ST_CHECK(c.err == OK);
	if (c.err != OK)
		return STR_EMPTY;
	ST_CHECK(tcp_send(c.value, abuf_bytes(&request), 0, until).value == request.len);
	for (struct size_result n = {.value = 1}; n.err == OK && n.value;) {
		n = tcp_recv(c.value, wbuf_of((uint8_t *)ramfs_reply + len, sizeof(ramfs_reply) - len), until);
		len += n.err == OK ? n.value : 0;
	}
	tcp_close(c.value);
	return str_of(ramfs_reply, len);
}

static bool ramfs_serves(struct str page, struct str content, bool gzip)
{
	struct str reply = ramfs_get(page);
	bool is_gzip = str_find(reply, S("Content-Encoding: gzip\r\n")) < reply.len;
	return str_starts(reply, S("HTTP/1.1 200 ")) && str_ends(reply, content) && is_gzip == gzip &&
		str_find(reply, S("ETag:")) == reply.len;
}

/* A page that was written is what was written, also for who would take the compressed one, and has no name. */
SELFTEST(ramfs_pages_are_as_they_were_written)
{
	struct ramfs_level before = ramfs_level();
	ST_CHECK(ramfs_save(S("/web/st.txt"), S("\r\none"), SAVE) == OK);
	ST_CHECK(ramfs_serves(S("/st.txt"), S("\r\none"), false));
	ST_CHECK(ramfs_save(S("/web/st.txt.gz"), S("\r\npressed"), SAVE) == OK);
	ST_CHECK(ramfs_serves(S("/st.txt"), S("\r\npressed"), true));
	ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	ST_CHECK(ramfs_save(S("/web/st.txt"), S("\r\ntwo"), SAVE) == OK);
	ST_CHECK(ramfs_serves(S("/st.txt"), S("\r\ntwo"), clock_wall() == 0));
	ST_CHECK(vfs_remove(S("/web/st.txt")) == OK);
	ST_CHECK(str_starts(ramfs_get(S("/st.txt")), S("HTTP/1.1 404 ")));
	ST_CHECK(vfs_remove(S("/web/st.txt.gz")) == OK);
	ramfs_check_level(&before);
}
#endif

static struct str ramfs_name(struct abuf *path, struct str dir, unsigned n)
{
	abuf_reset(path);
	fmt(path, "%.*s/%u", STR_ARG(dir), n);
	return abuf_str(path);
}

/* As many files as there may be, one more is refused and counted. */
SELFTEST(ramfs_files_run_out)
{
	struct ramfs_level before = ramfs_level();
	char bytes[64];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	enum err err = OK;
	unsigned n = 0;
	while (err == OK && n <= CONFIG_RAMFS_FILES)
		err = ramfs_save(ramfs_name(&path, S("/tmp"), n++), S(""), SAVE);
	ST_CHECK(err == ERR_NOSPC && n - 1 == CONFIG_RAMFS_FILES - before.stats.files);
	ST_CHECK(vfs_mkdir(S("/tmp/more")) == ERR_NOSPC);
	ST_CHECK(ramfs_level().stats.refused_files == before.stats.refused_files + 2);
	for (unsigned i = 0; i < n - 1; i++)
		ST_CHECK(vfs_remove(ramfs_name(&path, S("/tmp"), i)) == OK);
	ST_CHECK(vfs_mkdir(S("/tmp/more")) == OK && vfs_remove(S("/tmp/more")) == OK);
	ramfs_check_level(&before);
}

/* Writes to a file until it is refused: why; *size what it has then. */
static enum err ramfs_fill(struct file *f, size_t piece, uint64_t *size)
{
	static uint8_t bytes[65536];
	memset(bytes, 0x5a, sizeof(bytes));
	struct size_result n = {0};
	for (*size = 0; (n = vfs_write(f, *size, rbuf_of(bytes, piece))).err == OK;)
		*size += n.value;
	return n.err;
}

/* Up to the bounds in bytes, of one file and of all; what was refused has changed nothing. */
SELFTEST(ramfs_memory_runs_out)
{
	struct ramfs_level before = ramfs_level();
	struct file *files[CONFIG_RAMFS_KB / CONFIG_RAMFS_FILE_KB + 2];
	char bytes[64];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	enum err err = OK;
	size_t n = 0;
	uint64_t size = 0, total = 0;
	while (n < countof(files) && err != ERR_NOSPC) {
		struct file_result f = vfs_open(ramfs_name(&path, S("/tmp"), (unsigned)n), SAVE | OPEN_READ);
		ST_REQUIRE(f.err == OK);
		files[n++] = f.value;
		err = ramfs_fill(f.value, 65536, &size);
		ST_CHECK(err == ERR_NOSPC || (err == ERR_FBIG && size == (uint64_t)CONFIG_RAMFS_FILE_KB * 1024));
		total += size;
	}
	ST_CHECK(err == ERR_NOSPC && total >= (uint64_t)CONFIG_RAMFS_KB * 1024 / 2);
	ST_CHECK(ramfs_level().stats.refused_bytes > before.stats.refused_bytes);
	ST_CHECK(ramfs_level().stats.bytes <= (size_t)CONFIG_RAMFS_KB * 1024);
	for (size_t i = 0; i < n; i++) {
		uint8_t last = 0;
		struct file_stat stat = {0};
		ST_CHECK(vfs_stat(ramfs_name(&path, S("/tmp"), (unsigned)i), &stat) == OK);
		ST_CHECK(stat.size_bytes == 0 || vfs_read(files[i], stat.size_bytes - 1, wbuf_of(&last, 1)).value == 1);
		ST_CHECK(stat.size_bytes == 0 || last == 0x5a);
		ST_CHECK(vfs_read(files[i], stat.size_bytes, wbuf_of(&last, 1)).value == 0);
		ST_CHECK(vfs_remove(abuf_str(&path)) == OK);
		vfs_close(files[i]);
	}
	ramfs_check_level(&before);
}

/* ---- an enumeration beside changes ---- */

#define STEADY 8

static bool ramfs_stop;

/* Makes and removes neighbours of what stays, and renames them. */
static void ramfs_restless(void *arg)
{
	uint64_t seed = 77 + (uintptr_t)arg;
	while (!__atomic_load_n(&ramfs_stop, __ATOMIC_ACQUIRE)) {
		char a_bytes[64], b_bytes[64];
		struct abuf a = abuf_of(a_bytes, sizeof(a_bytes)), b = abuf_of(b_bytes, sizeof(b_bytes));
		fmt(&a, "/tmp/rd/%c%u", "xyz"[st_random(&seed) % 3], (unsigned)(st_random(&seed) % STEADY));
		fmt(&b, "/tmp/rd/%c%u", "xyz"[st_random(&seed) % 3], (unsigned)(st_random(&seed) % STEADY));
		(void)ramfs_save(abuf_str(&a), S("x"), SAVE);
		enum err err = vfs_rename(abuf_str(&a), abuf_str(&b));
		ST_CHECK(err == OK || err == ERR_NOENT);
		err = vfs_remove(abuf_str(st_random(&seed) % 2 ? &a : &b));
		ST_CHECK(err == OK || err == ERR_NOENT);
		sched_yield(); /* where there is one hart, the others come to run only so */
	}
}

/* Each entry that is there all the while is seen exactly once; and entries come in order. */
static void ramfs_enumerate(void)
{
	struct file_result d = vfs_open(S("/tmp/rd"), OPEN_READ);
	unsigned seen = 0;
	char last_bytes[64], bytes[64];
	struct str last = STR_EMPTY;
	ST_REQUIRE(d.err == OK);
	for (size_t i = 0;; i++) {
		struct abuf name = abuf_of(bytes, sizeof(bytes));
		struct file_stat stat;
		if (vfs_readdir(d.value, i, &name, &stat) != OK)
			break;
		ST_CHECK(str_cmp(last, abuf_str(&name)) < 0);
		seen += str_starts(abuf_str(&name), S("y-steady"));
		last = str_of(memcpy(last_bytes, bytes, name.len), name.len);
	}
	ST_CHECK(seen == STEADY);
	vfs_close(d.value);
}

SELFTEST(ramfs_directories_are_read_beside_changes)
{
	struct ramfs_level before = ramfs_level();
	char bytes[64];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct thread *t[2];
	ramfs_stop = false;
	ST_CHECK(vfs_mkdir(S("/tmp/rd")) == OK);
	for (unsigned i = 0; i < STEADY; i++)
		ST_CHECK(ramfs_save(ramfs_name(&path, S("/tmp/rd"), i), S("s"), SAVE) == OK);
	for (unsigned i = 0; i < STEADY; i++) {
		char to_bytes[64];
		struct abuf to = abuf_of(to_bytes, sizeof(to_bytes));
		fmt(&to, "/tmp/rd/y-steady%u", i);
		ST_CHECK(vfs_rename(ramfs_name(&path, S("/tmp/rd"), i), abuf_str(&to)) == OK);
	}
	for (uintptr_t i = 0; i < 2; i++) {
		t[i] = st_thread(S("restless"), ramfs_restless, (void *)i, PRIO_NORMAL, 0);
		ST_REQUIRE(t[i]);
	}
	for (unsigned i = 0; i < 200; i++) {
		ramfs_enumerate();
		sched_yield();
	}
	__atomic_store_n(&ramfs_stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < 2; i++)
		ST_CHECK(thread_join(t[i], ktime_add(clock_now(), 100 * NS_PER_S)) == OK);
	for (unsigned i = 0; i < 4 * STEADY; i++) {
		abuf_reset(&path);
		fmt(&path, i < STEADY ? "/tmp/rd/y-steady%u" : "/tmp/rd/%c%u", i < STEADY ? i : (unsigned)"xyz"[i / STEADY - 1], i % STEADY);
		enum err err = vfs_remove(abuf_str(&path));
		ST_CHECK(err == OK || (err == ERR_NOENT && i >= STEADY));
	}
	ST_CHECK(vfs_remove(S("/tmp/rd")) == OK);
	ramfs_check_level(&before);
}

/* ---- everything, on every hart ---- */

#define STORM_STEPS 400
#define STORM_NAMES 6

/* A content says who wrote it: the same byte all along, and a length that fits it. */
static void ramfs_storm_save(struct str path, uint64_t *seed)
{
	uint8_t bytes[600], what = (uint8_t)(1 + st_random(seed) % 200);
	struct file_result f = vfs_open(path, SAVE);
	if (f.err != OK) {
		ST_CHECK(f.err == ERR_NOENT || f.err == ERR_ISDIR || f.err == ERR_NOTDIR);
		return;
	}
	memset(bytes, what, sizeof(bytes));
	ST_CHECK(vfs_write(f.value, 0, rbuf_of(bytes, 3 * what)).err == OK);
	vfs_close(f.value);
}

static uint32_t ramfs_sum(struct rbuf bytes)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < bytes.len; i++)
		sum = sum * 31 + bytes.ptr[i];
	return sum;
}

/* All writers began at 0: what lies behind the last one's bytes is an earlier one's. And what was given stays. */
static void ramfs_storm_read(struct str path)
{
	struct file_result f = vfs_open(path, OPEN_READ);
	struct packet_mem *mem;
	struct rbuf bytes;
	uint64_t digest;
	if (f.err != OK) {
		ST_CHECK(f.err == ERR_NOENT || f.err == ERR_NOTDIR);
		return;
	}
	if (f.value->type == FILE_REGULAR) {
		ST_CHECK(vfs_content(f.value, &mem, &bytes, &digest) == OK);
		size_t changes = 0;
		for (size_t i = 1; i < bytes.len; i++)
			changes += bytes.ptr[i] != bytes.ptr[i - 1];
		ST_CHECK(bytes.len == 0 || (bytes.ptr[0] != 0 && changes < CPU_MAX));
		uint32_t sum = ramfs_sum(bytes);
		sched_yield();
		ST_CHECK(sum == ramfs_sum(bytes));
		packet_mem_put(mem);
	}
	vfs_close(f.value);
}

static struct str ramfs_storm_path(struct abuf *path, uint64_t *seed)
{
	abuf_reset(path);
	fmt(path, "/tmp/storm/%c", (char)('a' + st_random(seed) % STORM_NAMES));
	if (st_random(seed) % 2)
		fmt(path, "/%c", (char)('a' + st_random(seed) % STORM_NAMES));
	return abuf_str(path);
}

static void ramfs_storm(void *arg)
{
	uint64_t seed = 1000 + (uintptr_t)arg;
	for (unsigned step = 0; step < STORM_STEPS; step++) {
		char a_bytes[64], b_bytes[64];
		struct abuf a_buf = abuf_of(a_bytes, sizeof(a_bytes)), b_buf = abuf_of(b_bytes, sizeof(b_bytes));
		struct str a = ramfs_storm_path(&a_buf, &seed), b = ramfs_storm_path(&b_buf, &seed);
		enum err err = OK;
		switch (st_random(&seed) % 6) {
		case 0:
			err = vfs_mkdir(a);
			break;
		case 1:
			err = vfs_rename(a, b);
			break;
		case 2:
			err = vfs_remove(a);
			break;
		case 3:
			ramfs_storm_read(a);
			break;
		default:
			ramfs_storm_save(a, &seed);
			break;
		}
		ST_CHECK(err == OK || err == ERR_NOENT || err == ERR_EXIST || err == ERR_NOTDIR || err == ERR_ISDIR ||
			err == ERR_NOTEMPTY || err == ERR_INVAL);
	}
}

/* Bottom up, by what the directory itself says. */
static void ramfs_remove_all(struct str dir, unsigned depth)
{
	for (;;) {
		char bytes[PATH_BYTES_MAX];
		struct abuf path = abuf_of(bytes, sizeof(bytes));
		struct file_stat stat;
		struct file_result d = vfs_open(dir, OPEN_READ);
		ST_REQUIRE(d.err == OK);
		fmt(&path, "%.*s/", STR_ARG(dir));
		enum err err = vfs_readdir(d.value, 0, &path, &stat);
		vfs_close(d.value);
		if (err != OK)
			break;
		ST_REQUIRE(depth < 20);
		if (stat.type == FILE_DIR)
			ramfs_remove_all(abuf_str(&path), depth + 1);
		else
			ST_CHECK(vfs_remove(abuf_str(&path)) == OK);
	}
	ST_CHECK(vfs_remove(dir) == OK);
}

SELFTEST(ramfs_storm_on_every_hart)
{
	struct ramfs_level before = ramfs_level();
	ST_CHECK(vfs_mkdir(S("/tmp/storm")) == OK);
	ST_CHECK(st_on_every_hart(ramfs_storm));
	ramfs_remove_all(S("/tmp/storm"), 0);
	ramfs_check_level(&before);
}

#endif
