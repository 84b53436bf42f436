/*
 * sched_deadline.c - deadline threads, domains and modes on virtual harts, in virtual time.
 *
 * Here every step of the kernel takes some time too, much more than on a machine, and
 * not charged: so what is asked for leaves room for it, and what is exact about admission is shown by
 * edf_sim. Harts are even where misses are counted.
 */
#include "tests/sim/world.h"

#define US NS_PER_US
#define MS NS_PER_MS

/* ---- who keeps to his runtime meets his deadlines ---- */

struct task {
	struct deadline_attr attr;
	int64_t needs_ns;
	unsigned jobs;
};
static struct task task[SIM_THREADS_MAX];
static uint32_t tasks_left;
static ktime hogs_until;

static void keeps_deadlines(struct sim_thread *self)
{
	struct task *own = self->arg;
	CHECK_EQ(thread_set_deadline(thread_current(), &own->attr, NULL), OK);
	for (unsigned i = 0; i < own->jobs; i++) {
		CHECK_EQ(thread_wait_period(), OK);
		host_compute(1 + sim_below((uint32_t)own->needs_ns));
	}
	CHECK_EQ(thread_wait_period(), OK);
	struct deadline_info info = sim_deadline_info(thread_current());
	CHECK_EQ(info.stats.misses, 0);
	CHECK_EQ(info.stats.overruns, 0);
	CHECK_EQ(info.stats.jobs, own->jobs + 1); /* and the one that set it up */
	CHECK(info.stats.lateness_max_ns < 0);
	tasks_left--;
}

static void hogs(unused struct sim_thread *self)
{
	while (tasks_left > 0 && ktime_before(clock_now(), hogs_until))
		host_compute(300 * US);
}

/*
 * A step of the kernel takes as long as other harts compute before it is this one's turn again. For all steps of a job, which
 * its runtime pays, that was up to half a millisecond in 100,000 jobs; so more than twice that is left beside what it needs.
 */
static void spawn_tasks(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int64_t period = (int64_t)(8 + sim_below(7)) * MS;
		task[i] = (struct task){.attr = sim_periodic(period / 5, period), .needs_ns = period / 20, .jobs = 6};
		if (sim_chance(3))
			task[i].attr.params.deadline_ns = period * 2 / 3;
		sim_spawn(keeps_deadlines, &task[i], sim_some_priority(), sim_some_class(), 0);
	}
	tasks_left += n;
	hogs_until = ktime_add(clock_now(), 200 * MS);
}

SIMULATION(deadline_is_met_beside_whoever_never_stops, 6)
{
	host_even();
	spawn_tasks(3 * cpu_count());
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sim_spawn(hogs, NULL, PRIO_MAX, SCHED_FIFO, UINT64_C(1) << cpu);
}

/* A timed wait for a mutex that timed out says nothing about when the next job is released. */
static struct sem stale_sem, stale_go;

static void times_out_at_a_mutex(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 4 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	CHECK_EQ(sim_lock_until(&sim_mutex[0], ktime_add(clock_now(), 500 * US)), ERR_TIMEDOUT);
	CHECK_EQ(sem_post(&stale_go), OK);
	CHECK_EQ(sem_wait(&stale_sem, KTIME_NEVER), OK);
	const struct server *s = thread_current()->server;
	CHECK(ktime_before(clock_now(), edf_deadline(&s->edf)));
	CHECK_EQ(s->job.stats.misses, 0);
}

static void holds_and_posts(unused struct sim_thread *self)
{
	sim_lock(&sim_mutex[0]);
	CHECK_EQ(sem_wait(&stale_go, KTIME_NEVER), OK);
	CHECK_EQ(sleep_ns(50 * MS), OK);
	CHECK_EQ(sem_post(&stale_sem), OK);
	sim_unlock(&sim_mutex[0]);
}

