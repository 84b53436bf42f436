/*
 * softcall.c - a thread on each hart that runs its soft callouts, unlocked and
 * preemptible. A mutex is held around each one, so that whoever waits for the end
 * of one that runs lends it its priority.
 */
#include "kernel/sync/mutex.h"
#include "kernel/sync/softcall.h"
#include "lib/assert.h"
#include "lib/initcall.h"

static struct softcall {
	struct waitq q;
	bool due;             /* q.lock */
	struct mutex running; /* while one of this hart's runs */
	struct thread *thread; /* never ends */
} softcall[CPU_MAX];

static void softcall_wake(uint32_t cpu)
{
	struct softcall *s = &softcall[cpu];
	irqflags flags = spin_lock_irqsave(&s->q.lock);
	s->due = true;
	waitq_wake_one_unlock(&s->q, flags);
}

static void softcall_enter(uint32_t cpu)
{
	mutex_lock(&softcall[cpu].running);
}

static void softcall_leave(uint32_t cpu)
{
	mutex_unlock(&softcall[cpu].running);
}

static const struct callout_soft_ops softcall_ops = {
	.wake = softcall_wake,
	.enter = softcall_enter,
	.leave = softcall_leave,
};

static void softcall_thread(void *arg)
{
	uint32_t cpu = (uint32_t)(uintptr_t)arg;
	struct softcall *s = &softcall[cpu];
	for (;;) {
		/* No deadline of its own: the timer wakes it for the next one, with no room in any heap needed. */
		callout_soft_run(cpu);
		enum err err = waitq_wait_until(&s->q, s->due, KTIME_NEVER, S("callouts"));
		assert(err == OK); /* a system thread is not cancelled */
		irqflags flags = spin_lock_irqsave(&s->q.lock);
		s->due = false;
		spin_unlock_irqrestore(&s->q.lock, flags);
	}
}

enum err softcall_set_domain(uint8_t domain)
{
	enum err err = OK;
	for (uint32_t cpu = 0; cpu < cpu_count() && err == OK; cpu++)
		err = thread_set_domain(softcall[cpu].thread, domain);
	return err;
}

static enum err softcall_init(void)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		waitq_init(&softcall[cpu].q);
		mutex_init(&softcall[cpu].running, LOCK_SOFTCALL);
	}
	callout_soft_set_ops(&softcall_ops);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct thread_attr attr = {
			.name = S("softcall"),
			.entry = softcall_thread,
			.arg = (void *)(uintptr_t)cpu,
			.priority = PRIO_IRQ,
			.class = SCHED_FIFO,
			.affinity = UINT64_C(1) << cpu,
			.system = true,
		};
		struct thread_result r = thread_create(&attr);
		if (r.err != OK)
			return r.err;
		softcall[cpu].thread = r.value;
	}
	return OK;
}

INITCALL(softcall, softcall_init, "callout");
