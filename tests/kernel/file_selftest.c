/*
 * file_selftest.c - the synthetic files as a program sees them: what each says, that one
 * open sees one state, that a file that says a number says the one that is counted.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/sched/deadline.h"
#include "lib/err.h"
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

/* ---- deadlines, domains, and what one writes to a thread ---- */

static bool deadline_stop;
static const struct deadline_attr deadline_light = {
	.params = {.runtime_ns = 100000, .deadline_ns = 20 * NS_PER_MS, .period_ns = 20 * NS_PER_MS}};

/* Three jobs at least, and then until it is told to end. */
static void file_periodic(unused void *arg)
{
	ST_CHECK(thread_set_deadline(thread_current(), &deadline_light, NULL) == OK);
	for (unsigned n = 0; n < 3 || !__atomic_load_n(&deadline_stop, __ATOMIC_ACQUIRE); n++)
		if (thread_wait_period() != OK)
			return;
}

static void file_sleeper(unused void *arg)
{
	ST_CHECK(sleep_until(KTIME_NEVER) == ERR_INTR);
}

/* The row of that table whose second word it is; empty: none. */
static struct str file_row(struct str text, struct str table, uint32_t id)
{
	while (text.len) {
		struct str line = str_cut(&text, '\n'), rest = line;
		struct str first = str_cut(&rest, ' ');
		struct u64_result second = str_to_u64(str_cut(&rest, ' '), 10);
		if (str_eq(first, table) && second.err == OK && second.value == id)
			return line;
	}
	return STR_EMPTY;
}

/* What stands in the row in the column of that name; -1: no such. */
static int64_t file_cell(struct str row, struct str head, struct str column)
{
	while (head.len && row.len) {
		struct str cell = str_cut(&row, ' ');
		if (str_eq(str_cut(&head, ' '), column)) {
			struct i64_result n = str_to_i64(cell);
			return n.err == OK ? n.value : -1;
		}
	}
	return -1;
}

static struct str file_head(struct str text, struct str beginning)
{
	while (text.len) {
		struct str line = str_cut(&text, '\n');
		if (str_starts(line, beginning))
			return line;
	}
	return STR_EMPTY;
}

SELFTEST(file_proc_sched_shows_deadlines)
{
	deadline_stop = false;
	struct thread *t = st_thread(S("periodic"), file_sleeper, NULL, PRIO_NORMAL, 0);
	ST_REQUIRE(t);
	ST_CHECK(str_eq(file_row(file_read_all(S("/proc/sched")), S("deadline"), thread_id(t)), STR_EMPTY));
	ST_CHECK(thread_cancel(t) == OK && thread_join(t, KTIME_NEVER) == OK);
	t = st_thread(S("periodic"), file_periodic, NULL, PRIO_NORMAL, 0);
	ST_REQUIRE(t);
	struct deadline_info d = {0};
	for (unsigned n = 0; n < 10000 && d.stats.jobs < 2; n++) {
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		(void)thread_deadline_info(t, &d); /* it may not have one yet */
	}
	struct str text = file_read_all(S("/proc/sched")), row = file_row(text, S("deadline"), thread_id(t));
	struct str head = file_head(text, S("deadline tid "));
	ST_CHECK(file_cell(row, head, S("runtime_ns")) == 100000);
	ST_CHECK(file_cell(row, head, S("period_ns")) == 20 * NS_PER_MS);
	ST_CHECK(file_cell(row, head, S("jobs")) >= 2 && file_cell(row, head, S("response_max_ns")) > 0);
	row = file_row(text, S("admission"), d.cpu);
	head = file_head(text, S("admission cpu "));
	ST_CHECK(file_cell(row, head, S("servers")) >= 1 && file_cell(row, head, S("capacity_ppm")) > 900000);
	/* What one thread of 100 us in 20 ms takes at least, its charge included. */
	ST_CHECK(file_cell(row, head, S("utilization_ppm")) >= 5000 + CONFIG_SCHED_CHARGE_NS / 20);
	unsigned found;
	struct str charge = file_line(text, S("charge_ns"), &found);
	ST_CHECK(found == 1 && str_to_u64(charge, 10).value == CONFIG_SCHED_CHARGE_NS);
	__atomic_store_n(&deadline_stop, true, __ATOMIC_RELEASE);
	ST_CHECK(thread_join(t, KTIME_NEVER) == OK);
}

