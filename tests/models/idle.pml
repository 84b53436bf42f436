/*
 * idle.pml - a wake finds the hart that is about to sleep.
 *
 * Models, statement by statement where another hart can look:
 *
 *	proctype, inline	function
 *	hart		sched_secondary_start(), sched_idle()		kernel/sched/boot.c
 *	trap		soft_irq, irq_exit, irq_preempt			arch/riscv64/trap.S
 *	ipi_taken	arch_ipi_taken(), ipi_resched()			arch/riscv64/ipi.c
 *	ipi_send	arch_ipi_send(), with the bell of the hart (SSIP)	arch/riscv64/ipi.c
 *	spin_preempt	spin_preempt(), arch_preempt_due()		kernel/lock/lock.c, arch/riscv64/hart.c
 *	upcall_preempt	upcall_preempt()				kernel/sched/preempt.c
 *	thread		one thread a hart, which takes a permit and gives others; blocks when there is none:
 *			thread_block_now()				kernel/sched/sched.c
 *	post		thread_wake(), hart_queue_waiting(), hart_changed(), hart_resched()
 *	kick		hart_kick(): something to pull is published, then the IPI, without the lock of who gets it
 *
 * A thread is pinned to its hart: where one runs, and how others are asked to take it, is place.pml.
 * What is done under a run queue's lock is one step, but for the sending of an IPI; order of memory: the
 * lock, and the atomic operations on ipi_pending (acquire and release), so interleavings are enough. That
 * the store of the bell cannot overtake ipi_pending (fence rw, ow; fence iorw, iorw) is not modelled.
 *
 * Checked:
 *	no lost wake	all harts in wfi and no bell: then all permits have been taken, and all that was
 *			published has been looked at (no invalid end state)
 *	bits and bell	then no bit of ipi_pending is set, which would silence the bell for ever
 *	served		LTL, weakly fair: all POSTS permits are taken, and all harts sleep again
 *
 * Bounds: POSTS permits in all, KICKS; any hart may give any number to any other.
 *
 * With EXIT_PLAIN the exit of an interrupt does not look at need_resched: then the idle loop alone has to.
 * In the kernel both do; each must be enough for itself.
 *
 * @run idle_2_harts HARTS=2 POSTS=5
 * @run idle_3_harts HARTS=3 POSTS=3 KICKS=1
 * @run idle_2_harts_alone HARTS=2 POSTS=5 EXIT_PLAIN
 * @ltl idle_2_harts_served HARTS=2 POSTS=3
 * @ltl idle_3_harts_served HARTS=3 POSTS=2 KICKS=1
 * @break idle_2_harts BREAK_NO_LOOK
 * @break idle_2_harts BREAK_RING_FIRST
 * @break idle_2_harts BREAK_BELL_LAST
 * @break idle_2_harts BREAK_NO_IPI
 * @break idle_2_harts BREAK_ONE_WORD
 * @break idle_2_harts_alone BREAK_IRQ_ON
 * @break idle_2_harts_served BREAK_NO_CLEAR
 */
#ifndef HARTS
#define HARTS 2
#endif
#ifndef POSTS
#define POSTS 3
#endif
#ifndef KICKS
#define KICKS 2
#endif

bool need_resched[HARTS];
bool ipi_pending[HARTS], bell[HARTS];
bool locked[HARTS];
bool queued[HARTS];     /* its thread is READY; else BLOCKED */
bool entered[HARTS];    /* its thread is what runs; else idle */
bool waits[HARTS];      /* something is published that this hart has to look at */
byte permits[HARTS];
byte unsent = POSTS - 1, taken, kicks = KICKS;

#ifdef BREAK_ONE_WORD
#define PENDING(h) ipi_pending[0]
#else
#define PENDING(h) ipi_pending[h]
#endif

#define LOCK(h)   atomic { !locked[h] -> locked[h] = true }
#define UNLOCK(h) locked[h] = false

inline ipi_send(h)
{
	atomic { old = PENDING(h); PENDING(h) = true }
	if
	:: old
	:: else -> bell[h] = true
	fi;
	old = false
}

