/*
 * lock.c - waiting for a spinlock, and preempting behind one.
 *
 * The ticket's two halves are raised apart: `next` with an amoadd of the whole word by
 * whoever comes, so that it sees both, `serving` with one of the low half by the holder, so
 * that its wrap carries nothing over.
 */
#include "kernel/lock/lock_priv.h"

static void spin_wait(struct spinlock *l, uintptr_t mine)
{
	for (uint32_t n = 0; __atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != mine; n++)
		arch_spin_relax(n);
	l->contended++;
}

void spin_lock_contended(void *lock, uintptr_t mine)
{
	struct spinlock *l = lock;
	ktime begin = arch_clock();
	spin_wait(l, mine);
	lock_waited(l->class, ktime_diff(arch_clock(), begin));
}

void spin_preempt(void)
{
	preempt_disable();
	preempt_enable();
}

struct str lock_class_name(enum lock_class class)
{
#define LOCK_NAME(name) {&#name[5], sizeof(#name) - 6}, /* without LOCK_ */
#define X2(name)        LOCK_NAME(name)
	static const struct str names[] = {LOCK_ORDER(LOCK_NAME) LOCK_UNORDERED(LOCK_NAME)};
#undef X2
#undef LOCK_NAME
	static_assert(countof(names) == LOCK_CLASS_COUNT, "a class without a name");
	return class < LOCK_CLASS_COUNT ? names[class] : S("none");
}
