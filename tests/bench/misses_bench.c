/*
 * misses_bench.c - deadline threads that ask for 95% of a hart, and how many deadlines they miss, with the load of load.h
 * beside them: none may be.
 *
 * A set is made from its seed: periods log-uniform between 0.1 and 10 ms, deadline = period, each with a share of the
 * hart between 1 and 12%, added until what is charged for all, the kernel's work and the reserve included, is 95%; the last
 * one is cut to fit. All are released together. Each job executes as many
 * instructions as its runtime has nanoseconds.
 *
 * The same set with load from outside, without end, for scripts/bench.py: long_edf_misses_network.
 *
 * Only under icount, where time is instructions: otherwise a busy host makes any guest miss.
 */
#include "kernel/diag/bench.h"
#include "kernel/diag/diag.h"
#include "kernel/sched/deadline.h"
#include "kernel/sync/sem.h"
#include "lib/prng.h"
#include "tests/bench/load.h"

#define WORKERS_MAX 48
#define FILL_PPM    950000 /* with the reserve */
#define JOBS        100000 /* of a set */
#define LONG_SETS   10
#define FOR_EVER    UINT64_MAX
#define LOOK_NS     (5 * NS_PER_MS)
#define LOOK_NETWORK_NS (100 * NS_PER_MS)
#define SETTLE_NS   (20 * NS_PER_MS) /* two of the longest periods */
#define PERIOD_LEAST_NS    (100 * NS_PER_US)
#define OCTAVES_TIMES_1000 6644 /* log2(100): up to 10 ms */

static struct worker {
	struct thread *thread;
	struct edf_params p;
	uint64_t work; /* instructions of a job */
} workers[WORKERS_MAX];
static size_t worker_count;
static struct sem begin;
static bool stopping; /* atomic */

struct tally {
	uint64_t jobs, misses, overruns;
};

/* n instructions, give or take one. */
static void misses_execute(uint64_t n)
{
	n /= 2;
	if (n > 0)
		__asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+r"(n));
}

static void misses_worker(void *arg)
{
	struct worker *w = arg;
	enum err err = sem_wait(&begin, KTIME_NEVER);
	while (err == OK && !__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
		misses_execute(w->work);
		err = thread_wait_period();
	}
	assert(err == OK);
}

static struct thread *misses_thread(struct worker *w)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("edf_miss"),
		.entry = misses_worker,
		.arg = w,
		.priority = PRIO_NORMAL,
		.class = SCHED_FIFO,
	});
	assert(r.err == OK);
	return r.value;
}

static void misses_stop(void)
{
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < worker_count; i++) {
		enum err err = thread_join(workers[i].thread, KTIME_NEVER);
		assert(err == OK);
	}
}

static void misses_start(void)
{
	sem_init(&begin, 0, WORKERS_MAX);
	stopping = false;
	worker_count = 0;
}

/* 2^(milli / 1000) * ns; between the powers of two by the square, which is good to a percent. */
static int64_t misses_scale(int64_t ns, uint64_t milli)
{
	uint64_t f = milli % 1000;
	return (ns << milli / 1000) * (int64_t)(1000000 + 657 * f + 343 * f * f / 1000) / 1000000;
}

static uint32_t misses_charged_ppm(void)
{
	struct deadline_hart_info h;
	deadline_hart_info(0, &h);
	return h.utilization_ppm + CONFIG_SCHED_RESERVE_PERMILLE * 1000;
}

/* One more, with so much of the hart or what is left; false: nothing is. */
static bool misses_add(struct prng *rng)
{
	struct worker *w = &workers[worker_count];
	int64_t period = misses_scale(PERIOD_LEAST_NS, prng_below(rng, OCTAVES_TIMES_1000 + 1));
	int64_t share = 10000 + (int64_t)prng_below(rng, 110001);
	int64_t left = FILL_PPM - (int64_t)misses_charged_ppm();
	period -= period % 100;
	int64_t runtime = min(share, left) * period / 1000000 - CONFIG_SCHED_CHARGE_NS;
	bool last = left <= share;
	if (runtime < CONFIG_SCHED_RUNTIME_LEAST_NS)
		return !last; /* the next draw may be a longer period */
	*w = (struct worker){.p = {runtime, 0, period, period}};
	w->work = (uint64_t)runtime;
	w->thread = misses_thread(w);
	enum err err = thread_set_deadline(w->thread, &(struct deadline_attr){.params = w->p}, NULL);
	assert(err == OK);
	worker_count++;
	return !last && worker_count < WORKERS_MAX;
}

