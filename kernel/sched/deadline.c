/*
 * deadline.c - who is admitted, where, and how a thread comes under a deadline and out of it again.
 *
 * The table of servers is what is admitted. A change is tested on a copy of one hart's set, preemptible
 * and with nothing locked, and committed only if the table is still the same (admission_version);
 * otherwise it is tested again. So two changes never both pass on what only one of them has room for,
 * and who is refused has changed nothing.
 *
 * Committed, the thread is brought to its hart first, and then gets its server there. One that leaves, or
 * goes to another hart, leaves its bandwidth in the table until its 0-lag time. That of one that is on its way is not
 * given away before it has arrived: where it cannot be moved, it has its old server again.
 *
 * Where all deadlines are periods and no thread has two runtimes, a new server begins at once, and new parameters
 * at the 0-lag time of the old ones: utilization does not care about the past. Otherwise what
 * is pending when a set changes could meet demand that was counted from a fresh start; then the
 * new server, or the new virtual deadlines, begin when no server of the hart is active.
 *
 * Locks: LOCK_ADMISSION for the table; then, apart from it, LOCK_PI and the hart's lock to install.
 */
#include "kernel/lock/lock.h"
#include "kernel/sched/sched_priv.h"

struct spinlock admission_lock = SPINLOCK_INIT(LOCK_ADMISSION);
static struct server servers[CONFIG_SCHED_DEADLINE_MAX]; /* home, task, allowed, low: admission_lock */
static uint64_t admission_version;                        /* admission_lock */
static uint32_t admission_claims;                         /* admission_lock: threads that are just being changed */
/* Of the set that was committed last; admission_lock, read without. */
static uint64_t admission_x[CPU_MAX];
static bool admission_strict[CPU_MAX];

#define COMMIT_TRIES 64 /* each one lost means that somebody else's change went through */
#define MOVE_NS      (200 * NS_PER_MS) /* after so long it cannot be moved: it keeps preemption off */
#define MOVE_WAIT_NS (20 * NS_PER_US)

void deadlines_init(void)
{
	for (size_t i = 0; i < countof(servers); i++)
		refill_init(&servers[i].refill, &servers[i], 0);
	for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++)
		admission_x[cpu] = ADMISSION_X_ONE;
}

void deadline_limits(struct admission_limits *out)
{
	*out = (struct admission_limits){
		.runtime_least_ns = CONFIG_SCHED_RUNTIME_LEAST_NS,
		.period_least_ns = CONFIG_SCHED_PERIOD_LEAST_NS,
		.period_greatest_ns = CONFIG_SCHED_PERIOD_GREATEST_MS * NS_PER_MS,
		.charge_ns = CONFIG_SCHED_CHARGE_NS,
		.reserve_permille = CONFIG_SCHED_RESERVE_PERMILLE,
		.points_max = CONFIG_SCHED_ADMISSION_POINTS,
	};
}

/* ---- the table, with admission_lock held ---- */

static ktime server_leaves_at(const struct server *s)
{
	return (ktime){__atomic_load_n(&s->leaves_at.ns, __ATOMIC_ACQUIRE)};
}

/* It serves nobody any more. */
static bool server_leaves(const struct server *s)
{
	return !ktime_is_never(server_leaves_at(s));
}

static bool server_in_use(struct server *s, ktime now)
{
	if (!s->home)
		return false;
	if (ktime_before(now, server_leaves_at(s)))
		return true;
	s->home = NULL;
	admission_version++;
	return false;
}

static struct server *server_find_free(void)
{
	for (size_t i = 0; i < countof(servers); i++)
		if (!servers[i].home)
			return &servers[i];
	return NULL;
}

bool deadline_any_admitted(void)
{
	ktime now = clock_now();
	if (admission_claims > 0)
		return true;
	for (size_t i = 0; i < countof(servers); i++)
		if (server_in_use(&servers[i], now))
			return true;
	return false;
}

/* ---- the set of one hart ---- */

struct admission {
	struct admission_task task[ADMISSION_TASKS_MAX + 1];
	bool low[ADMISSION_TASKS_MAX + 1];
	size_t count;
	uint64_t version;
	bool mixed;  /* some have two runtimes */
	bool strict; /* or a deadline before the end of the period */
};

