/*
 * shell_selftest.c - sessions of the shell, with the test as their carrier: what they say, how they are cancelled,
 * bounded and ended, and that all is as before when they are gone.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "lib/fmt.h"
#include "tests/kernel/shell_selftest.h"

#ifdef CONFIG_SHELL

static struct terminal one, two;

/* ---- lines ---- */

SELFTEST(shell_runs_lines)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one));
	ST_CHECK(t_expect(&one, S(":/$ ")));
	ST_CHECK(t_says(&one, S("echo  one 'two  three'"), S("\none two  three\n")));
	ST_CHECK(t_says(&one, S("A=5; echo x${A}y\"$A\" $?"), S("\nx5y5 0\n")));
	ST_CHECK(t_says(&one, S("echo to a pipe | cat | cat"), S("\nto a pipe\n")));
	ST_CHECK(t_says(&one, S("false || echo 'b'a; true && echo ab; false; echo $?"), S("\nba\nab\n1\n")));
	ST_CHECK(t_says(&one, S("nonsense; echo $?"), S("no such command")) && t_expect(&one, S("\n127\n")));
	ST_CHECK(t_says(&one, S("nonsense; B=$?; echo \"<$B>\"; true; B=$?; echo \"<$B>\""), S("\n<127>\n<0>\n")));
	ST_CHECK(t_says(&one, S("echo 'a"), S("a quote is not closed")));
	ST_CHECK(t_says(&one, S("cat < /none"), S("/none: no such file")));
	ST_CHECK(t_says(&one, S("cat --help"), S("cat [FILE]")));
	ST_CHECK(t_says(&one, S("cd /dev; pwd; cd ..; pwd"), S("\n/dev\n/\n")));
	ST_CHECK(t_says(&one, S("cd /hello.txt"), S("not a directory")));
	ST_CHECK(t_says(&one, S("cd / | cat"), S("not in a pipeline")));
	ST_CHECK(t_says(&one, S("echo lost > /dev/null; echo $?"), S("\n0\n")));
	ST_CHECK(t_says(&one, S("echo x > /proc/version; echo $?"), S("denied\n1\n")));
	ST_CHECK(t_says(&one, S("echo x > /proc/thread/0/ctl"), S("\n/proc/thread/0/ctl: no such file, and none can be made there\n")));
#ifdef CONFIG_RAMFS_WRITE
	ST_CHECK(t_says(&one, S("echo one > /shell.txt; echo two | cat >> /shell.txt; cat < /shell.txt"), S("\none\ntwo\n")));
	ST_CHECK(t_says(&one, S("> /shell.txt; cat /shell.txt; echo em''pty"), S("empty\n")));
	ST_CHECK(t_says(&one, S("nonsense; echo x > /shell.$?; cat /shell.127"), S("\nx\n")));
	ST_CHECK(vfs_remove(S("/shell.txt")) == OK && vfs_remove(S("/shell.127")) == OK);
