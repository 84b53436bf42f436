/*
 * world.c - what stands around the kernel in a simulation: boot, stand-ins for memory and
 * diagnostics, threads of the scenario, and one process for each run.
 */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include "kernel/boot/initcall_core.h"
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "tests/sim/world.h"

#define RUN_SECONDS    60 /* of this machine; a run takes milliseconds */
#define RUN_VIRTUAL_NS NS_PER_S

struct machine machine;
struct test_rng sim_rng;
void (*sim_on_irq)(void);

/* ---- kernel/diag ---- */

void (*sim_on_log)(struct str line);

void klog(unused enum log_level level, const char *format, ...)
{
	uint8_t text[200];
	struct abuf out = abuf_of(text, sizeof(text));
	va_list ap;
	if (!sim_on_log)
		return;
	va_start(ap, format);
	fmt_v(&out, format, ap);
	va_end(ap);
	sim_on_log(abuf_str(&out));
}

void panic(const char *format, ...)
{
	uint8_t text[200];
	struct abuf out = abuf_of(text, sizeof(text));
	va_list ap;
	va_start(ap, format);
	fmt_v(&out, format, ap);
	va_end(ap);
	test_fail("panic", 0, "%.*s", (int)abuf_str(&out).len, abuf_str(&out).ptr);
}

void boot_refuse(const char *format, ...)
{
	panic("%s", format);
}

void panic_set_describe(unused void (*describe)(const struct arch_thread *t, struct abuf *out))
{
}

void symbol_describe(unused uintptr_t pc, unused struct abuf *out)
{
}

void symbol_describe_return(unused uintptr_t pc, unused struct abuf *out)
{
}

void upcall_fault(unused struct trap_frame *frame)
{
	unreachable();
}

/* ---- kernel/mm: pools of which every object is a block of its own, and stacks ---- */

struct pool {
	size_t size, used, capacity;
	void *object[CONFIG_THREAD_MAX];
};
static struct pool thread_pool;
static struct thread *boot_thread;
static struct sem gate; /* where the threads of the scenario wait until all are there */
static uint32_t begun;  /* so many may pass */

struct pool *pool_create(unused struct str name, size_t size, unused size_t align, size_t capacity,
	unused unsigned flags)
{
	assert(thread_pool.size == 0 && capacity <= CONFIG_THREAD_MAX); /* the one pool of kernel/sched */
	thread_pool = (struct pool){.size = size, .capacity = capacity};
	return &thread_pool;
}

void *pool_alloc(struct pool *p)
{
	if (p->used == p->capacity)
		return NULL;
	void *obj = aligned_alloc(CACHE_LINE, align_up(p->size, (size_t)CACHE_LINE));
	memset(obj, 0xff, p->size);
	return p->object[p->used++] = obj;
}

void pool_free(struct pool *p, void *obj)
{
	size_t i = 0;
	while (i < p->used && p->object[i] != obj)
		i++;
	assert(i < p->used);
	p->object[i] = p->object[--p->used];
	free(obj);
}

static uint8_t *stack_idle[CONFIG_STACK_MAX];
static size_t stack_idle_count, stacks_made;

#define STACK_ROOM (HOST_STACK_EXTRA + STACK_SIZE)

static uint8_t *stack_make(void)
{
	if (stacks_made == CONFIG_STACK_MAX)
		return NULL;
	uint8_t *room = aligned_alloc(PAGE_SIZE, PAGE_SIZE + STACK_ROOM);
	assert(room);
	ASAN_POISON_MEMORY_REGION(room, PAGE_SIZE); /* the guard */
	stacks_made++;
	return room + PAGE_SIZE + HOST_STACK_EXTRA;
}

void *stack_alloc(void)
{
	arch_host_point();
	uint8_t *stack = stack_idle_count ? stack_idle[--stack_idle_count] : stack_make();
	if (stack)
		ASAN_UNPOISON_MEMORY_REGION(stack - HOST_STACK_EXTRA, STACK_ROOM);
	return stack;
}

/* Whoever still stands on it dies at his next access. */
void stack_free(void *stack)
{
	arch_host_point();
	for (size_t i = 0; i < stack_idle_count; i++)
		assert(stack_idle[i] != stack);
	ASAN_POISON_MEMORY_REGION((uint8_t *)stack - HOST_STACK_EXTRA, STACK_ROOM);
	stack_idle[stack_idle_count++] = stack;
}

size_t stack_peak(unused const void *stack)
{
	return 0; /* it is not painted here */
}

size_t world_stacks_used(void)
{
	return stacks_made - stack_idle_count;
}

size_t world_threads(struct thread **out)
{
	size_t n = 0;
	out[n++] = boot_thread;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		out[n++] = sched_hart[cpu].idle;
	for (size_t i = 0; i < thread_pool.used; i++) {
		struct thread *t = thread_pool.object[i];
		if (t->refs != UINT32_MAX && t != sched_hart[0].idle) /* it was set up */
			out[n++] = t;
	}
	return n;
}

