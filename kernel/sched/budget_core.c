/* budget_core.c - so much time in every period; see budget_core.h. */
#include "kernel/sched/budget_core.h"
#include "lib/assert.h"

void budget_set(struct budget *b, int64_t budget_ns, int64_t period_ns, ktime now)
{
	assert(budget_ns >= 0 && budget_ns <= period_ns);
	int64_t debt = b->budget_ns ? min(b->remaining_ns, 0) : 0;
	b->budget_ns = budget_ns;
	b->period_ns = period_ns;
	b->remaining_ns = budget_ns + debt;
	b->next = ktime_add(now, period_ns);
}

/* Periods that have passed since are over; gives how long the present one lasts already, where that is less than ran_ns. */
static int64_t budget_turn_over(struct budget *b, int64_t ran_ns, ktime now)
{
	int64_t passed = ktime_diff(now, b->next);
	if (passed < 0)
		return ran_ns;
	int64_t into = passed % b->period_ns;
	int64_t before = max(ran_ns - into, INT64_C(0));
	b->remaining_ns = min(b->remaining_ns - before, INT64_C(0)) + b->budget_ns;
	int64_t owed = b->budget_ns - b->remaining_ns;
	int64_t periods = min(passed / b->period_ns, (owed + b->budget_ns - 1) / b->budget_ns);
	b->remaining_ns = min(b->remaining_ns + periods * b->budget_ns, b->budget_ns);
	b->next = ktime_add(now, b->period_ns - into);
	return ran_ns - before;
}

bool budget_charge_rare(struct budget *b, int64_t ran_ns, ktime now)
{
	b->used_ns += ran_ns;
	if (b->budget_ns == 0)
		return true;
	bool had = b->remaining_ns > 0;
	b->remaining_ns -= budget_turn_over(b, ran_ns, now);
	if (b->remaining_ns > 0)
		return true;
	b->spent_count += had;
	return false;
}

ktime budget_spent_at(const struct budget *b, ktime now)
{
	return b->budget_ns == 0 ? KTIME_NEVER : ktime_add(now, max(b->remaining_ns, INT64_C(0)));
}
