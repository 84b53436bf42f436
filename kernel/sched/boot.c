/*
 * boot.c - how a hart comes under the scheduler, and what it does when there is nothing to do.
 *
 * The boot hart's first context becomes the thread "boot", which may sleep; every
 * other hart's becomes its idle thread. The idle thread stays in the queue at
 * priority 0, so that there is always a best one.
 *
 * Idle and wake: whoever queues something here does it under the lock and then
 * sends an IPI, which stays pending until this hart takes it; wfi, entered with
 * interrupts off, returns at once for a pending one. So no wake is lost between
 * the last look at need_resched and the wfi.
 *
 * A busy idle thread never sleeps in wfi: on an emulator whose clock counts instructions, that of a
 * machine asleep follows the host's, and leaps when the host is late.
 */
#include "kernel/diag/diag.h"
#include "kernel/sched/sched_priv.h"

static struct thread boot_threads[CPU_MAX];
static bool idle_busy; /* set at boot */

static void hart_begin(struct hart *h, struct thread *current, struct thread *idle)
{
	ktime now = clock_now();
	h->current = current;
	h->idle = idle;
	h->started_at = now;
	h->switched_at = now;
	h->idle_from = now;
	h->running_rank = current->run.rank;
	load_init(&h->load, now);
	thread_set_state(current, THREAD_READY);
	runq_push_back(&h->queue, &current->run);
}

static void hart_init(struct hart *h, uint32_t cpu)
{
	spin_init(&h->lock, LOCK_RUNQ);
	runq_init(&h->queue);
	h->cpu = (uint16_t)cpu;
	h->peers = cpu_count() > 1;
	h->finish = h->peers ? sched_switched_peers : sched_switched;
	h->timer_at = KTIME_NEVER;
	h->quantum_at = KTIME_NEVER;
	h->budget_at = KTIME_NEVER;
	h->budget_timer_at = KTIME_NEVER;
	h->mode_at = KTIME_NEVER;
	h->timeout_at = KTIME_NEVER;
	h->queue.rare = h->peers ? RUNQ_PEERS : 0;
	heap_init(&h->releases, h->timeout_slots[0], CONFIG_THREAD_MAX);
	heap_init(&h->timeouts, h->timeout_slots[1], CONFIG_THREAD_MAX);
	heap_init(&h->refills, h->refill_slots, countof(h->refill_slots));
	list_init(&h->servers);
	list_init(&h->errands);
	domain_init_hart(h);
	h->waiting_rank = RANK_NONE;
	notes_init(h);
	balance_init(h);
}

/* The context that runs becomes t. */
static void hart_adopt(struct thread *t, const struct thread_attr *attr)
{
	thread_setup(t, attr);
	t->arch = *arch_current();
	t->arch.preempt_count = 0;
	t->arch.flags = 0;
	t->system = true;
	enum err err = thread_register(t);
	assert(err == OK);
	arch_current_set(&t->arch);
}

static noreturn void sched_idle(void)
{
	for (;;) {
		arch_irq_disable();
		if (!arch_need_resched() && !idle_busy)
			arch_idle();
		arch_irq_enable();
		while (idle_busy && !arch_need_resched())
			; /* in tight rounds, of which an emulator executes many */
		if (arch_need_resched())
			spin_preempt();
	}
}

static void idle_entry(unused void *arg)
{
	sched_idle();
}

static struct thread_attr idle_attr(uint32_t cpu)
{
	return (struct thread_attr){
		.name = S("idle"),
		.entry = idle_entry,
		.priority = PRIO_IDLE,
		.class = SCHED_IDLE,
		.affinity = UINT64_C(1) << cpu,
		.system = true,
	};
}

/* For panic, which finds harts that are not under the scheduler yet as well. */
static void sched_describe(const struct arch_thread *at, struct abuf *out)
{
	const struct thread *t = (const struct thread *)at;
	if (!(at->flags & ARCH_THREAD_BOOT))
		fmt(out, " in thread %u \"%.*s\"", t->id, (int)t->name_len, t->name);
}

void sched_idle_busy(void)
{
	idle_busy = true;
}

void sched_boot_init(void)
{
	panic_set_describe(sched_describe);
	struct hart *h = &sched_hart[0];
	struct thread_attr attr = {
		.name = S("boot"), .priority = PRIO_NORMAL, .class = SCHED_FIFO, .affinity = 1, .system = true};
	struct thread_attr idle = idle_attr(0);
	threads_init();
	deadlines_init();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		hart_init(&sched_hart[cpu], cpu);
	hart_adopt(&boot_threads[0], &attr);
	struct thread_result r = thread_make(&idle);
	assert(r.err == OK);
	hart_begin(h, &boot_threads[0], r.value);
	thread_set_state(r.value, THREAD_READY);
	hart_enqueue(h, r.value);
	account_init();
	timeout_init();
	if (config_on(CONFIG_TRACE))
		sched_trace_init();
	__atomic_store_n(&h->online, true, __ATOMIC_RELEASE);
	arch_irq_enable();
}

void sched_secondary_start(void)
{
	uint32_t cpu = arch_cpu();
	struct hart *h = &sched_hart[cpu];
	struct thread_attr idle = idle_attr(cpu);
	hart_adopt(&boot_threads[cpu], &idle);
	hart_begin(h, &boot_threads[cpu], &boot_threads[cpu]);
	__atomic_store_n(&h->online, true, __ATOMIC_RELEASE);
	arch_need_resched_set();
	sched_idle();
}
