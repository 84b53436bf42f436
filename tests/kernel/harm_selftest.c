/*
 * harm_selftest.c - what harms no admitted thread: hart 0 is admitted as full as it can be, jobs execute their whole
 * runtime, and beside them an overrunning deadline thread, a runaway, a flood of packets or an interrupt that
 * never rests does what it can.
 *
 * Only where time is instructions (tests/system/harm_test.py): on a busy host any guest misses. Disturbers
 * end by themselves, because nobody would get to run who could stop them.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/irq/irq.h"
#include "kernel/net/net.h"
#include "kernel/sched/deadline.h"
#include "kernel/sync/mutex.h"
#include "tests/kernel/sync_selftest.h"

#define HARM_NS          (200 * NS_PER_MS)
#define SETTLE_NS        (40 * NS_PER_MS) /* two of the longest periods */
#define FLOOD_PROTO      253              /* for experiments: RFC 3692 */
#define BARRED_BUDGET_NS (100 * NS_PER_US)
#define BARRED_PERIOD_NS (10 * NS_PER_MS)

/* So much of the hart, what is charged to each job included; the last has what is left beside the reserve, to a permille. */
#define HARM_TASK(permille, period)                                                                \
	{                                                                                          \
		(permille) * (period) / 1000 - CONFIG_SCHED_CHARGE_NS, 0, (period), (period)       \
	}
#define HARM_LAST_PERMILLE (1000 - CONFIG_SCHED_RESERVE_PERMILLE - 1 - 70 - 205 - 205 - 202 - 102)
static_assert(HARM_LAST_PERMILLE >= 20, "the reserve leaves no place for the last of the set");

#define HARM_TASKS      6
#define HARM_OVERRUNNER (HARM_TASKS - 1)

static const struct edf_params harm_usual[HARM_TASKS] = {
	HARM_TASK(70, 100 * NS_PER_US),
	HARM_TASK(205, 1 * NS_PER_MS),
	HARM_TASK(205, 2 * NS_PER_MS),
	HARM_TASK(202, 5 * NS_PER_MS),
	HARM_TASK(102, 10 * NS_PER_MS),
	HARM_TASK(HARM_LAST_PERMILLE, 10 * NS_PER_MS),
};
/* The last has much, and somebody has a later deadline. */
#define HARM_GREAT_PERMILLE (1000 - CONFIG_SCHED_RESERVE_PERMILLE - 1 - 70 - 205 - 102 - 102 - 102)
static const struct edf_params harm_great[HARM_TASKS] = {
	HARM_TASK(70, 100 * NS_PER_US),
	HARM_TASK(205, 1 * NS_PER_MS),
	HARM_TASK(102, 2 * NS_PER_MS),
	HARM_TASK(102, 5 * NS_PER_MS),
	HARM_TASK(102, 20 * NS_PER_MS),
	HARM_TASK(HARM_GREAT_PERMILLE, 10 * NS_PER_MS),
};
static const struct edf_params *harm_set = harm_usual;

static struct thread *harm_worker[HARM_TASKS];
static struct sem harm_begin;
static bool harm_stop;      /* atomic */
static uint64_t harm_count; /* atomic: what the disturber has done */
static ktime harm_until;

/* n instructions, give or take one. */
static void harm_execute(uint64_t n)
{
	n /= 2;
	__asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+r"(n));
}

static void harm_work(void *arg)
{
	const struct edf_params *p = arg;
	enum err err = sem_wait(&harm_begin, KTIME_NEVER);
	while (err == OK && !__atomic_load_n(&harm_stop, __ATOMIC_RELAXED)) {
		harm_execute((uint64_t)p->runtime_ns);
		err = thread_wait_period();
	}
	ST_CHECK(err == OK);
}

static void harm_disturbed(void)
{
	__atomic_fetch_add(&harm_count, 1, __ATOMIC_RELAXED);
}

static void harm_overrun_work(unused void *arg)
{
	ST_CHECK(sem_wait(&harm_begin, KTIME_NEVER) == OK);
	while (!__atomic_load_n(&harm_stop, __ATOMIC_RELAXED))
		harm_disturbed();
}