static bool task_is_strict(const struct admission_task *t)
{
	return t->high_runtime_ns != 0 || t->deadline_ns != t->period_ns;
}

static void admission_add(struct admission *a, const struct admission_task *task, bool low)
{
	a->task[a->count] = *task;
	a->low[a->count++] = low;
	a->mixed |= task->high_runtime_ns != 0;
	a->strict |= task_is_strict(task);
}

/* With admission_lock held: the part of what follows that concerns s. */
static void admission_look(struct admission *a, struct server *s, const struct hart *home, uint32_t without)
{
	if (!server_in_use(s, clock_now()) || s->home != home)
		return;
	if (s->owner != without || server_leaves(s))
		admission_add(a, &s->task, s->low);
	else
		a->strict |= task_is_strict(&s->task);
}

/*
 * What `home` has; but not what the thread with that id has there now, 0: all. That one is at work up to the change. So
 * many at a time: if the table has changed in between, the version is of before that, and deadline_commit() will see it.
 */
#define SNAPSHOT_STEP 8
static void admission_snapshot(struct admission *a, const struct hart *home, uint32_t without)
{
	bool same = true;
	a->count = 0;
	a->mixed = a->strict = false;
	for (size_t i = 0; i < countof(servers);) {
		irqflags flags = spin_lock_irqsave(&admission_lock);
		same &= i == 0 || a->version == admission_version;
		for (size_t end = min(i + SNAPSHOT_STEP, countof(servers)); i < end; i++)
			admission_look(a, &servers[i], home, without);
		if (same)
			a->version = admission_version;
		spin_unlock_irqrestore(&admission_lock, flags);
	}
}

/* Where one thread has two runtimes, all that are not LO are HI: they go on when the mode is raised. */
static bool admission_test(struct admission *a, struct admission_report *report)
{
	struct admission_limits limits;
	deadline_limits(&limits);
	for (size_t i = 0; a->mixed && i < a->count; i++)
		if (!a->low[i] && a->task[i].high_runtime_ns == 0)
			a->task[i].high_runtime_ns = a->task[i].runtime_ns;
	return admission_check(a->task, a->count, &limits, report);
}

/* ---- on its hart ---- */

static bool hart_is_strict(const struct hart *home)
{
	return __atomic_load_n(&admission_strict[home->cpu], __ATOMIC_RELAXED);
}

/*
 * With home locked: what the set that was committed last asks of all its servers, which is not always the caller's. Of two
 * that were committed, the one that is installed last sees what both are to keep to.
 */
static void servers_adapt(struct hart *home)
{
	uint64_t x = __atomic_load_n(&admission_x[home->cpu], __ATOMIC_RELAXED);
	bool strict = hart_is_strict(home);
	list_for_each(it, &home->servers) {
		struct server *s = list_entry(it, struct server, node);
		int64_t virtual_ns = s->edf.p.deadline_ns;
		if (!s->low)
			virtual_ns = min(virtual_ns, admission_virtual_deadline(x, s->edf.p.period_ns));
		home->idle_wanted |= virtual_ns != s->next_virtual_ns;
		s->next_virtual_ns = virtual_ns;
		s->edf.strict |= strict;
	}
}

static ktime server_zero_lag(const struct server *s)
{
	return edf_zero_lag(&s->edf, CONFIG_SCHED_CHARGE_NS);
}

/* Its bandwidth stays in the table until then. */
static void server_leave_at(struct server *s, ktime at)
{
	__atomic_store_n(&s->leaves_at.ns, at.ns, __ATOMIC_RELEASE);
}

