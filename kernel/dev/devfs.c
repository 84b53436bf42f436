/*
 * devfs.c - the files of /dev.
 *
 * console is raw: a read gives what was typed since the last one and waits for at
 * least one byte; several readers share what is typed. A write may take a part.
 * klogctl takes `level error|warning|info|debug`: how much of the log the console shows.
 *
 * Locks: those of what a file stands for.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "lib/initcall.h"

#define DEVFS_RANDOM_MAX 4096 /* bytes of one read */

static struct size_result devfs_null_read(unused uint64_t offset, unused struct wbuf to)
{
	return OK_RESULT(size_result, 0);
}

static struct size_result devfs_null_write(struct rbuf from)
{
	return OK_RESULT(size_result, from.len);
}

static struct size_result devfs_zero_read(unused uint64_t offset, struct wbuf to)
{
	memset(to.ptr, 0, to.len);
	return OK_RESULT(size_result, to.len);
}

static struct size_result devfs_random_read(unused uint64_t offset, struct wbuf to)
{
	size_t n = min(to.len, (size_t)DEVFS_RANDOM_MAX);
	rng_fill(to.ptr, n);
	return OK_RESULT(size_result, n);
}

static struct size_result devfs_console_read(unused uint64_t offset, struct wbuf to)
{
	struct chardev *c = chardev_find(S("console"));
	return c ? c->ops->read(c, to, KTIME_NEVER) : ERR_RESULT(size_result, ERR_NODEV);
}

static struct size_result devfs_console_write(struct rbuf from)
{
	struct chardev *c = chardev_find(S("console"));
	return c ? c->ops->write(c, from, KTIME_NEVER) : ERR_RESULT(size_result, ERR_NODEV);
}

static void devfs_sysname(struct abuf *out)
{
	static_assert(sizeof(CONFIG_SYSNAME) > 1 && sizeof(CONFIG_SYSNAME) <= 64, "a label of a host name");
	fmt(out, "%s\n", CONFIG_SYSNAME);
}

static void devfs_klog(struct abuf *out)
{
	struct klog_entry e;
	uint64_t last = klog_last_seq();
	for (uint64_t seq = 0; klog_read(seq, LOG_DEBUG, &e) && e.seq <= last; seq = e.seq)
		fmt(out, "%llu %lld %u %.*s %.*s\n", (unsigned long long)e.seq, (long long)e.time.ns, e.cpu,
			STR_ARG(log_level_name(e.level)), (int)e.len, e.text);
}

static void devfs_klogctl_render(struct abuf *out)
{
	fmt(out, "level %.*s\n", STR_ARG(log_level_name(klog_console_level())));
}

static enum err devfs_klogctl(struct str line, struct abuf *answer)
{
	struct str verb = str_word(&line), name = str_word(&line);
	for (enum log_level l = LOG_ERR; l <= LOG_DEBUG; l++) {
		if (str_eq(verb, S("level")) && str_eq(name, log_level_name(l)) && str_trim(line).len == 0) {
			klog_set_console_level(l);
			return OK;
		}
	}
	fmt(answer, "refused: expected level error, warning, info or debug");
	return ERR_INVAL;
}

static void devfs_time(struct abuf *out)
{
	fmt(out, "%lld\n", (long long)arch_clock().ns);
}

static const struct synth_file devfs_files[] = {
	{.path = STR_INIT("console"), .read = devfs_console_read, .write = devfs_console_write, .effects = true},
	{.path = STR_INIT("klog"), .render = devfs_klog},
	{.path = STR_INIT("klogctl"), .render = devfs_klogctl_render, .ctl = devfs_klogctl},
	{.path = STR_INIT("null"), .read = devfs_null_read, .write = devfs_null_write},
	{.path = STR_INIT("random"), .read = devfs_random_read, .effects = true},
	{.path = STR_INIT("sysname"), .render = devfs_sysname},
	{.path = STR_INIT("time"), .render = devfs_time},
	{.path = STR_INIT("zero"), .read = devfs_zero_read, .write = devfs_null_write, .effects = true},
};
static struct synth_fs devfs = {devfs_files, countof(devfs_files)};

static enum err devfs_init(void)
{
	return fileserver_mount(S("/dev"), &synth_ops, &devfs, S("devfs"));
}
INITCALL(devfs, devfs_init, "vfs", "rng");