SIMULATION(deadline_release_is_not_that_of_a_mutex_timeout, 10)
{
	host_even();
	sim_make_mutexes(1);
	sem_init(&stale_sem, 0, 1);
	sem_init(&stale_go, 0, 1);
	sim_spawn(holds_and_posts, NULL, 30, SCHED_FIFO, 1);
	sim_spawn(times_out_at_a_mutex, NULL, 20, SCHED_FIFO, 1);
}

/* Woken again and again before its server has begun, it owes nothing for that. */
static struct sem late_sem;

static void begins_late(unused struct sim_thread *self)
{
	CHECK_EQ(sem_wait(&late_sem, KTIME_NEVER), OK);
}

static void keeps_the_hart_busy(struct sim_thread *self)
{
	struct deadline_attr strict = sim_periodic(5 * MS, 20 * MS), late = sim_periodic(1 * MS, 20 * MS);
	struct thread *other = ((struct sim_thread *)self->arg)->t;
	strict.params.deadline_ns = 15 * MS;
	CHECK_EQ(thread_set_deadline(thread_current(), &strict, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	CHECK_EQ(thread_set_deadline(other, &late, NULL), OK);
	const struct edf_server *s = &other->server->edf;
	CHECK_EQ(sem_post(&late_sem), OK);
	for (int i = 0; i < 20 && edf_is_waiting(s); i++) {
		CHECK_EQ(thread_suspend(other), OK);
		thread_resume(other);
		CHECK_EQ(s->remaining_ns, 0);
		self->done++;
	}
	CHECK_EQ(self->done, 20);
}

SIMULATION(deadline_server_that_waits_owes_nothing, 5)
{
	host_even();
	sem_init(&late_sem, 0, 1);
	struct sim_thread *late = sim_spawn(begins_late, NULL, 30, SCHED_FIFO, 1);
	sim_spawn(keeps_the_hart_busy, late, 20, SCHED_FIFO, 1);
}

/* It cannot be moved to where it would be admitted: nothing has changed. */
static void cannot_be_moved(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(3 * MS, 4 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	preempt_disable();
	self->done = 1;
	host_compute(250 * MS);
	self->done = 2;
	preempt_enable();
	sim_wait_for(self->done == 3);
	CHECK_EQ(sim_deadline_info(thread_current()).cpu, 0);
	CHECK_EQ(thread_wait_period(), OK);
}

SIMULATION(deadline_is_kept_where_a_thread_cannot_be_moved, 2)
{
	struct sim_thread *stays;
	if (cpu_count() == 1)
		return;
	host_even();
	stays = sim_spawn(cannot_be_moved, NULL, 20, SCHED_FIFO, 1);
	CHECK_EQ(thread_set_affinity(thread_current(), 2), OK);
	sim_begin();
	sim_wait_for(stays->done == 1);
	struct deadline_info before = sim_deadline_info(stays->t);
	CHECK_EQ(thread_set_affinity(stays->t, 2), ERR_BUSY);
	CHECK_EQ(stays->done, 1);
	struct deadline_info after = sim_deadline_info(stays->t);
	CHECK_EQ(after.cpu, 0);
	CHECK_EQ(after.params.period_ns, before.params.period_ns);
	CHECK(after.stats.jobs >= before.stats.jobs);
	CHECK_EQ(stays->t->server->allowed, 1);
	struct deadline_hart_info other;
	deadline_hart_info(1, &other);
	CHECK_EQ(other.servers, 0);
	sim_wait_for(stays->done == 2);
	stays->done = 3;
	sim_join_all();
}

/* ---- who does not, hurts himself only ---- */

/* Of a thread bound to its hart: its time as it is shown, less what that hart spent in interrupts. No budget pays for these. */
static int64_t own_time(void)
{
	const struct thread *t = thread_current();
	return t->cpu_time_ns - cpu_of(interrupt_ns, thread_cpu(t));
}

static void overruns(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 5 * MS);
	ktime begin = clock_now();
	enum err err = thread_set_deadline(thread_current(), &a, NULL);
	if (err == ERR_NOSPC) /* the others were first, and filled this hart */
		return;
	CHECK_EQ(err, OK);
	CHECK_EQ(thread_wait_period(), OK);
	int64_t before = own_time();
	while (tasks_left > 0)
		host_compute(100 * US);
	int64_t took = own_time() - before;
	int64_t periods = ktime_diff(clock_now(), begin) / (5 * MS) + 2;
	CHECK(took <= periods * (1 * MS + 50 * US));
	struct deadline_info info = sim_deadline_info(thread_current());
	CHECK(info.stats.overruns + 2 >= (uint64_t)periods / 2);
	CHECK(info.stats.misses > 0);
}

SIMULATION(deadline_overrun_hurts_only_itself, 6)
{
	host_even();
	spawn_tasks(2 * cpu_count());
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sim_spawn(overruns, NULL, 20, SCHED_FIFO, UINT64_C(1) << cpu);
}

/* ---- admission ---- */

static void asks_too_much(unused struct sim_thread *self)
{
	struct deadline_verdict v;
	struct deadline_attr small = sim_periodic(2 * MS, 10 * MS), large = sim_periodic(9 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &small, &v), OK);
	CHECK_EQ(thread_set_affinity(thread_current(), UINT64_C(1) << v.cpu), OK);
	struct thread *other = sim_threads[1].t;
	CHECK_EQ(thread_set_affinity(other, UINT64_C(1) << v.cpu), OK);
	CHECK_EQ(thread_set_deadline(other, &large, &v), ERR_NOSPC);
	CHECK_EQ(v.report.reason, ADMISSION_UTILIZATION);
	CHECK(v.report.instant_ns > 0 && v.report.demand_ns > v.report.supply_ns);
	CHECK(!thread_deadline_info(other, &(struct deadline_info){0}));
	large.params.runtime_ns = 11 * MS;
	CHECK_EQ(thread_set_deadline(other, &large, &v), ERR_INVAL);
	CHECK_EQ(v.report.reason, ADMISSION_RUNTIME_LONG);
	/* Refused, it keeps what it had. */
	large.params.runtime_ns = 9 * MS;
	CHECK_EQ(thread_set_deadline(other, &small, &v), OK);
	CHECK_EQ(thread_set_deadline(other, &large, &v), ERR_NOSPC);
	CHECK_EQ(sim_deadline_info(other).params.runtime_ns, 2 * MS);
	/* What one gives up another gets: at the 0-lag time. */
	CHECK_EQ(thread_set_priority(thread_current(), 20, SCHED_FIFO), OK);
	CHECK_EQ(sleep_ns(20 * MS), OK);
	CHECK_EQ(thread_set_deadline(other, &large, &v), OK);
	self->done = 1;
}

static void waits_for_the_first(unused struct sim_thread *self)
{
	while (!sim_threads[0].done)
		CHECK_EQ(sleep_ns(100 * US), OK);
}

SIMULATION(deadline_admission_refuses_and_changes_nothing, 10)
{
	sim_spawn(asks_too_much, NULL, 20, SCHED_FIFO, 0);
	sim_spawn(waits_for_the_first, NULL, 20, SCHED_FIFO, 0);
}

/* ---- a step is a job, whenever it ends ---- */

/* Kept from running until a moment before its next release, it is done a moment before that or behind it. */
static ktime steps_begun;

static void steps(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(500 * US, 1 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	steps_begun = clock_now();
	struct deadline_info before = sim_deadline_info(thread_current()), now = before;
	for (uint64_t n = 1; n < 60; n++) {
		CHECK_EQ(thread_wait_period(), OK);
		now = sim_deadline_info(thread_current());
		CHECK_EQ(now.stats.jobs, before.stats.jobs + n);
	}
	/* And none more than there were periods. */
	CHECK(ktime_diff(clock_now(), steps_begun) > 58 * MS);
	tasks_left = 0;
}

static void keeps_it_waiting(unused struct sim_thread *self)
{
	while (ktime_is_never(steps_begun))
		CHECK_EQ(sleep_ns(100 * US), OK);
	while (tasks_left) {
		ktime now = clock_now();
		int64_t into = ktime_diff(now, steps_begun) % MS;
		preempt_disable();
		host_compute(2 * MS - into - (int64_t)sim_below(200) * 100);
		preempt_enable();
		host_compute(100 * US);
	}
}

SIMULATION(deadline_step_is_a_job_however_late_it_ends, 10)
{
	host_even();
	tasks_left = 1;
	steps_begun = KTIME_NEVER;
	sim_spawn(steps, NULL, 20, SCHED_FIFO, 1);
	sim_spawn(keeps_it_waiting, NULL, 10, SCHED_FIFO, 1);
}

/* First fit: as many as fit go on the first hart, and a move is an admission. */
static void fills(struct sim_thread *self)
{
	struct deadline_verdict v;
	struct deadline_attr a = sim_periodic(4 * MS, 10 * MS);
	enum err err = thread_set_deadline(thread_current(), &a, &v);
	CHECK(err == OK || err == ERR_NOSPC);
	__atomic_fetch_add(&tasks_left, err == OK, __ATOMIC_RELAXED);
	self->done = err == OK;
	if (err == OK) {
		uint64_t here = UINT64_C(1) << v.cpu, elsewhere = sim_all_harts() & ~here;
		irqflags flags = arch_irq_save();
		CHECK_EQ(arch_cpu(), v.cpu);
		arch_irq_restore(flags);
		CHECK_EQ(thread_wait_period(), OK);
		if (elsewhere)
			CHECK(thread_set_affinity(thread_current(), elsewhere) == ERR_NOSPC || cpu_count() > 1);
	}
}

SIMULATION(deadline_threads_fill_the_harts_in_order, 10)
{
	tasks_left = 0;
	for (unsigned i = 0; i < 2 * cpu_count() + 2; i++)
		sim_spawn(fills, NULL, 20, SCHED_FIFO, 0);
	sim_join_all();
	CHECK(tasks_left >= 2 * cpu_count());
}

/* What is being given up counts until its 0-lag time, beside what has come in its place. */
static void takes_less(struct sim_thread *self)
{
	struct deadline_attr much = sim_periodic(6 * MS, 10 * MS), little = sim_periodic(5 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &much, NULL), OK);
	host_compute(1 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &little, NULL), OK);
	CHECK_EQ(sleep_ns(20 * MS), OK);
	self->done = 1;
	CHECK_EQ(sleep_ns(1 * MS), OK); /* the last look may have begun before */
}