inline ipi_taken()
{
#ifndef BREAK_BELL_LAST
	bell[me] = false;
#endif
	atomic { old = PENDING(me); PENDING(me) = false }
#ifdef BREAK_BELL_LAST
	bell[me] = false;
#endif
	need_resched[me] = need_resched[me] || old;
	old = false
}

inline post(h)
{
#ifdef BREAK_RING_FIRST
	if
	:: !queued[h] -> ipi_send(h)
	:: else
	fi;
#endif
	LOCK(h);
	permits[h]++;
	if
	:: !queued[h] ->
		queued[h] = true;
#if !defined(BREAK_RING_FIRST) && !defined(BREAK_NO_IPI)
		ipi_send(h)
#endif
	:: else
	fi;
	UNLOCK(h)
}

inline kick(h)
{
	waits[h] = true;
	ipi_send(h)
}

#define OTHER(h, n) ((h + n) % HARTS)

/* Until it blocks. Interrupts are on between its steps; best() is the thread itself, so a switch is not due. */
inline thread()
{
	do
	:: bell[me] ->
		ipi_taken();
		atomic { need_resched[me] = false; waits[me] = false }
	:: else ->
		LOCK(me);
		if
		:: permits[me] > 0 ->
			atomic { permits[me]--; taken++ }
			UNLOCK(me);
			do
			:: atomic { kicks > 0 -> kicks--; to = OTHER(me, 1) }
				kick(to)
			:: atomic { unsent > 0 -> unsent--; to = OTHER(me, 1) }
				post(to);
				if
				:: break
				:: skip
				fi
#if HARTS > 2
			:: atomic { unsent > 0 -> unsent--; to = OTHER(me, 2) }
				post(to);
				if
				:: break
				:: skip
				fi
#endif
			:: unsent == 0 -> break
			od;
			to = 0
		:: else ->
			atomic { queued[me] = false; entered[me] = false }
			UNLOCK(me);
			break
		fi
	od
}

/* Interrupts off. A switch to the thread, and, when that has blocked, back to here. */
inline upcall_preempt()
{
#ifndef BREAK_NO_CLEAR
	need_resched[me] = false;
#endif
	waits[me] = false; /* sched_pull() */
	LOCK(me);
	if
	:: queued[me] ->
		entered[me] = true;
		UNLOCK(me);
		thread()
	:: else -> UNLOCK(me)
	fi
}

inline trap()
{
	ipi_taken();
#ifndef EXIT_PLAIN
	do
	:: need_resched[me] -> upcall_preempt()
	:: else -> break
	od
#endif
}

/* Interrupts are on here. */
inline irqs_on()
{
	do
	:: bell[me] -> trap()
	:: else -> break
	od
}

inline spin_preempt()
{
	do
	:: need_resched[me] -> upcall_preempt()
	:: else -> break
	od
}

#define ALL_TAKEN (taken == POSTS)

proctype hart(byte me)
{
	bool old;
	byte to;
	need_resched[me] = true;
	do
	:: /* arch_irq_disable() */
		if
#ifdef BREAK_NO_LOOK
		:: true ->
#else
		:: !need_resched[me] ->
#endif
#ifdef BREAK_IRQ_ON
			irqs_on();
#endif
			do
			:: bell[me] -> break /* wfi */
			:: ALL_TAKEN && !PENDING(me) && !bell[me] && !queued[me] && !waits[me] ->
end:				bell[me] -> break
			od
		:: else
		fi;
		/* arch_irq_enable() */
		irqs_on();
		if
		:: need_resched[me] -> spin_preempt()
		:: else
		fi;
		irqs_on()
	od
}

init {
	byte h;
	atomic {
		permits[0] = 1;
		queued[0] = true;
		for (h : 0 .. HARTS - 1) {
			run hart(h)
		}
	}
}

#ifdef LTL
#if HARTS == 2
#define SLEEP (hart[1]@end && hart[2]@end)
#else
#define SLEEP (hart[1]@end && hart[2]@end && hart[3]@end)
#endif
ltl served { <> (ALL_TAKEN && SLEEP) }
#endif