SELFTEST(file_proc_domains_are_all_there)
{
	struct str text = file_read_all(S("/proc/domains"));
	unsigned found;
	ST_CHECK(file_line(text, S("system"), &found).len > 0 && found == cpu_count());
	(void)file_line(text, S("net"), &found);
	ST_CHECK(found == cpu_count());
	(void)file_line(text, S("web"), &found);
	ST_CHECK(found == (config_on(CONFIG_WEB) ? cpu_count() : 0));
	struct str head = file_head(text, S("name ")), row = file_head(text, S("net 0 "));
	ST_CHECK(file_cell(row, head, S("budget_ns")) == CONFIG_NET_BUDGET_US * NS_PER_US);
	ST_CHECK(file_cell(row, head, S("period_ns")) == CONFIG_NET_PERIOD_US * NS_PER_US);
}

static struct str file_of_thread(struct abuf *path, const struct thread *t, struct str name)
{
	path->len = 0;
	fmt(path, "/proc/thread/%u/%.*s", thread_id(t), STR_ARG(name));
	return abuf_str(path);
}

/* What a thread's ctl says to a line: the error of the write; the answer is in `file_text`. */
static enum err file_ctl(const struct thread *t, struct str line, struct str *answer)
{
	char bytes[64];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	struct file_result f = vfs_open(file_of_thread(&path, t, S("ctl")), OPEN_READ | OPEN_WRITE);
	if (f.err != OK)
		return f.err;
	struct size_result n = vfs_write(f.value, 0, rbuf_of((const uint8_t *)line.ptr, line.len));
	ST_CHECK(n.err != OK || n.value == line.len);
	struct size_result got = vfs_read(f.value, 0, wbuf_of((uint8_t *)file_text, TEXT_MAX));
	*answer = str_of(file_text, got.err == OK ? got.value : 0);
	ST_CHECK(str_ends(*answer, S("\n")));
	vfs_close(f.value);
	return n.err;
}

static bool file_status_says(const struct thread *t, struct str word, struct str value)
{
	char bytes[64];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	unsigned found;
	struct str text = file_read_all(file_of_thread(&path, t, S("status")));
	return str_eq(file_line(text, word, &found), value) && found == 1;
}

SELFTEST(file_thread_ctl_does_what_a_line_says)
{
	struct str answer = STR_EMPTY;
	struct thread *t = st_thread(S("sleeper"), file_sleeper, NULL, PRIO_NORMAL, 0);
	ST_REQUIRE(t);
	ST_CHECK(file_status_says(t, S("name"), S("sleeper")) && file_status_says(t, S("priority"), S("16")));
	ST_CHECK(file_ctl(t, S("priority 20 rr\n"), &answer) == OK && str_eq(answer, S("done\n")));
	ST_CHECK(file_status_says(t, S("priority"), S("20")) && file_status_says(t, S("class"), S("rr")));
	ST_CHECK(file_ctl(t, S("priority 21\naffinity 0x1\ndomain net\n"), &answer) == OK);
	ST_CHECK(file_status_says(t, S("priority"), S("21")) && file_status_says(t, S("class"), S("rr")));
	ST_CHECK(file_status_says(t, S("affinity"), S("0x1")) && file_status_says(t, S("domain"), S("net")));
	ST_CHECK(file_ctl(t, S("domain system"), &answer) == OK);
	ST_CHECK(file_ctl(t, S("deadline 1000000 9000000 10000000"), &answer) == OK);
	ST_CHECK(str_starts(answer, S("admitted on hart 0: ")));
	ST_CHECK(file_status_says(t, S("class"), S("deadline")) && file_status_says(t, S("deadline_ns"), S("9000000")));
	ST_CHECK(file_ctl(t, S("priority 16"), &answer) == OK && file_status_says(t, S("class"), S("fifo")));
	ST_CHECK(file_ctl(t, S("kill"), &answer) == OK);
	ST_CHECK(thread_join(t, ktime_add(clock_now(), 60 * NS_PER_S)) == OK);
	ST_CHECK(file_ctl(thread_current(), S("nothing"), &answer) == ERR_INVAL);
}

static bool begun, told;

static void file_is_told(unused struct thread *t, enum deadline_event event, unused void *arg)
{
	if (event == DEADLINE_OVERRUN)
		__atomic_store_n(&told, true, __ATOMIC_RELEASE);
}