/* The set is admitted and waits; the last one of it may be another's function. */
static bool harm_start(void (*last)(void *arg))
{
	sem_init(&harm_begin, 0, HARM_TASKS);
	harm_stop = false;
	harm_count = 0;
	bool ok = thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO) == OK;
	for (size_t i = 0; ok && i < HARM_TASKS; i++) {
		harm_worker[i] = st_thread(S("harm"), i == HARM_OVERRUNNER ? last : harm_work,
			(void *)&harm_set[i], PRIO_NORMAL, 1);
		ok = harm_worker[i] &&
		     thread_set_deadline(harm_worker[i],
			     &(struct deadline_attr){.params = harm_set[i]}, NULL) == OK;
	}
	/* That they began to wait was a job too: a second wake in its period is taken off their runtime. */
	ok = ok && sleep_ns(SETTLE_NS) == OK;
	harm_until = ktime_add(clock_now(), HARM_NS);
	for (size_t i = 0; i < HARM_TASKS; i++)
		sem_post(&harm_begin);
	return ok;
}

static struct deadline_info harm_info(size_t i)
{
	struct deadline_info info = {0};
	ST_CHECK(harm_worker[i] && thread_deadline_info(harm_worker[i], &info));
	return info;
}

/*
 * The first of the set, whose job nearly always has the earliest deadline: its runtime and the charge, a section of somebody
 * else's, and as much again. A disturber that gets in between by more is seen long before a deadline is missed.
 */
#define HARM_RESPONSE_NS (10 * NS_PER_US)

/* Of those that keep to their runtime, `count` of the set. */
static void harm_check(size_t count)
{
	ST_CHECK(harm_info(0).response_max_ns <= HARM_RESPONSE_NS);
	for (size_t i = 0; i < count; i++) {
		struct edf_stats s = harm_info(i).stats;
		ST_CHECK(s.jobs >= (uint64_t)(HARM_NS / harm_set[i].period_ns));
		ST_CHECK(s.misses == 0);
		ST_CHECK(s.overruns == 0);
		klog(LOG_INFO,
			"harm: period %ld ns: %lu jobs, %lu misses, %lu overruns, longest response "
			"%ld ns",
			harm_set[i].period_ns, s.jobs, s.misses, s.overruns,
			harm_info(i).response_max_ns);
	}
}

static void harm_end(void)
{
	__atomic_store_n(&harm_stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < HARM_TASKS; i++)
		ST_CHECK(harm_worker[i] && thread_join(harm_worker[i], KTIME_NEVER) == OK);
	ST_CHECK(sleep_ns(SETTLE_NS) == OK); /* until their bandwidth is given back */
	ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
}

static void harm_wait(void)
{
	ST_CHECK(sleep_until(harm_until) == OK);
}

SELFTEST(exact_overrunner_harms_nobody)
{
	ST_REQUIRE(harm_start(harm_overrun_work));
	harm_wait();
	harm_check(HARM_OVERRUNNER);
	struct edf_stats s = harm_info(HARM_OVERRUNNER).stats;
	ST_CHECK(harm_count > 0 && s.overruns > 0);
	ST_CHECK(s.overruns + 1 >= (uint64_t)(HARM_NS / harm_set[HARM_OVERRUNNER].period_ns));
	klog(LOG_INFO, "harm: the overrunner was throttled %lu times", s.overruns);
	harm_end();
}

/* ---- the same, in contended mutexes: what they cost is its runtime too ---- */

static struct mutex harm_gate[2];
static uint64_t harm_turns; /* atomic */

/* One goes through the gates one after another, the other holds the next one before it lets go of one. */
static void harm_pass(unused void *arg)
{
	ST_CHECK(sem_wait(&harm_begin, KTIME_NEVER) == OK);
	for (unsigned k = 0; !__atomic_load_n(&harm_stop, __ATOMIC_RELAXED); k++) {
		mutex_lock(&harm_gate[k % 2]);
		mutex_unlock(&harm_gate[k % 2]);
		harm_disturbed();
	}
}

static void harm_hold(unused void *arg)
{
	unsigned k = 0;
	mutex_lock(&harm_gate[0]);
	while (!__atomic_load_n(&harm_stop, __ATOMIC_RELAXED)) {
		mutex_lock(&harm_gate[(k + 1) % 2]);
		mutex_unlock(&harm_gate[k++ % 2]);
		__atomic_fetch_add(&harm_turns, 1, __ATOMIC_RELAXED);
	}
	mutex_unlock(&harm_gate[k % 2]);
}

