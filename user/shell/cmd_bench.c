/*
 * cmd_bench.c - bench: what a few things take on this machine, in time, beside whatever else runs.
 *
 * It is no benchmark of the kernel: those count instructions, alone on the machine (make bench). Under emulation the
 * times are the host's. Each is measured in samples of a batch, between two looks at the clock; between two samples
 * Ctrl-C is looked for.
 */
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/sem.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

#define BENCH_SAMPLES 200
#define BENCH_BATCH   32
#define BENCH_PORT    5001
#define BENCH_BYTES   (4u << 20)

/* One run of the command. In a page. */
struct bench_run {
	struct shell_call *c;
	struct cmd_table table;
	uint8_t priority;    /* of the command, */
	uint8_t domain;      /* whose partner has them too: else it would go on while its domain has nothing left */
	uint64_t hart;       /* the one on which all of it runs */
	bool stop;           /* atomic: for the partner */
	struct sem ping, pong;
	struct mutex mutex;
	size_t n;
	int64_t sample[BENCH_SAMPLES];
};
static_assert(sizeof(struct bench_run) <= PAGE_SIZE, "it has a page");

static void bench_sort(int64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int64_t x = v[i];
		size_t at = i;
		for (; at > 0 && v[at - 1] > x; at--)
			v[at] = v[at - 1];
		v[at] = x;
	}
}

static void bench_row(struct bench_run *b, const char *what)
{
	const size_t at[] = {0, b->n / 2, b->n * 99 / 100, b->n - 1};
	bench_sort(b->sample, b->n);
	fmt(&b->table.text, "%s", what);
	for (size_t i = 0; i < countof(at); i++) {
		abuf_char_add(&b->table.text, ' ');
		duration_render(&b->table.text, b->sample[at[i]]);
	}
	abuf_char_add(&b->table.text, '\n');
}

/* The samples of step(), each of a batch of it. */
static enum err bench_sample(struct bench_run *b, enum err (*step)(struct bench_run *b), unsigned batch, unsigned share)
{
	for (b->n = 0; b->n < BENCH_SAMPLES; b->n++) {
		if (shell_is_cancelled(b->c))
			return ERR_INTR;
		ktime begin = clock_now();
		for (unsigned i = 0; i < batch; i++) {
			enum err err = step(b);
			if (err != OK)
				return err;
		}
		b->sample[b->n] = ktime_diff(clock_now(), begin) / (int64_t)(batch * share);
	}
	return OK;
}

/* ---- with a partner on the same hart ---- */

static enum err bench_join(struct thread *t)
{
	enum err err = OK, joined;
	while ((joined = thread_join(t, KTIME_NEVER)) == ERR_INTR)
		err = ERR_INTR; /* it ends soon, and what it uses is this command's */
	return err == OK ? joined : err;
}

static struct thread_result bench_partner(struct bench_run *b, void (*entry)(void *arg))
{
	__atomic_store_n(&b->stop, false, __ATOMIC_RELAXED);
	return thread_create(&(struct thread_attr){.name = S("bench"), .entry = entry, .arg = b, .priority = b->priority,
		.class = SCHED_FIFO, .affinity = b->hart, .domain = b->domain});
}

static void bench_yields(void *arg)
{
	struct bench_run *b = arg;
	while (!__atomic_load_n(&b->stop, __ATOMIC_RELAXED))
		sched_yield();
}

static enum err bench_step_yield(unused struct bench_run *b)
{
	sched_yield();
	return OK;
}

static enum err bench_yield(struct bench_run *b)
{
	struct thread_result t = bench_partner(b, bench_yields);
	if (t.err != OK)
		return t.err;
	enum err err = bench_sample(b, bench_step_yield, BENCH_BATCH, 2); /* there and back */
	__atomic_store_n(&b->stop, true, __ATOMIC_RELAXED);
	enum err joined = bench_join(t.value);
	return err == OK ? joined : err;
}

static void bench_pongs(void *arg)
{
	struct bench_run *b = arg;
	while (sem_wait(&b->ping, KTIME_NEVER) == OK && !__atomic_load_n(&b->stop, __ATOMIC_RELAXED))
		sem_post(&b->pong);
}

static enum err bench_step_ping(struct bench_run *b)
{
	sem_post(&b->ping);
	return sem_wait(&b->pong, KTIME_NEVER);
}

