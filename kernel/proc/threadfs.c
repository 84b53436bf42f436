/*
 * threadfs.c - /proc/thread: a directory for each thread, by its id.
 *
 *	TID/status	what it is, what it was promised, what became of it: `name value`, as of the open
 *	TID/ctl		takes lines (threadctl_core.h). A line that is refused is an error of the write, and the
 *			reason can be read back from the same open file; of one that was done, "done", or what
 *			admission said. Several lines in one write: up to the first that is refused.
 *
 * An open file keeps its thread, so that the id means nobody else meanwhile; who has ended takes no deadline.
 * ctl is a device for those who serve files: nothing over the network opens it.
 *
 * Locks: none of its own. Bounds: a page for each open file; a directory is as long as the table of threads.
 */
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/proc_priv.h"
#include "kernel/proc/threadctl_core.h"
#include "kernel/sched/deadline.h"
#include "lib/fmt.h"
#include "lib/initcall.h"

enum threadfs_kind { THREADFS_ROOT, THREADFS_THREAD, THREADFS_CTL, THREADFS_STATUS };

static const struct {
	struct str name;
	enum threadfs_kind kind;
	struct file_stat stat;
} threadfs_files[] = {
	{STR_INIT("ctl"), THREADFS_CTL, {.type = FILE_DEVICE, .mode = 0644, .answers = true}},
	{STR_INIT("status"), THREADFS_STATUS, {.type = FILE_REGULAR, .mode = 0444}},
};
static const struct file_stat threadfs_dir = {.type = FILE_DIR, .mode = 0555};

/* An open file, in a page. */
struct threadfs_open {
	enum threadfs_kind kind;
	struct thread *thread; /* a reference; NULL: the root */
	uint32_t last_tid;     /* root: whose entry was given last */
	size_t len;
	uint8_t text[]; /* status, or the answer to the last line */
};
#define THREADFS_TEXT_MAX (PAGE_SIZE - sizeof(struct threadfs_open))

/* The thread that a path names (a reference to it, NULL: the root) and what of it. ERR_NOENT. */
static enum err threadfs_walk(struct str path, struct thread **thread, enum threadfs_kind *kind, struct file_stat *stat)
{
	struct u64_result tid = str_to_u64(str_cut(&path, '/'), 10);
	*thread = tid.err == OK && tid.value <= UINT32_MAX ? thread_find((uint32_t)tid.value) : NULL;
	if (!*thread)
		return ERR_NOENT;
	*kind = THREADFS_THREAD;
	*stat = threadfs_dir;
	if (path.len == 0)
		return OK;
	for (size_t i = 0; i < countof(threadfs_files); i++)
		if (str_eq(path, threadfs_files[i].name)) {
			*kind = threadfs_files[i].kind;
			*stat = threadfs_files[i].stat;
			return OK;
		}
	thread_detach(*thread);
	return ERR_NOENT;
}

static enum err threadfs_stat(unused void *fs, struct str path, struct file_stat *out)
{
	struct thread *t;
	enum threadfs_kind kind;
	*out = threadfs_dir;
	if (path.len == 0)
		return OK;
	enum err err = threadfs_walk(path, &t, &kind, out);
	if (err == OK)
		thread_detach(t);
	return err;
}

/* ---- status ---- */

static void threadfs_render_deadline(struct abuf *out, const struct deadline_info *d)
{
	fmt(out,
		"runtime_ns %lld\nhigh_runtime_ns %lld\ndeadline_ns %lld\nperiod_ns %lld\nremaining_ns %lld\njobs %llu\n"
		"misses %llu\noverruns %llu\n",
		(long long)d->params.runtime_ns, (long long)d->params.high_runtime_ns,
		(long long)d->params.deadline_ns, (long long)d->params.period_ns, (long long)d->remaining_ns,
		U(d->stats.jobs), U(d->stats.misses), U(d->stats.overruns));
	if (d->stats.lateness_max_ns != INT64_MIN)
		fmt(out, "lateness_max_ns %lld\n", (long long)d->stats.lateness_max_ns);
	fmt(out, "response_max_ns %lld\n", (long long)d->response_max_ns);
}

static void threadfs_render_status(struct thread *t, struct abuf *out)
{
	struct thread_info i;
	struct domain_info domain = {0};
	struct deadline_info d;
	thread_info(t, &i);
	(void)domain_info(i.domain, &domain);
	fmt(out, "tid %u\npid %u\nname %.*s\nstate %.*s\nclass %.*s\npriority %u\neffective_priority %u\ncpu %u\n", i.tid,
		i.pid, (int)i.name_len, i.name, STR_ARG(thread_state_name(&i)), STR_ARG(sched_class_name(i.class)),
		i.priority, i.effective_priority, i.cpu);
	fmt(out, "affinity 0x%llx\ndomain %.*s\ncpu_time_ns %llu\nstack_bytes %llu\nstack_peak_bytes %llu\n", U(i.affinity),
		(int)domain.name_len, domain.name, U(i.cpu_time_ns), U(i.stack_bytes), U(i.stack_peak_bytes));
	if (i.wait.len)
		fmt(out, "wait %.*s\n", STR_ARG(i.wait));
	if (thread_deadline_info(t, &d))
		threadfs_render_deadline(out, &d);
}

/* ---- ctl ---- */

static enum err threadfs_priority(struct thread *t, const struct threadctl *c)
{
	struct thread_info i;
	if (c->priority > PRIO_MAX)
		return ERR_INVAL;
	thread_info(t, &i);
	bool rr = c->class == THREADCTL_RR || (c->class == THREADCTL_SAME && i.class == SCHED_RR);
	return thread_set_priority(t, (uint8_t)c->priority, rr ? SCHED_RR : SCHED_FIFO);
}