/* Its first parameters it keeps to: until it is told to overrun it sleeps. */
static void file_overruns_when_told(unused void *arg)
{
	struct deadline_attr a = deadline_light;
	a.notify = file_is_told;
	ST_CHECK(thread_set_deadline(thread_current(), &a, NULL) == OK);
	__atomic_store_n(&begun, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&deadline_stop, __ATOMIC_ACQUIRE))
		ST_CHECK(thread_wait_period() == OK);
	__atomic_store_n(&told, false, __ATOMIC_RELEASE);
	ktime until = ktime_add(clock_now(), 60 * NS_PER_S);
	while (!__atomic_load_n(&told, __ATOMIC_ACQUIRE) && ktime_before(clock_now(), until))
		;
}

SELFTEST(file_thread_ctl_keeps_who_is_told)
{
	struct str answer = STR_EMPTY;
	deadline_stop = begun = false;
	struct thread *t = st_thread(S("told"), file_overruns_when_told, NULL, 20, 0);
	ST_REQUIRE(t);
	while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	ST_CHECK(file_ctl(t, S("deadline 500000 20000000 20000000"), &answer) == OK);
	ST_CHECK(str_starts(answer, S("admitted on hart 0: ")) && file_status_says(t, S("runtime_ns"), S("500000")));
	ST_CHECK(file_ctl(t, S("affinity 0x1"), &answer) == OK && str_starts(answer, S("admitted on hart 0: ")));
	__atomic_store_n(&deadline_stop, true, __ATOMIC_RELEASE);
	ST_CHECK(thread_join(t, ktime_add(clock_now(), 120 * NS_PER_S)) == OK);
	ST_CHECK(__atomic_load_n(&told, __ATOMIC_ACQUIRE));
}

/* Moving a thread with a deadline is an admission, which says why not; where there is one hart, nothing is refused. */
SELFTEST(file_thread_ctl_says_why_a_hart_cannot_take_it)
{
	struct str answer = STR_EMPTY;
	if (cpu_count() == 1)
		return;
	struct thread *large = st_thread(S("large"), file_sleeper, NULL, PRIO_NORMAL, 0);
	struct thread *small = st_thread(S("small"), file_sleeper, NULL, PRIO_NORMAL, 0);
	ST_REQUIRE(large && small);
	ST_CHECK(file_ctl(large, S("affinity 0x2\ndeadline 80000000 100000000 100000000"), &answer) == OK);
	ST_CHECK(str_starts(answer, S("admitted on hart 1: ")));
	ST_CHECK(file_ctl(small, S("deadline 20000000 100000000 100000000"), &answer) == OK);
	ST_CHECK(str_starts(answer, S("admitted on hart 0: ")));
	ST_CHECK(file_ctl(small, S("affinity 0x2"), &answer) == ERR_NOSPC);
	/* Everything is released at 0: what is due then is both runtimes and what is charged for them. */
	ST_CHECK(str_starts(answer, S("refused on hart 1: 100.01 ms are due within 100 ms, which give 95 ms (")));
	ST_CHECK(file_status_says(small, S("affinity"), S("0x1")) && file_status_says(small, S("cpu"), S("0")));
	ST_CHECK(file_ctl(large, S("kill"), &answer) == OK && thread_join(large, KTIME_NEVER) == OK);
	ST_CHECK(thread_cancel(small) == OK && thread_join(small, KTIME_NEVER) == OK);
}

