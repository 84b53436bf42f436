/* condvar.c - condition variables; see condvar.h. */
#include "kernel/sync/condvar.h"
#include "lib/assert.h"

void condvar_init(struct condvar *c)
{
	waitq_init(&c->waiters);
}

enum err condvar_wait(struct condvar *c, struct mutex *m, ktime deadline)
{
	might_sleep();
	debug_assert(mutex_is_held(m));
	waitq_prepare(&c->waiters);
	mutex_unlock(m);
	enum err err = waitq_commit(&c->waiters, deadline, S("condvar"));
	mutex_lock(m);
	return err;
}

void condvar_signal(struct condvar *c)
{
	waitq_wake_one(&c->waiters);
}

void condvar_broadcast(struct condvar *c)
{
	waitq_wake_all(&c->waiters);
}
