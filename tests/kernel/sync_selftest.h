/* sync_selftest.h - what the self-tests of threads and of synchronization share. */
#ifndef TESTS_KERNEL_SYNC_SELFTEST_H
#define TESTS_KERNEL_SYNC_SELFTEST_H

#include "kernel/sync/condvar.h"
#include "kernel/sync/event.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/sem.h"

/* NULL when it could not be made. */
static inline struct thread *st_thread(struct str name, void (*entry)(void *), void *arg,
	unsigned priority, uint64_t affinity)
{
	struct thread_attr a = {
		.name = name,
		.entry = entry,
		.arg = arg,
		.priority = (uint8_t)priority,
		.class = SCHED_FIFO,
		.affinity = affinity,
	};
	struct thread_result r = thread_create(&a);
	return r.err == OK ? r.value : NULL;
}

/* Runs entry(cpu) in a thread pinned to each hart and waits for all. */
static inline bool st_on_every_hart(void (*entry)(void *arg))
{
	struct thread *t[CPU_MAX];
	uint32_t started = 0, cpus = cpu_count();
	bool ok = true;
	for (; started < cpus; started++) {
		struct thread_result r = thread_create(&(struct thread_attr){
			.name = S("pinned"),
			.entry = entry,
			.arg = (void *)(uintptr_t)started,
			.priority = PRIO_NORMAL,
			.class = SCHED_RR,
			.affinity = UINT64_C(1) << started,
		});
		if (r.err != OK)
			break;
		t[started] = r.value;
	}
	for (uint32_t cpu = 0; cpu < started; cpu++)
		ok &= thread_join(t[cpu], ktime_add(clock_now(), 100 * NS_PER_S)) == OK;
	return ok && started == cpus;
}

/* Repeats from its seed: splitmix64. */
static inline uint64_t st_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
