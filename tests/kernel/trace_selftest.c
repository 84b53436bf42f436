/*
 * trace_selftest.c - no hart runs a thread while a more urgent one waits for it, beyond one IPI.
 *
 * A load of every kind runs on all harts and is traced; the trace is judged by trace_check_core.c, which knows
 * nothing of the scheduler but the records. Independent of the host's speed: a round ends when a ring of the trace is
 * three quarters full, not at an instant, and what is judged is the order of events. Only with CONFIG_TRACE.
 */
#include "kernel/diag/selftest.h"
#include "kernel/diag/diag.h"
#include "kernel/diag/trace_check_core.h"
#include "kernel/fs/fs.h"
#include "kernel/sched/deadline.h"
#include "tests/kernel/sync_selftest.h"

#define PATIENCE_NS (100 * NS_PER_S)
#define ROUNDS      6
#define ROUNDS_MAX  60 /* until everything there is to be judged was there */
#define FILL        75
#define FILL_LAST   30
#define FULL        99
#define LAST_ROUNDS 5
#define MOVERS      8
#define MUTEXES     3
#define CONTROLLED  (MOVERS + 2)

static struct trace_check check;
static struct trace_merge merge;
static struct trace_check_stats seen;
static struct mutex mutex[MUTEXES];
static struct sem sem[MOVERS];
static struct thread *load[32];
static size_t loads;
static bool stop;
static uint8_t group;

static bool load_goes_on(void)
{
	return !__atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static void load_spin(uint64_t turns)
{
	for (volatile uint64_t i = 0; i < turns; i++)
		;
}

static void load_sleep(uint64_t *seed, int64_t up_to_ns)
{
	ST_CHECK(sleep_ns((int64_t)(st_random(seed) % (uint64_t)up_to_ns)) == OK);
}

/* Ordinary threads, which any hart may run: they wake each other, from all harts, and lend each other their priorities. */
static void load_move(void *arg)
{
	uint64_t self = (uintptr_t)arg, seed = self + 1;
	while (load_goes_on()) {
		uint64_t what = st_random(&seed);
		struct mutex *outer = &mutex[what % MUTEXES], *inner = &mutex[MUTEXES - 1];
		switch (what >> 8 & 3) {
		case 0:
			load_sleep(&seed, 300 * NS_PER_US);
			break;
		case 1:
			sem_post(&sem[what >> 16 & (MOVERS - 1)]);
			(void)!sem_wait(&sem[self], ktime_add(clock_now(), 500 * NS_PER_US));
			break;
		default:
			mutex_lock(outer);
			load_spin(what >> 20 & 1023);
			if (inner != outer) {
				mutex_lock(inner);
				load_spin(what >> 40 & 1023);
				mutex_unlock(inner);
			}
			mutex_unlock(outer);
		}
		load_spin(what >> 30 & 4095);
	}
}

/* With a deadline; the one with an odd number takes more than it was promised, now and then. All lend their deadlines. */
static void load_deadline(void *arg)
{
	uint64_t self = (uintptr_t)arg, seed = self + 100;
	struct deadline_attr a = {.params = {.runtime_ns = 150 * NS_PER_US,
		.deadline_ns = (int64_t)(self + 2) * NS_PER_MS, .period_ns = (int64_t)(self + 2) * NS_PER_MS}};
	ST_REQUIRE(thread_set_deadline(thread_current(), &a, NULL) == OK);
	while (load_goes_on()) {
		uint64_t what = st_random(&seed);
		if (what & 1) {
			mutex_lock(&mutex[0]);
			load_spin(what >> 20 & 1023);
			mutex_unlock(&mutex[0]);
		}
		load_spin(self & 1 && (what & 6) == 0 ? 400000 : what >> 40 & 4095);
		(void)!thread_wait_period();
	}
}

/* Of a domain whose budget is spent in each period. */
static void load_spend(void *arg)
{
	uint64_t seed = (uintptr_t)arg + 200;
	while (load_goes_on()) {
		load_spin(st_random(&seed) & 0x7ffff);
		load_sleep(&seed, 50 * NS_PER_US);
	}
}

static void load_yield(unused void *arg)
{
	while (load_goes_on()) {
		load_spin(20000);
		sched_yield();
	}
}

/* Changes where the others may run, and their priorities; stops them and lets them go on. */
static void load_control(unused void *arg)
{
	uint64_t seed = 300, all = (UINT64_C(1) << cpu_count()) - 1;
	while (load_goes_on()) {
		uint64_t what = st_random(&seed);
		struct thread *t = load[what % CONTROLLED];
		uint64_t cpus = what >> 8 & all;
		switch (what >> 40 & 3) {
		case 0:
			ST_CHECK(thread_set_affinity(t, cpus ? cpus : all) == OK);
			break;
		case 1:
			ST_CHECK(thread_set_priority(t, (uint8_t)(5 + (what >> 16) % 30), SCHED_FIFO) == OK);
			break;
		case 2:
			if (thread_suspend(t) == OK)
				thread_resume(t);
			break;
		default:
			ST_CHECK(thread_set_affinity(t, all) == OK);
		}
		load_sleep(&seed, 400 * NS_PER_US);
	}
}

static void load_start(struct str name, void (*entry)(void *), uintptr_t arg, unsigned priority, enum sched_class class,
	uint8_t domain)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = name,
		.entry = entry,
		.arg = (void *)arg,
		.priority = (uint8_t)priority,
		.class = class,
		.domain = domain,
	});
	ST_REQUIRE(r.err == OK);
	load[loads++] = r.value;
}

