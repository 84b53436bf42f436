/*
 * threaded.c - interrupt handlers that run in a thread. The hard part masks the
 * interrupt and wakes the thread; the thread calls fn and unmasks. An interrupt
 * that comes in between stays pending in the controller, so none is lost.
 *
 * A source that comes too often is masked for a while, whatever its thread does.
 *
 * Bound: IRQ_THREADED_MAX handlers, ERR_NOSPC beyond.
 */
#include "kernel/dev/dev.h"
#include "kernel/sched/sched.h"
#include "lib/assert.h"

#define IRQ_THREADED_MAX 16

struct irq_threaded {
	uint32_t irq;
	uint32_t pending; /* atomic */
	void (*fn)(void *arg);
	void *arg;
	struct waitq wait;
};

static struct irq_threaded irq_threaded_table[IRQ_THREADED_MAX];
static uint32_t irq_threaded_count; /* boot thread only */

static void irq_threaded_hard(void *arg)
{
	struct irq_threaded *t = arg;
	irq_disable(t->irq);
	__atomic_store_n(&t->pending, 1, __ATOMIC_RELEASE);
	waitq_wake_one(&t->wait);
}

static void irq_threaded_run(void *arg)
{
	struct irq_threaded *t = arg;
	for (;;) {
		enum err e = waitq_wait_until(&t->wait,
			__atomic_load_n(&t->pending, __ATOMIC_ACQUIRE) != 0, KTIME_NEVER,
			S("interrupt"));
		assert(e == OK); /* a system thread is not cancelled */
		__atomic_store_n(&t->pending, 0, __ATOMIC_RELAXED); /* masked: nobody sets it now */
		t->fn(t->arg);
		irq_unmask(t->irq);
	}
}

enum err irq_request_threaded(uint32_t irq, struct str name, uint8_t priority, void (*fn)(void *arg),
	void *arg)
{
	if (irq_threaded_count == IRQ_THREADED_MAX)
		return ERR_NOSPC;
	struct irq_threaded *t = &irq_threaded_table[irq_threaded_count];
	*t = (struct irq_threaded){.irq = irq, .fn = fn, .arg = arg};
	waitq_init(&t->wait);
	struct thread_attr attr = {.name = name, .entry = irq_threaded_run, .arg = t,
		.priority = priority, .class = SCHED_FIFO, .system = true};
	enum err e = irq_request(irq, name, irq_threaded_hard, t);
	if (e != OK)
		return e;
	struct thread_result r = thread_create(&attr);
	if (r.err != OK) {
		irq_release(irq);
		return r.err;
	}
	thread_detach(r.value);
	irq_threaded_count++;
	irq_enable(irq);
	return OK;
}
