/*
 * sched_bench.c - what switching and the uncontended and handed-over cases of
 * synchronization cost, in instructions of one hart. The loop around each is
 * measured empty and taken off.
 */
#include "kernel/diag/bench.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/sem.h"

#define SAMPLES 200
#define BATCH   16

static uint64_t sample[SAMPLES];
static struct sem ping, pong;
static struct mutex m;
static bool stop;

static struct thread *bench_thread(void (*entry)(void *), unsigned priority)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("bench"),
		.entry = entry,
		.priority = (uint8_t)priority,
		.class = SCHED_FIFO,
		.affinity = 1,
	});
	return r.err == OK ? r.value : NULL;
}

/* Runs `code` BATCH times a sample; one report, per run of `code` divided by `share`. */
#define BENCH_LOOP(name, share, code)                                                              \
	do {                                                                                       \
		uint64_t empty = arch_instret();                                                   \
		for (volatile unsigned i = 0; i < BATCH; i++)                                      \
			;                                                                          \
		empty = arch_instret() - empty;                                                    \
		for (size_t s = 0; s < SAMPLES; s++) {                                             \
			uint64_t begin = arch_instret();                                           \
			for (volatile unsigned i = 0; i < BATCH; i++) {                            \
				code;                                                              \
			}                                                                          \
			sample[s] = (arch_instret() - begin - empty) / (BATCH * (share));          \
		}                                                                                  \
		bench_report(name, "instructions", sample, SAMPLES);                               \
	} while (0)

static void yield_body(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		sched_yield();
}

/* Two threads of one priority: each yield of the first is two switches. */
BENCH(switch_yield)
{
	stop = false;
	struct thread *t = bench_thread(yield_body, PRIO_NORMAL);
	if (!t)
		return;
	BENCH_LOOP("switch_yield", 2, sched_yield());
	stop = true;
	if (thread_join(t, KTIME_NEVER) != OK)
		return;
}

BENCH(mutex_pair)
{
	mutex_init(&m, LOCK_TEST_MUTEX);
	BENCH_LOOP("mutex_pair", 1, mutex_lock(&m); mutex_unlock(&m));
}

BENCH(sem_pair)
{
	sem_init(&ping, 1, 1);
	BENCH_LOOP("sem_pair", 1, if (sem_wait(&ping, KTIME_NEVER) == OK) sem_post(&ping));
}

static void pong_body(void *arg)
{
	(void)arg;
	while (sem_wait(&ping, KTIME_NEVER) == OK && !stop)
		sem_post(&pong);
}

BENCH(sem_ping_pong)
{
	sem_init(&ping, 0, 1);
	sem_init(&pong, 0, 1);
	stop = false;
	struct thread *t = bench_thread(pong_body, PRIO_NORMAL);
	if (!t)
		return;
	BENCH_LOOP("sem_ping_pong", 1, sem_post(&ping); if (sem_wait(&pong, KTIME_NEVER) != OK) return );
	stop = true;
	sem_post(&ping);
	if (thread_join(t, KTIME_NEVER) != OK)
		return;
}

static void nothing(void *arg)
{
	(void)arg;
}

BENCH(thread_create_join)
{
	BENCH_LOOP("thread_create_join", 1, {
		struct thread *t = bench_thread(nothing, PRIO_NORMAL + 1);
		if (!t || thread_join(t, KTIME_NEVER) != OK)
			return;
	});
}
