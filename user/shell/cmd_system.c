/* cmd_system.c - free, uptime, dmesg, date, reboot. */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "lib/civil.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

/* ---- free ---- */

static int free_memory(struct shell_call *c)
{
	struct mm_stats m;
	struct stack_stats s;
	struct cmd_table t;
	if (!cmd_table_begin(&t, c, 0))
		return 1;
	mm_stats(&m);
	stack_stats(&s);
	fmt(&t.text, "what total used free least_free refused\nmemory ");
	bytes_render(&t.text, m.total_bytes);
	abuf_char_add(&t.text, ' ');
	bytes_render(&t.text, m.total_bytes - m.free_bytes);
	abuf_char_add(&t.text, ' ');
	bytes_render(&t.text, m.free_bytes);
	abuf_char_add(&t.text, ' ');
	bytes_render(&t.text, m.free_min_bytes);
	fmt(&t.text, " %llu\nkernel ", (unsigned long long)m.failures);
	bytes_render(&t.text, m.kernel_bytes);
	abuf_char_add(&t.text, ' ');
	bytes_render(&t.text, m.kernel_bytes);
	fmt(&t.text, " 0 0 -\nstacks %zu %zu %zu %zu %llu\n", s.total, s.used, s.total - s.used, s.total - s.peak,
		(unsigned long long)s.failures);
	enum err err = cmd_table_show(&t, SIZE_MAX, 0);
	cmd_table_end(&t);
	return cmd_status(err);
}

static int free_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "p", 0, 0))
		return 2;
	return args_has(&a, 'p') ? cmd_table_file(c, S("/proc/pools")) : free_memory(c);
}
SHELL_COMMAND(free, .name = STR_INIT("free"), .summary = STR_INIT("show memory, stacks and pools"),
	.usage = STR_INIT("free [-p]\n"
			  "  -p  the pools: objects, how many there are, in use, at most so far, and refused\n"
			  "Memory in bytes, stacks by number. refused: how often there was none.\n"),
	.run = free_run);

/* ---- uptime ---- */

static int uptime_run(struct shell_call *c)
{
	struct args a;
	char bytes[256];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	if (!cmd_args(c, &a, "", 0, 0))
		return 2;
	abuf_str_add(&out, S("up "));
	uptime_render(&out, clock_now().ns);
	fmt(&out, ", %u hart%s, load", cpu_count(), cpu_count() == 1 ? "" : "s");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct sched_cpu_stats s;
		sched_cpu_stats(cpu, &s);
		abuf_char_add(&out, ' ');
		tenths_render(&out, s.load_permille);
		abuf_char_add(&out, '%');
	}
	return cmd_status(shell_printf(c, "%.*s\n", STR_ARG(abuf_str(&out))));
}
SHELL_COMMAND(uptime, .name = STR_INIT("uptime"), .summary = STR_INIT("show how long the system has been up"),
	.usage = STR_INIT("uptime\nThe time since boot, and how busy each hart was in the last second or so.\n"), .run = uptime_run);

/* ---- dmesg ---- */

static bool dmesg_level(struct str name, enum log_level *level)
{
	for (enum log_level l = LOG_ERR; l <= LOG_DEBUG; l++)
		if (name.len && str_starts(log_level_name(l), name)) {
			*level = l;
			return true;
		}
	return false;
}

/* The record behind which the last n of that level stand. Two passes over the ring at most, whatever is added. */
static uint64_t dmesg_since(enum log_level level, uint64_t n)
{
	struct klog_entry e;
	uint64_t last = klog_last_seq(), count = 0, since = 0;
	for (uint64_t seq = 0; klog_read(seq, level, &e) && e.seq <= last; seq = e.seq)
		count++;
	for (uint64_t seq = 0; count > n && klog_read(seq, level, &e) && e.seq <= last; seq = e.seq, count--)
		since = e.seq;
	return since;
}

