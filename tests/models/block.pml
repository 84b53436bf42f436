/*
 * block.pml - blocking and switching are one step, and one of wake, timeout and cancellation ends a wait.
 *
 * A process is a thread; it does something while a hart stands on its stack (on[]). Models, access by access:
 *
 *	inline			function
 *	switch_away, arrive	sched_switch_away(), arch_switch(); sched_switched_peers()	kernel/sched
 *	preempt			upcall_preempt()				kernel/sched/preempt.c
 *	thread_block		thread_block_until(), thread_block_now()	kernel/sched/sched.c
 *	thread_lock		thread_lock()					kernel/sched/sched_priv.h
 *	end_wait, ready		sched_end_wait_unlock(), sched_ready_awake(), hart_enqueue()
 *	proctype idle		sched_idle(); sched_pull() of anything that waits elsewhere
 *	proctype post		waitq_choose(), thread_wake_slow()		kernel/sync/waitq.h, kernel/sched/sched.c
 *	proctype timer		timeout_end_due(), and what asks for it		kernel/sched/timeout.c
 *	proctype cancel		thread_cancel()
 *	thread			waitq_wait_for_locked(), waitq_give_up(), with a count of permits as sem.c has
 *
 * post, timer and cancel stand for interrupts and threads of other harts: they take a run queue's lock whenever
 * they can. sched_place() is any hart: it is a hint. Each thread has its own priority, so threads are preempted while
 * they stand in a queue, and pulled. What a lock guards is one step; locks order memory, so interleavings are enough.
 *
 * Checked:
 *	one stack	a hart enters only a stack that no hart stands on, and whose context is saved
 *	one end		a wait is ended once, by who finds the thread BLOCKED, under the lock of its hart
 *	never early	a timeout ends only a wait whose own deadline is past, and which is not over
 *	nothing lost	all threads come to their end (no invalid end state); then each permit has been taken or is
 *			there, nobody is queued, and a cancellation is one wait's result or pending
 *
 * Bounds: 2 harts, 2 threads (ALONE: the second only), ROUNDS waits each, those of the second with a deadline; CANCELS: one
 * cancellation of the second, at any time; as many posts as waits, or POSTS.
 *
 * @run block_2_threads ROUNDS=1 CANCELS=0
 * @run block_timeout ROUNDS=1 CANCELS=0 ALONE POSTS=0
 * @run block_cancel ROUNDS=2 CANCELS=1 ALONE POSTS=1
 * @break block_2_threads BREAK_DROP_EARLY
 * @break block_2_threads BREAK_GUARD
 * @break block_2_threads BREAK_NO_CHECK
 * @break block_2_threads BREAK_STAYS
 * @break block_2_threads BREAK_CHOSEN
 * @break block_cancel BREAK_KEEP
 * @break block_cancel BREAK_DEADLINE
 * @break block_cancel BREAK_NO_RECHECK
 */
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#define HARTS 2
#define THREADS 2
#define ALL (THREADS + HARTS)
#ifdef ALONE
#define RUN 1
#else
#define RUN 2
#endif
#ifndef POSTS
#define POSTS (RUN * ROUNDS)
#endif
#define IDLE(h) (THREADS + h)
#define TIMED(t) (t == 1)
#define NOBODY 15

mtype = { OK, TIMEDOUT, INTR };

byte on[ALL];       /* the hart that stands on its stack + 1 */
bool saved[ALL];    /* its context is what arch_switch() left */

bool lock[HARTS];   /* guards what follows */
byte current[HARTS];
byte at[ALL];
bool queued[ALL];
bool blocked[THREADS], pending[THREADS];
mtype result[THREADS];

bool need[HARTS];

bool guard;         /* the wait queue's lock */
bool waits[THREADS], chosen[THREADS];
byte permits;

bool past[THREADS]; /* the deadline of the present wait */
bool timed[THREADS], armed[THREADS]; /* armed: in the timeouts of its hart, guarded by its lock */

/* For the checks. */
byte ends[THREADS], taken, done;
bool interrupted[THREADS];

hidden byte i, other;

#define LOCK(l)  atomic { !l -> l = true }
#define PRIO(x)  (x >= THREADS -> 0 : x + 1)