/* With its hart locked and pi_lock held. Its bandwidth stays in the table; when it may go. */
must_check static ktime server_detach(struct hart *h, struct thread *t)
{
	struct server *s = t->server;
	ktime now = clock_now();
	if (h->current == t)
		account_settle(h, now);
	refill_stop(h, &s->refill);
	list_remove(&s->node);
	trace(TRACE_REPLENISH, h->cpu, t->id, 0, 0);
	if (s->errands)
		list_remove(&s->errand);
	s->errands = 0;
	s->thread = NULL;
	t->server = NULL;
	t->attention &= (uint8_t)~THREAD_DEADLINE;
	ktime leaves_at = edf_is_waiting(&s->edf) ? now : ktime_max(now, server_zero_lag(s));
	if (__atomic_load_n(&t->admitting, __ATOMIC_RELAXED)) /* it was not counted: what comes instead begins behind it */
		h->settled_at = ktime_max(h->settled_at, leaves_at);
	enum edf_state before = s->edf.state;
	if (before != EDF_IDLE) {
		if (edf_exceeds_low(&s->edf))
			mode_prolong(h, now);
		edf_sleep(&s->edf);
	}
	server_counted(h, s, before);
	servers_check_idle(h, now);
	return leaves_at;
}

/*
 * With its hart locked and pi_lock held, after its server has come or gone: t stands where it now belongs, and may
 * run on those harts. True: its rank has changed.
 */
static bool deadline_restand(struct hart *h, struct thread *t, uint64_t cpus)
{
	uint64_t before = t->run.rank;
	bool lends = t->state == THREAD_BLOCKED && (thread_wait_flags(t) & WAIT_LENDS);
	bool stood = h->current != t && hart_take(h, t);
	if (t->server && (t->state == THREAD_READY || lends)) /* the server has just come */
		server_first_work(t);
	uint64_t rank = thread_effective_rank(t);
	if (h->current == t) {
		hart_requeue(h, t, rank, cpus);
		hart_bar_current(h);
	} else {
		runq_set_affinity(&t->run, cpus);
		t->run.rank = rank;
		if (stood)
			hart_enqueue(h, t);
	}
	account_changed(h, t);
	return t->run.rank != before;
}

/* With pi_lock held: t has a deadline no more. What served it, and when the bandwidth of that may go; NULL: nothing. */
static struct server *deadline_stop_locked(struct thread *t, ktime *leaves_at)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	struct server *s = t->server;
	bool changed = false;
	if (s) {
		*leaves_at = server_detach(h, t);
		changed = deadline_restand(h, t, s->allowed);
	}
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	if (changed)
		pi_propagate(t);
	return s;
}

void deadline_leave_locked(struct thread *t)
{
	ktime leaves_at;
	struct server *s = deadline_stop_locked(t, &leaves_at);
	if (s)
		server_leave_at(s, leaves_at);
}

/* ---- admission of one thread ---- */

struct deadline_change {
	struct thread *t;
	const struct deadline_attr *attr;
	uint64_t allowed;
	bool low;
	struct server *new;
	bool again; /* `new` is what served t before: it goes on counting */
	/* on the way to another hart: what served t up to then, and when the bandwidth of that may go */
	struct server *old;
	ktime old_leaves_at;
	struct deadline_verdict *verdict;
};

/* Into the table, if that is still what was tested. ERR_BUSY: it is not. */
static enum err deadline_commit(struct deadline_change *c, const struct admission *a, struct hart *home)
{
	irqflags flags = spin_lock_irqsave(&admission_lock);
	enum err err = a->version == admission_version ? OK : ERR_BUSY;
	struct server *s = server_find_free();
	if (err == OK && !s)
		err = ERR_NOMEM;
	if (err == OK) {
		admission_version++;
		s->home = home;
		s->owner = c->t->id;
		s->task = a->task[a->count - 1];
		s->task.high_runtime_ns = c->attr->params.high_runtime_ns;
		s->low = c->low;
		__atomic_store_n(&s->leaves_at.ns, INT64_MAX, __ATOMIC_RELEASE);
		uint64_t x = a->mixed ? c->verdict->report.x : ADMISSION_X_ONE;
		__atomic_store_n(&admission_x[home->cpu], x, __ATOMIC_RELAXED);
		__atomic_store_n(&admission_strict[home->cpu], a->strict, __ATOMIC_RELAXED);
		c->new = s;
	}
	spin_unlock_irqrestore(&admission_lock, flags);
	return err;
}