SIMULATION(deadline_figures_count_what_leaves, 5)
{
	struct deadline_hart_info info;
	bool seen = false;
	const struct sim_thread *other = sim_spawn(takes_less, NULL, 20, SCHED_FIFO, 1);
	sim_begin();
	while (!other->done) {
		deadline_hart_info(0, &info);
		seen |= info.servers == 2 && info.leaving == 1 && info.utilization_ppm > info.capacity_ppm;
		CHECK_EQ(sleep_ns(50 * US), OK);
	}
	CHECK(seen);
	CHECK(info.servers == 1 && info.leaving == 0 && info.utilization_ppm <= info.capacity_ppm);
}

/* A change of affinity is an admission with the parameters of that moment, not with those of a moment before. */
/* What leaves may fill a hart, or the table. */
static bool may_be_refused(enum err err)
{
	return err == OK || err == ERR_BUSY || err == ERR_NOSPC || err == ERR_NOMEM;
}

static void changes_parameters(unused struct sim_thread *self)
{
	struct thread *t = sim_threads[2].t;
	int64_t runtime = 0;
	for (unsigned i = 1; i <= 40; i++) {
		struct deadline_attr a = sim_periodic(500 * US + i, 10 * MS);
		enum err err = thread_set_deadline(t, &a, NULL);
		CHECK(may_be_refused(err));
		runtime = err == OK ? a.params.runtime_ns : runtime;
		CHECK_EQ(sleep_ns(1 + sim_below(200000)), OK);
		struct deadline_info info;
		/* On its way to another hart it has none. */
		CHECK(runtime == 0 || !thread_deadline_info(t, &info) || info.params.runtime_ns == runtime);
	}
	sim_threads[2].done = 1;
}

