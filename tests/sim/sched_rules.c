/*
 * sched_rules.c - rules of deadlines, locks and modes that nobody breaks by chance: each is set up, and looked at
 * where it decides.
 *
 * On hart 0 alone where not said otherwise, in virtual time.
 */
#include "tests/sim/world.h"

#define US NS_PER_US
#define MS NS_PER_MS

/* ---- what a second wake in an instance costs ---- */

static struct sem wakes;

/* Half of its budget in a twentieth of its period: what remains fits up to the deadline, and the instance goes on. */
static void is_woken_early(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	host_compute(500 * US);
	self->done = 1;
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(sem_wait(&wakes, KTIME_NEVER), OK);
}

/* Admission has charged one wake for each instance: the others are taken off the budget. */
static void wakes_early(struct sim_thread *self)
{
	const struct sim_thread *woken = self->arg;
	sim_wait_for(woken->done == 1);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(woken->t->state, THREAD_BLOCKED);
		struct deadline_info before = sim_deadline_info(woken->t);
		preempt_disable();
		CHECK_EQ(sem_post(&wakes), OK);
		struct deadline_info after = sim_deadline_info(woken->t);
		preempt_enable();
		CHECK_EQ(after.deadline.ns, before.deadline.ns);
		CHECK_EQ(after.remaining_ns, before.remaining_ns - CONFIG_SCHED_CHARGE_NS);
	}
	CHECK_EQ(sem_post(&wakes), OK);
}

SIMULATION(rules_early_wake_is_paid, 5)
{
	host_even();
	sem_init(&wakes, 0, 4);
	struct sim_thread *woken = sim_spawn(is_woken_early, NULL, 20, SCHED_FIFO, 1);
	sim_spawn(wakes_early, woken, 10, SCHED_FIFO, 1);
}

/* ---- what is told of a server at work ---- */

/* Up to that moment, not up to when it was last charged. */
static void asks_what_is_left(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(5 * MS, 50 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	host_compute(1 * MS);
	struct deadline_info before = sim_deadline_info(thread_current());
	host_compute(1 * MS);
	CHECK(sim_deadline_info(thread_current()).remaining_ns <= before.remaining_ns - 1 * MS);
}

SIMULATION(rules_what_is_left_is_told_while_it_runs, 5)
{
	host_even();
	sim_spawn(asks_what_is_left, NULL, 20, SCHED_FIFO, 1);
}

/* ---- what costs nothing ---- */

/* The first wake: admission has charged it. It ends a wait on whatever hart, by whatever path to the queue. */
static void is_woken_by_its_timer(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(thread_wait_period(), OK);
		CHECK_EQ(thread_current()->server->edf.remaining_ns, 1 * MS);
	}
}

SIMULATION(rules_first_wake_is_charged_by_admission, 5)
{
	sim_spawn(is_woken_by_its_timer, NULL, 20, SCHED_FIFO, 0);
}

/* And what is no wake: to be put into another domain while it is throttled. */
static void is_throttled(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	while (!self->done)
		host_compute(100 * US);
}

SIMULATION(rules_change_of_domain_is_no_wake, 5)
{
	host_even();
	struct domain_attr attr = {.budget_ns = 0};
	struct domain_result d = domain_create(S("group"), &attr);
	CHECK_EQ(d.err, OK);
	struct sim_thread *s = sim_spawn(is_throttled, NULL, 20, SCHED_FIFO, 1);
	sim_begin();
	sim_wait_for(s->t->parked);
	int64_t left = sim_deadline_info(s->t).remaining_ns;
	CHECK_EQ(thread_set_domain(s->t, d.value), OK);
	CHECK_EQ(sim_deadline_info(s->t).remaining_ns, left);
	s->done = 1;
	sim_join_all();
}

/* ---- when a job is released ---- */

#define RELEASES 10

