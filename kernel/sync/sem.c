/*
 * sem.c - counting semaphore.
 *
 * count falls below 0 and rises back to 0 only under the queue's lock, so the fast
 * paths, which never cross 0 downwards, need no lock. A waiter that gives up adds
 * its one back in the same step as leaving the queue.
 *
 * Invariant (the queue's lock): a negative count is the number of waiters queued.
 */
#include "kernel/lock/lock.h"
#include "kernel/sync/sem.h"
#include "lib/assert.h"

void sem_init(struct sem *s, int32_t count, int32_t max)
{
	assert(max > 0 && count >= 0 && count <= max);
	s->count = count;
	s->max = max;
	waitq_init(&s->waiters);
}

bool sem_try(struct sem *s)
{
	int32_t count = __atomic_load_n(&s->count, __ATOMIC_RELAXED);
	while (count > 0) {
		if (__atomic_compare_exchange_n(&s->count, &count, count - 1, false,
			    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static noinline enum err sem_wait_slow(struct sem *s, ktime deadline)
{
	irqflags flags = spin_lock_irqsave(&s->waiters.lock);
	if (__atomic_fetch_sub(&s->count, 1, __ATOMIC_ACQUIRE) > 0) {
		spin_unlock_irqrestore(&s->waiters.lock, flags);
		return OK;
	}
	return waitq_wait_counted_locked(
		&s->waiters, flags, deadline, S("semaphore"), &s->count);
}

enum err sem_wait(struct sem *s, ktime deadline)
{
	if (likely(sem_try(s)))
		return OK;
	return sem_wait_slow(s, deadline);
}

static noinline enum err sem_post_slow(struct sem *s)
{
	irqflags flags = spin_lock_irqsave(&s->waiters.lock);
	__atomic_fetch_add(&s->count, 1, __ATOMIC_RELEASE);
	waitq_wake_one_locked(&s->waiters);
	spin_unlock_irqrestore(&s->waiters.lock, flags);
	return OK;
}

enum err sem_post(struct sem *s)
{
	int32_t count = __atomic_load_n(&s->count, __ATOMIC_RELAXED);
	while (count >= 0) {
		if (count == s->max)
			return ERR_RANGE;
		if (__atomic_compare_exchange_n(&s->count, &count, count + 1, false,
			    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return OK;
	}
	return sem_post_slow(s);
}
