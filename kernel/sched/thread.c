/*
 * thread.c - how threads come and go.
 *
 * References: one for whoever created it (join or detach drops it), one for the
 * thread itself, dropped by the hart that has just left its stack for the last
 * time. Whoever drops the last one gives back stack and struct.
 *
 * Ids: the table has CONFIG_THREAD_MAX places and id % CONFIG_THREAD_MAX is the
 * place, so a lookup is one load; the same place gives 2^32 / that many ids before one
 * comes back. Free places are searched 64 at a time.
 *
 * Locks: LOCK_THREADS guards the table, reference counts and joining.
 */
#include "kernel/mm/mm.h"
#include "kernel/sched/sched_priv.h"
#include "lib/bitmap.h"

static struct spinlock threads_lock = SPINLOCK_INIT(LOCK_THREADS);
static struct thread *threads_table[CONFIG_THREAD_MAX];
static uint64_t threads_used[BITMAP_WORDS(CONFIG_THREAD_MAX)]; /* places of the table */
static uint32_t threads_next_id = 1;
static_assert(is_pow2(CONFIG_THREAD_MAX), "ids wrap around at a multiple of it");
static struct pool *threads_pool;

void threads_init(void)
{
	threads_pool = pool_create(S("thread"), sizeof(struct thread), CACHE_LINE, CONFIG_THREAD_MAX, 0);
	assert(threads_pool);
}

enum err thread_register(struct thread *t)
{
	irqflags flags = spin_lock_irqsave(&threads_lock);
	size_t next = threads_next_id % CONFIG_THREAD_MAX;
	size_t at = bitmap_find_clear(threads_used, CONFIG_THREAD_MAX, next);
	if (at == CONFIG_THREAD_MAX)
		at = bitmap_find_clear(threads_used, CONFIG_THREAD_MAX, 0);
	enum err err = at == CONFIG_THREAD_MAX ? ERR_NOMEM : OK;
	if (err == OK) {
		uint32_t skipped = (uint32_t)((at + CONFIG_THREAD_MAX - next) % CONFIG_THREAD_MAX);
		t->id = threads_next_id + skipped;
		if (t->id == 0) /* nobody's */
			t->id = CONFIG_THREAD_MAX;
		threads_next_id = t->id + 1;
		threads_table[at] = t;
		bitmap_set(threads_used, at);
	}
	spin_unlock_irqrestore(&threads_lock, flags);
	return err;
}

void thread_setup(struct thread *t, const struct thread_attr *attr)
{
	*t = (struct thread){
		.run.rank = rank_of_priority(attr->priority),
		.attention = attr->class == SCHED_RR ? THREAD_RR : attr->class == SCHED_IDLE ? THREAD_IDLE : 0,
		.hart = &sched_hart[arch_cpu()],
		.base_priority = attr->priority,
		.lent_rank = RANK_NONE,
		.cpu_time_ns = TURN_OVER + 1, /* so that a turn that begins now is not over */
		.run.domain = attr->domain,
		.system = attr->system,
		.entry = attr->entry,
		.arg = attr->arg,
		.gone = attr->gone,
		.name_len = (uint8_t)min(attr->name.len, (size_t)THREAD_NAME_MAX),
		.refs = 2,
	};
	runq_node_init(&t->run);
	t->watch_ns = attr->class == SCHED_IDLE ? 0 : watchdog_thread_limit(attr->watchdog_ns);
	t->attention |= t->watch_ns ? THREAD_WATCHED : 0;
	t->attention |= attr->domain != DOMAIN_SYSTEM ? THREAD_CHARGED : 0;
	runq_set_affinity(&t->run, (attr->affinity ? attr->affinity : UINT64_MAX) & cpus_present());
	memcpy(t->name, attr->name.ptr, t->name_len);
	list_init(&t->held);
	list_init(&t->wait_node);
	list_init(&t->tall_node);
	heap_node_init(&t->timeout);
}

static void thread_free(struct thread *t)
{
	stack_free((void *)t->arch.stack_base);
	pool_free(threads_pool, t);
}

void thread_put(struct thread *t)
{
	irqflags flags = spin_lock_irqsave(&threads_lock);
	assert(t->refs > 0);
	bool last = --t->refs == 0;
	if (last) {
		threads_table[t->id % CONFIG_THREAD_MAX] = NULL;
		bitmap_clear(threads_used, t->id % CONFIG_THREAD_MAX);
	}
	spin_unlock_irqrestore(&threads_lock, flags);
	if (!last)
		return;
	void (*gone)(void) = t->gone;
	thread_free(t);
	if (gone)
		gone();
}

static noreturn void thread_begin(void *arg)
{
	struct thread *t = arg;
	t->entry(t->arg);
	thread_exit();
}

struct thread_result thread_make(const struct thread_attr *attr)
{
	struct thread *t = pool_alloc(threads_pool);
	if (!t)
		return ERR_RESULT(thread_result, ERR_NOMEM);
	uint8_t *stack = stack_alloc();
	if (!stack) {
		pool_free(threads_pool, t);
		return ERR_RESULT(thread_result, ERR_NOMEM);
	}
	thread_setup(t, attr);
	t->bound = attr->system && attr->affinity;
	arch_thread_init(&t->arch, (uintptr_t)stack, (uintptr_t)stack + STACK_SIZE,
		thread_begin, t);
	if (thread_register(t) != OK) {
		thread_free(t);
		return ERR_RESULT(thread_result, ERR_NOMEM);
	}
	return OK_RESULT(thread_result, t);
}