/* By the timer's instant, however late it could be noticed: neither jobs nor instances drift. */
static void is_noticed_late(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	ktime first = thread_current()->server->edf.start;
	for (unsigned i = 1; i <= RELEASES; i++) {
		CHECK_EQ(thread_wait_period(), OK);
		const struct server *s = thread_current()->server;
		CHECK_EQ(s->edf.start.ns, first.ns + i * 10 * MS);
		CHECK_EQ(s->job.release.ns, s->edf.start.ns);
	}
	self->done = 1;
}

static void keeps_it_from_running(struct sim_thread *self)
{
	const struct sim_thread *late = self->arg;
	while (!late->done) {
		preempt_disable();
		host_compute(1 + sim_below(500 * US));
		preempt_enable();
	}
}

SIMULATION(rules_release_is_the_instant_of_the_timer, 5)
{
	host_even();
	struct sim_thread *late = sim_spawn(is_noticed_late, NULL, 20, SCHED_FIFO, 1);
	sim_spawn(keeps_it_from_running, late, 10, SCHED_FIFO, 1);
}

/* ---- two waits that end at once ---- */

static ktime both_end;
static struct sem between;
static uint64_t ends;

static void waits_until_then(struct sim_thread *self)
{
	const int64_t *later_ns = self->arg;
	CHECK_EQ(sleep_until(ktime_add(both_end, *later_ns)), OK);
	self->done = ++ends;
}

/* Entered by the decision that ends the first wait. Nothing that it does would notice the second one. */
static void runs_between(struct sim_thread *self)
{
	const struct sim_thread *best = self->arg;
	CHECK_EQ(sem_wait(&between, KTIME_NEVER), OK);
	ktime until = ktime_add(clock_now(), 1 * MS);
	while (ktime_before(clock_now(), until))
		host_compute(10 * US);
	CHECK_EQ(best->done, 1);
}

static void holds_preemption_off(unused struct sim_thread *self)
{
	preempt_disable();
	CHECK_EQ(sem_post(&between), OK);
	while (ktime_before(clock_now(), ktime_add(both_end, 100 * US)))
		host_compute(10 * US);
	preempt_enable();
}

SIMULATION(rules_second_timeout_is_not_forgotten, 20)
{
	static const int64_t at_once = 0, later = 10 * US;
	host_even();
	sem_init(&between, 0, 1);
	ends = 0;
	both_end = ktime_add(clock_now(), 10 * MS);
	sim_spawn(waits_until_then, (void *)&at_once, 30, SCHED_FIFO, 1);
	struct sim_thread *best = sim_spawn(waits_until_then, (void *)&later, 50, SCHED_FIFO, 1);
	sim_spawn(runs_between, best, 40, SCHED_FIFO, 1);
	sim_spawn(holds_preemption_off, NULL, 20, SCHED_FIFO, 1);
	sim_join_all();
}

/* Of two waits that are over, that of a deadline thread, though the later one: the other thread has not been entered yet. */
static void ends_its_wait_first(struct sim_thread *self)
{
	const struct sim_thread *other = self->arg;
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(sleep_until(ktime_add(both_end, 10 * US)), OK);
	CHECK(other->t->state == THREAD_BLOCKED || other->t->wait_result == ERR_TIMEDOUT);
	self->done = 1;
}

SIMULATION(rules_wait_of_a_deadline_thread_ends_first, 20)
{
	static const int64_t at_once = 0;
	host_even();
	sem_init(&between, 0, 1);
	ends = 0;
	both_end = ktime_add(clock_now(), 10 * MS);
	struct sim_thread *other = sim_spawn(waits_until_then, (void *)&at_once, 30, SCHED_FIFO, 1);
	sim_spawn(ends_its_wait_first, other, 40, SCHED_FIFO, 1);
	sim_spawn(holds_preemption_off, NULL, 20, SCHED_FIFO, 1);
	sim_join_all();
}

/* ---- a wait that ends while another thread begins to wait for a mutex ---- */

#define ROUNDS 50

static struct sem round_begins[2];

