/*
 * file_selftest.c - the synthetic files as a program sees them: what each says, that one
 * open sees one state, that a file that says a number says the one that is counted.
 */
#include "kernel/diag/selftest.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "lib/fmt.h"
#include "tests/kernel/sync_selftest.h"

#define TEXT_MAX (64 * 1024)

static char file_text[TEXT_MAX];

/* Reads a file to its end, in pieces of an odd size; NULL text: it cannot be read. */
static struct str file_read_all(struct str path)
{
	struct file_result f = vfs_open(path, OPEN_READ);
	size_t len = 0;
	if (f.err != OK)
		return STR_EMPTY;
	for (struct size_result n = {.value = 1}; n.err == OK && n.value;) {
		n = vfs_read(f.value, len, wbuf_of((uint8_t *)file_text + len, min((size_t)57, TEXT_MAX - len)));
		if (n.err == OK)
			len += n.value;
	}
	vfs_close(f.value);
	return str_of(file_text, len);
}

/* The line that begins with the word, without it; empty: none. *found counts them. */
static struct str file_line(struct str text, struct str word, unsigned *found)
{
	struct str value = STR_EMPTY;
	*found = 0;
	while (text.len) {
		struct str line = str_cut(&text, '\n');
		if (str_eq(str_cut(&line, ' '), word)) {
			value = line;
			++*found;
		}
	}
	return value;
}

static bool file_says(struct str text, struct str word, uint64_t least)
{
	unsigned found;
	struct u64_result n = str_to_u64(file_line(text, word, &found), 10);
	return found == 1 && n.err == OK && n.value >= least;
}

static unsigned file_tree(struct str dir, unsigned depth)
{
	struct file_result d = vfs_open(dir, OPEN_READ);
	unsigned files = 0;
	if (d.err != OK)
		return 0;
	for (size_t i = 0;; i++) {
		char bytes[PATH_BYTES_MAX];
		struct abuf path = abuf_of(bytes, sizeof(bytes));
		struct file_stat stat;
		abuf_str_add(&path, dir);
		abuf_str_add(&path, S("/"));
		if (vfs_readdir(d.value, i, &path, &stat) != OK)
			break;
		struct str name = abuf_str(&path);
		if (stat.type == FILE_DIR && depth < 3) {
			files += file_tree(name, depth + 1);
		} else if (stat.type == FILE_REGULAR) {
			struct str text = file_read_all(name);
			ST_CHECK(text.len > 0 && text.ptr[text.len - 1] == '\n');
			files++;
		}
	}
	vfs_close(d.value);
	return files;
}

/* Lines that end, in every file of every synthetic tree. */
SELFTEST(file_every_synthetic_file_is_text)
{
	ST_CHECK(file_tree(S("/dev"), 0) >= 3);
	ST_CHECK(file_tree(S("/proc"), 0) >= 12);
	ST_CHECK(file_tree(S("/net"), 0) >= 5);
}

SELFTEST(file_one_open_sees_one_state)
{
	struct file_result f = vfs_open(S("/proc/uptime"), OPEN_READ);
	char first[64], second[64];
	ST_REQUIRE(f.err == OK);
	struct size_result a = vfs_read(f.value, 0, wbuf_of((uint8_t *)first, sizeof(first)));
	ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	struct size_result b = vfs_read(f.value, 0, wbuf_of((uint8_t *)second, sizeof(second)));
	ST_CHECK(a.err == OK && b.err == OK && str_eq(str_of(first, a.value), str_of(second, b.value)));
	vfs_close(f.value);
	ST_CHECK(!str_eq(file_read_all(S("/proc/uptime")), str_of(first, a.value)));
}

SELFTEST(file_sysname_is_the_configured_one)
{
	struct str name = file_read_all(S("/dev/sysname"));
	ST_CHECK(str_eq(str_cut(&name, '\n'), S(CONFIG_SYSNAME)) && name.len == 0);
	ST_CHECK(vfs_open(S("/dev/sysname"), OPEN_WRITE).err == ERR_ACCES);
}

