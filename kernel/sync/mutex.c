/*
 * mutex.c - priority-inheritance mutex.
 *
 * The owner word alone tells who holds an uncontended mutex. Under contention its
 * low bit sends the unlock to the slow path, where pi_lock guards the queue and the
 * word together:
 *
 * Invariant (pi_lock): MUTEX_CONTENDED is set if and only if somebody waits, or
 * gave up waiting and the owner has not unlocked since.
 */
#include "kernel/lock/lock.h"
#include "kernel/sync/mutex.h"
#include "lib/assert.h"

void mutex_init(struct mutex *m, enum lock_class class)
{
	*m = (struct mutex){.class = (uint16_t)class};
	pi_init(&m->queue);
}

/* pi_lock held: takes m if it is free, else marks it contended and names its owner to the queue. */
static bool mutex_take_or_mark(struct mutex *m)
{
	uintptr_t seen = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);
	for (;;) {
		uintptr_t next = seen ? seen | MUTEX_CONTENDED : (uintptr_t)arch_current();
		if (__atomic_compare_exchange_n(&m->owner, &seen, next, false, __ATOMIC_ACQUIRE,
			    __ATOMIC_RELAXED))
			break;
	}
	if (seen)
		m->queue.owner = (struct thread *)(seen & ~MUTEX_CONTENDED);
	return !seen;
}

enum err mutex_lock_slow(struct mutex *m, ktime deadline, unsigned wait_flags)
{
	spin_lock(&pi_lock);
	if (mutex_take_or_mark(m)) {
		spin_unlock(&pi_lock);
		return OK;
	}
	enum err err = pi_wait_locked(&m->queue);
	if (err != OK) {
		spin_unlock(&pi_lock);
		return err;
	}
	ktime begin = clock_now();
	irqflags flags = spin_to_irqsave(&pi_lock);
	err = thread_block(&pi_lock, flags, deadline, wait_flags | WAIT_LENDS, S("mutex"));
	lock_waited(m->class, ktime_diff(clock_now(), begin));
	if (err == OK)
		return OK;
	spin_lock(&pi_lock);
	if (!pi_cancel_locked(&m->queue)) { /* handed over in the last moment */
		thread_cancel_keep(err);
		err = OK;
	}
	spin_unlock(&pi_lock);
	return err;
}

void mutex_unlock_slow(struct mutex *m)
{
	spin_lock(&pi_lock);
	m->queue.owner = thread_current();
	struct thread *next = pi_hand_over_locked(&m->queue);
	uintptr_t word = (uintptr_t)next;
	if (!list_is_empty(&m->queue.waiters))
		word |= MUTEX_CONTENDED;
	__atomic_store_n(&m->owner, word, __ATOMIC_RELEASE);
	/*
	 * A wake that changes nothing: its wait has timed out, and it will find itself the owner. The switch to it is
	 * made behind the unlock, where it is a section of its own.
	 */
	if (next)
		thread_wake(next, OK);
	spin_unlock(&pi_lock);
}

void mutex_lock(struct mutex *m)
{
	might_sleep();
	lockdep_acquire(m->class, m);
	if (unlikely(!mutex_take(m))) {
		enum err err = mutex_lock_slow(m, KTIME_NEVER, 0);
		assert(err == OK);
	}
}

enum err mutex_lock_until(struct mutex *m, ktime deadline)
{
	enum err err = OK;
	might_sleep();
	if (unlikely(!mutex_take(m)))
		err = mutex_lock_slow(m, deadline, WAIT_CANCELLABLE);
	if (err == OK)
		lockdep_acquire(m->class, m);
	return err;
}

bool mutex_try(struct mutex *m)
{
	bool taken = mutex_take(m);
	if (taken)
		lockdep_acquire(m->class, m);
	return taken;
}

void mutex_unlock(struct mutex *m)
{
	uintptr_t self = (uintptr_t)arch_current();
	debug_assert(mutex_is_held(m));
	lockdep_release(m->class, m);
	if (unlikely(!__atomic_compare_exchange_n(&m->owner, &self, 0, false, __ATOMIC_RELEASE,
		    __ATOMIC_RELAXED)))
		mutex_unlock_slow(m);
}

bool mutex_is_held(const struct mutex *m)
{
	uintptr_t owner = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);
	return (owner & ~MUTEX_CONTENDED) == (uintptr_t)arch_current();
}
