/*
 * domain_selftest.c - groups of threads with a budget: barred when it is spent, back with the next period; what a
 * runaway leaves to others; threads that change their group; what is refused.
 *
 * Nothing here depends on how fast the machine is: what ran is compared with what the budgets allow for the
 * time that has passed by the same clock, and what must happen is waited for. A domain never goes away, so
 * that all tests share one, which is without a limit between them.
 */
#include "kernel/diag/selftest.h"
#include "kernel/sched/deadline.h"
#include "tests/kernel/sync_selftest.h"

#define PATIENCE_NS (60 * NS_PER_S)
#define BUDGET_NS   (2 * NS_PER_MS)
#define PERIOD_NS   (10 * NS_PER_MS)
#define SPENT_TIMES 5

static uint8_t group;
static bool stop;
static uint64_t turns[2];

static const struct domain_attr limited = {.budget_ns = BUDGET_NS, .period_ns = PERIOD_NS};
static const struct domain_attr unlimited = {0};

static bool domain_begin(void)
{
	if (group == 0) {
		struct domain_result d = domain_create(S("test"), &unlimited);
		if (d.err != OK)
			return false;
		group = d.value;
	}
	stop = false;
	turns[0] = turns[1] = 0;
	return thread_set_priority(thread_current(), PRIO_MAX, SCHED_FIFO) == OK;
}

static void domain_end(struct thread **t, size_t n)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	ST_CHECK(domain_set(group, &unlimited) == OK);
	for (size_t i = 0; i < n; i++)
		ST_CHECK(t[i] && thread_join(t[i], ktime_add(clock_now(), PATIENCE_NS)) == OK);
	ST_CHECK(thread_set_priority(thread_current(), PRIO_NORMAL, SCHED_FIFO) == OK);
}

static void domain_spin(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		__atomic_fetch_add((uint64_t *)arg, 1, __ATOMIC_RELAXED);
}

/* On hart 0, where its budget is looked at. */
static struct thread *domain_spinner(uint8_t domain, uint8_t priority, uint64_t *counter)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("spin"),
		.entry = domain_spin,
		.arg = counter,
		.priority = priority,
		.class = SCHED_FIFO,
		.affinity = 1,
		.domain = domain,
	});
	return r.err == OK ? r.value : NULL;
}

static struct domain_hart_info domain_on_hart_0(void)
{
	struct domain_hart_info i;
	domain_hart_info(group, 0, &i);
	return i;
}

/* True once the domain's budget on hart 0 has been spent so often. */
static bool domain_wait_spent(uint64_t times)
{
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (domain_on_hart_0().spent < times && ktime_before(clock_now(), until))
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	return domain_on_hart_0().spent >= times;
}

static bool domain_wait_more(const uint64_t *counter)
{
	uint64_t before = __atomic_load_n(counter, __ATOMIC_RELAXED);
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (__atomic_load_n(counter, __ATOMIC_RELAXED) == before && ktime_before(clock_now(), until))
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	return __atomic_load_n(counter, __ATOMIC_RELAXED) != before;
}

/* The state of that thread as thread lists have it. */
static bool domain_find_thread(uint32_t tid, struct thread_info *out)
{
	*out = (struct thread_info){0};
	while (thread_info_next(out->tid, out))
		if (out->tid == tid)
			return true;
	return false;
}

/* Some moment finds it so: it is looked at again and again, in a domain that is spent in each period. */
static bool domain_wait_throttled(uint32_t tid, bool throttled)
{
	struct thread_info i;
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (ktime_before(clock_now(), until)) {
		if (domain_find_thread(tid, &i) && i.throttled == throttled)
			return true;
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	}
	return false;
}

/* Spent, barred, refilled, and spent again; and never more than the periods that have begun allow. */
SELFTEST(domain_budget_is_spent_and_comes_back)
{
	ST_REQUIRE(domain_begin());
	ST_CHECK(domain_set(group, &limited) == OK);
	struct domain_hart_info before = domain_on_hart_0();
	ktime began = clock_now();
	struct thread *t = domain_spinner(group, PRIO_NORMAL, &turns[0]);
	ST_CHECK(t && domain_wait_spent(before.spent + SPENT_TIMES));
	ST_CHECK(t && domain_wait_throttled(thread_id(t), true) && domain_wait_throttled(thread_id(t), false));
	ST_CHECK(domain_wait_more(&turns[0]));
	struct domain_hart_info after = domain_on_hart_0();
	int64_t passed = ktime_diff(clock_now(), began), used = after.used_ns - before.used_ns;
	/* One more budget for the period that was under way at each end, and what a late timer let it take, which it owes. */
	ST_CHECK(used <= (passed / PERIOD_NS + 2) * BUDGET_NS + max(-after.remaining_ns, INT64_C(0)));
	ST_CHECK(used >= (SPENT_TIMES - 1) * BUDGET_NS);
	domain_end(&t, 1);
}

