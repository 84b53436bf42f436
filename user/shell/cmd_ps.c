/*
 * cmd_ps.c - ps and top: the threads, what they are and what they take.
 *
 * Both take a picture of all threads; with an earlier one beside it shares are those of the time between.
 */
#include "kernel/mm/mm.h"
#include "kernel/sched/deadline.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

#define PS_ORDER 3 /* pages of the text */

struct ps_before {
	uint32_t tid;
	uint64_t cpu_time_ns;
};

struct ps {
	struct shell_call *c;
	ktime at, before_at;
	size_t count, before_count;
	uint64_t idle_ns, busy_ns; /* all harts, since before_at */
	struct sched_cpu_stats cpu[CPU_MAX], cpu_before[CPU_MAX];
	uint16_t order[CONFIG_THREAD_MAX];
	uint32_t permille[CONFIG_THREAD_MAX]; /* of one hart */
	struct ps_before before[CONFIG_THREAD_MAX];
	struct thread_info thread[CONFIG_THREAD_MAX];
};
#define PS_PAGES div_up(sizeof(struct ps), PAGE_SIZE)

static uint64_t ps_time_before(const struct ps *ps, uint32_t tid)
{
	for (size_t i = 0; i < ps->before_count; i++)
		if (ps->before[i].tid == tid)
			return ps->before[i].cpu_time_ns;
	return 0;
}

static void ps_picture(struct ps *ps)
{
	struct thread_info t = {0};
	for (size_t i = 0; i < ps->count; i++)
		ps->before[i] = (struct ps_before){ps->thread[i].tid, ps->thread[i].cpu_time_ns};
	ps->before_count = ps->count;
	ps->before_at = ps->at;
	memcpy(ps->cpu_before, ps->cpu, sizeof(ps->cpu));
	for (ps->count = 0; ps->count < CONFIG_THREAD_MAX && thread_info_next(t.tid, &t); ps->count++)
		ps->thread[ps->count] = t;
	ps->at = clock_now();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sched_cpu_stats(cpu, &ps->cpu[cpu]);
	int64_t passed = max(ktime_diff(ps->at, ps->before_at), INT64_C(1));
	for (size_t i = 0; i < ps->count; i++) {
		uint64_t took = ps->thread[i].cpu_time_ns - ps_time_before(ps, ps->thread[i].tid);
		ps->permille[i] = (uint32_t)min(took * 1000 / (uint64_t)passed, UINT64_C(1000));
	}
}

/* ---- order ---- */

typedef bool ps_before_fn(const struct ps *ps, size_t a, size_t b);

static bool ps_by_tid(const struct ps *ps, size_t a, size_t b)
{
	return ps->thread[a].tid < ps->thread[b].tid;
}

static bool ps_by_cpu(const struct ps *ps, size_t a, size_t b)
{
	return ps->permille[a] != ps->permille[b] ? ps->permille[a] > ps->permille[b] : ps_by_tid(ps, a, b);
}

static bool ps_by_name(const struct ps *ps, size_t a, size_t b)
{
	const struct thread_info *x = &ps->thread[a], *y = &ps->thread[b];
	int order = str_cmp(str_of(x->name, x->name_len), str_of(y->name, y->name_len));
	return order ? order < 0 : ps_by_tid(ps, a, b);
}

static bool ps_by_priority(const struct ps *ps, size_t a, size_t b)
{
	bool da = ps->thread[a].class == SCHED_DEADLINE, db = ps->thread[b].class == SCHED_DEADLINE;
	if (da != db)
		return da;
	uint8_t x = ps->thread[a].effective_priority, y = ps->thread[b].effective_priority;
	return x != y ? x > y : ps_by_tid(ps, a, b);
}

static bool ps_by_stack(const struct ps *ps, size_t a, size_t b)
{
	size_t x = ps->thread[a].stack_peak_bytes, y = ps->thread[b].stack_peak_bytes;
	return x != y ? x > y : ps_by_tid(ps, a, b);
}

static const struct {
	struct str name;
	ps_before_fn *before;
} ps_orders[] = {{STR_INIT("tid"), ps_by_tid}, {STR_INIT("cpu"), ps_by_cpu}, {STR_INIT("name"), ps_by_name},
	{STR_INIT("prio"), ps_by_priority}, {STR_INIT("stack"), ps_by_stack}};

