/*
 * lockdep.c - what each hart and each thread holds, and the report when an order
 * is broken. Debug builds only.
 *
 * Spinlocks are noted per hart: preemption is off while one is held, and a lock
 * that a context switch hands over stays on its hart. Locks that sleep are noted
 * per thread, in a table that has a row only for threads that hold one.
 *
 * A report shows where the lock is being taken and, where the order was learned,
 * the place that taught it; then the machine stops, unless a self-test listens.
 *
 * Locks: graph_lock and rows_lock, leaves below all classes, interrupts off. The
 * usual acquire, of which everything is known, takes neither.
 */
#include "kernel/diag/diag.h"
#include "kernel/lock/lock_priv.h"
#include "kernel/lock/lockdep_core.h"

#define HELD_MAX   16  /* deeper nesting than this is a bug: a panic */
#define ROW_COUNT  256 /* threads that hold a sleeping lock; more go unchecked, counted */
#define TRACE_MAX  10
#define LESSON_MAX 192 /* edges whose first place is kept; later ones have none */

static_assert(LOCK_CLASS_COUNT <= LOCKDEP_CLASS_MAX, "a class is a bit of a word");

struct held_stack {
	uint32_t count;
	struct lockdep_held held[HELD_MAX];
};

struct row {
	const struct arch_thread *thread; /* NULL: free */
	struct held_stack stack;
};

struct lesson {
	uint16_t before, after;
	uint16_t count;
	uintptr_t pc[TRACE_MAX];
};

static PERCPU(struct held_stack, hart_held);

static struct arch_lock graph_lock;
static struct lockdep_core graph; /* written under graph_lock, read without by lockdep_core_known */
static bool graph_ready;
static struct lesson lessons[LESSON_MAX];
static size_t lesson_count;

static struct arch_lock rows_lock;
static struct row rows[ROW_COUNT];
static uint64_t rows_missed;

static uint32_t silenced; /* after a fatal report */
static void (*report_hook)(struct str what);

static const struct str verdict_text[LOCKDEP_VERDICTS] = {
	[LOCKDEP_RECURSION] = STR_INIT("this very lock is held already"),
	[LOCKDEP_SAME_CLASS] = STR_INIT("two locks of one class"),
	[LOCKDEP_ORDER] = STR_INIT("against kernel/lock/order.h"),
	[LOCKDEP_CYCLE] = STR_INIT("against the order seen before"),
	[LOCKDEP_IRQ_USAGE] = STR_INIT("taken by interrupt handlers and held with interrupts on"),
	[LOCKDEP_IRQ_CHAIN] = STR_INIT("held with interrupts on, waited for under a handler's lock"),
	[LOCKDEP_SLEEP_SPIN] = STR_INIT("a lock that sleeps under one that spins"),
};

void lockdep_set_hook(void (*hook)(struct str what))
{
	__atomic_store_n(&report_hook, hook, __ATOMIC_RELEASE);
}

static void lockdep_print_trace(const uintptr_t *pc, size_t n)
{
	uint8_t line[KLOG_TEXT_MAX];
	for (size_t i = 0; i < n; i++) {
		struct abuf out = abuf_of(line, sizeof(line));
		symbol_describe(pc[i], &out);
		klog(LOG_ERR, "lockdep:   %.*s", STR_ARG(abuf_str(&out)));
	}
}

static size_t lockdep_trace(uintptr_t *pc)
{
	bool exact;
	return arch_backtrace(NULL, pc, TRACE_MAX, &exact);
}

/* The place that taught `before` -> something towards `after`; the first edge out of `before` will do. */
static void lockdep_print_lesson(uint32_t before, uint32_t after)
{
	uint64_t towards = lockdep_core_reach(&graph, before);
	if (!(towards >> after & 1))
		return;
	for (size_t i = 0; i < lesson_count; i++) {
		const struct lesson *l = &lessons[i];
		bool on_the_way = l->after == after ||
			lockdep_core_reach(&graph, l->after) >> after & 1;
		if (l->before != before || !on_the_way)
			continue;
		klog(LOG_ERR, "lockdep: %.*s was taken under %.*s here:",
			STR_ARG(lock_class_name(l->after)), STR_ARG(lock_class_name(before)));
		lockdep_print_trace(l->pc, l->count);
		return;
	}
}