/* An error, the reason to be read back, and nothing has changed. */
SELFTEST(file_thread_ctl_says_why_not)
{
	struct str answer = STR_EMPTY;
	struct thread *t = st_thread(S("sleeper"), file_sleeper, NULL, PRIO_NORMAL, 0);
	ST_REQUIRE(t);
	ST_CHECK(file_ctl(t, S("deadline 990000 1000000 1000000\n"), &answer) == ERR_NOSPC);
	ST_CHECK(str_starts(answer, S("refused on hart ")) && str_find(answer, S(" of the hart is asked for")) < answer.len);
	ST_CHECK(file_ctl(t, S("deadline 2000 1000 500000"), &answer) == ERR_INVAL);
	ST_CHECK(str_eq(answer, S("refused: the runtime is longer than the deadline\n")));
	ST_CHECK(file_ctl(t, S("deadline 2000"), &answer) == ERR_INVAL && str_starts(answer, S("refused: expected deadline ")));
	ST_CHECK(file_ctl(t, S("priority 64"), &answer) == ERR_INVAL && file_ctl(t, S("priority 0"), &answer) == ERR_INVAL);
	ST_CHECK(file_ctl(t, S("affinity 0"), &answer) == ERR_INVAL);
	ST_CHECK(file_ctl(t, S("domain none"), &answer) == ERR_NOENT && str_starts(answer, S("refused: ")));
	ST_CHECK(file_ctl(t, S("\n"), &answer) == ERR_INVAL && file_ctl(t, S(""), &answer) == ERR_INVAL);
	ST_CHECK(file_ctl(t, S("priority 64\npriority 17"), &answer) == ERR_INVAL); /* up to the first */
	ST_CHECK(file_status_says(t, S("class"), S("fifo")) && file_status_says(t, S("priority"), S("16")));
	ST_CHECK(vfs_open(S("/proc/thread/0/ctl"), OPEN_READ).err == ERR_NOENT);
	ST_CHECK(vfs_open(S("/proc/thread/x"), OPEN_READ).err == ERR_NOENT);
	char bytes[64];
	struct abuf path = abuf_of(bytes, sizeof(bytes));
	ST_CHECK(vfs_open(file_of_thread(&path, t, S("status")), OPEN_WRITE).err == ERR_ACCES);
	struct file_stat stat;
	/* What the API serves are regular files. */
	ST_CHECK(vfs_stat(file_of_thread(&path, t, S("ctl")), &stat) == OK && stat.type == FILE_DEVICE);
	ST_CHECK(thread_cancel(t) == OK && thread_join(t, KTIME_NEVER) == OK);
}

/* ---- other ctl files ---- */

/* As file_ctl, of any file. */
static enum err file_ctl_at(struct str path, struct str line, struct str *answer)
{
	struct file_result f = vfs_open(path, OPEN_READ | OPEN_WRITE);
	*answer = STR_EMPTY;
	if (f.err != OK)
		return f.err;
	struct size_result n = vfs_write(f.value, 0, rbuf_of_str(line));
	ST_CHECK(n.err != OK || n.value == line.len);
	struct size_result got = vfs_read(f.value, 0, wbuf_of((uint8_t *)file_text, TEXT_MAX));
	*answer = str_of(file_text, got.err == OK ? got.value : 0);
	ST_CHECK(str_ends(*answer, S("\n")));
	vfs_close(f.value);
	return n.err;
}

SELFTEST(file_klogctl_sets_the_level)
{
	struct str answer = STR_EMPTY;
	enum log_level level = klog_console_level();
	ST_CHECK(file_ctl_at(S("/dev/klogctl"), S("level error\n"), &answer) == OK && str_eq(answer, S("done\n")));
	ST_CHECK(klog_console_level() == LOG_ERR && str_eq(file_read_all(S("/dev/klogctl")), S("level error\n")));
	ST_CHECK(file_ctl_at(S("/dev/klogctl"), S("level warning\nlevel loud\nlevel debug"), &answer) == ERR_INVAL);
	ST_CHECK(str_eq(answer, S("refused: expected level error, warning, info or debug\n")));
	ST_CHECK(klog_console_level() == LOG_WARN); /* up to the first that is refused */
	ST_CHECK(file_ctl_at(S("/dev/klogctl"), S("level"), &answer) == ERR_INVAL);
	ST_CHECK(file_ctl_at(S("/dev/klogctl"), S("level info now"), &answer) == ERR_INVAL);
	ST_CHECK(file_ctl_at(S("/dev/klogctl"), S(""), &answer) == ERR_INVAL && klog_console_level() == LOG_WARN);
	klog_set_console_level(level);
	struct file_stat stat;
	ST_CHECK(vfs_stat(S("/dev/klogctl"), &stat) == OK && stat.type == FILE_DEVICE && stat.mode == 0644);
}