static void ps_sort(struct ps *ps, ps_before_fn *before)
{
	for (size_t i = 0; i < ps->count; i++) {
		size_t at = i;
		for (; at > 0 && before(ps, i, ps->order[at - 1]); at--)
			ps->order[at] = ps->order[at - 1];
		ps->order[at] = (uint16_t)i;
	}
}

/* ---- text ---- */

static void ps_row(const struct ps *ps, size_t i, struct abuf *out)
{
	const struct thread_info *t = &ps->thread[i];
	struct domain_info d = {0};
	(void)domain_info(t->domain, &d);
	fmt(out, "%u ", t->tid);
	cmd_word(out, str_of(t->name, t->name_len));
	fmt(out, " %.*s %.*s ", STR_ARG(thread_state_name(t)), STR_ARG(sched_class_name(t->class)));
	if (t->class == SCHED_DEADLINE)
		fmt(out, "- %u ", t->cpu);
	else
		fmt(out, "%u %u ", t->effective_priority, t->cpu);
	tenths_render(out, ps->permille[i]);
	abuf_char_add(out, ' ');
	thousandths_render(out, (int64_t)(t->cpu_time_ns / (uint64_t)NS_PER_MS));
	abuf_char_add(out, ' ');
	bytes_render(out, t->stack_peak_bytes);
	fmt(out, " %.*s ", (int)d.name_len, d.name);
	if (t->wait.len)
		fmt(out, "%.*s\n", STR_ARG(t->wait));
	else
		fmt(out, "-\n");
}

static void ps_text(const struct ps *ps, struct cmd_table *t)
{
	cmd_table_reset(t);
	fmt(&t->text, "TID NAME STATE CLASS PRIO HART %%CPU TIME STACK DOMAIN WAITS\n");
	for (size_t i = 0; i < ps->count; i++)
		ps_row(ps, ps->order[i], &t->text);
}

/* NULL: told. */
static struct ps *ps_begin(struct shell_call *c, struct cmd_table *t)
{
	struct ps *ps = page_alloc_run(PS_PAGES);
	if (!ps) {
		(void)shell_fail(c, "no memory");
		return NULL;
	}
	if (!cmd_table_begin(t, c, PS_ORDER)) {
		page_free_run(ps, PS_PAGES);
		return NULL;
	}
	memset(ps, 0, sizeof(*ps));
	ps->c = c;
	return ps;
}

static void ps_end(struct ps *ps, struct cmd_table *t)
{
	cmd_table_end(t);
	page_free_run(ps, PS_PAGES);
}

/* NULL: told. */
static ps_before_fn *ps_order(struct shell_call *c, const struct args *a, ps_before_fn *none)
{
	struct str key = args_value(a, 's');
	if (!key.ptr)
		return none;
	for (size_t i = 0; i < countof(ps_orders); i++)
		if (str_eq(key, ps_orders[i].name))
			return ps_orders[i].before;
	(void)shell_usage(c, "-s takes tid, cpu, name, prio or stack, not %.*s", STR_ARG(key));
	return NULL;
}

static int ps_run(struct shell_call *c)
{
	struct args a;
	struct cmd_table t;
	int64_t interval = 0;
	if (!cmd_args(c, &a, "s:d:", 0, 0) || !cmd_duration(c, &a, 'd', 0, 3600 * NS_PER_S, &interval))
		return 2;
	ps_before_fn *order = ps_order(c, &a, ps_by_tid);
	if (!order)
		return 2;
	struct ps *ps = ps_begin(c, &t);
	if (!ps)
		return 1;
	enum err err = OK;
	if (interval) {
		ps_picture(ps);
		err = shell_sleep(c, ktime_add(clock_now(), interval));
	}
	if (err == OK) {
		ps_picture(ps);
		ps_sort(ps, order);
		ps_text(ps, &t);
		err = cmd_table_show(&t, SIZE_MAX, 0);
	}
	ps_end(ps, &t);
	return cmd_status(err);
}
SHELL_COMMAND(ps, .name = STR_INIT("ps"), .summary = STR_INIT("list the threads"),
	.usage = STR_INIT("ps [-s KEY] [-d TIME]\n"
			  "  -s KEY   sorted by tid (so it is without -s), cpu, name, prio or stack\n"
			  "  -d TIME  %CPU of that time from now on, as in -d 500ms; without it since boot\n"
			  "%CPU is of one hart, TIME in seconds, STACK the most that was ever in use, WAITS what it waits for.\n"),
	.run = ps_run);

