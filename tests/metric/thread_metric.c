/*
 * thread_metric.c - the eight Thread-Metric tests.
 *
 * The loops are the benchmark's, for ever, and a question whether to go on would be counted with them. So a
 * thread ends when it finds its counter below zero, which costs no instruction more than a jump back: tm_end()
 * puts it there, again if the thread was just counting.
 */
#include "kernel/mm/mm.h"
#include "kernel/sync/mqueue.h"
#include "kernel/sync/sem.h"
#include "lib/assert.h"
#include "tests/metric/thread_metric.h"

#define ARRAY_WORDS   1024
#define MESSAGE_WORDS 4
#define BLOCK_BYTES   128

static const struct tm_test *running;
static volatile int64_t counter[TM_COUNTERS];
static struct thread *thread[TM_COUNTERS];

static volatile unsigned long array[ARRAY_WORDS];
static struct sem sem;
static struct mqueue queue;
static uint64_t queue_memory[10][MESSAGE_WORDS];
static struct pool *blocks;

/* False: the thread is to end. */
static always_inline bool tm_count(volatile int64_t *c)
{
	return ++*c >= 0;
}

static void basic(unused void *index)
{
	do {
		for (unsigned i = 0; i < ARRAY_WORDS; i++)
			array[i] = (array[i] + (unsigned long)counter[0]) ^ array[i];
	} while (tm_count(&counter[0]));
}

static void cooperative(void *index)
{
	volatile int64_t *c = &counter[(uintptr_t)index];
	do
		sched_yield();
	while (tm_count(c));
}

/* The lowest never suspends itself, the highest resumes nobody. */
static void preemptive(void *index)
{
	size_t i = (uintptr_t)index;
	volatile int64_t *c = &counter[i];
	struct thread *self = thread_current();
	if (i == 0) {
		do
			thread_resume(thread[1]);
		while (tm_count(c));
	} else if (i == TM_COUNTERS - 1) {
		while (tm_count(c))
			thread_suspend(self);
	} else {
		struct thread *next = thread[i + 1];
		thread_resume(next);
		while (tm_count(c)) {
			thread_suspend(self);
			thread_resume(next);
		}
	}
}

/* Taken before the next instruction where this hart is the one it was asked for. */
static always_inline void tm_interrupt_here(void)
{
	arch_ipi_send(arch_cpu(), IPI_TEST);
}

static void interrupt(unused void *index)
{
	do {
		tm_interrupt_here();
		if (sem_wait(&sem, KTIME_NEVER) != OK)
			return;
	} while (tm_count(&counter[0]));
}

/* On several harts two handlers may run at once. */
static void interrupt_handler(void)
{
	__atomic_fetch_add(&counter[1], 1, __ATOMIC_RELAXED);
	sem_post(&sem);
}

static void interrupt_preemption(void *index)
{
	struct thread *self = thread_current();
	if ((uintptr_t)index == 0) {
		do
			tm_interrupt_here();
		while (tm_count(&counter[0]));
	} else {
		while (tm_count(&counter[1]))
			thread_suspend(self);
	}
}

static void interrupt_preemption_handler(void)
{
	__atomic_fetch_add(&counter[2], 1, __ATOMIC_RELAXED);
	thread_resume(thread[1]);
}

static void message(unused void *index)
{
	uint64_t sent[MESSAGE_WORDS] = {1, 2, 3, 4}, received[MESSAGE_WORDS];
	do {
		if (mqueue_send(&queue, sent, KTIME_NEVER) != OK ||
			mqueue_receive(&queue, received, KTIME_NEVER) != OK)
			return;
	} while (tm_count(&counter[0]));
}

static void memory(unused void *index)
{
	do {
		void *block = pool_alloc(blocks);
		if (!block)
			return;
		pool_free(blocks, block);
	} while (tm_count(&counter[0]));
}

/* Without waiting, as in the ports of others. */
static void synchronization(unused void *index)
{
	do {
		if (!sem_try(&sem))
			return;
		sem_post(&sem);
	} while (tm_count(&counter[0]));
}

/* ---- the tests ---- */

static void prepare_empty_sem(void)
{
	sem_init(&sem, 0, INT32_MAX);
}

static void prepare_free_sem(void)
{
	sem_init(&sem, 1, 1);
}

