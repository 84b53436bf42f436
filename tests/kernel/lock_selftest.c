/*
 * lock_selftest.c - spinlocks on one hart, and the reports of lockdep, each provoked.
 */
#include "kernel/diag/selftest.h"
#include "kernel/lock/lock.h"
#include "kernel/lock/lockdep_core.h"

static struct spinlock outer = SPINLOCK_INIT(LOCK_TEST_OUTER);
static struct spinlock inner = SPINLOCK_INIT(LOCK_TEST_INNER);

SELFTEST(lock_keeps_preemption_off)
{
	bool before = preempt_is_enabled();
	spin_lock(&outer);
	ST_CHECK(spin_is_held(&outer) && !preempt_is_enabled());
	irqflags flags = spin_lock_irqsave(&inner);
	ST_CHECK(!arch_irqs_enabled() && spin_is_held(&inner));
	spin_unlock_irqrestore(&inner, flags);
	spin_unlock(&outer);
	ST_CHECK(preempt_is_enabled() == before);
	ST_CHECK(!config_on(CONFIG_SMP) || !spin_is_held(&outer));
}

SELFTEST(lock_try)
{
	ST_REQUIRE(spin_try(&outer));
	if (config_on(CONFIG_SMP)) {
		bool twice = spin_try(&outer);
		ST_CHECK(!twice);
	}
	spin_unlock(&outer);
	ST_REQUIRE(spin_try(&outer));
	spin_unlock(&outer);
}

SELFTEST(lock_tickets_wrap)
{
	struct spinlock l = SPINLOCK_INIT(LOCK_TEST_OUTER);
	l.serving = l.next = UINT32_MAX - 2;
	for (int i = 0; i < 3; i++) {
		spin_lock(&l);
		ST_CHECK(spin_is_held(&l));
		spin_unlock(&l);
		ST_REQUIRE(spin_try(&l));
		spin_unlock(&l);
	}
	ST_CHECK(l.contended == 0 && l.serving == l.next);
	ST_CHECK(!config_on(CONFIG_SMP) || l.next == 3);
}

SELFTEST(lock_seqcount)
{
	struct seqcount s = {0};
	uint32_t begin = seq_read_begin(&s);
	ST_CHECK(!seq_read_retry(&s, begin));
	preempt_disable();
	seq_write_begin(&s);
	seq_write_end(&s);
	preempt_enable();
	ST_CHECK(seq_read_retry(&s, begin));
}

#ifdef CONFIG_LOCKDEP
static struct str reported;
static unsigned reports;

static void on_report(struct str what)
{
	reported = what;
	reports++;
}

static void nest(struct spinlock *a, struct spinlock *b)
{
	irqflags flags = spin_lock_irqsave(a);
	spin_lock_raw(b);
	spin_unlock_raw(b);
	spin_unlock_irqrestore(a, flags);
}

static void expect(unsigned count, struct str part)
{
	ST_CHECK(reports == count);
	ST_CHECK(str_find(reported, part) < reported.len);
	reports = 0;
	reported = STR_EMPTY;
}

SELFTEST(lockdep_reports_the_wrong_order)
{
	lockdep_set_hook(on_report);
	reports = 0;
	nest(&outer, &inner);
	ST_CHECK(reports == 0);
	nest(&inner, &outer);
	expect(1, S("order.h"));
	lockdep_set_hook(NULL);
}

SELFTEST(lockdep_reports_a_learned_cycle)
{
	struct spinlock a = SPINLOCK_INIT(LOCK_TEST_A), b = SPINLOCK_INIT(LOCK_TEST_B),
		c = SPINLOCK_INIT(LOCK_TEST_C);
	lockdep_set_hook(on_report);
	reports = 0;
	nest(&a, &b);
	nest(&b, &c);
	ST_CHECK(reports == 0);
	nest(&c, &a);
	expect(1, S("seen before"));
	lockdep_set_hook(NULL);
}

SELFTEST(lockdep_reports_two_of_a_class)
{
	struct spinlock a = SPINLOCK_INIT(LOCK_TEST_OUTER), b = SPINLOCK_INIT(LOCK_TEST_OUTER);
	lockdep_set_hook(on_report);
	reports = 0;
	nest(&a, &b);
	expect(1, S("one class"));
	lockdep_set_hook(NULL);
}

SELFTEST(lockdep_reports_sleeping_under_a_spinlock)
{
	lockdep_set_hook(on_report);
	reports = 0;
	int mutex;
	lockdep_acquire(LOCK_TEST_MUTEX, &mutex);
	spin_lock(&outer);
	spin_unlock(&outer);
	lockdep_release(LOCK_TEST_MUTEX, &mutex);
	ST_CHECK(reports == 0);
	spin_lock(&inner);
	lockdep_acquire(LOCK_TEST_MUTEX, &mutex);
	spin_unlock(&inner);
	lockdep_release(LOCK_TEST_MUTEX, &mutex);
	expect(1, S("sleeps under"));
	lockdep_set_hook(NULL);
}
#endif