/* ---- the run queue; its lock held ---- */

/* Sets to. */
inline best(h)
{
	to = IDLE(h);
	for (i : 0 .. THREADS - 1) {
		if
		:: queued[i] && at[i] == h -> to = i
		:: else
		fi
	};
	i = 0
}

inline enqueue(t, h)
{
	at[t] = h;
	queued[t] = true;
	if
	:: PRIO(t) > PRIO(current[h]) -> need[h] = true
	:: else
	fi
}

inline thread_lock(t, h)
{
	do
	:: h = at[t];
		atomic {
			!lock[h] -> lock[h] = true;
			if
#ifdef BREAK_NO_RECHECK
			:: true -> break
#else
			:: at[t] == h -> break
			:: else -> lock[h] = false
#endif
			fi
		}
	od
}

/* With h locked, t in no queue: drops the lock. */
inline ready(t, h)
{
	if
	:: d_step { assert(at[t] == h && !queued[t]); enqueue(t, h); lock[h] = false }
	:: true ->
		lock[h] = false;
		LOCK(lock[0]);
		d_step { !lock[1] -> lock[1] = true; assert(at[t] == h && !queued[t]); other = 1 - h; enqueue(t, other); lock[0] = false; lock[1] = false }
	fi;
	h = 0
}

/* With h locked, after a look that found it BLOCKED: drops the lock. */
inline end_wait(t, h, why)
{
	d_step {
		assert(blocked[t] && at[t] == h); /* one end */
		assert(why != TIMEDOUT || past[t]); /* never early */
		blocked[t] = false;
#ifdef BREAK_STAYS
		armed[t] = armed[t] && why != TIMEDOUT;
#else
		armed[t] = false;
#endif
		result[t] = why;
		ends[t]++;
		assert(ends[t] == 1)
	}
	ready(t, h)
}

/* ---- switching ---- */

/* The other side: drops the lock. */
inline arrive()
{
	d_step { on[me] != 0 -> p = on[me] - 1; lock[p] = false }
}

/* With p locked. */
inline switch_away()
{
	d_step { best(p); current[p] = to }
#ifdef BREAK_DROP_EARLY
	lock[p] = false;
#endif
	saved[me] = true;
	d_step {
		assert(on[to] == 0 && saved[to]); /* one stack */
		saved[to] = false;
		on[me] = 0;
		on[to] = p + 1;
		to = 0;
		p = 0
	}
	arrive()
}

/* Interrupts on: an IPI may have come. */
inline preempt()
{
	do
	:: need[p] ->
		need[p] = false;
		d_step { !lock[p] -> lock[p] = true; best(p); skip }
		if
		:: to != me -> switch_away()
		:: atomic { else -> lock[p] = false; to = 0 }
		fi
	:: else -> break
	od
}

/* ---- a thread ---- */

/* The guard is held; drops it. Sets err. */
inline thread_block()
{
	err = OK;
	if
	:: TIMED(me) && past[me] -> err = TIMEDOUT
	:: else
	fi;
#ifdef BREAK_GUARD
	guard = false;
#endif
	if
	:: err == OK ->
		atomic {
			!lock[p] -> lock[p] = true;
			if
			:: pending[me] -> pending[me] = false; err = INTR
			:: else -> d_step { ends[me] = 0; blocked[me] = true; armed[me] = TIMED(me); queued[me] = false }
			fi
		}
		if
		:: err == OK ->
#ifndef BREAK_GUARD
			guard = false;
#endif
			switch_away();
			d_step { err = result[me]; assert(ends[me] == 1 && !blocked[me]) }
		:: else ->
			lock[p] = false;
			guard = false
		fi
	:: else -> guard = false
	fi
}