static enum err dmesg_show(struct shell_call *c, const struct klog_entry *e)
{
	char bytes[KLOG_TEXT_MAX + 64];
	struct abuf line = abuf_of(bytes, sizeof(bytes));
	klog_format(e, &line);
	return shell_write(c, abuf_bytes(&line));
}

#define DMESG_POLL_NS (100 * NS_PER_MS) /* the log wakes one reader only, the console */

static int dmesg_run(struct shell_call *c)
{
	struct args a;
	enum log_level level = LOG_DEBUG;
	uint64_t n = UINT64_MAX;
	if (!cmd_args(c, &a, "l:n:f#", 0, 0) || !cmd_number(c, &a, 'n', 0, INT64_MAX, &n))
		return 2;
	if (args_value(&a, 'l').ptr && !dmesg_level(args_value(&a, 'l'), &level))
		return shell_usage(c, "-l takes error, warning, info or debug, not %.*s", STR_ARG(args_value(&a, 'l')));
	bool follow = args_has(&a, 'f');
	uint64_t seq = n == UINT64_MAX ? 0 : dmesg_since(level, n), last = klog_last_seq();
	enum err err = OK;
	while (err == OK) {
		struct klog_entry e;
		while (err == OK && klog_read(seq, level, &e) && (follow || e.seq <= last)) {
			seq = e.seq;
			err = dmesg_show(c, &e);
		}
		if (!follow || err != OK)
			break;
		err = shell_sleep(c, ktime_add(clock_now(), DMESG_POLL_NS));
	}
	return cmd_status(err);
}
SHELL_COMMAND(dmesg, .name = STR_INIT("dmesg"), .summary = STR_INIT("show the kernel's log"),
	.usage = STR_INIT("dmesg [-l LEVEL] [-n LINES] [-f]\n"
			  "  -l LEVEL  up to error, warning, info or debug      -n LINES  only the last ones\n"
			  "  -f        go on with what comes, until Ctrl-C\n"
			  "A line: [seconds since boot] hart subsystem: text.\n"),
	.run = dmesg_run);

/* ---- date ---- */

static int date_run(struct shell_call *c)
{
	struct args a;
	char bytes[40];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	if (!cmd_args(c, &a, "n", 0, 0))
		return 2;
	int64_t now = clock_wall();
	if (now == 0)
		return shell_fail(c, "the time of day is not known: the machine has no real-time clock");
	if (args_has(&a, 'n'))
		fmt_i64(&out, now);
	else
		civil_render(&out, now / NS_PER_S);
	return cmd_status(shell_printf(c, "%.*s\n", STR_ARG(abuf_str(&out))));
}
SHELL_COMMAND(date, .name = STR_INIT("date"), .summary = STR_INIT("show the time of day"),
	.usage = STR_INIT("date [-n]\nIn UTC, as ISO 8601 says: 2024-02-29T12:00:00Z.\n"
			  "  -n  nanoseconds since 1970\n"
			  "The real-time clock gave it at boot; from there on it goes with the monotonic clock (/dev/time).\n"),
	.run = date_run);

/* ---- reboot ---- */

#define REBOOT_FLUSH_NS (500 * NS_PER_MS) /* for the last words to reach whoever typed it */

/* Whoever does not read what it says does not keep the machine from starting again. */
static int reboot_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "", 0, 0))
		return 2;
	klog(LOG_WARN, "reboot: asked for by a shell");
	shell_last_words(c, "the machine starts again\n");
	enum err err = shell_sleep(c, ktime_add(clock_now(), REBOOT_FLUSH_NS));
	if (err != OK)
		return cmd_status(err);
	machine_restart();
}
SHELL_COMMAND(reboot, .name = STR_INIT("reboot"), .summary = STR_INIT("start the machine again"),
	.usage = STR_INIT("reboot\n"
			  "Starts the machine again half a second later, in which Ctrl-C still stops it. What is in memory is lost;\n"
			  "whoever is connected over the network is told.\n"),
	.run = reboot_run);