static enum err bench_ping(struct bench_run *b)
{
	sem_init(&b->ping, 0, 1);
	sem_init(&b->pong, 0, 1);
	struct thread_result t = bench_partner(b, bench_pongs);
	if (t.err != OK)
		return t.err;
	enum err err = bench_sample(b, bench_step_ping, BENCH_BATCH, 1);
	__atomic_store_n(&b->stop, true, __ATOMIC_RELAXED);
	sem_post(&b->ping);
	enum err joined = bench_join(t.value);
	return err == OK ? joined : err;
}

/* ---- alone ---- */

static enum err bench_step_mutex(struct bench_run *b)
{
	mutex_lock(&b->mutex);
	mutex_unlock(&b->mutex);
	return OK;
}

static enum err bench_mutex(struct bench_run *b)
{
	mutex_init(&b->mutex, LOCK_DEMO);
	return bench_sample(b, bench_step_mutex, BENCH_BATCH, 1);
}

static enum err bench_step_sem(struct bench_run *b)
{
	sem_post(&b->ping);
	return sem_wait(&b->ping, KTIME_NEVER);
}

static enum err bench_sem(struct bench_run *b)
{
	sem_init(&b->ping, 0, 1);
	return bench_sample(b, bench_step_sem, BENCH_BATCH, 1);
}

/* How long behind its instant a sleep of 500 us ends. */
static enum err bench_wake(struct bench_run *b)
{
	for (b->n = 0; b->n < BENCH_SAMPLES; b->n++) {
		ktime when = ktime_add(clock_now(), NS_PER_MS / 2);
		enum err err = shell_sleep(b->c, when);
		if (err != OK)
			return err;
		b->sample[b->n] = ktime_diff(clock_now(), when);
	}
	return OK;
}

/* ---- TCP over loopback ---- */

static void bench_sink(void *arg)
{
	struct tcp_listener *l = arg;
	uint8_t bytes[2048];
	struct size_result n;
	struct tcp_conn_result c = tcp_accept(l, ktime_add(clock_now(), 30 * NS_PER_S));
	if (c.err != OK)
		return;
	do
		n = tcp_recv(c.value, wbuf_of(bytes, sizeof(bytes)), ktime_add(clock_now(), 30 * NS_PER_S));
	while (n.err == OK && n.value > 0);
	tcp_close(c.value);
}

static enum err bench_send(struct shell_call *c, struct tcp_conn *conn)
{
	static const uint8_t bytes[4096];
	for (size_t sent = 0; sent < BENCH_BYTES;) {
		struct size_result n = tcp_send(conn, rbuf_of(bytes, sizeof(bytes)), 0, ktime_add(clock_now(), 30 * NS_PER_S));
		if (n.err != OK || shell_is_cancelled(c))
			return n.err != OK ? n.err : ERR_INTR;
		sent += n.value;
	}
	return tcp_shutdown(conn);
}

/* The time until the last byte was read, as KiB in a second. */
static enum err bench_transfer(struct bench_run *b, struct tcp_listener *l, uint64_t *kib_per_s)
{
	struct thread_result t = thread_create(&(struct thread_attr){.name = S("bench"), .entry = bench_sink, .arg = l,
		.priority = b->priority, .class = SCHED_RR, .domain = b->domain});
	if (t.err != OK)
		return t.err;
	ktime begin = clock_now();
	struct tcp_conn_result conn = tcp_connect(IPV4_LOOPBACK, BENCH_PORT, ktime_add(begin, 30 * NS_PER_S));
	enum err err = conn.err;
	if (err == OK)
		err = bench_send(b->c, conn.value);
	if (err != OK && thread_cancel(t.value) != OK)
		unreachable(); /* it is no system thread */
	enum err joined = bench_join(t.value);
	*kib_per_s = (uint64_t)(BENCH_BYTES / 1024 * NS_PER_S / max(ktime_diff(clock_now(), begin), INT64_C(1)));
	if (conn.err == OK)
		tcp_close(conn.value);
	return err == OK ? joined : err;
}

static enum err bench_tcp(struct bench_run *b)
{
	uint64_t kib_per_s = 0;
	struct tcp_listener_result l = tcp_listen(IPV4_LOOPBACK, BENCH_PORT, 1);
	if (l.err != OK)
		return l.err;
	enum err err = bench_transfer(b, l.value, &kib_per_s);
	tcp_listener_close(l.value);
	if (err == OK)
		err = shell_printf(b->c, "tcp: %u MiB over loopback, %llu KiB/s\n", BENCH_BYTES >> 20,
			(unsigned long long)kib_per_s);
	b->n = 0;
	return err;
}