struct thread_result thread_create(const struct thread_attr *attr)
{
	if (attr->priority < PRIO_MIN || attr->priority > PRIO_MAX || !attr->entry ||
		attr->name.len > THREAD_NAME_MAX || !domain_exists(attr->domain) || (attr->affinity && !(attr->affinity & cpus_present())) ||
		(attr->class != SCHED_FIFO && attr->class != SCHED_RR))
		return ERR_RESULT(thread_result, ERR_INVAL);
	struct thread_result r = thread_make(attr);
	if (r.err != OK)
		return r;
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(r.value);
	thread_set_state(r.value, THREAD_READY);
	sched_ready_unlock(h, r.value, flags);
	return r;
}

void thread_exit(void)
{
	struct thread *t = thread_current();
	assert(!t->system && list_is_empty(&t->held) && preempt_is_enabled());
	spin_lock(&pi_lock);
	t->exiting = true;
	deadline_leave_locked(t);
	spin_unlock(&pi_lock);
	arch_irq_disable();
	spin_lock_raw(&threads_lock);
	t->ended = true;
	struct thread *joiner = t->joiner;
	if (joiner)
		thread_wake(joiner, OK);
	spin_unlock_raw(&threads_lock);
	struct hart *h = hart_here();
	spin_lock_raw(&h->lock);
	hart_dequeue(h, t);
	thread_set_state(t, THREAD_DEAD);
	sched_switch_away(h, t, sched_switched_dead);
	unreachable();
}

enum err thread_join(struct thread *t, ktime deadline)
{
	struct thread *self = thread_current();
	might_sleep();
	if (t == self)
		return ERR_DEADLK;
	irqflags flags = spin_lock_irqsave(&threads_lock);
	if (t->joiner) {
		spin_unlock_irqrestore(&threads_lock, flags);
		return ERR_BUSY;
	}
	enum err err = OK;
	if (t->ended) {
		spin_unlock_irqrestore(&threads_lock, flags);
	} else {
		t->joiner = self;
		err = thread_block(&threads_lock, flags, deadline, WAIT_CANCELLABLE, S("join"));
		flags = spin_lock_irqsave(&threads_lock);
		t->joiner = NULL;
		if (t->ended) {
			thread_cancel_keep(err);
			err = OK;
		}
		spin_unlock_irqrestore(&threads_lock, flags);
	}
	if (err == OK)
		thread_put(t);
	return err;
}

void thread_detach(struct thread *t)
{
	thread_put(t);
}

struct thread *thread_find(uint32_t id)
{
	irqflags flags = spin_lock_irqsave(&threads_lock);
	struct thread *t = threads_table[id % CONFIG_THREAD_MAX];
	if (t && t->id == id)
		t->refs++;
	else
		t = NULL;
	spin_unlock_irqrestore(&threads_lock, flags);
	return t;
}

/* The one in the next place behind that of `after`, the first for 0; a reference is taken. */
static struct thread *thread_next(uint32_t after)
{
	struct thread *t = NULL;
	irqflags flags = spin_lock_irqsave(&threads_lock);
	size_t at = after == 0 ? 0 : after % CONFIG_THREAD_MAX + 1;
	at = bitmap_find_set(threads_used, CONFIG_THREAD_MAX, at);
	if (at < CONFIG_THREAD_MAX) {
		t = threads_table[at];
		t->refs++;
	}
	spin_unlock_irqrestore(&threads_lock, flags);
	return t;
}

uint32_t threads_ready(void)
{
	uint32_t n = 0;
	for (struct thread *t = thread_next(0), *next; t; t = next) {
		irqflags flags = arch_irq_save();
		struct hart *h = thread_lock(t);
		n += t->state == THREAD_READY && !t->parked;
		spin_unlock_irqrestore(&h->lock, flags);
		next = thread_next(t->id);
		thread_put(t);
	}
	return n;
}

void thread_info(struct thread *t, struct thread_info *out)
{
	irqflags flags = arch_irq_save();
	struct hart *h = thread_lock(t);
	*out = (struct thread_info){
		.tid = t->id,
		.name_len = t->name_len,
		.state = t->state,
		.running = h->current == t,
		.throttled = t->parked,
		.domain = t->run.domain,
		.class = thread_class(t),
		.priority = t->base_priority,
		.effective_priority = (uint8_t)rank_priority(t->run.rank),
		.cpu = h->cpu,
		.cpu_time_ns = (uint64_t)(t->cpu_time_ns +
			(h->current == t ? ktime_diff(clock_now(), h->switched_at) : 0)),
		.affinity = t->run.affinity,
		.stack_bytes = t->arch.stack_top - t->arch.stack_base,
		.system = t->system,
		.wait = thread_waits_for(t),
	};
	spin_unlock_raw(&h->lock);
	arch_irq_restore(flags);
	memcpy(out->name, t->name, t->name_len);
	out->stack_peak_bytes = stack_peak((void *)t->arch.stack_base);
}

bool thread_info_next(uint32_t after, struct thread_info *out)
{
	struct thread *t = thread_next(after);
	if (!t)
		return false;
	thread_info(t, out);
	thread_put(t);
	return true;
}

uint32_t thread_cpu(const struct thread *t)
{
	return __atomic_load_n(&t->hart, __ATOMIC_RELAXED)->cpu;
}