/* ---- boot ---- */

static struct {
	void (*body)(void);
	struct host_options options;
} run;

extern const struct initcall __start_initcall[], __stop_initcall[];

static void world_initcalls(void)
{
	static struct initcall_order order;
	initcall_sort(__start_initcall, (size_t)(__stop_initcall - __start_initcall), &order);
	CHECK_EQ(order.err, OK);
	for (size_t i = 0; i < order.count; i++)
		CHECK_EQ(__start_initcall[order.index[i]].init(), OK);
}

static void world_start_others(void)
{
	for (uint32_t cpu = 1; cpu < cpu_count(); cpu++) {
		CHECK_EQ(arch_cpu_start(cpu, stack_alloc()), OK);
		for (uint32_t n = 0; !sched_cpu_online(cpu); n++)
			arch_spin_relax(n);
	}
}

void upcall_boot(unused const void *fdt)
{
	machine.cpu_count = run.options.harts;
	arch_init();
	sched_boot_init();
	boot_thread = thread_current();
	world_start_others();
	world_initcalls();
	sem_init(&gate, 0, SIM_THREADS_MAX);
	run.body();
	sim_join_all();
	oracle_last_look();
	arch_exit(0);
}

void upcall_secondary(void)
{
	sched_secondary_start();
}

void upcall_irq(void)
{
	if (sim_on_irq)
		sim_on_irq();
}

void upcall_user(unused struct trap_frame *frame)
{
	unreachable();
}

/* Before the scheduler is up there is nothing that must be true. */
static void world_observe(void)
{
	if (!boot_thread)
		return;
	oracle_look();
	if (ktime_diff(arch_host_now, run.options.start) > RUN_VIRTUAL_NS) {
		oracle_print_threads();
		test_fail(__FILE__, __LINE__, "the scenario does not come to its end");
	}
}

static void world_stuck(void)
{
	oracle_print_threads();
	test_fail(__FILE__, __LINE__, "all harts wait, nothing is pending, and threads have not ended");
}

static void world_child(unused void *arg)
{
	int status = host_run(&run.options);
	if (status != 0)
		test_fail(__FILE__, __LINE__, "exit status %d", status);
}

static unsigned world_env(const char *name, unsigned otherwise)
{
	const char *s = getenv(name);
	return s ? (unsigned)strtoul(s, NULL, 0) : otherwise;
}

void sim_run(void (*body)(void), unsigned seeds)
{
	/* Lesson 11: the clock passes what 32 bits of nanoseconds and of microseconds hold. */
	static const int64_t starts[] = {0, (INT64_C(1) << 32) - 50 * NS_PER_US,
		((INT64_C(1) << 32) - 50) * NS_PER_US, NS_PER_S, INT64_C(1) << 61};
	unsigned runs = world_env("RUNS", seeds * world_env("DEPTH", 1)), only = world_env("HARTS", 0);
	for (unsigned i = 0; i < runs; i++) {
		uint64_t seed = test_seed() + i;
		for (uint32_t harts = only ? only : 1; harts <= (only ? only : 4); harts++) {
			char env[40];
			snprintf(env, sizeof(env), "RUNS=1 HARTS=%u ", harts);
			run.body = body;
			run.options = (struct host_options){.seed = seed * 4 + harts,
				.harts = harts,
				.start = {starts[seed % countof(starts)]},
				.observe = world_observe,
				.stuck = world_stuck};
			sim_rng = test_rng(seed);
			test_in_child(world_child, NULL, seed, env, RUN_SECONDS);
		}
	}
}

/* ---- threads of the scenario ---- */

struct sim_thread sim_threads[SIM_THREADS_MAX];
uint32_t sim_thread_count;

uint64_t sim_some_harts(void)
{
	return 1 + test_below(&sim_rng, sim_all_harts());
}

/* Most of them meet few others; now and then all priorities are equal. */
uint8_t sim_some_priority(void)
{
	static const uint8_t few[] = {10, 11, 20, 30, 50};
	return sim_chance(4) ? (uint8_t)(PRIO_MIN + sim_below(PRIO_MAX)) : few[sim_below(countof(few))];
}

enum sched_class sim_some_class(void)
{
	return sim_chance(2) ? SCHED_FIFO : SCHED_RR;
}

ktime sim_soon(void)
{
	return ktime_add(clock_now(), sim_below(20000));
}

ktime sim_some_deadline(void)
{
	return sim_chance(2) ? KTIME_NEVER : sim_soon();
}

static void sim_entry(void *arg)
{
	struct sim_thread *self = arg;
	enum err err = sem_wait(&gate, KTIME_NEVER);
	while (err != OK) { /* a cancellation is meant for a wait behind the gate */
		err = sem_wait(&gate, KTIME_NEVER);
		if (err == OK)
			CHECK_EQ(thread_cancel(self->t), OK);
	}
	self->fn(self);
	CHECK_EQ(self->held_count, 0);
	self->ended = true;
}