SELFTEST(file_net_ctl_says_why_not)
{
	static const struct {
		struct str line;
		enum err err;
		struct str answer;
	} refused[] = {
		{STR_INIT("nothing"), ERR_INVAL, STR_INIT("refused: expected address, gateway, up or down\n")},
		{STR_INIT("address eth0"), ERR_INVAL, STR_INIT("refused: expected address IFACE ADDR/LEN, as eth0 192.168.1.2/24\n")},
		{STR_INIT("address eth9 192.168.1.2/24"), ERR_NODEV, STR_INIT("refused: no interface eth9\n")},
		{STR_INIT("address lo 127.0.0.2/8"), ERR_PERM, STR_INIT("refused: lo stays as it is\n")},
		{STR_INIT("down lo"), ERR_PERM, STR_INIT("refused: lo stays as it is\n")},
		{STR_INIT("gateway 203.0.113.1"), ERR_NETUNREACH,
			STR_INIT("refused: the gateway is in no interface's network\n")},
	};
	struct str before = file_read_all(S("/net/ctl")), answer = STR_EMPTY;
	char kept[512];
	ST_REQUIRE(before.len <= sizeof(kept));
	before = str_of(memcpy(kept, before.ptr, before.len), before.len);
	for (size_t i = 0; i < countof(refused); i++) {
		ST_CHECK(file_ctl_at(S("/net/ctl"), refused[i].line, &answer) == refused[i].err);
		ST_CHECK(str_eq(answer, refused[i].answer));
	}
	ST_CHECK(str_eq(file_read_all(S("/net/ctl")), before));
}

/* Where there is a device: another address and back, its routes with it; down is nowhere. */
SELFTEST(file_net_ctl_moves_an_interface)
{
	struct str answer = STR_EMPTY, before = file_read_all(S("/net/ctl"));
	char kept[512];
	struct net_route_info r;
	struct ipv4_route way;
	if (!netdev_find(S("eth0")) || !str_starts(before, S("address eth0 ")))
		return;
	ST_REQUIRE(before.len <= sizeof(kept));
	before = str_of(memcpy(kept, before.ptr, before.len), before.len);
	ST_CHECK(file_ctl_at(S("/net/ctl"), S("address eth0 192.168.77.2/24"), &answer) == OK && str_starts(answer, S("done")));
	ST_CHECK(ipv4_is_local(IPV4(192, 168, 77, 2)) && net_route_at(0, &r));
	ST_CHECK(file_ctl_at(S("/net/ctl"), S("address eth0 192.168.77.255/24"), &answer) == ERR_INVAL);
	ST_CHECK(str_eq(answer, S("refused: no host has such an address\n")));
	ST_CHECK(file_ctl_at(S("/net/ctl"), S("gateway 192.168.77.2"), &answer) == ERR_INVAL);
	ST_CHECK(file_ctl_at(S("/net/ctl"), S("gateway 192.168.77.1"), &answer) == OK);
	ST_CHECK(ipv4_route(IPV4(203, 0, 113, 1), &way) == OK && way.next_hop == IPV4(192, 168, 77, 1));
	ST_CHECK(file_ctl_at(S("/net/ctl"), S("gateway none"), &answer) == OK);
	ST_CHECK(ipv4_route(IPV4(203, 0, 113, 1), &way) == ERR_NETUNREACH);
	ST_CHECK(file_ctl_at(S("/net/ctl"), S("down eth0"), &answer) == OK && netdev_is_down(netdev_find(S("eth0"))));
	ST_CHECK(ipv4_route(IPV4(192, 168, 77, 9), &way) == ERR_NETUNREACH);
	/* What it said of itself before makes it so again. */
	ST_CHECK(file_ctl_at(S("/net/ctl"), before, &answer) == OK);
	ST_CHECK(str_eq(file_read_all(S("/net/ctl")), before) && !netdev_is_down(netdev_find(S("eth0"))));
}