static void prepare_queue(void)
{
	mqueue_init(&queue, queue_memory, sizeof(queue_memory[0]), countof(queue_memory));
}

static void prepare_blocks(void)
{
	blocks = pool_create(S("tm_memory"), BLOCK_BYTES, 8, 256, 0);
	assert(blocks);
}

const struct tm_test tm_tests[TM_COUNT] = {
	[TM_BASIC] = {"tm_basic", NULL, basic, NULL, 1, 1, 0, 0, {0}},
	[TM_COOPERATIVE] = {"tm_cooperative", NULL, cooperative, NULL, 5, 5, 0, 0, {0}},
	[TM_PREEMPTIVE] = {"tm_preemptive", NULL, preemptive, NULL, 5, 5, 0, 1, {0, 1, 2, 3, 4}},
	[TM_INTERRUPT] = {"tm_interrupt", prepare_empty_sem, interrupt, interrupt_handler, 1, 2, 1,
		0, {0}},
	[TM_INTERRUPT_PREEMPTION] = {"tm_interrupt_preemption", NULL, interrupt_preemption,
		interrupt_preemption_handler, 2, 3, 2, 1, {0, 1, 0}},
	[TM_MESSAGE] = {"tm_message", prepare_queue, message, NULL, 1, 1, 0, 0, {0}},
	[TM_MEMORY] = {"tm_memory", prepare_blocks, memory, NULL, 1, 1, 0, 0, {0}},
	[TM_SYNCHRONIZATION] = {"tm_synchronization", prepare_free_sem, synchronization, NULL, 1, 1,
		0, 0, {0}},
};

bool tm_begin(const struct tm_test *test, uint64_t affinity)
{
	running = test;
	memset((void *)counter, 0, sizeof(counter));
	memset(thread, 0, sizeof(thread));
	if (test->prepare)
		test->prepare();
	arch_on_ipi(IPI_TEST, test->on_interrupt);
	/* The most urgent last: it needs nobody, and those below it may look for it at once on another hart. */
	for (size_t i = test->threads; i-- > 0;) {
		struct thread_result r = thread_create(&(struct thread_attr){
			.name = S("metric"),
			.entry = test->entry,
			.arg = (void *)i,
			.priority = (uint8_t)(TM_PRIORITY + i * test->rise),
			.class = SCHED_FIFO,
			.affinity = affinity,
		});
		if (r.err != OK) {
			tm_end();
			return false;
		}
		thread[i] = r.value;
	}
	return true;
}

struct tm_reading tm_read(void)
{
	struct tm_reading r = {.counted = 0};
	for (size_t i = 0; i < running->counters; i++)
		r.counter[i] = counter[i];
	for (size_t i = running->counted_from; i < running->counters; i++)
		r.counted += (uint64_t)r.counter[i];
	return r;
}

bool tm_is_even(const struct tm_reading *r)
{
	int64_t least = INT64_MAX, most = INT64_MIN;
	for (size_t i = 0; i < running->counters; i++) {
		int64_t n = r->counter[i] - running->lead[i];
		least = min(least, n);
		most = max(most, n);
	}
	return most - least <= 1;
}

static uint32_t drained[CPU_MAX];

static void drain_handler(void)
{
	__atomic_store_n(&drained[arch_cpu()], 1, __ATOMIC_RELAXED);
}

/* Behind it no hart runs the test's handler, nor will. */
static void tm_drain(void)
{
	arch_on_ipi(IPI_TEST, drain_handler);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		__atomic_store_n(&drained[cpu], 0, __ATOMIC_RELAXED);
		arch_ipi_send(cpu, IPI_TEST);
		while (!__atomic_load_n(&drained[cpu], __ATOMIC_RELAXED))
			if (sleep_ns(100 * NS_PER_US) != OK)
				break;
	}
}

void tm_end(void)
{
	for (size_t i = 0; i < running->threads; i++) {
		if (!thread[i])
			continue;
		if (i == 1)
			tm_drain(); /* the handler wakes this one; the first, which raises the interrupts, has ended */
		do {
			counter[i] = INT64_MIN / 2;
			thread_resume(thread[i]);
		} while (thread_join(thread[i], ktime_add(clock_now(), NS_PER_MS)) != OK);
	}
	tm_drain();
	if (blocks)
		pool_destroy(blocks);
	blocks = NULL;
}