static void wakes_meanwhile(struct sim_thread *self)
{
	while (self->done < ROUNDS) {
		CHECK_EQ(sem_wait(&round_begins[0], KTIME_NEVER), OK);
		CHECK_EQ(sleep_until(ktime_add(both_end, sim_below(3000))), OK);
		self->done++;
	}
}

static void waits_for_the_mutex(unused struct sim_thread *self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK_EQ(sem_wait(&round_begins[1], KTIME_NEVER), OK);
		while (ktime_before(clock_now(), both_end))
			host_compute(100);
		sim_lock(&sim_mutex[0]);
		sim_unlock(&sim_mutex[0]);
	}
}

/* Up to the unlock it calls nothing that would notice what was due. */
static void holds_the_mutex(struct sim_thread *self)
{
	const struct sim_thread *best = self->arg;
	for (unsigned i = 1; i <= ROUNDS; i++) {
		sim_lock(&sim_mutex[0]);
		both_end = ktime_add(clock_now(), 10 * US);
		CHECK_EQ(sem_post(&round_begins[0]), OK);
		CHECK_EQ(sem_post(&round_begins[1]), OK);
		host_compute(50 * US);
		CHECK_EQ(best->done, i);
		sim_unlock(&sim_mutex[0]);
	}
}

SIMULATION(rules_timeout_is_not_forgotten_where_a_thread_blocks, 10)
{
	host_even();
	sim_make_mutexes(1);
	sem_init(&round_begins[0], 0, 1);
	sem_init(&round_begins[1], 0, 1);
	struct sim_thread *best = sim_spawn(wakes_meanwhile, NULL, 50, SCHED_FIFO, 1);
	sim_spawn(waits_for_the_mutex, NULL, 30, SCHED_FIFO, 1);
	sim_spawn(holds_the_mutex, best, 20, SCHED_FIFO, 1);
	sim_join_all();
}

/* ---- what the timer does first ---- */

static struct callout hard;
static const struct sim_thread *sleeper;
static bool was_called;

static void comes_before_the_later(unused void *arg)
{
	CHECK_EQ(sleeper->t->state, THREAD_BLOCKED);
	was_called = true;
}

/* With interrupts off until both are due. Or who sleeps for an instant again and again would keep all else from its turn. */
static void lets_both_come_due(unused struct sim_thread *self)
{
	CHECK_EQ(callout_start(&hard, both_end), OK);
	irqflags flags = arch_irq_save();
	while (ktime_before(clock_now(), ktime_add(both_end, 20 * US)))
		host_compute(100);
	arch_irq_restore(flags);
	CHECK_EQ(sleep_ns(1 * MS), OK);
	CHECK(was_called);
}

SIMULATION(rules_timer_serves_the_earliest_first, 5)
{
	static const int64_t later = 10 * US;
	host_even();
	ends = 0;
	was_called = false;
	callout_init(&hard, CALLOUT_HARD, comes_before_the_later, NULL);
	both_end = ktime_add(clock_now(), 10 * MS);
	sleeper = sim_spawn(waits_until_then, (void *)&later, 50, SCHED_FIFO, 1);
	sim_spawn(lets_both_come_due, NULL, 20, SCHED_FIFO, 1);
	sim_join_all();
	callout_stop_wait(&hard);
}

/* ---- yielding ---- */

#define YIELDS_UNTIL (50 * MS)

/* Short as it may be what they run for between two yields, to another one of the same deadline: it is their runtime. */
static void yields_with_a_deadline(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	ktime *from = self->arg;
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(sleep_until(*from), OK);
	while (ktime_before(clock_now(), ktime_add(*from, YIELDS_UNTIL))) {
		host_compute(100);
		sched_yield();
	}
	CHECK(sim_deadline_info(thread_current()).stats.overruns >= YIELDS_UNTIL / (10 * MS));
	self->done = 1;
}

SIMULATION(rules_yields_between_equal_deadlines_are_paid, 3)
{
	host_even();
	ktime from = ktime_add(clock_now(), 20 * MS);
	sim_spawn(yields_with_a_deadline, &from, 20, SCHED_FIFO, 1);
	sim_spawn(yields_with_a_deadline, &from, 20, SCHED_FIFO, 1);
	sim_join_all();
}