static void file_nothing(unused void *arg)
{
}

/* This thread runs, on its hart, and what the file counts goes on. */
SELFTEST(file_proc_sched_shows_what_runs)
{
	unsigned found, harts = 0;
	struct str text = file_read_all(S("/proc/sched"));
	ST_CHECK(file_says(text, S("priorities"), PRIO_COUNT));
	ST_CHECK(file_says(text, S("quantum_ns"), CONFIG_SCHED_QUANTUM_US * 1000));
	ST_CHECK(str_eq(file_line(text, S("invariants"), &found), config_on(CONFIG_DEBUG) ? S("on") : S("off")));
	ST_CHECK(str_starts(file_line(text, S("classes"), &found), S("fifo rr deadline idle")));
	ST_CHECK(file_line(text, S("cpu"), &found).len > 0 && found == 1);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		char bytes[12];
		struct abuf word = abuf_of(bytes, sizeof(bytes));
		fmt_u64(&word, cpu);
		struct str row = file_line(text, abuf_str(&word), &found);
		struct str tid = str_cut(&row, ' ');
		ST_CHECK(found == 1 && str_to_u64(tid, 10).err == OK);
		harts += str_to_u64(tid, 10).value == thread_id(thread_current());
	}
	ST_CHECK(harts == 1);
	struct sched_cpu_stats before, after;
	sched_cpu_stats(0, &before);
	struct thread *t = st_thread(S("other"), file_nothing, NULL, PRIO_NORMAL + 1, 1);
	ST_REQUIRE(t);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
	sched_cpu_stats(0, &after);
	ST_CHECK(after.switches > before.switches);
}

SELFTEST(file_proc_config_is_that_of_the_image)
{
	struct str text = file_read_all(S("/proc/config"));
	unsigned found;
	if (!config_on(CONFIG_PROC_CONFIG)) {
		ST_CHECK(text.len == 0);
		return;
	}
	(void)file_line(text, S("CONFIG_PROC_CONFIG=y"), &found);
	ST_CHECK(found == 1);
	(void)file_line(text, S("CONFIG_SYSNAME=\"" CONFIG_SYSNAME "\""), &found);
	ST_CHECK(found == 1);
	(void)file_line(text, S("CONFIG_DEBUG=y"), &found);
	ST_CHECK(found == config_on(CONFIG_DEBUG));
}

/* Every name once, and the numbers move with what they count. */
SELFTEST(file_net_tcp_stats_count)
{
	struct str text = file_read_all(S("/net/tcp/stats"));
	uint64_t refused = tcp_counter(TCP_TX_RESETS);
	ST_CHECK(file_says(text, S("connections"), 0) && file_says(text, S("half_open"), 0));
	ST_CHECK(file_says(text, S("time_waits"), 0) && file_says(text, S("listeners"), 1));
	for (enum tcp_counter i = 0; i < TCP_COUNTER_COUNT; i++)
		ST_CHECK(file_says(text, tcp_counter_name(i), 0));
	ST_CHECK(tcp_connect(IPV4_LOOPBACK, 9, KTIME_NEVER).err == ERR_CONNREFUSED);
	ST_CHECK(file_says(file_read_all(S("/net/tcp/stats")), tcp_counter_name(TCP_TX_RESETS), refused + 1));
}

/* The header names as many columns as each row has. */
static void file_check_columns(struct str path)
{
	struct str text = file_read_all(path);
	size_t columns = 0;
	ST_CHECK(text.len > 0);
	while (text.len) {
		struct str line = str_cut(&text, '\n');
		size_t n = 1;
		for (size_t i = 0; i < line.len; i++)
			n += line.ptr[i] == ' ';
		ST_CHECK(columns == 0 || n == columns);
		columns = n;
	}
}

SELFTEST(file_tables_have_their_columns)
{
	file_check_columns(S("/proc/callouts"));
	file_check_columns(S("/proc/interrupts"));
	file_check_columns(S("/proc/stat"));
	file_check_columns(S("/proc/cpuinfo"));
	file_check_columns(S("/net/iface"));
}