struct sim_thread *sim_spawn(void (*fn)(struct sim_thread *), void *arg, uint8_t priority,
	enum sched_class class, uint64_t affinity)
{
	CHECK(sim_thread_count < SIM_THREADS_MAX);
	struct sim_thread *s = &sim_threads[sim_thread_count];
	*s = (struct sim_thread){.fn = fn, .arg = arg, .index = sim_thread_count++};
	char name[THREAD_NAME_MAX];
	int len = snprintf(name, sizeof(name), "sim%u", s->index);
	struct thread_attr attr = {
		.name = str_of(name, (size_t)len),
		.entry = sim_entry,
		.arg = s,
		.priority = priority,
		.class = class,
		.affinity = affinity,
	};
	struct thread_result r = thread_create(&attr);
	CHECK_EQ(r.err, OK);
	s->t = thread_find(thread_id(r.value)); /* a second reference, so that others may name it to the end */
	CHECK(s->t == r.value);
	return s;
}

struct sim_thread *sim_of(const struct thread *t)
{
	return t->entry == sim_entry ? t->arg : NULL;
}

struct sim_thread *sim_self(void)
{
	return sim_of(thread_current());
}

void sim_begin(void)
{
	for (; begun < sim_thread_count; begun++)
		CHECK_EQ(sem_post(&gate), OK);
}

void sim_join_all(void)
{
	sim_begin();
	for (uint32_t i = 0; i < sim_thread_count; i++) {
		CHECK_EQ(thread_join(sim_threads[i].t, KTIME_NEVER), OK);
		CHECK(sim_threads[i].ended);
	}
	sim_on_irq = NULL;
	sim_settle(); /* no handler is at work any more that knows them */
	for (uint32_t i = 0; i < sim_thread_count; i++)
		thread_detach(sim_threads[i].t);
	sim_thread_count = begun = 0;
}

uint32_t sim_running_threads(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < sim_thread_count; i++)
		n += !sim_threads[i].ended;
	return n;
}

void sim_settle(void)
{
	uint64_t seen = oracle_looks;
	sim_wait_for(oracle_looks != seen);
}

/* ---- objects ---- */

struct sim_mutex sim_mutex[SIM_MUTEXES_MAX];
struct sem sim_sem[SIM_SEMS_MAX];
uint32_t sim_mutex_count, sim_sem_count;

void sim_make_mutexes(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		mutex_init(&sim_mutex[i].m, LOCK_TEST_MUTEX);
	sim_mutex_count = n;
}

void sim_make_sem(uint32_t i, int32_t count, int32_t max)
{
	sem_init(&sim_sem[i], count, max);
	sim_sem_count = max(sim_sem_count, i + 1);
}

static void sim_locked(struct sim_mutex *m)
{
	struct sim_thread *self = sim_self();
	CHECK_EQ(m->inside++, 0);
	CHECK(mutex_is_held(&m->m));
	if (self)
		self->held[self->held_count++] = m;
}

static void sim_waits(const struct sim_mutex *m)
{
	if (sim_self())
		sim_self()->waits_for = m;
}

void sim_lock(struct sim_mutex *m)
{
	sim_waits(m);
	mutex_lock(&m->m);
	sim_waits(NULL);
	sim_locked(m);
}

enum err sim_lock_until(struct sim_mutex *m, ktime deadline)
{
	sim_waits(m);
	enum err err = mutex_lock_until(&m->m, deadline);
	sim_waits(NULL);
	if (err == OK)
		sim_locked(m);
	else
		CHECK(!mutex_is_held(&m->m));
	CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
	return err;
}

bool sim_try_lock(struct sim_mutex *m)
{
	bool got = mutex_try(&m->m);
	if (got)
		sim_locked(m);
	return got;
}

static void sim_unlocking(struct sim_mutex *m)
{
	struct sim_thread *self = sim_self();
	CHECK_EQ(m->inside--, 1);
	CHECK(mutex_is_held(&m->m));
	for (uint32_t i = 0; self && i < self->held_count; i++)
		if (self->held[i] == m) {
			self->held[i] = self->held[--self->held_count];
			return;
		}
}

void sim_unlock(struct sim_mutex *m)
{
	sim_unlocking(m);
	mutex_unlock(&m->m);
}

enum err sim_cond_wait(struct condvar *c, struct sim_mutex *m, ktime deadline)
{
	sim_unlocking(m);
	sim_waits(m);
	enum err err = condvar_wait(c, &m->m, deadline);
	sim_waits(NULL);
	sim_locked(m);
	CHECK(err != ERR_TIMEDOUT || !ktime_before(clock_now(), deadline));
	return err;
}