static void changes_affinity(unused struct sim_thread *self)
{
	while (!sim_threads[2].done) {
		enum err err = thread_set_affinity(sim_threads[2].t, sim_some_harts());
		CHECK(may_be_refused(err) || err == ERR_INVAL); /* it has ended */
		CHECK_EQ(sleep_ns(1 + sim_below(100000)), OK);
	}
}

static void is_changed(struct sim_thread *self)
{
	while (!self->done)
		CHECK_EQ(sleep_ns(50 * US), OK);
}

SIMULATION(deadline_parameters_survive_a_change_of_affinity, 10)
{
	sim_spawn(changes_parameters, NULL, 30, SCHED_FIFO, 0);
	sim_spawn(changes_affinity, NULL, 30, SCHED_FIFO, 0);
	sim_spawn(is_changed, NULL, 20, SCHED_FIFO, 0);
}

/* ---- inheritance ---- */

static void holds_for_long(struct sim_thread *self)
{
	sim_lock(&sim_mutex[0]);
	self->done = 1;
	host_compute(600 * US);
	while (self->done == 1 && tasks_left)
		host_compute(50 * US);
	sim_unlock(&sim_mutex[0]);
}

static void needs_it(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(2 * MS, 8 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	CHECK_EQ(sim_threads[0].done, 1);
	sim_threads[0].done = 2;
	sim_lock(&sim_mutex[0]);
	host_compute(100 * US);
	sim_unlock(&sim_mutex[0]);
	self->done = 1;
	CHECK_EQ(thread_wait_period(), OK);
	CHECK_EQ(sim_deadline_info(thread_current()).stats.misses, 0);
	tasks_left = 0;
}

SIMULATION(deadline_is_lent_to_whoever_holds_what_it_needs, 10)
{
	host_even();
	sim_make_mutexes(1);
	tasks_left = 1;
	hogs_until = ktime_add(clock_now(), 100 * MS);
	struct sim_thread *holder = sim_spawn(holds_for_long, NULL, 5, SCHED_FIFO, 0);
	sim_begin();
	sim_wait_for(holder->done == 1);
	sim_spawn(needs_it, NULL, 20, SCHED_FIFO, 0);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sim_spawn(hogs, NULL, 40, SCHED_FIFO, UINT64_C(1) << cpu);
}

/* The owner is slower than the waiter's runtime: it is charged for that, and nobody else is late. */
static void holds_too_long(struct sim_thread *self)
{
	sim_lock(&sim_mutex[0]);
	self->done = 1;
	host_compute(9 * MS);
	sim_unlock(&sim_mutex[0]);
}

static void is_late_for_it(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 5 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	if (sim_chance(2)) {
		sim_lock(&sim_mutex[0]);
		sim_unlock(&sim_mutex[0]);
	} else if (sim_lock_until(&sim_mutex[0], ktime_add(clock_now(), 12 * MS)) == OK) {
		sim_unlock(&sim_mutex[0]);
	}
	CHECK_EQ(thread_wait_period(), OK);
	CHECK(sim_deadline_info(thread_current()).stats.overruns > 0);
	self->done = 1;
}

SIMULATION(deadline_loan_is_no_more_than_the_lender_has, 10)
{
	host_even();
	sim_make_mutexes(1);
	struct sim_thread *holder = sim_spawn(holds_too_long, NULL, 5, SCHED_FIFO, 1);
	sim_begin();
	sim_wait_for(holder->done == 1);
	sim_spawn(is_late_for_it, NULL, 20, SCHED_FIFO, 1);
	CHECK_EQ(sleep_ns(100 * US), OK);
	tasks_left = 0;
	for (unsigned i = 0; i < 2; i++) {
		task[i] = (struct task){.attr = sim_periodic(2 * MS, 6 * MS), .needs_ns = 1 * MS, .jobs = 6};
		sim_spawn(keeps_deadlines, &task[i], 20, SCHED_FIFO, 1);
		tasks_left++;
	}
}

/* ---- domains ---- */

static void uses_its_domain(struct sim_thread *self)
{
	while (tasks_left > 0) {
		host_compute(1 + sim_below(400000));
		self->done++;
		if (sim_chance(8))
			CHECK_EQ(sleep_ns(sim_below(200000)), OK);
	}
}

static void gets_the_rest(struct sim_thread *self)
{
	while (ktime_before(clock_now(), hogs_until)) {
		host_compute(100 * US);
		self->done++;
	}
	tasks_left = 0;
}

static void yields_in_its_domain(struct sim_thread *self)
{
	while (tasks_left > 0) {
		host_compute(250);
		self->done++;
		sched_yield();
	}
}

static void domain_keeps_to_its_budget(void (*member)(struct sim_thread *self), unsigned members)
{
	host_even();
	struct domain_attr attr = {.budget_ns = 2 * MS, .period_ns = 10 * MS};
	struct domain_result d = domain_create(S("group"), &attr);
	CHECK_EQ(d.err, OK);
	tasks_left = 1;
	hogs_until = ktime_add(clock_now(), 60 * MS);
	ktime begin = clock_now();
	for (unsigned i = 0; i < members; i++) {
		struct sim_thread *s = sim_spawn(member, NULL, 50, sim_some_class(), 0);
		CHECK_EQ(thread_set_domain(s->t, d.value), OK);
	}
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sim_spawn(gets_the_rest, NULL, 10, SCHED_FIFO, UINT64_C(1) << cpu);
	sim_begin();
	sim_wait_for(tasks_left == 0);
	int64_t took = 0;
	for (unsigned i = 0; i < members; i++)
		took += sim_threads[i].t->cpu_time_ns;
	int64_t periods = ktime_diff(clock_now(), begin) / (10 * MS) + 2;
	CHECK(took <= periods * (2 * MS + 30 * US) * cpu_count());
	CHECK(sim_threads[0].done > 0 && sim_threads[members].done > 0);
	sim_join_all();
	attr = (struct domain_attr){0};
	CHECK_EQ(domain_set(d.value, &attr), OK);
	CHECK_EQ(domain_set(DOMAIN_SYSTEM, &attr), ERR_INVAL);
}

SIMULATION(domain_takes_no_more_than_its_budget, 8)
{
	domain_keeps_to_its_budget(uses_its_domain, 1 + sim_below(6));
}

/* What they run for between two yields is short, and counts all the same. */
SIMULATION(domain_pays_for_whoever_yields, 3)
{
	domain_keeps_to_its_budget(yields_in_its_domain, 2 * cpu_count());
}

/* A domain that has nothing left does not stop whoever holds what another waits for. */
static void holds_in_a_spent_domain(struct sim_thread *self)
{
	sim_lock(&sim_mutex[0]);
	self->done = 1;
	host_compute(3 * MS); /* of a budget of 1 in 100 */
	sim_unlock(&sim_mutex[0]);
}

static void wants_from_a_spent_domain(struct sim_thread *self)
{
	ktime begin = clock_now();
	sim_lock(&sim_mutex[0]);
	CHECK(ktime_diff(clock_now(), begin) < 50 * MS);
	sim_unlock(&sim_mutex[0]);
	self->done = 1;
}

SIMULATION(domain_spent_does_not_hold_up_a_lock, 10)
{
	host_even();
	sim_make_mutexes(1);
	struct domain_attr attr = {.budget_ns = 1 * MS, .period_ns = 100 * MS};
	struct domain_result d = domain_create(S("group"), &attr);
	CHECK_EQ(d.err, OK);
	struct sim_thread *holder = sim_spawn(holds_in_a_spent_domain, NULL, 20, SCHED_FIFO, 0);
	CHECK_EQ(thread_set_domain(holder->t, d.value), OK);
	sim_begin();
	sim_wait_for(holder->done == 1);
	sim_spawn(wants_from_a_spent_domain, NULL, (uint8_t)(10 + sim_below(30)), SCHED_FIFO, 0);
	sim_begin();
	sim_join_all();
}

/* ---- criticality ---- */

static ktime raised_until;

static void is_critical(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	a.params.high_runtime_ns = 4 * MS;
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	for (unsigned i = 0; i < 4; i++) {
		host_compute(500 * US);
		CHECK_EQ(thread_wait_period(), OK);
	}
	CHECK(!thread_current()->hart->high);
	self->done = 1;
	host_compute(3 * MS);
	CHECK(thread_current()->hart->high);
	raised_until = ktime_add(clock_now(), CONFIG_SCHED_MODE_QUIET_MS * NS_PER_MS - 4 * MS);
	self->done = 2;
	while (thread_current()->hart->high) {
		CHECK_EQ(thread_wait_period(), OK);
		host_compute(200 * US);
	}
	CHECK(!ktime_before(clock_now(), raised_until));
	CHECK_EQ(sim_deadline_info(thread_current()).stats.misses, 0);
	self->done = 3;
}

static void is_dispensable(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(3 * MS, 10 * MS);
	const struct sim_thread *critical = self->arg;
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	while (critical->done < 3) {
		CHECK_EQ(thread_wait_period(), OK);
		/* While the mode is HI it does not get here. */
		CHECK(!thread_current()->hart->high);
		host_compute(1 * MS);
		self->done++;
	}
}

/* Lines are written where nobody has to wait for that. */
static unsigned lines_raised, lines_lowered, lines_overrun;

static void counts_lines(struct str line)
{
	CHECK(thread_current()->arch.preempt_count == 0 && !arch_in_interrupt());
	lines_raised += str_find(line, S("mode HI, because thread")) < line.len;
	lines_lowered += str_find(line, S("mode LO again")) < line.len;
	lines_overrun += str_find(line, S("has spent its runtime on hart 0: 1 overruns and 0 misses")) < line.len;
}

SIMULATION(mode_is_raised_by_an_overrun_and_lowered_when_quiet, 6)
{
	host_even();
	sim_on_log = counts_lines;
	struct domain_attr attr = {.low = true};
	if (sim_chance(2)) /* which is for those without a deadline */
		attr.period_ns = 10 * MS, attr.degraded_ns = 5 * MS;
	struct domain_result d = domain_create(S("low"), &attr);
	CHECK_EQ(d.err, OK);
	struct sim_thread *critical = sim_spawn(is_critical, NULL, 20, SCHED_FIFO, 1);
	struct sim_thread *low = sim_spawn(is_dispensable, critical, 20, SCHED_FIFO, 1);
	CHECK_EQ(thread_set_domain(low->t, d.value), OK);
	sim_begin();
	sim_wait_for(critical->done == 2);
	uint64_t done = low->done;
	CHECK_EQ(sleep_ns(30 * MS), OK);
	CHECK(low->done <= done + 1);
	sim_join_all();
	CHECK(low->done > done);
	struct deadline_hart_info info;
	deadline_hart_info(0, &info);
	CHECK_EQ(info.raised, 1);
	sim_settle();
	CHECK_EQ(lines_raised, 1);
	CHECK_EQ(lines_lowered, 1);
	CHECK_EQ(lines_overrun, 1);
}