/* What admission said, if it was asked. */
static enum err threadfs_judged(enum err err, const struct deadline_verdict *v, struct abuf *answer)
{
	if (deadline_was_judged(err, v))
		admission_report_render(&v->report, v->cpu, answer);
	return err;
}

/* Whom the thread wants to be told of its overruns and misses stays as it was. */
static enum err threadfs_deadline(struct thread *t, const struct threadctl *c, struct abuf *answer)
{
	struct edf_params params = {c->runtime_ns, c->high_runtime_ns, c->deadline_ns, c->period_ns};
	struct deadline_verdict verdict;
	enum err err = deadline_set_params(t, &params, &verdict);
	return threadfs_judged(err, &verdict, answer);
}

/* For a thread with a deadline it is an admission. */
static enum err threadfs_affinity(struct thread *t, const struct threadctl *c, struct abuf *answer)
{
	struct deadline_verdict verdict;
	enum err err = deadline_set_affinity(t, c->affinity, &verdict);
	return threadfs_judged(err, &verdict, answer);
}

static enum err threadfs_domain(struct thread *t, const struct threadctl *c)
{
	struct domain_result d = domain_find(c->domain);
	return d.err == OK ? thread_set_domain(t, d.value) : d.err;
}

static enum err threadfs_do(struct thread *t, const struct threadctl *c, struct abuf *answer)
{
	switch (c->verb) {
	case THREADCTL_PRIORITY:
		return threadfs_priority(t, c);
	case THREADCTL_DEADLINE:
		return threadfs_deadline(t, c, answer);
	case THREADCTL_AFFINITY:
		return threadfs_affinity(t, c, answer);
	case THREADCTL_DOMAIN:
		return threadfs_domain(t, c);
	case THREADCTL_KILL:
		return thread_cancel(t);
	case THREADCTL_VERBS:
		break;
	}
	unreachable();
}

static enum err threadfs_line(void *arg, struct str line, struct abuf *answer)
{
	struct threadfs_open *o = arg;
	struct threadctl c;
	struct str usage;
	enum err err = threadctl_parse(line, &c, &usage);
	if (err == OK)
		return threadfs_do(o->thread, &c, answer);
	fmt(answer, "refused: expected %.*s", STR_ARG(usage));
	return err;
}

/* ---- the server ---- */

static enum err threadfs_open_at(enum threadfs_kind kind, struct thread *t, struct file *f)
{
	struct threadfs_open *o = page_alloc(0);
	if (!o)
		return ERR_NOMEM;
	*o = (struct threadfs_open){.kind = kind, .thread = t};
	if (kind == THREADFS_STATUS) {
		struct abuf text = abuf_of(o->text, THREADFS_TEXT_MAX);
		threadfs_render_status(t, &text);
		o->len = text.len;
	}
	f->state = o;
	return OK;
}

static enum err threadfs_open(unused void *fs, struct str path, unsigned flags, struct file *f)
{
	struct thread *t = NULL;
	enum threadfs_kind kind = THREADFS_ROOT;
	struct file_stat stat;
	enum err err = path.len ? threadfs_walk(path, &t, &kind, &stat) : OK;
	if (err != OK)
		return err;
	err = (flags & OPEN_WRITE) && kind != THREADFS_CTL ? ERR_ACCES : threadfs_open_at(kind, t, f);
	if (err != OK && t)
		thread_detach(t);
	return err;
}

static struct size_result threadfs_read(struct file *f, uint64_t offset, struct wbuf to)
{
	const struct threadfs_open *o = f->state;
	size_t from = (size_t)min(offset, (uint64_t)o->len);
	size_t n = min(to.len, o->len - from);
	memcpy(to.ptr, o->text + from, n);
	return OK_RESULT(size_result, n);
}

static struct size_result threadfs_write(struct file *f, unused uint64_t offset, struct rbuf from)
{
	struct threadfs_open *o = f->state;
	struct abuf answer = abuf_of(o->text, THREADFS_TEXT_MAX);
	struct size_result n = ctl_write(threadfs_line, o, from, &answer);
	o->len = answer.len;
	return n;
}

static enum err threadfs_readdir(struct file *f, size_t i, struct abuf *name, struct file_stat *out)
{
	struct threadfs_open *o = f->state;
	struct thread_info t;
	if (o->kind == THREADFS_ROOT) {
		if (!thread_info_next(i == 0 ? 0 : o->last_tid, &t))
			return ERR_NOENT;
		o->last_tid = t.tid;
		fmt_u64(name, t.tid);
		*out = threadfs_dir;
	} else {
		if (i >= countof(threadfs_files))
			return ERR_NOENT;
		abuf_str_add(name, threadfs_files[i].name);
		*out = threadfs_files[i].stat;
	}
	return abuf_ok(name) ? OK : ERR_NAMETOOLONG;
}

static void threadfs_close(struct file *f)
{
	struct threadfs_open *o = f->state;
	if (o->thread)
		thread_detach(o->thread);
	page_free(o, 0);
}

static const struct fs_ops threadfs_ops = {
	.stat = threadfs_stat,
	.open = threadfs_open,
	.read = threadfs_read,
	.write = threadfs_write,
	.readdir = threadfs_readdir,
	.close = threadfs_close,
};

static enum err threadfs_init(void)
{
	return vfs_mount(S("/proc/thread"), &threadfs_ops, NULL, S("threadfs"));
}
INITCALL(threadfs, threadfs_init, "vfs", "sched", "procfs");