/* ---- who asks is told ---- */

static unsigned told[2];

static void counts_events(struct thread *t, enum deadline_event event, void *arg)
{
	CHECK(t == ((struct sim_thread *)arg)->t);
	told[event]++;
}

/* Twice its budget in one job: it is stopped until its deadline, and late. */
static void asks_to_be_told(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	a.notify = counts_events;
	a.arg = self;
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	CHECK(told[DEADLINE_OVERRUN] == 0 && told[DEADLINE_MISSED] == 0);
	host_compute(2 * MS);
	CHECK_EQ(sim_deadline_info(thread_current()).stats.overruns, 1);
	CHECK_EQ(told[DEADLINE_OVERRUN], 1);
	CHECK_EQ(told[DEADLINE_MISSED], 1);
}

SIMULATION(rules_overruns_and_misses_are_told, 5)
{
	host_even();
	told[DEADLINE_OVERRUN] = told[DEADLINE_MISSED] = 0;
	sim_spawn(asks_to_be_told, NULL, 20, SCHED_FIFO, 1);
}

/* ---- new parameters ---- */

/* They give nothing to who has used up what the old ones promised: they begin at the 0-lag time of those. */
static void changes_when_it_has_used_its_share(unused struct sim_thread *self)
{
	struct deadline_attr much = sim_periodic(6 * MS, 10 * MS), less = sim_periodic(5 * MS, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &much, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	ktime begun = thread_current()->server->edf.start;
	host_compute(5 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &less, NULL), OK);
	/* Five of six are used, less what the way into a job may take for nothing: a twentieth is more than that. */
	CHECK(!ktime_before(clock_now(), ktime_add(begun, 8 * MS)));
}

SIMULATION(rules_new_parameters_begin_behind_the_old_ones, 5)
{
	host_even();
	sim_spawn(changes_when_it_has_used_its_share, NULL, 20, SCHED_FIFO, 1);
}

/* ---- the job in which a server comes ---- */

#define SHARE (2 * MS) /* of what it has that the other one uses before it gets its new server */

/* It is released when the server begins: the jobs behind it find whole budgets, as the server's next instances do. */
static void gets_a_server(struct sim_thread *self)
{
	const struct edf_params *p = self->arg;
	if (p->deadline_ns == p->period_ns) {
		struct deadline_attr before = sim_periodic(8 * MS, 20 * MS);
		CHECK_EQ(thread_set_deadline(thread_current(), &before, NULL), OK);
		CHECK_EQ(thread_wait_period(), OK);
		host_compute(SHARE);
	}
	const struct server *s = thread_current()->server, *old = s;
	for (self->done = 1; s == old; s = __atomic_load_n(&thread_current()->server, __ATOMIC_RELAXED))
		host_compute(10 * US);
	struct deadline_info before = sim_deadline_info(thread_current()), after = before;
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(s->job.release.ns, s->edf.start.ns);
		host_compute(p->runtime_ns * 3 / 4);
		CHECK_EQ(thread_wait_period(), OK);
		after = sim_deadline_info(thread_current());
		CHECK_EQ(after.stats.misses, before.stats.misses);
		CHECK_EQ(after.stats.overruns, before.stats.overruns);
	}
}

/* Meets the other one at work, and gives it a server that does not begin at once, and owes nothing. */
static void gives_a_server(struct sim_thread *self)
{
	const struct sim_thread *other = self->arg;
	struct deadline_attr own = sim_periodic(500 * US, 4 * MS), given = {.params = *(struct edf_params *)other->arg};
	if (given.params.deadline_ns < given.params.period_ns)
		own.params.deadline_ns = 3 * MS;
	CHECK_EQ(thread_set_deadline(thread_current(), &own, NULL), OK);
	while (!other->done)
		CHECK_EQ(thread_wait_period(), OK);
	CHECK_EQ(thread_set_deadline(other->t, &given, NULL), OK);
	const struct edf_server *s = &other->t->server->edf;
	CHECK_EQ(s->state, EDF_THROTTLED);
	CHECK_EQ(s->remaining_ns, 0);
	CHECK_EQ(thread_wait_period(), OK);
}