static struct tally misses_tally(bool print)
{
	struct tally all = {0};
	for (size_t i = 0; i < worker_count; i++) {
		const struct worker *w = &workers[i];
		struct deadline_info info;
		bool has = thread_deadline_info(w->thread, &info);
		assert(has);
		all.jobs += info.stats.jobs;
		all.misses += info.stats.misses;
		all.overruns += info.stats.overruns;
		if (print)
			klog(LOG_INFO, "bench: %ld of %ld ns: %lu jobs, %lu misses, %lu overruns, late %ld, response %ld",
				w->p.runtime_ns, w->p.period_ns, info.stats.jobs, info.stats.misses, info.stats.overruns,
				info.stats.lateness_max_ns, info.response_max_ns);
	}
	return all;
}

/* One set. The caller is more urgent than all that has no deadline. */
static struct tally misses_run(uint64_t seed, uint64_t jobs, int64_t look_ns)
{
	struct prng rng = prng_of(seed);
	struct tally t = {0};
	misses_start();
	while (misses_add(&rng))
		;
	klog(LOG_INFO, "bench: seed %lu: %zu threads, charged with the reserve %u ppm", seed, worker_count,
		misses_charged_ppm());
	/* That they began to wait was a job too: a second wake in its period is taken off their runtime. */
	enum err err = sleep_ns(SETTLE_NS);
	assert(err == OK);
	for (size_t i = 0; i < worker_count; i++)
		sem_post(&begin);
	while (t.jobs < jobs) {
		err = sleep_ns(look_ns);
		assert(err == OK);
		t = misses_tally(false);
		if (jobs == FOR_EVER)
			klog(LOG_INFO, "bench: so far %lu jobs, %lu misses, %lu overruns", t.jobs, t.misses, t.overruns);
	}
	t = misses_tally(true);
	misses_stop();
	err = sleep_ns(SETTLE_NS); /* until their bandwidth is given back */
	assert(err == OK);
	return t;
}

static void misses_measure(const char *name, uint64_t sets)
{
	struct load_figures f = {0};
	uint64_t misses = 0, jobs = 0, overruns = 0;
	enum err err = thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO);
	assert(err == OK);
	bool ok = load_start();
	for (uint64_t seed = 1; ok && seed <= sets; seed++) {
		struct tally t = misses_run(seed, JOBS, LOOK_NS);
		misses += t.misses;
		jobs += t.jobs;
		overruns += t.overruns;
	}
	load_stop(&f);
	err = thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO);
	klog(LOG_INFO, "bench: %lu jobs, %lu misses, %lu overruns; load: %lu requests, %lu failed, %lu bytes, %lu handovers",
		jobs, misses, overruns, f.requests, f.failed, f.bytes, f.handovers);
	if (!ok || err != OK || f.failed != 0 || f.requests == 0 || f.bytes == 0)
		panic("bench: the load has failed");
	bench_report(name, "count", &misses, 1);
}

BENCH(edf_misses_loopback)
{
	misses_measure("edf_misses_loopback", 1);
}

static void misses_never_idle(unused void *arg)
{
	for (;;)
		misses_execute(100000);
}

/*
 * The load comes from outside, and so does the end: scripts/bench.py. Then QEMU lets the clock of an idle guest run
 * on with the host's, by as much as the host comes late; as long as the guest is never idle, time is instructions.
 */
BENCH(long_edf_misses_network)
{
	enum err err = thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO);
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("never_idle"),
		.entry = misses_never_idle,
		.priority = PRIO_MIN,
		.class = SCHED_RR,
	});
	assert(err == OK && r.err == OK);
	misses_run(1, FOR_EVER, LOOK_NETWORK_NS);
}

BENCH(long_edf_misses_loopback)
{
	misses_measure("edf_misses_loopback", LONG_SETS);
}