/* The first CONTROLLED of them are the controller's. */
static void load_begin(void)
{
	static const struct domain_attr limited = {.budget_ns = 2 * NS_PER_MS, .period_ns = 8 * NS_PER_MS};
	loads = 0;
	stop = false;
	if (group == 0) {
		struct domain_result d = domain_create(S("trace"), &limited);
		ST_REQUIRE(d.err == OK);
		group = d.value;
	}
	for (unsigned i = 0; i < MUTEXES; i++)
		mutex_init(&mutex[i], LOCK_TEST_MUTEX);
	for (uintptr_t i = 0; i < MOVERS; i++) {
		sem_init(&sem[i], 0, 1000);
		load_start(S("mover"), load_move, i, 8 + 4 * (unsigned)i, i & 1 ? SCHED_RR : SCHED_FIFO, 0);
	}
	for (uintptr_t i = 0; i < 2; i++)
		load_start(S("yielder"), load_yield, i, 6, SCHED_RR, 0);
	for (uintptr_t i = 0; i < 3; i++)
		load_start(S("spender"), load_spend, i, 12 + 4 * (unsigned)i, SCHED_FIFO, group);
	for (uintptr_t i = 0; i < 6; i++)
		load_start(S("deadline"), load_deadline, i, PRIO_NORMAL, SCHED_FIFO, 0);
	load_start(S("control"), load_control, 0, 45, SCHED_FIFO, 0);
}

static void load_end(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < loads; i++) {
		thread_resume(load[i]);
		ST_CHECK(thread_join(load[i], ktime_add(clock_now(), PATIENCE_NS)) == OK);
	}
}

/* ---- judging ---- */

static void trace_say(const struct trace_record *r)
{
	klog(LOG_ERR, "trace: %lu %ld %u %.*s %u %u %lx %lx %u", r->seq, r->time_ns, r->by,
		STR_ARG(trace_event_name(r->event)), r->cpu, r->tid, r->a, r->b, r->detail);
}

/* What was wrong, and the records before it. */
static void trace_say_wrong(void)
{
	enum { LAST = 120 };
	struct trace_merge m;
	struct trace_record r;
	klog(LOG_ERR, "trace: %.*s at record %lu: thread %u, hart %u", STR_ARG(trace_verdict_name(check.verdict)),
		check.at.seq, check.tid, check.cpu);
	trace_read_begin(&m);
	while (trace_merge_next(&m, &r) && r.seq <= check.at.seq)
		if (r.seq + LAST > check.at.seq)
			trace_say(&r);
}

static void seen_add(void)
{
	const struct trace_check_stats *s = &check.stats;
	seen.records += s->records;
	seen.decisions += s->decisions;
	seen.from_other_harts += s->from_other_harts;
	seen.from_interrupts += s->from_interrupts;
	seen.migrations += s->migrations;
	seen.parked += s->parked;
	seen.throttled += s->throttled;
	seen.barred += s->barred;
	seen.ranks += s->ranks;
	seen.pairs += s->pairs;
}

static bool seen_enough(void)
{
	bool several = cpu_count() > 1;
	return seen.decisions > 1000 && seen.from_interrupts > 100 && seen.parked > 0 && seen.throttled > 0 &&
	       seen.barred > 0 && seen.ranks > 100 &&
	       (!several || (seen.from_other_harts > 100 && seen.migrations > 100 && seen.pairs > 1000));
}

/* What was recorded since the last call, up to sequence number `end` or a gap. */
static void trace_judge(uint64_t end)
{
	struct trace_record r;
	while (trace_merge_next(&merge, &r) && r.seq < end && trace_check_input(&check, &r) == TRACE_FINE)
		;
}

static void trace_round_begin(unsigned fill)
{
	trace_set_mode(TRACE_ONCE);
	trace_check_begin(&check, cpu_count());
	trace_read_begin(&merge);
	sched_trace_begin();
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (trace_fill() < fill && ktime_before(clock_now(), until))
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
}