/* ---- top ---- */

static enum err top_head(const struct ps *ps)
{
	char bytes[160];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	struct mm_stats m;
	mm_stats(&m);
	abuf_str_add(&out, S("up "));
	uptime_render(&out, ps->at.ns);
	fmt(&out, ", %zu threads, memory ", ps->count);
	bytes_render(&out, m.total_bytes - m.free_bytes);
	abuf_str_add(&out, S(" of "));
	bytes_render(&out, m.total_bytes);
	enum err err = shell_printf(ps->c, "%.*s\n", STR_ARG(abuf_str(&out)));
	for (uint32_t cpu = 0; cpu < cpu_count() && err == OK; cpu++) {
		const struct sched_cpu_stats *now = &ps->cpu[cpu], *then = &ps->cpu_before[cpu];
		int64_t busy = now->busy_ns - then->busy_ns, idle = now->idle_ns - then->idle_ns;
		uint64_t permille = (uint64_t)(max(busy, INT64_C(0)) * 1000 / max(busy + idle, INT64_C(1)));
		abuf_reset(&out);
		tenths_render(&out, permille);
		err = shell_printf(ps->c, "hart %u: %5.*s%% busy, %llu switches\n", cpu, STR_ARG(abuf_str(&out)),
			(unsigned long long)(now->switches - then->switches));
	}
	return err;
}

static enum err top_frame(struct ps *ps, struct cmd_table *t, ps_before_fn *order, bool screen)
{
	uint16_t columns = 0, rows = 0;
	ps_picture(ps);
	ps_sort(ps, order);
	ps_text(ps, t);
	enum err err = screen ? shell_printf(ps->c, "\033[H\033[J") : OK;
	if (err == OK)
		err = top_head(ps);
	if (screen)
		shell_window(ps->c, &columns, &rows);
	size_t above = cpu_count() + 2; /* head, and the cursor's line */
	size_t limit = screen ? (rows > above + 2 ? rows - above : 2) : SIZE_MAX;
	return err == OK ? cmd_table_show(t, limit, columns) : err;
}

/* Waits for the next frame. ERR_CANCELED: q was typed. */
static enum err top_wait(struct shell_call *c, ktime until, bool keys)
{
	while (keys) {
		uint8_t key;
		struct size_result n = shell_key(c, wbuf_of(&key, 1), until);
		if (n.err != OK)
			return n.err == ERR_TIMEDOUT ? OK : n.err;
		if (key == 'q' || key == 'Q')
			return ERR_CANCELED;
		if (key == ' ')
			return OK;
	}
	return shell_sleep(c, until);
}

static int top_run(struct shell_call *c)
{
	struct args a;
	struct cmd_table t;
	int64_t interval = NS_PER_S;
	bool screen = shell_is_terminal(c);
	uint64_t frames = screen ? UINT64_MAX : 1;
	if (!cmd_args(c, &a, "s:d:n:", 0, 0) || !cmd_duration(c, &a, 'd', NS_PER_MS, 3600 * NS_PER_S, &interval) ||
		!cmd_number(c, &a, 'n', 1, INT64_MAX, &frames))
		return 2;
	ps_before_fn *order = ps_order(c, &a, ps_by_cpu);
	if (!order)
		return 2;
	struct ps *ps = ps_begin(c, &t);
	if (!ps)
		return 1;
	bool keys = screen;
	ps_picture(ps);
	enum err err = OK;
	for (uint64_t n = 0; err == OK && n < frames; n++) {
		err = top_wait(c, ktime_add(ps->at, interval), keys);
		if (err == ERR_NODEV) { /* in the background of a terminal there are no keys */
			keys = false;
			err = top_wait(c, ktime_add(ps->at, interval), false);
		}
		if (err == OK)
			err = top_frame(ps, &t, order, screen);
	}
	ps_end(ps, &t);
	return err == ERR_CANCELED ? 0 : cmd_status(err);
}
SHELL_COMMAND(top, .name = STR_INIT("top"), .summary = STR_INIT("watch what the threads take"),
	.usage = STR_INIT("top [-d TIME] [-n FRAMES] [-s KEY]\n"
			  "  -d TIME    from one frame to the next (1s)      -n FRAMES  so many, then the end\n"
			  "  -s KEY     as ps; cpu without it\n"
			  "Keys: q ends, space shows the next frame at once. Into a pipe or file goes one frame.\n"),
	.run = top_run);
