/*
 * budget_core.h - so much time in every period, for a group of threads on one hart. Pure.
 *
 * The periods stand one behind another from the beginning on; what a period's budget leaves is
 * lost, what was taken too much is owed to the next. So in any interval as long as a period at most
 * two budgets are consumed, and in the long run one for each period. Nothing needs a timer
 * but a budget that is spent: a period that has passed is noticed when it is charged.
 */
#ifndef KERNEL_SCHED_BUDGET_CORE_H
#define KERNEL_SCHED_BUDGET_CORE_H

#include "lib/base.h"
#include "lib/ktime.h"

struct budget {
	int64_t budget_ns; /* 0: no limit */
	int64_t period_ns;
	int64_t remaining_ns;
	ktime next; /* end of the period */
	uint64_t spent_count;
	int64_t used_ns; /* in all */
};

/* 0 <= budget <= period. What is owed stays owed. */
void budget_set(struct budget *b, int64_t budget_ns, int64_t period_ns, ktime now);
bool budget_charge_rare(struct budget *b, int64_t ran_ns, ktime now);
/* Charges what ran up to now; _rare: whatever the case. True: there is something left (or no limit). */
static inline bool budget_charge(struct budget *b, int64_t ran_ns, ktime now)
{
	if (unlikely(!ktime_before(now, b->next) || b->remaining_ns <= ran_ns))
		return budget_charge_rare(b, ran_ns, now);
	b->used_ns += ran_ns;
	b->remaining_ns -= ran_ns;
	return true;
}
/* When it will be spent, if used from now on without a pause; KTIME_NEVER: no limit. */
ktime budget_spent_at(const struct budget *b, ktime now);

#endif
