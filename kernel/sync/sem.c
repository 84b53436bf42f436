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
	return arch_take_positive(&s->count);
}

static enum err sem_give_up(void *sem, enum err why)
{
	struct sem *s = sem;
	return waitq_give_up(&s->waiters, why, &s->count);
}

static const struct wait_kind sem_waits = {STR_INIT("semaphore"), sem_give_up};

/* A post came before the lock. */
static noinline enum err sem_wait_not(struct sem *s, irqflags flags)
{
	spin_unlock_irqrestore(&s->waiters.lock, flags);
	return OK;
}

static noinline enum err sem_wait_slow(struct sem *s, ktime deadline)
{
	irqflags flags = spin_lock_irqsave(&s->waiters.lock);
	if (unlikely(__atomic_fetch_sub(&s->count, 1, __ATOMIC_ACQUIRE) > 0))
		return sem_wait_not(s, flags);
	return waitq_wait_for_locked(&sem_waits, s, deadline, &s->waiters, flags);
}

enum err sem_wait(struct sem *s, ktime deadline)
{
	might_sleep();
	if (likely(arch_take_positive(&s->count)))
		return OK;
	return sem_wait_slow(s, deadline);
}

/* Whoever waited has given up since, and taken its one back: the count is as any other. */
static noinline enum err sem_post_again(struct sem *s, irqflags flags)
{
	spin_unlock_irqrestore(&s->waiters.lock, flags);
	return sem_post(s);
}

static noinline enum err sem_post_slow(struct sem *s)
{
	irqflags flags = spin_lock_irqsave(&s->waiters.lock);
	if (unlikely(list_is_empty(&s->waiters.waiters)))
		return sem_post_again(s, flags);
	struct thread *t = waitq_choose(&s->waiters.waiters);
	arch_add_release((uint32_t *)&s->count, 1);
	return thread_wake_unlock(&s->waiters.lock, t, flags);
}

enum err sem_post(struct sem *s)
{
	int given = arch_give_below(&s->count, s->max);
	if (unlikely(given < 0))
		return sem_post_slow(s);
	return likely(given) ? OK : ERR_RANGE;
}