#endif
	ST_CHECK(t_says(&one, S("hist\t | cat"), S("cd /dev; pwd")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* However long what was wrong is, why is said behind it: by a command, by the shell, and with more than a line in it. */
SELFTEST(shell_reasons_are_not_cut_off)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	t_type(&one, S("A="));
	for (int i = 0; i < 900; i++)
		t_type(&one, S("x"));
	ST_CHECK(t_says(&one, S(""), S(":/$ ")));
	ST_CHECK(t_says(&one, S("cat $A"), S("xxx: a name or path is too long\n")));
	ST_CHECK(t_says(&one, S("cat $A$A"), S("xxx: a name or path is too long\n")));
	ST_CHECK(t_says(&one, S("kill $A$A"), S("xxx: there is no thread of that name\n")));
	ST_CHECK(t_says(&one, S("sched $A"), S("xxx is none of demo, load and watch; try sched --help\n")));
	ST_CHECK(t_says(&one, S("$A"), S("xxx: there is no such command; help lists them\n")));
	ST_CHECK(t_says(&one, S("cat < /$A"), S("xxx: a name or path is too long\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

#ifdef CONFIG_RAMFS_WRITE
/* What cannot be run changes no file: neither the one it names, nor one whose name is the beginning of that. */
SELFTEST(shell_refused_lines_change_nothing)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("echo keep > /tmp/keep; echo st''ill"), S("\nstill\n")));
	t_type(&one, S("A="));
	for (int i = 0; i < 900; i++)
		t_type(&one, S("x"));
	ST_CHECK(t_says(&one, S(""), S(":/$ ")));
	for (int n = 0; n < 8; n++) {
		t_type(&one, S("echo lost "));
		for (int i = 0; i < n; i++)
			t_type(&one, S("$A"));
		ST_CHECK(t_says(&one, S(" > /tmp/keep$A; echo \"<$?>\""), S("<1>\n")));
	}
	ST_CHECK(t_says(&one, S("echo $A$A$A$A$A$A$A$A$A > /tmp/keep"), S("too long")));
	ST_CHECK(t_says(&one, S("B=1 echo lost > /tmp/keep"), S("a line of their own")));
	ST_CHECK(t_says(&one, S("cat /tmp/keep"), S("\nkeep\n")));
	for (int i = 0; i < SHELL_JOBS_MAX; i++)
		ST_CHECK(t_says(&one, S("sleep 1000 &"), S("] sleep")));
	ST_CHECK(t_says(&one, S("echo lost > /tmp/keep &"), S("too many jobs")));
	ST_CHECK(t_says(&one, S("cat /tmp/keep"), S("\nkeep\n")));
	shell_hang_up(one.s);
	ST_CHECK(vfs_remove(S("/tmp/keep")) == OK);
	ST_CHECK(levels_are_back(&before));
}

#endif

/* What a command reads from the terminal is edited as the shell's own lines. */
SELFTEST(shell_commands_read_the_terminal)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("cat"), S("cat\n")));
	t_type(&one, S("onx\x7f" "e\r"));
	ST_CHECK(t_expect(&one, S("\none\n")));
	t_type(&one, S("two\r\x04"));
	ST_CHECK(t_expect(&one, S("two\ntwo\n")) && t_expect(&one, S(":/$ ")));
	ST_CHECK(t_says(&one, S("echo $?"), S("\n0\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

SELFTEST(shell_sessions_are_isolated)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_open(&two));
	ST_CHECK(t_says(&one, S("A=one; cd /dev"), S("/dev$ ")));
	ST_CHECK(t_says(&two, S("echo \"<$A>\"; pwd"), S("\n<>\n/\n")));
	ST_CHECK(t_says(&one, S("sleep 1000 &"), S("[1] sleep")));
	ST_CHECK(t_says(&two, S("jobs; kill %1"), S("no such job")));
	shell_hang_up(one.s);
	ST_CHECK(t_says(&two, S("echo st''ill"), S("\nstill\n")));
	shell_hang_up(two.s);
	ST_CHECK(levels_are_back(&before));
}

/* ---- cancelling ---- */

/* Until commands run, or none does. */
static void threads_wait(bool some)
{
	struct shell_stats s;
	ktime until = patience();
	for (shell_stats(&s); (s.threads > 0) != some && ktime_before(clock_now(), until); shell_stats(&s))
		sleep_ns(NS_PER_MS);
	ST_CHECK((s.threads > 0) == some);
}

/* Whatever the command does, or does not: wait, write, read, all of it in a pipeline. */
SELFTEST(shell_ctrl_c_cancels)
{
	static const struct str lines[] = {STR_INIT("sleep 1000"), STR_INIT("cat /dev/zero > /dev/null"), STR_INIT("cat"),
		STR_INIT("cat /dev/zero"), STR_INIT("cat /dev/zero | cat | cat > /dev/null"), STR_INIT("sleep 1000 | cat"),
		STR_INIT("sleep 1000; echo never; echo never"), STR_INIT("sleep 1000 & wait")};
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	for (size_t i = 0; i < countof(lines); i++) {
		threads_wait(false); /* the last one is gone */
		t_type(&one, lines[i]);
		t_type(&one, S("\r"));
		threads_wait(true); /* it runs */
		sleep_ns(3 * NS_PER_MS);
		t_type(&one, S("\x03"));
		ST_CHECK(t_expect(&one, S("^C\n")));
		ST_CHECK(t_says(&one, S("echo \"<$?>\""), S("\n<130>\n")));
		ST_CHECK(str_find(str_of(one.text, one.len), S("never\nnever")) == one.len);
	}
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* However close to the end of a command it comes, it is answered once, and the session goes on. */
SELFTEST(shell_ctrl_c_is_never_lost)
{
	struct levels before = levels_now();
	uint64_t seed = 20240229;
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	for (int i = 0; i < 100; i++) {
		one.len = 0;
		t_type(&one, S("echo a | cat\r"));
		sleep_ns((int64_t)(st_random(&seed) % (2 * NS_PER_MS)));
		t_type(&one, S("\x03"));
		ST_REQUIRE(t_expect(&one, S("^C\n")));
	}
	ST_CHECK(t_says(&one, S("echo st''ill"), S("\nstill\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* What is typed behind it is for the session, not for the command that is about to end. */
SELFTEST(shell_ctrl_c_ends_what_is_typed_for_a_command)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	for (int i = 0; i < 50; i++) {
		threads_wait(false);
		t_type(&one, S("cat | cat\r"));
		threads_wait(true);
		sleep_ns(2 * NS_PER_MS); /* it reads */
		one.len = 0;
		t_type(&one, S("\x03" "echo mi''ne\r"));
		ST_REQUIRE(t_expect(&one, S("\nmine\n")));
	}
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* Nor does what it cuts short go on: a sequence of keys, or a text that is pasted, whose end it has dropped. */
SELFTEST(shell_ctrl_c_ends_a_sequence)
{
	static const struct str begun[] = {STR_INIT("\x1b"), STR_INIT("\x1b["), STR_INIT("\xe2\x82"), STR_INIT("\x1b[200~echo")};
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	for (size_t i = 0; i < countof(begun); i++) {
		one.len = 0;
		t_type(&one, begun[i]);
		sleep_ns(2 * NS_PER_MS);
		t_type(&one, S("\x03"));
		ST_CHECK(t_expect(&one, S("^C\n")));
		ST_CHECK(t_says(&one, S("histo\t"), S("history")));
	}
	t_type(&one, S("\x1b[200~cat\r"));
	threads_wait(true);
	t_type(&one, S("\x03"));
	ST_CHECK(t_expect(&one, S("^C\n")) && t_says(&one, S("histo\t"), S("history")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* The id of the thread with that name; 0: there is none. */
static uint32_t thread_named(struct str name)
{
	struct thread_info info;
	for (uint32_t after = 0; thread_info_next(after, &info); after = info.tid)
		if (str_eq(str_of(info.name, info.name_len), name))
			return info.tid;
	return 0;
}

static bool kill_named(struct str name)
{
	ktime until = patience();
	uint32_t tid;
	while ((tid = thread_named(name)) == 0 && ktime_before(clock_now(), until))
		sleep_ns(NS_PER_MS);
	struct thread *t = thread_find(tid);
	if (!t)
		return false;
	bool killed = thread_cancel(t) == OK;
	thread_detach(t);
	return killed;
}

/* By its id: a command that waits, one that never does, and at last the session itself. */
SELFTEST(shell_kill_cancels)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	t_type(&one, S("sleep 1000\r"));
	ST_CHECK(kill_named(S("sleep")) && t_says(&one, S("echo \"<$?>\""), S("\n<130>\n")));
	t_type(&one, S("cat /dev/zero > /dev/null\r"));
	ST_CHECK(kill_named(S("cat")) && t_says(&one, S("echo \"<$?>\""), S("\n<130>\n")));
	t_type(&one, S("sleep 1000\r"));
	ST_CHECK(kill_named(S("sh/test")) && t_ends(&one));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* Words and newline are one line to who reads a pipe, however many there are. */
SELFTEST(shell_echo_says_a_line_at_once)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("a=0123456789; a=$a$a$a$a$a$a$a$a$a$a$a$a$a$a; echo $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a $a | wc"),
		S("1      17    2397\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* As elsewhere: a variable without a value is no word, "" is one. */
SELFTEST(shell_commands_of_no_words)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("false; $NONE; echo \"<$?>\""), S("\n<0>\n")));
	ST_CHECK(t_says(&one, S("$NONE echo fo''o"), S("\nfoo\n")));
	ST_CHECK(t_says(&one, S("A=se''t $NONE; echo \"<$A>\""), S("\n<set>\n")));
	ST_CHECK(t_says(&one, S("echo lost | $NONE | cat; echo \"<$?>\""), S("\n<0>\n")));
	ST_CHECK(t_says(&one, S("\"\"; echo \"<$?>\""), S("\n'': there is no such command; help lists them\n<127>\n")));
	ST_CHECK(t_says(&one, S("\"$NONE\" x"), S("\n'': there is no such command")));
	ST_CHECK(t_says(&one, S("echo x > $NONE"), S("\n'': no such file")));
	ST_CHECK(t_says(&one, S("cat ''"), S("\ncat: '': no such file")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* With its budget a job would take a quarter of an hour: it is asked to end in the midst of it. */
SELFTEST(shell_demo_stops)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("sched demo start 500us 500ms 500ms; sched demo busy 1s"), S("admitted")));
	sleep_ns(NS_PER_S); /* it has begun */
	ST_CHECK(t_says(&one, S("sched demo stop; echo st''opped"), S("\nstopped\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* Its budget comes back with the next period: that is not waited for, whether it computes or is through. */
SELFTEST(shell_demo_stops_within_its_period)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	for (int computes = 0; computes < 2; computes++) {
		ST_CHECK(t_says(&one, S("sched demo start 1ms 50ms 50ms"), S("admitted")));
		if (computes)
			ST_CHECK(t_says(&one, S("sched demo busy 1s; echo b''usy"), S("\nbusy\n")));
		sleep_ns(NS_PER_S / 4);
		ST_CHECK(t_says(&one, S("sched demo set 1ms 10s 10s"), S("admitted")));
		sleep_ns(NS_PER_S / 4); /* now it waits, or its budget is spent */
		ktime begin = clock_now();
		ST_CHECK(t_says(&one, S("sched demo stop; echo st''opped"), S("\nstopped\n")));
		ST_CHECK(ktime_diff(clock_now(), begin) < 8 * NS_PER_S);
	}
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

SELFTEST(shell_jobs)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("sleep 1000 & sleep 2000 | cat &"), S("[2] sleep 2000 | cat")));
	ST_CHECK(t_says(&one, S("jobs"), S("[1] runs: sleep 1000\n[2] runs: sleep 2000 | cat\n")));
	ST_CHECK(t_says(&one, S("fg %1 %2; echo \"<$?>\""), S("fg: one job; try fg --help\n<2>\n")));
	ST_CHECK(t_says(&one, S("kill %1; wait %1; echo \"<$?>\""), S("\n<130>\n")));
	ST_CHECK(t_says(&one, S("sleep 3000 &"), S("[1] sleep 3000\n")) && t_says(&one, S("sleep 4000 &"), S("[3] sleep 4000\n")));
	ST_CHECK(t_says(&one, S("kill %1 %9 %3; wait %1 %3; echo \"<$?>\""), S("kill: %9: there is no such job; jobs lists them\n<130>\n")));
	ST_CHECK(t_says(&one, S("cat & wait %1; echo \"<$?>\""), S("<0>"))); /* in the background there is nothing to read */
	t_type(&one, S("fg %2\r"));
	ST_CHECK(t_expect(&one, S("sleep 2000 | cat\n")));
	t_type(&one, S("\x03"));
	ST_CHECK(t_says(&one, S("echo \"<$?>\""), S("\n<130>\n")));
	for (int i = 0; i < SHELL_JOBS_MAX; i++)
		ST_CHECK(t_says(&one, S("sleep 1000 &"), S("] sleep")));
	ST_CHECK(t_says(&one, S("sleep 1000 &"), S("too many jobs")));
	t_type(&one, S("exit\r")); /* they go with the session */
	ST_CHECK(t_ends(&one));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* Reading a script is the session's own work, which must not wait for a device: nothing could end that. */
SELFTEST(shell_scripts_are_files)
{
	struct levels before = levels_now();
	ST_REQUIRE(t_open(&one) && t_expect(&one, S("$ ")));
	ST_CHECK(t_says(&one, S("source /dev/console; source /dev/zero; echo \"<$?>\""), S("\n<1>\n")));
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* ---- bounds ---- */

/* Nobody takes what it says: the command waits, the session can still be ended from outside. */
SELFTEST(shell_output_is_bounded)
{
	static uint8_t bytes[3 * SHELL_OUT_BYTES];
	struct levels before = levels_now();
	uint64_t at = 0;
	ST_REQUIRE(t_open(&one));
	t_type(&one, S("cat /dev/zero\r"));
	size_t got = 0, again;
	for (ktime until = patience(); got < SHELL_OUT_BYTES - 1 && ktime_before(clock_now(), until);) {
		at = 0; /* nothing is forgotten */
		got = shell_output(one.s, &at, wbuf_of(bytes, sizeof(bytes)));
		sleep_ns(NS_PER_MS);
	}
	sleep_ns(20 * NS_PER_MS);
	at = 0;
	again = shell_output(one.s, &at, wbuf_of(bytes, sizeof(bytes)));
	ST_CHECK(again <= SHELL_OUT_BYTES && again >= SHELL_OUT_BYTES - 1 && at == again);
	ST_CHECK(shell_output(one.s, &at, wbuf_of(bytes, sizeof(bytes))) <= SHELL_OUT_BYTES); /* made room */
	uint64_t old = 0;
	t_take(&one);
	(void)!shell_output(one.s, &old, wbuf_of(bytes, 1));
	ST_CHECK(old >= SHELL_OUT_BYTES - 1); /* what is forgotten is skipped */
	shell_hang_up(one.s);
	ST_CHECK(levels_are_back(&before));
}

/* A reference to the thread of that name; NULL: there is none. */
static struct thread *thread_of(struct str name)
{
	struct thread_info t = {0};
	while (thread_info_next(t.tid, &t))
		if (str_eq(str_of(t.name, t.name_len), name))
			return thread_find(t.tid);
	return NULL;
}

/* Over and hung up, it counts while anything of it is held: here the test holds its thread, and so its stack. */
SELFTEST(shell_session_counts_until_all_is_back)
{
	struct levels before = levels_now();
	struct shell_stats s;
	ST_REQUIRE(t_open(&one));
	struct thread *t = thread_of(S("sh/test"));
	ST_REQUIRE(t);
	shell_hang_up(one.s);
	for (ktime until = patience(); !__atomic_load_n(&t->ended, __ATOMIC_ACQUIRE) && ktime_before(clock_now(), until);)
		sleep_ns(NS_PER_MS);
	ST_CHECK(t->ended);
	shell_stats(&s);
	ST_CHECK(s.open == 1);
	thread_detach(t);
	for (ktime until = patience(); s.open > 0 && ktime_before(clock_now(), until); shell_stats(&s))
		sched_yield();
	struct levels now = levels_now();
	ST_CHECK(s.open == 0 && levels_are_below(&now, &before));
}

SELFTEST(shell_sessions_are_bounded)
{
	static struct shell_session *held[CONFIG_SHELL_SESSIONS + 1];
	struct levels before = levels_now();
	struct shell_stats s, at_first;
	shell_stats(&at_first);
	for (int round = 0; round < 2; round++) {
		struct shell_result r = {0};
		size_t n = 0;
		while (n < countof(held) && (r = shell_open(&(struct shell_carrier){.name = S("many")})).err == OK)
			held[n++] = r.value;
		ST_CHECK(n == CONFIG_SHELL_SESSIONS && r.err == ERR_NOSPC);
		shell_stats(&s);
		ST_CHECK(s.open == n && s.peak == n && s.refused == at_first.refused + (uint64_t)round + 1);
		for (size_t i = 0; i < n; i++)
			ST_CHECK(shell_feed(held[i], rbuf_of("echo hi\r", 8)) == 8);
		for (size_t i = 0; i < n; i++)
			shell_hang_up(held[i]);
		ST_CHECK(levels_are_back(&before));
	}
	shell_stats(&s);
	ST_CHECK(s.opened == at_first.opened + 2 * CONFIG_SHELL_SESSIONS);
}

#ifdef CONFIG_RAMFS_WRITE
static bool file_is(struct str path, struct str content)
{
	char bytes[64];
	struct file_result f = vfs_open(path, OPEN_READ);
	if (f.err != OK)
		return false;
	struct size_result r = vfs_read(f.value, 0, wbuf_of(bytes, sizeof(bytes)));
	vfs_close(f.value);
	return r.err == OK && str_eq(str_of(bytes, r.value), content);
}

/* Nor does a line change a file for whose commands there are no threads, or which reads another that is missing. */
SELFTEST(shell_lines_without_threads_change_nothing)
{
	static struct terminal full;
	struct levels before = levels_now();
	struct shell_stats s, at_first;
	if (CONFIG_SHELL_THREADS > SHELL_JOBS_MAX * SHELL_STAGES_MAX)
		return; /* one session cannot have them all */
	ST_REQUIRE(t_open(&one) && t_open(&full));
	ST_CHECK(t_says(&one, S("echo keep > /tmp/keep; echo st''ill"), S("\nstill\n")));
	ST_CHECK(t_says(&one, S("echo lost > /tmp/keep | cat < /tmp/none"), S("no such file")));
	ST_CHECK(file_is(S("/tmp/keep"), S("keep\n")));
	shell_stats(&at_first);
	for (uint32_t left = CONFIG_SHELL_THREADS; left > 0; left--) {
		char bytes[48];
		struct abuf line = abuf_of(bytes, sizeof(bytes));
		fmt(&line, "sleep 1000%s", left % SHELL_STAGES_MAX == 1 || left == 1 ? " &\r" : "|");
		t_type(&full, abuf_str(&line));
	}
	ST_CHECK(t_says(&full, S("pwd"), S("\n/\n")));
	shell_stats(&s);
	ST_REQUIRE(s.threads == CONFIG_SHELL_THREADS && s.refused_threads == at_first.refused_threads);
	ST_CHECK(t_says(&one, S("echo lost > /tmp/keep; pwd"), S("too many commands")) && t_expect(&one, S("\n/\n")));
	ST_CHECK(file_is(S("/tmp/keep"), S("keep\n")));
	shell_hang_up(one.s);
	shell_hang_up(full.s);
	ST_CHECK(vfs_remove(S("/tmp/keep")) == OK);
	ST_CHECK(levels_are_back(&before));
}
#endif

/* Threads of commands: those of all sessions together. */
SELFTEST(shell_threads_are_bounded)
{
	struct levels before = levels_now();
	struct shell_stats s, at_first;
	bool refused = false;
	static struct terminal more[CONFIG_SHELL_THREADS / (SHELL_JOBS_MAX * SHELL_STAGES_MAX) + 1];
	shell_stats(&at_first);
	for (size_t i = 0; i < countof(more); i++)
		ST_REQUIRE(t_open(&more[i]));
	for (size_t i = 0; i < countof(more) && !refused; i++)
		for (int job = 0; job < SHELL_JOBS_MAX && !refused; job++) {
			t_type(&more[i], S("sleep 1000|sleep 1000|sleep 1000|sleep 1000|sleep 1000|sleep 1000|sleep 1000|sleep 1000&\r"));
			ST_CHECK(t_says(&more[i], S("pwd"), S("\n/\n"))); /* which needs no thread */
			refused = str_find(str_of(more[i].text, more[i].len), S("too many commands")) < more[i].len;
			shell_stats(&s);
			ST_CHECK(s.threads <= CONFIG_SHELL_THREADS);
			refused |= s.refused_threads > at_first.refused_threads;
		}
	ST_CHECK(refused);
	for (size_t i = 0; i < countof(more); i++)
		shell_hang_up(more[i].s);
	ST_CHECK(levels_are_back(&before));
}

SELFTEST(shell_idle_sessions_end)
{
	struct levels before = levels_now();
	struct shell_stats at_first, s;
	shell_stats(&at_first);
	shell_set_idle(100 * NS_PER_MS);
	ST_REQUIRE(t_open(&one) && t_open(&two));
	t_type(&two, S("sleep 1000\r"));
	ST_CHECK(t_ends(&one) && t_ends(&two));
	shell_set_idle(CONFIG_SHELL_IDLE_S * NS_PER_S);
	shell_hang_up(one.s);
	shell_hang_up(two.s);
	ST_CHECK(levels_are_back(&before));
	shell_stats(&s);
	ST_CHECK(s.idle_closed == at_first.idle_closed + 2);
}

/* ---- hanging up ---- */

SELFTEST(shell_hang_up_ends_what_runs)
{
	static const struct str lines[] = {STR_INIT("cat /dev/zero | cat | cat > /dev/null\r"), STR_INIT("cat /dev/zero | cat\r"),
		STR_INIT("sleep 1000 & sleep 1000\r"), STR_INIT("cat\rhalf a line"), STR_INIT("cat < /dev/zero > /dev/null &\r"),
		STR_INIT("half a line"), STR_INIT("exit\r"), STR_INIT("\x04"), STR_INIT("")};
	struct levels before = levels_now();
	for (size_t i = 0; i < 3 * countof(lines); i++) {
		ktime until = patience();
		while (!t_open(&one)) { /* as many as there may be are still ending */
			ST_REQUIRE(ktime_before(clock_now(), until));
			sleep_ns(NS_PER_MS);
		}
		t_type(&one, lines[i % countof(lines)]);
		sleep_ns((int64_t)(i / countof(lines)) * 2 * NS_PER_MS); /* at once, and when it runs */
		shell_hang_up(one.s);
	}
	ST_CHECK(levels_are_back(&before));
}

/* ---- stress: on every hart sessions come, are fed anything, are read or not, and go ---- */

#define STRESS_ROUNDS 25

static void stress_turn(struct shell_session *s, uint64_t *seed, uint64_t *at)
{
	static const struct str keys[] = {STR_INIT("echo a | cat\r"), STR_INIT("sleep 1 &\r"), STR_INIT("cat /dev/zero\r"),
		STR_INIT("\x03"), STR_INIT("cat /dev/zero | cat > /dev/null\r"), STR_INIT("\t\t"), STR_INIT("cat /h\t\r"),
		STR_INIT("\x1b[A\r"), STR_INIT("wait\r"), STR_INIT("A=1; echo $A; cd /proc\r"), STR_INIT("cat\rx\r\x04"),
		STR_INIT("fg\r"), STR_INIT("kill %1\r"), STR_INIT("jobs | cat; history\r"), STR_INIT("help | cat\r"),
		STR_INIT("exit\r"), STR_INIT("cat /proc/threads | cat | cat\r"), STR_INIT("\x12" "cat\r")};
	uint8_t bytes[300];
	struct str k = keys[st_random(seed) % countof(keys)];
	(void)!shell_feed(s, rbuf_of_str(k)); /* what is not taken is left out */
	if (st_random(seed) % 4)
		(void)!shell_output(s, at, wbuf_of(bytes, 1 + st_random(seed) % sizeof(bytes)));
	if (st_random(seed) % 8 == 0)
		shell_resize(s, (uint16_t)(st_random(seed) % 200), 24);
	if (st_random(seed) % 2)
		sleep_ns((int64_t)(st_random(seed) % (2 * NS_PER_MS)));
}

static void stress_carry(void *arg)
{
	uint64_t seed = 20240229 + (uintptr_t)arg;
	struct event ready;
	event_init(&ready);
	for (int round = 0; round < STRESS_ROUNDS; round++) {
		struct shell_result r =
			shell_open(&(struct shell_carrier){.name = S("stress"), .ready = t_ready, .arg = &ready});
		ST_CHECK(r.err == OK || r.err == ERR_NOSPC || r.err == ERR_NOMEM);
		uint64_t at = 0;
		for (uint64_t n = st_random(&seed) % 12; r.err == OK && n > 0; n--)
			stress_turn(r.value, &seed, &at);
		if (r.err == OK)
			shell_hang_up(r.value);
	}
}

SELFTEST(shell_stress)
{
	struct levels before = levels_now();
	ST_CHECK(st_on_every_hart(stress_carry));
	ST_CHECK(levels_are_back(&before));
}

#endif