/* One round. False: something was wrong. */
static bool trace_round(void)
{
	trace_round_begin(FILL);
	trace_judge(trace_set_mode(TRACE_OFF));
	seen_add();
	return check.verdict == TRACE_FINE;
}

/*
 * The last one: when the load has ended, nothing may be due that does not come. UNFINISHED, and the rings full: its end did not
 * fit into what was left of them.
 */
static enum trace_verdict trace_last_round(void)
{
	trace_round_begin(FILL_LAST);
	load_end();
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	do {
		ST_CHECK(sleep_ns(10 * NS_PER_MS) == OK);
		trace_judge(UINT64_MAX);
	} while (trace_check_end(&check) == TRACE_UNFINISHED && trace_fill() < FULL && ktime_before(clock_now(), until));
	trace_set_mode(TRACE_OFF);
	seen_add();
	return check.verdict = trace_check_end(&check);
}

/* The load runs before, and has ended after it. */
static bool trace_to_the_end(void)
{
	for (unsigned n = 0; n < LAST_ROUNDS; n++) {
		if (n > 0)
			load_begin();
		if (trace_last_round() != TRACE_UNFINISHED || trace_fill() < FULL)
			break;
	}
	return check.verdict == TRACE_FINE;
}

SELFTEST(trace_shows_no_inversion)
{
	if (!config_on(CONFIG_TRACE))
		return;
	bool fine = true;
	memset(&seen, 0, sizeof(seen));
	ST_CHECK(thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO) == OK);
	load_begin();
	for (unsigned n = 0; fine && n < ROUNDS_MAX && (n < ROUNDS || !seen_enough()); n++)
		fine = trace_round();
	if (!fine) {
		trace_say_wrong();
		load_end();
	} else if (!trace_to_the_end()) {
		fine = false;
		trace_say_wrong();
	}
	trace_set_mode(TRACE_ON);
	ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
	ST_CHECK(fine);
	ST_CHECK(seen_enough());
	klog(LOG_INFO, "trace: %lu records, %lu decisions; enqueued %lu from other harts, %lu in interrupts; %lu migrations, "
		"%lu ranks", seen.records, seen.decisions, seen.from_other_harts, seen.from_interrupts, seen.migrations, seen.ranks);
	klog(LOG_INFO, "trace: %lu parked, %lu throttled, %lu barred; %lu pairs of a thread and a hart", seen.parked,
		seen.throttled, seen.barred, seen.pairs);
}

/* ---- /proc/trace ---- */

static char file_text[128 * 1024];

static struct str trace_file(void)
{
	size_t len = 0;
	struct file_result f = vfs_open(S("/proc/trace"), OPEN_READ);
	if (f.err != OK)
		return STR_EMPTY;
	for (struct size_result n = {.value = 1}; n.err == OK && n.value; len += n.err == OK ? n.value : 0)
		n = vfs_read(f.value, len, wbuf_of((uint8_t *)file_text + len, sizeof(file_text) - len));
	vfs_close(f.value);
	return str_of(file_text, len);
}

/* How many records the file shows; they go on with number *next or, where some were lost, a later one. */
static unsigned trace_file_records(uint64_t *next)
{
	struct str text = trace_file();
	unsigned records = 0, gaps = 0;
	ST_CHECK(str_eq(str_cut(&text, '\n'), S("seq time_ns by event cpu tid a b detail")));
	while (text.len) {
		struct str line = str_cut(&text, '\n'), word = str_cut(&line, ' ');
		if (str_eq(word, S("lost"))) {
			ST_CHECK(text.len == 0 && (gaps == 0 || !str_eq(line, S("0"))));
			return records;
		}
		struct u64_result n = str_to_u64(word, 10);
		ST_CHECK(n.err == OK && n.value >= *next);
		gaps += n.value != *next;
		*next = n.value + 1;
		records++;
	}
	ST_CHECK(false); /* it has no end */
	return records;
}

/* Opened again and again it shows each record once, and then, on one hart, only what its own reading made. */
SELFTEST(trace_file_goes_on_where_it_stopped)
{
	enum { LINES = 1024, OPENINGS = 100 };
	uint64_t next = 0;
	if (!config_on(CONFIG_TRACE))
		return;
	trace_set_mode(TRACE_OFF);
	unsigned n = LINES;
	for (unsigned i = 0; i < OPENINGS && n == LINES; i++)
		n = trace_file_records(&next);
	ST_CHECK(n < LINES && next > 0);
	unsigned late = 0; /* what another hart was about to write when it was turned off */
	for (unsigned i = 0; i < 10; i++)
		late += trace_file_records(&next);
	ST_CHECK(late < cpu_count());
	trace_set_mode(TRACE_ON);
	for (unsigned i = 0; i < 10; i++)
		ST_CHECK(sleep_ns(100 * NS_PER_US) == OK);
	n = trace_file_records(&next);
	ST_CHECK(n > 0 && n < LINES);
}