static void server_comes_to_a_job(int64_t deadline_ns)
{
	static struct edf_params given;
	given = (struct edf_params){.runtime_ns = 5 * MS, .deadline_ns = deadline_ns, .period_ns = 20 * MS};
	host_even();
	struct sim_thread *other = sim_spawn(gets_a_server, &given, 20, SCHED_FIFO, 1);
	sim_spawn(gives_a_server, other, 30, SCHED_FIFO, 1);
	sim_join_all();
}

/* It begins when nobody is at work. */
SIMULATION(rules_first_job_is_released_with_its_strict_server, 5)
{
	server_comes_to_a_job(15 * MS);
}

/* It begins at the 0-lag time of the old one. */
SIMULATION(rules_job_is_released_anew_with_new_parameters, 5)
{
	server_comes_to_a_job(20 * MS);
}

/* What was late before the change stays late, and is told. */
static void changes_when_it_is_late(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	a.notify = counts_events;
	a.arg = self;
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	self->done = 1;
	CHECK_EQ(thread_wait_period(), OK);
	CHECK_EQ(sim_deadline_info(thread_current()).stats.misses, 0);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(sim_deadline_info(thread_current()).stats.misses, 1);
	CHECK_EQ(told[DEADLINE_MISSED], 1);
}

static void makes_it_late(struct sim_thread *self)
{
	const struct sim_thread *late = self->arg;
	while (!late->done)
		host_compute(100 * US);
	preempt_disable();
	host_compute(25 * MS);
	preempt_enable();
}

SIMULATION(rules_late_job_stays_late_with_new_parameters, 5)
{
	host_even();
	told[DEADLINE_OVERRUN] = told[DEADLINE_MISSED] = 0;
	struct sim_thread *late = sim_spawn(changes_when_it_is_late, NULL, 20, SCHED_FIFO, 1);
	sim_spawn(makes_it_late, late, 10, SCHED_FIFO, 1);
	sim_join_all();
}

/* ---- handover ---- */

static unsigned order;

static void locks_in_turn(struct sim_thread *self)
{
	sim_lock(&sim_mutex[0]);
	self->done = ++order;
	host_compute(10 * US);
	sim_unlock(&sim_mutex[0]);
}

static void spends(struct sim_thread *self)
{
	host_compute(2 * MS);
	self->done = 1;
}

/* The best of those who wait is barred: the next one who may run has it, not first the one who may not. */
SIMULATION(rules_handover_passes_over_who_is_barred, 5)
{
	host_even();
	sim_make_mutexes(1);
	order = 0;
	struct domain_attr attr = {.budget_ns = 1 * MS, .period_ns = 100 * MS};
	struct domain_result d = domain_create(S("group"), &attr);
	CHECK_EQ(d.err, OK);
	sim_lock(&sim_mutex[0]);
	struct sim_thread *barred = sim_spawn(locks_in_turn, NULL, 30, SCHED_FIFO, 1);
	struct sim_thread *free = sim_spawn(locks_in_turn, NULL, 20, SCHED_FIFO, 1);
	CHECK_EQ(thread_set_domain(barred->t, d.value), OK);
	sim_begin();
	sim_wait_for(barred->t->blocked_on && free->t->blocked_on);
	struct sim_thread *spender = sim_spawn(spends, NULL, 40, SCHED_FIFO, 1);
	CHECK_EQ(thread_set_domain(spender->t, d.value), OK);
	sim_begin();
	sim_wait_for(sched_hart[0].spent >> d.value & 1);
	sim_unlock(&sim_mutex[0]);
	sim_join_all();
	CHECK_EQ(free->done, 1);
	CHECK_EQ(barred->done, 2);
}

