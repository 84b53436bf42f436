/*
 * shell_files_selftest.c - what the shell and its commands do with files: every byte, whole lines, and what one refuses.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "tests/kernel/shell_selftest.h"

#ifdef CONFIG_SHELL

static struct terminal one;

/* Exactly its bytes: more than the terminal keeps, more than the pipe. */
SELFTEST(shell_cat_gives_the_bytes_of_a_file)
{
	static char want[65536];
	struct levels before = levels_now();
	struct file_result f = vfs_open(S("/proc/config"), OPEN_READ);
	ST_REQUIRE(f.err == OK);
	struct size_result r = vfs_read(f.value, 0, wbuf_of(want, sizeof(want)));
	vfs_close(f.value);
	ST_REQUIRE(r.err == OK && r.value > 2000);
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("cat /proc/config | cat; echo E''ND"), S("END\n")));
	struct str said = str_of(one.text, one.len);
	ST_CHECK(str_find(said, str_of(want, r.value)) < said.len);
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* Whether the line, which writes "level error" into /dev/klogctl, has done so and ended well. */
static bool t_sets_level(struct str line)
{
	enum log_level level = klog_console_level();
	klog_set_console_level(LOG_INFO);
	t_type(&one, line);
	bool good = t_says(&one, S("; echo \"<$?>\""), S(">\n")) && str_find(str_of(one.text, one.len), S("<0>\n")) < one.len;
	good = good && klog_console_level() == LOG_ERR;
	klog_set_console_level(level);
	return good;
}

/* However a command makes its output, who takes lines gets lines, and at the end what is none. */
SELFTEST(shell_writes_lines_into_files)
{
	struct levels before = levels_now();
	enum log_level level = klog_console_level();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_sets_level(S("echo level error > /dev/klogctl")));
	ST_CHECK(t_sets_level(S("echo -n level error > /dev/klogctl")));
	ST_CHECK(t_sets_level(S("echo level error | grep level > /dev/klogctl")));
	ST_CHECK(t_sets_level(S("echo level error | head -1 | cat > /dev/klogctl")));
#ifdef CONFIG_RAMFS_WRITE
	struct file_result f = vfs_open(S("/tmp/levels"), OPEN_WRITE | OPEN_CREATE);
	ST_REQUIRE(f.err == OK);
	for (uint64_t i = 0; i < 1000; i++) /* pages end in the midst of lines */
		ST_CHECK(vfs_write(f.value, 12 * i, rbuf_of_str(S("level error\n"))).err == OK);
	ST_CHECK(vfs_write(f.value, 12000, rbuf_of_str(S("level error"))).err == OK);
	vfs_close(f.value);
	ST_CHECK(t_sets_level(S("cat /tmp/levels > /dev/klogctl")));
	ST_CHECK(t_sets_level(S("cat /tmp/levels | cat > /dev/klogctl")));
	ST_CHECK(t_sets_level(S("cp /tmp/levels /dev/klogctl")));
	ST_CHECK(t_says(&one, S("cp /tmp/levels /tmp/copy; cat /tmp/levels > /tmp/cat; wc -c /tmp/copy /tmp/cat | grep -c 12011"), S("\n2\n")));
	ST_CHECK(t_says(&one, S("echo -n level error > /tmp/half; rm /tmp/levels /tmp/copy /tmp/cat; echo do''ne"), S("\ndone\n")));
	/* Of one that is cancelled the half of a line does not go. */
	klog_set_console_level(LOG_INFO);
	t_type(&one, S("cat /tmp/half - > /dev/klogctl; echo no''t\r"));
	sleep_ns(NS_PER_S / 10); /* it waits for the terminal; or else it is cancelled before it does */
	ST_CHECK(t_says(&one, S("\3echo \"<$?>\""), S("\n<130>\n")) && klog_console_level() == LOG_INFO);
	klog_set_console_level(level);
	ST_CHECK(vfs_remove(S("/tmp/half")) == OK);
#endif
	shell_hang_up(one.s);
	klog_set_console_level(level);
	ST_CHECK(levels_are_back(&before));
}

#define KLOGCTL_REFUSES ": /dev/klogctl: refused: expected level error, warning, info or debug\n"

/* With the file's own reason, once, also where the messages should go; then nothing more is written. */
SELFTEST(shell_says_why_a_file_refuses)
{
	struct levels before = levels_now();
	enum log_level level = klog_console_level();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("echo loud > /dev/klogctl; echo \"<$?>\""), S("\necho" KLOGCTL_REFUSES "<1>\n")));
	ST_CHECK(t_says(&one, S("echo -n loud >> /dev/klogctl; echo \"<$?>\""), S("\necho" KLOGCTL_REFUSES "<1>\n")));
	ST_CHECK(t_says(&one, S("pwd > /dev/klogctl; echo \"<$?>\""), S("\npwd" KLOGCTL_REFUSES "<1>\n")));
	ST_CHECK(t_says(&one, S("cat --help > /dev/klogctl; echo \"<$?>\""), S("\ncat" KLOGCTL_REFUSES "<1>\n")));
	ST_CHECK(t_says(&one, S("echo loud 2>&1 > /dev/klogctl; echo \"<$?>\""), S("\necho" KLOGCTL_REFUSES "<1>\n")));
	ST_CHECK(t_says(&one, S("cat /none 2> /dev/klogctl; echo \"<$?>\""), S("\ncat" KLOGCTL_REFUSES "cat: /none: no such file")));
	ST_CHECK(t_says(&one, S("cp /proc/version /dev/klogctl; echo \"<$?>\""), S("\ncp" KLOGCTL_REFUSES "<1>\n")));
	klog_set_console_level(LOG_INFO);
	ST_CHECK(t_says(&one, S("echo level error | cat /proc/version - > /dev/klogctl; echo \"<$?>\""),
		S("\ncat" KLOGCTL_REFUSES "<1>\n")));
	ST_CHECK(klog_console_level() == LOG_INFO);
	klog_set_console_level(level);
#ifdef CONFIG_RAMFS_WRITE
	/* A file of bytes gives no reasons. */
	ST_CHECK(t_says(&one, S("echo its content > /tmp/full; cat /dev/zero >> /tmp/full; echo \"<$?>\""),
		S("\ncat: /tmp/full: the file would become too large\n<1>\n")));
	ST_CHECK(t_says(&one, S("head -c 2000000 /dev/zero > /tmp/full; cp /tmp/full /dev/null; rm /tmp/full; echo do''ne"),
		S("\nhead: /tmp/full: the file would become too large\ndone\n")));
#endif
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

#ifdef CONFIG_RAMFS_WRITE
/* A tree as deep as cp and rm take it, and one deeper: below the stack is a guard page. */
SELFTEST(shell_trees_may_be_deep)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("mkdir -p /tmp/t/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16; echo st''ill"), S("\nstill\n")));
	ST_CHECK(t_says(&one, S("cd /tmp; cp -r t u && rm -r u && echo do''ne"), S("\ndone\n")));
	ST_CHECK(t_says(&one, S("mkdir t/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17; cp -r t u"), S("more than 16 directories deep")));
	ST_CHECK(t_says(&one, S("rm -r t u"), S("more than 16 directories deep")));
	ST_CHECK(t_says(&one, S("rm -r t/2 && rm -r t && echo do''ne"), S("\ndone\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}
#endif

#endif