static noinline void lockdep_report(
	const struct lockdep_held *t, enum lockdep_verdict v, uint32_t culprit)
{
	void (*hook)(struct str) = __atomic_load_n(&report_hook, __ATOMIC_ACQUIRE);
	if (hook) {
		hook(verdict_text[v]);
		return;
	}
	if (__atomic_exchange_n(&silenced, 1, __ATOMIC_ACQ_REL))
		return;
	uintptr_t pc[TRACE_MAX];
	klog(LOG_ERR, "lockdep: taking %.*s, with %.*s: %.*s", STR_ARG(lock_class_name(t->class)),
		STR_ARG(lock_class_name(culprit)), STR_ARG(verdict_text[v]));
	lockdep_print_trace(pc, lockdep_trace(pc));
	lockdep_print_lesson(t->class, culprit);
	panic("lockdep: %.*s, with %.*s: %.*s", STR_ARG(lock_class_name(t->class)),
		STR_ARG(lock_class_name(culprit)), STR_ARG(verdict_text[v]));
}

/* Keeps the place of the edges that `t` under held[] just made. */
static void lockdep_remember(const struct lockdep_held *held, size_t n, const struct lockdep_held *t)
{
	for (size_t i = 0; i < n && lesson_count < LESSON_MAX; i++) {
		bool known = false;
		for (size_t k = 0; k < lesson_count && !known; k++)
			known = lessons[k].before == held[i].class && lessons[k].after == t->class;
		if (known)
			continue;
		struct lesson *l = &lessons[lesson_count++];
		*l = (struct lesson){.before = (uint16_t)held[i].class, .after = (uint16_t)t->class};
		l->count = (uint16_t)lockdep_trace(l->pc);
	}
}

static void lockdep_prepare(void)
{
	uint64_t nesting = 0;
#define X2(class) nesting |= UINT64_C(1) << class;
#define LOCK_PLAIN(class)
	LOCK_ORDER(LOCK_PLAIN)
#undef LOCK_PLAIN
#undef X2
	lockdep_core_init(&graph, LOCK_ORDERED_COUNT, nesting);
	graph_ready = true;
}

static void lockdep_judge(const struct lockdep_held *held, size_t n, const struct lockdep_held *t)
{
	if (silenced || (graph_ready && lockdep_core_known(&graph, held, n, t)))
		return;
	irqflags flags = arch_lock_irqsave(&graph_lock);
	if (!graph_ready)
		lockdep_prepare();
	uint32_t culprit;
	enum lockdep_verdict v = lockdep_core_check(&graph, held, n, t, &culprit);
	if (v == LOCKDEP_NEW)
		lockdep_remember(held, n, t);
	arch_unlock_irqrestore(&graph_lock, flags);
	if (v > LOCKDEP_NEW)
		lockdep_report(t, v, culprit);
}

static void held_push(struct held_stack *s, const struct lockdep_held *t)
{
	if (s->count < HELD_MAX)
		s->held[s->count++] = *t;
	else if (!__atomic_exchange_n(&silenced, 1, __ATOMIC_ACQ_REL))
		panic("lockdep: more than %d locks held at once", HELD_MAX);
}

static bool held_remove(struct held_stack *s, const void *lock)
{
	for (uint32_t i = s->count; i-- > 0;) {
		if (s->held[i].lock != lock)
			continue;
		for (uint32_t k = i + 1; k < s->count; k++)
			s->held[k - 1] = s->held[k];
		s->count--;
		return true;
	}
	return false;
}

/* ---- rows: what threads hold ---- */

static struct row *row_find(const struct arch_thread *t)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].thread == t)
			return &rows[i];
	return NULL;
}