/* ---- all of them ---- */

static const struct {
	struct str name;
	const char *what;
	enum err (*run)(struct bench_run *b);
	bool pinned;
} bench_list[] = {
	{STR_INIT("yield"), "yield_switch", bench_yield, true},
	{STR_INIT("mutex"), "mutex_lock_unlock", bench_mutex, false},
	{STR_INIT("sem"), "semaphore_post_wait", bench_sem, false},
	{STR_INIT("ping"), "semaphore_ping_pong", bench_ping, true},
	{STR_INIT("wake"), "sleep_wakes_late_by", bench_wake, false},
	{STR_INIT("tcp"), "tcp", bench_tcp, false},
};

/* Stays on one hart for what needs its partner there. */
static enum err bench_one(struct bench_run *b, size_t i)
{
	struct thread_info self;
	struct thread *t = thread_current();
	thread_info(t, &self);
	b->priority = self.priority;
	b->domain = self.domain;
	b->hart = UINT64_C(1) << self.cpu;
	enum err err = bench_list[i].pinned ? thread_set_affinity(t, b->hart) : OK;
	if (err != OK)
		return err;
	err = bench_list[i].run(b);
	if (bench_list[i].pinned && thread_set_affinity(t, self.affinity) != OK && err == OK)
		err = ERR_BUSY;
	if (err == OK && b->n)
		bench_row(b, bench_list[i].what);
	return err;
}

static bool bench_is_chosen(const struct args *a, struct str name)
{
	for (size_t i = 0; i < a->operands; i++)
		if (str_eq(args_operand(a, i), name))
			return true;
	return a->operands == 0;
}

/* False: told. */
static bool bench_are_known(struct shell_call *c, const struct args *a)
{
	for (size_t i = 0; i < a->operands; i++) {
		bool known = false;
		for (size_t n = 0; n < countof(bench_list); n++)
			known = known || str_eq(args_operand(a, i), bench_list[n].name);
		if (!known) {
			(void)shell_usage(c, "%.*s is none of yield, mutex, sem, ping, wake and tcp", STR_ARG(args_operand(a, i)));
			return false;
		}
	}
	return true;
}

static int bench_all(struct bench_run *b, const struct args *a)
{
	int status = 0;
	fmt(&b->table.text, "WHAT LEAST MEDIAN P99 MOST\n");
	for (size_t i = 0; i < countof(bench_list) && status != SHELL_CANCELLED; i++) {
		if (!bench_is_chosen(a, bench_list[i].name))
			continue;
		enum err err = bench_one(b, i);
		if (err != OK)
			status = cmd_worse(status, cmd_failed(b->c, bench_list[i].name, err));
	}
	if (status == SHELL_CANCELLED || b->table.text.len == sizeof("WHAT LEAST MEDIAN P99 MOST\n") - 1)
		return status;
	enum err err = shell_printf(b->c, "times on this machine as it is now, %u samples; make bench counts instructions\n",
		BENCH_SAMPLES);
	return cmd_worse(status, cmd_status(err == OK ? cmd_table_show(&b->table, SIZE_MAX, 0) : err));
}

static int bench_run(struct shell_call *c)
{
	struct args a;
	if (!cmd_args(c, &a, "", 0, SIZE_MAX) || !bench_are_known(c, &a))
		return 2;
	struct bench_run *b = page_alloc(0);
	if (!b)
		return shell_fail(c, "no memory");
	int status = 1;
	b->c = c;
	if (cmd_table_begin(&b->table, c, 0)) {
		status = bench_all(b, &a);
		cmd_table_end(&b->table);
	}
	page_free(b, 0);
	return status;
}
SHELL_COMMAND(bench, .name = STR_INIT("bench"), .summary = STR_INIT("measure a few things on this machine"),
	.usage = STR_INIT("bench [yield|mutex|sem|ping|wake|tcp]...\n"
			  "  yield  a switch between two threads         mutex  lock and unlock, nobody else wants it\n"
			  "  sem    post and wait, nobody waits          ping   there and back between two threads\n"
			  "  wake   how late a sleeper wakes             tcp    4 MiB over the loopback device\n"
			  "Without a word all of them. Times, beside what else runs; under emulation they are the host's.\n"),
	.words = STR_INIT("yield mutex sem ping wake tcp"), .run = bench_run, .completes = SHELL_WORDS);