/* Of a limited domain, more urgent than all, and it never gives way: who is least urgent goes on. */
SELFTEST(domain_runaway_leaves_the_rest_to_others)
{
	ST_REQUIRE(domain_begin());
	ST_CHECK(domain_set(group, &limited) == OK);
	struct thread *t[] = {domain_spinner(group, PRIO_MAX - 1, &turns[0]), NULL};
	ST_CHECK(domain_wait_spent(domain_on_hart_0().spent + 1));
	t[1] = domain_spinner(DOMAIN_SYSTEM, PRIO_MIN, &turns[1]);
	ST_CHECK(domain_wait_more(&turns[1]));
	struct thread_info runaway = {0}, other = {0};
	ST_CHECK(domain_wait_spent(domain_on_hart_0().spent + SPENT_TIMES));
	ST_CHECK(t[0] && t[1] && domain_find_thread(thread_id(t[0]), &runaway) &&
		 domain_find_thread(thread_id(t[1]), &other));
	ST_CHECK(runaway.domain == group && other.domain == DOMAIN_SYSTEM && !other.throttled);
	domain_end(t, countof(t));
}

/* Out of a domain that is spent a thread goes on at once, and into one it is stopped like the others there. */
SELFTEST(domain_of_a_thread_changes)
{
	static const struct domain_attr tiny = {.budget_ns = NS_PER_MS, .period_ns = 10 * NS_PER_S};
	ST_REQUIRE(domain_begin());
	ST_CHECK(domain_set(group, &tiny) == OK);
	struct thread *t = domain_spinner(group, PRIO_NORMAL, &turns[0]);
	ST_CHECK(t && domain_wait_throttled(thread_id(t), true));
	ST_CHECK(t && thread_set_domain(t, DOMAIN_SYSTEM) == OK);
	ST_CHECK(domain_wait_more(&turns[0]));
	struct thread_info i;
	ST_CHECK(t && domain_find_thread(thread_id(t), &i) && !i.throttled && i.domain == DOMAIN_SYSTEM);
	ST_CHECK(t && thread_set_domain(t, group) == OK && domain_wait_throttled(thread_id(t), true));
	domain_end(&t, 1);
}

static struct mutex lent;

static void domain_hold(void *arg)
{
	mutex_lock(&lent);
	domain_spin(arg);
	mutex_unlock(&lent);
}

static void domain_pass(unused void *arg)
{
	mutex_lock(&lent);
	mutex_unlock(&lent);
}

static struct thread *domain_locker(void (*entry)(void *), uint8_t priority)
{
	struct thread_result r = thread_create(&(struct thread_attr){
		.name = S("locker"),
		.entry = entry,
		.arg = &turns[0],
		.priority = priority,
		.class = SCHED_FIFO,
		.affinity = 1,
	});
	return r.err == OK ? r.value : NULL;
}

/* Nobody of the group runs: what is charged to it is what the owner runs for the sake of one who waits. */
SELFTEST(domain_pays_for_an_owner_from_when_who_waits_belongs_to_it)
{
	struct thread *t[2];
	struct thread_info owner = {0};
	ST_CHECK(domain_begin());
	mutex_init(&lent, LOCK_TEST_MUTEX);
	t[0] = domain_locker(domain_hold, PRIO_NORMAL);
	ST_CHECK(t[0] && domain_wait_more(&turns[0]));
	t[1] = domain_locker(domain_pass, PRIO_NORMAL + 1);
	ST_CHECK(t[1] != NULL);
	while (owner.effective_priority != PRIO_NORMAL + 1) {
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		thread_info(t[0], &owner);
	}
	int64_t used = domain_on_hart_0().used_ns;
	ST_CHECK(domain_wait_more(&turns[0]) && domain_on_hart_0().used_ns == used);
	ST_CHECK(thread_set_domain(t[1], group) == OK);
	ST_CHECK(domain_wait_more(&turns[0]) && domain_wait_more(&turns[0]));
	ST_CHECK(domain_on_hart_0().used_ns > used);
	domain_end(t, 2);
}

SELFTEST(domain_parameters_are_refused)
{
	static const struct domain_attr wrong[] = {
		{.budget_ns = -1, .period_ns = PERIOD_NS},
		{.budget_ns = PERIOD_NS + 1, .period_ns = PERIOD_NS},
		{.budget_ns = 1000, .period_ns = NS_PER_MS - 1},
		{.budget_ns = NS_PER_MS, .period_ns = 10 * NS_PER_S + 1},
		{.budget_ns = NS_PER_MS},
		{.budget_ns = NS_PER_MS, .period_ns = PERIOD_NS, .degraded_ns = 1}, /* of one that is not LO */
	};
	struct domain_info none;
	ST_REQUIRE(domain_begin());
	for (size_t i = 0; i < countof(wrong); i++) {
		ST_CHECK(domain_create(S("wrong"), &wrong[i]).err == ERR_INVAL);
		ST_CHECK(domain_set(group, &wrong[i]) == ERR_INVAL);
	}
	ST_CHECK(domain_create(S(""), &limited).err == ERR_INVAL);
	ST_CHECK(domain_create(S("name of 16 bytes"), &limited).err == ERR_INVAL);
	ST_CHECK(domain_find(S("wrong")).err == ERR_NOENT && !domain_info(DOMAIN_MAX, &none));
	ST_CHECK(domain_set(DOMAIN_SYSTEM, &limited) == ERR_INVAL);
	ST_CHECK(thread_set_domain(thread_current(), DOMAIN_MAX) == ERR_INVAL);
	ST_CHECK(domain_find(S("test")).value == group && domain_find(S("system")).value == DOMAIN_SYSTEM);
	domain_end(NULL, 0);
}