static enum err deadline_try_hart(void *change, uint32_t cpu, struct admission_report *report)
{
	struct deadline_change *c = change;
	struct hart *home = &sched_hart[cpu];
	struct admission a;
	const struct edf_params *p = &c->attr->params;
	struct admission_task task = {p->runtime_ns, p->high_runtime_ns, p->deadline_ns, p->period_ns};
	for (unsigned n = 0; n < COMMIT_TRIES; n++) {
		admission_snapshot(&a, home, c->t->id);
		admission_add(&a, &task, c->low);
		if (!admission_test(&a, report))
			return ERR_NOSPC;
		enum err err = deadline_commit(c, &a, home);
		if (err != ERR_BUSY)
			return err;
	}
	return ERR_BUSY;
}

static enum err deadline_first_fit(struct deadline_change *c)
{
	uint64_t online = 0;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		online |= (uint64_t)sched_cpu_online(cpu) << cpu;
	return admission_first_fit(c->allowed & online, deadline_try_hart, c, &c->verdict->report, &c->verdict->cpu);
}

/* What was committed is not needed after all. */
static void deadline_withdraw(struct server *s)
{
	irqflags flags = spin_lock_irqsave(&admission_lock);
	s->home = NULL;
	admission_version++;
	spin_unlock_irqrestore(&admission_lock, flags);
}

/* ---- and its installation ---- */

/* t, which neither runs nor is to run, belongs to `home` from now on. */
static void thread_rehome(struct thread *t, struct hart *home)
{
	irqflags flags = arch_irq_save();
	struct hart *h = __atomic_load_n(&t->hart, __ATOMIC_RELAXED);
	hart_lock_pair(h, home);
	if (t->hart == h && t->state != THREAD_READY && h->current != t && (t->run.affinity >> home->cpu & 1)) {
		timeout_move(home, t);
		__atomic_store_n(&t->hart, home, __ATOMIC_RELAXED);
	}
	hart_unlock_pair(h, home);
	sched_leave(flags);
}

/* Between two harts it has no deadline: for as long as the way takes it runs by its priority. */
static void deadline_leave_elsewhere(struct deadline_change *c, const struct hart *home)
{
	spin_lock(&pi_lock);
	if (c->t->server && c->t->server->home != home)
		c->old = deadline_stop_locked(c->t, &c->old_leaves_at);
	spin_unlock(&pi_lock);
}

/* ERR_BUSY: somebody else moves it, again and again. */
static enum err thread_bring_home(struct deadline_change *c, struct hart *home, ktime until)
{
	struct thread *t = c->t;
	deadline_leave_elsewhere(c, home);
	while (ktime_before(clock_now(), until)) {
		enum err err = thread_move(t, UINT64_C(1) << home->cpu, true);
		if (err != OK)
			return err;
		thread_rehome(t, home);
		if (__atomic_load_n(&t->hart, __ATOMIC_RELAXED) == home)
			return OK;
		irqflags flags = arch_irq_save(); /* it runs elsewhere, and has been asked to leave */
		err = thread_block(NULL, flags, ktime_add(clock_now(), MOVE_WAIT_NS), 0, S("move"));
		if (err != ERR_TIMEDOUT)
			return err;
	}
	return ERR_BUSY;
}

/* With its hart locked. It goes on counting where t's last one on this hart stopped. */
static void server_prepare(struct server *s, struct thread *t, struct hart *home, bool again)
{
	struct server *old = t->server;
	bool missed = false;
	if (old) {
		missed = edf_job_overdue(&old->job, &old->edf.p, clock_now()); /* before it is put off */
		s->job = old->job;
		memcpy(s->response, old->response, sizeof(s->response));
		s->response_max_ns = old->response_max_ns;
		server_leave_at(old, server_detach(home, t));
	} else if (again) {
		missed = edf_job_overdue(&s->job, &s->edf.p, clock_now());
	} else {
		edf_job_init(&s->job);
		memset(s->response, 0, sizeof(s->response));
		s->response_max_ns = 0;
	}
	s->logged_at = KTIME_ZERO;
	s->free_ns = 0;
	s->thread = t;
	list_push_back(&home->servers, &s->node);
	if (missed)
		server_send(s, SERVER_MISSED);
}