/* What the thread holds that sleeps, copied behind out[0..n); the new n. */
static size_t lockdep_thread_held(struct lockdep_held *out, size_t n)
{
	if (arch_in_interrupt())
		return n;
	irqflags flags = arch_lock_irqsave(&rows_lock);
	const struct row *r = row_find(arch_current());
	for (uint32_t i = 0; r && i < r->stack.count; i++)
		out[n++] = r->stack.held[i];
	arch_unlock_irqrestore(&rows_lock, flags);
	return n;
}

void lockdep_acquire(enum lock_class class, const void *lock)
{
	struct lockdep_held held[2 * HELD_MAX];
	struct lockdep_held t = {.class = class, .lock = lock, .sleeps = true};
	irqflags flags = arch_irq_save();
	const struct held_stack *here = &this_cpu(hart_held);
	memcpy(held, here->held, here->count * sizeof(held[0]));
	size_t n = here->count;
	arch_irq_restore(flags);
	n = lockdep_thread_held(held, n);
	lockdep_judge(held, n, &t);

	flags = arch_lock_irqsave(&rows_lock);
	struct row *r = row_find(arch_current());
	if (!r && (r = row_find(NULL))) {
		r->thread = arch_current();
		r->stack.count = 0;
	}
	if (r)
		held_push(&r->stack, &t);
	else
		rows_missed++;
	arch_unlock_irqrestore(&rows_lock, flags);
}

void lockdep_release(unused enum lock_class class, const void *lock)
{
	irqflags flags = arch_lock_irqsave(&rows_lock);
	struct row *r = row_find(arch_current());
	bool found = r && held_remove(&r->stack, lock);
	if (r && r->stack.count == 0)
		r->thread = NULL;
	bool excused = rows_missed != 0 || silenced;
	arch_unlock_irqrestore(&rows_lock, flags);
	assert(found || excused);
}

/* ---- spinlocks; interrupts off ---- */

static struct lockdep_held spin_as_held(const struct spinlock *l, bool irqs_on)
{
	bool in_irq = arch_in_interrupt();
	return (struct lockdep_held){
		.class = l->class, .lock = l, .in_irq = in_irq, .irqs_on = irqs_on && !in_irq};
}

void lockdep_spin_acquire(const struct spinlock *l, bool irqs_on)
{
	struct lockdep_held held[2 * HELD_MAX];
	struct lockdep_held t = spin_as_held(l, irqs_on);
	const struct held_stack *here = &this_cpu(hart_held);
	memcpy(held, here->held, here->count * sizeof(held[0]));
	lockdep_judge(held, lockdep_thread_held(held, here->count), &t);
}

void lockdep_spin_acquired(const struct spinlock *l, bool irqs_on)
{
	struct lockdep_held t = spin_as_held(l, irqs_on);
	held_push(&this_cpu(hart_held), &t);
}

void lockdep_spin_release(const struct spinlock *l)
{
	bool found = held_remove(&this_cpu(hart_held), l);
	assert(found || silenced);
}

void might_sleep(void)
{
	assert(!arch_in_interrupt());
	assert(preempt_is_enabled());
	irqflags flags = arch_irq_save();
	bool holds = this_cpu(hart_held).count != 0;
	arch_irq_restore(flags);
	assert(!holds);
}

static void lockdep_describe_stack(const struct held_stack *s, bool *first, struct abuf *out)
{
	uint32_t count = min(__atomic_load_n(&s->count, __ATOMIC_RELAXED), (uint32_t)HELD_MAX);
	for (uint32_t i = 0; i < count; i++) {
		fmt(out, "%s%.*s", *first ? ", holding " : ", ",
			STR_ARG(lock_class_name((enum lock_class)s->held[i].class)));
		*first = false;
	}
}

void lockdep_describe(uint32_t cpu, const struct arch_thread *t, struct abuf *out)
{
	bool first = true;
	lockdep_describe_stack(&cpu_of(hart_held, cpu), &first, out);
	const struct row *r = row_find(t);
	if (r)
		lockdep_describe_stack(&r->stack, &first, out);
}