/* The first line of the answer, as much of it as there is room for; and of no other file anything. */
SELFTEST(file_reasons_are_of_files_that_answer)
{
	uint8_t room[64];
	struct file_result f = vfs_open(S("/dev/klogctl"), OPEN_WRITE | OPEN_ANSWER);
	ST_REQUIRE(f.err == OK && (f.value->flags & OPEN_READ));
	ST_CHECK(vfs_write(f.value, 0, rbuf_of_str(S("level loud\n"))).err == ERR_INVAL);
	ST_CHECK(str_eq(vfs_reason(f.value, ERR_INVAL, wbuf_of(room, sizeof(room))), S("refused: expected level error, warning, info or debug")));
	ST_CHECK(str_eq(vfs_reason(f.value, ERR_INVAL, wbuf_of(room, 7)), S("refused")));
	ST_CHECK(str_eq(vfs_reason(f.value, ERR_INVAL, wbuf_of(room, 0)), err_text(ERR_INVAL)));
	vfs_close(f.value);
	f = vfs_open(S("/dev/klogctl"), OPEN_WRITE);
	ST_REQUIRE(f.err == OK && !(f.value->flags & OPEN_READ));
	ST_CHECK(vfs_write(f.value, 0, rbuf_of_str(S("level loud\n"))).err == ERR_INVAL);
	ST_CHECK(str_eq(vfs_reason(f.value, ERR_INVAL, wbuf_of(room, sizeof(room))), err_text(ERR_INVAL)));
	vfs_close(f.value);
	f = vfs_open(S("/dev/zero"), OPEN_WRITE | OPEN_ANSWER);
	ST_REQUIRE(f.err == OK && !(f.value->flags & (OPEN_READ | OPEN_ANSWER)));
	ST_CHECK(str_eq(vfs_reason(f.value, ERR_NOSPC, wbuf_of(room, sizeof(room))), err_text(ERR_NOSPC)));
	vfs_close(f.value);
	ST_CHECK(vfs_open(S("/dev/klogctl"), OPEN_READ | OPEN_ANSWER).err == ERR_INVAL);
#ifdef CONFIG_RAMFS_WRITE
	f = vfs_open(S("/tmp/full"), OPEN_WRITE | OPEN_CREATE | OPEN_ANSWER);
	ST_REQUIRE(f.err == OK && !(f.value->flags & (OPEN_READ | OPEN_ANSWER)));
	ST_CHECK(vfs_write(f.value, 0, rbuf_of_str(S("its content\n"))).err == OK);
	ST_CHECK(str_eq(vfs_reason(f.value, ERR_NOSPC, wbuf_of(room, sizeof(room))), err_text(ERR_NOSPC)));
	vfs_close(f.value);
	ST_CHECK(vfs_remove(S("/tmp/full")) == OK);
#endif
}

/* Whoever serves files must know which of them do something. */
SELFTEST(file_effects_are_marked)
{
	static const struct {
		struct str path;
		bool effects;
	} files[] = {
		{STR_INIT("/dev/console"), true}, {STR_INIT("/dev/random"), true}, {STR_INIT("/dev/zero"), true},
		{STR_INIT("/dev/null"), false}, {STR_INIT("/dev/klog"), false}, {STR_INIT("/proc/version"), false},
	};
	for (size_t i = 0; i < countof(files); i++) {
		struct file_stat stat;
		ST_CHECK(vfs_stat(files[i].path, &stat) == OK && stat.effects == files[i].effects);
	}
}

/* What the contract names and exists; what does not exist yet is not there either. */
SELFTEST(file_the_contract_is_kept)
{
	static const struct str files[] = {
		STR_INIT("/dev/null"), STR_INIT("/dev/zero"), STR_INIT("/dev/random"), STR_INIT("/dev/console"),
		STR_INIT("/dev/time"), STR_INIT("/dev/sysname"), STR_INIT("/dev/klog"), STR_INIT("/proc/version"),
		STR_INIT("/proc/uptime"), STR_INIT("/proc/meminfo"), STR_INIT("/proc/cpuinfo"), STR_INIT("/proc/stat"),
		STR_INIT("/proc/sched"), STR_INIT("/proc/callouts"), STR_INIT("/proc/interrupts"), STR_INIT("/proc/locks"),
		STR_INIT("/proc/pools"), STR_INIT("/proc/mounts"), STR_INIT("/proc/threads"), STR_INIT("/net/iface"),
		STR_INIT("/net/route"), STR_INIT("/net/arp"), STR_INIT("/net/tcp/stats"), STR_INIT("/net/ip/stats"),
		STR_INIT("/net/tcp/connections"), STR_INIT("/net/ctl"), STR_INIT("/dev/klogctl"),
	};
	struct file_stat stat;
	for (size_t i = 0; i < countof(files); i++)
		ST_CHECK(vfs_stat(files[i], &stat) == OK && stat.type != FILE_DIR);
	ST_CHECK((vfs_stat(S("/proc/config"), &stat) == OK) == config_on(CONFIG_PROC_CONFIG));
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
	file_check_columns(S("/proc/domains"));
	file_check_columns(S("/proc/threads"));
	file_check_columns(S("/net/iface"));
	file_check_columns(S("/net/route"));
	file_check_columns(S("/net/tcp/connections"));
}