/* With pi_lock and the home's lock held. True: t's rank has changed. */
static bool server_install(const struct deadline_change *c, struct hart *home)
{
	struct server *s = c->new;
	struct thread *t = c->t;
	bool strict = hart_is_strict(home);
	ktime now = clock_now();
	if (home->current == t)
		account_settle(home, now);
	server_prepare(s, t, home, c->again);
	edf_init(&s->edf, &c->attr->params, strict ? KTIME_NEVER : ktime_max(now, home->settled_at));
	if (home->high)
		edf_raise(&s->edf);
	s->allowed = c->allowed;
	s->notify = c->attr->notify;
	s->notify_arg = c->attr->arg;
	s->next_virtual_ns = s->edf.next_virtual_ns;
	t->server = s;
	t->attention |= THREAD_DEADLINE;
	servers_adapt(home);
	home->idle_wanted |= edf_is_waiting(&s->edf);
	bool changed = deadline_restand(home, t, UINT64_C(1) << home->cpu);
	if (!edf_is_waiting(&s->edf)) /* else it is servers_begin() that knows when */
		edf_job_put_off(&s->job, &s->edf.p, s->edf.state == EDF_ACTIVE ? s->edf.start : edf_replenish_at(&s->edf));
	servers_check_idle(home, clock_now());
	return changed;
}

/* ERR_BUSY: it was moved away once more. */
static enum err deadline_install_try(const struct deadline_change *c)
{
	struct thread *t = c->t;
	enum err err = ERR_BUSY;
	bool changed = false;
	spin_lock(&pi_lock);
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	if (t->exiting) {
		err = ERR_INVAL;
	} else if (h == c->new->home) {
		changed = server_install(c, h);
		err = OK;
	}
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	if (changed)
		pi_propagate(t);
	spin_unlock(&pi_lock);
	return err;
}

static enum err deadline_install(struct deadline_change *c)
{
	ktime until = ktime_add(clock_now(), MOVE_NS);
	enum err err;
	do {
		err = thread_bring_home(c, c->new->home, until);
		if (err == OK)
			err = deadline_install_try(c);
	} while (err == ERR_BUSY && ktime_before(clock_now(), until));
	return err;
}

/* It could not be installed: t is where it was, as it was. */
static void deadline_go_back(struct deadline_change *c)
{
	struct server *old = c->old;
	enum err err;
	if (old) {
		struct deadline_attr attr = {.params = old->edf.p, .notify = old->notify, .arg = old->notify_arg};
		struct deadline_change back = {.t = c->t, .attr = &attr, .allowed = old->allowed, .new = old, .again = true};
		err = deadline_install(&back);
		if (err == OK)
			return;
		server_leave_at(old, c->old_leaves_at); /* t has ended, or got away just now and is held there */
		c->allowed = old->allowed;
	}
	err = thread_move(c->t, c->allowed, true);
	debug_assert(err == OK || c->t->server); /* it is still where it was */
}

/* One change of a thread at a time; false: another is under way. */
must_check static bool deadline_claim(struct thread *t)
{
	irqflags flags = spin_lock_irqsave(&admission_lock);
	bool claimed = !t->admitting;
	if (claimed)
		admission_claims++;
	__atomic_store_n(&t->admitting, true, __ATOMIC_RELAXED);
	spin_unlock_irqrestore(&admission_lock, flags);
	return claimed;
}

static void deadline_unclaim(struct thread *t)
{
	irqflags flags = spin_lock_irqsave(&admission_lock);
	admission_claims--;
	__atomic_store_n(&t->admitting, false, __ATOMIC_RELAXED);
	spin_unlock_irqrestore(&admission_lock, flags);
}

/* What of a thread's present server a change takes over. */
enum deadline_keep { KEEP_NOTHING, KEEP_NOTIFY, KEEP_ATTR };

/* With t's change claimed: what is asked for. False: it has no server, whose parameters were to be kept. */
static bool deadline_change_init(struct deadline_change *c, struct thread *t, struct deadline_attr *attr,
	enum deadline_keep keep)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	const struct server *s = t->server;
	*c = (struct deadline_change){
		.t = t,
		.attr = attr,
		.allowed = s ? s->allowed : t->run.affinity,
		.low = domain_is_low(t->run.domain), /* and stays so: thread_set_domain(), domain_set() */
	};
	if (s && keep == KEEP_ATTR)
		attr->params = s->edf.p;
	if (s && keep != KEEP_NOTHING) {
		attr->notify = s->notify;
		attr->arg = s->notify_arg;
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
	return s || keep != KEEP_ATTR;
}