SELFTEST(exact_mutex_waits_harm_nobody)
{
	struct thread *t;
	for (size_t i = 0; i < countof(harm_gate); i++)
		mutex_init(&harm_gate[i], LOCK_TEST_MUTEX);
	harm_turns = 0;
	harm_set = harm_great;
	ST_CHECK(harm_start(harm_pass));
	t = st_thread(S("holder"), harm_hold, NULL, PRIO_MIN, 1);
	ST_CHECK(t != NULL);
	harm_wait();
	harm_check(HARM_OVERRUNNER);
	ST_CHECK(harm_count > 0 && harm_turns > 0);
	ST_CHECK(harm_info(HARM_OVERRUNNER).stats.overruns > 0);
	klog(LOG_INFO, "harm: %lu passages, %lu turns of the holder", harm_count, harm_turns);
	harm_end();
	ST_CHECK(t && thread_join(t, KTIME_NEVER) == OK);
	harm_set = harm_usual;
}

/* A FIFO thread on hart 0 that never waits. It ends by itself. */
static void harm_run_away(unused void *arg)
{
	while (ktime_before(clock_now(), harm_until))
		harm_disturbed();
}

static bool harm_disturb(
	void (*entry)(void *), uint8_t priority, uint8_t domain, struct thread **out)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("disturber"),
		.entry = entry,
		.priority = priority,
		.class = SCHED_FIFO,
		.affinity = 1,
		.domain = domain,
	});
	*out = r.value;
	return r.err == OK;
}

static void harm_disturber_ends(struct thread *t)
{
	ST_CHECK(thread_join(t, ktime_add(clock_now(), 60 * NS_PER_S)) == OK);
}

SELFTEST(exact_runaway_harms_nobody)
{
	struct thread *t;
	ST_REQUIRE(harm_start(harm_work));
	ST_REQUIRE(harm_disturb(harm_run_away, PRIO_MAX, DOMAIN_SYSTEM, &t));
	harm_wait();
	harm_check(HARM_TASKS);
	ST_CHECK(harm_count > 0);
	harm_disturber_ends(t);
	harm_end();
}

/* The tests' own domain, which may be there already: domains never go away. */
static struct domain_result harm_domain(const struct domain_attr *attr)
{
	struct domain_result d = domain_find(S("harm"));
	if (d.err != OK)
		return domain_create(S("harm"), attr);
	d.err = domain_set(d.value, attr);
	return d;
}

/* With a limit it is barred besides, and a thread without urgency goes on. */
SELFTEST(exact_barred_runaway_harms_nobody)
{
	struct thread *t, *other;
	struct domain_hart_info before, after;
	struct domain_result d = harm_domain(&(struct domain_attr){
		.budget_ns = BARRED_BUDGET_NS, .period_ns = BARRED_PERIOD_NS});
	ST_REQUIRE(d.err == OK);
	domain_hart_info(d.value, 0, &before);
	ST_REQUIRE(harm_start(harm_work));
	ST_REQUIRE(harm_disturb(harm_run_away, PRIO_MAX, d.value, &t));
	harm_wait();
	harm_check(HARM_TASKS);
	domain_hart_info(d.value, 0, &after);
	uint64_t ran = __atomic_load_n(&harm_count, __ATOMIC_RELAXED);
	ST_CHECK(ran > 0 && after.spent > before.spent);
	ST_CHECK(after.spent - before.spent + 1 >= (uint64_t)(HARM_NS / BARRED_PERIOD_NS));
	/* Less urgent by far, it gets to run while the runaway waits for its period. */
	harm_until = ktime_add(clock_now(), HARM_NS / 4);
	ST_CHECK(harm_disturb(harm_run_away, PRIO_MIN, DOMAIN_SYSTEM, &other));
	harm_disturber_ends(other);
	ST_CHECK(harm_count > ran);
	klog(LOG_INFO, "harm: the runaway was barred %lu times", after.spent - before.spent);
	ST_CHECK(domain_set(d.value, &(struct domain_attr){0}) == OK);
	harm_disturber_ends(t);
	harm_end();
}

static uint64_t harm_refused; /* packets: no place in a queue, or no memory */