proctype thread(byte me)
{
	byte p, to, round;
	mtype err = OK;
	arrive();
	do
	:: round < ROUNDS ->
		preempt();
		atomic { past[me] = false; timed[me] = TIMED(me) }
		LOCK(guard);
		if
		:: permits > 0 -> atomic { permits--; taken++; guard = false }
		:: else ->
			d_step { waits[me] = true; chosen[me] = false }
			thread_block();
			preempt();
			if
			:: err != OK ->
				/* waitq_give_up() */
				LOCK(guard);
				if
#ifndef BREAK_CHOSEN
				:: chosen[me] ->
#ifndef BREAK_KEEP
					if
					:: err == INTR ->
						LOCK(lock[p]);
						pending[me] = true;
						lock[p] = false
					:: else
					fi;
#endif
					err = OK
#endif
				:: else -> waits[me] = false
				fi;
				guard = false
			:: else
			fi;
			if
			:: err == OK -> taken++
			:: err == INTR -> d_step { assert(!interrupted[me]); interrupted[me] = true }
			:: else
			fi
		fi;
		d_step { timed[me] = false; past[me] = false; err = OK; round++ }
	:: else -> break
	od;
	/* thread_exit() */
	skip;
	d_step { !lock[p] -> lock[p] = true; queued[me] = false; done++; best(p); current[p] = to }
	d_step {
		assert(on[to] == 0 && saved[to]);
		saved[to] = false;
		on[me] = 0;
		on[to] = p + 1
	}
}

#define WAITS_ON(t, h) (queued[t] && at[t] == h && current[h] != t)

proctype idle(byte me)
{
	byte p = me - THREADS, to;
end:	do
	:: on[me] != 0 && need[p] -> preempt()
	:: on[me] != 0 && (WAITS_ON(0, 1 - p) || WAITS_ON(1, 1 - p)) ->
		LOCK(lock[0]);
		d_step {
			!lock[1] -> lock[1] = true;
			if
			:: WAITS_ON(0, 1 - p) -> enqueue(0, p)
			:: WAITS_ON(1, 1 - p) -> enqueue(1, p)
			:: else
			fi;
			lock[0] = false;
			lock[1] = false
		}
	od
}

/* ---- those who end a wait ---- */

proctype post()
{
	byte n, t, h;
	do
	:: n < POSTS ->
		LOCK(guard);
		/* waitq_take() */
		d_step {
			if
			:: waits[1] -> t = 1; waits[1] = false; chosen[1] = true
			:: !waits[1] && waits[0] -> t = 0; waits[0] = false; chosen[0] = true
			:: else -> t = NOBODY; permits++
			fi
		}
		if
		:: t == NOBODY -> guard = false
		:: else ->
			thread_lock(t, h);
			guard = false;
			if
#ifdef BREAK_NO_CHECK
			:: true -> end_wait(t, h, OK)
#else
			:: blocked[t] -> end_wait(t, h, OK)
			:: else -> lock[h] = false; h = 0
#endif
			fi
		fi;
		d_step { n++; t = 0 }
	:: else -> break
	od;
	done++
}

proctype timer(byte t)
{
	byte h;
end:	do
	:: timed[t] && !past[t] -> past[t] = true
	:: armed[t] && past[t] ->
		thread_lock(t, h);
		if
#ifdef BREAK_DEADLINE
		:: armed[t] -> end_wait(t, h, TIMEDOUT)
#else
		:: armed[t] && past[t] -> end_wait(t, h, TIMEDOUT)
#endif
		:: else -> lock[h] = false; h = 0
		fi
	od
}

proctype cancel(byte t)
{
	byte h;
	thread_lock(t, h);
	if
	:: blocked[t] -> end_wait(t, h, INTR)
	:: else -> pending[t] = true; lock[h] = false
	fi;
	done++
}

init {
	atomic {
		current[0] = IDLE(0);
		current[1] = IDLE(1);
		at[IDLE(1)] = 1;
		on[IDLE(0)] = 1;
		on[IDLE(1)] = 2;
		saved[0] = true;
		saved[1] = true;
#ifndef ALONE
		enqueue(0, 0);
		run thread(0);
#endif
		enqueue(1, 0);
		run thread(1);
		run idle(IDLE(0));
		run idle(IDLE(1));
		run post();
		run timer(1);
#if CANCELS
		run cancel(1)
#endif
	}
	done == RUN + 1 + CANCELS && !lock[0] && !lock[1];
	d_step {
		assert(!waits[0] && !waits[1]);
		assert(taken + permits == POSTS);
#if CANCELS
		assert(interrupted[1] != pending[1])
#endif
	}
}