/* ---- who goes on when a domain has a budget again ---- */

#define IN_LINE 4 /* one refill puts back so many: UNPARK_MAX */

/*
 * None of them begins before those who stood before it have ended, however often all are put aside meanwhile; it needs
 * three budgets, so there is no period in which it could get by with what is left.
 */
static void stands_in_line(struct sim_thread *self)
{
	CHECK_EQ(order++, self->index);
	for (; self->done < 300; self->done++) {
		host_compute(10 * US);
		CHECK_EQ(order, self->index + 1);
	}
}

/* An equal of another domain, which came when they had been put aside, stands behind them. */
static void came_later(struct sim_thread *self)
{
	const uint64_t *first_had_done = self->arg;
	CHECK_EQ(sem_wait(&wakes, KTIME_NEVER), OK);
	CHECK(sim_threads[0].done > *first_had_done);
}

SIMULATION(rules_unparked_stand_as_they_stood, 10)
{
	struct domain_attr attr = {.budget_ns = 1 * MS, .period_ns = 5 * MS};
	struct domain_result d = domain_create(S("group"), &attr);
	CHECK_EQ(d.err, OK);
	order = 0;
	sem_init(&wakes, 0, 1);
	CHECK_EQ(thread_set_affinity(thread_current(), 1), OK);
	for (unsigned i = 0; i < IN_LINE; i++)
		CHECK_EQ(thread_set_domain(sim_spawn(stands_in_line, NULL, 10, SCHED_FIFO, 1)->t, d.value), OK);
	uint64_t first_has_done;
	sim_spawn(came_later, &first_has_done, 10, SCHED_FIFO, 1);
	sim_begin();
	while (!sim_threads[IN_LINE - 1].t->parked)
		CHECK_EQ(sleep_ns(200 * US), OK);
	CHECK_EQ(order, 1);
	first_has_done = sim_threads[0].done;
	CHECK_EQ(sem_post(&wakes), OK);
	while (sim_threads[0].t->parked) /* until the refill has put them back nobody else gets the hart */
		host_compute(10 * US);
	sim_join_all();
	CHECK_EQ(order, IN_LINE);
}

/* ---- the mode ---- */

#define QUIET_MS CONFIG_SCHED_MODE_QUIET_MS
#define JOBS     (3 * QUIET_MS / 10)

/* The quiet time ends while it is at work: the mode stays as it is to the end of the job. */
static void works_when_quiet_ends(struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(1 * MS, 10 * MS);
	a.params.high_runtime_ns = 4 * MS;
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	for (unsigned i = 0; i < JOBS; i++) {
		bool high = thread_current()->hart->high;
		host_compute(3 * MS);
		CHECK(thread_current()->hart->high || !high);
		self->done += thread_current()->hart->high;
		CHECK_EQ(thread_wait_period(), OK);
	}
	CHECK_EQ(sim_deadline_info(thread_current()).stats.misses, 0);
	CHECK_EQ(self->done, JOBS);
}

SIMULATION(rules_mode_is_lowered_only_where_nobody_is_active, 3)
{
	host_even();
	sim_spawn(works_when_quiet_ends, NULL, 20, SCHED_FIFO, 1);
}

/* Whoever takes more than its LO runtime in every job keeps the mode raised: it was not quiet. */
SIMULATION(rules_mode_stays_while_lo_runtimes_are_exceeded, 3)
{
	struct deadline_hart_info info;
	host_even();
	sim_spawn(works_when_quiet_ends, NULL, 20, SCHED_FIFO, 1);
	sim_join_all();
	deadline_hart_info(0, &info);
	CHECK_EQ(info.raised, 1);
}

/* ---- what a LO domain may not have ---- */