static void harm_send(void)
{
	struct packet *p = packet_alloc(PACKET_TX, 64);
	if (p && !packet_append(p, 64)) {
		packet_free(p);
		p = NULL;
	}
	struct ipv4_tx tx = {.dst = IPV4_LOOPBACK, .proto = FLOOD_PROTO};
	if (p && ipv4_send(&tx, p) == OK)
		harm_disturbed();
	else
		harm_refused++;
}

/* As urgent as reception: gives way to it only when there is no place for more. */
static void harm_flooder(unused void *arg)
{
	while (ktime_before(clock_now(), harm_until)) {
		uint64_t before = harm_refused;
		harm_send();
		if (harm_refused > before)
			sched_yield();
	}
}

SELFTEST(exact_flood_harms_nobody)
{
	struct thread *t;
	const struct netdev *lo = netdev_find(S("lo"));
	ST_REQUIRE(lo);
	uint64_t received = lo->stats.rx_packets;
	harm_refused = 0;
	ST_REQUIRE(harm_start(harm_work));
	ST_REQUIRE(harm_disturb(harm_flooder, CONFIG_NET_RX_PRIORITY, DOMAIN_SYSTEM, &t));
	harm_wait();
	harm_check(HARM_TASKS);
	harm_disturber_ends(t);
	received = lo->stats.rx_packets - received;
	ST_CHECK(harm_count > 0 && received > 0);
	ST_CHECK(harm_refused > 0); /* the queue fills while its reader waits */
	klog(LOG_INFO, "harm: flood of %lu packets, %lu received, %lu refused", harm_count,
		received, harm_refused);
	harm_end();
}

/* ---- the machine's clock, whose alarm its handler raises again (irq_selftest.c) ---- */

enum {
	RTC_ALARM_LOW = 0x08,
	RTC_ALARM_HIGH = 0x0c,
	RTC_IRQ_ENABLED = 0x10,
	RTC_CLEAR_INTERRUPT = 0x1c
};

static const struct machine_device *harm_clock(void)
{
	for (size_t i = 0; i < machine.device_count; i++)
		if (str_starts(machine.device[i].compatible, S("google,goldfish-rtc")))
			return &machine.device[i];
	return NULL;
}

static void harm_clock_write(const struct machine_device *d, size_t reg, uint32_t value)
{
	*(volatile uint32_t *)(d->base + reg) = value;
}

static void harm_babble_raise(void *arg)
{
	harm_disturbed();
	harm_clock_write(arg, RTC_CLEAR_INTERRUPT, 1);
	harm_clock_write(arg, RTC_ALARM_HIGH, 0);
	harm_clock_write(arg, RTC_ALARM_LOW, 0);
}

static struct irq_stats harm_irq_stats(uint32_t irq)
{
	struct irq_stats s = {0};
	for (size_t i = 0; irq_stats_at(i, &s) && s.irq != irq; i++)
		;
	return s;
}

SELFTEST(exact_babble_harms_nobody)
{
	const struct machine_device *d = harm_clock();
	ST_REQUIRE(d);
	ST_REQUIRE(arch_prot_at((vaddr){d->base}) != PROT_NONE ||
		   arch_map((vaddr){d->base}, (paddr){d->base}, PAGE_SIZE,
			   PROT_R | PROT_W | PROT_DEVICE) == OK);
	ST_REQUIRE(irq_request(d->irq, S("babble"), harm_babble_raise, (void *)d) == OK);
	struct irq_stats before = harm_irq_stats(d->irq);
	ST_REQUIRE(harm_start(harm_work));
	irq_enable(d->irq);
	harm_clock_write(d, RTC_IRQ_ENABLED, 1);
	harm_babble_raise((void *)d);
	harm_wait();
	harm_check(HARM_TASKS);
	harm_clock_write(d, RTC_IRQ_ENABLED, 0);
	harm_clock_write(d, RTC_CLEAR_INTERRUPT, 1);
	struct irq_stats after = harm_irq_stats(d->irq);
	irq_enable(d->irq); /* ends the storm */
	irq_disable(d->irq);
	irq_release(d->irq); /* irq_selftest.c wants it too */
	ST_CHECK(harm_count > 100 && after.storms > before.storms &&
		 after.masked_ns > before.masked_ns);
	klog(LOG_INFO,
		"harm: %lu interrupts, %lu storms, masked for %ld ns, longest handler %ld ns",
		harm_count, after.storms - before.storms, after.masked_ns - before.masked_ns,
		after.longest_ns);
	harm_end();
}