/*
 * allowed 0: as before. What is kept is looked at with the change claimed, so that no other change comes between; with
 * KEEP_ATTR, ERR_NOENT: there is nothing.
 */
static enum err deadline_admit(struct thread *t, struct deadline_attr *attr, enum deadline_keep keep, uint64_t allowed,
	struct deadline_verdict *verdict)
{
	struct deadline_change c;
	if (!deadline_claim(t))
		return ERR_BUSY;
	if (!deadline_change_init(&c, t, attr, keep)) {
		deadline_unclaim(t);
		return ERR_NOENT;
	}
	c.verdict = verdict;
	if (allowed)
		c.allowed = allowed;
	enum err err = c.low && attr->params.high_runtime_ns ? ERR_INVAL : deadline_first_fit(&c);
	if (err == OK) {
		err = deadline_install(&c);
		if (err != OK) {
			deadline_withdraw(c.new);
			deadline_go_back(&c);
		} else if (c.old) {
			server_leave_at(c.old, c.old_leaves_at);
		}
	}
	deadline_unclaim(t);
	return err;
}

static enum err deadline_change(struct thread *t, const struct deadline_attr *wanted, enum deadline_keep keep,
	struct deadline_verdict *verdict)
{
	struct deadline_verdict unread;
	struct admission_limits limits;
	struct deadline_attr attr = *wanted;
	const struct edf_params *p = &attr.params;
	struct admission_task task = {p->runtime_ns, p->high_runtime_ns, p->deadline_ns, p->period_ns};
	might_sleep();
	if (!verdict)
		verdict = &unread;
	*verdict = (struct deadline_verdict){.cpu = ADMISSION_NOWHERE};
	if (t->attention & THREAD_IDLE)
		return ERR_PERM;
	deadline_limits(&limits);
	verdict->report.reason = admission_validate(&task, &limits);
	if (verdict->report.reason != ADMISSION_ADMITTED)
		return ERR_INVAL;
	return deadline_admit(t, &attr, keep, 0, verdict);
}

enum err thread_set_deadline(struct thread *t, const struct deadline_attr *attr,
	struct deadline_verdict *verdict)
{
	return deadline_change(t, attr, KEEP_NOTHING, verdict);
}

enum err deadline_set_params(struct thread *t, const struct edf_params *params,
	struct deadline_verdict *verdict)
{
	return deadline_change(t, &(struct deadline_attr){.params = *params}, KEEP_NOTIFY, verdict);
}

enum err deadline_set_affinity(struct thread *t, uint64_t cpus, struct deadline_verdict *verdict)
{
	struct deadline_attr attr;
	*verdict = (struct deadline_verdict){.cpu = ADMISSION_NOWHERE};
	cpus &= cpus_present();
	if (cpus == 0)
		return ERR_INVAL;
	if (t->bound || (t->attention & THREAD_IDLE)) /* it does its hart's work, or is what that runs when there is none */
		return ERR_PERM;
	if (t->attention & THREAD_DEADLINE) {
		enum err err = deadline_admit(t, &attr, KEEP_ATTR, cpus, verdict);
		if (err != ERR_NOENT)
			return err;
	}
	return thread_move(t, cpus, false);
}

enum err thread_set_affinity(struct thread *t, uint64_t cpus)
{
	struct deadline_verdict verdict;
	return deadline_set_affinity(t, cpus, &verdict);
}

bool deadline_was_judged(enum err err, const struct deadline_verdict *verdict)
{
	if (err == OK)
		return verdict->cpu != ADMISSION_NOWHERE;
	return verdict->report.reason != ADMISSION_ADMITTED;
}

/*
 * The wait for the release was over before it began: nobody has woken t, so what it does now would
 * be no job, and its next one a period too early.
 */