static void is_refused_what_is_for_others(struct sim_thread *self)
{
	uint8_t low = *(uint8_t *)self->arg;
	struct deadline_attr two = sim_periodic(1 * MS, 10 * MS), one = two;
	struct domain_attr attr = {.low = false};
	two.params.high_runtime_ns = 2 * MS;
	CHECK_EQ(thread_set_deadline(thread_current(), &two, NULL), ERR_INVAL);
	CHECK_EQ(thread_set_deadline(thread_current(), &one, NULL), OK);
	CHECK_EQ(thread_set_domain(thread_current(), DOMAIN_SYSTEM), ERR_BUSY);
	CHECK_EQ(domain_set(low, &attr), ERR_BUSY);
	CHECK_EQ(thread_set_priority(thread_current(), 20, SCHED_FIFO), OK);
	CHECK_EQ(thread_set_domain(thread_current(), DOMAIN_SYSTEM), OK);
	CHECK_EQ(thread_set_deadline(thread_current(), &two, NULL), OK);
	CHECK_EQ(thread_set_domain(thread_current(), low), ERR_BUSY);
}

SIMULATION(rules_of_low_domains, 5)
{
	struct domain_attr attr = {.low = true};
	struct domain_result d = domain_create(S("low"), &attr);
	CHECK_EQ(d.err, OK);
	struct sim_thread *s = sim_spawn(is_refused_what_is_for_others, &d.value, 20, SCHED_FIFO, 0);
	CHECK_EQ(thread_set_domain(s->t, d.value), OK);
	sim_join_all();
	sim_settle();
	CHECK_EQ(sleep_ns(20 * MS), OK); /* its bandwidth has been given back */
	attr.low = false;
	CHECK_EQ(domain_set(d.value, &attr), OK);
}

/* ---- notes for the log ---- */

static unsigned lines_lost, lines_overrun;

static void counts_lines(struct str line)
{
	lines_lost += str_find(line, S("notes of the scheduler are not written")) < line.len;
	lines_overrun += str_find(line, S("has spent its runtime")) < line.len;
}

static void overruns_once(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(100 * US, 10 * MS);
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
	CHECK_EQ(thread_wait_period(), OK);
	while (sim_deadline_info(thread_current()).stats.overruns == 0)
		host_compute(10 * US);
	self->done = 1;
}

static void keeps_the_log_waiting(unused struct sim_thread *self)
{
	host_compute(60 * MS);
}

/* More than there is place for: some are written, and how many are not. */
SIMULATION(rules_notes_left_out_are_counted, 3)
{
	host_even();
	sim_on_log = counts_lines;
	lines_lost = lines_overrun = 0;
	for (unsigned i = 0; i < NOTES_MAX + 2; i++)
		sim_spawn(overruns_once, NULL, 20, SCHED_FIFO, 1);
	sim_begin();
	CHECK_EQ(sleep_ns(5 * MS), OK);
	sim_spawn(keeps_the_log_waiting, NULL, PRIO_MAX, SCHED_FIFO, 1);
	sim_join_all();
	sim_spawn(overruns_once, NULL, 20, SCHED_FIFO, 1); /* its line says it */
	sim_join_all();
	sim_settle();
	CHECK(lines_overrun >= NOTES_MAX);
	CHECK_EQ(lines_lost, 1);
}

/* ---- how many servers there may be ---- */

/* What is given up keeps its place until its 0-lag time: one thread takes them all. */
static void takes_every_server(unused struct sim_thread *self)
{
	struct deadline_attr a = sim_periodic(500 * US, 10 * NS_PER_S);
	for (unsigned i = 0; i < CONFIG_SCHED_DEADLINE_MAX; i++) {
		CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), OK);
		CHECK_EQ(thread_set_priority(thread_current(), 20, SCHED_FIFO), OK);
	}
	/* Of one hart so many are all that its admission takes. */
	CHECK_EQ(thread_set_deadline(thread_current(), &a, NULL), cpu_count() == 1 ? ERR_NOSPC : ERR_NOMEM);
	CHECK(!thread_current()->server && thread_current()->base_priority == 20);
}

SIMULATION(rules_no_more_servers_than_there_may_be, 3)
{
	host_even();
	sim_spawn(takes_every_server, NULL, 20, SCHED_FIFO, 0);
}