static noinline enum err deadline_begin_unslept(struct thread *t, enum err err, ktime next)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	struct server *s = t->server;
	if (s && !s->job.going)
		edf_job_begin(&s->job, &s->edf.p, err == OK ? next : clock_now());
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
	return err;
}

/* Its wait for a release has ended, as none ends by a wake. It may have got another server meanwhile, or none. */
static enum err period_give_up(unused void *none, enum err why)
{
	struct thread *t = thread_current();
	const struct server *s = __atomic_load_n(&t->server, __ATOMIC_RELAXED);
	enum err err = why == ERR_TIMEDOUT ? OK : why;
	return likely(s && s->job.going) ? err : deadline_begin_unslept(t, err, t->timeout.when);
}

enum err thread_wait_period(void)
{
	static const struct wait_kind period = {STR_INIT("period"), period_give_up};
	struct thread *t = thread_current();
	might_sleep();
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	struct server *s = t->server;
	if (!s) {
		spin_unlock_raw(&h->lock);
		sched_leave(flags);
		return ERR_INVAL;
	}
	ktime now = clock_now();
	if (s->job.going)
		server_job_end(s, now);
	ktime next = edf_job_next(&s->job, &s->edf.p, now);
	if (!ktime_before(now, next)) { /* due already: no wait between the two */
		edf_job_begin(&s->job, &s->edf.p, next);
		spin_unlock_raw(&h->lock);
		sched_leave(flags);
		return OK;
	}
	spin_unlock_raw(&h->lock);
	return thread_sleep_for(&period, next, flags);
}

/* ---- figures ---- */

bool thread_deadline_info(struct thread *t, struct deadline_info *out)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	const struct server *s = t->server;
	if (s && h->current == t)
		account_settle(h, clock_now());
	if (s) {
		*out = (struct deadline_info){
			.params = s->edf.p,
			.stats = s->job.stats,
			.cpu = h->cpu,
			.state = s->edf.state,
			.remaining_ns = s->edf.remaining_ns,
			.deadline = edf_deadline(&s->edf),
			.response_max_ns = s->response_max_ns,
		};
		memcpy(out->response, s->response, sizeof(out->response));
	}
	spin_unlock_raw(&h->lock);
	sched_leave(flags);
	return s != NULL;
}

bool deadline_info_find(uint32_t tid, struct deadline_info *out)
{
	struct thread *t = thread_find(tid);
	if (!t)
		return false;
	bool has = thread_deadline_info(t, out);
	thread_detach(t);
	return has;
}

struct histogram deadline_response(const struct deadline_info *d)
{
	static_assert(LATENESS_BUCKETS == HISTOGRAM_BUCKETS, "they begin and end at the same times");
	struct histogram h = {.max_ns = d->response_max_ns};
	memcpy(h.count, d->response, sizeof(h.count));
	return h;
}

static uint32_t deadline_leaving(const struct hart *home)
{
	uint32_t n = 0;
	irqflags flags = spin_lock_irqsave(&admission_lock);
	for (size_t i = 0; i < countof(servers); i++)
		n += servers[i].home == home && server_leaves(&servers[i]);
	spin_unlock_irqrestore(&admission_lock, flags);
	return n;
}

void deadline_hart_info(uint32_t cpu, struct deadline_hart_info *out)
{
	struct hart *h = &sched_hart[cpu];
	struct admission a;
	struct admission_limits limits;
	struct admission_report report;
	deadline_limits(&limits);
	admission_snapshot(&a, h, 0); /* what leaves and what comes instead of it: that may be more than would be admitted */
	admission_shares(a.task, a.count, &limits, &report);
	*out = (struct deadline_hart_info){
		.servers = (uint32_t)a.count,
		.leaving = deadline_leaving(h),
		.utilization_ppm = report.utilization_ppm,
		.capacity_ppm = report.capacity_ppm,
		.virtual_scale = admission_x[cpu],
	};
	irqflags flags = spin_lock_irqsave(&h->lock);
	out->high = h->high;
	out->raised = h->raised;
	out->raised_at = h->raised_at;
	out->raised_by = h->raised_by;
	spin_unlock_irqrestore(&h->lock, flags);
}
